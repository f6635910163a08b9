"""What readers ask: why no mail on a date, why this paper, what became of their days, why they
left."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.cli import printing
from service.cli.opening import runtime
from service.cli.paper_commands import Json, read_email
from service.cli.reader_commands import subscribers_app
from service.errors import PaperpostError

if TYPE_CHECKING:
    from service.flows.mail_days import MailDay
    from service.flows.runtime import Runtime


def register(app: typer.Typer) -> None:
    """The commands hang on ``subscribers``; nothing of its own."""


def _reader(rt: "Runtime", email: str, key: str) -> int:
    from service.store.subscribers import get_subscriber_row

    row = rt.db.read(lambda s: get_subscriber_row(s, email_key=key))
    if row is None or row.id is None:
        raise PaperpostError(f"There is no reader {email}.", "", "paperpost subscribers list")
    return row.id


@subscribers_app.command("why")
def why(
    email: str,
    on: Annotated[
        datetime | None,
        typer.Option("--on", formats=["%Y-%m-%d"], help="A date; else the reader's today"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Why a reader got no mail on a date, or what they got: any date."""
    from service.flows.became import what_became
    from service.flows.said_answers import day_lines
    from service.flows.why_day import answer_day, check_day, today_of

    address = read_email(email)
    if on is not None:
        with printing.argument("--on"):
            check_day(on.date())
    with runtime() as rt:
        reader_id = _reader(rt, email, address.key)
        day = on.date() if on is not None else today_of(rt, reader_id)
        found, texts = answer_day(rt, reader_id, day), rt.catalogs.texts("en")
        lines = day_lines(found, texts)
        if as_json:
            printing.as_json(
                {
                    "on": day.isoformat(),
                    "says": lines,
                    "mails": [_facts(one, what_became(one, texts)) for one in found.mails],
                    "carried": [
                        {
                            "paper": f"{one.scheme}/{one.value}",
                            "title": one.title,
                            "came_on": one.went_on.isoformat() if one.went_on else None,
                            "waits": one.waits,
                        }
                        for one in found.carried
                    ],
                    "next_at": found.next_at.isoformat() if found.next_at else None,
                }
            )
            return
        typer.echo(f"{texts.day(day)}: {lines[0]}" if lines else texts.day(day))
        for line in lines[1:]:
            typer.echo(f"  {line}")


@subscribers_app.command("why-paper")
def why_paper(
    email: str,
    paper: Annotated[str, typer.Argument(help="Its link, arXiv id, DOI or title")],
    as_json: Json = False,
) -> None:
    """Why a paper came to a reader, or why not. Ends with 1 when no stored paper is meant."""
    from service.flows.said_answers import interest_name, paper_lines, said_came, said_verdict
    from service.flows.why_paper import answer_paper

    address = read_email(email)
    if not paper.strip():
        raise typer.BadParameter("A link, an arXiv id, a DOI or a title is needed.")
    with runtime() as rt:
        reader_id = _reader(rt, email, address.key)
        found, texts = answer_paper(rt, reader_id, paper), rt.catalogs.texts("en")
        lines = paper_lines(found, texts)
    if as_json:
        named = found.paper
        printing.as_json(
            {
                "paper": f"{named.scheme}/{named.value}" if named else None,
                "title": named.title if named else None,
                "several": [f"{one.scheme}/{one.value}" for one in found.several],
                "says": [texts.said(one) for one in found.says],
                "came": [
                    {
                        "on": one.mail.on.isoformat(),
                        "kind": one.mail.kind,
                        "how": one.how,
                        "says": " ".join(said_came(one, texts)),
                    }
                    for one in found.came
                ],
                "interests": [
                    {
                        "name": interest_name(one, texts),
                        "wants": one.wants,
                        "found": list(one.misses.found) if one.misses else [],
                        "missing": [list(g) for g in one.misses.missing] if one.misses else [],
                        "left_out_by": list(one.misses.barred) if one.misses else [],
                        "says": said_verdict(one, texts),
                    }
                    for one in found.verdicts
                ],
                "next_at": found.next_at.isoformat() if found.next_at else None,
            }
        )
    else:
        typer.echo("\n".join(lines))
    if found.paper is None:
        raise typer.Exit(1)


@subscribers_app.command("history")
def history(
    email: str,
    mails: Annotated[bool, typer.Option("--mails", help="Only days with a mail")] = False,
    as_json: Json = False,
) -> None:
    """What became of each of a reader's days, newest first."""
    from service.flows.became import what_became
    from service.flows.mail_days import read_history

    address = read_email(email)
    with runtime() as rt:
        reader_id = _reader(rt, email, address.key)
        found = read_history(rt, reader_id, limit=None, only_mails=mails)
        texts = rt.catalogs.texts("en")
        rows = [_facts(one, what_became(one, texts)) for one in found.days]
    if as_json:
        printing.as_json(rows)
        return
    printing.table(rows, ["on", "kind", "state", "says", "subject"], "No mail yet.")


def _facts(one: "MailDay", says: str) -> dict[str, Any]:
    return {
        "on": one.on.isoformat(),
        "kind": one.kind,
        "state": one.state,
        "reason": one.reason,
        "papers": one.papers,
        "checked": one.checked,
        "subject": one.subject,
        "says": says,
    }


@subscribers_app.command("reasons")
def reasons(as_json: Json = False) -> None:
    """Why readers left in the last year, counted; nobody is named."""
    from service.flows.leave_part import why_left

    with runtime() as rt:
        found = why_left(rt)
    rows = [{"reason": name, "count": count} for name, count in found.counts.items()]
    if as_json:
        printing.as_json(
            {
                "left": found.left,
                "came_back": found.back,
                "reasons": found.counts,
                "words": [
                    {"at": at.isoformat(), "reason": code, "words": words}
                    for at, code, words in found.words
                ],
            }
        )
        return
    typer.echo(f"{found.left} left in the last year, {found.back} came back.")
    printing.table(rows, ["reason", "count"], "")
    for at, code, words in found.words:
        typer.echo(f"{at:%Y-%m-%d}  {code}: {words}")


@subscribers_app.command("marks")
def marks(
    email: str,
    as_json: Json = False,
) -> None:
    """What a reader wanted more or less of, newest first."""
    from service.flows.marks import read_marks

    address = read_email(email)
    with runtime() as rt:
        found = read_marks(rt, _reader(rt, email, address.key), limit=None)
    rows = [
        {
            "on": one.on.isoformat(),
            "said": "more" if one.sign > 0 else "less",
            "paper": f"{one.scheme}/{one.value}",
            "title": one.title,
            "counts": one.counts,
        }
        for one in found.marks
    ]
    if as_json:
        printing.as_json(rows)
    else:
        printing.table(rows, ["on", "said", "paper", "title"], "Nothing was said so far.")
