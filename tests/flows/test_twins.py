"""Two papers that a third source names as one: whatever hung on the younger goes to the older."""

import asyncio
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from sqlmodel import select
from support.arrows import by_hand
from support.house import add, rows
from support.sightings import bring, seen, stored, told

from service.flows import compose
from service.flows.browse import read_paper
from service.flows.daily import plan_daily
from service.flows.match import match_new
from service.flows.runtime import Runtime
from service.flows.send import send_ready
from service.store.listing import get_feedback, set_feedback
from service.store.tables import (
    CarryRow,
    FeedbackRow,
    MatchRow,
    PaperRow,
    SentPaperRow,
    SightingRow,
)

JOURNAL = ("doi:10.1000/x", "guid:j:1")
PREPRINT = ("arxiv:2611.00001",)
BOTH = ("arxiv:2611.00001", "doi:10.1000/x")
TITLE = "Adapters that forget less"


def journal(rt: Runtime) -> None:
    bring(rt, "feed", seen(*JOURNAL, title=TITLE))


def preprint(rt: Runtime) -> None:
    bring(rt, "hf_daily", seen(*PREPRINT, title=TITLE, votes=4))


def joined(rt: Runtime) -> None:
    """A third source names both; nobody looks at its own words."""
    assert bring(rt, "arxiv_api", seen(*BOTH, title=TITLE)).new == 0


def send(rt: Runtime) -> int:
    return asyncio.run(send_ready(rt)).accepted


def test_who_had_either_gets_no_second_mail(rt: Runtime) -> None:
    for name in ("ada", "ben"):
        add(rt, f"{name}@example.org", "adapters")
    journal(rt)
    assert plan_daily(rt).ready == 2
    send(rt)
    rt.clock.go(days=1)  # type: ignore[attr-defined]
    preprint(rt)
    joined(rt)
    assert plan_daily(rt).skipped == {"nothing_new": 2}
    rt.clock.go(days=1)  # type: ignore[attr-defined]
    joined(rt)
    assert plan_daily(rt).skipped == {"nothing_new": 2}


@pytest.mark.slow
def test_who_had_neither_gets_one(rt: Runtime) -> None:
    """The older was never new to anybody; what the younger promised is kept."""
    bring(rt, "feed", seen(*JOURNAL, title="A title without the word"), verdict="known")
    preprint(rt)
    add(rt, "ada@example.org", "adapters")
    match_new(rt)
    joined(rt)
    assert plan_daily(rt).ready == 1
    (mail,) = rows(rt)
    assert mail.content is not None
    assert mail.content["papers"] == [1]
    assert send(rt) == 1


