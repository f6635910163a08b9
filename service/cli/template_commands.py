"""Templates of the operator's own: what is overridden, what is wrong with it, how it looks."""

import sys
from difflib import get_close_matches, unified_diff
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli import opening, printing
from service.errors import PaperpostError, SettingError

if TYPE_CHECKING:
    from service.delivery.override_folder import Fault
    from service.delivery.render import Renderer
    from service.delivery.template_trial import Examined

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Name = Annotated[str, typer.Argument(help="As `templates list` names it: confirm/body.txt")]

app = typer.Typer(help="Mails of your own making.", no_args_is_help=True)


def register(program: typer.Typer) -> None:
    """Hang this part's commands into the program."""
    program.add_typer(app, name="templates")


@app.command("list")
def list_templates(as_json: Json = False) -> None:
    """Every template: ours, or yours and whether ours has changed since yours was made from it."""
    from service.delivery.override_folder import names_of
    from service.resources import resource_dir

    ours = resource_dir("templates")
    own = {found.name: found for found in _examined().overrides}
    rows = [
        {
            "name": name,
            "state": own[name].state if name in own else "ours",
            "path": str(own[name].path if name in own else ours / "email" / name),
        }
        for name in sorted({*names_of(ours), *own})
    ]
    if as_json:
        printing.as_json(rows)
    else:
        printing.table(rows, ["name", "state"], "")


@app.command("check")
def check(
    folder: Annotated[Path | None, typer.Argument(help="Default: the setting's")] = None,
    as_json: Json = False,
) -> None:
    """Try a folder of templates as a start does, and tell all that is wrong; 1 if refused."""
    from service.delivery.override_folder import outgrown

    found = _examined(folder)
    faults = [*found.faults, *outgrown(found.overrides), *_slow(found, folder)]
    if as_json:
        printing.as_json(
            [
                {"state": f.level, "says": f.what, "where": f.where, "next": f.next_step}
                for f in faults
            ]
        )
    else:
        for fault in faults:
            lines = printing.lines(fault.error())
            typer.echo("\n".join([f"{fault.level}  {lines[0]}", *lines[1:]]))
        typer.echo(_sum(len(found.overrides), faults, folder))
    sys.exit(1 if any(fault.level == "fail" for fault in faults) else 0)


def _sum(count: int, faults: "list[Fault]", folder: Path | None) -> str:
    if folder is None and opening.settings().templates_dir is None:
        return "PAPERPOST_TEMPLATES_DIR is not set: every mail is made of our templates."
    counts = [sum(1 for f in faults if f.level == level) for level in ("fail", "warn")]
    files = printing.tally(count, "template")
    return f"{files} of your own: {counts[0]} refused, {printing.tally(counts[1], 'warning')}."


