"""Newcomers: a person read from what an admin typed or listed, and entered.

Who left is brought back by nobody else; nobody is asked to confirm unless a row says so, and the
first digest says who added them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from service.defaults import DAYS, FIXED, parse
from service.delivery.i18n import SOURCE
from service.errors import PaperpostError
from service.flows import caps
from service.flows.agreed import WORDING, agreed_text
from service.flows.begin import set_active
from service.flows.hooks import tell_reader
from service.flows.interests import (
    InterestChange,
    Wanted,
    add_whole,
    read_cap,
    read_kind,
    read_own,
    read_threshold,
    read_votes,
)
from service.flows.runtime import Runtime
from service.flows.spreadsheet import ReaderError
from service.flows.subscribe import mail_confirm
from service.flows.tags import read_tags
from service.store import consent as consent_store
from service.store import subscribers as subscribers_store
from service.store import tags as tags_store
from service.store.db import Session
from service.store.tables import SubscriberRow
from service.subscribers.address import Address, cap_key, read_address
from service.subscribers.cadence import (
    local_date,
    read_at_least,
    read_hour,
    read_quiet_text,
    read_weekdays,
    read_zone,
)
from service.subscribers.model import FORMS, Cadence
from service.text.clean import collapse

_WORDS = {"query": "profile", "keywords": "keywords", "follow": "people"}
"""The columns that hold interests, by their kind."""

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")

_NAMED = re.compile(r"\s*(?P<name>[^<>]*?)\s*<(?P<address>[^<>]+@[^<>]+)>\s*")
"""An address as a mail program copies it: Anna Ek <anna@example.org>."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReader:
    """One reader, read and checked. wanted: one interest or several · weekdays: "" = the setting ·
    confirmed: nothing is mailed; else a confirmation goes out · paused_until: a local date ·
    locale, style: "" = as for everybody · weekday, interest_name: of what is wanted, "" = its
    first words · on_time, at_least, tell_anyway: as in ``Subscriber`` · cap, threshold, own,
    signals, votes: of what is wanted, as in ``InterestChange`` · format: "" = as for everybody ·
    trending, picks, quiet: as in ``manage.Choices`` · feed: theirs is open · rests: what is wanted
    is paused · tags: of the staff · agreed: when they agreed in another system, in its words."""

    address: Address
    wanted: tuple[Wanted, ...]
    confirmed: bool = True
    name: str = ""
    zone: str = ""
    hour: int | None = None
    weekdays: str = ""
    cadence: Cadence = Cadence.DAILY
    paused_until: date | None = None
    locale: str = ""
    style: str = ""
    weekday: int = DAYS.index(FIXED.weekly_day)
    interest_name: str = ""
    on_time: bool = False
    at_least: int = 1
    tell_anyway: bool = False
    cap: int | None = None
    threshold: float = 0.0
    own: str = ""
    signals: bool = False
    votes: int | None = None
    format: str = ""
    trending: bool = False
    picks: bool = True
    quiet: tuple[int, int] | None = None
    feed: bool = False
    rests: bool = False
    tags: tuple[str, ...] = ()
    agreed: str = ""


def read_new(cells: Mapping[str, str]) -> NewReader:
    """Read one row of a CSV (or the options of `subscribers add`). Raises PaperpostError."""
    email, name = cells.get("email", ""), collapse(cells.get("name", ""))
    if named := _NAMED.fullmatch(email):
        email, name = named["address"], name or collapse(named["name"].strip(" \"'"))
    address = read_address(email)
    typed = {kind: cells.get(column, "").strip() for kind, column in _WORDS.items()}
    wanted = [_kind(kind, text) for kind, text in typed.items() if text]
    cadence = (cells.get("cadence", "").strip() or "daily").lower()
    if cadence not in [c.value for c in Cadence]:
        raise ReaderError(f"{cadence!r} is no cadence.", "cadence", "Use instant, daily or weekly.")
    hour = cells.get("hour", "").strip()
    zone = cells.get("tz", "").strip()
    days = cells.get("weekdays", "").strip()
    return NewReader(
        address=address,
        wanted=tuple(wanted) or (_kind("trending", ""),),
        confirmed=_truth(cells.get("confirmed", "")),
        name=name,
        zone=read_zone(zone) if zone else "",
        hour=read_hour(hour) if hour else None,
        weekdays=subscribers_store.days_text(read_weekdays(days.split(","))) if days else "",
        cadence=Cadence(cadence),
        **_read_choices(cells),
    )


@lru_cache(maxsize=512)
def _kind(kind: str, text: str) -> Wanted:
    """An interest of a list, whose rows often say the same. Raises QueryError."""
    return read_kind(kind, text)


