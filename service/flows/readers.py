"""Readers by an admin's hand: added one by one, imported from a list, exported and shown.

An import never revives someone who left; imported readers get no confirmation unless asked, and
their first digest says who added them.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from service.defaults import DAYS
from service.flows.import_rows import ImportReport, import_readers
from service.flows.newcomers import NewReader, enter, read_new, refusal
from service.flows.runtime import Runtime
from service.flows.spreadsheet import ReaderError
from service.flows.staff import write_audit
from service.store import consent as consent_store
from service.store import subscribers as subscribers_store
from service.store import tags as tags_store
from service.store.db import Priority, Session
from service.store.tables import SubscriberRow
from service.subscribers.cadence import quiet_text
from service.subscribers.model import FORMS, Profile, ProfileKind
from service.subscribers.options import read_options

__all__ = [
    "ImportReport", "ReaderError", "add_reader", "export_rows", "import_readers", "read_new",
    "summary",
]  # fmt: skip


def export_rows(rows: Sequence[SubscriberRow], session: Session) -> list[dict[str, Any]]:
    """Readers as rows that an import reads, one a reader and interest, with its state."""
    ids = [r.id for r in rows if r.id is not None]
    profiles = subscribers_store.list_profiles(session, ids)
    tags = tags_store.tags_of(session, ids)
    return [
        {
            "email": row.email,
            "profile": _text_of(each, ProfileKind.QUERY),
            "keywords": _text_of(each, ProfileKind.KEYWORDS),
            "confirmed": "false" if row.state == "pending" else "true",
            "name": row.name,
            "tz": row.zone,
            "hour": str(row.hour),
            "cadence": each.cadence.value if each else "",
            "people": _text_of(each, ProfileKind.FOLLOW),
            "weekdays": row.weekdays,
            "state": row.state,
            "paused_until": row.paused_until.isoformat() if row.paused_until else "",
            "language": row.locale,
            "abstracts": row.style,
            "weekly_day": DAYS[each.weekday] if each else "",
            "interest_name": each.name if each else "",
            "on_time": "true" if row.on_time else "",
            "at_least": str(row.at_least) if row.at_least > 1 else "",
            "tell_anyway": "true" if row.tell_anyway else "",
            **_choices_of(each),
            "format": row.format if row.format != FORMS[0] else "",
            "also_trending": "true" if row.trending else "",
            "picks": "" if row.picks else "false",
            "quiet": "" if row.quiet_from is None else quiet_text(row.quiet_from, row.quiet_until),
            "feed": "open" if row.feed_since is not None else "",
            "interest_paused": "true" if each is not None and each.paused else "",
            "tags": ", ".join(tags[row.id or 0]),
        }
        for row in rows
        if row.email
        for each in profiles.get(row.id or 0) or (None,)
    ]


def _choices_of(profile: Profile | None) -> dict[str, str]:
    """What was chosen for one interest, in the columns of an import."""
    if profile is None:
        return {}
    options = read_options(profile.options)
    news = options.signals
    return {
        "cap": str(profile.cap or ""),
        "threshold": f"{profile.threshold:g}" if profile.threshold else "",
        "own": options.own,
        "late_news": str(news.votes or "true") if news is not None else "",
    }


def _text_of(profile: Profile | None, kind: ProfileKind) -> str:
    return profile.text if profile is not None and profile.kind == kind else ""


def add_reader(rt: Runtime, new: NewReader, *, by: str = "admin", address: str = "") -> int:
    """Add one reader, and put it on record; address: where ``by`` sat. Returns the reader's id.
    Raises ReaderError: already there, or barred."""

    def act(session: Session) -> int:
        reader_id = _add(rt, session, new, by)
        write_audit(
            session, rt.clock(), who=by, what="add reader", target=f"reader {reader_id}",
            address=address,
        )  # fmt: skip
        return reader_id

    return rt.db.write(act, Priority.WEB)


def _add(rt: Runtime, session: Session, new: NewReader, by: str) -> int:
    hashed = consent_store.email_hash(rt.instance.key, new.address.key)
    bars = consent_store.find_suppressions(session, [hashed])
    there = subscribers_store.get_subscriber_row(session, email_key=new.address.key)
    refused = refusal(rt, there.state if there else "", bars.get(hashed, ""))
    if refused is not None:
        raise refused
    (row,) = enter(rt, session, [[new]], by)
    assert row.id is not None
    return row.id


def summary(rows: list[SubscriberRow], session: Session) -> list[dict[str, Any]]:
    """One object per reader for `subscribers list` and the admin page."""
    ids = [r.id for r in rows if r.id is not None]
    profiles = subscribers_store.list_profiles(session, ids)
    tags = tags_store.tags_of(session, ids)

    def iso(at: datetime | None) -> str | None:
        return at.isoformat() if at else None

    return [
        {
            "id": row.id,
            "email": row.email,
            "name": row.name,
            "state": row.state,
            "interests": [
                {
                    "name": p.name,
                    "kind": p.kind.value,
                    "text": p.text,
                    "cadence": p.cadence.value,
                    "paused": p.paused,
                    "cap": p.cap,
                    "threshold": p.threshold,
                    "own": read_options(p.options).own,
                    "late_news": read_options(p.options).signals is not None,
                }
                for p in profiles.get(row.id or 0, [])
            ],
            "zone": row.zone,
            "hour": row.hour,
            "weekdays": row.weekdays,
            "locale": row.locale,
            "format": row.format,
            "abstracts": row.style,
            "trending": row.trending,
            "picks": row.picks,
            "on_time": row.on_time,
            "at_least": row.at_least,
            "tell_anyway": row.tell_anyway,
            "quiet": quiet_text(row.quiet_from, row.quiet_until),
            "feed_since": iso(row.feed_since),
            "next_digest_at": iso(row.next_digest_at),
            "paused_until": row.paused_until.isoformat() if row.paused_until else None,
            "created_at": iso(row.created_at),
            "confirmed_at": iso(row.confirmed_at),
            "added_by": row.added_by,
            "tags": tags[row.id or 0],
            "rests_until": iso(row.rests_until),
        }
        for row in rows
    ]
