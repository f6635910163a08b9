"""The command line as scripts use it: sources, polls, captures, matching."""

import json
from pathlib import Path

import pytest
from support.command import Shell, list_of

ON = "2026-11-18"


def test_one_bad_file_never_stops_the_others(shell: Shell, tmp_path: Path) -> None:
    first, second = list_of(tmp_path, "a.json", 1, 2), list_of(tmp_path, "b.json", 3)
    (tmp_path / "page.html").write_text("<html></html>")
    files = [first, "page.html", "missing.json", second]
    said = shell.say("ingest", *files, "--kind", "hf_daily", "--on", ON, "--json")
    assert said.code == 1
    assert (said.json["items"], said.json["new"]) == (3, 3)
    assert [row["file"] for row in said.json["unread"]] == ["page.html", "missing.json"]
    assert "missing.json: It cannot be read: No such file or directory." in said.err
    again = shell.say("ingest", "--kind", "hf_daily", "--on", ON, "--json", first, second)
    assert (again.code, again.json["items"], again.json["new"]) == (0, 3, 0)


def test_what_match_cannot_read_is_named_on_standard_error(shell: Shell, tmp_path: Path) -> None:
    profiles = [{"id": 1, "query": "adapters"}, {"id": 2, "query": "((("}, {"id": 3}]
    papers = [{"id": "x", "title": "Adapters", "abstract": ""}, {"id": "y"}]
    (tmp_path / "profiles.jsonl").write_text("\n".join(map(json.dumps, profiles)))
    (tmp_path / "papers.jsonl").write_text("\n".join(map(json.dumps, papers)))
    words = ["match", "--profiles", "profiles.jsonl", "--papers", "papers.jsonl"]
    said = shell.say(*words)
    (line,) = map(json.loads, said.out.splitlines())
    assert set(line) == {"profile", "paper", "score", "hits"}
    assert (line["profile"], line["paper"]) == (1, "x")
    assert [row.partition(":")[0] for row in said.err.splitlines()] == [
        "profile 2", "profile 3", "paper 'y'",
    ]  # fmt: skip
    whole = (tmp_path / "profiles.jsonl").read_text()
    (tmp_path / "profiles.jsonl").write_text(f"\ufeff{whole}\n[1]\nno json\n")
    again = shell.say(*words)
    assert again.out == said.out
    assert "profiles.jsonl, line 5" in again.err
    (tmp_path / "profiles.jsonl").write_text(whole)
    counted = shell.say(*words, "--count").json
    figures = {"profiles": 1, "refused": 2, "papers": 1, "matches": 1}
    assert {name: counted[name] for name in figures} == figures
    assert set(counted) - set(figures) == {
        *("compile_s", "match_cpu_s", "index_mb", "bytes_per_profile", "peak_mb")
    }


def test_an_estimate_says_when_words_are_too_broad_or_bring_nothing(
    shell: Shell, tmp_path: Path
) -> None:
    name = list_of(tmp_path, "a.json", *range(1, 31))
    shell.say("ingest", name, "--kind", "hf_daily", "--on", ON)
    broad = shell.say("estimate", "adapters").out
    assert "About 30 papers a day; most people stay below 20. Narrower:" in broad
    assert f"Basis: 30 papers of 1 day. The last of them is {ON}." in broad
    assert "Nothing in 1 day (30 papers)." in shell.say("estimate", "zebra").out


def test_a_new_kind_of_source_is_a_skeleton(shell: Shell, tmp_path: Path) -> None:
    said = shell.say("sources", "new", "My-Journal", "--json")
    assert (said.code, said.json["kind"]) == (0, "my_journal")
    assert said.json["line"].strip() == '"my_journal:MyJournal",'
    module, test, answer = (tmp_path / file for file in said.json["files"])
    assert module == tmp_path / "service" / "sources" / "my_journal.py"
    assert test == tmp_path / "tests" / "unit" / "sources" / "test_my_journal.py"
    assert answer == tmp_path / "tests" / "golden" / "my_journal" / "papers.json"
    assert all(file.stat().st_size > 100 for file in (module, test, answer))
    assert shell.say("sources", "new", "my_journal").code == 1  # nothing is written over
    taken = shell.say("sources", "new", "hf-daily")
    assert (taken.code, "There is a kind hf_daily already." in taken.err) == (2, True)
    told = shell.say("sources", "new", "other").out
    assert '"other:Other",' in told
    assert "service/sources/registry.py" in told


