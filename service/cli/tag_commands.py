"""Tags of readers: put on, taken off, listed, called otherwise, removed."""

from pathlib import Path
from typing import Annotated, Any

import typer

from service.cli import printing
from service.cli.opening import runtime
from service.cli.paper_commands import Json, read_email
from service.cli.reader_commands import read_file, read_filter, subscribers_app
from service.errors import PaperpostError

tags_app = typer.Typer(help="Tags of readers.", no_args_is_help=True)

Reason = Annotated[str, typer.Option(help="Why, kept in the record of acts; name nobody")]


def register(app: typer.Typer) -> None:
    """Hang this part's commands into the program."""
    app.add_typer(tags_app, name="tags")


def _tagged(
    who: str, tag: str, segment: str, listed: Path | None, reason: str, *, add: bool
) -> dict[str, Any]:
    from service.flows import tags as flow
    from service.flows.reader_lists import told

    if sum(map(bool, (who, segment, listed))) != 1:
        raise typer.BadParameter("Name one of EMAIL, --segment and --list.")
    with printing.argument("TAG"):
        word = flow.read_tag(tag)
    address = read_email(who) if who else None
    with runtime() as rt:
        if listed is not None:
            text = read_file(listed).decode("utf-8-sig", "replace")
            count, _ = flow.tag_list(rt, word, text, by="cli", add=add, reason=reason)
        elif address is not None:
            number = rt.db.read(lambda s: _number(s, address.key))
            count = len(flow.tag_reader(rt, number, [word], by="cli", add=add, reason=reason))
        else:
            chosen = read_filter(rt, segment=segment)
            count = flow.tag_readers(
                rt, word, chosen.wanted, by="cli", add=add, which=told(chosen), reason=reason
            )
    return {"tag": word, "changed": count}


def _number(session: Any, key: str) -> int:
    from service.store.subscribers import get_subscriber_row

    row = get_subscriber_row(session, email_key=key)
    if row is None or row.id is None:
        raise PaperpostError(f"There is no reader {key}.", "", "paperpost subscribers list")
    return row.id


Who = Annotated[str, typer.Option("--email", help="One reader")]
Segment = Annotated[str, typer.Option(help="Readers as sends have it: all, words:LoRA, ...")]
ListFileOption = Annotated[Path | None, typer.Option("--list", help="A file of addresses")]


@subscribers_app.command("tag")
def tag(
    tag: str, email: Who = "", segment: Segment = "", listed: ListFileOption = None,
    reason: Reason = "", as_json: Json = False,
) -> None:  # fmt: skip
    """Put a tag on one reader, a segment, or a list of addresses."""
    facts = _tagged(email, tag, segment, listed, reason, add=True)
    said = f"{facts['tag']} is on {printing.tally(facts['changed'], 'reader')} more."
    printing.told(facts, said, wants_json=as_json)


@subscribers_app.command("untag")
def untag(
    tag: str, email: Who = "", segment: Segment = "", listed: ListFileOption = None,
    reason: Reason = "", as_json: Json = False,
) -> None:  # fmt: skip
    """Take a tag off one reader, a segment, or a list of addresses."""
    facts = _tagged(email, tag, segment, listed, reason, add=False)
    said = f"{facts['tag']} is off {printing.tally(facts['changed'], 'reader')}."
    printing.told(facts, said, wants_json=as_json)


@tags_app.command("list")
def list_tags(as_json: Json = False) -> None:
    """Every tag with the number of its readers."""
    from service.flows.tags import list_tags as flow

    with runtime() as rt:
        rows = [{"tag": name, "readers": n} for name, n in flow(rt).items()]
    if as_json:
        printing.as_json(rows)
    else:
        printing.table(rows, ["tag", "readers"], "No tag yet.")


@tags_app.command("rename")
def rename(tag: str, name: str, reason: Reason = "", as_json: Json = False) -> None:
    """Call a tag otherwise; where there is one of that name, both become one."""
    from service.flows import tags as flow

    with printing.argument("TAG"):
        old = flow.read_tag(tag)
    with printing.argument("NAME"):
        new = flow.read_tag(name)
    with runtime() as rt:
        count = flow.rename(rt, old, new, by="cli", reason=reason)
    said = f"{old} is {new} now, on {printing.tally(count, 'reader')}."
    printing.told({"tag": new, "readers": count}, said, wants_json=as_json)


@tags_app.command("remove")
def remove(tag: str, reason: Reason = "", as_json: Json = False) -> None:
    """Take a tag off everybody."""
    from service.flows import tags as flow

    with printing.argument("TAG"):
        word = flow.read_tag(tag)
    with runtime() as rt:
        count = flow.remove(rt, word, by="cli", reason=reason)
    said = f"{word} is off {printing.tally(count, 'reader')}."
    printing.told({"tag": word, "readers": count}, said, wants_json=as_json)
