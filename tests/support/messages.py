"""Every message that translators are given: found by Babel in the templates and the code.

Where a message stands decides whom it is for: what stands in the rooms and templates of the staff
alone is English alone. (A text for the staff in a room of readers is a plain string, no Sentence.)
"""

import re
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from gettext import c2py
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir

from service.resources import resource_dir

TEMPLATES = resource_dir("templates")
SERVICE = Path(__file__).resolve().parents[2] / "service"

KEYWORDS: dict[str, Any] = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "Sentence": None,
    "counted": (1, 2),
}
FOR_STAFF = (
    "pages/admin/*", "pages/mailbox/*", "email/report/*", "email/test/*", "email/alarm/*",
    "service/admin/*", "service/api/*", "service/mailbox/*", "service/cli/*_commands.py",
)  # fmt: skip
"""Where only people who run an installation, or programs, read. Everything else is for readers."""
_PLACEHOLDER = re.compile(r"%\((\w+)\)s")
_ENGLISH = re.compile(
    r"\b(?:the|your|yours|you|and|with|without|this|that|papers?|words|nothing|from|have|here)\b"
)
_CODE = re.compile(
    r"%\(\w+\)s|\b\w+:|=\w+|-word\b|[“«「\"][^”»」\"]*[”»」\"]|[A-Za-z]+/[A-Za-z]+|\S+@\S+"
    r"|\b(?:AND|OR|NOT|votes|comments|authors|mon|sun|none|usual)\b|\w+\*|\w+\.\w+|name@host"
)
"""Values, fields and words of the query language, samples in quotes, addresses, names of zones."""
_WORD = re.compile(r"[A-Za-z]{3,}")
_NAMES = {"PDF", "Cookie", "Feed", "AND, OR, NOT", "Agents"}
_OWN_LETTERS = {"zh": "[\u4e00-\u9fff]", "ja": "[\u3040-\u30ff\u4e00-\u9fff]"}
_ENDS = {".": ".。।", ":": ":：", "?": "?？;؟", ",": ",，、،"}
"""The end of a sentence, and how other scripts write it."""


def placeholders(*texts: str) -> set[str]:
    """Names of the values of a message (of all its forms)."""
    return {name for text in texts for name in _PLACEHOLDER.findall(text)}


def _found(folder: Path) -> Iterator[tuple[str, int, Any, Any, str | None]]:
    jinja = {"trimmed": "true", "silent": "false"}
    yield from extract_from_dir(
        str(folder),
        [("**.html", "jinja2"), ("**.txt", "jinja2"), ("**.py", "python")],
        options_map={"**.html": jinja, "**.txt": jinja},
        keywords=KEYWORDS,
    )


@cache
def catalogue() -> Catalog:
    """The template catalogue, as ``pybabel extract`` would write it."""
    made = Catalog()
    for folder in (TEMPLATES / "pages", TEMPLATES / "email", SERVICE):
        for name, line, message, _comments, context in _found(folder):
            made.add(message, locations=[(f"{folder.name}/{name}", line)], context=context)
    return made


@cache
def for_readers() -> Catalog:
    """What of it a reader can meet; the places are those of readers."""
    made = Catalog(fuzzy=False)
    for message in catalogue():
        places = [one for one in message.locations if not is_for_staff(one[0])]
        if message.id and places:
            made.add(message.id, locations=sorted(places), context=message.context)
    return made


def left_in_english(language: Catalog) -> list[str]:
    """Messages that are translated by themselves, or with words that only English has, or (where
    a language is not written in Latin letters) without a letter of its own; other tags of HTML."""
    found = []
    own_letters = _OWN_LETTERS.get(str(language.locale), "")
    for own in language:
        ids = own.id if isinstance(own.id, tuple | list) else (own.id,)
        if not own.id or own.context == "date pattern":
            continue
        for form in _forms(own.string):
            bare = _CODE.sub(" ", form)
            is_english = bool(_ENGLISH.search(bare)) and form not in ids
            is_same = form in ids and form not in _NAMES and len(_WORD.findall(bare)) > 1
            is_foreign = bool(own_letters and re.search("[a-z]{4}", bare)) and not re.search(
                own_letters, form
            )
            tags = [sorted(re.findall(r"</?\w+[^>]*>|&\w+;", text)) for text in (ids[0], form)]
            if is_english or is_same or (is_foreign and form not in _NAMES) or tags[0] != tags[1]:
                found.append(f"{ids[0]} -> {form}")
    return found


def is_for_staff(place: str) -> bool:
    """Whether only the staff reads what stands in this file ("pages/admin/count.html")."""
    return any(fnmatch(place, pattern) for pattern in FOR_STAFF)


def faults_of(language: Catalog) -> list[str]:
    """What is wrong with a language, each with the message and its place: what is missing, has
    other placeholders or too few plural forms, and what no reader meets any more."""
    found = []
    for message in for_readers():
        if not message.id:
            continue
        where = "{}:{}".format(*message.locations[0])
        ids = message.id if isinstance(message.id, tuple | list) else (message.id,)
        own = language.get(ids[0], message.context)
        forms = () if own is None else _forms(own.string)
        if own is None or not any(forms):
            found.append(f"missing, {where}: {ids[0]}")
        elif (own.id if isinstance(own.id, str) else tuple(own.id)) != message.id:
            found.append(f"other plural, {where}: {ids[0]}")
        elif len(forms) != (language.num_plurals if len(ids) > 1 else 1) or not all(forms):
            found.append(f"plural forms, {where}: {ids[0]}")
        elif wrong := _with_other_values(forms, ids, language):
            found.append(f"placeholders, {where}: {ids[0]} -> {wrong}")
        elif wrong := _with_another_end(forms, ids):
            found.append(f"ends otherwise, or calls out, {where}: {ids[0]} -> {wrong}")
        elif own.fuzzy:
            found.append(f"only guessed (fuzzy), {where}: {ids[0]}")
    for own in language:
        ids = own.id if isinstance(own.id, tuple | list) else (own.id,)
        if own.id and for_readers().get(ids[0], own.context) is None:
            found.append(f"no reader meets it: {ids[0]}")
    return found


def _forms(string: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    return (string,) if isinstance(string, str) else tuple(string or ())


def _with_other_values(forms: tuple[str, ...], ids: tuple[str, ...], language: Catalog) -> str:
    """The first form whose placeholders are not those of the message. A form that stands for one
    thing alone need not say its number."""
    form_of = c2py(language.plural_expr)
    for at, form in enumerate(forms):
        is_of_one = len(forms) > 1 and {n for n in range(201) if form_of(n) == at} == {1}
        least = placeholders(ids[0]) - {"num"} if is_of_one else placeholders(*ids)
        if not least <= placeholders(form) <= placeholders(*ids):
            return form
    return ""


def _with_another_end(forms: tuple[str, ...], ids: tuple[str, ...]) -> str:
    """The first form that ends with another sign than the message (texts are put together of whole
    sentences), or has an exclamation mark of its own."""
    end, every = ids[-1].rstrip()[-1:], "".join(_ENDS.values())
    for form in forms:
        last = form.rstrip()[-1:]
        is_alike = last in _ENDS[end] if end in _ENDS else last not in every
        if not is_alike or (set("!！¡") & set(form) and "!" not in ids[-1]):
            return form
    return ""
