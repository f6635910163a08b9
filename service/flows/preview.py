"""What a reader gets: the stored mail of a date, or one composed now. Nothing is sent or planned.

(Index upkeep is the one thing written: pairs of profiles and new papers that the next run would
store anyway.)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as mail_policy
from typing import Any
from zoneinfo import ZoneInfo

from service.delivery.message import message_id
from service.digest.candidate import NothingNew
from service.digest.model import Asks, Digest
from service.errors import PaperpostError
from service.flows.alerts import quarter
from service.flows.became import why_skipped
from service.flows.compose import digest_for
from service.flows.daily import Due, check_date, due_readers
from service.flows.freeze import content_of
from service.flows.letter import SHOWN, bytes_of, digest_of
from service.flows.match import match_new
from service.flows.release import free_days
from service.flows.runtime import Runtime
from service.flows.score import is_resting
from service.flows.shelf import load_shelf
from service.flows.why_trending import why_no_trending
from service.flows.window import Occasion
from service.store import alerts as alerts_store
from service.store import audience as audience_store
from service.store import deliveries as deliveries_store
from service.store import editions as editions_store
from service.store import leases as leases_store
from service.store import subscribers as subscribers_store
from service.store.db import Session
from service.store.missed_rows import RESTED
from service.store.releases import UNRELEASED
from service.store.sent import TESTED
from service.store.tables import DeliveryRow, EditionRow, SubscriberRow
from service.subscribers.cadence import is_mail_day, local_date

CHUNK = 100


MOST_AHEAD = timedelta(days=36_525)
"""A day further away is none: behind it the calendar ends."""


class PreviewError(PaperpostError):
    """There is nobody to preview."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """says: which mail this is, or why there is none · html, text, subject and message (the whole
    mail) are empty when there is none · stored: a row of the ledger, not composed now · digest:
    what it was made of, None for a newsletter."""

    says: str
    html: str = ""
    text: str = ""
    message: bytes = b""
    subject: str = ""
    stored: bool = False
    digest: Digest | None = None

    @property
    def is_mail(self) -> bool:
        return bool(self.message)


def preview(rt: Runtime, email_key: str, on: date | None = None, *, note: str = "") -> Preview:
    """The mail of one reader and local date (default: today there).

    A date that has a row shows that row: the very bytes that were handed over, or why there was
    no mail. Without a row a past date has nothing; today and later are composed now.
    Raises PreviewError: no such reader.
    """
    reader = rt.db.read(lambda s: subscribers_store.get_subscriber_row(s, email_key=email_key))
    if reader is None:
        raise PreviewError(f"There is no reader {email_key}.", "", "paperpost subscribers list")
    today = local_date(rt.clock(), reader.zone)
    wanted = on or today
    if abs(wanted - today) > MOST_AHEAD:
        return Preview(says=f"{wanted} is no day of this service.")
    stored = rt.db.read(lambda s: _stored(rt, s, reader, wanted))
    if stored is not None:
        return replace(stored, stored=True)
    if wanted < today:
        day = rt.catalogs.texts("en").day(wanted)
        return Preview(says=f"{day}: no mail was planned for this reader.")
    match_new(rt)
    return rt.db.read(lambda s: _composed(rt, s, reader, wanted, note))


def _stored(rt: Runtime, session: Session, reader: SubscriberRow, on: date) -> Preview | None:
    edition = editions_store.get_edition(session, kind="digest", slot=on.isoformat())
    if edition is None or edition.id is None:
        return None
    row = deliveries_store.find_delivery(session, edition.id, reader.email_key)
    if row is None:
        return None
    says = why(rt, row, on)
    if not (row.content or {}).get("digest"):
        is_now = on >= local_date(rt.clock(), reader.zone)  # later nobody knows what it was
        if row.state == "skipped" and row.reason == "nothing_new" and is_now:
            says = f"{says} {why_no_trending(rt, session, reader, on)}".rstrip()
        return Preview(says=says)
    return shown(says, bytes_of(rt, row, edition, reader), digest_of(row))


def _composed(rt: Runtime, session: Session, reader: SubscriberRow, on: date, note: str) -> Preview:
    texts = rt.catalogs.texts("en")
    if reader.state != "active":
        return Preview(says=f"No mail: this reader is {reader.state}.")
    if reader.paused_until is not None and reader.paused_until > on:
        return Preview(says=f"{texts.day(on)}: paused until {texts.long_day(reader.paused_until)}.")
    if reader.rests_until is not None and local_date(reader.rests_until, reader.zone) > on:
        until = texts.long_day(local_date(reader.rests_until, reader.zone))
        return Preview(says=f"{texts.day(on)}: no mail before {until}, since the last came back.")
    made = _decide(rt, session, reader, on, "daily", note)
    is_to_come = on > max(local_date(rt.clock(), z) for z in (reader.zone, "UTC"))
    if isinstance(made, NothingNew):
        if is_to_come:
            return Preview(
                says=f"{texts.day(on)} is still to come; so far there is no mail for it."
            )
        says = why_nothing(
            rt, made.reason, made.checked, on, asks=made.asks, had=made.had, later=made.later
        )
        return Preview(says=f"{says} {why_no_trending(rt, session, reader, on)}".rstrip())
    value = subscribers_store.to_subscriber(reader)
    says = f"Composed now for {texts.day(on)}; nothing was stored or sent."
    if is_to_come:
        says += " The day is still to come: its mail has what comes until then, too."
    if not is_mail_day(value, on):
        says += " It is no mail day of this reader: these papers ride in the next mail."
    now = rt.clock()
    edition = EditionRow(kind="digest", slot=on.isoformat(), opened_at=now)
    row = draft_row(rt, edition, reader, content_of(made), now)
    return shown(says, bytes_of(rt, row, edition, reader), made)


def _decide(
    rt: Runtime, session: Session, reader: SubscriberRow, on: date, occasion: Occasion, note: str
) -> Digest | NothingNew:
    assert reader.id is not None
    shelf = load_shelf(rt, session, rt.defaults(), [reader.id], on)
    value = subscribers_store.to_subscriber(reader)
    return digest_for(rt, session, shelf, value, on, occasion, note=note)


def compose_for(
    rt: Runtime,
    session: Session,
    reader: SubscriberRow,
    on: date,
    occasion: Occasion,
    *,
    note: str = "",
) -> Digest | None:
    """What one reader would get now, None for nothing."""
    made = _decide(rt, session, reader, on, occasion, note)
    return made if isinstance(made, Digest) else None


def draft_row(
    rt: Runtime,
    edition: EditionRow,
    reader: SubscriberRow,
    content: Mapping[str, Any],
    now: datetime,
) -> DeliveryRow:
    """A delivery that is stored nowhere, for rendering; its links carry the word ``SHOWN``."""
    return DeliveryRow(
        edition_id=0,
        recipient_key=reader.email_key,
        rcpt=reader.email,
        kind=edition.kind,
        locale=reader.locale,
        message_id=message_id(
            rt.instance.key,
            f"{edition.kind}:all:{edition.slot}",
            reader.email_key,
            rt.mail_domain,
        ),
        bounce_id=SHOWN,
        token=SHOWN,
        own=dict(content),
        planned_at=now,
    )


def shown(says: str, message: bytes, digest: Digest | None = None) -> Preview:
    """A preview of a mail that exists as bytes."""
    mail = message_from_bytes(message, _class=EmailMessage, policy=mail_policy)
    html, text = mail.get_body(("html",)), mail.get_body(("plain",))
    return Preview(
        says=says,
        html=str(html.get_content()) if html is not None else "",
        text=str(text.get_content()) if text is not None else "",
        message=message,
        subject=str(mail["Subject"] or ""),
        digest=digest,
    )


def why(rt: Runtime, row: DeliveryRow, on: date) -> str:
    """What became of a delivery, in a sentence for its reader and the admin; times are the
    installation's, whose zone is named."""
    texts = rt.catalogs.texts("en")
    day, said = texts.day(on), row.reason.partition(": ")[2] or row.reason
    server = f"{row.code} {said}".strip() if row.code else said
    at = _by_the_wall(rt, row.accepted_at) if row.accepted_at else ""
    match row.state:
        case "accepted" if row.reason == TESTED:
            return f"{day}: it went to the people who run this service, as a test."
        case "accepted":
            return f"{day}: handed to the mail server at {at}. These are the bytes it got."
        case "skipped":
            held = row.content or {}
            counts = {k: int(held.get(k, 0)) for k in ("checked", "had", "later")}
            asks, is_kept = held.get("asks", "words"), row.content is not None
            return why_nothing(rt, row.reason, on=on, asks=asks, is_kept=is_kept, **counts)
        case "planned" | "ready" | "leased":
            return f"{day}: composed, waits to be sent."
        case "sending":
            return f"{day}: being handed over now."
        case "deferred":
            until = f" Tried again at {_by_the_wall(rt, row.not_before)}." if row.not_before else ""
            return f"{day}: your mail server said “{server}”.{until}"
        case "failed":
            return f"{day}: your mail server refused it: “{server}”."
        case "expired":
            return f"{day}: no mail server took it in time ({server or 'no answer'})."
        case "suppressed":
            return f"{day}: not sent, {REASONS.get(row.reason, row.reason)}."
        case "cancelled":
            return f"{day}: cancelled by an editor."
    return f"{day}: the connection broke while it was handed over; nobody can say whether it came."


