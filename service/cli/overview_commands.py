"""Today at a glance: what the desk's first page shows."""

from typing import Any

import typer

from service.cli import printing
from service.cli.opening import runtime
from service.cli.paper_commands import Json


def register(app: typer.Typer) -> None:
    """Hang this part's command into the program."""
    app.command("overview")(overview)


def overview(as_json: Json = False) -> None:
    """Today at a glance: papers, mails, editions under way, readers, sources, alarms."""
    from service.flows.desk_overview import read_overview
    from service.flows.source_health import read_sources

    with runtime() as rt:
        found = read_overview(rt)
        sources = read_sources(rt, days=1)
    if as_json:
        printing.as_json(found)
        return
    for line in _lines(found):
        typer.echo(line)
    for source in sources:
        typer.echo(f"Source      {source.title}: {source.word}")


def _lines(found: dict[str, Any]) -> list[str]:
    n, readers = found["figures"], found["readers"]
    more = "more than " if n["matches_more"] else ""
    back = ", ".join(f"{count:,} {kind}" for kind, count in found["came_back"].items()) or "0"
    lines = [f"Alarm       {one['what']} {one['next_step']}" for one in found["alarms"]]
    lines += [
        f"To do       {step['words']} (/admin/{step['page']})"
        for step in found["steps"]
        if not step["done"]
    ]
    matches = printing.tally(n["matches"], "match", "matches")
    lines += [
        f"Today       {found['today']} ({found['zone']})",
        f"Papers      {n['papers']:,} new, {more}{matches}",
        f"Mails       {n['accepted']:,} handed to the mail server, {n['refused']:,} refused",
        f"Now         {n['waiting']:,} waiting, {n['deferred']:,} put off, {n['held']:,} held",
        f"Readers     {readers.get('active', 0):,} active,"
        f" {readers.get('pending', 0):,} to confirm; today {n['joined']:,} joined,"
        f" {n['left']:,} left",
        f"Came back   {back}",
    ]
    if (queue := found["queue"]) is not None:
        minutes = queue["age_s"] // 60
        waits = printing.tally(minutes, "minute")
        lines.append(f"Oldest      delivery {queue['delivery']} waits for {waits}: {queue['why']}")
    for one in found["editions"]:
        name = one["title"] or f"{one['kind']} {one['slot']}"
        rate = f", {one['rate']} mails a second" if one["rate"] and one["is_moving"] else ""
        lines.append(
            f"Edition     {one['id']} {name}: {one['state']}, {one['settled']:,} of"
            f" {one['planned']:,} settled ({one['percent']} %){rate}"
        )
        if one["begins_soon"]:
            lines.append("            It begins within a minute.")
        if one["asks"]:
            lines.append(
                f"            The first few went; {one['asks']:,} wait for your word:"
                f" paperpost editions rest {one['id']}"
            )
        if one["later"]:
            lines.append(
                f"            {one['later']:,} wait for their reader's hour; the last begins at"
                f" {one['last_at']:.16} UTC"
            )
    return lines
