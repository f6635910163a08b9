"""Papers, aliases, sightings and events."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from service.papers.model import Alias, Paper, Scheme
from service.store.tables import PaperAliasRow, PaperRow

SHOWN = (col(PaperRow.merged_into).is_(None), col(PaperRow.quarantined) == "")
"""What holds of a paper that may be found and shown: neither joined with another nor hidden."""


def list_standing(session: Session, paper_ids: Sequence[int]) -> list[int]:
    """Papers that may be shown, in this order; one that was joined is the one that it became."""
    now = {row.id: row.merged_into or row.id for row in _stubs(session, paper_ids)}
    shown = {row.id for row in _stubs(session, list(now.values())) if row.quarantined == ""}
    return list(dict.fromkeys(now[i] for i in paper_ids if now.get(i) in shown))


def list_hidden_of(session: Session, paper_ids: Iterable[int]) -> set[int]:
    """Those of some papers that are hidden."""
    return {row.id for row in _stubs(session, list(paper_ids)) if row.quarantined}


def _stubs(session: Session, paper_ids: Sequence[int]) -> Sequence[Any]:
    row = PaperRow
    query = sa.select(col(row.id), col(row.merged_into), col(row.quarantined))
    return session.execute(query.where(col(row.id).in_(list(paper_ids)))).all()


_FOLDED: Any = PaperRow.folded


def to_paper(row: PaperRow, aliases: Sequence[Alias]) -> Paper:
    """Row and its names to a value; its id is 0 until the row is written."""
    return Paper(
        aliases=tuple(aliases) or (Alias("guid", str(row.id)),),
        title=row.title,
        abstract=row.abstract,
        raw_title=row.raw_title,
        raw_abstract=row.raw_abstract,
        authors=tuple(row.authors),
        categories=tuple(row.categories),
        published_on=row.published_on,
        announced_on=row.announced_on,
        updated_at=row.updated_at,
        links=row.links,
        votes=row.votes,
        comments=row.comments,
        note=row.note,
        language=row.language,
        licence=row.licence,
        organisation=row.organisation,
        summary_line=row.summary_line,
        withdrawn=row.withdrawn,
        id=row.id or 0,
    )


def facts_of(paper: Paper) -> dict[str, Any]:
    """A value's facts by the names of columns (without identity and dates of arrival)."""
    return {
        "title": paper.title,
        "abstract": paper.abstract,
        "raw_title": paper.raw_title,
        "raw_abstract": paper.raw_abstract,
        "authors": list(paper.authors),
        "categories": list(paper.categories),
        "published_on": paper.published_on,
        "announced_on": paper.announced_on,
        "updated_at": paper.updated_at,
        "links": dict(paper.links),
        "votes": paper.votes,
        "comments": paper.comments,
        "note": paper.note,
        "language": paper.language[:16],
        "licence": paper.licence,
        "organisation": paper.organisation,
        "summary_line": paper.summary_line,
        "withdrawn": paper.withdrawn,
    }


def set_paper(row: PaperRow, paper: Paper) -> None:
    """Copy a value's facts onto a row."""
    for name, value in facts_of(paper).items():
        setattr(row, name, value)


def find_ids(session: Session, aliases: Iterable[Alias]) -> list[int]:
    """Ids of the papers that carry any of these names, oldest first."""
    pairs = [(a.scheme, a.value) for a in aliases]
    if not pairs:
        return []
    rows = session.exec(
        select(col(PaperAliasRow.paper_id))
        .where(sa.tuple_(col(PaperAliasRow.scheme), col(PaperAliasRow.value)).in_(pairs))
        .distinct()
    ).all()
    return sorted(rows)


def find_owners(session: Session, aliases: Iterable[Alias]) -> dict[Alias, int]:
    """The paper of each of these names; names that no paper has are left out."""
    wanted = list(dict.fromkeys(aliases))
    owners: dict[Alias, int] = {}
    scheme, value = col(PaperAliasRow.scheme), col(PaperAliasRow.value)
    for start in range(0, len(wanted), 1000):
        by_scheme: dict[str, list[str]] = {}
        for alias in wanted[start : start + 1000]:
            by_scheme.setdefault(alias.scheme, []).append(alias.value)
        of_any = [sa.and_(scheme == name, value.in_(values)) for name, values in by_scheme.items()]
        rows = session.execute(
            sa.select(scheme, value, col(PaperAliasRow.paper_id)).where(sa.or_(*of_any))
        ).all()
        owners.update({Alias(s, v): paper_id for s, v, paper_id in rows})
    return owners


