"""What came back: reports, one mail that came in, what waits for a look, rates, samples."""

import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.cli import printing
from service.cli.opening import runtime
from service.cli.paper_commands import Json, day

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.flows.bounces import Filter
    from service.flows.runtime import Runtime

bounces_app = typer.Typer(help="Mails that came back, and what followed.", no_args_is_help=True)

Number = Annotated[
    int,
    typer.Argument(metavar="ID", min=1, max=2**63 - 1, help="Number of a mail that came in"),
]
KINDS = "hard, soft, policy, content, complaint, optout, auto or none"
OfKind = Annotated[str, typer.Option("--kind", help=KINDS)]
Reason = Annotated[str, typer.Option(help="Like no_such_user or mailbox_full")]
Domain = Annotated[str, typer.Option(help="Only this receiving domain")]
OfState = Annotated[str, typer.Option("--state", help="Of its mail: done, review or foreign")]
Address = Annotated[str, typer.Option(help="A part of the address")]
First = Annotated[
    datetime | None,
    typer.Option("--since", formats=["%Y-%m-%d"], help="Came in on this date or later"),
]
Last = Annotated[
    datetime | None,
    typer.Option("--until", formats=["%Y-%m-%d"], help="Came in on this date or before"),
]
MOST_LINES = 1000
"""Reports that are printed for people."""

COLUMNS = ["inbound", "at", "recipient", "kind", "reason", "status", "words", "said"]


def register(app: typer.Typer) -> None:
    """Hang this part's commands into the program."""
    app.add_typer(bounces_app, name="bounces")


def _typed(
    kind: str,
    reason: str,
    domain: str,
    state: str,
    address: str,
    since: datetime | None,
    until: datetime | None,
) -> dict[str, Any]:
    """The filters of a command, for ``_filter``; a word that there is not is misuse."""
    from service.flows.bounce_words import STATES
    from service.reports.model import Kind
    from service.reports.vocabulary import REASONS

    if kind:
        printing.one_of(kind, [*Kind], "--kind")
    if state:
        printing.one_of(state, [*STATES], "--state")
    if reason:
        printing.one_of(reason, [*REASONS], "--reason")
    return {
        "kind": kind, "reason": reason, "domain": domain, "state": state, "address": address,
        "first": day(since), "last": day(until),
    }  # fmt: skip


def _filter(rt: "Runtime", typed: dict[str, Any]) -> "Filter":
    from service.flows.bounce_lists import read_filter

    return read_filter(zone=rt.zone, **typed)


@bounces_app.command("list")
def bounces_list(
    kind: OfKind = "",
    reason: Reason = "",
    domain: Domain = "",
    state: OfState = "",
    address: Address = "",
    since: First = None,
    until: Last = None,
    as_json: Json = False,
) -> None:
    """Reports, newest first: for whom, what they say and what followed."""
    from service.flows.bounce_lists import parts
    from service.flows.bounces import list_reports

    typed = _typed(kind, reason, domain, state, address, since, until)
    with runtime() as rt:
        chosen = _filter(rt, typed)
        if as_json:
            for part in parts(rt, chosen, "json"):
                typer.echo(part, nl=False)
            return
        rows = rt.db.read(lambda s: list_reports(s, chosen, limit=MOST_LINES + 1))
    more = len(rows) > MOST_LINES
    printing.table(
        rows[:MOST_LINES],
        COLUMNS,
        "Nothing came back yet." if chosen == type(chosen)() else "None.",
    )
    if more:
        typer.echo(f"These are the newest {MOST_LINES:,}; bounces export writes all of them.")


@bounces_app.command("show")
def bounces_show(
    inbound_id: Number,
    raw: Annotated[bool, typer.Option("--raw", help="The mail itself, byte by byte")] = False,
    as_json: Json = False,
) -> None:
    """One mail that came in: what we understood, whose it is, what followed."""
    from service.flows.bounces import BounceError, get_inbound

    with runtime() as rt:
        found = rt.db.read(lambda s: get_inbound(s, inbound_id))
    data = found.pop("raw")
    if raw:
        if data is None:
            raise BounceError("The mail itself is not kept any more.", f"mail {inbound_id}")
        sys.stdout.buffer.write(data)
        return
    if as_json:
        printing.as_json({**found, "is_kept": data is not None})
        return
    reports = found.pop("reports")
    for name, value in found.items():
        if value not in (None, "", []):
            typer.echo(f"{name}: {', '.join(value) if isinstance(value, list) else value}")
    for one in reports:
        typer.echo()
        for line in _report_lines(one):
            typer.echo(line)
    if data is not None:
        typer.echo(f"the mail itself: paperpost bounces show {inbound_id} --raw")
    if found["state"] == "review":
        typer.echo(f"decide with: paperpost bounces decide {inbound_id} KIND")


def _report_lines(one: dict[str, Any]) -> "Iterator[str]":
    """One report: what it says, whose it is, what followed."""

    from service.flows.consequence import ENDS

    status = " ".join(str(x) for x in (one["code"] or "", one["status"]) if x)
    yield f"{one['kind']}: {one['reason'].replace('_', ' ')} {status}".rstrip()
    yield f"  for: {one['recipient'] or 'no address named'}"
    if one["words"]:
        yield f"  words: {one['words']}"
    if one["delivery"]:
        yield f"  about: paperpost deliveries show {one['delivery']}"
    yield f"  what followed: {ENDS.get(one['said'], one['said'])}"


