"""Digests, sections and papers as templates see them when they are rendered beforehand.

What every reader of a paper has alike is there as it is and belongs to the key under which the
rendered form is kept; what is one reader's own is held back (``holes``). A field that is added to
the digest is of the first sort. Pure.
"""

import re
from collections.abc import Hashable, Mapping
from dataclasses import fields, replace
from functools import lru_cache
from operator import attrgetter
from sys import getsizeof
from typing import Any, TypeVar

from service.delivery.frame import ReaderFrame
from service.delivery.holes import (
    SECTION,
    TUNE,
    HeldMarked,
    Poison,
    Present,
    SectionStub,
    Spelled,
    Stub,
    refuse_signs,
    url_sign,
)
from service.delivery.i18n import Texts
from service.digest.model import Digest, Entry, Line, Marked, Section, Signal

Item = Entry | Line | Signal
Shape = TypeVar("Shape", Entry, Line, Signal)

_MARKED = {Entry: ("title", "abstract"), Line: ("title",), Signal: ("title",)}
_NOBODYS = frozenset({"score", "parts"})
"""Fields of a paper that no mail shows."""

_OF_DIGEST = frozenset({"checked", "matched", "late", "read_from", "subject", "since", "interests"})
"""Fields of a digest that its sentences say (headline, period, late, subject)."""

_URLS = {"tune_base": TUNE} | {
    field.name: url_sign(number)
    for number, field in enumerate(fields(ReaderFrame))
    if field.name.endswith("_url")
}
_PLAIN_URL = re.compile(r"https?://[A-Za-z0-9:/._~-]+")
_READERS = frozenset({"weekdays", "hour", "zone", "format"})


def _alike(kind: type[Any], *own: str) -> tuple[str, ...]:
    """The names of the fields that every reader has alike."""
    return tuple(f.name for f in fields(kind) if f.name not in own)


_ITEM_KEYS = {
    kind: attrgetter(*_alike(kind, *marked, *_NOBODYS, "reasons", "links"))
    for kind, marked in _MARKED.items()
}
_LOOPS = ("entries", "lines", "signals")
_SECTION_KEY = attrgetter(*_alike(Section, "name", "profile_id", "rest", *_LOOPS))
_DIGEST_KEY = attrgetter(*_alike(Digest, "sections", *_OF_DIGEST))
_URLS_OF = attrgetter(*_URLS)
_FRAME_KEY = attrgetter(*_alike(ReaderFrame, "confirmed_on", *_URLS, *_READERS))


def item_key(item: Item) -> Hashable:
    """Return what a form of a paper hangs on: all of it but marks, reasons and score, and of its
    abstract, which is cut for each reader, the language."""
    if isinstance(item, Entry):
        return (
            _ITEM_KEYS[Entry](item),
            item.title.text,
            _tongue(item.abstract.text),
            tuple(item.links.items()),
            bool(item.reasons),
        )
    return (type(item), _ITEM_KEYS[type(item)](item), item.title.text)


@lru_cache(maxsize=4096)
def _tongue(text: str) -> str | None:
    """The language of a text; None where there is none. Papers have few abstracts each."""
    return Texts.tongue(text) if text else None


def own_text(item: Item) -> str:
    """Return the text of a paper that is cut for each reader."""
    return item.abstract.text if isinstance(item, Entry) else ""


def own_key(item: Item) -> Hashable:
    """Return what is of one reader's words in a paper."""
    if isinstance(item, Entry):
        reasons = tuple([(reason.term, reason.where) for reason in item.reasons])
        return (item.title.marks, item.abstract.text, item.abstract.marks, reasons)
    return item.title.marks


def memory(item: Item) -> int:
    """Return about how many bytes a paper's key holds."""
    return 1_500 + sum(map(getsizeof, _texts(item, "abstract")))


def own_memory(item: Item) -> int:
    """Return about how many bytes the key of one reader's words in a paper holds."""
    if not isinstance(item, Entry):
        return 700 + 130 * len(item.title.marks)
    words = sum([130 + getsizeof(reason.term) for reason in item.reasons])
    marks = len(item.title.marks) + len(item.abstract.marks)
    return 700 + getsizeof(item.abstract.text) + 130 * marks + words


def digest_memory(digest: Digest) -> int:
    """Return about how many bytes a parsed digest holds."""
    size = 1_000
    for section in digest.sections:
        for entry in section.entries:
            letters = len(entry.title.text) + len(entry.abstract.text)
            pieces = len(entry.title.marks) + len(entry.abstract.marks) + len(entry.reasons)
            size += 1_200 + letters * 3 // 2 + 130 * pieces + 200 * len(entry.links)
        size += 1_000 * (1 + len(section.lines) + len(section.signals)) + 40 * len(section.rest)
    return size


def marked_of(item: Item) -> tuple[Marked, ...]:
    """Return the texts of a paper that have marks, in the order of their numbers."""
    return (item.title, item.abstract) if isinstance(item, Entry) else (item.title,)


