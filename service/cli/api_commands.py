"""What programs can ask of this installation, as they are told it."""

from typing import Annotated

import typer

from service.cli import printing
from service.cli.opening import runtime
from service.cli.paper_commands import Json


def register(app: typer.Typer) -> None:
    """Hang this part's commands into the program."""
    app.command("api")(describe_api)


def describe_api(
    markdown: Annotated[bool, typer.Option("--markdown", help="As the page docs/api.md")] = False,
    as_json: Json = False,
) -> None:
    """Print what programs can ask: a line for each operation, the whole description (--json), or
    the page of the docs (--markdown)."""
    from service.api import read_document
    from service.cli.api_page import page

    with runtime() as rt:
        document = read_document(rt)
    if as_json:
        printing.as_json(document)
        return
    if markdown:
        typer.echo(page(document), nl=False)
        return
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            scope = operation.get("x-scope", "")
            typer.echo(f"{method.upper():<6} {path:<48} {scope:<16} {operation['summary']}")
