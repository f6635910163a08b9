"""Tokens for programs that use the API."""

from typing import Annotated, Any

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
        list[str],
        typer.Option("--scope", help="What it may do, like readers:read; may repeat"),
    ],
    days: Annotated[
        int | None, typer.Option("--days", help="It ends by itself after so many days")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a token, which is printed now and never again. `paperpost tokens scopes` lists what a
    token may do."""
    from service.flows.tokens import make_token, read_days, read_name, read_scopes

    with printing.argument("NAME"):
        read_name(name)
    with printing.argument("--scope"):
        read_scopes(scope)
    with printing.argument("--days"):
        days = None if days is None else read_days(days)
    with runtime() as rt:
        made = make_token(rt, name, scope, by="cli", days=days)
    _told(made, as_json)


@tokens_app.command("rotate")
def tokens_rotate(name: str, as_json: Json = False) -> None:
    """Give a token another secret, which is printed now and never again; the old one opens nothing
    from now on."""
    from service.flows.tokens import rotate_token

    with runtime() as rt:
        made = rotate_token(rt, name, by="cli")
    _told(made, as_json)


def _told(made: dict[str, Any], as_json: bool) -> None:
    if as_json:
        printing.as_json(made)
        return
    typer.echo(made["token"])
    ends = f", until {made['ends_at']:%Y-%m-%d %H:%M} UTC" if made["ends_at"] else ""
    typer.echo(
        f"Token {made['name']!r} is for {', '.join(made['scopes'])}{ends}. It is shown this once; "
        "send it as Authorization: Bearer TOKEN.",
        err=True,
    )


@tokens_app.command("scopes")
def tokens_scopes(as_json: Json = False) -> None:
    """What a token may be for."""
    from service.flows.tokens import SCOPES

    rows = [{"scope": scope, "means": means} for scope, means in SCOPES.items()]
    if as_json:
        printing.as_json(rows)
        return
    for row in rows:
        typer.echo(f"{row['scope']:<16}  {row['means']}")


@tokens_app.command("list")
def tokens_list(as_json: Json = False) -> None:
    """Every token: what it is for, who made it, when and from where it was used last."""
    from service.flows.tokens import list_tokens

    with runtime() as rt:
        rows = list_tokens(rt)
    if as_json:
        printing.as_json(rows)
    else:
        columns = ["name", "scopes", "created_by", "created_at", "seen_at", "seen_from", "ends_at",
                   "ended_at"]  # fmt: skip
        printing.table(rows, columns, "No token yet.")


@tokens_app.command("end")
def tokens_end(name: str, as_json: Json = False) -> None:
    """End a token: it opens nothing from now on."""
    from service.flows.tokens import end_token

    with runtime() as rt:
        end_token(rt, name, by="cli")
    printing.told({"name": name, "ended": True}, f"Token {name!r} has ended.", wants_json=as_json)
