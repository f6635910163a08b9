"""arXiv's daily announcements: RSS 2.0, Atom and the RDF of before 2024. Pure.

https://info.arxiv.org/help/rss_specifications.html. The feed holds one day; ``pubDate`` is the day
of the announcement (midnight Eastern), not of the submission.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, cast

from service.papers.identity import aliases, arxiv_id, arxiv_version
from service.papers.model import AnnounceType, Paper, Sighting
from service.sources.adapter import (
    Adapter,
    CaptureError,
    Parameter,
    Parsed,
    Problem,
    Request,
)
from service.sources.arxiv_days import ANNOUNCEMENTS
from service.sources.authors import arxiv_authors
from service.sources.document import (
    feed_document,
    feed_problems,
    is_cut,
    updated_at,
    written_day,
)
from service.sources.first_hand import ANNOUNCED
from service.sources.links import links_of, said_links
from service.sources.withdrawal import is_withdrawn
from service.text.clean import as_written, collapse, html_to_text
from service.text.tex import to_unicode

MOST_ITEMS = 2000
"""arXiv cuts a longer announcement, and cuts the new ones first."""

_CATEGORY = (
    r"(?:[a-z][a-z-]+\.[A-Za-z][A-Za-z-]+|hep-(?:ex|lat|ph|th)|gr-qc|math-ph|nucl-(?:ex|th)"
    r"|quant-ph)"
)
_TELL = "Give this kind what rss.arxiv.org/rss/CATEGORY or /atom/CATEGORY sends."
_HEAD = re.compile(
    r"^\s*arXiv:(?P<id>\S+)\s+Announce Type:\s*(?P<type>[a-z-]+)\s*(?:Abstract:\s*)?", re.I
)
_OLD_TITLE = re.compile(
    r"\.?\s*\(arXiv:(?P<id>\S+?)\s+\[(?P<category>[^\]]+)\](?P<mark>[A-Z ]*)\)\s*$"
)
_VERSION = re.compile(r"v([2-9]|[1-9]\d+)$")
_TYPES = ("new", "cross", "replace", "replace-cross")
_UPPER = {"cs", "math", "stat", "eess", "econ", "q-bio", "q-fin", "astro-ph"}
"""Archives whose subjects are written in capitals (cs.CL); physics writes them small."""


class ArxivRss(Adapter):
    """One or several categories of one day's announcement."""

    kind = "arxiv_rss"
    title = "arXiv announcements"
    about = "What arXiv announces in a category on a weekday, in one batch after midnight Eastern."
    parameters = (
        Parameter(
            "category", "arXiv category", "cs.CL", pattern=rf"{_CATEGORY}(?:\+{_CATEGORY})*",
            hint="Several are joined by +. arxiv.org/category_taxonomy lists them.",
        ),
        Parameter(
            "take", "which announcements to take", "new+cross", required=False,
            default="new+cross",
            choices=(("new+cross", "new and cross-listed papers"), ("new", "new papers alone")),
        ),
    )  # fmt: skip
    rhythm = ANNOUNCEMENTS
    politeness = "arxiv"
    history_kind = "arxiv_api"
    missed_kind = "arxiv_oai"
    first_hand = ANNOUNCED

    def called(self, params: Mapping[str, str]) -> str:
        """Name it by its categories."""
        return f"arXiv {params['category']}"

    def tidied(self, name: str, value: str) -> str:
        """cs.cl -> cs.CL: arXiv answers to both, but a paper's own categories are compared."""
        return "+".join(map(_spelt, value.split("+"))) if name == "category" else value

    def requests(
        self, params: Mapping[str, str], *, today: date, days: tuple[date, ...] = ()
    ) -> tuple[Request, ...]:
        """Ask for today's announcement; the feed has no past (see ``history_kind``)."""
        if days:
            return ()
        return (Request(f"https://rss.arxiv.org/rss/{params['category']}"),)

    def wanted(self, params: Mapping[str, str], sighting: Sighting) -> bool:
        """Take cross-lists only where the source is set so; replacements refresh metadata."""
        return params.get("take", "new+cross") != "new" or "cross" not in sighting.announce_type

    def categories(self, params: Mapping[str, str]) -> tuple[str, ...]:
        """A paper stands in the list of each of its categories."""
        return tuple(params.get("category", "").split("+")) if params.get("category") else ()

    def takes_all_of(self, params: Mapping[str, str]) -> tuple[str, ...]:
        """Without cross-lists some papers of a category come by another source."""
        return () if params.get("take") == "new" else self.categories(params)

    def wanted_of_past(self, params: Mapping[str, str], sighting: Sighting) -> bool:
        """Tell a cross-list by its primary category: the API has no announce type."""
        primary = sighting.paper.categories[:1]
        is_cross = bool(primary) and primary[0] not in params.get("category", "").split("+")
        return not (params.get("take") == "new" and is_cross)

    def history_params(self, params: Mapping[str, str]) -> dict[str, str]:
        """Ask the API for the same categories."""
        names = params["category"].split("+")
        return {"query": " OR ".join(f"cat:{name}" for name in names)}

    def missed_params(self, params: Mapping[str, str]) -> dict[str, str]:
        """Ask for the records of the same categories: they know what moderation held, too."""
        return {"set": params["category"]}

    def parse(self, body: bytes, *, day: date | None = None) -> Parsed:
        """Read one announcement."""
        document = feed_document(body, _TELL)
        name = collapse(document.feed.get("title", ""))
        if name.lower().startswith("feed error for query"):
            what = html_to_text(document.feed.get("subtitle", "") or name)
            raise CaptureError(f"arXiv answered with an error: {what[:300]}", name, _TELL)
        if name.lower().startswith("arxiv query"):
            what = "This is an answer of arXiv's query interface, no announcement."
            raise CaptureError(what, name[:200], "The kind arxiv_api reads it.")
        listed_on = day or _listed_on(document)
        sightings: dict[str, Sighting] = {}
        problems = [*feed_problems(body, document)]
        for number, entry in enumerate(document.entries, start=1):
            try:
                sighting = _sighting(entry, day, listed_on)
                sightings.setdefault(sighting.paper.key.value, sighting)
            except (LookupError, TypeError, ValueError, AttributeError) as fault:
                title = collapse(str(entry.get("title", "")))[:200]
                problems.append(Problem(number, title, str(fault)))
        if len(document.entries) >= MOST_ITEMS:
            problems.append(
                Problem(0, "", f"the list is full ({MOST_ITEMS} items); arXiv may have cut it")
            )
        return Parsed(
            len(document.entries),
            tuple(sightings.values()),
            tuple(problems),
            title=name,
            built_at=updated_at(document.feed),
            is_cut=is_cut(body, document),
        )


