"""The command line as scripts use it: every shape and exit code that others rely on."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from support.command import Shell
from support.smtp_server import SmtpServer, reply

ON = "2026-11-18"


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    return Shell(tmp_path, monkeypatch)


def capture(folder: Path, name: str, *numbers: int) -> str:
    """A captured list with invented papers; returns the file's name."""
    items = [
        {
            "paper": {
                "id": f"2611.{n:05}",
                "title": f"Adapters that forget less, part {n}",
                "summary": "An invented result about adapters.",
                "publishedAt": "2026-11-17T00:00:00.000Z",
                "authors": [{"name": "Ana Silva"}],
                "upvotes": n,
            },
            "numComments": 1,
        }
        for n in numbers
    ]
    (folder / name).write_text(json.dumps(items))
    return name


MISUSE = [
    ["nosuch"],
    ["send"],
    ["ingest", "--kind", "bogus", "x.json"],
    ["sources", "add", "bogus"],
    ["sources", "test", "bogus"],
    ["subscribers", "add", "ada@uni.example"],
    ["subscribers", "add", "ada@uni.example", "--trending", "--keywords", "x"],
    ["subscribers", "list", "--state", "bogus"],
    ["deliveries", "list", "--state", "bogus"],
    ["preview", "ada@uni.example", "--format", "pdf"],
    ["estimate"],
    ["send", "manual", "--papers"],
    ["send", "daily", "--on", "2026-13-01"],
]


@pytest.mark.parametrize("words", MISUSE, ids=[" ".join(words) for words in MISUSE])
def test_misuse_ends_with_2_and_prints_no_data(shell: Shell, words: list[str]) -> None:
    said = shell.say(*words)
    assert (said.code, said.out) == (2, "")
    assert said.err


def test_one_bad_file_never_stops_the_others(shell: Shell, tmp_path: Path) -> None:
    first, second = capture(tmp_path, "a.json", 1, 2), capture(tmp_path, "b.json", 3)
    (tmp_path / "page.html").write_text("<html></html>")
    files = [first, "page.html", "missing.json", second]
    said = shell.say("ingest", *files, "--kind", "hf_daily", "--on", ON, "--json")
    assert said.code == 1
    assert (said.json["items"], said.json["new"]) == (3, 3)
    assert [row["file"] for row in said.json["unread"]] == ["page.html", "missing.json"]
    assert "missing.json: It cannot be read: No such file or directory." in said.err
    again = shell.say("ingest", "--kind", "hf_daily", "--on", ON, "--json", first, second)
    assert (again.code, again.json["items"], again.json["new"]) == (0, 3, 0)


def test_rows_are_numbered_as_a_spreadsheet_shows_them(shell: Shell, tmp_path: Path) -> None:
    table = 'email;keywords\r\n"ada@uni.example";"LoRA\r\nPEFT"\r\n;\r\n\r\njane.doe@;x\r\n'
    (tmp_path / "list.csv").write_text(table)
    said = shell.say("subscribers", "import", "list.csv", "--json")
    assert (said.code, said.json["rows"], said.json["added"]) == (0, 2, 1)
    assert [row["row"] for row in said.json["problems"]] == [5]
    assert said.json["problems_file"] == "problems.csv"
    (back,) = csv.DictReader(io.StringIO((tmp_path / "problems.csv").read_text("utf-8-sig")))
    assert (back["email"], back["keywords"]) == ("jane.doe@", "x")
    assert "is not an address" in back["problem"]
    (tmp_path / "bars.csv").write_text("email\r\n\r\nbad@\r\nben@uni.example\r\n")
    bars = shell.say("suppressions", "import", "bars.csv", "--json").json
    assert (bars["added"], [row["row"] for row in bars["problems"]]) == (1, [3])


def test_all_readers_are_exported_as_an_import_reads_them(shell: Shell, tmp_path: Path) -> None:
    add = ("subscribers", "add", "--confirmed", "--json")
    shell.say(*add, "ada@uni.example", "--keywords", "LoRA, =PEFT", "--tz", "Europe/Zurich")
    shell.say(*add, "ben@uni.example", "--profile", "a OR (b c)", "--cadence", "weekly")
    shell.say(*add, "cho@uni.example", "--trending", "--hour", "0", "--name", "=1+1")
    out = shell.say("subscribers", "export").out
    (tmp_path / "all.csv").write_text(out)
    assert "'=1+1" in out
    assert [r["state"] for r in shell.say("subscribers", "export", "--json").json] == ["active"] * 3
    one = shell.say("subscribers", "export", "ada@uni.example", "--json")
    assert one.json["subscriber"]["email"] == "ada@uni.example"

    before = shell.say("subscribers", "list", "--json").json
    (tmp_path / "other").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        other = Shell(tmp_path / "other", patch)
        assert other.say("subscribers", "import", "../all.csv", "--json").json["added"] == 3
        after = other.say("subscribers", "list", "--json").json
    kept = ("email", "state", "interests", "zone", "hour")
    assert [{k: row[k] for k in kept} for row in after] == [
        {k: row[k] for k in kept} for row in before
    ]


