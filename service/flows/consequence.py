"""What follows from one report about one mail of ours.

Nobody there: the address is barred, with the server's words. Not for now: the reader's mail rests,
longer each time, and goes on. Complaints and wishes to leave: left at once. What lies with us
(policy, content) is held against the domain, never against a reader. A mail counts once for each
kind of report, whichever way and however often it is reported.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from service.defaults import FIXED, Defaults
from service.delivery.meaning import Meaning
from service.delivery.retry import Verdict
from service.delivery.states import HELD, State
from service.flows import score
from service.flows.alarms import raise_alarm
from service.flows.belonging import is_for, key_of
from service.flows.breaker_alarms import about_gone, about_returned
from service.flows.breakers import Counted, Told, listen
from service.flows.leave import erase_row, leave_row
from service.flows.reconcile import prove_taken
from service.flows.runtime import Runtime
from service.flows.suppress import lift_row
from service.reports.model import Kind
from service.store import consent as consent_store
from service.store import leases as leases_store
from service.store import reports as reports_store
from service.store import sent as sent_store
from service.store import subscribers as subscribers_store
from service.store.db import Session
from service.store.missed_rows import RESTED
from service.store.report_tables import ReportRow
from service.store.tables import DeliveryRow, SubscriberRow

ENDS: Mapping[str, str] = {
    "suppressed": "the address is barred",
    "left": "the reader has left",
    "rests": "the reader's mail rests for some days",
    "scored": "it counts against the address",
    "elsewhere": "it names another address, so it counts as not for now",
    "doubted": "several readers of the domain at once: it counts as not for now",
    "same day": "another report of that day counted",
    "resting": "the reader's mail rested already",
    "told": "it counts against our standing at the domain, never against the reader",
    "again": "this mail had been reported so",
    "moved": "the reader has another address now",
    "forgiven": "the mail is older than the reader's new beginning",
    "test": "the mail went to the operator, as a test",
    "erased": "its reader was erased",
    "unsent": "this mail was never sent",
    "delayed": "the server still tries",
    "waits": "a person decides",
    "": "nothing",
}
"""What followed from a report, in words."""


@dataclass(slots=True)
class Heard:
    """What the breakers made of reports, for the process's tally after the commit."""

    counted: list[Counted] = field(default_factory=list)

    def keep(self, rt: Runtime) -> None:
        """It is committed."""
        for one in self.counted:
            rt.tally.keep({}, one.written, one.rests)


def follow(
    rt: Runtime,
    session: Session,
    report: ReportRow,
    row: DeliveryRow,
    limits: Defaults,
    heard: Heard,
) -> str:
    """Do what follows from a report (written, and not flushed with an end yet); a word of
    ``ENDS``."""
    kind = Kind(report.kind)
    if row.marked_at is None:
        return "unsent"
    if row.subscriber_id is not None:  # two reports at once: the second one sees the first
        sent_store.hold_readers(session, [row.subscriber_id], wait=True)
    if row.state in HELD:
        prove_taken(rt, session, row, "a report about it came in")
    if kind in (Kind.NONE, Kind.AUTO):
        return ""
    if report.action == "delayed":  # nothing failed yet
        return reports_store.DELAYED
    if reports_store.is_known(session, report):
        return reports_store.AGAIN
    if kind in (Kind.POLICY, Kind.CONTENT):
        _tell(rt, session, report, row, limits, heard)
        return "told"
    if rt.test_recipient or row.reason == sent_store.TESTED:
        return "test"
    if row.rcpt is None:
        return "erased"
    reader = (
        subscribers_store.get_subscriber_row(session, id=row.subscriber_id)
        if row.subscriber_id is not None
        else None
    )
    if reader is None:
        return ""  # a mail to the staff
    if kind is Kind.OPTOUT:
        return _leave(rt, session, reader, "by mail")
    if key_of(row.rcpt) != reader.email_key:
        return "moved"
    if kind is Kind.COMPLAINT:
        return _complained(rt, session, report, reader)
    if score.is_forgiven(reader, row):
        return "forgiven"
    if reader.state == "pending":
        return _ends_request(rt, session, report, row, reader) if kind is Kind.HARD else ""
    if reader.state != "active":
        return ""
    if kind is Kind.SOFT or not is_for(row, report.recipient):
        return _soft(
            rt, session, report, row, reader, limits, "scored" if kind is Kind.SOFT else "elsewhere"
        )
    return _hard(rt, session, report, row, reader, limits)


def _leave(rt: Runtime, session: Session, reader: SubscriberRow, why: str) -> str:
    if reader.state != "left":
        leave_row(rt, session, reader, reason=why)
    return "left"


def _complained(rt: Runtime, session: Session, report: ReportRow, reader: SubscriberRow) -> str:
    """No mail again, not even one that somebody asks for by the form."""
    _bar(rt, session, report, reader, "complaint")
    if reader.state == "pending":
        erase_row(rt, session, reader, by="complaint")
        return "left"
    return _leave(rt, session, reader, "complaint")


def _ends_request(
    rt: Runtime, session: Session, report: ReportRow, row: DeliveryRow, reader: SubscriberRow
) -> str:
    """The mailbox of a request is not there, as when the relay says so (``outcomes.record``): the
    address is barred, what was asked for runs out."""
    if not is_for(row, report.recipient):
        return ""
    _bar(rt, session, report, reader, "hard")
    return "suppressed"


