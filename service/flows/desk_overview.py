"""Today at a glance, for the first page of the desk, for programs and for the command line.

Days of mails and readers are the installation's (its zone), days of papers are UTC's, as on their
own page. Of past days the kept counts are read (``day_figures``), so what this costs hangs on
today's rows and on what waits, not on how long the house has stood.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from service.flows import bounces, canary, day_figures, epoch
from service.flows.alarms import alarm_facts
from service.flows.deferred import deferrals, words_of
from service.flows.edition_lists import KINDS, summaries
from service.flows.editions import shown_state
from service.flows.ledger import gone_owners
from service.flows.progress import just_begun, undo_of
from service.flows.runtime import Runtime
from service.reports.model import Kind
from service.store import alarms as alarms_store
from service.store import audience as audience_store
from service.store import deliveries as deliveries_store
from service.store import edition_lists as editions_store
from service.store import queue_rows, rests
from service.store import sources as sources_store
from service.store import subscribers as subscribers_store
from service.store.db import Session
from service.subscribers.cadence import local_date

CHART_DAYS = 30

RATE_S = 60
"""Mails of so many seconds make the rate of an edition."""

MOST_EDITIONS = 8
"""Editions under way that are shown one by one."""

_CAME_BACK = (Kind.HARD, Kind.SOFT, Kind.POLICY, Kind.CONTENT, Kind.COMPLAINT)


@dataclass(frozen=True, slots=True)
class Step:
    """Of "Getting started". page: where it is done, under /admin."""

    done: bool
    words: str
    page: str


def read_overview(rt: Runtime) -> dict[str, Any]:
    """Everything as plain values.

    ``figures``: of today and of now · ``editions``: under way, each with ``percent`` settled,
    ``rate`` (mails a second), ``left_s`` and ``undo_s``, in which it can be taken back
    (``undo_key``: the act, of a daily); ``begins_soon``: its time has come a moment ago; ``later``:
    mails that wait for their reader's hour, the last of which comes at ``last_at``; ``asks``: mails
    that wait for a person's word, since the first few went ·
    ``queue``: the mail that waits longest, and why · ``days``: the last 30, oldest first; one
    that is not counted yet has only its ``day``.
    """
    dead, held = gone_owners(rt), epoch.standing(rt).held

    def load(session: Session) -> dict[str, Any]:
        moving = _moving(rt, session, dead, held)
        return moving | _standing(rt, session, moving["figures"])

    found = rt.db.read(load)
    found["steps"] = [{"done": s.done, "words": s.words, "page": s.page} for s in found["steps"]]
    return found


def read_moving(rt: Runtime) -> dict[str, Any]:
    """The part that changes by itself while mails go: figures, editions under way, the queue."""
    dead, held = gone_owners(rt), epoch.standing(rt).held
    return rt.db.read(lambda s: _moving(rt, s, dead, held))


def _moving(rt: Runtime, session: Session, dead: Sequence[int], held: bool) -> dict[str, Any]:
    now = rt.clock()
    today = local_date(now, rt.zone)
    counts = day_figures.count_day(rt, session, today)
    waiting = deliveries_store.count_waiting(session)
    left = sum(deliveries_store.count_left(session, dead).values())
    editions, more = _under_way(rt, session, dead, now)
    return {
        "at": now.isoformat(),
        "today": today.isoformat(),
        "zone": rt.zone,
        "figures": counts
        | {
            "matches_more": counts["matches"] >= day_figures.MOST_MATCHES,
            "waiting": sum(n for state, n in waiting.items() if state != "unknown") - left,
            "deferred": waiting.get("deferred", 0),
            "held": audience_store.count_deliveries(session, held_by=dead),
        },
        "editions": editions,
        "more_editions": more,
        "queue": _queue(rt, session, dead, held, now),
        "put_off": [{"text": w, "count": n} for w, n in deferrals(session)[:3]],
        "is_moving": any(one["is_moving"] for one in editions),
    }


def _under_way(
    rt: Runtime, session: Session, dead: Sequence[int], now: datetime
) -> tuple[list[dict[str, Any]], int]:
    """Editions that have something to send, or are stopped with something left; and how many more
    there are than are shown."""
    rows = editions_store.list_under_way(session, KINDS)
    times = editions_store.last_accepted(session, now - timedelta(seconds=RATE_S))
    own = {r.id or 0 for r in rows if r.options.get("timing", {}).get("own_hour")}
    later = audience_store.count_later_of(session, own, now) if own else {}
    asking = canary.waiting(session, [r.id or 0 for r in rows if r.options.get("canary")], now)
    found = []
    for row, facts in zip(rows, summaries(session, rows, dead=dead, now=now), strict=True):
        if not facts["waiting"] and facts["state"] not in ("paused", "incomplete"):
            continue
        settled = facts["planned"] - facts["missing"]
        moved = times.get(facts["id"])
        rate = _rate(moved)
        due = facts["waiting"] - facts["deferred"]
        asks = asking.get(facts["id"], 0)
        is_moving = facts["state"] != "paused" and due > asks
        waits = later.get(facts["id"], 0) + asks
        left_s = (due - waits) / rate if rate and is_moving and due > waits else None
        until, key = undo_of(row, now)
        at = just_begun(row, facts, due - waits, now)
        found.append(
            facts
            | {
                "settled": settled,
                "percent": int(100 * settled / facts["planned"]) if facts["planned"] else 100,
                "rate": round(rate, 1) if rate else None,
                "left_s": round(left_s) if left_s is not None else None,
                "is_moving": is_moving,
                "undo_s": int((until - now).total_seconds()) if until is not None else 0,
                "undo_key": key,
                "begins_soon": at is not None and (moved is None or moved[1] < at),
                "asks": asks,
                "later": waits - asks,
                "last_at": row.options["timing"].get("last") if waits > asks else None,
            }
        )
    found.sort(key=lambda one: (not one["is_moving"], -one["waiting"]))
    return found[:MOST_EDITIONS], max(0, len(found) - MOST_EDITIONS)


def _rate(times: tuple[datetime, datetime, int] | None) -> float | None:
    """Mails a second of the last ones; None: too few to tell."""
    if times is None or times[2] < 2:
        return None
    first, last, count = times
    return (count - 1) / max((last - first).total_seconds(), 1.0)


def _queue(
    rt: Runtime, session: Session, dead: Sequence[int], held: bool, now: datetime
) -> dict[str, Any] | None:
    """The mail that waits longest, since when, and why; None when none waits."""
    found = queue_rows.oldest_waiting(session, now, dead)
    if found is None:
        return None
    row, edition = found
    resting = {r.key: r for r in rests.list_rests(session, now) if r.until is not None}
    rest = resting.get("*") or resting.get(row.domain)
    if held:
        why = "nothing is sent until somebody says what this database is"
    elif shown_state(edition) == "paused":
        why = edition.paused_why or "its edition is paused"
    elif edition.not_before is not None and edition.not_before > now:
        why = "its edition has not begun"
    elif rest is not None:
        who = "all mails rest" if rest.key == "*" else f"mails to {rest.key} rest"
        why = f"{who}: {rest.why}"
    elif row.state == "deferred":
        why = f"put off: {words_of(row.code, row.reason)}"
    elif row.state == "planned":
        why = "it is not composed yet"
    elif row.state in ("leased", "sending"):
        why = "it is on its way"
    else:
        why = "others go before it"
    waits = [at for at in (row.not_before, edition.not_before) if at is not None and at > now]
    return {
        "delivery": row.id,
        "edition": row.edition_id,
        "state": row.state,
        "since": row.planned_at.isoformat(),
        "age_s": int((now - row.planned_at).total_seconds()),
        "why": why,
        "next_at": max(waits).isoformat() if waits else None,
    }


def _standing(rt: Runtime, session: Session, today: Mapping[str, int]) -> dict[str, Any]:
    """What changes by hand, or by the day."""
    now = rt.clock()
    day = local_date(now, rt.zone)
    since = day_figures.bounds(rt, day)[0]
    readers = subscribers_store.count_subscribers(session)
    came_back = bounces.count_by_kind(session, since)
    days = day_figures.list_days(rt, session, CHART_DAYS, day, dict(today))
    names = day_figures.NAMES
    return {
        "readers": readers,
        "came_back": {str(k): came_back[str(k)] for k in _CAME_BACK if came_back.get(str(k))},
        "to_look_at": bounces.count_by_state(session).get("review", 0),
        "alarms": [alarm_facts(row) for row in alarms_store.list_open(session)],
        "days": [
            {"day": on.isoformat()} | {name: counts[name] for name in names if name in counts}
            for on, counts in days
        ],
        "steps": _steps(rt, session, readers),
    }


def _steps(rt: Runtime, session: Session, readers: Mapping[str, int]) -> list[Step]:
    sources = len(sources_store.list_sources(session))
    papers = queue_rows.has_papers(session)
    active = readers.get("active", 0)
    sender = rt.site.sender
    is_here = sender.endswith("@localhost")
    sent = queue_rows.has_sent(session)
    return [
        Step(
            sources > 0,
            f"Sources: {sources}" if sources else "Add a source",
            "sources" if sources else "sources/add",
        ),
        Step(
            papers,
            "Papers are stored" if papers else "Papers come when a source has answered",
            "sources",
        ),
        Step(
            active > 0,
            f"Readers: {active:,} active" if active else "Invite readers, or import a list",
            "readers" if active else "import",
        ),
        Step(
            not is_here,
            f"Mails come from {sender}"
            + (": set PAPERPOST_MAIL_FROM and PAPERPOST_SMTP_URL" if is_here else ""),
            "settings/machine#PAPERPOST_MAIL_FROM",
        ),
        Step(sent, "The first mails are sent" if sent else "Send the first mails", "send"),
    ]
