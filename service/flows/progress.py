"""One edition while it goes and afterwards: what its page, programs and the command show of it.

All of it is read from the ledger, so that it is the same whoever asks and whichever process sends.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from service.flows import canary
from service.flows.editions import details, need_edition
from service.flows.frozen import is_being_planned, is_completed
from service.flows.late import count_late
from service.flows.move_send import can_move
from service.store import audience as audience_store
from service.store import editions as editions_store
from service.store.db import Session
from service.store.tables import EditionRow

SOON = timedelta(minutes=10)
"""A page need not ask every 2 seconds for what begins next week."""

JUST_BEGUN = timedelta(minutes=1)
"""So long it is said that a send whose time has come begins: its first mail is on its way by then,
or something is wrong, and other words say what."""

RATE_OVER = timedelta(seconds=60)
"""The rate is that of the last minute: a pause or a rest an hour ago says nothing of what comes."""


def watch(
    session: Session,
    edition_id: int,
    *,
    now: datetime,
    dead: Sequence[int] = (),
    whole: bool = True,
) -> dict[str, Any]:
    """``editions.details`` of an edition, and how it goes.

    planning: {rows, readers, left}: how far it is planned, None once it is; left: whoever planned
    it ended, and it is completed by itself · begins_at: a time planned
    ahead, still to come · begins_soon: its time has come a moment ago, and no mail is on its way
    yet · own_hour, last_at: it goes at each reader's own
    hour, and when the last of them comes · movable: nothing of it has begun, so that its time may
    be another · undo_s: seconds in which it can be taken back, undo_key:
    of a daily begun by hand, the act · rate: mails a second of the last minute, left_s: seconds
    that the rest takes so, both None where nothing moves · first: the canary, None without one ·
    late: readers who came later and have none · tested: {address: mails} that went there in test
    mode, not to their readers · minutes: [minute, accepted]. These three read the
    whole edition: without ``whole`` they are left out. Raises EditionError.
    """
    facts = details(session, edition_id, dead=dead, now=now)
    edition = need_edition(session, edition_id)
    first = canary.look(session, edition, now)
    until, key = undo_of(edition, now)
    timing = edition.options.get("timing", {})
    later = audience_store.count_later(session, edition_id, now)
    is_open = facts["state"] not in ("cancelled", "done", "incomplete")
    planning = None
    is_left = is_completed(edition, now)
    if is_left or is_being_planned(session, edition, now, dead):
        planning = {
            "rows": facts["planned"],
            "readers": edition.options.get("readers", 0),
            "left": is_left and not is_being_planned(session, edition, now, dead),
        }
    rate = _rate(session, edition_id, now) if is_open else None
    due = max(facts["waiting"] - facts["deferred"] - later, 0)
    rests = first is not None and first.is_over and not due
    at = just_begun(edition, facts, due, now) if planning is None else None
    made = {
        **facts,
        "planning": planning,
        "begins_at": timing.get("at") if until is not None and is_open else None,
        "begins_soon": at is not None
        and audience_store.count_taken(session, edition_id, at)[0] == 0,
        "own_hour": bool(timing.get("own_hour")),
        "last_at": timing.get("last"),
        "movable": can_move(facts),
        "undo_s": int((until - now).total_seconds()) if until is not None and is_open else 0,
        "undo_key": key,
        "due": due,
        "later": later,
        "rate": rate,
        "left_s": due / rate if rate and due else None,
        "first": _canary(first),
        "is_moving": planning is not None
        or (
            is_open
            and facts["waiting"] > 0
            and (facts["state"] != "paused" or facts["leased"] + facts["sending"] > 0)
            and not rests
            and (until is None or until - now < SOON)
        ),
        "draft_key": edition.slot if edition.options.get("typed") else "",
        "again_of": edition.options.get("resend_of") or edition.options.get("late_of"),
    }
    if whole:
        minutes = audience_store.list_minutes(session, edition_id)
        made["late"] = count_late(session, edition)
        made["tested"] = audience_store.count_tested(session, edition_id)
        made["minutes"] = [[minute.isoformat(), n] for minute, n in minutes]
    return made


def undo_of(edition: EditionRow, now: datetime) -> tuple[datetime | None, str]:
    """Until when it can be taken back, None when that is over, and the act that is."""
    until, key = _begins(edition)
    if until is None or until <= now or edition.state == "cancelled":
        return None, ""
    return until, key


def next_begin(session: Session, now: datetime, before: datetime) -> datetime | None:
    """When the next send begins that waits for its time, of those that do before an instant."""
    times = [undo_of(edition, now)[0] for edition in editions_store.list_unsettled(session)]
    return min((at for at in times if at is not None and at < before), default=None)


def just_begun(
    edition: EditionRow, facts: Mapping[str, Any], due: int, now: datetime
) -> datetime | None:
    """The time of a send where it has come a moment ago and none of its mails is on its way; it
    begins, where none was taken since. facts: its ``summary`` · due: mails that might go now."""
    at, _key = _begins(edition)
    if at is None or not at <= now < at + JUST_BEGUN or facts["state"] != "open" or due <= 0:
        return None
    return None if facts["leased"] + facts["sending"] > 0 else at


def _begins(edition: EditionRow) -> tuple[datetime | None, str]:
    """When what was begun by hand goes, None without a time, and the act, of a daily."""
    at, key = edition.not_before, ""
    for act_key, act in edition.options.get("acts", {}).items():
        if act["until"]:
            at, key = datetime.fromisoformat(act["until"]), act_key
    return at, key


def _rate(session: Session, edition_id: int, now: datetime) -> float | None:
    n, since = audience_store.count_taken(session, edition_id, now - RATE_OVER)
    seconds = (now - since).total_seconds()
    return n / max(seconds, 1.0) if n > 1 else None


def _canary(first: canary.Canary | None) -> Mapping[str, Any] | None:
    if first is None:
        return None
    return {
        "mails": first.mails,
        "tried": first.tried,
        "rest": first.rest,
        "accepted": first.accepted,
        "deferred": first.deferred,
        "refused": first.refused,
        "is_over": first.is_over,
    }