def _listed_on(document: Any) -> date | None:
    """Return the announcement day that the channel names."""
    feed = document.feed
    if feed.get("published"):
        return written_day(feed["published"])
    updated = str(feed["updated"]) if "updated" in feed else ""
    if document.version == "rss10":
        return _old_day(updated)
    return written_day(updated)


def _old_day(text: str) -> date | None:
    """The old RDF was made at 20:30 Eastern for the listing of the next day."""
    try:
        made_at = datetime.fromisoformat(text)
    except ValueError:
        return written_day(text)
    return made_at.date() + timedelta(days=made_at.hour >= 20)


def _sighting(entry: Any, day: date | None, listed_on: date | None) -> Sighting:
    written = str(entry.get("title", ""))
    summary = str(entry.get("summary", ""))
    old = _OLD_TITLE.search(written)
    head = _HEAD.match(summary)
    named = [str(entry.get("id", "")), str(entry.get("link", ""))]
    named += [match["id"] for match in (head, old) if match]
    if not any(arxiv_id(name) or arxiv_id(f"arXiv:{name}") for name in named):
        raise ValueError("it has no arXiv id")
    identifier = next(
        found for name in named if (found := arxiv_id(name) or arxiv_id(f"arXiv:{name}"))
    )
    raw_title = written[: old.start()] if old else written
    title = to_unicode(html_to_text(raw_title) if old else raw_title)
    if not title:
        raise ValueError("it has no title")
    raw_abstract = summary[head.end() :] if head else summary
    abstract = to_unicode(html_to_text(raw_abstract) if old else raw_abstract)
    announce = _announce_type(entry, head, old, named)
    date_text = str(entry.get("published", "") or "")
    day = day or written_day(date_text) or listed_on
    authors = arxiv_authors(str(entry.get("author", "")))
    names = aliases(
        f"arXiv:{identifier}", str(entry.get("arxiv_doi", "")), title=title, authors=authors
    )
    paper = Paper(
        aliases=names,
        title=title,
        abstract=abstract,
        raw_title=as_written(raw_title),
        raw_abstract=as_written(raw_abstract),
        authors=authors,
        categories=_categories(entry, old),
        announced_on=day,
        links=links_of(names, more=said_links("", raw_abstract)),
        note=to_unicode(str(entry.get("arxiv_journal_reference", ""))),
        licence=collapse(str(entry.get("rights", ""))),
        withdrawn=is_withdrawn("", abstract),
    )
    version = max(map(arxiv_version, named))
    return Sighting(paper=paper, listed_on=day, announce_type=announce, version=version)


def _announce_type(
    entry: Any, head: re.Match[str] | None, old: re.Match[str] | None, named: list[str]
) -> AnnounceType:
    """Return arXiv's word; where it is missing a version above 1 tells a replacement."""
    said = str(entry.get("arxiv_announce_type", "") or (head["type"] if head else "")).strip()
    if said.lower() in _TYPES:
        return cast(AnnounceType, said.lower())
    if old:
        mark = old["mark"]
        return "replace" if "UPDATED" in mark else "cross" if "CROSS" in mark else "new"
    return "replace" if any(_VERSION.search(name) for name in named) else "new"


def _categories(entry: Any, old: re.Match[str] | None) -> tuple[str, ...]:
    names = [collapse(str(tag.get("term") or "")) for tag in entry.get("tags", [])]
    if old:
        names.insert(0, old["category"].strip())
    return tuple(dict.fromkeys(name for name in names if name))


def _spelt(name: str) -> str:
    archive, dot, subject = name.strip().partition(".")
    if archive.lower() in _UPPER and len(subject) <= 2:
        subject = subject.upper()
    return f"{archive.lower()}{dot}{subject}"
