"""Breakers: when a receiving domain, or the account, rests, and how it comes back. Pure.

closed -> resting (nothing goes) -> probing (one conversation at once, then two, four) -> closed;
a refusal while probing opens it again, for twice as long. Kept as JSON on a row of ``pace``.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from service.defaults import FIXED, Defaults

Cause = Literal["", "policy", "rate", "silent"]
"""Why it opened: refused because of us, asked to go slower, or nobody answered."""

EVERY = "*"
"""In place of a domain: the account, whichever relay takes our mail."""

WINDOW = timedelta(minutes=FIXED.breaker_minutes)
_WIDEST = 8
"""Conversations at once from which on there is no limit any more."""

_MOST_DOMAINS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Answers of one domain or of the account that came together.

    good: accepted · bad: held against it · other: answers about something else · run: bad ones
    since the last good one · is_slower: asked to go slower · words, status: of the last bad one ·
    domains: who gave the bad ones.
    """

    good: int = 0
    bad: int = 0
    other: int = 0
    run: int = 0
    is_slower: bool = False
    words: str = ""
    status: str = ""
    domains: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """One domain, or the account. until: nothing goes before then; kept, in the past, while it is
    probing · at_once: conversations while probing, None = no limit · times: rests in a row ·
    counts: (start of the window, answers, bad) of the last window and this one · good: while
    probing · since: when it opened first."""

    cause: Cause = ""
    until: datetime | None = None
    at_once: int | None = None
    times: int = 0
    in_a_row: int = 0
    counts: tuple[tuple[datetime, int, int], ...] = ()
    good: int = 0
    refused: int = 0
    words: str = ""
    status: str = ""
    domains: tuple[str, ...] = ()
    since: datetime | None = None

    def is_resting(self, now: datetime) -> bool:
        """Whether nothing may go now."""
        return self.until is not None and self.until > now

    @property
    def is_closed(self) -> bool:
        """Whether there is no limit at all."""
        return self.until is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """percent, least, in_a_row: of bad answers that open it · rest: of a cause, the first one;
    longest: of any · slower_rest: when asked to go slower · is_account: one good answer closes it,
    since what it waited for is there."""

    percent: int
    least: int
    in_a_row: int
    rest: timedelta
    slower_rest: timedelta
    longest: timedelta
    is_account: bool = False


def domain_rules(limits: Defaults) -> Rules:
    """Those of a receiving domain."""
    return Rules(
        percent=limits.breaker_percent,
        least=limits.breaker_least,
        in_a_row=limits.breaker_in_a_row,
        rest=timedelta(minutes=limits.refused_rest_minutes),
        slower_rest=timedelta(minutes=limits.rest_minutes),
        longest=timedelta(minutes=FIXED.longest_rest_minutes),
    )


def account_rules(limits: Defaults) -> Rules:
    """Those of the account that does not answer, or that may not send."""
    wait = timedelta(minutes=FIXED.relay_rest_minutes)
    return Rules(
        percent=100,
        least=limits.silent_in_a_row,
        in_a_row=limits.silent_in_a_row,
        rest=wait,
        slower_rest=wait,
        longest=timedelta(minutes=FIXED.longest_relay_rest_minutes),
        is_account=True,
    )


def hear(breaker: Breaker, heard: Heard, now: datetime, rules: Rules, cause: Cause) -> Breaker:
    """The breaker after some answers. cause: what bad answers open it for.

    Answers to what was under way when it opened change no rest, unless they ask to go slower.
    """
    was_resting = breaker.is_resting(now)
    breaker = _counted(breaker, heard, now)
    if was_resting:
        if heard.is_slower and breaker.cause != "rate":
            return replace(breaker, until=max(breaker.until or now, now + rules.slower_rest))
        return breaker
    if heard.is_slower:
        return opened(breaker, now, "rate", rules.slower_rest, rules.longest)
    if not breaker.is_closed:
        if heard.bad:
            return opened(breaker, now, cause, rules.rest, rules.longest)
        return _widened(breaker, heard.good, rules)
    if _is_tripped(breaker, now, rules):
        return opened(breaker, now, cause, rules.rest, rules.longest)
    return breaker


def settled(breaker: Breaker, now: datetime) -> Breaker:
    """Closed when it has been probing for a whole window and what was answered was good: a domain
    with few readers must not stay limited until it has had many mails."""
    if breaker.until is None or breaker.until > now:
        return breaker
    return _closed(breaker) if breaker.good and now - breaker.until >= WINDOW else breaker


def opened(
    breaker: Breaker, now: datetime, cause: Cause, rest: timedelta, longest: timedelta
) -> Breaker:
    """The breaker opened; also for another reason than its own answers (the account, by many
    domains)."""
    wait = min(rest * 2 ** min(breaker.times, 16), max(longest, rest))
    return replace(
        breaker,
        cause=cause,
        until=now + wait,
        at_once=1,
        times=breaker.times + 1,
        in_a_row=0,
        counts=(),
        good=0,
        since=breaker.since or now,
    )


