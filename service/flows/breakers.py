"""Answers are heard: domains that refuse us rest, editions that two domains refuse pause by
themselves, a relay that does not answer is asked now and then; the staff is told.

All of it happens in the transaction that writes the answers down. While nobody refuses, hearing
costs one indexed look.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from service.defaults import FIXED, Defaults
from service.delivery.answers import Meaning
from service.delivery.breakers import (
    Breaker,
    Heard,
    account_rules,
    domain_rules,
    hear,
    opened,
    rates,
    settled,
)
from service.delivery.outcome import Phase
from service.delivery.retry import Verdict
from service.flows.alarms import end_alarm, raise_alarm
from service.flows.breaker_alarms import (
    about_account,
    about_content,
    about_domain,
    about_edition,
    about_relaying,
    name_of,
    named,
)
from service.flows.deferred import words_of
from service.flows.doubt import tell_of_gone
from service.flows.runtime import Runtime
from service.flows.suspects import accuse
from service.store import alarms as alarms_store
from service.store import editions as editions_store
from service.store import rests as rests_store
from service.store.db import Priority, Session
from service.store.rests import ACCOUNT, DOMAIN, EVERY, Scope
from service.store.routes import groups_of
from service.store.tables import DeliveryRow

_BEFORE: tuple[Phase, ...] = ("connect", "mail")
"""Whoever is silent here has not been told for whom the mail is."""

_SPREAD = 3
"""Domains that must refuse us before it is held against the account."""

_RATES_TOLD = 3
_SILENCES_TOLD = 2
"""Rests in a row from which on the staff is told."""


@dataclass(frozen=True, slots=True)
class Told:
    """A verdict that is no acceptance, of one mail. edition: its number, "notices" of a notice ·
    is_alarm: nobody is alarmed about a mail that tells of an alarm."""

    edition: str
    domain: str
    verdict: Verdict
    is_alarm: bool = False


@dataclass(slots=True)
class Counted:
    """What the process's tally is told after the commit: accepted mails per domain, and domains of
    which rows know all that was told before, who rests until when (None: nobody any more), and
    how many refusals of whom were heard."""

    good: dict[str, int] = field(default_factory=dict)
    written: set[str] = field(default_factory=set)
    rests: dict[str, datetime | None] = field(default_factory=dict)
    told: Counter[str] = field(default_factory=Counter)

    def add(self, one: "Counted") -> None:
        """Together with another one."""
        for domain, n in one.good.items():
            self.good[domain] = self.good.get(domain, 0) + n
        self.written |= one.written
        self.rests |= one.rests
        self.told += one.told


def listen(
    rt: Runtime,
    session: Session,
    accepted: Sequence[DeliveryRow],
    refused: Sequence[Told],
    limits: Defaults,
) -> Counted:
    """Hear what came of mails. Returns what ``rt.tally`` is to keep when all this is committed."""
    now = rt.clock()
    good = {
        **Counter(row.domain for row in accepted),
        **({EVERY: len(accepted)} if accepted else {}),
    }
    bars = rests_store.list_open(session, now)
    if not refused and not bars:
        return Counted(good)
    rests = _hear_domains(rt, session, good, refused, bars, limits)
    rests |= _hear_account(rt, session, good, refused, bars, limits)
    tell_of_gone(rt, session, [(one.domain, one.verdict) for one in refused], limits)
    if ours := [told for told in refused if _is_our_setting(told)]:
        raise_alarm(rt, session, about_relaying(ours[-1].domain, ours[-1].verdict))
    spoiled = [told for told in refused if _spoiled(told)]
    for told in spoiled:
        raise_alarm(rt, session, about_content(told.edition, told.domain, told.verdict))
    if spoiled:
        accuse(rt, session)
    left = {domain: n for domain, n in good.items() if domain not in rests}
    return Counted(left, set(rests), rests, Counter(one.domain for one in refused))


def _is_our_setting(told: Told) -> bool:
    """Whether the relay, which let us in, will not have this mail from us; where it lets nobody in
    the account's alarm says so."""
    verdict = told.verdict
    is_for_good = verdict.code >= 500 and verdict.phase not in _BEFORE
    return verdict.meaning is Meaning.RELAY and is_for_good and not told.is_alarm


