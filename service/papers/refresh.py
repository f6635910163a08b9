"""What a later sighting adds to a known paper. Pure; never loses what was known."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from service.papers.identity import merged
from service.papers.model import Paper

ChangeKind = Literal["votes", "code", "doi", "version", "withdrawn", "metadata"]

_FOLLOWS_SOURCE = ("code", "project", "pdf")
"""Links where the newer one wins; of the others the known one stays."""


@dataclass(frozen=True, slots=True)
class Change:
    """One field that differs. kind is the word of ``paper_event``, "metadata" for the rest."""

    kind: ChangeKind
    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Refresh:
    """The paper as it is known now, and what is different; no change = the old paper itself."""

    paper: Paper
    changes: tuple[Change, ...]


def refresh(old: Paper, new: Paper) -> Refresh:
    """Return ``old`` with what ``new`` knows better.

    Counts never fall (a listing of the past knows smaller ones); a longer abstract and a longer
    list of authors win; a newer version (``updated_at``) wins title, abstract and note; an empty
    field never replaces a filled one; ``id`` and the first names stay.
    """
    newer = new.updated_at is not None and (
        old.updated_at is None or new.updated_at > old.updated_at
    )
    values: dict[str, Any] = {
        "aliases": merged(old.aliases, new.aliases),
        "authors": new.authors if len(new.authors) > len(old.authors) else old.authors,
        "categories": _joined(old.categories, new.categories),
        "published_on": _first(old.published_on, new.published_on),
        "announced_on": _first(old.announced_on, new.announced_on),
        "updated_at": new.updated_at if newer else old.updated_at,
        "links": _links(old.links, new.links),
        "votes": _larger(old.votes, new.votes),
        "comments": _larger(old.comments, new.comments),
        "withdrawn": new.withdrawn if newer else old.withdrawn or new.withdrawn,
    }
    if new.title and (newer or not old.title):
        values["title"], values["raw_title"] = new.title, new.raw_title
    if _better_abstract(old.abstract, new.abstract, newer):
        values["abstract"], values["raw_abstract"] = new.abstract, new.raw_abstract
    for name in ("note", "language", "licence", "organisation", "summary_line"):
        before, after = getattr(old, name), getattr(new, name)
        values[name] = after if after and (newer or not before) else before
    changes = tuple(
        Change(_kind(field.name, old, values), field.name, getattr(old, field.name), value)
        for field in fields(Paper)
        if (value := values.get(field.name, getattr(old, field.name))) != getattr(old, field.name)
    )
    return Refresh(replace(old, **values) if changes else old, changes)


def _better_abstract(old: str, new: str, newer: bool) -> bool:
    if not new or new == old:
        return False
    is_cut = new.endswith(("...", "…"))
    return len(new) > len(old) or (newer and not is_cut)


def _joined(old: tuple[str, ...], new: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*old, *new)))


def _first(old: Any, new: Any) -> Any:
    known = [day for day in (old, new) if day is not None]
    return min(known) if known else None


def _larger(old: int | None, new: int | None) -> int | None:
    known = [count for count in (old, new) if count is not None]
    return max(known) if known else None


def _links(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    links = dict(old)
    for name, address in new.items():
        if address and (name in _FOLLOWS_SOURCE or not links.get(name)):
            links[name] = address
    return links


def _kind(field: str, old: Paper, values: Mapping[str, Any]) -> ChangeKind:
    if field == "votes":
        return "votes"
    if field == "withdrawn":
        return "withdrawn"
    if field == "updated_at":
        return "version"
    if field == "links" and old.links.get("code", "") != values["links"].get("code", ""):
        return "code"
    if field == "aliases":
        had = any(alias.scheme == "doi" for alias in old.aliases)
        has = any(alias.scheme == "doi" for alias in values["aliases"])
        return "doi" if has and not had else "metadata"
    return "metadata"
