"""What is stored about a reader, taken along: all of it as JSON, the papers they had as lists.

Written in pieces, a hundred mails at a time: a reader of years needs no more memory than a new one.
``TABLES`` names every table with something of a person in it, and what becomes of it here; a test
compares it with the database.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from service.flows.agreed import told
from service.flows.consequence import ENDS
from service.flows.exports import note_export
from service.flows.runtime import Runtime
from service.flows.spreadsheet import csv_lines
from service.flows.staff_interests import facts_of
from service.papers.model import Paper
from service.papers.reference_files import bibtex, ris
from service.store import consent as consent_store
from service.store import imports as imports_store
from service.store import own_rows, report_lists
from service.store import papers as papers_store
from service.store import releases as releases_store
from service.store import submissions as submissions_store
from service.store import subscribers as subscribers_store
from service.store import tags as tags_store
from service.store import votes as votes_store
from service.store import workbench as workbench_store
from service.store.db import Session
from service.store.own_rows import HadRow
from service.store.tables import AttemptRow, ConsentRow, DeliveryRow, SubscriberRow
from service.store.twins import current_ids
from service.subscribers.cadence import local_date

PORTION = 100
"""Mails read at a time."""

_PAPERS = 500
_SECRETS = frozenset({"unsubscribe_token", "feed_token"})
"""Columns of a reader that are keys to their pages: whoever has the file must not have those."""

TABLES: Mapping[str, str] = {
    "subscriber": "subscriber",
    "profile": "interests",
    "interest_count": "interests: counted_papers",
    "consent": "consent",
    "suppression": "suppression",
    "delivery": "mails",
    "attempt": "mails: attempts",
    "sent_paper": "papers",
    "carry": "papers_waiting",
    "feedback": "feedback",
    "match": "matches",
    "report": "reports",
    "inbound": "reports",
    "reader_tag": "tags",
    "submission": "proposals",
    "vote": "votes",
    "release_wait": "waits_for_release",
    "reader_imported": "lists",
}
"""Tables that hold something of a reader, and where it stands in the file."""


@dataclass(frozen=True, slots=True)
class HadPaper:
    """A paper that a reader had. on, kind: of the mail, None where it is not known any more · sign:
    what they said of it."""

    paper: Paper
    on: date | None
    kind: str
    occasion: str
    sign: int


# ---- everything, as JSON ----


def export_reader(rt: Runtime, email_key: str) -> dict[str, Any] | None:
    """Everything stored about a reader as plain JSON values; None for nobody."""
    row = rt.db.read(lambda s: subscribers_store.get_subscriber_row(s, email_key=email_key))
    if row is None or row.id is None:
        return None
    return {
        name: value if not isinstance(value, Iterator) else list(value)
        for name, value in _parts(rt, row)
    }


def hand_out(rt: Runtime, reader_id: int, *, by: str, address: str = "") -> Iterator[str]:
    """The same taken away by the staff: on record before its first letter."""
    which = f"reader {reader_id}"
    note_export(rt, "readers", 1, which=which, form="json", by=by, address=address)
    return export_text(rt, reader_id)


def export_text(rt: Runtime, reader_id: int) -> Iterator[str]:
    """The same as the text of a JSON file, in pieces."""
    row = rt.db.read(lambda s: subscribers_store.get_subscriber_row(s, id=reader_id))
    if row is None:
        yield "{}\n"
        return
    lead = "{\n"
    for name, value in _parts(rt, row):
        yield f"{lead}{json.dumps(name)}: "
        lead = ",\n"
        if not isinstance(value, Iterator):
            yield _json(value)
            continue
        inner = "[\n"
        for one in value:
            yield inner + _json(one)
            inner = ",\n"
        yield "[]" if inner == "[\n" else "\n]"
    yield "\n}\n"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | datetime) else value


def _parts(rt: Runtime, row: SubscriberRow) -> Iterator[tuple[str, Any]]:
    assert row.id is not None
    reader_id = row.id
    yield (
        "about",
        {
            "service": rt.site.name,
            "run_by": rt.site.org,
            "written_at": rt.clock().isoformat(),
            "left_out": "the random texts in your links, which open your pages, and the bytes of"
            " mails that came back, which hold them",
        },
    )
    yield from rt.db.read(lambda s: _facts(rt, s, row)).items()
    yield "mails", _mails(rt, reader_id)
    yield "reports", _reports(rt, reader_id)
    yield "papers", _had(rt, row)
    yield "matches", _matches(rt, reader_id)


def _facts(rt: Runtime, session: Session, row: SubscriberRow) -> dict[str, Any]:
    assert row.id is not None
    hashed = consent_store.email_hash(rt.instance.key, row.email_key)
    bar = consent_store.get_suppression(session, hashed)
    marks = own_rows.list_marks(session, row.id)
    waiting = own_rows.list_waiting_papers(session, row.id)
    votes = votes_store.list_voted(session, row.id)
    voted_for = _names(session, [*votes])
    counted = workbench_store.list_counts(session, row.id)
    names = _names(session, [*(mark.paper_id for mark in marks), *waiting])
    return {
        "subscriber": {k: _plain(v) for k, v in row.model_dump().items() if k not in _SECRETS},
        "interests": [
            {
                **facts_of(p),
                "id": p.id,
                "created_at": _plain(p.created_at),
                "changed_at": _plain(p.changed_at),
                "matched_at": _plain(p.matched_at),
                "options": p.options,
                "counted_papers": counted.get(p.id or 0),
            }
            for p in subscribers_store.list_profile_rows(session, row.id)
        ],
        "consent": [told(c) | {"detail": c.detail} for c in _acts(session, row.id, hashed)],
        "suppression": {
            "reason": bar.reason,
            "since": _plain(bar.since),
            "detail": ": ".join(filter(None, bar.detail.split("\n"))),
        }
        if bar is not None
        else None,
        "feedback": [
            {"paper": names.get(m.paper_id, ""), "more": m.sign > 0, "at": _plain(m.at)}
            for m in marks
        ],
        "papers_waiting": [names.get(i, "") for i in waiting],
        "proposals": [
            {
                "at": _plain(one.at),
                "paper": one.named,
                "link": one.link,
                "words": one.words,
                "name": one.name,
                "state": one.state,
                "listed_on": _plain(one.listed_on),
            }
            for one in submissions_store.list_submissions(
                session, submissions_store.Wanted(reader_id=row.id), sort="at"
            )
        ],
        "votes": [{"paper": voted_for.get(i, ""), "at": _plain(at)} for i, at in votes.items()],
        "waits_for_release": _plain(releases_store.waits_for(session, [row.id]).get(row.id)),
        "tags": list(tags_store.tags_of(session, [row.id])[row.id]),
        "lists": [
            {"at": _plain(one.at), "form": one.form, "by": one.done_by}
            for one in imports_store.list_of_reader(session, row.id)
        ],
    }


def _acts(session: Session, reader_id: int, hashed: str) -> list[ConsentRow]:
    """Of the reader, and of the address where nothing but the request was kept."""
    acts = [
        *consent_store.list_consents(session, reader_id),
        *consent_store.list_of_address(session, hashed),
    ]
    return sorted({c.id: c for c in acts}.values(), key=lambda c: (c.at, c.id or 0))


def _names(session: Session, ids: list[int]) -> dict[int, str]:
    """ "arxiv/2611.00001", by which our pages and the API know a paper."""
    keys = papers_store.list_keys(session, list(dict.fromkeys(ids)))
    return {i: f"{scheme}/{value}" for i, (scheme, value) in keys.items()}


def _reports(rt: Runtime, reader_id: int) -> list[dict[str, Any]]:
    """What came in about their mails, oldest first."""
    found = rt.db.read(lambda s: report_lists.list_of_reader(s, reader_id, None))
    return [
        {
            "at": _plain(report.at),
            "kind": report.kind,
            "reason": report.reason,
            "address": report.recipient,
            "code": report.code,
            "status": report.status,
            "words": report.words,
            "server": report.mta,
            "followed": ENDS.get(report.said, report.said),
            "from": row.sender,
            "subject": row.subject,
            "mail": report.delivery_id,
        }
        for report, row in reversed(found)
    ]


def _mails(rt: Runtime, reader_id: int) -> Iterator[dict[str, Any]]:
    after = 0
    while True:
        made, after = rt.db.read(lambda s, a=after: _mails_of(s, reader_id, a))  # type: ignore[misc]
        yield from made
        if len(made) < PORTION:
            return


def _mails_of(session: Session, reader_id: int, after: int) -> tuple[list[dict[str, Any]], int]:
    rows = own_rows.list_own_mails(session, reader_id, after, PORTION)
    ids = [row.id or 0 for _, _, row in rows]
    tries = own_rows.list_own_attempts(session, ids)
    made = [_mail(kind, slot, row, tries.get(row.id or 0, [])) for kind, slot, row in rows]
    return made, ids[-1] if ids else after


def _mail(kind: str, slot: str, row: DeliveryRow, tries: list[AttemptRow]) -> dict[str, Any]:
    return {
        "occasion": kind,
        "of": slot,
        "kind": row.kind,
        "address": row.rcpt,
        "language": row.locale,
        "state": row.state,
        "reason": row.reason,
        "code": row.code,
        "planned_at": _plain(row.planned_at),
        "accepted_at": _plain(row.accepted_at),
        "message_id": row.message_id,
        "content": _scrubbed(row.content),
        "attempts": [
            {"at": _plain(one.at), "phase": one.phase, "code": one.code, "answer": one.text}
            for one in tries
        ],
    }


def _scrubbed(content: Any) -> Any:
    """What a mail held, less the links that open pages of its reader."""
    if not isinstance(content, dict):
        return content
    data = content.get("data")
    if not isinstance(data, dict):
        return content
    kept = {k: v for k, v in data.items() if k not in ("link", "never") and "_url" not in k}
    return {**content, "data": kept}


def _matches(rt: Runtime, reader_id: int) -> Iterator[dict[str, Any]]:
    after = (0, 0)

    def read(session: Session, begin: tuple[int, int]) -> list[tuple[int, int, float, str]]:
        rows = own_rows.list_own_matches(session, reader_id, begin, _PAPERS)
        names = _names(session, [paper for _, paper, _ in rows])
        return [(profile, paper, score, names.get(paper, "")) for profile, paper, score in rows]

    while True:
        rows = rt.db.read(lambda s, a=after: read(s, a))  # type: ignore[misc]
        for profile, _, score, name in rows:
            yield {"interest": profile, "paper": name, "score": round(score, 3)}
        if len(rows) < _PAPERS:
            return
        after = rows[-1][0], rows[-1][1]


# ---- the papers ----


def had_papers(rt: Runtime, reader_id: int, *, liked: bool = False) -> Iterator[list[HadPaper]]:
    """Papers that a reader had, in portions. liked: those of which they wanted more."""
    row = rt.db.read(lambda s: subscribers_store.get_subscriber_row(s, id=reader_id))
    marks = rt.db.read(lambda s: own_rows.list_marks(s, reader_id))
    signs = {mark.paper_id: mark.sign for mark in marks}
    after = (0, "")
    while row is not None:
        rows = rt.db.read(lambda s, a=after: own_rows.list_had(s, reader_id, a, _PAPERS))  # type: ignore[misc]
        wanted = [one for one in rows if not liked or signs.get(one.paper_id, 0) > 0]
        if wanted:
            yield rt.db.read(lambda s, w=wanted: _papers(s, w, signs, row))  # type: ignore[misc]
        if len(rows) < _PAPERS:
            return
        after = rows[-1].paper_id, rows[-1].occasion


def _papers(
    session: Session, rows: list[HadRow], signs: Mapping[int, int], reader: SubscriberRow
) -> list[HadPaper]:
    stored = papers_store.get_rows(session, [row.paper_id for row in rows])
    now = current_ids(session, list(stored))  # one that was joined with another counts as that
    made = []
    for row in rows:
        if row.paper_id not in stored or now[row.paper_id] != row.paper_id:
            continue
        paper = papers_store.to_paper(*stored[row.paper_id])
        made.append(
            HadPaper(paper, _day(row, reader), row.kind or "", row.occasion, signs.get(paper.id, 0))
        )
    return made


def _day(row: HadRow, reader: SubscriberRow) -> date | None:
    if row.kind == "digest" and row.slot:
        return date.fromisoformat(row.slot)
    return local_date(row.accepted_at, reader.zone) if row.accepted_at is not None else None


def _had(rt: Runtime, row: SubscriberRow) -> Iterator[dict[str, Any]]:
    for portion in had_papers(rt, row.id or 0):
        for one in portion:
            key = one.paper.key
            yield {
                "paper": f"{key.scheme}/{key.value}",
                "title": one.paper.title,
                "mail": one.kind,
                "on": _plain(one.on),
                "later_news": one.occasion == "signal",
            }


_COLUMNS = ("date", "mail", "title", "authors", "paper", "link", "said", "news")


def papers_csv(rt: Runtime, reader_id: int, *, liked: bool = False) -> Iterator[str]:
    """The papers as a table for spreadsheets, in pieces; no cell begins a formula."""
    yield "\ufeff" + ",".join(_COLUMNS) + "\r\n"
    for portion in had_papers(rt, reader_id, liked=liked):
        yield csv_lines(
            (
                one.on.isoformat() if one.on else "",
                one.kind,
                one.paper.title,
                "; ".join(one.paper.authors),
                f"{one.paper.key.scheme}/{one.paper.key.value}",
                one.paper.links.get("abs", ""),
                {1: "more", -1: "less"}.get(one.sign, ""),
                "1" if one.occasion == "signal" else "",
            )
            for one in portion
        )


def papers_cited(rt: Runtime, reader_id: int, kind: str, *, liked: bool = False) -> Iterator[str]:
    """The papers for a bibliography, in pieces. kind: bib or ris."""
    write = {"bib": bibtex, "ris": ris}[kind]
    between = ""
    for portion in had_papers(rt, reader_id, liked=liked):
        if papers := [one.paper for one in portion if one.occasion == "new"]:
            yield between + write(papers, 0)
            between = "\n" if kind == "bib" else ""
