"""A source gets another title or other parameters; what that changes is said before."""

from collections.abc import Mapping
from dataclasses import dataclass

from service.flows.runtime import Runtime
from service.flows.source_acts import SourceError, asked_kind, held_source
from service.flows.source_days import NoSourceError
from service.flows.staff import write_audit
from service.flows.trying import refuse_address
from service.sources.adapter import ParameterError
from service.sources.registry import adapter
from service.store import source_desk
from service.store import sources as sources_store
from service.store.db import Priority, Session
from service.store.tables import SourceRow
from service.text.clean import collapse

LONGEST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceChange:
    """title, params: as they would be · effects: what follows, in words; () = nothing changes."""

    id: int
    title: str
    params: Mapping[str, str]
    effects: tuple[str, ...]


def plan_change(
    rt: Runtime, source_id: int, title: str | None = None, params: Mapping[str, str] | None = None
) -> SourceChange:
    """What a change would mean; nothing is changed. params: those that are other ones. Raises
    NoSourceError, ParameterError, SourceError."""
    return rt.db.read(lambda s: _plan(rt, s, source_id, title, params, holds=False)[1])


def edit_source(
    rt: Runtime,
    source_id: int,
    title: str | None = None,
    params: Mapping[str, str] | None = None,
    *,
    by: str,
    address: str = "",
) -> SourceChange:
    """Give a source another title or other parameters. Raises NoSourceError, ParameterError,
    SourceError."""

    def work(session: Session) -> SourceChange:
        row, plan = _plan(rt, session, source_id, title, params, holds=True)
        if not plan.effects:
            return plan
        now = rt.clock()
        before = {"title": row.title, "params": dict(row.params)}
        if plan.title != row.title:
            row.title = plan.title
            source_desk.forget_words(session, source_id)
        if dict(plan.params) != row.params:
            row.params = dict(plan.params)
            row.params_key = sources_store.params_key(plan.params)
            row.etag = row.last_modified = row.moved_to = row.last_error = ""
            row.moved_times = row.failures = 0
            row.first_polled = False
            if row.state not in ("paused", "gone"):
                row.state, row.next_poll_at = "ok", now
        session.add(row)
        write_audit(
            session, now, who=by, what="change source", target=str(source_id), before=before,
            after={"title": row.title, "params": dict(row.params)}, address=address,
        )  # fmt: skip
        return plan

    made = rt.db.write(work, Priority.WEB)
    if made.effects:
        rt.engine.enqueue("poll")
        rt.engine.enqueue("refold")
    return made


def _plan(
    rt: Runtime,
    session: Session,
    source_id: int,
    title: str | None,
    params: Mapping[str, str] | None,
    *,
    holds: bool,
) -> tuple[SourceRow, SourceChange]:
    row = held_source(session, source_id) if holds else _read(session, source_id)
    name = row.title if title is None else collapse(title)
    if not name:
        raise SourceError("A source needs a title: readers see it.", "title", "Type one.")
    if len(name) > LONGEST:
        raise SourceError(
            f"The title has {len(name)} characters; {LONGEST} fit.", "title", "Shorten it."
        )
    values, effects = dict(row.params), []
    if params:
        asked_kind(row)
        made = adapter(row.kind)
        known = {one.name for one in made.parameters}
        for unknown in params.keys() - known:
            raise ParameterError(
                f"A source of the kind {row.kind} has no parameter {unknown!r}.",
                unknown,
                f"It takes: {', '.join(sorted(known)) or 'none'}.",
            )
        values = made.checked({**row.params, **params})
        refuse_address(rt, values)
    if name != row.title:
        effects.append(
            "Pages and mails to come show the new title; its papers are found by it once they are "
            "folded again, in the background. Mails that were sent stay as they are."
        )
    if values != row.params:
        other = sources_store.find_source(session, row.kind, values)
        if other is not None and other.id != row.id:
            raise SourceError(
                f"Source {other.id}, {other.title}, has these parameters already.",
                "params",
                "Remove one of the two.",
            )
        effects.append(
            "It is asked anew, as if it had just been added: what it shows then is known, but for "
            "its newest day, so that nobody is flooded. Papers that it brought before stay."
        )
    return row, SourceChange(id=source_id, title=name, params=values, effects=tuple(effects))


def _read(session: Session, source_id: int) -> SourceRow:
    row = sources_store.get_source(session, source_id)
    if row is None:
        raise NoSourceError(source_id)
    return row
