"""Looking at a send before it goes: the mail of any reader, and test mails to a few addresses."""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil
from typing import Any

from service.defaults import FIXED
from service.delivery.message import message_id
from service.delivery.outcome import Accepted, Broken, Envelope, Outcome, Refused
from service.digest.model import Digest, from_json
from service.errors import PaperpostError
from service.flows.audience import ManualError, Plan, count, papers_left
from service.flows.chosen import chosen_digest, newsletter_content
from service.flows.freeze import content_of
from service.flows.letter import HARMLESS, bytes_of, nobody, signed
from service.flows.preview import Preview, PreviewError, compose_for, draft_row, preview, shown
from service.flows.runtime import Runtime
from service.flows.staff import write_audit
from service.store import consent as consent_store
from service.store import mail_caps
from service.store import staff as staff_store
from service.store import subscribers as subscribers_store
from service.store.db import Priority, Session
from service.store.staff import ActsWanted
from service.store.tables import EditionRow, SubscriberRow
from service.subscribers.address import Address, read_address
from service.subscribers.cadence import local_date

_TEST = "test mail"
_HOUR = timedelta(hours=1)
_SOMEBODY = "reader@example.org"


class TooManyTestsError(ManualError):
    """Somebody had as many test mails sent in the last hour as one may."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One test mail: to whom, whether the relay took it, and its words."""

    email: str
    accepted: bool
    words: str


@dataclass(frozen=True, slots=True)
class Why:
    """A paper of a mail and why it is there, in words. scheme, value: its name in addresses."""

    title: str
    words: str
    scheme: str
    value: str


def why_each(digest: Digest | None) -> list[Why]:
    """Every paper that is shown in full, with why: words of the reader, votes, a person's hand."""
    found = []
    for section in digest.sections if digest is not None else ():
        for entry in section.entries:
            if section.kind == "chosen":
                words = "chosen by hand"
            elif entry.reasons:
                words = ", ".join(f"“{r.term}” in the {r.where}" for r in entry.reasons)
            elif entry.votes:
                words = "1 vote" if entry.votes == 1 else f"{entry.votes:,} votes"
            else:
                words = section.kind
            name = f"{section.name}: " if section.name and section.kind != "chosen" else ""
            again = "; carried from a mail that may not have come" if entry.again else ""
            found.append(Why(entry.title.text, f"{name}{words}{again}", entry.scheme, entry.value))
    return found


def look(rt: Runtime, plan: Plan, email_key: str, on: date | None = None) -> Preview:
    """The mail that ``plan`` would send to one reader; nothing is stored. on: of a daily, the
    reader's date, if not today.

    Raises PreviewError: no such reader.
    """
    reader = _reader(rt, email_key)
    if plan.kind in ("daily", "alert"):
        if plan.kind == "daily":
            return preview(rt, email_key, on, note=plan.body)
        content = _alert(rt, reader)
        if content is None:
            return Preview(says="No alert: nothing new since the last mail.")
    else:
        content = _content(rt, plan, reader)
        if content is None:
            return Preview(says="No mail: this reader already had all of these papers.")
    digest = from_json(content["digest"]) if "digest" in content else None
    says = "Composed now; nothing was stored or sent."
    return shown(says, _bytes(rt, plan, reader, content), digest)


def sketch(rt: Runtime, plan: Plan) -> Preview:
    """Chosen papers or a newsletter as a mail while they are composed: all of it, whoever had some;
    to nobody, so that there is one before there is a reader."""
    reader = SubscriberRow(
        id=0, email=_SOMEBODY, email_key=_SOMEBODY, zone=rt.zone,
        unsubscribe_token=HARMLESS, feed_token=HARMLESS,
    )  # fmt: skip
    if plan.kind == "newsletter":
        content = newsletter_content(plan)
    else:
        now, papers = rt.clock(), plan.papers
        content = content_of(
            rt.db.read(lambda s: chosen_digest(rt, s, plan, papers, reader.style, now))
        )
    return shown("", _bytes(rt, plan, reader, content))


def _reader(rt: Runtime, email_key: str) -> SubscriberRow:
    reader = rt.db.read(lambda s: subscribers_store.get_subscriber_row(s, email_key=email_key))
    if reader is None or reader.id is None:
        raise PreviewError(f"There is no reader {email_key}.", "reader", "Choose one of the list.")
    return reader


def _content(rt: Runtime, plan: Plan, reader: SubscriberRow) -> dict[str, Any] | None:
    if plan.kind == "newsletter":
        return newsletter_content(plan)
    assert reader.id is not None
    reader_id = reader.id
    left = rt.db.read(lambda s: papers_left(s, plan, [reader_id]))[reader_id]
    if not left:
        return None
    return content_of(
        rt.db.read(lambda s: chosen_digest(rt, s, plan, left, reader.style, rt.clock()))
    )


def _alert(rt: Runtime, reader: SubscriberRow) -> dict[str, Any] | None:
    on = local_date(rt.clock(), reader.zone)
    made = rt.db.read(lambda s: compose_for(rt, s, reader, on, "alert"))
    return content_of(made) if made is not None else None


def _bytes(rt: Runtime, plan: Plan, reader: SubscriberRow, content: dict[str, Any]) -> bytes:
    now = rt.clock()
    edition = EditionRow(id=0, kind=plan.kind, slot=plan.key, opened_at=now)
    return bytes_of(rt, draft_row(rt, edition, reader, content, now), edition, reader)


