"""What readers read can be translated: messages are literals, Babel finds them, catalogs fit."""

import ast
import importlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from support import translations
from support.messages import (
    KEYWORDS,
    SERVICE,
    TEMPLATES,
    catalogue,
    faults_of,
    for_readers,
    left_in_english,
    placeholders,
)

from service.errors import PaperpostError, SettingError, SpokenError
from service.matching.compiled import StaleQueryError
from service.matching.document import StaleDocumentError
from service.matching.mapped import TornError

pytestmark = pytest.mark.xdist_group("sentences")
"""All messages are read once."""

CATALOGS = sorted((TEMPLATES / "locale").glob("*.po"))
MACHINERY = ("errors.py", "delivery/i18n.py", "pages/templates.py")
"""These make and hand on messages, and say none."""

READERS_ROOMS = (
    "web/*", "pages/*", "subscribers/*", "matching/*", "flows/subscribe.py", "flows/begin.py",
    "flows/manage.py",
    "flows/address.py", "flows/leave.py", "flows/browse.py", "flows/interests.py",
)  # fmt: skip
FOR_NO_READER = {StaleQueryError, StaleDocumentError, TornError, SettingError}
"""The flow that catches it folds again or makes the file again; a wrong setting stops the start."""


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            yield node.func.id if isinstance(node.func, ast.Name) else node.func.attr, node


@cache
def messages() -> tuple[tuple[str, str, ast.Call], ...]:
    """(where, keyword, call) of every message in the code."""
    return tuple(_messages())


def _messages() -> Iterator[tuple[str, str, ast.Call]]:
    for path in sorted(SERVICE.rglob("*.py")):
        name = path.relative_to(SERVICE).as_posix()
        if name not in MACHINERY and not name.startswith("admin/"):  # the desk is English alone
            for keyword, call in calls(path):
                if keyword in KEYWORDS:
                    yield f"{name}:{call.lineno}", keyword, call


def texts_of(keyword: str, call: ast.Call) -> list[str | None]:
    """The message's forms; None for what is no literal."""
    at = {"ngettext": (0, 1), "counted": (0, 1), "pgettext": (1,), "npgettext": (1, 2)}.get(
        keyword, (0,)
    )
    made = [call.args[n] if len(call.args) > n else None for n in at]
    return [one.value if isinstance(one, ast.Constant) else None for one in made]


def test_messages_are_literals_and_babel_finds_them() -> None:
    """A name or an f-string is no message; and Babel does not look into f-strings."""
    made = messages()
    assert len(made) > 250
    unknown = []
    for where, keyword, call in made:
        first = texts_of(keyword, call)[0]
        context = call.args[0].value if keyword in ("pgettext", "npgettext") else None  # type: ignore[attr-defined]
        if not isinstance(first, str) or catalogue().get(first, context) is None:
            unknown.append(where)
    assert unknown == []


@pytest.mark.slow
def test_messages_get_the_values_they_name() -> None:
    wrong = []
    for where, keyword, call in messages():
        forms = [text for text in texts_of(keyword, call) if isinstance(text, str)]
        given = {one.arg for one in call.keywords}
        counts = {"num"} if keyword in ("ngettext", "counted", "npgettext") else set()
        if None not in given and placeholders(*forms) | counts != given | counts:
            wrong.append((where, forms, given))
    assert wrong == []


def test_errors_of_the_readers_rooms_can_be_said_in_the_readers_language() -> None:
    wrong, seen = [], 0
    for path in sorted(path for room in READERS_ROOMS for path in SERVICE.glob(room)):
        if path.suffix != ".py":
            continue
        name = path.relative_to(SERVICE.parent).with_suffix("").as_posix().replace("/", ".")
        module = importlib.import_module(name.removesuffix(".__init__"))
        for called, call in calls(path):
            kind = getattr(module, called, None)
            if (
                isinstance(kind, type)
                and issubclass(kind, PaperpostError)
                and kind not in FOR_NO_READER
            ):
                seen += 1
                if not issubclass(kind, SpokenError):
                    wrong.append(f"{name}:{call.lineno} {called}")
    assert seen > 50
    assert wrong == []


def _read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file)


@pytest.mark.parametrize("path", CATALOGS, ids=lambda path: path.stem)
def test_a_language_says_all_that_readers_meet_and_nothing_else(path: Path) -> None:
    """With all values and plural forms, checked by the reading that `make messages` shows."""
    found = _read(path)
    assert not found.obsolete
    assert faults_of(found) == []


@pytest.mark.parametrize("path", CATALOGS, ids=lambda path: path.stem)
def test_nothing_of_a_language_is_left_in_english(path: Path) -> None:
    found = _read(path)
    assert left_in_english(found) == []
    found["Your mails"].string = "Your mails"
    found["Undo"].string = "<b>Undo</b>"
    found["Leave?"].string = "Leave the list?"
    assert len(left_in_english(found)) == 3


def test_what_is_wrong_with_a_language_is_named_with_its_place() -> None:
    language = _read(TEMPLATES / "locale" / "de.po")
    before = faults_of(language)
    language.delete("Weekdays")
    language["%(num)s vote"].string = ("%(num)s Stimme", "")
    language["Run by %(org)s"].string = "Betrieben von %(site)s"
    language["Your mails"].string = "Ihre Mails!"
    language.add("Oops", "Hoppla")
    found = [fault for fault in faults_of(language) if fault not in before]
    assert sorted(fault.partition(",")[0].partition(":")[0] for fault in found) == [
        "ends otherwise", "missing", "no reader meets it", "placeholders", "plural forms",
    ]  # fmt: skip
    assert found[-1] == "no reader meets it: Oops"
    assert all("/" in fault.partition(":")[0] for fault in found[:-1])


def test_texts_for_the_staff_alone_do_not_go_to_translators() -> None:
    """Where a message stands decides; what both read is for readers."""
    told = for_readers()
    assert told.get("Papers of %(day)s") is not None
    assert told.get("Saved.") is not None
    assert told.get("Alarm: %(what)s") is None
    assert catalogue().get("Alarm: %(what)s") is not None


@pytest.mark.slow
def test_translations_are_brought_up_to_date_without_losing_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`make messages`: twice the same file; a new language has every message, empty."""
    monkeypatch.setattr(translations, "FOLDER", tmp_path)
    german = tmp_path / "de.po"
    german.write_text((TEMPLATES / "locale" / "de.po").read_text("utf-8"), "utf-8")
    before = _read(german)
    translations.main(["de"])
    once = german.read_text("utf-8")
    translations.main(["de"])
    assert german.read_text("utf-8") == once
    assert once.startswith("# German.")
    after = _read(german)
    for message in for_readers():
        ids = message.id if isinstance(message.id, tuple | list) else (message.id,)
        if message.id and (known := before.get(ids[0], message.context)) is not None:
            found = after.get(ids[0], message.context)
            assert found is not None
            assert found.string == known.string
    assert translations.main(["fr"]) == 1
    assert "missing, " in capsys.readouterr().out
    french = _read(tmp_path / "fr.po")
    assert len(french) == len(for_readers())
    assert not any(any(message.string) for message in french if message.id)
