"""A mail that came in: read, found to be about one of our mails or not, followed, kept once.

All that follows is one transaction with the mail's own row, found again by the hash of its bytes:
a process that dies between has done nothing, and whoever brings the mail again finds it done.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from service.defaults import FIXED
from service.flows import belonging
from service.flows.consequence import Heard, follow
from service.flows.epoch import need
from service.flows.hooks import tell
from service.flows.runtime import Runtime
from service.reports.model import Kind, Read, Report
from service.reports.read import read_report
from service.store import reports as reports_store
from service.store.db import Priority, Session
from service.store.report_tables import InboundRow, ReportRow
from service.store.tables import DeliveryRow

InboundState = Literal["done", "review", "foreign"]

BY_TOKEN, BY_REPLY = "optout:token", "optout:reply"
"""Forms of a wish to leave: by the address in List-Unsubscribe, and in a person's own words."""

PROBE = "probe"
"""The form of a mail that ``doctor`` sent to itself."""

MOST_REPORTS = 100
"""Recipients of one mail that are written down."""

_LINE = rb"[^\r\n]*(?:\r\n?|\n)"
_CARRIED = re.compile(
    rb"[\r\n]*(?:(?:return-path|delivered-to|x-original-to|envelope-to|received)[ \t]*:"
    + _LINE + rb"(?:[ \t]" + _LINE + rb")*|>?from " + _LINE + rb")*",
    re.IGNORECASE,
)  # fmt: skip
"""Lines that whoever carries a mail writes on top of it."""

_HEAD = 1 << 16
"""Bytes at the beginning in which such lines are looked for."""

_PART = 1 << 20
"""Bytes that are hashed at a time."""


@dataclass(frozen=True, slots=True)
class Taken:
    """id: of the mail's row · is_new: it had not come before · said: what followed from each report
    (``consequence.ENDS``)."""

    id: int
    is_new: bool
    state: InboundState
    read: Read
    said: tuple[str, ...]


def take(rt: Runtime, data: bytes, *, way: str, rcpts: Sequence[str] = ()) -> Taken:
    """Read a mail and do what follows, once. way: imap lmtp pipe webhook:NAME · rcpts: addresses
    that it was handed over for. Raises what the database raises: then nothing was done."""
    read = read_report(data, bounce_address=rt.bounce_address, rcpts=rcpts)
    return take_read(rt, data, read, way=way, rcpts=rcpts)


def take_read(
    rt: Runtime, data: bytes, read: Read, *, way: str, rcpts: Sequence[str] = ()
) -> Taken:
    """The same for what was read already; ``data`` may be anything that it was read from. Raises
    InstanceHeld: in a restored backup or a copy nothing counts before a person said which it is."""
    need(rt)
    sha = fingerprint(data)
    row, said, heard = rt.db.write(
        lambda s: _take(rt, s, sha, data, read, way, rcpts), Priority.MAIL
    )
    if heard is not None:
        heard.keep(rt)
        rt.log("came_in", way=way, state=row.state, form=row.form, kinds=_kinds(read))
    assert row.id is not None
    return Taken(row.id, heard is not None, row.state, read, said)  # type: ignore[arg-type]


def fingerprint(data: bytes) -> str:
    """SHA-256 of a mail, however it was carried: line ends, and the lines that servers put on top
    of it, make no other one."""
    carried = _CARRIED.match(data, 0, _HEAD)
    made, ends = hashlib.sha256(), 0
    for at in range(carried.end() if carried else 0, len(data), _PART):
        part = data[at : at + _PART]
        if part.startswith(b"\n") and data[at - 1 : at] == b"\r":  # the end of a line in two parts
            part = part[1:]
        part = part.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if text := part.rstrip(b"\n"):
            while ends:
                made.update(b"\n" * min(ends, _PART))
                ends -= min(ends, _PART)
            made.update(text)
        ends += len(part) - len(text)
    return made.hexdigest()


