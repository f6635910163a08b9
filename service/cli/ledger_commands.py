"""The ledger: is this database the one that sent last, and what became of a held mail."""

from typing import Annotated

import typer

from service.cli import printing
from service.cli.edition_commands import deliveries_app
from service.cli.opening import runtime
from service.cli.paper_commands import Json

instance_app = typer.Typer(
    help="Whether mail may be sent from this database.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    """Hang this part's commands into the program."""
    app.add_typer(instance_app, name="instance")


@instance_app.command("show")
def instance_show(as_json: Json = False) -> None:
    """Whether mail is sent from here, and what to answer when it is not."""
    from service.flows.epoch import standing

    with runtime() as rt:
        found = standing(rt).as_dict()
    if as_json:
        printing.as_json(found)
        return
    if not found["held"]:
        typer.echo(f"Mail is sent from this database (start {found['epoch']} of sending).")
        return
    typer.echo(f"{found['words']} Nothing is sent before you say which it is:")
    for answer, means in found["answers"].items():
        typer.echo(f"  paperpost instance go-on --as {answer:9} {means}")


@instance_app.command("go-on")
def instance_go_on(
    answer: Annotated[str, typer.Option("--as", help="only, restored or copy")],
    as_json: Json = False,
) -> None:
    """Say which database this is, and send from it again.

    only: nothing was sent from elsewhere since. restored: a backup; what waited in it is held.
    copy: another one goes on; this one gets an identity of its own.
    """
    from service.flows.epoch import ANSWERS, go_on

    printing.one_of(answer, ANSWERS, "--as")
    with runtime() as rt:
        made = go_on(rt, answer, by="cli")
    told = [
        f"{printing.tally(made[name], noun)} {words}"
        for name, noun, words in (
            ("in_doubt", "mail", "held"),
            ("skipped", "mail", "not composed any more"),
            ("cancelled", "mail", "cancelled"),
            ("moved", "reader", "next at their coming hour"),
        )
        if made[name]
    ]
    says = f"Mail is sent from here again{': ' + ', '.join(told) if told else ''}."
    printing.told(made, says, wants_json=as_json)


@deliveries_app.command("resolve")
def deliveries_resolve(
    delivery_id: int,
    answer: Annotated[str, typer.Option("--as", help="accepted, presumed or ready")],
    as_json: Json = False,
) -> None:
    """Say what became of a held mail: it came (accepted), nobody will know (presumed), or it did
    not come and is sent again (ready)."""
    from service.flows.reconcile import ANSWERS, resolve

    printing.one_of(answer, list(ANSWERS), "--as")
    with runtime() as rt:
        made = resolve(rt, delivery_id, answer, by="cli")
    says = f"Delivery {delivery_id} was {made['before']} and is {made['state']}."
    printing.told(made, says, wants_json=as_json)
