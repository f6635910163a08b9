"""The corpus of a process follows the tables: refreshed, merged, hidden, filed, torn, by others."""

import multiprocessing
import threading
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.house import Clock, ingest_items, open_house, paper_item

from service.flows import live_corpus
from service.flows.live_corpus import LiveCorpus
from service.flows.match import learn
from service.flows.runtime import Runtime
from service.flows.search import search
from service.flows.source_acts import change_source
from service.flows.stock import fill_corpus
from service.matching import shelf
from service.matching.parse import parse_query
from service.store.tables import PaperRow, SightingRow

WORDS = ("adapters", "diffusion", "robots", "graphs")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def rt(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Runtime]:
    more = {}
    if request.param == "postgres":
        more["database_url"] = request.getfixturevalue("postgres_url")
    with open_house(tmp_path / "data", clock=Clock(), **more) as house:
        yield house.runtime


@pytest.fixture
def filed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few papers are worth a file."""
    monkeypatch.setattr(shelf, "_WORTH_A_FILE", 4)


def stock(rt: Runtime, folder: Path, first: int = 1, last: int = 13) -> None:
    items = [paper_item(n, f"{WORDS[n % 4]} number{n}", votes=n) for n in range(first, last)]
    ingest_items(rt, folder, items)


def guild(rt: Runtime, folder: Path, number: int, votes: int) -> None:
    """A paper that is there is shown again with an organisation."""
    item = paper_item(number, f"{WORDS[number % 4]} number{number}", votes=votes)
    ingest_items(rt, folder, [item | {"organization": {"name": "w", "fullname": "Weavers"}}])


def titles(rt: Runtime, text: str) -> list[str]:
    return sorted(one.paper.title for one in search(rt, text).papers)


def settle(rt: Runtime) -> None:
    while fill_corpus(rt):
        pass


def again(rt: Runtime) -> LiveCorpus:
    """As another process would open it."""
    return LiveCorpus(rt.data_dir / "corpus")


def found(rt: Runtime, corpus: LiveCorpus, text: str) -> set[int]:
    rt.db.read(lambda s: corpus.sync(s, date.min))
    return {one.paper_id for one in corpus.corpus.search(parse_query(text), limit=None)}


def files(rt: Runtime) -> list[Path]:
    return sorted((rt.data_dir / "corpus").glob("*.papers"))


@pytest.mark.usefixtures("filed")
def test_a_second_start_reads_the_files_and_only_what_changed(
    rt: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stock(rt, tmp_path)
    settle(rt)
    assert len(files(rt)) == 1
    before = found(rt, rt.corpus, "robots OR graphs")
    assert len(before) == 6
    guild(rt, tmp_path, 3, 50)
    read: list[int] = []
    asked = live_corpus.corpus_rows.get_documents

    def noted(session: live_corpus.Session, ids: list[int]) -> object:
        read.extend(ids)
        return asked(session, ids)

    monkeypatch.setattr(live_corpus.corpus_rows, "get_documents", noted)
    second = again(rt)
    assert found(rt, second, "org:weavers") == {3}
    assert found(rt, second, "votes:50") == {3}
    assert read == [3]
    assert found(rt, second, "robots OR graphs") == before


@pytest.mark.usefixtures("filed")
def test_what_another_process_changes_is_seen(rt: Runtime, tmp_path: Path) -> None:
    stock(rt, tmp_path)
    other = again(rt)
    assert len(found(rt, other, "adapters")) == 3
    stock(rt, tmp_path, 13, 17)
    guild(rt, tmp_path, 4, 4)
    settle(rt)
    assert found(rt, other, "adapters") == found(rt, rt.corpus, "adapters")
    assert found(rt, other, "org:weavers") == {4}
    assert len(other.corpus) == 16
    names = {part.name for part in other.corpus.parts()}
    assert names == {path.name for path in files(rt)}  # it shares the other's files


@pytest.mark.usefixtures("filed")
@pytest.mark.parametrize("harm", ["cut", "emptied", "gone", "other version", "one bit"])
def test_a_torn_file_is_made_again(rt: Runtime, tmp_path: Path, harm: str) -> None:
    stock(rt, tmp_path)
    settle(rt)
    (file,) = files(rt)
    whole = file.read_bytes()
    if harm == "cut":
        file.write_bytes(whole[: len(whole) // 2])
    elif harm == "emptied":
        file.write_bytes(b"")
    elif harm == "gone":
        file.unlink()
    elif harm == "one bit":
        torn = bytearray(whole)
        torn[whole.index(b"robot")] ^= 1
        file.write_bytes(torn)
    else:
        file.write_bytes(whole.replace(b'["papers", ', b'["papers",9', 1))
    rt.corpus.close()
    rt.corpus = again(rt)
    if harm != "one bit":  # that is found out beside everything else
        assert len(titles(rt, "robots")) == 3
    settle(rt)
    assert len(files(rt)) == 1
    assert len(found(rt, rt.corpus, "robots")) == 3
    assert found(rt, again(rt), "robots") == found(rt, rt.corpus, "robots")


@pytest.mark.usefixtures("filed")
def test_files_of_which_nothing_is_left_go(rt: Runtime, tmp_path: Path) -> None:
    stock(rt, tmp_path)
    settle(rt)
    for number in range(1, 13):
        guild(rt, tmp_path, number, number)
    settle(rt)
    assert len(files(rt)) == 1
    assert found(rt, again(rt), "org:weavers") == set(range(1, 13))


@pytest.mark.usefixtures("filed")
def test_half_a_file_of_a_killed_process_goes(rt: Runtime, tmp_path: Path) -> None:
    stock(rt, tmp_path)
    folder = rt.data_dir / "corpus"
    folder.mkdir()
    (folder / "00000001.papers.4711").write_bytes(b"half")
    settle(rt)
    assert {path.name for path in folder.iterdir()} == {"00000001.papers", "lock"}


def test_hidden_and_merged_papers_go(rt: Runtime, tmp_path: Path) -> None:
    stock(rt, tmp_path)
    assert len(found(rt, rt.corpus, "number1 OR number2 OR number3")) == 3
    rt.db.write(
        lambda s: s.execute(sa.update(PaperRow).where(PaperRow.id == 2).values(quarantined="bad"))
    )
    rt.db.write(
        lambda s: s.execute(sa.update(PaperRow).where(PaperRow.id == 3).values(merged_into=1))
    )
    settle(rt)  # compares with the table
    assert found(rt, rt.corpus, "number1 OR number2 OR number3") == {1}
    assert found(rt, again(rt), "number1 OR number2 OR number3") == {1}


def test_a_day_that_changes_is_seen(rt: Runtime, tmp_path: Path) -> None:
    stock(rt, tmp_path)
    settle(rt)
    later = rt.clock() + timedelta(days=2)
    rt.db.write(
        lambda s: s.execute(sa.update(PaperRow).where(PaperRow.id == 5).values(eligible_at=later))
    )
    settle(rt)  # compares with the table
    asked = parse_query("number4 OR number5")
    assert [one.paper_id for one in rt.corpus.corpus.search(asked, days=[later.date()])] == [5]


def test_held_papers_count_for_the_day_on_which_they_are_taken(rt: Runtime, tmp_path: Path) -> None:
    stock(rt, tmp_path)
    rt.db.write(lambda s: s.execute(sa.update(PaperRow).values(eligible_at=None)))
    rt.db.write(lambda s: s.execute(sa.update(SightingRow).values(held=True)))
    rt.clock.go(days=3)  # type: ignore[attr-defined]
    today, query = rt.clock().date(), parse_query("robots")
    learn(rt)
    assert rt.corpus.corpus.search(query, days=[today]) == []
    assert change_source(rt, 1, "take-new", by="mia")["papers"] == 12
    rt.db.read(lambda s: rt.corpus.sync(s, date.min))
    assert len(rt.corpus.corpus.search(query, days=[today])) == 3


def test_papers_of_years_ago_are_found(rt: Runtime, tmp_path: Path) -> None:
    stock(rt, tmp_path)
    old = rt.clock().date() - timedelta(days=900)
    rt.db.write(
        lambda s: s.execute(
            sa.update(PaperRow).where(PaperRow.id < 7).values(eligible_at=None, listed_on=old)
        )
    )
    learn(rt)
    assert len(rt.corpus.corpus) == 6  # the last days at once
    assert rt.corpus.unread() == search(rt, "robots").unread == 6
    assert search(rt, "number1 OR number2 OR number9", whole=True).total == 3
    rt.corpus = again(rt)
    learn(rt)
    assert rt.corpus.unread(old + timedelta(days=1)) == 0
    settle(rt)
    assert rt.corpus.unread() == 0
    assert len(titles(rt, "number1 OR number2 OR number9")) == 3


def test_a_page_waits_no_longer_than_is_said(rt: Runtime, tmp_path: Path) -> None:
    stock(rt, tmp_path)
    learn(rt)
    rt.corpus.patience = 0.05
    held, over = threading.Event(), threading.Event()

    def hold() -> None:
        with rt.corpus._lock:
            held.set()
            over.wait(20)

    reader = threading.Thread(target=hold)
    reader.start()
    held.wait(20)
    assert len(titles(rt, "robots")) == 3
    over.set()
    reader.join()


def _fill(folder: str, url: str, done: Callable[[bool], None]) -> None:
    with open_house(Path(folder), database_url=url) as house:
        settle(house.runtime)
        done(len(house.runtime.corpus.corpus) == 12)


@pytest.mark.slow
@pytest.mark.usefixtures("filed")
def test_two_processes_share_the_files_and_one_writes(rt: Runtime, tmp_path: Path) -> None:
    stock(rt, tmp_path)
    settle(rt)
    here, there = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_fill, args=(str(rt.data_dir), rt.db.url, there.send)
    )
    process.start()
    assert here.poll(60)
    assert here.recv()
    process.join(60)
    assert len(files(rt)) == 1


def test_reading_ends_with_the_process(
    rt: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stock(rt, tmp_path)
    asked = live_corpus.corpus_rows.get_documents

    def ending(session: live_corpus.Session, ids: list[int]) -> object:
        rt.corpus.patience = 0 if ids else None
        return asked(session, ids)

    monkeypatch.setattr(live_corpus, "_AT_ONCE", 5)
    monkeypatch.setattr(live_corpus.corpus_rows, "get_documents", ending)
    learn(rt)
    assert (len(rt.corpus.corpus), rt.corpus.unread()) == (5, 7)
