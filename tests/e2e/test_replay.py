"""Ten weekdays of real lists and two arXiv days for fifty readers with real keyword lists, day by
day, into a real SMTP server; what arrived is compared with a matcher that shares no code.

A quick run, and the usual one on PostgreSQL, play three of the ten days, two of arXiv among them.
"""

import asyncio
import html
import json
import re
import unicodedata
import xml.etree.ElementTree as ET
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from support.house import Clock, open_house
from support.keyword_oracle import KeywordOracle
from support.sizes import sized
from support.smtp_server import SmtpServer

from service.flows.daily import plan_daily
from service.flows.estimate import estimate
from service.flows.ingest import ingest_files
from service.flows.interests import read_kind
from service.flows.letter import bytes_of
from service.flows.match import match_new
from service.flows.preview import preview
from service.flows.readers import NewReader, add_reader
from service.flows.send import send_ready
from service.matching.counting import Asked
from service.matching.parse import parse_keywords
from service.store.deliveries import list_deliveries
from service.store.editions import count_states, get_edition
from service.store.subscribers import get_subscriber_row
from service.subscribers.address import read_address

# ten days for fifty readers, before the first test
pytestmark = [pytest.mark.timeout(400), pytest.mark.slow]
IN_ONE_PROCESS = pytest.mark.xdist_group
DAYS = [date(2026, 6, d) for d in (15, 16, 17, 18, 19, 22, 23, 24, 25, 26)]
ARXIV = {date(2026, 6, 17), date(2026, 6, 18)}
ZONES = ["UTC", "Europe/Zurich", "America/Los_Angeles", "Asia/Tokyo", "Pacific/Auckland"]
READERS = 50


def keyword_lists(shared: Path) -> list[list[str]]:
    """Real lists that are plain keywords (no operators of the list's own system)."""
    odd = re.compile(r'[:()"*]|\b(AND|OR|NOT)\b|^-|[,;，、；\n]')
    found = []
    for line in (shared / "profiles" / "profiles.jsonl").read_text(encoding="utf-8").splitlines():
        terms = [t.strip() for t in json.loads(line)["terms"]]
        terms = [t for t in terms if t and not odd.search(t) and len(t) < 60]
        if 2 <= len(terms) <= 12 and len(", ".join(terms)) < 900:
            found.append(terms)
    # the readers of the tour: common words, so that some digests overflow
    found[0:0] = [["reasoning", "reinforcement learning"], ["language model"], ["diffusion"]]
    return found[:READERS]


@dataclass
class Truth:
    """What the captures hold, read without our code: day -> paper id -> (title, abstract)."""

    days: dict[date, dict[str, tuple[str, str]]] = field(default_factory=dict)
    first: dict[str, date] = field(default_factory=dict)

    def add(self, day: date, paper: str, title: str, abstract: str) -> None:
        if paper not in self.first:
            self.first[paper] = day
            self.days.setdefault(day, {})[paper] = (title, abstract)


def read_truth(shared: Path, days: list[date]) -> Truth:
    truth = Truth()
    for day in days:
        for item in json.loads((shared / "hf_daily" / f"{day}.json").read_text(encoding="utf-8")):
            paper = item["paper"]
            truth.add(day, paper["id"], paper["title"], paper.get("summary") or "")
        if day in ARXIV:
            tree = ET.parse(shared / "feeds/arxiv_rss20" / f"RECONSTRUCTED_cs.CL_{day}.xml")
            for item in tree.iter("item"):
                kind = item.findtext("{http://arxiv.org/schemas/atom}announce_type") or "new"
                if kind.startswith("replace"):
                    continue
                paper = re.sub(r"v\d+$", "", (item.findtext("guid") or "").rpartition(":")[2])
                text = (item.findtext("description") or "").partition("Abstract:")[2]
                truth.add(day, paper, item.findtext("title") or "", text)
    return truth


def poison(shared: Path, folder: Path, number: int) -> Path:
    """A list of the naughty strings as titles, every one with an id of its own."""
    strings = json.loads((shared / "strings" / "blns.json").read_text(encoding="utf-8"))
    items = []
    for at, text in enumerate(strings[number::40]):
        inner = {"id": f"9{number:03d}.{at:05d}", "title": text, "summary": text, "upvotes": 0}
        items.append({"paper": {**inner, "authors": [{"name": text}]}, "title": text})
    file = folder / f"poison{number}.json"
    file.write_text(json.dumps(items), encoding="utf-8")
    return file


