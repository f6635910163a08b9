"""Who may ask what: every address of the desk and of programs, as everybody there is.

The tables are those of tests/support/desk_addresses.py. The quick run asks each address as the
greatest role, or with all scopes, that is not enough; the whole run asks as everybody.
"""

import itertools
import re
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from support.desk_addresses import (
    API_ACTS,
    API_PAGES,
    DESK_ACTS,
    DESK_PAGES,
    ROLES,
    Act,
)
from support.every_address import BASE, PASSWORD, World, world
from support.house import open_house
from support.laden import kept, laden

from service.app import make_app
from service.flows import staff
from service.flows.accounts import list_sessions
from service.flows.tokens import SCOPES, end_token, make_token

ENTRY = ("/admin/login", "/admin/link/{token}")
_GONE_BY_THEMSELVES = {"session", "pace", "process", "audit", "sqlite_sequence"}
"""Tables that an act may write beside what it is for: when a session was used, tries."""


@dataclass
class Someone:
    """A browser or a program. token: of the forms of its session · name: as acts call it · key:
    of its session, which logging out takes from the browser."""

    name: str
    client: TestClient
    token: str = ""
    key: str = ""

    def sits_down(self) -> TestClient:
        """Its browser, with nothing left in it of earlier acts."""
        self.client.cookies.clear()
        if self.key:
            self.client.cookies.set("paperpost", self.key)
        return self.client


@dataclass
class Staffed:
    """made: the house with all that acts need, and ``back`` to it · roles, scopes: one of each ·
    nobody, ended, ended_program: who may nothing."""

    made: World
    values: Mapping[str, str]
    roles: dict[str, Someone]
    scopes: dict[str, Someone]
    nobody: Someone
    ended: Someone
    ended_program: Someone
    back: Any
    watch: sqlite3.Connection

    def text(self, pattern: Any) -> Any:
        """A pattern of the tables with its values in it."""
        if isinstance(pattern, str):
            return re.sub(r"\{(\w+)\}", lambda m: self.values.get(m[1], m[0]), pattern)
        if isinstance(pattern, Mapping):
            return {name: self.text(one) for name, one in pattern.items()}
        if isinstance(pattern, list):
            return [self.text(one) for one in pattern]
        return pattern

    def version(self) -> int:
        """Another number where anybody else has committed since."""
        return int(self.watch.execute("PRAGMA data_version").fetchone()[0])

    def press(self, act: Act, who: Someone, token: str | None = None) -> Any:
        """Send the form of an act of the desk. token: instead of the one of the session."""
        data = {**self.text(act.body), "token": who.token if token is None else token}
        address = self.text(act.address)
        if act.address.startswith(("/admin/login", "/admin/link/")):
            page = self.nobody.client.get(address).text
            data["token"] = _token_in(page)
        return who.sits_down().post(address, data=data)

    def call(self, method: str, act: Act, who: Someone) -> Any:
        """Send the request of an act of the programs' interface."""
        body = {k: int(v) if _is_number(v) else v for k, v in self.text(act.body).items()}
        given = {"json": body} if method != "GET" else {}
        return who.sits_down().request(method, self.text(act.address), **given)


def _is_number(value: Any) -> bool:
    return isinstance(value, str) and value.isdecimal()


def _token_in(page: str) -> str:
    found = re.search(r'name="token" value="([^"]+)"', page)
    assert found, page[:500]
    return found[1]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staffed]:
    with pytest.MonkeyPatch.context() as patch, world(tmp_path_factory.mktemp("matrix")) as made:
        _cheap(patch)
        rt = made.house.rt

        def browser() -> TestClient:
            return TestClient(
                made.app, base_url=BASE, follow_redirects=False, raise_server_exceptions=False
            )

        def member(role: str, name: str) -> Someone:
            link = staff.create_admin(rt, name, role, by="cli")
            staff.redeem(rt, link.rpartition("/")[2], PASSWORD)
            client = browser()
            staff.log_in(rt, name, PASSWORD, "10.0.0.1", "another browser")
            key = staff.log_in(rt, name, PASSWORD, "127.0.0.1", "tests")
            client.cookies.set("paperpost", key)
            return Someone(name, client, _token_in(client.get("/admin/account").text), key)

        def program(name: str, *scopes: str) -> Someone:
            client = browser()
            token = make_token(rt, name, scopes, by="cli")["token"]
            client.headers["Authorization"] = f"Bearer {token}"
            return Someone(f"token {name}", client)

        more = laden(made)
        roles = {role: member(role, f"{role}-of-the-matrix") for role in ROLES}
        ended = member("owner", "oscar")
        ended.client.post("/admin/logout", data={"token": ended.token})
        ended_program = program("ended", *SCOPES)
        end_token(rt, "ended", by="cli")
        name = roles["viewer"].name
        own = next(s for s in list_sessions(rt) if s.name == name and s.address == "10.0.0.1")
        values = {**made.values, **more, "own_session": str(own.id)}
        scopes = {scope: program(scope.replace(":", " "), scope) for scope in SCOPES}
        nobody = Someone("", browser())
        watch = sqlite3.connect(made.house.folder / "paperpost.db", check_same_thread=False)
        back = kept(made)
        yield Staffed(made, values, roles, scopes, nobody, ended, ended_program, back, watch)
        watch.close()


