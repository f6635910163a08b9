"""A reader by hand: what they chose, another address, another name, leaving; acts on many at
once."""

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from service.cli import printing
from service.cli.opening import runtime
from service.cli.paper_commands import Json, day, read_email
from service.cli.reader_commands import read_filter, subscribers_app
from service.cli.tag_commands import Reason, Segment
from service.errors import PaperpostError

if TYPE_CHECKING:
    from service.flows.manage import Choices
    from service.flows.own_feed import FeedAct


def register(app: typer.Typer) -> None:
    """The commands hang in the group ``subscribers`` already."""


def _number(rt: Any, key: str) -> int:
    from service.store.subscribers import get_subscriber_row

    row = rt.db.read(lambda s: get_subscriber_row(s, email_key=key))
    if row is None or row.id is None:
        raise PaperpostError(f"There is no reader {key}.", "", "paperpost subscribers list")
    return int(row.id)


@subscribers_app.command("set")
def set_reader(
    email: str,
    hour: Annotated[str, typer.Option(help="0 to 23")] = "",
    tz: Annotated[str, typer.Option(help="IANA zone")] = "",
    weekdays: Annotated[str, typer.Option(help="Mail days, like mon,wed,fri")] = "",
    on_time: Annotated[
        bool | None,
        typer.Option("--on-time/--waits", help="Whether mail waits for sources that are late"),
    ] = None,
    at_least: Annotated[str, typer.Option(help="Papers that a mail waits for, 1 to 40")] = "",
    tell_anyway: Annotated[
        bool | None,
        typer.Option("--tell-anyway/--not-anyway", help="Once a week also when nothing came"),
    ] = None,
    quiet: Annotated[
        str, typer.Option(help="Hours without alerts, like 21-7; none = at any hour; usual")
    ] = "",
    language: Annotated[str, typer.Option(help="Of mails and pages: en, de, ...")] = "",
    abstracts: Annotated[str, typer.Option(help="short, full, none or summary")] = "",
    form: Annotated[
        str, typer.Option("--format", help="html, text, or bare: text without stars")
    ] = "",
    trending: Annotated[
        bool | None, typer.Option("--trending/--no-trending", help="Also the most-voted papers")
    ] = None,
    picks: Annotated[
        bool | None, typer.Option("--picks/--no-picks", help="Also what editors write and pick")
    ] = None,
    feed: Annotated[
        str,
        typer.Option(help="Their own feed: open, new (another address, the old one ends) or close"),
    ] = "",
    pause_until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="No mail before this date")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="End a pause now")] = False,
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Change when a reader's mail comes and what it shows; what is not named stays.

    Without any option nothing changes and what is chosen is printed, with the feed's address.
    """
    from service.flows.staff_choices import Pause, choose_by_hand

    address = read_email(email)
    if feed:
        printing.one_of(feed, list(_FEED_ACTS), "--feed")
    if resume and pause_until is not None:
        raise typer.BadParameter("A pause cannot begin and end.\n  next:  give one of the two")
    ends = resume or pause_until is not None
    pause = Pause(None if resume else day(pause_until)) if ends else None
    choices = replace(
        _read_choices(hour, tz, weekdays, at_least, quiet, abstracts, form),
        on_time=on_time, tell_anyway=tell_anyway, trending=trending, picks=picks,
    )  # fmt: skip
    with runtime() as rt:
        if language:
            printing.one_of(language, rt.catalogs.languages, "--language")
        now = choose_by_hand(
            rt, address.key, replace(choices, locale=language or None), pause=pause,
            feed=_FEED_ACTS.get(feed), by="cli", reason=reason,
        )  # fmt: skip
    waits = "waits for nothing" if now["on_time"] else "waits for late sources"
    line = f"{now['email']}: {now['weekdays']} at {now['hour']:02}:00, {now['zone']}; {waits}."
    feed_line = f"\nFeed: {now['feed']}" if now["feed"] else ""
    printing.told(now, line + feed_line, wants_json=as_json)


_FEED_ACTS: "dict[str, FeedAct]" = {"open": "open", "new": "renew", "close": "close"}


def _read_choices(
    hour: str, tz: str, weekdays: str, at_least: str, quiet: str, abstracts: str, form: str
) -> "Choices":
    """What is typed as text, each "" = as it is; a word that cannot be read is misuse."""
    from service.defaults import parse
    from service.flows.manage import Choices
    from service.subscribers import cadence
    from service.subscribers.model import FORMS

    if form:
        printing.one_of(form, FORMS, "--format")
    made: dict[str, Any] = {"format": form or None}
    for field, option, text, read in (
        ("at_least", "--at-least", at_least, cadence.read_at_least),
        ("style", "--abstracts", abstracts, lambda word: str(parse("abstracts", word))),
        ("hour", "--hour", hour, cadence.read_hour),
        ("zone", "--tz", tz, cadence.read_zone),
        ("weekdays", "--weekdays", weekdays.lower(), lambda t: cadence.read_weekdays(t.split(","))),
        ("quiet", "--quiet", quiet, cadence.read_quiet_text),
    ):
        if text:
            with printing.argument(option):
                made[field] = read(text)
    return Choices(**made)


@subscribers_app.command("move")
def move(email: str, to: str, reason: Reason = "", as_json: Json = False) -> None:
    """Give a reader another address, at once; the old one is told."""
    from service.cli.sending import send_now
    from service.flows import staff_readers

    address, new = read_email(email), read_email(to)
    with runtime() as rt:
        number = _number(rt, address.key)
        moved = staff_readers.change(
            rt, number, staff_readers.Change(to=new), by="cli", reason=reason
        )
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
        staff_readers.change(rt, number, staff_readers.Change(name=name), by="cli", reason=reason)
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
