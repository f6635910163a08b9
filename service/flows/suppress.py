"""Addresses that are never mailed: barred one by one or from a list, and let in again."""

from dataclasses import dataclass, field
from datetime import date

from service.errors import PaperpostError
from service.flows.leave import leave_row
from service.flows.runtime import Runtime
from service.flows.score import reset
from service.flows.spreadsheet import decode, read_csv
from service.flows.staff import audit, write_audit
from service.store import consent as consent_store
from service.store import subscribers as subscribers_store
from service.store.db import Priority, Session
from service.store.tables import SubscriberRow
from service.subscribers.address import Address, read_address
from service.subscribers.cadence import local_date, next_slot


@dataclass(kw_only=True)
class SuppressionReport:
    """added, unchanged, and problems as (row number, text, what is wrong)."""

    added: int = 0
    unchanged: int = 0
    problems: list[tuple[int, str, str]] = field(default_factory=list)


def import_suppressions(
    rt: Runtime, data: bytes, *, reason: str = "import", by: str = "admin", network: str = ""
) -> SuppressionReport:
    """Bar addresses: one per line, or a CSV with a column email. Active ones leave at once.

    by, network: who did it and from where, for the record of the staff's acts.
    """
    text = decode(data)
    if "email" in text.partition("\n")[0].lower():
        lines = [(number, row["email"]) for number, row in read_csv(data)[1]]
    else:
        lines = list(enumerate(text.splitlines(), 1))
    report = SuppressionReport()
    for number, line in lines:
        if not line.strip():
            continue
        try:
            address = read_address(line.strip().strip('",;'))
        except PaperpostError as error:
            report.problems.append((number, line, str(error)))
            continue
        if rt.db.write(lambda s, a=address: _suppress(rt, s, a, reason, by), Priority.WEB):  # type: ignore[misc]
            report.added += 1
        else:
            report.unchanged += 1
    after = {"added": report.added, "bad": len(report.problems)}
    audit(rt, by, "suppress", "", None, after, network)
    return report


def suppress(rt: Runtime, address: Address, *, reason: str, by: str) -> bool:
    """Never mail an address again. False when it was barred already."""

    def act(session: Session) -> bool:
        is_new = _suppress(rt, session, address, reason, by)
        after = {"added": int(is_new), "bad": 0}
        write_audit(session, rt.clock(), who=by, what="suppress", after=after)
        return is_new

    return rt.db.write(act, Priority.WEB)


def _suppress(rt: Runtime, session: Session, address: Address, reason: str, by: str) -> bool:
    now = rt.clock()
    hashed = consent_store.email_hash(rt.instance.key, address.key)
    before = consent_store.get_suppression(session, hashed)
    row = subscribers_store.get_subscriber_row(session, email_key=address.key)
    if row is not None and row.state == "active":
        leave_row(rt, session, row, reason=f"suppressed by {by}")
    consent_store.add_suppression(session, hashed, reason, now, by)
    return before is None


def unsuppress(rt: Runtime, address: Address, *, by: str = "admin", network: str = "") -> bool:
    """Lift a bar; a reader whose mail had bounced gets mail again. Who left stays away until they
    ask themselves. False when there was nothing to lift."""

    def act(session: Session) -> bool:
        lifted = _unsuppress(rt, session, address)
        if lifted:
            write_audit(session, rt.clock(), who=by, what="lift suppression", address=network)
        return lifted

    return rt.db.write(act, Priority.WEB)


def _unsuppress(rt: Runtime, session: Session, address: Address) -> bool:
    hashed = consent_store.email_hash(rt.instance.key, address.key)
    row = subscribers_store.get_subscriber_row(session, email_key=address.key)
    if row is not None and row.state == "bounced" and lift_row(rt, session, row, hashed):
        return True
    return consent_store.delete_suppression(session, hashed)


def lift_row(rt: Runtime, session: Session, row: SubscriberRow, hashed: str) -> bool:
    """A reader whose mail had bounced gets mail again, in a transaction; reports begin anew. False:
    in another process they left just now, and stay away."""
    now = rt.clock()
    session.refresh(row, with_for_update={"key_share": True})
    if row.state != "bounced":
        return False
    consent_store.delete_suppression(session, hashed)
    reset(row, now)
    row.state = "active"
    row.next_digest_at = next_slot(subscribers_store.to_subscriber(row), now)[1]
    # the time without mail was no outage of ours: the next mail is like the one after a pause
    row.paused_until = max(local_date(now, row.zone), row.paused_until or date.min)
    session.add(row)
    return True
