"""Papers by hand: papers find, show, hide, unhide, merge, unmerge, fetch."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.cli import printing
from service.cli.opening import runtime
from service.cli.paper_commands import Json

if TYPE_CHECKING:
    from service.flows.runtime import Runtime

papers_app = typer.Typer(help="Stored papers by hand.", no_args_is_help=True)

Which = Annotated[str, typer.Argument(metavar="PAPER", help="Its number, arXiv id, DOI or link")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the record of acts")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what it would make; change nothing")]
_BY = "cli"


def register(app: typer.Typer) -> None:
    """Hang this part's commands into the program."""
    app.add_typer(papers_app, name="papers")


def _reason(text: str) -> str:
    """Why, as it is kept; none is misuse (exit 2)."""
    from service.flows.hidden import read_reason

    with printing.argument("--reason"):
        return read_reason(text)


def _number(rt: "Runtime", text: str) -> int:
    from service.flows.paper_desk import number_of

    return number_of(rt, text)


@papers_app.command("find")
def find(
    words: Annotated[list[str] | None, typer.Argument(help="Words, a name or a number")] = None,
    hidden: Annotated[bool, typer.Option("--hidden", help="Only hidden ones")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Papers at most")] = 50,
    as_json: Json = False,
) -> None:
    """Find papers; without words those that are hidden."""
    from service.flows.paper_desk import find_papers, line_data
    from service.matching.query import QueryError

    text = " ".join(words or ())
    with runtime() as rt:
        try:
            found = find_papers(rt, text, hidden=hidden, limit=limit)
        except QueryError as error:
            said = "\n".join(printing.lines(error))
            raise typer.BadParameter(said, param_hint="words") from None
        rows = [line_data(one) for one in found.papers]
    if as_json:
        printing.as_json(rows)
        return
    printing.table(rows, ["id", "title", "name", "published_on", "hidden"], "No paper.")
    if found.total > len(rows):
        typer.echo(f"{found.total - len(rows):,} more; --limit shows them.", err=True)


@papers_app.command("show")
def show(paper: Which, as_json: Json = False) -> None:
    """One paper: names, where it was seen, what happened, who had it."""
    from service.flows.paper_desk import paper_facts, read_paper

    with runtime() as rt:
        made = paper_facts(read_paper(rt, _number(rt, paper)))
    if as_json:
        printing.as_json(made)
        return
    typer.echo(f"{made['id']}  {made['title']}")
    state = f"hidden: {made['hidden']}" if made["hidden"] else (
        f"new since {made['new_since']}" if made["new_since"] else "known, never mailed as new"
    )  # fmt: skip
    typer.echo(f"state:  {state}")
    typer.echo(f"names:  {', '.join(made['names'])}")
    counts, waiting = made["counts"], made["mails_waiting"]
    typer.echo(
        f"had by {printing.tally(counts['readers'], 'reader')}; wanted by "
        f"{printing.tally(counts['matches'], 'interest')} of "
        f"{printing.tally(counts['wanting'], 'reader')}; "
        f"{printing.tally(waiting['untried'], 'composed mail')} wait with it"
    )
    columns = ["listed_on", "source", "first_seen_at", "announce_type", "held"]
    printing.table(made["sightings"], columns, "No source lists it any more.")
    printing.table(
        made["story"], ["at", "what", "by", "more"], "Nothing happened since it came in."
    )
    for one in made["joins"]:
        over = f", parted {one['undone_at']}" if one["undone_at"] else ""
        typer.echo(f"join {one['id']}: paper {one['paper']} by {one['by']}: {one['reason']}{over}")


@papers_app.command("hide")
def hide(paper: Which, reason: Reason, as_json: Json = False) -> None:
    """Hide a paper everywhere: pages, feeds, search, API, mails that no server has seen."""
    from service.flows.hidden import hide_paper

    why = _reason(reason)
    with runtime() as rt:
        made = hide_paper(rt, _number(rt, paper), why, by=_BY)
    mails = printing.tally(made.mails, "composed mail")
    said = f"Hidden: {made.title}. {mails} lost it, {made.left:,} keep it."
    printing.told(_facts(made), said, wants_json=as_json)


@papers_app.command("unhide")
def unhide(paper: Which, as_json: Json = False) -> None:
    """Show a hidden paper again."""
    from service.flows.hidden import show_again

    with runtime() as rt:
        made = show_again(rt, _number(rt, paper), by=_BY)
    said = f"Shown again: {made.title}" if made.changed else f"It is not hidden: {made.title}"
    printing.told(_facts(made), said, wants_json=as_json)


@papers_app.command("merge")
def merge(
    keep: Annotated[str, typer.Argument(metavar="KEEP", help="The paper that is kept")],
    other: Annotated[str, typer.Argument(metavar="OTHER", help="Its twin")],
    reason: Reason = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Make two papers one; --dry-run shows what differs and what would be kept."""
    from service.flows.joined import join_papers, plan_join
    from service.flows.paper_desk import plan_data

    why = "" if dry_run else _reason(reason)
    with runtime() as rt:
        numbers = _number(rt, keep), _number(rt, other)
        made = plan_data(plan_join(rt, *numbers))
        join = 0 if dry_run else join_papers(rt, *numbers, why, by=_BY)
    if as_json:
        printing.as_json({**made, "joined": not dry_run, "number": join or None})
        return
    for words in made["warnings"]:
        typer.echo(words, err=True)
    printing.table(made["differences"], ["field", "keep", "join", "made"], "Nothing differs.")
    if not dry_run:
        typer.echo(f"Joined. To undo it: paperpost papers unmerge {numbers[0]} {join} --reason WHY")


@papers_app.command("unmerge")
def unmerge(
    paper: Which,
    join: Annotated[int, typer.Argument(min=1, help="The join's number, as show says it")],
    reason: Reason,
    as_json: Json = False,
) -> None:
    """Part two papers that were joined by hand."""
    from service.flows.joined import part_papers

    why = _reason(reason)
    with runtime() as rt:
        keep_id = _number(rt, paper)
        kept, parted = part_papers(rt, join, why, by=_BY, keep_id=keep_id)
    made = {"kept": kept, "parted": parted}
    printing.told(made, f"Papers {kept} and {parted} are two again.", wants_json=as_json)


@papers_app.command("fetch")
def fetch(paper: Which, as_json: Json = False) -> None:
    """Ask arXiv for a paper again, at the pace of all."""
    import asyncio

    from service.flows.fetch_again import fetch_again

    with runtime() as rt:
        made = asyncio.run(fetch_again(rt, _number(rt, paper), by=_BY, patience=120))
    facts = {"id": made.id, "title": made.title, "changed": list(made.changed)}
    said = f"Other now: {', '.join(made.changed)}." if made.changed else "arXiv says the same."
    printing.told(facts, said, wants_json=as_json)


def _facts(made: Any) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(made)
