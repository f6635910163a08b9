"""The house itself: setup, migrate, doctor, tidy, run, web, scheduler, worker, demo."""

import asyncio
import signal
import sys
from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer

from service.cli import opening, printing
from service.errors import PaperpostError, SettingError

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Host = Annotated[str, typer.Option("--host", help="Address to listen on (default: the setting)")]
Port = Annotated[int | None, typer.Option("--port", min=0, max=65535, help="0 = any free one")]


def register(app: typer.Typer) -> None:
    """Hang this part's commands into the program."""
    app.command("setup")(setup)
    app.command("migrate")(migrate)
    app.command("doctor")(doctor)
    app.command("tidy")(tidy)
    app.command("run")(run)
    app.command("web")(web)
    app.command("scheduler")(scheduler)
    app.command("worker")(worker)
    app.command("demo")(demo)


def setup(
    yes: Annotated[bool, typer.Option("--yes", help="Take every default, ask nothing")] = False,
) -> None:
    """First run: eight questions with defaults, then .env is written. Again: the old answers."""
    from service.cli.setup_story import setup as story

    story(yes=yes)


def migrate(as_json: Json = False) -> None:
    """Bring the database to the revision of this version; rows are kept."""
    from service.store import migrations
    from service.store.faults import explained
    from service.wiring import open_database

    chosen = opening.settings()
    db = open_database(chosen, migrate=False)
    try:
        with explained(chosen.database):
            before = migrations.current(db)
            after = migrations.migrate(db)
    finally:
        db.close()
    says = f"The database went from revision {before or 'none'} to {after}."
    if before == after:
        says = f"The database is at revision {after}; nothing to do."
    printing.told({"before": before, "after": after}, says, wants_json=as_json)


def tidy(as_json: Json = False) -> None:
    """Throw away what has had its time now; `run` and `scheduler` do it every night.

    How long each thing is kept: settings list.
    """
    from service.flows.tidy import tidy as throw_away

    with opening.runtime() as rt:
        report = throw_away(rt)
    says = ", ".join(f"{name} {count:,}" for name, count in report.removed.items())
    facts = {"removed": report.removed, "failed": report.failed}
    printing.told(facts, f"Gone: {says}." if says else "Nothing had to go.", wants_json=as_json)
    for name, why in report.failed.items():
        typer.echo(f"{name} stays until tomorrow: {why}", err=True)
    if report.failed:
        sys.exit(1)


def doctor(
    to: Annotated[str, typer.Option("--to", help="Send a test mail to this address")] = "",
    records: Annotated[
        Path | None, typer.Option("--dns", help="A file with text records, in place of the DNS")
    ] = None,
    values: Annotated[
        bool | None,
        typer.Option(
            "--settings/--no-settings",
            help="Every value in force after the checks; at a terminal only when asked for",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Every check: one line each, what to do, and a sum; then every value of taste.

    Ends with 1 when a check fails; a warning is none.
    """
    from service.cli.doctor_checks import before_opening, inside
    from service.cli.doctor_line import Check, failed
    from service.cli.paper_commands import read_email
    from service.defaults import fixed_table, table

    if to:
        read_email(to, "--to")

    checks: list[Check] = []
    in_force: list[dict[str, Any]] = []
    try:
        chosen = opening.settings()
    except SettingError as error:
        checks.append(failed("settings", error))
    else:
        checks += before_opening(chosen)
        if all(check.level != "fail" for check in checks):
            try:
                with opening.house(chosen) as made:
                    checks += inside(made, to, records)
                    in_force = table(made.runtime.defaults()) + fixed_table()
            except PaperpostError as error:
                checks.append(failed("opening", error))
    if as_json:
        printing.as_json([check.row() for check in checks])
    else:
        _tell(checks)
        if in_force and (values if values is not None else not sys.stdout.isatty()):
            typer.echo("\nValues in force (paperpost settings set NAME VALUE):")
            printing.table(in_force, ["name", "value", "default", "about"], "")
    sys.exit(1 if any(check.level == "fail" for check in checks) else 0)


def _tell(checks: list[Any]) -> None:
    width = max(len(check.name) for check in checks)
    for check in checks:
        typer.echo(f"{check.level:<4}  {check.name:<{width}}  {check.says}")
        if check.next_step:
            typer.echo(f"{'':<4}  {'':<{width}}  -> {check.next_step}")
    count = Counter(check.level for check in checks)
    typer.echo(", ".join(f"{count[level]} {level}" for level in ("ok", "warn", "fail")) + ".")


def run(host: Host = "", port: Port = None) -> None:
    """Everything in one process. Without a set-up of your own: the demo's data."""
    _serve(host, port, with_work=True)


def web(host: Host = "", port: Port = None) -> None:
    """The pages alone; mails and polls are done by `paperpost scheduler` on the same database."""
    _serve(host, port, with_work=False)


def _serve(host: str, port: int | None, *, with_work: bool) -> None:
    from service.cli import serving, ways

    is_demo = opening.is_bare()
    given: dict[str, Any] = {"host": host} if host else {}
    if port is not None:
        given["port"] = port
    if is_demo:
        given["data_dir"] = opening.DEMO_DIR
    chosen = opening.settings(**given)
    serving.check_engine(chosen)
    sock = serving.listen(chosen.host, chosen.port)
    try:
        if chosen.is_loopback and "base_url" not in chosen.model_fields_set:
            address = serving.address_of(sock)  # links in mails lead to where the pages are
            chosen = opening.settings(**given, base_url=address)
        told = serving.Told()
        with (
            ways.bound(chosen) if with_work else nullcontext() as lmtp,
            told.hearing(signal.SIGTERM),
            opening.house(chosen, quiet=False) as made,
        ):
            sock.listen(128)
            serving.greet(made, serving.address_of(sock), demo=is_demo)
            banner = serving.DEMO_BANNER if is_demo else ""
            serving.serve(made, sock, told, with_work=with_work, lmtp=lmtp, banner=banner)
    finally:
        sock.close()


def scheduler() -> None:
    """The clock and the work alone, without pages; on the same database as `paperpost web`."""
    from service.cli import serving

    chosen = opening.settings()
    serving.check_engine(chosen)
    told = serving.Told()
    with told.hearing(signal.SIGTERM), opening.house(chosen, quiet=False) as made:
        made.runtime.renderer.check()
        typer.echo("The clock is running (Ctrl-C ends it).")
        asyncio.run(serving.work_until_told(made, told))


def worker(
    queues: Annotated[str, typer.Option(help="fetch,match,send,bounces")] = "",
) -> None:
    """Workers of a distributed installation (PostgreSQL); not in this version."""
    del queues
    raise SettingError(
        "This version has no workers: the engine is embedded, one process does the work.",
        "PAPERPOST_ENGINE",
        "Use paperpost run; or paperpost web and paperpost scheduler, apart, on one database.",
    )


def demo(
    live: Annotated[bool, typer.Option("--live", help="The newest day of Hugging Face")] = False,
    keep: Annotated[Path, typer.Option(help="Folder for the demo's data")] = opening.DEMO_DIR,
) -> None:
    """The whole story on a bundled day: papers, matching, mails, a real SMTP conversation."""
    from service.demo import run_demo

    sys.exit(0 if run_demo(keep, live=live) else 1)
