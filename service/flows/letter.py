"""From a delivery row to the bytes of its message: the one place that does it, so that a preview,
a retry and the page show what was sent."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from service.delivery.frame import ReaderFrame, Rendered
from service.delivery.given_back import given_back
from service.delivery.heads import Heads, Written
from service.delivery.message import build
from service.delivery.outcome import Envelope
from service.digest.model import Digest, from_json
from service.flows.contents import Kept, whole
from service.flows.manage_link import manage_token
from service.flows.runtime import Runtime
from service.store.subscribers import days_of
from service.store.tables import DeliveryRow, EditionRow, SubscriberRow
from service.subscribers.cadence import local_date

DATES = frozenset({"on", "until"})
"""Values of notices that are dates: ISO text in the row, dates in the templates."""


HARMLESS = "test"
"""Stands in test mails where a reader's unsubscribe token would: it belongs to nobody."""

SHOWN = "preview"
"""Stands where a mail's own token would, in what is only looked at and in test mails."""

OF_READERS = frozenset({"newsletter", "quiet"})
"""Mails without papers that go to readers: they have the links of a digest."""


def frame_of(
    rt: Runtime,
    delivery_token: str,
    reader: SubscriberRow,
    on: datetime,
    *,
    digest: Digest | None = None,
    shared: str = "",
) -> ReaderFrame:
    """Everything around a digest that belongs to this reader. digest: None around a newsletter ·
    shared: the mail's ``share_name``."""
    links = rt.links
    return ReaderFrame(
        locale=reader.locale,
        manage_url=links.manage(manage_token(rt, reader, on)),
        unsubscribe_url=links.unsubscribe(reader.unsubscribe_token),
        view_url=links.digest(shared or delivery_token),
        tune_base=f"{links.base}/tune/{delivery_token}",
        papers_url=checked_url(rt, digest) if digest is not None else links.papers(),
        rest_url=rest_url(rt, digest) if digest is not None else "",
        confirmed_on=_confirmed_on(reader),
        weekdays=_mail_days(reader, digest),
        hour=reader.hour,
        zone=reader.zone,
        format="html" if reader.format == "html" else "text",
        stars=reader.format != "bare",
    )


def frame_of_row(
    rt: Runtime, row: DeliveryRow, reader: SubscriberRow, digest: Digest | None = None
) -> ReaderFrame:
    """``frame_of`` the mail of a row."""
    at = row.date_header or row.planned_at
    return frame_of(rt, row.token, reader, at, digest=digest, shared=share_name(row))


def share_name(row: DeliveryRow) -> str:
    """The mail's name in addresses that may be shared: made one way from its token, it opens
    ``/d/`` and no page of the reader."""
    return f"{row.id}-{share_sign(row.token)}" if row.id is not None else row.token


def share_sign(token: str) -> str:
    """The part of a share name that only the mail's token tells: 112 bits. Of 30 letters and more
    one in sixty would read like the address of a Bitcoin wallet, which spam filters look for."""
    return hashlib.sha256(f"view:{token}".encode()).hexdigest()[:28]


def checked_url(rt: Runtime, digest: Digest) -> str:
    """The daily page of what was checked: of a date without a list, the newest before it."""
    return rt.links.papers(digest.list_on or digest.on)


def rest_url(rt: Runtime, digest: Digest) -> str:
    """The daily page on which what the digest leaves out begins."""
    return rt.links.papers(digest.rest_on) if digest.rest_on is not None else ""


def _mail_days(reader: SubscriberRow, digest: Digest | None) -> frozenset[int]:
    """The weekdays that the foot names: a mail of weekly interests comes on its own day alone."""
    if digest is not None and digest.kind == "weekly":
        return frozenset({digest.on.weekday()})
    return days_of(reader.weekdays)


def _confirmed_on(reader: SubscriberRow) -> date | None:
    """The reader's date on which they confirmed; None for whom the staff added and who was never
    asked (adding makes both instants one)."""
    if reader.confirmed_at is None or (
        reader.added_by and reader.confirmed_at == reader.created_at
    ):
        return None
    return local_date(reader.confirmed_at, reader.zone)


def nobody(reader: SubscriberRow, **values: Any) -> SubscriberRow:
    """The same reader with links that belong to nobody; of no session."""
    links = {"id": 0, "unsubscribe_token": HARMLESS, "feed_token": HARMLESS}
    return SubscriberRow(**{**reader.model_dump(), **links, **values})


def as_frozen(reader: SubscriberRow | None, content: Mapping[str, Any]) -> SubscriberRow | None:
    """The reader as the mail was made for; where the row was another then, a copy of no session."""
    frame = content.get("frame", {})
    if reader is None or all(getattr(reader, name) == was for name, was in frame.items()):
        return reader
    return SubscriberRow(**{**reader.model_dump(), **frame})


def render_row(
    rt: Runtime, row: DeliveryRow, reader: SubscriberRow | None, content: Mapping[str, Any]
) -> Rendered:
    """Render a row's content: a digest, a newsletter or a notice."""
    if "digest" in content:
        assert reader is not None
        digest = from_json(content["digest"])
        frame = frame_of_row(rt, row, reader, digest)
        return rt.renderer.render_digest(digest, frame, test=bool(content.get("test")))
    data: dict[str, Any] = {
        k: date.fromisoformat(v) if k in DATES else v for k, v in content["data"].items()
    }
    if content["notice"] in OF_READERS and reader is not None:
        frame = frame_of_row(rt, row, reader)
        data.setdefault("manage_url", frame.manage_url)
        data.setdefault("unsubscribe_url", frame.unsubscribe_url)
        data.setdefault("view_url", frame.view_url)
        data.setdefault("asks", "words")  # a quiet mail of before does not say it
        data["widenings"] = [
            (words, count, _widening(frame.manage_url, interest, words))
            for words, count, interest in data.get("widenings", ())
        ]
    return rt.renderer.render_notice(content["notice"], data, row.locale)


