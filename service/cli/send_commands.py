"""Sending and looking: send, preview."""

import sys
from typing import Annotated, Any

import typer

from service.cli import printing
from service.cli.opening import runtime
from service.cli.paper_commands import Json, OnDay, day, read_email
from service.errors import PaperpostError

send_app = typer.Typer(help="Plan and send, now.", no_args_is_help=True)
To = Annotated[str, typer.Option("--to", help="Only this reader")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be sent")]


def register(app: typer.Typer) -> None:
    """Hang this part's commands into the program."""
    from service.cli import manual_commands  # it takes the commands of here

    manual_commands.register(send_app)
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


def _no_mail(reasons: dict[str, int]) -> str:
    """ "; no mail: 3 nothing new, 1 paused", or nothing."""
    words = ", ".join(f"{n} {reason.replace('_', ' ')}" for reason, n in reasons.items())
    return f"; no mail: {words}" if words else ""


def send_planned(rt: Any, editions: list[int], planned: dict[str, Any], as_json: bool) -> None:
    """Send what was planned, print both; exit 0 when nothing is left but deferred rows."""
    from service.cli.progress_bar import shown_while
    from service.cli.sending import send_now
    from service.flows.canary import waiting
    from service.flows.deferred import deferrals
    from service.flows.ledger import gone_owners
    from service.store.audience import count_deliveries, count_later
    from service.store.deliveries import count_waiting
    from service.store.editions import list_paused

    with shown_while(rt, editions):
        report = send_now(rt)
    left = rt.db.read(lambda s: count_waiting(s, editions))
    later = rt.db.read(lambda s: sum(count_later(s, e, rt.clock()) for e in editions))
    asking = rt.db.read(lambda s: waiting(s, editions, rt.clock()))
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
        "later": later,
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
            act = "rest" if number in asking else "resume"
            typer.echo(f"  next:  paperpost editions {act} {number}", err=True)
        for number, mails in asking.items():
            typer.echo(f"{mails:,} wait for your word: paperpost editions rest {number}", err=True)
        if later > sum(asking.values()):
            waits = later - sum(asking.values())
            typer.echo(f"{waits:,} wait for their time or for your word.", err=True)
    waits = sum(n for state, n in left.items() if state != "deferred") - later
    sys.exit(0 if waits <= 0 else 1)


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
