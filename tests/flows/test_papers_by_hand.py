"""A person hides a paper, shows it again, joins two and parts them: on both databases."""

from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import select
from support.house import add, ingest_items, open_house, paper_item, rows

from service.flows.daily import plan_daily
from service.flows.hidden import (
    NoPaperError,
    PaperError,
    hide_paper,
    show_again,
    take_out_hidden,
)
from service.flows.joined import join_papers, part_papers, plan_join
from service.flows.match import match_new
from service.flows.paper_desk import read_paper
from service.flows.runtime import Runtime
from service.flows.search import search
from service.store import papers as papers_store
from service.store.desk_tables import PickRow, SubmissionRow, VoteRow
from service.store.house_tables import AuditRow
from service.store.tables import (
    MatchRow,
    PaperAliasRow,
    PaperRow,
    SentPaperRow,
    SightingRow,
)

WEDNESDAY = date(2026, 11, 18)


@pytest.fixture
def rt(tmp_path: Path, database_url: str):
    with open_house(tmp_path, database_url=database_url) as house:
        yield house.runtime


def ids(rt: Runtime) -> dict[str, int]:
    """Every stored paper by its title."""
    return {r.title: r.id for r in rt.db.read(lambda s: s.exec(select(PaperRow)).all())}


def audit(rt: Runtime) -> AuditRow:
    return rt.db.read(lambda s: s.exec(select(AuditRow).order_by(AuditRow.id.desc())).first())


def test_a_hidden_paper_leaves_search_and_mails_that_no_server_has_seen(
    rt: Runtime, tmp_path: Path
) -> None:
    add(rt, "ada@example.org", "adapters")
    add(rt, "bo@example.org", "towels")
    items = [paper_item(1, "Adapters that forget less"), paper_item(2, "Adapters fold towels")]
    ingest_items(rt, tmp_path, items)
    plan_daily(rt)
    towels = ids(rt)["Adapters fold towels"]
    made = hide_paper(rt, towels, "  spam ", by="mia", address="127.0.0.1")
    assert (made.changed, made.mails, made.left) == (True, 2, 0)
    assert [p.paper.title for p in search(rt, "adapters").papers] == ["Adapters that forget less"]
    ada, bo = rows(rt)
    assert (ada.state, ada.content["papers"]) == ("ready", [ids(rt)["Adapters that forget less"]])
    assert ada.content["digest"]["matched"] == 1
    assert (bo.state, bo.reason) == ("skipped", "hidden")
    act = audit(rt)
    assert (act.who, act.what, act.reason, act.address) == (
        "mia", "hide paper", "spam", "127.0.0.1")  # fmt: skip
    assert (act.before["hidden"], act.after["hidden"]) == ("", "spam")
    assert not hide_paper(rt, towels, "spam", by="mia").changed
    # who subscribes now never hears of it; shown again, it meets everybody
    add(rt, "cy@example.org", "towels")
    match_new(rt)
    assert show_again(rt, towels, by="mia").changed
    assert not show_again(rt, towels, by="mia").changed
    assert search(rt, "towels").total == 1
    assert rt.db.read(
        lambda s: s.scalar(
            sa.select(sa.func.count()).select_from(MatchRow).where(MatchRow.paper_id == towels)
        )
    ) == 3  # fmt: skip


def test_a_mail_that_a_server_has_seen_keeps_its_bytes(rt: Runtime, tmp_path: Path) -> None:
    add(rt, "ada@example.org", "adapters")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters that forget less")])
    plan_daily(rt)
    rt.db.write(lambda s: s.execute(sa.text("UPDATE delivery SET body_sha = 'x', attempts = 1")))
    made = hide_paper(rt, 1, "wrong", by="mia")
    assert (made.mails, made.left) == (0, 1)
    assert take_out_hidden(rt) == 0
    assert rows(rt)[0].content["papers"] == [1]


