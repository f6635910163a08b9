"""/readyz says what is wrong in words, /metrics in numbers; neither names anybody."""

import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from sqlmodel import select
from support.arrows import by_hand
from support.house import Clock, add, ingest_items, open_house, paper_item, rows

from service.app import make_app
from service.flows import readiness
from service.flows.alarms import Alarm, raise_alarm
from service.flows.daily import plan_daily, plan_due
from service.flows.runtime import Stats
from service.flows.watchdog import watch_runs
from service.settings import load_settings
from service.store import runs
from service.store.tables import DeliveryRow, EditionRow
from service.wiring import House

DOCS = Path(__file__).resolve().parents[2] / "docs" / "metrics.md"
NOON = datetime(2026, 11, 18, 12, 30, tzinfo=UTC)


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime(2026, 11, 18, 7, tzinfo=UTC))


@pytest.fixture
def house(tmp_path: Path, clock: Clock) -> Iterator[House]:
    with open_house(tmp_path, clock=clock) as made:
        yield made


def ask(house: House, path: str, *, peer: str = "127.0.0.1", token: str = "", **heads: str):
    apps = house.__dict__.setdefault("apps_of_tests", {})
    if token not in apps:
        settings = load_settings(
            None,
            data_dir=house.settings.data_dir,
            metrics_token=token or None,
            smtp_url="smtp://127.0.0.1:9",
        )
        apps[token] = make_app(house.runtime, settings)
    with TestClient(apps[token], client=(peer, 5)) as client:
        sent = {name.replace("_", "-"): value for name, value in heads.items()}
        return client.get(path, headers=sent)


def numbers(house: House) -> dict[str, float]:
    answer = ask(house, "/metrics")
    assert answer.status_code == 200
    found = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            labels = ",".join(sample.labels.values())
            found[sample.name + (f"[{labels}]" if labels else "")] = sample.value
    return found


def test_ready_when_all_is_well(house):
    assert ask(house, "/readyz").json() == {"ready": True, "status": "ready", "says": []}


def test_degraded_is_said_in_words_and_still_serves(house, clock):
    rt = house.runtime
    add(rt, "ada@example.org", "adapters")
    watch_runs(rt)
    clock.at = NOON
    alarm = Alarm(kind="domain", key="x.example", what="w", place="p", next_step="n")
    rt.db.write(lambda s: raise_alarm(rt, s, alarm))
    answer = ask(house, "/readyz")
    assert answer.status_code == 200
    assert answer.json()["status"] == "degraded"
    assert answer.json()["says"] == [
        "nothing is at work: paperpost run, or paperpost scheduler, does not tick",
        "mails are due and not planned",
        "alarms are open: domain 1",
    ]


def test_a_task_that_failed_when_it_ran_last_is_said_without_its_words(house, monkeypatch):
    failed = Stats(runs=3, failures=3, last_error="MailError: no TLS for ada@uni.example")
    engine = SimpleNamespace(stats=lambda: {"send": failed, "poll": Stats(runs=1)})
    monkeypatch.setattr(house.runtime, "engine", engine)
    said = ask(house, "/readyz").json()["says"]
    assert said == [
        "the task send ended with an error; it is tried again, and the log says which",
    ]
    failed.last_error = ""  # it came to its end since
    assert ask(house, "/readyz").json()["says"] == []


def test_503_when_nothing_can_be_written(house, monkeypatch):
    monkeypatch.setattr(type(house.db), "can_write", lambda self, seconds: False)
    answer = ask(house, "/readyz")
    assert answer.status_code == 503
    assert answer.json() == {
        "ready": False, "status": "down", "says": ["nothing can be written to the database"],
    }  # fmt: skip


@pytest.mark.slow
def test_503_when_another_version_has_the_database(house, monkeypatch):
    monkeypatch.setattr(readiness.migrations, "newest", lambda: "9999")
    answer = ask(house, "/readyz")
    assert answer.status_code == 503
    assert "another version" in answer.json()["says"][0]


@pytest.mark.slow
def test_the_numbers_are_those_of_the_installation(house, tmp_path, clock):
    rt = house.runtime
    add(rt, "ada@example.org", "adapters")
    add(rt, "bob@example.org", "robots")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters that forget less")])
    plan_daily(rt)
    watch_runs(rt)
    found = numbers(house)
    assert found["paperpost_ready"] == 1
    assert found["paperpost_readers[active]"] == 2
    assert found["paperpost_deliveries[ready]"] == 1
    assert found["paperpost_deliveries[skipped]"] == 1
    assert found["paperpost_deliveries_waiting[ready]"] == 1
    assert found["paperpost_papers"] == 1
    assert found["paperpost_sending_held"] == 0
    assert found["paperpost_clock_seen_timestamp_seconds"] == clock.at.timestamp()
    clock.go(hours=5)
    assert numbers(house)["paperpost_readers_overdue"] == 0
    assert numbers(house)["paperpost_oldest_waiting_seconds"] == 5 * 3600
    clock.go(days=1)
    assert numbers(house)["paperpost_readers_overdue"] == 2


