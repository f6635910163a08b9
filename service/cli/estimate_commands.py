"""What words find and bring: search, estimate (also instead of other words), words out of a text,
papers alike."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli import printing
from service.cli.opening import runtime
from service.cli.paper_commands import read_email
from service.defaults import FIXED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.flows.estimate import BackTest, Change
    from service.flows.follow import Name
    from service.flows.runtime import Runtime
    from service.matching.expansions import Expansion
    from service.matching.query import Query

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Days = Annotated[int | None, typer.Option(min=1, max=400, help="So many days back; usually 30")]

FORMS = (
    ("graph network", "both words"),
    ("graph OR network", "any of them; AND, OR and NOT in capitals, brackets group"),
    ("graph -survey", "without a word; also NOT survey"),
    ('"graph network"', "a phrase, with blank, hyphen or nothing between"),
    ('"graph network"~3', "at most three words apart"),
    ("quanti*", "the beginning of a word"),
    ("=RAG", "this very form"),
    ("ti:graph", "a field: ti: abs: au: cat: source: org: id:"),
    ("cat:cs.*", "every category of an archive"),
    ("votes:>20", "a figure: votes, comments, authors"),
)
"""The language of queries in short; each form is read by a test."""

LANGUAGE = "\b\nQueries, told with examples on the page /help/queries:\n" + "\n".join(
    f"  {form:<20}{says}" for form, says in FORMS
)


def register(app: typer.Typer) -> None:
    """Hang this part's commands into the program."""
    app.command("estimate", epilog=LANGUAGE)(estimate)
    app.command("search", epilog=LANGUAGE)(search)
    app.command("words")(words)
    app.command("related")(related)


def estimate(
    query: Annotated[str, typer.Argument(help="A query")] = "",
    keywords: Annotated[str, typer.Option(help="Plain keywords instead")] = "",
    people: Annotated[
        str, typer.Option(help="People instead, and org:NAME; semicolons between them")
    ] = "",
    days: Days = None,
    instead_of: Annotated[
        str, typer.Option("--instead-of", help="Older words: what the change adds and removes")
    ] = "",
    threshold: Annotated[
        float, typer.Option(min=0.0, help="Papers below this score do not count")
    ] = 0.0,
    without_own: Annotated[
        str, typer.Option("--without-own", help="Leave out papers by this name")
    ] = "",
    reader: Annotated[
        str, typer.Option(help="An address: what they marked counts in scores, as in their mail")
    ] = "",
    as_json: Json = False,
) -> None:
    """What an interest would have brought, from the stored papers.

    --instead-of is read as the new words are: a query beside QUERY, keywords beside --keywords.
    --people tells each name apart: how many papers, and whether it is probably several people's.
    """
    from service.flows.estimate import compare
    from service.flows.estimate import estimate as flow
    from service.flows.figures import change_data, estimate_data, name_data
    from service.flows.staff_interests import likings_by_hand
    from service.flows.words import learn_words
    from service.matching.counting import Asked
    from service.matching.own import without_own as left_out
    from service.matching.parse import (
        parse_keywords,
        parse_people,
        parse_query,
        read_in_capitals,
    )

    typed = {
        "query": (parse_query, query),
        "--keywords": (parse_keywords, keywords),
        "--people": (parse_people, people),
    }
    given = [name for name, (_, text) in typed.items() if text.strip()]
    if len(given) != 1:
        raise typer.BadParameter(
            "One interest is needed.\n  next:  give a query, --keywords LIST or --people NAMES"
        )
    read, text = typed[given[0]]
    with printing.argument(given[0]):
        wanted = read(text)
    before: Query | None = None
    if instead_of.strip():
        with printing.argument("--instead-of"):
            before = read(instead_of)
    with printing.argument("--without-own"):
        left_out(wanted, without_own)
    address = read_email(reader, "--reader") if reader else None
    with runtime() as rt:
        learn_words(rt)
        likings = likings_by_hand(rt, address.key) if address is not None else None
        asked = Asked(wanted, threshold, without_own, likings)
        made = flow(rt, asked, days)
        change = None
        if before is not None:
            change = compare(rt, replace(asked, query=before), asked, days)
        names = _names(rt, wanted, made) if people.strip() else ()
        is_old = made.days[-1] < rt.clock().date()
    if as_json:
        data = estimate_data(made)
        if change is not None:
            data["change"] = change_data(change)
        if people.strip():
            data["names"] = [name_data(name) for name in names]
        printing.as_json(data)
        return
    _say(made, is_old, names)
    if not people.strip() and (meant := read_in_capitals(text, wanted.kind)):
        typer.echo(f"Operators are written in capitals. Did you mean: {meant}")
    if change is not None:
        _say_change(change)


