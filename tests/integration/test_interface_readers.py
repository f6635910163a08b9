"""The command line as scripts use it: readers, their lists, addresses never to be mailed."""

import csv
import io
from pathlib import Path

import pytest
from support.command import Shell

ON = "2026-11-18"


def test_rows_are_numbered_as_a_spreadsheet_shows_them(shell: Shell, tmp_path: Path) -> None:
    table = 'email;keywords\r\n"ada@uni.example";"LoRA\r\nPEFT"\r\n;\r\n\r\njane.doe@;x\r\n'
    (tmp_path / "list.csv").write_text(table)
    said = shell.say("subscribers", "import", "list.csv", "--json")
    assert (said.code, said.json["rows"], said.json["added"]) == (1, 2, 1)
    assert [row["row"] for row in said.json["problems"]] == [5]
    assert said.json["problems_file"] == "problems.csv"
    (back,) = csv.DictReader(io.StringIO((tmp_path / "problems.csv").read_text("utf-8-sig")))
    assert (back["email"], back["keywords"]) == ("jane.doe@", "x")
    assert "is not an address" in back["problem"]
    (tmp_path / "bars.csv").write_text("email\r\n\r\nbad@\r\nben@uni.example\r\n")
    bars = shell.say("suppressions", "import", "bars.csv", "--json").json
    assert (bars["added"], [row["row"] for row in bars["problems"]]) == (1, [3])


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_confirmation_is_sent_again_only_where_one_may_be(shell: Shell) -> None:
    email = "ada@uni.example"
    shell.say("subscribers", "add", email, "--trending", "--json")
    said = shell.say("subscribers", "confirm-again", email)
    assert (said.code, "Again from " in said.err) == (1, True)
    assert shell.say("subscribers", "confirm-again", "nobody@uni.example").code == 1
    assert shell.say("subscribers", "confirm-again", "nobody").code == 2


@pytest.mark.slow
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


@pytest.mark.slow
def test_bad_rows_come_back_and_the_corrected_file_goes_in(shell: Shell, tmp_path: Path) -> None:
    table = (
        "email,profile,keywords,hour\n"
        "ada@uni.example,(bad AND,,8\n"
        "ben@uni.example,,(bad AND,8\n"  # plain keywords, brackets or not
        'cho@uni.example,"a, b",,8\n'
        "dan@uni.example,,LoRA,99\n"
    )
    (tmp_path / "list.csv").write_text(table)
    said = shell.say("subscribers", "import", "list.csv", "--problems", "bad.csv")
    assert said.code == 1
    assert said.out == "1 row imported, 3 in bad.csv.\n"
    assert "Row 2: 'ada@uni.example': The bracket at character 1, before 'bad'," in said.err
    assert "Row 4: 'cho@uni.example': The , at character 2 does not" in said.err
    (ben,) = shell.say("subscribers", "list", "--json").json
    assert [(i["kind"], i["text"]) for i in ben["interests"]] == [("keywords", "(bad AND")]

    bad = (tmp_path / "bad.csv").read_text("utf-8-sig")
    back = list(csv.DictReader(io.StringIO(bad)))
    assert [row["email"][:3] for row in back] == ["ada", "cho", "dan"]
    assert all(row["problem"] for row in back)
    mended = bad.replace("(bad AND", "good").replace('"a, b"', "a OR b").replace(",99,", ",9,")
    (tmp_path / "mended.csv").write_text(mended)
    again = shell.say("subscribers", "import", "mended.csv", "--json")
    assert (again.code, again.json["added"], again.json["problems_file"]) == (0, 3, None)
    assert len(shell.say("subscribers", "list", "--json").json) == 4


def test_where_bad_rows_cannot_be_written_the_others_are_in_all_the_same(
    shell: Shell, tmp_path: Path
) -> None:
    (tmp_path / "list.csv").write_text("email\nada@uni.example\nbad\n")
    said = shell.say("subscribers", "import", "list.csv", "--problems", "none/bad.csv", "--json")
    assert (said.code, said.json["added"], said.json["problems_file"]) == (1, 1, None)
    assert "cannot be written" in said.err


@pytest.mark.slow
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_list_is_read_as_a_spreadsheet_saves_it(
    shell: Shell, tmp_path: Path, delimiter: str, coding: str
) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(["E-Mail", "keywords", "name", "tz", "hour", "cadence", "confirmed"])
    words = "Fußgänger, graph; network\r\nLoRA"
    writer.writerow(
        ["ada@uni.example", words, "Zoë “Z” Müller", "Europe/Zurich", "07:00", "Weekly", "WAHR"]
    )
    (tmp_path / "list.csv").write_bytes(out.getvalue().encode(coding))
    said = shell.say("subscribers", "import", "list.csv")
    assert (said.code, said.out, said.err) == (0, "1 row imported.\n", "")
    (row,) = shell.say("subscribers", "list", "--json").json
    assert (row["name"], row["zone"], row["hour"]) == ("Zoë “Z” Müller", "Europe/Zurich", 7)
    ((kind, text, cadence),) = [(i["kind"], i["text"], i["cadence"]) for i in row["interests"]]
    assert (kind, text.split(), cadence) == ("keywords", words.split(), "weekly")


