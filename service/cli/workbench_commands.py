"""What readers want, by command: interests stats, noisy, dead, count, try."""

from typing import TYPE_CHECKING, Annotated

import typer

from service.cli import printing
from service.cli.interest_commands import interests_app
from service.cli.opening import runtime
from service.cli.paper_commands import Json

if TYPE_CHECKING:
    from service.flows.workbench import States

Limit = Annotated[int, typer.Option(min=1, help="Rows at most for people; --json has all")]
Words = Annotated[str, typer.Option(help="Only those with these words")]
_NOT_YET = "Nothing was counted yet. paperpost interests count"


def register(_top: typer.Typer) -> None:
    """Nothing more: the commands hang in the group of the interests."""


@interests_app.command("stats")
def stats(
    words: Words = "",
    kind: Annotated[str, typer.Option(help="words, person, organisation, category or other")] = "",
    never: Annotated[bool, typer.Option("--never", help="Only those in no paper")] = False,
    sort: Annotated[str, typer.Option(help="readers, papers, brings or term")] = "readers",
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """Terms and names that readers ask for, as they were counted last."""
    from service.flows import workbench as flow

    if kind:
        printing.one_of(kind, flow.TERM_KINDS, "--kind")
    printing.one_of(sort, flow.TERM_ORDERS, "--sort")
    order = sort if sort == "term" else f"-{sort}"
    with runtime() as rt:
        found = flow.list_terms(
            rt, words=words, kind=kind, never=never, sort=order, limit=None if as_json else limit
        )
        run = flow.read_run(rt)
    rows = [flow.term_data(row) for row in found.rows]
    if as_json:
        printing.as_json(rows)
        return
    columns = ["term", "kind", "readers", "interests", "papers", "brings"]
    printing.table(rows, columns, "None." if run else _NOT_YET)
    if run:
        typer.echo(
            f"{printing.tally(found.total, 'term')}; counted {run.at:%Y-%m-%d %H:%M} UTC over "
            f"{printing.tally(run.interests, 'interest')} of "
            f"{printing.tally(run.readers, 'reader')}."
        )


@interests_app.command("noisy")
def noisy(words: Words = "", limit: Limit = 50, as_json: Json = False) -> None:
    """Interests that want more papers a weekday than most readers do, with whose they are."""
    _lines("noisy", words, limit, as_json)


@interests_app.command("dead")
def dead(words: Words = "", limit: Limit = 50, as_json: Json = False) -> None:
    """Interests that found nothing in 30 days, with whose they are."""
    _lines("dead", words, limit, as_json)


def _lines(state: "States", words: str, limit: int, as_json: bool) -> None:
    from service.flows import workbench as flow

    with runtime() as rt:
        found = flow.list_lines(rt, state, words=words, limit=None if as_json else limit)
        run = flow.read_run(rt)
    rows = [flow.line_data(row) for row in found.rows]
    if as_json:
        printing.as_json(rows)
        return
    shown = [{**row, "text": "; ".join(row["text"].split("\n"))} for row in rows]
    columns = ["email", "name", "kind", "text", "papers", "per_weekday"]
    printing.table(shown, columns, "None." if run else _NOT_YET)
    if found.total > len(rows):
        typer.echo(f"{found.total - len(rows):,} more; --limit shows them.", err=True)


@interests_app.command("count")
def count(as_json: Json = False) -> None:
    """Count what readers want and what sources bring; done each night by itself."""
    from dataclasses import asdict

    from service.flows.census import count_interests

    with runtime() as rt:
        made = count_interests(rt, by="cli")
    said = (
        f"{printing.tally(made.interests, 'interest')} of "
        f"{printing.tally(made.readers, 'reader')}, {printing.tally(made.terms, 'term')}, "
        f"{made.pairs:,} pairs with {printing.tally(made.papers, 'paper')}; {made.seconds} s."
    )
    printing.told(asdict(made), said, wants_json=as_json)
