"""One item of any feed under plain names, and the paper it is. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urljoin

from service.papers.identity import aliases, without_tracking
from service.papers.model import Paper, Sighting
from service.sources.authors import feed_authors
from service.sources.document import instant, latest_day, updated_at, written_day
from service.sources.journal import (
    abstract_of,
    authors_in,
    bare_title,
    doi_in,
    is_numbering,
    note_in,
    published_in,
    type_in,
)
from service.sources.links import labelled_links, links_of, pictured, said_links, thumbnail
from service.sources.withdrawal import is_withdrawn
from service.text.clean import as_written, collapse, html_to_text, safe_link
from service.text.tex import to_unicode

_MOST_CATEGORIES = 20
_DATES = ("published", "updated", "prism_publicationdate", "prism_coverdate", "created")
_NAMES = ("prism_doi", "arxiv_doi", "dc_doi", "dc_identifier", "prism_url")
_LANGUAGE = re.compile(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{2}|[A-Za-z]{4}|\d{3}))?(?:[-_].*)?$")
_WIDE = frozenset({"zh", "ja", "ko"})
_WEB_ADDRESS = re.compile(r"https?://[^\s<>\"']+")
_LATER_VERSION = re.compile(r"/content/10\.\d{4,9}/\S+?v(?:[2-9]|[1-9]\d+)(?:\D|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """What a feed says of itself. home: its address; built_on: the day it was made."""

    home: str = ""
    language: str = ""
    journal: str = ""
    built_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One item. texts: its descriptions, as HTML; names: texts in which an identifier may stand;
    journal, place: where it appeared, and where in it; comment: arXiv's; images: addresses, the
    best first."""

    title: str
    texts: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    guid: str = ""
    link: str = ""
    names: tuple[str, ...] = ()
    day: date | None = None
    latest: date | None = None
    updated_at: datetime | None = None
    pdf: str = ""
    tags: tuple[str, ...] = ()
    language: str = ""
    licence: str = ""
    journal: str = ""
    place: str = ""
    comment: str = ""
    images: tuple[str, ...] = ()


def feed_entry(entry: Any, version: str) -> Entry:
    """Return one entry of feedparser; ``version`` is feedparser's word for the format."""
    dates = [str(entry.get(name, "")) for name in _DATES if name in entry]
    is_atom = version.startswith("atom")
    links = [*entry.get("links", []), *entry.get("enclosures", [])]
    day = next((day for text in dates if (day := written_day(text))), None)
    changed = updated_at(entry) if is_atom and "published" in entry else None
    link = str(entry.get("link", ""))
    if is_atom and "published" not in entry and _LATER_VERSION.search(link):
        day, changed = None, instant(entry.get("updated_parsed"))  # that of the newest version
    return Entry(
        title=str(entry.get("title", "")),
        texts=(
            str(entry.get("summary", "")),
            *(str(content.get("value", "")) for content in entry.get("content", [])),
        ),
        authors=tuple(
            str(author.get("name", "")) for author in entry.get("authors", []) if author
        ) or (str(entry.get("author", "")),),
        guid=str(entry.get("id", "")),
        link=link,
        names=tuple(str(entry.get(name, "")) for name in _NAMES),
        day=day,
        latest=next(filter(None, map(latest_day, dates)), None),
        updated_at=changed,
        pdf=_href(links, "type", "application/pdf"),
        tags=(
            *(str(tag.get("term") or "") for tag in entry.get("tags", [])),
            str(entry.get("prism_section", "")),
        ),
        language=str(entry.get("language", "")),
        licence=f"{entry.get('license', '')} {_href(links, 'rel', 'license')} "
        f"{entry.get('rights', '')}",
        journal=_journal(entry),
        place=_place(entry),
        comment=str(entry.get("arxiv_comment", "")),
        images=_images(entry),
    )  # fmt: skip


def _href(links: list[Any], name: str, value: str) -> str:
    return next((str(link.get("href", "")) for link in links if link.get(name) == value), "")


def _images(entry: Any) -> tuple[str, ...]:
    shown = [image.get("url") for image in entry.get("media_thumbnail", [])]
    shown += [
        media.get("url")
        for media in entry.get("media_content", [])
        if media.get("medium") == "image" or str(media.get("type", "")).startswith("image/")
    ]
    return tuple(address for address in shown if isinstance(address, str))


def _journal(entry: Any) -> str:
    """Return the journal that PRISM or Dublin Core names; some put the title there."""
    title = collapse(html_to_text(str(entry.get("title", ""))))
    named = [entry.get(name, "") for name in ("prism_publicationname", "prism_publicationtitle")]
    named.append(str(entry.get("dc_source", "")).partition(", Published online")[0])
    found = (html_to_text(str(name)) for name in named)
    return next((name for name in found if name and name != title), "")


def _place(entry: Any) -> str:
    """Return where PRISM says that it stands: volume(number), pages."""
    volume, number, first, last = (
        collapse(str(entry.get(f"prism_{part}", "")))
        for part in ("volume", "number", "startingpage", "endingpage")
    )
    numbered = f"{volume}({number})" if volume and number else volume or number
    pages = "–".join(dict.fromkeys(page for page in (first, last) if page))
    return ", ".join(part for part in (numbered, pages) if part)