def _cheap(patch: pytest.MonkeyPatch) -> None:
    from pwdlib import PasswordHash
    from pwdlib.hashers.argon2 import Argon2Hasher

    from service.flows import passwords

    cheap = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))
    patch.setattr(passwords, "_hasher", cheap)


def test_every_address_says_who_may() -> None:
    desk = {route: one[0] for route, one in DESK_PAGES.items()}
    desk |= {f"POST {route}": act.may for route, acts in DESK_ACTS.items() for act in acts}
    assert {route: may for route, may in desk.items() if may not in (*ROLES, "")} == {}
    open_to_all = {route.removeprefix("POST ") for route, may in desk.items() if not may}
    assert open_to_all == set(ENTRY)
    programs = {route: one[0] for route, one in API_PAGES.items()}
    programs |= {route: act.may for route, acts in API_ACTS.items() for act in acts}
    assert {route: may for route, may in programs.items() if may not in SCOPES} == {}
    for one in [*DESK_PAGES.items(), *API_PAGES.items()]:
        assert len(one[1]) > 1, one


def _pages() -> list[tuple[str, str, str]]:
    """(route, least role, address) of the desk, but for the way in."""
    return [
        (route, may, one)
        for route, (may, *addresses) in DESK_PAGES.items()
        for one in addresses
        if route not in ENTRY
    ]


def _acts() -> list[tuple[str, Act]]:
    return [(r, act) for r, acts in DESK_ACTS.items() for act in acts if r not in ENTRY]


def _calls() -> list[tuple[str, str, Act]]:
    return [(key.split()[0], key, act) for key, acts in API_ACTS.items() for act in acts]


def _below(role: str) -> tuple[str, ...]:
    return ROLES[: ROLES.index(role)]


@pytest.mark.slow
def test_looking_asks_for_the_role(house: Staffed) -> None:
    wrong = []
    for route, may, pattern in _pages():
        address = house.text(pattern)
        is_first = pattern == DESK_PAGES[route][1]  # of the others those at the border ask
        strangers = (house.nobody, house.ended, house.scopes["settings:read"])
        for who in strangers if is_first else strangers[:1]:
            answer = who.sits_down().get(address)
            if not (answer.status_code == 303 and _to_the_log_in(answer)):
                wrong.append((address, who.name or "nobody", answer.status_code))
        for role in ROLES if is_first else (*_below(may)[-1:], may):
            answer = house.roles[role].sits_down().get(address)
            is_refused = answer.status_code == 403
            opens = answer.status_code in (200, 303) or not is_first
            right = is_refused if role in _below(may) else opens and not is_refused
            if not right or answer.status_code == 500 or _to_the_log_in(answer):
                wrong.append((address, role, answer.status_code))
    assert not wrong, "\n" + "\n".join(map(str, wrong))


def _to_the_log_in(answer: Any) -> bool:
    return "/admin/login?next=" in answer.headers.get("location", "")


@pytest.mark.slow
def test_acting_asks_for_the_role_and_for_this_sessions_own_form(house: Staffed) -> None:
    """Nothing is changed by who may not; who may more does it, too."""
    before, wrong, seen = house.made.house.tables(), [], house.version()
    for route, act in _acts():
        asked = [(who, None) for who in (house.nobody, house.ended, house.scopes["settings:write"])]
        asked += [(house.roles[role], None) for role in _below(act.may)]
        asked += [(house.roles[act.may], forged) for forged in ("", house.made.values["draft"])]
        asked += [(house.roles[act.may], other.token) for role, other in house.roles.items()
                  if role != act.may]  # fmt: skip
        for who, token in asked:
            answer = house.press(act, who, token)
            is_in = bool(who.key) and who is not house.ended
            allowed = (403, 422) if act.keeps and is_in else (403,) if is_in else (303,)
            if answer.status_code not in ((*allowed, 200) if act.keeps and not is_in else allowed):
                wrong.append((act.address, who.name or "nobody", token, answer.status_code))
        if seen != (seen := house.version()) and house.made.house.tables() != before:
            wrong.append((route, "something was changed"))
            house.back()
    for _, act in _acts():
        for role in ROLES[ROLES.index(act.may) :]:
            answer = house.press(act, house.roles[role])
            if answer.status_code in (403, 500) or _to_the_log_in(answer):
                wrong.append((act.address, role, answer.status_code))
        house.back()
    assert not wrong, "\n" + "\n".join(map(str, wrong))


