"""The outside checker: it reads the plan and the relays' own logs, and nothing of the product.

The plan says who is to get what: every reader every paper, at least once; a message at most once; a
paper twice only in a mail that says "you may have seen this". What the product says of itself is
compared afterwards, by ``against``: it may hold mails, it may not be wrong about one.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

Event = dict[str, Any]

STAFF = "papers@example.org"
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Plan:
    """readers: addresses · papers: numbers of "part N" · without: readers who may get less · staff:
    who may get mails of another sort (alarms)."""

    readers: tuple[str, ...]
    papers: tuple[int, ...]
    without: frozenset[str] = frozenset()
    staff: frozenset[str] = frozenset({STAFF})


@dataclass(slots=True)
class Found:
    """mails: taken by the relays · lost: (reader, paper) that never came · doubled: messages taken
    twice · repeated: papers that came again without being told so · strangers: mails to nobody of
    the plan · changed: messages whose bytes differ between two tries · cases: the first of each.
    A notice to the staff (an alarm) goes at least once: the same again is no breach."""

    mails: int = 0
    lost: int = 0
    doubled: int = 0
    repeated: int = 0
    strangers: int = 0
    changed: int = 0
    cases: list[str] = field(default_factory=list)

    @property
    def breaches(self) -> int:
        return self.lost + self.doubled + self.repeated + self.strangers + self.changed

    def facts(self) -> dict[str, Any]:
        return asdict(self)


def events(*logs: Path) -> list[Event]:
    """Every whole line of some logs, in the order of the files."""
    found = []
    for log in logs:
        for line in log.read_bytes().split(b"\n")[:-1] if log.exists() else []:
            found.append(json.loads(line))
    return found


@dataclass(slots=True)
class Tail:
    """A log that grows, each byte of which is read once. lines, taken: whole lines so far, and
    those of them that say a mail was taken."""

    log: Path
    lines: int = 0
    taken: int = 0
    _read: int = 0

    def look(self) -> "Tail":
        """Read what is new."""
        with self.log.open("rb") as file:
            file.seek(self._read)
            new = file.read()
        new = new[: new.rfind(b"\n") + 1]
        self._read += len(new)
        self.lines += new.count(b"\n")
        self.taken += new.count(b'{"e": "taken"')
        return self


def taken(log: Iterable[Event]) -> list[Event]:
    """The messages that the relays took."""
    return [one for one in log if one["e"] == "taken"]


def check(plan: Plan, log: Sequence[Event]) -> Found:
    """What came of the plan, by the logs alone."""
    found = Found()
    papers, readers = set(plan.papers), set(plan.readers)
    came: dict[str, Counter[int]] = defaultdict(Counter)
    ids: Counter[str] = Counter()
    bytes_of: dict[str, set[str]] = defaultdict(set)

    def note(kind: str, what: str) -> None:
        setattr(found, kind, getattr(found, kind) + 1)
        if sum(case.startswith(kind) for case in found.cases) < _SHOWN:
            found.cases.append(f"{kind}: {what}")

    for one in log:
        if one["e"] in ("taken", "body"):
            bytes_of[one["id"]].add(one["sha"])
        if one["e"] != "taken":
            continue
        if one["to"] in plan.staff and one["id"]:
            continue  # notices go at least once: after a lost answer again, under the same name
        ids[one["id"]] += 1
        found.mails += 1
        if one["to"] not in readers:
            note("strangers", one["to"])
        for paper in papers & set(one["parts"]):
            if came[one["to"]][paper] and not one["seen"] and ids[one["id"]] == 1:
                note("repeated", f"{one['to']} had part {paper} before {one['id']}")
            came[one["to"]][paper] += 1
    for name, times in ids.items():
        if times > 1 or not name:
            note("doubled", f"{name} was taken {times} times")
    for name, shas in bytes_of.items():
        if len(shas) > 1:
            note("changed", f"{name} had {len(shas)} forms")
    for reader in plan.readers:
        for paper in plan.papers:
            if not came[reader][paper] and reader not in plan.without:
                note("lost", f"{reader} never got part {paper}")
    return found


@dataclass(frozen=True, slots=True)
class Word:
    """The product's own word against the logs. wrong: mails it calls accepted that no relay took,
    or that a relay took and it neither calls accepted nor holds · held: it cannot say of how many ·
    arrived: of these, taken all the same."""

    wrong: tuple[str, ...]
    held: int
    arrived: int


def against(rows: Iterable[Mapping[str, Any]], log: Sequence[Event]) -> Word:
    """rows: the deliveries as the product lists them (message_id, state)."""
    got = {one["id"] for one in taken(log)}
    wrong, held, arrived = [], 0, 0
    for row in rows:
        state, name = row["state"], row["message_id"]
        if state in ("unknown", "presumed", "sending"):
            held += 1
            arrived += name in got
        elif (state == "accepted") != (name in got):
            wrong.append(
                f"{name} is {state}, and the relay {'took' if name in got else 'never took'} it"
            )
    return Word(tuple(wrong), held, arrived)


def bound(trials: int) -> float | None:
    """Nothing happened in so many trials: with 95 % confidence it is rarer than this (3/N)."""
    return round(3 / trials, 6) if trials else None
