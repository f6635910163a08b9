"""The commands and their groups; each imports what it needs only when it is called."""

import io
import sys
from typing import Annotated

import typer

from service.cli import (
    edition_commands,
    house_commands,
    paper_commands,
    reader_commands,
    send_commands,
)
from service.cli.printing import fail
from service.errors import PaperpostError
from service.resources import product_version

app = typer.Typer(
    name="paperpost",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"paperpost {product_version()}")
        raise typer.Exit


@app.callback()
def top(
    _version_: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Newsletter and alerts for research papers, self-hosted.

    Ends with 0 only when all was done; with 1 when the world refused (no such reader, a file or a
    relay that does not answer, a row of a list that did not go in, another number of mails); with 2
    when the words of the command cannot be read. --json, after the other words, prints nothing but
    JSON on the standard output; everything else is said on standard error.
    """


for part in (house_commands, paper_commands, reader_commands, send_commands, edition_commands):
    part.register(app)


def _write_utf8() -> None:
    """What scripts read is UTF-8 wherever they run; an old terminal shows ? for what it lacks."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(
                encoding=stream.encoding if stream.isatty() else "utf-8", errors="replace"
            )


def run() -> None:
    """Run the command line; faults that a person can mend are said in three parts."""
    _write_utf8()
    try:
        app()
    except PaperpostError as error:
        fail(error)
    except OSError as error:  # a disk that is full, a folder that may not be written
        if error.filename is None or not error.strerror:
            raise
        what = f"{error.filename}: {error.strerror}."
        fail(PaperpostError(what, "", "Mend that, then type the command again."))
    except KeyboardInterrupt:
        typer.echo("Stopped.", err=True)
        sys.exit(130)
