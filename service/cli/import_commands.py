"""Lists of readers: looked at, brought in, listed, undone."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.cli import printing
from service.cli.opening import runtime
from service.cli.paper_commands import Json
from service.cli.reader_commands import read_file, subscribers_app
from service.cli.tag_commands import Reason
from service.errors import PaperpostError

if TYPE_CHECKING:
    from service.flows.imports import Told
    from service.flows.runtime import Runtime

imports_app = typer.Typer(help="Imported lists of readers.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Hang this part's commands into the program."""
    app.add_typer(imports_app, name="imports")


@subscribers_app.command("import")
def import_(
    files: Annotated[list[Path], typer.Argument(help="CSV files, - for standard input")],
    problems: Annotated[Path, typer.Option(help="The file for bad rows")] = Path("problems.csv"),
    basis: Annotated[str, typer.Option(help="elsewhere, institution or confirm")] = "",
    basis_words: Annotated[str, typer.Option(help="When and where they confirmed")] = "",
    tags: Annotated[str, typer.Option(help="On every reader of the list, with commas")] = "",
    keywords: Annotated[str, typer.Option(help="Interests of rows without one")] = "",
    language: Annotated[str, typer.Option(help="Of rows without one, like de")] = "",
    tz: Annotated[str, typer.Option(help="IANA zone of rows without one")] = "",
    hour: Annotated[str, typer.Option(help="Of rows without one, 0 to 23")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen")] = False,
    as_json: Json = False,
) -> None:
    """Import readers; bad rows come back in a file, the others go in.

    Exports of listmonk, Mailchimp (all its files at once) and Ghost are known by their columns, and
    need --basis: elsewhere (they confirmed there; --basis-words says when and where), institution
    (they are members of ours) or confirm (each is mailed a confirmation). Who left or bounced in
    one of the files is suppressed before anybody goes in. It is kept with each reader's consent.

    Else the columns are email, then profile or keywords (neither: trending), and if you like
    confirmed, name, tz, hour, cadence, people, weekdays, paused_until, language, abstracts,
    weekly_day, interest_name, on_time, cap, threshold, own, late_news, at_least, tell_anyway,
    format, also_trending, picks, quiet, feed, interest_paused, tags; of another name only id, no,
    nr, note, comment, file and row, which are left unread. Several rows of an address are several
    interests. A row whose state is left or bounced stays out.

    Ends with 0 when no row has a problem. Else it ends with 1, the rows with a problem are in
    problems.csv of this folder (or --problems FILE) with a column problem: correct them there and
    import that file.
    """
    import io

    from service.cli.sending import send_now
    from service.flows import imported, imports
    from service.flows.list_files import Table, read_options
    from service.flows.list_forms import PLAIN
    from service.flows.list_packs import pack_all

    said = {"tags": tags, "keywords": keywords, "language": language, "zone": tz, "hour": hour}
    for name, value in said.items():
        with printing.argument("--tz" if name == "zone" else f"--{name}"):
            read_options({name: value})
    lists = [one for file in files for one in pack_all(str(file), io.BytesIO(read_file(file)))]
    with runtime() as rt:
        is_foreign = any(Table(one).form.name != PLAIN for one in lists)
        with printing.argument("--basis"):
            chosen = imports.read_basis(basis, basis_words, needed=is_foreign or bool(basis))
        options = read_options(said)
        with _bar("Looking at it", as_json) as told:
            if dry_run:
                report, parts = imports.dry_run(rt, lists, options, chosen, on_rows=told)
                bad = [imported.part_of(body) for body in parts]
            else:
                number = imports.look(
                    rt, lists, options, chosen, by="cli", on_rows=told, at_once=True
                )
        if not dry_run:
            imports.press(rt, number, by="cli")
            report, bad = _brought_in(rt, number, as_json)
            send_now(rt)
        columns = [*report["columns"], "problem"]
    rows = [row for part, _ in bad for row in part]
    unwritten = _write(problems, columns, [text for _, text in bad]) if rows else None
    if as_json:
        _as_json(report, rows, problems if rows and not unwritten else None)
    else:
        _tell(report, rows, problems, dry_run)
    if unwritten is not None:
        raise unwritten
    if rows:
        raise typer.Exit(1)


def _brought_in(rt: "Runtime", number: int, is_quiet: bool) -> tuple[dict[str, Any], list[Any]]:
    """Bring in what was pressed: (what it did, its rows with a problem)."""
    from service.flows import imported, imports

    with _bar("Bringing it in", is_quiet) as told:
        imports.bring_in(rt, number, on_rows=told)
    done = imported.get_import(rt, number)
    return done["look"] | done["done"], list(imported.problem_parts(rt, number))


@contextmanager
def _bar(words: str, is_quiet: bool) -> Iterator["Told | None"]:
    """How far it is, on a terminal alone."""
    import sys

    if is_quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(words, total=None)
        yield lambda rows, of: bar.update(task, completed=rows, total=of)


def _write(file: Path, columns: list[str], texts: list[str]) -> PaperpostError | None:
    """Write the bad rows for a spreadsheet; the others are in, so a fault is told last."""
    from service.flows.spreadsheet import to_csv

    try:
        text = "".join([to_csv([], columns), *texts])
        file.write_text(text, encoding="utf-8-sig", newline="")
    except OSError as error:
        return PaperpostError(
            f"{file} cannot be written: {error.strerror}.", "", "Import again with --problems FILE."
        )
    return None


def _as_json(report: dict[str, Any], rows: list[tuple[int, str, str]], file: Path | None) -> None:
    unread = [name for one in report["files"] for name in one["unread"]]
    printing.as_json(
        {
            "rows": report["rows"],
            "added": report["added"],
            "readers": report["readers"],
            "unchanged": report["unchanged"],
            "kept_out": report["kept_out"],
            "problems": [{"row": n, "problem": p} for n, _, p in rows],
            "problems_file": str(file) if file is not None else None,
            "ignored": unread,
            "barred": report["barred"],
            "pending": report["pending"],
            "aside": report["aside"],
            "files": report["files"],
            "states": report["states"],
        }
    )


def _tell(
    report: dict[str, Any], rows: list[tuple[int, str, str]], problems: Path, dry_run: bool
) -> None:
    for number, email, problem in rows[:20]:
        who = "" if problem.startswith("'") else f"{email!r}: "
        typer.echo(f"Row {number}: {who}{problem}", err=True)
    for one in report["files"]:
        if one["mapped"]:
            typer.echo(f"{one['name']}: {one['form']}, {printing.tally(one['rows'], 'row')}")
            for column, becomes in one["mapped"]:
                typer.echo(f"  {column} -> {becomes}")
        if one["unread"]:
            typer.echo(f"Left unread: {', '.join(one['unread'])}", err=True)
    if before := report.get("before"):
        numbers = ", ".join(f"import {number}" for number in before)
        typer.echo(f"Of these files, one went in before: {numbers}.", err=True)
    for state, becomes, count in report["states"]:
        typer.echo(f"status {state} -> {becomes}: {count:,}")
    tail = f", {len(rows)} in {problems}" if rows else ""
    same = f", {report['unchanged']} were there" if report["unchanged"] else ""
    out = f", {report['kept_out']} kept out (left or bounced)" if report["kept_out"] else ""
    verb = "would be imported" if dry_run else "imported"
    typer.echo(f"{printing.tally(report['added'], 'row')} {verb}{same}{out}{tail}.")


@imports_app.command("list")
def list_imports(
    state: Annotated[str, typer.Option(help="tried, running, stopped, done, ...")] = "",
    as_json: Json = False,
) -> None:
    """Imports with what each did, newest first."""
    from service.flows.imported import list_imports as flow
    from service.store.imports import STATES

    if state:
        printing.one_of(state, STATES, "--state")
    with runtime() as rt:
        rows = rt.db.read(lambda s: flow(s, limit=100_000, state=state))
    if as_json:
        printing.as_json(rows)
        return
    told = [{**row, "readers": row["done"].get("readers", 0)} for row in rows]
    printing.table(told, ["id", "at", "state", "by", "rows", "readers", "files"], "No import yet.")


@imports_app.command("show")
def show(number: int, as_json: Json = False) -> None:
    """One import: how far it is, what it did, and what undoing would do."""
    from service.flows.imported import get_import

    with runtime() as rt:
        found = get_import(rt, number)
    if as_json:
        printing.as_json(found)
        return
    rows, of = found["done"].get("rows", 0), found["rows"]
    if found["state"] == "looking":
        rows, of = found["seen"]
    typer.echo(f"{', '.join(found['files'])}: {found['state']}, {rows:,} of {of:,} rows")
    for name in ("readers", "unchanged", "kept_out", "barred", "bad"):
        typer.echo(f"  {name}: {(found['done'] or found['look']).get(name, 0):,}")
    if found["undone"]:
        typer.echo(f"  undone: {found['undone']:,}")
    if found["fault"]:
        typer.echo(" ".join(part for part in found["fault"] if part), err=True)
    if found["state"] == "undoing":
        far = found["undo"]
        typer.echo(f"Being undone: {far['seen']:,} of {far['readers']:,} readers gone through.")
    elif found["here"]:
        typer.echo(
            f"Undoing would erase {printing.tally(found['unmailed'], 'reader')}; "
            f"{found['mailed']:,} had a mail and stay, {found['left']:,} left."
        )


@imports_app.command("stop")
def stop(number: int, as_json: Json = False) -> None:
    """End a look, of which nothing is kept, an import (who is in stays, and it can go on), or an
    undoing (who is erased stays so)."""
    from service.flows import imported, imports

    with runtime() as rt:
        state = imports.stop(rt, number, by="cli")
        can_go_on = bool(state) and imported.get_import(rt, number)["can_go_on"]
    said = "Stopped; paperpost imports resume goes on with it." if can_go_on else "Stopped."
    printing.told({"import": number, "state": state}, said, wants_json=as_json)


@imports_app.command("resume")
def resume(number: int, as_json: Json = False) -> None:
    """Bring in the rest of an import that was stopped, or what was looked at on the desk."""
    from service.cli.sending import send_now
    from service.flows import imports

    with runtime() as rt:
        imports.press(rt, number, by="cli")
        report, _ = _brought_in(rt, number, as_json)
        send_now(rt)
    facts = {"import": number, "readers": report.get("readers", 0), "bad": report.get("bad", 0)}
    said = f"{printing.tally(facts['readers'], 'reader')} in, {facts['bad']:,} rows with a problem."
    printing.told(facts, said, wants_json=as_json)


@imports_app.command("undo")
def undo(
    number: int,
    yes: Annotated[int, typer.Option(help="The number of readers that is expected")] = -1,
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Erase those whom an import brought and who were never mailed; without --yes only say how
    many that is. Broken off, it goes on by itself, or by the same command."""
    from service.flows import import_undo, imported

    with runtime() as rt:
        found = imported.get_import(rt, number)
        if yes < 0:
            facts = {"import": number, "unmailed": found["unmailed"]}
            said = f"{printing.tally(found['unmailed'], 'reader')} would be erased: --yes N"
            printing.told(facts, said, wants_json=as_json)
            return
        import_undo.press(rt, number, expected=yes, by="cli", reason=reason)
        with _bar("Undoing it", as_json) as told:
            import_undo.take_back(rt, number, on_readers=told)
        found = imported.get_import(rt, number)
    gone = found["undo"]["gone"]
    facts = {"import": number, "erased": gone, "state": found["state"]}
    said = f"{printing.tally(gone, 'reader')} erased."
    if found["state"] == "undoing":
        said = f"{said[:-1]} so far; it goes on in another process: paperpost imports show {number}"
    printing.told(facts, said, wants_json=as_json)
