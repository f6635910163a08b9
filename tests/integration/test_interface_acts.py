"""The command line as scripts use it: files that nothing was taken of, acts kept on record."""

import json
from pathlib import Path

import pytest
from support.command import Shell, list_of

from service.settings import load_settings
from service.store.house_tables import AuditRow
from service.store.staff import list_audit
from service.wiring import House

ON = "2026-11-18"
CUT = '<?xml version="1.0"?><rss version="2.0"><channel><title>A journal</title><item><title>Hal'


def test_a_file_of_which_nothing_can_be_taken_is_a_failure(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "cut.xml").write_text(CUT)
    said = shell.say("ingest", "cut.xml", "--kind", "feed", "--on", ON)
    assert said.code == 1
    assert "cut.xml: Nothing of it could be taken: the answer ends in the middle." in said.err
    (tmp_path / "strange.json").write_text('[{"x": 1}]')
    good = list_of(tmp_path, "a.json", 1, 2)
    both = shell.say("ingest", "strange.json", good, "--kind", "hf_daily", "--on", ON, "--json")
    assert (both.code, both.json["new"]) == (1, 2)
    assert [row["file"] for row in both.json["unread"]] == ["strange.json"]
    items = [*json.loads((tmp_path / good).read_text()), {"x": 1}]
    (tmp_path / "part.json").write_text(json.dumps(items))
    part = shell.say("ingest", "part.json", "--kind", "hf_daily", "--on", ON, "--json")
    assert (part.code, len(part.json["problems"]), part.json["unread"]) == (1, 1, [])
    assert part.json["known"] + part.json["refreshed"] == 2  # the others are in
    (tmp_path / "none.json").write_text("[]")  # a day without papers is whole
    assert shell.say("ingest", "none.json", "--kind", "hf_daily", "--on", ON).code == 0


def test_an_ingest_that_failed_leaves_no_source(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "strange.json").write_text('[{"x": 1}]')
    for name, kind in (("missing.json", "hf_daily"), ("strange.json", "hf_daily"),
                       ("strange.json", "arxiv_rss")):  # fmt: skip
        assert shell.say("ingest", name, "--kind", kind, "--on", ON).code == 1
    late = shell.say("ingest", list_of(tmp_path, "a.json", 1), "--kind", "hf_daily",
                     "--on", "2999-01-01")  # fmt: skip
    assert (late.code, "2999-01-01 is later than tomorrow." in late.err) == (1, True)
    assert shell.say("sources", "list", "--json").json == []


def test_bars_by_command_are_on_record_like_those_of_the_page(shell: Shell, tmp_path: Path) -> None:
    assert shell.say("suppressions", "add", "ada@example.org").code == 0
    assert shell.say("suppressions", "remove", "ada@example.org").code == 0
    assert shell.say("suppressions", "remove", "ada@example.org").code == 1  # nothing was done
    (tmp_path / "bars.txt").write_text("ben@example.org\nnobody\neve@example.org\n")
    assert shell.say("suppressions", "import", "bars.txt").code == 1
    assert [(row.who, row.what, row.after) for row in acts(tmp_path)] == [
        ("cli", "suppress", {"added": 1, "bad": 0}),
        ("cli", "lift suppression", None),
        ("cli", "suppress", {"added": 2, "bad": 1, "rows": 3}),
    ]


@pytest.mark.slow
def test_readers_settings_and_sources_too(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("email\nben@example.org\nnobody\n")
    for words in (
        "subscribers add ada@example.org --keywords robots --confirmed",
        "subscribers import list.csv --dry-run",
        "subscribers import list.csv",
        "interests add ada@example.org --people Chen --name Chen",
        "interests set ada@example.org Chen --profile towels",
        "interests pause ada@example.org Chen",
        "interests remove ada@example.org Chen",
        "subscribers set ada@example.org --hour 9",
        "subscribers erase ada@example.org",
        "settings set hour 7",
        "sources add feed https://a.example/rss --title Journal",
        "sources remove 1",
    ):
        shell.say(*words.split())
    rows = acts(tmp_path)
    assert {row.who for row in rows} == {"cli"}
    assert [(row.what, row.target) for row in rows] == [
        ("add reader", "reader 1"),
        ("import readers", "import 1"),
        ("add interest", "reader 1"),
        ("change interest", "reader 1"),
        ("pause interest", "reader 1"),
        ("remove interest", "reader 1"),
        ("schedule", "reader 1"),
        ("erase", "reader 1"),
        ("setting", "hour"),
        ("add source", "Journal"),
        ("remove source", "1"),
    ]
    assert rows[1].after is not None
    assert {"rows": 2, "readers": 1}.items() <= rows[1].after.items()
    pause = {"paused": False, "interest": 3}, {"paused": True, "interest": 3}
    assert (rows[4].before, rows[4].after) == pause
    assert (rows[6].before, rows[6].after) == ({"hour": 8}, {"hour": 9})
    assert (rows[8].before, rows[8].after) == ({"value": 8}, {"value": 7})


def acts(folder: Path) -> list[AuditRow]:
    """The record of the staff's acts, oldest first."""
    house = House(load_settings(None, data_dir=folder / "var"))
    try:
        return house.db.read(list_audit)[::-1]
    finally:
        house.close()
