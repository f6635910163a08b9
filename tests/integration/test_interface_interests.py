"""The command line on readers' interests and days: what is named changes, what is not stays."""

import csv
import io
import re
from pathlib import Path

import pytest
from support.command import Shell, list_of

ADA = "ada@uni.example"


@pytest.fixture
def ada(shell: Shell) -> Shell:
    shell.say(
        "subscribers", "add", ADA, "--keywords", "LoRA, PEFT", "--confirmed", "--name", "Ana Silva"
    )
    return shell


@pytest.mark.slow
def test_an_interest_is_added_changed_paused_and_removed(ada: Shell) -> None:
    people = ("--people", "Bo Chen; org: Example University")
    added = ada.say("interests", "add", ADA, *people, "--name", "The lab", "--cadence", "weekly",
                    "--weekday", "tue", "--cap", "3", "--json")  # fmt: skip
    assert added.code == 0, added.err
    assert {k: added.json[k] for k in ("name", "kind", "text", "cadence", "weekday", "cap")} == {
        "name": "The lab", "kind": "follow", "text": "Bo Chen; org: Example University",
        "cadence": "weekly", "weekday": "tue", "cap": 3,
    }  # fmt: skip
    words, lab = ada.say("interests", "list", ADA, "--json").json
    assert words["late_news"] is False
    assert ada.say("interests", "set", ADA, "The lab", "--threshold", "2.5", "--without-own", "me",
                   "--late-news", "--votes", "20").code == 0  # fmt: skip
    _, lab = ada.say("interests", "list", ADA, "--json").json
    assert (lab["threshold"], lab["own"], lab["late_news"], lab["votes"], lab["cap"]) == (
        2.5, "Ana Silva", True, 20, 3,
    )  # fmt: skip
    ada.say("interests", "set", ADA, "The lab", "--cap", "", "--without-own", "", "--no-late-news",
            "--profile", "au:Chen", "--name", "Chen")  # fmt: skip
    _, lab = ada.say("interests", "list", ADA, "--json").json
    assert (lab["name"], lab["kind"], lab["cap"], lab["own"], lab["late_news"]) == (
        "Chen", "query", None, "", False,
    )  # fmt: skip
    assert lab["threshold"] == 2.5
    ada.say("interests", "pause", ADA, "Chen")
    assert ada.say("interests", "list", ADA, "--json").json[1]["paused"] is True
    ada.say("interests", "resume", ADA, "Chen")
    assert ada.say("interests", "remove", ADA, "Chen").code == 0
    assert [i["name"] for i in ada.say("interests", "list", ADA, "--json").json] == [words["name"]]
    table = ada.say("interests", "list", ADA)
    assert "LoRA" in table.out


def test_what_cannot_be_is_told_with_the_next_step(ada: Shell) -> None:
    name = ada.say("interests", "list", ADA, "--json").json[0]["name"]
    assert ada.say("interests", "remove", ADA, name).code == 1  # the only one
    for words, says in (
        (("set", ADA, "nope", "--cap", "2"), "no interest called 'nope'"),
        (("list", "nobody@uni.example"), "There is no reader nobody@uni.example."),
        (("set", ADA, name, "--votes", "20"), "This interest tells no later news."),
    ):
        said = ada.say("interests", *words)
        assert said.code == 1
        assert says in said.err
    for words in (
        ("add", ADA),
        ("add", ADA, "--keywords", "a", "--people", "b"),
        ("add", ADA, "--profile", "(a"),
        ("add", ADA, "--trending", "--late-news"),
        ("add", ADA, "--trending", "--cap", "3"),
        ("set", ADA, name, "--cap", "99"),
        ("set", ADA, name, "--threshold", "high"),
        ("set", ADA, name, "--votes", "0"),
        ("set", ADA, name, "--cadence", "often"),
        ("set", ADA, name, "--weekday", "someday"),
        ("set", ADA, name, "--without-own", "Silva"),
        ("set", "nobody@uni.example", "nope", "--without-own", "Silva"),
    ):
        said = ada.say("interests", *words)
        assert said.code == 2, words
        assert "next:" in said.err, words


def test_a_readers_own_name_that_nobody_knows_is_refused_by_the_world(shell: Shell) -> None:
    shell.say("subscribers", "add", "bo@uni.example", "--keywords", "LoRA", "--confirmed")
    said = shell.say("interests", "set", "bo@uni.example", "LoRA", "--without-own", "me")
    assert said.code == 1
    assert "The name on your papers is missing." in said.err


def test_days_hour_and_whether_late_sources_are_waited_for(ada: Shell) -> None:
    said = ada.say("subscribers", "set", ADA, "--on-time", "--hour", "6", "--weekdays", "mon,sat",
                   "--tz", "Asia/Tokyo", "--json")  # fmt: skip
    assert said.code == 0, said.err
    first = said.json
    assert first.pop("next_digest_at") is not None
    assert first == {
        "email": ADA, "hour": 6, "zone": "Asia/Tokyo", "weekdays": "mon,sat", "on_time": True,
        "at_least": 1, "tell_anyway": False, "abstracts": "short", "format": "html",
        "trending": False, "picks": True, "quiet": "usual", "language": "en", "feed": "",
        "paused_until": None,
    }  # fmt: skip
    kept = ada.say("subscribers", "set", ADA, "--hour", "7", "--json").json
    assert (kept["on_time"], kept["hour"], kept["weekdays"]) == (True, 7, "mon,sat")
    assert "waits for late sources" in ada.say("subscribers", "set", ADA, "--waits").out
    kept = ada.say("subscribers", "set", ADA, "--at-least", "3", "--tell-anyway", "--trending",
                   "--abstracts", "summary", "--json").json  # fmt: skip
    assert kept | {
        "hour": 7, "at_least": 3, "tell_anyway": True, "abstracts": "summary", "trending": True,
    } == kept  # fmt: skip
    assert ada.say("subscribers", "set", ADA, "--at-least", "41").code == 2
    assert ada.say("subscribers", "set", ADA, "--abstracts", "long").code == 2
    assert ada.say("subscribers", "set", ADA, "--hour", "25").code == 2
    assert ada.say("subscribers", "set", "nobody@uni.example", "--hour", "5").code == 1


