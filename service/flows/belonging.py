"""Whose mail a report is about. Only what our own mails hold proves it: the return path of one
mail, its Message-ID, or a reader's token for leaving; addresses in a report prove nothing.

Who knows one of these has had the mail, and could as well press the link for leaving in it. So a
report that bears one is believed, with two bounds: it must be about a mail that went out, and one
that names an address of another domain than the mail's (a mailbox that forwards) never says by
itself that the reader is not there.
"""

from collections.abc import Sequence
from email.utils import parseaddr

from service.delivery.message import domain_of
from service.errors import PaperpostError
from service.reports.model import Report, Traces
from service.store import reports as reports_store
from service.store.db import Session
from service.store.tables import DeliveryRow
from service.subscribers.address import read_address

MOST = 50
"""Traces of each kind that are looked up, and mails that one report can be about."""


def find(session: Session, traces: Traces) -> list[DeliveryRow]:
    """The mails that a report is about, by number; none where nothing in it is ours. By a token for
    leaving alone: the newest mail of that reader."""
    named = [f"<{one.strip('<>')}>" for one in _ours(traces.message_ids)]  # as the ledger has them
    found = reports_store.find_deliveries(session, _ours(traces.bounce_ids), named)
    if not found and traces.leave_tokens:
        found = reports_store.find_by_leaving(session, _ours(traces.leave_tokens))
    return found[:MOST]


def _ours(traces: Sequence[str]) -> list[str]:
    """Those that may be ours: all that we write is plain, and short."""
    return [one for one in traces[:MOST] if one.isascii() and one.isprintable() and len(one) < 255]


def find_leaving(session: Session, traces: Traces) -> list[DeliveryRow]:
    """The same of a mail to the address for leaving: the token in it alone says whose it is."""
    return reports_store.find_by_leaving(session, _ours(traces.leave_tokens[:1]))


def is_by_reader(sender: str, mails: Sequence[DeliveryRow]) -> bool:
    """Whether a letter comes from the address that our mail went to. A mail can be forwarded, and
    who answers then is somebody else."""
    written = key_of(parseaddr(sender)[1])
    return any(mail.rcpt and key_of(mail.rcpt) == written for mail in mails)


def row_of(report: Report, rows: list[DeliveryRow]) -> DeliveryRow | None:
    """Which of the mails one recipient of a report is about: the only one, or the one that went to
    the address that is named."""
    if len(rows) == 1:
        return rows[0]
    wanted = key_of(report.recipient)
    return next((row for row in rows if row.rcpt and key_of(row.rcpt) == wanted), None)


def is_for(row: DeliveryRow, recipient: str) -> bool:
    """Whether a report names the address of a mail, or none; or another one of its domain, which
    writes its addresses anew inside (ada@lab.example is a.lovelace@mail.lab.example there)."""
    if not recipient or not row.rcpt or key_of(recipient) == key_of(row.rcpt):
        return True
    named, ours = domain_in(recipient), row.domain
    return bool(named) and (
        named == ours or named.endswith(f".{ours}") or ours.endswith(f".{named}")
    )


def key_of(address: str) -> str:
    """An address folded for comparison; of one that is none, its text."""
    try:
        return read_address(address).key
    except PaperpostError:
        return address.strip().strip("<>").lower()


def domain_in(recipient: str) -> str:
    """The domain of an address in a report, in the form for DNS; "" = there is none."""
    return domain_of(recipient) if "@" in recipient else ""
