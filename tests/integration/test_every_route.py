"""Every route of the whole application: what looking changes (nothing), and who may do what."""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from httpx2 import Response
from support.desk_addresses import API_ACTS, DESK_ACTS
from support.every_address import ACTS, ADA, PAGES, SIGNED_ACTS, World, world
from support.house import open_house
from support.routes import flat_routes

from service.app import make_app
from service.delivery.links import PRIVATE_PATHS, holds
from service.mailbox import Mailbox

OTHERS = {
    "manage": ("manage", "fresh"),
    "fresh": ("fresh",),
    "history": ("mail", "manage", "fresh"),
}
"""Whose token an act takes, where it is not the kind of its own name."""
EVERYWHERE = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
}
DONE = (200, 303)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("world")) as one:
        yield one


def test_a_route_in_no_list_fails_the_build(tmp_path: Path) -> None:
    with open_house(tmp_path) as house:
        app = make_app(house.runtime, house.settings, mailbox=Mailbox(tmp_path / "mailbox"))
        routes = flat_routes(app)
    unlisted = "say in tests/support/every_address.py or desk_addresses.py how it is asked, by whom"
    assert {r.path for r in routes if r.method == "GET"} ^ PAGES.keys() == set(), unlisted
    acts = {f"{r.method} {r.path}" for r in routes if r.method != "GET"}
    forms = {f"POST {path}" for path in (*ACTS, *DESK_ACTS, *SIGNED_ACTS)}
    assert acts ^ {*forms, *API_ACTS} == set(), unlisted


@pytest.fixture
def commits(made: World) -> Iterator[Callable[[], int]]:
    """Another number where anybody has committed since."""
    with closing(sqlite3.connect(made.house.folder / "paperpost.db")) as watch:
        yield lambda: int(watch.execute("PRAGMA data_version").fetchone()[0])


@pytest.mark.slow
def test_looking_changes_no_row_and_every_answer_has_its_headers(
    made: World, commits: Callable[[], int]
) -> None:
    before, seen = made.house.tables(), commits()
    opened = set()
    for route, address in made.pages():
        for method in ("GET", "HEAD", "OPTIONS"):
            for asked in (address, f"{address}/" if method == "HEAD" else address):
                answer = made.desk.request(method, asked)
                assert answer.status_code < 500, (method, asked, answer.text[-300:])
                check_headers(answer)
                assert method != "HEAD" or answer.content == b"", asked
                if method == "GET" and answer.status_code in DONE:
                    opened.add(route)
        if seen != (seen := commits()):
            assert made.house.tables() == before, route
    assert made.house.tables() == before
    assert PAGES.keys() - opened == {"/metrics"}  # for machines: tests/integration/test_metrics.py
    assert len(before["session"]) == 1
    assert len(before["pace"]) > 4


@pytest.mark.slow
def test_odd_answers_have_their_headers_too(made: World) -> None:
    odd = [
        "/papers/%0d%0aX-Evil:%201",
        "/papers/?x=%0d%0aX-Evil:1",
        "/nothing",
        "/admin/nothing",
        "/papers/",
        "/feeds/papers.x",
        "/static/x",
        "/u/x/y/z",
    ]
    answers = [made.desk.request(m, one) for one in odd for m in ("GET", "HEAD", "OPTIONS")]
    answers += [made.desk.post(one) for one in odd]
    answers.append(made.desk.post("/", headers={"Sec-Fetch-Site": "cross-site"}))
    answers.append(made.desk.post("/", content=b"x" * 300_000))
    answers.append(made.desk.get("/", headers={"Host": "evil.example"}))
    assert {403, 404, 405, 413, 421} < {a.status_code for a in answers}
    for answer in answers:
        check_headers(answer)


def check_headers(answer: Response) -> None:
    path = str(answer.request.url.path)
    told = dict(answer.headers)
    assert {k: told.get(k) for k in EVERYWHERE} == EVERYWHERE, path
    policy = told["content-security-policy"]
    assert "default-src 'none'" in policy, path
    assert "unsafe-inline" not in policy.partition("style-src")[0], path
    assert "script-src" not in policy or "script-src 'self';" in policy, path
    if any(holds(private, path) for private in PRIVATE_PATHS):
        assert told["cache-control"] in ("no-store", "private, no-cache"), path
        assert "noindex" in told["x-robots-tag"], path
    assert "set-cookie" not in told, path
    assert "x-evil" not in told, path


@pytest.mark.slow
def test_a_cookie_opens_nothing_of_readers_and_a_token_nothing_of_the_staff(made: World) -> None:
    for route, address in made.pages():
        if route.startswith("/admin") and not route.startswith(("/admin/login", "/admin/link")):
            assert made.house.client.get(address).status_code == 303, route


@pytest.mark.slow
def test_no_token_opens_what_another_is_for(made: World) -> None:
    """Every act with every other kind of token, cut ones and made-up ones: nothing changes."""
    before = made.house.tables()
    tokens = {k: made.values[k] for k in ("confirm", "never", "manage", "fresh", "address")}
    tokens |= {k: made.values[k] for k in ("leave", "mail", "share", "feed", "staff_link")}
    for _, who, address in made.acts():
        if who in ("anybody", "asker"):
            continue
        wrong = {k: v for k, v in tokens.items() if k not in OTHERS.get(who, (who,))}
        cut = tokens.get(who, tokens["manage"])
        wrong |= {"cut": cut[:-1], "longer": cut + "A", "none": "x", "upper": cut.swapcase()}
        wrong |= {"space": f"%20{cut}", "null": f"{cut}%00", "number": made.values["reader"]}
        for kind, token in wrong.items():
            for end in ("", "/"):
                asked = address.replace("{T}", token) + end
                answer = made.house.client.post(asked, data={"sure": "1", "email": "x@y.example"})
                assert answer.status_code not in (303, 500), (asked, kind)
                assert ADA not in answer.text, (asked, kind)
        assert made.house.tables() == before, address