@pytest.mark.slow
def test_every_interest_of_every_reader_comes_back_from_an_export(
    shell: Shell, tmp_path: Path
) -> None:
    table = (
        "email,profile,keywords,confirmed,name,tz,hour,cadence\n"
        "ada@uni.example,-cats dogs,,,Ada,Asia/Tokyo,23,weekly\n"
        'ada@uni.example,,"=LoRA\nPEFT",,,,,instant\n'
        "ada@uni.example,,,,,,,\n"
        "ben@uni.example,,robots,false,Ben,,,\n"
    )
    (tmp_path / "list.csv").write_text(table)
    assert shell.say("subscribers", "import", "list.csv", "--json").json["added"] == 4
    (tmp_path / "all.csv").write_text(shell.say("subscribers", "export").out)
    assert len(shell.say("subscribers", "export", "--json").json) == 4
    before = shell.say("subscribers", "list", "--json").json
    (tmp_path / "other").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        other = Shell(tmp_path / "other", patch)
        assert other.say("subscribers", "import", "../all.csv").code == 0
        after = other.say("subscribers", "list", "--json").json
        assert len(other.mails()) == 1  # the pending one is asked
    kept = ("email", "name", "state", "interests", "zone", "hour", "weekdays")
    assert [{k: row[k] for k in kept} for row in after] == [
        {k: row[k] for k in kept} for row in before
    ]
    assert [len(row["interests"]) for row in after] == [3, 1]


def test_bars_go_in_by_a_list_and_bad_lines_are_told(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "bars.txt").write_text("no@uni.example\nbad@\n")
    said = shell.say("suppressions", "import", "bars.txt")
    assert (said.code, said.out) == (1, "1 suppressed, 0 were, 1 bad.\n")
    assert "Row 2: 'bad@'" in said.err
    refused = shell.say("subscribers", "add", "no@uni.example", "--trending", "--confirmed")
    assert (refused.code, "suppressed" in refused.err) == (1, True)
    (row,) = shell.say("suppressions", "list", "--json").json
    assert set(row) == {"hash", "reason", "since", "by", "why"}
    lifted = shell.say("suppressions", "remove", "no@uni.example")
    assert lifted.out == "no@uni.example may be mailed again.\n"
    assert shell.say("suppressions", "list", "--json").json == []
    shell.say("subscribers", "add", "ada@uni.example", "--trending", "--confirmed")
    shell.say("suppressions", "add", "ada@uni.example", "--why", "by telephone")
    (row,) = shell.say("suppressions", "list", "--words", "TELEPHONE", "--json").json
    assert (row["reason"], row["by"], row["why"]) == ("admin", "cli", "by telephone")
    assert shell.say("suppressions", "list", "--words", "letter").out == "None of these.\n"
    lifted = shell.say("suppressions", "remove", "ada@uni.example")
    assert "Its reader had left, and comes back by asking again." in lifted.out


@pytest.mark.slow
def test_a_readers_story_and_being_forgotten(shell: Shell) -> None:
    shell.say("subscribers", "add", "ada@uni.example", "--keywords", "LoRA", "--confirmed")
    shown = shell.say("subscribers", "show", "ada@uni.example", "--json").json
    assert set(shown) >= {"subscriber", "interests", "consent", "mails"}
    (act,) = shown["consent"]
    assert (act["how"], act["by"]) == ("entered by the staff", "cli")
    assert (
        "LoRA · mon,tue,wed,thu,fri 08:00"
        in shell.say("subscribers", "show", "ada@uni.example").out
    )
    assert not [key for key in shown["subscriber"] if "token" in key]
    assert shell.say("subscribers", "erase", "ada@uni.example").code == 0
    assert shell.say("subscribers", "show", "ada@uni.example").code == 1
    assert shell.say("subscribers", "list", "--json").json == []


def test_a_name_is_one_line_of_text_however_it_was_typed(shell: Shell, tmp_path: Path) -> None:
    add = ["subscribers", "add", "--keywords", "robots", "--confirmed", "--name"]
    assert shell.say(*add, "Bob\r\nBcc: z@z.example\x1b[31m", "bob@uni.example").code == 0
    cells = (
        'email,keywords,name,interest_name\neve@uni.example,cats,"Eve\nEk\x07","Big\u202ecats"\n'
    )
    (tmp_path / "list.csv").write_text(cells)
    assert shell.say("subscribers", "import", "list.csv").code == 0
    bob, eve = sorted(shell.say("subscribers", "list", "--json").json, key=lambda r: r["email"])
    assert (bob["name"], eve["name"]) == ("Bob Bcc: z@z.example[31m", "Eve Ek")
    assert [each["name"] for each in eve["interests"]] == ["Bigcats"]


def test_mail_on_time_is_chosen_at_the_add(shell: Shell) -> None:
    add = ("subscribers", "add", "--keywords", "robots", "--confirmed")
    shell.say(*add, "ada@uni.example", "--on-time")
    shell.say(*add, "ben@uni.example")
    for email, on_time in (("ada@uni.example", True), ("ben@uni.example", False)):
        shown = shell.say("subscribers", "show", email, "--json").json
        assert shown["subscriber"]["on_time"] is on_time
