"""Who got what: deliveries by what became of them, one with every try, groups by meaning."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.cli import printing
from service.cli.edition_commands import deliveries_app
from service.cli.opening import runtime
from service.cli.paper_commands import Json, day
from service.cli.resending import ask, confirmed

if TYPE_CHECKING:
    from service.flows.runtime import Runtime
    from service.store.delivery_lists import Chosen

Edition = Annotated[int | None, typer.Option(help="Only this edition")]
Meaning = Annotated[
    str, typer.Option(help="What the refusal was about: person, full, policy, content, relay, ...")
]
Domain = Annotated[str, typer.Option(help="Only this receiving domain")]
First = Annotated[
    datetime | None,
    typer.Option("--since", formats=["%Y-%m-%d"], help="Planned on this date or later"),
]
Last = Annotated[
    datetime | None,
    typer.Option("--until", formats=["%Y-%m-%d"], help="Planned on this date or before"),
]
OfState = Annotated[
    str, typer.Option("--state", help="A state, or held (nobody can say whether it came)")
]
Address = Annotated[str, typer.Option(help="A part of the address")]
Words = Annotated[str, typer.Option(help="A part of the server's words, or of the reason")]


def register(app: typer.Typer) -> None:
    """Its commands hang in the group of deliveries."""


def _typed(
    edition: int | None,
    state: str,
    meaning: str,
    domain: str,
    since: datetime | None = None,
    until: datetime | None = None,
    address: str = "",
    words: str = "",
) -> dict[str, Any]:
    """The filters of a list, as ``ledger.read_chosen`` takes them; a word that is none is
    misuse."""
    from service.delivery import meaning as meanings
    from service.delivery.states import State

    if state:
        printing.one_of(state, [*State, "held"], "--state")
    if meaning:
        printing.one_of(meaning, [*meanings.Meaning], "--meaning")
    return {
        "edition_id": edition, "state": state, "meaning": meaning, "domain": domain,
        "first": day(since), "last": day(until), "address": address, "words": words,
    }  # fmt: skip


def _chosen(rt: "Runtime", typed: dict[str, Any]) -> "Chosen":
    from service.flows.ledger import gone_owners, read_chosen

    dead = gone_owners(rt) if typed["state"] == "held" else []
    return read_chosen(zone=rt.zone, dead=dead, **typed)


@deliveries_app.command("list")
def deliveries_list(
    edition: Edition = None,
    state: OfState = "",
    meaning: Meaning = "",
    domain: Domain = "",
    since: First = None,
    until: Last = None,
    address: Address = "",
    words: Words = "",
    order: Annotated[
        str, typer.Option(help="oldest, newest, address, domain, state or tries")
    ] = "oldest",
    as_json: Json = False,
) -> None:
    """Deliveries with their state and the server's words."""
    from service.flows.delivery_export import parts
    from service.flows.ledger import list_facts
    from service.store.delivery_lists import ORDERS

    typed = _typed(edition, state, meaning, domain, since, until, address, words)
    printing.one_of(order, [*ORDERS], "--order")
    with runtime() as rt:
        chosen = _chosen(rt, typed)
        if as_json and order == "oldest":  # however many there are
            for part in parts(rt, chosen, "json"):
                typer.echo(part, nl=False)
            return
        rows = rt.db.read(lambda s: list_facts(s, chosen, order=order))
    if as_json:
        printing.as_json(rows)
    else:
        printing.table(
            rows,
            ["id", "edition", "email", "state", "meaning", "code", "reason", "attempts"],
            "No delivery yet." if chosen == type(chosen)() else "None.",
        )


@deliveries_app.command("export")
def deliveries_export(
    edition: Edition = None,
    state: OfState = "",
    meaning: Meaning = "",
    domain: Domain = "",
    since: First = None,
    until: Last = None,
    address: Address = "",
    words: Words = "",
    as_json: Json = False,
) -> None:
    """Deliveries as a table for a spreadsheet (CSV), the oldest first; no cell of it starts a
    formula. It is recorded."""
    from service.flows.delivery_export import export

    typed = _typed(edition, state, meaning, domain, since, until, address, words)
    with runtime() as rt:
        chosen = _chosen(rt, typed)
        for part in export(rt, chosen, "json" if as_json else "csv", by="cli"):
            typer.echo(part, nl=False)


