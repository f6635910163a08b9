"""The staff's accounts, their sessions, and the record of acts."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from shlex import quote
from typing import Annotated, Any

import typer

from service.cli import opening, printing
from service.cli.opening import runtime
from service.cli.paper_commands import Json

admin_app = typer.Typer(help="Accounts of staff, and who is logged in.", no_args_is_help=True)
audit_app = typer.Typer(help="The record of acts.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(metavar="NAME", help="Of an account in admin list")]
Role = Annotated[str, typer.Option(help="viewer, editor, sender or owner")]
Who = Annotated[str, typer.Option("--who", help="A part of who did it")]
What = Annotated[str, typer.Option("--what", help="How the act is called begins like this")]
Target = Annotated[str, typer.Option("--target", help="A part of what it was done to")]
Since = Annotated[
    datetime | None, typer.Option("--since", formats=["%Y-%m-%d"], help="On this date or later")
]
Until = Annotated[
    datetime | None, typer.Option("--until", formats=["%Y-%m-%d"], help="On this date or earlier")
]
BY = "cli"


def register(app: typer.Typer) -> None:
    """Hang this part's commands into the program."""
    app.add_typer(admin_app, name="admin")
    app.add_typer(audit_app, name="audit")


@contextmanager
def _checked(name: str, role: str = "") -> Iterator[Any]:
    """The house, once name and role can be read."""
    from service.flows.staff import ROLES, read_name

    with printing.argument("NAME"):
        read_name(name)
    if role:
        printing.one_of(role, ROLES, "--role")
    with runtime() as rt:
        yield rt


@admin_app.command("list")
def admin_list(as_json: Json = False) -> None:
    """Every account: role, state, how many sessions, when seen last."""
    from service.flows.accounts import list_accounts

    with runtime() as rt:
        rows = list_accounts(rt)
    if as_json:
        printing.as_json(rows)
    else:
        columns = ["name", "role", "state", "created_at", "link_until", "sessions", "seen", "email"]
        printing.table(rows, columns, "No account yet: paperpost admin create NAME --role owner")


@admin_app.command("create")
def admin_create(name: str, role: Role, as_json: Json = False) -> None:
    """Make an account; prints a link, good once within 24 hours, where a password is chosen."""
    from service.flows.staff import create_admin

    with _checked(name, role) as rt:
        link = create_admin(rt, name, role, BY)
    if opening.is_bare() and (opening.DEMO_DIR / "paperpost.db").is_file():
        typer.echo(
            "This account is in var/, which paperpost run opens after a set-up. For the demo:\n"
            f"PAPERPOST_DATA_DIR={opening.DEMO_DIR} paperpost admin create {quote(name)} "
            f"--role {role}",
            err=True,
        )
    if as_json:
        printing.as_json({"name": name, "role": role, "link": link})
    else:
        typer.echo(link)


@admin_app.command("role")
def admin_role(name: Name, role: Role, as_json: Json = False) -> None:
    """Give an account another role; its sessions end."""
    from service.flows.accounts import change_role

    with _checked(name, role) as rt:
        change_role(rt, name, role, BY)
    facts = {"name": name, "role": role}
    printing.told(facts, f"{name} is {role} now; their sessions have ended.", wants_json=as_json)


@admin_app.command("rename")
def admin_rename(
    name: Name,
    new: Annotated[str, typer.Argument(metavar="NEW", help="By which they log in")],
    as_json: Json = False,
) -> None:
    """Call an account by another name; old acts stay under the old one."""
    from service.flows.accounts import rename
    from service.flows.staff import read_name

    with printing.argument("NEW"):
        read_name(new)
    with _checked(name) as rt:
        made = rename(rt, name, new, BY)
    printing.told({"name": made, "before": name}, f"{name} is {made} now.", wants_json=as_json)


@admin_app.command("email")
def admin_email(
    name: Name,
    email: Annotated[
        str, typer.Argument(metavar="ADDRESS", help="'none': to the installation's contact")
    ],
    as_json: Json = False,
) -> None:
    """Where reports of this person's sends go."""
    from service.cli.paper_commands import read_email
    from service.flows.accounts import set_email

    typed = "" if email.strip().lower() == "none" else email
    if typed:
        read_email(typed, "ADDRESS")
    with _checked(name) as rt:
        made = set_email(rt, name, typed, BY)
    says = f"Reports of {name}'s sends go to {made or 'the contact address'}."
    printing.told({"name": name, "email": made}, says, wants_json=as_json)


