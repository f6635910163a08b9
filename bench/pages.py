"""Measures the public pages and feeds over 200,000 stored papers, over HTTP, as they are served.

Run from the checkout: ``python -m bench.pages [PAPERS]`` (200000 unless given), or
``python -m bench.pages --house FOLDER`` for a house that was filled by it before. The papers are
those of ``bench.corpus`` on an SQLite database, 700 a day, listed by four sources (one with a
twentieth of them), with twelve topics. ``paperpost run`` serves them in a process of its own; the
client asks one request at a time over one connection, as a browser does (gzip, no cache), and
takes the time to the last byte.

Prints one JSON object, and writes it to ``results/pages.json`` where no size is given. Times are
milliseconds: wall, and cpu of the serving process (all threads). anchors: CPU seconds of a fixed
piece of work before and after, and load: processes that wanted a core, which tell how busy the
machine was.
"""

import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa
from sqlmodel import Session

from bench.corpus import NOON, apart, build, house, queries, shares
from bench.made_papers import SEED, TODAY
from bench.measured.process import anchor, machine
from service.flows.stock import fill_corpus
from service.flows.topics import add_topic
from service.flows.words import learn_words
from service.store.tables import SourceRow
from service.wiring import now

SOURCES = ("arXiv cs.LG", "arXiv cs.CL", "arXiv cs.CV")
TOPICS = 12
ROUNDS = 100
MOST_MS = 150


def fill(folder: Path, papers: int) -> dict[str, Any]:
    """The papers, the sources that list them, topics, and what the service learns by itself."""
    made = build(folder, papers)
    opened = house(folder)
    rt = opened.runtime

    def list_them(session: Session) -> None:
        for number, title in enumerate(SOURCES, 2):
            session.add(
                SourceRow(
                    id=number, kind="arxiv_rss", title=title, params_key=title, created_at=NOON
                )
            )
        session.flush()
        # a twentieth stays with the first source; the others are each on one arXiv list
        session.execute(
            sa.text("UPDATE sighting SET source_id = 2 + paper_id % 3 WHERE paper_id % 20 > 0")
        )

    rt.db.write(list_them)
    while fill_corpus(rt):
        pass
    learn_words(rt)
    chance = random.Random(SEED)
    for number, query in enumerate(chance.sample(queries(), TOPICS)):
        likes = [name_of(chance, papers) for _ in range(3)] if number % 2 else []
        values = {"name": f"topic-{number}", "kind": query.kind, "likes": likes}
        text = "\n".join(query.terms) if query.kind == "keywords" else query.shown
        add_topic(rt, values | {"text": text}, by="bench")
    opened.close()
    return made


def name_of(chance: random.Random, papers: int) -> str:
    """The name of a made paper."""
    number = chance.randint(1, papers)
    return f"arxiv/{2000 + number // 100_000}.{number % 100_000:05}"


