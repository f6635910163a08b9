"""A community host sends a newsletter; some addresses are refused, each for its own reason.

The host of the story has 50,000 readers and 300 refusals; here 400 and 12 in the same shares of
meaning (the ledger treats every row alike; the large numbers are a campaign of their own).
"""

import pytest
from support.command import Shell
from support.smtp_server import SmtpServer, reply

READERS = 400


@pytest.fixture
def server():
    with SmtpServer() as made:
        made.on("RCPT", reply("550 5.1.1 no such user"), match=r"gone\d")
        made.on("RCPT", reply("552 5.2.2 mailbox full"), match=r"full\d")
        made.on("RCPT", reply("554 5.7.1 we do not like you"), match=r"wall\d")
        yield made


@pytest.fixture
def shell(tmp_path, monkeypatch, server):
    made = Shell(tmp_path, monkeypatch, SMTP_URL=f"smtp://127.0.0.1:{server.port}")
    names = [f"r{n}" for n in range(READERS - 12)]
    names += [f"{word}{n}" for word in ("gone", "full", "wall") for n in range(4)]
    (tmp_path / "list.csv").write_text("email\n" + "".join(f"{n}@uni.example\n" for n in names))
    assert made.say("subscribers", "import", "list.csv", "--json").json["added"] == READERS
    (tmp_path / "text.md").write_text("# News\n\nThe reading group moves to *Thursday*.\n")
    return made


# Quick runs group refusals and resend in test_admin.py, with few readers.
@pytest.mark.slow
def test_host(shell, server):
    newsletter = ("send", "newsletter", "--subject", "The reading group moves", "--body", "text.md")
    tried = shell.say(*newsletter, "--key", "move", "--dry-run")
    assert tried.code == 0
    assert f"{READERS} readers = {READERS} mails" in tried.out
    assert "Among them: full0@uni.example" in tried.out
    for check in ("Relay answers", "Unsubscribe works", "Links answer", "Suppressed left out"):
        assert f"ok    {check}: " in tried.out, check
    facts = shell.say(*newsletter, "--key", "move", "--dry-run", "--json").json
    assert {c["grade"] for c in facts["checks"]} <= {"ok", "warn"}
    wrong = shell.say(*newsletter, "--key", "move", "--yes", "12")
    assert wrong.code == 1
    assert "It would be 400 mails, not 12" in wrong.err
    assert server.accepted == []

    # the first twenty are those of the alphabet: four full, four gone; it pauses by itself
    sent = shell.say(*newsletter, "--key", "move", "--yes", str(READERS), "--canary", "--json")
    assert (sent.json["accepted"], sent.json["failed"]) == (12, 8)
    edition = shell.say("editions", "list", "--json").json[0]
    number = str(edition["id"])
    assert edition["state"] == "paused"
    assert "8 of the first 20 were refused: 5." in edition["paused_why"]
    told = shell.say("editions", "show", number)
    assert "first 20: 12 accepted, 0 deferred, 8 refused; 380 wait for a word" in told.out
    assert "paused by itself" in shell.say("alarms", "list").out

    # the host looks: no fault of the letter. The same key again makes no second one
    again = shell.say(*newsletter, "--key", "move", "--yes", str(READERS), "--canary", "--json")
    assert (again.json["accepted"], again.json["is_new"]) == (0, False)
    rest = shell.say("editions", "rest", number, "--json")
    assert (rest.json["freed"], rest.json["accepted"], rest.json["failed"]) == (380, 376, 4)
    assert len({m.recipient for m in server.accepted}) == READERS - 12
    assert len(server.accepted) == READERS - 12

    shown = shell.say("editions", "show", number, "--json").json
    assert (shown["state"], shown["missing"], shown["accepted"]) == ("done", 0, READERS - 12)
    groups = {r["name"]: r["count"] for r in shown["refused"]}
    assert groups == {"person": 4, "full": 4, "policy": 4}
    words = {r["name"]: r["words"][0]["text"] for r in shown["refused"]}
    assert "no such user" in words["person"]
    assert "we do not like you" in words["policy"]
    assert {r["name"]: r["resend"] for r in shown["refused"]}["person"] is False
    assert sum(n for _, n in shown["minutes"]) == READERS - 12

    states = {r["email"]: r["state"] for r in shell.say("subscribers", "list", "--json").json}
    assert [states[f"gone{n}@uni.example"] for n in range(4)] == ["bounced"] * 4
    assert states["wall0@uni.example"] == "active"

    # mailboxes have room again: that group alone; then whoever is left and makes sense
    server.clear()
    before = len(server.accepted)
    full = shell.say("editions", "resend", number, "--meaning", "full", "--yes", "4", "--json")
    assert full.json["accepted"] == 4
    tried = shell.say("editions", "resend", number, "--dry-run")
    assert tried.out.startswith("4 mails would be sent again; left out: ")
    assert "4 address does not exist" in tried.out
    assert "4 sent again already" in tried.out
    resent = shell.say("editions", "resend", number, "--json")
    assert resent.json["accepted"] == 4
    again = [m.recipient for m in server.accepted[before:]]
    assert sorted(again) == [
        f"{word}{n}@uni.example" for word in ("full", "wall") for n in range(4)
    ]

    # whoever joins now gets it, once; leavers and the barred never
    shell.say("subscribers", "add", "new@uni.example", "--trending", "--confirmed")
    counted = shell.say("editions", "late", number)
    assert counted.code == 1
    assert "1 reader = 1 mail" in counted.out
    assert shell.say("editions", "late", number, "--yes", "1", "--json").json["accepted"] == 1
    assert shell.say("editions", "late", number).code == 0
    acts = [a["what"] for a in shell.say("audit", "list", "--json").json]
    assert [acts.count(act) for act in ("send newsletter", "send the rest", "resend")] == [2, 1, 2]
