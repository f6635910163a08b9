"""Sources by an operator's hand: one is added by its kind, or those of a field of research."""

import json
import re
from collections.abc import Collection
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any

from service.errors import PaperpostError
from service.flows.history import want_history
from service.flows.runtime import Runtime
from service.flows.staff import write_audit
from service.flows.trying import refuse_address
from service.sources.adapter import Adapter, ParameterError
from service.sources.calendar import source_day
from service.sources.registry import adapter
from service.store import sources as sources_store
from service.store.db import Priority, Session


class FieldUnknownError(PaperpostError):
    """There is no field of research of this name; ``where`` is "field"."""


@cache
def presets() -> tuple[dict[str, Any], ...]:
    """Fields of research with their sources: name, label, sources (kind, params, title, about),
    keywords, note."""
    text = files("service").joinpath("data", "presets.json").read_text("utf-8")
    return tuple(json.loads(text)["fields"])


def list_fields(rt: Runtime) -> list[dict[str, Any]]:
    """The same, each source with ``there``: it is asked already."""
    rows = rt.db.read(sources_store.list_sources)
    asked = {
        (r.kind, sources_store.params_key(r.params))
        for r in rows
        if r.state not in ("paused", "gone")
    }

    def is_there(one: dict[str, Any]) -> bool:
        params = adapter(one["kind"]).checked(one["params"])
        return (one["kind"], sources_store.params_key(params)) in asked

    return [
        {**field, "sources": [{**one, "there": is_there(one)} for one in field["sources"]]}
        for field in presets()
    ]


def find_field(name: str) -> dict[str, Any]:
    """The field of a name. Raises FieldUnknownError."""
    found = next((one for one in presets() if one["name"] == name), None)
    if found is None:
        names = ", ".join(str(one["name"]) for one in presets())
        raise FieldUnknownError(
            f'There is no field "{name[:60]}".', "field", f"Known are: {names}."
        )
    return found


def add_field(
    rt: Runtime,
    name: str,
    titles: Collection[str] | None = None,
    *,
    by: str = "",
    address: str = "",
) -> list[dict[str, Any]]:
    """Add the sources of a field (those of ``titles``, None = all) that are not there; one row
    each, as of ``add_source``. Raises FieldUnknownError."""
    field = next((one for one in list_fields(rt) if one["name"] == name), None)
    if field is None:
        names = ", ".join(str(one["name"]) for one in presets())
        raise FieldUnknownError(
            f'There is no field "{name[:60]}".', "field", f"Known are: {names}."
        )
    return [
        add_source(rt, one["kind"], one["params"], one["title"], by=by, address=address)
        for one in field["sources"]
        if not one["there"] and (titles is None or one["title"] in titles)
    ]


def read_what(made: Adapter, what: str) -> dict[str, str]:
    """Turn what an operator typed into checked parameters: one value for the first parameter, or
    name=value pairs. Raises ParameterError, with the nearest name when one is misspelt."""
    names = [parameter.name for parameter in made.parameters]
    what = what.strip()
    first = re.match(r"([A-Za-z_]\w*)=", what)
    if first and first[1] not in names:
        near = get_close_matches(first[1], names, n=1, cutoff=0.5)
        hint = f'Did you mean "{near[0]}"? ' if near else ""
        raise ParameterError(
            f'A source of the kind {made.kind} has no parameter "{first[1]}".',
            first[1],
            f"{hint}It takes: {', '.join(names) or 'none'}.",
        )
    values: dict[str, str] = {}
    if first:
        named = "|".join(map(re.escape, names))
        for part in re.split(rf"\s+(?=(?:{named})=)", what):
            name, _, value = part.partition("=")
            values[name] = value.strip().strip("\"'")
    elif what:
        if not names:
            raise ParameterError(
                f"A source of the kind {made.kind} takes no parameters.", what[:60], "Leave it out."
            )
        values[names[0]] = what
    return made.checked(values)


def add_source(
    rt: Runtime,
    kind: str,
    what: str | dict[str, str] = "",
    title: str = "",
    history_days: int | None = None,
    *,
    by: str = "",
    address: str = "",
) -> dict[str, Any]:
    """Add a source (or wake a paused one); it is asked at the next poll, its past right after.

    history_days: None = the setting, 0 = none. by: who did it, for the record of acts; "" = the
    house itself. Returns id, kind, title, params, history (days
    wanted), added (False: it was there). Raises ParameterError.
    """
    made = adapter(kind)
    params = made.checked(what) if isinstance(what, dict) else read_what(made, what)
    refuse_address(rt, params)
    days = rt.defaults().history_days if history_days is None else history_days

    def act(session: Session) -> dict[str, Any]:
        done = _add(rt, session, made, params, title.strip(), days)
        if by:
            write_audit(
                session,
                rt.clock(),
                who=by,
                what="add source",
                target=str(done["title"]),
                after=done,
                address=address,
            )
        return done

    result = rt.db.write(act, Priority.WEB)
    rt.engine.enqueue("poll", (result["id"],))
    rt.log("source_added", source=result["id"], kind=kind)
    return result


def _add(
    rt: Runtime, session: Session, made: Adapter, params: dict[str, str], title: str, days: int
) -> dict[str, Any]:
    now = rt.clock()
    before = len(sources_store.list_sources(session, made.kind))
    row = sources_store.add_source(
        session,
        kind=made.kind,
        params=params,
        title=title or made.called(params),
        now=now,
        next_poll_at=now,
    )
    is_new = len(sources_store.list_sources(session, made.kind)) > before
    woken = row.state in ("paused", "gone")
    if woken:
        row.state, row.next_poll_at, row.failures = "ok", now, 0
        row.title = title or row.title
        session.add(row)
    wanted = 0
    if is_new or woken:
        wanted = want_history(session, row, days, source_day(made.kind, now))
    return {
        "id": row.id,
        "kind": row.kind,
        "title": row.title,
        "params": dict(row.params),
        "history": wanted,
        "added": is_new or woken,
    }
