"""The command line as scripts use it: sources, their days, fields, kinds, decisions."""

from pathlib import Path

import pytest
from support.command import Shell, list_of
from support.polling import arxiv_feed, rss_feed

from service.settings import load_settings
from service.store.staff import list_audit
from service.wiring import House

ON = "2026-11-18"


def test_the_list_says_the_state_in_words_and_the_days_stand_behind_it(
    shell: Shell, tmp_path: Path
) -> None:
    shell.say("sources", "add", "hf_daily", "--history", "0")
    shell.say("ingest", list_of(tmp_path, "a.json", 1, 2), "--kind", "hf_daily")
    (row,) = shell.say("sources", "list", "--json").json
    assert (row["state"], row["says"], row["trouble"], row["held"]) == ("ok", "in order", None, 0)
    assert (row["last_error"], row["requests_today"]) == ("", 0)
    assert "in order" in shell.say("sources", "list").out
    (day,) = shell.say("sources", "days", "1", "--json").json
    assert set(day) == {
        "day", "expected", "asked_at", "items", "new", "known", "state", "says", "completed_at",
        "announced",
    }  # fmt: skip
    assert "asked_at" in shell.say("sources", "days", "1", "--days", "3").out
    assert shell.say("sources", "days", "9").code == 1
    assert shell.say("sources", "days", "1", "--days", "0").code == 2


def test_what_is_done_by_command_is_on_record_as_from_a_page(shell: Shell, tmp_path: Path) -> None:
    shell.say("sources", "add", "feed", "https://a.example/rss", "--title", "Letters")
    paused = shell.say("sources", "pause", "1", "--json")
    assert paused.json == {"id": 1, "title": "Letters", "act": "pause", "papers": 0}
    assert shell.say("sources", "list", "--json").json[0]["says"] == "not asked now"
    assert shell.say("sources", "resume", "1").out == "Source 1 is asked at the next poll.\n"
    assert shell.say("sources", "take", "1", "known", "--json").json["papers"] == 0
    assert shell.say("sources", "take", "1", "maybe").code == 2
    assert shell.say("sources", "pause", "7").code == 1
    house = House(load_settings(None, data_dir=tmp_path / "var"))
    try:
        acts = [(row.who, row.what) for row in house.db.read(list_audit)][::-1]
    finally:
        house.close()
    assert acts == [
        ("cli", "add source"), ("cli", "pause source"), ("cli", "resume source"),
        ("cli", "take-known source"),
    ]  # fmt: skip


def test_a_field_is_added_in_one_go(shell: Shell) -> None:
    names = [row["name"] for row in shell.say("sources", "fields", "--json").json]
    assert "statistics" in names
    made = shell.say("sources", "add-field", "statistics", "--only", "arXiv stat.ME", "--json")
    assert [row["title"] for row in made.json] == ["arXiv stat.ME"]
    (there,) = [
        r for r in shell.say("sources", "fields", "--json").json if r["name"] == "statistics"
    ]
    assert [one["title"] for one in there["sources"] if one["there"]] == ["arXiv stat.ME"]
    wrong = shell.say("sources", "add-field", "stamps")
    assert (wrong.code, "Known are:" in wrong.err) == (2, True)


@pytest.mark.slow  # a second or more
def test_kinds_and_a_trial_need_no_source(shell: Shell, tmp_path: Path) -> None:
    rows = {row["kind"]: row for row in shell.say("sources", "kinds", "--json").json}
    assert rows["feed"]["past"] == 0
    assert rows["arxiv_rss"]["past"] > 0
    assert [one["name"] for one in rows["arxiv_rss"]["parameters"]] == ["category", "take"]
    assert "3 seconds" in rows["arxiv_rss"]["politeness"]
    assert "sources add feed https://" in shell.say("sources", "kinds").out
    (tmp_path / "feed.xml").write_bytes(rss_feed([("a", "One", ON), ("b", "Two", "2020-01-01")]))
    tried = shell.say("sources", "test", "feed", "--file", "feed.xml", "--json").json
    assert (tried["items"], tried["papers"], tried["here"]) == (2, 2, 0)
    assert tried["new"] + tried["known"] == 2
    assert shell.say("sources", "list", "--json").json == []
    listed = [("2611.00001", "One", "new"), ("2611.00002", "Two", "cross"),
              ("2611.00003", "Three", "replace")]  # fmt: skip
    (tmp_path / "cs.xml").write_bytes(arxiv_feed("cs.CL", listed))
    words = ("sources", "test", "arxiv_rss", "category=cs.CL take=new", "--file", "cs.xml")
    tried = shell.say(*words, "--json").json
    parts = ("new", "known", "here", "updates", "unwanted")
    assert sum(tried[name] for name in parts) == tried["papers"] == 3
    told = shell.say(*words).out
    assert "1 only changes of older papers, 1 left out by these settings." in told


def test_the_pace_of_each_server_is_told(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAPERPOST_PRIVATE_SOURCES", "true")
    assert shell.say("sources", "pace").out == "No server was asked yet.\n"
    shell.say("sources", "add", "feed", "http://127.0.0.1:9/feed.xml")
    shell.say("poll")
    (row,) = shell.say("sources", "pace", "--json").json
    assert (row["server"], row["today"], row["gap_seconds"]) == ("127.0.0.1", 1, 1.0)
    assert (row["most_a_day"], row["paused_until"]) == (86_400, None)
    told = shell.say("sources", "list").out
    assert "1 127.0.0.1: Its server cannot be reached." in told
    assert "to do:" in told


def test_a_skeleton_outside_a_checkout_says_so(shell: Shell, tmp_path: Path) -> None:
    told = shell.say("sources", "new", "theses")
    assert (told.code, (tmp_path / "service" / "sources" / "theses.py").is_file()) == (0, True)
    assert "This folder is no checkout of Paperpost" in told.out
    assert shell.say("sources", "new", "dissertations", "--json").json["checkout"] is False
    (tmp_path / "service" / "sources" / "registry.py").write_text("")
    assert "checkout of Paperpost" not in shell.say("sources", "new", "talks").out


@pytest.mark.parametrize("name", ["sighting", "capture_error", "path", "value_error", "rhythm"])
def test_a_new_kind_hides_nothing_that_its_files_import(
    shell: Shell, tmp_path: Path, name: str
) -> None:
    refused = shell.say("sources", "new", name)
    assert (refused.code, "is taken" in refused.err) == (2, True)
    assert not (tmp_path / "service").exists()
