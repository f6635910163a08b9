"""The estimate of a day is what a daily of that day mails to a reader with this interest alone."""

import asyncio
import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.house import add, ingest_items, paper_item

from service.flows.daily import plan_daily
from service.flows.estimate import compare, estimate
from service.flows.ingest import ingest_files
from service.flows.letter import digest_of
from service.flows.live import query_of
from service.flows.runtime import Runtime
from service.flows.send import send_ready
from service.matching.counting import Asked
from service.matching.parse import parse_keywords, parse_query
from service.store.deliveries import list_deliveries
from service.store.subscribers import get_profile_row, get_subscriber_row, list_profile_rows

MON, TUE, WED = (date(2026, 11, day) for day in (16, 17, 18))


def mailed(rt: Runtime, email: str, on: date) -> int:
    """How many papers the daily of a date brought to a reader: in full, as lines, as a number."""
    plan_daily(rt, on)
    asyncio.run(send_ready(rt))
    reader = rt.db.read(lambda s: get_subscriber_row(s, email_key=email))
    assert reader is not None
    rows = rt.db.read(lambda s: list_deliveries(s, subscriber_id=reader.id, newest_first=True))
    content = rows[0].content or {}
    return sum(one.total for one in digest_of(rows[0]).sections) if "digest" in content else 0


def set_interest(rt: Runtime, reader_id: int, **values: Any) -> None:
    def change(session: Any) -> None:
        row = get_profile_row(session, list_profile_rows(session, reader_id)[0].id or 0)
        assert row is not None
        for name, value in values.items():
            setattr(row, name, value)
        row.changed_at, row.matched_at = rt.clock() + timedelta(seconds=1), None
        session.add(row)

    rt.db.write(change)


def atom(folder: Path, numbers: range) -> Path:
    """The same papers as another source lists them."""
    entries = "".join(
        f"<entry><id>http://arxiv.org/abs/2611.{n:05d}v1</id><title>Adapters, part {n}</title>"
        f"<summary>Invented, number {n}.</summary><author><name>Ana Silva</name></author>"
        "<published>2026-11-16T00:00:00Z</published><updated>2026-11-16T00:00:00Z</updated></entry>"
        for n in numbers
    )
    file = folder / "same.atom"
    file.write_text(f'<feed xmlns="http://www.w3.org/2005/Atom"><title>x</title>{entries}</feed>')
    return file


@pytest.mark.slow
def test_days_of_two_sources_with_a_past_equal_their_mails(rt: Runtime, tmp_path: Path) -> None:
    history = tmp_path / "past.json"
    history.write_text(json.dumps([paper_item(n, f"Adapters, part {n}") for n in range(900, 905)]))
    ingest_files(rt, "hf_daily", [history], on=MON, history=True)
    ingest_items(rt, tmp_path, [paper_item(910, "Adapters of Monday")], on=MON)
    many = [paper_item(n, f"Adapters, part {n}", "A survey." if n % 5 else "") for n in range(60)]
    ingest_items(rt, tmp_path, many, on=TUE)
    ingest_files(rt, "arxiv_api", [atom(tmp_path, range(0, 60, 5))], on=TUE)
    ingest_items(rt, tmp_path, [paper_item(950, "Robots"), paper_item(951, "Adapters")], on=WED)
    add(rt, "ada@example.org", "adapters, -survey")
    made = estimate(rt, Asked(parse_keywords("adapters, -survey")), 10)
    assert (made.basis_known, made.known) == (5, 5)
    assert made.estimate.basis_papers == 5 + 1 + 60 + 2
    assert made.estimate.removed_by_not == {"survey": 48}
    told = made.estimate.per_day
    assert (told[MON], told[TUE], told[WED]) == (6, 12, 1)
    assert [mailed(rt, "ada@example.org", day) for day in (MON, TUE, WED)] == [
        told[MON] - made.known, told[TUE], told[WED],
    ]  # fmt: skip


def test_a_mail_of_more_than_forty_papers_counts_them_all(rt: Runtime, tmp_path: Path) -> None:
    items = [paper_item(n, f"Adapters, part {n}") for n in range(55)]
    ingest_items(rt, tmp_path, items, on=WED)
    reader_id = add(rt, "ada@example.org", "adapters")
    set_interest(rt, reader_id, cap=3)
    made = estimate(rt, Asked(parse_keywords("adapters")))
    assert made.estimate.warning == "broad"
    assert mailed(rt, "ada@example.org", WED) == made.estimate.per_day[WED] == 55


def test_a_threshold_and_own_papers_count_as_in_the_mail(rt: Runtime, tmp_path: Path) -> None:
    items = [
        paper_item(
            n,
            "Adapters" if n % 2 else "Robots",
            "Nothing." if n % 2 else "They use adapters.",
            votes=n,
            authors=[{"name": "Eva Berg" if n % 3 else "Ana Silva"}],
        )
        for n in range(1, 21)
    ]
    ingest_items(rt, tmp_path, [*items, paper_item(99, "Cats")], on=WED)
    reader_id = add(rt, "ada@example.org", "adapters")
    plain = estimate(rt, Asked(parse_keywords("adapters"))).estimate
    scores = sorted(one.score for one in plain.best)
    threshold = scores[0] - 0.5
    set_interest(rt, reader_id, threshold=threshold, options={"own": "Ana Silva"}, compiled=None)
    asked = Asked(parse_keywords("adapters"), threshold, "Ana Silva")
    made = estimate(rt, asked).estimate
    assert 0 < made.per_day[WED] < 14 < plain.per_day[WED]
    assert mailed(rt, "ada@example.org", WED) == made.per_day[WED] == made.total
    row = rt.db.read(lambda s: list_profile_rows(s, reader_id))[0]
    stored = query_of(row.kind, row.text, row.compiled, row.options)
    assert stored is not None
    assert estimate(rt, Asked(stored, threshold)).estimate.per_day == made.per_day


def test_a_change_is_told_before_it_is_saved_and_comes_true(rt: Runtime, tmp_path: Path) -> None:
    items = [
        paper_item(1, "Adapters"),
        paper_item(2, "Adapters for robots"),
        paper_item(3, "Robots"),
    ]
    ingest_items(rt, tmp_path, [*items, paper_item(4, "Cats")], on=WED)
    change = compare(rt, Asked(parse_keywords("adapters")), Asked(parse_query("robots")))
    told = change.difference
    assert (told.before, told.after, told.added, told.removed) == (2, 2, 1, 1)
    assert (change.basis, len(change.days)) == (4, 1)
    assert [change.titles[f.paper_id] for f in told.best_added] == ["Robots"]
    assert [change.titles[f.paper_id] for f in told.best_removed] == ["Adapters"]
    low = Asked(parse_keywords("adapters"), threshold=0.01)
    assert compare(rt, low, Asked(parse_query("robots"))).difference == told
    high = compare(rt, low, replace(low, threshold=100.0)).difference
    assert (high.added, high.removed, high.after) == (0, 2, 0)
    add(rt, "old@example.org", "adapters")
    add(rt, "new@example.org", "robots")
    assert mailed(rt, "old@example.org", WED) == told.before
    assert mailed(rt, "new@example.org", WED) == told.after