def test_a_merge_between_deciding_and_writing_loses_nothing_and_doubles_nothing(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(rt, "ada@example.org", "adapters")
    journal(rt)
    preprint(rt)
    match_new(rt)
    real, turns = compose.freeze, []

    def freeze(*args: object, **kwargs: object) -> object:
        turns.append(1)
        return real(*args, **kwargs)  # type: ignore[arg-type]

    decided = compose._compose_chunk

    def decide(*args: object) -> object:
        made = decided(*args)  # type: ignore[arg-type]
        if not turns:  # both are in the mail that was decided
            joined(rt)
        return made

    monkeypatch.setattr(compose, "freeze", freeze)
    monkeypatch.setattr(compose, "_compose_chunk", decide)
    assert plan_daily(rt).ready == 1
    assert len(turns) == 2
    (mail,) = rows(rt)
    assert mail.content is not None
    assert mail.content["papers"] == [1]
    assert send(rt) == 1
    monkeypatch.undo()
    rt.clock.go(days=1)  # type: ignore[attr-defined]
    assert plan_daily(rt).skipped == {"nothing_new": 1}


def test_a_twin_that_was_decided_alone_goes_out_and_counts(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mail names the younger; meanwhile it is the older, which counts as sent."""
    bring(rt, "feed", seen(*JOURNAL, title="No such word"), verdict="known")
    preprint(rt)
    add(rt, "ada@example.org", "adapters")
    assert plan_daily(rt).ready == 1
    joined(rt)
    assert send(rt) == 1
    rt.clock.go(days=1)  # type: ignore[attr-defined]
    assert plan_daily(rt).skipped == {"nothing_new": 1}


def test_names_sightings_matches_words_of_readers_and_events_follow(rt: Runtime) -> None:
    reader = add(rt, "ada@example.org", "adapters")
    journal(rt)
    preprint(rt)
    bring(rt, "hf_daily", seen(*PREPRINT, title=TITLE, votes=9))
    match_new(rt)
    at = datetime(2026, 11, 18, tzinfo=UTC)

    def hang(session: sa.orm.Session) -> None:
        set_feedback(session, reader, 1, -1, at)  # type: ignore[arg-type]
        set_feedback(session, reader, 2, 1, at.replace(hour=1))  # type: ignore[arg-type]

    rt.db.write(hang)  # type: ignore[arg-type]
    joined(rt)

    def papers_of(table: type) -> list[int]:
        found = rt.db.read(lambda s: s.execute(sa.select(table.paper_id)).all())  # type: ignore[attr-defined]
        return sorted(row[0] for row in found)

    assert papers_of(SightingRow) == [1, 1, 1]
    assert papers_of(MatchRow) == [1]
    assert papers_of(FeedbackRow) == [1]
    assert rt.db.read(lambda s: get_feedback(s, reader, 2)) == 1  # an old mail names the younger
    rt.db.write(lambda s: set_feedback(s, reader, 2, -1, at))
    assert rt.db.read(lambda s: get_feedback(s, reader, 1)) == -1
    assert papers_of(FeedbackRow) == [1]
    assert told(rt) == [("votes", "4 9"), ("merged", "arxiv:2611.00001")]
    (row,) = rt.db.read(stored)
    assert (row.id, row.votes) == (1, 9)
    assert read_paper(rt, "arxiv", "2611.00001").shown.paper.id == 1
    assert read_paper(rt, "guid", "j:1").shown.paper.id == 1


def test_what_is_carried_follows(rt: Runtime) -> None:
    bring(rt, "feed", seen(*JOURNAL, title="No such word"), verdict="known")
    preprint(rt)
    add(rt, "ada@example.org", "adapters")
    plan_daily(rt)
    (mail,) = rows(rt)
    failed = sa.text("UPDATE delivery SET state = 'failed', reason = 'no answer'")
    with by_hand():
        rt.db.write(lambda s: s.execute(failed))
    rt.db.write(lambda s: s.add(CarryRow(subscriber_id=1, paper_id=2, delivery_id=mail.id or 0)))
    joined(rt)
    carried = rt.db.read(lambda s: s.exec(select(CarryRow.paper_id)).all())
    assert carried == [1]


def test_a_burst_that_waits_is_news_when_another_source_has_it(rt: Runtime) -> None:
    bring(rt, "feed", seen(*JOURNAL, title=TITLE), verdict="held")
    preprint(rt)
    joined(rt)
    (row,) = rt.db.read(stored)
    assert row.eligible_at is not None
    held = rt.db.read(lambda s: s.exec(select(SightingRow).where(SightingRow.held)).all())
    assert held == []


def test_three_papers_become_one_and_the_old_addresses_lead_there(rt: Runtime) -> None:
    bring(rt, "feed", seen("guid:a"))
    bring(rt, "feed", seen("pmid:7"))
    bring(rt, "hf_daily", seen("arxiv:2611.00001"))
    bring(rt, "feed", seen("pmid:7", "arxiv:2611.00001"))
    bring(rt, "feed", seen("guid:a", "pmid:7"))
    (row,) = rt.db.read(stored)
    assert row.id == 1
    gone = rt.db.read(lambda s: s.exec(select(PaperRow.merged_into).where(PaperRow.id > 1)).all())  # type: ignore[operator]
    assert gone == [1, 1]
    for scheme, value in (("guid", "a"), ("pmid", "7"), ("arxiv", "2611.00001")):
        assert read_paper(rt, scheme, value).shown.paper.id == 1


@pytest.mark.postgres
def test_a_mail_accepted_while_its_paper_is_merged_counts_for_both(
    houses: tuple[Runtime, Runtime], database_url: str
) -> None:
    """The one process writes what was sent, the other merges: whoever waits sees the other."""
    if not database_url.startswith("postgresql"):
        pytest.skip("SQLite has one writer at a time")
    from concurrent.futures import ThreadPoolExecutor
    from time import sleep

    from service.store.sent import add_sent_papers
    from service.store.twins import merge_papers

    one, two = houses
    bring(one, "feed", seen(*JOURNAL, title="No such word"), verdict="known")
    bring(one, "hf_daily", seen(*PREPRINT, title=TITLE))
    add(one, "ada@example.org", "adapters")
    plan_daily(one)
    (mail,) = rows(one)

    def merge(session: object) -> None:
        merge_papers(session, 1, 2, one.clock())  # type: ignore[arg-type]
        sleep(0.5)

    with ThreadPoolExecutor(1) as pool:
        merging = pool.submit(two.db.write, merge)
        sleep(0.2)
        one.db.write(lambda s: add_sent_papers(s, mail.id or 0))
        merging.result()
    sent = one.db.read(lambda s: s.exec(select(SentPaperRow.paper_id)).all())
    assert set(sent) == {1, 2}


@pytest.mark.parametrize("change", ["other words", "a twin"])
def test_what_changes_while_it_is_compared_is_compared_again(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    add(rt, "ada@example.org", "glacier")
    bring(rt, "feed", seen("doi:10.1000/x", title="No such word"))
    real, turns = rt.index.score_many, []

    def compare(documents: object, statistics: object) -> object:
        found = iter(list(real(documents, statistics)))  # type: ignore[arg-type]
        if not turns:
            turns.append(1)
            if change == "a twin":
                bring(rt, "hf_daily", seen(*PREPRINT, title=TITLE, abstract="A glacier melts."))
                joined(rt)
            else:
                bring(rt, "feed", seen("doi:10.1000/x", abstract="A glacier melts."))
        return found

    monkeypatch.setattr(rt.index, "score_many", compare)
    match_new(rt)
    assert plan_daily(rt).ready == 1
