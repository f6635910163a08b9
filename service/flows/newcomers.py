"""Newcomers: a person read from what an admin typed or listed, and entered.

Who left is brought back by nobody else; nobody is asked to confirm unless a row says so, and the
first digest says who added them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from service.flows.interests import Wanted, add_interest, read_kind
from service.flows.runtime import Runtime
from service.flows.spreadsheet import ReaderError
from service.flows.subscribe import mail_confirm, set_active
from service.store import consent as consent_store
from service.store import subscribers as subscribers_store
from service.store.db import Session
from service.store.tables import SubscriberRow
from service.subscribers.address import Address, read_address
from service.subscribers.cadence import read_hour, read_weekdays, read_zone
from service.subscribers.model import Cadence

_WORDS = {"query": "profile", "keywords": "keywords", "follow": "people"}
"""The columns that hold interests, by their kind."""

_NAMED = re.compile(r"\s*(?P<name>[^<>]*?)\s*<(?P<address>[^<>]+@[^<>]+)>\s*")
"""An address as a mail program copies it: Anna Ek <anna@example.org>."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReader:
    """One reader, read and checked. wanted: one interest or several · weekdays: "" = the setting ·
    confirmed: nothing is mailed; else a confirmation goes out."""

    address: Address
    wanted: tuple[Wanted, ...]
    confirmed: bool = True
    name: str = ""
    zone: str = ""
    hour: int | None = None
    weekdays: str = ""
    cadence: Cadence = Cadence.DAILY


def read_new(cells: Mapping[str, str]) -> NewReader:
    """Read one row of a CSV (or the options of `subscribers add`). Raises PaperpostError."""
    email, name = cells.get("email", ""), cells.get("name", "").strip()
    if named := _NAMED.fullmatch(email):
        email, name = named["address"], name or named["name"].strip(" \"'")
    address = read_address(email)
    typed = {kind: cells.get(column, "").strip() for kind, column in _WORDS.items()}
    wanted = [read_kind(kind, text) for kind, text in typed.items() if text]
    cadence = (cells.get("cadence", "").strip() or "daily").lower()
    if cadence not in [c.value for c in Cadence]:
        raise ReaderError(f"{cadence!r} is no cadence.", "cadence", "Use instant, daily or weekly.")
    hour = cells.get("hour", "").strip()
    zone = cells.get("tz", "").strip()
    days = cells.get("weekdays", "").strip()
    return NewReader(
        address=address,
        wanted=tuple(wanted) or (read_kind("trending", ""),),
        confirmed=_truth(cells.get("confirmed", "")),
        name=name,
        zone=read_zone(zone) if zone else "",
        hour=read_hour(hour) if hour else None,
        weekdays=subscribers_store.days_text(read_weekdays(days.split(","))) if days else "",
        cadence=Cadence(cadence),
    )


def _truth(text: str) -> bool:
    word = text.strip().lower()
    if word in ("", "true", "1", "yes", "y", "ja", "wahr", "oui", "x"):
        return True
    if word in ("false", "0", "no", "n", "nein", "falsch", "non"):
        return False
    raise ReaderError(f"{text!r} is neither true nor false.", "confirmed", "Write true or false.")


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
            "This address was asked to confirm and has not yet.", "email", "Wait, or erase it."
        )
    if state:
        return ReaderError("This address is already in the list.", "email", "Change it there.")
    return None


def enter(
    rt: Runtime, session: Session, people: Sequence[Sequence[NewReader]], by: str
) -> list[SubscriberRow]:
    """Insert people against whom nothing stands: what is said of each in one row or several.

    The first row counts for name, zone, hour and days; each brings its interests. Who is not
    confirmed by every row gets a confirmation.
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
                "style": limits.abstracts,
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
                add_interest(session, row.id, wanted, now, cadence=new.cadence, taken=taken)
        confirmed = all(new.confirmed for new in said)
        hashed = consent_store.email_hash(rt.instance.key, row.email_key)
        consent_store.add_consent(
            session,
            subscriber_id=row.id,
            hashed=hashed,
            act="added" if confirmed else "request",
            now=now,
            detail=by,
        )
        if confirmed:
            row.added_by = rt.site.org or rt.site.name
            set_active(row, now)
        else:
            row.confirm_until = now + timedelta(days=limits.confirm_days)
            mail_confirm(rt, session, row, hashed, now, timedelta(), "")
    session.flush()
    return rows