def test_papers_takes_several_and_a_key_is_one_edition(shell: Shell, tmp_path: Path) -> None:
    shell.say("ingest", capture(tmp_path, "a.json", 1, 2, 3), "--kind", "hf_daily", "--on", ON)
    shell.say("subscribers", "add", "ada@uni.example", "--trending", "--confirmed")
    shell.say("subscribers", "add", "late@uni.example", "--trending")
    words = ["send", "manual", "--papers", "arxiv/2611.00001", "arxiv/2611.00002", "--key", "k"]
    assert shell.say(*words, "--dry-run", "--json").json["mails"] == 1
    wrong = shell.say(*words, "--yes", "2")
    assert wrong.code == 1
    sent = shell.say(*words, "--yes", "1", "--json")
    assert (sent.code, sent.json["accepted"]) == (0, 1)
    again = shell.say(*words, "--yes", "1", "--json")
    assert (again.code, again.json["accepted"]) == (0, 0)
    assert again.json["editions"] == sent.json["editions"]
    text = shell.say("deliveries", "list", "--edition", str(sent.json["editions"][0]), "--json")
    assert [(row["email"], row["state"]) for row in text.json] == [("ada@uni.example", "accepted")]
    mail = shell.mails()[-1].read_text()
    assert "2611.00001" in mail
    assert "2611.00002" in mail
    assert "2611.00003" not in mail

    listed = shell.say("editions", "list", "--json").json
    rows = shell.say("deliveries", "list", "--json").json
    assert {row["edition"] for row in rows} == {row["id"] for row in listed}  # notices too


def test_a_send_to_nobody_is_no_success(shell: Shell) -> None:
    for words in (["daily"], ["daily", "--dry-run"], ["alerts"]):
        said = shell.say("send", *words, "--to", "none@uni.example", "--json")
        assert (said.code, said.out) == (1, "")
        assert "There is no reader none@uni.example." in said.err


def test_every_act_tells_scripts_what_it_did(shell: Shell) -> None:
    email = "ada@uni.example"
    added = shell.say("subscribers", "add", email, "--trending", "--json").json
    assert (added["state"], added["confirmations"]) == ("pending", 1)
    assert shell.say("suppressions", "add", "ben@uni.example", "--json").json["added"] is True
    assert shell.say("suppressions", "remove", "ben@uni.example", "--json").json["removed"] is True
    assert shell.say("sources", "add", "hf_daily", "--history", "0", "--json").json["id"] == 1
    assert shell.say("sources", "remove", "1", "--json").json == {"id": 1, "removed": True}
    preview = shell.say("preview", email, "--json").json
    assert preview["says"] == "No mail: this reader is pending."
    erased = {"email": email, "erased": True}
    assert shell.say("subscribers", "erase", email, "--json").json == erased


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
    assert set(counted) - set(figures) == {"compile_s", "match_cpu_s", "peak_mb"}


def test_an_estimate_says_when_words_are_too_broad_or_bring_nothing(
    shell: Shell, tmp_path: Path
) -> None:
    name = capture(tmp_path, "a.json", *range(1, 31))
    shell.say("ingest", name, "--kind", "hf_daily", "--on", ON)
    broad = shell.say("estimate", "adapters").out
    assert "About 30 papers a day; most people stay below 20. Narrower:" in broad
    assert f"Basis: 30 papers of 1 days. The last of them is {ON}." in broad
    assert "Nothing in 1 days (30 papers)." in shell.say("estimate", "zebra").out


def test_a_composed_preview_names_no_edition(shell: Shell, tmp_path: Path) -> None:
    shell.say("ingest", capture(tmp_path, "a.json", 1), "--kind", "hf_daily")
    shell.say("subscribers", "add", "ada@uni.example", "--keywords", "adapters", "--confirmed")
    said = shell.say("preview", "ada@uni.example", "--format", "eml")
    assert "Feedback-ID: 0:digest:paperpost" in said.out


def test_a_new_kind_of_source_is_a_skeleton_that_passes_its_test(
    shell: Shell, tmp_path: Path
) -> None:
    said = shell.say("sources", "new", "My-Journal", "--json")
    assert (said.code, said.json["kind"]) == (0, "my_journal")
    module, test, answer = (tmp_path / file for file in said.json["files"])
    assert module == tmp_path / "service" / "sources" / "my_journal.py"
    assert answer.parent == test.parent / "my_journal"

    root = Path(__file__).resolve().parents[2]
    test.write_text(
        f"import service.sources\nservice.sources.__path__.append({str(module.parent)!r})\n"
        + test.read_text()
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider",
         "-c", "/dev/null", "--rootdir", str(tmp_path), str(test)],
        cwd=root, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert "2 passed" in done.stdout, done.stdout + done.stderr
    assert shell.say("sources", "new", "my_journal").code == 1  # nothing is written over
    assert shell.say("sources", "new", "../x").code == 1


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


def test_a_send_says_how_many_are_left_deferred_each_time(shell: Shell, tmp_path: Path) -> None:
    shell.say("ingest", capture(tmp_path, "a.json", 1), "--kind", "hf_daily", "--on", ON)
    shell.say("subscribers", "add", "ada@uni.example", "--trending", "--confirmed")
    with SmtpServer() as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAPERPOST_SMTP_URL", f"smtp://127.0.0.1:{server.port}")
        server.on("RCPT", reply("450 4.2.0 later"))
        for _ in range(2):  # the second one tries nothing: it is too early
            said = shell.say("send", "daily", "--on", ON, "--json")
            assert (said.code, said.json["accepted"], said.json["deferred"]) == (0, 0, 1)
