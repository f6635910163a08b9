"""The form of a row in the tables of reasons, and what it looks at. Pure."""

import re
from dataclasses import dataclass

from service.reports.found import Where


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the table; what is empty fits everything.

    source: where it comes from · kind: "4" or "5", the class of the status or the code · status: a
    pattern for subject and detail ("1.[136]"), "-" = none · words: looked for
    in the server's words · unless: not where these words stand there · links: looked for in the
    links among them · where: when the answer came."""

    reason: str
    source: str
    kind: str = ""
    status: str = ""
    words: re.Pattern[str] | None = None
    unless: re.Pattern[str] | None = None
    links: re.Pattern[str] | None = None
    where: frozenset[Where] = frozenset()

    def fits(self, said: "Said") -> bool:
        """Whether this row speaks of what was said."""
        return (
            (not self.kind or self.kind == said.kind)
            and (not self.where or said.where in self.where)
            and (not self.status or _is_status(self.status, said.status))
            and (self.words is None or self.words.search(said.words) is not None)
            and (self.unless is None or self.unless.search(said.words) is None)
            and (self.links is None or self.links.search(said.links) is not None)
        )


@dataclass(frozen=True, slots=True)
class Said:
    """What rows look at. kind: "4", "5" or "" · status: "5.1.1" or "" · words: on one line, in
    place of addresses and links a blank · links: of the words."""

    kind: str
    status: str
    words: str
    links: str
    where: Where


def _is_status(pattern: str, status: str) -> bool:
    detail = status.partition(".")[2]
    return re.fullmatch(pattern, detail or "-") is not None
