"""Long lists: looked at and brought in in the background, whatever breaks them off; stopped, gone
on with, undone; and who is erased goes from what is kept of them."""

import asyncio
import io
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from support.arrows import by_hand
from support.house import Clock, open_house

from service.engine.embedded import Embedded
from service.errors import PaperpostError
from service.flows import import_look, import_undo, imported, imports, leave
from service.flows.import_erased import forget_erased
from service.flows.imports import Basis, ListError
from service.flows.list_files import Options
from service.flows.list_packs import ListFile, pack
from service.flows.runtime import Runtime
from service.flows.tidy import tidy
from service.store import imports as store
from service.store import subscribers as subscribers_store
from service.store.staff import list_audit
from service.store.tables import DeliveryRow, EditionRow

MEMBERS = Basis(kind="institution")


@pytest.fixture
def rt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runtime]:
    monkeypatch.setattr(import_look, "SMALL_BYTES", 0)
    monkeypatch.setattr(import_look, "_TOLD_EACH", 2)
    monkeypatch.setattr("service.flows.list_files.PORTION", 2)
    with open_house(tmp_path, clock=Clock()) as house:
        yield house.runtime


def listed(rows: int = 7, name: str = "list.csv") -> ListFile:
    lines = [f"r{n}@example.org,w{n}" for n in range(rows)]
    return pack(name, io.BytesIO("\n".join(["email,keywords", *lines, "bad,x"]).encode()))


def begun(rt: Runtime, *files: ListFile, press_from: str | None = None) -> int:
    return imports.look(
        rt, files or [listed()], Options(), MEMBERS, by="ann", press_from=press_from
    )


def seen(rt: Runtime, number: int) -> dict[str, Any]:
    return imported.get_import(rt, number)


def here(rt: Runtime) -> set[str]:
    return {row.email for row in rt.db.read(subscribers_store.list_subscriber_rows)}


def acts(rt: Runtime) -> list[str]:
    return [row.what for row in rt.db.read(list_audit)]


def test_a_long_list_is_looked_at_by_itself_and_then_comes_in(rt: Runtime) -> None:
    number = begun(rt)
    assert begun(rt) == number  # pressed twice
    found = seen(rt, number)
    assert (found["state"], found["look"]["files"][0]["name"]) == ("looking", "list.csv")
    with pytest.raises(ListError, match="has not been looked at"):
        imports.press(rt, number, by="ann")
    assert imports.go_on(rt) == 1
    found = seen(rt, number)
    assert (found["state"], found["look"]["readers"], found["look"]["bad"]) == ("tried", 7, 1)
    assert here(rt) == set()
    assert imports.press(rt, number, by="ann")
    imports.go_on(rt)
    assert (seen(rt, number)["state"], len(here(rt))) == ("done", 7)
    # the same file again, whatever else is said of it, is known
    again = imports.look(rt, [listed()], Options(hour="7"), MEMBERS, by="ann", at_once=True)
    assert (seen(rt, again)["state"], seen(rt, again)["look"]["before"]) == ("tried", [number])