def find_named(session: Session, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """The paper that may be shown of each (scheme, value); names that none has are left out."""
    wanted = [Alias(cast(Scheme, scheme), value) for scheme, value in pairs]
    owners = find_owners(session, wanted)
    shown = list_shown(session, list(owners.values()))
    return {(one.scheme, one.value): i for one, i in owners.items() if i in shown}


def list_names(session: Session, ids: Sequence[int]) -> dict[int, list[Alias]]:
    """The names of each paper, best first."""
    names: dict[int, list[Alias]] = {}
    for start in range(0, len(ids), 500):
        names.update(_names(session, ids[start : start + 500]))
    return names


def get_papers(session: Session, ids: Sequence[int]) -> dict[int, Paper]:
    """Values by id, with their names best first. The folded words, which no value has and which
    are the longest of a row, are not read."""
    rows = _get_rows(session, ids, select(PaperRow).options(defer(_FOLDED)))
    return {i: to_paper(row, names) for i, (row, names) in rows.items()}


def get_rows(session: Session, ids: Sequence[int]) -> dict[int, tuple[PaperRow, list[Alias]]]:
    """Rows and names by id."""
    return _get_rows(session, ids, select(PaperRow))


def _get_rows(
    session: Session, ids: Sequence[int], query: Any
) -> dict[int, tuple[PaperRow, list[Alias]]]:
    found: dict[int, tuple[PaperRow, list[Alias]]] = {}
    wanted = list(dict.fromkeys(ids))
    for start in range(0, len(wanted), 500):
        part = wanted[start : start + 500]
        names = _names(session, part)
        for row in session.exec(query.where(col(PaperRow.id).in_(part))):
            assert row.id is not None
            found[row.id] = (row, names.get(row.id, []))
    return found


def list_keys(session: Session, ids: Sequence[int]) -> dict[int, tuple[str, str]]:
    """The name in public addresses of each paper, (scheme, value); those without any are left
    out."""
    found: dict[int, tuple[str, str]] = {}
    for start in range(0, len(ids), 500):
        for paper_id, names in _names(session, ids[start : start + 500]).items():
            found[paper_id] = (names[0].scheme, names[0].value)
    return found


_RANK = {"arxiv": 0, "doi": 1, "hf": 2, "pmid": 3, "guid": 4, "link": 5, "fingerprint": 6}


def _names(session: Session, ids: Sequence[int]) -> dict[int, list[Alias]]:
    names: dict[int, list[Alias]] = {}
    rows = session.execute(
        sa.select(col(PaperAliasRow.paper_id), col(PaperAliasRow.scheme), col(PaperAliasRow.value))
        .where(col(PaperAliasRow.paper_id).in_(ids))
        .order_by(col(PaperAliasRow.id))
    ).all()
    for paper_id, scheme, value in rows:
        names.setdefault(paper_id, []).append(Alias(scheme, value))
    for listed in names.values():
        listed.sort(key=lambda a: _RANK.get(a.scheme, 9))
    return names


def count_new(session: Session, start: datetime, end: datetime) -> int:
    """Papers that became new in [start, end)."""
    return int(
        session.execute(
            sa.select(sa.func.count())
            .select_from(PaperRow)
            .where(
                col(PaperRow.eligible_at) >= start,
                col(PaperRow.eligible_at) < end,
                col(PaperRow.merged_into).is_(None),
            )
        ).scalar_one()
    )


def count_known(session: Session, first: date, last: date) -> int:
    """Papers that were never new, listed from ``first`` up to ``last``."""
    return int(
        session.execute(
            sa.select(sa.func.count())
            .select_from(PaperRow)
            .where(
                col(PaperRow.eligible_at).is_(None),
                col(PaperRow.listed_on) >= first,
                col(PaperRow.listed_on) <= last,
                col(PaperRow.merged_into).is_(None),
            )
        ).scalar_one()
    )


def count_new_days(session: Session, first: date, last: date) -> dict[date, int]:
    """How many papers became new on each day (UTC) from ``first`` to ``last``; none is left out."""
    start, end = datetime.combine(first, time(), UTC), datetime.combine(last, time.max, UTC)
    at = col(PaperRow.eligible_at)
    rows = session.execute(
        sa.select(at, sa.func.count())
        .where(at >= start, at <= end, *SHOWN)
        .group_by(at)  # the instants of polls: few
    ).all()
    found: dict[date, int] = {}
    for instant, papers in rows:
        found[instant.date()] = found.get(instant.date(), 0) + int(papers)
    return found


def count_known_days(session: Session, first: date, last: date) -> dict[date, int]:
    """How many papers that were never new were listed on each day; days without any left out."""
    on = col(PaperRow.listed_on)
    rows = session.execute(
        sa.select(on, sa.func.count())
        .where(col(PaperRow.eligible_at).is_(None), on >= first, on <= last, *SHOWN)
        .group_by(on)
    ).all()
    return {day: int(papers) for day, papers in rows}


def list_never_new(session: Session, ids: Sequence[int]) -> list[int]:
    """Those of the papers that never became new."""
    found: list[int] = []
    for start in range(0, len(ids), 500):
        part = col(PaperRow.id).in_(ids[start : start + 500])
        rows = session.execute(
            sa.select(col(PaperRow.id)).where(part, col(PaperRow.eligible_at).is_(None))
        ).all()
        found += [row[0] for row in rows]
    return found


def list_shown(session: Session, ids: Sequence[int]) -> set[int]:
    """Those of the papers that may be shown: neither hidden nor joined with another."""
    rows = session.execute(
        sa.select(col(PaperRow.id)).where(col(PaperRow.id).in_(ids), *SHOWN)
    ).all()
    return {row[0] for row in rows}


def newest_id(session: Session) -> int:
    """The highest id of a paper, 0 without any."""
    return session.execute(sa.select(sa.func.max(col(PaperRow.id)))).scalar_one() or 0


def count_after(session: Session, after_id: int, most: int) -> int:
    """Papers for the corpus with a higher id, counted up to ``most``: there may be a million."""
    further = sa.select(col(PaperRow.id)).where(col(PaperRow.id) > after_id, *SHOWN).limit(most)
    return int(
        session.execute(sa.select(sa.func.count()).select_from(further.subquery())).scalar_one()
    )


def list_rows(session: Session, after_id: int, limit: int) -> list[PaperRow]:
    """Papers that may be shown, in id order."""
    query = select(PaperRow).where(col(PaperRow.id) > after_id, *SHOWN)
    return list(session.exec(query.order_by(col(PaperRow.id)).limit(limit)).all())


def day_of(row: PaperRow) -> date:
    """The day a paper counts for: when it became new, else when it was listed."""
    if row.eligible_at is not None:
        return row.eligible_at.date()
    return row.listed_on or row.first_seen_at.date()


def list_recent(session: Session, since: date) -> list[tuple[PaperRow, date]]:
    """Papers, known ones included, whose day is not before ``since``."""
    start = datetime.combine(since, time(), UTC)
    rows = session.exec(
        select(PaperRow)
        .where(
            sa.or_(
                col(PaperRow.eligible_at) >= start,
                sa.and_(col(PaperRow.eligible_at).is_(None), col(PaperRow.listed_on) >= since),
            ),
            *SHOWN,
        )
        .order_by(col(PaperRow.id))
    ).all()
    return [(row, day_of(row)) for row in rows]


def list_categories(session: Session) -> list[str]:
    """Every category that a stored paper carries, as written."""
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    each = sa.func.json_each if is_sqlite else sa.func.json_array_elements_text
    listed = each(col(PaperRow.categories)).table_valued("value")
    return [
        str(value)
        for value in session.execute(
            sa.select(listed.c.value).select_from(PaperRow).join(listed, sa.true()).distinct()
        ).scalars()
    ]
