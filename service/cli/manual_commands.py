"""Sending by hand: send manual, send newsletter, send test."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from service.cli import printing
from service.cli.opening import runtime
from service.cli.paper_commands import Json, read_email
from service.cli.send_commands import DryRun, send_planned
from service.errors import PaperpostError

if TYPE_CHECKING:
    from service.flows.audience import Audience, Plan
    from service.flows.checks import Check
    from service.flows.segment import Segment

Segments = Annotated[
    str,
    typer.Option(
        help="all, words:..., lang:de, cadence:daily, joined:A..B, tag:NAME, list:FILE,"
        " state:EDITION:failed, late:EDITION"
    ),
]
Papers = Annotated[
    list[str] | None, typer.Option(help="arxiv/ID, an arXiv id, a DOI: one or several")
]
Dates = Annotated[str, typer.Option(help="A..B: every paper listed in between")]
Key = Annotated[str, typer.Option(help="The same key twice is the same edition")]
Yes = Annotated[int | None, typer.Option("--yes", help="The number of mails expected")]
At = Annotated[str, typer.Option("--at", help='Begin then: "2026-11-23 14:00", house time')]
OwnHour = Annotated[bool, typer.Option("--own-hour", help="To each reader at their own hour")]
First = Annotated[bool, typer.Option("--canary", help="To the first few; then wait for a word")]


def register(send_app: typer.Typer) -> None:
    """Hang this part's commands under ``send``."""
    send_app.command("manual", cls=SeveralPapers)(send_manual)
    send_app.command("newsletter")(send_newsletter)
    send_app.command("test", cls=SeveralPapers)(send_test)


