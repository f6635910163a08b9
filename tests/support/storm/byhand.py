"""Sends by hand, killed before or after each write to the database: a newsletter for an instant,
one at each reader's own hour, and one whose first few go alone, is paused, resumed and let go.

Time is a file that only goes on, so that whoever is started after a kill goes on where the other
one stood; who finds no edition presses again, with the same key, as a person would. All else is
completed by itself. Nothing of the product says what came: the relay's log does.
"""

import asyncio
import json
import os
import signal
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from support.house import START, Clock, open_house
from support.storm.book import Tally
from support.storm.checker import taken
from support.storm.ground import Ground, Template, relay, template
from support.storm.nursery import BY_HAND, Nursery, nursery
from support.storm.points import Point

from service.flows import canary, editions, frozen, manual, timing
from service.flows.reconcile import resolve
from service.flows.runtime import Runtime
from service.flows.send import send_ready
from service.flows.settle import settle_editions
from service.flows.sweep import sweep
from service.store import editions as editions_store
from service.store import instance as instance_store
from service.store.deliveries import list_deliveries
from service.store.half_planned import INTENT
from service.store.tables import EditionRow

KEY = "storm"
READERS, FIRST, PART = 25, 5, 5
"""Readers, those of them who go first, and how many are planned at a time."""

AT = START + timedelta(hours=3)

_HOURS = [START + timedelta(hours=n) for n in range(1, 26, 4)]
"""The hours of the readers, and one more."""
_SOON = [START, START + timedelta(minutes=1), START + timedelta(minutes=3)]
TIMES: Mapping[str, Sequence[datetime]] = {
    "at": [*_SOON, AT, AT + timedelta(minutes=1)],
    "own": [*_SOON, *_HOURS],
    "canary": [*_SOON, *(START + timedelta(minutes=n) for n in range(4, 9))],
}
"""When somebody looks what is to be done, by kind."""


def laid(folder: Path, cluster: Any) -> Template:
    """Readers with six hours over the day."""
    made = template(folder, cluster, readers=READERS, settings={"smtp_connections": "4"})
    with open_house(made.folder, database_url=made.url) as house:

        def spread(session: Any) -> None:
            first = _HOURS[0].hour
            session.execute(sa.text(f"UPDATE subscriber SET hour = ({first} + 4 * (id % 6)) % 24"))
            instance_store.set_setting(session, "canary", str(FIRST))

        house.db.write(spread)
    return made


def _plan(rt: Runtime, kind: str) -> manual.Plan:
    plan = manual.draft(
        rt, kind="newsletter", subject="News of the library", body="We open on Sunday.", key=KEY
    )
    if kind == "at":
        return replace(plan, at=AT)
    return replace(plan, own_hour=True) if kind == "own" else replace(plan, canary=True)


def _edition(rt: Runtime) -> EditionRow | None:
    return rt.db.read(lambda s: editions_store.get_edition(s, kind="newsletter", slot=KEY))


def _tick(rt: Runtime, kind: str) -> None:
    """What the engine does in its own time, and a person with the first few."""
    sweep(rt)
    manual.complete_left(rt)
    asyncio.run(send_ready(rt))
    settle_editions(rt)
    edition = _edition(rt)
    if kind != "canary" or edition is None or edition.id is None:
        return
    number, now = edition.id, rt.clock()
    found = rt.db.read(lambda s: canary.look(s, edition, now))
    if found is not None and found.is_over and not edition.paused:
        editions.pause(rt, number, "mia")
    elif found is not None and found.is_over:
        editions.resume(rt, number, "mia")
        canary.go_on(rt, number, by="mia")


class _Struck:
    """Kills this process before its n-th write, or after it. point: 2n - 1, or 2n."""

    def __init__(self, db: Any, point: int) -> None:
        self.made, self._point = 0, point
        self._write, self._awrite = db.write, db.awrite
        db.write, db.awrite = self.write, self.awrite

    def _at(self, point: int) -> None:
        if point == self._point:
            os.kill(os.getpid(), signal.SIGKILL)

    def write(self, *words: Any, **more: Any) -> Any:
        self.made += 1
        mine = self.made
        self._at(2 * mine - 1)
        said = self._write(*words, **more)
        self._at(2 * mine)
        return said

    async def awrite(self, *words: Any, **more: Any) -> Any:
        self.made += 1
        mine = self.made
        self._at(2 * mine - 1)
        said = await self._awrite(*words, **more)
        self._at(2 * mine)
        return said


def live(kind: str, folder: str, url: str, port: str, point: str) -> None:
    """A life of the process, from where the file of the time stands; in the child."""
    frozen.CHUNK = PART
    stand = Path(folder) / "stand"
    begun = datetime.fromisoformat(stand.read_text()) if stand.exists() else START
    clock = Clock(begun)
    with open_house(Path(folder), smtp_port=int(port), database_url=url, clock=clock) as house:
        struck = _Struck(house.db, int(point))
        rt = house.runtime
        if _edition(rt) is None:
            manual.start(rt, _plan(rt, kind), expected=READERS)
        for at in TIMES[kind]:
            if at < begun:
                continue
            clock.at = at
            stand.write_text(at.isoformat())
            _tick(rt, kind)
        print(json.dumps({"writes": struck.made}))