@pytest.mark.parametrize(("paper", "reason"), [(99, "x"), (1, " "), (1, "y" * 400)])
def test_what_cannot_be_hidden_says_why(rt: Runtime, tmp_path: Path, paper, reason) -> None:
    ingest_items(rt, tmp_path, [paper_item(1, "One")])
    with pytest.raises((NoPaperError, PaperError)) as caught:
        hide_paper(rt, paper, reason, by="mia")
    assert caught.value.next_step
    assert rt.db.read(lambda s: s.get(PaperRow, 1)).quarantined == ""


def two_papers(rt: Runtime, tmp_path: Path) -> tuple[int, int]:
    """Listed on a Tuesday and a Wednesday; the second has more votes, a reader had the second, and
    the staff and readers said something of it."""
    add(rt, "ada@example.org", "adapters")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters that forget less", votes=2)],
                 on=date(2026, 11, 17))  # fmt: skip
    ingest_items(rt, tmp_path, [paper_item(2, "Adapters which forget less", votes=8)], WEDNESDAY)
    first, second = sorted(ids(rt).values())

    def said(session):
        session.add(SentPaperRow(subscriber_id=1, paper_id=second))
        session.add(VoteRow(paper_id=second, subscriber_id=1, at=rt.clock()))
        session.add(PickRow(day=WEDNESDAY, paper_id=second, at=rt.clock()))
        session.add(SubmissionRow(at=rt.clock(), subscriber_id=1, paper_id=second))

    rt.db.write(said)
    match_new(rt)
    return first, second


def facts(rt: Runtime, *papers: int):
    """What hangs on papers, and what they say."""

    def load(session):
        names = {(a.scheme, a.value): a.paper_id for a in session.exec(select(PaperAliasRow))}
        seen = sorted((s.paper_id, s.listed_on) for s in session.exec(select(SightingRow)))
        values = papers_store.get_papers(session, papers)
        return names, seen, {i: (values[i].title, values[i].votes) for i in papers}

    return rt.db.read(load)


def test_two_papers_become_one_and_two_again(rt: Runtime, tmp_path: Path) -> None:
    first, second = two_papers(rt, tmp_path)
    before = facts(rt, first, second)
    plan = plan_join(rt, first, second)
    votes = next(one for one in plan.differences if one.field == "votes")
    assert (votes.keep, votes.gone, votes.made) == (2, 8, 8)
    assert "arXiv id" in plan.warnings[0]
    assert plan.counts[second].readers == 1
    assert facts(rt, first, second) == before, "looking changes nothing"

    join = join_papers(rt, first, second, "the same work", by="mia")
    names, seen, values = facts(rt, first)
    assert set(names.values()) == {first}
    assert {paper for paper, _ in seen} == {first}
    assert values[first][1] == 8

    def hangs(session):
        return [
            [row.paper_id for row in session.exec(select(table))]
            for table in (VoteRow, PickRow, SubmissionRow, MatchRow)
        ], sorted(row.paper_id for row in session.exec(select(SentPaperRow)))

    assert rt.db.read(hangs) == ([[first]] * 4, [first, second])
    assert audit(rt).what == "join papers"
    assert search(rt, "adapters").total == 1
    with pytest.raises(PaperError, match="joined with"):
        plan_join(rt, first, second)

    rt.clock.go(minutes=5)  # type: ignore[attr-defined]
    assert part_papers(rt, join, "two after all", by="mia") == (first, second)
    assert facts(rt, first, second) == before
    (on_table, sent) = rt.db.read(hangs)
    assert on_table[:3] == [[first]] * 3, "what people said stays with the one that was kept"
    assert sorted(on_table[3]) == [first, second], "both meet the interests again"
    assert sent == [first, second], "who had either has had both"
    assert search(rt, "adapters").total == 2
    story = [(one.what, one.by) for one in read_paper(rt, first).story]
    assert story[0] == (f"parted from paper {second}", "mia")
    assert story.count((f"joined with paper {second}", "mia")) == 1
    assert any(what.startswith("picked for ") for what, _ in story)
    assert ("proposed by a reader", "") in story
    with pytest.raises(PaperError, match="no such join"):
        part_papers(rt, join, "again", by="mia")
