"""One paper as the staff look at it: where it stands, who got it, which mails wait with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from service.store import contents
from service.store.desk_tables import PickRow, SubmissionRow, VoteRow
from service.store.tables import (
    CarryRow,
    DeliveryRow,
    MatchRow,
    PaperEventRow,
    PaperRow,
    ProfileRow,
    SentPaperRow,
    SightingRow,
    SourceRow,
    SubscriberRow,
)
from service.store.workbench_tables import PaperJoinRow

_WAITS = ("planned", "ready", "leased", "deferred")


@dataclass(frozen=True, slots=True)
class SeenRow:
    """One appearance: in which source, on the list of which day, when it was first seen there."""

    source_id: int
    source: str
    kind: str
    listed_on: date
    announce_type: str
    submitter: str
    held: bool
    first_seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperCounts:
    """readers: who had it · carried: who is to get it with their next mail, since it never arrived
    · matches: interests that want it, wanting: their readers · picks, votes, proposals."""

    readers: int
    carried: int
    matches: int
    wanting: int
    picks: int
    votes: int
    proposals: int


def list_seen(session: Session, paper_id: int) -> list[SeenRow]:
    """Every appearance, the newest list day first."""
    rows = session.execute(
        sa.select(
            col(SightingRow.source_id), col(SourceRow.title), col(SourceRow.kind),
            col(SightingRow.listed_on), col(SightingRow.announce_type), col(SightingRow.submitter),
            col(SightingRow.held), col(SightingRow.first_seen_at),
        )
        .join(SourceRow, col(SourceRow.id) == col(SightingRow.source_id))
        .where(col(SightingRow.paper_id) == paper_id)
        .order_by(col(SightingRow.listed_on).desc(), col(SightingRow.id))
    )  # fmt: skip
    return [SeenRow(*row) for row in rows]


def list_all_events(session: Session, paper_id: int) -> list[PaperEventRow]:
    """What happened to a paper, also what readers are not told, newest first."""
    return list(
        session.exec(
            select(PaperEventRow)
            .where(col(PaperEventRow.paper_id) == paper_id)
            .order_by(col(PaperEventRow.at).desc(), col(PaperEventRow.id).desc())
        )
    )


def count_paper(session: Session, paper_id: int) -> PaperCounts:
    """Who has to do with a paper."""

    def count(table: type, *more: sa.ColumnElement[bool]) -> int:
        column = table.paper_id  # type: ignore[attr-defined]
        query = sa.select(sa.func.count()).select_from(table).where(column == paper_id, *more)
        return int(session.execute(query).scalar_one())

    wanting = session.execute(
        sa.select(sa.func.count(sa.distinct(col(ProfileRow.subscriber_id))))
        .select_from(MatchRow)
        .join(ProfileRow, col(ProfileRow.id) == col(MatchRow.profile_id))
        .join(SubscriberRow, col(SubscriberRow.id) == col(ProfileRow.subscriber_id))
        .where(col(MatchRow.paper_id) == paper_id, col(SubscriberRow.state) == "active")
    ).scalar_one()
    # reader by reader: the key begins with them, and there are fewer of them than of their papers
    had = sa.exists().where(
        col(SentPaperRow.subscriber_id) == col(SubscriberRow.id),
        col(SentPaperRow.paper_id) == paper_id,
        col(SentPaperRow.occasion) == "new",
    )
    readers = session.scalar(sa.select(sa.func.count()).select_from(SubscriberRow).where(had))
    return PaperCounts(
        readers=int(readers or 0),
        carried=count(CarryRow),
        matches=count(MatchRow),
        wanting=int(wanting),
        picks=count(PickRow),
        votes=count(VoteRow),
        proposals=count(SubmissionRow),
    )


def list_twins(session: Session, paper_id: int) -> list[PaperRow]:
    """The rows that were joined with a paper and stand for it now."""
    query = select(PaperRow).where(col(PaperRow.merged_into) == paper_id)
    return list(session.exec(query.order_by(col(PaperRow.id))))


def list_joins(session: Session, paper_id: int) -> list[PaperJoinRow]:
    """What a person joined with a paper, the newest first."""
    query = select(PaperJoinRow).where(col(PaperJoinRow.keep_id) == paper_id)
    return list(session.exec(query.order_by(col(PaperJoinRow.id).desc())))


def list_hidden(session: Session, *, limit: int | None = None, offset: int = 0) -> list[PaperRow]:
    """Papers that are taken out, the highest numbers first."""
    query = select(PaperRow).where(
        col(PaperRow.quarantined) != "", col(PaperRow.merged_into).is_(None)
    )
    return list(session.exec(query.order_by(col(PaperRow.id).desc()).limit(limit).offset(offset)))


def hold_paper(session: Session, paper_id: int) -> PaperRow | None:
    """A paper as it is now; nobody else writes it before this transaction ends."""
    query = select(PaperRow).where(col(PaperRow.id) == paper_id).with_for_update()
    return session.exec(query.execution_options(populate_existing=True)).first()


def list_hidden_since(session: Session, since: datetime) -> set[int]:
    """Papers that are hidden, and were so not before an instant."""
    rows = session.scalars(
        sa.select(col(PaperEventRow.paper_id))
        .join(PaperRow, col(PaperRow.id) == col(PaperEventRow.paper_id))
        .where(
            col(PaperEventRow.kind) == "hidden",
            col(PaperEventRow.at) >= since,
            col(PaperRow.quarantined) != "",
        )
    )
    return set(rows)


def list_waiting(session: Session, paper_ids: set[int]) -> dict[int, set[int]]:
    """Contents of mails that were not handed over yet and hold any of the papers, with those."""
    content = col(DeliveryRow.content_id) + 0  # else SQLite reads every mail, content by content
    waits = sa.select(content).where(col(DeliveryRow.state).in_(_WAITS), content.is_not(None))
    ids = set(session.scalars(waits.distinct()))
    found = {i: paper_ids.intersection(ps) for i, ps in contents.list_papers(session, ids).items()}
    for i, told in contents.list_signals(session, ids).items():
        found[i] = found.get(i, set()) | paper_ids.intersection(told)
    return {i: papers for i, papers in found.items() if papers}


def count_waiting(session: Session, content_ids: Sequence[int]) -> tuple[int, int]:
    """(mails with these contents that were never tried, those that a server has seen)."""
    untried = sa.and_(col(DeliveryRow.state) == "ready", col(DeliveryRow.body_sha) == "")
    first = later = 0
    for start in range(0, len(content_ids), 500):
        part = col(DeliveryRow.content_id).in_(list(content_ids[start : start + 500]))
        some, every = session.execute(
            sa.select(
                sa.func.coalesce(sa.func.sum(sa.case((untried, 1), else_=0)), 0), sa.func.count()
            ).where(part, col(DeliveryRow.state).in_(_WAITS))
        ).one()
        first, later = first + int(some), later + int(every) - int(some)
    return first, later


def list_untried(session: Session, content_id: int, limit: int) -> list[DeliveryRow]:
    """Mails of a content that no server has seen, and nobody is sending."""
    return list(
        session.exec(
            select(DeliveryRow)
            .where(
                col(DeliveryRow.content_id) == content_id,
                col(DeliveryRow.state) == "ready",
                col(DeliveryRow.body_sha) == "",
            )
            .order_by(col(DeliveryRow.id))
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
    )


def replace_content(session: Session, rows: Sequence[DeliveryRow], held: Sequence[dict]) -> int:  # type: ignore[type-arg]
    """Mails that are ready get other contents (``contents.put``); {} = nothing is left of one, and
    it is skipped. Returns how many changed."""
    changed = 0
    for row, one in zip(rows, held, strict=True):
        values = one or {
            "state": "skipped", "reason": "hidden", "content_id": None,
            "own": {"checked": 0, "papers": []},
        }  # fmt: skip
        change = (
            sa.update(DeliveryRow)
            .where(
                col(DeliveryRow.id) == row.id,
                col(DeliveryRow.state) == "ready",
                col(DeliveryRow.body_sha) == "",
            )
            .values(**values)
            .execution_options(synchronize_session=False)
        )
        changed += int(session.execute(change).rowcount)  # type: ignore[attr-defined]
    contents.delete_unused(session, {row.content_id for row in rows})
    return changed