def _lived(nest: Nursery, ground: Ground, kind: str, point: int) -> tuple[int, int]:
    """One life: what it ended with, and the writes it said it made."""
    words = (BY_HAND, kind, str(ground.data), ground.url, str(ground.port), str(point))
    child = nest.start(words, ground.environment, ground.errors)
    ground.children.append(child)
    said, _ = child.communicate(timeout=300)
    last = said.strip().splitlines()[-1:] if child.returncode == 0 else []
    return child.returncode or 0, json.loads(last[0])["writes"] if last else 0


def calls(folder: Path, cluster: Any, kinds: Sequence[str]) -> dict[str, int]:
    """Points of each kind: two for each write of a life that nobody disturbs."""
    made, found = laid(folder / "laid", cluster), {}
    with nursery() as nest:
        for kind in kinds:
            log = folder / f"{kind}.jsonl"
            with relay(log) as (port, _), made.copy(folder / kind, port, log, nest) as ground:
                ended, writes = _lived(nest, ground, kind, 0)
                assert ended == 0, ground.errors.read_text()[-2000:]
                found[kind] = 2 * writes
    return found


def hit(nest: Nursery, made: Template, folder: Path, point: Point, tally: Tally) -> None:
    """One send that is killed at a point and goes on in another process; what came of it."""
    log = folder / f"{point.name}{point.n}.jsonl"
    with relay(log) as (port, _), made.copy(folder / log.stem, port, log, nest) as ground:
        ended, _ = _lived(nest, ground, point.name, point.n)
        before = len(taken(ground.events()))
        tally.count(points=1, killed=ended == -signal.SIGKILL, in_the_middle=0 < before < READERS)
        if ended not in (0, -signal.SIGKILL):
            tally.breach(f"{point}: ended with {ended}: " + ground.errors.read_text()[-800:])
        again, _ = _lived(nest, ground, point.name, 0)
        if again != 0:
            tally.breach(f"{point}: then ended with {again}: " + ground.errors.read_text()[-800:])
        broken = _judge(ground, point.name, tally)
        tally.breach(*(f"{point}: {case}" for case in broken))
    if not broken:
        log.unlink()


def _judge(ground: Ground, kind: str, tally: Tally) -> list[str]:
    """What did not hold. A newsletter in doubt waits for a person, who is told by the log here."""
    clock = Clock(TIMES[kind][-1] + timedelta(hours=1))
    with open_house(
        ground.data, smtp_port=ground.port, database_url=ground.url, clock=clock
    ) as house:
        rt = house.runtime
        _tick(rt, kind)
        edition = _edition(rt)
        if edition is None or edition.id is None:
            return ["there is no edition"]
        number = edition.id
        got = {one["id"] for one in taken(ground.events())}
        rows = rt.db.read(lambda s: list_deliveries(s, edition_id=number))
        held = [row for row in rows if row.state == "unknown"]
        shown = rt.db.read(lambda s: editions.details(s, number))
        wrong = [
            f"{row.rcpt} is {row.state}"
            for row in rows
            if row.state not in ("accepted", "unknown")
            or (row.state == "accepted") != (row.message_id in got and row not in held)
        ]
        if shown["missing"] != len(held):
            wrong.append(f"{shown['missing']} missing, {len(held)} held: {shown['state']}")
        wrong += _too_early(rt, kind, number)
        for row in held:
            said = "accepted" if row.message_id in got else "ready"
            resolve(rt, row.id or 0, said, by="mia")
        _tick(rt, kind)
        shown = rt.db.read(lambda s: editions.details(s, number))
        fine = {"state": "done", "planned": READERS, "missing": 0, "accepted": READERS}
        fine["equation"] = f"{READERS} readers = {READERS} mails"
        wrong += [f"{name} is {shown[name]!r}" for name in fine if shown[name] != fine[name]]
        if INTENT in (_edition(rt) or edition).options:
            wrong.append("what was asked for is still kept")
    mails = [one for one in taken(ground.events()) if one["to"] in ground.plan.readers]
    times = Counter(one["to"] for one in mails)
    lost = [who for who in ground.plan.readers if not times[who]]
    doubled = [who for who, n in times.items() if n > 1]
    arrived = sum(row.message_id in got for row in held)
    tally.count(
        mails=len(mails), lost=len(lost), doubled=len(doubled), held=len(held),
        held_had_arrived=arrived, resolved=len(held),
    )  # fmt: skip
    return [*wrong[:5], *(f"lost: {who}" for who in lost[:3]), *(f"doubled: {x}" for x in doubled)]


def _too_early(rt: Runtime, kind: str, number: int) -> list[str]:
    """Mails that went before their time."""
    rows = rt.db.read(lambda s: list_deliveries(s, edition_id=number))
    went = {row.subscriber_id: row.accepted_at for row in rows if row.accepted_at is not None}
    if kind == "at":
        return [f"{reader} had it at {at}" for reader, at in went.items() if at < AT]
    if kind == "own":
        readers = rt.db.read(
            lambda s: frozen.subscribers_store.list_subscriber_rows(s, ids=[*went])
        )
        begins = timing.own_hours(readers, START)
        return [
            f"{i} had it at {at}, not {begins[i]}"
            for i, at in went.items()
            if i is not None and at.astimezone(UTC) < begins[i]
        ]
    return []
