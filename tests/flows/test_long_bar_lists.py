"""Long lists of addresses never to be mailed: by portions, on record once, also where they break
off."""

from pathlib import Path
from typing import Any

import pytest
from support.house import add, open_house

from service.flows import suppress
from service.flows.runtime import Runtime
from service.flows.suppress import import_suppressions
from service.store.staff import list_audit
from service.store.subscribers import get_subscriber_row
from service.store.suppressions import BarsWanted, count_bars


def acts(rt: Runtime) -> list[Any]:
    return [row.after for row in rt.db.read(list_audit) if row.what == "suppress"]


def test_a_list_that_breaks_off_says_how_far_it_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suppress, "_AT_ONCE", 3)
    lines = [f"r{n}@example.org" for n in range(7)]
    data = "\n".join([*lines, "R0@example.org", "none"]).encode()
    with open_house(tmp_path) as house:
        rt = house.runtime
        reader = add(rt, "r1@example.org")
        plain, calls = suppress._bar_some, iter(range(9))

        def dying(*given: Any) -> int:
            if next(calls) == 2:
                raise KeyboardInterrupt
            return plain(*given)

        with monkeypatch.context() as broken:
            broken.setattr(suppress, "_bar_some", dying)
            with pytest.raises(KeyboardInterrupt):
                import_suppressions(rt, data, reason="x")
        assert acts(rt) == [{"added": 6, "rows": 9, "bad": 1}]
        assert rt.db.read(count_bars) == 6
        row = rt.db.read(lambda s: get_subscriber_row(s, id=reader))
        assert row is not None
        assert row.state == "left"

        report = import_suppressions(rt, data, reason="x")
        assert (report.added, report.unchanged) == (1, 7)
        assert report.problems[0][:2] == (9, "none")
        assert sorted(after["added"] for after in acts(rt)) == [1, 6]
        assert rt.db.read(lambda s: count_bars(s, BarsWanted(reason="x"))) == 7


def test_a_bar_list_is_read_as_spreadsheets_save_it(tmp_path: Path) -> None:
    with open_house(tmp_path) as house:
        table = 'sep=;\r\nE-Mail;when\r\nada@example.org;"1\r\nbad;2\r\nben@example.org;3\r\n'
        report = import_suppressions(house.runtime, table.encode("utf-16"))
        assert [n for n, _, _ in report.problems] == [2, 3]
        assert report.added == 1
        assert import_suppressions(house.runtime, b"email@example.org\rb@example.org").added == 2


def test_a_broken_row_of_codes_keeps_out_no_other(tmp_path: Path) -> None:
    with open_house(tmp_path) as house:
        rt = house.runtime
        import_suppressions(rt, b"a@example.org\nb@example.org", reason="admin", by="ann")
        head, *rows = "".join(suppress.export_csv(rt, by="ann")).splitlines()
        table = "\n".join([head, '"never closed', rows[0], "x" * 140_000, rows[1]])
        made = import_suppressions(rt, table.encode(), reason="import", by="ann")
        assert (made.added, made.unchanged) == (0, 2)
        assert [number for number, _, _ in made.problems] == [2, 4]
