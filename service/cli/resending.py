"""Sending refused mails again from the command line, the same for an edition and for a group."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from service.cli import printing
from service.cli.opening import runtime
from service.cli.send_commands import send_planned

if TYPE_CHECKING:
    from service.flows.resend import Count, Wanted


def ask(
    edition_id: int, *, meaning: str = "", domain: str = "", ids: Sequence[int] = (), key: str = ""
) -> "Wanted":
    """Read what was typed; a meaning that is none, or is not sent again, is misuse (exit 2)."""
    from service.flows.resend import read_wanted

    name = "--key" if key and not meaning else "--meaning"
    with printing.argument(name):
        return read_wanted(edition_id, meaning=meaning, domain=domain, ids=ids, key=key)


def send_again(wanted: "Wanted", yes: int | None, *, dry_run: bool, as_json: bool) -> None:
    """Plan and send, or (dry_run) say what it would be. yes: the number that is expected."""
    from service.flows import resend

    with runtime() as rt:
        if dry_run:
            found = resend.count(rt, wanted)
            printing.told(found.as_dict(), equation(found), wants_json=as_json)
            return
        made = resend.resend(rt, wanted, by="cli", expected=yes)
        send_planned(rt, [made["edition"]] if made["edition"] else [], made, as_json)


def agreed(wanted: "Wanted") -> int:
    """Ask the person at the terminal; the number of mails they said yes to. Ends with 1 at a no."""
    from service.flows import resend

    with runtime() as rt:
        found = resend.count(rt, wanted)
    typer.echo(equation(found), err=True)
    if found.mails:
        # not typer.confirm: standard output is for the report alone
        typer.echo(f"Send {printing.tally(found.mails, 'mail')}? [y/N] ", nl=False, err=True)
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise typer.Abort
    return found.mails


def has_terminal() -> bool:
    """Whether somebody sits there who can be asked."""
    return sys.stdin.isatty()


def equation(found: "Count") -> str:
    """What it would be, in a line."""
    left = ", ".join(f"{n:,} {reason}" for reason, n in found.left_out.most_common())
    mails = printing.tally(found.mails, "mail")
    return f"{mails} would be sent again{f'; left out: {left}' if left else ''}."


def confirmed(wanted: "Wanted", yes: int | None, *, dry_run: bool, as_json: bool) -> None:
    """The same; without ``yes`` it is only counted. Raises ResendError then."""
    from service.flows import resend

    if dry_run or yes is not None:
        send_again(wanted, yes, dry_run=dry_run, as_json=as_json)
        return
    with runtime() as rt:
        found = resend.count(rt, wanted)
    printing.as_json(found.as_dict()) if as_json else typer.echo(equation(found))
    if not found.mails:
        return  # there is no number to confirm
    raise resend.ResendError(
        "Nothing was sent: the number of mails was not confirmed.",
        "--yes",
        f"Add --yes {found.mails}",
    )
