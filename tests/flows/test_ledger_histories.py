"""Random histories of the ledger, against a model of what the relay took.

Two senders, a relay that takes a body or not, answers or not, its log, deaths, sweeps, readers who
leave, editions that pause or are cancelled, a restored backup, staff. Whatever happens in whatever
order: every step is an arrow of the table, no digest is taken twice, what counts as accepted was
taken, every paper was sent or is carried, and the edition balances in the end. More of them:
``PAPERPOST_TEST_HISTORIES=2000 .venv/bin/pytest tests/flows/test_ledger_histories.py``.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlmodel import select
from support.house import Clock, add, open_house

from service.delivery.relay_log import Proof
from service.delivery.states import ARROWS, FINAL, OPEN, State
from service.flows.planning import plan_row
from service.flows.reconcile import apply_proofs, reconcile
from service.flows.runtime import Runtime
from service.flows.settle import balance
from service.store import contents, deliveries, editions, leases, restored
from service.store.claims import claim
from service.store.sent import list_carried, list_sent
from service.store.subscribers import set_state
from service.store.tables import DeliveryRow, EditionRow, PaperRow
from service.store.wire import Mark, mark_sending

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
MAILS = 3
SENDERS = ("a", "b")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["claim", "claim", "mark", "mark", "take", "take", "answer", "answer", "later", "die",
             *["try"] * 6, *["line"] * 4, "sweep", "write", "log", "leave", "pause", "resume",
             "cancel", "restore", "expire", "wait"]
        ),
        st.integers(0, 11),
    ),
    min_size=4,
    max_size=40,
)  # fmt: skip


@dataclass
class Held:
    """A lease that a sender believes in. marked: it may send; took: the relay has the body;
    said: what the relay answers, None = the connection broke."""

    row: DeliveryRow
    sender: str
    marked: bool = False
    took: bool = False
    over: bool = False


@dataclass
class World:
    rt: Runtime
    owners: dict[str, int]
    edition: EditionRow
    readers: list[int]
    held: list[Held] = field(default_factory=list)
    taken: dict[int, int] = field(default_factory=dict)
    refused: set[int] = field(default_factory=set)
    unwritten: list[Proof] = field(default_factory=list)
    log: list[Proof] = field(default_factory=list)
    seen: dict[int, str] = field(default_factory=dict)

    def rows(self) -> dict[int, DeliveryRow]:
        found = self.rt.db.read(lambda s: deliveries.list_deliveries(s, edition_id=self.edition.id))
        return {row.id or 0: row for row in found}


@pytest.fixture(scope="module")
def house() -> Iterator[tuple[Runtime, dict[str, int]]]:
    with (
        TemporaryDirectory() as folder,
        open_house(Path(folder), clock=Clock()) as one,
        open_house(Path(folder), clock=one.runtime.clock) as two,  # type: ignore[arg-type]
    ):
        owners = {"a": one.runtime.owner().id, "b": two.runtime.owner().id}
        yield one.runtime, owners


COUNT = iter(range(1, 10**9))


def begin(rt: Runtime, owners: dict[str, int]) -> World:
    """A frozen edition of three mails to three new readers, a paper each."""
    n = next(COUNT)
    readers = [add(rt, f"r{n}-{i}@example.org", "adapters") for i in range(MAILS)]

    def plan(session: Any) -> EditionRow:
        edition, _ = editions.add_edition(session, kind="manual", slot=f"h{n}", now=rt.clock())
        for place, reader in enumerate(readers):
            paper = PaperRow(title=f"P{n}-{place}", first_seen_at=rt.clock())
            session.add(paper)
            session.flush()
            (held,) = contents.put(session, [{"papers": [paper.id], "digest": {}}])
            plan_row(
                rt, session, edition, recipient_key=f"r{n}-{place}@example.org",
                rcpt=f"r{n}-{place}@example.org", kind="manual", now=rt.clock(),
                deadline=timedelta(days=2), state=State.READY, subscriber_id=reader,
                **held,
            )  # fmt: skip
        editions.set_edition(session, edition.id or 0, planned=MAILS)
        session.flush()
        session.expunge_all()
        return edition

    return World(rt, owners, rt.db.write(plan), readers)


def do_claim(world: World, n: int) -> None:
    sender = SENDERS[n % 2]
    rows = world.rt.db.write(
        lambda s: claim(
            s, owner=world.owners[sender], now=world.rt.clock(), limit=1 + n % 3,
            edition_ids=[world.edition.id or 0],
        )
    )  # fmt: skip
    world.held += [Held(row, sender) for row in rows]


def _pick(world: World, n: int, which: Callable[[Held], bool]) -> Held | None:
    fitting = [one for one in world.held if not one.over and which(one)]
    return fitting[n % len(fitting)] if fitting else None


def do_mark(world: World, n: int) -> None:
    if (one := _pick(world, n, lambda x: not x.marked)) is not None:
        _mark(world, one)


def _mark(world: World, one: Held) -> None:
    mark = Mark(one.row.id or 0, one.row.fence, "-", "")
    owner = world.owners[one.sender]
    one.marked = bool(
        world.rt.db.write(lambda s: mark_sending(s, [mark], owner=owner, now=world.rt.clock()))
    )
    one.over = not one.marked


def do_take(world: World, n: int) -> None:
    """The body comes to the relay, which keeps it or refuses it, and logs so."""
    if (one := _pick(world, n, lambda x: x.marked and not x.took)) is not None:
        _take(world, one, keeps=n % 4 > 0)


def _take(world: World, one: Held, *, keeps: bool) -> None:
    one.took = True
    number, message_id = one.row.id or 0, one.row.message_id
    if keeps:
        world.taken[number] = world.taken.get(number, 0) + 1
        world.unwritten.append(Proof(message_id, "taken", "q", "queued"))
    else:
        world.refused.add(number)
        world.unwritten.append(Proof(message_id, "refused", "q", "no"))


def do_answer(world: World, n: int) -> None:
    """The sender hears the relay's answer, or that the connection broke after the dot."""
    if (one := _pick(world, n, lambda x: x.took)) is None:
        return
    one.over = True
    kept = world.taken.get(one.row.id or 0, 0) > 0
    state = State.UNKNOWN if n % 3 == 0 else State.ACCEPTED if kept else State.DEFERRED
    if state is State.DEFERRED and n % 2:
        state = State.FAILED
    _answered(world, one, state)


