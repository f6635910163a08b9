"""Weeks of a few readers by quarter hours, over the real flows and a real database: what they had
is held against a model that knows only what stood on their walls.

Things happen by chance (a seed): papers come, readers move, choose other hours and days, pause,
leave and undo it; the house is restarted, is down for hours or days, two schedulers tick at once,
the machine's clock runs ahead or back for a while.
"""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from support.house import Clock, add, ingest_items, open_house, paper_item
from support.meanwhile import at_once
from support.smtp_server import SmtpServer

from service.flows import manage
from service.flows.alerts import plan_alerts
from service.flows.clocks import set_clocks
from service.flows.daily import plan_due
from service.flows.leave import undo, unsubscribe
from service.flows.manage import Choices
from service.flows.manage_link import manage_token
from service.flows.runtime import Runtime
from service.flows.send import send_ready
from service.flows.watch import resume_planned
from service.store.deliveries import count_waiting, list_deliveries
from service.store.editions import list_editions
from service.store.subscribers import get_subscriber_row, list_due
from service.store.tables import DeliveryRow, SubscriberRow
from service.subscribers.model import DAYS

QUARTER = timedelta(minutes=15)
DAY = timedelta(days=1)
FOREVER = datetime(2100, 1, 1, tzinfo=UTC)
ZONES = (
    "Europe/Zurich", "Pacific/Auckland", "Pacific/Honolulu", "America/New_York", "America/Nuuk",
    "Africa/Casablanca", "Africa/Cairo", "Asia/Gaza", "Australia/Lord_Howe", "Antarctica/Troll",
    "America/Havana", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kolkata", "UTC",
)  # fmt: skip
WEEKS = (frozenset(range(5)), frozenset(range(7)), frozenset({0, 3}), frozenset({2}))


@dataclass(slots=True)
class Person:
    """A reader as the model knows them. floor: no mail is owed for dates before it · back_at: when
    who left undoes it."""

    id: int
    email: str
    zone: str
    hour: int
    days: frozenset[int]
    cadence: str
    floor: date
    pauses: list[tuple[date, date]] = field(default_factory=list)
    weeks: list[tuple[datetime, frozenset[int]]] = field(default_factory=list)
    zones: list[tuple[datetime, str]] = field(default_factory=list)
    moves: list[str] = field(default_factory=list)
    back_at: datetime | None = None

    def wall(self, at: datetime) -> datetime:
        return at.astimezone(ZoneInfo(self.zone))

    def newest(self, at: datetime) -> date | None:
        """The newest mail day whose hour the wall has reached."""
        wall = self.wall(at)
        day = wall.date() if wall.hour >= self.hour else wall.date() - DAY
        return next((d for n in range(8) if (d := day - n * DAY).weekday() in self.days), None)

    def wants(self, on: date, at: datetime) -> bool:
        """Whether a date was a mail day of theirs about then (the clock may have been ahead)."""
        pairs = zip(self.weeks, [*self.weeks[1:], (FOREVER, self.days)], strict=True)
        return any(
            on.weekday() in days
            for (begun, days), (ended, _) in pairs
            if begun - 1.1 * DAY <= at - 1.1 * DAY <= ended
        )

    def open_from(self, at: datetime) -> date:
        """The first mail day of which the model knows that it is still to come."""
        return next(d for n in range(9) if (d := self.floor + n * DAY).weekday() in self.days)


STARTS = tuple(
    datetime.fromisoformat(f"2026-{day}T00:00+00:00")
    for day in (
        "03-26",
        "10-22",
        "04-02",
        "02-12",
        "03-19",
        "04-21",
        "03-05",
        "10-27",
        "09-24",
        "10-01",
    )
)
"""Two days and more before clocks are changed somewhere: the Union, Troll, Gaza, Nuuk; Lord Howe
and Auckland; Casablanca; Cairo; America; and back."""


def one_life(
    seed: int, folder: Path, *, readers: int = 6, days: int = 7, after: int = 9
) -> tuple[Counter[str], list[str]]:
    """Weeks of some readers: (what happened, how often; what was wrong)."""
    with SmtpServer() as server:
        life = Life(seed, folder, server, STARTS[seed % len(STARTS)])
        try:
            life.open()
            life.move_in(readers)
            life.live(days)
            life.settle(after)
            return life.told(), life.judge()
        finally:
            life.close()


