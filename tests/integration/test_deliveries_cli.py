"""Deliveries and tokens on the command line: exit codes, JSON alone on standard output."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.command import Shell
from support.smtp_server import SmtpServer, reply

from service.cli import resending

pytestmark = pytest.mark.slow
READERS = ("ada@one.example", "ben@two.example", "cy@two.example")


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with SmtpServer() as made:
        yield made


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: SmtpServer) -> Shell:
    made = Shell(tmp_path, monkeypatch, SMTP_URL=f"smtp://127.0.0.1:{server.port}")
    (tmp_path / "list.csv").write_text("email\n" + "\n".join(READERS))
    assert made.say("subscribers", "import", "list.csv", "--json").json["added"] == len(READERS)
    (tmp_path / "text.md").write_text("Hello\n")
    return made


def newsletter(shell: Shell, server: SmtpServer) -> str:
    """Three mails: one to nobody, two refused by policy. Its number."""
    server.on("RCPT", reply("550 5.7.1 blocked by policy"), match="two.example")
    server.on("RCPT", reply("550 5.1.1 no such user"), match="ada@")
    sent = shell.say(
        "send", "newsletter", "--subject", "News", "--body", "text.md", "--yes", "3", "--json"
    )
    assert sent.json["failed"] == 3
    server.clear()
    return str(sent.json["editions"][0])


@pytest.mark.parametrize("which", ["list", "groups"])
def test_a_first_day_after_the_last_is_a_mistake(shell, which):
    done = shell.say("deliveries", which, "--since", "2026-11-20", "--until", "2026-11-10")
    assert done.code == 1
    assert "2026-11-20 is after 2026-11-10" in done.err
    assert "--since" in done.err


def test_groups_and_sending_one_of_them_again(shell, server):
    number = newsletter(shell, server)
    listed = shell.say(
        "deliveries", "list", "--meaning", "policy", "--order", "address", "--json"
    ).json
    assert [row["email"] for row in listed] == ["ben@two.example", "cy@two.example"]
    assert [row["meaning"] for row in listed] == ["policy", "policy"]
    one = shell.say("deliveries", "show", str(listed[0]["id"]), "--json").json
    assert [(t["phase"], t["code"]) for t in one["tries"]] == [("rcpt", 550)]
    assert "blocked by policy" in shell.say("deliveries", "show", str(listed[0]["id"])).out
    groups = shell.say("deliveries", "groups", "--edition", number, "--json").json
    assert [(g["name"], g["count"], g["resend"]) for g in groups] == [
        ("person", 1, False), ("policy", 2, True),
    ]  # fmt: skip
    told = shell.say("deliveries", "groups").out
    assert f"deliveries resend --edition {number} --meaning policy" in told
    resend = ("deliveries", "resend", "--edition", number, "--meaning", "policy")
    dry = shell.say(*resend, "--dry-run", "--json")
    assert (dry.code, dry.json["mails"]) == (0, 2)
    asked = shell.say(*resend)
    assert (asked.code, "Add --yes 2" in asked.err) == (1, True)
    wrong = shell.say(*resend, "--yes", "3", "--json")
    assert (wrong.code, "2 mails, not 3" in wrong.err) == (1, True)
    assert server.accepted == []
    sent = shell.say(*resend, "--yes", "2", "--key", "k", "--json")
    assert (sent.code, sent.json["planned"], sent.json["accepted"]) == (0, 2, 2)
    same = shell.say(*resend, "--yes", "2", "--key", "k", "--json")
    assert (same.code, same.json["is_new"], same.json["accepted"]) == (0, False, 0)
    none = shell.say(*resend)
    assert (none.code, none.err) == (0, "")  # no number is asked for where nothing would be sent
    assert "0 mails would be sent again; left out: 2 sent again already" in none.out
    again = shell.say("editions", "resend", number, "--json")
    assert (again.code, again.json["planned"]) == (0, 0)
    assert len(server.accepted) == 2
    told = shell.say("deliveries", "groups").out
    assert "2 of these sent again already" in told
    assert "paperpost deliveries resend" not in told


def test_an_edition_is_told_in_words(shell, server):
    number = newsletter(shell, server)
    lines = shell.say("editions", "show", number).out.splitlines()
    assert lines[0].startswith(f"Edition {number}: newsletter News, ")
    assert "3 planned = 3 failed" in lines
    assert (
        "policy: refused because of us: reputation, authentication, their rules (2 failed)" in lines
    )
    assert not any(mark in line for line in lines for mark in ("{", "uneven", "False"))
    one = shell.say("deliveries", "groups", "--address", "ben@", "--json").json
    assert [(g["name"], g["count"]) for g in one] == [("policy", 1)]


def test_what_has_no_row_stands_in_the_balance():
    from service.cli.ledger_words import edition_lines
    from service.delivery.states import State

    found = {str(state): 0 for state in State} | {
        "id": 7, "kind": "digest", "title": "", "slot": "2026-11-20", "state": "incomplete",
        "opened_at": "2026-11-20T07:00:00+00:00", "created_by": "", "segment": "", "held": 1,
        "not_before": None, "so_far": False, "planned": 4, "planned_rows": 1, "accepted": 1,
        "unknown": 1, "uneven": "It does not balance: 1 of 4 have no row.", "paused_why": "",
        "reasons": {"skipped": {"nothing_new": 2}}, "put_off": [], "refused": [],
    }  # fmt: skip
    assert list(edition_lines(found)) == [
        "Edition 7: digest 2026-11-20, incomplete",
        "begun 2026-11-20T07:00 UTC by the clock",
        "4 planned = 1 not composed + 1 accepted + 1 unknown + 1 without a row",
        "1 held: paperpost deliveries list --edition 7 --state held",
        "It does not balance: 1 of 4 have no row.",
        "skipped: 2 nothing new",
    ]


def test_sending_an_edition_again_asks_who_sits_at_a_terminal(shell, server, monkeypatch):
    number = newsletter(shell, server)
    monkeypatch.setattr(resending, "has_terminal", lambda: True)
    no = shell.say("editions", "resend", number, typed="n\n")
    assert (no.code, no.out, server.accepted) == (1, "", [])
    assert "2 mails would be sent again; left out: 1 address does not exist" in no.err
    assert "Send 2 mails?" in no.err
    assert shell.say("editions", "resend", number, "--dry-run", "--json").json["mails"] == 2
    yes = shell.say("editions", "resend", number, "--json", typed="y\n")
    assert (yes.code, yes.json["accepted"]) == (0, 2)  # the JSON alone on standard output
    none = shell.say("editions", "resend", number)
    assert (none.code, "Send" in none.err) == (0, False)
    assert len(server.accepted) == 2


def test_a_script_is_not_asked(shell, server):
    number = newsletter(shell, server)
    assert shell.say("editions", "resend", number, "--json").json["accepted"] == 2


@pytest.mark.parametrize(
    "typed",
    [
        ("deliveries", "list", "--meaning", "luck"),
        ("deliveries", "list", "--order", "id"),
        ("deliveries", "list", "--since", "yesterday"),
        ("deliveries", "groups", "--state", "lost"),
        ("deliveries", "resend"),
        ("deliveries", "resend", "--edition", "1", "--meaning", "person"),
        ("deliveries", "resend", "--edition", "1", "--key", "a%"),
        ("tokens", "create", "cron"),
        ("tokens", "create", "cron", "--scope", "everything"),
        ("tokens", "create", " ", "--scope", "deliveries:read"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_read_is_misuse(shell, typed):
    said = shell.say(*typed)
    assert (said.code, said.out) == (2, "")


@pytest.mark.parametrize(
    "typed",
    [
        ("deliveries", "list", "--edition", "99"),
        ("deliveries", "groups", "--edition", "99"),
        ("deliveries", "show", "99"),
        ("deliveries", "resend", "--edition", "99", "--yes", "1"),
        ("tokens", "end", "nobody"),
    ],
    ids=" ".join,
)
def test_what_is_not_there_ends_with_1(shell, typed):
    said = shell.say(*typed)
    assert (said.code, said.out) == (1, "")
    assert said.err.count("\n") <= 3


def test_tokens(shell):
    made = shell.say("tokens", "create", "cron", "--scope", "deliveries:read", "--json")
    assert made.json["scopes"] == ["deliveries:read"]
    listed = shell.say("tokens", "list", "--json")
    assert [t["name"] for t in listed.json] == ["cron"]
    assert made.json["token"] not in listed.out
    line = shell.say("tokens", "list").out.splitlines()[1]
    assert line.split()[:3] == ["cron", "deliveries:read", "cli"]
    assert '"' not in line
    twice = shell.say("tokens", "create", "cron", "--scope", "deliveries:send")
    assert twice.code == 1
    other = shell.say("tokens", "create", "other", "--scope", "deliveries:send")
    assert other.out.strip().startswith("paperpost_")  # alone, for a script
    assert shell.say("tokens", "end", "cron", "--json").json == {"name": "cron", "ended": True}
    assert shell.say("tokens", "end", "cron").code == 1