@pytest.mark.slow
def test_no_page_shows_one_reader_to_another(made: World) -> None:
    ours = (ADA, "new@uni.example")
    for route, address in made.pages():
        if "{token}" not in route or route.startswith("/admin"):
            continue
        names = [k for k, v in made.values.items() if len(v) > 20 and v in address]
        for name in names:
            swapped = [
                made.bens.get(name, "x"),
                *(made.values[k] for k in made.values if k != name),
            ]
            for token in swapped:
                if token == made.values.get(name) or len(token) < 2:
                    continue
                asked = address.replace(made.values[name], token)
                for method, end in (("GET", ""), ("GET", "/"), ("HEAD", "")):
                    answer = made.house.client.request(method, asked + end)
                    assert answer.status_code < 500, asked
                    if not _may_open(made, token, route):
                        shown = [one for one in ours if one in answer.text]
                        assert shown == [], (asked, name)


def _may_open(made: World, token: str, route: str) -> bool:
    """A link of ada's that the page is for as well."""
    mine = {made.values[k] for k in ("manage", "fresh", "mail", "share", "confirm", "address")}
    return token in mine and not route.startswith("/u/")


@pytest.mark.slow
@pytest.mark.parametrize(
    "heads",
    [
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://evil.example"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://sister.127.0.0.1:8000"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:8001"},
        {"Origin": "http://evil.example", "X-HTTP-Method-Override": "GET"},
    ],
    ids=str,
)
def test_no_other_site_presses_a_button(made: World, heads: dict[str, str]) -> None:
    """Also with the cookie of the staff, and with the right token in the address."""
    before = made.house.tables()
    tokens = {"history": "mail", "asker": "fresh", "anybody": "fresh"}
    acts = [
        made.address(address.replace("{T}", "{" + tokens.get(who, who) + "}"))
        for _, who, address in made.acts()
        if not address.startswith("/u/")
    ]
    assert len(acts) > 20
    for asked in [*acts, "/admin/logout", "/admin/settings", "/admin/send", "/mailbox"]:
        for body in ({"sure": "1", "email": "x@y.example", "act": "remove"}, None):
            answer = made.desk.post(asked, data=body, headers=heads)
            assert answer.status_code == 403, asked
    assert made.house.tables() == before


@pytest.mark.slow
def test_nobody_reaches_anothers_interest(made: World) -> None:
    before = made.house.tables()
    bens = made.bens
    for path in (
        f"/manage/{bens['manage']}/interests/{made.values['interest']}",
        f"/manage/{bens['fresh']}/interests/{made.values['interest']}",
        f"/u/{bens['leave']}/interests/{made.values['interest']}",
    ):
        for data in ({"act": "remove"}, {"act": "pause"}, {"words": "stolen"}, {}):
            answer = made.house.client.post(path, data=data)
            assert answer.status_code in (400, 404, 409, 422), (path, answer.status_code)
    assert made.house.tables() == before


@pytest.mark.slow
def test_only_a_link_that_was_mailed_on_request_shows_the_address(made: World) -> None:
    pages = {
        kind: made.house.client.get(made.address(path)).text
        for kind, path in {
            "manage": "/manage/{manage}", "mail": "/history/{mail}", "share": "/d/{share}",
            "leave": "/u/{leave}", "tune": "/tune/{mail}/{paper}",
            "feed": "/feeds/mine/{feed}.atom", "export": "/manage/{manage}/export",
            "new": "/manage/address/{address}",
        }.items()
    }  # fmt: skip
    assert [kind for kind, page in pages.items() if ADA in page] == []
    assert ADA in made.house.client.get(made.address("/manage/{fresh}")).text
    assert ADA in made.house.client.get(made.address("/manage/{fresh}/export")).text


@pytest.mark.slow
@pytest.mark.parametrize("number", [str(2**53 + 1), str(2**63), "9" * 30, "9" * 5000, "-1", "x"])
def test_a_number_that_no_row_can_have_is_no_page(made: World, number: str) -> None:
    """Wherever an address holds the number of a row: larger than a database, or Python, takes."""
    rows = ("interest", "reader", "delivery", "edition", "source")
    held = re.compile(rf"\{{({'|'.join(rows)})\}}")
    none = dict.fromkeys(rows, number)
    before = made.house.tables()
    asked = [one for pages in PAGES.values() for one in pages if held.search(one)]
    acts = [(who, one) for who, one in ACTS.values() if held.search(one)]
    of_staff = [one for one in DESK_ACTS if "_id}" in one]
    assert (len(asked) > 9, len(acts) > 2, len(of_staff) > 6) == (True, True, True)
    for one in asked:
        address = made.address(one, **none)
        assert made.desk.get(address).status_code == 404, one
    for who, one in acts:
        address = made.address(one, **none, T=made.values[who])
        answer = made.house.client.post(address, data={"act": "pause"})
        assert answer.status_code == 404, one
    for one in of_staff:
        address = re.sub(r"\{\w+\}", "x", re.sub(r"\{\w+_id\}", number, one))
        assert made.desk.post(address, data={"act": "pause"}).status_code == 404, one
    after = made.house.tables()
    assert after == before
