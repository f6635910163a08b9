"""What every kind of source is made of: what to ask, and how to read the answer. Pure."""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from service.errors import PaperpostError
from service.papers.model import Sighting
from service.sources.rhythm import Rhythm


class SourceError(PaperpostError):
    """The root of this room's errors."""


class ParameterError(SourceError):
    """A parameter of a source is missing or cannot be used; ``where`` is its name."""


class CaptureError(SourceError):
    """These bytes are not what this kind of source sends."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One thing an operator says about a source; form, commands and docs/sources.md are made of it.

    pattern: a regular expression for all of it. choices: (value, words) where only these will do.
    hint: a sentence for who fills it in.
    """

    name: str
    label: str
    example: str
    required: bool = True
    pattern: str = r".+"
    default: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    hint: str = ""

    def allows(self, value: str) -> bool:
        """Say whether a value, trimmed and not empty, can be used."""
        if self.choices:
            return value in dict(self.choices)
        return re.fullmatch(self.pattern, value) is not None


@dataclass(frozen=True, slots=True)
class Request:
    """One page to ask for. day: the list day that it is of, None where there are no lists. days:
    the several days that it is of, where each paper of the answer names its own (see ``weeks``)."""

    url: str
    day: date | None = None
    days: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """One item (counted from 1, 0 = the whole answer) that could not be read, and why."""

    item: int
    title: str
    what: str


@dataclass(frozen=True, slots=True)
class Parsed:
    """What one answer held.

    items: entries read, the unreadable ones included. title: the source's own name.
    built_at: when the source says it made this (aware UTC). hint_seconds: how often it asks to be
    polled. total: entries in all where the source counts them over all pages. is_cut: the answer
    ended before the feed did; there is more to come. bookmark: what the source wants to be
    given for the next page.
    """

    items: int
    sightings: tuple[Sighting, ...]
    problems: tuple[Problem, ...] = ()
    title: str = ""
    built_at: datetime | None = None
    hint_seconds: int | None = None
    total: int | None = None
    is_cut: bool = False
    bookmark: str = ""


class Adapter(ABC):
    """One kind of source.

    kind: the word in ``sources add KIND`` and in the table. about: what it is, in a sentence.
    brand: its name where one word must do ("" = each source's own title). has_votes: trending is
    offered. rhythm: on which days and hours it speaks. politeness: sources that share one pace
    ("" = each host its own). quiet_statuses: HTTP answers that mean "nothing yet". history_kind:
    the kind that is asked for past days ("" = the past cannot be asked for). history_days: how
    many of them one question covers. newest_first: further pages of a poll are asked while one
    holds a paper that this source never showed. missed_kind: the kind that is asked for
    announcements that were missed ("" = ``history_kind``). first_hand: facts (fields of a paper,
    names of its links) that begin at this source: another kind never replaces them (see
    papers/refresh).
    """

    kind: ClassVar[str]
    title: ClassVar[str]
    about: ClassVar[str] = ""
    parameters: ClassVar[tuple[Parameter, ...]] = ()
    brand: ClassVar[str] = ""
    has_votes: ClassVar[bool] = False
    rhythm: ClassVar[Rhythm] = Rhythm()
    politeness: ClassVar[str] = ""
    quiet_statuses: ClassVar[frozenset[int]] = frozenset()
    history_kind: ClassVar[str] = ""
    history_days: ClassVar[int] = 7
    newest_first: ClassVar[bool] = False
    missed_kind: ClassVar[str] = ""
    first_hand: ClassVar[frozenset[str]] = frozenset()

    @property
    def is_batch(self) -> bool:
        """Publishes once a day in one piece, and is waited for."""
        return self.rhythm.lists == "batch"

    @abstractmethod
    def requests(
        self, params: Mapping[str, str], *, today: date, days: tuple[date, ...] = ()
    ) -> tuple[Request, ...]:
        """Return what one poll asks; with ``days`` what is asked for those past days."""

    @abstractmethod
    def parse(self, body: bytes, *, day: date | None = None) -> Parsed:
        """Read one answer. day: the list day that was asked for.

        Raises CaptureError when the bytes are not of this kind; one bad item is a Problem.
        """

    def next_page(self, request: Request, parsed: Parsed) -> Request | None:
        """Return the page that follows, None after the last one."""
        return None

    def for_day(self, request: Request, day: date) -> Request:
        """Return the question for one of ``request.days`` alone; only kinds that ask for several
        days at once are asked this."""
        raise NotImplementedError

    def wanted(self, params: Mapping[str, str], sighting: Sighting) -> bool:
        """Say whether this source's own settings take the sighting."""
        return True

    def wanted_of_past(self, params: Mapping[str, str], sighting: Sighting) -> bool:
        """Say the same of what ``history_kind`` brought, which lacks this source's own marks."""
        return True

    def categories(self, params: Mapping[str, str]) -> tuple[str, ...]:
        """Return categories of which every paper of this source has one, () = nothing known."""
        return ()

    def takes_all_of(self, params: Mapping[str, str]) -> tuple[str, ...]:
        """Return those of ``categories`` of which it lists every paper, cross-lists too."""
        return ()

    def day_of(self, url: str) -> date | None:
        """Return the list day that an address asks for, None where there are no lists."""
        return None

    def history_parts(self, days: Sequence[date]) -> list[tuple[date, ...]]:
        """Return past days in the parts in which they are asked for and settled."""
        size = self.history_days
        return [tuple(days[start : start + size]) for start in range(0, len(days), size)]

    def history_params(self, params: Mapping[str, str]) -> dict[str, str]:
        """Return the parameters for ``history_kind`` that ask for the same papers."""
        return dict(params)

    def missed_params(self, params: Mapping[str, str]) -> dict[str, str]:
        """Return the parameters for ``missed_kind`` that ask for the same papers."""
        return self.history_params(params)

    def called(self, params: Mapping[str, str]) -> str:
        """Return what a source with these parameters is called until it names itself."""
        return self.title

    def tidied(self, name: str, value: str) -> str:
        """Return the value of a parameter in its usual spelling."""
        return value

    def checked(self, params: Mapping[str, str]) -> dict[str, str]:
        """Return ``params`` trimmed and with defaults; raises ParameterError."""
        known = {parameter.name: parameter for parameter in self.parameters}
        for name in params:
            if name not in known:
                takes = ", ".join(known) or "none"
                raise ParameterError(
                    f'A source of the kind {self.kind} has no parameter "{name}".',
                    name,
                    f"It takes: {takes}.",
                )
        values: dict[str, str] = {}
        for parameter in self.parameters:
            value = params.get(parameter.name, "").strip() or parameter.default
            if not value and parameter.required:
                raise ParameterError(
                    f"A source of the kind {self.kind} needs: {parameter.label}.",
                    parameter.name,
                    f"For example: {parameter.example}",
                )
            value = self.tidied(parameter.name, value) if value else ""
            if value and not parameter.allows(value):
                raise ParameterError(
                    f'"{value[:80]}" cannot be used as {parameter.label}.',
                    parameter.name,
                    f"For example: {parameter.example}",
                )
            if value:
                values[parameter.name] = value
        return values
