"""Catalogs of the mails: complete, and with the placeholders of their source."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from support.digests import digest, entry, everything, frame, renderer, section

from service.resources import resource_dir

KEYWORDS = {
    "gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
}
TEMPLATES = resource_dir("templates")


def messages() -> Iterator[tuple[str | None, str | tuple[str, ...]]]:
    mails = extract_from_dir(
        str(TEMPLATES / "email"), [("**.html", "jinja2"), ("**.txt", "jinja2")], keywords=KEYWORDS
    )
    code = extract_from_dir(
        str(TEMPLATES.parent / "service" / "delivery"), [("**.py", "python")], keywords=KEYWORDS
    )
    for _, _, message, _, context in (*mails, *code):
        yield context, message


def placeholders(text: str) -> list[str]:
    return sorted(set(re.findall(r"%\(\w+\)s", text)))


@pytest.mark.parametrize("path", sorted((TEMPLATES / "locale").glob("*.po")), ids=lambda p: p.stem)
def test_catalog_has_every_text_of_the_mails(path: Path) -> None:
    with path.open("rb") as file:
        catalog = read_po(file)
    found = set(messages())
    assert len(found) > 90
    for context, message in found:
        first = message if isinstance(message, str) else message[0]
        known = catalog.get(first, context)
        assert known is not None, first
        forms = [known.string] if isinstance(known.string, str) else list(known.string)
        assert all(forms), first
        source = placeholders(" ".join([message] if isinstance(message, str) else message))
        assert {p for form in forms for p in placeholders(form)} == set(source), first


def test_german_digest() -> None:
    done = renderer().render_digest(everything(), frame(locale="de_CH"))
    assert "446 neue Artikel geprüft, 18 enthalten Ihre Wörter." in done.html
    assert "Fr. 20. November" in done.text
    assert "Werktags um 08:00, Zürich." in " ".join(done.text.split())
    assert 'lang="de"' in done.html
    assert "LoRA im Titel" in done.text
    one = renderer().render_digest(digest(section(entry(1)), matched=1), frame(locale="de"))
    assert "1 enthält Ihre Wörter" in one.text
    assert one.subject == "LoRA adapters that forget less"
