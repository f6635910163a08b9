"""A new version of the folding over rows in place: nothing stops, is lost or is mailed twice."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import select
from support.house import add, ingest_items, paper_item, rows

from service.cli import doctor_checks
from service.engine.embedded import Embedded
from service.flows import filing
from service.flows import refold as flow
from service.flows.daily import plan_daily
from service.flows.live import document_of
from service.flows.match import match_new
from service.flows.refold import RefoldReport, count_stale, refold, refold_some
from service.flows.runtime import Runtime
from service.matching import categories, compiled, document
from service.matching.compiled import COMPILED_VERSION, compile_query, load_query
from service.matching.parse import parse_query
from service.matching.query import QueryError
from service.store import foldings as foldings_store
from service.store.db import Session
from service.store.tables import MatchRow, PaperRow, ProfileRow, SentPaperRow
from service.text.fold import FOLD_VERSION

TITLES = [
    "Adapters that forget less",
    "Diffusion over graphs",
    "Robots fold towels",
    "Adapters, again",
]


@pytest.fixture
def furnished(rt: Runtime, tmp_path: Path) -> Runtime:
    add(rt, "ada@example.org", "adapters")
    add(rt, "ben@example.org", profile="source:hf robots OR id:2611.00002")
    ingest_items(rt, tmp_path, [paper_item(n, title) for n, title in enumerate(TITLES, 1)])
    match_new(rt)
    return rt


@pytest.fixture
def upgraded(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Go on as the next version of the folding."""

    def upgrade() -> None:
        for module in (document, compiled, filing, flow):
            monkeypatch.setattr(module, "FOLD_VERSION", FOLD_VERSION + 1)
        monkeypatch.setattr(flow, "COMPILED_VERSION", COMPILED_VERSION + 1000)

    return upgrade


def papers(rt: Runtime) -> list[PaperRow]:
    return rt.db.read(lambda s: list(s.exec(select(PaperRow).order_by(PaperRow.id)).all()))


def profiles(rt: Runtime) -> list[ProfileRow]:
    return rt.db.read(lambda s: list(s.exec(select(ProfileRow).order_by(ProfileRow.id)).all()))


def pairs(rt: Runtime) -> set[tuple[int, int]]:
    return rt.db.read(lambda s: {(m.profile_id, m.paper_id) for m in s.exec(select(MatchRow))})


def test_old_rows_are_matched_as_ever_and_then_made_new(
    furnished: Runtime, upgraded: Callable[[], None], tmp_path: Path
) -> None:
    rt, before = furnished, pairs(furnished)
    assert len(before) == 4
    documents = [document_of(row) for row in papers(rt)]
    matched = [row.matched_at for row in papers(rt)]
    upgraded()
    assert [document_of(row) for row in papers(rt)] == documents  # with names and sources
    stale = count_stale(rt)
    assert (stale.papers, stale.of_papers, stale.profiles, stale.of_profiles) == (4, 4, 2, 2)
    ingest_items(rt, tmp_path, [paper_item(5, "Adapters for robots")])
    match_new(rt)
    assert len(pairs(rt)) == 6  # matching did not wait
    report = refold(rt)
    assert (report.papers, report.profiles, report.changed, report.unreadable) == (4, 2, 0, 0)
    assert count_stale(rt).papers == count_stale(rt).profiles == 0
    assert [row.matched_at for row in papers(rt)][:4] == matched  # the words are the same
    assert {row.fold_version for row in papers(rt)} == {FOLD_VERSION + 1}
    for profile in profiles(rt):
        assert profile.compiled is not None
        assert load_query(profile.compiled).terms
    assert refold(rt) == RefoldReport()


