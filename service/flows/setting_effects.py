"""What a value of taste changes: in a number of this house where one can be had, else in words.

Each is asked of one value: of the one in force, and of the one that somebody looks at before it is
stored.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from service.defaults import FIXED
from service.flows.bounce_lists import read_rates
from service.flows.runtime import Runtime
from service.flows.setting_choices import choices_of
from service.flows.setting_words import PER_S, day_of, long, words_of
from service.store import setting_counts as store
from service.store.db import Session
from service.store.submissions import count_by_state
from service.subscribers.cadence import local_date
from service.subscribers.zone import clock_of
from service.text.tally import tally

Effect = Callable[[Runtime, Session, Any], str]
_Asked = Callable[[Runtime, Any], str]

_BY_HAND = ("manual", "newsletter")
_KINDS = {
    "digest": "daily", "manual": "send of chosen papers", "newsletter": "newsletter",
}  # fmt: skip
_WHAT = {
    "keep_raw_days": ("raw poll", "raw polls"),
    "keep_attempt_days": ("attempt", "attempts"),
    "keep_audit_days": ("act", "acts"),
    "keep_inbound_days": ("mail that came in, whole,", "mails that came in, whole,"),
    "keep_left_days": ("reader who left", "readers who left"),
    "keep_digest_days": ("mail's content", "mails' contents"),
}


def effect(rt: Runtime, name: str, value: int | str) -> str:
    """What a value changes, in a sentence: by numbers of this house, else by what it means."""
    if name in _RATES:
        return _RATES[name](rt, value)
    found = _EFFECTS.get(name)
    told = rt.db.read(lambda s: found(rt, s, value)) if found is not None else ""
    if told:
        return told
    return words_of(name, value, rt.clock().astimezone(clock_of(rt.zone)), rt.defaults())


def _kept(name: str) -> Effect:
    one, many = _WHAT[name]

    def told(rt: Runtime, session: Session, days: int) -> str:
        gone = store.count_older(session, name, rt.clock() - timedelta(days=days))
        if not gone:
            return f"No {one.rstrip(',')} is older than {tally(days, 'day')}: nothing goes tonight."
        more = " or more" if gone == store.MOST else ""
        verb = "is" if gone == 1 else "are"
        return f"{gone:,}{more} {one if gone == 1 else many} {verb} older and gone tonight."

    return told


def _beyond(does: str, does_not: str) -> Effect:
    """Of a number of mails above which something is asked of a send by hand."""

    def told(rt: Runtime, session: Session, most: int) -> str:
        last = store.last_edition(session, _BY_HAND)
        if last is None:
            return ""
        verb = does if last[3] > most else does_not
        return f"The last {_KINDS[last[1]]} had {tally(last[3], 'mail')}: with this {verb}."

    return told


def _pace(unit: str) -> Effect:
    def told(rt: Runtime, session: Session, most: int) -> str:
        last = store.last_edition(session, ("digest",))
        if last is None or not most:
            return "No limit." if not most else ""
        seconds = last[3] / most * PER_S[unit]
        return (
            f"The last daily had {tally(last[3], 'mail')}: at this pace {long(seconds)} at least."
        )

    return told


def _idle(rt: Runtime, session: Session, hours: int) -> str:
    return _open(rt, session, rt.clock() - timedelta(hours=hours), _made(rt))


def _days(rt: Runtime, session: Session, days: int) -> str:
    idle = rt.clock() - timedelta(hours=rt.defaults().session_idle_hours)
    return _open(rt, session, idle, rt.clock() - timedelta(days=days))


def _made(rt: Runtime) -> datetime:
    return rt.clock() - timedelta(days=rt.defaults().session_days)


def _open(rt: Runtime, session: Session, idle: datetime, made: datetime) -> str:
    now = store.count_sessions(
        session,
        idle_before=rt.clock() - timedelta(hours=rt.defaults().session_idle_hours),
        made_before=_made(rt),
    )
    left = store.count_sessions(session, idle_before=idle, made_before=made)
    are = "1 session is" if now == 1 else f"{now:,} sessions are"
    return f"{are} open now; with this {left:,}."


def _tries(rt: Runtime, session: Session, most: int) -> str:
    failed = store.count_acts(session, "log in failed", rt.clock() - timedelta(days=30))
    wrong = tally(most, "wrong password")
    return f"{wrong}, and a name waits; {tally(failed, 'log-in')} failed in the last 30 days."


def _interests(rt: Runtime, session: Session, most: int) -> str:
    many, longest = store.count_interests(session, most)
    have = "1 reader has" if many == 1 else f"{many:,} readers have"
    return f"{have} as many or more; the most is {longest:,}. Nobody loses one."


def _pause(rt: Runtime, session: Session, days: int) -> str:
    end = rt.clock() + timedelta(days=days)
    longer = store.count_paused_until(session, end)
    verb = "ends" if longer == 1 else "end"
    return (
        f"A pause that begins today ends on {day_of(end)} at the latest; {tally(longer, 'pause')} "
        f"{verb} later, as before."
    )


def _votes(rt: Runtime, session: Session, least: int) -> str:
    reached, papers = store.count_voted(session, least, rt.clock() - timedelta(days=30))
    return (
        f"{reached:,} of {tally(papers, 'paper')} of the last 30 days with {least:,} votes or more."
    )


def _new_readers(rt: Runtime, session: Session, _value: Any) -> str:
    active = store.count_active(session)
    return f"Readers who are here keep what they have: {active:,} active ones."


def _hour(rt: Runtime, session: Session, value: int) -> str:
    begin = f"A new reader's mails begin at {value:02}:00 by their clock."
    return f"{begin} {_new_readers(rt, session, value)}"


def _weekdays(rt: Runtime, session: Session, value: str) -> str:
    days = tally(len(value.split(",")), "day")
    return f"A new reader can have mail on {days} a week. {_new_readers(rt, session, value)}"


def _abstracts(rt: Runtime, session: Session, value: str) -> str:
    return f"{_means('abstracts', value)} {_new_readers(rt, session, value)}"


def _release(rt: Runtime, session: Session, value: str) -> str:
    active = store.count_active(session)
    return (
        f"{_means('release', value)} It is for the digests of all readers: {active:,} active now."
    )


def _proposals(rt: Runtime, session: Session, value: str) -> str:
    waiting = count_by_state(session).get("waiting", 0)
    verb = "waits" if waiting == 1 else "wait"
    return f"{_means('proposals', value)} {tally(waiting, 'proposal')} {verb} now."


def _votes_here(rt: Runtime, session: Session, value: str) -> str:
    return _means("votes", value)


def _means(name: str, value: str) -> str:
    """What a choice does, as a sentence."""
    said = next(one.means for one in choices_of(name) if one.value == value)
    return f"{said[0].upper()}{said[1:]}."


def _share(of: str, per: int, words: str) -> _Asked:
    """Of an alarm about the week's mails that came back. of: complaints or hard."""

    def told(rt: Runtime, most: int) -> str:
        if not most:
            return "Never an alarm."
        today = local_date(rt.clock(), rt.zone)
        week = read_rates(rt, today - timedelta(days=FIXED.rate_days - 1), today).all
        if not week.accepted:
            return f"More than {most:,} in {per:,} is an alarm; the last week had no mail."
        came = week.complaints if of == "complaints" else week.hard
        share = came * per / week.accepted
        verb = "an alarm" if share > most and came >= FIXED.rate_least else "no alarm"
        return (
            f"In the last week {came:,} of {tally(week.accepted, 'mail')} {words}, {share:.2g} in "
            f"{per:,}: {verb}."
        )

    return told


_RATES: Mapping[str, _Asked] = {
    "complaints_in_10000": _share("complaints", 10_000, "were complained about"),
    "hard_percent": _share("hard", 100, "came back from nobody"),
}
_EFFECTS: Mapping[str, Effect] = {
    **{name: _kept(name) for name in _WHAT},
    **{f"mails_a{'n' if unit == 'hour' else ''}_{unit}": _pace(unit) for unit in PER_S},
    "hour": _hour,
    "weekdays": _weekdays,
    "abstracts": _abstracts,
    "release": _release,
    "votes": _votes_here,
    "proposals": _proposals,
    "typed_above": _beyond("the number is typed", "the number is not typed"),
    "canary_offered_above": _beyond("a canary is offered", "no canary is offered"),
    "canary_ticked_above": _beyond("the canary is ticked", "the canary is not ticked"),
    "session_idle_hours": _idle,
    "session_days": _days,
    "login_tries": _tries,
    "interests": _interests,
    "pause_days": _pause,
    "signal_votes": _votes,
}
