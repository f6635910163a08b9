"""The fortnight as it is played: what goes wrong on which day. All instants are UTC."""

from dataclasses import replace
from datetime import date, datetime, timedelta

from support.sky_script import (
    CATEGORIES,
    Announced,
    Printed,
    Refusal,
    Script,
    Work,
    Writer,
    announces,
    midnight,
    utc,
)

BEGIN = utc(date(2026, 11, 15), 12)
"""Sunday: the sources are added."""

DOWN = (utc(date(2026, 11, 22), 20), utc(date(2026, 11, 25), 20))
"""Sunday evening to Wednesday evening: nothing of ours runs."""

END = utc(date(2026, 12, 1), 18)
LOST = date(2026, 11, 17)
"""stat.ML stays stale all day: its batch is never shown."""

STALE, HEALED = date(2026, 11, 18), utc(date(2026, 11, 18), 14, 30)
SHORT, MENDED = date(2026, 11, 19), utc(date(2026, 11, 19), 8, 22)
LATE_TURN = date(2026, 11, 20)
BROKEN, BACK = date(2026, 11, 27), utc(date(2026, 11, 27), 9, 40)
NEWEST_BEFORE = date(2026, 11, 13)
"""The list day that the first poll takes as new."""


def quick_script() -> Script:
    """Sunday to Wednesday, two categories, no journals: one stale day, nothing else."""
    writer = Writer(size=4, categories=("cs.CL", "cs.AI"))
    script = writer.write(last=date(2026, 11, 18), journals=())
    script.stale["cs.AI", date(2026, 11, 17)] = utc(date(2026, 11, 17), 14, 30)
    return script


def whole_script(size: int = 6) -> Script:
    """Sixteen days with everything that the issue names."""
    writer = Writer(size=size)
    writer.crowds = {LATE_TURN: 104, date(2026, 11, 21): 1}
    script = writer.write(last=date(2026, 12, 1))
    script.stale["stat.ML", LOST] = midnight(LOST + timedelta(days=1))
    script.stale["cs.AI", STALE] = HEALED
    script.stale["stat.ML", SHORT] = MENDED
    script.turns[LATE_TURN] = midnight(LATE_TURN) + timedelta(minutes=45)
    tuesday = date(2026, 11, 17)
    script.refusals += [
        Refusal("huggingface.co", utc(tuesday, 2), utc(tuesday, 4), 429,
                {"RateLimit": '"api";r=0;t=130'}, most=1),
        Refusal("arxiv.org", utc(tuesday, 5), utc(tuesday, 7), 429, {"Retry-After": "120"}, most=1),
        Refusal("arxiv.org", utc(SHORT, 5), utc(SHORT, 7), 429, most=1),
        Refusal("arxiv.org", utc(BROKEN, 4), BACK, 503),
        Refusal("huggingface.co", utc(BROKEN, 6), utc(BROKEN, 9), 0),
    ]  # fmt: skip
    _twin_by_doi(writer)
    return script


def _twin_by_doi(writer: Writer) -> None:
    """A paper of Monday's announcement is printed under another title on Tuesday; that they are
    one is told by the DOI of Friday's new version."""
    script = writer.script
    first = next(
        x for x in script.announced if x.day == date(2026, 11, 16) and x.shown == {"cs.CL": "new"}
    )
    printed = replace(writer.work(date(2026, 11, 17)), authors=("Fay Ito",))
    doi = "10.5555/towels.17"
    script.printed.append(Printed(printed, "towels", utc(date(2026, 11, 17), 10), doi))
    second = replace(first, day=LATE_TURN, shown={"cs.CL": "replace"}, version=2, doi=doi)
    script.announced.append(second)
    script.twins = {first.work.mark, printed.mark}


def news(script: Script, begin: datetime = BEGIN) -> dict[int, datetime]:
    """Mark -> when the world could first see it, for everything that is to arrive as new."""
    found: dict[int, datetime] = {}

    def see(work: Work, at: datetime) -> None:
        found[work.mark] = min(at, found.get(work.mark, at))

    for one in script.announced:
        if one.is_news and midnight(one.day) >= begin:
            see(one.work, script.turned(one.day))
    for entry in script.listed:
        if entry.day >= NEWEST_BEFORE:
            see(entry.work, entry.at)
    for journal in {one.journal for one in script.printed}:
        own = [one for one in script.printed if one.journal == journal]
        newest = max((one.at.date() for one in own if one.at <= begin), default=None)
        for one in own:
            if one.at > begin or one.at.date() == newest:
                see(one.work, one.at)
    return found


def works(script: Script) -> dict[int, Work]:
    """Mark -> the work."""
    every = [x.work for x in (*script.announced, *script.listed, *script.printed)]
    return {work.mark: work for work in every}


def batches(script: Script) -> dict[tuple[str, date], list[Announced]]:
    """(source's title, day) -> what was announced in it."""
    found = sorted({x.day for x in script.announced if announces(x.day)})
    return {(f"arXiv {c}", day): script.batch(c, day) for c in CATEGORIES for day in found}
