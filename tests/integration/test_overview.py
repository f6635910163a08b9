"""The first page of the desk: what moves asks again, what rests does not; programs and commands are
told the same."""

import re
from pathlib import Path

import pytest
from support.command import Shell
from support.desk import signed_in
from support.house import add, open_house
from support.reading_house import reading_house

from service.cli.overview_commands import _lines
from service.flows.alarms import Alarm, raise_alarm
from service.flows.daily import plan_daily
from service.flows.desk_overview import read_overview


def polls(page: str) -> str:
    """The address that the moving part asks again, "" when it rests."""
    found = re.search(r'data-hx-get="([^"]+)"', page)
    return found[1].replace("&amp;", "&") if found else ""


@pytest.mark.slow
def test_what_moves_asks_again_and_speaks_only_when_there_is_news(tmp_path: Path) -> None:
    with reading_house(tmp_path) as house:
        rt = house.rt
        add(rt, "ada@uni.example", "adapters")
        desk, _ = signed_in(house, "sender")
        assert not polls(desk.get("/admin").text)
        plan_daily(rt)
        page = desk.get("/admin").text
        address = polls(page)
        assert "0 of 1 settled" in page
        part = desk.get(address).text
        assert polls(part) == address  # told already: no words for the ear
        assert "hx-swap-oob" not in part
        assert "hx-swap-oob" in desk.get("/admin/overview/now?told=rest").text
        assert 'id="now-act-' in part  # pause it now
        house.send()
        part = desk.get(address).text
        assert (polls(part), "Nothing is under way." in part) == ("", True)
        assert "0 of 1 settled" not in part


@pytest.mark.slow
def test_an_alarm_says_what_to_do_where_it_is_shown_and_who_may_ends_it(tmp_path: Path) -> None:
    with reading_house(tmp_path) as house:
        alarm = Alarm(
            kind="domain", key="a.example", what="a.example refuses.", place="There.",
            next_step="Read its words.",
        )  # fmt: skip
        house.rt.db.write(lambda s: raise_alarm(house.rt, s, alarm))
        for role, may in (("viewer", False), ("sender", True)):
            page = signed_in(house, role)[0].get("/admin").text
            assert all(
                words in page for words in ("a.example refuses.", "There.", "Read its words.")
            )
            assert "/admin/deliveries/groups?domain=a.example" in page
            assert ('/end"' in page) == may


def test_the_command_says_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_house(tmp_path) as house:
        found = read_overview(house.runtime)
    lines = _lines(found)
    assert "Readers     0 active, 0 to confirm; today 0 joined, 0 left" in lines
    assert any(line.startswith("To do       Add a source") for line in lines)
    told = Shell(tmp_path, monkeypatch).say("overview", "--json")
    assert told.json.keys() == found.keys()
    assert len(told.json["days"]) == 30
