"""Mails that came back, for the doors: lists, what a person decides, how a reader stands."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from service.errors import PaperpostError
from service.flows.consequence import Heard, follow
from service.flows.runtime import Runtime
from service.flows.score import is_resting, reset
from service.flows.staff import write_audit
from service.flows.suppress import lift_row
from service.reports.model import Kind
from service.store import consent as consent_store
from service.store import own_rows
from service.store import report_lists as lists
from service.store import reports as reports_store
from service.store import subscribers as subscribers_store
from service.store.db import Priority, Session
from service.store.report_lists import Filter
from service.store.report_tables import InboundRow, ReportRow
from service.store.tables import SubscriberRow, SuppressionRow
from service.subscribers.cadence import local_date, next_slot

__all__ = [
    "BounceError",
    "Filter",
    "NoSuchMailError",
    "Rate",
    "Sample",
    "Standing",
    "come_back",
    "count_by_kind",
    "count_by_state",
    "count_reports",
    "decide",
    "get_inbound",
    "list_reports",
    "list_review",
    "of_deliveries",
    "rates",
    "samples",
    "standing",
]

_PORTION = 20

SOFT = "soft"
"""The bar of a reader whose mails came back for too long; the reader may lift it."""

count_reports = lists.count_found
count_by_kind = lists.count_by_kind
count_by_state = lists.count_by_state


class BounceError(PaperpostError):
    """What cannot be decided of a mail that came in."""


class NoSuchMailError(BounceError):
    """There is no mail of this number."""


def _report(report: ReportRow, row: InboundRow) -> dict[str, Any]:
    return {
        "id": report.id,
        "inbound": report.inbound_id,
        "at": report.at.isoformat(),
        "kind": report.kind,
        "reason": report.reason,
        "status": report.status,
        "code": report.code,
        "words": report.words,
        "action": report.action,
        "mta": report.mta,
        "recipient": report.recipient,
        "domain": report.domain,
        "said": report.said,
        "delivery": report.delivery_id,
        "subscriber": report.subscriber_id,
        "state": row.state,
        "way": row.way,
        "form": row.form,
    }


def _mail(row: InboundRow, reports: list[ReportRow]) -> dict[str, Any]:
    return {
        "id": row.id,
        "at": row.at.isoformat(),
        "way": row.way,
        "rcpts": row.rcpts,
        "sender": row.sender,
        "subject": row.subject,
        "size": row.size,
        "form": row.form,
        "state": row.state,
        "problems": row.problems,
        "decision": row.decision,
        "decided_by": row.decided_by,
        "decided_at": row.decided_at.isoformat() if row.decided_at else None,
        "reports": [_report(one, row) for one in reports],
    }


def list_reports(
    session: Session,
    wanted: Filter,
    *,
    limit: int | None = 100,
    offset: int = 0,
    sort: str = "-at",
) -> list[dict[str, Any]]:
    """Reports as plain values. sort: of ``lists.ORDERS``."""
    found = lists.list_found(session, wanted, limit=limit, offset=offset, sort=sort)
    return [_report(*one) for one in found]


def of_deliveries(session: Session, ids: list[int]) -> dict[int, list[dict[str, Any]]]:
    """Reports about some mails, oldest first; mails without any are left out."""
    found: dict[int, list[dict[str, Any]]] = {}
    for report, row in lists.list_of_deliveries(session, ids):
        found.setdefault(report.delivery_id or 0, []).append(_report(report, row))
    return found


def _get(session: Session, inbound_id: int, *, hold: bool = False) -> InboundRow:
    """hold: nobody else decides of it before this transaction ends."""
    row = session.get(InboundRow, inbound_id, with_for_update=hold, populate_existing=hold)
    if row is None:
        raise NoSuchMailError(f"There is no mail {inbound_id}.", "", "paperpost bounces list")
    return row


def get_inbound(session: Session, inbound_id: int) -> dict[str, Any]:
    """One mail with its reports and, while it is kept, its bytes (``raw``). Raises
    NoSuchMailError."""
    row = _get(session, inbound_id)
    return {**_mail(row, reports_store.list_of_inbound(session, [inbound_id])), "raw": row.raw}


def list_review(
    session: Session, *, limit: int | None = 50, offset: int = 0
) -> list[dict[str, Any]]:
    """Mails that a person is to look at, oldest first, without their bytes."""
    rows = lists.list_review(session, limit=limit, offset=offset)
    reports: dict[int, list[ReportRow]] = {}
    for one in reports_store.list_of_inbound(session, [row.id or 0 for row in rows]):
        reports.setdefault(one.inbound_id, []).append(one)
    return [_mail(row, reports.get(row.id or 0, [])) for row in rows]


# ---- a person decides ----


def decide(
    rt: Runtime, inbound_id: int, kind: str, *, by: str, address: str = ""
) -> dict[str, Any]:
    """A person says what a mail is: what follows from that is done where it waited for it, and the
    mail is kept as a sample. Of one that was understood the word is kept, and nothing follows any
    more. by, address: who, from where. Returns the mail. Raises BounceError."""
    try:
        meant = Kind(kind)
    except ValueError:
        raise BounceError(
            f"{kind!r} is no kind of report.", "kind", f"Use one of {', '.join(Kind)}."
        ) from None
    limits = rt.defaults()

    def act(session: Session) -> tuple[dict[str, Any], Heard]:
        row, now, heard = _get(session, inbound_id, hold=True), rt.clock(), Heard()
        if row.decision and row.decision != meant:
            raise BounceError(
                f"{row.decided_by} said already that mail {inbound_id} is {row.decision}.",
                "",
                "What followed is on the reader's page; suppressions remove lifts a bar.",
            )
        reports = reports_store.list_of_inbound(session, [inbound_id])
        if not row.decision:
            before = row.state
            row.decision, row.decided_by, row.decided_at = str(meant), by[:120], now
            row.state = "done" if before == "review" else before
            session.add(row)
            mails = lists.list_deliveries_of(session, reports)
            for report in reports if before == "review" else ():
                report.kind = str(meant)
                session.add(report)
                session.flush()
                mail = mails.get(report.delivery_id or 0)
                if mail is not None:
                    report.said = follow(rt, session, report, mail, limits, heard)
                session.add(report)
            write_audit(
                session,
                now,
                who=by,
                what="decide mail",
                target=f"mail {inbound_id}",
                before={"state": before},
                after={"kind": str(meant), "said": [one.said for one in reports]},
                address=address,
            )
        session.flush()
        return _mail(row, reports), heard

    made, heard = rt.db.write(act, Priority.WEB)
    heard.keep(rt)
    return made


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A mail of which a person said what it is. decision: a word of ``Kind`` · reports: as they
    were written, of the kind that was decided where it waited for that."""

    id: int
    sha: str
    raw: bytes
    rcpts: tuple[str, ...]
    decision: str
    decided_by: str
    decided_at: datetime | None
    reports: tuple[dict[str, Any], ...]


