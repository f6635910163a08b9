"""Mails that came in: one from standard input, explained or taken as an MTA hands it over, or all
that wait in the mailbox.

A pipe transport starts this command for each mail, so it imports little and what it needs late.
"""

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from service.cli import printing
from service.cli.opening import house, runtime
from service.cli.paper_commands import Json
from service.errors import PaperpostError

if TYPE_CHECKING:
    from service.flows.inbound import Taken
    from service.reports.model import Report

EX_TEMPFAIL = 75
"""Of sysexits.h: the mail stays with the MTA, which tries again later."""

MOST_BYTES = 10 * 1024 * 1024
"""What is read of one mail; what lies behind is read past, so that the MTA sees no broken pipe."""

RECIPIENTS = ("ORIGINAL_RECIPIENT", "RECIPIENT")
"""Environment in which Postfix local(8) and Exim name whom a piped mail is for."""

_COLUMNS = ["class", "reason", "status", "code", "recipient", "action", "words", "form"]


def register(app: typer.Typer) -> None:
    """Hang this part's command into the program."""
    app.command("inbound")(inbound)


def inbound(
    explain: Annotated[
        bool, typer.Option("--explain", help="Only say what it means; needs no database.")
    ] = False,
    rcpt: Annotated[
        list[str] | None,
        typer.Option(help="Address it was handed over for, of the envelope; may be repeated."),
    ] = None,
    fetch: Annotated[
        bool, typer.Option("--fetch", help="Read the mailbox of INBOX_URL once instead.")
    ] = False,
    as_json: Json = False,
) -> None:
    """One bounce, complaint or reply from standard input.

    As a pipe transport: ends with 0 once the mail is kept, and with 75 when it could not be, so
    that the MTA tries again.
    """
    if fetch:
        if explain or rcpt:
            raise typer.BadParameter("It goes with --json alone.", param_hint="--fetch")
        _fetch(as_json)
        return
    data = read_mail(sys.stdin.buffer)
    if not data.strip():
        raise typer.BadParameter("No mail came on standard input.", param_hint="MAIL")
    if explain:
        _explain(data, rcpt or (), as_json)
        return
    try:
        taken = _take(data, rcpt or _named())
    except Exception as error:  # whatever it was: the mail is not kept, so the MTA must keep it
        said = printing.lines(error) if isinstance(error, PaperpostError) else [_plain(error)]
        for line in said:
            typer.echo(line, err=True)
        raise typer.Exit(EX_TEMPFAIL) from None
    printing.told(_facts(taken), _sentence(taken), wants_json=as_json)


def read_mail(stream: BinaryIO) -> bytes:
    """The first MOST_BYTES of a mail; the rest is read past."""
    data = stream.read(MOST_BYTES)
    while stream.read(1024 * 1024):
        pass
    return data


def explained(data: bytes, rcpts: Sequence[str] = ()) -> list[dict[str, Any]]:
    """What a mail means, an object a recipient."""
    from service.reports.read import read_report

    read = read_report(data, rcpts=rcpts)
    return [{**_row(report), "form": read.form} for report in read.reports]


def _explain(data: bytes, rcpts: Sequence[str], as_json: bool) -> None:
    rows = explained(data, rcpts)
    if as_json:
        printing.as_json(rows)
    else:
        printing.table(rows, _COLUMNS, "It says nothing.")


def _fetch(as_json: bool) -> None:
    from service.cli.ways import inbox_of
    from service.errors import SettingError
    from service.inbound.imap import read_once

    with house() as opened:
        inbox = inbox_of(opened.settings)
        if inbox is None:
            raise SettingError(
                "There is no mailbox to read.", "PAPERPOST_INBOX_URL", "Set it (docs/bounces.md)."
            )
        found = read_once(opened.runtime, inbox)
    facts = {**found.states, "again": found.again, "cut": found.cut, "failed": found.failed}
    said = ", ".join(f"{n} {name}" for name, n in facts.items() if n) or "nothing waited"
    printing.told(facts, f"{inbox.name}: {said}.", wants_json=as_json)
    if found.failed:
        typer.echo(f"{found.failed} stay in the mailbox: {found.why}", err=True)
        raise typer.Exit(1)


def _row(report: "Report") -> dict[str, Any]:
    return {
        "class": report.kind.value,
        "reason": report.reason,
        "status": report.status,
        "recipient": report.recipient,
        "code": report.code,
        "action": report.action,
        "words": report.words,
    }


def _named() -> list[str]:
    """Whom the mail is for, as the MTA says in the environment."""
    return list(dict.fromkeys(name for key in RECIPIENTS if (name := os.environ.get(key))))


def _take(data: bytes, rcpts: Sequence[str]) -> "Taken":
    with runtime() as rt:
        from service.flows.inbound import take

        return take(rt, data, way="pipe", rcpts=rcpts)


def _facts(taken: "Taken") -> dict[str, Any]:
    return {
        "id": taken.id,
        "is_new": taken.is_new,
        "state": taken.state,
        "said": list(taken.said),
        "reports": [{**_row(one), "form": taken.read.form} for one in taken.read.reports],
    }


def _sentence(taken: "Taken") -> str:
    """For the MTA's log: without addresses."""
    if not taken.is_new:
        return f"Mail {taken.id} was known already: nothing changed."
    what = ", ".join(dict.fromkeys(f"{one.kind} {one.reason}" for one in taken.read.reports))
    followed = ", ".join(dict.fromkeys(one for one in taken.said if one)) or "nothing"
    return f"Mail {taken.id} is kept ({taken.state}): {what}. What followed: {followed}."


def _plain(error: Exception) -> str:
    first = str(error).partition("\n")[0][:200]
    return f"The mail could not be kept: {type(error).__name__}: {first}"
