"""What a source would bring, before it is added: asked once or read from a file, nothing stored."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from service.errors import PaperpostError
from service.flows.asking import Sleep, visit
from service.flows.runtime import Runtime
from service.papers.model import Alias, Sighting
from service.sources.adapter import Adapter, CaptureError, ParameterError, Parsed, Problem
from service.sources.address import why_refused
from service.sources.calendar import source_day
from service.sources.describe import Filled, filled
from service.sources.novelty import novelty
from service.sources.outcome import Failed
from service.sources.registry import adapter
from service.sources.trouble import reason_of
from service.store import papers as papers_store
from service.store.db import Priority, Session
from service.store.pace import claim_turn, end_turn
from service.store.sightings import list_sightings

BETWEEN = timedelta(seconds=5)
"""Between two tries of one person."""

AT_MOST = timedelta(seconds=90)
LONGEST_S = 60
"""Seconds that a person waits for a trial: for its turn, and for an answer (30 s at most)."""


class TrialError(PaperpostError):
    """A source that cannot be tried out now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """items: entries read · papers: those that this source's settings take, each once. Of them
    new: would count as new, known: would be known from the start, here: are in the lists already,
    here_by: (source, papers) that show those, updates: only say that a paper changed. unwanted:
    left out by the settings. fields: of all papers read.
    """

    title: str
    items: int
    papers: tuple[Sighting, ...]
    new: int
    known: int
    here: int
    here_by: tuple[tuple[str, int], ...]
    updates: int
    unwanted: int
    problems: tuple[Problem, ...]
    fields: tuple[Filled, ...]


def refuse_address(rt: Runtime, params: Mapping[str, str]) -> None:
    """Raise ParameterError for an address that no source is ever asked at."""
    if not rt.private_sources and (why := why_refused(params.get("url", ""))):
        raise ParameterError(
            f"This source would never be asked: {why}.",
            "url",
            "Sources inside your network are allowed by PAPERPOST_PRIVATE_SOURCES=true.",
        )


async def try_source(
    rt: Runtime,
    kind: str,
    params: Mapping[str, str],
    *,
    body: bytes | None = None,
    sleep: Sleep = asyncio.sleep,
) -> Trial:
    """Ask a source once (at the pace of all), or read ``body``, a captured answer of it.

    params: checked ones; where a capture is read they may be empty. Raises ParameterError,
    CaptureError or TrialError.
    """
    made = adapter(kind)
    if body is not None:
        parsed = await asyncio.to_thread(rt.parse, kind, body, None)
    else:
        refuse_address(rt, params)
        parsed = await _ask(rt, made, params, sleep)
    return await asyncio.to_thread(_judged, rt, made, params, parsed)


async def _ask(rt: Runtime, made: Adapter, params: Mapping[str, str], sleep: Sleep) -> Parsed:
    """The first page with a paper among those that a poll would ask."""
    made, parsed = copy(made), None
    vars(made)["next_page"] = lambda request, parsed: None
    field = made.parameters[0].name if made.parameters else "kind"
    async with rt.open_fetcher() as fetcher:
        for request in made.requests(params, today=source_day(made.kind, rt.clock())):
            seen = await visit(rt, fetcher, made, (request,), sleep=sleep)
            if seen.postponed_until is not None:
                at = f"{seen.postponed_until:%H:%M} UTC"
                raise TrialError(f"{made.title} asks us to wait until {at}.", "", "Try then.")
            if isinstance(seen.outcome, Failed) and not seen.pages:
                what, to_do = reason_of(seen.outcome.reason)
                reason = seen.outcome.reason.rstrip(".")
                raise TrialError(f"{what.removesuffix('.')} ({reason}).", field, to_do)
            parsed = seen.pages[0].parsed if seen.pages else parsed
            if parsed is not None and parsed.sightings:
                break
    if parsed is None:
        raise CaptureError("The source has nothing yet today.", field, "Try again later.")
    return parsed


