"""More of sources by command: missing, catch-up, burst, set, contribution."""

from typing import Annotated, Any

import typer

from service.cli import printing
from service.cli.opening import runtime
from service.cli.source_commands import Json, SourceId, app

_BY = "cli"


def register(_top: typer.Typer) -> None:
    """Nothing more: the commands hang in the group of the sources."""


@app.command("missing")
def missing(source_id: SourceId, as_json: Json = False) -> None:
    """Days of which nothing is there: missed ones count as new, lost ones would be known."""
    from service.flows.catch_up import read_missing

    with runtime() as rt:
        made = read_missing(rt, source_id)
    states = (("missed", made.missed), ("lost", made.lost), ("wanted", made.wanted))
    rows = [{"day": day, "state": state} for state, days in states for day in days]
    if as_json:
        printing.as_json(rows)
    else:
        printing.table(rows, ["day", "state"], "Nothing is missing.")


@app.command("catch-up")
def catch_up(
    source_id: SourceId,
    days: Annotated[int, typer.Option(min=0, max=400, help="Also days of its past")] = 0,
    as_json: Json = False,
) -> None:
    """Bring in what is missing, now, at the pace of all."""
    import asyncio

    from service.flows.catch_up import bring_in, read_missing
    from service.flows.poll import poll_due

    with runtime() as rt:
        bring_in(rt, source_id, days=days, by=_BY)
        report = asyncio.run(poll_due(rt, only=source_id))
        left = read_missing(rt, source_id)
    (made,) = report
    facts: dict[str, Any] = {**made, "wanted": len(left.wanted), "missed": len(left.missed)}
    said = (
        f"{made['title']}: {made['new']:,} new, {made['history']:,} of the past; "
        f"{printing.tally(len(left.wanted), 'day')} still wanted. {made['error']}".rstrip()
    )
    printing.told(facts, said, wants_json=as_json)
    if made["outcome"] in ("failed", "gone"):
        raise typer.Exit(1)


@app.command("burst")
def burst(source_id: SourceId, as_json: Json = False) -> None:
    """Papers that wait for a decision: some of them, and whom they would reach as new."""
    from dataclasses import asdict

    from service.flows.burst import read_burst

    with runtime() as rt:
        made = read_burst(rt, source_id)
    if as_json:
        printing.as_json(asdict(made))
        return
    if not made.papers:
        typer.echo("Nothing waits.")
        return
    typer.echo(
        f"{made.title}: {printing.tally(made.papers, 'paper')} wait. As new they reach "
        f"{printing.tally(made.readers, 'reader')} ({printing.tally(made.alerts, 'alert')})"
        f"{f', counted for the newest {made.counted}' if made.counted < made.papers else ''}."
    )
    rows = [asdict(one) for one in made.samples]
    printing.table(rows, ["id", "title", "published_on", "wanted"], "")
    typer.echo(f"Decide: paperpost sources take {source_id} new|known")


@app.command("set")
def set_(
    source_id: SourceId,
    title: Annotated[str | None, typer.Option(help="Name shown to readers")] = None,
    param: Annotated[list[str] | None, typer.Option("--param", help="NAME=VALUE")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what follows")] = False,
    as_json: Json = False,
) -> None:
    """Give a source another title or other parameters; it says what follows."""
    from dataclasses import asdict

    from service.flows.source_edit import edit_source, plan_change

    params = {}
    for one in param or ():
        name, equals, value = one.partition("=")
        if not equals:
            raise typer.BadParameter(f"{one!r} is not NAME=VALUE.", param_hint="--param")
        params[name.strip()] = value.strip()
    if title is None and not params:
        raise typer.BadParameter("Nothing is to be changed.\n  next:  give --title or --param")
    with runtime() as rt:
        made = (
            plan_change(rt, source_id, title, params)
            if dry_run
            else edit_source(rt, source_id, title, params, by=_BY)
        )
    facts = {**asdict(made), "changed": bool(made.effects) and not dry_run}
    said = "\n".join(made.effects) or "Nothing changes."
    printing.told(facts, said, wants_json=as_json)


@app.command("contribution")
def contribution(
    category: Annotated[bool, typer.Option("--category", help="Also for each category")] = False,
    as_json: Json = False,
) -> None:
    """What each source brought in the last 30 days, as it was counted last."""
    from service.flows.contribution import list_shares, share_data

    with runtime() as rt:
        rows = [share_data(one) for one in list_shares(rt) if category or not one.category]
    if as_json:
        printing.as_json(rows)
        return
    columns = ["source", "title", "category", "papers", "matched", "alone", "alone_matched",
               "readers", "only_readers"]  # fmt: skip
    printing.table(rows, columns, "Nothing was counted yet. paperpost interests count")