def test_a_look_that_breaks_off_is_done_anew_by_whoever_comes(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = begun(rt)
    plain, calls = import_look.portion_in, iter(range(99))

    def dying(*given: Any, **more: Any) -> Any:
        if next(calls) == 2:
            raise KeyboardInterrupt
        return plain(*given, **more)

    with monkeypatch.context() as broken:
        broken.setattr(import_look, "portion_in", dying)
        with pytest.raises(KeyboardInterrupt):
            imports.go_on(rt)
    found = seen(rt, number)
    assert (found["state"], found["seen"]) == ("looking", [2, 8])
    imports.go_on(rt, lambda: False)  # a process that ends begins nothing
    assert seen(rt, number)["state"] == "looking"
    imports.go_on(rt)
    assert seen(rt, number)["state"] == "tried"


def _owned_by(session: Any, number: int, owner: int) -> None:
    row = store.get_import(session, number)
    assert row is not None
    row.report = {**row.report, "owner": owner}
    session.add(row)


@pytest.mark.slow
def test_an_import_of_a_process_that_lives_is_left_to_it(tmp_path: Path, rt: Runtime) -> None:
    number = begun(rt)
    with open_house(tmp_path) as other:  # the same database
        owner = other.runtime.owner().id
        rt.db.write(lambda s: _owned_by(s, number, owner))
        imports.go_on(rt)
        assert seen(rt, number)["state"] == "looking"
    imports.go_on(rt)
    assert seen(rt, number)["state"] == "tried"


@pytest.mark.slow
def test_what_nobody_foresaw_is_tried_again_and_then_said(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = begun(rt, press_from="")
    rt.clock.go(hours=50)  # type: ignore[attr-defined]

    def failing(*given: Any, **more: Any) -> Any:
        raise RuntimeError("no room")

    monkeypatch.setattr(import_look, "portion_in", failing)
    for state in ("looking", "looking", "refused"):
        with pytest.raises(RuntimeError):
            imports.go_on(rt)
        assert seen(rt, number)["state"] == state
    tidy(rt)  # it is said for a day from now
    assert "RuntimeError" in seen(rt, number)["fault"][0]
    assert rt.db.read(lambda s: store.list_places(s, number, store.LIST)) == []
    assert imports.go_on(rt) == 0


@pytest.mark.slow
def test_a_long_list_that_a_program_sends_comes_in_by_itself(rt: Runtime) -> None:
    """Also after days in which nothing ran."""
    looked = begun(rt, listed(3, "b.csv"))
    number = begun(rt, press_from="127.0.0.1")
    rt.clock.go(hours=50)  # type: ignore[attr-defined]
    tidy(rt)
    with pytest.raises(imports.NoSuchImportError):
        seen(rt, looked)
    imports.go_on(rt)
    (act,) = [row for row in rt.db.read(list_audit) if row.what == "import readers"]
    assert (act.who, act.address, act.after and act.after["readers"]) == ("ann", "127.0.0.1", 7)
    assert seen(rt, number)["state"] == "done"


def test_a_program_may_press_what_somebody_has_only_looked_at_so_far(rt: Runtime) -> None:
    number = begun(rt)
    lists = [listed()]
    assert imports.look(rt, lists, Options(), MEMBERS, by="token x", press_from="::1") == number
    assert begun(rt) == number  # a look takes no press back
    imports.go_on(rt)
    (act,) = [row for row in rt.db.read(list_audit) if row.what == "import readers"]
    assert (act.who, act.address, seen(rt, number)["state"]) == ("token x", "::1", "done")


def test_an_import_is_stopped_goes_on_and_is_undone(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, asked = begun(rt), count(1)

    def is_ended_while_it_is_looked_at() -> bool:
        return next(asked) != 2 or imports.stop(rt, number, by="ann") == ""  # it leaves nothing

    assert imports.go_on(rt, is_ended_while_it_is_looked_at) == 1
    with pytest.raises(PaperpostError, match="no such import"):
        seen(rt, number)
    number = begun(rt, press_from="")
    with pytest.raises(ListError, match="not over"):
        import_undo.press(rt, number, expected=0, by="ann")

    def ends(rows: int, of: int) -> None:
        if rows == 4:
            imports.stop(rt, number, by="ben", address="127.0.0.1")

    import_look.look_at(rt, number)
    imports.bring_in(rt, number, on_rows=ends)
    found = seen(rt, number)
    assert (found["state"], found["done"]["rows"], found["can_go_on"]) == ("stopped", 4, True)
    assert "r0@" not in str(found)
    assert imports.go_on(rt) == 0
    with pytest.raises(ListError, match="Nothing of this import is under way"):
        imports.stop(rt, number, by="ben")
    assert imports.press(rt, number, by="ann")
    imports.go_on(rt)
    assert (seen(rt, number)["state"], len(here(rt))) == ("done", 7)
    assert acts(rt).count("stop import") == 2
    monkeypatch.setattr(import_undo, "_PORTION", 2)
    assert import_undo.press(rt, number, expected=7, by="ann")
    assert not import_undo.press(rt, number, expected=7, by="ann")  # pressed twice

    def ends_undoing(readers: int, of: int) -> None:
        assert of == 7
        assert imports.stop(rt, number, by="ben") == "done"

    import_undo.take_back(rt, number, on_readers=ends_undoing)
    found = seen(rt, number)
    assert (found["state"], found["undone"], found["unmailed"], len(here(rt))) == ("done", 2, 5, 5)
    assert import_undo.press(rt, number, expected=5, by="ann")
    asked = count(1)
    imports.go_on(rt, lambda: next(asked) < 4)  # the process ends amid it
    found = seen(rt, number)
    far = {"readers": 5, "gone": found["undone"] - 2, "seen": found["undone"] - 2}
    assert (found["state"], found["undo"], len(here(rt))) == ("undoing", far, 5 - far["gone"])
    assert 0 < far["gone"] < 5
    imports.go_on(rt)
    assert (seen(rt, number)["state"], seen(rt, number)["undone"], here(rt)) == ("done", 7, set())
    assert not import_undo.press(rt, number, expected=5, by="ann")
    assert acts(rt).count("undo import") == 2


@pytest.mark.slow
def test_a_stopped_import_whose_list_is_gone_says_so(tmp_path: Path, rt: Runtime) -> None:
    number = begun(rt, press_from="")
    import_look.look_at(rt, number)
    imports.bring_in(rt, number, on_rows=lambda rows, of: _stop(rt, number))
    rt.clock.go(hours=25)  # type: ignore[attr-defined]
    tidy(rt)
    assert seen(rt, number)["can_go_on"] is False
    with pytest.raises(ListError, match="not kept any more"):
        imports.press(rt, number, by="ann")


def _stop(rt: Runtime, number: int) -> None:
    if seen(rt, number)["state"] == "running":
        imports.stop(rt, number, by="ann")


def test_undo_says_who_stays_and_why(rt: Runtime) -> None:
    number = begun(rt, press_from="")
    imports.go_on(rt)
    ids = {row.email[:2]: row.id or 0 for row in rt.db.read(subscribers_store.list_subscriber_rows)}

    def lives(session: Any) -> None:
        row = subscribers_store.get_subscriber_row(session, id=ids["r1"])
        leave.leave_row(rt, session, row)
        (profile,) = subscribers_store.list_profile_rows(session, ids["r2"])
        profile.changed_at = rt.clock.go(hours=1)  # type: ignore[attr-defined]
        session.add(EditionRow(id=1, kind="digest", audience="all", slot="x", opened_at=rt.clock()))
        session.flush()
        session.add(
            DeliveryRow(edition_id=1, recipient_key="r0@example.org", subscriber_id=ids["r0"],
                        kind="digest", state="accepted", planned_at=rt.clock(), message_id="m",
                        token="t", bounce_id="b")
        )  # fmt: skip

    with by_hand():
        rt.db.write(lives)
    assert leave.erase(rt, "r3@example.org", by="reader")
    found = seen(rt, number)
    names = ("here", "unmailed", "mailed", "left", "changed", "gone")
    assert [found[name] for name in names] == [6, 4, 1, 1, 1, 1]
    with pytest.raises(ListError, match="4 readers, not 6"):
        import_undo.press(rt, number, expected=6, by="ann")
    assert import_undo.press(rt, number, expected=4, by="ann", reason="wrong list")
    import_undo.take_back(rt, number)
    assert here(rt) == {"r0@example.org", "r1@example.org"}
    assert [seen(rt, number)[name] for name in names] == [2, 0, 1, 1, 0, 1]


def test_who_is_erased_goes_from_what_is_kept_of_lists(rt: Runtime) -> None:
    lines = ["email,profile", "r1@example.org,(bad AND", '"Ann <ANN@example.org>",(bad AND']
    lines += ["Rob,R1@example.org", '"r1@example.org,words that nobody closes']
    done = begun(rt, pack("a.csv", io.BytesIO("\n".join(lines).encode())), press_from="")
    first = begun(rt, listed(2, "b.csv"))
    other = begun(rt, pack("c.csv", io.BytesIO(b"email\nzoe@example.org\n")))
    turned = begun(rt, pack("t.csv", io.BytesIO(b"email,name\nRob,r1@example.org\n")))
    imports.go_on(rt)
    assert forget_erased(rt) == 0
    number = begun(rt, listed(3, "d.csv"), press_from="")
    imports.go_on(rt)
    rt.clock.go(minutes=1)  # type: ignore[attr-defined]
    assert leave.erase(rt, "r1@example.org", by="reader")
    assert forget_erased(rt) == 3
    assert forget_erased(rt) == 0
    assert seen(rt, turned)["state"] == "refused"
    kept = [one for part, _ in imported.problem_parts(rt, done) for one in part]
    assert [(row, email) for row, email, _ in kept] == [(3, "Ann <ANN@example.org>")]
    assert "ANN" in "".join(text for _, text in imported.problem_parts(rt, done))
    assert "r1@" not in "".join(text for _, text in imported.problem_parts(rt, done)).lower()
    gone = seen(rt, first)
    assert (gone["state"], gone["look"]["samples"]) == ("refused", [])
    assert "erased since" in gone["fault"][0]
    assert seen(rt, other)["state"] == "tried"
    assert seen(rt, number)["state"] == "done"


@pytest.mark.slow
def test_the_sweep_finds_what_waits(rt: Runtime) -> None:
    async def run() -> int:
        engine = Embedded(rt)
        await engine.start()
        await engine.idle()
        number = await asyncio.to_thread(begun, rt)  # by a process that ended before it looked
        engine.enqueue("sweep")
        await engine.idle()
        await engine.stop()
        return number

    assert seen(rt, asyncio.run(run()))["state"] == "tried"
