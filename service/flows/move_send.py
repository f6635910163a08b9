"""A send by hand of which nothing has begun goes at another time: the same mails to the same
readers. Whether one has begun its rows say, not the clock: who paused it may move it afterwards.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from service.flows.editions import EditionError, need_edition, shown_state
from service.flows.frozen import FROZEN
from service.flows.runtime import Runtime
from service.flows.staff import audit_edition
from service.flows.timing import TimingError, hours_of, read_begin, read_day
from service.store import editions as editions_store
from service.store import send_times
from service.store.db import Priority, Session
from service.store.send_times import Untried
from service.store.tables import EditionRow

Hours = Mapping[datetime, Sequence[int]]
"""Numbers of mails, by when they go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """at: an instant; None = at each reader's own hour · on: on this date of theirs or later,
    None = the hour that comes next."""

    at: datetime | None = None
    on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What a move means, or meant.

    mails: how many · before: when the first of them was to go · begins, last: when the first and
    the last goes · until: it can be taken back before then · deadline: no mail of it is tried later
    · own_hour: at each reader's · is_paused: nothing goes before it is resumed · is_new: False
    where it is to go at that time already.
    """

    edition_id: int
    mails: int
    before: datetime | None
    begins: datetime
    last: datetime
    until: datetime | None
    deadline: datetime
    own_hour: bool
    is_paused: bool
    is_new: bool


def read_when(rt: Runtime, at: str, own_hour: bool, on: str = "") -> When:
    """When a send is to go, as it was typed: the checks are those of a new send. on: a date, for
    the own hour alone. Raises TimingError."""
    now, most_days = rt.clock(), rt.defaults().send_ahead_days
    if bool(at.strip()) == own_hour:
        raise TimingError(
            "A send goes at one time, or at each reader's own hour.", "at", "Choose one of them."
        )
    if on.strip() and not own_hour:
        raise TimingError("A day alone says no hour.", "on", "Give it with the own hour.")
    if not own_hour:
        return When(at=read_begin(at, rt.zone, now, most_days))
    return When(on=read_day(on, rt.zone, now, most_days) if on.strip() else None)


def can_move(facts: dict[str, Any]) -> bool:
    """Whether an edition may be moved, by its ``editions.summary``. Pure."""
    begun = ("accepted", "failed", "deferred", "leased", "sending", "expired", "held")
    return (
        facts["kind"] in FROZEN
        and facts["state"] in ("open", "paused")
        and not facts["so_far"]
        and facts["waiting"] > 0
        and not any(facts[name] for name in begun)
    )


def look(rt: Runtime, edition_id: int, when: When) -> Moved:
    """What moving it would mean; nothing is changed. Raises EditionError, TimingError."""
    return rt.db.read(lambda s: _plan(rt, s, need_edition(s, edition_id), when)[0])


def move(
    rt: Runtime, edition_id: int, when: When, *, by: str, address: str = "", was: str = ""
) -> Moved:
    """Move it; where it goes at that time already nothing is done. was: ``mark_of`` what was looked
    at. Raises EditionError: it has begun, or was moved since it was looked at; TimingError."""

    def act(session: Session) -> Moved:
        editions_store.hold_number(session, edition_id)  # nobody cancels or moves it meanwhile
        edition = need_edition(session, edition_id)
        made, hours = _plan(rt, session, edition, when)
        if not made.is_new:
            return made
        if was and was != mark_of(made):
            raise EditionError(
                f"Edition {edition_id} was moved since you looked.",
                "",
                "Nothing was changed. What stands here now is its new time.",
            )
        if when.at is not None:
            send_times.set_begin(session, edition_id, when.at, made.deadline)
        else:
            send_times.set_hours(session, hours, made.deadline - made.last)
        if send_times.has_begun(session, edition_id):  # between our look and our hold on its rows
            raise _begun(edition_id)
        before = edition.options.get("timing") or {"at": _iso(edition.not_before)}
        timing = _timing(when, made)
        editions_store.set_edition(
            session, edition_id, not_before=made.until,
            options={**edition.options, "timing": timing},
            closes_at=made.deadline + timedelta(hours=1),
        )  # fmt: skip
        audit_edition(
            session, rt.clock(), edition_id, by, "move send", before={"timing": before},
            after={"timing": timing, "mails": made.mails}, address=address,
        )  # fmt: skip
        return made

    made = rt.db.write(act, Priority.WEB)
    rt.engine.enqueue("send")  # which wakes itself at the new time, where that is near
    return made


def mark_of(made: Moved) -> str:
    """What was looked at, for ``move``: when it was to go until then."""
    return _iso(made.before)


def _plan(rt: Runtime, session: Session, edition: EditionRow, when: When) -> tuple[Moved, Hours]:
    """What it would mean. Raises EditionError, TimingError."""
    number, now, limits = edition.id or 0, rt.clock(), rt.defaults()
    _need_movable(session, edition)
    timing = edition.options.get("timing", {})
    was_own = bool(timing.get("own_hour"))
    if when.at is None and edition.options.get("canary"):
        raise TimingError(
            "A send at each reader's own hour has no first few.", "at", "Choose one time for all."
        )
    mails = send_times.list_untried(session, number) if when.at is None or was_own else []
    count = len(mails) if mails else send_times.count_untried(session, number)
    if not count:
        raise EditionError(f"Nobody gets a mail of edition {number}.", "", "There is none to move.")
    until: datetime | None = when.at
    if when.at is not None:
        hours: Hours = {when.at: ()}
        is_new = timing.get("at") != when.at.isoformat()
    elif was_own and timing.get("on") == _day(when) and not _is_over(mails, now):
        hours, until, is_new = _hours_now(mails), edition.not_before, False
    else:
        until, is_new = now + timedelta(minutes=limits.undo_minutes), True
        hours = hours_of(mails, until, when.on)
    made = Moved(
        edition_id=number,
        mails=count,
        before=min(_hours_now(mails), default=None) if was_own else edition.not_before,
        begins=min(hours),
        last=max(hours),
        until=until,
        deadline=max(hours) + timedelta(hours=limits.digest_deadline_hours),
        own_hour=when.at is None,
        is_paused=shown_state(edition) == "paused",
        is_new=is_new,
    )
    return made, hours


def _hours_now(mails: Sequence[Untried]) -> dict[datetime, list[int]]:
    found: dict[datetime, list[int]] = {}
    for one in mails:
        if one.not_before is not None:
            found.setdefault(one.not_before, []).append(one.id)
    return found


def _is_over(mails: Sequence[Untried], now: datetime) -> bool:
    """Whether an hour has passed: of a send that was paused."""
    return any(one.not_before is None or one.not_before < now for one in mails)


def _need_movable(session: Session, edition: EditionRow) -> None:
    number = edition.id or 0
    if edition.kind not in FROZEN:
        raise EditionError(
            f"Edition {number} has no time that was set.",
            "",
            "Digests go at each reader's hour by themselves, alerts at once.",
        )
    if edition.state in ("cancelled", "done"):
        raise EditionError(f"Edition {number} is {edition.state}.", "", "Nothing to move.")
    if edition.planned is None:
        raise EditionError(
            f"Edition {number} is not planned to its end.", "", "Move it when it is."
        )
    if send_times.has_begun(session, number):
        raise _begun(number)


def _begun(number: int) -> EditionError:
    return EditionError(
        f"Edition {number} has begun: it is not moved any more.",
        "",
        "Nothing was changed. Pause or cancel it.",
    )


def _timing(when: When, made: Moved) -> dict[str, Any]:
    if when.at is not None:
        return {"at": when.at.isoformat()}
    on = {"on": day} if (day := _day(when)) else {}
    hours = {"first": made.begins.isoformat(), "last": made.last.isoformat()}
    return {"own_hour": True, **hours, **on}


def _day(when: When) -> str | None:
    return when.on.isoformat() if when.on is not None else None


def _iso(at: datetime | None) -> str:
    return at.isoformat() if at is not None else ""
