"""Measures search and the back-test over many stored papers: times, memory, bytes, the start.

Run from the checkout: ``python -m bench.corpus [PAPERS ...]`` (20000 and 200000 unless given), or
``python -m bench.corpus --quick`` (2000). The papers are put together from captured ones
(``made_papers``), with rows in an SQLite database and files as the service writes them; the queries
are the captured keyword lists. Every step runs in a process of its own.

Prints one JSON object, and writes it to ``results/corpus.json`` where no size is given. Times are
milliseconds: wall, and CPU of the process. ``search`` is what the page does without its HTML: news
from the tables, search, the rows of 50 papers; ``estimate`` is the back-test over 30 days, ``api``
what /api/v1/estimate answers of it, by the whole application; ``columns`` is search without the
database. ``start`` is from an empty process to the first answer;
cold = the files are not in the memory of the system. Memory is MB: own = of the process alone,
mapped = of files, shared with the system. anchors: CPU seconds of a fixed piece of work before and
after, which tell how busy the machine was.
"""

import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from fastapi.testclient import TestClient
from sqlmodel import Session, SQLModel

from bench.made_papers import SEED, SHARED, TODAY, made_papers
from bench.measured.process import anchor, machine
from service.app import make_app
from service.flows.search import search
from service.flows.stock import fill_corpus
from service.flows.words import learn_words
from service.matching.document import dump
from service.matching.parse import parse_keywords
from service.matching.part import merge
from service.matching.query import Query, QueryError
from service.matching.segment import Entry, Segment
from service.matching.shelf import Shelf
from service.settings import load_settings
from service.store.corpus_files import CorpusFiles
from service.store.tables import PaperAliasRow, PaperRow, SightingRow, SourceRow
from service.text.fold import FOLD_VERSION
from service.wiring import House, now, open_database

A_DAY = {2_000: 50}
"""Papers a day; 700 (a large choice of arXiv) unless named."""

NOON = datetime(TODAY.year, TODAY.month, TODAY.day, 12, tzinfo=UTC)
CHUNK = 2_000


def queries() -> list[Query]:
    """The captured keyword lists that can be read as they are."""
    found = []
    for line in (SHARED / "profiles" / "profiles.jsonl").read_text("utf-8").splitlines():
        try:
            found.append(parse_keywords("\n".join(json.loads(line)["terms"])))
        except QueryError:
            continue
    return found


def chunks(papers: int) -> Iterator[list[Entry]]:
    """The made papers, some at a time."""
    made = made_papers(papers, A_DAY.get(papers, 700))
    while some := list(islice(made, CHUNK)):
        yield some


def house(folder: Path) -> House:
    """The service over this folder, as at noon of the last day."""
    settings = load_settings(None, data_dir=folder, smtp_url="smtp://127.0.0.1:9")
    return House(settings, clock=lambda: NOON)


def build(folder: Path, papers: int) -> dict[str, Any]:
    """Rows and files of so many papers."""
    database = open_database(load_settings(None, data_dir=folder))
    begun, columns = time.process_time(), 0.0
    shelf, files = Shelf(), CorpusFiles(folder / "corpus")
    with Session(database.engine) as session:
        session.add(SourceRow(id=1, kind="hf_daily", title="Hugging Face", created_at=NOON))
        session.commit()
    for some in chunks(papers):
        rows(database, some)
        before = time.process_time()
        shelf.add_many(some)
        settle(shelf, files)
        columns += time.process_time() - before
    before = time.process_time()
    while settle(shelf, files):
        pass
    columns += time.process_time() - before
    database.close()
    size = sum(path.stat().st_size for path in (folder / "corpus").glob("*.papers"))
    return {
        "build_cpu_s": round(time.process_time() - begun, 1),
        "columns_cpu_s": round(columns, 1),
        "files": len(files.names()),
        "bytes_a_paper": round(size / papers),
        "database_mb": round((folder / "paperpost.db").stat().st_size / 1e6),
        "peak_own_mb": status("VmHWM"),
    }


def settle(shelf: Shelf, files: CorpusFiles) -> bool:
    """Put parts together and write them, as the service does."""
    files.may_write()
    groups = shelf.due(files=True)
    for group in groups:
        name = files.write(merge(group).packed())
        shelf.swap(group, Segment.unpacked(files.read(name))[0], name)
        files.remove(part.name for part in group if part.name)
    return bool(groups)


