"""A reader's interests: read from what was typed, named, stored with their compiled form."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from service.defaults import DAYS, FIXED
from service.matching.compiled import compile_query
from service.matching.parse import parse_keywords, parse_people, parse_query, read_words
from service.matching.query import Query
from service.store import subscribers as subscribers_store
from service.store.db import Session
from service.store.tables import ProfileRow
from service.subscribers.model import Cadence, ProfileKind
from service.text.fold import FOLD_VERSION


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a reader asks for. query is None for trending."""

    kind: ProfileKind
    text: str
    query: Query | None

    @property
    def name(self) -> str:
        """A name made of the first words: "LoRA · low-rank adaptation"."""
        if self.query is None:
            return "Trending"
        name = " · ".join(self.query.terms[:3])[:80]
        return name or self.text[:80] or "Papers"


def read_form(words: str) -> Wanted:
    """A form's text: empty = the day's trending papers; operators = a query; else keywords.

    Raises QueryError with the position.
    """
    if not words.strip():
        return Wanted(ProfileKind.TRENDING, "", None)
    query = read_words(words)
    return Wanted(ProfileKind(query.kind), words.strip(), query)


def read_kind(kind: str, text: str) -> Wanted:
    """A text of a stated kind: keywords, query, follow or trending. Raises QueryError."""
    chosen = ProfileKind(kind)
    if chosen is ProfileKind.TRENDING:
        return Wanted(chosen, "", None)
    read = {
        ProfileKind.KEYWORDS: parse_keywords,
        ProfileKind.QUERY: parse_query,
        ProfileKind.FOLLOW: parse_people,
    }[chosen]
    return Wanted(chosen, text.strip(), read(text))


def add_interest(
    session: Session,
    subscriber_id: int,
    wanted: Wanted,
    now: datetime,
    *,
    name: str = "",
    cadence: Cadence = Cadence.DAILY,
    since: date | None = None,
    weekday: int = DAYS.index(FIXED.weekly_day),
    options: Mapping[str, Any] | None = None,
    taken: set[str] | None = None,
) -> ProfileRow:
    """Store one interest; the next match run compares it with the papers that are still new.

    taken: as in ``add_profile``.
    """
    return subscribers_store.add_profile(
        session,
        subscriber_id=subscriber_id,
        name=name or wanted.name,
        kind=wanted.kind.value,
        text=wanted.text,
        now=now,
        compiled=compile_query(wanted.query) if wanted.query is not None else None,
        fold_version=FOLD_VERSION,
        cadence=cadence.value,
        weekday=weekday,
        since=since,
        options=dict(options or {}),
        taken=taken,
    )


def change_interest(
    session: Session,
    row: ProfileRow,
    now: datetime,
    *,
    wanted: Wanted | None = None,
    **values: Any,
) -> None:
    """Edit an interest. ``since`` stays: a wider query does not dig up the past."""
    if wanted is not None and (wanted.text, wanted.kind.value) != (row.text, row.kind):
        row.kind, row.text = wanted.kind.value, wanted.text
        row.compiled = compile_query(wanted.query) if wanted.query is not None else None
        row.fold_version = FOLD_VERSION
        row.matched_at = None
    for name, value in values.items():
        setattr(row, name, value)
    row.changed_at = now
    session.add(row)
