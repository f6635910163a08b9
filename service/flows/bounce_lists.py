"""What came back, for the doors: filters as they are typed, tables for spreadsheets, rates."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from service.defaults import Defaults
from service.errors import PaperpostError
from service.flows import bounces, day_figures
from service.flows.bounce_words import STATES
from service.flows.bounces import Filter, Rate
from service.flows.exports import Form, note_export, told, written
from service.flows.runtime import Runtime
from service.reports.model import Kind
from service.store import day_figures as figures_store
from service.store.db import Session
from service.subscribers.cadence import bounds

COLUMNS = (
    "at", "kind", "reason", "status", "code", "recipient", "domain", "words", "action", "mta",
    "said", "state", "way", "form", "inbound", "delivery", "subscriber",
)  # fmt: skip
"""Columns of an export."""

_PART = 1000


class BounceFilterError(PaperpostError):
    """What was asked for cannot be; ``where`` is the option."""


def read_filter(
    *,
    kind: str = "",
    reason: str = "",
    domain: str = "",
    state: str = "",
    address: str = "",
    first: date | None = None,
    last: date | None = None,
    zone: str = "UTC",
) -> Filter:
    """Which reports were asked for. first, last: days of the installation (``zone``) on which they
    came in. Raises BounceFilterError: no such kind or state, or a last day before the first."""
    if kind not in ("", *Kind):
        raise BounceFilterError(f"{kind!r} is no kind.", "--kind", f"Use {', '.join(Kind)}.")
    if state not in ("", *STATES):
        raise BounceFilterError(f"{state!r} is no state.", "--state", f"Use {', '.join(STATES)}.")
    if first is not None and last is not None and first > last:
        raise BounceFilterError(
            f"{first} is after {last}: no day is in between.",
            "--since",
            "Give the earlier day as --since and the later one as --until.",
        )
    since, until = bounds(first, last, zone)
    return Filter(
        kind=kind,
        reason=reason.strip().lower().replace(" ", "_"),
        domain=domain.strip().lower().removeprefix("@"),
        state=state,
        address=address.strip(),
        since=since,
        until=until,
    )


def export(rt: Runtime, chosen: Filter, form: Form, *, by: str, address: str = "") -> Iterator[str]:
    """Reports, newest first, taken away: that they are stands on record before the first part."""
    count = rt.db.read(lambda s: bounces.count_reports(s, chosen))
    which = told(
        kind=chosen.kind, reason=chosen.reason, domain=chosen.domain, state=chosen.state,
        since=chosen.since, until=chosen.until, address=chosen.address,
    )  # fmt: skip
    note_export(rt, "bounces", count, which=which, form=form, by=by, address=address)
    return parts(rt, chosen, form)


def parts(rt: Runtime, chosen: Filter, form: Form) -> Iterator[str]:
    """Reports as a table for a spreadsheet or as one array of objects, newest first, some at a
    time; no cell starts a formula."""
    return written(COLUMNS, _parts(rt, chosen), form)


def _parts(rt: Runtime, chosen: Filter) -> Iterator[list[dict[str, Any]]]:
    while rows := rt.db.read(lambda s, c=chosen: bounces.list_reports(s, c, limit=_PART)):  # type: ignore[misc]
        yield rows
        chosen = replace(chosen, before_id=rows[-1]["id"])


def raw_text(raw: bytes | None, most: int = 400_000) -> str:
    """The mail as it came, for looking at: as text, without signs that are not printed."""
    if raw is None:
        return "The mail itself is not kept any more."
    text = raw[:most].decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    shown = "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text)
    return shown if len(raw) <= most else f"{shown}\n\n[{len(raw) - most:,} more bytes]\n"


# ---- rates ----


_USUAL = Defaults()


def limits_of(defaults: Defaults) -> dict[str, float]:
    """Above which share, in percent of the mails handed over, the staff is to act: hard bounces
    (Amazon SES wants them below 2 and reviews an account at 5) and complaints (Gmail's and Yahoo's
    rules for senders: below 0.1, never 0.3)."""
    hard = defaults.hard_percent or _USUAL.hard_percent  # 0 = no alarm
    complaints = defaults.complaints_in_10000 or _USUAL.complaints_in_10000
    return {"hard": hard, "complaints": complaints / 100}


_COUNTS = ("accepted", "hard", "soft", "policy", "content", "complaints")


@dataclass(frozen=True, slots=True)
class Summed:
    """Counts of a domain or of a day. name: of the domain, or the day as YYYY-MM-DD · limits: as
    ``limits_of`` gives them."""

    name: str
    accepted: int
    hard: int
    soft: int
    policy: int
    content: int
    complaints: int
    limits: Mapping[str, float]

    def percent(self, what: str) -> float | None:
        """hard or complaints, of what was handed over; None where nothing was."""
        return 100 * float(getattr(self, what)) / self.accepted if self.accepted else None

    @property
    def is_told(self) -> bool:
        """Whether anything was handed over or came back."""
        return any(getattr(self, what) for what in _COUNTS)

    @property
    def above(self) -> list[str]:
        """Which limits it is above."""
        return [what for what, limit in self.limits.items() if (self.percent(what) or 0) > limit]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, with the shares in percent."""
        shares = {f"{what}_percent": self.percent(what) for what in self.limits}
        rounded = {k: None if v is None else round(v, 3) for k, v in shares.items()}
        counts = {what: getattr(self, what) for what in ("name", *_COUNTS)}
        return counts | rounded | {"above": self.above}


