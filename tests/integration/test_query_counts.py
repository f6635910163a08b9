"""What each page of the desk without a number in its address asks of the database: so many
statements, however many rows there are."""

import re
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
}

BOUNDED = ("/admin/interests/try",)
"""Ask for the few papers that they show, and so more where there are few."""

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


def asked(made: World, desk: TestClient) -> dict[str, int]:
    """Statements by page."""
    counts = {}
    for route, (_role, first, *_) in DESK_PAGES.items():
        if "export" in route or "{" in route + first:
            continue
        with noted(made.house.rt.db.engine) as seen:
            answer = desk.get(first)
        assert answer.status_code == 200, (first, answer.status_code)
        counts[route] = sum(1 for statement, _ in seen if statement.startswith("SELECT"))
    return counts


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_page_asks_as_much_of_thirty_rows_as_of_three(tmp_path: Path) -> None:
    with world(tmp_path) as made:
        laden(made)
        desk, _ = signed_in(made.house, "owner")
        asked(made, desk)  # what is learnt once
        few = asked(made, desk)
        engine = made.house.rt.db.engine
        with by_hand(), engine.connect().execution_options(write=True) as connection:
            for table in TABLES:
                multiply(connection, table)
            connection.commit()
        many = asked(made, desk)
    grown = {
        route: (few[route], n)
        for route, n in many.items()
        if n > few[route] and route not in BOUNDED
    }
    assert grown == {}
    over = {route: n for route, n in many.items() if n > MORE.get(route, USUAL)}
    assert over == {}
