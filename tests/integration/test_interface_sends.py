"""The command line as scripts use it: previews, sends and what became of them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.command import Shell, list_of
from support.smtp_server import SmtpServer, reply

ON = "2026-11-18"


@pytest.mark.slow  # a second or more
def test_papers_takes_several_and_a_key_is_one_edition(shell: Shell, tmp_path: Path) -> None:
    shell.say("ingest", list_of(tmp_path, "a.json", 1, 2, 3), "--kind", "hf_daily", "--on", ON)
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


@pytest.mark.slow
def test_a_test_mail_goes_to_whom_it_is_told_and_counts_for_nobody(
    shell: Shell, tmp_path: Path
) -> None:
    shell.say("subscribers", "add", "ada@uni.example", "--trending", "--confirmed")
    (tmp_path / "news.md").write_text("We open on *Sunday*.")
    words = ["--subject", "News of the library", "--body", str(tmp_path / "news.md")]
    said = shell.say("send", "test", "newsletter", "--to", "me@uni.example", *words, "--json")
    assert (said.code, [one["accepted"] for one in said.json]) == (0, [True])
    assert "[Test] News of the library" in shell.mails()[-1].read_text()
    assert shell.say("deliveries", "list", "--json").json == []
    for wrong in (["newsletter", "--to", "x"], ["manual", "--to", "me@uni.example"]):
        assert shell.say("send", "test", *wrong, *words).code == 2
    shell.say("suppressions", "add", "me@uni.example")
    barred = shell.say("send", "test", "newsletter", "--to", "me@uni.example", *words)
    assert (barred.code, "is suppressed" in barred.err) == (1, True)


def test_a_send_to_nobody_is_no_success(shell: Shell) -> None:
    for words in (["daily"], ["daily", "--dry-run"], ["alerts"]):
        said = shell.say("send", *words, "--to", "none@uni.example", "--json")
        assert (said.code, said.out) == (1, "")
        assert "There is no reader none@uni.example." in said.err


def test_a_composed_preview_names_no_edition(shell: Shell, tmp_path: Path) -> None:
    shell.say("ingest", list_of(tmp_path, "a.json", 1), "--kind", "hf_daily")
    shell.say("subscribers", "add", "ada@uni.example", "--keywords", "adapters", "--confirmed")
    said = shell.say("preview", "ada@uni.example", "--format", "eml")
    assert "Feedback-ID: 0:digest:paperpost" in said.out


@pytest.mark.slow
def test_a_send_says_how_many_are_left_deferred_each_time(shell: Shell, tmp_path: Path) -> None:
    shell.say("ingest", list_of(tmp_path, "a.json", 1), "--kind", "hf_daily", "--on", ON)
    shell.say("subscribers", "add", "ada@uni.example", "--trending", "--confirmed")
    with SmtpServer() as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAPERPOST_SMTP_URL", f"smtp://127.0.0.1:{server.port}")
        server.on("RCPT", reply("450 4.2.0 later"))
        for _ in range(2):  # the second one tries nothing: it is too early
            said = shell.say("send", "daily", "--on", ON, "--json")
            assert (said.code, said.json["accepted"], said.json["deferred"]) == (0, 0, 1)


@pytest.mark.slow  # a second or more
def test_a_preview_says_which_mail_it_is(shell: Shell, tmp_path: Path) -> None:
    today = datetime.now(UTC).date()
    shell.say("ingest", list_of(tmp_path, "a.json", 1, 2), "--kind", "hf_daily", "--on", ON)
    shell.say("subscribers", "add", "ada@uni.example", "--keywords", "adapters", "--confirmed")
    assert shell.say("send", "daily", "--on", ON, "--json").json["accepted"] == 1
    look = ("preview", "ada@uni.example")
    past = shell.say(*look, "--on", ON, "--json").json
    assert (past["stored"], "handed to the mail server" in past["says"]) == (True, True)
    stored = shell.say(*look, "--on", ON, "--format", "eml")
    sent = shell.mails()[-1].read_bytes()
    assert "handed to the mail server" in stored.err
    body = sent[sent.index(b"\r\nFrom: ") + 2 :] if not sent.startswith(b"From: ") else sent
    assert stored.out.encode().split() == body.split()
    nothing = shell.say(*look, "--on", "2026-11-02")
    assert (nothing.code, "no mail was planned" in nothing.out, nothing.err) == (0, True, "")
    for form in ("html", "eml"):  # what reads these gets a mail or nothing
        nothing = shell.say(*look, "--on", "2026-11-02", "--format", form)
        assert (nothing.code, nothing.out, "no mail was planned" in nothing.err) == (0, "", True)

    shell.say("ingest", list_of(tmp_path, "b.json", 3), "--kind", "hf_daily")
    for on in (today, today + timedelta(days=1)):
        made = shell.say(*look, "--on", on.isoformat(), "--json").json
        assert (made["stored"], made["says"].startswith("Composed now")) == (False, True)
        assert "part 3" in made["text"]
    html = shell.say(*look, "--format", "html")
    assert (html.code, html.out.startswith("<!DOCTYPE html>")) == (0, True)
    assert "Composed now" in html.err
    assert "part 3" in shell.say(*look).out


@pytest.mark.slow  # a second or more
def test_a_dry_run_sends_nothing_and_counts_what_a_send_brings(
    shell: Shell, tmp_path: Path
) -> None:
    shell.say("ingest", list_of(tmp_path, "a.json", 1), "--kind", "hf_daily")
    shell.say("subscribers", "add", "ada@uni.example", "--keywords", "adapters", "--confirmed")
    shell.say(
        "subscribers", "add", "ina@uni.example", "--keywords", "adapters", "--confirmed",
        "--cadence", "instant",
    )  # fmt: skip
    (tmp_path / "letter.md").write_text("# News\n\nWe moved.")
    letter = ["send", "newsletter", "--subject", "News", "--body", "letter.md", "--key", "n"]
    dry = [
        shell.say("send", "alerts", "--dry-run", "--json"),
        shell.say(*letter, "--dry-run", "--json"),
        shell.say("send", "manual", "--papers", "2611.00001", "--dry-run", "--json"),
    ]
    assert [(said.code, said.json["mails"]) for said in dry] == [(0, 1), (0, 2), (0, 2)]
    assert dry[1].json["equation"] == "2 readers = 2 mails"
    asked = shell.say(*letter, "--json")
    assert (asked.code, asked.json["mails"]) == (1, 2)
    assert "Add --yes 2" in asked.err
    assert shell.say(*letter, "--yes", "3").code == 1
    assert shell.mails() == []
    assert shell.say("editions", "list", "--json").json == []
    assert shell.say("send", "alerts", "--json").json["accepted"] == 1
    assert shell.say(*letter, "--yes", "2", "--json").json["accepted"] == 2
    assert shell.say(*letter, "--yes", "2", "--json").json["accepted"] == 0


def test_who_is_meant_by_a_list_in_a_file(shell: Shell, tmp_path: Path) -> None:
    shell.say("ingest", list_of(tmp_path, "a.json", 1), "--kind", "hf_daily")
    for name in ("ada", "ben"):
        shell.say("subscribers", "add", f"{name}@uni.example", "--trending", "--confirmed")
    (tmp_path / "some.txt").write_text("ben@uni.example\nnone@uni.example\n")
    words = ["send", "manual", "--papers", "https://arxiv.org/abs/2611.00001v2", "--dry-run"]
    some = shell.say(*words, "--segment", "list:some.txt", "--json").json
    assert (some["mails"], some["strangers"], some["samples"]) == (1, 1, ["ben@uni.example"])
    missing = shell.say(*words, "--segment", "list:missing.txt")
    assert (missing.code, "missing.txt cannot be read" in missing.err) == (1, True)
    assert shell.say(*words, "--segment", "state:9:failed").code == 1


@pytest.mark.slow  # a second or more
def test_an_edition_is_paused_resumed_cancelled_and_sent_again(
    shell: Shell, tmp_path: Path
) -> None:
    shell.say("ingest", list_of(tmp_path, "a.json", 1), "--kind", "hf_daily", "--on", ON)
    for name in ("ada", "ben"):
        shell.say("subscribers", "add", f"{name}@uni.example", "--trending", "--confirmed")
    with SmtpServer() as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAPERPOST_SMTP_URL", f"smtp://127.0.0.1:{server.port}")
        server.on("RCPT", reply("450 4.2.0 later"), match="ada@")
        server.on("RCPT", reply("550 5.7.1 not from here"), match="ben@", times=1)
        sent = shell.say("send", "daily", "--on", ON, "--json")
        assert (sent.code, sent.json["deferred"], sent.json["failed"]) == (0, 1, 1)
        number = str(sent.json["editions"][0])
        rows = shell.say("deliveries", "list", "--edition", number, "--json").json
        assert sorted((r["email"], r["state"], r["code"], r["reason"]) for r in rows) == [
            ("ada@uni.example", "deferred", 450, rows[0]["reason"]),
            ("ben@uni.example", "failed", 550, rows[1]["reason"]),
        ]
        assert "not from here" in rows[1]["reason"]
        assert shell.say("deliveries", "list", "--state", "held", "--json").json == []
        (failed,) = shell.say("deliveries", "list", "--state", "failed", "--json").json
        assert failed["email"] == "ben@uni.example"

        paused = shell.say("editions", "pause", number, "--json")
        assert (paused.code, paused.json) == (0, {"id": int(number), "state": "paused"})
        assert shell.say("editions", "show", number, "--json").json["state"] == "paused"
        resumed = shell.say("editions", "resume", number, "--json")
        assert (resumed.code, resumed.json["deferred"]) == (0, 1)
        again = shell.say("editions", "resend", number, "--json")
        assert (again.code, again.json["planned"], again.json["accepted"]) == (0, 1, 1)
        gone = shell.say("editions", "cancel", number, "--json")
        assert (gone.code, gone.json["cancelled"]) == (0, 1)
        shown = shell.say("editions", "show", number, "--json").json
        assert (shown["state"], shown["cancelled"], shown["failed"]) == ("cancelled", 1, 1)
        assert shell.say("editions", "resume", number).code == 1


@pytest.mark.postgres
def test_the_same_commands_on_postgresql(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_postgres_url: str
) -> None:
    shell = Shell(tmp_path, monkeypatch, DATABASE_URL=empty_postgres_url)
    assert shell.say("migrate", "--json").json["before"] is None
    again = shell.say("migrate", "--json").json
    assert again["before"] == again["after"]
    shell.say("ingest", list_of(tmp_path, "a.json", 1, 2), "--kind", "hf_daily", "--on", ON)
    table = "email,keywords,hour\nada@uni.example,adapters,7\nada@uni.example,LoRA,\nbad@,x,\n"
    (tmp_path / "list.csv").write_text(table)
    came = shell.say("subscribers", "import", "list.csv", "--json")
    assert (came.code, came.json["added"], came.json["readers"]) == (1, 2, 1)
    shell.say("subscribers", "add", "pen@uni.example", "--trending")
    shell.say("suppressions", "add", "no@uni.example")
    assert shell.say("suppressions", "import", "list.csv").code == 1  # ada leaves
    assert shell.say("subscribers", "add", "ben@uni.example", "--trending", "--confirmed").code == 0
    sent = shell.say("send", "daily", "--on", ON, "--json")
    assert (sent.code, sent.json["accepted"]) == (0, 1)
    states = {row["email"]: row["state"] for row in shell.say("subscribers", "list", "--json").json}
    assert states == {
        "ada@uni.example": "left", "ben@uni.example": "active", "pen@uni.example": "pending",
    }  # fmt: skip
    rows = shell.say("deliveries", "list", "--json").json
    assert [(row["email"], row["state"], row["code"]) for row in rows] == [
        ("pen@uni.example", "accepted", 250), ("ben@uni.example", "accepted", 250),
    ]  # fmt: skip
    for words in (["sources"], ["suppressions"], ["editions"], ["settings"]):
        assert shell.say(*words, "list", "--json").json
    assert shell.say("deliveries", "list", "--state", "held", "--json").json == []
    assert shell.say("preview", "ben@uni.example", "--on", ON, "--json").json["stored"] is True
    assert shell.say("subscribers", "erase", "pen@uni.example").code == 0
    assert shell.say("subscribers", "export").out.count("\n") == 4
    assert shell.say("doctor", "--json").code == 0


@pytest.mark.slow
def test_a_key_that_was_used_says_that_its_edition_has_a_text_of_its_own(
    shell: Shell, tmp_path: Path
) -> None:
    shell.say("subscribers", "add", "ada@uni.example", "--keywords", "adapters", "--confirmed")
    (tmp_path / "letter.md").write_text("We moved.")
    words = ["send", "newsletter", "--body", "letter.md", "--key", "k1", "--yes", "1", "--json"]
    said = [shell.say(*words, "--subject", subject) for subject in ("One", "One", "Two")]
    assert [(s.code, s.json["is_new"], s.json["accepted"]) for s in said] == [
        (0, True, 1), (0, False, 0), (0, False, 0),
    ]  # fmt: skip
    assert ["was not used" in s.err for s in said] == [False, False, True]
    assert len(shell.mails()) == 1


def test_one_is_counted_as_one(shell: Shell, tmp_path: Path) -> None:
    name = list_of(tmp_path, "a.json", 1)
    said = shell.say("ingest", name, "--kind", "hf_daily", "--on", ON)
    assert said.out.startswith("1 item: 1 new")
    (tmp_path / "list.csv").write_text("email,keywords\nada@uni.example,adapters\n")
    assert shell.say("subscribers", "import", "list.csv").out == "1 row imported.\n"
    assert shell.say("send", "daily", "--dry-run", "--on", ON).out == "1 mail.\n"
    assert "Basis: 1 paper of 1 day." in shell.say("estimate", "adapters", "--days", "1").out


def test_alerts_of_a_day_after_tomorrow_are_refused(shell: Shell) -> None:
    for more in ([], ["--dry-run"]):
        said = shell.say("send", "alerts", "--on", "2999-01-01", *more)
        assert (said.code, said.out) == (1, "")
        assert "2999-01-01 is later than tomorrow." in said.err


def test_an_editors_note_stands_on_the_digests_of_its_date(shell: Shell, tmp_path: Path) -> None:
    shell.say("subscribers", "add", "ada@uni.example", "--keywords", "adapters", "--confirmed")
    shell.say("ingest", "--kind", "hf_daily", list_of(tmp_path, "a.json", 1))
    said = shell.say("day", "note", "Seminar\n\nat two.", "--json")
    assert said.code == 0, said.err
    on = said.json["on"]
    assert said.json == {"on": on, "note": "Seminar\n\nat two.", "mails_without": 0}
    assert "at two." in shell.say("preview", "ada@uni.example").out
    assert shell.say("day", "note", "").out.strip() == f"No note for {on}."
    assert "at two." not in shell.say("preview", "ada@uni.example").out
    assert shell.say("day", "note").code == 2
    assert shell.say("day", "note", "x" * 1001).code == 1
    assert shell.say("day", "note", "words", "--on", "2020-01-01").code == 1
