"""Stored papers for a bibliography."""

from dataclasses import asdict
from typing import Annotated

import typer

from service.cli import printing
from service.cli.opening import runtime
from service.cli.paper_commands import Json, OnDay, day

Papers = Annotated[
    list[str] | None, typer.Argument(help="arXiv ids, DOIs or links of stored papers")
]


def register(app: typer.Typer) -> None:
    """Hang this part's command into the program."""
    app.command("cite")(cite)


def cite(
    papers: Papers = None,
    on: OnDay = None,
    form: Annotated[str, typer.Option("--format", help="bib (BibTeX) or ris")] = "bib",
    as_json: Json = False,
) -> None:
    """Stored papers for a bibliography: some by name, or all that were listed on a date."""
    from service.flows import browse
    from service.flows.related import find_paper
    from service.papers.citation import reference
    from service.papers.reference_files import bibtex, ris

    printing.one_of(form, ("bib", "ris"), "--format")
    chosen = day(on)
    if bool(papers) == bool(chosen):
        raise typer.BadParameter("Papers or a date are needed.\n  next:  give names, or --on DATE")
    with runtime() as rt:
        if chosen is not None:
            shown = browse.read_day(rt, chosen, limit=browse.WHOLE_DAY).papers
        else:
            ids = [find_paper(rt, name) for name in papers or ()]
            shown = tuple(browse.show_alike(rt, ids, len(ids)))
    found = [one.paper for one in shown]
    if as_json:
        printing.as_json([asdict(reference(paper)) for paper in found])
    else:
        typer.echo((bibtex if form == "bib" else ris)(found), nl=False)
