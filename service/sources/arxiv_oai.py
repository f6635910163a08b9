"""arXiv's records by the day of their last change (OAI-PMH, ``oaipmh.arxiv.org/oai``). Pure.

https://info.arxiv.org/help/oa/index.html. Sets are GROUP:ARCHIVE:CATEGORY; new papers are there
once they are announced (about 22:30 Eastern, the next day in UTC). The datestamp says when a record
changed, never when a paper was new: that is told by its id, since arXiv gives ids at the
announcement and in order (see ``arxiv_announced``). Pages hold about 1300 records.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import quote
from xml.etree.ElementTree import Element  # nosec B405

from service.defaults import FIXED
from service.papers.identity import aliases, arxiv_id
from service.papers.model import Paper, Sighting
from service.sources.adapter import Adapter, CaptureError, Parameter, Parsed, Problem, Request
from service.sources.arxiv_announced import month_of
from service.sources.arxiv_days import QUERIES
from service.sources.arxiv_rss import ArxivRss
from service.sources.authors import arxiv_authors
from service.sources.document import written_day
from service.sources.first_hand import RECORDED
from service.sources.links import links_of, said_links
from service.sources.oai_xml import envelope, under, words
from service.sources.withdrawal import is_withdrawn
from service.text.clean import as_written, collapse
from service.text.tex import to_unicode

_ADDRESS = "https://oaipmh.arxiv.org/oai"
_TELL = "Give this kind what oaipmh.arxiv.org/oai?verb=ListRecords&metadataPrefix=arXiv sends."
_GROUPS = ("cs", "econ", "eess", "math", "physics", "q-bio", "q-fin", "stat")
_NAME = r"[a-z][a-z-]*(?::[a-z][a-z-]*(?::[A-Za-z][A-Za-z-]*)?)?"
_RSS = ArxivRss()


class ArxivOai(Adapter):
    """The records of a set that changed; also what was announced on days that were missed."""

    kind = "arxiv_oai"
    title = "arXiv records"
    about = "What changed in a set of arXiv's records: to bring in the past, or a whole archive."
    parameters = (
        Parameter(
            "set", "set of records", "cs:cs:AI", pattern=rf"{_NAME}(?:\+{_NAME})*",
            hint="A category (cs.AI), an archive (hep-th), a group (physics) or arXiv's own"
            " name of a set; several are joined by +.",
        ),
        Parameter(
            "format", "form of the records", "arXiv", required=False, default="arXiv",
            choices=(("arXiv", "authors apart"), ("arXivRaw", "with submitter and versions")),
        ),
    )  # fmt: skip
    rhythm = QUERIES
    politeness = "arxiv"
    history_kind = "arxiv_oai"
    first_hand = RECORDED

    def called(self, params: Mapping[str, str]) -> str:
        """Name it by its sets."""
        return f"{self.title} {params['set']}"[:200]

    def tidied(self, name: str, value: str) -> str:
        """cs.AI -> cs:cs:AI, hep-th -> physics:hep-th; what has a colon stays."""
        return "+".join(map(set_of, value.split("+"))) if name == "set" else value

    def requests(
        self, params: Mapping[str, str], *, today: date, days: tuple[date, ...] = ()
    ) -> tuple[Request, ...]:
        """Ask for what changed since yesterday, or from the first to the last of the days.

        arXiv advises against an end: a poll has none.
        """
        first = min(days) if days else today - timedelta(days=1)
        window = f"&from={first}" + (f"&until={max(days)}" if days else "")
        asked = f"{_ADDRESS}?verb=ListRecords&metadataPrefix={params.get('format', 'arXiv')}"
        return tuple(
            Request(f"{asked}&set={name}{window}", max(days, default=today))
            for name in params["set"].split("+")
        )

    def next_page(self, request: Request, parsed: Parsed) -> Request | None:
        """The token alone says what follows."""
        if not parsed.bookmark:
            return None
        token = quote(parsed.bookmark, safe="")
        return Request(f"{_ADDRESS}?verb=ListRecords&resumptionToken={token}", request.day)

    def parse(self, body: bytes, *, day: date | None = None) -> Parsed:
        """Read one page. ``day`` says nothing here: every record has its own dates."""
        read = envelope(body, _TELL)
        for code, said in read.errors:
            if code != "noRecordsMatch":
                what = f"arXiv answered with an error: {code}: {said[:300]}"
                raise CaptureError(what, "", _TELL)
        sightings: list[Sighting] = []
        problems = [*read.problems]
        for number, record in enumerate(read.records, start=1):
            if any(header.get("status") == "deleted" for header in under(record, "header")):
                continue
            try:
                sightings.append(_sighting(record))
            except (LookupError, TypeError, ValueError, AttributeError) as fault:
                title = words(record, "header", "identifier")
                problems.append(Problem(number, collapse(title)[:200], str(fault)))
        return Parsed(
            len(read.records),
            tuple(sightings),
            tuple(problems),
            title=self.title,
            built_at=read.made_at,
            is_cut=read.is_cut,
            bookmark=read.bookmark,
        )


def set_of(name: str) -> str:
    """Return arXiv's set for a category, an archive or a group."""
    name = name.strip()
    if ":" in name:
        return name
    archive, _, subject = _RSS.tidied("category", name).partition(".")
    if not subject:
        return archive if archive in _GROUPS else f"physics:{archive}"
    group = archive if archive in _GROUPS else "physics"
    return f"{group}:{archive}:{subject}"


