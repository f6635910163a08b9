"""Adding, trying out and removing sources: what was typed, what is meant."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.polling import Clock, Wakes, arxiv_feed, polling_house, rss_feed, source
from support.web_site import WebSite

from service.errors import PaperpostError
from service.flows import sources as flow
from service.flows.ingest import ingest_files
from service.flows.runtime import Runtime
from service.flows.source_acts import ACTS, change_source
from service.flows.trying import tried_out
from service.sources.registry import ADAPTERS, adapter
from service.store.runs import count_papers
from service.store.sources import list_sources


@pytest.fixture
def rt(tmp_path: Path) -> Iterator[Runtime]:
    with polling_house(tmp_path, Clock()) as house:
        house.runtime.engine = Wakes()
        yield house.runtime


@pytest.mark.parametrize(
    ("kind", "what", "params"),
    [
        ("arxiv_rss", "cs.cl", {"category": "cs.CL", "take": "new+cross"}),
        ("arxiv_rss", "stat.ml+CS.LG", {"category": "stat.ML+cs.LG", "take": "new+cross"}),
        ("arxiv_rss", "cond-mat.mtrl-sci", {"category": "cond-mat.mtrl-sci", "take": "new+cross"}),
        ("arxiv_rss", "take=new category=hep-th", {"category": "hep-th", "take": "new"}),
        ("arxiv_api", "cat:cs.CL AND abs:x", {"query": "cat:cs.CL AND abs:x"}),
        ("arxiv_api", 'query="cat:cs.CL OR ti:y"', {"query": "cat:cs.CL OR ti:y"}),
        ("feed", "https://a.example/rss?x=1", {"url": "https://a.example/rss?x=1"}),
        ("hf_daily", "", {}),
    ],
)
def test_what_is_typed_is_read(kind: str, what: str, params: dict[str, str]) -> None:
    assert flow.read_what(adapter(kind), what) == params


@pytest.mark.parametrize(
    ("kind", "what", "says"),
    [
        ("arxiv_rss", "categry=cs.CL", 'Did you mean "category"?'),
        ("arxiv_rss", "", "cs.CL"),
        ("arxiv_rss", "not a category", "cannot be used"),
        ("feed", "journal", "https://"),
        ("hf_daily", "cs.CL", "takes no parameters"),
        ("arxiv-rss", "cs.CL", 'Did you mean "arxiv_rss"?'),
    ],
)
def test_what_cannot_be_read_is_told_with_a_way_out(
    rt: Runtime, kind: str, what: str, says: str
) -> None:
    with pytest.raises(PaperpostError) as caught:
        flow.add_source(rt, kind, what)
    assert says in str(caught.value)


def test_the_same_source_is_added_once(rt: Runtime) -> None:
    first = flow.add_source(rt, "arxiv_rss", "cs.CL")
    again = flow.add_source(rt, "arxiv_rss", "cs.cl")
    assert (first["added"], again["added"], again["id"]) == (True, False, first["id"])
    assert first["history"] == 30
    assert rt.engine.tasks == ["poll", "poll"]  # type: ignore[attr-defined]


def test_a_source_that_ingest_made_is_woken(rt: Runtime, tmp_path: Path) -> None:
    file = tmp_path / "day.json"
    file.write_text("[]")
    ingest_files(rt, "hf_daily", [file])
    assert source(rt).state == "paused"
    made = flow.add_source(rt, "hf_daily", history_days=0)
    assert (made["id"], made["added"], source(rt).state) == (1, True, "ok")


def test_removing_and_pausing_name_what_is_not_there(rt: Runtime) -> None:
    flow.add_source(rt, "hf_daily")
    change_source(rt, 1, "remove", by="mia")
    for act in ACTS:
        with pytest.raises(PaperpostError, match="no source 1"):
            change_source(rt, 1, act, by="mia")


def test_trying_out_a_file_fills_the_table(rt: Runtime, tmp_path: Path) -> None:
    file = tmp_path / "rss.xml"
    file.write_bytes(arxiv_feed("cs.CL", [("2611.00001", "One", "new")]))
    made = tried_out(rt, "arxiv_rss", {}, file)
    rows = {row["field"]: row for row in made["fields"]}
    assert (made["items"], made["papers"], made["problems"]) == (1, 1, [])
    assert rows["title"] == {"field": "title", "filled": 1, "empty": 0, "example": "One"}
    assert rows["link: code"]["empty"] == 1
    with pytest.raises(PaperpostError):
        tried_out(rt, "hf_daily", {}, file)
    with pytest.raises(PaperpostError, match="cannot be read"):
        tried_out(rt, "hf_daily", {}, tmp_path / "nothing")


def test_trying_out_a_live_source_stores_nothing(rt: Runtime) -> None:
    with WebSite() as site:
        site.at["/feed"] = (200, {}, rss_feed([("a", "A paper", "2026-11-18")]))
        made = tried_out(rt, "feed", {"url": f"{site.base}/feed"})
        assert (made["papers"], made["title"]) == (1, "Journal of Tests")
        assert isinstance(rt.clock, Clock)
        rt.clock.turn(seconds=5)  # the pace of one host
        with pytest.raises(PaperpostError, match="404"):
            tried_out(rt, "feed", {"url": f"{site.base}/nothing"})
    assert rt.db.read(list_sources) == []
    assert rt.db.read(count_papers) == 0


def test_every_preset_can_be_added(rt: Runtime) -> None:
    fields = flow.presets()
    assert len(fields) == 7
    for field in fields:
        for one in field["sources"]:
            assert one["kind"] in ADAPTERS
            made = flow.add_source(rt, one["kind"], one["params"], one["title"], history_days=0)
            assert made["title"] == one["title"] or not made["added"]


def test_a_feed_has_no_past(rt: Runtime) -> None:
    made = flow.add_source(rt, "feed", "https://a.example/rss", history_days=30)
    assert made["history"] == 0


def test_an_address_that_is_never_asked_is_refused_when_it_is_added(rt: Runtime) -> None:
    rt.private_sources = False
    with pytest.raises(PaperpostError, match="is not a public address") as caught:
        flow.add_source(rt, "feed", "http://127.0.0.1:8080/x")
    assert "PAPERPOST_PRIVATE_SOURCES" in caught.value.next_step
    rt.private_sources = True
    assert flow.add_source(rt, "feed", "http://127.0.0.1:8080/x")["added"]


def test_long_parameters_that_begin_alike_are_two_sources(rt: Runtime) -> None:
    """Also beside one of an earlier version, whose key was cut."""
    long = "https://a.example/rss?q=" + "a" * 800
    first = flow.add_source(rt, "feed", long)
    with rt.db.engine.connect().execution_options(write=True) as connection, connection.begin():
        row = sa.text("UPDATE source SET params_key = :key")
        connection.execute(row, {"key": json.dumps({"url": long})[:700]})
    again, other = flow.add_source(rt, "feed", long), flow.add_source(rt, "feed", long + "b")
    assert (again["id"], again["added"]) == (first["id"], False)
    assert (other["id"] != first["id"], other["added"]) == (True, True)
    assert flow.add_source(rt, "feed", long + "b")["id"] == other["id"]
    assert len(rt.db.read(list_sources)[1].params_key) == 700


def test_a_trial_counts_a_paper_that_is_listed_twice_once(rt: Runtime, tmp_path: Path) -> None:
    file = tmp_path / "feed.xml"
    file.write_bytes(rss_feed([(x, f"Paper {x}", "2026-11-18") for x in ("a", "b", "a")]))
    made = tried_out(rt, "feed", {}, file)
    assert (made["items"], made["papers"], made["new"], made["unwanted"]) == (3, 2, 2, 0)


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("feed://a.example/rss", "https://a.example/rss"),
        ("feed:http://a.example/rss", "http://a.example/rss"),
        ("FEED:https://a.example/rss?feed:1", "https://a.example/rss?feed:1"),
    ],
)
def test_the_addresses_that_browsers_gave_to_feeds(typed: str, asked: str) -> None:
    made = adapter("feed")
    assert made.checked(flow.read_what(made, typed)) == {"url": asked}