def samples(rt: Runtime) -> Iterator[Sample]:
    """Every mail that was decided and is still kept whole, a few at a time."""
    after = 0
    while rows := rt.db.read(lambda s, a=after: lists.list_decided(s, a, _PORTION)):  # type: ignore[misc]
        for row in rows:
            after = row.id or 0
            told = rt.db.read(lambda s, i=after: reports_store.list_of_inbound(s, [i]))  # type: ignore[misc]
            yield Sample(
                id=after,
                sha=row.sha,
                raw=row.raw or b"",
                rcpts=tuple(row.rcpts),
                decision=row.decision,
                decided_by=row.decided_by,
                decided_at=row.decided_at,
                reports=tuple(_report(one, row) for one in told),
            )


# ---- rates ----


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """One domain on one day: mails that were accepted then, and mails of which it was said then
    what the others count (each mail once for each kind)."""

    day: date
    domain: str
    accepted: int = 0
    hard: int = 0
    soft: int = 0
    policy: int = 0
    content: int = 0
    complaints: int = 0


_COUNTED = {
    "accepted": "accepted",
    "hard": "hard",
    "soft": "soft",
    "policy": "policy",
    "content": "content",
    "complaint": "complaints",
}


def rates(session: Session, since: datetime, *, zone: str = "UTC", domain: str = "") -> list[Rate]:
    """By day of a zone and domain, oldest first. Only reports about mails of ours count. since: a
    midnight there."""
    found: dict[tuple[date, str], dict[str, int]] = {}
    days: dict[datetime, date] = {}
    for one in lists.iter_hours(session, since, domain):
        if (name := _COUNTED.get(one.kind)) is not None:
            if one.hour not in days:
                days[one.hour] = local_date(one.hour, zone)
            counts = found.setdefault((days[one.hour], one.domain), {})
            counts[name] = counts.get(name, 0) + one.mails
    return [Rate(day=day, domain=of, **counts) for (day, of), counts in sorted(found.items())]


