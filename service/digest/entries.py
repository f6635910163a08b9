"""A paper as a mail shows it, in full or as a line, with why it is there. Pure."""

from collections.abc import Hashable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from typing import Literal, cast, get_args

from service.defaults import Defaults
from service.digest import excerpt
from service.digest.candidate import Candidate, HitLike
from service.digest.model import Entry, Field, Line, Marked, Reason
from service.digest.people import named

Style = Literal["short", "full", "none", "summary"]
"""summary: the source's machine-made line where there is one, else short."""

NAME_CHARS, LINK_CHARS = 120, 2000
"""Longer names of authors and places, and longer addresses, are faults of a source: one paper must
not take the room of the others."""

_FIELDS = frozenset(get_args(Field))


def entry_of(
    best: Candidate,
    others: Sequence[Candidate],
    names: Mapping[int, str],
    limits: Defaults,
    style: Style,
    made: MutableMapping[Hashable, Entry],
) -> Entry:
    """The paper of a candidate in full. others: the candidates that it has for other interests ·
    names: of interests · made: entries of the same papers and limits; the same one is made once."""
    key = (
        best.paper.id, best.place, style, best.hits, best.score, tuple(best.parts.items()),
        best.again, *[(names[c.profile_id], c.hits, c.again) for c in others],
    )  # fmt: skip
    if key not in made:
        made[key] = _entry(best, others, names, limits, style)
    return made[key]


def _entry(
    best: Candidate,
    others: Sequence[Candidate],
    names: Mapping[int, str],
    limits: Defaults,
    style: Style,
) -> Entry:
    paper = best.paper
    ranges = {
        where: [(h.start, h.end) for c in (best, *others) for h in c.hits if h.where == where]
        for where in ("title", "abstract", "authors")
    }
    told = _machine_line(paper.summary_line, limits) if style == "summary" else ""
    return Entry(
        paper_id=paper.id,
        scheme=paper.key.scheme,
        value=paper.key.value,
        title=excerpt.title(paper.title, ranges["title"]),
        abstract=Marked("")
        if told
        else _abstract(paper.abstract, ranges["abstract"], limits, style),
        authors=tuple(map(_bounded, named(paper.authors, ranges["authors"], limits.author_names))),
        author_count=len(paper.authors),
        dated_on=paper.published_on or paper.announced_on,  # the day we saw it is not its own
        place=_bounded(best.place),
        votes=paper.votes,
        comments=paper.comments,
        links={name: url for name, url in paper.links.items() if len(url) <= LINK_CHARS},
        reasons=_reasons((best, *others)),
        also_in=tuple(dict.fromkeys(names[c.profile_id] for c in others)),
        again=best.again or any(c.again for c in others),
        score=best.score,
        parts=dict(best.parts),
        summary_line=told,
        withdrawn=paper.withdrawn,
    )


def _abstract(
    text: str, ranges: Sequence[tuple[int, int]], limits: Defaults, style: Style
) -> Marked:
    if style == "none":
        return Marked("")
    if style == "full":
        return excerpt.full(text, ranges)
    return excerpt.short(text, ranges, limits.abstract_chars)


def _bounded(name: str) -> str:
    return name if len(name) <= NAME_CHARS else name[: NAME_CHARS - 1].rstrip() + "…"


def _machine_line(text: str, limits: Defaults) -> str:
    """The source's own line; of more than a short abstract's length its first sentence."""
    is_line = len(text) <= limits.abstract_chars
    return text if is_line else excerpt.short(text, (), limits.abstract_chars).text


def _reasons(candidates: Iterable[Candidate]) -> tuple[Reason, ...]:
    """Return each term once, with the first place it was found in (title before abstract); of terms
    found at just the same places (agent, agents) the one that is printed there, else the first.
    What stands inside a longer hit (adaptation in low-rank adaptation) is no reason there."""
    texts: dict[str, str] = {}
    found: dict[str, list[HitLike]] = {}
    for candidate in candidates:
        texts = {"title": candidate.paper.title, "abstract": candidate.paper.abstract}
        for hit in _outermost(candidate.hits):
            found.setdefault(hit.term.casefold(), []).append(hit)
    alike: dict[frozenset[tuple[str, int, int]], HitLike] = {}
    for term, hits in found.items():
        first = hits[0]
        printed = texts.get(first.where, "")[first.start : first.end].casefold()
        places = frozenset((hit.where, hit.start, hit.end) for hit in hits)
        if places not in alike or term == printed:
            alike[places] = first
    return tuple(
        Reason(hit.term, cast(Field, hit.where if hit.where in _FIELDS else "abstract"))
        for hit in alike.values()
    )


def _outermost(hits: Iterable[HitLike]) -> Iterator[HitLike]:
    """Yield the hits in order, the title's first, without those inside a longer one."""
    where, widest = "", (0, 0)
    for hit in sorted(hits, key=lambda h: (h.where != "title", h.where, h.start, -h.end)):
        if hit.where != where or hit.end > widest[1]:
            where, widest = hit.where, (hit.start, hit.end)
        if widest == (hit.start, hit.end):
            yield hit


def line_of(best: Candidate, others: Sequence[Candidate]) -> Line:
    """The paper of a candidate as a line."""
    paper = best.paper
    return Line(
        paper_id=paper.id,
        scheme=paper.key.scheme,
        value=paper.key.value,
        title=excerpt.title(
            paper.title,
            [(h.start, h.end) for c in (best, *others) for h in c.hits if h.where == "title"],
        ),
        link=url if len(url := paper.links.get("abs", "")) <= LINK_CHARS else "",
        again=best.again or any(c.again for c in others),
        withdrawn=paper.withdrawn,
    )
