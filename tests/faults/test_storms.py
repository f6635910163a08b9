"""The storms of ``make faults``, each in its short form.

Another run of the dice: ``PAPERPOST_TEST_SEED=7 .venv/bin/pytest -s tests/faults/test_storms.py``.
"""

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.sizes import BOTH, sized
from support.storm import answers, byhand, halts, kills, leaving, points, rough
from support.storm.book import Tally
from support.storm.ground import Ground, relay, template
from support.storm.nursery import nursery

from service.store.db import STILL_S

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]
POINTS = int(os.environ.get("PAPERPOST_TEST_POINTS") or 10)
"""Of a send's points, on each database; ``make faults ARGS=points`` goes through all."""
FOUR = {"smtp_connections": "4", "spread_minutes": "0"}


@pytest.fixture
def seed() -> int:
    found = int(os.environ.get("PAPERPOST_TEST_SEED") or random.SystemRandom().randrange(10**6))
    print(f"PAPERPOST_TEST_SEED={found}")
    return found


@pytest.fixture(params=BOTH)
def cluster(request: pytest.FixtureRequest) -> Any:
    """A PostgreSQL to lay installations in; None = SQLite."""
    return None if request.param == "sqlite" else request.getfixturevalue("postgres_cluster")


def storm(
    folder: Path,
    cluster: Any,
    seed: int,
    act: Callable[[Ground, Tally], object],
    script: Any = None,
    still_s: float = STILL_S,
    **what: Any,
) -> dict[str, float]:
    """Lay, hurt, judge: the sums. Fails with the first breach in words. still_s: see nursery."""
    tally = Tally()
    made = template(folder / "laid", cluster, settings=FOUR, **what)
    log = folder / "relay.jsonl"
    with (
        nursery(still_s) as nest,
        relay(log, script) as (port, _),
        made.copy(folder / "ground", port, log, nest) as ground,
    ):
        act(ground, tally)
    print(tally.sums, tally.peaks)
    assert tally.breaches == []
    return tally.sums


def test_kills(tmp_path, cluster, seed):
    """Ten on each database: twenty in all."""
    totals = storm(
        tmp_path,
        cluster,
        seed,
        lambda g, t: kills.run(g, t, f"{seed}", 10, 4),
        kills.SCRIPT,
        readers=300,
    )
    assert totals["kills"] == 10
    assert totals["in_the_middle"] >= 8


def test_points(tmp_path, cluster, seed):
    """Twenty of all points, ten on each database; which ones, the dice say."""
    made = template(tmp_path / "laid", cluster, readers=25, settings=FOUR)
    tally = Tally()
    with nursery() as nest:
        every = points.every_point(points.calls(nest, made, tmp_path))
        assert len(every) > 40
        for point in random.Random(seed).sample(every, POINTS):
            points.hit(nest, made, tmp_path, point, "signal=KILL", tally, most_held=8)
    print(tally.sums)
    assert tally.breaches == []
    assert tally.sums["killed"] >= POINTS / 2  # the last calls of a run are not made in each


def test_sends_by_hand(tmp_path, seed):
    """A point of each kind; which one, the dice say."""
    (tmp_path / "calls").mkdir()
    dice, tally = random.Random(seed), Tally()
    found = byhand.calls(tmp_path / "calls", None, tuple(byhand.TIMES))
    made = byhand.laid(tmp_path / "laid", None)
    with nursery() as nest:
        for kind, most in found.items():
            byhand.hit(nest, made, tmp_path, points.Point(kind, dice.randint(1, most)), tally)
    print(tally.sums)
    assert tally.breaches == []
    assert tally.sums["mails"] == 3 * byhand.READERS


def test_answers(tmp_path, seed):
    script = answers.script(seed)
    script["rules"] = [rule for rule in script["rules"] if rule["act"] != "hang"]
    script["rules"].append({"step": "DOT", "act": "hang", "seconds": 8, "match": r"^r7@"})
    totals = storm(
        tmp_path, None, seed, lambda g, t: answers.run(g, t, 4), script,
        readers=0, addresses=answers.addresses(240),
    )  # fmt: skip
    assert totals["misclassified"] == 0
    assert totals["odd_answers"] > 40


@pytest.mark.parametrize("cluster", sized(BOTH[1:], BOTH), indirect=True)
def test_one_stands_still(tmp_path, cluster, seed):
    dice = random.Random(seed)
    totals = storm(
        tmp_path, cluster, seed, lambda g, t: halts.stand_still(g, t, dice, connections=4),
        kills.SCRIPT, readers=100, still_s=4.0,
    )  # fmt: skip
    assert totals["sent_meanwhile"] > 0 or totals["stood_on_the_lock"] == 1


def test_two_senders(tmp_path, cluster, seed):
    totals = storm(tmp_path, cluster, seed, lambda g, t: halts.two_senders(g, t, 0), readers=40)
    assert totals["mails"] == 40


@pytest.mark.postgres
def test_two_schedulers(tmp_path, postgres_cluster, seed):
    totals = storm(
        tmp_path, postgres_cluster, seed, lambda g, t: halts.two_schedulers(g, t, 0), readers=30
    )
    assert (totals["mails"], totals["editions"]) == (30, 1)


def test_leaving(tmp_path, seed):
    totals = storm(
        tmp_path, None, seed, lambda g, t: leaving.run(g, t, f"{seed}", leave=40, forget=10),
        kills.SCRIPT, readers=300,
    )  # fmt: skip
    assert totals["begun_afterwards"] == 0
    assert totals["stopped"] > 5


def test_locked(tmp_path, seed):
    storm(
        tmp_path, None, seed, lambda g, t: rough.locked(g, t, 3.0, connections=4),
        kills.SCRIPT, readers=100,
    )  # fmt: skip


def test_a_disk_that_fails(tmp_path, seed):
    """Three points of a failing disk, in turn."""
    made = template(tmp_path / "laid", None, readers=25, settings=FOUR)
    tally = Tally()
    with nursery() as nest:
        every = points.every_point(points.calls(nest, made, tmp_path, points.DISK))
        for point in random.Random(seed).sample(every, 3):
            points.hit(nest, made, tmp_path, point, "error=EIO", tally, most_held=8)
    assert tally.breaches == []
    assert tally.sums["killed"] == 0


@pytest.mark.postgres
def test_a_database_that_is_restarted(tmp_path, seed):
    from support.postgres import running_cluster

    with running_cluster(careful=True) as cluster:
        storm(
            tmp_path, cluster, seed,
            lambda g, t: rough.restarts(g, t, f"{seed}", cluster, 2, connections=4),
            kills.SCRIPT, readers=300,
        )  # fmt: skip


@pytest.mark.postgres
def test_commits_whose_answer_is_lost(tmp_path, postgres_cluster, seed):
    totals = storm(
        tmp_path, postgres_cluster, seed,
        lambda g, t: rough.lost_commits(g, t, seed, share=0.1, connections=4),
        kills.SCRIPT, readers=100,
    )  # fmt: skip
    assert totals["commits_lost"] > 0
