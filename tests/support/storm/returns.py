"""The reader of the mailbox is killed at every call by which it changes the world: each mail counts
once, and none leaves the mailbox's folders.

The mails are real: a send to readers whose servers send it back (``support.returning``). Each point
has a copy of the database as it was after the send, and a mailbox of its own with the same mails.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from support.dovecot import Dovecot
from support.house import open_house
from support.returning import BOUNCES, FAR, OURS, World, returning
from support.storm.book import Tally
from support.storm.ground import Ground, Template, template
from support.storm.nursery import Nursery
from support.storm.points import Point, counted, strike

from service.flows.epoch import go_on
from service.store.db import make_engine

FETCH = ("inbound", "--fetch", "--json")
CALLS = ("fdatasync", "fsync", "sendto", "write", "writev", "sendmsg", "pwrite64")
SORTS = ("gone", "barred", "full", "busy")

ASKED = {
    "reports": "SELECT s.email, r.kind, r.reason, r.status, r.action, r.said, count(*) AS many"
    " FROM report r LEFT JOIN subscriber s ON s.id = r.subscriber_id"
    " GROUP BY s.email, r.kind, r.reason, r.status, r.action, r.said",
    "readers": "SELECT email, state, score, rests, rests_until IS NOT NULL AS rests_now"
    " FROM subscriber",
    "barred": "SELECT reason, count(*) AS many FROM suppression GROUP BY reason",
    "mails": "SELECT state, count(*) AS many FROM inbound GROUP BY state",
}
"""What is known after a reading, without its times."""

Known = dict[str, list[dict[str, Any]]]


def known(url: str) -> Known:
    """What the database knows of mails that came in, in an order of its own."""
    engine = make_engine(url)
    try:
        with engine.connect() as connection:
            return {
                name: sorted(
                    (dict(row._mapping) for row in connection.execute(sa.text(words))), key=str
                )
                for name, words in ASKED.items()
            }
    finally:
        engine.dispose()


def environment(world: World) -> dict[str, str]:
    """Of an installation whose mails come back."""
    return {
        "PAPERPOST_MAIL_FROM": f"papers@{OURS}",
        "PAPERPOST_BOUNCE_ADDRESS": BOUNCES,
        "PAPERPOST_INBOX_URL": world.url,
    }


def readers(each: int) -> list[str]:
    """So many of each sort, spread over the domains."""
    every = [(sort, n) for n in range(each) for sort in SORTS]
    return [f"{sort}{n}@{FAR[at % len(FAR)]}" for at, (sort, n) in enumerate(every)]


@dataclass
class Returned:
    """After the send: made, as the database was before anything was read · more: of each process'
    environment · mails: what lies in the mailbox · expected: what is known when all was read."""

    made: Template
    nest: Nursery
    inbox: Dovecot
    more: dict[str, str]
    mails: list[bytes]
    expected: Known | None = None

    @contextmanager
    def ground(self, folder: Path, user: str) -> Iterator[Ground]:
        """A copy whose mailbox holds all of them."""
        self.inbox.deliver_all(self.mails, f"{user}@{OURS}")
        with self.made.copy(folder, 9, folder / "none.jsonl", self.nest) as ground:
            ground.more |= self.more | {"PAPERPOST_INBOX_URL": self.inbox.url(user)}
            with open_house(ground.data, database_url=ground.url) as house:
                go_on(house.runtime, "only", "Paperpost")  # a copy reads nothing by itself
            yield ground


@contextmanager
def returned(
    folder: Path, cluster: Any, addresses: Sequence[str], nest: Nursery
) -> Iterator[Returned]:
    """Lay, send, and wait for all that comes back. folder: other users may enter it."""
    settings = {"smtp_connections": "4", "spread_minutes": "0"}
    laid = template(folder / "laid", cluster, readers=0, addresses=addresses, settings=settings)
    with returning(folder) as world:
        for one in addresses:
            if one.startswith("full"):
                world.fill(one)
        with laid.copy(folder / "sent", world.relay.port, folder / "none.jsonl") as ground:
            ground.more |= environment(world)
            ground.finish()
            assert set(ground.states()) == {"accepted"}, ground.states()
            assert world.settled(), "mails stay in a queue of Postfix"
            world.stop()
            mails = world.inbox.folders("bounces")["INBOX"]
            sent = Template(ground.data, ground.url, laid.plan, cluster)
            yield Returned(sent, nest, world.inbox, environment(world), mails)


def undisturbed(back: Returned, folder: Path, names: Sequence[str] = CALLS) -> dict[str, int]:
    """Read all once; keeps what is known then, and returns the calls that it took."""
    with back.ground(folder / "dry", "dry") as ground:
        made = counted(back.nest, ground, FETCH, names)
        back.expected = known(ground.url)
    total = sum(row["many"] for row in back.expected["mails"])
    assert total == len(back.mails), (total, len(back.mails))
    return made


def hit(back: Returned, folder: Path, point: Point, tally: Tally) -> None:
    """One reading that is killed at one point, then another to the end; what came of them."""
    where = f"{point.name}{point.n}"
    with back.ground(folder / where, where) as ground:
        ended = strike(back.nest, ground, FETCH, point, "signal=KILL")
        before = sum(row["many"] for row in known(ground.url)["mails"])
        tally.count(
            points=1, killed=ended == -9, hung=ended is None,
            in_the_middle=0 < before < len(back.mails),
        )  # fmt: skip
        child = back.nest.start(FETCH, ground.environment, ground.errors)
        said, _ = child.communicate(timeout=120)
        if child.returncode:
            words = ground.errors.read_text()[-500:]
            tally.breach(
                f"kill at {point}: the next reading ended {child.returncode}: {said}{words}"
            )
        found = known(ground.url)
        for name, rows in (back.expected or {}).items():
            if found[name] != rows:
                odd = [row for row in found[name] if row not in rows]
                tally.breach(f"kill at {point}: {name} {odd[:3]}, expected {rows[:3]}")
        _look(back, where, point, tally)


def _look(back: Returned, user: str, point: Point, tally: Tally) -> None:
    """Every mail lies in a folder, none in INBOX."""
    folders = back.inbox.folders(user)
    lie = Counter(_own(mail) for mails in folders.values() for mail in mails)
    lost = [mail for mail in map(_own, back.mails) if mail not in lie]
    copies = sum(lie.values()) - len(lie)
    left = len(folders.get("INBOX", []))
    tally.count(mails=len(back.mails), lost=len(lost), doubled=copies)
    if lost or left or copies:
        tally.breach(f"kill at {point}: {len(lost)} lost, {copies} twice, {left} left in INBOX")


def _own(mail: bytes) -> bytes:
    """Without what servers put on top, and the line end that they put below."""
    return mail[mail.index(b"\nDate: ") :].rstrip(b"\n")