def addresses(papers: int) -> dict[str, list[str]]:
    """What is asked, by kind of page."""
    chance = random.Random(SEED)
    days = max(1, papers // 700 - 1)
    asked = queries()

    def day() -> str:
        return date_back(chance.randrange(days))

    def chosen() -> str:
        category = chance.choice(("cs.LG", "cs.CL", "cs.RO", "q-bio.NC", ""))
        query = {"source": chance.choice((1, 2, 3, 4, "")), "category": category}
        query["order"] = chance.choice(("newest", "trending"))
        query["page"] = chance.choice((1, 1, 2))
        return urlencode({name: value for name, value in query.items() if value})

    def words() -> str:
        return urlencode({"q": chance.choice(asked).shown})

    def some(make: Any) -> list[str]:
        return [make() for _ in range(ROUNDS)]

    return {
        "/papers": ["/papers"] * 50,
        "/papers/DATE": some(lambda: f"/papers/{day()}"),
        "/papers/DATE chosen": some(lambda: f"/papers/{day()}?{chosen()}"),
        "/search": [f"/search?{urlencode({'q': one.shown})}" for one in asked],
        "/search newest": some(lambda: f"/search?{words()}&order=newest"),
        "/search two words": some(lambda: f"/search?{urlencode({'q': pair(chance, asked)})}"),
        "/papers/SCHEME/VALUE": some(lambda: f"/papers/{name_of(chance, papers)}"),
        "/topics": ["/topics"] * 50,
        "/topics/NAME": some(lambda: f"/topics/topic-{chance.randrange(TOPICS)}"),
        "/feeds/papers": some(lambda: f"/feeds/papers.{form(chance)}?{chosen()}"),
        "/feeds/search": some(lambda: f"/feeds/search.{form(chance)}?{words()}"),
        "/feeds/topics": some(
            lambda: f"/feeds/topics/topic-{chance.randrange(TOPICS)}.{form(chance)}"
        ),
    }


def date_back(days: int) -> str:
    """A list day, so many before the newest."""
    return type(TODAY).fromordinal(TODAY.toordinal() - days).isoformat()


def form(chance: random.Random) -> str:
    """A form of a feed."""
    return chance.choice(("atom", "rss", "json"))


def pair(chance: random.Random, asked: list[Any]) -> str:
    """Two keywords, both of which must be there: often nothing, and what to leave out is said."""
    return " ".join(chance.choice(chance.choice(asked).terms or ("model",)) for _ in range(2))


class Server:
    """``paperpost run`` over a folder, until ``close``."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        env = os.environ | {
            "PAPERPOST_DATA_DIR": str(folder),
            "PAPERPOST_PORT": str(self.port),
            "PAPERPOST_BASE_URL": f"http://127.0.0.1:{self.port}",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "service", "run"],
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._line = HTTPConnection("127.0.0.1", self.port, timeout=60)

    def cpu(self) -> float:
        """Seconds that the process has computed, all threads together."""
        tasks = Path(f"/proc/{self._process.pid}/task").glob("*/schedstat")
        return sum(int(one.read_text().split()[0]) for one in tasks) / 1e9

    def ask(self, path: str, **headers: str) -> tuple[int, float, bytes, dict[str, str]]:
        """(status, seconds, body as sent, headers)."""
        begun = time.perf_counter()
        self._line.request("GET", path, headers={"Accept-Encoding": "gzip"} | headers)
        answer = self._line.getresponse()
        body = answer.read()
        return answer.status, time.perf_counter() - begun, body, dict(answer.getheaders())

    def wait(self) -> None:
        """Until every paper is read, and what is alike is known."""
        until = time.monotonic() + 300
        while time.monotonic() < until:
            try:
                status, _, body, _ = self.ask(
                    "/api/v1/search?q=model&limit=1", **{"Accept-Encoding": "identity"}
                )
                if status == 200 and json.loads(body)["unread"] == 0:
                    self._rest()
                    return
            except OSError:
                self._line.close()
            time.sleep(0.5)
        raise TimeoutError("The service did not come up.")

    def _rest(self) -> None:
        """Until it has looked over the files that it mapped, which it does beside."""
        before = -1.0
        while self.cpu() - before > 0.1:
            before = self.cpu()
            time.sleep(2)
        self._line.close()  # it ends a line that rests; the next question opens one

    def close(self) -> None:
        """End it."""
        self._line.close()
        self._process.terminate()
        self._process.wait(60)


def measure(folder: Path, papers: int) -> dict[str, Any]:
    """Every kind of page, one request at a time."""
    server = Server(folder)
    try:
        server.wait()
        anchors = [round(anchor(), 4)]
        made: dict[str, Any] = {}
        for kind, paths in addresses(papers).items():
            made[kind] = timed(server, paths)
            print(kind, json.dumps(made[kind]), file=sys.stderr, flush=True)
        made["again"] = timed(server, ["/feeds/papers.atom"] * 50, again=True)
        busy = {"anchors_s": [*anchors, round(anchor(), 4)], "load": os.getloadavg()}
        return {"pages": made, **busy}
    finally:
        server.close()


def timed(server: Server, paths: list[str], *, again: bool = False) -> dict[str, Any]:
    """again: with the tag of the answer before, so that nothing is sent."""
    times, spent, sizes, tag = [], [], [], {}
    for path in [*paths[:2], *paths]:
        before = server.cpu()
        status, seconds, body, headers = server.ask(path, **tag)
        assert status in (200, 304, 404, 422), (status, path)
        if again:
            tag = {"If-None-Match": headers["etag" if "etag" in headers else "ETag"]}
        times.append(seconds)
        spent.append(server.cpu() - before)
        sizes.append(len(body))
    cpu = {f"cpu_{name}": value for name, value in shares(spent[2:]).items()}
    return shares(times[2:]) | cpu | {"bytes": max(sizes[2:]), "asked": len(paths)}


def slow(made: dict[str, Any]) -> Iterator[str]:
    """Kinds of pages that take longer than they may."""
    for kind, one in made.items():
        if one["p95"] > MOST_MS:
            yield f"{kind}: p95 {one['p95']} ms, of these computed {one['cpu_p95']}"


def main(given: list[str]) -> None:
    """Fill a house, or take one, and measure it."""
    papers = int(given[0]) if given and given[0].isdecimal() else 200_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(given[1]) if given[:1] == ["--house"] else Path(name)
        if not (folder / "paperpost.db").exists():
            apart(fill, folder, papers)
        found = measure(folder, papers)
    made = {
        "date": now().date().isoformat(),
        "machine": machine(),
        "command": " ".join(("python -m bench.pages", *given[:1])),
        "seed": SEED,
        "papers": papers,
        "most_ms": MOST_MS,
        **found,
        "slow": list(slow(found["pages"])),
    }
    text = json.dumps(made, indent=1) + "\n"
    print(text)
    if not given or given[0] == "--house":
        (Path(__file__).parent / "results" / "pages.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
