"""What the staff must know of until it is over."""

from typing import Annotated

import typer

from service.cli import printing
from service.cli.opening import runtime
from service.cli.paper_commands import Json

alarms_app = typer.Typer(help="What is wrong until it is over.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Hang this part's commands into the program."""
    app.add_typer(alarms_app, name="alarms")


@alarms_app.command("list")
def alarms_list(
    every: Annotated[bool, typer.Option("--all", help="Also those that are over")] = False,
    as_json: Json = False,
) -> None:
    """Alarms that are not over, the oldest first: what is wrong, where, and what to do."""
    from service.flows.alarms import alarm_facts, told
    from service.store import alarms as alarms_store

    with runtime() as rt:
        found = rt.db.read(alarms_store.list_all if every else alarms_store.list_open)
        addresses = rt.db.read(lambda s: told(rt, s))
    rows = [alarm_facts(row) for row in found]
    if as_json:
        printing.as_json(rows)
        return
    for row in rows:
        over = f", over {row['ended_at']}" if row["ended_at"] else ""
        times = f", seen {row['count']:,} times" if row["count"] > 1 else ""
        typer.echo(f"{row['id']}  {row['what']}  (since {row['since']}{over}{times})")
        typer.echo(f"    where: {row['where']}")
        if not over:
            typer.echo(f"    next:  {row['next_step']}")
    if not rows:
        typer.echo("No alarm.")
    if not addresses:
        typer.echo("Alarms are mailed to nobody: set PAPERPOST_CONTACT_EMAIL.")


@alarms_app.command("end")
def alarms_end(
    alarm_id: Annotated[int, typer.Argument(metavar="ID", help="Its number in alarms list")],
    as_json: Json = False,
) -> None:
    """Say that an alarm is over; it comes again when its cause does."""
    from service.flows.alarms import alarm_facts, end_by_hand

    with runtime() as rt:
        row = end_by_hand(rt, alarm_id, by="cli")
    printing.told(alarm_facts(row), f"Over: {row.what}", wants_json=as_json)
