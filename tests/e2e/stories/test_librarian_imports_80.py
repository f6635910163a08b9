"""A librarian brings eighty colleagues from a spreadsheet, looks at one mail, and sends."""

from datetime import date
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