def rates(breaker: Breaker, now: datetime) -> tuple[int, int]:
    """(answers, bad ones) of this window and the last."""
    kept = [(n, bad) for start, n, bad in breaker.counts if now - start < 2 * WINDOW]
    return sum(n for n, _ in kept), sum(bad for _, bad in kept)


def _counted(breaker: Breaker, heard: Heard, now: datetime) -> Breaker:
    n = heard.good + heard.bad + heard.other
    kept = [one for one in breaker.counts if timedelta() <= now - one[0] < 2 * WINDOW][-2:]
    if kept and now - kept[-1][0] < WINDOW:
        start, before, bad = kept.pop()
        kept.append((start, before + n, bad + heard.bad))
    elif n:
        kept = [*kept[-1:], (now, n, heard.bad)]
    return replace(
        breaker,
        counts=tuple(kept),
        in_a_row=heard.run + (0 if heard.good else breaker.in_a_row),
        refused=breaker.refused + heard.bad,
        words=heard.words or breaker.words,
        status=heard.status if heard.words else breaker.status,
        domains=tuple(sorted({*breaker.domains, *heard.domains})[:_MOST_DOMAINS]),
    )


def _is_tripped(breaker: Breaker, now: datetime, rules: Rules) -> bool:
    answers, bad = rates(breaker, now)
    too_many = answers >= rules.least and bad * 100 > rules.percent * answers
    return too_many or breaker.in_a_row >= rules.in_a_row


def _widened(breaker: Breaker, good: int, rules: Rules) -> Breaker:
    """Each level lasts as many good answers as it lets through at once."""
    if not good:
        return breaker
    if rules.is_account:
        return _closed(breaker)
    total = breaker.good + good
    width = 1
    while width <= _WIDEST and total >= 2 * width - 1:
        width *= 2
    if width > _WIDEST:
        return _closed(breaker)
    return replace(breaker, good=total, at_once=width)


def _closed(breaker: Breaker) -> Breaker:
    return replace(
        breaker,
        cause="",
        until=None,
        at_once=None,
        times=0,
        in_a_row=0,
        counts=(),
        good=0,
        refused=0,
        domains=(),
        since=None,
    )


@dataclass(slots=True)
class Tally:
    """What one process knows beside the rows; lost with it, which harms nothing.

    good: accepted mails per domain of which no row knows yet: as long as nobody refuses, hearing
    costs no statement · rests: domains that rest, until when, so that what was claimed before goes
    back untried · unheard: refusals per domain that are not written down yet.
    """

    good: dict[str, int] = field(default_factory=dict)
    rests: dict[str, datetime] = field(default_factory=dict)
    unheard: Counter[str] = field(default_factory=Counter)

    def keep(
        self,
        good: Mapping[str, int],
        written: Iterable[str] = (),
        rests: Mapping[str, datetime | None] | None = None,
    ) -> None:
        """After the commit: count what was accepted, and forget what rows know now."""
        for domain, n in good.items():
            self.good[domain] = self.good.get(domain, 0) + n
        for domain in written:
            self.good.pop(domain, None)
        for domain, until in (rests or {}).items():
            if until is None:
                self.rests.pop(domain, None)
            else:
                self.rests[domain] = until

    def claimed(self, domains: Iterable[str]) -> None:
        """Rows of these were claimed just now: nobody of them rests any more, whoever ended it."""
        for domain in domains:
            self.rests.pop(domain, None)
            self.rests.pop(EVERY, None)

    def is_resting(self, domain: str, now: datetime) -> bool:
        """Whether a mail to this domain that was claimed is not to be tried."""
        return any(
            (until := self.rests.get(name)) is not None and until > now for name in (domain, EVERY)
        )


def to_json(breaker: Breaker) -> dict[str, Any]:
    """Everything but ``until``, which is a column."""
    return {
        "cause": breaker.cause,
        "at_once": breaker.at_once,
        "times": breaker.times,
        "in_a_row": breaker.in_a_row,
        "counts": [[start.isoformat(), n, bad] for start, n, bad in breaker.counts],
        "good": breaker.good,
        "refused": breaker.refused,
        "words": breaker.words,
        "status": breaker.status,
        "domains": list(breaker.domains),
        "since": breaker.since.isoformat() if breaker.since else None,
    }


def from_json(kept: Mapping[str, Any], until: datetime | None) -> Breaker:
    """The breaker of a row; what another version wrote and this one cannot read is left out."""
    since = kept.get("since")
    return Breaker(
        cause=kept.get("cause", ""),
        until=until,
        at_once=kept.get("at_once"),
        times=int(kept.get("times", 0)),
        in_a_row=int(kept.get("in_a_row", 0)),
        counts=tuple((_instant(at), int(n), int(bad)) for at, n, bad in kept.get("counts", ())),
        good=int(kept.get("good", 0)),
        refused=int(kept.get("refused", 0)),
        words=str(kept.get("words", "")),
        status=str(kept.get("status", "")),
        domains=tuple(kept.get("domains", ())),
        since=_instant(since) if since else None,
    )


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
