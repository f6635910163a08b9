"""No mail is ever sent in answer to a mail that came in: not to an automatic one, not to a wish to
leave, not to a letter. What comes in may tell the staff, never who wrote it."""

import ast
import asyncio
from pathlib import Path

import pytest
from support.captures import shared_data
from support.hostile_mails import MADE
from support.house import rows
from support.reports import mailed, next_day, reader

import service
from service.flows.inbound import take
from service.flows.runtime import Runtime
from service.flows.send import send_ready
from service.store.tables import DeliveryRow

OWN = Path(__file__).resolve().parents[1] / "data" / "bounces"
ROOT = Path(service.__file__).parent

ANSWERS = {
    "vacation": "Auto-Submitted: auto-replied\nSubject: Out of office\n\nBack on Monday.",
    "no marks": "Subject: Automatische Antwort: Papers\n\nIch bin im Urlaub.",
    "challenge": "Subject: Please confirm your message\n\nPlease confirm that you sent it.",
    "ticket": "Precedence: bulk\nSubject: [Ticket#2026112200001] Papers\n\nReceived.",
    "loop": "Auto-Submitted: auto-generated\nSubject: confirm\n\nconfirm subscribe help",
    "leave by token": "Auto-Submitted: auto-generated\nSubject: unsubscribe {token}\n\n",
    "leave by reply": "In-Reply-To: {message_id}\nSubject: Re: Papers\n\nunsubscribe",
    "subscribe": "Subject: subscribe\n\nsubscribe",
    "letter": "In-Reply-To: {message_id}\nSubject: Re: Papers\n\nThank you!",
}


def corpora() -> dict[str, bytes]:
    """Every captured mail and every one of ours, by its name."""
    folders = [*(shared_data() / "bounces").iterdir(), OWN]
    files = [file for folder in folders if folder.is_dir() for file in folder.iterdir()]
    return {file.name: file.read_bytes() for file in sorted(files)}


def about(rt: Runtime, row: DeliveryRow, name: str, data: bytes) -> bytes:
    """The mail as if this reader's server or program had written it about a mail of ours."""
    address = row.rcpt or ""
    if name in ANSWERS:
        token = reader(rt, address).unsubscribe_token
        text = ANSWERS[name].format(token=token, message_id=row.message_id)
        data = f"From: {address}\n{text}".encode()
    head = f"X-Original-To: bounces+{row.bounce_id}@lists.example\nReply-To: {address}\n"
    return head.encode() + data.replace(b"reader@example.net", address.encode())


@pytest.mark.slow
def test_nobody_is_mailed_because_a_mail_came_in(rt: Runtime, tmp_path: Path) -> None:
    mails = corpora() | dict.fromkeys(ANSWERS, b"")
    mails |= {name: MADE[name]() for name in ("ordinary", "empty", "no boundary", "CR CR LF")}
    names = {f"reader{n}@lab{n}.example": name for n, name in enumerate(mails)}
    sent = mailed(rt, tmp_path, *names)
    before = {row.id for row in rows(rt)}
    assert set(sent) == set(names)
    ends = {}
    for address, name in names.items():
        row = sent[address]
        rcpts = [f"bounces+{row.bounce_id}@lists.example"]
        taken = take(rt, about(rt, row, name, mails[name]), way="lmtp", rcpts=rcpts)
        ends[name] = (taken.read.form, *taken.said)
    assert ends["leave by token"] == ("optout:token", "left")
    assert ends["leave by reply"] == ("optout:reply", "left")
    assert ends["vacation"] == ("auto:vacation", "")
    said = {end for one in ends.values() for end in one}
    assert {"suppressed", "elsewhere", "scored", "told", "left", ""} <= said
    asyncio.run(send_ready(rt))
    assert [row.kind for row in rows(rt) if row.id not in before] == []
    assert not {row.rcpt for row in rows(rt, "alarm")} & set(names)
    following = next_day(rt, tmp_path)
    assert {row.kind for row in following.values()} == {"digest"}
    assert set(following) < set(names)


MAILING = frozenset(
    (
        *("add_notice", "plan_row", "add_delivery", "add_deliveries", "add_edition"),
        *("ask_link", "renew_link", "ask_by_leaving", "ask_address", "mail_confirm", "mail_known"),
        *("request", "subscribe", "own_link", "address", "notice", "planning"),
    )
)
"""What writes mails into the ledger, and the rooms of it."""


def test_nothing_that_takes_mails_in_can_write_a_mail() -> None:
    """The ways in, and the flows behind them, know no function that plans one; alarms go to the
    staff by ``raise_alarm``."""
    files = [*(ROOT / "inbound").glob("*.py"), *(ROOT / "reports").glob("*.py")]
    flows = ("inbound", "belonging", "consequence", "score")
    files += [ROOT / "flows" / f"{name}.py" for name in flows]
    assert len(files) > 15
    for file in files:
        known = {
            alias.name
            for node in ast.walk(ast.parse(file.read_text("utf-8")))
            if isinstance(node, ast.ImportFrom)
            and (node.module or "").startswith(("service.flows", "service.store", "service.engine"))
            for alias in node.names
        }
        assert not known & MAILING, file.name
