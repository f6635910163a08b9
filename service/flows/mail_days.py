"""What became of each of a reader's days, read from the ledger of mails. Nothing here writes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from service.defaults import FIXED
from service.delivery import phrases
from service.delivery.i18n import Texts
from service.delivery.message import MessageError, ascii_address
from service.delivery.outcome import BY_US
from service.delivery.states import FINAL
from service.digest.model import Asks, from_json
from service.errors import Sentence
from service.flows.browse import NotHereError
from service.flows.letter import share_name
from service.flows.next_mail import next_mail_at
from service.flows.runtime import Runtime
from service.store import listing, own_rows
from service.store import subscribers as subscribers_store
from service.store.db import Session
from service.store.tables import DeliveryRow, SubscriberRow
from service.subscribers.address import mask
from service.subscribers.cadence import local_date

PAGE_SIZE = FIXED.papers_a_page
"""Days of a history on one page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailDay:
    """One occasion and what became of it. reason: why it was skipped, a word of ours · page: its
    name under ``/d/``, "" for none · subject: of the mail · said: the mail server's own words, ""
    when it said nothing; the reader's address is masked in them · fault: why no mail can be written
    to this address, a sentence of ours · paused_until: as the pause stood on that day, None where
    that is not known · had, later: why nothing was new · asks: what papers were compared with,
    where nothing came of it · news: papers told of again · kept: False
    when what was in it is not known any more."""

    on: date
    kind: str
    state: str
    reason: str
    papers: int
    checked: int
    page: str
    accepted_at: datetime | None
    said: str = ""
    fault: str = ""
    paused_until: date | None = None
    had: int = 0
    later: int = 0
    asks: Asks = "words"
    news: int = 0
    subject: str = ""
    kept: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A reader's days, newest first, some of ``total``. next_at: when the next one is due, told
    with the newest days alone · had_any: whether there are days at all · paused_until: of a pause
    that goes on."""

    zone: str
    next_at: datetime | None
    days: tuple[MailDay, ...] = field(default=())
    total: int = 0
    had_any: bool = False
    state: str = "active"
    paused_until: date | None = None


def read_history(
    rt: Runtime,
    reader_id: int,
    *,
    offset: int = 0,
    limit: int | None = PAGE_SIZE,
    only_mails: bool = False,
) -> History:
    """What became of each of a reader's days. only_mails: of those that brought one. Raises
    NotHereError."""
    return rt.db.read(lambda s: _read_history(rt, s, reader_id, offset, limit, only_mails))


def _read_history(
    rt: Runtime,
    session: Session,
    reader_id: int,
    offset: int,
    limit: int | None,
    only_mails: bool,
) -> History:
    reader = subscribers_store.get_subscriber_row(session, id=reader_id)
    if reader is None:
        raise NotHereError(Sentence("This reader is not here any more."))
    total, mails = own_rows.list_mails(
        session, reader_id, offset=offset, limit=limit, only_came=only_mails
    )
    days = tuple(mail_day(one, reader, rt.catalogs.texts(reader.locale)) for one in mails)
    next_at = None if offset else next_mail_at(rt, session, reader)
    today = local_date(rt.clock(), reader.zone)
    paused = reader.paused_until if reader.paused_until and reader.paused_until > today else None
    return History(
        zone=reader.zone,
        next_at=next_at,
        days=days,
        total=total,
        had_any=bool(days) or bool(offset) or _had_any(session, reader_id, only_mails),
        state=reader.state,
        paused_until=paused,
    )


def _had_any(session: Session, reader_id: int, is_needed: bool) -> bool:
    return is_needed and own_rows.list_mails(session, reader_id, offset=0, limit=1)[0] > 0


def _server_said(row: DeliveryRow) -> str:
    """Words that came with a code are the server's; others are ours, for the staff."""
    if not row.code or row.reason.endswith(BY_US):
        return ""
    words = row.reason.partition(": ")[2] if row.state == "failed" else row.reason
    return f"{row.code} {words}".strip().rstrip(".")


def _masked(words: str, address: str) -> str:
    """Servers like to repeat the address; who was forwarded the mail may open this page too."""
    return re.sub(re.escape(address), lambda _: mask(address), words, flags=re.IGNORECASE)


def _fault(row: DeliveryRow) -> str:
    """What is wrong with the address, where that and no server ended the mail."""
    if row.state != "failed" or row.code not in (None, 501) or not row.rcpt:
        return ""
    try:
        ascii_address(row.rcpt)
    except MessageError as error:
        return error.what
    return ""


def _subject(content: Mapping[str, Any], texts: Texts) -> str:
    """What stood above the mail, in the reader's language of today."""
    if content.get("digest"):
        return phrases.subject(from_json(content["digest"]), texts)
    return str(content["data"]["title"]) if content.get("notice") == "newsletter" else ""


def mail_day(mail: listing.MailRow, reader: SubscriberRow, texts: Texts) -> MailDay:
    """What became of one mail; its subject is said in ``texts``."""
    row, content = mail.row, mail.row.content or {}
    try:
        on = date.fromisoformat(mail.slot)
    except ValueError:
        on = local_date(row.planned_at, reader.zone)  # alerts are named by a quarter hour
    digest = content.get("digest")
    return MailDay(
        on=on,
        kind=mail.kind,
        state=row.state,
        reason=row.reason,
        papers=len(content.get("papers", ())),
        checked=digest["checked"] if digest else content.get("checked", 0),
        page=share_name(row) if digest or content.get("notice") == "newsletter" else "",
        accepted_at=row.accepted_at,
        said=_masked(_server_said(row), row.rcpt or reader.email),
        fault=_fault(row),
        paused_until=date.fromisoformat(content["until"]) if "until" in content else None,
        had=content.get("had", 0),
        later=content.get("later", 0),
        asks=content.get("asks", "words"),
        news=len(content.get("signals", ())),
        subject=_subject(content, texts),
        kept=row.content is not None or row.state not in FINAL,
    )
