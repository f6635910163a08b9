"""A house whose sources live on a web site of the test's own, and a clock that the test turns."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select
from support.house import hasten, lay_database
from support.web_site import WebSite

from service.flows.poll import poll_due
from service.flows.runtime import NoEngine, Runtime
from service.settings import load_settings
from service.sources import arxiv_api, arxiv_oai, arxiv_rss, biorxiv, hf_daily
from service.sources.adapter import Request
from service.sources.parse_pool import parse_here
from service.store import sources as sources_store
from service.store.tables import PaperRow, SourceDayRow, SourceRow
from service.wiring import House

PUB = "Mon, 16 Nov 2026 00:00:00 -0500"


class Clock:
    """Aware UTC that moves only when told to; sleeping turns it."""

    def __init__(self, text: str = "2026-11-18T09:00:00") -> None:
        self.now = datetime.fromisoformat(text).replace(tzinfo=UTC)
        self.slept: list[float] = []

    def __call__(self) -> datetime:
        return self.now

    def set(self, text: str) -> None:
        self.now = datetime.fromisoformat(text).replace(tzinfo=UTC)

    def turn(self, **values: float) -> None:
        self.now += timedelta(**values)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)


@contextmanager
def polling_house(folder: Path, clock: Clock, **values: Any) -> Iterator[House]:
    """A house on a new database; captures are parsed here, private addresses may be asked."""
    chosen = load_settings(None, data_dir=folder, timezone="UTC", **values)
    lay_database(chosen)
    house = House(chosen, clock=clock, allow_private=True)
    hasten(house.db.engine)
    house.runtime.parse = lambda kind, body, day: parse_here(kind, body, day=day)
    try:
        yield house
    finally:
        house.close()


@pytest.fixture
def polled_rt(tmp_path: Path, clock: Clock) -> Iterator[Runtime]:
    """The house of a test that turns ``clock``; for a module that says ``rt = polled_rt``."""
    with polling_house(tmp_path, clock) as house:
        yield house.runtime


class Wakes(NoEngine):
    """An engine that writes down who was woken."""

    def __init__(self) -> None:
        self.tasks: list[str] = []

    def enqueue(self, task: str, ids: tuple[int, ...] = (), *, priority: int = 5) -> None:
        self.tasks.append(task)


def poll(rt: Runtime, clock: Clock, only: int | None = None) -> list[dict[str, Any]]:
    """One poll; its waits turn the clock instead of taking time."""
    return asyncio.run(poll_due(rt, only, sleep=clock.sleep))


def papers(rt: Runtime) -> dict[str, bool]:
    """Title -> whether it counts as new."""
    rows = rt.db.read(lambda s: s.exec(select(PaperRow)).all())
    return {row.title: row.eligible_at is not None for row in rows}


def ledger(rt: Runtime, source_id: int = 1) -> dict[date, SourceDayRow]:
    """Day -> ledger row of a source."""
    rows = rt.db.read(lambda s: sources_store.list_source_days(s, date(2026, 1, 1), source_id))
    return {row.day: row for row in rows}


def source(rt: Runtime, source_id: int = 1) -> SourceRow:
    """The row of a source."""
    row = rt.db.read(lambda s: sources_store.get_source(s, source_id))
    assert row is not None
    return row


def lead_home(site: WebSite, patch: pytest.MonkeyPatch) -> None:
    """The adapters ask the test's own site instead of Hugging Face and arXiv."""
    patch.setattr(hf_daily, "_ADDRESS", f"{site.base}/api/daily_papers")
    patch.setattr(arxiv_api, "_ADDRESS", f"{site.base}/api/query")
    patch.setattr(arxiv_oai, "_ADDRESS", f"{site.base}/oai")
    patch.setattr(biorxiv, "_ADDRESS", f"{site.base}/details")

    def requests(
        self: arxiv_rss.ArxivRss, params: dict[str, str], *, today: Any, days: tuple[Any, ...] = ()
    ) -> tuple[Request, ...]:
        return () if days else (Request(f"{site.base}/rss/{params['category']}"),)

    patch.setattr(arxiv_rss.ArxivRss, "requests", requests)


