"""Readers by an admin's hand: added one by one, or imported from a list.

An import never revives someone who left; imported readers get no confirmation unless asked, and
their first digest says who added them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from service.errors import PaperpostError
from service.flows.interests import Wanted, add_interest, read_kind
from service.flows.runtime import Runtime
from service.flows.spreadsheet import ReaderError, read_columns, read_csv, to_csv
from service.flows.subscribe import activate, mail_confirm
from service.store import consent as consent_store
from service.store import subscribers as subscribers_store
from service.store.db import Priority, Session
from service.store.tables import SubscriberRow
from service.subscribers.address import Address, read_address
from service.subscribers.cadence import read_hour, read_zone
from service.subscribers.model import Cadence, Profile, ProfileKind

_NAMED = re.compile(r"\s*(?P<name>[^<>]*?)\s*<(?P<address>[^<>]+@[^<>]+)>\s*")
"""An address as a mail program copies it: Anna Ek <anna@example.org>."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReader:
    """One reader, read and checked. confirmed: nothing is mailed; else a confirmation goes out."""

    address: Address
    wanted: Wanted
    confirmed: bool = True
    name: str = ""
    zone: str = ""
    hour: int | None = None
    cadence: Cadence = Cadence.DAILY


@dataclass(kw_only=True)
class ImportReport:
    """rows: read · added · unchanged: already there · problems: (row number, row, what) ·
    columns: of the file, by our names · ignored: those of them that are not read."""

    rows: int = 0
    added: int = 0
    unchanged: int = 0
    problems: list[tuple[int, dict[str, str], str]] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)

    def problems_csv(self) -> str:
        """The bad rows as a CSV with a column ``problem``."""
        rows = [{**row, "problem": problem} for _, row, problem in self.problems]
        return to_csv(rows, [*self.columns, "problem"])


def export_readers(session: Session) -> list[dict[str, Any]]:
    """Every reader as rows that an import reads, one a reader and interest, with its state."""
    rows = subscribers_store.list_subscriber_rows(session)
    profiles = subscribers_store.list_profiles(session, [r.id for r in rows if r.id is not None])
    return [
        {
            "email": row.email,
            "profile": _as_query(each),
            "keywords": each.text if each.kind == ProfileKind.KEYWORDS else "",
            "confirmed": "false" if row.state == "pending" else "true",
            "name": row.name,
            "tz": row.zone,
            "hour": str(row.hour),
            "cadence": each.cadence.value,
            "state": row.state,
        }
        for row in rows
        for each in profiles.get(row.id or 0, [])
        if row.email
    ]


def _as_query(profile: Profile) -> str:
    """The text of a query; the people of a follow as a query, since the table knows no people."""
    if profile.kind == ProfileKind.FOLLOW:
        return " OR ".join(f'au:"{name}"' for name in profile.text.splitlines() if name.strip())
    return profile.text if profile.kind == ProfileKind.QUERY else ""


def add_reader(rt: Runtime, new: NewReader, *, by: str = "admin") -> int:
    """Add one reader. Raises ReaderError: already there, or barred."""
    return rt.db.write(lambda s: _add(rt, s, new, by), Priority.WEB)


def _add(rt: Runtime, session: Session, new: NewReader, by: str) -> int:
    now, limits = rt.clock(), rt.defaults()
    hashed = consent_store.email_hash(rt.instance.key, new.address.key)
    barred = consent_store.get_suppression(session, hashed)
    there = subscribers_store.get_subscriber_row(session, email_key=new.address.key)
    if (there is not None and there.state == "left") or (barred and barred.reason == "left"):
        raise ReaderError(
            "This person left; nobody else brings them back.",
            "email",
            f"They can ask again themselves at {rt.links.home()}",
        )
    if barred is not None:
        raise ReaderError(
            f"This address is suppressed ({barred.reason}).",
            "email",
            "When it works again: paperpost suppressions remove, with the address."
            if barred.reason in ("hard", "soft")
            else "It must not be mailed.",
        )
    if there is not None:
        raise ReaderError("This address is already in the list.", "email", "Change it there.")
    row = subscribers_store.add_subscriber(
        session,
        email=new.address.email,
        email_key=new.address.key,
        now=now,
        name=new.name[:200],
        zone=new.zone or rt.zone,
        hour=limits.hour if new.hour is None else new.hour,
        weekdays=limits.weekdays,
        style=limits.abstracts,
        added_by=(rt.site.org or rt.site.name) if new.confirmed else "",
        confirm_until=None if new.confirmed else now + timedelta(days=limits.confirm_days),
        state="pending",
    )
    assert row.id is not None
    add_interest(session, row.id, new.wanted, now, cadence=new.cadence)
    consent_store.add_consent(
        session,
        subscriber_id=row.id,
        hashed=hashed,
        act="added" if new.confirmed else "request",
        now=now,
        detail=by,
    )
    if new.confirmed:
        activate(session, row, now, since=None)
    else:
        mail_confirm(rt, session, row, hashed, now, timedelta(), "")
    return row.id


