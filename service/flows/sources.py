"""Sources by an operator's hand: add, try out, pause, remove, and bring the past in."""

import asyncio
import json
import re
from dataclasses import asdict
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from service.errors import PaperpostError
from service.flows import ingest
from service.flows.asking import Sleep, visit
from service.flows.history import HistoryReport, bring_wanted, want_history
from service.flows.runtime import Runtime
from service.sources.adapter import Adapter, CaptureError, ParameterError, Parsed
from service.sources.address import why_refused
from service.sources.calendar import source_day
from service.sources.describe import filled
from service.sources.outcome import Failed
from service.sources.registry import adapter
from service.store import sources as sources_store
from service.store.db import Priority, Session
from service.store.tables import SourceRow


class SourceError(PaperpostError):
    """A source that is not there, or an act that it does not allow."""


@cache
def presets() -> tuple[dict[str, Any], ...]:
    """Fields of research with their sources: name, label, sources (kind, params, title, about),
    keywords, note."""
    text = files("service").joinpath("data", "presets.json").read_text("utf-8")
    return tuple(json.loads(text)["fields"])


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
) -> dict[str, Any]:
    """Add a source (or wake a paused one); it is asked at the next poll, its past right after.

    history_days: None = the setting, 0 = none. Returns id, kind, title, params, history (days
    wanted), added (False: it was there). Raises ParameterError.
    """
    made = adapter(kind)
    params = made.checked(what) if isinstance(what, dict) else read_what(made, what)
    if not rt.private_sources and (why := why_refused(params.get("url", ""))):
        raise ParameterError(
            f"This source would never be asked: {why}.",
            "url",
            "Sources inside your network are allowed by PAPERPOST_PRIVATE_SOURCES=true.",
        )
    days = rt.defaults().history_days if history_days is None else history_days
    result = rt.db.write(lambda s: _add(rt, s, made, params, title.strip(), days), Priority.WEB)
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


def remove_source(rt: Runtime, source_id: int) -> None:
    """Remove a source; its papers stay. Raises SourceError."""
    if not rt.db.write(lambda s: sources_store.delete_source(s, source_id), Priority.WEB):
        raise _missing(source_id)


def pause(rt: Runtime, source_id: int) -> None:
    """Ask a source no more until ``resume``. Raises SourceError."""

    def act(session: Session) -> None:
        row = _get(session, source_id)
        row.state, row.next_poll_at = "paused", None
        session.add(row)

    rt.db.write(act, Priority.WEB)


def resume(rt: Runtime, source_id: int) -> None:
    """Ask a paused or ended source again, at once. Raises SourceError."""

    def act(session: Session) -> None:
        row = _get(session, source_id)
        adapter(row.kind).checked(row.params)
        row.state, row.next_poll_at, row.failures = "ok", rt.clock(), 0
        session.add(row)

    rt.db.write(act, Priority.WEB)
    rt.engine.enqueue("poll", (source_id,))


def release_held(rt: Runtime, source_id: int, *, as_new: bool) -> int:
    """A held burst: take its papers as new, or as known. Returns how many. Raises SourceError."""
    rt.db.read(lambda s: _get(s, source_id))
    return ingest.release_held(rt, source_id, as_new=as_new)


def _get(session: Session, source_id: int) -> SourceRow:
    row = sources_store.get_source(session, source_id)
    if row is None:
        raise _missing(source_id)
    return row


def _missing(source_id: int) -> SourceError:
    return SourceError(f"There is no source {source_id}.", "", "paperpost sources list")


async def bring_history(
    rt: Runtime, source_id: int, days: int, *, sleep: Sleep = asyncio.sleep
) -> HistoryReport:
    """Bring the last ``days`` of a source in as known papers, now. Raises SourceError."""

    def want(session: Session) -> SourceRow:
        row = _get(session, source_id)
        if not adapter(row.kind).history_kind:
            raise SourceError(
                f"{row.title} has no past that can be asked for.",
                "",
                "Sources of the kinds hf_daily, arxiv_rss and arxiv_api have one.",
            )
        want_history(session, row, days, source_day(row.kind, rt.clock()))
        session.flush()
        session.expunge(row)
        return row

    source = await rt.db.awrite(want, Priority.WEB)
    async with rt.open_fetcher() as fetcher:
        return await bring_wanted(rt, fetcher, source, sleep=sleep)


def test_source(rt: Runtime, kind: str, what: str, file: Path | None) -> dict[str, Any]:
    """Read one answer of a source, from a file or asked now; nothing is stored.

    Returns items, papers, title, problems (item, title, what) and fields (field, filled, empty,
    example). Raises ParameterError, CaptureError or SourceError. Not to be called in an event loop.
    """
    made = adapter(kind)
    if file is not None:
        try:
            body = file.read_bytes()
        except OSError as error:
            raise SourceError(
                f"{file.name} cannot be read: {error.strerror}.", str(file), "Check the path."
            ) from None
        parsed = rt.parse(kind, body, None)
    else:
        parsed = asyncio.run(_ask(rt, made, read_what(made, what)))
    return {
        "items": parsed.items,
        "papers": len(parsed.sightings),
        "title": parsed.title,
        "problems": [asdict(problem) for problem in parsed.problems],
        "fields": [asdict(row) for row in filled(parsed)],
    }


test_source.__test__ = False  # type: ignore[attr-defined]


async def _ask(rt: Runtime, made: Adapter, params: dict[str, str]) -> Parsed:
    today = source_day(made.kind, rt.clock())
    async with rt.open_fetcher() as fetcher:
        seen = await visit(rt, fetcher, made, made.requests(params, today=today)[:1])
    if isinstance(seen.outcome, Failed):
        raise SourceError(f"{made.title}: {seen.outcome.reason}.", "", "Check its address.")
    if seen.pages:
        return seen.pages[0].parsed
    if seen.postponed_until is not None:
        at = f"{seen.postponed_until:%H:%M} UTC"
        raise SourceError(f"{made.title} asks us to wait until {at}.", "", "Try again then.")
    raise CaptureError("The source has nothing yet today.", "", "Try again later.")
