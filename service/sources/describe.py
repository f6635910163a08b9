"""Which fields a capture fills: what ``sources test KIND --file CAPTURE`` prints. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import Field, dataclass, fields
from typing import Any, get_args

from service.papers.model import SCHEMES, Link, Paper, Sighting
from service.sources.adapter import Parsed

_NOT_SHOWN = frozenset({"id", "raw_title", "raw_abstract", "aliases", "links"})


@dataclass(frozen=True, slots=True)
class Filled:
    """How many entries have a field, how many lack it, and the first value as an example."""

    field: str
    filled: int
    empty: int
    example: str

    @property
    def percent(self) -> int:
        """Of the entries with the field in a hundred; 100 and 0 only where it is all and none."""
        whole = self.filled + self.empty
        if self.filled in (0, whole):
            return 100 if self.filled else 0
        return min(99, max(1, round(100 * self.filled / whole)))


def filled(parsed: Parsed) -> tuple[Filled, ...]:
    """Return one row for every field of paper and sighting, every kind of link and of name, in
    reading order. A flag (withdrawn, author_takes_part) counts where it is set."""
    return tuple(_row(name, values) for name, values in _columns(parsed.sightings))


def _columns(sightings: Sequence[Sighting]) -> Iterator[tuple[str, list[object]]]:
    for field in fields(Paper):
        if field.name not in _NOT_SHOWN:
            yield field.name, [_unless(field, s.paper) for s in sightings]
    for kind in get_args(Link):
        yield f"link: {kind}", [s.paper.links.get(kind) for s in sightings]
    for scheme in SCHEMES:
        yield f"name: {scheme}", [_alias(sighting, scheme) for sighting in sightings]
    for field in fields(Sighting):
        values = [_unless(field, s) for s in sightings] if field.name != "paper" else []
        # latest_on stands in for published_on, and is told where it does
        if field.name != "paper" and (field.name != "latest_on" or any(values)):
            yield field.name, values


def _unless(field: Field[Any], whole: Paper | Sighting) -> object:
    """Return a field's value, None where it is the default: 0 votes are known, version 0 is not."""
    value = getattr(whole, field.name)
    return None if value == field.default else value


def _alias(sighting: Sighting, scheme: str) -> str:
    return next((a.value for a in sighting.paper.aliases if a.scheme == scheme), "")


def _row(name: str, values: Sequence[object]) -> Filled:
    known = [value for value in values if value is not None and value != ""]
    example = known[0] if known else ""
    if isinstance(example, tuple):
        example = ", ".join(str(part) for part in example[:3])
    if example is True:
        example = "yes"
    return Filled(name, len(known), len(values) - len(known), str(example)[:100])
