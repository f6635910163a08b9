"""Readers: subscribers, suppressions."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli import printing
from service.cli.opening import runtime
from service.cli.paper_commands import Json, read_email
from service.errors import PaperpostError

if TYPE_CHECKING:
    from service.flows.readers import ImportReport

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
            f"{path} cannot be read: {error.strerror}.", "", "Check the path."
        ) from None


@subscribers_app.command("add")
def add(
    email: str,
    profile: Annotated[str, typer.Option(help="An interest as a query")] = "",
    keywords: Annotated[str, typer.Option(help="An interest as plain keywords")] = "",
    people: Annotated[
        str, typer.Option(help="People to follow, and org:NAME; semicolons between them")
    ] = "",
    trending: Annotated[bool, typer.Option("--trending", help="The most-voted papers")] = False,
    name: Annotated[str, typer.Option(help="As the reader is called")] = "",
    tz: Annotated[str, typer.Option(help="IANA zone")] = "",
    hour: Annotated[str, typer.Option(help="0 to 23")] = "",
    cadence: Annotated[str, typer.Option(help="instant, daily or weekly")] = "",
    on_time: Annotated[
        bool, typer.Option("--on-time", help="The mail waits for no source that is late")
    ] = False,
    confirmed: Annotated[
        bool, typer.Option("--confirmed", help="Nothing is mailed; else a confirmation goes out")
    ] = False,
    as_json: Json = False,
) -> None:
    """Add one reader."""

    from service.cli.sending import send_now
    from service.flows.readers import add_reader, read_new
    from service.flows.staff import audit

    chosen = sum((*map(bool, map(str.strip, (profile, keywords, people))), trending))
    if chosen != 1:
        raise typer.BadParameter(
            "One interest is needed.\n  next:  give --profile QUERY, --keywords LIST, "
            "--people NAMES or --trending"
        )
    given = {
        "email": ("email", email),
        "profile": ("--profile", profile),
        "keywords": ("--keywords", keywords),
        "people": ("--people", people),
        "tz": ("--tz", tz),
        "hour": ("--hour", hour),
        "cadence": ("--cadence", cadence),
    }
    cells = {column: typed for column, (_, typed) in given.items()}
    cells |= {"name": name, "confirmed": "true" if confirmed else "false"}
    cells["on_time"] = "true" if on_time else ""
    for column, (option, typed) in given.items():
        if typed or column == "email":  # one by one: a fault belongs to its option
            with printing.argument(option):
                read_new({"email": email, column: typed})
    with runtime() as rt:
        reader_id = add_reader(rt, read_new(cells), by="cli")
        audit(rt, "cli", "add reader", f"reader {reader_id}")
        sent = 0 if confirmed else send_now(rt).accepted
    state = "active" if confirmed else "pending"
    facts = {"id": reader_id, "email": email, "state": state, "confirmations": sent}
    tail = "." if confirmed else "; a confirmation was mailed."
    if not confirmed and not sent:
        tail = "; the confirmation waits: paperpost deliveries list"
    printing.told(facts, f"Added {email}{tail}", wants_json=as_json)


@subscribers_app.command("confirm-again")
def confirm_again(email: str, as_json: Json = False) -> None:
    """Mail the confirmation once more to who has not confirmed; its link works as long as the
    first one did. Who was mailed today or three times in 30 days, or is suppressed, is not."""

    from service.cli.sending import send_now
    from service.flows.remind import confirm_again as flow
    from service.flows.staff import audit

    address = read_email(email)
    with runtime() as rt:
        reader_id = flow(rt, address.key, by="cli")
        audit(rt, "cli", "confirm again", f"reader {reader_id}")
        sent = send_now(rt).accepted
    facts = {"id": reader_id, "email": email, "confirmations": sent}
    said = f"The confirmation was mailed to {email} once more."
    if not sent:
        said = f"The confirmation for {email} waits: paperpost deliveries list"
    printing.told(facts, said, wants_json=as_json)


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
    from service.flows.own_data import export_reader

    address = read_email(email)
    with runtime() as rt:
        found = export_reader(rt, address.key)
    if found is None:
        raise PaperpostError(f"There is no reader {email}.", "", "paperpost subscribers list")
    if as_json:
        printing.as_json(found)
        return
    for key, value in found["subscriber"].items():
        typer.echo(f"{key}: {value}")
    printing.table(found["interests"], ["name", "kind", "text", "cadence", "since"], "No interest.")
    printing.table(
        found["consent"], ["at", "how", "line", "wording", "address"], "No consent record."
    )
    printing.table(found["mails"], ["kind", "state", "reason", "planned_at"], "No mail yet.")
    if reports := found["reports"]:
        typer.echo("\nWhat came back:")
        printing.table(reports, ["at", "kind", "reason", "words", "followed"], "")
    if bar := found["suppression"]:
        typer.echo(
            f"\nBarred since {bar['since']:.16} UTC ({bar['reason']}). {bar['detail']}".rstrip()
        )


@subscribers_app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV, - for standard input")],
    problems: Annotated[Path, typer.Option(help="The file for bad rows")] = Path("problems.csv"),
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen")] = False,
    as_json: Json = False,
) -> None:
    """Import readers from a CSV; bad rows come back in a file, the others go in.

    Columns: email, then profile or keywords (neither: trending), and if you like confirmed, name,
    tz, hour, cadence, people, weekdays, paused_until, language, abstracts, weekly_day,
    interest_name, on_time, cap, threshold, own, late_news, at_least, tell_anyway, format,
    also_trending, picks, quiet, feed, interest_paused; of another name only id, no, nr, note and
    comment, which are left unread. Several rows of an address are several interests. A row whose
    state is left or bounced stays out.

    Ends with 0 when no row has a problem. Else it ends with 1, the rows with a problem are in
    problems.csv of this folder (or --problems FILE) with a column problem: correct them there and
    import that file.
    """

    from service.cli.sending import send_now
    from service.flows.readers import import_readers
    from service.flows.staff import audit

    data = read_file(file)
    with runtime() as rt:
        report = import_readers(rt, data, by="cli", dry_run=dry_run)
        if not dry_run:
            after = {"rows": report.rows, "added": report.added, "bad": len(report.problems)}
            audit(rt, "cli", "import readers", after=after)
            send_now(rt)
    unwritten = _write(problems, report.problems_csv()) if report.problems else None
    if as_json:
        printing.as_json(
            {
                "rows": report.rows,
                "added": report.added,
                "readers": report.readers,
                "unchanged": report.unchanged,
                "kept_out": report.kept_out,
                "problems": [{"row": n, "problem": p} for n, _, p in report.problems],
                "problems_file": str(problems) if report.problems and not unwritten else None,
                "ignored": report.ignored,
            }
        )
    else:
        _tell_import(report, problems, dry_run)
    if unwritten is not None:
        raise unwritten
    if report.problems:
        raise typer.Exit(1)


def _write(file: Path, text: str) -> PaperpostError | None:
    """Write the bad rows for a spreadsheet; the others are in, so a fault is told last."""
    try:
        file.write_text(text, encoding="utf-8-sig", newline="")
    except OSError as error:
        return PaperpostError(
            f"{file} cannot be written: {error.strerror}.", "", "Import again with --problems FILE."
        )
    return None


def _tell_import(report: "ImportReport", problems: Path, dry_run: bool) -> None:
    for number, cells, problem in report.problems[:20]:
        who = "" if problem.startswith("'") else f"{cells.get('email', '')!r}: "
        typer.echo(f"Row {number}: {who}{problem}", err=True)
    if report.ignored:
        typer.echo(f"Left unread: {', '.join(report.ignored)}", err=True)
    tail = f", {len(report.problems)} in {problems}" if report.problems else ""
    same = f", {report.unchanged} were there" if report.unchanged else ""
    out = f", {report.kept_out} kept out (left or bounced)" if report.kept_out else ""
    verb = "would be imported" if dry_run else "imported"
    typer.echo(f"{printing.tally(report.added, 'row')} {verb}{same}{out}{tail}.")


@subscribers_app.command("export")
def export_(
    email: Annotated[str, typer.Argument(help="One reader; without it all of them")] = "",
    as_json: Json = False,
) -> None:
    """Everything stored about one reader, as JSON; without an address all readers, as a CSV."""
    from service.flows.own_data import export_reader
    from service.flows.readers import export_readers
    from service.flows.spreadsheet import to_csv

    if not email:
        with runtime() as rt:
            rows = rt.db.read(export_readers)
        printing.as_json(rows) if as_json else typer.echo(to_csv(rows), nl=False)
        return
    address = read_email(email)
    with runtime() as rt:
        found = export_reader(rt, address.key)
    if found is None:
        raise PaperpostError(f"There is no reader {email}.", "", "paperpost subscribers list")
    printing.as_json(found)


@subscribers_app.command("erase")
def erase(email: str, as_json: Json = False) -> None:
    """Forget one reader at once; a keyed hash stays, so that no import brings them back."""
    from service.flows.leave import erase as flow
    from service.flows.staff import audit

    address = read_email(email)
    with runtime() as rt:
        if not flow(rt, address.key, by="cli"):
            raise PaperpostError(f"There is no reader {email}.", "", "paperpost subscribers list")
        audit(rt, "cli", "erase")  # by no name: whoever is erased stands in no record
    facts = {"email": email, "erased": True}
    printing.told(facts, f"{email} is erased.", wants_json=as_json)


@suppressions_app.command("add")
def suppress(email: str, reason: str = "admin", as_json: Json = False) -> None:
    """Never mail an address again."""
    from service.flows.suppress import suppress as flow

    address = read_email(email)
    with runtime() as rt:
        new = flow(rt, address, reason=reason, by="cli")
    printing.told(
        {"email": email, "added": new},
        f"{email} is suppressed." if new else f"{email} was suppressed already.",
        wants_json=as_json,
    )


@suppressions_app.command("import")
def suppress_many(file: Path, reason: str = "import", as_json: Json = False) -> None:
    """Bar every address of a list (one per line, or a CSV with a column email).

    With the reason "import" its owner can still ask by the sign-up form, and the confirmation lifts
    the bar; a reason of your own stops that too.

    Ends with 1 when a row is no address; the others are barred.
    """
    from service.flows.suppress import import_suppressions

    data = read_file(file)
    with runtime() as rt:
        report = import_suppressions(rt, data, reason=reason, by="cli")
    if as_json:
        printing.as_json(
            {
                "added": report.added,
                "unchanged": report.unchanged,
                "problems": [{"row": n, "problem": p} for n, _, p in report.problems],
            }
        )
    else:
        for number, text, problem in report.problems[:20]:
            who = "" if problem.startswith("'") else f"{text[:60]!r}: "
            typer.echo(f"Row {number}: {who}{problem}", err=True)
        bad = len(report.problems)
        typer.echo(f"{report.added} suppressed, {report.unchanged} were, {bad} bad.")
    if report.problems:
        raise typer.Exit(1)


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

    address = read_email(email)
    with runtime() as rt:
        if not flow(rt, address, by="cli"):
            raise PaperpostError(f"{email} is not suppressed.", "", "paperpost suppressions list")
    facts = {"email": email, "removed": True}
    printing.told(facts, f"{email} may be mailed again.", wants_json=as_json)
