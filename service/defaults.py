"""Everything of taste: one typed table of defaults.

A row of ``setting`` (name, value) overrides one field; ``settings list|set``, the admin page,
``doctor`` and docs/settings.md are all printed from here. Deployment lives in ``settings``.
What is a rule and no choice stands in ``Fixed``: printed with the rest, read by the code that obeys
it, changed by nobody.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from typing import Any

from service.errors import SettingError

_EVER = 365_000
"""Days: a thousand years back there still is a calendar."""

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _about(
    default: Any,
    text: str,
    *,
    low: int = 0,
    high: int = 1_000_000,
    words: tuple[str, ...] = (),
    several: bool = False,
    clock: bool = False,
) -> Any:
    """words: those a text may be; several: of them, with commas · clock: it is an hour and a
    minute."""
    meta = {"about": text, "low": low, "high": high, "words": words, "several": several}
    meta["clock"] = clock
    return field(default=default, metadata=meta)


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """Durations are whole minutes, hours or days as their names say."""

    # the reader
    hour: int = _about(8, "hour of the day at which a new reader's mail begins", high=23)
    weekdays: str = _about(
        "mon,tue,wed,thu,fri", "mail days of a new reader", words=DAYS, several=True
    )
    abstracts: str = _about(
        "short",
        "how much of a paper's abstract a new reader's mail shows",
        words=("short", "full", "none", "summary"),
    )
    spread_minutes: int = _about(10, "mails of one hour are spread over this many minutes", high=59)
    late_wait_minutes: int = _about(
        60, "minutes a mail waits for a batch source that is late; 0 = always on time", high=240
    )
    curated_by: str = _about("", "whom the daily page names: 'by NAME and the research community'")
    first_papers: int = _about(5, "papers of the first digest", low=1, high=40)
    first_days: int = _about(7, "days the first digest looks back", low=1, high=60)
    quiet_days: int = _about(
        7, "days without a mail after which a reader is told why, once; 0 = never", high=365
    )
    # what a mail holds
    full_entries: int = _about(10, "papers shown in full", low=1, high=100)
    line_entries: int = _about(30, "further papers as one line", high=200)
    window_days: int = _about(7, "days a new paper can wait for a mail", low=1, high=60)
    trending_entries: int = _about(10, "papers of the trending section", low=1, high=50)
    trending_days: int = _about(3, "list days that trending looks at", low=1, high=30)
    author_names: int = _about(3, "authors named before '+ 4'", low=1, high=20)
    abstract_chars: int = _about(420, "longest short abstract", low=100, high=5000)
    # alerts
    alert_bundle_minutes: int = _about(15, "alerts to one reader are at least this far apart")
    alert_quiet_from: int = _about(21, "hour at which alerts fall silent", high=23)
    alert_quiet_until: int = _about(7, "hour at which alerts begin again", high=23)
    alerts_a_day: int = _about(4, "alerts per reader and day; the rest rides in the digest")
    # readers' links and limits
    confirm_days: int = _about(7, "days a confirmation link works", low=1, high=60)
    manage_days: int = _about(30, "days a manage link works", low=1, high=365)
    undo_days: int = _about(7, "days leaving can be undone", low=1, high=60)
    interests: int = _about(20, "interests per reader", low=1, high=200)
    pause_days: int = _about(365, "longest pause", low=1, high=1000)
    confirmations_a_day: int = _about(1, "sign-ups per address and day that bring a mail", low=1)
    confirmations_a_month: int = _about(
        3, "mails about sign-ups per address and 30 days, those sent once more included", low=1
    )
    network_an_hour: int = _about(
        30, "sign-ups per network and hour, and apart from them links; more are delayed", low=1
    )
    signups_an_hour: int = _about(
        500, "sign-ups per hour in all, and apart from them links; more are delayed", low=1
    )
    estimate_days: int = _about(30, "days the back-test looks back", low=1, high=400)
    signal_votes: int = _about(
        50, "votes from which on they are late news, where an interest does not say", low=1
    )
    # sources
    history_days: int = _about(30, "days of past brought in when a source is added", high=400)
    catchup_days: int = _about(14, "days of an outage that are caught up as new", high=60)
    # delivery
    smtp_connections: int = _about(10, "connections to the relay at once", low=1, high=100)
    per_connection: int = _about(100, "messages per connection", low=1, high=10_000)
    mails_a_second: int = _about(0, "mails handed to one account a second at most; 0 = no limit")
    mails_a_minute: int = _about(0, "the same a minute")
    mails_an_hour: int = _about(0, "the same an hour; a twentieth of it is kept for notices")
    mails_a_day: int = _about(0, "the same in 24 hours")
    domain_a_second: int = _about(
        0, "mails a second to the domains that one mail service receives; 0 = no limit"
    )
    domain_a_minute: int = _about(0, "the same a minute")
    domain_an_hour: int = _about(0, "the same an hour")
    domain_a_day: int = _about(0, "the same in 24 hours")
    digest_deadline_hours: int = _about(20, "a digest not accepted by then expires", low=1)
    alert_deadline_hours: int = _about(6, "the same for an alert (quiet hours not counted)", low=1)
    notice_deadline_hours: int = _about(24, "the same for a notice", low=1)
    breaker_percent: int = _about(
        5, "more policy refusals than this in 100 answers of a domain, and it rests", high=100
    )
    breaker_least: int = _about(20, "answers from which on they are counted so", low=1)
    breaker_in_a_row: int = _about(20, "policy refusals in a row, and the domain rests", low=1)
    gone_at_once: int = _about(
        3, "readers of a domain that knows them no more at once: none is suppressed", low=2
    )
    rest_minutes: int = _about(10, "a domain that asks us to go slower rests this long", low=1)
    refused_rest_minutes: int = _about(
        30, "a domain that refuses us rests this long, then twice as long", low=1
    )
    silent_in_a_row: int = _about(
        5, "tries in a row that the relay does not answer, and sending rests", low=1
    )
    pause_at_domains: int = _about(
        2, "domains that refuse an edition's mails pause it; 0 = never", high=1000
    )
    hard_score: int = _about(
        2, "a reader's score at which a report that nobody is there bars the address", low=2
    )
    soft_score: int = _about(3, "a reader's score at which their mail rests", low=1)
    soft_rest_days: int = _about(
        2, "days it rests the first time, then twice as long", low=1, high=60
    )
    soft_rests: int = _about(
        4, "rests in a row, without a mail that arrived, after which the address is barred", high=20
    )
    complaints_in_10000: int = _about(
        10, "more complaints in so many mails of a week alarm; 0 = never", high=10_000
    )
    hard_percent: int = _about(
        2, "more mails of a week than this to nobody, in 100, alarm; 0 = never", high=100
    )
    run_by_hour: int = _about(
        12, "hour by which the day's mails are all away, else an alarm; 24 = never", high=24
    )
    # an editor's hand
    release: str = _about("auto", "when a day's digests may go", words=("auto", "until", "hand"))
    release_by: str = _about(
        "09:00", "hour and minute, by the house's clock, at which release = until waits no more",
        clock=True,
    )  # fmt: skip
    proposals: str = _about(
        "off", "readers may propose papers; the staff accepts or declines", words=("off", "on")
    )
    proposals_a_day: int = _about(3, "papers that one reader may propose in 24 hours", low=1)
    votes: str = _about("off", "readers may vote for papers of the daily page", words=("off", "on"))
    # admin
    undo_minutes: int = _about(2, "time in which a manual send can be taken back", high=60)
    canary: int = _about(20, "readers who get a large manual send first", low=1, high=1000)
    canary_offered_above: int = _about(
        1000, "a manual send of more mails than this offers those few first", low=1
    )
    canary_ticked_above: int = _about(5000, "above this they are ticked", low=1)
    typed_above: int = _about(1000, "from here on the number of mails is typed", low=1)
    canary_refused_percent: int = _about(
        10, "more of those few refused than this, and the send pauses by itself", high=100
    )
    send_ahead_days: int = _about(
        30, "a send by hand is planned at most so many days ahead", low=1, high=365
    )
    test_addresses: int = _about(5, "test mails at most", low=1, high=20)
    login_tries: int = _about(5, "failed log-ins in 15 minutes", low=1, high=100)
    session_idle_hours: int = _about(12, "a session ends after this long without use", low=1)
    session_days: int = _about(14, "a session ends after this many days", low=1, high=90)
    api_per_minute: int = _about(600, "requests of one token in a minute", low=10, high=100_000)
    # keeping
    keep_raw_days: int = _about(30, "raw polls", low=1, high=_EVER)
    keep_digest_days: int = _about(400, "digests (as data)", low=1, high=_EVER)
    keep_sent_days: int = _about(
        400, "which papers a reader had: for so long none comes twice", low=180, high=_EVER
    )
    keep_attempt_days: int = _about(90, "attempts", low=1, high=_EVER)
    keep_left_days: int = _about(30, "readers who left, before they are erased", low=1, high=_EVER)
    keep_inbound_days: int = _about(
        30, "mails that came in, whole; those to be looked at stay until then", low=1, high=_EVER
    )

    keep_audit_days: int = _about(730, "the record of the staff's acts", low=30, high=_EVER)

    @property
    def retries(self) -> tuple[timedelta, ...]:
        """Waits between attempts; the last one repeats until the deadline."""
        return tuple(timedelta(minutes=wait) for wait in FIXED.retry_minutes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """Rules that no row overrides; the rooms that obey them read them here."""

    papers_a_page: int = _about(100, "papers of a day on one page")
    most_found: int = _about(500, "papers of a search that can be listed; all are counted")
    most_categories: int = _about(60, "categories offered beside a day's list, the commonest")
    feed_entries: int = _about(100, "papers of the feed of the day; half of them of others")
    most_topics: int = _about(200, "topics of an installation")
    topic_likes: int = _about(20, "papers of a topic whose like is shown")
    again_seconds: int = _about(60, "seconds after a sign-up before its mail is sent once more")
    signup_papers: int = _about(5, "newest papers shown on the sign-up page")
    weekly_day: str = _about("fri", "day of weekly interests, until the reader chooses another")
    html_budget: int = _about(90_000, "bytes of the HTML part at most")
    broad_a_day: int = _about(20, "papers a day above which an interest counts as broad")
    rare_a_week: int = _about(1, "papers a week below which wider words are offered")
    several_a_month: int = _about(
        10, "papers of one name a month above which it is probably several people's"
    )
    signal_days: int = _about(60, "days for which later news of a paper can wait for a mail")
    signals_a_mail: int = _about(
        20, "papers with later news in one mail; the rest rides in the next"
    )
    manage_links_a_day: int = _about(3, "manage links mailed to one address in 24 hours")
    fresh_hours: int = _about(
        24, "a link mailed on request may change the address, export and erase; then view alone"
    )
    list_poll_minutes: int = _about(30, "Hugging Face is asked this often while its list grows")
    list_poll_until_hour: int = _about(14, "hour UTC until which it grows, from midnight, Mon-Fri")
    list_idle_minutes: int = _about(120, "it is asked this often otherwise")
    list_due: str = _about("12:00", "UTC time at which a weekday's list that is empty is late")
    list_poll_days: int = _about(3, "list days that each poll of it asks for")
    batch_poll_from: str = _about("00:10", "Eastern time of arXiv's first poll of a day")
    batch_due: str = _about("00:30", "Eastern time from which arXiv's batch is late")
    batch_poll_minutes: int = _about(20, "then it is asked this often until the batch is there")
    batch_idle_minutes: int = _about(360, "and this often afterwards")
    crosscheck_polls: int = _about(
        2, "answers without anything new, then its past is asked what the day announced"
    )
    crosscheck_minutes: int = _about(60, "and while it names nothing, again this often")
    hold_look_minutes: int = _about(5, "a mail that waits for a late batch is looked at this often")
    usual_days: int = _about(28, "days whose hours say when a list is usually complete")
    usual_least_days: int = _about(3, "watched days from which on that is said")
    usual_percent: int = _about(80, "of them were complete by then")
    silent_times: int = _about(3, "a feed is silent after this many times its usual gap")
    silent_after_days: int = _about(4, "days with papers from which on that gap is known")
    silent_look_days: int = _about(90, "days from which it is counted")
    failing_after: int = _about(3, "polls failed in a row make a source failing")
    moves_after: int = _about(3, "answers in a row that name a new address move a source there")
    feed_poll_minutes: int = _about(60, "a feed is asked this often, or slower by its own hints")
    gap_days: int = _about(
        14, "days a feed is asked more often after an answer that was new throughout"
    )
    gap_poll_minutes: int = _about(15, "but never more often than this")
    old_days: int = _about(30, "a paper of a feed or query published longer ago is never new")
    feedback_marks: int = _about(
        50, "newest marks, more or less like this, that a score learns from"
    )
    burst_times: int = _about(3, "more than this many usual days of a feed at once are held")
    burst_after_days: int = _about(10, "days with papers from which on a feed's usual day is known")
    retry_minutes: tuple[int, ...] = _about(
        (10, 30, 60, 120, 240), "waits between attempts; the last repeats until the deadline"
    )
    trusted_days: int = _about(
        14, "days after a mail was taken in which one answer does not say that the mailbox is gone"
    )
    hard_weight: int = _about(2, "what a report that nobody is there adds to a reader's score")
    soft_weight: int = _about(1, "what any other one adds, once a day")
    report_days: int = _about(
        6, "a mail of which nobody said so long that it came back takes 1 off; a relay tries for 5"
    )
    gone_hours: int = _about(
        24, "hours in which readers of a domain that are said not to be there count as at once"
    )
    rate_days: int = _about(7, "days over which complaints and mails to nobody are counted")
    rate_least: int = _about(3, "reports from which on they can alarm")
    kept_bytes: int = _about(262_144, "of a mail that came in, from its beginning")
    breaker_minutes: int = _about(60, "minutes over which the answers of a domain are counted")
    relay_rest_minutes: int = _about(2, "a relay that does not answer rests this long, then twice")
    longest_rest_minutes: int = _about(240, "no domain rests longer than this at once")
    longest_relay_rest_minutes: int = _about(10, "and no relay")
    missed_days: int = _about(7, "days back for which a run that nobody made is written down")
    alarm_again_minutes: int = _about(60, "an alarm that comes and goes is mailed again after this")
    alarm_fades_hours: int = _about(24, "an alarm about single mails is over after this")
    retry_spread_percent: int = _about(20, "a wait is up to this much longer or shorter")
    typed_times_last: int = _about(
        2, "more mails than this many times the last edition's: the number is typed"
    )
    login_minutes: int = _about(15, "minutes over which failed log-ins are counted")
    test_mails_hour: int = _about(60, "test mails that one account or token has sent in an hour")
    keep_consent_days: int = _about(365, "the keyed consent record of an erased reader")
    keep_domain_days: int = _about(92, "counts of past days by receiving domain")
    keep_log_days: int = _about(14, "the lines that run, web and scheduler log, in DATA_DIR/logs")
    keep_draft_days: int = _about(30, "sends that were composed and not begun")
    keep_call_days: int = _about(30, "calls to other programs that are over")
    keep_process_days: int = _about(14, "which processes ran, and when they ended")
    keep_route_days: int = _about(
        30, "where a domain receives its mail, and what it answered, after it was heard of"
    )
    keep_votes_days: int = _about(90, "how a paper's votes rose; what else changed stays with it")
    keep_watch_days: int = _about(400, "per source and day, when its papers were complete")


FIXED = Fixed()


def spread(jitter: float) -> float:
    """Return what a wait is multiplied by. jitter: a random number from 0 to 1."""
    return 1 + FIXED.retry_spread_percent / 100 * (2 * min(max(jitter, 0.0), 1.0) - 1)


def with_rows(rows: Mapping[str, str]) -> Defaults:
    """Return the defaults with the rows of ``setting`` laid over.

    Names and values that an older version took and this one does not are passed by: one row must
    not stop every mail.
    """
    values: dict[str, Any] = {}
    for name, text in rows.items():
        with suppress(SettingError):
            values[name] = parse(name, text)
    return replace(Defaults(), **values)


def parse(name: str, text: str) -> int | str:
    """Check one value; returns it typed. Raises SettingError: unknown name, value out of range."""
    found = {f.name: f for f in fields(Defaults)}.get(name)
    if name in {f.name for f in fields(Fixed)}:
        raise SettingError(
            f"{name} is a fixed rule and cannot be changed.",
            name,
            "paperpost settings list marks those that are fixed; every other one can be set.",
        )
    if found is None:
        raise SettingError(
            f"There is no setting called {name!r}.", name, "paperpost settings list shows them all."
        )
    if isinstance(found.default, str):
        if len(text) > 200 or any(ord(c) < 32 for c in text):
            raise SettingError("This text is too long or holds control characters.", name)
        if found.metadata["clock"]:
            return "{:02}:{:02}".format(*read_clock(text, name))
        return _worded(name, text, found.metadata) if found.metadata["words"] else text.strip()
    low, high = found.metadata["low"], found.metadata["high"]
    try:
        number = int(text)
    except ValueError:
        raise SettingError(f"{text!r} is no whole number.", name, f"Use {low} to {high}.") from None
    if not low <= number <= high:
        raise SettingError(f"{number} is out of range.", name, f"Use {low} to {high}.")
    return number


def read_clock(text: str, name: str = "") -> tuple[int, int]:
    """Read an hour and a minute, as 09:00 or 9:00. Raises SettingError."""
    hour, colon, minute = text.strip().partition(":")
    is_number = hour.isdecimal() and minute.isdecimal() and len(hour) <= 2 and len(minute) == 2
    if not colon or not is_number or int(hour) > 23 or int(minute) > 59:
        raise SettingError(f"{text!r} is no time of day.", name, "Write it like 09:00.")
    return int(hour), int(minute)


def _worded(name: str, text: str, meta: Mapping[str, Any]) -> str:
    words = [word.strip().lower() for word in text.split(",")]
    if not set(words) <= set(meta["words"]) or (len(words) > 1 and not meta["several"]):
        known = ", ".join(meta["words"][:-1]) + f" or {meta['words'][-1]}"
        step = f"Use some of {', '.join(meta['words'])}." if meta["several"] else f"Use {known}."
        what = f"{text!r} cannot be used." if any(words) else "None of them is chosen."
        raise SettingError(what, name, step)
    return ",".join(w for w in meta["words"] if w in words)


def table(values: Defaults) -> list[dict[str, Any]]:
    """Return one row per setting that can be changed: name, value, default, about."""
    return [
        {
            "name": f.name,
            "value": getattr(values, f.name),
            "default": f.default,
            "about": f.metadata["about"],
        }
        for f in fields(Defaults)
    ]


def fixed_table() -> list[dict[str, Any]]:
    """Return one row per fixed rule, like those of ``table``; its default is the word "fixed"."""
    return [
        {
            "name": f.name,
            "value": ",".join(map(str, f.default)) if isinstance(f.default, tuple) else f.default,
            "default": "fixed",
            "about": f.metadata["about"],
        }
        for f in fields(Fixed)
    ]
