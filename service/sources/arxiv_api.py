"""arXiv's query interface: ``https://export.arxiv.org/api/query`` (Atom). Pure.

https://info.arxiv.org/help/api/user-manual.html. An error is one entry titled "Error"; an unknown
id is an answer without entries. ``published`` is version 1, ``updated`` the newest version.
"""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from service.papers.identity import aliases, arxiv_id, arxiv_version
from service.papers.model import Paper, Sighting
from service.sources.adapter import Adapter, CaptureError, Parameter, Parsed, Problem, Request
from service.sources.arxiv_days import QUERIES
from service.sources.authors import listed_authors
from service.sources.document import feed_document, feed_problems, instant, is_cut, updated_at
from service.sources.first_hand import RECORDED
from service.sources.links import links_of, said_links
from service.sources.withdrawal import is_withdrawn
from service.text.clean import as_written, collapse, html_to_text
from service.text.tex import to_unicode

_ADDRESS = "https://export.arxiv.org/api/query"
_PAGE = 200
_NEXT_PAGE = 500
_DEEPEST = timedelta(days=14)
"""A poll goes no further back: as far as days of an outage are caught up."""

_TELL = "Give this kind what export.arxiv.org/api/query sends."


class ArxivApi(Adapter):
    """The newest papers of a query in arXiv's own language; also the past of ``arxiv_rss``."""

    kind = "arxiv_api"
    title = "arXiv query"
    about = "The newest papers of a query in arXiv's own language."
    parameters = (
        Parameter(
            "query", "arXiv query", "cat:cs.CL AND abs:retrieval",
            hint="Fields: cat, ti, au, abs, all; joined by AND, OR, ANDNOT.",
        ),
    )  # fmt: skip
    rhythm = QUERIES
    politeness = "arxiv"
    history_kind = "arxiv_api"
    newest_first = True
    first_hand = RECORDED

    def called(self, params: Mapping[str, str]) -> str:
        """Name it by its query."""
        return f"{self.title}: {params['query']}"[:200]

    def requests(
        self, params: Mapping[str, str], *, today: date, days: tuple[date, ...] = ()
    ) -> tuple[Request, ...]:
        """Ask for the newest submissions, or for all submitted from the first to the last day."""
        query = params["query"]
        if not days:
            return (_slice(query, 0, _PAGE, None),)
        first, last = min(days), max(days)
        window = f"submittedDate:[{first:%Y%m%d}0000 TO {last:%Y%m%d}2359]"
        return (_slice(f"({query}) AND {window}", 0, _NEXT_PAGE, first),)

    def next_page(self, request: Request, parsed: Parsed) -> Request | None:
        """The past is read to its end, a poll two weeks deep at most (and no further than to a page
        without news, see ``newest_first``): a day of a large category is more than a page."""
        asked = parse_qs(urlsplit(request.url).query)
        if "search_query" not in asked:
            return None
        if not parsed.items or (request.day is None and _is_deep(parsed)):
            return None
        start = int(asked["start"][0]) + parsed.items
        if start >= (parsed.total or 0):
            return None
        return _slice(asked["search_query"][0], start, _NEXT_PAGE, request.day)

    def parse(self, body: bytes, *, day: date | None = None) -> Parsed:
        """Read one slice. ``day`` says nothing here: every entry has its own dates."""
        document = feed_document(body, _TELL)
        entries = document.entries
        if len(entries) == 1 and collapse(str(entries[0].get("title", ""))) == "Error":
            what = html_to_text(str(entries[0].get("summary", "")))
            raise CaptureError(f"arXiv answered with an error: {what[:300]}", "", _TELL)
        name = collapse(document.feed.get("title", ""))
        if name.lower().endswith("updates on arxiv.org"):
            what = "This is an announcement of arXiv, no answer of its query interface."
            raise CaptureError(what, name[:200], "The kind arxiv_rss reads it.")
        sightings: list[Sighting] = []
        problems = [*feed_problems(body, document)]
        for number, entry in enumerate(entries, start=1):
            try:
                version = arxiv_version(str(entry.get("id", "")))
                sightings.append(Sighting(paper=_paper(entry), version=version))
            except (LookupError, TypeError, ValueError, AttributeError) as fault:
                title = collapse(str(entry.get("title", "")))[:200]
                problems.append(Problem(number, title, str(fault)))
        total = str(document.feed.get("opensearch_totalresults", ""))
        return Parsed(
            len(entries),
            tuple(sightings),
            tuple(problems),
            title=name,
            built_at=updated_at(document.feed),
            total=int(total) if total.isdecimal() else None,
            is_cut=is_cut(body, document),
        )


def by_id(identifier: str) -> Request:
    """Ask for one paper by its id."""
    return Request(f"{_ADDRESS}?{urlencode({'id_list': identifier, 'max_results': 1})}")


def request_of(number: str) -> Request:
    """What asks for one paper by its arXiv id."""
    return Request(f"{_ADDRESS}?{urlencode({'id_list': number, 'max_results': 1})}")


def _is_deep(parsed: Parsed) -> bool:
    """Whether the last paper of an answer is too old for what follows to be news."""
    last = parsed.sightings[-1].paper.published_on if parsed.sightings else None
    if last is None or parsed.built_at is None:
        return True
    return parsed.built_at.date() - last > _DEEPEST


def _slice(query: str, start: int, size: int, day: date | None) -> Request:
    asked = urlencode(
        {
            "search_query": query,
            "start": start,
            "max_results": size,
            "sortBy": "submittedDate",
            "sortOrder": "descending",
        }
    )
    return Request(f"{_ADDRESS}?{asked}", day)


def _paper(entry: Any) -> Paper:
    identifier = arxiv_id(str(entry.get("id", "")))
    if identifier is None:
        raise ValueError("it has no arXiv id")
    written, summary = str(entry.get("title", "")), str(entry.get("summary", ""))
    title = to_unicode(written)
    if not title:
        raise ValueError("it has no title")
    abstract = to_unicode(summary)
    authors = listed_authors(str(author.get("name", "")) for author in entry.get("authors", []))
    journal = to_unicode(str(entry.get("arxiv_journal_ref", "")))
    written_comment = str(entry.get("arxiv_comment", ""))
    comment = to_unicode(written_comment)
    published = instant(entry.get("published_parsed"))
    names = aliases(
        f"arXiv:{identifier}", str(entry.get("arxiv_doi", "")), title=title, authors=authors
    )
    return Paper(
        aliases=names,
        title=title,
        abstract=abstract,
        raw_title=as_written(written),
        raw_abstract=as_written(summary),
        authors=authors,
        categories=_categories(entry),
        published_on=published.date() if published else None,
        updated_at=updated_at(entry),
        links=links_of(names, more=said_links(written_comment, summary)),
        note="; ".join(part for part in (comment, journal) if part),
        withdrawn=is_withdrawn(comment, abstract),
    )


def _categories(entry: Any) -> tuple[str, ...]:
    """The primary one first; MSC and ACM classes come as one term of many ("05C10, 57M15")."""
    primary = entry.get("arxiv_primary_category") or {}
    terms = [str(primary.get("term") or "")]
    terms += [str(tag.get("term") or "") for tag in entry.get("tags", [])]
    names = (collapse(name) for term in terms for name in re.split("[,;]", term))
    return tuple(dict.fromkeys(name for name in names if name))