@dataclass
class Story:
    """Everything that happened, for the assertions."""

    days: list[date]
    mails: dict[tuple[str, date], list[bytes]] = field(default_factory=lambda: defaultdict(list))
    counts: dict[date, Counter[str]] = field(default_factory=dict)
    reported: dict[date, dict[str, int]] = field(default_factory=dict)
    logged: dict[date, dict[str, int]] = field(default_factory=dict)


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("sqlite", marks=IN_ONE_PROCESS("replay")),
        pytest.param("postgres", marks=[pytest.mark.postgres, IN_ONE_PROCESS("replay-postgres")]),
    ],
)
def replay(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, quick: bool
) -> Iterator[tuple]:
    """The days, once on each database."""
    from support.captures import shared_data

    shared = shared_data()
    few = quick or sized(request.param == "postgres", False)
    with ExitStack() as stack:
        values = {}
        if request.param == "postgres":
            cluster = request.getfixturevalue("postgres_cluster")
            values["database_url"] = stack.enter_context(cluster.database())
        days = DAYS[1:4] if few else DAYS
        yield from played(shared, tmp_path_factory.mktemp("replay"), values, days)


def played(shared: Path, folder: Path, values: dict[str, str], days: list[date]) -> Iterator[tuple]:
    lists, story = keyword_lists(shared), Story(days)
    assert len(lists) == READERS
    clock = Clock(datetime(2026, 6, 27, 9, 0, tzinfo=UTC))
    with (
        SmtpServer() as server,
        open_house(folder, smtp_port=server.port, clock=clock, **values) as house,
    ):
        rt = house.runtime
        last: dict[str, dict[str, int]] = {}
        rt.log = lambda event, **facts: last.__setitem__(event, facts)
        for number, terms in enumerate(lists):
            add_reader(
                rt,
                NewReader(
                    address=read_address(f"reader{number}@example.org"),
                    wanted=(read_kind("keywords", ", ".join(terms)),),
                    zone=ZONES[number % len(ZONES)],
                    hour=number % 24,
                ),
            )
        for number, day in enumerate(days):
            ingest_files(rt, "hf_daily", [shared / "hf_daily" / f"{day}.json"], on=day)
            if day in ARXIV:
                file = shared / "feeds/arxiv_rss20" / f"RECONSTRUCTED_cs.CL_{day}.xml"
                ingest_files(rt, "arxiv_rss", [file], on=day)
            ingest_files(rt, "hf_daily", [poison(shared, folder, number)], on=day)
            match_new(rt)
            before = len(server.accepted)
            planned = plan_daily(rt, day)
            sent = asyncio.run(send_ready(rt))
            again = plan_daily(rt, day)
            assert (again.planned, again.ready) == (sum(planned.skipped.values()), 0)
            for message in server.accepted[before:]:
                story.mails[message.recipient, day].append(message.data)
            story.reported[day] = {"ready": planned.ready, "accepted": sent.accepted}
            story.logged[day] = {"accepted": last.get("send", {}).get("accepted", 0)}
            story.counts[day] = Counter(
                rt.db.read(lambda s, e=planned.editions[0]: count_states(s, e))
            )
        yield rt, lists, read_truth(shared, days), story, server


def papers_in(data: bytes) -> tuple[list[str], int]:
    """The arXiv ids linked in a mail's text part, and the number it says it counts only."""
    body = message_from_bytes(data, policy=policy.default).get_body(("plain",))
    assert body is not None
    text = body.get_content()
    ids = re.findall(r"https://arxiv\.org/abs/(\S+)", text)
    more = re.search(r"and ([\d,]+) more", text)
    return ids, int(more.group(1).replace(",", "")) if more else 0


def plain(text: str) -> str:
    """White space and entities as a person reads them."""
    return " ".join(html.unescape(text).split())


