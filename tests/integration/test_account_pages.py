"""Accounts at the desk: sessions, roles, names, passwords; strangers lock nobody out."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from support.house import Clock, open_house

from service.app import make_app
from service.flows import accounts, staff
from service.flows.runtime import Runtime
from service.store.staff import list_audit

pytestmark = [pytest.mark.usefixtures("cheap_passwords"), pytest.mark.slow]
BASE = "http://127.0.0.1:8000"
PASSWORD = "correct horse battery"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/18.0 Mobile/15E148 Safari/604.1"
)


class Desk:
    """One house; browsers that come from where they say."""

    def __init__(self, rt: Runtime, app: object, clock: Clock) -> None:
        self.rt, self.clock, self._app = rt, clock, app

    def browser(self, host: str = "192.0.2.7", agent: str = FIREFOX) -> TestClient:
        client = TestClient(self._app, base_url=BASE, client=(host, 5))  # type: ignore[arg-type]
        client.headers["User-Agent"] = agent
        return client

    def make(self, name: str, role: str) -> None:
        link = staff.create_admin(self.rt, name, role, by="cli")
        staff.redeem(self.rt, link.rpartition("/")[2], PASSWORD)

    def log_in(self, client: TestClient, name: str, password: str = PASSWORD) -> object:
        data = {"token": token_in(client.get("/admin/login").text), "name": name}
        return client.post("/admin/login", data={**data, "password": password})

    def enter(self, name: str, role: str, **browser: str) -> tuple[TestClient, str]:
        """An account, logged in; its browser and the token of its forms."""
        self.make(name, role)
        client = self.browser(**browser)
        answer = self.log_in(client, name)
        assert answer.url.path == "/admin", answer.text[-500:]  # type: ignore[attr-defined]
        return client, token_in(client.get("/admin/account").text)

    def acts(self) -> list[tuple[str, str, str]]:
        return [(a.who, a.what, a.target) for a in self.rt.db.read(list_audit)]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    clock = Clock()
    with open_house(tmp_path, clock=clock, contact_email="library@example.org") as house:
        yield Desk(house.runtime, make_app(house.runtime, house.settings), clock)


def token_in(page: str) -> str:
    found = re.search(r'name="token" value="([^"]+)"', page)
    assert found, page[-1500:]
    return found[1]


def is_in(client: TestClient) -> bool:
    return client.get("/admin/account", follow_redirects=False).status_code == 200


def test_a_role_taken_away_takes_effect_at_the_next_request(desk: Desk) -> None:
    owner, token = desk.enter("olga", "owner")
    other, others_token = desk.enter("ed", "editor")
    number = accounts.need_account(desk.rt, "ed")
    assert other.get("/admin/send").status_code == 200
    data = {"token": token, "act": "role", "role": "viewer"}
    assert "Saved." in owner.post(f"/admin/staff/{number}", data=data).text
    assert not is_in(other)
    asked = other.post("/admin/topics/add", data={"token": others_token}, follow_redirects=False)
    assert asked.headers["location"].startswith("/admin/login?next=")
    desk.log_in(other, "ed")
    assert other.get("/admin/send").status_code == 403
    assert ("olga", "change role", "ed") in desk.acts()
    wrong = owner.post(f"/admin/staff/{number}", data={**data, "role": "boss"})
    assert wrong.status_code == 422
    assert "is no role" in wrong.text


def test_one_sees_and_ends_ones_own_sessions_and_an_owner_everybodys(desk: Desk) -> None:
    first, token = desk.enter("vera", "viewer")
    phone = desk.browser("2001:db8::9", PHONE)
    desk.log_in(phone, "vera")
    owner, owners = desk.enter("olga", "owner", host="198.51.100.1")
    page = first.get("/admin/account").text
    assert "Firefox on Linux" in page
    assert "Safari on iPhone" in page
    assert "2001:db8::/64" in page
    assert "this one" in page
    mine, theirs = [accounts.list_sessions(desk.rt, admin_id=accounts.need_account(desk.rt, n))
                    for n in ("vera", "olga")]  # fmt: skip
    on_phone = next(s for s in mine if s.browser == "Safari on iPhone")
    taken = {"token": token, "act": "session", "session": str(theirs[0].id)}
    refused = first.post("/admin/account", data=taken)
    assert refused.status_code == 422
    assert "This session has ended" in refused.text
    assert is_in(owner)  # nobody ends another's by its number
    first.post("/admin/account", data={**taken, "session": str(on_phone.id)})
    assert not is_in(phone)
    assert is_in(first)
    desk.log_in(phone, "vera")
    first.post("/admin/account", data={"token": token, "act": "others"})
    assert not is_in(phone)
    assert is_in(first)
    listed = owner.get("/admin/staff").text
    assert "vera, viewer" in listed
    number = re.search(r'name="session" value="(\d+)"', listed)
    assert number is not None
    owner.post("/admin/staff", data={"token": owners, "act": "session", "session": number[1]})
    assert not is_in(first)
    whose = [act for act in desk.acts() if act[1].startswith("end session")]
    assert whose == [
        ("olga", "end session", "vera"),
        ("vera", "end sessions", "vera"),
        ("vera", "end session", "vera"),
    ]


def test_a_new_password_ends_the_others_and_is_not_one_that_others_guess(desk: Desk) -> None:
    client, token = desk.enter("vera", "viewer")
    other = desk.browser("192.0.2.99")
    desk.log_in(other, "vera")
    form = {"token": token, "act": "password", "old": PASSWORD}
    for new, again, says in (
        ("password123", "password123", "among the first that are tried"),
        ("verapaperpost", "verapaperpost", "among the first that are tried"),
        ("short", "short", "has 5 characters"),
        ("another long one", "another", "differ"),
    ):
        answer = client.post("/admin/account", data={**form, "password": new, "again": again})
        assert answer.status_code == 422
        assert says in answer.text, new
    new = {"password": "another long one", "again": "another long one"}
    for _ in range(5):  # who finds a desk open does not guess on
        wrong = client.post("/admin/account", data={**form, **new, "old": "not this one"})
        assert "not your present password" in wrong.text
    assert "5 tries failed" in client.post("/admin/account", data={**form, **new}).text
    desk.clock.go(minutes=16)
    assert (
        "your other sessions have ended" in client.post("/admin/account", data={**form, **new}).text
    )
    assert is_in(client)
    assert not is_in(other)


def test_strangers_who_fill_the_window_of_a_name_keep_out_no_one_who_works_here(
    desk: Desk,
) -> None:
    client, _ = desk.enter("olga", "owner")
    client.cookies.delete("paperpost")  # the session is over; the browser is the same
    for n in range(8):
        stranger = desk.browser(f"203.0.113.{n}")
        desk.log_in(stranger, "olga", "a guess of mine")
    elsewhere = desk.browser("198.51.100.7")
    held = desk.log_in(elsewhere, "olga")
    assert "tries failed" in held.text  # type: ignore[attr-defined]
    assert desk.log_in(client, "olga").url.path == "/admin"  # type: ignore[attr-defined]
    link = staff.create_admin(desk.rt, "olga", "owner", by="cli")  # and by a link, from anywhere
    page = elsewhere.get(link)
    both = {"password": "another long one", "again": "another long one"}
    elsewhere.post(link, data={"token": token_in(page.text), **both})
    for _ in range(6):
        desk.log_in(desk.browser("203.0.113.9"), "olga", "a guess of mine")
    entered = desk.log_in(elsewhere, "olga", "another long one")
    assert entered.url.path == "/admin"  # type: ignore[attr-defined]


def test_a_known_browser_guesses_as_slowly_and_for_its_own_name_alone(desk: Desk) -> None:
    client, _ = desk.enter("olga", "owner")
    desk.make("ed", "editor")
    client.cookies.delete("paperpost")
    for _ in range(5):
        desk.log_in(client, "olga", "a guess of mine")
    assert "5 tries failed" in desk.log_in(client, "olga").text  # type: ignore[attr-defined]
    assert desk.log_in(desk.browser("198.51.100.7"), "olga").url.path == "/admin"  # type: ignore[attr-defined]
    for n in range(5):
        desk.log_in(desk.browser(f"203.0.113.{n}"), "ed", "a guess of mine")
    assert "tries failed" in desk.log_in(client, "ed").text  # type: ignore[attr-defined]


def test_a_name_an_address_and_what_somebody_did(desk: Desk) -> None:
    owner, token = desk.enter("olga", "owner")
    desk.enter("ed", "editor")
    number = accounts.need_account(desk.rt, "ed")
    here = f"/admin/staff/{number}"
    owner.post(here, data={"token": token, "act": "rename", "new": "edna"})
    taken = owner.post(here, data={"token": token, "act": "rename", "new": "olga"})
    assert "There is an account" in taken.text
    wrong = owner.post(here, data={"token": token, "act": "email", "email": "edna@"})
    assert wrong.status_code == 422
    assert "aria-invalid" in wrong.text
    owner.post(here, data={"token": token, "act": "email", "email": "edna@uni.example"})
    page = owner.get(here).text
    assert "edna@uni.example" in page
    assert "Called before" in page
    assert page.count("log in") >= 1  # done under the old name
    assert "<del>ed</del>" in owner.get("/admin/audit?what=rename account").text
    made = owner.post(here, data={"token": token, "act": "link"}).text
    assert "/admin/link/" in made
    over = owner.post(here, data={"token": token, "act": "end"}).text
    assert "The account is ended: it logs in nowhere." in over
    assert "ended" in owner.get("/admin/staff").text
    only = accounts.need_account(desk.rt, "olga")
    last = owner.post(f"/admin/staff/{only}", data={"token": token, "act": "end"})
    assert "This is the only owner" in last.text
    assert owner.get("/admin/staff/999").status_code == 404
    own = owner.post(
        "/admin/account", data={"token": token, "act": "email", "email": "o@x.example"}
    )
    assert "Saved." in own.text
    assert 'value="o@x.example"' in own.text
    assert "library@example.org" in own.text


def test_acts_are_searched_and_taken_away(desk: Desk) -> None:
    owner, token = desk.enter("olga", "owner")
    data = {"token": token, "value": "9", "was": "8", "reason": "=cmd()"}
    owner.post("/admin/settings/hour", data=data)
    staff.create_admin(desk.rt, "=SUM(A1)", "viewer", by="cli")
    found = owner.get("/admin/audit", params={"what": "setting", "who": "OLG"}).text
    assert "<del>8</del>" in found
    assert "<ins>9</ins>" in found
    assert "192.0.2.7" in found
    assert "admin link" not in re.sub(r"<select.*?</select>", "", found, flags=re.S)
    assert "None." in owner.get("/admin/audit", params={"target": "100%"}).text
    mixed = owner.get("/admin/audit", params={"from": "2026-12-01", "to": "2026-11-01"})
    assert mixed.status_code == 422
    assert "no day is in between" in mixed.text
    table = owner.get("/admin/audit/export.csv").text
    assert "'=SUM(A1)" in table
    assert "'=cmd()" in table
    rows = owner.get("/admin/audit/export.json", params={"what": "setting"}).json()
    assert [(r["who"], r["target"], r["before"], r["after"], r["reason"]) for r in rows] == [
        ("olga", "hour", {"value": 8}, {"value": 9}, "=cmd()")
    ]
    up = owner.get("/admin/audit", params={"sort": "what"}).text
    assert 'aria-sort="ascending"' in up


def test_a_page_that_asks_again_by_itself_keeps_no_session(desk: Desk) -> None:
    desk.make("ada", "owner")
    browser = desk.browser()
    desk.log_in(browser, "ada")
    part = {"HX-Request": "true", "HX-Current-URL": f"{BASE}/admin?said=saved"}
    for _ in range(11):
        desk.clock.go(hours=1)
        assert browser.get("/admin/overview/now", headers=part).status_code == 200
    assert browser.get("/admin/account").status_code == 200  # somebody looked
    for _ in range(12):
        desk.clock.go(hours=1)
        said = browser.get("/admin/overview/now", headers=part, follow_redirects=False)
    assert said.status_code == 401
    assert said.headers["hx-redirect"] == "/admin/login?next=/admin%3Fsaid%3Dsaved"