def _spoiled(told: Told) -> bool:
    """Whether a mail was refused as such."""
    verdict = told.verdict
    return verdict.kind == "failed" and verdict.meaning is Meaning.CONTENT and not told.is_alarm


def keep_breakers(rt: Runtime) -> int:
    """Close what has been probing long enough, and look whether a paper is why mails are refused
    for their content; from time to time. How many were closed."""

    def act(session: Session) -> int:
        now = rt.clock()
        closed = 0
        for (scope, key), breaker in rests_store.list_open(session, now).items():
            after = settled(breaker, now)
            if after.is_closed:
                rests_store.write(session, scope, {key: after}, now)
                _is_back(rt, session, scope, key)
                closed += 1
        return closed

    if rt.db.read(alarms_store.count_open).get("content"):
        rt.db.write(lambda s: accuse(rt, s), Priority.MAIL)
    if not rt.db.read(lambda s: rests_store.list_open(s, rt.clock())):
        return 0
    return rt.db.write(act, Priority.MAIL)


def relay_is_back(rt: Runtime) -> bool:
    """The relay was greeted and answered: what rests because it was silent is tried at once."""

    def act(session: Session) -> bool:
        now = rt.clock()
        breaker = rests_store.hold(session, ACCOUNT, [EVERY], now)[EVERY]
        if breaker.cause != "silent" or not breaker.is_resting(now):
            return False
        rests_store.write(session, ACCOUNT, {EVERY: replace(breaker, until=now)}, now)
        rests_store.try_now(session, now)
        return True

    return rt.db.write(act, Priority.MAIL)


def is_relay_resting(rt: Runtime) -> bool:
    """Whether nothing goes because the relay was silent."""
    now = rt.clock()
    bars = rt.db.read(lambda s: rests_store.list_open(s, now))
    breaker = bars.get((ACCOUNT, EVERY))
    return breaker is not None and breaker.cause == "silent" and breaker.is_resting(now)


def _hear_domains(
    rt: Runtime,
    session: Session,
    good: Mapping[str, int],
    refused: Sequence[Told],
    bars: Mapping[tuple[Scope, str], Breaker],
    limits: Defaults,
) -> dict[str, datetime | None]:
    """Write the breakers of domains that refused, and of those that are not closed. Returns the
    domains of which rows know all now, and until when they rest."""
    before = rt.tally.good
    names = {*good, *before, *(told.domain for told in refused)} - {EVERY, ""}
    groups = groups_of(session, names)
    heard: dict[str, list[Told]] = {}
    for told in refused:
        if told.domain and _concerns_domain(told.verdict):
            heard.setdefault(groups[told.domain], []).append(told)
    closed_out = {key for scope, key in bars if scope == DOMAIN}
    keys = {key for key, them in heard.items() if any(map(_is_against, them))}
    keys |= closed_out & {groups[d] for d in (*good, *(t.domain for t in refused)) if d in groups}
    if not keys:
        return {}
    now, rules = rt.clock(), domain_rules(limits)
    after: dict[str, Breaker] = {}
    for key, breaker in rests_store.hold(session, DOMAIN, keys, now).items():
        of_key = {d for d, group in groups.items() if group == key}
        earlier = Heard(good=sum(before.get(d, 0) for d in of_key))
        made = hear(breaker, earlier, now, rules, "policy") if earlier.good else breaker
        made = hear(
            made,
            _gathered(heard.get(key, ()), sum(good.get(d, 0) for d in of_key)),
            now,
            rules,
            "policy",
        )
        after[key] = made
    rests_store.write(session, DOMAIN, after, now)
    for key, breaker in after.items():
        _tell_domain(rt, session, key, bars.get((DOMAIN, key), Breaker()), breaker)
    closed = Breaker()
    was_open = {key: bars.get((DOMAIN, key), closed).times for key in after}
    if any(b.cause == "policy" and b.times > was_open[key] for key, b in after.items()):
        _pause_editions(rt, session, limits)
    return {d: after[group].until for d, group in groups.items() if group in keys}