def read_new(rt: Runtime, cells: Mapping[str, str]) -> NewReader:
    """Read one row of a CSV (or the options of `subscribers add`). Raises PaperpostError."""
    del rt
    email, name = cells.get("email", ""), cells.get("name", "").strip()
    if named := _NAMED.fullmatch(email):
        email, name = named["address"], name or named["name"].strip(" \"'")
    address = read_address(email)
    query, keywords = cells.get("profile", "").strip(), cells.get("keywords", "").strip()
    if query:
        wanted = read_kind("query", query)
    elif keywords:
        wanted = read_kind("keywords", keywords)
    else:
        wanted = read_kind("trending", "")
    cadence = (cells.get("cadence", "").strip() or "daily").lower()
    if cadence not in [c.value for c in Cadence]:
        raise ReaderError(f"{cadence!r} is no cadence.", "cadence", "Use instant, daily or weekly.")
    hour = cells.get("hour", "").strip()
    zone = cells.get("tz", "").strip()
    return NewReader(
        address=address,
        wanted=wanted,
        confirmed=_truth(cells.get("confirmed", "")),
        name=name,
        zone=read_zone(zone) if zone else "",
        hour=read_hour(hour) if hour else None,
        cadence=Cadence(cadence),
    )


def _truth(text: str) -> bool:
    word = text.strip().lower()
    if word in ("", "true", "1", "yes", "y", "ja", "wahr", "oui", "x"):
        return True
    if word in ("false", "0", "no", "n", "nein", "falsch", "non"):
        return False
    raise ReaderError(f"{text!r} is neither true nor false.", "confirmed", "Write true or false.")


def import_readers(
    rt: Runtime, data: bytes, *, by: str = "admin", dry_run: bool = False
) -> ImportReport:
    """Import a CSV; bad rows come back as problems, the others go in. Raises ReaderError when the
    file as a whole cannot be read, or has a column that an import does not know."""
    columns, rows = read_csv(data)
    report = ImportReport(rows=len(rows), columns=columns, ignored=read_columns(columns))
    good: list[tuple[int, dict[str, str], NewReader]] = []
    seen: set[str] = set()
    for number, cells in rows:
        try:
            new = read_new(rt, cells)
        except PaperpostError as error:
            report.problems.append((number, cells, str(error)))
            continue
        if new.address.key in seen:
            report.unchanged += 1
            continue
        seen.add(new.address.key)
        good.append((number, cells, new))
    for start in range(0, len(good), 100):
        part = good[start : start + 100]
        rt.db.write(
            lambda s, p=part: _import_part(rt, s, p, by, dry_run, report),  # type: ignore[misc]
            Priority.BULK,
        )
    report.problems.sort(key=lambda p: p[0])
    event = "import_tried" if dry_run else "import"
    rt.log(event, rows=report.rows, added=report.added, problems=len(report.problems))
    return report


class _DryRunError(Exception):
    """Takes a dry run's rows back."""


def _import_part(
    rt: Runtime,
    session: Session,
    part: list[tuple[int, dict[str, str], NewReader]],
    by: str,
    dry_run: bool,
    report: ImportReport,
) -> None:
    for number, cells, new in part:
        there = subscribers_store.get_subscriber_row(session, email_key=new.address.key)
        if there is not None and there.state == "active":
            report.unchanged += 1
            continue
        try:
            with session.begin_nested():
                _add(rt, session, new, by)
                if dry_run:
                    raise _DryRunError
            report.added += 1
        except _DryRunError:
            report.added += 1
        except PaperpostError as error:
            report.problems.append((number, cells, str(error)))


def summary(rows: list[SubscriberRow], session: Session) -> list[dict[str, Any]]:
    """One object per reader for `subscribers list` and the admin page."""
    profiles = subscribers_store.list_profiles(session, [r.id for r in rows if r.id is not None])

    def iso(at: datetime | None) -> str | None:
        return at.isoformat() if at else None

    return [
        {
            "id": row.id,
            "email": row.email,
            "name": row.name,
            "state": row.state,
            "interests": [
                {"name": p.name, "kind": p.kind.value, "text": p.text, "cadence": p.cadence.value}
                for p in profiles.get(row.id or 0, [])
            ],
            "zone": row.zone,
            "hour": row.hour,
            "weekdays": row.weekdays,
            "locale": row.locale,
            "next_digest_at": iso(row.next_digest_at),
            "paused_until": row.paused_until.isoformat() if row.paused_until else None,
            "created_at": iso(row.created_at),
            "confirmed_at": iso(row.confirmed_at),
            "added_by": row.added_by,
        }
        for row in rows
    ]
