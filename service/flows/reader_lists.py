"""Readers as the staff list them: what is chosen, what a row tells, lists to take along."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from service.flows.exports import Form, note_export, written
from service.flows.readers import export_rows, summary
from service.flows.runtime import Runtime
from service.flows.segment import SegmentError, describe, read_segment
from service.flows.spreadsheet import EXPORTED
from service.flows.tags import read_tag
from service.store import reader_lists as store
from service.store.db import Session
from service.store.reader_lists import Wanted
from service.subscribers.cadence import local_date

STATES = ("active", "pending", "bounced", "left")
FIELDS = (
    "q", "segment", "tag", "state", "words", "lang", "cadence", "joined_from", "joined_to",
    "paused", "resting", "import",
)  # fmt: skip
"""What a list can be chosen by, as it stands in an address."""

MOST_KEYS = 500
PORTION = 500


class FilterError(SegmentError):
    """A filter that cannot be read; ``where`` is its field."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """typed: the fields that are in force, as they stand in an address · wanted: the same for the
    store."""

    typed: Mapping[str, str]
    wanted: Wanted

    @property
    def is_all(self) -> bool:
        return not self.typed


def read_chosen(rt: Runtime, typed: Mapping[str, str], *, dead: tuple[int, ...] = ()) -> Chosen:
    """Read the fields of a filter. dead: owners that are gone, for mails that are held. Raises
    SegmentError with ``where`` the field."""
    given = {name: typed.get(name, "").strip() for name in FIELDS}
    given = {name: value for name, value in given.items() if value}
    wanted = Wanted(search=given.get("q", "")[:254], words=given.get("words", "")[:254])
    if "segment" in given:
        wanted = _of_segment(wanted, given["segment"], dead)
    if "tag" in given:
        wanted = replace(wanted, tag=read_tag(given["tag"]))
    if state := given.get("state"):
        if state not in STATES:
            raise FilterError(f"{state[:40]!r} is no state.", "state", f"Use {', '.join(STATES)}.")
        wanted = replace(wanted, states=(state,))
    if lang := given.get("lang"):
        wanted = replace(wanted, lang=lang[:16])
    if cadence := given.get("cadence"):
        wanted = replace(wanted, cadence=read_segment(f"cadence:{cadence}").cadence)
    if "joined_from" in given or "joined_to" in given:
        first = _day(given, "joined_from") or date(1991, 1, 1)
        last = _day(given, "joined_to") or date(2199, 12, 31)
        wanted = replace(wanted, joined=(first, last))
    if given.get("paused"):
        wanted = replace(wanted, paused=local_date(rt.clock(), rt.zone))
    if given.get("resting"):
        wanted = replace(wanted, resting=rt.clock())
    if number := given.get("import"):
        if not number.isdecimal() or len(number) > 15:
            raise FilterError(f"{number[:40]!r} is no number of an import.", "import")
        wanted = replace(wanted, import_id=int(number))
    return Chosen(given, wanted)


def _of_segment(wanted: Wanted, text: str, dead: tuple[int, ...]) -> Wanted:
    segment = read_segment(text, from_files=False)
    if segment.kind == "late":
        raise FilterError("This segment is for sends alone.", "segment", "Compose a send with it.")
    if segment.keys is not None and len(segment.keys) > MOST_KEYS:
        raise FilterError(
            f"This list has {len(segment.keys):,} addresses.",
            "segment",
            f"Above {MOST_KEYS}, give them a tag first, and look for that.",
        )
    return replace(
        wanted,
        words=segment.words or wanted.words,
        lang=segment.lang,
        cadence=segment.cadence,
        joined=segment.joined,
        tag=segment.tag,
        keys=segment.keys,
        of_edition=(segment.edition_id, (segment.state,)) if segment.kind == "state" else None,
        held_by=dead,
    )


def _day(given: Mapping[str, str], name: str) -> date | None:
    if name not in given:
        return None
    try:
        return date.fromisoformat(given[name])
    except ValueError:
        what = f"{given[name][:40]!r} is no date."
        raise FilterError(what, name, "Write it like 2026-11-18.") from None


def told(chosen: Chosen) -> str:
    """What a list is chosen by, in one line, for people and for the record of acts: of a list of
    addresses how many it named, and no address."""
    typed = dict(chosen.typed)
    parts = []
    if (segment := typed.pop("segment", "")) and segment != "all":
        parts.append(describe(read_segment(segment, from_files=False)))
    if "@" in typed.get("q", ""):
        typed["q"] = "an address"
    if words := typed.pop("q", ""):
        parts.append(words if words == "an address" else f"with “{words}”")
    parts += [name if name in ("paused", "resting") else f"{name.replace('_', ' ')} {value}"
              for name, value in typed.items()]  # fmt: skip
    return "; ".join(parts) or "all readers"


def find(session: Session, chosen: Chosen) -> tuple[int, Chosen]:
    """How many readers these are, and the same ones for ``list_page``."""
    total, wanted = store.find_wanted(session, chosen.wanted)
    return total, replace(chosen, wanted=wanted)


def list_page(
    session: Session, chosen: Chosen, *, order: str, is_down: bool, limit: int, offset: int
) -> list[dict[str, Any]]:
    """A page of readers with their interests and tags, as ``subscribers list`` tells them."""
    rows = store.list_wanted(
        session, chosen.wanted, order=order, is_down=is_down, limit=limit, offset=offset
    )
    return summary(rows, session)


def list_facts(rt: Runtime, chosen: Chosen) -> Iterator[dict[str, Any]]:
    """Every one of them by address, read in portions."""
    after = ""
    while True:
        made, after = rt.db.read(lambda s, a=after: _portion(s, chosen, a))  # type: ignore[misc]
        yield from made
        if len(made) < PORTION:
            return


def _portion(session: Session, chosen: Chosen, after: str) -> tuple[list[dict[str, Any]], str]:
    rows = store.list_after(session, chosen.wanted, after, PORTION)
    last = rows[-1].email_key if rows else after
    return summary(rows, session), last


# ---- taken along ----


def export(rt: Runtime, chosen: Chosen, form: Form, *, by: str, address: str = "") -> Iterator[str]:
    """The readers, a row for each and interest, as an import reads them, in pieces; that they are
    taken along is on record before the first."""
    count = rt.db.read(lambda s: store.count_wanted(s, chosen.wanted))
    note_export(rt, "readers", count, which=told(chosen), form=form, by=by, address=address)
    return written(EXPORTED, _exported(rt, chosen), form)


def _exported(rt: Runtime, chosen: Chosen) -> Iterator[list[dict[str, Any]]]:
    after: str | None = ""
    while after is not None:
        rows, after = rt.db.read(lambda s, a=after: _export_portion(s, chosen, a))  # type: ignore[misc]
        yield rows


def _export_portion(
    session: Session, chosen: Chosen, after: str
) -> tuple[list[dict[str, Any]], str | None]:
    found = store.list_after(session, chosen.wanted, after, PORTION)
    last = found[-1].email_key if len(found) == PORTION else None
    return export_rows(found, session), last