def _concerns_domain(verdict: Verdict) -> bool:
    """A refusal of this mail, not of us as a customer of the relay."""
    if verdict.phase in _BEFORE or verdict.meaning is Meaning.RELAY or not verdict.code:
        return False
    return verdict.kind == "failed" or verdict.meaning is Meaning.RATE


def _is_against(told: Told) -> bool:
    return told.verdict.meaning in (Meaning.POLICY, Meaning.RATE)


def _gathered(refused: Sequence[Told], good: int) -> Heard:
    """What one domain said. Which came first is not known where good and bad came together: then
    no bad one follows another."""
    bad = [told for told in refused if told.verdict.meaning is Meaning.POLICY]
    against = [told for told in refused if _is_against(told)]
    last = against[-1].verdict if against else None
    return Heard(
        good=good,
        bad=len(bad),
        other=sum(1 for told in refused if not _is_against(told)),
        run=0 if good else len(bad),
        is_slower=any(told.verdict.meaning is Meaning.RATE for told in refused),
        words=words_of(last.code, last.text) if last else "",
        status=last.enhanced if last else "",
        domains=frozenset(told.domain for told in against),
    )


def _hear_account(
    rt: Runtime,
    session: Session,
    good: Mapping[str, int],
    refused: Sequence[Told],
    bars: Mapping[tuple[Scope, str], Breaker],
    limits: Defaults,
) -> dict[str, datetime | None]:
    """The relay is silent or wants nothing of us; or many domains refuse us, none often enough to
    rest by itself."""
    bad = [told.verdict for told in refused if _concerns_account(told.verdict)]
    policy = [
        t for t in refused if _concerns_domain(t.verdict) and t.verdict.meaning is Meaning.POLICY
    ]
    was = bars.get((ACCOUNT, EVERY), Breaker())
    if not bad and not policy and was.is_closed:
        return {}
    now, rules = rt.clock(), account_rules(limits)
    answered = sum(
        1 for told in refused if told.verdict.code and not _concerns_account(told.verdict)
    )
    alive = good.get(EVERY, 0) + answered
    breaker = rests_store.hold(session, ACCOUNT, [EVERY], now)[EVERY]
    if earlier := rt.tally.good.get(EVERY, 0):
        breaker = hear(breaker, Heard(good=earlier), now, rules, "silent")
    last = bad[-1] if bad else None
    trial = breaker if _is_failed_trial(breaker, good, policy, now) else None
    said = Heard(
        good=alive,
        bad=len(bad),
        run=0 if alive else len(bad),
        words=words_of(last.code, last.text) if last else "",
        status=last.enhanced if last else "",
    )
    breaker = hear(breaker, said, now, rules, "silent")
    if trial or (policy and breaker.is_closed and _is_everywhere(session, breaker, now, limits)):
        rest = timedelta(minutes=limits.refused_rest_minutes)
        longest = timedelta(minutes=FIXED.longest_rest_minutes)
        verdict = policy[-1].verdict
        words, status = words_of(verdict.code, verdict.text), verdict.enhanced
        breaker = opened(trial or breaker, now, "policy", rest, longest)
        breaker = replace(breaker, words=words, status=status)
    rests_store.write(session, ACCOUNT, {EVERY: breaker}, now)
    _tell_account(rt, session, was, breaker)
    if breaker.cause == "policy" and was.cause != "policy":
        _pause_editions(rt, session, limits)
    return {EVERY: breaker.until}


