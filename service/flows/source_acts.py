"""What the staff do with a source that is there: pause, resume, remove, decide on a burst, ask now.

Each act is one transaction with its row in the record of acts.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.errors import PaperpostError
from service.flows import match
from service.flows.poll import LEASE
from service.flows.runtime import Runtime
from service.flows.source_days import NoSourceError
from service.flows.staff import write_audit
from service.sources.registry import ADAPTERS, adapter
from service.store import sightings as sightings_store
from service.store import source_desk
from service.store import sources as sources_store
from service.store.db import Priority, Session
from service.store.tables import SourceRow

ACTS = ("pause", "resume", "remove", "take-new", "take-known")


class SourceError(PaperpostError):
    """An act on a source that cannot be done; ``where`` is the field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """at: when somebody pressed · waits: no answer came since · is_new: False where another press
    is still waited for."""

    id: int
    title: str
    at: datetime
    waits: bool
    is_new: bool


def change_source(
    rt: Runtime, source_id: int, act: str, *, by: str, address: str = ""
) -> dict[str, Any]:
    """One of ``ACTS``, put on record; the same from a page, a program and the command line.

    Returns id, title, act and papers (how many a decision on a burst took). Raises NoSourceError,
    ParameterError (resume: its parameters are read no more).
    """
    if act not in ACTS:
        raise SourceError(f"{act!r} is no act on a source.", "act", f"Use {', '.join(ACTS)}.")
    taken: list[int] = []

    def work(session: Session) -> dict[str, Any]:
        row, now = held_source(session, source_id), rt.clock()
        before: dict[str, Any] = {"title": row.title, "state": row.state}
        after: dict[str, Any] | None = None
        if act == "remove":
            before |= source_desk.count_remove(session, source_id)
            sources_store.delete_source(session, source_id)
        elif act in ("pause", "resume"):
            _switch(session, row, act, now)
            after = {"title": row.title, "state": row.state}
        else:
            is_new = act == "take-new"
            taken[:] = sightings_store.release_held(session, source_id, now if is_new else None)
            after = {"title": row.title, "papers": len(taken), "as": act.removeprefix("take-")}
        write_audit(
            session, now, who=by, what=f"{act} source", target=str(source_id),
            before=before, after=after, address=address,
        )  # fmt: skip
        return {"id": source_id, "title": before["title"], "act": act, "papers": len(taken)}

    made = rt.db.write(work, Priority.WEB)
    if act == "resume":
        rt.engine.enqueue("poll")
    if act == "take-new" and taken:
        rt.corpus.forget(taken)  # they count for another day
        match.match_new(rt)
    return made


def _switch(session: Session, row: SourceRow, act: str, now: datetime) -> None:
    if act == "pause":
        row.state, row.next_poll_at, row.asked_at = "paused", None, None
    else:
        asked_kind(row)
        adapter(row.kind).checked(row.params)
        row.state, row.next_poll_at, row.failures = "ok", now, 0
    session.add(row)


def ask_now(rt: Runtime, source_id: int, *, by: str, address: str = "") -> Asked:
    """A source is asked as soon as its server's pace allows; nobody waits for it here. Pressed
    again before it answered, nothing more happens. Raises NoSourceError, SourceError."""

    def work(session: Session) -> Asked:
        row, now = held_source(session, source_id), rt.clock()
        asked_kind(row)
        if row.state in ("paused", "gone"):
            raise SourceError(
                f"{row.title} is {'paused' if row.state == 'paused' else 'ended'}: nobody asks it.",
                "source",
                "Resume it; it is asked at once then.",
            )
        waits = is_waited_for(row, now)
        if not waits:
            row.asked_at = now
            row.next_poll_at = min(now, row.next_poll_at or now)
            session.add(row)
            write_audit(
                session, now, who=by, what="poll source", target=str(source_id),
                before={"title": row.title, "last_poll_at": _iso(row.last_poll_at)},
                after={"title": row.title, "asked_at": _iso(now)}, address=address,
            )  # fmt: skip
        assert row.asked_at is not None
        return Asked(id=source_id, title=row.title, at=row.asked_at, waits=True, is_new=not waits)

    made = rt.db.write(work, Priority.WEB)
    if made.is_new:
        rt.engine.enqueue("poll")
    return made


def is_waited_for(row: SourceRow, now: datetime) -> bool:
    """Whether somebody asked for a poll that has not answered yet. One that died with its process
    is waited for no longer than its lease."""
    if row.asked_at is None or now - row.asked_at > LEASE:
        return False
    answered = datetime.fromisoformat(row.answer["at"]) if row.answer else None
    return answered is None or answered < row.asked_at


def held_source(session: Session, source_id: int) -> SourceRow:
    """A source, held. Raises NoSourceError."""
    row = sources_store.hold_source(session, source_id)
    if row is None:
        raise NoSourceError(source_id)
    return row


def asked_kind(row: SourceRow) -> None:
    """Raises SourceError: nobody can ask a source of this kind (readers' proposals)."""
    if row.kind not in ADAPTERS:
        raise SourceError(
            f"{row.title} is no source that can be asked.", "source", "Its papers come by hand."
        )


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Newest:
    """What the newest poll of a source came to. asked_at: when a person last asked for one · waits:
    it has not answered yet · at: of the newest answer, None = none since this is kept · answer: its
    figures, as of ``taking.PollReport``."""

    id: int
    asked_at: datetime | None
    waits: bool
    at: datetime | None
    answer: dict[str, Any]

    @property
    def says(self) -> str:
        """In one line: "26 items, 3 new"."""
        made = self.answer
        if not made:
            return ""
        if made["outcome"] in ("failed", "gone"):
            return "no answer that can be read"
        if made["outcome"] == "postponed":
            return "its server asks us to wait"
        if made["outcome"] == "unchanged":
            return "nothing changed since the answer before"
        parts = [_count(made["items"], "item"), f"{made['new']:,} new"]
        if made["held"]:
            parts.append(f"{made['held']:,} held")
        if made["history"]:
            parts.append(f"{made['history']:,} of the past")
        return ", ".join(parts)


def read_newest(rt: Runtime, source_id: int) -> Newest:
    """What the newest poll brought. Raises NoSourceError."""

    def load(session: Session) -> Newest:
        row = sources_store.get_source(session, source_id)
        if row is None:
            raise NoSourceError(source_id)
        answer = dict(row.answer or {})
        at = datetime.fromisoformat(answer.pop("at")) if answer else None
        waits = is_waited_for(row, rt.clock())
        return Newest(id=source_id, asked_at=row.asked_at, waits=waits, at=at, answer=answer)

    return rt.db.read(load)


def _count(n: int, one: str) -> str:
    return f"{n:,} {one}{'' if n == 1 else 's'}"