class SeveralPapers(TyperCommand):
    """``--papers A B C`` names three, as ``--papers A --papers B --papers C`` does."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        spread: list[str] = []
        listing = False
        for word in args:
            if word.startswith("-"):
                listing = word == "--papers"
                if not listing:
                    spread.append(word)
            elif listing:
                spread += ["--papers", word]
            else:
                spread.append(word)
        if args and args[-1] == "--papers":
            spread.append("--papers")  # told as an option without its value
        return super().parse_args(ctx, spread)


def _written(file: Path) -> str:
    """The text of a file that an option names. Raises PaperpostError."""
    from service.cli.reader_commands import read_file

    try:
        return read_file(file).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PaperpostError(
            f"{file} is not UTF-8: byte {error.start}.", "", "Save it as UTF-8."
        ) from None


def _segment(text: str) -> "Segment":
    """Whom ``--segment`` names. Raises PaperpostError: the file of a list cannot be used."""
    from service.flows.segment import read_segment

    kind, _, file = text.partition(":")
    if kind.strip().lower() == "list" and file.strip() and "@" not in file:
        return read_segment(f"list:{_written(Path(file.strip()))}", from_files=False)
    with printing.argument("--segment"):
        return read_segment(text, from_files=False)


def _check(values: dict[str, Any]) -> None:
    """What can be told of the options without the database; a fault of theirs is misuse."""
    from service.flows import audience
    from service.flows.segment import read_dates

    for paper in values["papers"]:
        with printing.argument("--papers"):
            audience.read_paper(paper)
    with printing.argument("--dates"):
        read_dates(values["dates"]) if values["dates"] else None
    with printing.argument("--key"):
        audience.read_key(values["key"])
    with printing.argument("--subject"):
        audience.read_subject(values["subject"])


def _timed(plan: "Plan", at: str, own_hour: bool, first: bool, rt: Any) -> "Plan":
    """The plan with when it begins; a time that cannot be read is misuse."""
    from dataclasses import replace

    from service.flows.timing import read_begin

    plan = replace(plan, own_hour=own_hour, canary=first)
    if not at:
        return plan
    with printing.argument("--at"):
        begin = read_begin(at, rt.zone, rt.clock(), rt.defaults().send_ahead_days)
    return replace(plan, at=begin)


def _checked(rt: Any, plan: "Plan", audience: "Audience") -> "list[Check]":
    """Every named check; two of them ask the network."""
    import asyncio

    from service.flows.checks import check_links, check_plan, check_relay

    async def asked() -> "list[Check]":
        return [await check_relay(rt), *await check_links(rt, plan)]

    relay, *links = asyncio.run(asked())
    return [relay, *check_plan(rt, plan, audience), *links]


def _tell_dry(rt: Any, plan: "Plan", audience: "Audience", as_json: bool) -> None:
    """What would be sent: the equation, some of the readers, and the checks."""
    from service.flows.checks import needs_typing

    checks = _checked(rt, plan, audience)
    if as_json:
        told = [{"name": c.name, "grade": c.grade, "why": c.why} for c in checks]
        facts = {**audience.as_dict(), "unread": audience.unread, "checks": told}
        printing.as_json({**facts, "is_unusual": needs_typing(rt, plan, audience.mails)})
        return
    typer.echo(audience.equation())
    if audience.strangers > 0:
        typer.echo(f"{audience.strangers:,} of the list are no readers and get nothing.")
    if audience.samples:
        typer.echo(f"Among them: {', '.join(audience.samples)}")
    for check in checks:
        typer.echo(f"{check.grade:<5} {check.name}: {check.why}")


def _manual(
    kind: str,
    values: dict[str, Any],
    yes: int | None,
    dry_run: bool,
    as_json: bool,
    timing: tuple[str, bool, bool],
) -> None:
    """timing: --at, --own-hour, --canary."""
    from service.flows import manual

    _check(values)
    values = {**values, "segment": _segment(values["segment"])}
    with runtime() as rt:
        plan = _timed(manual.draft(rt, kind=kind, created_by="cli", **values), *timing, rt)
        audience = manual.count(rt, plan)
        if dry_run:
            _tell_dry(rt, plan, audience, as_json)
            return
        if yes is None:
            printing.as_json(audience.as_dict()) if as_json else typer.echo(audience.equation())
            raise PaperpostError(
                "Nothing was sent: the number of mails was not confirmed.",
                "--yes",
                f"Add --yes {audience.mails}",
            )
        made = manual.start(rt, plan, expected=yes, at_once=True)
        if not made.is_new:
            _tell_existing(rt, made.edition_id, plan)
        planned = {"planned": made.planned, "equation": audience.as_dict(), "is_new": made.is_new}
        if plan.at is None and not plan.own_hour:
            send_planned(rt, [made.edition_id], planned, as_json)
            return
        begins = plan.at.isoformat() if plan.at is not None else "at each reader's own hour"
        facts = {**planned, "editions": [made.edition_id], "begins": begins}
        printing.told(facts, _begins(made.edition_id, made.mails, plan.at), wants_json=as_json)


def _begins(edition_id: int, mails: int, at: datetime | None) -> str:
    when = f"begins {at:%d %B %H:%M} UTC" if at is not None else "goes at each reader's own hour"
    return (
        f"Edition {edition_id} {when}: {printing.tally(mails, 'mail')}. paperpost run sends it;"
        f" until then: paperpost editions cancel {edition_id}"
    )


def _tell_existing(rt: Any, edition_id: int, plan: Any) -> None:
    """The same key is the same edition: say so where another text or other papers were given."""
    from service.store.editions import get_edition

    row = rt.db.read(lambda s: get_edition(s, id=edition_id))
    had = (row.title, row.options.get("body", ""), row.options.get("papers", []))
    if had != (plan.subject, plan.body, list(plan.papers)):
        what = f"Edition {edition_id} has the key {plan.key} already, with a text of its own"
        typer.echo(f"{what}: what was given now was not used.", err=True)


def send_manual(
    papers: Papers = None,
    dates: Dates = "",
    segment: Segments = "all",
    subject: Annotated[str, typer.Option(help="Subject line; without it the first title")] = "",
    body: Annotated[Path | None, typer.Option(help="A note on top, plain text")] = None,
    key: Key = "",
    at: At = "",
    own_hour: OwnHour = False,
    canary: First = False,
    yes: Yes = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Send chosen papers by hand, once the number of mails is confirmed.

    Without --yes, or with another number than it would be: nothing is sent, and it ends with 1.
    --dry-run shows the audience, some of the readers, and every check.
    """
    if not papers and not dates.strip():
        raise typer.BadParameter("No paper is chosen: give --papers ID... or --dates A..B.")
    values = {
        "papers": papers or [],
        "dates": dates,
        "segment": segment,
        "subject": subject,
        "body": _written(body) if body else "",
        "key": key,
    }
    _manual("manual", values, yes, dry_run, as_json, (at, own_hour, canary))


