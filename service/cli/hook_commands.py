"""Programs that are told of events (webhooks out), and what became of each call."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.cli import printing
from service.cli.opening import runtime
from service.cli.paper_commands import Json

if TYPE_CHECKING:
    from service.flows.runtime import Runtime

hooks_app = typer.Typer(help="Programs that are told of events.", no_args_is_help=True)

Number = Annotated[
    int, typer.Argument(metavar="ID", min=1, max=2**53, help="Its number in webhooks list")
]


def register(app: typer.Typer) -> None:
    """Hang this part's commands into the program."""
    app.add_typer(hooks_app, name="webhooks")


@hooks_app.command("add")
def webhooks_add(
    name: Annotated[str, typer.Argument(help="What the program is called")],
    url: Annotated[str, typer.Argument(help="Where it is called, https")],
    event: Annotated[
        list[str], typer.Option("--event", help="Like reader.joined, or all; may repeat")
    ],
    addresses: Annotated[
        bool, typer.Option("--addresses", help="Calls about readers say their address")
    ] = False,
    as_json: Json = False,
) -> None:
    """Tell a program of events from now on; its secret is printed now and never again."""
    from service.flows import hook_lists
    from service.flows.hooks import EVENTS

    with printing.argument("NAME"):
        hook_lists.read_name(name)
    with printing.argument("--event"):
        events = hook_lists.read_events([*EVENTS] if "all" in event else event)
    with runtime() as rt:
        made = hook_lists.add_hook(rt, name, url, events, tells_address=addresses, by="cli")
    _told(made, as_json)


@hooks_app.command("rotate")
def webhooks_rotate(number: Number, as_json: Json = False) -> None:
    """Give a program another secret, printed now and never again; for a day calls are signed by
    both."""
    from service.flows import hook_lists

    with runtime() as rt:
        made = hook_lists.rotate_secret(rt, number, by="cli")
    _told(made, as_json)


def _told(made: dict[str, Any], as_json: bool) -> None:
    if as_json:
        printing.as_json(made)
        return
    typer.echo(made["secret"])
    typer.echo(
        f"Webhook {made['id']} ({made['name']}) is told of {', '.join(made['events'])}. This is "
        "the secret that its calls are signed by; it is shown this once.",
        err=True,
    )


@hooks_app.command("events")
def webhooks_events(as_json: Json = False) -> None:
    """What a program can be told of."""
    from service.flows.hooks import EVENTS

    rows = [{"event": event, "means": means} for event, means in EVENTS.items()]
    if as_json:
        printing.as_json(rows)
        return
    for row in rows:
        typer.echo(f"{row['event']:<16}  {row['means']}")


@hooks_app.command("list")
def webhooks_list(as_json: Json = False) -> None:
    """Every program, also ended ones: what it is told of, and how many calls wait, came, failed."""
    from service.flows.hook_lists import list_facts

    with runtime() as rt:
        rows = rt.db.read(list_facts)
    if as_json:
        printing.as_json(rows)
        return
    columns = ["id", "name", "url", "events", "waiting", "done", "failed", "failures", "ended_why"]
    printing.table([row | row["calls"] for row in rows], columns, "No webhook yet.")


@hooks_app.command("end")
def webhooks_end(number: Number, as_json: Json = False) -> None:
    """Tell a program no more; what waits for it is not said."""
    from service.flows.hook_lists import end_by_hand

    with runtime() as rt:
        made = end_by_hand(rt, number, by="cli")
    printing.told(made, f"Webhook {number} ({made['name']}) has ended.", wants_json=as_json)


@hooks_app.command("log")
def webhooks_log(
    number: Number,
    state: Annotated[str, typer.Option(help="waiting, done or failed")] = "",
    as_json: Json = False,
) -> None:
    """Calls to a program, newest first, with what it answered to the last try."""
    from service.flows.hook_lists import STATES, log_of

    if state:
        printing.one_of(state, STATES, "--state")
    with runtime() as rt:
        rows = rt.db.read(lambda s: log_of(s, number, state=state))
    if as_json:
        printing.as_json(rows)
        return
    columns = ["id", "at", "event", "state", "next_at", "number", "code", "words", "ms"]
    printing.table([_line(row) for row in rows], columns, "No call yet.")


def _line(row: dict[str, Any]) -> dict[str, Any]:
    last = row["tries"][-1] if row["tries"] else {}
    return row | {"number": len(row["tries"]), **{k: last.get(k) for k in ("code", "words", "ms")}}


@hooks_app.command("test")
def webhooks_test(number: Number, as_json: Json = False) -> None:
    """Make a call that says nothing but that it is one, now; ends with 1 where it is not taken."""
    from service.flows.hook_lists import try_hook

    with runtime() as rt:
        _made(rt, try_hook(rt, number, by="cli")["id"], as_json)


@hooks_app.command("send-again")
def webhooks_send_again(
    call: Annotated[
        int, typer.Argument(metavar="CALL", min=1, max=2**53, help="Its number in webhooks log")
    ],
    as_json: Json = False,
) -> None:
    """Make a call once more, now, also one that waits for a later try; with the same id and body.

    Ends with 1 where it is not taken."""
    from service.flows.hook_lists import send_again

    with runtime() as rt:
        _made(rt, send_again(rt, call, by="cli")["id"], as_json)


def _made(rt: "Runtime", number: int, as_json: bool) -> None:
    import asyncio

    from service.flows.hook_calls import call_due
    from service.flows.hook_lists import get_call

    asyncio.run(call_due(rt))
    row = rt.db.read(lambda s: get_call(s, number))
    last = row["tries"][-1]
    said = f"{last['code'] or 'No answer'}: {last['words']}".rstrip(": ")
    printing.told(row, f"{row['state']}: {said} ({last['ms']} ms)", wants_json=as_json)
    if row["state"] != "done":
        raise typer.Exit(1)
