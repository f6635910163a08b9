"""Bounces end to end: real Postfix and Dovecot send back what readers cannot get, `paperpost run`
reads it; and the reader of the mailbox is killed where it hurts."""

import asyncio
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from support.house import Clock, ingest_items, open_house, paper_item
from support.returning import BOUNCES, FAR, World, returning
from support.sizes import BOTH, sized
from support.storm import returns
from support.storm.book import Tally
from support.storm.ground import Ground, template
from support.storm.halts import served
from support.storm.nursery import ROOT, nursery
from support.storm.points import every_point

from service.cli.ways import inbox_of
from service.flows.daily import plan_daily
from service.flows.send import send_ready
from service.inbound.imap import read_once
from service.store.db import make_engine

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(900)]
PAGE = ROOT / "docs" / "bounces.md"
PLAYED_ON = BOTH if os.environ.get("PAPERPOST_TEST_BOUNCES") else BOTH[:1]
"""The day takes two minutes: on SQLite in each whole run, on both with that variable. The poller
and what follows from its mails are played on both in ``tests/integration/test_inbox_story.py``."""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the servers' own users may go through, as pytest's are not."""
    with tempfile.TemporaryDirectory(prefix="paperpost-faults-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.fixture(params=BOTH)
def cluster(request):
    """A PostgreSQL to lay installations in; None = SQLite."""
    return None if request.param == "sqlite" else request.getfixturevalue("postgres_cluster")


STORY = {
    "fine": [f"ok{n}@{FAR[n % 5]}" for n in range(15)],
    "gone": [f"gone{n}@{FAR[n]}" for n in range(3)],
    "barred": [f"barred{n}@lab.example.net" for n in range(3)],
    "full": [f"full{n}@{FAR[n + 1]}" for n in range(3)],
    "busy": [f"busy{n}@{FAR[n + 2]}" for n in range(2)],
    "leaves": ["leaver0@press.example.net"],
    "complains": ["angry0@library.example.net"],
    "away": ["away0@lab.example.net"],
}
"""Readers by what becomes of their mail (``support.returning``)."""
SENT_BACK = 3 + 3 + 3 + 2 * 2
"""Mails that come back on the first day: of who is busy a warning, too."""
FIRST = datetime(2026, 11, 19, 8, 5, tzinfo=UTC)


def wait(check: Callable[[], bool], seconds: float, site: subprocess.Popen[str]) -> None:
    """Until it is so. Fails when it takes longer, or when the site ended."""
    end = time.monotonic() + seconds
    while not check():
        assert site.poll() is None, "paperpost run ended"
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.2)


class Watch:
    """When each reader was first seen to have been told of, by the wall clock."""

    def __init__(self, ground: Ground) -> None:
        self._ground, self.seen = ground, dict[str, float]()

    def look(self, mails: int) -> bool:
        """True when so many mails came in."""
        found = returns.known(self._ground.url)
        for row in found["reports"]:
            if row["email"] and row["action"] != "delayed":
                self.seen.setdefault(row["email"], time.time())
        return sum(row["many"] for row in found["mails"]) >= mails


def of(sort: str, found: returns.Known) -> dict[str, Counter[tuple[Any, ...]]]:
    """What was reported of readers of a sort: kind, reason, status, what followed."""
    told: dict[str, Counter[tuple[Any, ...]]] = {one: Counter() for one in STORY[sort]}
    for row in found["reports"]:
        if row["email"] in told:
            said = row["kind"], row["reason"], row["status"], row["action"], row["said"]
            told[row["email"]][said] += row["many"]
    return told


def stands(found: returns.Known, sort: str) -> list[tuple[Any, ...]]:
    """State, score and rests of readers of a sort."""
    return [
        (row["state"], row["score"], row["rests"])
        for row in found["readers"]
        if row["email"] in STORY[sort]
    ]


def alarms(url: str) -> dict[str, str]:
    """Kind and key of each alarm -> its words."""
    engine = make_engine(url)
    try:
        with engine.connect() as connection:
            found = connection.execute(sa.text("SELECT kind, key, what FROM alarm"))
            return {f"{row.kind} {row.key}": row.what for row in found}
    finally:
        engine.dispose()


def ends(ground: Ground, address: str) -> list[tuple[str, str]]:
    """State and reason of each digest of a reader, in their order."""
    rows = sorted(ground.rows(), key=lambda row: row["id"])
    return [(row["state"], row["reason"]) for row in rows if row["rcpt"] == address]


@contextmanager
def house_with_readers(folder: Path, cluster: Any) -> Iterator[tuple[World, Ground]]:
    """All servers, and an installation whose first daily is due."""
    everybody = [one for sort in STORY.values() for one in sort]
    settings = {"smtp_connections": "4", "spread_minutes": "0"}
    laid = template(folder / "laid", cluster, readers=0, addresses=everybody, settings=settings)
    with returning(folder) as world:
        for one in STORY["full"]:
            world.fill(one)
        with laid.copy(folder / "day", world.relay.port, folder / "none.jsonl") as ground:
            ground.more |= returns.environment(world)
            yield world, ground


@pytest.mark.parametrize("cluster", PLAYED_ON, indirect=True)
def test_from_refusal_to_consequence(folder, cluster):
    """A day of a house with 29 readers, by `paperpost run` alone: it sends, and reads what comes
    back; killed once meanwhile. Then the next mail days, until those who rested are tried again."""
    with house_with_readers(folder, cluster) as (world, ground):
        first_day(world, ground)
        days_after(world, ground, folder)


def first_day(world: World, ground: Ground) -> None:
    watch = Watch(ground)
    with served(ground, f"@{FIRST:%Y-%m-%d %H:%M:%S}", 1) as [site]:
        wait(lambda: watch.look(1) and set(ground.states()) == {"accepted"}, 240, site)
        site.kill()
    with served(ground, f"@{FIRST + timedelta(minutes=5):%Y-%m-%d %H:%M:%S}", 1) as [site]:
        wait(lambda: watch.look(SENT_BACK), 240, site)
        world.leave_by_mail(*STORY["leaves"])
        world.complain(*STORY["complains"])
        world.be_away(*STORY["away"])
        wait(lambda: watch.look(SENT_BACK + 3), 120, site)
    found = returns.known(ground.url)
    assert set(ground.states()) == {"accepted"}  # all of them were taken by our relay
    for sort, said in {
        "gone": [("hard", "no_such_user", "5.1.1", "failed", "suppressed")],
        "barred": [("policy", "reputation", "5.7.1", "failed", "told")],
        "full": [("soft", "mailbox_full", "5.2.2", "failed", "scored")],
        "busy": [
            ("soft", "mailbox_full", "4.2.2", "delayed", "delayed"),
            ("soft", "mailbox_full", "4.2.2", "failed", "scored"),
        ],
        "leaves": [("optout", "unsubscribe", "", "", "left")],
        "complains": [("complaint", "abuse", "", "", "left")],
        "away": [("auto", "vacation", "", "", "")],
        "fine": [],
    }.items():
        assert of(sort, found) == {one: Counter(said) for one in STORY[sort]}, sort
    assert set(stands(found, "gone")) == {("bounced", 2, 0)}
    assert set(stands(found, "full") + stands(found, "busy")) == {("active", 1, 0)}
    assert stands(found, "leaves") + stands(found, "complains") == [("left", 0, 0)] * 2
    for sort in ("fine", "barred", "away"):
        assert set(stands(found, sort)) == {("active", 0, 0)}
    bars = {row["reason"]: row["many"] for row in found["barred"]}
    assert bars == {"hard": 3, "complaint": 1, "left": 1}
    assert [one for one in alarms(ground.url) if one.startswith("returned")] == [
        "returned policy:lab.example.net"
    ]
    assert found["mails"] == [{"state": "done", "many": SENT_BACK + 3}]
    assert world.inbox.counts("bounces") == {"Paperpost/done": SENT_BACK + 3}
    refused = world.refused_at()
    late = sorted(round(watch.seen[one] - at, 1) for one, at in refused.items())
    print(f"{len(late)} readers, seconds from the last refusal until it counted: {late}")
    assert len(late) == 11
    assert late[-1] < 120


def days_after(world: World, ground: Ground, folder: Path) -> None:
    clock = Clock(FIRST)
    values = {
        name.removeprefix("PAPERPOST_").lower(): value
        for name, value in returns.environment(world).items()
    }
    with open_house(
        ground.data, smtp_port=world.relay.port, database_url=ground.url, clock=clock, **values
    ) as house:
        rt, inbox = house.runtime, inbox_of(house.settings)
        assert inbox is not None

        def day(number: int) -> returns.Known:
            """Its papers, its mails, and what comes back of them."""
            clock.at = FIRST + timedelta(days=number - 1)
            item = paper_item(
                100 + number, f"Adapters, day {number}", publishedAt=clock.at.isoformat()
            )
            ingest_items(rt, folder, [item], on=clock.at.date())
            plan_daily(rt)
            asyncio.run(send_ready(rt))
            assert world.settled()
            read_once(rt, inbox)
            return returns.known(ground.url)

        world.forget_people_of("uni.example.net")
        found = day(2)
        uni = [row for row in found["readers"] if row["email"].endswith("@uni.example.net")]
        assert {row["state"] for row in uni} == {"active"}
        assert "gone uni.example.net" in alarms(ground.url)
        world.forget_people_of("")
        assert set(stands(found, "full") + stands(found, "busy")) == {("active", 2, 0)}
        found = day(5)
        assert set(stands(found, "full") + stands(found, "busy")) == {("active", 3, 1)}
        mails = world.inbox.counts("bounces")["Paperpost/done"]
        found = day(6)  # they rest: nothing goes out, so nothing of theirs comes back
        assert world.inbox.counts("bounces") == {"Paperpost/done": mails + len(STORY["barred"])}
        resting = STORY["full"] + STORY["busy"]
        assert {ends(ground, one)[-1] for one in resting} == {("skipped", "bounced")}
        tidy, *others = STORY["full"]
        world.empty(tidy)
        found = day(8)
        assert {ends(ground, one)[-1] for one in resting} == {("accepted", "")}
        text = world.received(tidy).as_string()
        assert "day 8" in text
        assert "day 6" in text  # the paper of the day without a mail
        again = {row["email"]: (row["score"], row["rests"]) for row in found["readers"]}
        assert again[tidy] == (3, 1)
        assert {again[one] for one in [*others, *STORY["busy"]]} == {(3, 2)}
        for one in STORY["gone"] + STORY["leaves"] + STORY["complains"]:
            assert ends(ground, one) == [("accepted", "")]  # of the first day, and none since
        for sort in ("fine", "barred", "away"):
            assert {state for state, _, _ in stands(found, sort)} == {"active"}
            assert {tuple(ends(ground, one)) for one in STORY[sort]} == {(("accepted", ""),) * 5}


PIPE = """#!/bin/sh
umask 000
cat >{folder}/mail
echo "$@" >{folder}/words
"""


def test_postfix_hands_over_by_lmtp_and_by_a_pipe(folder):
    """As docs/bounces.md says; while nobody listens, Postfix keeps the mail."""
    first, second = "gone0@campus.example.net", "ok0@lab.example.net"
    settings = {"spread_minutes": "0"}
    addresses = [first, second]
    laid = template(folder / "laid", None, readers=0, addresses=addresses, settings=settings)
    with (
        returning(folder, gives_up="5m") as world,
        laid.copy(folder / "day", world.relay.port, folder / "none.jsonl") as ground,
    ):
        with socket.create_server(("127.0.0.1", 0)) as free:
            listens = f"127.0.0.1:{free.getsockname()[1]}"
        ground.more |= returns.environment(world) | {"PAPERPOST_LMTP_LISTEN": listens}
        del ground.more["PAPERPOST_INBOX_URL"]
        world.hand_over(f"lmtp:inet:{listens}")
        with served(ground, f"@{FIRST:%Y-%m-%d %H:%M:%S}", 1) as [site]:
            wait(lambda: Watch(ground).look(1) and world.settled(0), 240, site)
        assert told(ground) == {first: ("bounced", "suppressed")}
        world.be_away(second)
        world.leave_by_mail(second)
        time.sleep(2)
        assert world.relay.queued() == 2
        with served(ground, f"@{FIRST + timedelta(minutes=5):%Y-%m-%d %H:%M:%S}", 1) as [site]:
            wait(lambda: Watch(ground).look(3), 240, site)
        assert told(ground)[second] == ("left", "left")
        (folder / "pipe").mkdir()
        (folder / "pipe").chmod(0o777)
        program = folder / "take"
        program.write_text(PIPE.format(folder=folder / "pipe"))
        program.chmod(0o755)
        recipe = PAGE.read_text().partition("# master.cf\n")[2].partition("#")[0]
        recipe = recipe.replace("user=paperpost", "user=nobody").replace(
            "/opt/paperpost/venv/bin/paperpost", str(program)
        )
        recipe = recipe.replace("directory=/var/lib/paperpost", f"directory={folder}")
        world.hand_over("paperpost:", textwrap.dedent(recipe))
        world.complain(second)
        assert world.settled(20)
        *_, option, to = (folder / "pipe" / "words").read_text().split()
        assert (option, to) == ("--rcpt", BOUNCES)
        with (folder / "pipe" / "mail").open("rb") as mail:
            done = subprocess.run(
                [sys.executable, "-m", "service", "inbound", option, to, "--json"],
                cwd=ROOT, env=ground.environment, stdin=mail, capture_output=True, check=True,
            )  # fmt: skip
        [report] = json.loads(done.stdout)["reports"]
        assert report["class"] == "complaint"


def told(ground: Ground) -> dict[str, tuple[str, str]]:
    """Readers of whom something was told -> their state, and what followed."""
    found = returns.known(ground.url)
    states = {row["email"]: row["state"] for row in found["readers"]}
    ends = {row["email"]: row["said"] for row in found["reports"] if row["kind"] != "auto"}
    return {one: (states[one], said) for one, said in ends.items() if one}


@pytest.mark.parametrize("cluster", sized(BOTH[1:], BOTH), indirect=True)
def test_the_reader_of_the_mailbox_is_killed(folder, cluster):
    """At ten points, on PostgreSQL or on both (``make faults ARGS=inbound``: at each)."""
    tally = Tally()
    with nursery() as nest, returns.returned(folder, cluster, returns.readers(2), nest) as back:
        points = every_point(returns.undisturbed(back, folder))
        for point in random.Random(str(cluster is None)).sample(points, 10):
            returns.hit(back, folder, point, tally)
    print(tally.sums)
    assert tally.breaches == []
    assert tally.sums["killed"] >= 8
    assert tally.sums["in_the_middle"] >= 2