def papers_of(row: DeliveryRow) -> list[int]:
    """What a mail holds."""
    return list((row.content or {}).get("papers", ()))


class Life:
    """One seed's weeks. ``live`` goes through them, ``faults`` says what was wrong."""

    def __init__(self, seed: int, folder: Path, server: SmtpServer, start: datetime) -> None:
        self.dice = random.Random(seed)
        self.folder, self.server, self.start = folder, server, start
        self.clock = Clock(start)
        self.people: list[Person] = []
        self.papers: dict[str, datetime] = {}
        self.faults: list[str] = []
        self.stack = ExitStack()
        self.houses: list[Runtime] = []
        self.down_until = start
        self.ahead = timedelta()
        self.right_again = start
        self.wrong: list[tuple[datetime, datetime]] = []
        self.looked_for = start

    # ---- the house ----

    def open(self) -> None:
        """One process or two over the same database."""
        self.stack.close()
        self.stack = ExitStack()
        self.houses = [
            self.stack.enter_context(
                open_house(self.folder, smtp_port=self.server.port, clock=self.clock)
            ).runtime
            for _ in range(self.dice.choice((1, 1, 2)))
        ]
        for house in self.houses:
            house.log = lambda event, **facts: None

    @property
    def rt(self) -> Runtime:
        return self.houses[0]

    def move_in(self, count: int) -> None:
        """Readers begin, each with an hour and zone of their own."""
        for number in range(count):
            zone, hour = self.dice.choice(ZONES), self.dice.randrange(24)
            days = self.dice.choice(WEEKS)
            cadence = self.dice.choice(("daily", "daily", "daily", "weekly", "instant"))
            email = f"r{number}@example.org"
            cells = {"weekdays": ",".join(DAYS[d] for d in sorted(days)), "hour": str(hour)}
            reader = add(
                self.rt,
                email,
                "adapters",
                tz=zone,
                cadence=cadence,
                **cells,
            )
            person = Person(reader, email, zone, hour, days, cadence, date.min)
            self.begin(person)
            person.weeks.append((self.clock(), days))
            person.zones.append((self.clock(), zone))
            self.people.append(person)

    def begin(self, person: Person) -> None:
        wall = person.wall(self.clock())
        person.floor = wall.date() if wall.hour < person.hour else wall.date() + DAY

    # ---- what happens ----

    def live(self, days: int, *, wild: bool = True) -> None:
        """Tick by quarter hours; by hours where nothing else happens."""
        for _ in range(days * (96 if wild else 24)):
            self.clock.go(minutes=15 if wild else 60)
            if wild:
                self.chance()
            if self.clock() < self.down_until:
                continue
            self.tick()

    def chance(self) -> None:
        now = self.clock()
        is_up = now >= self.down_until
        if is_up and self.dice.random() < 0.06:
            self.publish()
        if is_up and self.dice.random() < 0.02:
            self.change(self.dice.choice(self.here()))
        if is_up and self.dice.random() < 0.006:
            self.pause(self.dice.choice(self.here()))
        if is_up and self.dice.random() < 0.01:
            self.leave(self.dice.choice(self.people))
        if is_up:
            self.come_back(now)
        if is_up and self.dice.random() < 0.004:
            self.down_until = now + self.dice.choice((3, 12, 80, 200)) * QUARTER
        if is_up and self.dice.random() < 0.006:
            self.open()
        if self.ahead and self.dice.random() < 0.3:
            self.clock.at -= self.ahead
            self.ahead = timedelta()
            for house in self.houses:
                set_clocks(house)  # the engine does within a minute
        elif not self.ahead and is_up and self.dice.random() < 0.003:
            self.ahead = timedelta(hours=self.dice.choice((1, 24, -1, -24)))
            self.clock.at += self.ahead
            self.right_again = max(self.right_again, self.clock(), self.clock() - self.ahead)
            self.right_again += DAY + timedelta(hours=3)
            self.wrong.append((now - 1.2 * DAY, self.right_again))

    def publish(self) -> None:
        number = len(self.papers) + 1
        self.papers[f"2611.{number:05d}"] = self.clock()
        self.looked_for = max(self.looked_for, self.clock() + timedelta(hours=14))
        ingest_items(self.rt, self.folder, [paper_item(number, f"Adapters, part {number}")])

    def change(self, person: Person) -> None:
        """Another zone, hour or week; what is owed by now stays owed, by the new wall."""
        now = self.clock()
        zone, hour, days = person.zone, person.hour, person.days
        match self.dice.randrange(3):
            case 0:
                zone = self.dice.choice(ZONES)
            case 1:
                hour = self.dice.randrange(24)
            case _:
                days = self.dice.choice(WEEKS)
        first = person.open_from(now)
        person.moves.append(f"{now:%d %H:%M} {zone} {hour} {sorted(days)}")
        token = manage_token(self.rt, self.row(person), now)
        manage.choose(self.rt, token, Choices(hour=hour, zone=zone, weekdays=days))
        person.zone, person.hour, person.days = zone, hour, days
        person.weeks.append((now, days))
        person.zones.append((now, zone))
        newest = person.newest(now)
        if newest is None or newest < first:  # nothing is owed: what the new wall says is to come
            self.begin(person)

    def pause(self, person: Person) -> None:
        today = person.wall(self.clock()).date()
        until = today + self.dice.randrange(1, 6) * DAY
        manage.pause(self.rt, manage_token(self.rt, self.row(person), self.clock()), until)
        person.pauses.append((today, until))
        person.moves.append(f"{self.clock():%d %H:%M} paused until {until}")

    def here(self) -> list[Person]:
        """Who has not left."""
        found = [person for person in self.people if person.back_at is None]
        return found or self.people[:1]

    def leave(self, person: Person) -> None:
        """Leave everything, for an hour or for days; not the last who is here."""
        if person.back_at is not None or self.here() == [person]:
            return
        unsubscribe(self.rt, self.row(person).unsubscribe_token)
        person.back_at = self.clock() + self.dice.choice((1, 8, 60, 250)) * QUARTER
        person.moves.append(f"{self.clock():%d %H:%M} left")

    def come_back(self, now: datetime) -> None:
        """Undo leaving: the date that it is has its mail, those that went by have none."""
        for person in self.people:
            if person.back_at is None or now < person.back_at:
                continue
            assert undo(self.rt, self.row(person).unsubscribe_token)
            person.back_at = None
            person.floor = max(person.floor, person.wall(self.clock()).date())
            person.moves.append(f"{self.clock():%d %H:%M} back")

    def row(self, person: Person) -> SubscriberRow:
        row = self.rt.db.read(lambda s: get_subscriber_row(s, id=person.id))
        assert row is not None
        return row

    def tick(self) -> None:
        now = self.clock()
        if now < self.looked_for:
            plan_alerts(self.dice.choice(self.houses))
        if not self.rt.db.read(lambda s: list_due(s, now, 1)):
            self.send()
            self.look(now, planned=False)
            return
        if len(self.houses) > 1:
            self.faults += [repr(f) for f in at_once(*(partial(plan_due, h) for h in self.houses))]
        else:
            plan_due(self.rt)
        resume_planned(self.rt)
        self.send()
        self.look(now, planned=True)

    def send(self) -> None:
        if self.rt.db.read(count_waiting):
            asyncio.run(send_ready(self.rt))

    # ---- what is held against the walls ----

    def look(self, now: datetime, *, planned: bool) -> None:
        """Who is owed a mail has a row by now."""
        if self.ahead or now < self.right_again:
            return
        rows = self.slots() if planned or any(self.owed(p, now) for p in self.people) else {}
        for person in self.people:
            day = self.owed(person, now)
            if day is None:
                continue
            if day not in rows.get(person.id, ()):
                self.faults.append(f"{person.email} has no row of {day} at {now}: {person.moves}")
            person.floor = day + DAY

    def owed(self, person: Person, now: datetime) -> date | None:
        day = person.newest(now)
        is_here = person.back_at is None
        return day if is_here and day is not None and day >= person.floor else None

    def slots(self) -> dict[int, Counter[date]]:
        """Per reader the dates of their digest rows, and how many of each."""
        found: dict[int, Counter[date]] = defaultdict(Counter)
        for on, row in self.rows():
            found[row.subscriber_id][on] += 1
        return found

    def rows(self) -> Iterator[tuple[date, DeliveryRow]]:
        editions = {e.id: e for e in self.rt.db.read(list_editions) if e.kind == "digest"}
        for row in self.rt.db.read(list_deliveries):
            if row.edition_id in editions:
                yield date.fromisoformat(editions[row.edition_id].slot), row

    def alerts(self, person: Person) -> list[DeliveryRow]:
        """Those that went, in order."""
        rows = self.rt.db.read(lambda s: list_deliveries(s, subscriber_id=person.id))
        return [row for row in rows if row.kind == "alert" and row.state == "accepted"]

    def judge_alerts(self, person: Person) -> Iterator[str]:
        """At most four on a date of the reader's wall, a quarter apart, none at night."""
        a_day: Counter[date] = Counter()
        before = self.start - DAY
        for row in self.alerts(person):
            at = row.accepted_at or row.planned_at
            if any(begun <= at <= ended for begun, ended in self.wrong):
                continue
            zone = next(z for since, z in reversed(person.zones) if since <= at)
            wall = at.astimezone(ZoneInfo(zone))
            a_day[wall.date()] += 1
            if at - before < QUARTER:
                yield f"{person.email} has alerts at {before} and {at}"
            if wall.hour >= 21 or wall.hour < 7:
                yield f"{person.email} has an alert at {wall}: {person.moves}"
            before = at
        if len({zone for _, zone in person.zones}) == 1:
            yield from (f"{person.email}: {n} alerts on {on}" for on, n in a_day.items() if n > 4)

    def settle(self, days: int) -> None:
        """Everybody back to a mail each day, nothing more happens, all papers arrive."""
        if self.ahead:
            self.clock.at -= self.ahead
            self.ahead = timedelta()
        self.clock.at = max(self.clock(), self.down_until)
        self.open()
        for house in self.houses:
            set_clocks(house)
        self.come_back(FOREVER)
        self.live(days, wild=False)

    def judge(self) -> list[str]:
        """All that was wrong."""
        for reader, dates in self.slots().items():
            self.faults += [f"{reader}: {n} rows of {on}" for on, n in dates.items() if n > 1]
        had: Counter[tuple[int | None, int]] = Counter()
        for on, row in self.rows():
            if row.state in ("planned", "ready", "leased", "sending", "unknown", "failed"):
                self.faults.append(f"{row.subscriber_id} {on}: {row.state} {row.reason}")
            if row.state == "skipped" and not row.reason:
                self.faults.append(f"{row.subscriber_id} {on}: skipped for no reason")
            if row.state == "accepted":
                had.update((row.subscriber_id, n) for n in papers_of(row))
        for person in self.people:
            self.faults += self.judge_alerts(person)
            had.update((person.id, n) for row in self.alerts(person) for n in papers_of(row))
            self.faults += [
                f"{person.email} has a row of {on}, no mail day: {person.moves}"
                for on, row in self.rows()
                if row.subscriber_id == person.id and not person.wants(on, row.planned_at)
            ]
        self.faults += [f"{key} rode {n} times" for key, n in had.items() if n > 1]
        for person in self.people:
            left = self.left_to_pages(person)
            for number, (name, at) in enumerate(self.papers.items(), 1):
                if not had[person.id, number] and not any(a <= at.date() < b for a, b in left):
                    self.faults.append(
                        f"{person.email} never had {name} of {at:%a %d %H:%M} "
                        f"({person.cadence}, {person.zone}, {person.hour}, "
                        f"{sorted(person.days)}): {person.moves}"
                    )
        sent = Counter((m.recipient, m.message_id) for m in self.server.accepted)
        self.faults += [f"{key} was mailed {n} times" for key, n in sent.items() if n > 1]
        return self.faults

    def left_to_pages(self, person: Person) -> list[tuple[date, date]]:
        """Days whose papers no mail is bound to hold: after a pause it holds the last seven, and
        says where the rest is."""
        days = sorted(
            on
            for on, row in self.rows()
            if row.subscriber_id == person.id and row.reason != "paused"
        )
        found = []
        for begun, until in person.pauses:
            back = next((on for on in days if on >= until), date.max)
            found.append((begun - 8 * DAY, back - 6 * DAY))
        return found

    def told(self) -> Counter[str]:
        """How much happened, for a campaign that says what it did."""
        told: Counter[str] = Counter(papers=len(self.papers), readers=len(self.people))
        for _, row in self.rows():
            told["dates"] += 1
            told[f"rows {row.state}"] += 1
        told["alerts"] = sum(len(self.alerts(person)) for person in self.people)
        told["moves"] = sum(len(person.moves) for person in self.people)
        told["left and back"] = sum(m.endswith("back") for p in self.people for m in p.moves)
        return told

    def close(self) -> None:
        self.stack.close()
