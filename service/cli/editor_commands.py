"""An editor's hand: the day's note, picks and release; readers' proposals."""

import asyncio
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.cli import printing
from service.cli.opening import runtime
from service.cli.paper_commands import Json, OnDay, day

if TYPE_CHECKING:
    from service.flows.runtime import Runtime

BY = "cli"

day_app = typer.Typer(help="A day by an editor's hand: note, picks.", no_args_is_help=True)
submissions_app = typer.Typer(help="Papers that readers propose.", no_args_is_help=True)

Number = Annotated[int, typer.Argument(metavar="ID", help="Its number in submissions list")]


def register(app: typer.Typer) -> None:
    """Hang this part's commands into the program."""
    app.command("release")(release)
    app.add_typer(day_app, name="day")
    app.add_typer(submissions_app, name="submissions")


def _on(rt: "Runtime", on: datetime | None) -> date:
    from service.subscribers.cadence import local_date

    return day(on) or local_date(rt.clock(), rt.zone)


def release(on: OnDay = None, as_json: Json = False) -> None:
    """Release a day's digests (today's): they go at each reader's hour."""
    from service.flows.release import release as let_go

    with runtime() as rt:
        made = let_go(rt, _on(rt, on), by=BY)
    waits = made.waiting.readers if made.waiting else 0
    said = f"Released: {made.on}; {printing.tally(waits, 'reader')} waited."
    printing.told(made.facts(), said, wants_json=as_json)


@day_app.command("show")
def day_show(on: OnDay = None, as_json: Json = False) -> None:
    """A day as its editors see it: whether it is released, note, picks."""
    from service.flows.picks import read_picks
    from service.flows.release import standing_of
    from service.store.editions import note_of

    with runtime() as rt:
        meant = _on(rt, on)
        standing, note = rt.db.read(lambda s: (standing_of(rt, s, meant), note_of(s, meant)))
        picked = read_picks(rt, meant)
    facts: dict[str, Any] = standing.facts() | {"note": note, "picks": picked.facts()["papers"]}
    if as_json:
        printing.as_json(facts)
        return
    state = "released" if standing.is_free else "waits for its release"
    if standing.goes_at is not None and not standing.is_free:
        state += f", goes at {standing.goes_at:%H:%M}"
    if standing.waiting is not None and not standing.is_free:
        state += f"; {printing.tally(standing.waiting.readers, 'reader')} since "
        state += f"{standing.waiting.since:%d %b %H:%M} UTC"
    typer.echo(f"{meant}: {state}")
    typer.echo(f"note:  {note or 'none'}")
    for place, (_, title, name) in enumerate(picked.papers, 1):
        typer.echo(f"pick {place}: {name}  {title}")
    if not picked.papers:
        typer.echo("picks: none")


@day_app.command("note")
def day_note(
    words: Annotated[str, typer.Argument(metavar="WORDS", help='"" takes the note away')],
    on: OnDay = None,
    as_json: Json = False,
) -> None:
    """Put a note on top of a day's digests and of its page."""
    from service.flows.note import set_note

    with runtime() as rt:
        made = set_note(rt, _on(rt, on), words.replace("\\n", "\n"), by=BY)
    facts = {"on": made.on.isoformat(), "note": made.note, "mails_without": made.without}
    said = f"Noted for {made.on}." if made.note else f"No note for {made.on}."
    printing.told(facts, said + _without(made.without), wants_json=as_json)


@day_app.command("picks")
def day_picks(
    papers: Annotated[
        list[str] | None,
        typer.Argument(metavar="PAPER...", help="An arXiv id, a DOI, a link; none: no picks"),
    ] = None,
    on: OnDay = None,
    as_json: Json = False,
) -> None:
    """Say which papers are picked for a day, in their order."""
    from service.flows.picks import set_picks

    with runtime() as rt:
        made = set_picks(rt, _on(rt, on), papers or [], by=BY)
    said = f"{printing.tally(len(made.papers), 'pick')} for {made.on}."
    printing.told(made.facts(), said + _without(made.without), wants_json=as_json)


def _without(mails: int) -> str:
    return f" {printing.tally(mails, 'mail')} made before stay as they are." if mails else ""


@submissions_app.command("list")
def submissions_list(
    state: Annotated[str, typer.Option(help="waiting, accepted or declined")] = "",
    as_json: Json = False,
) -> None:
    """Papers that readers propose, the newest first."""
    from service.flows.submissions import facts_of
    from service.store import submissions as store

    if state:
        printing.one_of(state, store.STATES, "--state")
    with runtime() as rt:
        rows = rt.db.read(lambda s: store.list_submissions(s, store.Wanted(state)))
    found = [facts_of(row) for row in rows]
    if as_json:
        printing.as_json(found)
        return
    for one in found:
        typer.echo(f"{one['id']}  {one['state']}  {one['paper']}  {one['title'] or one['link']}")
        if one["words"] or one["name"]:
            typer.echo(f"    {one['words']}" + (f"  ({one['name']})" if one["name"] else ""))
        if one["problem"]:
            typer.echo(f"    {one['problem']}")
    if not found:
        typer.echo("No proposal.")


@submissions_app.command("accept")
def submissions_accept(number: Number, on: OnDay = None, as_json: Json = False) -> None:
    """Store the paper of a proposal as new; it stands on a day's page (today's)."""
    from service.flows.submissions import accept, facts_of

    with runtime() as rt:
        row = asyncio.run(accept(rt, number, day(on), by=BY))
    said = f"Accepted: {row.title}, on {row.listed_on}."
    printing.told(facts_of(row), said, wants_json=as_json)


@submissions_app.command("decline")
def submissions_decline(
    number: Number,
    reason: Annotated[str, typer.Option(help="For the staff alone")] = "",
    as_json: Json = False,
) -> None:
    """Decline a proposal."""
    from service.flows.submissions import decline, facts_of

    with runtime() as rt:
        row = decline(rt, number, reason, by=BY)
    printing.told(facts_of(row), f"Declined: {row.title or row.link}", wants_json=as_json)