def _is_failed_trial(
    account: Breaker, good: Mapping[str, int], policy: Sequence[Told], now: datetime
) -> bool:
    """Whether the one mail after a rest of everything, which many domains brought about, was
    refused as those before it."""
    is_on_trial = account.cause == "policy" and not account.is_closed
    return is_on_trial and not account.is_resting(now) and bool(policy) and not good.get(EVERY)


def _concerns_account(verdict: Verdict) -> bool:
    """Nobody answered before anybody was named, or whoever the mail was for would hear the same."""
    if verdict.meaning is Meaning.RELAY or verdict.phase == "connect":
        return True
    if verdict.phase != "mail":
        return False
    return verdict.meaning in (Meaning.SILENT, Meaning.RATE)


def _is_everywhere(session: Session, account: Breaker, now: datetime, limits: Defaults) -> bool:
    """More than some per cent refused, by several domains that have not opened by themselves."""
    closed = [
        rates(breaker, now)[1]
        for (scope, _), breaker in rests_store.list_all(session, now).items()
        if scope == DOMAIN and breaker.is_closed
    ]
    bad = [n for n in closed if n]
    answers = rates(account, now)[0]
    if len(bad) < _SPREAD or answers < limits.breaker_least:
        return False
    return sum(bad) * 100 > limits.breaker_percent * answers


def _pause_editions(rt: Runtime, session: Session, limits: Defaults) -> None:
    """Two domains refuse an edition: it pauses by itself, until somebody looks."""
    if not limits.pause_at_domains:
        return
    now = rt.clock()
    known = rests_store.list_all(session, now)
    account = known.get((ACCOUNT, EVERY), Breaker())
    keys = {
        key
        for (scope, key), breaker in known.items()
        if scope == DOMAIN
        and (breaker.cause == "policy" or (account.cause == "policy" and rates(breaker, now)[1]))
    }
    domains = {d for key in keys for d in (*known[(DOMAIN, key)].domains, key)}
    groups = groups_of(session, domains)
    for edition_id, those in rests_store.list_refused_editions(session, domains).items():
        of_edition = sorted({groups[d] for d in those})
        if len(of_edition) < limits.pause_at_domains:
            continue
        who = named(of_edition)
        said = known[(DOMAIN, of_edition[0])].words if (DOMAIN, of_edition[0]) in known else ""
        why = f"{who} refuse its mails" + (f": {said}" if said else "") + "."
        editions_store.set_edition(session, edition_id, paused=True, paused_why=why[:500])
        edition = editions_store.get_edition(session, id=edition_id)
        name = name_of(edition) if edition else ""
        rt.log("edition_paused", edition=edition_id, domains=len(of_edition))
        raise_alarm(rt, session, about_edition(edition_id, name, why, of_edition[0], said))


def _tell_domain(rt: Runtime, session: Session, key: str, was: Breaker, now_is: Breaker) -> None:
    if now_is.times > was.times:
        rt.log("domain_rests", domain=key, cause=now_is.cause, times=now_is.times)
        if now_is.cause == "rate" and now_is.times < _RATES_TOLD:
            return  # everyday: it goes on by itself, slower
        raise_alarm(rt, session, about_domain(key, now_is))
    elif now_is.is_closed and not was.is_closed:
        _is_back(rt, session, DOMAIN, key)


def _tell_account(rt: Runtime, session: Session, was: Breaker, now_is: Breaker) -> None:
    if now_is.times > was.times:
        rt.log("account_rests", cause=now_is.cause, times=now_is.times)
        if now_is.cause == "silent" and now_is.times < _SILENCES_TOLD:
            return  # a restart of the relay
        raise_alarm(rt, session, about_account(now_is))
    elif now_is.is_closed and not was.is_closed:
        _is_back(rt, session, ACCOUNT, EVERY)


def _is_back(rt: Runtime, session: Session, scope: Scope, key: str) -> None:
    rt.log("goes_again", scope=scope, key=key)
    end_alarm(rt, session, "domain" if scope == DOMAIN else "account", key)
    if scope == ACCOUNT:
        rests_store.try_now(session, rt.clock())
