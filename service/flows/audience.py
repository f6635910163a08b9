"""A send by hand on paper: what, to whom, and the equation that says how many mails it is.

Nothing is stored or sent here.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, cast

from service.errors import PaperpostError
from service.flows.daily import due_readers
from service.flows.ledger import gone_owners
from service.flows.match import match_new
from service.flows.preview import alert_outlook, outlook
from service.flows.runtime import Runtime
from service.flows.score import is_resting
from service.flows.segment import Segment, find_readers, read_dates, read_segment
from service.papers.identity import arxiv_id, doi
from service.papers.model import SCHEMES, Alias
from service.store import audience as audience_store
from service.store import consent as consent_store
from service.store import papers as papers_store
from service.store import sent as sent_store
from service.store import sightings as sightings_store
from service.store.audience import Candidate
from service.store.db import Session
from service.store.missed_rows import RESTED
from service.store.releases import UNRELEASED
from service.subscribers.cadence import local_date
from service.text.clean import collapse
from service.text.markdown import MOST_CHARACTERS
from service.text.tally import tally

Kind = Literal["daily", "alert", "manual", "newsletter"]
KINDS: tuple[Kind, ...] = ("daily", "manual", "alert", "newsletter")
CHUNK = 200
SAMPLES = 10
MOST_PAPERS = 200

TERMS: Mapping[str, str] = {
    "refused": "refused earlier",
    "paused": "paused",
    RESTED: "mail came back",
    "not_a_mail_day": "no mail today",
    "not_your_day": "weekly, on another day",
    UNRELEASED: "wait for the day's release",
    "already_planned": "already have today's",
    "already_had": "already have these papers",
    "nothing_new": "nothing new",
    "too_few": "too few for their wish",
    "waiting": "must wait",
    "error": "cannot be composed",
}
"""What is taken away from the readers of a segment, in the order of the equation."""


class ManualError(PaperpostError):
    """A manual send that cannot be drafted; ``where`` is the field."""


class CountError(PaperpostError):
    """The number of mails is not the one that was confirmed; nothing was sent."""

    def __init__(self, expected: int, found: int) -> None:
        super().__init__(
            f"It would be {tally(found, 'mail')}, not {expected:,}; nothing was sent.",
            "",
            f"Look again and confirm {found:,}.",
        )
        self.expected = expected
        self.found = found


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to send and to whom; nothing is stored.

    papers: ids, the editor's order · body: Markdown (a newsletter's text, a digest's note) ·
    key: the idempotency key · canary: send to a few first and wait for a person · at: not before
    this instant · own_hour: to each reader at the hour of theirs that comes next.
    """

    kind: Kind
    segment: Segment
    papers: tuple[int, ...] = ()
    subject: str = ""
    body: str = ""
    key: str = ""
    created_by: str = ""
    canary: bool = False
    dates: str = ""
    at: datetime | None = None
    own_hour: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """readers − every term = mails. groups: ids of readers per term, and under "mails"; samples:
    addresses of up to ten readers who get one; strangers: listed addresses that are no reader."""

    readers: int
    groups: Mapping[str, Sequence[int]]
    samples: tuple[str, ...] = ()
    strangers: int = 0
    unread: int = 0

    @property
    def mails(self) -> int:
        return len(self.groups.get("mails", ()))

    def terms(self) -> list[tuple[str, str, int]]:
        """(name, words, number) of what is taken away, only where there is something."""
        return _terms({name: len(ids) for name, ids in self.groups.items()})

    def equation(self) -> str:
        """ "50,000 readers − 300 refused earlier − 62 paused = 49,638 mails"."""
        numbers = {name: len(ids) for name, ids in self.groups.items()}
        return equation(self.readers, numbers)

    def as_dict(self) -> dict[str, Any]:
        """Plain values: readers, each term, mails, equation, samples."""
        return {
            "readers": self.readers,
            **{name: n for name, _, n in self.terms()},
            "mails": self.mails,
            "equation": self.equation(),
            "samples": list(self.samples),
            "strangers": self.strangers,
        }


def _terms(numbers: Mapping[str, int]) -> list[tuple[str, str, int]]:
    return [(name, words, numbers[name]) for name, words in TERMS.items() if numbers.get(name)]