@app.command("copy")
def copy(
    names: Annotated[list[str], typer.Argument(help="As `templates list` names them")],
    as_json: Json = False,
) -> None:
    """Put a copy of our text into your folder, to be changed there; nothing is overwritten."""
    from service.delivery.override_folder import MAILS, origin
    from service.resources import product_version, resource_dir

    for name in names:
        _known(name)
    ours, folder = resource_dir("templates"), _folder()
    made = []
    for name in names:
        path = folder / MAILS / name
        if path.exists():
            raise PaperpostError(
                f"There is a {name} of yours already.", str(path), "Move it away first."
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        text = (ours / MAILS / name).read_text("utf-8")
        path.write_text(origin(name, ours, product_version()) + text, encoding="utf-8")
        made.append({"name": name, "path": str(path)})
    says = "\n".join(row["path"] for row in made)
    printing.told({"copied": made}, says, wants_json=as_json)


@app.command("diff")
def diff(name: Name, as_json: Json = False) -> None:
    """What your template says other than ours of today."""
    from service.delivery.override_folder import MAILS, without_origin
    from service.resources import resource_dir

    _known(name)
    ours = (resource_dir("templates") / MAILS / name).read_text("utf-8")
    yours = without_origin(_own(name).read_text("utf-8-sig"))
    before, after = ours.splitlines(keepends=True), yours.splitlines(keepends=True)
    text = "".join(unified_diff(before, after, f"ours/{name}", f"yours/{name}"))
    if as_json:
        printing.as_json({"name": name, "diff": text})
    else:
        typer.echo(text, nl=False)


@app.command("accept")
def accept(name: Name, as_json: Json = False) -> None:
    """Say that your template fits our text of today: no word of changes before the next one."""
    from service.delivery.override_folder import origin, without_origin
    from service.resources import product_version, resource_dir

    _known(name)
    path = _own(name)
    text = without_origin(path.read_text("utf-8-sig"))
    path.write_text(origin(name, resource_dir("templates"), product_version()) + text, "utf-8")
    printing.told(
        {"name": name}, f"{path} is marked as made from our text of today.", wants_json=as_json
    )


@app.command("sample")
def sample(
    kind: Annotated[str, typer.Argument(help="digest, alert, confirm, ...")],
    form: Annotated[str, typer.Option("--format", help="html, text or subject")] = "html",
    language: Annotated[str, typer.Option(help="Like de")] = "en",
    bare: Annotated[bool, typer.Option("--bare", help="With the least it can have")] = False,
    as_json: Json = False,
) -> None:
    """One mail with invented papers, as your templates and ours make it now."""
    from service.delivery import template_samples
    from service.delivery.notices import DIGESTS, NOTICES
    from service.delivery.override_folder import told
    from service.delivery.template_trial import examine, rendered
    from service.wiring import renderer_of

    printing.one_of(kind, [*DIGESTS, *NOTICES], "KIND")
    printing.one_of(form, ["html", "text", "subject"], "--format")
    renderer = renderer_of(opening.settings())
    told(examine(renderer).faults, lambda fault: None)  # warnings are for `check`
    printing.one_of(language, renderer.catalogs.languages, "--language")
    wanted = "bare" if bare else "furnished"
    found = template_samples.samples(kind, renderer.site.base_url)
    made = rendered(renderer, next(one for one in found if one.name == wanted), language)
    parts = {"subject": made.subject, "text": made.text, "html": made.html}
    if as_json:
        printing.as_json({"kind": kind, "language": language, **parts})
    else:
        typer.echo(parts[form])


@app.command("variables")
def variables(
    as_json: Json = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="docs/template-values.md")] = False,
) -> None:
    """What templates may use: the values of each mail, and what stands in them."""
    from service.cli import template_values_page as page

    if markdown:
        typer.echo(page.markdown(), nl=False)
    elif as_json:
        printing.as_json(page.rows())
    else:
        printing.table(page.rows(), ["of", "name", "type", "meaning"], "")


def _examined(folder: Path | None = None) -> "Examined":
    from service.delivery.template_trial import examine

    return examine(_renderer(folder))


def _renderer(folder: Path | None) -> "Renderer":
    from service.wiring import renderer_of

    return renderer_of(
        opening.settings(**({"templates_dir": folder} if folder is not None else {}))
    )


def _slow(found: "Examined", folder: Path | None) -> "list[Fault]":
    """Templates that can be used, but not put together from pieces."""
    from service.delivery.override_folder import Fault
    from service.delivery.press import Press

    if not found.overrides or any(fault.level == "fail" for fault in found.faults):
        return []
    renderer = _renderer(folder)
    why = Press(renderer).refusal("en")
    what = f"Digests of these templates are rendered one by one, which is slow: {why}"
    where = str(renderer.template_dirs[0])
    return [Fault("warn", what, where, "See Speed in docs/templates.md.")] if why else []


def _folder() -> Path:
    folder = opening.settings().templates_dir
    if folder is None:
        raise SettingError(
            "No folder for templates of your own is named.",
            "PAPERPOST_TEMPLATES_DIR",
            "Set it, like PAPERPOST_TEMPLATES_DIR=/etc/paperpost/templates.",
        )
    return folder


def _known(name: str) -> None:
    from service.delivery.override_folder import names_of
    from service.resources import resource_dir

    known = names_of(resource_dir("templates"))
    if name not in known:
        near = get_close_matches(name, known, n=1, cutoff=0.6)
        guess = f" Did you mean {near[0]}?" if near else ""
        raise typer.BadParameter(
            f"No template of ours is called {name!r}.{guess}", param_hint="NAME"
        )


def _own(name: str) -> Path:
    path = _folder() / "email" / name
    if not path.is_file():
        step = f"paperpost templates copy {name}"
        raise PaperpostError(f"There is no {name} of yours.", str(path), step)
    return path
