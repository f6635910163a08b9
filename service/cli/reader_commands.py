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
    from service.flows.reader_lists import Chosen
    from service.flows.runtime import Runtime

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

    address = read_email(email)
    with runtime() as rt:
        reader_id = flow(rt, address.key, by="cli")
        sent = send_now(rt).accepted
    facts = {"id": reader_id, "email": email, "confirmations": sent}
    said = f"The confirmation was mailed to {email} once more."
    if not sent:
        said = f"The confirmation for {email} waits: paperpost deliveries list"
    printing.told(facts, said, wants_json=as_json)


@subscribers_app.command("list")
def list_(
    state: Annotated[str, typer.Option(help="pending, active, left, bounced")] = "",
    search: Annotated[str, typer.Option(help="A part of address, name or words; or a tag")] = "",
    tag: Annotated[str, typer.Option(help="With this tag")] = "",
    segment: Annotated[str, typer.Option(help="As sends have it: words:LoRA, tag:staff, ...")] = "",
    paused: Annotated[bool, typer.Option("--paused", help="Who is paused")] = False,
    resting: Annotated[bool, typer.Option("--resting", help="Whose mail came back")] = False,
    as_json: Json = False,
) -> None:
    """Every reader, pending ones too; or those that are chosen."""
    from service.flows.reader_lists import list_facts
    from service.subscribers.model import SubscriberState

    if state:
        printing.one_of(state, [s.value for s in SubscriberState], "--state")
    with runtime() as rt:
        chosen = read_filter(rt, state, search, tag, segment, paused, resting)
        if as_json:
            printing.as_json_rows(list_facts(rt, chosen))
            return
        rows = [
            {**r, "words": "; ".join(i["text"] or "trending" for i in r["interests"])}
            for r in list_facts(rt, chosen)
        ]
    columns = ["email", "state", "words", "tags", "hour", "zone"]
    none = "No reader yet. paperpost subscribers import LIST.csv"
    printing.table(rows, columns, none if chosen.is_all else "Nobody fits.")


def read_filter(
    rt: "Runtime", state: str = "", search: str = "", tag: str = "", segment: str = "",
    paused: bool = False, resting: bool = False,
) -> "Chosen":  # fmt: skip
    """What options of a command choose readers by; what cannot be read is misuse (exit 2)."""
    from service.flows import ledger
    from service.flows.reader_lists import read_chosen

    typed = {
        "q": search, "tag": tag, "segment": segment, "state": state,
        "paused": "1" if paused else "", "resting": "1" if resting else "",
    }  # fmt: skip
    dead = tuple(ledger.gone_owners(rt)) if "held" in segment else ()
    with printing.argument("--segment" if segment else "--tag"):
        return read_chosen(rt, typed, dead=dead)


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
        if value not in (None, ""):
            typer.echo(f"{key}: {value}")
    if found["tags"]:
        typer.echo(f"tags: {', '.join(found['tags'])}")
    for one in found["lists"]:
        typer.echo(f"came by a list: {one['at']:.16} UTC ({one['form']}, by {one['by']})")
    printing.table(found["interests"], ["name", "kind", "text", "cadence", "since"], "No interest.")
    printing.table(
        found["consent"], ["at", "how", "line", "wording", "address"], "No consent record."
    )
    printing.table(found["mails"], ["kind", "state", "reason", "planned_at"], "No mail yet.")
    if waiting := found["papers_waiting"]:
        typer.echo(f"\nWait for the next mail: {', '.join(waiting)}")
    if marks := found["feedback"]:
        typer.echo("\nMore or less like this:")
        printing.table(marks, ["at", "paper", "more"], "")
    if reports := found["reports"]:
        typer.echo("\nWhat came back:")
        printing.table(reports, ["at", "kind", "reason", "words", "followed"], "")
    if bar := found["suppression"]:
        typer.echo(
            f"\nBarred since {bar['since']:.16} UTC ({bar['reason']}). {bar['detail']}".rstrip()
        )


