"""Topics: saved searches with a page of their own."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.cli import printing
from service.cli.opening import runtime
from service.cli.paper_commands import Json

if TYPE_CHECKING:
    from service.flows.runtime import Runtime
    from service.flows.topics import Topic

topics_app = typer.Typer(help="Saved searches with a page and feeds.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="As in its address: speech-to-text")]
Title = Annotated[str | None, typer.Option(help="What it is called; else made of the name")]
About = Annotated[str | None, typer.Option(help="A sentence or two for the top of its page")]
Query = Annotated[str, typer.Option(help="A query")]
Keywords = Annotated[str, typer.Option(help="Plain keywords")]
Like = Annotated[
    list[str] | None,
    typer.Option("--like", help="A stored paper whose like is shown, too; may be repeated"),
]
_BY = "cli"


def register(app: typer.Typer) -> None:
    """Hang this part's commands into the program."""
    app.add_typer(topics_app, name="topics")


@topics_app.command("list")
def list_(as_json: Json = False) -> None:
    """Every topic."""
    from service.flows.topics import list_topics

    with runtime() as rt:
        rows = [_data(rt, topic) for topic in list_topics(rt)]
    if as_json:
        printing.as_json(rows)
        return
    in_line = [{**row, "text": "; ".join(row["text"].split("\n"))} for row in rows]
    printing.table(in_line, ["name", "title", "kind", "text", "likes"], "No topic.")


@topics_app.command("show")
def show(
    name: Name,
    limit: Annotated[int, typer.Option(min=1, max=500, help="Papers at most")] = 10,
    as_json: Json = False,
) -> None:
    """One topic with its newest papers, and those like its chosen ones."""
    from service.flows.figures import topic_data
    from service.flows.topics import FRESH_DAYS, get_topic, read_topic
    from service.flows.words import learn_words

    with runtime() as rt:
        topic = get_topic(rt, name)
        learn_words(rt)
        page = read_topic(rt, topic, limit=limit)
        made = _data(rt, topic) | topic_data(page)
    if as_json:
        printing.as_json(made)
        return
    typer.echo(f"{topic.title}  {made['address']}")
    if topic.about:
        typer.echo(topic.about)
    if topic.query is None:
        typer.echo("Its words are read no more; change them.")
    else:
        typer.echo(topic.query.shown)
    total = printing.tally(page.total, "paper")
    typer.echo(f"{total} of {page.basis:,}, {page.fresh:,} of the last {FRESH_DAYS} days.")
    printing.papers(page.papers)
    if page.alike:
        typer.echo("Alike, without the words:")
    printing.papers(page.alike)


@topics_app.command("add")
def add(
    name: Name,
    query: Query = "",
    keywords: Keywords = "",
    title: Title = None,
    about: About = None,
    like: Like = None,
    as_json: Json = False,
) -> None:
    """Make a topic of a query or of keywords."""
    from service.flows.topics import add_topic

    values = _values(query, keywords, title, about, like)
    if "text" not in values:
        raise typer.BadParameter(
            "A topic needs words.\n  next:  give --query QUERY or --keywords LIST"
        )
    with runtime() as rt:
        made = _data(rt, add_topic(rt, {"name": name, **values}, by=_BY))
    printing.told(made, f"Its page: {made['address']}", wants_json=as_json)


@topics_app.command("change")
def change(
    name: Name,
    query: Query = "",
    keywords: Keywords = "",
    title: Title = None,
    about: About = None,
    like: Like = None,
    unlike: Annotated[bool, typer.Option("--no-like", help="No chosen papers any more")] = False,
    as_json: Json = False,
) -> None:
    """Change what is given, and leave the rest; --like takes the place of all chosen papers."""
    from service.flows.topics import change_topic

    values = _values(query, keywords, title, about, like)
    if unlike:
        if like:
            raise typer.BadParameter("--like and --no-like exclude each other.")
        values["likes"] = []
    if not values:
        raise typer.BadParameter("Nothing is to be changed.\n  next:  give one of the options")
    with runtime() as rt:
        made = _data(rt, change_topic(rt, name, values, by=_BY))
    printing.told(made, f"Changed: {made['address']}", wants_json=as_json)


@topics_app.command("remove")
def remove(name: Name, as_json: Json = False) -> None:
    """Take a topic away; who subscribed to its words keeps them."""
    from service.flows.topics import remove_topic

    with runtime() as rt:
        made = _data(rt, remove_topic(rt, name, by=_BY))
    says = f"{name} is removed; brought back by: paperpost topics restore {name}"
    printing.told(made, says, wants_json=as_json)


@topics_app.command("restore")
def restore(name: Name, as_json: Json = False) -> None:
    """Bring back a topic that was taken away, as it was, for as long as acts are kept."""
    from service.flows.topics import restore_topic

    with runtime() as rt:
        made = _data(rt, restore_topic(rt, name, by=_BY))
    printing.told(made, f"It is back: {made['address']}", wants_json=as_json)


def _values(
    query: str, keywords: str, title: str | None, about: str | None, like: list[str] | None
) -> dict[str, Any]:
    """What was given, by the name of the field; words that cannot be read, or are too long, are
    misuse."""
    from service.flows.topics import fitting
    from service.matching.parse import parse_keywords, parse_query

    for field, value in (("title", title), ("about", about)):
        with printing.argument(f"--{field}"):
            fitting(field, value or "")
    if query.strip() and keywords.strip():
        raise typer.BadParameter("--query and --keywords exclude each other.")
    values: dict[str, Any] = {}
    if query.strip():
        with printing.argument("--query"):
            parse_query(query)
        values |= {"kind": "query", "text": query}
    if keywords.strip():
        with printing.argument("--keywords"):
            parse_keywords(keywords)
        values |= {"kind": "keywords", "text": keywords}
    given = {"title": title, "about": about, "likes": like}
    return values | {field: value for field, value in given.items() if value is not None}


def _data(rt: "Runtime", topic: "Topic") -> dict[str, Any]:
    """A topic as JSON values, with its address."""
    return topic.facts() | {"address": rt.links.topic(topic.name)}