@admin_app.command("end")
def admin_end(name: Name, as_json: Json = False) -> None:
    """End an account and its sessions; its acts stay on record."""
    from service.flows.staff import disable

    with _checked(name) as rt:
        disable(rt, name, BY)
    printing.told({"name": name, "ended": True}, f"{name} has ended.", wants_json=as_json)


@admin_app.command("sessions")
def admin_sessions(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="Of this account alone")] = "",
    as_json: Json = False,
) -> None:
    """Who is logged in: since when, last seen, from where, by which browser."""
    from service.flows.accounts import list_sessions, need_account

    with runtime() as rt:
        admin_id = need_account(rt, name) if name else None
        rows = [one.facts() for one in list_sessions(rt, admin_id=admin_id)]
    if as_json:
        printing.as_json(rows)
    else:
        columns = ["id", "name", "role", "since", "seen", "address", "browser"]
        printing.table(rows, columns, "Nobody is logged in.")


@admin_app.command("revoke")
def admin_revoke(
    session: Annotated[
        int | None, typer.Argument(metavar="[ID]", help="Of a session in admin sessions")
    ] = None,
    name: Annotated[str, typer.Option("--all", metavar="NAME", help="All of this account")] = "",
    as_json: Json = False,
) -> None:
    """End one session, or all of an account: the next click there asks for the password."""
    from service.flows.accounts import end_sessions, revoke

    if (session is None) == (not name):
        raise typer.BadParameter("Name a session, or an account with --all.", param_hint="ID")
    with runtime() as rt:
        if session is None:
            ended, whose = end_sessions(rt, name, BY), name
        else:
            ended, whose = 1, revoke(rt, session, BY)
    says = f"{printing.tally(ended, 'session')} of {whose} ended."
    printing.told({"name": whose, "ended": ended}, says, wants_json=as_json)


def _wanted(rt: Any, **typed: Any) -> Any:
    from service.flows.acts import read_wanted

    with printing.argument("--since"):
        return read_wanted(**typed, zone=rt.zone)


def _day(at: datetime | None) -> Any:
    return at.date() if at is not None else None


@audit_app.command("list")
def audit_list(
    who: Who = "",
    what: What = "",
    target: Target = "",
    since: Since = None,
    until: Until = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=100_000, help="Rows of the table")
    ] = 100,
    as_json: Json = False,
) -> None:
    """Acts, newest first; --json: all of them."""
    from service.flows.acts import changes, json_parts
    from service.store.staff import count_audit, list_audit

    with runtime() as rt:
        first, last = _day(since), _day(until)
        wanted = _wanted(rt, who=who, what=what, target=target, first=first, last=last)
        if as_json:
            for part in json_parts(rt, wanted):
                typer.echo(part, nl=False)
            return
        total = rt.db.read(lambda s: count_audit(s, wanted))
        rows = rt.db.read(lambda s: list_audit(s, wanted=wanted, limit=limit))
    lines = [
        {
            "at": row.at.isoformat(timespec="seconds"),
            "who": row.who,
            "what": row.what,
            "target": row.target,
            "changed": "; ".join(
                f"{one.name}: {one.was or '-'} -> {one.now or '-'}"
                for one in changes(row.before, row.after)
            ),
            "reason": row.reason,
            "from": row.address,
        }
        for row in rows
    ]
    columns = ["at", "who", "what", "target", "changed", "reason", "from"]
    printing.table(lines, columns, "No act.")
    if total > len(rows):
        typer.echo(f"{total - len(rows):,} more; --limit, or audit export, shows them.", err=True)


@audit_app.command("export")
def audit_export(
    who: Who = "",
    what: What = "",
    target: Target = "",
    since: Since = None,
    until: Until = None,
    as_json: Json = False,
) -> None:
    """All acts as a table (CSV) for a spreadsheet, or as JSON."""
    from service.flows.acts import csv_parts, json_parts

    with runtime() as rt:
        first, last = _day(since), _day(until)
        wanted = _wanted(rt, who=who, what=what, target=target, first=first, last=last)
        for part in (json_parts if as_json else csv_parts)(rt, wanted):
            typer.echo(part, nl=False)
