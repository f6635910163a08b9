"""What arXiv, Hugging Face and two journals will say in a fortnight: invented, the same each time.

The script is the truth of the simulation. Nothing here knows how Paperpost asks or reads.
"""

import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

EASTERN = ZoneInfo("America/New_York")
CATEGORIES = ("cs.CL", "cs.AI", "stat.ML")
JOURNALS = ("towels", "proofs")
BEFORE = date(2026, 11, 2)
FIRST = date(2026, 11, 16)
LAST = date(2026, 11, 30)
THANKSGIVING = date(2026, 11, 26)
SURPRISE = date(2026, 11, 30)
"""A working day on which arXiv announces nothing, though its calendar says so nowhere."""
NOUNS = ("adapters", "robots", "towels", "proofs", "proteins", "speech", "graphs", "rivers")
NAMES = ("Ana Silva", "Bo Chen", "Carla Weiss", "Dev Rao", "Eun Park")


@dataclass(frozen=True, slots=True)
class Work:
    """One invented paper. mark: its number, written in the title as "No17". number: arXiv's id."""

    mark: int
    number: str
    title: str
    abstract: str
    authors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Announced:
    """A work on arXiv. day: of the feed (Eastern). shown: category -> announce type.
    received: when it was submitted (UTC); what moderation held was submitted long before."""

    work: Work
    day: date
    shown: dict[str, str]
    received: datetime
    version: int = 1
    doi: str = ""

    @property
    def is_news(self) -> bool:
        return any("replace" not in kind for kind in self.shown.values())


@dataclass(frozen=True, slots=True)
class Listed:
    """A work on Hugging Face's list of a day, from an instant on."""

    work: Work
    day: date
    at: datetime
    votes: int


@dataclass(frozen=True, slots=True)
class Printed:
    """A work in a journal's feed, from an instant on."""

    work: Work
    journal: str
    at: datetime
    doi: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A host says no from one instant to another. status 0: it never answers. most: answers of
    this kind (0 = all)."""

    host: str
    start: datetime
    end: datetime
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    most: int = 0


@dataclass(slots=True)
class Script:
    """Everything that will be said. stale: (category, day) -> when it heals. turns: when the feed
    of a day turns, where not at midnight Eastern. twins: marks of two that turn out to be one."""

    announced: list[Announced] = field(default_factory=list)
    listed: list[Listed] = field(default_factory=list)
    printed: list[Printed] = field(default_factory=list)
    stale: dict[tuple[str, date], datetime] = field(default_factory=dict)
    turns: dict[date, datetime] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)
    twins: set[int] = field(default_factory=set)

    def batch(self, category: str, day: date) -> list[Announced]:
        """What arXiv announces in a category with the feed of a day."""
        return [x for x in self.announced if x.day == day and category in x.shown]

    def before(self, day: date) -> set[str]:
        """Numbers of what arXiv announced before a day."""
        return {x.work.number for x in self.announced if x.day < day}

    def turned(self, day: date) -> datetime:
        """When the feed of a day appears."""
        return self.turns.get(day) or midnight(day)


def midnight(day: date) -> datetime:
    """The first instant of arXiv's own day."""
    return datetime.combine(day, time(), EASTERN).astimezone(UTC)


def utc(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), UTC)


def announces(day: date) -> bool:
    """Monday to Friday but for Thanksgiving and the surprise."""
    return day.weekday() < 5 and day not in (THANKSGIVING, SURPRISE)


def days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def working_day_before(day: date) -> date:
    day -= timedelta(days=1)
    while not announces(day):
        day -= timedelta(days=1)
    return day


class Writer:
    """Writes a script. Numbers are given in the order of announcement, as arXiv's are.

    crowds: papers of the list of a day, where it is not the usual number."""

    def __init__(
        self, seed: int = 3, *, size: int = 9, categories: tuple[str, ...] = CATEGORIES
    ) -> None:
        """size: papers of a category and day, and of a list, about."""
        self.categories = categories
        self.crowds: dict[date, int] = {}
        self.chance = random.Random(seed)
        self.size = size
        self.script = Script()
        self._marks = 0

    def work(self, day: date) -> Work:
        self._marks += 1
        one, two = self.chance.sample(NOUNS, 2)
        return Work(
            mark=self._marks,
            number=f"{day:%y%m}.{self._marks:05}",
            title=f"No{self._marks}: {one.capitalize()} that learn from {two}",
            abstract=f"An invented result on {one} and {two}; number {self._marks}.",
            authors=tuple(self.chance.sample(NAMES, 3)),
        )

    def write(
        self,
        first: date = FIRST,
        last: date = LAST,
        *,
        journals: tuple[str, ...] = JOURNALS,
    ) -> Script:
        """The usual days, from before the first one on."""
        for day in days(BEFORE, last):
            if announces(day):
                self._announce(day, has_past=day >= first)
            self._list(day, is_told=day >= first)
        for journal in journals:
            for day in days(BEFORE, last):
                if self.chance.random() < 0.7:
                    self._print(journal, day)
        return self.script

    def _announce(self, day: date, has_past: bool) -> None:
        """New papers, some in two categories; later cross-lists; new versions of old papers."""
        before = working_day_before(day)
        start = datetime.combine(working_day_before(before), time(14, 1), EASTERN)
        end = datetime.combine(before, time(13, 59), EASTERN)
        for category in self.categories:
            for at in range(self.chance.randint(self.size - 3, self.size + 3)):
                received = start + (end - start) * self.chance.random()
                if at == 0 and has_past:  # moderation held it for more than a week
                    received -= timedelta(days=9)
                shown = {category: "new"}
                if self.chance.random() < 0.3:
                    shown[self.chance.choice(self.categories)] = "cross"
                    shown[category] = "new"
                self._add(Announced(self.work(day), day, shown, received.astimezone(UTC)))
            old = self.work(date(2020, 5, 1))
            self._add(Announced(old, day, {category: "replace"}, utc(date(2020, 5, 1), 9), 2))
        told = [x for x in self.script.announced if x.is_news and FIRST <= x.day < day]
        for again in self.chance.sample(told, min(3, len(told))):
            (category,) = self.chance.sample(self.categories, 1)
            kind = "replace" if category in again.shown else "cross"
            version = 2 if kind == "replace" else 1
            self._add(Announced(again.work, day, {category: kind}, again.received, version))

    def _add(self, announced: Announced) -> None:
        self.script.announced.append(announced)

    def _list(self, day: date, is_told: bool) -> None:
        """A list that grows: papers of arXiv's day, papers of nowhere else, some once more."""
        count = self.crowds.get(day, 0 if day.weekday() >= 5 else self.size)
        own = [self.work(day) for _ in range(count)]
        twins = [x.work for x in self.script.announced if x.day == day and x.is_news]
        if is_told and day.weekday() < 5:
            own += self.chance.sample(twins, min(4, len(twins)))
            told = [x.work for x in self.script.listed if x.day >= FIRST]
            own += self.chance.sample(told, min(2, len(told)))
        for at, work in enumerate(dict.fromkeys(own)):
            hour = 17.0 if at == 0 else self.chance.uniform(0.7, 13)
            listed_at = utc(day, 0) + timedelta(hours=hour)
            self.script.listed.append(Listed(work, day, listed_at, self.chance.randint(0, 60)))

    def _print(self, journal: str, day: date) -> None:
        at = utc(day, 0) + timedelta(hours=self.chance.uniform(6, 20))
        self.script.printed.append(Printed(self.work(day), journal, at))
