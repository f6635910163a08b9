"""What readers want is counted: terms by their folded form, noisy and dead interests, what each
source brings; on both databases."""

import asyncio
from datetime import date
from pathlib import Path

import pytest
from support.house import add, ingest_items, open_house, paper_item
from support.polling import arxiv_feed
from support.statements import noted

from service.engine.embedded import Embedded
from service.flows.census import count_interests
from service.flows.contribution import list_shares
from service.flows.ingest import ingest_files
from service.flows.leave import erase_row
from service.flows.match import match_new
from service.flows.runtime import Runtime
from service.flows.workbench import ask_count
from service.store import workbench as store
from service.store.tables import SubscriberRow

WEDNESDAY = date(2026, 11, 18)


@pytest.fixture
def rt(tmp_path: Path, database_url: str):
    with open_house(tmp_path, database_url=database_url) as house:
        yield house.runtime


def terms(rt: Runtime, **how):
    total, rows = rt.db.read(lambda s: store.list_terms(s, **how))
    return total, [(r.shown, r.kind, r.readers, r.interests, r.papers, r.brings) for r in rows]


def test_terms_interests_and_sources_are_counted(rt: Runtime, tmp_path: Path) -> None:
    add(rt, "ada@example.org", "adapters, low-rank factors, -survey")
    add(rt, "bo@example.org", "Adapter")
    add(rt, "cy@example.org", "", people="Ana Silva")
    add(rt, "dee@example.org", "unicorns")
    add(rt, "eve@example.org")  # the most-voted papers: no words
    items = [paper_item(n, f"Adapters, part {n}") for n in (1, 2)]
    ingest_items(rt, tmp_path, [*items, paper_item(3, "Towels", authors=[{"name": "Bo Chen"}])])
    feed = tmp_path / "rss.xml"
    feed.write_bytes(
        arxiv_feed(
            "cs.CL",
            [
                ("2611.00001", "Adapters, part 1", "new"),
                ("2611.00009", "Low rank factors", "new"),
            ],
        )
    )
    ingest_files(rt, "arxiv_rss", [feed], on=WEDNESDAY)
    match_new(rt)
    made = count_interests(rt, by="mia", address="127.0.0.1")
    assert (made.readers, made.interests, made.papers) == (5, 4, 4)
    total, rows = terms(rt)
    assert total == 4
    for sort in ("-readers", "term"):
        each = [terms(rt, sort=sort, limit=1, offset=n)[1] for n in range(total + 2)]
        assert each == [*([row] for row in terms(rt, sort=sort)[1]), [], []], "from either end"
    assert rows[0] == ("adapters", "words", 2, 2, 2, 4), "singular and plural are one term"
    assert ("Ana Silva", "person", 1, 1, 3, 3) in rows
    assert not any("survey" in row[0] for row in rows), "what is left out is no wish"
    assert terms(rt, never=True)[1] == [("unicorns", "words", 1, 1, 0, 0)]
    assert terms(rt, words="LOW", sort="term")[0] == 1
    assert terms(rt, kind="person", sort="-brings")[0] == 1

    def lines(**how):
        total, rows = rt.db.read(lambda s: store.list_lines(s, **how))
        return total, [(r.email, r.papers) for r in rows]

    assert lines(most=0) == (1, [("dee@example.org", 0)])
    assert lines(least=3, sort="email") == (2, [("ada@example.org", 3), ("cy@example.org", 3)])
    assert lines(sort="email", limit=2, offset=1)[1] == [
        ("bo@example.org", 2),
        ("cy@example.org", 3),
    ]
    for how in ({"sort": "-papers"}, {"sort": "made"}, {"words": "a", "sort": "email"}):
        total, every = lines(**how)
        each = [lines(**how, limit=1, offset=n)[1] for n in range(total + 2)]
        assert each == [*([row] for row in every), [], []], "from either end"
    assert lines(words="dapter")[0] == 2
    add(rt, "new@example.org", "towels")
    assert lines(words="new@")[1] == [("new@example.org", None)], "made since the count"

    shares = {(one.title, one.category): one for one in list_shares(rt)}
    lists, arxiv = (
        shares[name, ""] for name in ("Hugging Face Daily Papers", "arXiv announcements")
    )
    assert (lists.papers, lists.matched, lists.alone, lists.alone_matched) == (3, 2, 2, 1)
    assert (arxiv.papers, arxiv.matched, arxiv.alone, arxiv.alone_matched) == (2, 2, 1, 1)
    assert (lists.readers, lists.only_readers, arxiv.readers) == (3, 0, 3)
    assert shares["arXiv announcements", "cs.CL"].papers == 2
    run = rt.db.read(store.get_run)
    assert (run.readers, run.papers, run.pairs) == (5, 4, made.pairs)


def test_interests_are_counted_without_their_words(rt: Runtime) -> None:
    add(rt, "ada@example.org", "adapters")
    with noted(rt.db.engine) as seen:
        assert rt.db.read(lambda s: store.list_lines(s))[0] == 1
    statement, values = next(one for one in seen if "count(*)" in one[0])
    if rt.db.engine.dialect.name == "postgresql":
        pytest.skip("PostgreSQL chooses its way by what it counted")
    with rt.db.engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        assert "SCAN profile USING COVERING INDEX ix_profile_asking" in [row[-1] for row in plan]


def test_a_count_again_forgets_who_left(rt: Runtime, tmp_path: Path) -> None:
    reader = add(rt, "ada@example.org", "adapters")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters that forget less")])
    match_new(rt)
    count_interests(rt)
    rt.db.write(lambda s: erase_row(rt, s, s.get(SubscriberRow, reader), by="mia"))
    assert rt.db.read(lambda s: store.list_lines(s, most=1000))[0] == 0
    count_interests(rt)
    assert terms(rt) == (0, [])


def test_a_count_that_was_asked_for_is_made_by_the_next_sweep(rt: Runtime) -> None:
    add(rt, "ada@example.org", "adapters")
    ask_count(rt, by="mia")  # in a process that ends here

    engine = Embedded(rt)

    async def swept() -> None:
        await engine.start()
        engine.enqueue("sweep")
        await engine.idle()
        await engine.stop()

    asyncio.run(swept())
    run = rt.db.read(store.get_run)
    assert run is not None
    assert run.interests == 1
    runs = engine.stats()["census"].runs
    asyncio.run(swept())
    assert (runs, engine.stats()["census"].runs) == (1, 1), "counted once"
