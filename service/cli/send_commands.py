"""Sending and looking: send, preview."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from service.cli import printing
from service.cli.opening import runtime
from service.cli.paper_commands import Json, OnDay, day, read_email
from service.errors import PaperpostError

if TYPE_CHECKING:
    from service.flows.segment import Segment

send_app = typer.Typer(help="Plan and send, now.", no_args_is_help=True)
To = Annotated[str, typer.Option("--to", help="Only this reader")]
Segments = Annotated[
    str,
    typer.Option(
        help="all, words:..., lang:de, cadence:daily, joined:A..B, list:FILE, state:EDITION:failed"
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be sent")]


def register(app: typer.Typer) -> None:
    """Hang this part's commands into the program."""
    app.add_typer(send_app, name="send")
    app.command("preview")(preview)


def _read_to(email: str) -> str | None:
    """The folded address of ``--to``, None without it."""
    return read_email(email, "--to").key if email else None


def _only(rt: Any, key: str | None, email: str) -> str | None:
    """The key of ``--to`` once more. Raises PaperpostError: no such reader."""
    from service.store.subscribers import get_subscriber_row

    if key is not None and rt.db.read(lambda s: get_subscriber_row(s, email_key=key)) is None:
        raise PaperpostError(f"There is no reader {email}.", "--to", "paperpost subscribers list")
    return key


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


def _no_mail(reasons: dict[str, int]) -> str:
    """ "; no mail: 3 nothing new, 1 paused", or nothing."""
    words = ", ".join(f"{n} {reason.replace('_', ' ')}" for reason, n in reasons.items())
    return f"; no mail: {words}" if words else ""


def send_planned(rt: Any, editions: list[int], planned: dict[str, Any], as_json: bool) -> None:
    """Send what was planned, print both; exit 0 when nothing is left but deferred rows."""
    from service.cli.sending import send_now
    from service.flows.deferred import deferrals
    from service.flows.ledger import gone_owners
    from service.store.audience import count_deliveries
    from service.store.deliveries import count_waiting
    from service.store.editions import list_paused

    report = send_now(rt)
    left = rt.db.read(lambda s: count_waiting(s, editions))
    put_off = rt.db.read(lambda s: deferrals(s, editions))
    deferred = max(report.deferred, left.get("deferred", 0))
    paused = rt.db.read(lambda s: list_paused(s, editions))
    dead = gone_owners(rt)
    held = rt.db.read(
        lambda s: sum(count_deliveries(s, edition_id=e, held_by=dead) for e in editions)
    )
    facts = {
        **planned,
        "editions": editions,
        "accepted": report.accepted,
        "deferred": deferred,
        "failed": report.failed,
        "held": held,
        "stopped": report.stopped,
        "expired": report.expired,
        "put_off": [{"text": words, "count": n} for words, n in put_off],
        "paused": [{"edition": number, "why": why} for number, why in paused],
    }
    if as_json:
        printing.as_json(facts)
    else:
        skipped = planned.get("skipped") or planned.get("waiting") or {}
        typer.echo(
            f"{report.accepted} handed to the mail server, {deferred} deferred, "
            f"{report.failed} refused, {held} held" + _no_mail(skipped) + "."
        )
        for words, n in put_off[:5]:
            typer.echo(f"Put off, tried again: {n} × {words}", err=True)
        for number, why in paused:
            typer.echo(f"Edition {number} paused by itself: {why}", err=True)
            typer.echo(f"  next:  paperpost editions resume {number}", err=True)
    sys.exit(0 if all(state == "deferred" for state in left) else 1)


@send_app.command("daily")
def send_daily(
    on: OnDay = None, to: To = "", dry_run: DryRun = False, as_json: Json = False
) -> None:
    """Plan and send the daily of every reader for whom the date is a mail day with a free slot."""
    from service.flows.daily import plan_daily
    from service.flows.preview import would_send

    key = _read_to(to)
    with runtime() as rt:
        if dry_run:
            made = would_send(rt, day(on), email_key=_only(rt, key, to))
            printing.as_json(made) if as_json else typer.echo(
                printing.tally(made["mails"], "mail") + _no_mail(made["skipped"]) + "."
            )
            return
        report = plan_daily(rt, day(on), email_key=_only(rt, key, to))
        planned = {"planned": report.planned, "ready": report.ready, "skipped": report.skipped}
        send_planned(rt, report.editions, planned, as_json)