def _names(rt: "Runtime", wanted: "Query", made: "BackTest") -> "tuple[Name, ...]":
    from service.flows.follow import count_names

    return count_names(rt, wanted, made.days)


def _say_name(name: "Name") -> None:
    where = ", ".join(f"{code} {papers}" for code, papers in name.categories)
    where = f" ({where})" if where else ""
    papers = printing.tally(name.papers, "paper")
    if name.several:
        typer.echo(f"  {name.line}: {papers}{where}. Probably several people. Instead:")
    elif not name.papers:
        typer.echo(f"  {name.line}: on no paper. Is it written as papers print it?")
    else:
        typer.echo(f"  {name.line}: {papers}{where}")
    for one in name.narrower:
        typer.echo(f"    {one.line}: {printing.tally(one.papers, 'paper')}")


def _say(made: "BackTest", is_old: bool, names: "Sequence[Name]") -> None:
    found = made.estimate
    papers, days = (
        printing.tally(found.basis_papers, "paper"),
        printing.tally(len(made.days), "day"),
    )
    typer.echo(f"{made.reading}  ->  about {found.mean_per_weekday:.1f} papers a day")
    last = f" The last of them is {made.days[-1].isoformat()}." if is_old else ""
    typer.echo(f"Basis: {papers} of {days}.{last}")
    if made.basis_known:
        known = printing.tally(made.basis_known, "paper")
        typer.echo(
            f"{known} of these were known before their source was watched: {made.known} of the "
            f"{found.total} found. They count here, and no mail brings them as new."
        )
    if found.warning == "none":
        typer.echo(f"Nothing in {days} ({papers}).")
    for name in names:
        _say_name(name)
    for term, n in found.per_term.items() if not names else ():
        typer.echo(f"  {term}: {printing.tally(n, 'paper') if n else 'never'}")
    for part, n in found.removed_by_not.items():
        typer.echo(f"  without {part}: {n} left out")
    if found.best:
        typer.echo("The best of them:")
    for f in found.best:
        typer.echo(f"  {made.titles.get(f.paper_id, '')}")
    if found.warning == "broad":
        per_day, most = round(found.mean_per_weekday), FIXED.broad_a_day
        typer.echo(f"About {per_day} papers a day; most people stay below {most}. Narrower:")
    elif found.suggestions:
        typer.echo("Wider:")
    for s in found.suggestions:
        typer.echo(f"  {s.label}: {s.text} ({s.per_day:.1f} a day)")
    for e in found.expansions:
        more = printing.tally(e.brings, "more paper")
        typer.echo(f"{_other_form(e)} Added: {more}.")
        typer.echo(f"  {e.text}")


def _other_form(e: "Expansion") -> str:
    papers = printing.tally(e.explained, "paper")
    if e.is_short:
        return f"{e.term} is also written {e.other} ({papers})."
    usually = "usually " if e.is_usual else ""
    return f"{e.term} is {usually}written out as {e.other} ({papers})."


