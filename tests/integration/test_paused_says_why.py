"""An edition that paused by itself says why wherever it is shown, for as long as it is paused."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from support.command import Shell
from support.house import Clock, open_house

from service.app import make_app
from service.flows import editions as flow
from service.flows import staff
from service.store import editions

pytestmark = [pytest.mark.usefixtures("cheap_passwords"), pytest.mark.slow]
WHY = "a.example, b.example refuse its mails: 550 5.7.26 no"
PASSWORD = "correct horse battery"


def test_by_list_page_overview_and_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with open_house(tmp_path, clock=Clock()) as house:
        rt = house.runtime

        def pause(session):
            made, _ = editions.add_edition(session, kind="manual", slot="k", now=rt.clock())
            editions.set_edition(session, made.id, planned=2, paused=True, paused_why=WHY)
            return made.id

        number = rt.db.write(pause)
        link = staff.create_admin(rt, "ada", "sender", by="cli")
        staff.redeem(rt, link.rpartition("/")[2], PASSWORD)
        app = make_app(rt, house.settings)
        with TestClient(app, base_url="http://127.0.0.1:8000") as client:
            signed_in = staff.log_in(rt, "ada", PASSWORD, "127.0.0.1", "tests")
            client.cookies.set("paperpost", signed_in)
            for place in ("", "/editions", f"/editions/{number}"):
                assert WHY in client.get(f"/admin{place}").text, place
        shell = Shell(tmp_path, monkeypatch, DATA_DIR=str(house.settings.data_dir))
        assert f"Edition {number}: {WHY}" in shell.say("editions", "list").out
        assert WHY in shell.say("editions", "show", str(number)).out
        flow.cancel(rt, number, by="ada")
        assert WHY not in shell.say("editions", "list", "--json").out