def _bar(
    rt: Runtime, session: Session, report: ReportRow, reader: SubscriberRow, reason: str
) -> None:
    hashed = consent_store.email_hash(rt.instance.key, reader.email_key)
    codes = f"{report.code or ''} {report.status}".strip()
    said = (report.words if report.words.startswith(codes) else f"{codes} {report.words}")[:300]
    consent_store.add_suppression(session, hashed, reason, rt.clock(), said)


def _bounced(
    rt: Runtime, session: Session, report: ReportRow, reader: SubscriberRow, reason: str
) -> str:
    _bar(rt, session, report, reader, reason)
    session.add(reader)
    subscribers_store.set_state(session, reader.id or 0, "bounced", only="active")
    rt.log("reader_bounced", reader=reader.id, reason=reason)
    return "suppressed"


def _hard(
    rt: Runtime,
    session: Session,
    report: ReportRow,
    row: DeliveryRow,
    reader: SubscriberRow,
    limits: Defaults,
) -> str:
    if _is_doubtful(rt, session, report, row, limits):
        return _soft(rt, session, report, row, reader, limits, "doubted")
    now = rt.clock()
    score.settle(session, reader, now)
    reader.score, reader.scored_at = reader.score + FIXED.hard_weight, now
    session.add(reader)
    if reader.score < limits.hard_score:
        return "scored"
    return _bounced(rt, session, report, reader, "hard")


def _soft(
    rt: Runtime,
    session: Session,
    report: ReportRow,
    row: DeliveryRow,
    reader: SubscriberRow,
    limits: Defaults,
    said: str,
) -> str:
    """said: what is written where it counts and nothing more follows."""
    now = rt.clock()
    assert reader.id is not None
    assert row.marked_at is not None
    if reader.rests_until is not None and row.marked_at < reader.rests_until:
        return "resting"
    if reports_store.has_scored(session, reader.id, now.replace(hour=0, minute=0, second=0)):
        return "same day"
    score.settle(session, reader, now)
    reader.score, reader.scored_at = reader.score + FIXED.soft_weight, now
    session.add(reader)
    if reader.score < limits.soft_score:
        return said
    if reader.rests >= limits.soft_rests:
        return _bounced(rt, session, report, reader, "soft")
    score.rest(reader, now, limits)
    leases_store.stop_open(session, State.SKIPPED, RESTED, subscriber_id=reader.id)
    return "rests"


# ---- a domain that knows several readers no more, all at once ----


def _is_doubtful(
    rt: Runtime, session: Session, report: ReportRow, row: DeliveryRow, limits: Defaults
) -> bool:
    """Whether a domain's directory is out, as ``flows.doubt`` says of answers: it says of several
    readers that took mail a short while ago that they are not there, and of most of its mails.
    Those that were believed before are mailed again."""
    now = rt.clock()
    before = now - timedelta(days=FIXED.trusted_days)
    if not row.domain or not reports_store.took_before(session, row, before):
        return False
    since = min(now - timedelta(hours=FIXED.gone_hours), row.marked_at or now)
    gone = reports_store.list_gone(session, row.domain, since)
    readers = {one.subscriber_id for one in gone} | {row.subscriber_id}
    if len(readers) < limits.gone_at_once:
        return False
    arrived = reports_store.count_arrived(session, row.domain, since, now)
    if len(readers) * 100 <= limits.breaker_percent * (len(readers) + arrived):
        return False
    for one in gone:
        if one.said == "suppressed":
            _believe_no_more(rt, session, one, before)
    verdict = _verdict(report, Meaning.PERSON)
    raise_alarm(rt, session, about_gone(row.domain, len(readers), verdict, came_back=True))
    return True


def _believe_no_more(
    rt: Runtime, session: Session, one: reports_store.Gone, before: datetime
) -> None:
    row = session.get(DeliveryRow, one.delivery_id)
    reader = subscribers_store.get_subscriber_row(session, id=one.subscriber_id)
    if row is None or reader is None or reader.state != "bounced":
        return
    hashed = consent_store.email_hash(rt.instance.key, reader.email_key)
    bar = consent_store.get_suppression(session, hashed)
    if bar is None or bar.reason != "hard" or not reports_store.took_before(session, row, before):
        return
    if lift_row(rt, session, reader, hashed):
        reports_store.set_said(session, one.report_id, "doubted")


# ---- what lies with us ----


def _verdict(report: ReportRow, meaning: Meaning) -> Verdict:
    code = report.code or (400 if report.status.startswith("4") else 550)
    return Verdict("failed", None, meaning, code, report.status, report.words, "reply")


def _tell(
    rt: Runtime,
    session: Session,
    report: ReportRow,
    row: DeliveryRow,
    limits: Defaults,
    heard: Heard,
) -> None:
    """The domain's breaker hears of a refusal of us as of one by its answer; several mails sent
    back in a day are told to the staff."""
    if report.kind == Kind.POLICY:
        told = Told(
            str(row.edition_id), row.domain, _verdict(report, Meaning.POLICY), row.kind == "alarm"
        )
        heard.counted.append(listen(rt, session, [], [told], limits))
    if not row.domain or row.kind == "alarm":
        return
    day = rt.clock() - timedelta(days=1)
    n = 1 + reports_store.count_told(session, report.kind, day, row.domain)
    if n >= FIXED.rate_least:
        raise_alarm(
            rt,
            session,
            about_returned(row.domain, report.kind, n, _verdict(report, Meaning.POLICY)),
        )
