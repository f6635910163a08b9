"""A paper as pages show it: the one value behind the partial ``paper.html``."""

from dataclasses import dataclass
from datetime import date

from service.delivery.links import Links
from service.digest.model import Marked
from service.pages.templates import web_address
from service.papers.model import Paper

_NOTHING = Marked("")


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperEntry:
    """href: where the title leads · discuss: where the comments are · links: kind -> address ·
    near: the day of the reader; dates of another year say it · passage: of the abstract, marked ·
    language: of the paper, where its source says it.

    All addresses are http(s) or our own. Kinds are those of ``papers.model.Link``.
    """

    title: Marked
    href: str
    authors: tuple[str, ...] = ()
    dated_on: date | None = None
    near: date | None = None
    place: str = ""
    votes: int | None = None
    comments: int | None = None
    discuss: str = ""
    here: int = 0
    submitted_by: str = ""
    author_takes_part: bool = False
    abstract: Marked = _NOTHING
    passage: Marked = _NOTHING
    summary_line: str = ""
    note: str = ""
    withdrawn: bool = False
    language: str = ""
    links: tuple[tuple[str, str], ...] = ()


_ORDER = ("abs", "html", "pdf", "doi", "code", "project")


def entry_of(
    paper: Paper,
    links: Links,
    *,
    title: Marked | None = None,
    abstract: Marked | None = None,
    passage: Marked = _NOTHING,
    here: int = 0,
    submitted_by: str = "",
    author_takes_part: bool = False,
    place: str = "",
    near: date | None = None,
) -> PaperEntry:
    """Make the entry of a paper; ``title`` and ``abstract`` when they carry marks.

    place: said where the paper has no category · here: votes of this house's readers.
    """
    found = ((kind, web_address(paper.links.get(kind))) for kind in _ORDER)
    return PaperEntry(
        title=title or Marked(paper.title),
        href=links.paper(paper.key.scheme, paper.key.value),
        authors=paper.authors,
        dated_on=paper.published_on or paper.announced_on,
        near=near,
        place=paper.categories[0] if paper.categories else place,
        votes=paper.votes,
        comments=paper.comments,
        discuss=web_address(paper.links.get("discuss")),
        here=here,
        submitted_by=submitted_by,
        author_takes_part=author_takes_part,
        abstract=abstract or Marked(paper.abstract),
        passage=passage,
        summary_line=paper.summary_line,
        note=paper.note,
        withdrawn=paper.withdrawn,
        language=paper.language,
        links=tuple((kind, address) for kind, address in found if address),
    )
