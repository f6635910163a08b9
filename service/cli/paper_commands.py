"""Papers and matching: poll, ingest, match."""

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.cli import printing, source_commands
from service.cli.opening import runtime

if TYPE_CHECKING:
    from service.subscribers.address import Address

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
OnDay = Annotated[
    datetime | None, typer.Option("--on", formats=["%Y-%m-%d"], help="A date, YYYY-MM-DD.")
]


def read_email(email: str, name: str = "email") -> "Address":
    """The address that was typed; a text that is none is misuse (exit 2)."""
    from service.subscribers.address import read_address

    with printing.argument(name):
        return read_address(email)


def day(value: datetime | None) -> date | None:
    """Typer reads dates as datetimes."""
    return value.date() if value is not None else None


def register(app: typer.Typer) -> None:
    """Hang this part's commands into the program."""
    app.add_typer(source_commands.app, name="sources")
    app.command("poll")(poll)
    app.command("ingest")(ingest)
    app.command("match")(match)


def poll(
    source: Annotated[int | None, typer.Option(help="Only this source")] = None,
    replay: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="From the bytes kept of a day")
    ] = None,
    as_json: Json = False,
) -> None:
    """Ask every source that is due (or one, now), and match what is new."""
    import asyncio

    from service.flows import poll as flow
    from service.flows.replay import replay as replayed

    with runtime() as rt:
        if replay is not None:
            report: Any = replayed(rt, replay.date(), source)
        else:
            report = asyncio.run(flow.poll_due(rt, only=source))
    columns = ["source", "title", "outcome", "items", "new", "known", "error"]
    if as_json:
        printing.as_json(report)
    else:
        empty = "Nothing is due." if replay is None else "No answers of this day are kept."
        printing.table(report, columns, empty)
    if any(each["outcome"] in ("failed", "gone") for each in report):
        raise typer.Exit(1)


def ingest(
    files: Annotated[list[Path], typer.Argument(help="Captured responses")],
    kind: Annotated[str, typer.Option("--kind", help=source_commands.KIND_HELP)],
    on: OnDay = None,
    history: Annotated[bool, typer.Option("--history", help="Known, never new")] = False,
    as_json: Json = False,
) -> None:
    """Take captured responses as if first seen and listed on a date, tomorrow's at the latest.

    Ends with 1 when a file, or an item of one, could not be taken; the others are in.
    """
    from service.flows.daily import check_date
    from service.flows.ingest import ingest_files
    from service.flows.match import match_new

    source_commands.known_kind(kind)
    with runtime() as rt:
        check_date(rt, day(on))
        report = ingest_files(rt, kind, files, on=day(on), history=history)
        matched = match_new(rt)
    if as_json:
        printing.as_json(
            {
                "items": report.items,
                "new": report.new,
                "known": report.known,
                "refreshed": report.refreshed,
                "matches": matched.matches,
                "problems": [vars_of(p) for p in report.problems],
                "unread": [{"file": f, "problem": str(error)} for f, error in report.unread],
            }
        )
    else:
        typer.echo(
            f"{printing.tally(report.items, 'item')}: {report.new} new, {report.known} known, "
            f"{report.refreshed} seen before, {len(report.problems)} not taken; "
            f"{printing.tally(matched.matches, 'match', 'matches')}."
        )
        for problem in report.problems[:20]:
            typer.echo(f"item {problem.item} ({problem.title[:60]}): {problem.what}", err=True)
    for file, error in report.unread:
        typer.echo(f"{file}: {printing.sentence(error.what)} {error.next_step}", err=True)
    if report.unread or report.problems:
        raise typer.Exit(1)


def vars_of(problem: Any) -> dict[str, Any]:
    """A problem as an object."""
    return {"item": problem.item, "title": problem.title, "what": problem.what}


def match(
    profiles: Annotated[Path, typer.Option(help="JSON lines: id, query")],
    papers: Annotated[Path, typer.Option(help="JSON lines: id, title, abstract, ...")],
    explain: Annotated[bool, typer.Option("--explain", help="With hits and score parts")] = False,
    count: Annotated[bool, typer.Option("--count", help="Only figures")] = False,
    top: Annotated[int | None, typer.Option(min=1, help="Best papers of each profile")] = None,
    as_json: Json = False,
) -> None:
    """Match a file of profiles against a file of papers; nothing is stored.

    Lines that cannot be read are named on standard error and counted as refused; it ends with 0.
    """
    import json
    import resource
    import time

    from service.cli.lines import read_lines
    from service.matching.batch import Refused, count_batch, match_batch

    del as_json  # lines of JSON either way
    refused: Refused = []
    queries = read_lines(profiles, "profile", refused)
    rows = read_lines(papers, "paper", refused)
    if count:
        made = count_batch(
            queries,
            rows,
            cpu=time.process_time,
            peak_mb=lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            refused=refused,
        )
        printing.as_json(made)
    else:
        for line in match_batch(queries, rows, explain=explain, top=top, refused=refused):
            typer.echo(json.dumps(line, ensure_ascii=False))
    for each in refused[:20]:
        what = "profile" if "profile" in each else "paper"
        typer.echo(f"{what} {each[what]!r}: {each['problem']}", err=True)
    if len(refused) > 20:
        typer.echo(f"and {len(refused) - 20} more that cannot be read", err=True)