def _judged(rt: Runtime, made: Adapter, params: Mapping[str, str], parsed: Parsed) -> Trial:
    listed = _once(parsed.sightings)
    wanted = [one for one in listed if made.wanted(params, one)]

    def look(session: Session) -> tuple[list[list[int]], Counter[str]]:
        stored = [papers_store.find_ids(session, one.paper.aliases) for one in wanted]
        seen = list_sightings(session, sorted({i for ids in stored for i in ids}))
        shown = [{title for i in ids for _, title, _, _ in seen.get(i, ())} for ids in stored]
        return stored, Counter(title for titles in shown for title in titles)

    there, sources = rt.db.read(look)
    unknown = [one for one, ids in zip(wanted, there, strict=True) if not ids]
    today = source_day(made.kind, rt.clock())
    verdicts = novelty(made.kind, unknown, today=today, first_poll=True, history=False)
    return Trial(
        title=parsed.title,
        items=parsed.items,
        papers=tuple(wanted),
        new=verdicts.count("new"),
        known=verdicts.count("known"),
        here=sum(map(bool, there)),
        here_by=tuple(sources.most_common()),
        updates=verdicts.count("refresh"),
        unwanted=len(listed) - len(wanted),
        problems=parsed.problems,
        fields=filled(parsed),
    )


def _once(sightings: Iterable[Sighting]) -> list[Sighting]:
    """Each paper as it stands first; the second time a poll would only refresh it."""
    named: set[Alias] = set()
    listed = []
    for one in sightings:
        if named.isdisjoint(one.paper.aliases):
            listed.append(one)
        named.update(one.paper.aliases)
    return listed


def begin_try(rt: Runtime, who: str) -> None:
    """Take a person's turn; ``end_try`` gives it back. Raises TrialError: another one is under way
    or has just ended."""
    now = rt.clock()
    turn = rt.db.write(
        lambda s: claim_turn(s, "try", who, now=now, gap=BETWEEN, hold=AT_MOST), Priority.WEB
    )
    if not turn.granted:
        wait = max(1, round((turn.at - now).total_seconds()))
        raise TrialError(
            "You tried a source a moment ago.", "", f"Wait {wait} seconds, then press again."
        )


def end_try(rt: Runtime, who: str) -> None:
    """Give a person's turn back."""
    rt.db.write(lambda s: end_turn(s, "try", who, now=rt.clock()), Priority.WEB)


async def try_by_hand(
    rt: Runtime, kind: str, params: Mapping[str, str], *, by: str, body: bytes | None = None
) -> Trial:
    """``try_source`` for somebody who waits for it: one at a time each, a minute at most. Raises
    what ``try_source`` raises."""
    await asyncio.to_thread(begin_try, rt, by)
    try:
        async with asyncio.timeout(LONGEST_S):
            return await try_source(rt, kind, params, body=body)
    except TimeoutError:
        raise TrialError(
            "It did not answer in time, or others are asked first.", "", "Try later."
        ) from None
    finally:
        await asyncio.to_thread(end_try, rt, by)


def tried_out(
    rt: Runtime, kind: str, params: Mapping[str, str], file: Path | None = None
) -> dict[str, Any]:
    """The same for the command line: one answer, from a file or asked now; nothing is stored.

    Returns ``trial_facts``. Raises what ``try_source`` raises. Not to be called in an event loop.
    """
    body = None
    if file is not None:
        try:
            body = file.read_bytes()
        except OSError as error:
            raise TrialError(
                f"{file.name} cannot be read: {error.strerror}.", str(file), "Check the path."
            ) from None
    return trial_facts(asyncio.run(try_source(rt, kind, params, body=body)))


def trial_facts(made: Trial) -> dict[str, Any]:
    """A trial as plain values: items, papers (the sum of new, known, here, updates and unwanted),
    title, problems (item, title, what) and fields (field, filled, empty, example)."""
    return {
        "items": made.items,
        "papers": len(made.papers) + made.unwanted,
        "new": made.new,
        "known": made.known,
        "here": made.here,
        "here_by": [{"source": title, "papers": n} for title, n in made.here_by],
        "updates": made.updates,
        "unwanted": made.unwanted,
        "title": made.title,
        "problems": [asdict(problem) for problem in made.problems],
        "fields": [asdict(row) for row in made.fields],
    }
