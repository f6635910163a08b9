"""The days of a source as people read them, and what is wrong with it in plain words."""

import ast
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import Session
from support.polling import Clock, Wakes, polling_house

import service.flows.asking
import service.sources.fetch
from service.flows import sources as flow
from service.flows.runtime import Runtime
from service.flows.source_days import NoSourceError, read_days
from service.flows.source_health import read_paces, read_source, read_sources
from service.sources.trouble import reason_of, trouble_of
from service.store import sources as sources_store
from service.store.pace import claim_turn, end_turn

TODAY = date(2026, 11, 18)
"""A Wednesday, as the clock of polls begins."""


@pytest.fixture
def rt(tmp_path: Path) -> Iterator[Runtime]:
    with polling_house(tmp_path, Clock()) as house:
        house.runtime.engine = Wakes()
        yield house.runtime


def add(rt: Runtime, kind: str, what: str = "", *, since: int = 20) -> int:
    """A source that was added ``since`` days ago."""
    made = flow.add_source(rt, kind, what, history_days=0)

    def backdate(session: Session) -> None:
        row = sources_store.get_source(session, made["id"])
        assert row is not None
        row.created_at -= timedelta(days=since)
        session.add(row)

    rt.db.write(backdate)
    return int(made["id"])


def tell(rt: Runtime, source: int, back: int, **facts: object) -> None:
    """Write the ledger row of a day ``back`` days ago."""

    def write(session: Session) -> None:
        row = sources_store.get_source_day(session, source, TODAY - timedelta(days=back))
        row.sqlmodel_update(facts)
        session.add(row)

    rt.db.write(write)


def test_every_day_of_the_calendar_has_a_sign_and_a_word(rt: Runtime) -> None:
    source = add(rt, "hf_daily")
    asked = datetime(2026, 11, 18, 8, tzinfo=UTC)
    tell(rt, source, 0, state="open", items=23, new=23, polled_at=asked)
    tell(rt, source, 1, state="open", items=40, new=38, known=2)
    tell(rt, source, 2, state="failed")
    tell(rt, source, 4, state="none", expected=False)  # Saturday
    tell(rt, source, 5, state="wanted")
    days = read_days(rt, source, 7)
    assert [(one.day.day, one.sign, one.word) for one in days] == [
        (18, "open", "growing"),
        (17, "complete", "complete"),
        (16, "failed", "failed"),
        (15, "empty", "no list"),
        (14, "empty", "no list"),
        (13, "none", "to fetch"),
        (12, "none", "not asked"),
    ]
    assert (days[0].says, days[0].asked_at) == ("23 papers so far.", asked)
    assert (days[1].items, days[1].new, days[1].known, days[1].expected) == (40, 38, 2, True)
    assert not days[3].expected


def test_a_feed_is_told_by_what_was_new(rt: Runtime) -> None:
    source = add(rt, "feed", "https://a.example/rss")
    tell(rt, source, 1, state="open", expected=False, items=12, new=1, known=11)
    tell(rt, source, 2, state="open", expected=False, items=12, known=12)
    said = {one.day: (one.sign, one.word, one.says) for one in read_days(rt, source, 3)}
    assert said[TODAY - timedelta(days=1)] == ("complete", "1 new", "1 new paper.")
    assert said[TODAY - timedelta(days=2)][1] == "no news"


def test_days_before_a_source_was_added_are_left_out(rt: Runtime) -> None:
    source = add(rt, "arxiv_rss", "cs.CL", since=1)
    assert len(read_days(rt, source, 28)) == 2
    tell(rt, source, 9, state="history", items=300)
    days = read_days(rt, source, 28)
    assert (len(days), days[-1].word) == (10, "fetched")
    with pytest.raises(NoSourceError, match="no source 99"):
        read_days(rt, 99, 7)


def test_an_unhappy_source_says_since_when_and_what_to_do(rt: Runtime) -> None:
    source = add(rt, "feed", "https://secret.example/inside/rss")
    last = datetime(2026, 11, 15, 4, tzinfo=UTC)

    def fail(session: Session) -> None:
        row = sources_store.get_source(session, source)
        assert row is not None
        row.state, row.failures, row.last_poll_at = "failing", 7, last
        row.last_error = "the server answered 404 Not Found at https://secret.example/inside/rss"
        session.add(row)

    rt.db.write(fail)
    made = read_source(rt, source)
    assert (made.sign, made.word, made.since) == ("failed", "no answer", last)
    assert made.trouble is not None
    assert made.trouble.what == "There is nothing at its address any more."
    assert "new address" in made.trouble.to_do
    assert "secret" not in f"{made.trouble.what}{made.trouble.by_itself}{made.trouble.to_do}"