def _read_choices(cells: Mapping[str, str]) -> dict[str, Any]:
    """What a reader chose beside words and hour; a cell that is empty says nothing."""
    chosen: dict[str, Any] = {"interest_name": collapse(cells.get("interest_name", ""))}
    chosen |= {"tags": read_tags(cells.get("tags", "")), "agreed": cells.get("agreed", "")[:40]}
    if until := cells.get("paused_until", "").strip():
        try:
            chosen["paused_until"] = date.fromisoformat(until)
        except ValueError:
            what = f"{until[:40]!r} is no date."
            raise ReaderError(what, "paused_until", "Write it like 2026-12-31.") from None
    if language := cells.get("language", "").strip():
        if len(language) > 16 or not _LANGUAGE.fullmatch(language):
            what = f"{language[:40]!r} is no language."
            raise ReaderError(what, "language", "Write it like en or de.")
        chosen["locale"] = language
    if style := cells.get("abstracts", "").strip():
        chosen["style"] = str(parse("abstracts", style))
    if on_time := cells.get("on_time", "").strip():
        chosen["on_time"] = _truth(on_time, "on_time")
    chosen["at_least"] = read_at_least(cells.get("at_least", ""))
    if anyway := cells.get("tell_anyway", "").strip():
        chosen["tell_anyway"] = _truth(anyway, "tell_anyway")
    chosen |= _read_look(cells) | _read_interest(cells)
    if day := cells.get("weekly_day", "").strip():
        days = read_weekdays([day])
        chosen["weekday"] = min(days)
    return chosen


def _read_look(cells: Mapping[str, str]) -> dict[str, Any]:
    """Form, sections, hours without alerts, and the feed. A fault names its column."""
    chosen: dict[str, Any] = {}
    if form := cells.get("format", "").strip().lower():
        if form not in FORMS:
            raise ReaderError(f"{form[:20]!r} is no form.", "format", f"Use {', '.join(FORMS)}.")
        chosen["format"] = form
    for column, field in (
        ("also_trending", "trending"),
        ("picks", "picks"),
        ("interest_paused", "rests"),
    ):
        if said := cells.get(column, "").strip():
            chosen[field] = _truth(said, column)
    hours = read_quiet_text(cells.get("quiet", ""))
    chosen["quiet"] = None if hours == "usual" else hours
    if feed := cells.get("feed", "").strip().lower():
        chosen["feed"] = feed == "open" or (feed != "closed" and _truth(feed, "feed"))
    return chosen


def _read_interest(cells: Mapping[str, str]) -> dict[str, Any]:
    """What was chosen for the row's interest. A fault names its column."""
    chosen: dict[str, Any] = {
        "cap": read_cap(cells.get("cap", "")),
        "threshold": read_threshold(cells.get("threshold", "")),
    }
    news = cells.get("late_news", "").strip()
    try:
        chosen["own"] = read_own(cells["own"]) if cells.get("own", "").strip() else ""
        if news.isdecimal() and news not in ("0", "1"):
            chosen |= {"signals": True, "votes": read_votes(news)}
    except PaperpostError as error:
        error.where = "late_news" if error.where == "votes" else "own"
        raise
    if news and "signals" not in chosen:
        chosen["signals"] = _truth(news, "late_news")
    return chosen


def check_pause(rt: Runtime, new: NewReader) -> NewReader:
    """Raises ReaderError: a pause that is longer than allowed. One that is over is none."""
    if new.paused_until is None:
        return new
    today = local_date(rt.clock(), new.zone or rt.zone)
    last = today + timedelta(days=rt.defaults().pause_days)
    if new.paused_until > last:
        what = f"A pause until {new.paused_until} is too long."
        raise ReaderError(what, "paused_until", f"At the latest {last}.")
    return new if new.paused_until > today else replace(new, paused_until=None)


def _truth(text: str, where: str = "confirmed") -> bool:
    word = text.strip().lower()
    if word in ("", "true", "1", "yes", "y", "ja", "wahr", "oui", "x"):
        return True
    if word in ("false", "0", "no", "n", "nein", "falsch", "non"):
        return False
    raise ReaderError(f"{text!r} is neither true nor false.", where, "Write true or false.")