@send_app.command("alerts")
def send_alerts(
    on: OnDay = None, to: To = "", dry_run: DryRun = False, as_json: Json = False
) -> None:
    """Send what waits for readers with instant interests."""
    from service.flows.alerts import plan_alerts
    from service.flows.daily import check_date
    from service.flows.preview import would_alert

    key = _read_to(to)
    with runtime() as rt:
        check_date(rt, day(on))
        if dry_run:
            made = would_alert(rt, on=day(on), email_key=_only(rt, key, to))
            printing.as_json(made) if as_json else typer.echo(
                printing.tally(made["mails"], "alert") + _no_mail(made["waiting"]) + "."
            )
            return
        report = plan_alerts(
            rt, on=day(on), email_key=_only(rt, key, to), forced=True, created_by="cli"
        )
        planned = {"planned": report.planned, "waiting": report.waiting}
        send_planned(rt, report.editions, planned, as_json)


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


def _manual(
    kind: str, values: dict[str, Any], yes: int | None, dry_run: bool, as_json: bool
) -> None:
    from service.flows import manual

    _check(values)
    values = {**values, "segment": _segment(values["segment"])}
    with runtime() as rt:
        plan = manual.draft(rt, kind=kind, created_by="cli", **values)
        audience = manual.count(rt, plan)
        if dry_run or yes is None:
            printing.as_json(audience.as_dict()) if as_json else typer.echo(audience.equation())
            if not dry_run:
                raise PaperpostError(
                    "Nothing was sent: the number of mails was not confirmed.",
                    "--yes",
                    f"Add --yes {audience.mails}",
                )
            return
        made = manual.start(rt, plan, expected=yes, at_once=True)
        if not made.is_new:
            _tell_existing(rt, made.edition_id, plan)
        planned = {"planned": made.planned, "equation": audience.as_dict(), "is_new": made.is_new}
        send_planned(rt, [made.edition_id], planned, as_json)


def _tell_existing(rt: Any, edition_id: int, plan: Any) -> None:
    """The same key is the same edition: say so where another text or other papers were given."""
    from service.store.editions import get_edition

    row = rt.db.read(lambda s: get_edition(s, id=edition_id))
    had = (row.title, row.options.get("body", ""), row.options.get("papers", []))
    if had != (plan.subject, plan.body, list(plan.papers)):
        what = f"Edition {edition_id} has the key {plan.key} already, with a text of its own"
        typer.echo(f"{what}: what was given now was not used.", err=True)


@send_app.command("manual", cls=SeveralPapers)
def send_manual(
    papers: Annotated[
        list[str] | None, typer.Option(help="arxiv/ID, an arXiv id, a DOI: one or several")
    ] = None,
    dates: Annotated[str, typer.Option(help="A..B: every paper listed in between")] = "",
    segment: Segments = "all",
    subject: Annotated[str, typer.Option(help="Subject line; without it the first title")] = "",
    body: Annotated[Path | None, typer.Option(help="A note on top, plain text")] = None,
    key: Annotated[str, typer.Option(help="The same key twice is the same edition")] = "",
    yes: Annotated[int | None, typer.Option("--yes", help="The number of mails expected")] = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Send chosen papers by hand, once the number of mails is confirmed.

    Without --yes, or with another number than it would be: nothing is sent, and it ends with 1.
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
    _manual("manual", values, yes, dry_run, as_json)


@send_app.command("newsletter")
def send_newsletter(
    subject: Annotated[str, typer.Option(help="Subject line")],
    body: Annotated[Path, typer.Option(help="The text, Markdown")],
    segment: Segments = "all",
    key: Annotated[str, typer.Option(help="The same key twice is the same edition")] = "",
    yes: Annotated[int | None, typer.Option("--yes", help="The number of mails expected")] = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Send your own text, once the number of mails is confirmed.

    Without --yes, or with another number than it would be: nothing is sent, and it ends with 1.
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
    _manual("newsletter", values, yes, dry_run, as_json)


def preview(
    email: str,
    on: OnDay = None,
    form: Annotated[str, typer.Option("--format", help="html, text or eml")] = "text",
    as_json: Json = False,
) -> None:
    """A reader's mail: stored for a past date, composed now for today and later.

    Which of both is said on standard error (in JSON: says, stored); why there is none, on
    standard output where the text was asked for.
    """
    from service.flows.preview import preview as flow

    printing.one_of(form, ("html", "text", "eml"), "--format")
    address = read_email(email)
    with runtime() as rt:
        made = flow(rt, address.key, day(on))
    if as_json:
        facts = {"says": made.says, "stored": made.stored, "subject": made.subject}
        printing.as_json({"email": email, **facts, "text": made.text, "html": made.html})
        return
    typer.echo(made.says, err=made.is_mail or form != "text")
    if form == "eml":
        sys.stdout.buffer.write(made.message)
    elif made.is_mail:
        typer.echo(made.html if form == "html" else made.text)
