"""Which fields a capture fills: what ``sources test KIND --file CAPTURE`` prints. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

from service.papers.model import Paper, Sighting
from service.sources.adapter import Parsed

_NOT_SHOWN = frozenset({"id", "raw_title", "raw_abstract", "withdrawn"})
_NAMED_LINKS = ("abs", "pdf", "doi", "code", "project", "discuss", "html")


@dataclass(frozen=True, slots=True)
class Filled:
    """How many entries have a field, how many lack it, and the first value as an example."""

    field: str
    filled: int
    empty: int
    example: str


def filled(parsed: Parsed) -> tuple[Filled, ...]:
    """Return one row a field of paper and sighting, links and names apart, in reading order."""
    rows: list[Filled] = []
    for field in fields(Paper):
        if field.name in _NOT_SHOWN or field.name in ("links", "aliases"):
            continue
        rows.append(_row(field.name, [getattr(s.paper, field.name) for s in parsed.sightings]))
    for name in _NAMED_LINKS:
        rows.append(_row(f"link: {name}", [s.paper.links.get(name) for s in parsed.sightings]))
    schemes = dict.fromkeys(a.scheme for s in parsed.sightings for a in s.paper.aliases)
    for scheme in schemes:
        values = [_alias(sighting, scheme) for sighting in parsed.sightings]
        rows.append(_row(f"name: {scheme}", values))
    for name in ("listed_on", "announce_type", "submitter"):
        rows.append(_row(name, [getattr(sighting, name) for sighting in parsed.sightings]))
    return tuple(rows)


def _alias(sighting: Sighting, scheme: str) -> str:
    return next((a.value for a in sighting.paper.aliases if a.scheme == scheme), "")


def _row(name: str, values: Sequence[object]) -> Filled:
    known = [value for value in values if value is not None and value not in ("", ())]
    example = known[0] if known else ""
    if isinstance(example, tuple):
        example = ", ".join(str(part) for part in example[:3])
    return Filled(name, len(known), len(values) - len(known), str(example)[:100])
