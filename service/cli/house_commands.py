"""The house itself: setup, migrate, doctor, tidy, run, web, scheduler, demo, settings, admin."""

import asyncio
import signal
import sys
from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from shlex import quote
from typing import Annotated, Any

import typer

from service.cli import opening, printing
from service.errors import PaperpostError, SettingError

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Host = Annotated[str, typer.Option("--host", help="Address to listen on (default: the setting)")]
Port = Annotated[int | None, typer.Option("--port", min=0, max=65535, help="0 = any free one")]

settings_app = typer.Typer(help="Values of taste: hours, caps, days.", no_args_is_help=True)
admin_app = typer.Typer(help="Accounts of staff.", no_args_is_help=True)


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
    app.add_typer(settings_app, name="settings")
    app.add_typer(admin_app, name="admin")


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
    as_json: Json = False,
) -> None:
    """Every value of taste, then every check: one line each, what to do, and a sum.

    Ends with 1 when a check fails; a warning is none.
    """
    from service.cli.doctor_checks import before_opening, inside
    from service.cli.doctor_line import Check, failed
    from service.cli.paper_commands import read_email
    from service.defaults import fixed_table, table

    if to:
        read_email(to, "--to")

    checks: list[Check] = []
    values: list[dict[str, Any]] = []
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
                    values = table(made.runtime.defaults()) + fixed_table()
            except PaperpostError as error:
                checks.append(failed("opening", error))
    if as_json:
        printing.as_json([check.row() for check in checks])
    else:
        _tell(checks, values)
    sys.exit(1 if any(check.level == "fail" for check in checks) else 0)


def _tell(checks: list[Any], values: list[dict[str, Any]]) -> None:
    if values:
        typer.echo("Values in force (paperpost settings set NAME VALUE):")
        printing.table(values, ["name", "value", "default", "about"], "")
        typer.echo("")
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


@settings_app.command("list")
def settings_list(
    as_json: Json = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="docs/settings.md")] = False,
) -> None:
    """Every value of taste, with its default, and every fixed rule."""
    from service.defaults import fixed_table, table

    if markdown:
        from service.cli import settings_page

        typer.echo(settings_page.markdown(), nl=False)
        return
    with opening.runtime() as rt:
        rows = table(rt.defaults()) + fixed_table()
    if as_json:
        printing.as_json(rows)
    else:
        printing.table(rows, ["name", "value", "default", "about"], "")


@settings_app.command("set")
def settings_set(
    name: str,
    value: Annotated[str, typer.Argument(help="The new value; 'default' takes it back")],
    as_json: Json = False,
) -> None:
    """Change one value of taste; it counts from now on."""
    from service.defaults import Defaults, parse, table
    from service.flows.staff import audit
    from service.store.db import Priority
    from service.store.instance import set_setting

    is_default = value.strip().lower() == "default"
    with printing.argument("value" if hasattr(Defaults(), name) else "name"):
        checked = parse(name, value if not is_default else str(getattr(Defaults(), name, "")))
    with opening.runtime() as rt:
        stored = None if is_default else str(checked)
        before = {"value": getattr(rt.defaults(), name)}
        rt.db.write(lambda s: set_setting(s, name, stored), Priority.WEB)
        audit(rt, "cli", "setting", name, before, {"value": stored})
        row = next(row for row in table(rt.defaults()) if row["name"] == name)
    if as_json:
        printing.as_json(row)
    else:
        typer.echo(f"{name} = {row['value']}")


@admin_app.command("create")
def admin_create(
    name: str,
    role: Annotated[str, typer.Option(help="viewer, editor, sender or owner")],
    as_json: Json = False,
) -> None:
    """Make an account; prints a link, good once within 24 hours, where a password is chosen."""
    from service.flows.staff import ROLES, create_admin, read_name

    with printing.argument("name"):
        read_name(name)
    printing.one_of(role, ROLES, "--role")
    with opening.runtime() as rt:
        link = create_admin(rt, name, role, "cli")
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