def held_item(item: Item, *, is_open: bool = False) -> Item:
    """Return the paper as a template may see it. is_open: with the text that is cut for its reader.
    Raises Unfit: a text that cannot be data."""
    refuse_signs("\0".join(_texts(item)))
    held: dict[str, Any] = {}
    for number, name in enumerate(_MARKED[type(item)]):
        text = getattr(item, name).text
        tongue = _tongue(text) if name == "abstract" and not is_open else None
        held[name] = HeldMarked(name, text, number, tongue)
    if isinstance(item, Entry):
        held |= {name: Poison(f"the {name} of a paper") for name in _NOBODYS}
        held["reasons"] = Present("the reasons of a paper") if item.reasons else ()
    return replace(item, **held)


def section_key(section: Section) -> Hashable:
    """Return what the form of a section hangs on beside its name: how much is in it."""
    counts = (len(section.entries), len(section.lines), len(section.signals), len(section.rest))
    return (_SECTION_KEY(section), bool(section.profile_id), counts)


def held_section(section: Section, *, is_open: bool = False) -> Section:
    """Return the section as a template may see it, its papers held back. is_open: with its name.
    Raises Unfit."""
    refuse_signs("\0".join(_texts(section, *_LOOPS, "rest")))
    held: dict[str, Any] = {
        loop: tuple(Stub(loop, at) for at in range(len(getattr(section, loop)))) for loop in _LOOPS
    }
    if section.profile_id:
        held["profile_id"] = Spelled("the id of an interest", SECTION)
    held["rest"] = tuple(Stub("rest", at) for at in range(len(section.rest)))
    if not is_open:
        held["name"] = Poison("the name of a section")
    return replace(section, **held)


def frame_key(digest: Digest, reader: ReaderFrame) -> Hashable:
    """Return what the form of a frame hangs on, beside its scope."""
    return (_DIGEST_KEY(digest), len(digest.sections), reader.confirmed_on is not None)


def scope_key(digest: Digest, reader: ReaderFrame) -> Hashable:
    """Return what forms of papers and sections hang on beside what is in them."""
    there = tuple(map(bool, _URLS_OF(reader)))
    return (digest.kind, digest.on, digest.version, _FRAME_KEY(reader), there)


def sort_of(reader: ReaderFrame) -> Hashable:
    """Return what a whole digest hangs on beside what is in it, but for the reader's values."""
    there = tuple(map(bool, _URLS_OF(reader)))
    return (_FRAME_KEY(reader), there, reader.confirmed_on is not None)


def held_digest(digest: Digest) -> Digest:
    """Return the digest as the template of a frame may see it. Raises Unfit."""
    refuse_signs("\0".join(_texts(digest, "sections", *_OF_DIGEST)))
    held: dict[str, Any] = {name: Poison(f"digest.{name}") for name in _OF_DIGEST}
    held["sections"] = tuple(SectionStub("sections", at) for at in range(len(digest.sections)))
    return replace(digest, **held)


def narrow_digest(digest: Digest) -> Digest:
    """Return of the digest what a paper may see: which kind, and the day."""
    held: dict[str, Any] = {
        name: Poison(f"digest.{name}") for name in _alike(Digest, "kind", "on", "version")
    }
    return replace(digest, **held)


def held_reader(reader: ReaderFrame) -> ReaderFrame:
    """Return the reader as a template may see them."""
    held: dict[str, Any] = {name: Poison(f"reader.{name}") for name in _READERS}
    held |= {name: sign if getattr(reader, name) else "" for name, sign in _URLS.items()}
    if reader.confirmed_on is not None:
        held["confirmed_on"] = Present("the day on which a reader confirmed")
    return replace(reader, **held)


def is_plain(url: str) -> bool:
    """Say whether an address is written alike wherever it stands."""
    return not url or _PLAIN_URL.fullmatch(url) is not None


def narrow_reader(reader: ReaderFrame) -> ReaderFrame:
    """Return of the reader what a paper may see: links, and whether hits get stars."""
    return replace(held_reader(reader), confirmed_on=Poison("reader.confirmed_on"))  # type: ignore[arg-type]


def urls(reader: ReaderFrame) -> dict[str, str]:
    """Return the addresses of a reader by their signs."""
    values = zip(_URLS.values(), _URLS_OF(reader), strict=True)
    return {sign: value for sign, value in values if value}


def _texts(value: Any, *without: str) -> list[str]:
    """Every text in a value of the digest, however deep."""
    found: list[str] = []
    left: list[Any] = [
        getattr(value, name) for name in value.__dataclass_fields__ if name not in without
    ]
    while left:
        one = left.pop()
        if isinstance(one, str):
            found.append(one)
        elif isinstance(one, tuple | list):
            left += one
        elif isinstance(one, Mapping):
            left += (*one, *one.values())
        elif hasattr(one, "__dataclass_fields__"):
            left += [getattr(one, name) for name in one.__dataclass_fields__]
    return found