def squeezed(text: str) -> str:
    """Only the letters and digits, without accents and case."""
    flat = unicodedata.normalize("NFKD", text).casefold()
    return "".join(c for c in flat if c.isalnum())


def wanted(lists: list[list[str]], truth: Truth) -> dict[tuple[int, date], set[str]]:
    """What each reader should get on the day a paper is first listed, by the naive matcher.

    A term is only tried where the first three letters of all its words occur at all.
    """
    oracles = [
        [
            (KeywordOracle([term]), [squeezed(w)[:3] for w in re.split(r"[\W_]+", term) if w])
            for term in terms
        ]
        for terms in lists
    ]
    found: dict[tuple[int, date], set[str]] = defaultdict(set)
    for day, papers in truth.days.items():
        for paper, (title, abstract) in papers.items():
            shown = plain(title), plain(abstract)
            texts, letters = KeywordOracle.texts_of(*shown), squeezed(" ".join(shown))
            for number, terms in enumerate(oracles):
                if any(
                    all(b in letters for b in begins) and oracle.wants_texts(texts)
                    for oracle, begins in terms
                ):
                    found[number, day].add(paper)
    return found


def test_every_matching_paper_reaches_each_reader_exactly_once(replay):
    _, lists, truth, story, _ = replay
    expected = wanted(lists, truth)
    total = 0
    for number in range(READERS):
        for day in story.days:
            mails = story.mails.get((f"reader{number}@example.org", day), [])
            ids, more = papers_in(mails[0]) if mails else ([], 0)
            real = [i for i in ids if not i.startswith("9")]
            assert len(ids) == len(set(ids))
            should = expected.get((number, day), set())
            assert set(real) <= should, (number, day, set(real) - should, lists[number])
            assert len(should) == len(real) + more, (number, day, should - set(real), lists[number])
            total += len(should)
    assert total > 80 * len(story.days)  # the lists are not empty


def test_nobody_gets_two_scheduled_mails_on_a_date(replay):
    _, _, _, story, _ = replay
    assert max(len(mails) for mails in story.mails.values()) == 1


def test_every_reader_and_mail_day_has_exactly_one_row(replay):
    rt, _, _, story, _ = replay
    rows = rt.db.read(lambda s: list_deliveries(s))
    with rt.db.reading() as session:
        slots = {r.id: get_edition(session, id=r.edition_id).slot for r in rows}
    pairs = Counter((r.recipient_key, slots[r.id]) for r in rows)
    assert set(pairs.values()) == {1}
    assert len(pairs) == READERS * len(story.days)
    for day in story.days:
        assert sum(story.counts[day].values()) == READERS


def test_counts_agree_between_report_ledger_log_and_server(replay):
    _, _, _, story, _ = replay
    for day in story.days:
        arrived = sum(len(m) for (_, on), m in story.mails.items() if on == day)
        assert story.counts[day]["accepted"] == arrived
        assert story.reported[day] == {"ready": arrived, "accepted": arrived}
        assert story.logged[day] == {"accepted": arrived}


def test_estimate_per_day_equals_what_was_mailed(replay):
    rt, lists, _, story, _ = replay
    for number in (0, 1, 2, 7, 20):
        made = estimate(rt, Asked(parse_keywords(", ".join(lists[number]))), 14).estimate
        for day in story.days:
            mails = story.mails.get((f"reader{number}@example.org", day), [])
            ids, more = papers_in(mails[0]) if mails else ([], 0)
            assert made.per_day[day] == len(ids) + more


def test_preview_of_a_past_date_is_what_the_server_got(replay):
    rt, _, _, story, _ = replay
    checked = 0
    for (email, day), mails in list(story.mails.items())[::7]:
        assert preview(rt, read_address(email).key, day).message == mails[0]
        checked += 1
    assert checked > 2 * len(story.days)


def test_rendering_again_gives_the_same_bytes(replay):
    rt, _, _, story, _ = replay
    with rt.db.reading() as session:
        for row in list_deliveries(session, states=["accepted"], limit=25):
            edition = get_edition(session, id=row.edition_id)
            reader = get_subscriber_row(session, id=row.subscriber_id)
            day = date.fromisoformat(edition.slot)
            assert bytes_of(rt, row, edition, reader) == story.mails[row.rcpt, day][0]
