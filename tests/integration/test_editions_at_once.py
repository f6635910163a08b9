"""Two processes on one edition at the same moment, on PostgreSQL: who cancels, who plans, who takes
its balance. (SQLite has one writer.)"""

import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from support.house import Clock, add, open_house

from service.flows import drafts, editions, manual, settle
from service.flows.planning import digest_edition, plan_readers
from service.flows.reconcile import resolve
from service.flows.runtime import Runtime
from service.flows.settle import settle_editions
from service.store.db import Priority
from service.store.deliveries import list_deliveries
from service.store.edition_lists import states_of
from service.store.editions import get_edition, list_editions
from service.store.subscribers import list_subscriber_rows
from service.store.tables import DeliveryRow

pytestmark = pytest.mark.postgres


@pytest.fixture
def houses(tmp_path: Path, postgres_url: str) -> Iterator[tuple[Runtime, Runtime]]:
    clock = Clock()
    with (
        open_house(tmp_path, database_url=postgres_url, clock=clock) as one,
        open_house(tmp_path, database_url=postgres_url, clock=clock) as two,
    ):
        for name in ("ada", "ben"):
            add(one.runtime, f"{name}@example.org", "adapters")
        yield one.runtime, two.runtime


def plan(rt: Runtime, email: str, then: Any = lambda: None) -> None:
    """The daily of one reader. then: between the read of its edition and what is planned of it."""

    def work(session: Any) -> None:
        now = rt.clock()
        edition = digest_edition(session, now.date(), now)
        (reader,) = [r for r in list_subscriber_rows(session) if r.email == email]
        then()
        wait = timedelta(hours=20)
        plan_readers(rt, session, edition, [reader], kind="digest", now=now, deadline=wait)

    rt.db.write(work, Priority.MAIL)


def states(rt: Runtime) -> list[tuple[str, str]]:
    rows = rt.db.read(list_deliveries)
    return sorted((row.recipient_key, row.state) for row in rows)


def test_who_is_planned_while_it_is_cancelled_is_cancelled(
    houses: tuple[Runtime, Runtime],
) -> None:
    one, two = houses
    plan(one, "ada@example.org")
    plan(one, "ben@example.org", then=lambda: editions.cancel(two, 1, "mia"))
    assert states(one) == [("ada@example.org", "cancelled"), ("ben@example.org", "cancelled")]
    found = one.db.read(lambda s: editions.details(s, 1))
    assert (found["missing"], found["uneven"]) == (0, "")


@pytest.mark.parametrize("at", [1, 3])
@pytest.mark.parametrize("how", ["cancelled while", "planned while"])
def test_its_balance_is_that_of_its_rows(
    houses: tuple[Runtime, Runtime], how: str, at: int
) -> None:
    """at: after which count of its rows the other process comes in."""
    one, two = houses
    plan(one, "ada@example.org")
    one.db.write(lambda s: editions.leases_store.stop_open(s, "skipped", "nothing_new"))
    one.clock.go(days=3)  # type: ignore[attr-defined]
    edition = one.db.read(list_editions)[0]
    real, counts = editions.balance, iter(range(1, 100))
    others: list[threading.Thread] = []

    def act() -> None:
        if how == "cancelled while":
            with suppress(editions.EditionError):  # it is done by then
                editions.cancel(two, 1, "mia")
            return
        two.clock = lambda: edition.opened_at  # a clock that is behind
        plan(two, "ben@example.org")

    def counted(session: Any, row: Any) -> Any:
        made = real(session, row)
        if next(counts) == at:
            others.append(threading.Thread(target=act))
            others[0].start()
            others[0].join(0.5)
        return made

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(settle, "balance", counted)
        settle_editions(one)
    others[0].join(20)
    found = one.db.read(lambda s: get_edition(s, id=1))
    if how == "cancelled while":
        assert (found.state, found.planned) == (("cancelled", None) if at == 1 else ("done", 1))
    else:
        assert (found.state, found.planned) == ("closing" if at == 1 else "open", None)


@pytest.mark.parametrize("at", [1, 3])
def test_a_mail_that_proves_to_have_come_while_its_edition_is_closed_is_counted_once(
    houses: tuple[Runtime, Runtime], at: int
) -> None:
    one, two = houses
    plan(one, "ada@example.org")
    for state in ("ready", "leased", "sending", "unknown", "presumed"):
        change = sa.update(DeliveryRow).values(state=state)
        one.db.write(lambda s, change=change: s.execute(change))
    number = one.db.read(list_deliveries)[0].id or 0
    one.clock.go(days=3)  # type: ignore[attr-defined]
    real, counts = settle.balance, iter(range(1, 100))

    def counted(session: Any, row: Any) -> Any:
        made = real(session, row)
        if next(counts) == at:
            resolve(two, number, "accepted", by="mia")
        return made

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(settle, "balance", counted)
        assert settle_editions(one) == 1
    edition = one.db.read(list_editions)[0]
    shown = one.db.read(lambda s: states_of(s, [edition]))[1]
    assert {name: n for name, n in shown.items() if n} == {"accepted": 1}


def test_words_that_are_kept_while_their_send_begins_leave_it_whole(
    houses: tuple[Runtime, Runtime], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = houses
    said = {"kind": "newsletter", "key": "k", "created_by": "mia"}
    letter = manual.draft(one, **said, subject="News", body="We open on Sunday.")
    drafts.keep(one, letter, {})
    other = threading.Thread(target=lambda: manual.start(two, letter, expected=2))
    look = drafts.editions_store.add_edition

    def slow(session: Any, **values: Any) -> Any:
        found = look(session, **values)
        if values["kind"] == "draft" and not other.ident:
            other.start()
            other.join(2)
        return found

    with monkeypatch.context() as patched:
        patched.setattr(drafts.editions_store, "add_edition", slow)
        drafts.keep(one, manual.draft(one, **said, subject="More", body="And on Monday."), {})
    other.join(20)
    edition = one.db.read(list_editions)[0]
    assert (edition.title, edition.planned) == ("News", 2)
    assert edition.options["body"] == "We open on Sunday."
