"""Mails that came back, laid into a house: rows as ``flows.inbound`` writes them."""

from hashlib import sha256
from typing import Any

from service.flows.runtime import Runtime
from service.store.db import Session
from service.store.report_tables import InboundRow, ReportRow

RAW = b"""From: Mail Delivery Subsystem <mailer-daemon@uni.example>\r
To: bounces@papers.example.org\r
Subject: Undelivered Mail Returned to Sender\r
MIME-Version: 1.0\r
Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r
\r
--b\r
Content-Type: text/html\r
\r
<script>alert(1)</script><img src="https://tracker.example.net/x.gif">\r
--b\r
Content-Type: message/delivery-status\r
\r
Reporting-MTA: dns; mx.uni.example\r
\r
Final-Recipient: rfc822; ada@uni.example\r
Action: failed\r
Status: 5.1.1\r
Diagnostic-Code: smtp; 550 5.1.1 <ada@uni.example> User unknown\r
\r
--b--\r
"""
WORDS = "550 5.1.1 <ada@uni.example> User unknown"


def lay(
    rt: Runtime,
    *reports: dict[str, Any],
    raw: bytes | None = RAW,
    state: str = "done",
    subject: str = "Undelivered Mail Returned to Sender",
    **mail: Any,
) -> int:
    """A mail that came in now, with one report for each object of fields (those of a mailbox that
    is not there, where it says nothing else); returns its number."""
    now = rt.clock()
    usual = {
        "kind": "hard", "reason": "no_such_user", "recipient": "ada@uni.example",
        "domain": "uni.example", "status": "5.1.1", "code": 550, "action": "failed",
        "words": WORDS, "mta": "mx.uni.example", "said": "suppressed",
    }  # fmt: skip

    def act(session: Session) -> int:
        row = InboundRow(
            sha=sha256(f"{subject}{now}{reports}".encode()).hexdigest(), at=now, way="imap",
            rcpts=[], sender="mailer-daemon@uni.example", subject=subject,
            size=len(raw or b""), raw=raw, form="dsn", state=state, problems=[], **mail,
        )  # fmt: skip
        session.add(row)
        session.flush()
        assert row.id is not None
        for one in reports or ({},):
            session.add(ReportRow(inbound_id=row.id, at=now, **{**usual, **one}))
        return row.id

    return rt.db.write(act)