def _by_the_wall(rt: Runtime, at: datetime) -> str:
    """ "14:05 on 20 Nov (Europe/Berlin)"."""
    local = at.astimezone(ZoneInfo(rt.zone))
    return f"{local:%H:%M} on {rt.catalogs.texts('en').short_day(local.date())} ({rt.zone})"


REASONS: Mapping[str, str] = {
    "left": "you had left",
    "bounced": "mail to this address was refused earlier",
    "suppressed": "this address is suppressed",
    "erased": "the address was erased",
}


def why_nothing(
    rt: Runtime,
    reason: str,
    checked: int,
    on: date,
    *,
    asks: Asks = "words",
    had: int = 0,
    later: int = 0,
    is_kept: bool = True,
) -> str:
    """Why a date brought no mail: "Tue 12 May: 391 papers checked, none contained your words."."""
    texts = rt.catalogs.texts("en")
    said = why_skipped(texts, reason, checked, asks=asks, had=had, later=later, is_kept=is_kept)
    if reason.startswith("error"):
        said = f"the mail could not be composed ({reason.partition(': ')[2]})."
    said = said or f"{REASONS.get(reason, reason.replace('_', ' '))}."
    return f"{texts.day(on)}: {said[0].lower()}{said[1:]}"


def would_send(
    rt: Runtime, on: date | None = None, *, email_key: str | None = None
) -> dict[str, Any]:
    """What `send daily` would do now: mails, readers, and who gets none, by reason.

    Raises DateError for a date later than tomorrow.
    """
    check_date(rt, on)
    match_new(rt)
    readers = rt.db.read(lambda s: due_readers(rt, s, on, email_key))
    groups = outlook(rt, readers)
    skipped = {reason: len(ids) for reason, ids in groups.items() if reason != "mails"}
    return {"readers": len(readers), "mails": len(groups.get("mails", ())), "skipped": skipped}