@deliveries_app.command("resolve-held")
def deliveries_resolve_held(
    answer: Annotated[
        str,
        typer.Option(
            "--as",
            help="accepted (they came), presumed (nobody will know) or ready "
            "(they did not come, send them again)",
        ),
    ],
    edition: Edition = None,
    meaning: Meaning = "",
    domain: Domain = "",
    yes: Annotated[int | None, typer.Option("--yes", help="The number of mails expected")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count alone")] = False,
    as_json: Json = False,
) -> None:
    """Say what became of many held mails at once.

    Without --yes, or with another number than it would be: nothing is done, and it ends with 1.
    """
    from service.flows.resolving import count_held, read_answer, resolve_held

    with printing.argument("--as"):
        read_answer(answer)
    typed = _typed(edition, "", meaning, domain)
    with runtime() as rt:
        chosen = _chosen(rt, typed)
        if dry_run or yes is None:
            found = count_held(rt, chosen, answer)
            count = printing.tally(found.mails, "held mail")
            told = f"{count}; to say it of them: --yes {found.mails}"
            printing.told(found.as_dict(), told, wants_json=as_json)
            if not dry_run:
                raise typer.Exit(1)
            return
        made = resolve_held(rt, chosen, answer, by="cli", expected=yes)
    count = printing.tally(made["mails"], "mail")
    printing.told(made, f"Settled: {count} as {answer}.", wants_json=as_json)


@deliveries_app.command("show")
def deliveries_show(
    delivery_id: Annotated[
        int, typer.Argument(metavar="ID", min=1, max=2**53, help="Its number in deliveries list")
    ],
    as_json: Json = False,
) -> None:
    """One delivery: its way in words, every try with what the server said to it, what came back of
    it, and what happens to it next by itself."""
    from service.flows.ledger import delivery_story, gone_owners

    with runtime() as rt:
        dead = gone_owners(rt)
        found = rt.db.read(lambda s: delivery_story(rt, s, delivery_id, dead=dead))
    if as_json:
        printing.as_json(found)
        return
    tries, back, then = found.pop("tries"), found.pop("came_back"), found.pop("ahead")
    found.pop("steps")
    found["answers"] = ", ".join(found["answers"])
    for name, value in found.items():
        if value not in (None, ""):
            typer.echo(f"{name}: {value}")
    if then is not None:
        typer.echo(f"next: {then['words']}{' (' + then['at'] + ')' if then['at'] else ''}")
    printing.table(tries, ["n", "at", "phase", "code", "text"], "Not tried yet.")
    if back:
        typer.echo("Came back:")
        printing.table(back, ["inbound", "at", "kind", "reason", "status", "words", "said"], "")


@deliveries_app.command("groups")
def deliveries_groups(
    edition: Edition = None,
    state: OfState = "",
    meaning: Meaning = "",
    domain: Domain = "",
    since: First = None,
    until: Last = None,
    address: Address = "",
    words: Words = "",
    as_json: Json = False,
) -> None:
    """What was refused, put off or left without an answer, by what it means: how many, what the
    servers said, examples, and whether sending again makes sense."""
    from service.cli.ledger_words import group_lines
    from service.flows.editions import list_groups

    typed = _typed(edition, state, meaning, domain, since, until, address, words)
    with runtime() as rt:
        chosen = _chosen(rt, typed)
        found = [group.as_dict() for group in rt.db.read(lambda s: list_groups(s, chosen))]
    if as_json:
        printing.as_json(found)
        return
    if not found:
        typer.echo("Nothing was refused, put off or left without an answer.")
    for line in group_lines(found):
        typer.echo(line)


@deliveries_app.command("resend")
def deliveries_resend(
    edition: Annotated[int, typer.Option(help="Of this edition")],
    meaning: Meaning = "",
    domain: Domain = "",
    only: Annotated[list[int] | None, typer.Option("--id", help="Only these; may be repeated")] = (
        None
    ),
    key: Annotated[str, typer.Option(help="The same key twice is one act")] = "",
    yes: Annotated[int | None, typer.Option("--yes", help="The number of mails expected")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count alone")] = False,
    as_json: Json = False,
) -> None:
    """Send a group of refused mails again, as an edition of its own. Nobody gets a mail twice by
    it, and who is not to be mailed is left out.

    Without --yes, or with another number than it would be: nothing is sent, and it ends with 1.
    """
    wanted = ask(edition, meaning=meaning, domain=domain, ids=only or (), key=key)
    confirmed(wanted, yes, dry_run=dry_run, as_json=as_json)