def rows(database: Any, some: Sequence[Entry]) -> None:
    """Rows of papers, their names and sightings."""
    blank = PaperRow(first_seen_at=NOON).model_dump()
    papers, names, shown = [], [], []
    for entry in some:
        at = NOON - timedelta(days=TODAY.toordinal() - entry.day)
        one, number = entry.document, entry.paper_id
        facts = {
            "id": number,
            "title": " ".join(one.title.cased),
            "abstract": " ".join(one.abstract.cased),
            "authors": list(one.authors),
            "categories": list(one.categories),
            "votes": entry.votes,
            "comments": entry.comments,
            "first_seen_at": at,
            "eligible_at": at,
            "matched_at": at,
            "listed_on": at.date(),
            "folded": dump(one),
            "fold_version": FOLD_VERSION,
        }
        papers.append(blank | facts)
        names.append({"scheme": "arxiv", "value": one.ids[0], "paper_id": number})
        sighting = SightingRow(
            source_id=1, paper_id=number, listed_on=at.date(), first_seen_at=at
        ).model_dump(exclude={"id"})
        shown.append(sighting)
    with database.engine.begin() as connection:
        for table, values in ((PaperRow, papers), (PaperAliasRow, names), (SightingRow, shown)):
            connection.execute(sa.insert(SQLModel.metadata.tables[table.__tablename__]), values)


def start(folder: Path, papers: int) -> dict[str, Any]:
    """From nothing to the first answer."""
    begun, spent = time.perf_counter(), time.process_time()
    opened = house(folder)
    found = search(opened.runtime, "sparse attention")
    made = {
        "wall_ms": round(1000 * (time.perf_counter() - begun)),
        "cpu_ms": round(1000 * (time.process_time() - spent)),
        "basis": found.basis,
    }
    assert found.total, "nothing was found"
    opened.close()
    return made


def measure(folder: Path, papers: int) -> dict[str, Any]:
    """Every list once in each way, on files that were just mapped."""
    opened = house(folder)
    rt = opened.runtime
    while fill_corpus(rt):
        pass
    learn_words(rt)
    corpus, asked = rt.corpus.corpus, queries()
    search(rt, "a b")
    assert len(corpus) == papers, len(corpus)
    days = [TODAY - timedelta(days=back) for back in range(30)]
    anchors = [round(anchor(), 4)]
    memory = {"before": own_and_mapped()}
    client = TestClient(make_app(rt, opened.settings))

    def ask(query: Query) -> None:
        answer = client.get("/api/v1/estimate", params={"q": query.shown})
        assert answer.status_code == 200, answer.text

    ways: dict[str, Callable[[Query], Any]] = {
        "columns": lambda query: corpus.search(query, limit=50),
        "search": lambda query: search(rt, query.shown),
        "estimate": lambda query: corpus.estimate(query, days=days),
        "api": ask,
    }
    made: dict[str, Any] = {"queries": len(asked), "parts": len(corpus.parts())}
    for name, way in ways.items():
        wall, spent = [], []
        for query in asked:
            begun, cpu = time.perf_counter(), time.process_time()
            way(query)
            wall.append(time.perf_counter() - begun)
            spent.append(time.process_time() - cpu)
        made[name] = {"wall_ms": shares(wall), "cpu_ms": shares(spent)}
        memory[f"after {name}"] = own_and_mapped()
    made["memory_mb"] = memory
    made["anchors_s"] = [*anchors, round(anchor(), 4)]
    opened.close()
    return made


def shares(times: list[float]) -> dict[str, float]:
    ordered = sorted(1000 * one for one in times)
    return {
        "p50": round(ordered[len(ordered) // 2], 1),
        "p95": round(ordered[int(len(ordered) * 0.95)], 1),
        "max": round(ordered[-1], 1),
    }


def status(key: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1]) // 1024
    return 0


def own_and_mapped() -> dict[str, int]:
    return {"own": status("RssAnon"), "mapped": status("RssFile")}


def cool(folder: Path) -> None:
    """Let the system forget the files, as far as it does."""
    for path in [*(folder / "corpus").glob("*.papers"), folder / "paperpost.db"]:
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


def _answer(step: Callable[[Path, int], Any], folder: Path, papers: int, pipe: Any) -> None:
    pipe.send(step(folder, papers))


def apart(step: Callable[[Path, int], Any], folder: Path, papers: int) -> Any:
    """Run a step in a process of its own."""
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    process = spawn.Process(target=_answer, args=(step, folder, papers, there))
    process.start()
    there.close()
    answer = here.recv()
    process.join()
    return answer


def whole(papers: int) -> dict[str, Any]:
    """Everything about one size."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = {"papers": papers, "built": apart(build, folder, papers)}
        apart(start, folder, papers)
        cool(folder)
        made["start"] = {
            "cold": apart(start, folder, papers),
            "warm": apart(start, folder, papers),
        }
        return made | apart(measure, folder, papers)


def main(given: Sequence[str]) -> None:
    """Measure the sizes."""
    sizes = [2_000] if given == ["--quick"] else [int(one) for one in given]
    made = {
        "date": now().date().isoformat(),
        "machine": machine(),
        "command": " ".join(("python -m bench.corpus", *given)),
        "seed": SEED,
        "sizes": [whole(papers) for papers in sizes or (20_000, 200_000)],
    }
    text = json.dumps(made, indent=1) + "\n"
    print(text)
    if not given:
        (Path(__file__).parent / "results" / "corpus.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