def test_the_pace_of_its_server_stands_with_each_source(rt: Runtime) -> None:
    add(rt, "arxiv_rss", "cs.CL")
    add(rt, "arxiv_api", "cat:cs.LG")
    add(rt, "feed", "https://a.example/rss")
    for key in ("arxiv", "a.example"):
        rt.db.write(
            lambda s, key=key: claim_turn(  # type: ignore[misc]
                s, "fetch", key, now=rt.clock(), gap=timedelta(seconds=3), hold=timedelta(seconds=9)
            )
        )
    paces = [one.pace for one in read_sources(rt)]
    assert [(pace.key, pace.today) for pace in paces if pace] == [
        ("arxiv", 1), ("arxiv", 1), ("a.example", 1),
    ]  # fmt: skip


def test_a_wait_that_is_over_is_not_told(rt: Runtime) -> None:
    until = rt.clock() + timedelta(minutes=5)
    wait = timedelta(seconds=1)
    rt.db.write(lambda s: claim_turn(s, "fetch", "x.example", now=rt.clock(), gap=wait, hold=wait))
    rt.db.write(lambda s: end_turn(s, "fetch", "x.example", paused_until=until))
    assert read_paces(rt)[0].paused_until == until
    assert isinstance(rt.clock, Clock)
    rt.clock.turn(minutes=5)
    assert read_paces(rt)[0].paused_until is None


def reasons() -> list[str]:
    """Every text that stands as the reason of a failure in the code that asks."""
    found = []
    for module in (service.sources.fetch, service.flows.asking):
        assert module.__file__ is not None
        for node in ast.walk(ast.parse(Path(module.__file__).read_text("utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "reason":
                parts = node.value.values if isinstance(node.value, ast.JoinedStr) else [node.value]
                text = "".join(
                    str(p.value) if isinstance(p, ast.Constant) else "404" for p in parts
                )
                found += [text] if isinstance(parts[0], ast.Constant) else []
    return found


def test_every_reason_of_the_fetcher_has_plain_words() -> None:
    known = reasons()
    assert len(known) >= 6
    other = reason_of("something else")
    unread = [text for text in known if reason_of(text) == other]
    assert [text for text in unread if "can be read" not in text] == []


@pytest.mark.parametrize(
    ("reason", "says"),
    [
        ('This is a web page, no feed ("Log in").', "a web page"),
        ("The answer is empty.", "nothing at all"),
        ("no connection: [Errno -2] Name or service not known", "this name"),
        ("no connection: the certificate of this server is not trusted (expired)", "prove"),
        ("no connection: this server shows a certificate of an unknown authority", "unknown auth"),
        ("Its entities unfold to more than 16 MB (an XML bomb).", "fill the memory"),
        ("no connection: [Errno 111] Connection refused", "cannot be reached"),
        ("the server answered 429 Too Many Requests", "come back later"),
        ("the server answered 502 Bad Gateway", "fault of its own"),
        ("arXiv answered with an error: unknown category", "does not understand"),
        ("Parsing was ended after 10 seconds.", "too large or too tangled"),
        ("none of its 3 items can be read: it has no title", "cannot be read"),
    ],
)
def test_a_reason_is_told_in_plain_words(reason: str, says: str) -> None:
    assert says in reason_of(reason)[0]


@pytest.mark.parametrize(
    ("kind", "state", "facts", "says"),
    [
        ("arxiv_rss", "late", {}, "has not come yet"),
        ("arxiv_rss", "stale", {}, "earlier day"),
        ("hf_daily", "late", {}, "still empty"),
        ("feed", "silent", {}, "three times its usual gap"),
        ("feed", "gone", {}, "gone for good"),
        ("feed", "ok", {"held": 23}, "23 papers came at once"),
        ("feed", "paused", {"held": 2, "failures": 3}, "2 papers came at once"),
        ("feed", "ok", {"failures": 1, "reason": "no connection: x"}, "cannot be reached"),
        ("feed", "ok", {"reason": "some bytes are no UTF-8"}, "Part of its last answer"),
        ("feed", "ok", {"reason": "It moved to x, which another asks already."}, "It moved"),
    ],
)
def test_each_state_has_its_sentence(kind: str, state: str, facts: dict, says: str) -> None:
    made = trouble_of(kind, state, **facts)
    assert made is not None
    assert says in made.what
    assert trouble_of(kind, "ok") is None
    assert trouble_of(kind, "paused", failures=3, reason="x") is None
