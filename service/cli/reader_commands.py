"""Readers: subscribers, suppressions."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from service.cli import printing
from service.cli.opening import runtime
from service.cli.paper_commands import Json
from service.errors import PaperpostError

subscribers_app = typer.Typer(help="Readers.", no_args_is_help=True)
suppressions_app = typer.Typer(help="Addresses never to be mailed.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Hang this part's commands into the program."""
    app.add_typer(subscribers_app, name="subscribers")
    app.add_typer(suppressions_app, name="suppressions")


def read_file(path: Path) -> bytes:
    """The bytes of a file, or of standard input for "-"."""
    try:
        return sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise PaperpostError(
            f"{path.name} cannot be read: {error.strerror}", str(path), "Check the path."
        ) from None


@subscribers_app.command("add")
def add(
    email: str,
    profile: Annotated[str, typer.Option(help="An interest as a query")] = "",
    keywords: Annotated[str, typer.Option(help="An interest as plain keywords")] = "",
    trending: Annotated[bool, typer.Option("--trending", help="The most-voted papers")] = False,
    name: str = "",
    tz: Annotated[str, typer.Option(help="IANA zone")] = "",
    hour: Annotated[str, typer.Option(help="0 to 23")] = "",
    cadence: Annotated[str, typer.Option(help="instant, daily or weekly")] = "",
    confirmed: Annotated[
        bool, typer.Option("--confirmed", help="Nothing is mailed; else a confirmation goes out")
    ] = False,
    as_json: Json = False,
) -> None:
    """Add one reader."""
    import asyncio

    from service.flows.readers import add_reader, read_new
    from service.flows.send import send_ready

    chosen = sum((bool(profile), bool(keywords), trending))
    if chosen != 1:
        raise typer.BadParameter(
            "One interest is needed: give --profile QUERY, --keywords LIST or --trending."
        )
    cells = {
        "email": email,
        "profile": profile,
        "keywords": keywords,
        "name": name,
        "tz": tz,
        "hour": hour,
        "cadence": cadence,
        "confirmed": "true" if confirmed else "false",
    }
    with runtime() as rt:
        reader_id = add_reader(rt, read_new(rt, cells), by="cli")
        sent = 0 if confirmed else asyncio.run(send_ready(rt)).accepted
    state = "active" if confirmed else "pending"
    facts = {"id": reader_id, "email": email, "state": state, "confirmations": sent}
    tail = "." if confirmed else "; a confirmation was mailed."
    if not confirmed and not sent:
        tail = "; the confirmation waits: paperpost deliveries list"
    printing.told(facts, f"Added {email}{tail}", wants_json=as_json)


@subscribers_app.command("list")
def list_(
    state: Annotated[str, typer.Option(help="pending, active, left, bounced")] = "",
    as_json: Json = False,
) -> None:
    """Every reader, pending ones too."""
    from service.flows.readers import summary
    from service.store.subscribers import list_subscriber_rows
    from service.subscribers.model import SubscriberState

    if state:
        printing.one_of(state, [s.value for s in SubscriberState], "--state")
    with runtime() as rt:
        rows = rt.db.read(lambda s: summary(list_subscriber_rows(s, state=state or None), s))
    if as_json:
        printing.as_json(rows)
    else:
        printing.table(
            [
                {**r, "words": "; ".join(i["text"] or "trending" for i in r["interests"])}
                for r in rows
            ],
            ["email", "state", "words", "hour", "zone", "next_digest_at"],
            "No reader yet. paperpost subscribers import LIST.csv",
        )


@subscribers_app.command("show")
def show(email: str, as_json: Json = False) -> None:
    """One reader's whole story."""
    from service.flows.leave import export
    from service.subscribers.address import read_address

    with runtime() as rt:
        found = export(rt, read_address(email).key)
    if found is None:
        raise PaperpostError(f"There is no reader {email}.", "", "paperpost subscribers list")
    if as_json:
        printing.as_json(found)
        return
    for key, value in found["subscriber"].items():
        typer.echo(f"{key}: {value}")
    printing.table(found["interests"], ["name", "kind", "text", "cadence", "since"], "No interest.")
    printing.table(found["consent"], ["act", "at", "address"], "No consent record.")
    printing.table(found["mails"], ["kind", "state", "reason", "planned_at"], "No mail yet.")


