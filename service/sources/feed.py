"""Any feed: RSS 0.9x, RSS 1.0 (RDF), RSS 2.0, Atom and JSON Feed, with PRISM and Dublin Core. Pure.

https://www.rssboard.org/rss-specification, RFC 4287, https://www.jsonfeed.org/version/1.1/.
Journals leave out guid, date or author, escape twice, and put everything into the description.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any
from urllib.parse import urljoin

from service.papers.identity import aliases, arxiv_id, without_tracking
from service.papers.model import Paper, Sighting
from service.sources.adapter import (
    Adapter,
    CaptureError,
    Parameter,
    ParameterError,
    Parsed,
    Problem,
    Request,
)
from service.sources.authors import feed_authors
from service.sources.document import (
    feed_document,
    feed_problems,
    is_cut,
    json_document,
    updated_at,
    written_day,
)
from service.sources.journal import abstract_of, authors_in, bare_title, doi_in
from service.text.clean import as_written, collapse, html_to_text, safe_link
from service.text.tex import to_unicode

_TELL = "Give this kind the bytes of an RSS, Atom, RDF or JSON feed."
_MOST_CATEGORIES = 20
_PERIODS = {"hourly": 3600, "daily": 86400, "weekly": 604800, "monthly": 2592000}


class Feed(Adapter):
    """One feed at one address."""

    kind = "feed"
    title = "Feed"
    about = "Any journal's or site's RSS, Atom or JSON Feed."
    parameters = (
        Parameter(
            "url", "the feed's address", "https://www.nature.com/nature.rss",
            hint="Of the feed itself, not of the page about it.",
        ),
    )  # fmt: skip

    def called(self, params: Mapping[str, str]) -> str:
        """By its address; it takes its own title at the first poll."""
        return params["url"]

    def requests(
        self, params: Mapping[str, str], *, today: date, days: tuple[date, ...] = ()
    ) -> tuple[Request, ...]:
        """Ask for the feed; it has no past."""
        return () if days else (Request(params["url"]),)

    def checked(self, params: Mapping[str, str]) -> dict[str, str]:
        """Take only an http or https address."""
        values = super().checked(params)
        values["url"] = safe_link(values["url"])
        if not values["url"]:
            raise ParameterError(
                "This is no address of a feed.", "url", f"For example: {self.parameters[0].example}"
            )
        return values

    def parse(self, body: bytes, *, day: date | None = None) -> Parsed:
        """Read one feed. ``day`` says nothing here."""
        start = body[:200].lstrip(b"\xef\xbb\xbf \t\r\n")
        if start[:1] == b"{":
            return _json_feed(body)
        document = feed_document(body, _TELL)
        home = str(document.feed.get("link", "") or document.feed.get("id", ""))
        language = collapse(str(document.feed.get("language", "")))
        sightings, problems = _each(
            document.entries, lambda entry: _paper(_fields(entry, document.version), home, language)
        )
        return Parsed(
            len(document.entries),
            sightings,
            (*feed_problems(body, document), *problems),
            title=html_to_text(str(document.feed.get("title", ""))),
            built_at=updated_at(document.feed),
            hint_seconds=_hint(document.feed),
            is_cut=is_cut(body, document),
        )


def _each(
    entries: list[Any], read: Callable[[Any], Paper]
) -> tuple[tuple[Sighting, ...], tuple[Problem, ...]]:
    sightings: list[Sighting] = []
    problems: list[Problem] = []
    for number, entry in enumerate(entries, start=1):
        try:
            sightings.append(Sighting(paper=read(entry)))
        except (LookupError, TypeError, ValueError, AttributeError) as fault:
            title = entry.get("title") if isinstance(entry, Mapping) else ""
            problems.append(Problem(number, html_to_text(str(title or ""))[:200], str(fault)))
    return tuple(sightings), tuple(problems)


def _fields(entry: Any, version: str) -> dict[str, Any]:
    """Return one entry of feedparser under plain names."""
    has_published = "published" in entry
    is_atom = version.startswith("atom")
    dates = [str(entry.get(name, "")) for name in _DATES if name in entry]
    return {
        "title": str(entry.get("title", "")),
        "texts": [
            str(entry.get("summary", "")),
            *(str(content.get("value", "")) for content in entry.get("content", [])),
        ],
        "authors": [
            str(author.get("name", "")) for author in entry.get("authors", []) if author
        ] or [str(entry.get("author", ""))],
        "guid": str(entry.get("id", "")),
        "link": str(entry.get("link", "")),
        "names": [str(entry.get(name, "")) for name in _NAMES],
        "day": next((day for text in dates if (day := written_day(text))), None),
        "updated_at": updated_at(entry) if is_atom and has_published else None,
        "pdf": next(
            (
                str(link.get("href", ""))
                for link in [*entry.get("links", []), *entry.get("enclosures", [])]
                if link.get("type") == "application/pdf"
            ),
            "",
        ),
        "tags": [str(tag.get("term") or "") for tag in entry.get("tags", [])],
        "language": str(entry.get("language", "")),
        "licence": str(entry.get("license", "") or entry.get("rights", "")),
        "journal": str(entry.get("prism_publicationname", "")),
    }  # fmt: skip


_DATES = ("published", "updated", "prism_publicationdate", "prism_coverdate", "created")
_NAMES = ("prism_doi", "arxiv_doi", "dc_doi", "dc_identifier", "prism_url")


def _paper(fields: Mapping[str, Any], home: str, language: str) -> Paper:
    title = bare_title(to_unicode(html_to_text(fields["title"])))
    link = without_tracking(urljoin(safe_link(home), fields["link"].strip()))
    if not title:
        raise ValueError("it has no title")
    texts = [text for text in fields["texts"] if text]
    abstracts = [abstract_of(text, title) for text in texts]
    raw_abstract, abstract = max(
        zip(texts, abstracts, strict=True), key=lambda pair: len(pair[1]), default=("", "")
    )
    authors = feed_authors(fields["authors"])
    if len(authors) < 2:
        listed = feed_authors([next(filter(None, map(authors_in, texts)), "")])
        authors = listed if not authors or authors[0] in listed else authors
    found_doi = next(filter(None, map(doi_in, texts)), "")
    names = aliases(
        *fields["names"], said=found_doi,
        guid=fields["guid"], feed=home, link=link, title=title, authors=authors,
    )  # fmt: skip
    if not names:
        raise ValueError("it has no id, no link, and too short a title to be told from others")
    licence = collapse(fields["licence"])
    return Paper(
        aliases=names,
        title=title,
        abstract=to_unicode(abstract),
        raw_title=as_written(fields["title"]),
        raw_abstract=as_written(raw_abstract),
        authors=authors,
        categories=_categories(fields["tags"]),
        published_on=fields["day"],
        updated_at=fields["updated_at"],
        links=_links(link, names, fields["pdf"]),
        note=html_to_text(fields["journal"]),
        language=collapse(fields["language"]) or language,
        licence=licence if licence.startswith("http") else "",
    )


def _links(link: str, names: tuple[Any, ...], pdf: str) -> dict[str, str]:
    links = {"abs": link}
    for alias in names:
        if alias.scheme == "arxiv" and arxiv_id(link):
            links["abs"] = f"https://arxiv.org/abs/{alias.value}"
            links["pdf"] = f"https://arxiv.org/pdf/{alias.value}"
        elif alias.scheme == "doi":
            links["doi"] = safe_link(f"https://doi.org/{alias.value}")
    links.setdefault("pdf", safe_link(pdf))
    if not links["abs"]:
        links["abs"] = links.get("doi", "")
    return {kind: address for kind, address in links.items() if address}


def _categories(terms: list[str]) -> tuple[str, ...]:
    names = (html_to_text(term) for term in terms)
    return tuple(dict.fromkeys(name for name in names if name))[:_MOST_CATEGORIES]


def _hint(feed: Any) -> int | None:
    """Return how often the feed asks to be polled: RSS ttl (minutes) or the syndication module."""
    ttl = str(feed.get("ttl", "")).strip()
    if ttl.isdecimal() and 0 < int(ttl[:9]) < 100_000:
        return int(ttl) * 60
    period = _PERIODS.get(str(feed.get("sy_updateperiod", "")).strip().lower())
    times = str(feed.get("sy_updatefrequency", "1")).strip()
    if period is None or not times.isdecimal() or not 0 < int(times[:6]) <= 1000:
        return period
    return period // int(times)


def _json_feed(body: bytes) -> Parsed:
    document = json_document(body, _TELL)
    version = document.get("version", "") if isinstance(document, dict) else ""
    items = document.get("items") if isinstance(document, dict) else None
    if "jsonfeed.org/version/" not in str(version) or not isinstance(items, list):
        error = document.get("error", "") if isinstance(document, dict) else ""
        what = f"The source answered with an error: {collapse(str(error))[:300]}"
        raise CaptureError(
            what if error else "These bytes are JSON, but no JSON Feed.", "top level", _TELL
        )
    home = str(document.get("home_page_url") or document.get("feed_url") or "")
    sightings, problems = _each(
        items,
        lambda item: _paper(
            _json_fields(item), home, collapse(str(document.get("language") or ""))
        ),
    )
    return Parsed(
        len(items), sightings, problems, title=html_to_text(str(document.get("title") or ""))
    )


def _json_fields(item: Any) -> dict[str, Any]:
    """Return one item under plain names; what is odd in an optional field counts as absent."""
    if not isinstance(item, Mapping):
        raise ValueError("it is no object")
    people = _listed(item.get("authors")) or _listed(item.get("author"))
    people = [{"name": person} if isinstance(person, str) else person for person in people]
    names = [_said(person, "name") for person in people if isinstance(person, Mapping)]
    attached = [part for part in _listed(item.get("attachments")) if isinstance(part, Mapping)]
    pdfs = [_said(part, "url") for part in attached if part.get("mime_type") == "application/pdf"]
    texts = [_said(item, name) for name in ("content_html", "content_text", "summary")]
    identifier = item.get("id")
    return {
        "title": _said(item, "title"),
        "texts": [text for text in texts if text],
        "authors": names,
        "guid": str(identifier) if isinstance(identifier, str | int) else "",
        "link": _said(item, "url") or _said(item, "external_url"),
        "names": [_said(item, "external_url")],
        "day": written_day(_said(item, "date_published") or _said(item, "date_modified")),
        "updated_at": None,
        "pdf": next(filter(None, pdfs), ""),
        "tags": [tag for tag in _listed(item.get("tags")) if isinstance(tag, str)],
        "language": _said(item, "language"),
        "licence": "",
        "journal": "",
    }


def _said(item: Mapping[str, Any], name: str) -> str:
    value = item.get(name)
    return value if isinstance(value, str) else ""


def _listed(value: Any) -> list[Any]:
    """A list as it is, a value alone as a list of one."""
    return value if isinstance(value, list) else [value] if value else []
