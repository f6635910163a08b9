"""The command line as scripts use it: exit codes, JSON and streams of every command.

0 = all was done, 1 = the world refused, 2 = the words of the command cannot be read.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.command import Shell, list_of
from typer.main import get_command

from service.cli.estimate_commands import FORMS
from service.cli.program import app, run
from service.matching.parse import parse_query

ON = "2026-11-18"
ADD = ["subscribers", "add", "ada@uni.example"]
MANUAL = ["send", "manual", "--papers", "arxiv/2611.00001", "--dry-run"]

MISUSE = [
    ["nosuch"],
    ["--nosuch"],
    ["send"],
    ["inbound"],
    ["migrate", "now"],
    ["doctor", "--to", "nobody"],
    ["demo", "--nosuch"],
    ["sources", "add", "bogus"],
    ["sources", "add", "feed"],
    ["sources", "add", "feed", "not an address"],
    ["sources", "add", "arxiv_rss", "no category"],
    ["sources", "add", "hf_daily", "--history", "-1"],
    ["sources", "test", "bogus"],
    ["sources", "test", "feed"],
    ["sources", "remove", "x"],
    ["sources", "new", "../x"],
    ["sources", "new", "class"],
    ["poll", "--replay", "yesterday"],
    ["poll", "--source", "x"],
    ["ingest", "x.json"],
    ["ingest", "--kind", "hf_daily"],
    ["ingest", "--kind", "bogus", "x.json"],
    ["ingest", "--kind", "hf_daily", "x.json", "--on", "2026-02-30"],
    ["subscribers", "add"],
    ADD,
    [*ADD, "--keywords", "  "],
    [*ADD, "--trending", "--keywords", "x"],
    [*ADD, "--profile", "(bad AND"],
    [*ADD, "--profile", "a, b"],
    [*ADD, "--keywords", ",,"],
    [*ADD, "--keywords", "-only"],
    [*ADD, "--trending", "--hour", "24"],
    [*ADD, "--trending", "--hour", "noon"],
    [*ADD, "--trending", "--tz", "Moon"],
    [*ADD, "--trending", "--cadence", "hourly"],
    ["subscribers", "add", "ada", "--trending"],
    ["subscribers", "show", "ada"],
    ["subscribers", "export", "ada"],
    ["subscribers", "erase", "ada"],
    ["subscribers", "list", "--state", "bogus"],
    ["subscribers", "why", "ada"],
    ["subscribers", "why", "ada@uni.example", "--on", "yesterday"],
    ["subscribers", "why-paper", "ada@uni.example"],
    ["subscribers", "why-paper", "ada@uni.example", " "],
    ["subscribers", "history", "ada"],
    ["subscribers", "marks", "ada"],
    ["suppressions", "add", "ada"],
    ["suppressions", "remove", "ada"],
    ["estimate"],
    ["estimate", "(bad"],
    ["estimate", "--keywords", "-only"],
    ["estimate", "x", "--keywords", "y"],
    ["estimate", "x", "--days", "0"],
    ["estimate", "x", "--reader", "nobody"],
    ["search"],
    ["search", "(bad"],
    ["match", "--profiles", "x.jsonl"],
    ["preview", "ada"],
    ["preview", "ada@uni.example", "--format", "pdf"],
    ["preview", "ada@uni.example", "--on", "today"],
    ["send", "daily", "--on", "2026-13-01"],
    ["send", "daily", "--to", "ada"],
    ["send", "alerts", "--to", "ada"],
    ["send", "manual"],
    ["send", "manual", "--papers"],
    ["send", "manual", "--papers", "garbage"],
    ["send", "manual", "--dates", "x..y"],
    ["send", "manual", "--dates", "2026-11-18..2026-11-17"],
    [*MANUAL, "--segment", "bogus"],
    [*MANUAL, "--segment", "cadence:hourly"],
    [*MANUAL, "--segment", "state:x"],
    [*MANUAL, "--key", "k" * 81],
    [*MANUAL, "--yes", "some"],
    ["send", "newsletter", "--subject", "S"],
    ["send", "newsletter", "--subject", " ", "--body", "x.md"],
    ["editions", "show", "x"],
    ["deliveries", "list", "--state", "bogus"],
    ["settings", "set", "nosuch", "1"],
    ["settings", "set", "hour", "25"],
    ["settings", "set", "weekdays", "someday"],
    ["admin", "create", "ann"],
    ["admin", "create", "ann", "--role", "king"],
    ["admin", "create", " ", "--role", "owner"],
]

REFUSED = [
    ["sources", "test", "hf_daily", "--file", "missing.json"],
    ["sources", "remove", "9"],
    ["poll", "--source", "9"],
    ["subscribers", "show", "none@uni.example"],
    ["subscribers", "export", "none@uni.example"],
    ["subscribers", "erase", "none@uni.example"],
    ["subscribers", "why", "none@uni.example"],
    ["subscribers", "why-paper", "none@uni.example", "2611.00001"],
    ["subscribers", "history", "none@uni.example"],
    ["subscribers", "marks", "none@uni.example"],
    ["subscribers", "import", "missing.csv"],
    ["subscribers", "import", "."],
    ["suppressions", "import", "missing.csv"],
    ["suppressions", "remove", "none@uni.example"],
    ["match", "--profiles", "missing.jsonl", "--papers", "missing.jsonl"],
    ["preview", "none@uni.example"],
    ["send", "daily", "--to", "none@uni.example"],
    ["send", "daily", "--on", "2999-01-01"],
    ["send", "alerts", "--to", "none@uni.example"],
    MANUAL,
    ["send", "manual", "--dates", "2001-01-01", "--dry-run"],
    ["send", "newsletter", "--subject", "S", "--body", "missing.md"],
    ["editions", "show", "9"],
    ["editions", "pause", "9"],
    ["editions", "resume", "9"],
    ["editions", "rest", "9"],
    ["editions", "cancel", "9"],
    ["editions", "resend", "9"],
    ["deliveries", "list", "--edition", "9"],
    ["worker", "--queues", "send"],
]

LISTS = [
    ["sources", "list"],
    ["subscribers", "list"],
    ["suppressions", "list"],
    ["editions", "list"],
    ["deliveries", "list"],
    ["settings", "list"],
]


def _named(words: list[str]) -> str:
    return " ".join(words)[:80]


@pytest.mark.parametrize("words", MISUSE, ids=_named)
def test_misuse_ends_with_2_and_prints_no_data(shell: Shell, words: list[str]) -> None:
    said = shell.say(*words)
    assert (said.code, said.out) == (2, "")
    assert "Error: " in said.err or "Usage:" in said.err
    assert "\n  next:  " in said.err or words == ["send"]  # which shows its help
    assert "Value error" not in said.err
    assert "Input should" not in said.err
    assert not list(shell.folder.glob("var/*.db*")) or words[0] in ("poll",)


@pytest.mark.parametrize("words", REFUSED, ids=_named)
def test_what_the_world_refuses_ends_with_1_and_says_why(shell: Shell, words: list[str]) -> None:
    said = shell.say(*words)
    assert (said.code, said.out) == (1, "")
    assert len(said.err.split()) > 3


def test_misuse_of_words_names_the_option_the_character_and_what_works(shell: Shell) -> None:
    said = shell.say(*ADD, "--profile", "a, b")
    assert "Invalid value for --profile: The , at character 2 does not work between" in said.err
    assert "where: character 2" in said.err
    assert "like:  a OR b" in said.err


@pytest.mark.parametrize("words", LISTS, ids=_named)
def test_a_list_is_an_array_of_objects_also_when_it_is_empty(
    shell: Shell, words: list[str]
) -> None:
    said = shell.say(*words, "--json")
    assert said.code == 0
    assert isinstance(said.json, list)
    assert said.json == [] or words[0] == "settings"
    shell.say("sources", "add", "hf_daily", "--history", "0")
    shell.say(*ADD, "--trending")
    shell.say("suppressions", "add", "no@uni.example")
    said = shell.say(*words, "--json")
    assert said.json
    assert all(isinstance(row, dict) for row in said.json)


@pytest.mark.slow
def test_lists_hold_every_row(shell: Shell, tmp_path: Path) -> None:
    lines = [f"reader{n:03}@uni.example" for n in range(121)]
    (tmp_path / "list.csv").write_text("\n".join(["email,keywords", *lines]))
    assert shell.say("subscribers", "import", "list.csv").code == 0
    shell.say("subscribers", "add", "pending@uni.example", "--trending")
    rows = shell.say("subscribers", "list", "--json").json
    assert len({row["email"] for row in rows}) == 122
    assert {row["state"] for row in rows} == {"active", "pending"}
    (one,) = shell.say("subscribers", "list", "--state", "pending", "--json").json
    assert (one["email"], one["state"]) == ("pending@uni.example", "pending")


# Hands in 121 mails; quick runs list readers beyond a page and the deliveries of a few.
@pytest.mark.slow
def test_deliveries_hold_every_row(shell: Shell, tmp_path: Path) -> None:
    lines = [f"reader{n:03}@uni.example" for n in range(121)]
    (tmp_path / "list.csv").write_text("\n".join(["email,keywords", *lines]))
    assert shell.say("subscribers", "import", "list.csv").code == 0
    shell.say("subscribers", "add", "pending@uni.example", "--trending")
    shell.say("ingest", "--kind", "hf_daily", list_of(tmp_path, "a.json", 1), "--on", ON)
    assert shell.say("send", "daily", "--on", ON, "--json").json["accepted"] == 121
    assert len(shell.say("deliveries", "list", "--json").json) == 122


def test_whatever_prints_data_takes_json_and_says_so() -> None:
    without = {"setup", "run", "web", "scheduler", "worker", "demo"}
    program = get_command(app)
    commands = dict(program.commands)  # type: ignore[attr-defined]
    while groups := {name: g for name, g in commands.items() if hasattr(g, "commands")}:
        for name, group in groups.items():
            commands |= {f"{name} {part}": one for part, one in group.commands.items()}
            del commands[name]
    takes = {n for n, c in commands.items() if any("--json" in p.opts for p in c.params)}
    assert set(commands) - takes == without
    assert all(command.help for command in commands.values())
    assert {name.partition(" ")[0] for name in commands} == {
        "setup", "migrate", "doctor", "run", "web", "scheduler", "worker", "demo", "settings",
        "admin", "sources", "poll", "ingest", "match", "estimate", "subscribers", "suppressions",
        "preview", "send", "editions", "deliveries", "interests", "papers", "words", "related",
        "search", "cite", "templates", "topics", "imports", "tags", "alarms", "overview",
        "instance", "tokens", "tidy", "bounces", "inbound",
        "audit", "webhooks", "api", "release", "day", "submissions",
    }  # fmt: skip


def test_settings_are_set_taken_back_and_listed(shell: Shell) -> None:
    made = shell.say("settings", "set", "hour", "9", "--json")
    assert (made.code, made.json["name"], made.json["value"]) == (0, "hour", 9)
    assert next(r for r in shell.say("settings", "list", "--json").json if r["name"] == "hour") == {
        **made.json, "value": 9, "default": 8,
    }  # fmt: skip
    assert "Use 0 to 23." in shell.say("settings", "set", "hour", "25").err
    assert shell.say("settings", "set", "hour", "default", "--json").json["value"] == 8


def test_migrate_twice_and_an_account(shell: Shell) -> None:
    first, second = (shell.say("migrate", "--json") for _ in range(2))
    assert (first.code, first.json["before"]) == (0, None)
    assert (second.code, second.json) == (0, {"before": first.json["after"], **second.json})
    assert second.json["before"] == second.json["after"]
    link = shell.say("admin", "create", "ann", "--role", "owner")
    assert (link.code, link.out.startswith("http://127.0.0.1:8000/admin/link/")) == (0, True)
    again = shell.say("admin", "create", "ann", "--role", "owner", "--json").json
    assert (again["name"], again["role"]) == ("ann", "owner")
    assert again["link"] != link.out.strip()
    alone = shell.say("admin", "create", "ann", "--role", "viewer")
    assert (alone.code, alone.out) == (1, "")
    assert "only owner" in alone.err


@pytest.mark.slow  # a second or more
def test_the_doctor_ends_with_1_only_where_something_fails(shell: Shell) -> None:
    said = shell.say("doctor", "--json")
    assert said.code == 0
    assert {row["state"] for row in said.json} <= {"ok", "warn"}
    assert all(set(row) == {"check", "state", "says", "next"} for row in said.json)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAPERPOST_SMTP_URL", "smtp://127.0.0.1:9")
        bad = shell.say("doctor", "--json")
    assert bad.code == 1
    assert [row["check"] for row in bad.json if row["state"] == "fail"] == ["relay"]


# ---- as a process of its own: streams and signals ----


@pytest.fixture
def start(shell: Shell) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Start a command in the shell's folder; it is ended with the test."""
    begun: list[subprocess.Popen[str]] = []
    root = Path(__file__).resolve().parents[2]

    def begin(*words: str, **settings: str) -> "subprocess.Popen[str]":
        extra = {f"PAPERPOST_{name}": value for name, value in settings.items()}
        process = subprocess.Popen(
            [sys.executable, "-m", "service", *words],
            cwd=shell.folder,
            env={**os.environ, "PYTHONPATH": str(root), **extra},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            # What a shell starts in the background ignores Ctrl-C, and its children with it.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        begun.append(process)
        return process

    yield begin
    for process in begun:
        process.kill()
        with process:  # its streams are closed
            pass


def _match_files(folder: Path, papers: int) -> list[str]:
    lines = [{"id": n, "title": f"Adapters {n}", "abstract": "rank " * 60} for n in range(papers)]
    (folder / "papers.jsonl").write_text("\n".join(map(json.dumps, lines)))
    profiles = [{"id": n, "query": "adapters OR rank"} for n in range(20)]
    (folder / "profiles.jsonl").write_text("\n".join(map(json.dumps, profiles)))
    return ["match", "--profiles", "profiles.jsonl", "--papers", "papers.jsonl", "--explain"]


@pytest.mark.parametrize(
    "words", [["demo", "--keep", "service"], ["sources", "new", "x_y", "--json"]], ids=" ".join
)
def test_a_folder_that_cannot_be_used_is_named_without_a_traceback(
    words: list[str],
    shell: Shell,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (shell.folder / "service").write_text("")
    monkeypatch.setattr(sys, "argv", ["paperpost", *words])
    with pytest.raises(SystemExit) as ended:
        run()
    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (1, "")
    assert "next:" in err


@pytest.mark.slow  # a process of its own
def test_json_is_utf_8_whatever_the_locale_says(
    shell: Shell, start: Callable[..., "subprocess.Popen[str]"], monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.say(*ADD, "--keywords", "扩散模型", "--name", "Zoë 😀", "--confirmed")
    monkeypatch.setenv("PYTHONIOENCODING", "latin-1")
    out, err = start("subscribers", "list", "--json").communicate(timeout=60)
    (row,) = json.loads(out)
    assert (row["name"], row["interests"][0]["text"], err) == ("Zoë 😀", "扩散模型", "")


@pytest.mark.slow
def test_a_closed_pipe_ends_a_command_quietly(
    start: Callable[..., "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    process = start(*_match_files(tmp_path, 300))
    assert process.stdout is not None
    assert process.stderr is not None
    assert json.loads(process.stdout.readline())["profile"] in range(20)
    process.stdout.close()  # as head does
    assert process.stderr.read() == ""
    assert process.wait(30) == 1


# Five thousand papers, so that it is still at work; quick runs break the pipe instead.
@pytest.mark.slow
def test_control_c_ends_a_command_without_a_traceback(
    start: Callable[..., "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    process = start(*_match_files(tmp_path, 5000))
    assert process.stdout is not None
    assert process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode in (1, 130)
    assert "Traceback" not in err


# Quick runs end `run` by a signal (test_cli_run.py).
@pytest.mark.slow
def test_control_c_and_a_term_end_the_clock_in_order(
    start: Callable[..., "subprocess.Popen[str]"],
) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        process = start("scheduler")
        assert process.stdout is not None
        assert "Ctrl-C ends it" in process.stdout.readline()
        time.sleep(0.3)  # the line is printed just before the signals are heard
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
        assert "Traceback" not in err
        assert process.returncode in (0, 130)


@pytest.mark.slow
def test_logs_are_json_lines_without_a_person_in_them_and_never_on_standard_output(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAPERPOST_LOG_FORMAT", "json")
    for words in (
        ["ingest", "--kind", "hf_daily", list_of(tmp_path, "a.json", 1, 2), "--on", ON],
        [*ADD, "--trending", "--confirmed"],
        ["subscribers", "add", "ben@uni.example", "--trending"],
        ["send", "daily", "--on", ON],
        ["send", "manual", "--papers", "arxiv/2611.00001", "--yes", "0", "--key", "k"],
    ):
        said = shell.say(*words, "--json")
        assert said.code == 0
        assert isinstance(said.json, dict)
        for line in said.err.splitlines():
            assert {"event", "level", "timestamp"} <= set(json.loads(line))
        assert "uni.example" not in said.err
        assert words[0] == "subscribers" or said.err
    monkeypatch.setenv("PAPERPOST_LOG_FORMAT", "text")
    assert shell.say("send", "daily", "--on", ON, "--json").err == ""  # the answer alone
    monkeypatch.setenv("PAPERPOST_LOG_FORMAT", "xml")
    bad = shell.say("sources", "list")
    assert (bad.code, "LOG_FORMAT" in bad.err) == (1, True)


@pytest.mark.parametrize("command", ["estimate", "search"])
def test_help_names_the_forms_of_queries_and_each_is_read(shell: Shell, command: str) -> None:
    said = shell.say(command, "--help").out
    for form, means in FORMS:
        assert f"{form:<20}{means}" in said
        assert parse_query(form).terms or form.startswith("votes:")