def json_entry(item: Any) -> Entry:
    """Return one item of JSON Feed; what is odd in an optional field counts as absent. Raises
    ValueError."""
    if not isinstance(item, Mapping):
        raise ValueError("it is no object")
    people = _listed(item.get("authors")) or _listed(item.get("author"))
    people = [{"name": person} if isinstance(person, str) else person for person in people]
    attached = [part for part in _listed(item.get("attachments")) if isinstance(part, Mapping)]
    pdfs = [_said(part, "url") for part in attached if part.get("mime_type") == "application/pdf"]
    texts = [_said(item, name) for name in ("content_html", "content_text", "summary")]
    published, changed = _said(item, "date_published"), _said(item, "date_modified")
    identifier = item.get("id")
    return Entry(
        title=_said(item, "title"),
        texts=tuple(text for text in texts if text),
        authors=tuple(_said(person, "name") for person in people if isinstance(person, Mapping)),
        guid=str(identifier) if isinstance(identifier, str | int) else "",
        link=_said(item, "url") or _said(item, "external_url"),
        names=(_said(item, "external_url"),),
        day=written_day(published or changed),
        latest=latest_day(published or changed),
        updated_at=_instant_of(changed) if published else None,
        pdf=next(filter(None, pdfs), ""),
        tags=tuple(tag for tag in _listed(item.get("tags")) if isinstance(tag, str)),
        language=_said(item, "language"),
        images=(_said(item, "image"), _said(item, "banner_image")),
    )


def _instant_of(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else None


def _said(item: Mapping[str, Any], name: str) -> str:
    value = item.get(name)
    return value if isinstance(value, str) else ""


def _listed(value: Any) -> list[Any]:
    """A list as it is, a value alone as a list of one."""
    return value if isinstance(value, list) else [value] if value else []


def sighting_of(entry: Entry, channel: Channel) -> Sighting:
    """Return what an entry shows; raises ValueError when it cannot be named."""
    paper = paper_of(entry, channel)
    return Sighting(paper=paper, latest_on=None if paper.published_on else entry.latest)


def paper_of(entry: Entry, channel: Channel) -> Paper:
    """Return the paper that an entry is; raises ValueError when it cannot be named."""
    title = bare_title(to_unicode(html_to_text(entry.title)))
    link = without_tracking(urljoin(safe_link(channel.home), entry.link.strip()))
    if not title:
        raise ValueError("it has no title")
    texts = [text for text in entry.texts if text]
    raw_abstract, abstract = max(
        ((text, abstract_of(text, title)) for text in texts),
        key=lambda pair: len(pair[1]), default=("", ""),
    )  # fmt: skip
    authors = _authors(entry, texts)
    names = aliases(
        *entry.names, said=next(filter(None, map(doi_in, texts)), ""),
        guid=entry.guid, feed=channel.home, link=link, title=title, authors=authors,
    )  # fmt: skip
    if not names:
        raise ValueError("it has no id, no link, and too short a title to be told from others")
    note = _note(entry, texts, channel)
    labelled = next(filter(None, map(labelled_links, texts)), {})
    image = thumbnail((*entry.images, *map(pictured, texts)))
    return Paper(
        aliases=names,
        title=title,
        abstract=to_unicode(abstract),
        raw_title=as_written(entry.title),
        raw_abstract=as_written(raw_abstract),
        authors=authors,
        categories=_categories((*entry.tags, *map(type_in, texts))),
        published_on=_published_on(entry, texts, channel),
        updated_at=entry.updated_at,
        links=links_of(
            names, abs_link=link, pdf=entry.pdf,
            more={**labelled, **said_links(note, abstract), "thumbnail": image},
        ),
        note=note,
        language=_language(entry.language or channel.language, title),
        licence=_licence(entry.licence),
        withdrawn=is_withdrawn(note, abstract, title),
    )  # fmt: skip


def _authors(entry: Entry, texts: list[str]) -> tuple[str, ...]:
    authors = feed_authors(entry.authors)
    if len(authors) < 2:
        listed = feed_authors([next(filter(None, map(authors_in, texts)), "")])
        authors = listed if not authors or authors[0] in listed else authors
    return authors


def _published_on(entry: Entry, texts: list[str], channel: Channel) -> date | None:
    """Return the first day of what the entry and its description say: a mirror dates anew, and the
    day of an issue to come is no day of publication."""
    said = next(filter(None, map(published_in, texts)), None)
    if said and channel.built_on and said > channel.built_on:
        said = None
    if entry.updated_at and not entry.day:
        return None
    return min((day for day in (entry.day, said) if day), default=None)


def _note(entry: Entry, texts: list[str], channel: Channel) -> str:
    """Return arXiv's comment, else where the paper appeared."""
    numbers = [name for tag in entry.tags if (name := html_to_text(tag)) and is_numbering(name)]
    journal = entry.journal or (channel.journal if entry.place else "")
    appeared = ", ".join(part for part in (journal, entry.place) if part)
    found = (
        entry.comment, appeared if journal else "", *map(note_in, texts), appeared,
        ", ".join(numbers), channel.journal,
    )  # fmt: skip
    return next((note for text in found if (note := to_unicode(html_to_text(text)))), "")


def _categories(terms: tuple[str, ...]) -> tuple[str, ...]:
    names = (html_to_text(term) for term in terms if term)
    kept = (name for name in names if name and not is_numbering(name))
    return tuple(dict.fromkeys(kept))[:_MOST_CATEGORIES]


def _language(text: str, title: str) -> str:
    """Return the language in the form of RFC 5646 (``en-US``); a Chinese, Japanese or Korean
    feed's language is not that of a title without a sign of these."""
    found = _LANGUAGE.match(collapse(text))
    if not found:
        return ""
    language, region = found[1].lower(), found[2] or ""
    if language in _WIDE and not any(ord(char) > 0x2E80 for char in title):
        return ""
    if not region:
        return language
    return f"{language}-{region.title() if len(region) == 4 else region.upper()}"


def _licence(text: str) -> str:
    """Return the address of a licence; the words of a copyright notice are none."""
    found = _WEB_ADDRESS.search(text)
    return safe_link(found[0].rstrip(".,;)")) if found else ""
