"""A redirect never leaves this site, whatever Host header a request names (every door)."""

from pathlib import Path

from starlette.testclient import TestClient
from support.house import open_house
from support.routes import flat_routes

from service.app import make_app
from service.delivery.links import is_relative
from service.mailbox import Mailbox


def test_every_redirect_is_relative_under_a_hostile_host(tmp_path: Path) -> None:
    with open_house(
        tmp_path, base_url="http://127.0.0.1:8000/letters", allowed_hosts="evil.example"
    ) as house:
        app = make_app(house.runtime, house.settings, mailbox=Mailbox(tmp_path / "mailbox"))
        paths = {r.path for r in flat_routes(app) if r.method == "GET" and "{" not in r.path}
        asked = {f"{path}/" for path in paths - {"/"}}
        asked |= {"/about/?x=//evil.example", "//about/", "//evil.example/admin/", "/\\about/"}
        hostile = {"Host": "evil.example"}
        with TestClient(app, follow_redirects=False, headers=hostile) as client:
            answers = {one: client.get(one) for one in asked}
    wheres = {one: a.headers["location"] for one, a in answers.items() if "location" in a.headers}
    assert len(wheres) > 15
    assert [to for to in wheres.values() if not is_relative(to)] == []
    assert wheres["/admin/"] == "/letters/admin"
    assert wheres["/mailbox/"] == "/letters/mailbox"
    assert wheres["/papers/"] == "/letters/papers"
    assert wheres["/about/?x=//evil.example"] == "/letters/about?x=//evil.example"
