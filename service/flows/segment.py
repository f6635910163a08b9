"""Whom a manual send is for: one line that names readers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from service.delivery.states import State
from service.errors import PaperpostError
from service.flows.spreadsheet import decode
from service.store import audience as audience_store
from service.store import delivery_lists
from service.store import editions as editions_store
from service.store.audience import Candidate
from service.store.db import Session
from service.subscribers.address import read_address
from service.subscribers.model import Cadence
from service.text.clean import collapse
from service.text.tally import tally

KINDS = ("all", "words", "lang", "cadence", "joined", "tag", "list", "state", "late")
_FORMS = (
    "all, words:LoRA, lang:de, cadence:daily, joined:A..B, tag:NAME, list:FILE, "
    "state:EDITION:failed, late:EDITION"
)


_MOST_DIGITS = 15
"""Of a number that databases can count to."""


class SegmentError(PaperpostError):
    """A segment that cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One of KINDS with its value.

    text: as typed, in its shortest form · keys: folded addresses of a list · unread: entries of a
    list that are no address.
    """

    kind: str = "all"
    text: str = "all"
    words: str = ""
    lang: str = ""
    cadence: str = ""
    tag: str = ""
    joined: tuple[date, date] | None = None
    keys: tuple[str, ...] | None = None
    unread: int = 0
    edition_id: int = 0
    state: str = ""


def read_dates(text: str, where: str = "dates") -> tuple[date, date]:
    """Read "2026-11-01..2026-11-07", or one date. Raises SegmentError."""
    first, dots, last = text.strip().partition("..")
    try:
        days = (
            date.fromisoformat(first.strip()),
            date.fromisoformat((last if dots else first).strip()),
        )
    except ValueError:
        raise SegmentError(
            f"{text.strip()[:40]!r} is no date.", where, "Write 2026-11-01..2026-11-07."
        ) from None
    if days[0] > days[1]:
        raise SegmentError("The first date is later than the last.", where, "Swap them.")
    return days


def read_segment(text: str, *, from_files: bool = True) -> Segment:
    """Read one line. Raises SegmentError with what can be written.

    from_files: ``list:`` may name a file (commands); a form pastes the addresses themselves.
    """
    text = text.strip() or "all"
    kind, _, value = text.partition(":")
    kind, value = kind.strip().lower(), value.strip()
    if kind == "all" and not value:
        return Segment()
    if kind not in KINDS or not value:
        raise SegmentError(f"{text[:60]!r} names no readers.", "segment", f"Use {_FORMS}.")
    short = f"{kind}:{value}"
    if kind == "words":
        return Segment(kind=kind, text=short, words=value)
    if kind == "lang":
        return Segment(kind=kind, text=short, lang=value)
    if kind == "cadence":
        if value not in [c.value for c in Cadence]:
            raise SegmentError(
                f"{value!r} is no cadence.", "segment", "Use instant, daily or weekly."
            )
        return Segment(kind=kind, text=short, cadence=value)
    if kind == "tag":
        tag = collapse(value).casefold()
        return Segment(kind=kind, text=f"tag:{tag}", tag=tag)
    if kind == "joined":
        return Segment(kind=kind, text=short, joined=read_dates(value, "segment"))
    if kind == "state":
        return _of_state(short, value)
    if kind == "late":
        if not value.isdecimal() or len(value) > _MOST_DIGITS:
            raise SegmentError(f"{text[:60]!r} names no edition.", "segment", "Like late:12.")
        return Segment(kind=kind, text=short, edition_id=int(value))
    return _of_list(value, from_files)


def _of_state(text: str, value: str) -> Segment:
    edition, _, state = value.partition(":")
    is_number = edition.isdecimal() and len(edition) <= _MOST_DIGITS
    if not is_number or state not in [*State, "held"]:
        raise SegmentError(
            f"{text[:60]!r} names no edition and state.", "segment", "Like state:12:failed."
        )
    return Segment(kind="state", text=text, edition_id=int(edition), state=state)


def _of_list(value: str, from_files: bool) -> Segment:
    if from_files and "@" not in value:
        try:
            value = Path(value).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise SegmentError(
                f"{value[:80]!r} cannot be read: {error}", "segment", "Name a text file."
            ) from None
    keys: dict[str, None] = {}
    unread = 0
    for entry in re.split(r"[\s,;]+", value):
        if not entry:
            continue
        try:
            keys[read_address(entry.strip("<>\"'")).key] = None
        except PaperpostError:
            unread += 1
    if not keys:
        raise SegmentError("The list holds no address.", "segment", "One address a line.")
    return Segment(kind="list", text=f"list:{','.join(keys)}", keys=tuple(keys), unread=unread)


def listed_in(data: bytes) -> Segment:
    """The addresses of a file that somebody chose: one a line, or a table with more beside them, as
    a spreadsheet saves it. Raises SegmentError: none is in it."""
    keys: dict[str, None] = {}
    unread = 0
    for entry in re.split(r"[\s,;|]+", decode(data)):
        if "@" not in entry:
            continue  # names, and the names of columns
        try:
            keys[read_address(entry.strip("<>\"'()")).key] = None
        except PaperpostError:
            unread += 1
    if not keys:
        raise SegmentError(
            "The file holds no address.", "file", "Choose one with an address a line."
        )
    return Segment(kind="list", text=f"list:{','.join(keys)}", keys=tuple(keys), unread=unread)


def find_readers(
    session: Session,
    segment: Segment,
    dead: Sequence[int] = (),
    *,
    ids: Sequence[int] | None = None,
) -> list[Candidate]:
    """The readers of a segment by address. dead: owners that are gone, for "held" · ids: of these
    alone, ``audience.PART`` at most. Raises SegmentError: no such edition."""
    of_edition = None
    if segment.kind == "late":
        return _came_after(session, segment.edition_id)
    if segment.kind == "state":
        if editions_store.get_edition(session, id=segment.edition_id) is None:
            raise SegmentError(f"There is no edition {segment.edition_id}.", "segment")
        of_edition = (segment.edition_id, (segment.state,))
    return audience_store.list_candidates(
        session,
        words=segment.words,
        lang=segment.lang,
        cadence=segment.cadence,
        joined=segment.joined,
        tag=segment.tag,
        keys=segment.keys,
        of_edition=of_edition,
        held_by=dead,
        ids=ids,
    )


def _came_after(session: Session, edition_id: int) -> list[Candidate]:
    """Readers of an edition's own segment who joined or confirmed after it was begun, and have no
    mail of it, nor of what was sent again of it."""
    family = delivery_lists.list_family(session, edition_id)
    first = editions_store.get_edition(session, id=family[0])
    if first is None or first.kind not in ("manual", "newsletter"):
        raise SegmentError(
            f"Nobody comes too late for edition {edition_id}.",
            "segment",
            "Only chosen papers and newsletters are sent to those who came later.",
        )
    own = str(first.options.get("segment", "all"))
    if ":" not in own and own != "all":
        raise SegmentError(
            f"Edition {edition_id} went to {own}, which is not kept.",
            "segment",
            "Name the new ones.",
        )
    late = audience_store.list_late(session, since=first.opened_at, editions=family)
    found: list[Candidate] = []
    for start in range(0, len(late), audience_store.PART):
        part = late[start : start + audience_store.PART]
        found += find_readers(session, read_segment(own, from_files=False), ids=part)
    return sorted(found, key=lambda reader: reader.email_key)


def recorded(segment: Segment) -> str:
    """What a record keeps of it for good: of a list how many it named, and no address."""
    return segment.text if segment.keys is None else describe(segment)


def describe(segment: Segment) -> str:
    """The segment in words, for pages."""
    if segment.kind == "words":
        return f"readers whose interests contain “{segment.words}”"
    if segment.kind == "lang":
        return f"readers in the language {segment.lang}"
    if segment.kind == "cadence":
        return f"readers with a {segment.cadence} interest"
    if segment.kind == "tag":
        return f"readers with the tag “{segment.tag}”"
    if segment.joined is not None:
        return f"readers who joined between {segment.joined[0]} and {segment.joined[1]}"
    if segment.keys is not None:
        return f"a list of {tally(len(segment.keys), 'address', 'addresses')}"
    if segment.kind == "late":
        return f"readers who came after edition {segment.edition_id}"
    if segment.kind == "state":
        return f"readers whose mail of edition {segment.edition_id} is {segment.state}"
    return "all readers"
