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
    assert f"{READERS} mails" in tried.out
    wrong = shell.say(*newsletter, "--key", "move", "--yes", "12")
    assert wrong.code == 1
    assert server.accepted == []

    sent = shell.say(*newsletter, "--key", "move", "--yes", str(READERS), "--json")
    assert (sent.json["accepted"], sent.json["failed"]) == (READERS - 12, 12)
    again = shell.say(*newsletter, "--key", "move", "--yes", str(READERS), "--json")
    assert again.json["accepted"] == 0
    assert len(server.accepted) == READERS - 12
    assert len({m.recipient for m in server.accepted}) == READERS - 12

    edition = shell.say("editions", "list", "--json").json[0]
    assert edition["state"] == "done"
    shown = shell.say("editions", "show", str(edition["id"]), "--json").json
    groups = {r["meaning"]: r["count"] for r in shown["refused"]}
    assert sum(groups.values()) == 12
    assert len(groups) == 3
    words = str(shown["refused"])
    assert "no such user" in words
    assert "we do not like you" in words

    states = {r["email"]: r["state"] for r in shell.say("subscribers", "list", "--json").json}
    assert [states[f"gone{n}@uni.example"] for n in range(4)] == ["bounced"] * 4
    assert states["wall0@uni.example"] == "active"

    server.clear()
    resent = shell.say("editions", "resend", str(edition["id"]), "--json")
    assert resent.json["accepted"] == 8  # those who exist
    assert not [m for m in server.accepted if "gone" in m.recipient]
