"""The command line and the desk answer what the reader's own page answers, in the same words."""

import json
from datetime import date
from pathlib import Path

import pytest
from support.command import Shell
from support.house import Clock, ingest_items, open_house, paper_item

from service.admin.answers import answers, reasons_told
from service.flows.leave import unsubscribe
from service.flows.leave_part import note_reason
from service.flows.readers import add_reader, read_new
from service.store.subscribers import get_subscriber_row

ADA = "ada@uni.example"


class Asked:
    """Stands for a request: the desk reads its query alone."""

    def __init__(self, **query: str) -> None:
        self.query_params = query


@pytest.mark.slow
def test_commands_answer_and_print_json(shell: Shell, tmp_path: Path) -> None:
    items = [
        paper_item(1, "Adapters that forget less"),
        paper_item(2, "Robots fold towels"),
    ]
    (tmp_path / "day.json").write_text(json.dumps(items))
    shell.say("ingest", "--kind", "hf_daily", "day.json", "--on", "2026-11-18")
    shell.say("subscribers", "add", ADA, "--keywords", "adapters", "--confirmed")
    shell.say("send", "daily", "--on", "2026-11-18")
    (day,) = shell.say("subscribers", "history", ADA, "--json").json
    assert (day["state"], day["papers"]) == ("accepted", 1)
    assert day["says"] == "1 paper mailed."
    told = shell.say("subscribers", "why", ADA, "--on", day["on"], "--json").json
    assert told["mails"] == [day]
    assert "before you began" in shell.say("subscribers", "why", ADA, "--on", "2020-01-06").out
    came = shell.say("subscribers", "why-paper", ADA, "arxiv.org/abs/2611.00001", "--json").json
    assert (came["paper"], came["came"][0]["how"]) == ("arxiv/2611.00001", "full")
    missing = shell.say("subscribers", "why-paper", ADA, "Robots fold towels", "--json").json
    assert missing["interests"][0]["missing"] == [["adapters"]]
    assert (
        "adapters: It does not contain adapters."
        in shell.say("subscribers", "why-paper", ADA, "2611.00002").out
    )
    unknown = shell.say("subscribers", "why-paper", ADA, "2401.00001")
    assert unknown.code == 1
    assert "not in our lists" in unknown.out
    assert shell.say("subscribers", "marks", ADA, "--json").json == []
    assert shell.say("subscribers", "reasons", "--json").json["left"] == 0


@pytest.mark.slow
def test_the_desk_answers_in_the_same_words(tmp_path: Path) -> None:
    with open_house(tmp_path, clock=Clock()) as house:
        rt = house.runtime
        reader = add_reader(rt, read_new({"email": ADA, "keywords": "adapters"}))
        ingest_items(rt, tmp_path, [paper_item(2, "Robots fold towels")], on=date(2026, 11, 18))
        saturday = answers(rt, Asked(on="2026-11-21"), reader)  # type: ignore[arg-type]
        assert saturday["answer"][1:3] == [
            "That day is still to come.",
            "Saturday is none of your mail days.",
        ]
        paper = answers(rt, Asked(paper="2611.00002"), reader)  # type: ignore[arg-type]
        assert paper["answer"][1] == "adapters: It does not contain adapters."
        wrong = answers(rt, Asked(on="soon"), reader)  # type: ignore[arg-type]
        assert wrong["asked_errors"]["on"].what == "This is no date."
        row = rt.db.read(lambda s: get_subscriber_row(s, email_key=ADA))
        assert row is not None
        unsubscribe(rt, row.unsubscribe_token)
        note_reason(rt, row.unsubscribe_token, "many", "Three a day")
        told = reasons_told(rt)
        assert (told["left"], told["reasons"]) == (1, [("Too many mails", 1)])
        assert [words for _, _, words in told["words"]] == ["Three a day"]