@subscribers_app.command("export")
def export_(
    email: Annotated[str, typer.Argument(help="One reader; without it all of them")] = "",
    state: Annotated[str, typer.Option(help="Only these: active, pending, bounced, left")] = "",
    tag: Annotated[str, typer.Option(help="Only those with this tag")] = "",
    segment: Annotated[str, typer.Option(help="Only these, as sends have it")] = "",
    as_json: Json = False,
) -> None:
    """Everything stored about one reader, as JSON; without an address all readers, or those that
    are chosen, as a CSV that an import reads. It is recorded."""
    from service.flows import reader_lists
    from service.flows.exports import note_export
    from service.flows.own_data import export_reader

    if not email:
        with runtime() as rt:
            chosen = read_filter(rt, state, "", tag, segment)
            for part in reader_lists.export(rt, chosen, "json" if as_json else "csv", by="cli"):
                typer.echo(part, nl=False)
        return
    address = read_email(email)
    with runtime() as rt:
        found = export_reader(rt, address.key)
        if found is None:
            raise PaperpostError(f"There is no reader {email}.", "", "paperpost subscribers list")
        note_export(
            rt, "readers", 1, which=f"reader {found['subscriber']['id']}", form="json", by="cli"
        )
    printing.as_json(found)


@subscribers_app.command("erase")
def erase(
    email: str,
    reason: Annotated[str, typer.Option(help="Kept in the record of acts; name nobody")] = "",
    as_json: Json = False,
) -> None:
    """Forget one reader at once; a keyed hash stays, so that no import brings them back."""
    from service.flows.leave import erase as flow

    address = read_email(email)
    with runtime() as rt:
        if not flow(rt, address.key, by="cli", reason=reason):
            raise PaperpostError(f"There is no reader {email}.", "", "paperpost subscribers list")
    facts = {"email": email, "erased": True}
    printing.told(facts, f"{email} is erased.", wants_json=as_json)


Why = Annotated[str, typer.Option("--why", help="In words; kept with the bar and on record")]


@suppressions_app.command("add")
def suppress(email: str, reason: str = "admin", why: Why = "", as_json: Json = False) -> None:
    """Never mail an address again."""
    from service.flows.suppress import suppress as flow

    address = read_email(email)
    with runtime() as rt:
        new = flow(rt, address, reason=reason, by="cli", why=why)
    printing.told(
        {"email": email, "added": new},
        f"{email} is suppressed." if new else f"{email} was suppressed already.",
        wants_json=as_json,
    )


@suppressions_app.command("import")
def suppress_many(file: Path, reason: str = "import", why: Why = "", as_json: Json = False) -> None:
    """Bar every address of a list (one per line, or a CSV with a column email).

    With the reason "import" its owner can still ask by the sign-up form, and the confirmation lifts
    the bar; a reason of your own stops that too.

    Ends with 1 when a row is no address; the others are barred.
    """
    from service.flows.suppress import import_suppressions

    data = read_file(file)
    with runtime() as rt:
        report = import_suppressions(rt, data, reason=reason, by="cli", why=why)
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
def suppressions(
    reason: Annotated[str, typer.Option(help="Of this reason: left, hard, admin, ...")] = "",
    email: Annotated[str, typer.Option(help="Of this address")] = "",
    words: Annotated[str, typer.Option(help="In who brought it, or why")] = "",
    as_json: Json = False,
) -> None:
    """Every bar (hashes: the addresses themselves are not kept), with who or what brought it, and
    why."""
    from service.flows.suppress import bar_facts, hash_of
    from service.store.suppressions import BarsWanted, list_bars

    address = read_email(email).email if email else ""
    with runtime() as rt:
        wanted = BarsWanted(reason, hash_of(rt, address) if address else "", words)
        found = rt.db.read(lambda s: list_bars(s, wanted))
        rows = [{"hash": row.email_hash, **bar_facts(row)} for row in found]
    if as_json:
        printing.as_json(rows)
    else:
        columns = ["hash", "reason", "since", "by", "why"]
        printing.table(
            rows, columns, "None of these." if words or reason or email else "Nobody is suppressed."
        )


@suppressions_app.command("remove")
def unsuppress(email: str, why: Why = "", as_json: Json = False) -> None:
    """Lift a bar, when the person asks for mail again."""
    from service.flows.suppress import has_left
    from service.flows.suppress import unsuppress as flow

    address = read_email(email)
    with runtime() as rt:
        if not flow(rt, address, by="cli", why=why):
            raise PaperpostError(f"{email} is not suppressed.", "", "paperpost suppressions list")
        left = has_left(rt, address)
    facts = {"email": email, "removed": True}
    says = f"{email} may be mailed again."
    if left:
        says = f"The bar on {email} is lifted. Its reader had left, and comes back by asking again."
    printing.told(facts, says, wants_json=as_json)
