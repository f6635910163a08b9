"""arXiv, Hugging Face and two journals on 127.0.0.1: one server, by the simulation's clock.

What it says is written in a script (``sky_script``). It notes the instant of every request; what
it is asked is ``/HOST/path``, so that every host keeps its name. arXiv's feed turns at midnight
Eastern and holds one day; its queries know a paper from 20:00 on the eve, its OAI from 22:30.
"""

import hashlib
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from urllib.parse import parse_qs, urlsplit

from support.sky_pages import atom_page, journal_page, list_page, oai_page, rss_page
from support.sky_script import EASTERN, Announced, Refusal, Script, announces, midnight

ARXIV = ("rss.arxiv.org", "export.arxiv.org", "oaipmh.arxiv.org")
Answer = tuple[int, dict[str, str], bytes]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. at: simulated. busy: requests of the same host's family that were under way."""

    host: str
    path: str
    at: datetime
    status: int
    busy: int = 0


class Sky:
    """clock: tells the simulated time. takes: told how long an answer is to take (seconds)."""

    def __init__(
        self,
        script: Script,
        clock: Callable[[], datetime],
        takes: Callable[[], None] = lambda: None,
    ) -> None:
        self.script, self.clock, self.takes = script, clock, takes
        self.asked: list[Asked] = []
        self._given: dict[int, int] = {}
        self._lock = threading.Lock()
        self._busy = 0
        sky = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                sky.talk(self)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def talk(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request and note it."""
        parts = urlsplit(handler.path)
        host, _, path = parts.path.lstrip("/").partition("/")
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        now = self.clock()
        with self._under_way(host in ARXIV) as busy:
            status, headers, body = self.answer(host, f"/{path}", query, now)
            tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
            if status == 200:
                headers = {**headers, "ETag": tag}
                if handler.headers.get("If-None-Match") == tag:
                    status, body = 304, b""
            with self._lock:
                self.asked.append(Asked(host, handler.path, now, status, busy))
            self.takes()
        if not status:
            handler.close_connection = True
            return
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    @contextmanager
    def _under_way(self, is_arxiv: bool) -> Iterator[int]:
        with self._lock:
            busy = self._busy
            self._busy += is_arxiv
        try:
            yield busy
        finally:
            with self._lock:
                self._busy -= is_arxiv

    def answer(self, host: str, path: str, query: dict[str, str], now: datetime) -> Answer:
        """What a host says at an instant; status 0: it never does."""
        refusal = self._refusal(host, now)
        if refusal is not None:
            return refusal.status, refusal.headers, b"not now"
        if host == "rss.arxiv.org" and path.startswith("/rss/"):
            return 200, {}, self.rss(path.removeprefix("/rss/").split("+"), now)
        if host == "export.arxiv.org" and path == "/api/query":
            return 200, {}, self.query(query, now)
        if host == "oaipmh.arxiv.org" and path == "/oai":
            return 200, {}, self.oai(query, now)
        if host == "huggingface.co" and path == "/api/daily_papers":
            return self.daily(query, now)
        if host.endswith(".journal.example"):
            return 200, {}, self.journal(host.partition(".")[0], now)
        return 404, {}, b"nothing here"

    def _refusal(self, host: str, now: datetime) -> Refusal | None:
        with self._lock:
            for number, refusal in enumerate(self.script.refusals):
                if host.endswith(refusal.host) and refusal.start <= now < refusal.end:
                    given = self._given.get(number, 0)
                    if not refusal.most or given < refusal.most:
                        self._given[number] = given + 1
                        return refusal
        return None

    def shown_day(self, category: str, now: datetime) -> tuple[date, date]:
        """(day of what is shown, day that is said): they differ when a category is stale."""
        today = now.astimezone(EASTERN).date()
        if now < self.script.turned(today):
            return today - timedelta(days=1), today - timedelta(days=1)
        healed = self.script.stale.get((category, today))
        if healed is None or now >= healed:
            return today, today
        shown = today - timedelta(days=1)
        while not announces(shown):
            shown -= timedelta(days=1)
        return shown, today

    def rss(self, categories: list[str], now: datetime) -> bytes:
        found: dict[str, tuple[Announced, str]] = {}
        said = now.astimezone(EASTERN).date()
        for category in categories:
            shown, said = self.shown_day(category, now)
            for one in self.script.batch(category, shown):
                found.setdefault(one.work.number, (one, one.shown[category]))
        return rss_page("+".join(categories), said, list(found.values()))

    def is_public(self, one: Announced, now: datetime, hours_before: float = 4) -> bool:
        """Announced at 20:00 on the eve; OAI knows it at 22:30, on the next day by UTC."""
        return midnight(one.day) - timedelta(hours=hours_before) <= now

    def query(self, query: dict[str, str], now: datetime) -> bytes:
        """The query interface: categories joined by OR, and a window of submission."""
        text = query["search_query"]
        categories = set(re.findall(r"cat:([\w.-]+)", text))
        window = re.search(r"submittedDate:\[(\d{8})\d{4} TO (\d{8})\d{4}\]", text)
        found = self._newest(now, categories)
        if window:
            found = [x for x in found if window[1] <= f"{x.received:%Y%m%d}" <= window[2]]
        found.sort(key=lambda x: x.received, reverse=True)
        start, size = int(query.get("start", 0)), int(query.get("max_results", 10))
        return atom_page(found[start : start + size], len(found), self.primaries())

    def _newest(
        self, now: datetime, categories: set[str], hours_before: float = 4
    ) -> list[Announced]:
        """The newest version of every paper that is in one of the categories by now."""
        found: dict[str, Announced] = {}
        inside: dict[str, set[str]] = {}
        for one in self.script.announced:
            if self.is_public(one, now, hours_before):
                found[one.work.number] = one
                inside.setdefault(one.work.number, set()).update(one.shown)
        return [one for name, one in found.items() if inside[name] & categories]

    def primaries(self) -> dict[str, list[str]]:
        """arXiv id -> its categories, the primary one first."""
        found: dict[str, list[str]] = {}
        for one in self.script.announced:
            listed = found.setdefault(one.work.number, [])
            listed += [c for c, kind in one.shown.items() if c not in listed]
        return found

    def oai(self, query: dict[str, str], now: datetime) -> bytes:
        """Records of a set by the day on which they last changed, ten a page."""
        token = query.get("resumptionToken", "")
        if token:
            name, since, until, start = token.split("|")
        else:
            name, start = query.get("set", ""), "0"
            since, until = query.get("from", "0000-00-00"), query.get("until", "9999-99-99")
        category = ".".join(name.split(":")[1:]) if ":" in name else ""
        every = {c for one in self.script.announced for c in one.shown}
        newest = self._newest(now, {category} if category else every, 1.5)
        found = [x for x in newest if since <= x.day.isoformat() <= until]
        part = found[int(start) : int(start) + 10]
        rest = int(start) + 10
        more = f"{name}|{since}|{until}|{rest}" if rest < len(found) else ""
        return oai_page(part, len(found), more, self.primaries(), now)

    def daily(self, query: dict[str, str], now: datetime) -> Answer:
        """The list of a day, or of a calendar week, as it is by now; a day that is not open yet
        says 400."""
        if "week" in query:
            found = [x for x in self.script.listed if _week_of(x.day) == query["week"]]
            found = [x for x in found if x.at <= now]
        else:
            day = date.fromisoformat(query["date"])
            if datetime(day.year, day.month, day.day, 0, 40, tzinfo=now.tzinfo) > now:
                return 400, {}, b'{"error":"this day is not open yet"}'
            found = [x for x in self.script.listed if x.day == day and x.at <= now]
        size, page = min(int(query.get("limit", 50)), 100), int(query.get("p", 0))
        return 200, {}, list_page(found[page * size : (page + 1) * size], now)

    def journal(self, name: str, now: datetime) -> bytes:
        """The newest fifteen; links carry a tracking part that is another one each time."""
        found = [x for x in self.script.printed if x.journal == name and x.at <= now]
        found.sort(key=lambda x: x.at, reverse=True)
        return journal_page(name, found[:15], now)

    def of_arxiv(self) -> list[Asked]:
        """Requests to arXiv's three hosts, in their order."""
        return sorted((x for x in self.asked if x.host in ARXIV), key=lambda x: x.at)

    def __enter__(self) -> "Sky":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _week_of(day: date) -> str:
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}"
