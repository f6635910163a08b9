"""Readers by an admin's hand: added one by one, imported from a list, exported and shown.

An import never revives someone who left; imported readers get no confirmation unless asked, and
their first digest says who added them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from service.defaults import DAYS
from service.errors import PaperpostError
from service.flows.newcomers import (
    NewReader,
    check_pause,
    enter,
    enter_interest,
    read_new,
    refusal,
)
from service.flows.runtime import Runtime
from service.flows.spreadsheet import ReaderError, read_columns, read_csv, to_csv
from service.store import consent as consent_store
from service.store import subscribers as subscribers_store
from service.store.db import Priority, Session
from service.store.tables import SubscriberRow
from service.subscribers.cadence import quiet_text
from service.subscribers.model import FORMS, Profile, ProfileKind
from service.subscribers.options import read_options

__all__ = ["ReaderError", "add_reader", "export_readers", "import_readers", "read_new", "summary"]

_HERE = ("active", "pending")
_OUT = {"left": "left", "bounced": "hard", "erased": "left"}
"""States of a row that keep a person out, and why the address is barred then."""


def export_readers(session: Session) -> list[dict[str, Any]]:
    """Every reader as rows that an import reads, one a reader and interest, with its state."""
    rows = subscribers_store.list_subscriber_rows(session)
    profiles = subscribers_store.list_profiles(session, [r.id for r in rows if r.id is not None])
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


def add_reader(rt: Runtime, new: NewReader, *, by: str = "admin") -> int:
    """Add one reader. Raises ReaderError: already there, or barred."""
    return rt.db.write(lambda s: _add(rt, s, new, by), Priority.WEB)


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


@dataclass(kw_only=True)
class ImportReport:
    """rows: read · added: rows that went in · readers: new ones in them (several rows of one
    address are several interests) · unchanged: there already · kept_out: rows that say left or
    bounced · problems: (row number, row, what) · columns: of the file, by our names · ignored:
    those that are not read."""

    rows: int = 0
    added: int = 0
    readers: int = 0
    unchanged: int = 0
    kept_out: int = 0
    problems: list[tuple[int, dict[str, str], str]] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)

    def add(self, part: "ImportReport") -> None:
        """Count a part of the same file in."""
        self.added += part.added
        self.readers += part.readers
        self.unchanged += part.unchanged
        self.kept_out += part.kept_out
        self.problems += part.problems

    def problems_csv(self) -> str:
        """The bad rows as a CSV with a column ``problem``, with commas whatever the list had."""
        rows = [{**row, "problem": problem} for _, row, problem in self.problems]
        columns = [name for name in self.columns if name != "problem"]
        return to_csv(rows, [*columns, "problem"])


@dataclass(frozen=True, slots=True)
class _Row:
    number: int
    cells: dict[str, str]
    new: NewReader

    @property
    def state(self) -> str:
        return self.cells.get("state", "").strip().lower()

    @property
    def is_out(self) -> bool:
        """An export says so of who left and whose mail bounced: they stay away here too."""
        return self.state in _OUT

    @property
    def is_returned(self) -> bool:
        """It was a bad row of an earlier import, so that nothing of it went in."""
        return bool(self.cells.get("problem", "").strip())


def import_readers(
    rt: Runtime, data: bytes, *, by: str = "admin", dry_run: bool = False
) -> ImportReport:
    """Import a CSV; bad rows come back as problems, the others go in. Raises ReaderError when the
    file as a whole cannot be read, or has a column that an import does not know.

    Several rows of one address are one reader with several interests. A reader who is there stays
    as they are; only a corrected bad row brings its interest to one the staff had added.
    """
    columns, rows = read_csv(data)
    report = ImportReport(rows=len(rows), columns=columns, ignored=read_columns(columns))
    people: dict[str, list[_Row]] = {}
    for number, cells in rows:
        try:
            row = _Row(number, cells, check_pause(rt, read_new(cells)))
        except PaperpostError as error:
            report.problems.append((number, cells, _problem(error)))
        else:
            people.setdefault(row.new.address.key, []).append(row)
    waiting = list(people.values())
    for start in range(0, len(waiting), 100):
        part = waiting[start : start + 100]
        report.add(
            rt.db.write(
                lambda s, p=part: _import_part(rt, s, p, by, dry_run),  # type: ignore[misc]
                Priority.BULK,
            )
        )
    report.problems.sort(key=lambda p: p[0])
    event = "import_tried" if dry_run else "import"
    rt.log(event, rows=report.rows, added=report.added, problems=len(report.problems))
    return report


def _problem(error: PaperpostError) -> str:
    """An error in one line; where the sentence does not name the character, that is added."""
    position = getattr(error, "position", 0)
    if position and f"character {position}" not in error.what:
        return f"{error.what} (character {position}) {error.next_step}".rstrip()
    return str(error)


def _import_part(
    rt: Runtime,
    session: Session,
    people: Sequence[Sequence[_Row]],
    by: str,
    dry_run: bool,
) -> ImportReport:
    """Decide on each person, then insert the new ones together."""
    report = ImportReport()
    keys = [rows[0].new.address.key for rows in people]
    hashes = {key: consent_store.email_hash(rt.instance.key, key) for key in keys}
    bars = consent_store.find_suppressions(session, list(hashes.values()))
    there = subscribers_store.find_subscribers(session, keys)
    most = rt.defaults().interests
    entering: list[list[NewReader]] = []
    for key, rows in zip(keys, people, strict=True):
        reader = there.get(key)
        state, bar = reader.state if reader else "", bars.get(hashes[key], "")
        refused = refusal(rt, state, bar)
        if any(row.is_out for row in rows) and state not in _HERE:
            report.kept_out += len(rows)
            if not bar and not dry_run:
                reason = next(_OUT[row.state] for row in rows if row.is_out)
                consent_store.add_suppression(session, hashes[key], reason, rt.clock(), by)
        elif reader is not None and not bar and _stays(state, rows):
            had = subscribers_store.list_profile_rows(session, reader.id or 0)
            returned = [row for row in rows if row.is_returned and reader.added_by]
            wanted = _chosen(returned, {(p.kind, p.text) for p in had}, most, report)
            report.unchanged += len(rows) - len(returned)
            for new in () if dry_run else wanted:
                for each in new.wanted:
                    enter_interest(session, reader.id or 0, new, each, rt.clock())
        elif refused is not None:
            report.problems += [(row.number, row.cells, _problem(refused)) for row in rows]
        else:
            entering.append(_chosen(rows, set(), most, report))
            report.readers += 1
    if entering and not dry_run:
        enter(rt, session, entering, by)
    return report


def _stays(state: str, rows: Sequence[_Row]) -> bool:
    """Whether these rows ask nothing more of a reader who is there than to be there."""
    return state == "active" or (state == "pending" and not all(r.new.confirmed for r in rows))


def _chosen(
    rows: Sequence[_Row], had: set[tuple[str, str]], most: int, report: ImportReport
) -> list[NewReader]:
    """The rows of one person with what is new in them: the same interest twice is one."""
    found = []
    for row in rows:
        fresh = [w for w in row.new.wanted if (w.kind.value, w.text) not in had]
        if len(had) + len(fresh) > most:
            problem = f"This reader would have more than {most} interests."
            report.problems.append((row.number, row.cells, problem))
            continue
        had |= {(w.kind.value, w.text) for w in fresh}
        report.added += bool(fresh)
        report.unchanged += not fresh
        if fresh:
            found.append(replace(row.new, wanted=tuple(fresh)))
    return found


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
        }
        for row in rows
    ]