@pytest.mark.slow
def test_a_poll_that_failed_is_no_success_and_the_doctor_names_it(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = shell.say("sources", "add", "feed", "http://127.0.0.1:9/feed.xml")
    assert (refused.code, "port 9 is not allowed" in refused.err) == (1, True)
    monkeypatch.setenv("PAPERPOST_PRIVATE_SOURCES", "true")
    shell.say("sources", "add", "feed", "http://127.0.0.1:9/feed.xml")
    said = shell.say("poll", "--json")
    assert (said.code, [row["outcome"] for row in said.json]) == (1, ["failed"])
    (row,) = [r for r in shell.say("doctor", "--json").json if r["check"] == "sources"]
    assert row["state"] == "warn"
    assert said.json[0]["error"] in row["says"]
    assert shell.say("poll", "--json").json == []  # it is due again only later


CAPTURES = [
    ("hf_daily", "hf_daily/2026-02-10.json"),
    ("arxiv_rss", "feeds/arxiv_atom/cs.AI_2025-08-20.xml"),
    ("arxiv_api", "feeds/arxiv_api/transformer_cs.LG_2026-06-14.xml"),
    ("feed", "feeds/journals_2026/econometrica.xml"),
]
# Of kinds that are there already; each capture is read by itself in test_every_capture.py.
MORE = [
    ("arxiv_rss", "feeds/arxiv_rss20/RECONSTRUCTED_cs.CL_2026-06-17.xml"),
    ("feed", "feeds/jsonfeed/daringfireball_2020.json"),
]


@pytest.mark.parametrize(
    ("kind", "file"),
    [pytest.param(*one, id=Path(one[1]).stem) for one in CAPTURES]
    + [pytest.param(*one, id=Path(one[1]).stem, marks=pytest.mark.slow) for one in MORE],
)
def test_captures_of_every_kind_are_taken_and_tried(
    shell: Shell, shared: Path, kind: str, file: str
) -> None:
    capture = str(shared / file)
    tried = shell.say("sources", "test", kind, "--file", capture, "--json")
    assert (tried.code, tried.json["papers"] > 0) == (0, True)
    assert {"field", "filled", "empty"} <= set(tried.json["fields"][0])
    assert shell.say("sources", "list", "--json").json == []  # nothing was stored
    past = shell.say("ingest", "--kind", kind, capture, "--on", ON, "--history", "--json")
    assert (past.code, past.json["new"]) == (0, 0)
    assert past.json["items"] == tried.json["items"] == past.json["known"]
    (source,) = shell.say("sources", "list", "--json").json
    assert (source["kind"], source["state"], source["papers"]) == (
        kind,
        "paused",
        tried.json["papers"],
    )
    assert shell.say("poll", "--json").json == []  # which asks nothing from the network
    again = shell.say("ingest", capture, "--kind", kind, "--on", "2026-11-19", "--json")
    assert (again.code, again.json["new"]) == (0, 0)


@pytest.mark.slow  # a second or more
def test_a_capture_is_new_on_the_day_it_is_given(shell: Shell, shared: Path) -> None:
    capture = str(shared / "hf_daily" / "2026-02-10.json")
    made = shell.say("ingest", "--kind", "hf_daily", capture, "--on", ON, "--json").json
    assert made["items"] == made["new"] > 20
    found = shell.say("estimate", "--keywords", "reasoning, agent", "--days", "400", "--json").json
    assert found["per_day"][ON] == found["total"] > 0
    assert found["basis"]["papers"] == made["new"]
    assert (found["basis"]["days"], found["basis"]["says"]) == (
        1,
        f"{made['new']:,} papers of 1 day",
    )
    said = shell.say("estimate", "--keywords", "reasoning, agent", "--days", "400").out
    assert f"Basis: {found['basis']['says']}." in said


def test_a_replay_of_a_day_without_kept_answers_says_so(shell: Shell) -> None:
    said = shell.say("poll", "--replay", ON)
    assert (said.code, said.out) == (0, "No answers of this day are kept.\n")
    assert shell.say("poll", "--replay", ON, "--json").json == []


def test_papers_are_cited_by_name_or_of_a_day(shell: Shell, tmp_path: Path) -> None:
    name = list_of(tmp_path, "a.json", 1, 2, 3)
    shell.say("ingest", name, "--kind", "hf_daily", "--on", ON)
    day = shell.say("cite", "--on", ON)
    assert (day.code, day.out.count("@misc{")) == (0, 3)
    one = shell.say("cite", "arXiv:2611.00002", "--format", "ris").out
    assert one.count("TY  - UNPB") == 1
    assert "UR  - https://arxiv.org/abs/2611.00002" in one
    (told,) = shell.say("cite", "2611.00002", "--json").json
    assert told["eprint"] == "2611.00002"
    assert shell.say("cite", "2611.99999").code == 1
    for words in ((), ("--on", ON, "2611.00001"), ("2611.00001", "--format", "pdf")):
        assert shell.say("cite", *words).code == 2
    assert (shell.say("cite", "--on", "2026-11-01").out, shell.say("cite", "--on", "x").code) == (
        "",
        2,
    )
