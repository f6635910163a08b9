"""The commands and their groups; each imports what it needs only when it is called."""

import io
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from service.cli import (
    alarm_commands,
    api_commands,
    bounce_commands,
    cite_commands,
    delivery_commands,
    desk_paper_commands,
    edition_commands,
    editor_commands,
    estimate_commands,
    hook_commands,
    house_commands,
    import_commands,
    inbound_commands,
    interest_commands,
    ledger_commands,
    overview_commands,
    pace_commands,
    paper_commands,
    reader_commands,
    reader_hand_commands,
    send_commands,
    settings_commands,
    source_desk_commands,
    staff_commands,
    tag_commands,
    template_commands,
    token_commands,
    topic_commands,
    why_commands,
    workbench_commands,
)
from service.cli.printing import fail
from service.errors import PaperpostError
from service.resources import product_version

_PLAINER = (
    (re.compile(r"(?:Value error, )?('[^']*') does not match the formats .*"), r"\1 is no date."),
    (re.compile(r"Input should be a valid integer.*"), "It is no whole number."),
    (re.compile(r"Input should be greater than or equal to (\d+)"), r"It is less than \1."),
    (re.compile(r"Input should be less than or equal to (\d+)"), r"It is more than \1."),
)


@contextmanager
def _next_step(top: Any) -> Iterator[None]:
    """Give what was mistyped a last line, as our own errors have it: what to do next."""
    try:
        yield
    except TyperException as error:
        context, said = getattr(error, "ctx", None), error.format_message()
        if "\n  next:" not in said:
            for pattern, plain in _PLAINER:
                said = pattern.sub(plain, said)
            path = f" {top.invoked_subcommand or ''}".rstrip()
            if context is not None:
                path = context.command_path.removeprefix(context.find_root().command_path)
            vars(error)["format_message"] = lambda: f"{said}\n  next:  paperpost{path} --help"
        raise


class Commands(TyperGroup):
    """All commands; what typer refuses itself is told in the words of the house."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read what stands before the command."""
        with _next_step(ctx):
            return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was typed."""
        with _next_step(ctx):
            return super().invoke(ctx)


app = typer.Typer(
    name="paperpost",
    cls=Commands,
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


for part in (
    house_commands,
    overview_commands,
    inbound_commands,
    paper_commands,
    desk_paper_commands,
    source_desk_commands,
    estimate_commands,
    hook_commands,
    cite_commands,
    reader_commands,
    import_commands,
    tag_commands,
    reader_hand_commands,
    interest_commands,
    send_commands,
    edition_commands,
    delivery_commands,
    settings_commands,
    staff_commands,
    alarm_commands,
    bounce_commands,
    editor_commands,
    ledger_commands,
    pace_commands,
    template_commands,
    token_commands,
    api_commands,
    topic_commands,
    why_commands,
    workbench_commands,
):
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
