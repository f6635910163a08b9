"""What a later sighting adds to a known paper. Pure; nothing is lost and nothing gets worse.

Who is believed. *First hand* are the facts that begin at a source (its kind names them,
``sources/first_hand``: arXiv for its papers' words, Hugging Face for votes and code); *told* are
those that some source has told first hand already. *Newer* is a higher version, else a later
``updated_at``. Nothing that is empty ever replaces anything.

| field | what is there gives way |
| --- | --- |
| title, abstract, authors | to first hand while nobody has told it; then to a newer version first |
|  | hand; where nobody tells it first hand, to a newer one, a longer abstract, more authors |
| abstract | never to one that is cut ("...") |
| note, licence, published_on, withdrawn | to first hand unless it is of an older version |
| published_on, else | to an earlier day, as announced_on does |
| withdrawn, else | once said it stays |
| updated_at | to first hand while nobody has told it, then to a later one first hand |
| votes, comments | to more (a listing of the past knows fewer) |
| categories, names | joined; first hand categories stand first |
| code, project, pdf | to first hand; else, while nobody has told it, to the newer address |
| organisation, summary_line | to first hand |
| language, other links | not at all |
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any, Literal

from service.papers.identity import is_journal, merged, plain_words
from service.papers.model import Alias, Paper

ChangeKind = Literal["votes", "code", "project", "doi", "version", "withdrawn", "title", "words"]

_FOLLOWS_SOURCE = ("code", "project", "pdf")
_OF_A_VERSION = ("note", "licence")
_OF_A_LIST = ("organisation", "summary_line")


@dataclass(frozen=True, slots=True, kw_only=True)
class Teller:
    """Who tells. own: facts that begin at this source · told: facts of the old paper that were told
    first hand · version, known_version: seen now and before (0 = not said)."""

    own: frozenset[str] = frozenset()
    told: frozenset[str] = frozenset()
    version: int = 0
    known_version: int = 0


SOMEBODY = Teller()
"""A source that is the origin of nothing."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a reader may want to know. value: votes "before after" (or "after" alone), the address,
    the DOI, the number of the version, the title of before; "" for withdrawn, and for words: other
    ones are matched now, which no reader is told."""

    kind: ChangeKind
    value: str = ""


@dataclass(frozen=True, slots=True)
class Refresh:
    """The paper as it is known now (the old one itself when nothing differs), and its changes."""

    paper: Paper
    changes: tuple[Change, ...]


def refresh(old: Paper, new: Paper, by: Teller = SOMEBODY) -> Refresh:
    """Return ``old`` with what ``new`` knows better; ``id`` and the first names stay."""
    age = _age(old, new, by)
    newer, of_old_version = age > 0, age < 0

    def gives_way(name: str) -> bool:
        if name in by.told:
            return name in by.own and newer
        return name in by.own or newer

    def own(name: str) -> bool:
        return name in by.own and not of_old_version

    values: dict[str, Any] = {
        "aliases": merged(old.aliases, new.aliases),
        "authors": _authors(old, new, by, gives_way("authors")),
        "categories": _categories(old, new, by),
        "published_on": _published_on(old, new, by, own("published_on")),
        "announced_on": _first(old.announced_on, new.announced_on),
        "updated_at": _updated_at(old, new, by),
        "links": _links(old.links, new.links, by),
        "votes": _larger(old.votes, new.votes),
        "comments": _larger(old.comments, new.comments),
        "withdrawn": new.withdrawn if own("withdrawn") else old.withdrawn or new.withdrawn,
    }
    if new.title and (gives_way("title") or not old.title):
        values["title"], values["raw_title"] = new.title, new.raw_title
    if _better_abstract(old, new, by, gives_way("abstract")):
        values["abstract"], values["raw_abstract"] = new.abstract, new.raw_abstract
    for name in (one.name for one in fields(Paper) if one.name not in values and one.name != "id"):
        values[name] = _other(name, old, new, by, own(name), gives_way(name))
    paper = replace(old, **values)
    return Refresh(old if paper == old else paper, tuple(_changes(old, paper, by)))


def _age(old: Paper, new: Paper, by: Teller) -> int:
    """1 where the new sighting is of a newer version, -1 of an older one, 0 of the same or nobody
    knows."""
    if by.version and by.known_version:
        return (by.version > by.known_version) - (by.version < by.known_version)
    if new.updated_at is None:
        return 0
    if old.updated_at is None:
        return 1
    return (new.updated_at > old.updated_at) - (new.updated_at < old.updated_at)


def _authors(old: Paper, new: Paper, by: Teller, gives_way: bool) -> tuple[str, ...]:
    if not new.authors or not old.authors:
        return new.authors or old.authors
    if {"authors"} & (by.own | by.told):
        return new.authors if gives_way else old.authors
    return new.authors if len(new.authors) > len(old.authors) else old.authors


def _better_abstract(old: Paper, new: Paper, by: Teller, gives_way: bool) -> bool:
    if not new.abstract or new.abstract == old.abstract:
        return False
    was_cut, is_cut = _is_cut(old.abstract), _is_cut(new.abstract)
    longer = len(new.abstract) > len(old.abstract)
    if not old.abstract or (was_cut and not is_cut and longer):
        return True
    if is_cut and not was_cut:
        return False
    if {"abstract"} & (by.own | by.told):
        return gives_way
    return longer or gives_way


def _is_cut(text: str) -> bool:
    return text.endswith(("...", "…"))


def _categories(old: Paper, new: Paper, by: Teller) -> tuple[str, ...]:
    is_first = "categories" in by.own and "categories" not in by.told
    both = (*new.categories, *old.categories) if is_first else (*old.categories, *new.categories)
    return tuple(dict.fromkeys(both))


def _published_on(old: Paper, new: Paper, by: Teller, own: bool) -> date | None:
    if own and new.published_on:
        return new.published_on
    if "published_on" in by.told and old.published_on:
        return old.published_on
    return _first(old.published_on, new.published_on)


def _first(old: date | None, new: date | None) -> date | None:
    known = [day for day in (old, new) if day is not None]
    return min(known) if known else None


def _updated_at(old: Paper, new: Paper, by: Teller) -> Any:
    if new.updated_at is None or old.updated_at is None:
        return new.updated_at or old.updated_at
    if "updated_at" in by.own and "updated_at" not in by.told:
        return new.updated_at
    if "updated_at" in by.told and "updated_at" not in by.own:
        return old.updated_at
    return max(old.updated_at, new.updated_at)


def _larger(old: int | None, new: int | None) -> int | None:
    known = [count for count in (old, new) if count is not None]
    return max(known) if known else None


def _links(old: Mapping[str, str], new: Mapping[str, str], by: Teller) -> dict[str, str]:
    links = dict(old)
    for name, address in new.items():
        follows = name in _FOLLOWS_SOURCE and (name in by.own or name not in by.told)
        if address and (follows or not links.get(name)):
            links[name] = address
    return links


def _other(name: str, old: Paper, new: Paper, by: Teller, own: bool, gives_way: bool) -> Any:
    """One of the remaining fields: what is empty never counts, what is there mostly stays."""
    before, after = getattr(old, name), getattr(new, name)
    if not after or not before:
        return after or before
    if name in _OF_A_VERSION:
        return after if own or gives_way else before
    return after if name in _OF_A_LIST and name in by.own else before


def _changes(old: Paper, paper: Paper, by: Teller) -> list[Change]:
    changes = []
    if paper.votes is not None and paper.votes != old.votes:
        before = "" if old.votes is None else f"{old.votes} "
        changes.append(Change("votes", f"{before}{paper.votes}"))
    for name in ("code", "project"):
        address = paper.links.get(name, "")
        if address and address != old.links.get(name, ""):
            changes.append(Change("code" if name == "code" else "project", address))
    if found := _new_doi(_dois(old.aliases), _dois(paper.aliases)):
        changes.append(Change("doi", found))
    if by.version > max(by.known_version, 1):
        changes.append(Change("version", str(by.version)))
    if paper.withdrawn and not old.withdrawn:
        changes.append(Change("withdrawn"))
    if old.title and plain_words(paper.title) != plain_words(old.title):
        changes.append(Change("title", old.title))
    return changes


def _dois(names: tuple[Alias, ...]) -> list[str]:
    return [alias.value for alias in names if alias.scheme == "doi"]


def _new_doi(known: list[str], found: list[str]) -> str:
    """The first DOI of a paper, or the first of a journal where only archives had it; else ""."""
    if not known:
        return found[0] if found else ""
    if any(map(is_journal, known)):
        return ""
    return next((doi for doi in found if is_journal(doi)), "")
