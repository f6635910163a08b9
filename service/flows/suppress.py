"""Addresses that are never mailed: barred one by one or from a list, and let in again."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from service.errors import PaperpostError
from service.flows.leave import leave_row
from service.flows.runtime import Runtime
from service.flows.score import reset
from service.flows.spreadsheet import decode, read_csv, to_csv
from service.flows.staff import audit, write_audit
from service.store import consent as consent_store
from service.store import subscribers as subscribers_store
from service.store import suppressions as suppressions_store
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
    rt: Runtime,
    data: bytes,
    *,
    reason: str = "import",
    by: str = "admin",
    network: str = "",
    why: str = "",
) -> SuppressionReport:
    """Bar addresses: one per line, or a CSV with a column email, or our own export of codes. Active
    ones leave at once.

    by, network, why: who did it, from where and for what, for the record of the staff's acts.
    """
    text = decode(data)
    if text.partition("\n")[0].strip() == ",".join(_EXPORTED):
        return _import_codes(rt, text, by, network, why)
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
    audit(rt, by, "suppress", "", None, after, network, reason=why)
    return report


_EXPORTED = ("code", "reason", "since", "installation")
_PORTION = 1000


def export_csv(rt: Runtime, *, by: str, network: str = "") -> Iterator[str]:
    """Every bar as a CSV, in pieces. The addresses are not kept: what stands there are their codes,
    which this installation and a copy of it understand, and no other."""
    audit(rt, by, "export suppressions", "", None, None, network)

    def parts() -> Iterator[str]:
        yield to_csv([], _EXPORTED)
        after = ""
        while True:
            rows = rt.db.read(lambda s, a=after: suppressions_store.list_after(s, a, _PORTION))  # type: ignore[misc]
            if not rows:
                return
            after = rows[-1][0]
            named = [
                {
                    "code": code,
                    "reason": reason,
                    "since": since.isoformat(),
                    "installation": _mark(rt),
                }
                for code, reason, since in rows
            ]
            yield to_csv(named, _EXPORTED).split("\r\n", 1)[1]

    return parts()


def _mark(rt: Runtime) -> str:
    """By which our own codes are known, without telling the key that they are made with."""
    return consent_store.email_hash(rt.instance.key, "installation")[:16]


def _import_codes(rt: Runtime, text: str, by: str, network: str, why: str) -> SuppressionReport:
    report = SuppressionReport()
    for number, row in enumerate(csv.DictReader(io.StringIO(text)), 2):
        code = str(row.get("code") or "")
        if row.get("installation") != _mark(rt) or not re.fullmatch("[0-9a-f]{64}", code):
            what = "This code was not made by this installation."
            report.problems.append((number, code[:20], what))
            continue
        reason = (row.get("reason") or "import")[:64]
        added = rt.db.write(
            lambda s, c=code, r=reason: consent_store.add_suppression(s, c, r, rt.clock(), by),  # type: ignore[misc]
            Priority.BULK,
        )
        report.added += added
        report.unchanged += not added
    after = {"added": report.added, "bad": len(report.problems)}
    audit(rt, by, "suppress", "", None, after, network, reason=why)
    return report


def hash_of(rt: Runtime, email: str) -> str:
    """The code of an address. Raises AddressError."""
    return consent_store.email_hash(rt.instance.key, read_address(email).key)


def suppress(
    rt: Runtime, address: Address, *, reason: str, by: str, network: str = "", why: str = ""
) -> bool:
    """Never mail an address again. False when it was barred already. why: for the record."""

    def act(session: Session) -> bool:
        is_new = _suppress(rt, session, address, reason, by)
        after = {"added": int(is_new), "bad": 0}
        write_audit(
            session, rt.clock(), who=by, what="suppress", after=after, address=network, reason=why
        )
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


def unsuppress(
    rt: Runtime, address: Address, *, by: str = "admin", network: str = "", why: str = ""
) -> bool:
    """Lift a bar; a reader whose mail had bounced gets mail again. Who left stays away until they
    ask themselves. False when there was nothing to lift. why: for the record."""

    def act(session: Session) -> bool:
        lifted = _unsuppress(rt, session, address)
        if lifted:
            write_audit(
                session, rt.clock(), who=by, what="lift suppression", address=network, reason=why
            )
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