def _take(
    rt: Runtime,
    session: Session,
    sha: str,
    data: bytes,
    read: Read,
    way: str,
    rcpts: Sequence[str],
) -> tuple[InboundRow, tuple[str, ...], Heard | None]:
    if (there := reports_store.find_inbound(session, sha)) is not None:
        return _known(session, there)
    now, heard = rt.clock(), Heard()
    find = belonging.find_leaving if read.form == BY_TOKEN else belonging.find
    mails = find(session, read.traces)
    row = InboundRow(
        sha=sha,
        at=now,
        way=clean(way, 32),
        rcpts=[clean(one, 254) for one in rcpts[:MOST_REPORTS]],
        sender=clean(read.sender, 998),
        subject=clean(read.subject, 998),
        size=len(data),
        raw=data[: FIXED.kept_bytes],
        form=clean(read.form, 32),
        state=_state(read, mails),
        problems=[clean(one, 300) for one in read.problems[:20]],
    )
    if (there := reports_store.add_inbound(session, row)) is not None:
        return _known(session, there)
    limits = rt.defaults()
    said = []
    for report in read.reports[:MOST_REPORTS]:
        mail = belonging.row_of(report, mails)
        written = _written(report, row, mail, now)
        session.add(written)
        session.flush()
        if row.state == "review":
            written.said = reports_store.WAITS if mail is not None else ""
        elif mail is not None:
            written.said = follow(rt, session, written, mail, limits, heard)
        session.add(written)
        said.append(written.said)
        if mail is not None:
            _tell(session, row, written, mail, now)
    if any(mail.rcpt is None for mail in mails):  # of who was erased nothing is written down again
        session.flush()
        reports_store.forget_mails(session, [row.id or 0])
    return row, tuple(said), heard


def _tell(
    session: Session, row: InboundRow, written: ReportRow, mail: DeliveryRow, now: datetime
) -> None:
    """Other programs hear of a report about a mail of ours."""
    facts = {
        "inbound": row.id,
        "report": written.id,
        "kind": written.kind,
        "reason": written.reason,
        "status": written.status,
        "followed": written.said,
        "delivery": mail.id,
        "reader": mail.subscriber_id,
    }
    tell(session, now, "bounce.received", facts, email=mail.rcpt or "")


def _known(session: Session, row: InboundRow) -> tuple[InboundRow, tuple[str, ...], None]:
    """A mail that came before, in any process."""
    written = reports_store.list_of_inbound(session, [row.id or 0])
    return row, tuple(one.said for one in written), None


def _state(read: Read, mails: Sequence[DeliveryRow]) -> InboundState:
    if not mails and read.form != PROBE:
        return "foreign"
    if not read.is_sure or (
        read.form == BY_REPLY and not belonging.is_by_reader(read.sender, mails)
    ):
        return "review"
    return "done"


def _written(report: Report, row: InboundRow, mail: DeliveryRow | None, now: datetime) -> ReportRow:
    recipient = clean(report.recipient, 254)
    return ReportRow(
        inbound_id=row.id or 0,
        delivery_id=mail.id if mail is not None else None,
        subscriber_id=mail.subscriber_id if mail is not None else None,
        kind=str(report.kind),
        reason=clean(report.reason, 32),
        recipient=recipient,
        domain=mail.domain if mail is not None else belonging.domain_in(recipient),
        status=clean(report.status, 16),
        code=report.code,
        action=clean(report.action, 16),
        words=clean(report.words, 1000),
        mta=clean(report.mta, 254),
        at=now,
        said="",
    )


def clean(text: str, most: int) -> str:
    """A text of strangers as both databases take it: no NUL, no half of a character, not longer
    than ``most``."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()[:most]


def _kinds(read: Read) -> str:
    return ",".join(sorted({str(one.kind) for one in read.reports} - {str(Kind.NONE)}))