def hf_item(number: str, title: str, day: str, **paper: Any) -> dict[str, Any]:
    """One invented entry of a daily list."""
    entry = {
        "id": number,
        "title": title,
        "summary": f"About {title}.",
        "authors": [{"name": "Ana Silva"}, {"name": "Bo Chen"}],
        "publishedAt": f"{day}T00:00:00.000Z",
        "submittedOnDailyAt": f"{day}T00:00:00.000Z",
        "upvotes": 3,
        **paper,
    }
    return {"paper": entry, "title": title, "numComments": 1}


def hf_lists(lists: dict[str, list[dict[str, Any]]], *, takes_weeks: bool = True) -> Any:
    """Answers of the daily papers' address: by date or week, in pages; a day that is not open yet
    says 400, and so does a week where weeks are not taken."""

    def answer(query: dict[str, str], headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        days = [query["date"]] if "date" in query else _days_of_week(query["week"])
        known = [day for day in days if day in lists]
        if ("week" in query and not takes_weeks) or ("date" in query and not known):
            return 400, {}, b'{"error":"not yet"}'
        size, page = int(query["limit"]), int(query["p"])
        found = [item for day in known for item in lists[day]]
        return 200, {}, json.dumps(found[page * size : (page + 1) * size]).encode()

    return answer


def _days_of_week(week: str) -> list[str]:
    year, _, number = week.partition("-W")
    return [f"{date.fromisocalendar(int(year), int(number), n)}" for n in range(7, 0, -1)]


def arxiv_feed(category: str, items: list[tuple[str, str, str]], pub: str = PUB) -> bytes:
    """An invented announcement: (id, title, announce type) each."""
    entries = "".join(
        f"""<item><title>{title}</title><link>https://arxiv.org/abs/{number}</link>
<description>arXiv:{number}v1 Announce Type: {kind} \nAbstract: About {title}.</description>
<guid isPermaLink="false">oai:arXiv.org:{number}v1</guid><category>{category}</category>
<arxiv:announce_type>{kind}</arxiv:announce_type><dc:creator>Ana Silva, Bo Chen</dc:creator>
</item>"""
        for number, title, kind in items
    )
    return f"""<?xml version='1.0' encoding='UTF-8'?>
<rss xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:dc="http://purl.org/dc/elements/1.1/"
 version="2.0"><channel><title>{category} updates on arXiv.org</title>
<link>http://rss.arxiv.org/rss/{category}</link><description>{category}</description>
<lastBuildDate>{pub}</lastBuildDate><pubDate>{pub}</pubDate>{entries}</channel></rss>""".encode()


def arxiv_answer(items: list[tuple[str, str, str]], category: str = "cs.CL") -> bytes:
    """An invented answer of the query interface: (id, title, day of version 1) each."""
    entries = "".join(
        f"""<entry><id>http://arxiv.org/abs/{number}v1</id><title>{title}</title>
<published>{day}T10:00:00Z</published><updated>{day}T10:00:00Z</updated>
<summary>About {title}.</summary><author><name>Ana Silva</name></author>
<arxiv:primary_category term="{category}"/><category term="{category}"/></entry>"""
        for number, title, day in items
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:arxiv="http://arxiv.org/schemas/atom"
 xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/"><title>arXiv Query</title>
<id>http://arxiv.org/api/1</id><opensearch:totalResults>{len(items)}</opensearch:totalResults>
{entries}</feed>""".encode()


def rss_feed(items: list[tuple[str, str, str]], title: str = "Journal of Tests") -> bytes:
    """An invented journal: (guid, title, day) each."""
    entries = "".join(
        f"<item><title>{name}</title><link>https://journal.example/{guid}</link>"
        f"<guid>https://journal.example/{guid}</guid><description>About {name}.</description>"
        f"<pubDate>{datetime.fromisoformat(day):%a, %d %b %Y} 06:00:00 GMT</pubDate></item>"
        for guid, name, day in items
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>{title}</title>'
        f"<link>https://journal.example/</link><description>d</description>{entries}"
        "</channel></rss>"
    ).encode()
