"""Sending and looking: send, preview, editions, deliveries."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from service.cli import printing
from service.cli.opening import runtime
from service.cli.paper_commands import Json, OnDay, day
from service.errors import PaperpostError

send_app = typer.Typer(help="Plan and send, now.", no_args_is_help=True)
editions_app = typer.Typer(help="Sending occasions.", no_args_is_help=True)
deliveries_app = typer.Typer(help="Who got what.", no_args_is_help=True)
To = Annotated[str, typer.Option("--to", help="Only this reader")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be sent")]


def register(app: typer.Typer) -> None:
    """Hang this part's commands into the program."""
    app.add_typer(send_app, name="send")
    app.add_typer(editions_app, name="editions")
    app.add_typer(deliveries_app, name="deliveries")
    app.command("preview")(preview)


def _key(email: str) -> str | None:
    from service.subscribers.address import read_address

    return read_address(email).key if email else None


def _only(rt: Any, email: str) -> str | None:
    """The key of ``--to``, None without it. Raises PaperpostError: no such reader."""
    from service.store.subscribers import get_subscriber_row

    key = _key(email)
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


def _sent(rt: Any, editions: list[int], planned: dict[str, Any], as_json: bool) -> None:
    """Send what was planned, print both; exit 0 when nothing is left but deferred rows."""
    import asyncio

    from service.flows.deferred import deferrals
    from service.flows.ledger import gone_owners
    from service.flows.send import send_ready
    from service.store.audience import count_deliveries
    from service.store.deliveries import count_waiting

    report = asyncio.run(send_ready(rt))
    left = rt.db.read(lambda s: count_waiting(s, editions))
    put_off = rt.db.read(lambda s: deferrals(s, editions))
    deferred = max(report.deferred, left.get("deferred", 0))
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
    sys.exit(0 if all(state == "deferred" for state in left) else 1)


@send_app.command("daily")
def send_daily(
    on: OnDay = None, to: To = "", dry_run: DryRun = False, as_json: Json = False
) -> None:
    """Plan and send the daily of every reader for whom the date is a mail day with a free slot."""
    from service.flows.daily import plan_daily
    from service.flows.preview import would_send

    with runtime() as rt:
        if dry_run:
            made = would_send(rt, day(on), email_key=_only(rt, to))
            printing.as_json(made) if as_json else typer.echo(
                f"{made['mails']} mails" + _no_mail(made["skipped"]) + "."
            )
            return
        report = plan_daily(rt, day(on), email_key=_only(rt, to))
        planned = {"planned": report.planned, "ready": report.ready, "skipped": report.skipped}
        _sent(rt, report.editions, planned, as_json)


@send_app.command("alerts")
def send_alerts(
    on: OnDay = None, to: To = "", dry_run: DryRun = False, as_json: Json = False
) -> None:
    """Send what waits for readers with instant interests."""
    from service.flows.alerts import plan_alerts
    from service.flows.preview import would_alert

    with runtime() as rt:
        if dry_run:
            made = would_alert(rt, on=day(on), email_key=_only(rt, to))
            printing.as_json(made) if as_json else typer.echo(f"{made['mails']} alerts")
            return
        report = plan_alerts(rt, on=day(on), email_key=_only(rt, to), forced=True, created_by="cli")
        planned = {"planned": report.planned, "waiting": report.waiting}
        _sent(rt, report.editions, planned, as_json)


def _written(file: Path) -> str:
    """The text of ``--body``. Raises PaperpostError."""
    from service.cli.reader_commands import read_file

    try:
        return read_file(file).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PaperpostError(
            f"{file.name} is not UTF-8: byte {error.start}.", "--body", "Save it as UTF-8."
        ) from None


def _manual(
    kind: str, values: dict[str, Any], yes: int | None, dry_run: bool, as_json: bool
) -> None:
    from service.flows import manual

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
        planned = {"planned": made.planned, "equation": audience.as_dict()}
        _sent(rt, [made.edition_id], planned, as_json)