@subscribers_app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV, - for standard input")],
    problems: Annotated[Path, typer.Option(help="Where bad rows go")] = Path("problems.csv"),
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen")] = False,
    as_json: Json = False,
) -> None:
    """Import readers from a CSV; bad rows come back, the others go in.

    Columns: email, then profile or keywords (neither: trending), and if you like confirmed, name,
    tz, hour, cadence. A column of another name is refused, but for state, problem, id, no, nr,
    note and comment, which are left unread.
    """
    import asyncio

    from service.flows.readers import import_readers
    from service.flows.send import send_ready

    with runtime() as rt:
        report = import_readers(rt, read_file(file), by="cli", dry_run=dry_run)
        if not dry_run:
            asyncio.run(send_ready(rt))
    if report.problems:
        problems.write_text(report.problems_csv(), encoding="utf-8-sig", newline="")
    if as_json:
        printing.as_json(
            {
                "rows": report.rows,
                "added": report.added,
                "unchanged": report.unchanged,
                "problems": [{"row": n, "problem": p} for n, _, p in report.problems],
                "problems_file": str(problems) if report.problems else None,
                "ignored": report.ignored,
            }
        )
        return
    for number, cells, problem in report.problems[:20]:
        who = "" if problem.startswith("'") else f"{cells.get('email', '')!r}: "
        typer.echo(f"Row {number}: {who}{problem}", err=True)
    if report.ignored:
        typer.echo(f"Left unread: {', '.join(report.ignored)}", err=True)
    tail = f", {len(report.problems)} in {problems}" if report.problems else ""
    same = f", {report.unchanged} were there" if report.unchanged else ""
    verb = "would be imported" if dry_run else "imported"
    typer.echo(f"{report.added} rows {verb}{same}{tail}.")


@subscribers_app.command("export")
def export_(
    email: Annotated[str, typer.Argument(help="One reader; without it all of them")] = "",
    as_json: Json = False,
) -> None:
    """Everything stored about one reader, as JSON; without an address all readers, as a CSV."""
    from service.flows.leave import export
    from service.flows.readers import export_readers
    from service.flows.spreadsheet import to_csv
    from service.subscribers.address import read_address

    if not email:
        with runtime() as rt:
            rows = rt.db.read(export_readers)
        printing.as_json(rows) if as_json else typer.echo(to_csv(rows), nl=False)
        return
    with runtime() as rt:
        found = export(rt, read_address(email).key)
    if found is None:
        raise PaperpostError(f"There is no reader {email}.", "", "paperpost subscribers list")
    printing.as_json(found)


@subscribers_app.command("erase")
def erase(email: str, as_json: Json = False) -> None:
    """Forget one reader at once; a keyed hash stays, so that no import brings them back."""
    from service.flows.leave import erase as flow
    from service.subscribers.address import read_address

    with runtime() as rt:
        if not flow(rt, read_address(email).key, by="cli"):
            raise PaperpostError(f"There is no reader {email}.", "", "paperpost subscribers list")
    facts = {"email": email, "erased": True}
    printing.told(facts, f"{email} is erased.", wants_json=as_json)


@suppressions_app.command("add")
def suppress(email: str, reason: str = "admin", as_json: Json = False) -> None:
    """Never mail an address again."""
    from service.flows.suppress import suppress as flow
    from service.subscribers.address import read_address

    with runtime() as rt:
        new = flow(rt, read_address(email), reason=reason, by="cli")
    printing.told(
        {"email": email, "added": new},
        f"{email} is suppressed." if new else f"{email} was suppressed already.",
        wants_json=as_json,
    )


@suppressions_app.command("import")
def suppress_many(file: Path, reason: str = "import", as_json: Json = False) -> None:
    """Bar every address of a list (one per line, or a CSV with a column email)."""
    from service.flows.suppress import import_suppressions

    with runtime() as rt:
        report = import_suppressions(rt, read_file(file), reason=reason, by="cli")
    if as_json:
        printing.as_json(
            {
                "added": report.added,
                "unchanged": report.unchanged,
                "problems": [{"row": n, "problem": p} for n, _, p in report.problems],
            }
        )
        return
    for number, text, problem in report.problems[:20]:
        who = "" if problem.startswith("'") else f"{text[:60]!r}: "
        typer.echo(f"Row {number}: {who}{problem}", err=True)
    typer.echo(f"{report.added} suppressed, {report.unchanged} were, {len(report.problems)} bad.")


@suppressions_app.command("list")
def suppressions(as_json: Json = False) -> None:
    """Every bar (hashes: the addresses themselves are not kept)."""
    from service.store.consent import list_suppressions

    with runtime() as rt:
        rows = [
            {"hash": r.email_hash, "reason": r.reason, "since": r.since.isoformat()}
            for r in rt.db.read(list_suppressions)
        ]
    if as_json:
        printing.as_json(rows)
    else:
        printing.table(rows, ["hash", "reason", "since"], "Nobody is suppressed.")


@suppressions_app.command("remove")
def unsuppress(email: str, as_json: Json = False) -> None:
    """Lift a bar, when the person asks for mail again."""
    from service.flows.suppress import unsuppress as flow
    from service.subscribers.address import read_address

    with runtime() as rt:
        if not flow(rt, read_address(email)):
            raise PaperpostError(f"{email} is not suppressed.", "", "paperpost suppressions list")
    facts = {"email": email, "removed": True}
    printing.told(facts, f"{email} may be mailed again.", wants_json=as_json)
