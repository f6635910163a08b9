"""Counts of days: what is kept of past ones, and what they are counted from."""

from collections.abc import Collection, Mapping
from datetime import date, datetime

import sqlalchemy as sa
from sqlmodel import Session, col

from service.store.desk_tables import DayFigureRow
from service.store.report_tables import ReportRow
from service.store.reports import IDLE
from service.store.sent import TESTED
from service.store.tables import (
    AttemptRow,
    ConsentRow,
    DeliveryRow,
    EditionRow,
    MatchRow,
    PaperRow,
)

COUNTED = "counted"
"""The name under which a day keeps when it was counted (seconds since 1970)."""

JOINED = ("confirm", "added", "undo")
"""Acts by which somebody gets mails: pressed Begin, was entered by the staff, took leaving back."""

Figures = Mapping[tuple[str, str], int]
"""(name, part) -> count."""


def counted_days(session: Session, first: date, last: date) -> dict[date, int]:
    """The days that were counted, each with when."""
    query = sa.select(col(DayFigureRow.day), col(DayFigureRow.count)).where(
        col(DayFigureRow.name) == COUNTED, col(DayFigureRow.day).between(first, last)
    )
    return {day: int(at) for day, at in session.execute(query)}


def put_day(session: Session, day: date, figures: Figures, at: datetime) -> None:
    """Keep a day's counts in place of those that are there. Zeros are not kept."""
    session.execute(sa.delete(DayFigureRow).where(col(DayFigureRow.day) == day))
    whole = {**figures, (COUNTED, ""): int(at.timestamp())}
    rows = [
        {"day": day, "name": name, "part": part[:254], "count": count}
        for (name, part), count in sorted(whole.items())
        if count
    ]
    session.execute(sa.insert(DayFigureRow), rows)


def list_days(
    session: Session, names: Collection[str], first: date, last: date, *, part: str | None = ""
) -> dict[date, dict[str, int]]:
    """Day -> name -> count. part: None = all parts together."""
    query = (
        sa.select(
            col(DayFigureRow.day), col(DayFigureRow.name), sa.func.sum(col(DayFigureRow.count))
        )
        .where(col(DayFigureRow.day).between(first, last), col(DayFigureRow.name).in_(names))
        .group_by(col(DayFigureRow.day), col(DayFigureRow.name))
    )
    if part is not None:
        query = query.where(col(DayFigureRow.part) == part)
    found: dict[date, dict[str, int]] = {}
    for day, name, count in session.execute(query):
        found.setdefault(day, {})[name] = int(count)
    return found


def list_parts(
    session: Session, names: Collection[str], first: date, last: date, *, part: str = ""
) -> dict[str, dict[str, int]]:
    """Part -> name -> count of all the days together. part: of it alone."""
    query = (
        sa.select(
            col(DayFigureRow.part), col(DayFigureRow.name), sa.func.sum(col(DayFigureRow.count))
        )
        .where(col(DayFigureRow.day).between(first, last), col(DayFigureRow.name).in_(names))
        .group_by(col(DayFigureRow.part), col(DayFigureRow.name))
    )
    if part:
        query = query.where(col(DayFigureRow.part) == part)
    found: dict[str, dict[str, int]] = {}
    for of, name, count in session.execute(query):
        found.setdefault(of, {})[name] = int(count)
    return found


def forget_days(session: Session, before: date, names: Collection[str], limit: int) -> int:
    """Drop counts of some names of the oldest day before ``before`` that has any; how many. limit:
    such days at most."""
    wanted = sa.select(col(DayFigureRow.day)).where(
        col(DayFigureRow.day) < before, col(DayFigureRow.name).in_(names)
    )
    days = wanted.distinct().order_by(col(DayFigureRow.day)).limit(limit)
    change = sa.delete(DayFigureRow).where(
        col(DayFigureRow.day).in_(list(session.scalars(days))), col(DayFigureRow.name).in_(names)
    )
    return int(session.execute(change).rowcount)  # type: ignore[attr-defined]


# ---- what days are counted from ----


def oldest(session: Session) -> datetime | None:
    """When the first edition was opened or the first reader agreed to something."""
    found = [
        session.scalar(sa.select(sa.func.min(col(EditionRow.opened_at)))),
        session.scalar(sa.select(sa.func.min(col(ConsentRow.at)))),
    ]
    return min((at for at in found if at is not None), default=None)