TRIES = [
    *[(False, State.DEFERRED)] * 6,
    *[(True, State.UNKNOWN)] * 4,
    (True, State.ACCEPTED),
    (False, State.UNKNOWN),
]
"""Whether the relay keeps a mail, and what is heard of it."""


def do_try(world: World, n: int) -> None:
    """One mail all the way, so that a history has room for its second and third try."""
    was = len(world.held)
    do_claim(world, 3 * (n % 2))  # one mail, for either sender
    for one in world.held[was:]:
        _mark(world, one)
        if one.marked:
            keeps, state = TRIES[n]
            _take(world, one, keeps=keeps)
            one.over = True
            _answered(world, one, state)


def do_later(world: World, n: int) -> None:
    """An answer before the mark: refused for now."""
    if (one := _pick(world, n, lambda x: not x.marked)) is None:
        return
    one.over = True
    _answered(world, one, State.DEFERRED)


def _answered(world: World, one: Held, state: State) -> None:
    now = world.rt.clock()
    waits = {"not_before": now} if state is State.DEFERRED else {}
    world.rt.db.write(lambda s: leases.mark_outcome(s, one.row, state, now, **waits))


def do_die(world: World, n: int) -> None:
    """A sender dies; what it held is given back. What the relay has is not undone."""
    sender = SENDERS[n % 2]
    world.held = [one for one in world.held if one.sender != sender]
    world.rt.db.write(lambda s: leases.release(s, [world.owners[sender]]))


def do_sweep(world: World, _: int) -> None:
    reconcile(world.rt)


def do_write(world: World, n: int) -> None:
    """The relay's lines come to its log late, in their order."""
    world.log += world.unwritten[: 1 + n % 2]
    del world.unwritten[: 1 + n % 2]


def do_log(world: World, _: int) -> None:
    lines, world.log = world.log, []
    waits = world.rt.db.write(lambda s: apply_proofs(world.rt, s, lines)).waits
    world.log = [*waits, *world.log]


def do_line(world: World, _: int) -> None:
    """The next line comes, and is read."""
    do_write(world, 0)
    do_log(world, 0)


def do_leave(world: World, n: int) -> None:
    reader = world.readers[n % MAILS]

    def act(session: Any) -> None:
        set_state(session, reader, "left", only="active")
        leases.stop_open(session, State.SUPPRESSED, "left", subscriber_id=reader)

    world.rt.db.write(act)


def do_pause(world: World, _: int) -> None:
    world.rt.db.write(lambda s: editions.set_edition(s, world.edition.id or 0, paused=True))


