"""The same by web, by command and by program; and what the description of the API owes."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from support.desk_addresses import API_ACTS, DESK_ACTS
from support.house import open_house
from support.same_everywhere import ALONE, ALSO, SAME

from service.api import read_document
from service.cli.api_page import page
from service.cli.program import app
from service.flows.tokens import SCOPES

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict:
    with open_house(tmp_path_factory.mktemp("house"), site_name="Paperpost") as house:
        return read_document(house.runtime)


def operations(document: dict) -> dict[str, dict]:
    return {
        f"{method.upper()} {path}": operation
        for path, found in document["paths"].items()
        for method, operation in found.items()
    }


def commands() -> set[str]:
    def walk(command, path: tuple[str, ...] = ()) -> Iterator[str]:
        inner = getattr(command, "commands", None)
        if inner is None:
            yield " ".join(path)
        for name, one in (inner or {}).items():
            yield from walk(one, (*path, name))

    return set(walk(typer.main.get_command(app)))


def test_an_act_in_no_table_fails_the_build() -> None:
    acts = {
        one.leaves
        for table in (DESK_ACTS, API_ACTS)
        for found in table.values()
        for one in found
        if one.leaves
    }
    assert acts - set(SAME) == set(), "say in tests/support/same_everywhere.py how else it is done"
    assert set(SAME) - acts == set(), "these acts are in no table of desk_addresses.py"


@pytest.mark.slow
def test_every_way_is_there_or_says_why_not(document: dict) -> None:
    known_commands, known_operations = commands(), operations(document)
    for act, ways in {**SAME, **ALSO}.items():
        for one in ways.command.split(" | "):
            assert one in known_commands or one.startswith("NOT: "), (act, one)
        for one in ways.operation.split(" | "):
            assert one in known_operations or one.startswith("NOT: "), (act, one)
    told = {one for ways in SAME.values() for one in ways.operation.split(" | ")} | set(ALONE)
    open_to_all = {"POST /api/v1/words"}
    writing = {name for name in known_operations if not name.startswith("GET ")}
    assert writing - told - open_to_all == set()
    assert set(ALONE) <= writing


def recorded() -> Iterator[str]:
    """What the flows call their acts, where they call them by a word."""
    for file in (ROOT / "service/flows").glob("*.py"):
        text = file.read_text("utf-8")
        for call in re.finditer(r"\b(?:write_audit|audit_edition|audit)\((?!\s*session:)", text):
            begun = text[call.end() : call.end() + 400].partition("\n\n")[0]
            yield from re.findall(r'what="([^"]+)"', begun)[:1]


def test_every_act_that_the_flows_record_is_in_a_table() -> None:
    found = set(recorded())
    assert len(found) > 30
    assert found - set(SAME) - set(ALSO) == set()


ARRAYS = {
    "/api/v1/alarms", "/api/v1/topics", "/api/v1/related", "/api/v1/tags",
    "/api/v1/readers/{reader_id}/interests", "/api/v1/readers/{reader_id}/days",
    "/api/v1/deliveries/groups", "/api/v1/deliveries/pace", "/api/v1/sends/test",
}  # fmt: skip
"""Answers that are a plain array, as the description says of short lists."""


@pytest.mark.slow
def test_every_answer_has_a_shape(document: dict) -> None:
    arrays = set()
    for name, one in operations(document).items():
        done = next(code for code in ("200", "201", "202") if code in one["responses"])
        schema = one["responses"][done]["content"].get("application/json", {}).get("schema")
        if schema is None or "/export" in name:
            continue
        if schema.get("type") == "array":
            arrays.add(name.partition(" ")[2])
            schema = schema["items"]
        assert "$ref" in schema or "anyOf" in schema, name
    assert arrays == ARRAYS


@pytest.mark.slow
def test_every_operation_says_what_it_is_for(document: dict) -> None:
    seen: set[str] = set()
    tags = {tag["name"] for tag in document["tags"]}
    for name, one in operations(document).items():
        assert one["tags"], name
        assert set(one["tags"]) <= tags, name
        assert 3 <= len(one["summary"]) <= 120, (name, one["summary"])
        assert one["description"], name
        assert one["operationId"] not in seen, name
        seen.add(one["operationId"])
        scope = one.get("x-scope", "")
        assert bool(scope) == bool(one.get("security")), name
        assert not scope or scope in SCOPES, name
        assert not scope or {"401", "403", "429"} <= set(one["responses"]), name
        assert scope or name.startswith("GET ") or name == "POST /api/v1/words", name
        for code, answer in one["responses"].items():
            if code >= "400":
                schema = answer["content"]["application/json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/Fault"}, (name, code)
        is_act = bool(scope) and not name.startswith("GET ")
        keyed = any(p["name"] == "Idempotency-Key" for p in one.get("parameters", ()))
        assert keyed == is_act, name


@pytest.mark.slow
def test_the_page_is_up_to_date(document: dict) -> None:
    step = "paperpost api --markdown > docs/api.md"
    assert (ROOT / "docs/api.md").read_text("utf-8") == page(document), step
