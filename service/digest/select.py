"""From candidates to one reader's digest (defaults.md, "What a daily is", 6-8). Pure.

Order of the mail: editors' picks, people, interests (best first), late signals, trending. Ten
papers in full over the whole mail, thirty more as one line, the rest counted; every one of them
counts as sent.
Of papers of nearly the same text one is shown in full, whatever sections they stand in: the others
come after those that are. Equal scores are in the order of the papers' names, which is the same in
every database.
"""

from collections.abc import Hashable, Iterable, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import cast

from service.defaults import Defaults
from service.digest.candidate import Candidate, Interest, NothingNew, asks_of
from service.digest.entries import Style, entry_of, line_of
from service.digest.model import (
    AddedBy,
    Digest,
    DigestKind,
    Entry,
    Section,
    SectionKind,
    Signal,
)
from service.digest.signals import section_of
from service.digest.trending import popular
from service.matching.likeness import Gathered, apart

_ORDER: dict[SectionKind, int] = {
    "picks": -1,
    "people": 0,
    "chosen": 1,
    "interest": 2,
    "signals": 3,
    "trending": 4,
}


@dataclass(slots=True)
class _Group:
    """A section being filled: its papers best first."""

    interest: Interest
    kind: SectionKind
    found: list["_Found"] = field(default_factory=list)

    @property
    def rank(self) -> tuple[int, float, int]:
        best = -self.found[0].best.score if self.found else 0.0
        return _ORDER[self.kind], best, self.interest.profile_id


@dataclass(frozen=True, slots=True)
class _Found:
    """One paper: the candidate it stands for, and those of the other interests.

    place: in its group, from 0 · standing: its score, but at most that of the papers above it
    there: one that was put behind others (see ``apart``) competes with them no more.
    """

    best: Candidate
    others: tuple[Candidate, ...] = ()
    standing: float = 0.0
    place: int = 0


def compose(
    kind: DigestKind,
    on: date,
    interests: Sequence[Interest],
    candidates: Sequence[Candidate],
    trending: Sequence[Candidate] = (),
    *,
    checked: int,
    limits: Defaults,
    late: Sequence[str] = (),
    read_from: Sequence[str] = (),
    style: Style = "short",
    note: str = "",
    added_by: AddedBy | None = None,
    since: date | None = None,
    rest_on: date | None = None,
    list_on: date | None = None,
    signals: Sequence[Signal] = (),
    picks: Sequence[Candidate] = (),
    entries: MutableMapping[Hashable, Entry] | None = None,
) -> Digest | NothingNew:
    """Return what this reader gets.

    trending: every listed paper that this reader has not had, of the last list days; order, cut
        and what stands above are seen to here.
    checked: papers compared · late: titles of late sources, read_from: of those that were read
        meanwhile · since: first day covered · rest_on: first day that is left to the daily pages ·
        list_on: the newest day with a list, where ``on`` has none.
    signals: later events of papers that were sent; they stand after the interests, and a mail may
        hold them alone.
    picks: what the editors picked for the day and the reader has not had, in their order: above
        all, each with the words of the interests that want it, too. A pick that nobody's words
        want makes no mail.
    entries: those made before with the same papers and limits; new ones are added.
    A first digest shows only the best few; what it leaves out is not in it at all, so that new
    papers come in the next daily.
    Raises KeyError when a candidate names a profile that is not among ``interests``.
    """
    names = {i.profile_id: i.name for i in interests}
    picked, others = _picked(picks, candidates)
    groups = _groups(interests, others, limits)
    wanted = [found for found in picked if found.others]
    matched = sum(len(g.found) for g in groups) + len(wanted)
    if kind == "first":
        _keep_best(groups, limits.first_papers)
    above = {f.best.paper.id for g in groups for f in g.found}
    liked = popular(trending, on, limits, without=above)
    if kind == "first":
        liked = liked[: max(0, limits.first_papers - len(above))]
    groups = sorted((g for g in groups if g.found), key=lambda g: g.rank)
    news = section_of(signals)
    if not (groups or liked or wanted) and news is None:
        return NothingNew("nothing_new", checked, asks=asks_of(interests))
    if picked:
        groups.insert(0, _Group(Interest(0, ""), "picks", picked))
    picked_ids = {found.best.paper.id for found in picked}
    if liked := [c for c in liked if c.paper.id not in picked_ids]:
        groups.append(_Group(Interest(0, ""), "trending", [_Found(c) for c in liked]))
    sections = _sections(groups, names, limits, style, {} if entries is None else entries)
    if news is not None:
        at = len(sections) - bool(liked)
        sections = (*sections[:at], news, *sections[at:])
    return Digest(
        kind=kind,
        on=on,
        checked=checked,
        matched=matched,
        sections=sections,
        since=since,
        late=tuple(late),
        read_from=tuple(read_from),
        note=note,
        added_by=added_by,
        interests=sum(1 for i in interests if i.kind != "trending"),
        rest_on=rest_on,
        list_on=list_on,
        asks=asks_of(interests),
    )


def _picked(
    picks: Sequence[Candidate], candidates: Sequence[Candidate]
) -> tuple[list[_Found], list[Candidate]]:
    """The picks, each with the candidates that it has for interests; the other candidates."""
    ids = {pick.paper.id for pick in picks}
    wanted: dict[int, list[Candidate]] = {}
    for one in candidates:
        if one.paper.id in ids:
            wanted.setdefault(one.paper.id, []).append(one)
    found = [_Found(pick, tuple(wanted.get(pick.paper.id, ()))) for pick in picks]
    return found, [one for one in candidates if one.paper.id not in ids]


