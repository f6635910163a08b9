"""Who may ask what: every address of the desk and of programs, as everybody there is.

The tables are those of tests/support/desk_addresses.py. The quick run asks each address as the
greatest role, or with all scopes, that is not enough; the whole run asks as everybody.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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
from support.laden import kept, laden

from service.flows import staff
from service.flows.tokens import SCOPES, end_token, make_token

ENTRY = ("/admin/login", "/admin/link/{token}")
_GONE_BY_THEMSELVES = {"session", "pace", "process", "audit", "sqlite_sequence"}
"""Tables that an act may write beside what it is for: when a session was used, tries."""


@dataclass
class Someone:
    """A browser or a program. token: of the forms of its session · name: as acts call it."""

    name: str
    client: TestClient
    token: str = ""


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

    def text(self, pattern: Any) -> Any:
        """A pattern of the tables with its values in it."""
        if isinstance(pattern, str):
            return re.sub(r"\{(\w+)\}", lambda m: self.values.get(m[1], m[0]), pattern)
        if isinstance(pattern, Mapping):
            return {name: self.text(one) for name, one in pattern.items()}
        if isinstance(pattern, list):
            return [self.text(one) for one in pattern]
        return pattern

    def press(self, act: Act, who: Someone, token: str | None = None) -> Any:
        """Send the form of an act of the desk. token: instead of the one of the session."""
        data = {**self.text(act.body), "token": who.token if token is None else token}
        address = self.text(act.address)
        if act.address.startswith(("/admin/login", "/admin/link/")):
            page = self.nobody.client.get(address).text
            data["token"] = _token_in(page)
        return who.client.post(address, data=data)

    def call(self, method: str, act: Act, who: Someone) -> Any:
        """Send the request of an act of the programs' interface."""
        body = {k: int(v) if _is_number(v) else v for k, v in self.text(act.body).items()}
        return who.client.request(method, self.text(act.address), json=body or None)


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
            return TestClient(made.app, base_url=BASE, follow_redirects=False)

        def member(role: str, name: str) -> Someone:
            link = staff.create_admin(rt, name, role, by="cli")
            staff.redeem(rt, link.rpartition("/")[2], PASSWORD)
            client = browser()
            staff.log_in(rt, name, PASSWORD, "10.0.0.1", "another browser")
            client.cookies.set("paperpost", staff.log_in(rt, name, PASSWORD, "127.0.0.1", "tests"))
            return Someone(name, client, _token_in(client.get("/admin/account").text))

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
        values = {**made.values, **more}
        scopes = {scope: program(scope.replace(":", " "), scope) for scope in SCOPES}
        nobody = Someone("", browser())
        yield Staffed(made, values, roles, scopes, nobody, ended, ended_program, kept(made))


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
    for route, may, pattern in _pages():
        address = house.text(pattern)
        for who in (house.nobody, house.ended, house.scopes["settings:read"]):
            answer = who.client.get(address)
            assert answer.status_code == 303, (address, who.name)
            assert answer.headers["location"].startswith("/admin/login"), address
        for role in ROLES:
            answer = house.roles[role].client.get(address)
            assert (answer.status_code == 403) == (role in _below(may)), (address, role)
            assert "/admin/login" not in answer.headers.get("location", ""), (address, role)
        first = house.text(DESK_PAGES[route][1])
        assert house.roles[may].client.get(first).status_code in (200, 303), first


@pytest.mark.slow
def test_acting_asks_for_the_role_and_for_this_sessions_own_form(house: Staffed) -> None:
    """Nothing is changed by who may not; who may more does it, too."""
    before = house.made.house.tables()
    others = house.roles["owner"].token
    for route, act in _acts():
        for who in (house.nobody, house.ended, house.scopes["settings:write"]):
            assert house.press(act, who).status_code in (303, 403), (act.address, who.name)
        for role in _below(act.may):
            assert house.press(act, house.roles[role]).status_code == 403, (act.address, role)
        if act.may != "owner":
            forged = house.press(act, house.roles[act.may], others)
            assert forged.status_code == 403, act.address
        assert house.press(act, house.roles[act.may], "").status_code == 403, act.address
        assert house.made.house.tables() == before, route
    for _, act in _acts():
        for role in ROLES[ROLES.index(act.may) :]:
            answer = house.press(act, house.roles[role])
            assert answer.status_code not in (403, 500), (act.address, role)
            assert not answer.headers.get("location", "").startswith("/admin/login?"), act.address
            house.back()


@pytest.mark.slow
def test_programs_are_asked_for_the_scope(house: Staffed) -> None:
    before = house.made.house.tables()
    looks = [("GET", Act(may, one)) for may, *more in API_PAGES.values() for one in more]
    owner = house.roles["owner"]
    for method, act in [*looks, *((method, act) for method, _, act in _calls())]:
        for who in (house.nobody, house.ended_program, owner):
            assert house.call(method, act, who).status_code == 401, (act.address, who.name)
        for scope, who in house.scopes.items():
            if scope != act.may:
                assert house.call(method, act, who).status_code == 403, (act.address, scope)
    assert house.made.house.tables() == before
    for method, act in looks:
        answer = house.call(method, act, house.scopes[act.may])
        assert answer.status_code not in (401, 403, 500), (act.address, answer.text)


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
    assert wrong == []


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
    if act.leaves is None:
        return [] if not changed and not told else [(label, "changes", str(changed), str(told))]
    if (name or who.name, act.leaves) not in told:
        return [(label, f"leaves no {act.leaves!r} of {name or who.name}", str(told), str(changed))]
    return []


def test_the_greatest_role_that_is_not_enough_is_refused(house: Staffed) -> None:
    """The short form: each address once, as who may almost."""
    for _, act in _acts():
        if _below(act.may):
            who = house.roles[_below(act.may)[-1]]
            assert house.press(act, who).status_code == 403, act.address
    for _, may, pattern in _pages():
        if _below(may):
            answer = house.roles[_below(may)[-1]].client.get(house.text(pattern))
            assert answer.status_code == 403, pattern
