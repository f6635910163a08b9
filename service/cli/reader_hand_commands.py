"""A reader by hand: another address, another name, leaving; acts on many at once."""

from datetime import datetime
from typing import Annotated, Any, cast

import typer

from service.cli import printing
from service.cli.import_commands import Reason, Segment
from service.cli.opening import runtime
from service.cli.paper_commands import Json, day, read_email
from service.cli.reader_commands import read_filter, subscribers_app
from service.errors import PaperpostError


def register(app: typer.Typer) -> None:
    """The commands hang in the group ``subscribers`` already."""


def _number(rt: Any, key: str) -> int:
    from service.store.subscribers import get_subscriber_row

    row = rt.db.read(lambda s: get_subscriber_row(s, email_key=key))
    if row is None or row.id is None:
        raise PaperpostError(f"There is no reader {key}.", "", "paperpost subscribers list")
    return int(row.id)


@subscribers_app.command("move")
def move(email: str, to: str, reason: Reason = "", as_json: Json = False) -> None:
    """Give a reader another address, at once; the old one is told."""
    from service.cli.sending import send_now
    from service.flows import staff_readers

    address, new = read_email(email), read_email(to)
    with runtime() as rt:
        number = _number(rt, address.key)
        moved = staff_readers.move(rt, number, new, by="cli", reason=reason)
        send_now(rt)
    facts = {"id": number, "email": new.email, "changed": moved}
    said = f"{email} is {new.email} now." if moved else "It is their address already."
    printing.told(facts, said, wants_json=as_json)


@subscribers_app.command("rename")
def rename(email: str, name: str, reason: Reason = "", as_json: Json = False) -> None:
    """Call a reader otherwise; "" for no name."""
    from service.flows import staff_readers

    address = read_email(email)
    with runtime() as rt:
        number = _number(rt, address.key)
        staff_readers.rename(rt, number, name, by="cli", reason=reason)
    facts = {"id": number, "email": email, "name": name}
    printing.told(facts, f"{email} is called {name!r} now.", wants_json=as_json)


@subscribers_app.command("unsubscribe")
def unsubscribe(email: str, reason: Reason = "", as_json: Json = False) -> None:
    """End a subscription because its reader asked for it; nobody else brings them back."""
    from service.flows import staff_readers

    address = read_email(email)
    with runtime() as rt:
        number = _number(rt, address.key)
        done = staff_readers.end(rt, number, erased=False, by="cli", reason=reason)
    facts = {"id": number, "email": email, "changed": done}
    said = f"{email} is unsubscribed." if done else f"{email} had left already."
    printing.told(facts, said, wants_json=as_json)


@subscribers_app.command("act")
def act_on_many(
    act: Annotated[str, typer.Argument(help="tag, untag, pause, resume or erase")],
    segment: Segment = "",
    tagged: Annotated[str, typer.Option(help="Readers with this tag")] = "",
    search: Annotated[str, typer.Option(help="A part of address, name or words")] = "",
    tag: Annotated[str, typer.Option(help="Of tag and untag")] = "",
    until: Annotated[datetime | None, typer.Option(help="Of pause", formats=["%Y-%m-%d"])] = None,
    yes: Annotated[int, typer.Option(help="The number of readers that is expected")] = -1,
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """One act on many readers; without --yes N only say how many these are."""
    from service.flows import reader_acts, reader_lists
    from service.flows.tags import read_tag

    printing.one_of(act, reader_acts.ACTS, "ACT")
    with printing.argument("--tag"):
        word = read_tag(tag) if act in ("tag", "untag") else ""
    end = day(until)
    with runtime() as rt:
        chosen = read_filter(rt, "", search, tagged, segment)
        which = reader_lists.told(chosen)
        if yes < 0:
            number = reader_acts.count(rt, chosen)
            facts = {"act": act, "readers": number, "changed": 0, "which": which}
            said = f"{printing.tally(number, 'reader')}: {which}. To do it: --yes {number}"
            printing.told(facts, said, wants_json=as_json)
            return
        done = reader_acts.act_on_all(
            rt, chosen, cast(reader_acts.Act, act), expected=yes, by="cli", tag=word, until=end,
            reason=reason,
        )  # fmt: skip
    facts = {"act": act, "readers": done.readers, "changed": done.changed, "which": which}
    said = f"{act}: {done.changed:,} of {printing.tally(done.readers, 'reader')} changed."
    printing.told(facts, said, wants_json=as_json)