def _groups(
    interests: Sequence[Interest], candidates: Iterable[Candidate], limits: Defaults
) -> list[_Group]:
    groups = {
        i.profile_id: _Group(i, _section_kind(i.kind)) for i in interests if i.kind != "trending"
    }
    by_paper: dict[int, list[Candidate]] = {}
    for candidate in candidates:
        by_paper.setdefault(candidate.paper.id, []).append(candidate)
    for same in by_paper.values():
        same.sort(key=lambda c: (-c.score, _ORDER[groups[c.profile_id].kind], c.profile_id))
        groups[same[0].profile_id].found.append(_Found(same[0], tuple(same[1:])))
    for group in groups.values():
        group.found.sort(key=_by_score)
        if group.kind != "chosen":
            group.found = _apart(group.found, limits)
    return list(groups.values())


def _apart(found: Sequence[_Found], limits: Defaults) -> list[_Found]:
    """Papers of nearly the same text, one behind the places that are shown in full."""
    shown = limits.full_entries + limits.line_entries
    window = max(1, limits.full_entries - 1)
    placed: list[_Found] = []
    lowest = float("inf")
    for one in apart(found, lambda f: f.best.likeness, window=window, places=shown):
        lowest = min(lowest, one.best.score)
        placed.append(replace(one, standing=lowest, place=len(placed)))
    return placed


def _by_score(found: _Found) -> tuple[float, tuple[str, str]]:
    return -found.best.score, _name(found)


def _by_standing(found: _Found) -> tuple[float, int, tuple[str, str]]:
    return -found.standing, found.place, _name(found)


def _name(found: _Found) -> tuple[str, str]:
    return found.best.paper.key.scheme, found.best.paper.key.value


def _section_kind(kind: str) -> SectionKind:
    if kind == "follow":
        return "people"
    return cast(SectionKind, kind) if kind in ("chosen", "signals", "people") else "interest"


def _keep_best(groups: Iterable[_Group], n: int) -> None:
    ranked = sorted((f for g in groups for f in g.found), key=_by_standing)
    best = apart(ranked, lambda f: f.best.likeness, window=max(1, n - 1), places=n)[:n]
    kept = {f.best.paper.id for f in best}
    for group in groups:
        group.found = [f for f in group.found if f.best.paper.id in kept]


def _sections(
    groups: Sequence[_Group],
    names: dict[int, str],
    limits: Defaults,
    style: Style,
    made: MutableMapping[Hashable, Entry],
) -> tuple[Section, ...]:
    full, lines = _places(groups, limits)
    result = []
    for group in groups:
        ids = [f.best.paper.id for f in group.found]
        result.append(
            Section(
                kind=group.kind,
                name=group.interest.name,
                profile_id=group.interest.profile_id or None,
                since=group.interest.since,
                total=len(ids),
                entries=tuple(
                    entry_of(f.best, f.others, names, limits, style, made)
                    for f in group.found
                    if f.best.paper.id in full
                ),
                lines=tuple(
                    line_of(f.best, f.others) for f in group.found if f.best.paper.id in lines
                ),
                rest=tuple(i for i in ids if i not in full and i not in lines),
            )
        )
    return tuple(result)


@dataclass(slots=True)
class _Room:
    """The places in full of one mail. taken: how many of them are each group's."""

    limits: Defaults
    full: set[int] = field(default_factory=set)
    shown: Gathered = field(default_factory=Gathered)
    taken: dict[int, int] = field(default_factory=dict)

    def has(self, at: int, group: _Group) -> bool:
        cap = group.interest.cap
        is_free = len(self.full) < self.limits.full_entries
        return is_free and (cap is None or self.taken.get(at, 0) < cap)

    def is_like(self, found: _Found, group: _Group) -> bool:
        """Whether nearly the same is shown in full; an editor's choice is his own."""
        likeness = found.best.likeness
        if likeness is None or group.kind in ("chosen", "picks"):
            return False
        return self.shown.has_like(likeness)

    def give(self, at: int, found: _Found) -> None:
        self.full.add(found.best.paper.id)
        self.taken[at] = self.taken.get(at, 0) + 1
        if found.best.likeness is not None:
            self.shown.add(found.best.likeness)


def _places(groups: Sequence[_Group], limits: Defaults) -> tuple[set[int], set[int]]:
    """Return the ids shown in full and as a line.

    What the editors picked comes first. The best paper of each section comes before everybody's
    second, so that a broad interest does not push a narrow one out of sight; then people, interests
    by score, then what is nearly the same as a paper shown in full, trending.
    """
    room = _Room(limits)
    for at, group in enumerate(groups):
        for found in group.found if group.kind == "picks" else ():
            if room.has(at, group):
                room.give(at, found)
    asked = [(at, g) for at, g in enumerate(groups) if g.kind not in ("trending", "picks")]
    for at, group in sorted(asked, key=lambda pair: (-pair[1].found[0].standing, pair[0])):
        first = next((f for f in group.found if not room.is_like(f, group)), None)
        if first is not None and room.has(at, group):
            room.give(at, first)
    queue = sorted(
        (0 if place == 0 else 1, min(_ORDER[g.kind], 2) if place else 0, -f.standing, at, place)
        for at, g in asked
        for place, f in enumerate(g.found)
    )
    ordered = [(at, groups[at].found[place]) for *_, at, place in queue]
    ordered += [
        (at, f) for at, g in enumerate(groups) if g.kind in ("trending", "picks") for f in g.found
    ]
    for may_be_like in (False, True):
        for at, found in ordered:
            group = groups[at]
            if group.kind == "trending" and not may_be_like:
                continue
            if found.best.paper.id in room.full or not room.has(at, group):
                continue
            if may_be_like or not room.is_like(found, group):
                room.give(at, found)
    left = [f.best.paper.id for _, f in ordered if f.best.paper.id not in room.full]
    return room.full, set(left[: limits.line_entries])
