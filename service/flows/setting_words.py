"""What a value of taste comes to, in words, where no number of this house tells it."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from service.defaults import FIXED, Defaults
from service.text.tally import tally

Told = Callable[[Any, Defaults, datetime], str]
"""(the value, the others as they are, the house's wall clock) -> a sentence."""

PER_S: Mapping[str, int] = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}


def words_of(name: str, value: int | str, now: datetime, values: Defaults) -> str:
    """One or two sentences about a checked value. now: on the house's wall."""
    return _WORDS[name](value, values, now)


def long(seconds: float) -> str:
    """How long that is: "3 s", "12 minutes"."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} minutes"
    if seconds < 172_800:
        return f"{seconds / 3600:.1f} hours"
    return f"{seconds / 86400:.1f} days"


def day_of(at: datetime) -> str:
    """As "22 Nov 2026"."""
    return f"{at:%d %b %Y}".lstrip("0")


def _until(what: str) -> Told:
    """Of something that lasts so many days from today."""
    return lambda days, _values, now: f"{what} until {day_of(now + timedelta(days=days))}."


def _since(what: str, tail: str = "") -> Told:
    """Of something that looks so many days back, today included."""
    return lambda days, _values, now: f"{what} {day_of(now - timedelta(days=days - 1))}{tail}."


def _clock(minutes: int) -> str:
    return f"{minutes // 60 % 24:02}:{minutes % 60:02}"


def _spread(minutes: int, values: Defaults, _now: datetime) -> str:
    begin = values.hour * 60
    if not minutes:
        return f"All mails of {_clock(begin)} begin at once."
    return f"Mails of {_clock(begin)} begin between then and {_clock(begin + minutes)}."


def _late_wait(minutes: int, values: Defaults, _now: datetime) -> str:
    if not minutes:
        return "Every mail goes at its hour, whatever source is late."
    end = _clock(values.hour * 60 + minutes)
    return f"A mail of {_clock(values.hour * 60)} that waits goes at {end} at the latest."


def _quiet_mail(days: int, _values: Defaults, _now: datetime) -> str:
    return f"After {tally(days, 'day')} without a mail, once." if days else "Nobody is told."


def _curated(name: str, _values: Defaults, _now: datetime) -> str:
    who = f"{name} and the research community" if name else "the research community"
    return f"The daily page says “by {who}”."


def _held(full: int, lines: int) -> str:
    listed = f", {lines:,} more as one line" if lines else ""
    return (
        f"A mail shows at most {tally(full, 'paper')} in full{listed}; the rest is a number with a "
        "link, and so is what would make the mail too large."
    )


def _bundle(minutes: int, _values: Defaults, _now: datetime) -> str:
    if not minutes:
        return "Each alert goes as soon as its paper is there."
    return f"What comes within {tally(minutes, 'minute')} of an alert waits for the next one."


def _night(start: int, end: int) -> str:
    hours = (end - start) % 24
    if not hours:
        return "No hour is quiet; readers may choose their own."
    said = f"Alerts wait from {start:02}:00 to {end:02}:00 by the reader's clock"
    return f"{said}, {tally(hours, 'hour')}; readers may choose their own."


def _alerts(most: int, _values: Defaults, _now: datetime) -> str:
    if not most:
        return "No alert is mailed: all of it rides in the digest."
    return f"The next one after {tally(most, 'alert')} of a day rides in the digest."


def _asked(within: str) -> Told:
    return lambda most, _values, _now: (
        f"One address gets at most {tally(most, 'confirmation')} {within}, however often somebody "
        "asks; the page says the same each time."
    )


def _delayed(who: str) -> Told:
    return lambda most, _values, _now: (
        f"{tally(most, 'sign-up')} of {who} within an hour are mailed at once; later ones follow "
        "within the hours after."
    )


def _back(days: int, _values: Defaults, now: datetime) -> str:
    if not days:
        return "A source that is added begins with its first answer."
    first = day_of(now - timedelta(days=days))
    return f"A source that is added today brings in its days since {first}, where it can be asked."


def _caught_up(days: int, _values: Defaults, now: datetime) -> str:
    if not days:
        return "Days of an outage are not caught up."
    return f"After an outage until today, days since {day_of(now - timedelta(days=days))} are new."


def _at_once(most: int, _values: Defaults, _now: datetime) -> str:
    return (
        f"{tally(most, 'mail')} can be on the way at once; as many are in doubt at most where "
        "the process is killed."
    )


def _each(most: int, _values: Defaults, _now: datetime) -> str:
    return f"A thousand mails take {tally(ceil(1000 / most), 'connection')} at least."


def _pace(unit: str, whose: str) -> Told:
    def told(most: int, _values: Defaults, _now: datetime) -> str:
        if not most:
            return "No limit."
        return f"A thousand mails {whose} take {long(1000 / most * PER_S[unit])} at least."

    return told


def _expires(what: str, then: str) -> Told:
    """Of mails that wait so many hours for a server that takes them."""

    def told(hours: int, values: Defaults, now: datetime) -> str:
        begin = now.replace(hour=values.hour, minute=0)
        end = begin + timedelta(hours=hours)
        return (
            f"{what} of {begin:%d %b %H:%M} that no server took by {end:%d %b %H:%M} expires{then}."
        )

    return told


def _percent(percent: int, least: int) -> str:
    few = int(least * percent / 100) + 1
    if few > least:
        return "No share of refusals is too many: only those in a row count."
    are = "is" if few == 1 else "are"
    return f"Of {tally(least, 'answer')} within an hour {tally(few, 'refusal')} {are} too many."


def _row(most: int, _values: Defaults, _now: datetime) -> str:
    return f"Refusal {most:,} in a row opens a rest, however many mails were taken before."


def _gone(most: int, _values: Defaults, _now: datetime) -> str:
    return (
        f"{most:,} readers of a domain who are said to be gone within {FIXED.gone_hours} hours: "
        "nobody is suppressed, and an alarm asks to look. Fewer are believed."
    )


def _rests(minutes: int, _values: Defaults, now: datetime) -> str:
    return f"Asked to go slower now, we try again at {now + timedelta(minutes=minutes):%H:%M}."


def _refused(minutes: int, _values: Defaults, _now: datetime) -> str:
    wait, steps, longest = minutes, list[int](), max(minutes, FIXED.longest_rest_minutes)
    while len(steps) < 5 and wait < longest:
        steps.append(wait)
        wait *= 2
    steps.append(min(wait, longest))
    return f"It rests {', '.join(f'{one:,}' for one in steps)} minutes, as often as it refuses."


def _silent(most: int, _values: Defaults, _now: datetime) -> str:
    rest = tally(FIXED.relay_rest_minutes, "minute")
    return f"After {tally(most, 'try', 'tries')} without an answer all mails wait {rest}."


def _domains(most: int, _values: Defaults, _now: datetime) -> str:
    if not most:
        return "An edition never pauses for it; each domain rests by itself."
    return f"Refused by {tally(most, 'domain')}, an edition pauses and an alarm asks to look."


def _hard(score: int, _values: Defaults, _now: datetime) -> str:
    reports = ceil(score / FIXED.hard_weight)
    bar = "bars" if reports == 1 else "bar"
    between = "" if reports == 1 else ", with no mail that arrived in between"
    return f"{tally(reports, 'report')} that nobody is there {bar} an address{between}."


def _soft(score: int, _values: Defaults, _now: datetime) -> str:
    return f"A full mailbox rests after {tally(ceil(score / FIXED.soft_weight), 'day')} of reports."


def _soft_rests(first: int, most: int, longest: int) -> str:
    if not most:
        return "An address is barred in place of its first rest."
    steps = [min(first * 2**n, longest) for n in range(min(most, 5))]
    more = ", ..." if most > len(steps) else ""
    said = ", ".join(f"{one:,}" for one in steps) + more
    return f"It rests {said} days, then the address is barred."


def _run_by(hour: int, _values: Defaults, _now: datetime) -> str:
    if hour > 23:
        return "Nobody is told when the day's mails are late."
    return f"A daily that is not away at {hour:02}:00 by the house's clock is an alarm."


def _release_by(at: str, values: Defaults, _now: datetime) -> str:
    now = f" It counts with release = until; release is {values.release} now."
    return f"What no editor released goes at {at} by itself.{now * (values.release != 'until')}"


def _proposals(most: int, values: Defaults, _now: datetime) -> str:
    off = "" if values.proposals == "on" else " It counts with proposals = on; they are off now."
    return f"A reader who has proposed {tally(most, 'paper')} is asked to come back tomorrow.{off}"


def _undo(minutes: int, _values: Defaults, now: datetime) -> str:
    if not minutes:
        return "A send begins as it is pressed, and cannot be taken back."
    begin = now + timedelta(minutes=minutes)
    return f"Pressed at {now:%H:%M}, a send begins at {begin:%H:%M}; until then it is taken back."


def _canary(few: int, _values: Defaults, _now: datetime) -> str:
    get = "gets" if few == 1 else "get"
    return f"{tally(few, 'reader')} {get} it, then the others wait for somebody's word."


def _canary_refused(percent: int, values: Defaults, _now: datetime) -> str:
    few = int(values.canary * percent / 100) + 1
    if few > values.canary:
        return "It never pauses by itself."
    verb = "pauses" if few == 1 else "pause"
    return f"{few:,} refused of the first {values.canary:,} {verb} the send."


def _tests(most: int, _values: Defaults, _now: datetime) -> str:
    return (
        f"One press mails up to {tally(most, 'address', 'addresses')}; one account, "
        f"{FIXED.test_mails_hour} mails an hour in all."
    )


def _programs(most: int, _values: Defaults, _now: datetime) -> str:
    return (
        f"A token may ask every {60 / most:.2g} s; more is answered with 429 and how long to wait."
    )


def _kept_sent(days: int, _values: Defaults, now: datetime) -> str:
    return f"What a reader had since {day_of(now - timedelta(days=days))} does not come again."


def _above(does: str) -> Told:
    return lambda most, _values, _now: f"From {most + 1:,} mails on {does}; none was sent yet."


_WORDS: Mapping[str, Told] = {
    "spread_minutes": _spread,
    "late_wait_minutes": _late_wait,
    "curated_by": _curated,
    "first_papers": lambda n, v, _: f"The best {n:,} of the {tally(v.first_days, 'day')} before.",
    "first_days": _since("A first digest of today holds papers since"),
    "quiet_days": _quiet_mail,
    "full_entries": lambda n, v, _: _held(n, v.line_entries),
    "line_entries": lambda n, v, _: _held(v.full_entries, n),
    "window_days": _since("A mail of today holds papers that became new since"),
    "trending_entries": lambda n, v, _: (
        f"The {n:,} most-voted papers of the last {tally(v.trending_days, 'list day')}."
    ),
    "trending_days": lambda n, v, _: (
        f"The {v.trending_entries:,} most-voted papers of the last {tally(n, 'list day')}."
    ),
    "author_names": lambda n, _v, _: (
        f"Of {n + 4:,} authors {tally(n, 'name')} {'stands' if n == 1 else 'stand'} there, then "
        "“+ 4”."
    ),
    "abstract_chars": lambda n, _v, _: f"About {n // 6:,} words of an abstract.",
    "alert_bundle_minutes": _bundle,
    "alert_quiet_from": lambda n, v, _: _night(n, v.alert_quiet_until),
    "alert_quiet_until": lambda n, v, _: _night(v.alert_quiet_from, n),
    "alerts_a_day": _alerts,
    "confirm_days": _until("Who signs up today can confirm"),
    "manage_days": _until("A link that is mailed today opens a reader's page"),
    "undo_days": _until("Who leaves today can take it back"),
    "confirmations_a_day": _asked("a day"),
    "confirmations_a_month": _asked("in 30 days"),
    "network_an_hour": _delayed("one network"),
    "signups_an_hour": _delayed("all networks together"),
    "estimate_days": lambda n, _v, now: (
        f"Estimates count papers of the {tally(n, 'day')} up to {day_of(now)}."
    ),
    "history_days": _back,
    "catchup_days": _caught_up,
    "smtp_connections": _at_once,
    "per_connection": _each,
    **{f"mails_a{'n' * (u == 'hour')}_{u}": _pace(u, "by one account") for u in PER_S},
    **{f"domain_a{'n' * (u == 'hour')}_{u}": _pace(u, "to one mail service") for u in PER_S},
    "digest_deadline_hours": _expires("A mail", "; its papers ride in the next"),
    "alert_deadline_hours": _expires("An alert", "; quiet hours are not counted"),
    "notice_deadline_hours": _expires("A confirmation or a link", "; it can be asked for again"),
    "breaker_percent": lambda n, v, _: _percent(n, v.breaker_least),
    "breaker_least": lambda n, v, _: _percent(v.breaker_percent, n),
    "breaker_in_a_row": _row,
    "gone_at_once": _gone,
    "rest_minutes": _rests,
    "refused_rest_minutes": _refused,
    "silent_in_a_row": _silent,
    "pause_at_domains": _domains,
    "hard_score": _hard,
    "soft_score": _soft,
    "soft_rest_days": lambda n, v, _: _soft_rests(n, v.soft_rests, v.pause_days),
    "soft_rests": lambda n, v, _: _soft_rests(v.soft_rest_days, n, v.pause_days),
    "run_by_hour": _run_by,
    "release_by": _release_by,
    "proposals_a_day": _proposals,
    "undo_minutes": _undo,
    "canary": _canary,
    "canary_offered_above": _above("a canary is offered"),
    "canary_ticked_above": _above("the canary is ticked"),
    "canary_refused_percent": _canary_refused,
    "typed_above": _above("the number is typed"),
    "send_ahead_days": _until("A send that is planned today can begin"),
    "test_addresses": _tests,
    "api_per_minute": _programs,
    "keep_sent_days": _kept_sent,
}
