"""A librarian brings eighty colleagues from a spreadsheet, looks at one mail, and sends."""

from datetime import date, timedelta
from email import message_from_bytes, policy

import pytest
from support.captures import shared_data
from support.command import Shell

ON = "2026-08-05"


def spreadsheet() -> bytes:
    """As Excel saves it in Zurich: semicolons, Windows-1252, an umlaut, one slip in row 18, and one
    colleague twice."""
    lines = ["E-Mail;Name;keywords;tz;hour"]
    for n in range(80):
        address = "jane.doe@" if n == 16 else f"reader{n}@uni.example"
        lines.append(f"{address};Zoë Müller {n};agent, benchmark;Europe/Zurich;{7 + n % 3}")
    lines.append("reader5@uni.example;The same again;agent, benchmark;;")
    return "\r\n".join(lines).encode("cp1252")


# Quick runs import, preview and send with few readers (test_interface_cli.py, test_manual.py).
@pytest.mark.slow
def test_librarian(tmp_path, monkeypatch):
    shared = shared_data()
    shell = Shell(tmp_path, monkeypatch, ORG_NAME="Example University Library")
    (tmp_path / "list.csv").write_bytes(spreadsheet())

    tried = shell.say("subscribers", "import", "list.csv", "--dry-run")
    assert tried.code == 1  # one row has a problem
    assert "79 rows would be imported" in tried.out
    assert shell.say("subscribers", "list", "--json").json == []

    done = shell.say("subscribers", "import", "list.csv")
    assert done.code == 1
    assert "79 rows imported, 1 were there, 1 in problems.csv." in done.out
    assert "Row 18: 'jane.doe@' is not an address" in done.err
    problems = (tmp_path / "problems.csv").read_text("utf-8-sig")
    assert problems.splitlines()[0].endswith(",problem")
    assert "jane.doe@" in problems
    assert shell.mails() == []  # imported readers get no confirmation

    day = shared / "hf_daily" / f"{ON}.json"
    assert (
        shell.say("ingest", "--kind", "hf_daily", str(day), "--on", ON, "--json").json["new"] > 20
    )
    shown = shell.say("preview", "reader3@uni.example", "--on", date.today().isoformat())
    assert shown.code == 0

    sent = shell.say("send", "daily", "--on", ON, "--json")
    assert sent.code == 0
    assert sent.json["accepted"] == 79
    mail = message_from_bytes(shell.mails()[0].read_bytes(), policy=policy.default)
    text = mail.get_body(("plain",)).get_content()
    assert "You were added by Example University Library on" in text
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"

    rows = shell.say("deliveries", "list", "--json").json
    assert {r["state"] for r in rows} == {"accepted"}
    assert len(rows) == 79
    assert shell.say("send", "daily", "--on", ON, "--json").json["accepted"] == 0
    assert shell.say("editions", "list", "--json").json[0]["accepted"] == 79

    # a word of hers to all of them, planned for tomorrow morning; then she thinks better of it
    (tmp_path / "word.md").write_text("The library opens on **Sunday**.\n", encoding="utf-8")
    word = ("send", "newsletter", "--subject", "The library opens", "--body", "word.md")
    looked = shell.say(*word, "--dry-run", "--json").json
    assert (looked["readers"], looked["mails"], len(looked["samples"])) == (79, 79, 10)
    assert {"Unsubscribe works", "Test mode off"} <= {c["name"] for c in looked["checks"]}
    assert shell.say(*word, "--at", "yesterday", "--yes", "79").code == 2
    morning = f"{date.today() + timedelta(days=1)} 07:30"
    planned = shell.say(*word, "--key", "sunday", "--at", morning, "--yes", "79")
    assert planned.code == 0
    assert "07:30 UTC: 79 mails. paperpost run sends it" in planned.out
    assert shell.say("editions", "list", "--json").json[0]["waiting"] == 79
    number = str(shell.say("editions", "list", "--json").json[0]["id"])
    move = ("editions", "move", number, "--own-hour")
    assert shell.say(*move, "--on", "yesterday").code == 2
    assert "would be moved" in shell.say(*move, "--dry-run").out
    assert "79 go at each reader's own hour, the first on" in shell.say(*move).out
    assert shell.say(*move, "--json").json["is_new"] is False
    assert shell.say("editions", "undo", number, "--json").json["taken_back"] == 79
    assert len(shell.mails()) == 79, "nothing of it went"

    # and to those of the eight o'clock at once: forty addresses, from the list that she has
    early = [f"reader{n}@uni.example" for n in range(80) if n % 3 == 1 and n != 16]
    (tmp_path / "early.csv").write_text("\n".join([*early, "stranger@uni.example"]))
    some = (*word, "--segment", "list:early.csv", "--key", "early")
    assert "1 of the list are no readers and get nothing." in shell.say(*some, "--dry-run").out
    sent = shell.say(*some, "--yes", str(len(early)), "--json")
    assert (sent.code, sent.json["accepted"]) == (0, len(early))
    shown = shell.say("editions", "show", str(sent.json["editions"][0]), "--json").json
    assert shown["segment"] == f"a list of {len(early) + 1} addresses", "and no address is kept"


def test_leavers_stay_away_after_a_second_import(tmp_path, monkeypatch):
    shell = Shell(tmp_path, monkeypatch)
    (tmp_path / "list.csv").write_text("email\nann@uni.example\nbob@uni.example\n")
    shell.say("subscribers", "import", "list.csv")
    assert shell.say("subscribers", "erase", "ann@uni.example").code == 0
    again = shell.say("subscribers", "import", "list.csv", "--json")
    assert again.json["added"] == 0
    assert "This person left" in again.json["problems"][0]["problem"]
    states = {r["email"]: r["state"] for r in shell.say("subscribers", "list", "--json").json}
    assert states == {"bob@uni.example": "active"}