def read_addresses(text: str, most: int) -> list[Address]:
    """Read the addresses of a test mail. Raises ManualError."""
    found: dict[str, Address] = {}
    for entry in text.replace(",", " ").replace(";", " ").split():
        try:
            address = read_address(entry)
        except PaperpostError as error:
            what = str(error.what)  # of several, say which
            what = what if entry in what else f"“{entry}”: {what}"
            raise ManualError(what, "addresses", error.next_step) from None
        found[address.key] = address
    if not found:
        raise ManualError("No address is given.", "addresses", "Write one to five.")
    if len(found) > most:
        raise ManualError(f"{len(found)} addresses; {most} fit.", "addresses", "Take some out.")
    return list(found.values())


def read_reader(rt: Runtime, plan: Plan, email: str = "") -> str:
    """Whose mail is looked at: the folded address of who is named, else of the first who would get
    one. Raises ManualError: nobody would."""
    if email.strip():
        return read_address(email).key
    samples = count(rt, plan).samples
    if not samples:
        raise ManualError("Nobody gets a mail: there is nothing to look at.", "reader")
    return read_address(samples[0]).key


async def send_trial(
    rt: Runtime,
    plan: Plan,
    email_key: str,
    addresses: Sequence[Address],
    *,
    by: str,
    address: str = "",
) -> list[Trial]:
    """Send the mail of one reader to the addresses, now, marked as a test.

    Its links are harmless: they belong to nobody. Nothing counts as sent to the reader. The act is
    on record before the first mail goes; how many were taken is written to it at the end. Raises
    PreviewError: no such reader; ManualError: they would get none, or an address is suppressed;
    TooManyTestsError.
    """
    reader = await asyncio.to_thread(_reader, rt, email_key)
    content = await _trial_content(rt, plan, reader)
    act = await rt.db.awrite(
        lambda s: _begin(rt, s, plan, addresses, by=by, address=address), Priority.WEB
    )
    results = []
    pool = rt.open_mailer(rt.defaults())
    try:
        for one in addresses:
            outcome = await pool.deliver(_envelope(rt, plan, reader, content, one), _always)
            results.append(_read(one, outcome))
    finally:
        await pool.aclose()
    counts = {"to": len(results), "accepted": sum(r.accepted for r in results)}
    await rt.db.awrite(lambda s: staff_store.set_after(s, act, counts), Priority.WEB)
    return results


def _begin(
    rt: Runtime,
    session: Session,
    plan: Plan,
    addresses: Sequence[Address],
    *,
    by: str,
    address: str,
) -> int:
    """Put the act on record, inside a transaction; returns its number. Raises ManualError."""
    now, most = rt.clock(), FIXED.test_mails_hour
    hashes = {consent_store.email_hash(rt.instance.key, one.key): one for one in addresses}
    for hashed, why in consent_store.find_suppressions(session, list(hashes)).items():
        raise ManualError(
            f"{hashes[hashed].email} is suppressed ({why}): no test goes there either.",
            "addresses",
            "Take it out; or lift the bar first, if whoever holds the address asks for mail.",
        )
    mail_caps.hold(session, now)
    since = ActsWanted(by=(by,), what=_TEST, since=now - _HOUR)
    had = staff_store.list_audit(session, wanted=since, limit=most)
    if sum((row.after or {}).get("to", 0) for row in had) + len(addresses) > most:
        again = max(1, ceil((had[-1].at + _HOUR - now).total_seconds() / 60)) if had else 60
        raise TooManyTestsError(
            f"Of test mails {most} an hour go at most; nothing was sent.",
            "addresses",
            f"There is room again within {again} minutes.",
        )
    return write_audit(
        session, now, who=by, what=_TEST, target=plan.kind, after={"to": len(addresses)},
        address=address,
    )  # fmt: skip


async def _always() -> bool:
    return True


async def _trial_content(rt: Runtime, plan: Plan, reader: SubscriberRow) -> dict[str, Any]:
    def make() -> dict[str, Any] | None:
        if plan.kind == "alert":
            return _alert(rt, reader)
        if plan.kind != "daily":
            return _content(rt, plan, reader)
        on = local_date(rt.clock(), reader.zone)
        made = rt.db.read(lambda s: compose_for(rt, s, reader, on, "daily", note=plan.body))
        return content_of(made) if made is not None else None

    content = await asyncio.to_thread(make)
    if content is None:
        raise ManualError("This reader would get no mail.", "reader", "Choose another reader.")
    content = {**content, "test": True}
    if content.get("notice"):
        data = content["data"]
        content["data"] = {**data, "title": f"[Test] {data['title']}"}
    return content


def _envelope(
    rt: Runtime, plan: Plan, reader: SubscriberRow, content: dict[str, Any], to: Address
) -> Envelope:
    now = rt.clock()
    reader = nobody(reader, email=to.email, email_key=to.key)
    edition = EditionRow(id=0, kind=plan.kind, slot=plan.key, opened_at=now)
    row = draft_row(rt, edition, reader, content, now)
    row.message_id = message_id(
        rt.instance.key, f"test:{secrets.token_hex(8)}", to.key, rt.mail_domain
    )
    message = signed(rt, row, bytes_of(rt, row, edition, reader))
    return Envelope(rt.site.sender, rt.test_recipient or to.email, message)


def _read(to: Address, outcome: Outcome) -> Trial:
    if isinstance(outcome, Accepted):
        return Trial(to.email, True, f"{outcome.reply.code} {outcome.reply.text}".strip())
    if isinstance(outcome, Refused):
        return Trial(to.email, False, f"{outcome.reply.code} {outcome.reply.text}".strip())
    return Trial(to.email, False, outcome.text if isinstance(outcome, Broken) else "not sent")
