"""What acts were about, as places of the desk: where it still is, and whoever asks may see it."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, fields
from urllib.parse import quote

from service.defaults import Defaults
from service.flows.staff import ROLES
from service.store import staff as staff_store
from service.store.db import Session
from service.store.house_tables import AuditRow
from service.store.paper_story import ONE, TWO
from service.store.staff import RENAMED, Rename
from service.store.targets import Named, find_there

_NUMBERED = re.compile(
    r"(reader|edition|delivery|import|submission|alarm|mail|webhook) ([0-9]{1,15})(?: .*)?",
    re.DOTALL,
)
_ACCOUNTS = (
    "admin link", "admin ended", "change role", RENAMED, "report address", "end session",
    "end sessions", "password set", "password changed",
)  # fmt: skip
_PLACES = {"instance": "instance", "try one mail": "deliveries/pace"}
_DECIDED = {"accept proposal": "accepted", "decline proposal": "declined"}
_SETTINGS = frozenset(one.name for one in fields(Defaults))
_PLACE = "place"
"""A page that is there whatever became of what it shows; its key is where it is, under /admin."""

_PAGES = {
    "reader": "readers/{number}", "edition": "editions/{number}",
    "delivery": "deliveries/{number}", "import": "imports/{number}", "paper": "papers/{number}",
    "source": "sources/{number}", "mail": "bounces/{number}", "webhook": "webhooks/{number}",
    "account": "staff/{number}", "alarm": "alarms#alarm-{number}",
    "submission": "submissions?state={decided}#row-{number}",
    "interest": "readers/{reader}/interests/{number}", "topic": "topics/{key}",
    "tag": "readers?tag={key}",
    "token": "tokens",  # nosec B105: a page's address
}  # fmt: skip
_LEAST = {
    "interest": "editor", "import": "editor", "submission": "editor", "webhook": "owner",
    "account": "owner",
    "token": "owner",  # nosec B105: a role
}  # fmt: skip
"""The least role that opens a kind's page, where it is not everybody of the staff."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of an act's target. words: as the record has them · page: under /admin, "" where
    there is none, or none for who asks."""

    words: str
    page: str = ""


def targets_of(
    session: Session, rows: Collection[AuditRow], role: str, *, at_home: str = ""
) -> dict[int, tuple[Part, ...]]:
    """The target of each act, by the act's number, in pieces. role: of who asks · at_home: a piece
    that is left out, since its own page shows them ("reader 7"). Asks two statements at most,
    however many acts there are."""
    is_on_accounts = any(row.what in _ACCOUNTS for row in rows)
    renames = staff_store.list_renames(session) if is_on_accounts else []
    pieces = {row.id or 0: list(_pieces(row, renames)) for row in rows}
    there = find_there(
        session,
        {
            thing
            for found in pieces.values()
            for _, thing in found
            if thing is not None and thing.kind != _PLACE
        },
    )
    return {
        row.id or 0: tuple(
            Part(words, _page(row, thing, there, role))
            for words, thing in pieces[row.id or 0]
            if words != at_home
        )
        for row in rows
    }


def _pieces(row: AuditRow, renames: Sequence[Rename]) -> Iterator[tuple[str, Named | None]]:
    """What stands in the target, each with the thing that it means."""
    what, target = row.what, row.target
    facts = {**(row.before or {}), **(row.after or {})}
    if numbered := _NUMBERED.fullmatch(target):
        yield target, Named(numbered[1], numbered[2])
        if what.endswith(" interest") and isinstance(facts.get("interest"), int):
            number = str(facts["interest"])
            yield f"interest {number}", Named("interest", number)
    elif what in (*ONE, *TWO):
        for number in target.split():
            yield number, Named("paper", number) if _is_number(number) else None
    elif what.endswith(" source") or what == "bring in days":
        number = target if _is_number(target) else str(facts.get("id", ""))
        yield target, Named("source", number) if _is_number(number) else None
    elif what.endswith(" topic"):
        yield target, Named("topic", target)
    elif what in _ACCOUNTS:
        yield target, Named("account", _called_now(target, row.id or 0, renames))
    elif what in _PLACES:
        yield target, Named(_PLACE, _PLACES[what])
    elif what == "setting":
        yield target, Named(_PLACE, f"settings/{target}") if target in _SETTINGS else None
    elif target == "held deliveries":
        yield target, Named(_PLACE, "deliveries?state=held")
    elif target:
        kind, _, key = target.partition(" ")
        meant = {"digest": Named(_PLACE, f"papers?day={quote(key)}")}
        meant |= {name: Named(name, key) for name in ("tag", "token")}
        yield target, meant.get(kind)


def _is_number(text: str) -> bool:
    return text.isdecimal() and len(text) < 16


def _called_now(name: str, act: int, renames: Sequence[Rename]) -> str:
    """What an account is called today that had this name when an act was done."""
    for one in sorted(renames):
        if one.act > act and one.old == name:
            name = one.new
    return name


def _page(row: AuditRow, thing: Named | None, there: dict[Named, int], role: str) -> str:
    if thing is None or thing.kind == _PLACE:
        return thing.key if thing is not None else ""
    least = _LEAST.get(thing.kind, ROLES[0])
    if thing not in there or ROLES.index(role) < ROLES.index(least):
        return ""
    return _PAGES[thing.kind].format(
        number=there[thing], key=quote(thing.key, safe=""), decided=_DECIDED.get(row.what, "all"),
        reader=row.target.partition(" ")[2],
    )  # fmt: skip