def send_newsletter(
    subject: Annotated[str, typer.Option(help="Subject line")],
    body: Annotated[Path, typer.Option(help="The text, Markdown")],
    segment: Segments = "all",
    key: Key = "",
    at: At = "",
    own_hour: OwnHour = False,
    canary: First = False,
    yes: Yes = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Send your own text, once the number of mails is confirmed.

    Without --yes, or with another number than it would be: nothing is sent, and it ends with 1.
    --dry-run shows the audience, some of the readers, and every check.
    """
    if not subject.strip():
        raise typer.BadParameter("A newsletter needs a subject.", param_hint="--subject")
    values = {
        "papers": [],
        "dates": "",
        "segment": segment,
        "subject": subject,
        "body": _written(body),
        "key": key,
    }
    _manual("newsletter", values, yes, dry_run, as_json, (at, own_hour, canary))


def send_test(
    kind: Annotated[str, typer.Argument(help="manual, newsletter, daily or alert")],
    to: Annotated[list[str], typer.Option(help="Where it goes; may be repeated")],
    reader: Annotated[
        str, typer.Option(help="Whose mail; without it the first who would get one")
    ] = "",
    papers: Papers = None,
    dates: Dates = "",
    segment: Segments = "all",
    subject: Annotated[str, typer.Option(help="Subject line")] = "",
    body: Annotated[
        Path | None, typer.Option(help="A newsletter's text, Markdown; else a note on top")
    ] = None,
    as_json: Json = False,
) -> None:
    """Send a mail to some addresses now, marked as a test: nothing counts as sent, its links belong
    to nobody, and no suppressed address gets one.

    Ends with 1 when one of them was not taken.
    """
    import asyncio
    from dataclasses import asdict

    from service.flows import manual, trial

    printing.one_of(kind, ("manual", "newsletter", "daily", "alert"), "KIND")
    if kind == "manual" and not papers and not dates.strip():
        raise typer.BadParameter("No paper is chosen: give --papers ID... or --dates A..B.")
    if kind == "newsletter" and not (subject.strip() and body):
        raise typer.BadParameter("A newsletter needs --subject and --body.")
    for one in to:
        read_email(one, "--to")
    if reader:
        read_email(reader, "--reader")
    values: dict[str, Any] = {
        "papers": papers or [], "dates": dates, "subject": subject, "key": "",
    }  # fmt: skip
    _check(values)
    written = _written(body) if body else ""
    whom = _segment(segment)
    with runtime() as rt:
        addresses = trial.read_addresses(" ".join(to), rt.defaults().test_addresses)
        plan = manual.draft(rt, kind=kind, created_by="cli", body=written, segment=whom, **values)
        whose = trial.read_reader(rt, plan, reader)
        made = asyncio.run(trial.send_trial(rt, plan, whose, addresses, by="cli"))
    if as_json:
        printing.as_json([asdict(one) for one in made])
    else:
        for mail in made:
            typer.echo(f"{mail.email}: {'taken' if mail.accepted else 'not taken'}: {mail.words}")
    if not all(mail.accepted for mail in made):
        raise typer.Exit(1)
