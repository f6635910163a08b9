"""Acts of the staff on many readers at once: counted first, then done to that many and no other."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from service.delivery.states import State
from service.errors import PaperpostError
from service.flows.leave import erase_row
from service.flows.reader_lists import Chosen, told
from service.flows.runtime import Runtime
from service.flows.staff import write_audit
from service.store import leases as leases_store
from service.store import reader_lists as store
from service.store import subscribers as subscribers_store
from service.store import tags as tags_store
from service.store.db import Priority, Session
from service.subscribers.cadence import local_date
from service.text.tally import tally

Act = Literal["tag", "untag", "pause", "resume", "erase"]
ACTS: tuple[Act, ...] = ("tag", "untag", "pause", "resume", "erase")
_PORTION = 200


class ActError(PaperpostError):
    """An act on many that cannot be; ``where`` is the field."""


@dataclass(frozen=True, slots=True)
class Done:
    """readers: that were chosen · changed: of them, for whom it made a difference."""

    act: str
    readers: int
    changed: int


def count(rt: Runtime, chosen: Chosen) -> int:
    """How many readers an act would be on."""
    return rt.db.read(lambda s: store.count_wanted(s, chosen.wanted))


def read_reason(text: str, where: str = "reason") -> str:
    """Why something is done, in the words of who does it. Raises ActError: nothing was said."""
    reason = " ".join(text.split())[:500]
    if not reason:
        raise ActError("The reason is missing.", where, "Say in a few words why; it is kept.")
    return reason


def act_on_all(
    rt: Runtime,
    chosen: Chosen,
    act: Act,
    *,
    expected: int,
    by: str,
    tag: str = "",
    until: date | None = None,
    reason: str = "",
    address: str = "",
) -> Done:
    """Do one act to every reader who is chosen. expected: how many that is, as it was shown: for
    another number nothing is done. tag, until: of the act. Raises ActError."""
    if act == "pause":
        today = local_date(rt.clock(), rt.zone)
        last = today + timedelta(days=rt.defaults().pause_days)
        if until is None or not today < until <= last:
            what = "A pause ends after today and within a year."
            raise ActError(what, "until", f"At the latest on {last}.")
    if act == "erase":
        return _erase(rt, chosen, expected, by, reason, address)

    def do(session: Session) -> Done:
        ids = _checked(session, chosen, expected)
        if act in ("tag", "untag"):
            change = tags_store.add_tag if act == "tag" else tags_store.delete_tag
            changed = change(session, tag, chosen.wanted)
        else:
            changed = store.set_pause(session, ids, until if act == "pause" else None)
            if act == "pause":
                for start in range(0, len(ids), _PORTION):
                    part = ids[start : start + _PORTION]
                    stop = leases_store.stop_open
                    stop(session, State.SKIPPED, "paused", subscriber_ids=part)
        done = Done(act, len(ids), changed)
        _note(rt, session, chosen, done, by, reason, address, tag=tag, until=until)
        return done

    return rt.db.write(do, Priority.WEB)


def _checked(session: Session, chosen: Chosen, expected: int) -> list[int]:
    ids = store.list_ids(session, chosen.wanted)
    if len(ids) != expected:
        raise ActError(
            f"These are {tally(len(ids), 'reader')}, not {expected:,}; nothing was done.",
            "number",
            f"Look at the list again; if it is right, type {len(ids)}.",
        )
    return ids


def _note(
    rt: Runtime, session: Session, chosen: Chosen, done: Done, by: str, reason: str, address: str,
    *, tag: str = "", until: date | None = None,
) -> None:  # fmt: skip
    after: dict[str, object] = {"readers": done.readers, "changed": done.changed}
    after["which"] = told(chosen)
    if tag:
        after["tag"] = tag
    if until is not None:
        after["until"] = until.isoformat()
    write_audit(
        session, rt.clock(), who=by, what=f"{done.act} readers", after=after, address=address,
        reason=reason,
    )  # fmt: skip


def _erase(rt: Runtime, chosen: Chosen, expected: int, by: str, reason: str, address: str) -> Done:
    """The record first, with the number that was typed; then the readers, in portions, so that a
    reader's click never waits long."""

    def begin(session: Session) -> list[int]:
        ids = _checked(session, chosen, expected)
        done = Done("erase", len(ids), len(ids))
        _note(rt, session, chosen, done, by, reason, address)
        return ids

    ids = rt.db.write(begin, Priority.WEB)
    gone = 0
    for start in range(0, len(ids), _PORTION):
        part = ids[start : start + _PORTION]
        gone += rt.db.write(lambda s, p=part: erase_some(rt, s, p, by), Priority.BULK)  # type: ignore[misc]
    return Done("erase", len(ids), gone)


def erase_some(rt: Runtime, session: Session, ids: list[int], by: str, *, bar: bool = True) -> int:
    """Erase readers inside a transaction; who is gone already counts for nothing. bar: their
    addresses stay out of later imports."""
    gone = 0
    for reader_id in ids:
        row = subscribers_store.get_subscriber_row(session, id=reader_id)
        if row is not None:
            erase_row(rt, session, row, by=by, bar=bar)
            gone += 1
    return gone