# ---- how a reader stands ----


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Why a reader gets no mail. kind: bounced, or rests · since · until: of a rest · reason,
    status, words: of the newest report or refusal, "" = not known · can_resume: the reader may end
    it; else another address, or the staff, does."""

    kind: Literal["bounced", "rests"]
    since: datetime | None
    until: datetime | None = None
    reason: str = ""
    status: str = ""
    words: str = ""
    can_resume: bool = False


def standing(rt: Runtime, session: Session, row: SubscriberRow) -> Standing | None:
    """None: nothing that came back keeps mail from this reader."""
    assert row.id is not None
    rests = row.state == "active" and is_resting(row, rt.clock())
    if row.state != "bounced" and not rests:
        return None
    newest = next(
        (one for one, _ in lists.list_of_reader(session, row.id, 20) if one.said in _STOPS), None
    )
    said: Mapping[str, Any] = {}
    if newest is not None:
        said = {"reason": newest.reason, "status": newest.status, "words": newest.words}
    elif (refused := own_rows.last_refused(session, row.id)) is not None:
        mail = refused.row
        said = {"status": mail.enhanced, "words": mail.reason.partition(": ")[2]}
    if rests:
        since = newest.at if newest is not None else row.scored_at
        return Standing(kind="rests", since=since, until=row.rests_until, can_resume=True, **said)
    bar = _bar(rt, session, row)
    since = bar.since if bar is not None else newest.at if newest is not None else None
    can_resume = bar is None or bar.reason == SOFT
    return Standing(kind="bounced", since=since, can_resume=can_resume, **said)


_STOPS = frozenset({"suppressed", "rests"})


def _bar(rt: Runtime, session: Session, row: SubscriberRow) -> SuppressionRow | None:
    return consent_store.get_suppression(
        session, consent_store.email_hash(rt.instance.key, row.email_key)
    )


def come_back(
    rt: Runtime, subscriber_id: int, *, network: str = "", agent: str = ""
) -> Literal["resumed", "staff"]:
    """A reader asks, by their own link, for mail again: a rest ends, and so does the bar of mails
    that came back for now too often; the next mail is the trial. "staff": nobody was there, or they
    complained; then the people who run the service, or another address, end it. Nothing to end is
    "resumed", too."""

    def act(session: Session) -> Literal["resumed", "staff"]:
        row, now = subscribers_store.get_subscriber_row(session, id=subscriber_id), rt.clock()
        if row is None or row.state not in ("active", "bounced"):
            return "staff"
        bar = _bar(rt, session, row)
        if bar is not None and bar.reason != SOFT:
            return "staff"
        hashed = consent_store.email_hash(rt.instance.key, row.email_key)
        if row.state == "bounced":
            if not lift_row(rt, session, row, hashed):
                return "staff"
        elif is_resting(row, now):
            reset(row, now)
            row.next_digest_at = next_slot(subscribers_store.to_subscriber(row), now)[1]
            session.add(row)
        else:
            return "resumed"
        consent_store.add_consent(
            session, subscriber_id=row.id, hashed=hashed, act="resume", now=now,
            address=network, agent=agent,
        )  # fmt: skip
        return "resumed"

    return rt.db.write(act, Priority.WEB)
