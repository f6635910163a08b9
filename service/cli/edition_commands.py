"""What became of sends: editions, deliveries."""

from datetime import datetime
from itertools import chain
from typing import Annotated

import typer

from service.cli import printing
from service.cli.opening import runtime
from service.cli.paper_commands import Json, day
from service.cli.send_commands import send_planned

editions_app = typer.Typer(help="Sending occasions.", no_args_is_help=True)
deliveries_app = typer.Typer(help="Who got what.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Hang this part's commands into the program."""
    app.add_typer(editions_app, name="editions")
    app.add_typer(deliveries_app, name="deliveries")


@editions_app.command("list")
def editions_list(
    kind: Annotated[
        str, typer.Option(help="digest, alert, manual, newsletter, quiet, notice")
    ] = "",
    state: Annotated[str, typer.Option(help="open, closing, paused, incomplete, done, ...")] = "",
    since: Annotated[
        datetime | None,
        typer.Option("--since", formats=["%Y-%m-%d"], help="Opened on this date or later"),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option("--until", formats=["%Y-%m-%d"], help="Opened on this date or before"),
    ] = None,
    words: Annotated[str, typer.Option(help="A part of the title, the slot, or who began it")] = "",
    sort: Annotated[
        str, typer.Option(help="begun, name, kind, state or planned; -begun is downwards")
    ] = "-begun",
    as_json: Json = False,
) -> None:
    """Every edition with its balance; as JSON also notices, which are editions of one mail."""
    from service.flows import edition_lists

    with printing.argument("--sort"):
        edition_lists.check_sort(sort)
    if kind:
        printing.one_of(kind, [*edition_lists.KINDS, "notice"], "--kind")
    if state:
        printing.one_of(state, edition_lists.STATES, "--state")
    with runtime() as rt:
        wanted = edition_lists.read_wanted(
            kind=kind, state=state, first=day(since), last=day(until), words=words,
            notices=as_json, zone=rt.zone,
        )  # fmt: skip
        found = chain.from_iterable(edition_lists.parts(rt, wanted, sort))
        if as_json:
            printing.as_json_rows(found)
            return
        rows = list(found)
    printing.table(
        rows,
        ["id", "kind", "slot", "state", "planned", "accepted", "failed", "skipped", "held"],
        "No edition yet.",
    )
    for row in rows:
        for said in (row["paused_why"], row["uneven"]):
            if said:
                typer.echo(f"Edition {row['id']}: {said}")


@editions_app.command("show")
def editions_show(edition_id: int, as_json: Json = False) -> None:
    """One edition: its balance, why some got no mail, what was put off and refused."""
    from service.cli.ledger_words import edition_lines
    from service.flows.ledger import gone_owners
    from service.flows.progress import watch

    with runtime() as rt:
        dead = gone_owners(rt)
        found = rt.db.read(lambda s: watch(s, edition_id, dead=dead, now=rt.clock()))
    if as_json:
        printing.as_json(found)
    else:
        for line in edition_lines(found):
            typer.echo(line)


@editions_app.command("pause")
def editions_pause(edition_id: int, as_json: Json = False) -> None:
    """Stop an edition after what is in flight."""
    from service.flows import editions

    with runtime() as rt:
        editions.pause(rt, edition_id, by="cli")
    facts = {"id": edition_id, "state": "paused"}
    printing.told(facts, f"Edition {edition_id} is paused.", wants_json=as_json)


@editions_app.command("resume")
def editions_resume(edition_id: int, as_json: Json = False) -> None:
    """Go on with a paused edition."""
    from service.flows import editions, manual

    with runtime() as rt:
        editions.resume(rt, edition_id, by="cli")
        manual.complete_left(rt)
        send_planned(rt, [edition_id], {}, as_json)


@editions_app.command("cancel")
def editions_cancel(edition_id: int, as_json: Json = False) -> None:
    """Cancel what has not been sent, for good; its readers are the segment state:ID:cancelled."""
    from service.flows import editions

    with runtime() as rt:
        n = editions.cancel(rt, edition_id, by="cli")
    facts = {"id": edition_id, "state": "cancelled", "cancelled": n}
    says = f"Edition {edition_id} is cancelled; {printing.tally(n, 'mail')} not sent."
    printing.told(facts, says, wants_json=as_json)


@editions_app.command("undo")
def editions_undo(
    edition_id: int,
    key: Annotated[str, typer.Option(help="Of a daily begun by hand")] = "",
    as_json: Json = False,
) -> None:
    """Take a send back while nothing of it has gone."""
    from service.flows import manual

    with runtime() as rt:
        n = manual.undo(rt, edition_id, key, by="cli")
    facts = {"id": edition_id, "taken_back": n}
    says = f"Edition {edition_id} is taken back; {printing.tally(n, 'mail')} not sent."
    printing.told(facts, says, wants_json=as_json)


@editions_app.command("move")
def editions_move(
    edition_id: int,
    at: Annotated[str, typer.Option("--at", help='"2026-11-23 14:00", house time')] = "",
    own_hour: Annotated[
        bool, typer.Option("--own-hour", help="To each reader at their own hour")
    ] = False,
    on: Annotated[str, typer.Option(help="With --own-hour: on this date or later")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it means alone")] = False,
    as_json: Json = False,
) -> None:
    """Another time for a send of which nothing has begun: the same mails to the same readers."""
    from dataclasses import asdict

    from service.cli.ledger_words import moved_lines
    from service.flows import move_send

    with runtime() as rt:
        with printing.argument("--on" if on and own_hour else "--at"):
            when = move_send.read_when(rt, at, own_hour, on)
        made = (
            move_send.look(rt, edition_id, when)
            if dry_run
            else move_send.move(rt, edition_id, when, by="cli")
        )
    facts = {"id": edition_id, "dry_run": dry_run, **asdict(made)}
    facts.pop("edition_id")
    printing.told(facts, "\n".join(moved_lines(made, dry_run=dry_run)), wants_json=as_json)


@editions_app.command("late")
def editions_late(
    edition_id: int,
    yes: Annotated[int | None, typer.Option("--yes", help="The number of mails expected")] = None,
    as_json: Json = False,
) -> None:
    """Send the same to readers who joined or confirmed since. Without --yes it only says who they
    are, and ends with 1 where there are any."""
    from service.errors import PaperpostError
    from service.flows import late, manual

    with runtime() as rt:
        plan = late.late_plan(rt, edition_id, "cli")
        audience = manual.count(rt, plan)
        if yes is None:
            printing.told(audience.as_dict(), audience.equation(), wants_json=as_json)
            if audience.mails:
                raise PaperpostError(
                    "Nothing was sent: the number of mails was not confirmed.",
                    "--yes",
                    f"Add --yes {audience.mails}",
                )
            return
        made = manual.start(rt, plan, expected=yes, at_once=True)
        planned = {"planned": made.planned, "equation": audience.as_dict(), "is_new": made.is_new}
        send_planned(rt, [made.edition_id], planned, as_json)


@editions_app.command("rest")
def editions_rest(edition_id: int, as_json: Json = False) -> None:
    """Let the rest of an edition go, when its first mails (the canary) look well."""
    from service.flows import canary

    with runtime() as rt:
        freed = canary.go_on(rt, edition_id, by="cli")
        send_planned(rt, [edition_id], {"freed": freed}, as_json)


@editions_app.command("resend")
def editions_resend(
    edition_id: int,
    meaning: Annotated[str, typer.Option(help="Only what was refused so (full, policy, ...)")] = "",
    domain: Annotated[str, typer.Option(help="Only this receiving domain")] = "",
    key: Annotated[str, typer.Option(help="The same key twice is one act")] = "",
    yes: Annotated[int | None, typer.Option("--yes", help="The number of mails expected")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count alone")] = False,
    as_json: Json = False,
) -> None:
    """Send again to the refused ones where it makes sense. Nobody gets a mail twice by it: whoever
    has one that came, may have come or is under way is left out. With --yes and another number
    than it would be: nothing is sent, and it ends with 1. At a terminal it asks first, without
    --yes; a script is not asked."""
    from service.cli.resending import agreed, ask, has_terminal, send_again

    wanted = ask(edition_id, meaning=meaning, domain=domain, key=key)
    if yes is None and not dry_run and has_terminal():
        yes = agreed(wanted)
    send_again(wanted, yes, dry_run=dry_run, as_json=as_json)