def refusal(rt: Runtime, state: str, bar: str) -> ReaderError | None:
    """Why a person cannot be added; None when nothing is against it.

    state: of the reader that is there already, "" for nobody · bar: why the address is suppressed.
    """
    if "left" in (state, bar):
        return ReaderError(
            "This person left; nobody else brings them back.",
            "email",
            f"They can ask again themselves at {rt.links.home()}",
        )
    if bar == consent_store.BARRED_BY_LIST:
        return ReaderError(
            "This address is suppressed by an imported list.",
            "email",
            f"Its owner can ask for mail themselves at {rt.links.home()}",
        )
    if bar:
        return ReaderError(
            f"This address is suppressed ({bar}).",
            "email",
            "When it works again: paperpost suppressions remove, with the address."
            if bar in ("hard", "soft")
            else "It must not be mailed.",
        )
    if state == "pending":
        return ReaderError(
            "This address was asked to confirm and has not yet.",
            "email",
            "Wait, erase it, or: paperpost subscribers confirm-again, with the address.",
        )
    if state:
        return ReaderError(
            "This address is already in the list.",
            "email",
            f"paperpost subscribers show EMAIL; it is changed at {rt.links.admin('readers')}",
        )
    return None


def enter_interest(
    session: Session,
    reader_id: int,
    new: NewReader,
    wanted: Wanted,
    now: datetime,
    taken: set[str] | None = None,
) -> None:
    """Store one interest of a row, called and timed as the row says. taken: as in
    ``add_profile``."""
    change = InterestChange(
        wanted=wanted,
        name=new.interest_name,
        cadence=new.cadence,
        weekday=new.weekday,
        cap=new.cap,
        threshold=new.threshold,
        own=new.own,
        signals=new.signals,
        votes=new.votes,
    )
    made = add_whole(session, reader_id, change, now, taken=taken)
    made.paused = new.rests


def _basis(basis: Mapping[str, str] | None, new: NewReader) -> dict[str, str] | None:
    """What is kept of a reader's consent, where a list was asked for it."""
    if basis is None:
        return None
    return {**basis, "since": new.agreed} if new.agreed else dict(basis)


def enter(
    rt: Runtime,
    session: Session,
    people: Sequence[Sequence[NewReader]],
    by: str,
    basis: Mapping[str, str] | None = None,
) -> list[SubscriberRow]:
    """Insert people against whom nothing stands: what is said of each in one row or several.

    The first row counts for what is the reader's own; each brings its interests. Who is not
    confirmed by every row gets a confirmation. basis: of consent, kept in each record.
    """
    now, limits = rt.clock(), rt.defaults()
    rows = subscribers_store.add_subscribers(
        session,
        now,
        [
            {
                "email": first.address.email,
                "email_key": first.address.key,
                "name": first.name[:200],
                "zone": first.zone or rt.zone,
                "hour": limits.hour if first.hour is None else first.hour,
                "weekdays": first.weekdays or limits.weekdays,
                "style": first.style or limits.abstracts,
                "locale": first.locale or SOURCE,
                "paused_until": first.paused_until,
                "on_time": first.on_time,
                "at_least": first.at_least,
                "tell_anyway": first.tell_anyway,
                "format": first.format or FORMS[0],
                "trending": first.trending,
                "picks": first.picks,
                "quiet_from": first.quiet[0] if first.quiet else None,
                "quiet_until": first.quiet[1] if first.quiet else None,
                "feed_since": now if first.feed else None,
                "state": "pending",
            }
            for first, *_ in people
        ],
    )
    for row, said in zip(rows, people, strict=True):
        assert row.id is not None
        taken: set[str] = set()
        for new in said:
            for wanted in new.wanted:
                enter_interest(session, row.id, new, wanted, now, taken)
        confirmed = all(new.confirmed for new in said)
        hashed = consent_store.email_hash(rt.instance.key, row.email_key)
        consent_store.add_consent(
            session,
            subscriber_id=row.id,
            hashed=hashed,
            act="added" if confirmed else "request",
            now=now,
            wording=WORDING,
            detail=agreed_text(
                row,
                [(wanted.kind.value, wanted.text) for new in said for wanted in new.wanted],
                by=by,
                basis=_basis(basis, said[0]),
            ),
        )
        if confirmed:
            row.added_by = rt.site.org or rt.site.name
            set_active(row, now)
            tell_reader(session, now, "reader.joined", row, "added")
        else:
            row.confirm_until = now + timedelta(days=limits.confirm_days)
            mail_confirm(rt, session, row, hashed, now, timedelta(), "")
            counted = consent_store.email_hash(rt.instance.key, cap_key(row.email_key))
            caps.note_mail(session, caps.UNASKED, hashed=counted, now=now)
    tags_store.add_tags(
        session,
        [
            (row.id or 0, tag)
            for row, said in zip(rows, people, strict=True)
            for new in said
            for tag in new.tags
        ],
    )
    session.flush()
    return rows
