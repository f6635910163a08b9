"""What a reader chose for one interest beside words and days (``profile.options``). Pure.

``own``: the name of the reader on papers; theirs are left out (several names with semicolons).
``signals``: later news of papers that were mailed, told from ``since`` on; ``votes``: from how many
on they are news (None: as the installation says).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class LateSignals:
    """The opt-in of one interest. since: the instant of the choice; nothing before it is told."""

    since: datetime
    votes: int | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """own: "" = the reader's own papers come as all others."""

    own: str = ""
    signals: LateSignals | None = None


def read_options(data: Mapping[str, Any]) -> Options:
    """Options as values; what an older or newer version wrote and this one cannot read is left."""
    own, told = data.get("own"), data.get("signals")
    return Options(own if isinstance(own, str) else "", _signals(told))


def _signals(told: Any) -> LateSignals | None:
    if not isinstance(told, Mapping) or not isinstance(told.get("since"), str):
        return None
    votes = told.get("votes")
    try:
        since = datetime.fromisoformat(told["since"])
    except ValueError:
        return None
    return LateSignals(since.astimezone(UTC), votes if isinstance(votes, int) else None)


def write_options(before: Mapping[str, Any], options: Options) -> dict[str, Any]:
    """The JSON of a row with these options; what else it holds stays."""
    data = {name: value for name, value in before.items() if name not in ("own", "signals")}
    if options.own:
        data["own"] = options.own
    if options.signals is not None:
        data["signals"] = {
            "since": options.signals.since.astimezone(UTC).isoformat(),
            **({"votes": options.signals.votes} if options.signals.votes is not None else {}),
        }
    return data