def outlook(rt: Runtime, readers: Sequence[Due]) -> dict[str, list[int]]:
    """Readers of a daily by what it would bring them: mails, paused, already_planned,
    not_your_day, nothing_new, too_few, error; unreleased: their date waits for its release."""
    groups: dict[str, list[int]] = {}
    by_day: dict[date, list[int]] = {}
    for reader_id, meant in readers:
        by_day.setdefault(meant, []).append(reader_id)
    free = rt.db.read(lambda s: free_days(rt, s, by_day))
    for meant, ids in sorted(by_day.items()):
        if meant not in free:
            groups.setdefault(UNRELEASED, []).extend(ids)
            continue
        taken = rt.db.read(lambda s, d=meant: audience_store.list_slot_rows(s, d.isoformat()))  # type: ignore[misc]
        for start in range(0, len(ids), CHUNK):
            part = ids[start : start + CHUNK]
            rt.db.read(lambda s, p=part, d=meant, t=taken: _look_ahead(rt, s, p, d, t, groups))  # type: ignore[misc]
    return groups


def _look_ahead(
    rt: Runtime,
    session: Session,
    ids: Sequence[int],
    on: date,
    taken: Mapping[int, tuple[str, str]],
    groups: dict[str, list[int]],
) -> None:
    shelf = load_shelf(rt, session, rt.defaults(), ids, on)
    shelf.by_hand = True
    for row in subscribers_store.list_subscriber_rows(session, ids=ids):
        assert row.id is not None
        state, reason = taken.get(row.id, ("", ""))
        free = not state or (state == "skipped" and reason in leases_store.HELD_NOTHING)
        if not free:
            found = "already_planned"
        elif row.paused_until is not None and row.paused_until > on:
            found = "paused"
        elif is_resting(row, rt.clock()):
            found = RESTED
        else:
            try:
                made = digest_for(
                    rt, session, shelf, subscribers_store.to_subscriber(row), on, "daily"
                )
                found = made.reason if isinstance(made, NothingNew) else "mails"
            except (PaperpostError, ValueError, KeyError, RecursionError):
                found = "error"
        groups.setdefault(found, []).append(row.id)


def would_alert(
    rt: Runtime, *, on: date | None = None, email_key: str | None = None
) -> dict[str, Any]:
    """What `send alerts` would do now: mails, and readers who must wait, by reason."""
    groups = alert_outlook(rt, on=on, email_key=email_key)
    waiting = {reason: len(ids) for reason, ids in groups.items() if reason != "mails"}
    return {"mails": len(groups.get("mails", ())), "waiting": waiting}


def alert_outlook(
    rt: Runtime, *, on: date | None = None, email_key: str | None = None
) -> dict[str, list[int]]:
    """Readers with instant interests by what an alert now would bring: mails, paused, capped,
    bundled (one went in this quarter hour), nothing_new."""
    match_new(rt)
    return rt.db.read(lambda s: _alert_outlook(rt, s, on, email_key))


def _alert_outlook(
    rt: Runtime, session: Session, on: date | None, email_key: str | None
) -> dict[str, list[int]]:
    limits, now = rt.defaults(), rt.clock()
    groups: dict[str, list[int]] = {}
    for row in alerts_store.list_instant_readers(session):
        if email_key is not None and row.email_key != email_key:
            continue
        assert row.id is not None
        meant = on or max(local_date(now, row.zone), local_date(now, "UTC"))
        if row.paused_until is not None and row.paused_until > meant:
            word = "paused"
        elif is_resting(row, now):
            word = RESTED
        elif alerts_store.count_alerts_on(session, row.id, row.zone, meant) >= limits.alerts_a_day:
            word = "capped"
        else:
            made = compose_for(rt, session, row, meant, "alert")
            word = "mails" if made is not None else "nothing_new"
            if made is not None and alerts_store.has_alert(session, quarter(now), row.email_key):
                word = "bundled"
        groups.setdefault(word, []).append(row.id)
    return groups
