"""What limits mails now: limits, what went of late, who rests, and how much waits for it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from service.flows.pacing import pace_of
from service.flows.runtime import Runtime
from service.store import rests as rests_store
from service.store.db import Session
from service.store.send_pace import ACCOUNT, Counted, Gate, Hold, Pace, list_counts
from service.store.waiting import count_due, held_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Limited:
    """One account, or one group of receiving domains.

    kind: account or domain · name: "host:port", a group's name, or "*" for every account · had,
    most: mails by window ("second", "minute", "hour", "day"), of those with a limit · at_once:
    mails under way at most, None = no limit · until: nothing goes before then, None = it may go ·
    rests: until then it rests after refusals, so that one mail can be tried before (``rest_try``) ·
    why: in words, "" where nothing holds it up · waiting: mails that wait for it.
    """

    kind: str
    name: str
    had: Mapping[str, int] = field(default_factory=dict)
    most: Mapping[str, int] = field(default_factory=dict)
    at_once: int | None = None
    until: datetime | None = None
    rests: bool = False
    why: str = ""
    waiting: int = 0

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def read_limits(rt: Runtime) -> list[Limited]:
    """Everybody who has a limit and was counted of late, or rests; accounts first."""
    limits = rt.defaults()
    return rt.db.read(lambda s: _limited(s, pace_of(limits, ""), rt.clock()))


def _limited(session: Session, pace: Pace, now: datetime) -> list[Limited]:
    counted: dict[tuple[str, str], Counted] = {
        ("account" if one.scope == ACCOUNT else "domain", one.key): one
        for one in list_counts(session, now)
    }
    resting = {
        ("account" if rest.scope == rests_store.ACCOUNT else "domain", rest.key): rest
        for rest in rests_store.list_rests(session, now)
    }
    holds: dict[tuple[str, str], Hold] = {}
    for account in {key for kind, key in counted if kind == "account"} | {""}:
        gate = Gate(session, replace(pace, account=account), now, locks=False)
        for hold in gate.holds():
            holds.setdefault((hold.kind, hold.key), hold)
    waiting = count_due(session, now, put_off_too=True) if holds else {}
    found = []
    for kind, name in sorted({*counted, *resting, *holds}):
        most = (pace.mails if kind == "account" else pace.domain).named()
        one, rest = counted.get((kind, name)), resting.get((kind, name))
        held = holds.get((kind, name))
        if not most and rest is None and held is None:
            continue  # of a limit that was taken back
        found.append(
            Limited(
                kind=kind,
                name=name,
                most=most if one is not None else {},
                had={window: one.counts.get(window, 0) for window in most} if one else {},
                at_once=rest.at_once if rest is not None else None,
                until=held.until if held is not None else None,
                rests=rest is not None and rest.until is not None,
                why=held.why if held is not None else rest.why if rest is not None else "",
                waiting=held_of(waiting, held) if held is not None else 0,
            )
        )
    return found
