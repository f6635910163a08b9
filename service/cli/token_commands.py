"""Tokens for programs that use the API."""

from typing import Annotated

import typer

from service.cli import printing
from service.cli.opening import runtime
from service.cli.paper_commands import Json

tokens_app = typer.Typer(help="Tokens for programs that use the API.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Hang this part's commands into the program."""
    app.add_typer(tokens_app, name="tokens")


@tokens_app.command("create")
def tokens_create(
    name: Annotated[str, typer.Argument(help="What will use it")],
    scope: Annotated[
        list[str], typer.Option("--scope", help="deliveries:read or deliveries:send; may repeat")
    ],
    as_json: Json = False,
) -> None:
    """Make a token, which is printed now and never again."""
    from service.flows.tokens import make_token, read_name, read_scopes

    with printing.argument("NAME"):
        read_name(name)
    with printing.argument("--scope"):
        read_scopes(scope)
    with runtime() as rt:
        made = make_token(rt, name, scope, by="cli")
    if as_json:
        printing.as_json(made)
        return
    typer.echo(made["token"])
    typer.echo(
        f"Token {made['name']!r} is for {', '.join(made['scopes'])}. It is shown this once; send "
        "it as Authorization: Bearer TOKEN.",
        err=True,
    )


@tokens_app.command("list")
def tokens_list(as_json: Json = False) -> None:
    """Every token: what it is for, who made it, when it was used last."""
    from service.flows.tokens import list_tokens

    with runtime() as rt:
        rows = list_tokens(rt)
    if as_json:
        printing.as_json(rows)
    else:
        columns = ["name", "scopes", "created_by", "created_at", "seen_at", "ended_at"]
        printing.table(rows, columns, "No token yet.")


@tokens_app.command("end")
def tokens_end(name: str, as_json: Json = False) -> None:
    """End a token: it opens nothing from now on."""
    from service.flows.tokens import end_token

    with runtime() as rt:
        end_token(rt, name, by="cli")
    printing.told({"name": name, "ended": True}, f"Token {name!r} has ended.", wants_json=as_json)
