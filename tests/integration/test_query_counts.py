"""What each page of the desk asks of the database: so many statements, however many rows there
are."""

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from support.arrows import by_hand
from support.desk import signed_in
from support.desk_addresses import DESK_PAGES
from support.every_address import World, world
from support.laden import laden
from support.statements import noted

USUAL = 16
"""Statements of a page at most; those of ``MORE`` have more to tell."""

MORE = {
    "/admin": 54,
    "/admin/login": 54,  # leads to the overview
    "/admin/overview/now": 28,
    "/admin/find": 24,
    "/admin/papers": 30,
    "/admin/papers/merge": 44,  # two papers, each with its story
    "/admin/interests/try": 40,
    "/admin/papers/{paper_id:int}": 22,
    "/admin/editions/{edition_id}": 18,
    "/admin/editions/{edition_id}/after": 17,
    "/admin/readers/{reader_id}": 24,
    "/admin/sources/{source_id}": 20,
    "/admin/send/{key}/mail": 24,
    "/admin/send/{key}/readers/{term}": 22,
    "/admin/send/{key}/typed": 22,  # leads to the list of sends
    "/admin/send/{key}": 190,  # composes the mails of ten readers
}

BOUNDED = (
    "/admin/interests/try",
    "/admin/send/{key}",
    "/admin/settings/{name}",
    "/admin/sources/{source_id}/burst",
)
"""Ask for each of the few papers, mails or editions that they show or try, up to a number of
their own, and so more where there are more than few."""

TABLES = (
    "subscriber", "profile", "consent", "suppression", "edition", "delivery", "attempt", "inbound",
    "report", "audit", "alarm", "source", "sighting", "paper", "topic", "api_token", "admin",
    "session", "webhook", "webhook_call", "submission",
)  # fmt: skip
"""Of these a page may list rows."""

ROWS = 30


def multiply(connection: sa.Connection, table: str) -> None:
    """Copies of a table's newest row until it has ``ROWS``; what must be unique is named anew."""
    found = sa.inspect(connection)
    unique = {
        name
        for one in (*found.get_unique_constraints(table), *found.get_indexes(table))
        if one.get("unique", True)
        for name in one["column_names"]
    }
    numbers = [one["name"] for one in found.get_columns(table)]
    found_row = connection.execute(
        sa.text(f"SELECT * FROM {table} ORDER BY id DESC LIMIT 1")  # nosec B608
    ).mappings()
    row = found_row.first()
    if row is None:
        return
    have = connection.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one()  # nosec B608
    for n in range(have, ROWS):
        values: dict[str, Any] = {k: v for k, v in row.items() if k != "id"}
        for name in unique & values.keys():
            if isinstance(values[name], str) and not re.match(r"\d{4}-\d\d-\d\d", values[name]):
                values[name] = f"{values[name]}~{n}"
        if table == "edition":
            values["kind"] = "manual"  # whose slot need not be a date
        names = [name for name in numbers if name in values]
        marks = ", ".join(f":{name}" for name in names)
        listed = ", ".join(f'"{name}"' for name in names)
        connection.execute(
            sa.text(f"INSERT OR IGNORE INTO {table} ({listed}) VALUES ({marks})"),  # nosec B608
            values,
        )


LEFT_OUT = ("/admin/link/{token}", "/admin/login")
"""For who is not logged in."""


def listed_of(made: World) -> dict[str, str]:
    """Numbers of those of whom ``multiply`` makes more: the newest of each."""
    with made.house.rt.db.engine.connect() as connection:

        def newest(column: str, table: str, which: str = "TRUE") -> str:
            query = f"SELECT {column} FROM {table} WHERE {which} ORDER BY id DESC LIMIT 1"  # nosec B608
            return str(connection.execute(sa.text(query)).scalar_one())

        reader = newest("subscriber_id", "profile", "subscriber_id IN (SELECT subscriber_id FROM"
                        " delivery WHERE id = (SELECT max(id) FROM delivery))")  # fmt: skip
        return {
            "reader": reader,
            "interest": newest("id", "profile", f"subscriber_id = {reader}"),
            "edition": newest("edition_id", "delivery"),
            "inbound": newest("id", "inbound"),
            "source": newest("source_id", "sighting"),
            "webhook": newest("webhook_id", "webhook_call"),
        }


def asked(made: World, desk: TestClient, values: dict[str, str]) -> dict[str, int]:
    """Statements by page."""
    counts = {}
    for route, (_role, first, *_) in DESK_PAGES.items():
        if "export" in route or route in LEFT_OUT:
            continue
        with noted(made.house.rt.db.engine) as seen:
            answer = desk.get(made.address(first, **values), follow_redirects=False)
        assert answer.status_code in (200, 303), (first, answer.status_code)
        counts[route] = sum(1 for statement, _ in seen if statement.startswith("SELECT"))
    return counts


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_page_asks_as_much_of_thirty_rows_as_of_three(tmp_path: Path) -> None:
    with world(tmp_path) as made:
        values = laden(made) | listed_of(made)
        desk, _ = signed_in(made.house, "owner")
        asked(made, desk, values)  # what is learnt once
        few = asked(made, desk, values)
        acts = desk.get("/admin/audit?sort=-at").text
        about = set(re.findall(r'class="said-by"><a href="([^"#]+)', acts))
        assert len(about) > 8
        assert [one for one in about if desk.get(unescape(one)).status_code != 200] == []
        engine = made.house.rt.db.engine
        with by_hand(), engine.connect().execution_options(write=True) as connection:
            for table in TABLES:
                multiply(connection, table)
            connection.commit()
        many = asked(made, desk, values)
    grown = {
        route: (few[route], n)
        for route, n in many.items()
        if n > few[route] and route not in BOUNDED
    }
    assert grown == {}
    over = {route: n for route, n in many.items() if n > MORE.get(route, USUAL)}
    assert over == {}