def test_quiet_hours_language_picks_and_the_feed(ada: Shell) -> None:
    made = ada.say("subscribers", "set", ADA, "--quiet", "22-6", "--language", "de", "--no-picks",
                   "--feed", "open", "--json").json  # fmt: skip
    assert (made["quiet"], made["language"], made["picks"]) == ("22-6", "de", False)
    assert re.fullmatch(r"http\S+/feeds/mine/[\w-]{30}\.atom", made["feed"])
    same = ada.say("subscribers", "set", ADA, "--json").json
    assert same == made, "nothing named, nothing changed"
    other = ada.say("subscribers", "set", ADA, "--feed", "new", "--quiet", "none", "--json").json
    assert other["feed"] not in ("", made["feed"])
    assert other["quiet"] == "none"
    over = ada.say("subscribers", "set", ADA, "--feed", "close", "--quiet", "usual", "--json").json
    assert (over["feed"], over["quiet"]) == ("", "usual")
    shown = ada.say("subscribers", "show", ADA, "--json")
    assert shown.json["subscriber"]["picks"] is False
    assert made["feed"].split("/")[-1][:-5] not in shown.out
    for wrong in (("--quiet", "22"), ("--feed", "ajar"), ("--language", "xx")):
        assert ada.say("subscribers", "set", ADA, *wrong).code == 2
    both = ("--resume", "--pause-until", "2026-12-01")
    assert ada.say("subscribers", "set", ADA, *both).code == 2


@pytest.mark.slow  # two houses
def test_choices_go_out_and_in_with_a_list(ada: Shell, tmp_path: Path) -> None:
    name = ada.say("interests", "list", ADA, "--json").json[0]["name"]
    ada.say("interests", "set", ADA, name, "--cap", "4", "--threshold", "3", "--without-own",
            "Ana Silva", "--late-news", "--votes", "30")  # fmt: skip
    ada.say("interests", "add", ADA, "--people", "Bo Chen", "--late-news")
    out = ada.say("subscribers", "export").out
    first, second = csv.DictReader(io.StringIO(out))
    assert [first[c] for c in ("cap", "threshold", "own", "late_news")] == [
        "4", "3", "Ana Silva", "30",
    ]  # fmt: skip
    assert [second[c] for c in ("people", "cap", "late_news")] == ["Bo Chen", "", "true"]
    (tmp_path / "all.csv").write_text(out)
    (tmp_path / "other").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        other = Shell(tmp_path / "other", patch)
        assert other.say("subscribers", "import", "../all.csv").code == 0
        after = other.say("interests", "list", ADA, "--json").json
    chosen = [(i["cap"], i["threshold"], i["own"], i["late_news"], i["votes"]) for i in after]
    assert chosen == [(4, 3.0, "Ana Silva", True, 30), (None, 0.0, "", True, None)]
    bad = "email,keywords,cap,own,late_news\na@x.org,a,99,,\nb@x.org,b,,Silva,\nc@x.org,c,,,often\n"
    (tmp_path / "bad.csv").write_text(bad)
    said = ada.say("subscribers", "import", "bad.csv", "--json")
    assert [row["row"] for row in said.json["problems"]] == [2, 3, 4]
    for row, column in zip(said.json["problems"], ("cap", "own", "late_news"), strict=True):
        assert f"({column})" in row["problem"]
    whole = ada.say("subscribers", "export", ADA, "--json").json
    assert whole["interests"][0]["own"] == "Ana Silva"


def test_people_are_added_with_a_reader_and_counted_by_estimate(ada: Shell, tmp_path: Path) -> None:
    assert (
        ada.say("subscribers", "add", "ben@uni.example", "--people", "Bo Chen", "--confirmed").code
        == 0
    )
    found = ada.say("interests", "list", "ben@uni.example", "--json").json
    assert [(i["kind"], i["text"]) for i in found] == [("follow", "Bo Chen")]
    ada.say("ingest", list_of(tmp_path, "day.json", 1, 2, 3), "--kind", "hf_daily")
    said = ada.say("estimate", "--people", "A. Silva; No Body", "--json")
    assert said.code == 0, said.err
    assert [(n["line"], n["papers"]) for n in said.json["names"]] == [
        ("A. Silva", 3), ("No Body", 0),
    ]  # fmt: skip
    text = ada.say("estimate", "--people", "A. Silva; No Body").out
    assert "No Body: on no paper" in text
    assert text.count("A. Silva: 3 papers") == 1, "each name is told once"
    assert ada.say("estimate", "LoRA", "--people", "A. Silva").code == 2