def do_resume(world: World, _: int) -> None:
    world.rt.db.write(lambda s: editions.set_edition(s, world.edition.id or 0, paused=False))


def do_cancel(world: World, n: int) -> None:
    if n > 1:
        return  # rarely

    def act(session: Any) -> None:
        leases.stop_open(session, State.CANCELLED, "cancelled", edition_id=world.edition.id)
        editions.set_edition(session, world.edition.id or 0, state="cancelled")

    world.rt.db.write(act)


def do_restore(world: World, n: int) -> None:
    """What waits may have gone: nobody who was at work goes on."""
    if n > 2:
        return  # rarely
    world.held = []
    world.rt.db.write(lambda s: restored.doubt_open(s, world.rt.clock()))


def do_expire(world: World, n: int) -> None:
    """The deadline of one mail passes."""
    rows = list(world.rows().values())
    row = rows[n % len(rows)]
    if row.state in OPEN and row.state != State.LEASED:
        world.rt.db.write(lambda s: leases.mark_expired(s, row, world.rt.clock(), "deadline"))


def do_wait(world: World, _: int) -> None:
    world.rt.clock.go(minutes=11)  # type: ignore[attr-defined]


STEP = {name.removeprefix("do_"): act for name, act in list(globals().items())
        if name.startswith("do_")}  # fmt: skip


def look(world: World) -> None:
    """After each step."""
    for number, row in world.rows().items():
        before, now = world.seen.get(number, "ready"), row.state
        assert now == before or _leads(State(before), State(now)), f"{before} > {now}"
        world.seen[number] = now
        assert world.taken.get(number, 0) <= 1, "taken twice"
        if now == State.ACCEPTED:
            assert world.taken.get(number) == 1, "accepted, and never taken"
        reader, papers = row.subscriber_id or 0, set((row.content or {})["papers"])
        sent = world.rt.db.read(lambda s, r=reader: list_sent(s, [r])).get(reader, set())
        carried = world.rt.db.read(lambda s, r=reader: list_carried(s, [r])).get(reader, {})
        assert (sent == papers) == (now == State.ACCEPTED)
        is_carried = now in (State.FAILED, State.EXPIRED, State.PRESUMED)
        assert (set(carried) == papers) == is_carried
        if is_carried:
            assert set(carried.values()) == {now == State.PRESUMED}


def _leads(old: State, new: State) -> bool:
    """By one arrow, or by several of one step (an expiry of what was refused for now)."""
    return new in ARROWS[old] or any(new in ARROWS[mid] for mid in ARROWS[old])


def end(world: World) -> None:
    """Everybody goes home: the edition balances, or waits for its cancelled rows."""
    for sender in SENDERS:
        do_die(world, SENDERS.index(sender))
    world.log += world.unwritten
    do_log(world, 0)
    do_resume(world, 0)
    world.rt.clock.go(days=3)  # type: ignore[attr-defined]
    do_sweep(world, 0)
    for row in world.rows().values():
        world.rt.db.write(lambda s, r=row: leases.mark_expired(s, r, world.rt.clock(), "deadline"))
    look(world)
    assert {State(row.state) for row in world.rows().values()} <= FINAL

    def counted(session: Any) -> int:
        edition = session.exec(select(EditionRow).where(EditionRow.id == world.edition.id)).one()
        return balance(session, edition).missing

    assert world.rt.db.read(counted) == 0


LATE_LINE = [
    ("claim", 2), ("mark", 0), ("take", 0), ("write", 0), ("answer", 4),
    ("claim", 2), ("mark", 2), ("take", 1), ("answer", 0), ("log", 0),
    ("claim", 2), ("mark", 2), ("take", 1),
]  # fmt: skip
"""A try is refused, the next one taken; of both, the log shows the refusal alone as yet."""


@example(steps=LATE_LINE)
@given(steps=STEPS)
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
    max_examples=int(os.environ.get("PAPERPOST_TEST_HISTORIES") or 20),
)
def test_every_history_keeps_the_promise(house, steps):
    world = begin(*house)
    for name, n in steps:
        STEP[name](world, n)
        look(world)
    end(world)


def test_the_look_finds_a_mail_that_was_taken_twice(house):
    """The oracle can fail."""
    world = begin(*house)
    for name, n in (("claim", 0), ("mark", 0), ("take", 1)):
        STEP[name](world, n)
    number = next(iter(world.taken))
    world.rt.db.write(lambda s: s.execute(sa.update(DeliveryRow).values(fence=9)))
    world.taken[number] += 1
    with pytest.raises(AssertionError, match="taken twice"):
        look(world)
