"""Lists whose rows are made to break an import, or to fill the memory."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.house import open_house

from service.flows import list_files
from service.flows.import_rows import import_readers
from service.flows.runtime import Runtime


@pytest.fixture
def rt(tmp_path: Path) -> Iterator[Runtime]:
    with open_house(tmp_path) as house:
        yield house.runtime


def test_a_row_made_to_break_an_import_is_a_problem_of_its_own(rt: Runtime) -> None:
    attributes = ("[" * 9000, '{"hour": "' + "9" * 5000 + '"}', '{"\\ud800\\u0000x": 1}', "")
    out = io.StringIO()
    csv.writer(out).writerows(
        [
            ["email", "name", "status", "attributes"],
            *([f"ada{n}@example.org", "", "enabled", said] for n, said in enumerate(attributes)),
        ]
    )
    made = import_readers(rt, out.getvalue().encode())
    assert (made.readers, made.bad) == (3, 1)
    assert "no JSON" in made.problems[0][2]
    # storable, and not without end
    assert made.ignored == ["attributes.hour that is no hour", "attributes.x"]

    made = import_readers(rt, b"email,hour\ncho@example.org,%s\ndan@example.org,6" % (b"9" * 5000))
    assert (made.readers, made.bad) == (1, 1)


def test_of_countless_rows_of_one_address_few_are_kept_in_memory(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_files, "MOST_ROWS", 3)
    lines = ["email,keywords", *["ada@example.org,LoRA"] * 5, "ben@example.org,PEFT"]
    made = import_readers(rt, "\n".join(lines).encode())
    assert (made.rows, made.readers, [n for n, _, _ in made.problems]) == (6, 2, [5, 6])
    assert "more than 3 rows" in made.problems[0][2]