@dataclass(frozen=True, slots=True)
class Rates:
    """all: of the whole span · days: each of it, oldest first · domains: above a limit first, then
    those with most mails."""

    all: Summed
    days: tuple[Summed, ...]
    domains: tuple[Summed, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "limits": dict(self.all.limits),
            "all": self.all.as_dict(),
            "days": [one.as_dict() for one in self.days],
            "domains": [one.as_dict() for one in self.domains],
        }


def read_rates(rt: Runtime, first: date, last: date, *, domain: str = "") -> Rates:
    """What came back of what was handed over, from ``first`` to ``last`` (the installation's
    days); domain: of it alone."""
    by_day_kept, by_domain_kept, since = rt.db.read(lambda s: _kept(rt, s, first, last, domain))
    found: list[Rate] = []
    if since <= last:
        begins = datetime.combine(since, time(), ZoneInfo(rt.zone)).astimezone(UTC)
        found = rt.db.read(lambda s: bounces.rates(s, begins, zone=rt.zone, domain=domain))
        found = [one for one in found if since <= one.day <= last]
    every = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    by_day: dict[date, list[Rate]] = {day: [] for day in every}
    by_domain: dict[str, list[Rate]] = {one.domain: [one] for one in by_domain_kept}
    for one in (*by_day_kept, *found):
        by_day[one.day].append(one)
    for one in found:
        by_domain.setdefault(one.domain, []).append(one)
    limits = limits_of(rt.defaults())
    days = [_sum(day.isoformat(), rows, limits) for day, rows in by_day.items()]
    domains = [_sum(name, rows, limits) for name, rows in by_domain.items()]
    domains.sort(key=lambda d: (not d.above, -d.accepted, d.name))
    whole = _sum("", [one for rows in by_day.values() for one in rows], limits)
    return Rates(all=whole, days=tuple(days), domains=tuple(domains))


def _kept(
    rt: Runtime, session: Session, first: date, last: date, domain: str
) -> tuple[list[Rate], list[Rate], date]:
    """What is kept of past days, by day and by domain, and the first day that is not kept: from
    then on the rows are counted."""
    counted = day_figures.last_counted(rt, session, first, last)
    if counted is None:
        return [], [], first
    names, wanted = day_figures.BY_DOMAIN, domain or None
    days = figures_store.list_days(session, names, first, counted, part=wanted)
    parts = figures_store.list_parts(session, names, first, counted, part=domain)
    return (
        [Rate(day=day, domain=domain, **_named(counts)) for day, counts in days.items()],
        [Rate(day=first, domain=of, **_named(counts)) for of, counts in parts.items()],
        counted + timedelta(days=1),
    )


def _named(counts: Mapping[str, int]) -> dict[str, int]:
    also = {"accepted_by": "accepted", "complaint": "complaints"}
    return {also.get(name, name): n for name, n in counts.items()}


def _sum(name: str, rows: Sequence[Rate], limits: Mapping[str, float]) -> Summed:
    counts = {what: sum(getattr(one, what) for one in rows) for what in _COUNTS}
    return Summed(name=name, limits=limits, **counts)
