"""Addresses that are never mailed: barred one by one or from a list, and let in again."""

from dataclasses import dataclass, field

from service.errors import PaperpostError
from service.flows.leave import leave_row
from service.flows.runtime import Runtime
from service.flows.spreadsheet import decode, read_csv
from service.store import consent as consent_store
from service.store import subscribers as subscribers_store
from service.store.db import Priority, Session
from service.subscribers.address import Address, read_address
from service.subscribers.cadence import next_slot


@dataclass(kw_only=True)
class SuppressionReport:
    """added, unchanged, and problems as (row number, text, what is wrong)."""

    added: int = 0
    unchanged: int = 0
    problems: list[tuple[int, str, str]] = field(default_factory=list)


def import_suppressions(
    rt: Runtime, data: bytes, *, reason: str = "import", by: str = "admin"
) -> SuppressionReport:
    """Bar addresses: one per line, or a CSV with a column email. Active ones leave at once."""
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
        if suppress(rt, address, reason=reason, by=by):
            report.added += 1
        else:
            report.unchanged += 1
    return report


def suppress(rt: Runtime, address: Address, *, reason: str, by: str) -> bool:
    """Never mail an address again. False when it was barred already."""
    return rt.db.write(lambda s: _suppress(rt, s, address, reason, by), Priority.WEB)


def _suppress(rt: Runtime, session: Session, address: Address, reason: str, by: str) -> bool:
    now = rt.clock()
    hashed = consent_store.email_hash(rt.instance.key, address.key)
    before = consent_store.get_suppression(session, hashed)
    row = subscribers_store.get_subscriber_row(session, email_key=address.key)
    if row is not None and row.state == "active":
        leave_row(rt, session, row, reason=f"suppressed by {by}")
    consent_store.add_suppression(session, hashed, reason, now, by)
    return before is None


def unsuppress(rt: Runtime, address: Address) -> bool:
    """Lift a bar; a reader whose mail had bounced gets mail again. Who left stays away until they
    ask themselves. False when there was nothing to lift."""
    return rt.db.write(lambda s: _unsuppress(rt, s, address), Priority.WEB)


def _unsuppress(rt: Runtime, session: Session, address: Address) -> bool:
    hashed = consent_store.email_hash(rt.instance.key, address.key)
    lifted = consent_store.delete_suppression(session, hashed)
    row = subscribers_store.get_subscriber_row(session, email_key=address.key)
    if row is None or row.state != "bounced":
        return lifted
    row.state = "active"
    row.next_digest_at = next_slot(subscribers_store.to_subscriber(row), rt.clock())[1]
    session.add(row)
    return True