def _say_change(change: "Change") -> None:
    made = change.difference
    days = printing.tally(len(change.days), "day")
    typer.echo(
        f"Instead of the older words, over {days}: {made.added} added, {made.removed} removed "
        f"({made.before} before, {made.after} after)."
    )
    for lead, found in (("added", made.best_added), ("removed", made.best_removed)):
        for f in found:
            typer.echo(f"  {lead}: {change.titles.get(f.paper_id, '')}")


def search(
    words: Annotated[str, typer.Argument(help="A query, or keywords with commas between them")],
    limit: Annotated[int, typer.Option(min=1, max=FIXED.most_found, help="The best so many")] = 20,
    newest: Annotated[bool, typer.Option("--newest", help="Newest first, not best first")] = False,
    as_json: Json = False,
) -> None:
    """Search the stored papers; below what all was found: papers like it, without your words."""
    from service.flows.figures import search_data
    from service.flows.related import related_to
    from service.flows.search import SearchOrder, read_search
    from service.flows.search import search as flow
    from service.flows.words import learn_words

    with printing.argument("words"):
        read_search(words)
    with runtime() as rt:
        learn_words(rt)
        order: SearchOrder = "newest" if newest else "best"
        page = flow(rt, words, limit=limit, whole=True, order=order)
        related = related_to(rt, page)
    if as_json:
        printing.as_json(search_data(page, related))
        return
    typer.echo(f"{page.reading}  ->  {printing.tally(page.total, 'paper')} of {page.basis:,}")
    printing.papers(page.papers)
    for part, query, papers in page.without:
        typer.echo(f"Without {part}: {printing.tally(papers, 'paper')}.  {query}")
    if page.any_of:
        query, papers = page.any_of
        typer.echo(f"With any of the words: {printing.tally(papers, 'paper')}.  {query}")
    if related:
        typer.echo("Related, without your words:")
    printing.papers(related)


def words(
    text: Annotated[str, typer.Argument(help="A title, an abstract or a link; - = stdin")] = "",
    file: Annotated[Path | None, typer.Option("--file", help="Read the text from a file")] = None,
    days: Days = None,
    as_json: Json = False,
) -> None:
    """Words for an interest, out of a paper that you like, with what each would have brought."""
    from service.cli.reader_commands import read_file
    from service.flows.figures import words_data
    from service.flows.related import propose_words
    from service.flows.words import learn_words

    if bool(text.strip()) == bool(file):
        raise typer.BadParameter("One text is needed.\n  next:  give a text, - or --file PATH")
    if file is not None:
        text = read_file(file).decode("utf-8", "replace")
    elif text == "-":
        text = sys.stdin.read()
    with runtime() as rt:
        learn_words(rt)
        made = propose_words(rt, text, days)
    if as_json:
        printing.as_json(words_data(made))
        return
    if made.is_stored:
        typer.echo(made.title)
    basis = f"{printing.tally(made.basis, 'paper')} of {printing.tally(made.days, 'day')}"
    typer.echo(f"Basis: {basis}.")
    for w in made.words:
        typer.echo(f"  {w.term}: {printing.tally(w.papers, 'paper')} ({w.per_day:.1f} a day)")
    if not made.words:
        typer.echo("Each of its words is in no other paper, or in too many to choose by.")
    else:
        typer.echo("All of them: " + ", ".join(w.term for w in made.words))


def related(
    paper: Annotated[str, typer.Argument(help="An arXiv id, a DOI or a link of a stored paper")],
    as_json: Json = False,
) -> None:
    """Stored papers like one of them; none where nothing is alike enough."""
    from service.flows.figures import paper_data
    from service.flows.related import find_paper, papers_like
    from service.flows.words import learn_words

    with runtime() as rt:
        found = find_paper(rt, paper)
        learn_words(rt)
        alike = papers_like(rt, found)
    if as_json:
        printing.as_json([paper_data(one) for one in alike])
        return
    printing.papers(alike)
    if not alike:
        typer.echo("No stored paper is alike enough.")
