"""Mails in German: every sentence, dates, the width of lines, the length of subjects."""

import re
from typing import Any

import pytest
from support.digests import BASE, TOKEN, digest, entry, everything, frame, line, renderer, section
from support.messages import for_readers, is_for_staff, placeholders

from service.delivery.frame import Rendered
from service.delivery.i18n import MIRRORED
from service.delivery.notices import NOTICES
from service.digest.model import Digest

pytestmark = pytest.mark.xdist_group("sentences")
"""All messages are read once."""

URL = f"{BASE}/x/{TOKEN}"
RENDERER = renderer()
LINKS = {"manage_url": URL, "unsubscribe_url": URL}
NOTICE_DATA: dict[str, dict[str, Any]] = {
    "confirm": {"link": URL, "never_link": URL, "until": digest().on},
    "already-subscribed": {"manage_url": URL},
    "manage-link": {"link": URL, "until": digest().on},
    "address-change": {"link": URL, "until": digest().on},
    "address-changed": {"on": digest().on},
    "quiet": {
        "days": 7, "checked": 3120, "words": [("LoRA", 119), ("Genom", 1)],
        "widenings": [("LoRA", 1044, URL)], **LINKS,
    },
    "newsletter": {
        "title": "Titel", "html": "<p>Text</p>", "text": "Text", "view_url": URL, **LINKS,
    },
}  # fmt: skip
LONG = "A very long title of a paper about low-rank adapters that never seems to come to its end"
DIGESTS: dict[str, Digest] = {
    "everything": everything(),
    "daily": digest(section(entry(1, LONG), entry(2), lines=(line(3),), total=3), matched=3),
    "one": digest(section(entry(1, LONG), total=1), matched=1),
    "weekly": digest(section(entry(1, LONG), entry(2), total=2), matched=2, kind="weekly"),
    "first": digest(section(entry(1, LONG), entry(2), total=2), matched=9, kind="first"),
    "alert": digest(section(entry(1, LONG), entry(2), total=2), matched=2, kind="alert"),
}


def mails() -> dict[str, Rendered]:
    """Every mail that a reader gets, in German."""
    made = {kind: RENDERER.render_notice(kind, data, "de") for kind, data in NOTICE_DATA.items()}
    return made | {
        name: RENDERER.render_digest(value, frame(locale="de")) for name, value in DIGESTS.items()
    }


GERMAN = mails()


def test_every_mail_for_readers_is_looked_at() -> None:
    assert {kind for kind in NOTICES if not is_for_staff(f"email/{kind}/body.txt")} == {
        *NOTICE_DATA
    }


def test_german_digest() -> None:
    done = RENDERER.render_digest(everything(), frame(locale="de_CH"))
    assert "446 neue Artikel geprüft, 18 enthalten Ihre Suchwörter." in done.html
    assert "Fr., 20. November" in done.text
    assert "Montag bis Freitag um 08:00 Uhr, Zürich." in " ".join(done.text.split())
    assert 'lang="de"' in done.html
    assert "LoRA im Titel" in done.text
    one = RENDERER.render_digest(digest(section(entry(1)), matched=1), frame(locale="de"))
    assert "1 enthält Ihre Suchwörter" in one.text
    assert one.subject == "LoRA adapters that forget less"


@pytest.mark.parametrize("name", GERMAN)
def test_lines_have_72_columns_and_subjects_70_letters(name: str) -> None:
    done = GERMAN[name]
    assert 4 <= len(done.subject) <= 70
    assert [row for row in done.text.split("\n") if len(row) > 72 and "://" not in row] == []


@pytest.mark.parametrize("name", GERMAN)
def test_nothing_is_said_in_english(name: str) -> None:
    """No sentence of ours stands in the mail as it is in the source."""
    said = " ".join(f"{GERMAN[name].subject} {GERMAN[name].text}".split())
    left = []
    for message in for_readers():
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        for text in ids:
            whole = re.escape(re.sub(r"%\(\w+\)s", "\0", text)).replace("\0", r"[\w.,]+")
            if len(text.split()) > 2 and len(placeholders(text)) < 2 and re.search(whole, said):
                left.append(text)
    assert left == []


@pytest.mark.parametrize("language", ["de", MIRRORED])
def test_papers_stay_as_they_are_and_say_so(language: str) -> None:
    papers = section(entry(1), entry(2, "路径规划与点云配准"))
    done = RENDERER.render_digest(digest(papers), frame(locale=language))
    named = dict(re.findall(r'lang="(en|zh)"[^>]*>(?:<a [^>]*>)?(?:<b[^>]*>)?([\w ]+)', done.html))
    assert named["zh"].startswith("路径规划")
    assert "LoRA adapters" in re.sub(r"<[^>]+>", "", done.html)
    assert f'<html lang="{language}" dir="{"rtl" if language == MIRRORED else "ltr"}"' in done.html