@send_app.command("manual", cls=SeveralPapers)
def send_manual(
    papers: Annotated[list[str] | None, typer.Option(help="arxiv/ID, ...: one or several")] = None,
    dates: Annotated[str, typer.Option(help="A..B: every paper listed in between")] = "",
    segment: Annotated[str, typer.Option(help="all, words:..., lang:de, cadence:daily")] = "all",
    subject: str = "",
    body: Annotated[Path | None, typer.Option(help="A note on top, Markdown")] = None,
    key: Annotated[str, typer.Option(help="The same key twice is the same edition")] = "",
    yes: Annotated[int | None, typer.Option("--yes", help="The number of mails expected")] = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Send chosen papers by hand, once the number of mails is confirmed."""
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
    segment: Annotated[str, typer.Option(help="all, words:..., lang:de, cadence:daily")] = "all",
    key: Annotated[str, typer.Option(help="The same key twice is the same edition")] = "",
    yes: Annotated[int | None, typer.Option("--yes", help="The number of mails expected")] = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Send your own text, once the number of mails is confirmed."""
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
    """A reader's mail: stored for a past date, composed now for today and later."""
    from service.flows.preview import preview as flow

    printing.one_of(form, ("html", "text", "eml"), "--format")
    with runtime() as rt:
        made = flow(rt, _key(email) or "", day(on))
    if as_json:
        facts = {"says": made.says, "subject": made.subject, "text": made.text, "html": made.html}
        printing.as_json({"email": email, **facts})
        return
    typer.echo(f"{made.says}", err=True)
    if form == "eml":
        sys.stdout.buffer.write(made.message)
        return
    typer.echo(made.html if form == "html" else made.text)


@editions_app.command("list")
def editions_list(as_json: Json = False) -> None:
    """Every edition with its balance; as JSON also notices, which are editions of one mail."""
    from service.flows.editions import overview
    from service.flows.ledger import gone_owners

    with runtime() as rt:
        dead = gone_owners(rt)
        rows = rt.db.read(lambda s: overview(s, notices=as_json, dead=dead))
    if as_json:
        printing.as_json(rows)
    else:
        printing.table(
            rows,
            ["id", "kind", "slot", "state", "planned", "accepted", "failed", "skipped", "held"],
            "No edition yet.",
        )


@editions_app.command("show")
def editions_show(edition_id: int, as_json: Json = False) -> None:
    """One edition: its balance and reasons."""
    from service.flows.editions import details
    from service.flows.ledger import gone_owners

    with runtime() as rt:
        dead = gone_owners(rt)
        found = rt.db.read(lambda s: details(s, edition_id, dead=dead))
    if as_json:
        printing.as_json(found)
    else:
        for key, value in found.items():
            typer.echo(f"{key}: {value}")


@editions_app.command("pause")
def editions_pause(edition_id: int, as_json: Json = False) -> None:
    """Stop an edition after what is in flight."""
    from service.flows import editions

    with runtime() as rt:
        editions.pause(rt, edition_id, by="cli")
    facts = {"id": edition_id, "state": "paused"}
    printing.told(facts, f"Edition {edition_id} is paused.", wants_json=as_json)


@editions_app.command("resume")
def editions_resume(edition_id: int, as_json: Json = False) -> None:
    """Go on with a paused edition."""
    from service.flows import editions

    with runtime() as rt:
        editions.resume(rt, edition_id, by="cli")
        _sent(rt, [edition_id], {}, as_json)


@editions_app.command("cancel")
def editions_cancel(edition_id: int, as_json: Json = False) -> None:
    """Cancel what has not been sent."""
    from service.flows import editions

    with runtime() as rt:
        n = editions.cancel(rt, edition_id, by="cli")
    facts = {"id": edition_id, "state": "cancelled", "cancelled": n}
    says = f"Edition {edition_id} is cancelled; {n} mails were not sent."
    printing.told(facts, says, wants_json=as_json)


@editions_app.command("rest")
def editions_rest(edition_id: int, as_json: Json = False) -> None:
    """Let the rest of an edition go, when its first mails (the canary) look well."""
    from service.flows import canary

    with runtime() as rt:
        freed = canary.go_on(rt, edition_id, by="cli")
        _sent(rt, [edition_id], {"freed": freed}, as_json)


@editions_app.command("resend")
def editions_resend(edition_id: int, as_json: Json = False) -> None:
    """Send again to the refused ones where it makes sense."""
    from service.flows import editions

    with runtime() as rt:
        made = editions.resend(rt, edition_id, by="cli")
        _sent(rt, [made["edition"]] if made["edition"] else [], made, as_json)


@deliveries_app.command("list")
def deliveries_list(
    edition: Annotated[int | None, typer.Option(help="Only this edition")] = None,
    state: Annotated[str, typer.Option(help="A state, or held")] = "",
    as_json: Json = False,
) -> None:
    """Deliveries with their state and the server's words."""
    from service.delivery.states import State
    from service.flows.ledger import deliveries, gone_owners

    if state:
        printing.one_of(state, [*State, "held"], "--state")
    with runtime() as rt:
        dead = gone_owners(rt) if state == "held" else []
        rows = rt.db.read(lambda s: deliveries(s, edition, state, dead=dead))
    if as_json:
        printing.as_json(rows)
    else:
        printing.table(
            rows,
            ["id", "edition", "email", "state", "code", "reason", "attempts"],
            "No delivery yet.",
        )
