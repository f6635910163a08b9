"""The profile index beside the table of profiles: changes, deletions, shares, and its snapshot."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.house import Runtime, add, open_house

from service.flows import live_index
from service.flows.live_index import LiveIndex
from service.flows.match import match_new
from service.matching.document import prepare
from service.matching.index import is_in_share
from service.matching.score import Statistics
from service.papers.model import Alias, Paper

PAPER = prepare(Paper(aliases=(Alias("arxiv", "2501.00001"),), title="Glaciers and adapters"))


def wanting(index: LiveIndex) -> list[int]:
    ((ids, scores),) = index.score_many([PAPER], Statistics())
    assert len(ids) == len(scores)
    return sorted(ids.tolist())


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A house of three has many profiles."""
    monkeypatch.setattr(live_index, "SMALLEST", 3)
    return


def profile_ids(rt: Runtime) -> list[int]:
    return sorted(rt.db.read(lambda s: s.scalars(sa.text("SELECT id FROM profile")).all()))


def act(rt: Runtime, statement: str) -> None:
    rt.db.write(lambda s: s.execute(sa.text(statement)))


def three(rt: Runtime) -> list[int]:
    for name, words in (("a", "glacier"), ("b", "volcano"), ("c", "adapters, glaciers")):
        add(rt, f"{name}@example.org", words)
    return profile_ids(rt)


def test_changes_pauses_and_deletions_are_taken_in(rt: Runtime) -> None:
    first, second, third = three(rt)
    index = LiveIndex()
    rt.db.read(index.sync)
    assert (len(index), wanting(index)) == (3, [first, third])
    later = "changed_at = '2026-11-18 09:00:01.000000'"
    act(rt, f"UPDATE profile SET paused = true, {later} WHERE id = {first}")
    rt.db.read(index.sync)
    assert (len(index), wanting(index)) == (2, [third])
    act(rt, f"DELETE FROM profile WHERE id = {third}")
    rt.db.read(index.sync)
    assert (len(index), wanting(index)) == (1, [])
    add(rt, "d@example.org", "adapters")
    rt.db.read(index.sync)
    assert wanting(index) == [i for i in profile_ids(rt) if i not in (first, second)] != []


def test_a_row_written_long_after_its_time_is_seen(rt: Runtime) -> None:
    first, second, third = three(rt)
    index = LiveIndex()
    act(rt, f"UPDATE profile SET changed_at = '2026-11-17 09:00:00.000000' WHERE id = {third}")
    act(rt, f"UPDATE profile SET subscriber_id = subscriber_id, id = 900 WHERE id = {third}")
    rt.db.read(index.sync)
    act(rt, f"UPDATE profile SET id = {third} WHERE id = 900")
    rt.db.read(index.sync)
    assert (len(index), wanting(index)) == (3, [first, third])
    assert second not in wanting(index)


def test_shares_are_the_whole(rt: Runtime) -> None:
    three(rt)
    add(rt, "d@example.org", "adapters")
    whole = LiveIndex()
    parts = [LiveIndex(share=(at, 3)) for at in range(3)]
    for index in (whole, *parts):
        rt.db.read(index.sync)
        rt.db.read(index.sync)
    assert sum(map(len, parts)) == len(whole) == 4
    assert sorted(i for part in parts for i in wanting(part)) == wanting(whole)
    for at, part in enumerate(parts):
        assert all(is_in_share(i, (at, 3)) for i in wanting(part))
    spread = [sum(is_in_share(i, (at, 3)) for i in range(1, 3001)) for at in range(3)]
    assert max(spread) < 1.1 * min(spread)


@pytest.mark.usefixtures("many")
def test_a_snapshot_and_what_changed_since_is_the_whole(rt: Runtime, tmp_path: Path) -> None:
    first, second, third = three(rt)
    index = LiveIndex()
    assert not index.restore(tmp_path)
    rt.db.read(index.sync)
    assert index.save(tmp_path)
    assert not index.save(tmp_path)
    (file,) = (tmp_path / "index").iterdir()
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    act(rt, f"DELETE FROM profile WHERE id = {first}")
    add(rt, "d@example.org", "adapters")
    again = LiveIndex()
    assert again.restore(tmp_path)
    assert wanting(again) == [first, third]
    read: list[object] = []
    take = again.index.put_stored
    again.index.put_stored = lambda *row: (read.append(row), take(*row))[1]  # type: ignore[method-assign,func-returns-value]
    rt.db.read(again.sync)
    assert len(read) == 1, "only what changed is read"
    assert wanting(again) == [i for i in profile_ids(rt) if i != second]
    assert again.save(tmp_path, ending=True)
    assert not LiveIndex(share=(0, 2)).restore(tmp_path), "another share is another file"


@pytest.mark.usefixtures("many")
def test_a_torn_snapshot_is_made_again(rt: Runtime, tmp_path: Path) -> None:
    first, _, third = three(rt)
    index = LiveIndex()
    rt.db.read(index.sync)
    assert index.save(tmp_path)
    (file,) = (tmp_path / "index").iterdir()
    data = file.read_bytes()
    for harm, at in (("cut", 0), ("bit", 20), ("bit", len(data) - 80), ("empty", 0), ("gone", 0)):
        torn = bytearray(data)
        torn[at] ^= 255
        file.write_bytes({"cut": data[:-40], "empty": b""}.get(harm, bytes(torn)))
        if harm == "gone":
            file.unlink()
        again = LiveIndex()
        assert not again.restore(tmp_path), harm
        rt.db.read(again.sync)
        assert wanting(again) == [first, third]
    assert again.save(tmp_path)
    assert LiveIndex().restore(tmp_path)
    file.rename(file.with_name("profiles-1-of-2"))
    assert not LiveIndex(share=(0, 2)).restore(tmp_path), "it is of another share"


@pytest.mark.usefixtures("many")
def test_a_full_disk_leaves_the_old_snapshot(
    rt: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    three(rt)
    index = LiveIndex()
    rt.db.read(index.sync)
    assert index.save(tmp_path)
    (file,) = (tmp_path / "index").iterdir()
    before = file.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    add(rt, "d@example.org", "adapters")
    rt.db.read(index.sync)
    monkeypatch.setattr(os, "fsync", full)
    assert not index.save(tmp_path, ending=True)
    assert [one.read_bytes() for one in (tmp_path / "index").iterdir()] == [before]


def test_a_small_house_keeps_no_snapshot(rt: Runtime, tmp_path: Path) -> None:
    three(rt)
    index = LiveIndex()
    rt.db.read(index.sync)
    assert not index.save(tmp_path, ending=True)
    assert list(tmp_path.glob("index*")) == []


@pytest.mark.usefixtures("many")
def test_an_end_in_order_leaves_a_snapshot_for_the_next_start(tmp_path: Path) -> None:
    with open_house(tmp_path, smtp_port=9) as house:
        three(house.runtime)
        match_new(house.runtime)
        (file,) = (house.runtime.data_dir / "index").iterdir()
        file.unlink()
        add(house.runtime, "d@example.org", "adapters")
        match_new(house.runtime)
        expected = wanting(house.runtime.index)
    with open_house(tmp_path, smtp_port=9) as house:
        assert file.exists()
        assert house.runtime.index.restore(house.runtime.data_dir)
        assert wanting(house.runtime.index) == expected
        assert len(expected) == 3
