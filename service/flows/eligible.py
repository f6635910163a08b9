"""Whose refused mail may go again, and what of it: nobody gets a mail or a paper twice."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from service.digest.model import Digest, from_json
from service.flows.freeze import content_of
from service.flows.groups import can_resend
from service.flows.runtime import Runtime
from service.flows.score import is_resting
from service.store import consent as consent_store
from service.store import delivery_lists
from service.store import papers as papers_store
from service.store import sent as sent_store
from service.store import signals as signals_store
from service.store import subscribers as subscribers_store
from service.store.db import Session
from service.store.tables import DeliveryRow, SubscriberRow
from service.subscribers.cadence import local_date

Fit = tuple[DeliveryRow, SubscriberRow, dict[str, Any]]
"""A refused mail, its reader as of now, what the new one holds."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What is asked of the database for many rows at once. went, went_to: who has a mail of this
    family that came, may have come or is under way · barred: readers never to be mailed · taken,
    told: papers had, later news told, by reader."""

    readers: Mapping[int, SubscriberRow]
    meanings: Mapping[int, str]
    went: set[int]
    went_to: set[str]
    barred: frozenset[int]
    digests: Mapping[int, Digest]
    taken: Mapping[int, set[int]]
    told: Mapping[int, set[int]]


def fitting(
    rt: Runtime,
    session: Session,
    rows: Sequence[DeliveryRow],
    family: Sequence[int],
    left_out: Counter[str],
) -> list[Fit]:
    """Those that go again; others are counted by reason. Whoever is about to write holds the
    readers first. Of two rows of one reader the first one goes."""
    known = _look(rt, session, rows, family)
    now, found = rt.clock(), []
    for row in rows:
        why, content = _judge(row, known, now)
        reader = known.readers.get(row.subscriber_id or 0)
        if why or reader is None:
            left_out[why] += 1
        else:
            known.went.add(reader.id or 0)
            found.append((row, reader, content))
    return found


def _look(
    rt: Runtime, session: Session, rows: Sequence[DeliveryRow], family: Sequence[int]
) -> _Known:
    ids = [row.subscriber_id for row in rows if row.subscriber_id is not None]
    readers = {r.id or 0: r for r in subscribers_store.list_subscriber_rows(session, ids=ids)}
    keys = [r.email_key for r in readers.values()] + [row.recipient_key for row in rows]
    went, went_to = delivery_lists.list_went(session, family, ids, keys)
    hashes = {i: consent_store.email_hash(rt.instance.key, r.email_key) for i, r in readers.items()}
    barred = consent_store.find_suppressions(session, [*hashes.values()])
    digests = {
        row.id or 0: from_json(row.content["digest"])
        for row in rows
        if row.content and "digest" in row.content and row.subscriber_id in readers
    }
    taken, told = _had(session, rows, digests)
    return _Known(
        readers=readers,
        meanings=delivery_lists.meanings_of(session, [row.id or 0 for row in rows]),
        went=went,
        went_to=went_to,
        barred=frozenset(i for i, hashed in hashes.items() if hashed in barred),
        digests=digests,
        taken=taken,
        told=told,
    )


def _judge(row: DeliveryRow, known: _Known, now: datetime) -> tuple[str, dict[str, Any]]:
    """(why it is left out, or "", what the new mail holds)."""
    number = row.subscriber_id or 0
    reader = known.readers.get(number)
    if not can_resend(known.meanings[row.id or 0]):
        return "address does not exist", {}
    if number in known.went or row.recipient_key in known.went_to:
        return "sent again already", {}
    if reader is None or reader.state != "active" or number in known.barred:
        return "left or refused since", {}
    if reader.email_key in known.went_to:
        return "sent again already", {}
    if reader.paused_until is not None and reader.paused_until > local_date(now, reader.zone):
        return "paused", {}
    if is_resting(reader, now):
        return "mail came back", {}
    if (digest := known.digests.get(row.id or 0)) is None:
        content = dict(row.content or {})
        return ("", content) if content.get("notice") else ("has no content", {})
    rest = without(digest, known.taken.get(number, set()), known.told.get(number, set()))
    return ("", content_of(rest, reader)) if rest.sections else ("has these papers meanwhile", {})


def _had(
    session: Session, rows: Sequence[DeliveryRow], digests: Mapping[int, Digest]
) -> tuple[dict[int, set[int]], dict[int, set[int]]]:
    """Per reader: papers that were had, are under way or hidden; later news that was told, or is of
    hidden ones."""
    papers: dict[int, set[int]] = {}
    news: dict[int, set[int]] = {}
    for row in rows:
        if row.subscriber_id is not None and (digest := digests.get(row.id or 0)) is not None:
            papers.setdefault(row.subscriber_id, set()).update(digest.paper_ids())
            late = {signal.paper_id for signal in digest.signals()}
            news.setdefault(row.subscriber_id, set()).update(late)
    taken = sent_store.list_taken(session, papers) if papers else {}
    told = signals_store.list_taken_signals(session, news)
    hidden = papers_store.list_hidden_of(session, set().union(*papers.values(), *news.values()))
    return (
        {reader: taken.get(reader, set()) | hidden for reader in papers},
        {reader: told.get(reader, set()) | hidden for reader in news},
    )


def without(digest: Digest, had: set[int], told: set[int]) -> Digest:
    """The digest less some papers, and less late signals that were told; sections that are left
    empty go."""
    sections = []
    for section in digest.sections:
        entries = tuple(e for e in section.entries if e.paper_id not in had)
        lines = tuple(x for x in section.lines if x.paper_id not in had)
        rest = tuple(i for i in section.rest if i not in had)
        late = tuple(x for x in section.signals if x.paper_id not in told)
        total = len(entries) + len(lines) + len(rest) + len(late)
        if total:
            kept = replace(section, entries=entries, lines=lines, rest=rest, total=total)
            sections.append(replace(kept, signals=late))
    made = replace(digest, sections=tuple(sections))
    gone = len(digest.paper_ids()) - len(made.paper_ids())
    return replace(made, matched=max(0, digest.matched - gone))
