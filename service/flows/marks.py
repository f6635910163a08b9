"""What a reader wanted more or less of: all that was said, and taken back one by one or at once."""

from dataclasses import dataclass
from datetime import date

from service.defaults import FIXED
from service.flows.runtime import Runtime
from service.store import listing, own_rows
from service.store import papers as papers_store
from service.store import subscribers as subscribers_store
from service.store.db import Priority, Session
from service.subscribers.cadence import local_date

PAGE_SIZE = FIXED.papers_a_page


@dataclass(frozen=True, slots=True)
class Mark:
    """One paper and what was said of it. sign: 1 more, -1 less · counts: whether scores still
    learn from it (the newest ones do) · scheme: "" where the paper is in our lists no more."""

    paper_id: int
    title: str
    scheme: str
    value: str
    sign: int
    on: date
    counts: bool


@dataclass(frozen=True, slots=True)
class Marks:
    """A page of a reader's marks, newest first."""

    marks: tuple[Mark, ...]
    total: int


def read_marks(
    rt: Runtime, reader_id: int, *, offset: int = 0, limit: int | None = PAGE_SIZE
) -> Marks:
    """What a reader said of papers."""
    return rt.db.read(lambda s: _read(s, reader_id, offset, limit))


def _read(session: Session, reader_id: int, offset: int, limit: int | None) -> Marks:
    reader = subscribers_store.get_subscriber_row(session, id=reader_id)
    rows = own_rows.list_marks(session, reader_id, offset=offset, limit=limit)
    ids = [row.paper_id for row in rows]
    stored = papers_store.get_rows(session, ids)
    shown = papers_store.list_shown(session, ids)
    made = []
    for place, row in enumerate(rows, offset):
        paper = papers_store.to_paper(*stored[row.paper_id])
        is_here = row.paper_id in shown
        made.append(
            Mark(
                row.paper_id,
                paper.title,
                paper.key.scheme if is_here else "",
                paper.key.value,
                row.sign,
                local_date(row.at, reader.zone if reader is not None else "UTC"),
                place < FIXED.feedback_marks,
            )
        )
    return Marks(tuple(made), own_rows.count_marks(session, reader_id))


def set_mark(rt: Runtime, reader_id: int, paper_id: int, sign: int) -> bool:
    """More (1) or less (-1) like a paper that the reader had; 0 takes it back. False for one that
    never came to them."""

    def act(session: Session) -> bool:
        if sign and not own_rows.is_had(session, reader_id, paper_id):
            return False
        listing.set_feedback(session, reader_id, paper_id, sign, rt.clock())
        return True

    return rt.db.write(act, Priority.WEB)


def forget_marks(rt: Runtime, reader_id: int) -> int:
    """Take back everything that was said; returns how much that was."""

    def act(session: Session) -> int:
        rows = own_rows.list_marks(session, reader_id)
        for row in rows:
            session.delete(row)
        return len(rows)

    return rt.db.write(act, Priority.WEB)