def _widening(manage_url: str, interest: int, words: str) -> str:
    """The reader's page with wider words filled in; its button saves them."""
    return f"{manage_url}?{urlencode({'interest': interest, 'words': words})}"


def bytes_of(
    rt: Runtime,
    row: DeliveryRow,
    edition: EditionRow,
    reader: SubscriberRow | None,
    *,
    at: datetime | None = None,
) -> bytes:
    """The whole message: the same bytes for the same row at every call.

    In test mode the subject says so, the name beside the address says for whom it is, and the links
    of a reader's mail belong to nobody: whoever looks at it must not unsubscribe the reader. A
    notice keeps the link it is about.
    """
    return _written(rt, row, edition, reader, at).message


def _written(
    rt: Runtime,
    row: DeliveryRow,
    edition: EditionRow,
    reader: SubscriberRow | None,
    at: datetime | None = None,
    kept: Kept | None = None,
) -> Written:
    """``bytes_of``, and as they go on the wire. kept: the row's content, where it was read."""
    if kept is None:
        content = row.content or {}
        own, has_digest = content, "digest" in content
    else:
        own, has_digest = row.own or {}, kept.digest is not None
    reader = as_frozen(reader, own)
    if rt.test_recipient and edition.kind != "notice" and reader is not None:
        reader = nobody(reader)
        row = DeliveryRow(**{**row.model_dump(), "token": SHOWN})
    heads = _heads(rt, row, edition, reader, at)
    if reader is not None and has_digest and not (rt.test_recipient or "test" in own):
        if kept is None or kept.digest is None:
            digest, profiles = from_json(own["digest"]), None
        else:
            digest, profiles = kept.digest, own.get("profiles")
        return rt.press.post(digest, frame_of_row(rt, row, reader, digest), heads, profiles)
    content = own if kept is None else whole(row, kept)
    rendered = render_row(rt, row, reader, content)
    if rt.test_recipient:
        rendered = _marked(rt, rendered, row.locale)
    return Written(build(rendered, **heads.fields()))


def _heads(
    rt: Runtime,
    row: DeliveryRow,
    edition: EditionRow,
    reader: SubscriberRow | None,
    at: datetime | None,
) -> Heads:
    """What the headers say. at: in place of the row's date."""
    is_notice = edition.kind == "notice"
    unsubscribe, by_mail = None, ""
    if not is_notice and reader is not None:
        unsubscribe = rt.links.unsubscribe(reader.unsubscribe_token)
        by_mail = rt.site.leave_mail(reader.unsubscribe_token)
    return Heads(
        sender=rt.site.sender,
        sender_name=rt.site.name,
        recipient=rt.test_recipient or row.rcpt or "",
        recipient_name=(row.rcpt or "") if rt.test_recipient else "",
        message_id=row.message_id,
        date=at or row.date_header or row.planned_at,
        reply_to=rt.site.reply_to,
        list_id=f"<papers.{rt.mail_domain}>" if not is_notice else "",
        unsubscribe_url=unsubscribe,
        unsubscribe_mail=by_mail,
        help_url=rt.links.to("/about"),
        feedback_id=f"{edition.id or 0}:{edition.kind}:paperpost" if not is_notice else "",
        given_back=given_back(rt.relay_host, row.message_id),
        is_notice=is_notice,
        format=reader.format if reader is not None else "html",
    )


def _marked(rt: Runtime, rendered: Rendered, locale: str) -> Rendered:
    """With [Test] before the subject, once."""
    marked = rt.catalogs.texts(locale).gettext("[Test] %(subject)s", subject=rendered.subject)
    again = rendered.subject.startswith(marked.partition(rendered.subject)[0])
    return rendered if again else replace(rendered, subject=marked)


def envelope_of(
    rt: Runtime,
    row: DeliveryRow,
    edition: EditionRow,
    reader: SubscriberRow | None,
    kept: Kept | None = None,
) -> Envelope:
    """Who to whom, and the bytes, signed where we sign: by the row's own date, so that a retry has
    the same ones. kept: the row's content, where it was read."""
    made = _written(rt, row, edition, reader, kept=kept)
    message = signed(rt, row, made.message)
    signatures = message[: len(message) - len(made.message)]
    return Envelope(
        sender=return_path(rt, row.bounce_id),
        recipient=rt.test_recipient or row.rcpt or "",
        message=message,
        lines=signatures + made.lines if made.lines is not None else None,
    )


def return_path(rt: Runtime, bounce_id: str) -> str:
    """The envelope's sender: of one mail alone where bounces have an address, else our sender."""
    if not rt.bounce_address:
        return rt.site.sender
    local, _, domain = rt.bounce_address.partition("@")
    return f"{local}+{bounce_id}@{domain}"


def signed(rt: Runtime, row: DeliveryRow, message: bytes) -> bytes:
    """The message with our signatures, where we sign."""
    return rt.dkim.signed(message, row.date_header or row.planned_at) if rt.dkim else message


def sha_of(message: bytes) -> str:
    """SHA-256 of a message, hex: kept at the first attempt, compared at the next."""
    return hashlib.sha256(message).hexdigest()


def digest_of(row: DeliveryRow) -> Digest | None:
    """The stored digest of a row, None for notices and skipped ones."""
    content = row.content or {}
    return from_json(content["digest"]) if "digest" in content else None