@pytest.mark.slow
def test_programs_are_asked_for_the_scope(house: Staffed) -> None:
    before, wrong = house.made.house.tables(), []
    looks = [("GET", Act(may, one)) for may, *more in API_PAGES.values() for one in more]
    owner = house.roles["owner"]
    for method, act in [*looks, *((method, act) for method, _, act in _calls())]:
        asked = [(who, 401) for who in (house.nobody, house.ended_program, owner)]
        asked += [(who, 403) for scope, who in house.scopes.items() if scope != act.may]
        for who, status in asked:
            answer = house.call(method, act, who)
            if answer.status_code != status:
                wrong.append((method, act.address, who.name or "nobody", answer.status_code))
    if house.made.house.tables() != before:
        wrong.append(("something was changed",))
    for method, act in looks:
        answer = house.call(method, act, house.scopes[act.may])
        if answer.status_code in (401, 403, 500):
            wrong.append((method, act.address, act.may, answer.status_code))
    assert not wrong, "\n" + "\n".join(map(str, wrong))


@pytest.mark.slow
def test_every_act_leaves_a_row_that_names_who(house: Staffed) -> None:
    wrong = []
    for _, act in _acts():
        wrong += _left(house, act, house.roles[act.may], lambda a, w: house.press(a, w))
    for route in ENTRY:
        for act in DESK_ACTS[route]:
            wrong += _left(house, act, house.nobody, lambda a, w: house.press(a, w), "otto")
    for method, _, act in _calls():
        call = lambda a, w, m=method: house.call(m, a, w)  # noqa: E731
        wrong += _left(house, act, house.scopes[act.may], call)
    assert not wrong, "\n" + "\n".join(map(str, wrong))


def _left(
    house: Staffed, act: Act, who: Someone, press: Any, name: str = ""
) -> list[tuple[str, ...]]:
    """What is wrong with the row of an act, nothing where it is as the table says."""
    before = house.made.house.tables()
    answer = press(act, who)
    after = house.made.house.tables()
    house.back()
    changed = {t for t in after if after[t] != before[t]} - _GONE_BY_THEMSELVES
    rows = [row for row in after["audit"] if row not in before["audit"]]
    told = [(str(row[2]), str(row[3])) for row in rows]
    label = f"{act.address} {dict(act.body)} {answer.status_code}"
    if act.refused:
        right = answer.status_code == act.refused and not changed
        return [] if right else [(label, "was to be refused", str(changed), answer.text[-300:])]
    if act.unrecorded:
        return [(label, "is recorded", str(told))] if told or not changed else []
    if act.leaves is None:
        return [] if not changed and not told else [(label, "changes", str(changed), str(told))]
    if (name or who.name, act.leaves) not in told:
        why = " ".join(re.findall(r'class="fault"[^>]*>([^<]*)', answer.text)) or answer.text[-300:]
        missed = f"leaves no {act.leaves!r} of {name or who.name}"
        return [(label, missed, str(told), str(changed), why)]
    return []


@pytest.mark.usefixtures("cheap_passwords")
def test_the_greatest_role_that_is_not_enough_is_refused(tmp_path: Path) -> None:
    """The short form: each address once, as who may almost; nothing needs to be there for it."""
    with open_house(tmp_path) as house:
        rt = house.runtime
        client = TestClient(make_app(rt, house.settings), base_url=BASE, follow_redirects=False)
        wrong = []
        for role, above in itertools.pairwise(ROLES):
            link = staff.create_admin(rt, role, role, by="cli").rpartition("/")[2]
            staff.redeem(rt, link, PASSWORD)
            key = staff.log_in(rt, role, PASSWORD, "127.0.0.1", "tests")
            client.cookies.set("paperpost", key)
            token = _token_in(client.get("/admin/account").text)
            asked: list[tuple[str, Any]] = [
                ("GET", one[1]) for one in DESK_PAGES.values() if one[0] == above
            ]
            asked += [("POST", act) for _, act in _acts() if act.may == above]
            for method, one in asked:
                data = {**one.body, "token": token} if isinstance(one, Act) else None
                pattern = one.address if isinstance(one, Act) else one
                address = re.sub(r"\{\w+\}", "1", pattern)
                answer = client.request(method, address, data=data)
                wrong += [(method, address, role)] if answer.status_code != 403 else []
    assert not wrong, "\n" + "\n".join(map(str, wrong))
