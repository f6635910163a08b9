"""Values of taste: what they are, what another one would change, and changing them."""

from typing import Annotated

import typer

from service.cli import printing
from service.cli.opening import runtime
from service.cli.paper_commands import Json

settings_app = typer.Typer(help="Values of taste: hours, caps, days.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(metavar="NAME", help="Its name in settings list")]


def register(app: typer.Typer) -> None:
    """Hang this part's commands into the program."""
    app.add_typer(settings_app, name="settings")


@settings_app.command("list")
def settings_list(
    changed: Annotated[
        bool, typer.Option("--changed", help="Only those that are not at their default")
    ] = False,
    as_json: Json = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="docs/settings.md")] = False,
) -> None:
    """Every value of taste by sense, with its default, and every fixed rule."""
    from service.defaults import fixed_table
    from service.flows.settings_by_hand import groups, list_settings

    if markdown:
        from service.cli import settings_page

        typer.echo(settings_page.markdown(), nl=False)
        return
    with runtime() as rt:
        found = [one for one in list_settings(rt) if not (changed and one.is_default)]
    fixed = [] if changed else fixed_table()
    if as_json:
        printing.as_json([one.facts() for one in found] + fixed)
        return
    for title, rows in groups(found).items():
        typer.echo(f"{title}:")
        printing.table([one.facts() for one in rows], ["name", "value", "default", "about"], "")
        typer.echo("")
    if fixed:
        typer.echo("Fixed:")
        printing.table(fixed, ["name", "value", "about"], "")
    elif not found:
        typer.echo("Every value is at its default.")


@settings_app.command("show")
def settings_show(name: Name, as_json: Json = False) -> None:
    """One value: what it may be, what it changes here, and who changed it."""
    from service.flows.acts import facts
    from service.flows.setting_effects import effect
    from service.flows.settings_by_hand import find_setting, history

    _known(name)
    with runtime() as rt:
        row = find_setting(rt, name)
        told, past = effect(rt, name, row.value), [facts(one) for one in history(rt, name)]
    if as_json:
        printing.as_json(row.facts() | {"effect": told, "history": past})
        return
    typer.echo(f"{name} = {row.value}  (default {row.default}; {row.allowed})")
    typer.echo(printing.sentence(row.about[:1].upper() + row.about[1:]))
    for choice in row.choices:
        typer.echo(f"  {choice.value:<8}{choice.means}")
    if told:
        typer.echo(told)
    for one in past:
        was, now = (one["before"] or {}).get("value"), (one["after"] or {}).get("value")
        why = f"  {one['reason']}" if one["reason"] else ""
        typer.echo(f"  {one['at'].isoformat()}  {one['who']}: {was} -> {now}{why}")


@settings_app.command("machine")
def settings_machine(as_json: Json = False) -> None:
    """What belongs to this machine (PAPERPOST_...), secrets masked, and where each is from."""
    from service.cli.opening import settings
    from service.settings.told import told

    rows = told(settings())
    if as_json:
        printing.as_json(rows)
    else:
        printing.table(rows, ["name", "value", "source", "about"], "")


@settings_app.command("set")
def settings_set(
    name: Name,
    value: Annotated[str, typer.Argument(help="The new value; 'default' takes it back")],
    reason: Annotated[str, typer.Option("--reason", help="Why, for the record of acts")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what it would change; store nothing")
    ] = False,
    as_json: Json = False,
) -> None:
    """Change one value of taste; it counts from now on."""
    from service.defaults import parse
    from service.flows import settings_by_hand as flow

    _known(name)
    if value.strip().lower() != "default":
        with printing.argument("value"):
            parse(name, value)
    with runtime() as rt:
        if dry_run:
            made = flow.look(rt, name, value)
        else:
            made = flow.change(rt, name, value, "cli", reason=reason)
        facts = made.facts() if dry_run else flow.find_setting(rt, name).facts()
    if as_json:
        printing.as_json(facts)
        return
    if not dry_run:
        typer.echo(f"{name} = {made.after}")
        return
    typer.echo(f"{name}: {made.before} -> {made.after}")
    for label, told in (("now", made.effect_before), ("then", made.effect)):
        if told:
            typer.echo(f"  {label}: {told}")


def _known(name: str) -> None:
    """A name that is none, or of a fixed rule, is misuse (exit 2)."""
    from service.defaults import Defaults, parse

    if not hasattr(Defaults(), name) or name.startswith("_"):
        with printing.argument("name"):
            parse(name, "")
