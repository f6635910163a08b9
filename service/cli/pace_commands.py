"""What limits mails now, on the command line."""

from typing import Annotated, Any

import typer

from service.cli import printing
from service.cli.edition_commands import deliveries_app
from service.cli.opening import runtime
from service.cli.paper_commands import Json


def register(app: typer.Typer) -> None:
    """Its commands hang in the group of deliveries."""


@deliveries_app.command("pace")
def deliveries_pace(as_json: Json = False) -> None:
    """What limits mails now: accounts and receiving domains with what they had of late, who rests
    and until when, and how many mails wait for it. Limits are settings (mails_a_second,
    domain_an_hour, ...)."""
    from service.flows.send_state import read_limits

    with runtime() as rt:
        found = [one.as_dict() for one in read_limits(rt)]
    if as_json:
        printing.as_json(found)
        return
    rows = [
        {
            "kind": one["kind"],
            "name": one["name"],
            "had": _had(one),
            "until": f"{one['until']:%d %b %H:%M} UTC" if one["until"] else "",
            "waiting": one["waiting"],
            "why": one["why"],
        }
        for one in found
    ]
    columns = ["kind", "name", "had", "until", "waiting", "why"]
    printing.table(rows, columns, "Nothing limits mails: no limit is set, and nobody rests.")


@deliveries_app.command("try")
def deliveries_try(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help='As deliveries pace gives it; "*": everything')
    ] = "*",
    as_json: Json = False,
) -> None:
    """Let one mail go now to whoever rests, as the rest's end would: when it is taken the others
    follow, when it is refused the rest begins anew and is longer. For when the cause is mended."""
    from service.flows.rest_try import try_one

    with runtime() as rt:
        tried = try_one(rt, name, by="cli")
    printing.told(tried.as_dict(), tried.says, wants_json=as_json)


def _had(one: dict[str, Any]) -> str:
    told = [f"{one['had'][name]:,} of {most:,} a {name}" for name, most in one["most"].items()]
    if one["at_once"]:
        told.append(f"{one['at_once']} at once")
    return ", ".join(told).replace("a hour", "an hour")