@bounces_app.command("review")
def bounces_review(as_json: Json = False) -> None:
    """Mails that wait for a person's look, the oldest first."""
    from service.flows.bounces import list_review

    with runtime() as rt:
        found = rt.db.read(lambda s: list_review(s, limit=None, offset=0))
    if as_json:
        printing.as_json(found)
        return
    printing.table(found, ["id", "at", "sender", "subject"], "Nothing waits for a look.")
    if found:
        typer.echo("Decide with: paperpost bounces decide ID KIND")


@bounces_app.command("decide")
def bounces_decide(
    inbound_id: Number,
    kind: Annotated[
        str,
        typer.Argument(
            metavar="KIND", help="hard, soft, policy, content, complaint, optout, auto or none"
        ),
    ],
    as_json: Json = False,
) -> None:
    """Say what a mail means: what follows from it is done, and it is kept as a sample by which the
    rules are tested."""
    from service.flows.bounces import decide
    from service.flows.consequence import ENDS
    from service.reports.model import Kind

    printing.one_of(kind, [*Kind], "KIND")
    with runtime() as rt:
        made = decide(rt, inbound_id, kind, by="cli")
    followed = "; ".join(ENDS.get(one["said"], one["said"]) for one in made["reports"])
    told = f"Decided: mail {inbound_id} is {kind}. What followed: {followed}."
    printing.told(made, told, wants_json=as_json)


@bounces_app.command("rates")
def bounces_rates(
    domain: Domain = "",
    since: First = None,
    days: Annotated[int, typer.Option(min=1, max=400, help="So many days until today")] = 30,
    as_json: Json = False,
) -> None:
    """What came back of what was handed over, by domain and by day, and what is above its
    limit (settings hard_percent, complaints_in_10000)."""
    from service.flows.bounce_lists import read_rates
    from service.subscribers.cadence import local_date

    first = day(since)
    with runtime() as rt:
        today = local_date(rt.clock(), rt.zone)
        found = read_rates(rt, first or today - timedelta(days=days - 1), today, domain=domain)
    if as_json:
        printing.as_json(found.as_dict())
        return
    columns = ["name", "accepted", "hard", "hard %", "complaints", "complaints %", "soft",
               "policy", "content", "above"]  # fmt: skip
    rows = [
        one.as_dict() | {f"{what} %": _share(one.percent(what)) for what in one.limits}
        for one in (*found.domains, *reversed(found.days))
        if one.is_told
    ]
    printing.table(rows, columns, "Nothing was handed over in this time.")


def _share(percent: float | None) -> str:
    return "-" if percent is None else f"{percent:.2f}"


@bounces_app.command("export")
def bounces_export(
    kind: OfKind = "",
    reason: Reason = "",
    domain: Domain = "",
    state: OfState = "",
    address: Address = "",
    since: First = None,
    until: Last = None,
    as_json: Json = False,
) -> None:
    """Reports as a table for a spreadsheet (CSV); no cell of it starts a formula. It is
    recorded."""
    from service.flows.bounce_lists import export

    typed = _typed(kind, reason, domain, state, address, since, until)
    with runtime() as rt:
        chosen = _filter(rt, typed)
        for part in export(rt, chosen, "json" if as_json else "csv", by="cli"):
            typer.echo(part, nl=False)


@bounces_app.command("samples")
def bounces_samples(
    folder: Annotated[Path, typer.Option("--export", help="Into this folder")],
    as_json: Json = False,
) -> None:
    """Write the mails whose meaning a person decided as .eml, and expected.jsonl with what was
    decided. They hold addresses of readers: keep them to yourself. It is recorded."""
    from service.flows.bounce_samples import export_samples

    with runtime() as rt:
        count = export_samples(rt, folder, by="cli")
    facts = {"folder": folder, "mails": count}
    printing.told(facts, f"{printing.tally(count, 'mail')} in {folder}", wants_json=as_json)


@bounces_app.command("check")
def bounces_check(
    folder: Annotated[
        Path | None, typer.Option("--samples", help="An exported folder, not the database")
    ] = None,
    as_json: Json = False,
) -> None:
    """Read all mails that a person decided once more, and say where the rules of today say
    otherwise; then it ends with 1."""
    from service.flows.bounce_samples import check_folder, check_samples

    with runtime() as rt:
        found = [*(check_folder(rt, folder) if folder else check_samples(rt))]
    others = [one for one in found if not one.agrees]
    if as_json:
        printing.as_json([one.as_dict() for one in found])
    else:
        for one in others:
            reads = ", ".join(f"{kind} ({reason})" for kind, reason in one.reads)
            typer.echo(f"{one.name}: decided {one.decided}, the rules say {reads}")
        typer.echo(
            f"{printing.tally(len(found), 'mail')} read again, "
            f"{len(others):,} read otherwise than decided."
        )
    if others:
        raise typer.Exit(1)
