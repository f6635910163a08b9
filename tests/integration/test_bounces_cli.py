"""What came back on the command line: lists, one mail, decisions, rates, tables, samples."""

import csv
import json
from pathlib import Path

import pytest
from support.came_back import RAW, WORDS, lay
from support.command import Shell
from support.house import Clock, open_house

pytestmark = pytest.mark.slow


@pytest.fixture
def house(tmp_path: Path):
    with open_house(tmp_path / "house", clock=Clock()) as made:
        yield made


@pytest.fixture
def shell(house, monkeypatch, tmp_path) -> Shell:
    return Shell(tmp_path, monkeypatch, DATA_DIR=str(house.settings.data_dir))


def test_reports_are_listed_by_what_is_asked_for(house, shell):
    assert "Nothing came back yet." in shell.say("bounces", "list").out
    first = lay(house.runtime)
    lay(house.runtime, {"kind": "soft", "reason": "mailbox_full"}, subject="full")
    said = shell.say("bounces", "list").out
    assert "no_such_user" in said
    assert "mailbox_full" in said
    (one,) = shell.say("bounces", "list", "--kind", "hard", "--json").json
    assert (one["inbound"], one["words"], one["status"]) == (first, WORDS, "5.1.1")
    assert shell.say("bounces", "list", "--address", "nobody", "--json").json == []
    assert "None." in shell.say("bounces", "list", "--domain", "x.example").out
    wrong = shell.say("bounces", "list", "--kind", "gone")
    assert (wrong.code, "'gone' is not one of hard, soft" in wrong.err) == (2, True)
    turned = shell.say("bounces", "list", "--since", "2026-11-20", "--until", "2026-11-01")
    assert (turned.code, "no day is in between" in turned.err) == (1, True)


def test_one_mail_is_shown_and_decided(house, shell):
    number = lay(house.runtime, {"kind": "none", "reason": "unknown"}, state="review")
    waits = shell.say("bounces", "review")
    assert "paperpost bounces decide ID KIND" in waits.out
    assert [one["id"] for one in shell.say("bounces", "review", "--json").json] == [number]
    said = shell.say("bounces", "show", str(number))
    assert "subject: Undelivered Mail Returned to Sender" in said.out
    assert "ada@uni.example" in said.out
    shown = shell.say("bounces", "show", str(number), "--json").json
    assert (shown["is_kept"], "raw" in shown) == (True, False)
    assert shell.say("bounces", "show", str(number), "--raw").out == RAW.decode().replace(
        "\r\n", "\n"
    )
    missing = shell.say("bounces", "show", "99")
    assert (missing.code, "There is no mail 99." in missing.err) == (1, True)
    assert shell.say("bounces", "show", "9" * 20).code == 2, "a number that no database has"
    assert shell.say("bounces", "decide", str(number), "gone").code == 2
    made = shell.say("bounces", "decide", str(number), "auto", "--json").json
    assert (made["decision"], made["decided_by"]) == ("auto", "cli")
    assert "Nothing waits" in shell.say("bounces", "review").out
    other = shell.say("bounces", "decide", str(number), "hard")
    assert (other.code, "said already" in other.err) == (1, True)


def test_rates_and_tables(house, shell):
    said = shell.say("bounces", "rates", "--json").json
    assert said["limits"] == {"hard": 2.0, "complaints": 0.1}
    assert len(said["days"]) == 30
    shell.say("settings", "set", "hard_percent", "5")
    shell.say("settings", "set", "complaints_in_10000", "0")  # no alarm
    limits = shell.say("bounces", "rates", "--json").json["limits"]
    assert limits == {"hard": 5, "complaints": 0.1}
    assert "Nothing was handed over" in shell.say("bounces", "rates").out
    lay(house.runtime, {"words": "+1 and on"})
    printed = shell.say("bounces", "export").out
    (row,) = csv.DictReader(printed.splitlines())
    assert (row["words"], row["kind"]) == ("'+1 and on", "hard")
    assert shell.say("bounces", "export", "--json").json == shell.say(
        "bounces", "list", "--json"
    ).json  # fmt: skip


def test_what_was_decided_tests_the_rules(house, shell, tmp_path):
    right, wrong, gone = (
        lay(house.runtime, state="review", subject=words) for words in ("right", "wrong", "gone")
    )
    lay(house.runtime, state="review", subject="undecided")
    event = lay(house.runtime, state="review", subject="event", raw=b'{"eventType": "Bounce"}')
    for number, kind in ((right, "hard"), (wrong, "soft"), (event, "hard")):
        assert shell.say("bounces", "decide", str(number), kind).code == 0
    folder = tmp_path / "samples"
    assert "2 mails" in shell.say("bounces", "samples", "--export", str(folder)).out
    facts = [json.loads(line) for line in (folder / "expected.jsonl").read_text().splitlines()]
    assert [(one["file"], one["class"]) for one in facts] == [
        (f"{right:06}.eml", "hard"),
        (f"{wrong:06}.eml", "soft"),
    ]
    assert (folder / facts[0]["file"]).read_bytes() == RAW
    assert gone != wrong
    for more in ((), ("--samples", str(folder))):
        checked = shell.say("bounces", "check", *more)
        assert checked.code == 1
        assert "decided soft, the rules say hard (no_such_user)" in checked.out
        assert "2 mails read again, 1 read otherwise" in checked.out
        told = shell.say("bounces", "check", *more, "--json").json
        assert [one["agrees"] for one in told] == [True, False]
    (folder / facts[1]["file"]).unlink()
    broken = shell.say("bounces", "check", "--samples", str(folder))
    assert (broken.code, "These are no samples" in broken.err) == (1, True)


def test_nothing_decided_is_nothing_wrong(shell):
    assert shell.say("bounces", "check").code == 0
