"""How common words are among the papers of some parts, looked up when it is first asked."""

from collections.abc import Iterator, Mapping, Sequence

from service.matching.part import Part


class Frequencies(Mapping[str, int]):
    """In how many papers a stem stands; papers that are gone do not count."""

    def __init__(self, parts: Sequence[Part] = ()) -> None:
        self._parts = tuple(parts)
        self._known: dict[str, int] = {}

    def __getitem__(self, stem: str) -> int:
        found = self._known.get(stem)
        if found is None:
            found = sum(part.frequency(stem) for part in self._parts)
            self._known[stem] = found
        if not found:
            raise KeyError(stem)
        return found

    def __iter__(self) -> Iterator[str]:
        stems = {stem for part in self._parts for stem in part.segment.stems()}
        return (stem for stem in sorted(stems) if stem in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def are_of(self, parts: Sequence[Part]) -> bool:
        """Whether these parts hold just the papers that were counted."""
        return len(parts) == len(self._parts) and all(
            one.segment is other.segment and one.alive is other.alive
            for one, other in zip(parts, self._parts, strict=True)
        )

    def are_within(self, parts: Sequence[Part]) -> bool:
        """Whether what was counted lies in segments of these parts still."""
        there = {id(part.segment) for part in parts}
        return all(id(part.segment) in there for part in self._parts)