def equation(readers: int, numbers: Mapping[str, int]) -> str:
    """The equation of so many readers a term, and under "mails"."""
    taken = "".join(f" − {n:,} {words}" for _, words, n in _terms(numbers))
    mails = numbers.get("mails", 0)
    return (
        f"{readers:,} {'reader' if readers == 1 else 'readers'}{taken}"
        f" = {mails:,} {'mail' if mails == 1 else 'mails'}"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """edition_id: 0 when nobody was to get anything · planned: rows · mails: of them to be sent ·
    is_new: False when this key was started before · until: end of the undo window."""

    edition_id: int
    planned: int
    mails: int = 0
    is_new: bool = True
    until: datetime | None = None
    editions: tuple[int, ...] = field(default_factory=tuple)


def draft(
    rt: Runtime,
    *,
    kind: str = "manual",
    papers: Sequence[str] = (),
    dates: str = "",
    segment: str | Segment = "all",
    subject: str = "",
    body: str = "",
    key: str = "",
    created_by: str = "",
    canary: bool = False,
) -> Plan:
    """Read and check what was asked for. papers: "scheme/value" or database ids.

    Raises ManualError or SegmentError with the field.
    """
    if kind not in KINDS:
        raise ManualError(f"{kind!r} is no kind of send.", "kind", f"Use {', '.join(KINDS)}.")
    subject = read_subject(subject)
    if len(body) > MOST_CHARACTERS:
        raise ManualError("The text is longer than 60,000 characters.", "body", "Shorten it.")
    chosen: list[int] = []
    if kind == "manual":
        chosen = rt.db.read(lambda s: _chosen(s, papers, dates))
    if kind == "newsletter" and not subject:
        raise ManualError("A newsletter needs a subject.", "subject", "Write one.")
    if kind == "newsletter" and not body.strip():
        raise ManualError("The newsletter has no text.", "body", "Write it.")
    return Plan(
        kind=kind,
        segment=read_segment(segment) if isinstance(segment, str) else segment,
        papers=tuple(chosen),
        subject=subject,
        body=body.strip(),
        key=read_key(key) or secrets.token_hex(8),
        created_by=created_by,
        canary=canary,
        dates=dates,
    )


def read_subject(text: str) -> str:
    """A subject in one line. Raises ManualError."""
    subject = collapse(text)
    if len(subject) > 200:
        raise ManualError("The subject is longer than 200 characters.", "subject", "Shorten it.")
    return subject


def read_key(text: str) -> str:
    """An idempotency key, "" for none. Raises ManualError."""
    key = text.strip()
    if len(key) > 80 or not key.isprintable():
        raise ManualError("The key is longer than 80 characters.", "key", "Shorten it.")
    return key


def _chosen(session: Session, papers: Sequence[str], dates: str) -> list[int]:
    found: dict[int, None] = {}
    for text in papers:
        found[find_paper_id(session, text.strip())] = None
    if dates.strip():
        first, last = read_dates(dates)
        if (last - first).days > 60:
            raise ManualError("More than 60 days are chosen.", "dates", "Choose fewer.")
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        listed = sightings_store.list_listed(session, days)
        rows = papers_store.get_rows(session, [i for i, _ in listed])
        found.update(dict.fromkeys(sorted(rows, key=lambda i: (-(rows[i][0].votes or 0), i))))
        if not listed:
            raise ManualError(f"No paper is listed in {dates.strip()}.", "dates", "Choose others.")
    if not found:
        raise ManualError("No paper is chosen.", "papers", "Name papers, or dates.")
    if len(found) > MOST_PAPERS:
        raise ManualError(
            f"{len(found):,} papers are chosen; {MOST_PAPERS} fit.", "papers", "Choose fewer."
        )
    return list(found)


def read_paper(text: str) -> Alias | int:
    """Read how an editor names a paper: scheme/value as in our addresses, a bare arXiv id or DOI,
    an address that holds one, or our own number. Raises ManualError."""
    text = text.strip()
    if text.isdecimal() and len(text) < 19:
        return int(text)
    scheme, slash, value = (part.strip() for part in text.partition("/"))
    if slash and value and scheme.lower() in SCHEMES:
        return Alias(cast(Any, scheme.lower()), value)
    if found := arxiv_id(text):
        return Alias("arxiv", found)
    if found := doi(text):
        return Alias("doi", found)
    raise ManualError(
        f"{text[:80]!r} names no paper.", "papers", "Write it like arxiv/2611.00000 or 2611.00000."
    )


def find_paper_id(session: Session, text: str) -> int:
    """The number of a stored paper that is named as ``read_paper`` reads it. Raises ManualError."""
    named = read_paper(text)
    if isinstance(named, int):
        ids = list(papers_store.get_rows(session, [named]))
    else:
        ids = papers_store.find_ids(session, [named])
    if not ids:
        raise ManualError(f"There is no paper {text[:80]!r}.", "papers", "Look at /papers.")
    return ids[0]


def count(rt: Runtime, plan: Plan) -> Audience:
    """Who would get a mail, and why the others would not. Nothing is planned."""
    if plan.kind in ("daily", "alert"):
        match_new(rt)
    dead = gone_owners(rt) if plan.segment.state == "held" else []
    readers = rt.db.read(lambda s: find_readers(s, plan.segment, dead))
    return _count(rt, plan, readers)


def count_again(rt: Runtime, plan: Plan, ids: Sequence[int]) -> Audience:
    """The same of readers who were counted before, as they are now: who left since is refused, who
    was erased is nobody. The plan's segment is not asked."""
    if plan.kind in ("daily", "alert"):
        match_new(rt)
    return _count(rt, plan, rt.db.read(lambda s: audience_store.list_people(s, ids)))


def _count(rt: Runtime, plan: Plan, readers: Sequence[Candidate]) -> Audience:
    barred = rt.db.read(audience_store.list_suppressed_hashes)
    groups: dict[str, list[int]] = {}
    open_readers: list[Candidate] = []
    for reader in readers:
        hashed = consent_store.email_hash(rt.instance.key, reader.email_key)
        if reader.state != "active" or hashed in barred:
            groups.setdefault("refused", []).append(reader.id)
        elif reader.paused_until is not None and reader.paused_until > local_date(
            rt.clock(), reader.zone
        ):
            groups.setdefault("paused", []).append(reader.id)
        elif is_resting(reader, rt.clock()):
            groups.setdefault(RESTED, []).append(reader.id)
        else:
            open_readers.append(reader)
    for name, ids in _decided(rt, plan, open_readers).items():
        groups.setdefault(name, []).extend(ids)
    by_id = {r.id: r.email for r in readers}
    samples = tuple(by_id[i] for i in groups.get("mails", ())[:SAMPLES])
    listed = len(plan.segment.keys) if plan.segment.keys is not None else len(readers)
    return Audience(
        readers=len(readers),
        groups=groups,
        samples=samples,
        strangers=listed - len(readers),
        unread=plan.segment.unread,
    )


def _decided(rt: Runtime, plan: Plan, readers: Sequence[Candidate]) -> dict[str, list[int]]:
    if plan.kind == "newsletter":
        return {"mails": [r.id for r in readers]}
    if plan.kind == "manual":
        if not rt.db.read(lambda s: papers_store.list_standing(s, plan.papers)):
            what = "None of the chosen papers can be sent: they are hidden."
            raise ManualError(what, "papers", "Choose others, or show them again.")
        groups: dict[str, list[int]] = {}
        for start in range(0, len(readers), CHUNK):
            ids = [r.id for r in readers[start : start + CHUNK]]
            for reader_id, left in rt.db.read(lambda s, i=ids: papers_left(s, plan, i)).items():  # type: ignore[misc]
                groups.setdefault("mails" if left else "already_had", []).append(reader_id)
        return groups
    wanted = {r.id for r in readers}
    if plan.kind == "alert":
        return _alerts(rt, readers)
    due = [
        (reader_id, meant)
        for reader_id, meant in rt.db.read(lambda s: due_readers(rt, s, None, None))
        if reader_id in wanted
    ]
    groups = outlook(rt, due)
    today = {reader_id for reader_id, _ in due}
    groups["not_a_mail_day"] = [i for i in wanted if i not in today]
    return groups


def _alerts(rt: Runtime, readers: Sequence[Candidate]) -> dict[str, list[int]]:
    wanted = {r.id for r in readers}
    found = alert_outlook(rt)
    groups = {
        "mails": [i for i in found.get("mails", ()) if i in wanted],
        "waiting": [i for w in ("capped", "bundled") for i in found.get(w, ()) if i in wanted],
    }
    named = {i for ids in groups.values() for i in ids}
    groups["nothing_new"] = [i for i in wanted if i not in named]
    return groups


def papers_left(session: Session, plan: Plan, ids: Sequence[int]) -> dict[int, tuple[int, ...]]:
    """Per reader: the chosen papers that this reader has not had and that are not under way.
    Hidden ones are left out, and one that was joined with another since is that one."""
    papers = papers_store.list_standing(session, plan.papers)
    had = sent_store.list_in_flight(session, ids)  # first: what is accepted now is in one of both
    for reader_id, sent in sent_store.list_sent(session, ids, papers).items():
        had.setdefault(reader_id, set()).update(sent)
    return {i: tuple(p for p in papers if p not in had.get(i, ())) for i in ids}