@pytest.mark.parametrize("hour", [6, 9])  # before and after the reader's hour
def test_who_sends_by_cron_alone_is_not_told_of_a_clock(house, clock, hour):
    rt = house.runtime
    add(rt, "ada@example.org", "adapters")
    for day in (18, 19, 20, 23):
        clock.at = datetime(2026, 11, day, hour, tzinfo=UTC)
        plan_daily(rt)
        clock.at = datetime(2026, 11, day, 12, tzinfo=UTC)
        assert readiness.look(rt).says == ()
    clock.go(days=1)
    assert readiness.look(rt).says == ("mails are due and not planned",)


@pytest.mark.slow
def test_no_number_names_anybody(house, tmp_path):
    add(house.runtime, "ada@example.org", "adapters")
    text = ask(house, "/metrics").text + ask(house, "/readyz").text
    assert "@" not in text
    assert "ada" not in text
    assert "example" not in text


def test_only_this_machine_asks_where_there_is_no_token(house):
    assert ask(house, "/metrics").status_code == 200
    assert ask(house, "/metrics", peer="::1").status_code == 200
    assert ask(house, "/metrics", peer="192.0.2.7").status_code == 403
    # through a proxy on this machine everybody would be this machine
    for head in ("X_Forwarded_For", "Forwarded", "Via"):
        assert ask(house, "/metrics", **{head: "192.0.2.7"}).status_code == 403


@pytest.mark.slow
def test_a_token_opens_it_from_anywhere_and_nothing_else_does(house):
    for heads in ({}, {"Authorization": "Bearer other"}, {"Authorization": "Basic s3cret"}):
        answer = ask(house, "/metrics", token="s3cret", **heads)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    answer = ask(house, "/metrics", token="s3cret", peer="192.0.2.7", Authorization="Bearer s3cret")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.slow
def test_every_name_stands_in_the_docs_and_no_other(house, tmp_path, clock):
    rt = house.runtime
    add(rt, "ada@example.org", "adapters")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters that forget less")])
    watch_runs(rt)
    alarm = Alarm(kind="domain", key="x.example", what="w", place="p", next_step="n")
    rt.db.write(lambda s: raise_alarm(rt, s, alarm))

    async def work() -> None:
        from service.engine import Embedded

        rt.engine = engine = Embedded(rt)
        await engine.start()
        await engine.idle()
        await engine.stop()

    asyncio.run(work())
    shown = {name.partition("[")[0] for name in numbers(house)}
    ours = {name for name in shown if name.startswith("paperpost_")}
    told = set(re.findall(r"^\| `(paperpost_[a-z_]+)", DOCS.read_text("utf-8"), re.MULTILINE))
    assert told - ours == {"paperpost_source_answer_timestamp_seconds"}  # no source is asked here
    assert ours - told == set()


def test_the_alarm_comes_at_the_set_hour_and_ends_when_all_is_away(house, clock):
    from service.store import alarms as alarms_store

    rt = house.runtime
    add(rt, "ada@example.org", "adapters")
    clock.at = datetime(2026, 11, 18, 11, 30, tzinfo=UTC)  # due at 8, and nothing runs
    assert not watch_runs(rt).is_late
    assert rt.db.read(alarms_store.list_open) == []
    clock.at = NOON
    assert watch_runs(rt).is_late
    [alarm] = rt.db.read(alarms_store.list_open)
    assert "not all away at 12:00: 1 due and not planned" in alarm.what
    plan_due(rt)
    assert not watch_runs(rt).is_late
    assert rt.db.read(alarms_store.list_open) == []
    assert rt.db.read(lambda s: alarms_store.get_alarm(s, "run", "daily")).ended_at == NOON


def test_a_day_whose_mails_are_mostly_put_off_is_not_complete(house, tmp_path, clock):
    rt = house.runtime
    for n in range(5):
        add(rt, f"r{n}@example.org", "adapters")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters that forget less")])
    plan_daily(rt)
    clock.at = NOON

    def become(*states: str) -> tuple[int, int]:
        def act(session) -> None:
            for row, state in zip(rows(rt, "digest"), states, strict=True):
                found = session.get(DeliveryRow, row.id)
                found.state, found.not_before = state, NOON

        with by_hand():
            rt.db.write(act)
        left = watch_runs(rt).left
        return left.deferred, left.of

    assert become("deferred", "deferred", "deferred", "accepted", "skipped") == (3, 4)
    assert become("deferred", "deferred", "presumed", "accepted", "skipped") == (0, 0)


def test_what_waits_for_a_person_or_an_hour_is_not_the_oldest_waiting(house, tmp_path, clock):
    rt = house.runtime
    add(rt, "ada@example.org", "adapters")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters that forget less")])
    plan_daily(rt)
    begun = clock()
    clock.go(hours=1)
    assert rt.db.read(lambda s: runs.oldest_waiting(s, clock())) == begun

    def pause(session, is_paused: bool) -> None:
        for row in session.exec(select(EditionRow)):
            row.paused = is_paused

    with by_hand():
        rt.db.write(lambda s: pause(s, True))
    assert rt.db.read(lambda s: runs.oldest_waiting(s, clock())) is None