def test_a_kill_in_the_middle_loses_one_chunk(
    furnished: Runtime, upgraded: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    rt = furnished
    upgraded()
    monkeypatch.setattr(flow, "CHUNK", 2)
    report = RefoldReport()
    assert refold_some(rt, report)  # the interests
    assert refold_some(rt, report)  # two papers
    whole = foldings_store.set_paper_words
    calls = 0

    def killed(session: Session, *args: Any, **values: Any) -> bool:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise KeyboardInterrupt
        return whole(session, *args, **values)

    monkeypatch.setattr(foldings_store, "set_paper_words", killed)
    with pytest.raises(KeyboardInterrupt):
        refold_some(rt, report)
    monkeypatch.setattr(foldings_store, "set_paper_words", whole)
    assert count_stale(rt).papers == 2  # nothing of the broken chunk
    before = pairs(rt)
    match_new(rt)
    assert pairs(rt) == before
    assert refold(rt).papers == 2
    assert count_stale(rt).papers == 0
    match_new(rt)
    assert pairs(rt) == before


def test_what_folds_differently_is_matched_anew_and_mailed_once(
    furnished: Runtime, upgraded: Callable[[], None]
) -> None:
    rt = furnished

    def as_of_old(session: Session) -> None:
        """The older folding found another word in the first paper, and the reader had the last."""
        row = session.get(PaperRow, 1)
        assert row is not None
        assert row.folded is not None
        folded = {**row.folded, "title": {**row.folded["title"], "stems": "x that forget less"}}
        session.execute(sa.update(PaperRow).where(PaperRow.id == 1).values(folded=folded))
        session.execute(sa.delete(MatchRow).where(MatchRow.paper_id == 1))
        session.add(SentPaperRow(subscriber_id=1, paper_id=4, at=rt.clock()))

    rt.db.write(as_of_old)
    upgraded()
    report = refold(rt)
    assert report.changed == 1
    assert [row.id for row in papers(rt) if row.matched_at is None] == [1]
    match_new(rt)
    assert (1, 1) in pairs(rt)
    plan_daily(rt)
    mails = {row.rcpt: row.content["papers"] for row in rows(rt) if row.content}
    assert mails["ada@example.org"] == [1]


def test_a_row_that_changes_meanwhile_keeps_its_change(
    furnished: Runtime, upgraded: Callable[[], None]
) -> None:
    rt = furnished
    upgraded()
    read = papers(rt)[0]
    rt.db.write(
        lambda s: s.execute(sa.update(PaperRow).where(PaperRow.id == 1).values(title="New"))
    )
    words = read.folded or {}
    assert not rt.db.write(
        lambda s: foldings_store.set_paper_words(s, read, words, FOLD_VERSION + 1, again=True)
    )
    refold(rt)
    row = papers(rt)[0]
    assert row.folded is not None
    assert (row.fold_version, row.folded["title"]["stems"]) == (FOLD_VERSION + 1, "new")


def test_newer_rows_are_left_alone_and_texts_that_are_read_no_more_rest(furnished: Runtime) -> None:
    rt = furnished
    newer = FOLD_VERSION + 7

    def change(session: Session) -> None:
        session.execute(sa.update(PaperRow).where(PaperRow.id == 1).values(fold_version=newer))
        session.execute(
            sa.update(ProfileRow).where(ProfileRow.id == 1).values(fold_version=0, text="((")
        )

    rt.db.write(change)
    rt.db.write(
        lambda s: s.execute(sa.update(ProfileRow).where(ProfileRow.id == 1).values(kind="query"))
    )
    report = refold(rt)
    assert (report.papers, report.profiles, report.unreadable) == (0, 0, 1)
    assert papers(rt)[0].fold_version == newer
    assert count_stale(rt).profiles == 1
    before = pairs(rt)
    match_new(rt)
    assert pairs(rt) == before


def test_a_paper_without_words_gets_its_names_and_sources(furnished: Runtime) -> None:
    rt = furnished
    old = papers(rt)[1].folded
    rt.db.write(
        lambda s: s.execute(
            sa.update(PaperRow).where(PaperRow.id == 2).values(folded=sa.null(), fold_version=0)
        )
    )
    assert refold(rt).papers == 1
    assert papers(rt)[1].folded == old


def test_texts_that_are_refused_today_are_read_again(furnished: Runtime) -> None:
    rt = furnished
    old = compile_query(parse_query("cat:cs.LGG OR adapters", stored=True))
    rt.db.write(
        lambda s: s.execute(
            sa.update(ProfileRow)
            .where(ProfileRow.id == 2)
            .values(kind="query", text="cat:cs.LGG OR adapters", fold_version=0, compiled=old)
        )
    )
    assert refold(rt).profiles == 1
    assert profiles(rt)[1].fold_version == COMPILED_VERSION


def test_categories_of_stored_papers_are_known(
    furnished: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(categories, "_seen", {})
    with pytest.raises(QueryError):
        parse_query("cat:cs.QQ")
    furnished.db.write(
        lambda s: s.execute(
            sa.update(PaperRow).where(PaperRow.id == 2).values(categories=["cs.QQ", "Soil Science"])
        )
    )
    flow.learn_categories(furnished)
    assert parse_query("cat:cs.QQ cat:soil")
    with pytest.raises(QueryError, match='Did you mean: cat:"Soil Science"\\?') as caught:
        parse_query('x cat:"soil sciense"')
    assert caught.value.suggestion == 'x cat:"Soil Science"'


def test_the_engine_does_it_beside_matching_and_doctor_says_how_far_it_is(
    furnished: Runtime,
    upgraded: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    rt = furnished
    assert doctor_checks._words(SimpleNamespace(runtime=rt)).level == "ok"  # type: ignore[arg-type]
    upgraded()
    told = doctor_checks._words(SimpleNamespace(runtime=rt))  # type: ignore[arg-type]
    assert told.level == "warn"
    assert told.says.startswith("4 of 4 papers and 2 of 2 interests are folded by an older version")
    monkeypatch.setattr(flow, "CHUNK", 1)
    engine = Embedded(rt)

    async def story() -> None:
        await engine.start()
        engine.enqueue("refold")
        await asyncio.to_thread(ingest_items, rt, tmp_path, [paper_item(9, "Adapters beside")])
        await asyncio.to_thread(match_new, rt)
        await engine.idle()
        await engine.stop()

    asyncio.run(story())
    assert count_stale(rt).papers == count_stale(rt).profiles == 0
    assert engine.stats()["refold"].failures == 0
    assert len(pairs(rt)) == 5
