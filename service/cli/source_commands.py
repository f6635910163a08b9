"""Sources by command: sources list, days, pace, add, kinds, test, pause, take, ..."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.cli import printing
from service.cli.opening import runtime
from service.sources.registry import KINDS

if TYPE_CHECKING:
    from service.flows.source_health import SourceHealth

KIND_HELP = ", ".join(KINDS)
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
SourceId = Annotated[int, typer.Argument(help="Its number, as sources list says it")]
What = Annotated[
    str, typer.Argument(help="Category, query or address; sources kinds says what each kind takes")
]

app = typer.Typer(help="Where papers come from.", no_args_is_help=True)


def known_kind(kind: str) -> str:
    """The kind when there is an adapter of it; another word is misuse (exit 2)."""
    from service.sources.registry import adapter

    with printing.argument("kind"):
        return adapter(kind).kind


def read_what(kind: str, what: str) -> dict[str, str]:
    """The checked parameters of a source; what its kind does not take is misuse (exit 2)."""
    from service.flows.sources import read_what as read
    from service.sources.registry import adapter

    with printing.argument("what"):
        return read(adapter(kind), what)


@app.command("add")
def add(
    kind: Annotated[str, typer.Argument(help=KIND_HELP)],
    what: What = "",
    title: Annotated[str, typer.Option(help="Name shown to readers")] = "",
    history: Annotated[
        int | None, typer.Option(min=0, help="Days of past to bring in (default: the setting)")
    ] = None,
    as_json: Json = False,
) -> None:
    """Add a source; its past comes in as known papers where it can be asked for."""
    from service.flows import sources as flow
    from service.text.clean import collapse

    params = read_what(known_kind(kind), what)
    with runtime() as rt:
        made = flow.add_source(
            rt, kind, params, title=collapse(title), history_days=history, by="cli"
        )
    told = f"Added source {made['id']}: {made['title']}. It is asked at the next poll."
    printing.told(made, told, wants_json=as_json)


@app.command("fields")
def fields(as_json: Json = False) -> None:
    """Fields of research, each with the sources that add-field adds."""
    from service.flows.sources import list_fields

    with runtime() as rt:
        rows = list_fields(rt)
    if as_json:
        printing.as_json(rows)
        return
    shown = [
        {
            "field": row["name"],
            "sources": ", ".join(one["title"] for one in row["sources"] if not one["there"]),
            "asked already": ", ".join(one["title"] for one in row["sources"] if one["there"]),
        }
        for row in rows
    ]
    printing.table(shown, ["field", "sources", "asked already"], "No field is known.")


@app.command("add-field")
def add_field(
    name: Annotated[str, typer.Argument(help="As sources fields says it")],
    only: Annotated[
        list[str] | None, typer.Option(help="Only the source of this title (may be repeated)")
    ] = None,
    as_json: Json = False,
) -> None:
    """Add the sources of a field that are not there."""
    from service.flows import sources as flow

    with runtime() as rt:
        with printing.argument("name"):
            flow.find_field(name)
        made = flow.add_field(rt, name, only, by="cli")
    if as_json:
        printing.as_json(made)
    else:
        printing.table(made, ["id", "kind", "title"], "Nothing was added: they are all there.")


@app.command("list")
def list_all(as_json: Json = False) -> None:
    """Every source with its state; what is wrong with one is said below, with what to do."""
    from service.flows.source_health import read_sources
    from service.flows.usual import list_sources

    with runtime() as rt:
        health = {one.id: one for one in read_sources(rt, days=1)}
        rows = [{**row, **_more(health[row["id"]])} for row in list_sources(rt)]
    if as_json:
        printing.as_json(rows)
        return
    shown = [{**row, "state": row["says"]} for row in rows]
    columns = ["id", "kind", "what", "state", "papers", "newest_on", "usually_by", "last_poll_at"]
    printing.table(shown, [*columns, "last_error"], "No source yet. paperpost sources add hf_daily")
    for row in rows:
        if row["trouble"]:
            since = f" Since {row['trouble']['since']:%Y-%m-%d %H:%M} UTC." if (
                row["trouble"]["since"]
            ) else ""  # fmt: skip
            typer.echo(f"\n{row['id']} {row['title']}: {row['trouble']['what']}{since}")
            typer.echo(f"  by itself: {row['trouble']['by_itself']}")
            typer.echo(f"  to do:     {row['trouble']['to_do']}")


def _more(one: "SourceHealth") -> dict[str, Any]:
    """What pages say of a source, for the list: says, trouble, held, requests_today."""
    wrong = one.trouble
    return {
        "says": str(one.word),
        "trouble": None
        if wrong is None
        else {
            "what": str(wrong.what),
            "since": one.since,
            "by_itself": str(wrong.by_itself),
            "to_do": str(wrong.to_do),
        },
        "held": one.held,
        "requests_today": one.pace.today if one.pace else 0,
    }


@app.command("days")
def days(
    source_id: SourceId,
    count: Annotated[int, typer.Option("--days", min=1, max=90, help="How many days back")] = 14,
    as_json: Json = False,
) -> None:
    """The days of a source, newest first: what was expected, when it was asked, what came."""
    from service.flows.source_days import read_days

    with runtime() as rt:
        rows = [
            {
                "day": one.day,
                "expected": one.expected,
                "asked_at": one.asked_at,
                "items": one.items,
                "new": one.new,
                "known": one.known,
                "state": str(one.word),
                "says": str(one.says),
                "completed_at": one.completed_at,
                "announced": one.announced,
            }
            for one in read_days(rt, source_id, count)
        ]
    if as_json:
        printing.as_json(rows)
        return
    shown = [
        {
            **row,
            "day": f"{row['day']:%a %Y-%m-%d}",
            "expected": "yes" if row["expected"] else "no",
            "asked_at": f"{row['asked_at']:%Y-%m-%d %H:%M}" if row["asked_at"] else None,
        }
        for row in rows
    ]
    columns = ["day", "expected", "asked_at", "items", "new", "known", "state", "says"]
    printing.table(shown, columns, "No day is known.")


@app.command("pace")
def pace(as_json: Json = False) -> None:
    """Requests of today (by UTC) to each server, and how many a day could hold."""
    from service.flows.source_health import read_paces

    with runtime() as rt:
        rows = [
            {
                "server": one.key,
                "today": one.today,
                "gap_seconds": one.gap_seconds,
                "most_a_day": one.most_a_day,
                "paused_until": one.paused_until,
            }
            for one in read_paces(rt)
        ]
    if as_json:
        printing.as_json(rows)
    else:
        columns = ["server", "today", "gap_seconds", "most_a_day", "paused_until"]
        printing.table(rows, columns, "No server was asked yet.")


@app.command("kinds")
def kinds(
    markdown: Annotated[bool, typer.Option("--markdown", help="The page docs/sources.md")] = False,
    as_json: Json = False,
) -> None:
    """Each kind of source: its parameters, an example, how often it is asked, its past."""
    from service.flows.source_kinds import list_kinds

    rows = list_kinds()
    if as_json:
        printing.as_json(rows)
    elif markdown:
        from service.cli.sources_page import markdown as page

        typer.echo(page(), nl=False)
    else:
        for row in rows:
            typer.echo(f"{row['kind']}: {row['title']}. {row['about']}".rstrip())
            for one in row["parameters"]:
                need = "" if one["required"] else f", else {one['default'] or 'left out'}"
                typer.echo(f"  {one['name']}: {one['label']}, like {one['example']}{need}")
            typer.echo(f"  example: paperpost {row['example']}")
            typer.echo(f"  days:    {row['days']}")
            typer.echo(f"  pace:    {row['politeness']}")
            typer.echo(f"  past:    {'can be asked for' if row['past'] else 'none'}")


@app.command("test")
def try_out(
    kind: Annotated[str, typer.Argument(help=KIND_HELP)],
    what: What = "",
    file: Annotated[Path | None, typer.Option(help="A captured response")] = None,
    as_json: Json = False,
) -> None:
    """Read one answer of a source and print the fields filled and left empty; nothing is stored."""
    from service.flows.trying import tried_out

    known_kind(kind)
    params = read_what(kind, what) if file is None or what else {}
    with runtime() as rt:
        made = tried_out(rt, kind, params, file)
    if as_json:
        printing.as_json(made)
        return
    counts = (
        (made["items"], "item"),
        (made["papers"], "paper"),
        (len(made["problems"]), "problem"),
    )
    typer.echo(", ".join(printing.tally(n, word) for n, word in counts))
    by = ", ".join(f"{one['papers']:,} by {one['source']}" for one in made["here_by"][:5])
    typer.echo(
        f"Added now: {made['new']:,} new, {made['known']:,} known, {made['here']:,} there already"
        f"{f' ({by})' if by else ''}{_and_more(made)}."
    )
    printing.table(made["fields"], ["field", "filled", "empty", "example"], "No paper was read.")
    for problem in made["problems"][:20]:
        typer.echo(f"item {problem['item']}: {problem['what']}")


def _and_more(made: dict[str, Any]) -> str:
    """What is neither new, nor known, nor there, so that the figures add up to the papers."""
    more = ""
    if made["updates"]:
        more += f", {made['updates']:,} only changes of older papers"
    if made["unwanted"]:
        more += f", {made['unwanted']:,} left out by these settings"
    return more


@app.command("pause")
def pause(source_id: SourceId, as_json: Json = False) -> None:
    """Ask a source no more until resume."""
    _change(source_id, "pause", "is paused: it is asked no more.", as_json)


@app.command("resume")
def resume(source_id: SourceId, as_json: Json = False) -> None:
    """Ask a paused or ended source again."""
    _change(source_id, "resume", "is asked at the next poll.", as_json)


@app.command("take")
def take(
    source_id: SourceId,
    how: Annotated[str, typer.Argument(help="new: they are mailed · known: they are not")],
    as_json: Json = False,
) -> None:
    """Decide on papers that came at once and are held: take them as new, or as known."""
    how = printing.one_of(how, ("new", "known"), "how")
    _change(source_id, f"take-{how}", f"has its held papers taken as {how}.", as_json)


@app.command("remove")
def remove(source_id: SourceId, as_json: Json = False) -> None:
    """Remove a source; its papers stay."""
    _change(source_id, "remove", "is removed; its papers stay.", as_json)


def _change(source_id: int, act: str, said: str, as_json: bool) -> None:
    from service.flows.source_acts import change_source

    with runtime() as rt:
        made = change_source(rt, source_id, act, by="cli")
    facts = {"id": source_id, "removed": True} if act == "remove" else made
    printing.told(facts, f"Source {source_id} {said}", wants_json=as_json)


@app.command("poll")
def poll(source_id: SourceId, as_json: Json = False) -> None:
    """Ask one source now, at the pace of all, and match what is new."""
    from service.cli.paper_commands import poll as poll_sources

    poll_sources(source=source_id, replay=None, as_json=as_json)


@app.command("new")
def new(
    name: Annotated[str, typer.Argument(help="The new kind, like my_journal")],
    as_json: Json = False,
) -> None:
    """Write the skeleton of an adapter, a test and a folder of answers into this checkout."""
    from service.cli.new_source import (
        is_checkout,
        line_of,
        next_steps,
        skeleton_kind,
        write_skeleton,
    )

    with printing.argument("name"):
        kind = skeleton_kind(name)
    is_inside = is_checkout(Path())
    written = write_skeleton(kind, Path())
    if as_json:
        facts = {"kind": kind, "files": written, "line": line_of(kind), "checkout": is_inside}
        printing.as_json(facts)
        return
    for file in written:
        typer.echo(str(file))
    if not is_inside:
        typer.echo(
            "This folder is no checkout of Paperpost (service/sources/registry.py is not here): the"
            " files stand alone.\nMove them into a checkout, or remove them and run this there."
        )
    for line in next_steps(kind):
        typer.echo(line)