def _sighting(record: Element) -> Sighting:
    changed = written_day(words(record, "header", "datestamp"))
    found = [*under(record, "metadata", "arXiv"), *under(record, "metadata", "arXivRaw")]
    if changed is None or not found:
        raise ValueError("it has no datestamp" if changed is None else "it holds no arXiv record")
    entry = found[0]
    identifier = arxiv_id(words(entry, "id")) or arxiv_id(words(record, "header", "identifier"))
    if identifier is None:
        raise ValueError("it has no arXiv id")
    versions = [_version(part) for part in under(entry, "version")]
    paper = _paper(entry, identifier, versions)
    old = changed - timedelta(days=FIXED.old_days)
    return Sighting(
        paper=paper,
        listed_on=changed,
        announce_type="replace" if month_of(identifier) < old.replace(day=1) else "",
        submitter=to_unicode(words(entry, "submitter")),
        version=len(versions),
    )


def _paper(entry: Element, identifier: str, versions: list[datetime | None]) -> Paper:
    written, summary = words(entry, "title"), words(entry, "abstract")
    title, abstract = to_unicode(written), to_unicode(summary)
    if not title:
        raise ValueError("it has no title")
    authors = _authors(entry)
    comment = to_unicode(words(entry, "comments"))
    journal = to_unicode(words(entry, "journal-ref"))
    first = versions[0].date() if versions and versions[0] else None
    updated = written_day(words(entry, "updated"))
    day_of_update = datetime.combine(updated, time(), UTC) if updated else None
    names = aliases(f"arXiv:{identifier}", words(entry, "doi"), title=title, authors=authors)
    return Paper(
        aliases=names,
        title=title,
        abstract=abstract,
        raw_title=as_written(written),
        raw_abstract=as_written(summary),
        authors=authors,
        categories=tuple(dict.fromkeys(words(entry, "categories").split())),
        published_on=first or written_day(words(entry, "created")),
        updated_at=versions[-1] if len(versions) > 1 else day_of_update,
        links=links_of(names, more=said_links(words(entry, "comments"), summary)),
        note="; ".join(part for part in (comment, journal) if part),
        licence=collapse(words(entry, "license")),
        withdrawn=is_withdrawn(comment, abstract),
    )


def _authors(entry: Element) -> tuple[str, ...]:
    """Names apart (arXiv), or one string of them (arXivRaw)."""
    people = [*under(entry, "authors", "author")]
    if not people:
        return arxiv_authors(re.sub(r",?\s+and\s+", ", ", collapse(words(entry, "authors"))))
    names = []
    for person in people:
        name = to_unicode(f"{words(person, 'forenames')} {words(person, 'keyname')}")
        suffix = collapse(words(person, "suffix"))
        names.append(f"{name}, {suffix}" if name and suffix else name)
    return tuple(name for name in names if name)


def _version(part: Element) -> datetime | None:
    """Return the instant of one version: ``Mon, 2 Apr 2007 19:18:42 GMT``."""
    try:
        return parsedate_to_datetime(words(part, "date").strip()).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None