def count_accepted(session: Session, since: datetime, until: datetime) -> int:
    """Mails that were handed over in [since, until), tests as well: by the index alone."""
    at = col(DeliveryRow.accepted_at)
    query = sa.select(sa.func.count()).select_from(DeliveryRow).where(at >= since, at < until)
    return int(session.scalar(query) or 0)


def accepted_by_domain(session: Session, since: datetime, until: datetime) -> dict[str, int]:
    """Mails that were handed over, by receiving domain; tests are left out."""
    at = col(DeliveryRow.accepted_at)
    query = (
        sa.select(col(DeliveryRow.domain), sa.func.count())
        .where(at >= since, at < until, col(DeliveryRow.reason) != TESTED)
        .group_by(col(DeliveryRow.domain))
    )
    return {domain: int(n) for domain, n in session.execute(query)}


def count_refused(session: Session, since: datetime, until: datetime, opened: datetime) -> int:
    """Mails that were refused for good by their last try in [since, until). opened: editions from
    then on, before which none can be that is still tried."""
    editions = sa.select(col(EditionRow.id)).where(
        col(EditionRow.opened_at) >= opened, col(EditionRow.opened_at) < until
    )
    last = sa.func.max(col(AttemptRow.at))
    refused = (
        sa.select(col(AttemptRow.delivery_id))
        .join(DeliveryRow, col(DeliveryRow.id) == col(AttemptRow.delivery_id))
        .where(col(DeliveryRow.edition_id).in_(editions), col(DeliveryRow.state) == "failed")
        .group_by(col(AttemptRow.delivery_id))
        .having(last >= since, last < until)
    )
    return int(session.scalar(sa.select(sa.func.count()).select_from(refused.subquery())) or 0)


def reports_by_domain(
    session: Session, since: datetime, until: datetime
) -> dict[tuple[str, str], int]:
    """(kind, domain) -> mails that such a report about was followed, each mail once a kind."""
    at = col(ReportRow.at)
    query = (
        sa.select(
            col(ReportRow.kind),
            col(ReportRow.domain),
            sa.func.count(sa.distinct(col(ReportRow.delivery_id))),
        )
        .where(
            at >= since,
            at < until,
            col(ReportRow.delivery_id).is_not(None),
            col(ReportRow.said).not_in(["test", *IDLE]),
        )
        .group_by(col(ReportRow.kind), col(ReportRow.domain))
    )
    return {(kind, domain): int(n) for kind, domain, n in session.execute(query)}


def count_acts(session: Session, since: datetime, until: datetime) -> dict[str, int]:
    """asked: to confirm, by the form, the staff or a list · joined: as ``JOINED`` · left: left, or
    had themselves erased without leaving first."""
    at, act = col(ConsentRow.at), col(ConsentRow.act)
    within = (at >= since, at < until)
    counts = sa.select(act, sa.func.count()).where(act.in_(["request", "leave", *JOINED]), *within)
    found = {name: int(n) for name, n in session.execute(counts.group_by(act))}
    left = sa.orm.aliased(ConsentRow)
    had_left = sa.exists().where(
        col(left.email_hash) == col(ConsentRow.email_hash), col(left.act) == "leave"
    )
    erased = (
        sa.select(sa.func.count())
        .select_from(ConsentRow)
        .where(act == "erase", *within, ~had_left, col(ConsentRow.detail).not_like("tidy: never%"))
    )
    return {
        "asked": found.get("request", 0),
        "joined": sum(found.get(name, 0) for name in JOINED),
        "left": found.get("leave", 0) + int(session.scalar(erased) or 0),
    }


def count_matches(session: Session, since: datetime, until: datetime, most: int) -> int:
    """Pairs of an interest and a paper that became new in [since, until); ``most`` at most."""
    at = col(PaperRow.eligible_at)
    pairs = (
        sa.select(sa.literal(1))
        .select_from(MatchRow)
        .join(PaperRow, col(PaperRow.id) == col(MatchRow.paper_id))
        .where(at >= since, at < until)
        .limit(most)
    )
    return int(session.scalar(sa.select(sa.func.count()).select_from(pairs.subquery())) or 0)
