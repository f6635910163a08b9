"""Real weekdays and lists of words that readers of real services chose: each digest that was
decided with others is the one that its reader would have got alone."""

import json
import os
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from random import Random

import pytest
from sqlmodel import col, select
from support.arrows import by_hand
from support.house import Clock, add, open_house
from support.sizes import sized

from service.digest.model import Digest, with_profiles
from service.flows import compose
from service.flows.daily import plan_daily
from service.flows.ingest import ingest_files
from service.flows.interests import read_form
from service.flows.manage import tune
from service.flows.runtime import Runtime
from service.flows.shelf import load_shelf
from service.flows.worked import Worked
from service.matching.query import QueryError
from service.store.db import Session
from service.store.sent import add_sent_papers
from service.store.tables import DeliveryRow

DAYS = int(os.environ.get("PAPERPOST_TEST_DAYS") or 4)
"""Wednesday to Monday: the day of the weekly mails is one of them. Ten take a minute more."""

EACH = 3
"""Readers of each list: two alike but for their addresses and languages, one who chose more."""


def lists_of(shared: Path) -> list[str]:
    """Every third one; of a long one, as much as an interest may have. Terms that cannot be read
    are left out."""
    found = []
    lines = (shared / "profiles" / "profiles.jsonl").read_text("utf-8").splitlines()
    for line in lines[:: sized(3, 1)]:
        words = ""
        for term in json.loads(line)["terms"]:
            if len(f"{words}{term}".encode()) < 900:
                with suppress(QueryError):
                    read_form(f"{words}{term}\n")
                    words += f"{term}\n"
        found.append(words)
    return found


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_digest_is_the_one_decided_alone(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = sorted((shared / "hf_daily").glob("*.json"))[-DAYS:]
    clock, chance = Clock(), Random(20261122)
    seen = {"together": 0, "decided": 0, "digests": 0}
    real, alone = compose._decision, compose.digest_for

    def compared(rt, session, shelf, reader, on, occasion, note, keys):
        known = real(rt, session, shelf, reader, on, occasion, note, keys)
        own = load_shelf(rt, session, shelf.limits, [reader.id], on, Worked())
        own.by_hand = shelf.by_hand
        wanted = alone(rt, session, own, reader, on, occasion, note=note)
        result = known.result
        if isinstance(result, Digest):
            result = with_profiles(result, known.numbers(shelf.profiles[reader.id]))
            seen["digests"] += 1
        seen["together"] += 1
        assert result == wanted
        return known

    def counted(*args, **values):
        seen["decided"] += 1
        return alone(*args, **values)

    with open_house(tmp_path, clock=clock) as house:
        rt = house.runtime
        readers = enter(rt, lists_of(shared))
        on = clock().date()
        monkeypatch.setattr(compose, "_decision", compared)
        monkeypatch.setattr(compose, "digest_for", counted)
        for file in files:
            ingest_files(rt, "hf_daily", [file], on=on)
            plan_daily(rt)
            with by_hand():
                rt.db.write(lambda s: accept_some(s, chance))
            mark_some(rt, readers, chance)
            on = next_weekday(clock, on)
    assert seen["digests"] > DAYS * len(readers) / 5
    assert seen["decided"] < 0.8 * seen["together"], "many were decided with another"


def enter(rt: Runtime, lists: list[str]) -> list[int]:
    """Every third one chose something besides."""
    more = [
        {"abstracts": "none"}, {"cadence": "weekly"}, {"weekdays": "mon,thu"}, {"at_least": "3"},
        {"tz": "Asia/Tokyo"}, {"language": "de"},
    ]  # fmt: skip
    return [
        add(rt, f"r{n}x{m}@uni.example", words, **(more[n % len(more)] if m == 2 else {}))
        for n, words in enumerate(lists)
        for m in range(EACH)
    ]


def accept_some(session: Session, chance: Random) -> None:
    """Most mails came; of the others the papers ride again, or are under way."""
    for row in session.exec(select(DeliveryRow).where(col(DeliveryRow.state) == "ready")):
        if chance.random() < 0.9:
            row.state = "accepted"
            session.add(row)
            session.flush()
            add_sent_papers(session, row.id)


def mark_some(rt: Runtime, readers: list[int], chance: Random) -> None:
    for reader in chance.sample(readers, 10):
        tune(rt, reader, chance.randrange(1, 10), chance.choice([-1, 1]))


def next_weekday(clock: Clock, on: date) -> date:
    clock.go(days=3 if on.weekday() == 4 else 1)
    return on + timedelta(days=3 if on.weekday() == 4 else 1)
