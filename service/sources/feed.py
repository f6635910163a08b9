"""Any feed: RSS 0.9x, RSS 1.0 (RDF), RSS 2.0, Atom and JSON Feed, with PRISM and Dublin Core. Pure.

https://www.rssboard.org/rss-specification, RFC 4287, https://www.jsonfeed.org/version/1.1/.
Journals leave out guid, date or author, escape twice, and put everything into the description.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from service.papers.model import Sighting
from service.sources.adapter import (
    Adapter,
    CaptureError,
    Parameter,
    ParameterError,
    Parsed,
    Problem,
    Request,
)
from service.sources.document import (
    feed_document,
    feed_problems,
    is_cut,
    json_document,
    updated_at,
)
from service.sources.entry import Channel, feed_entry, json_entry, sighting_of
from service.text.clean import collapse, html_to_text, safe_link

_TELL = "Give this kind the bytes of an RSS, Atom, RDF or JSON feed."
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
        """By its host, since readers see it and an address may hold a key; it takes its own title
        at the first poll."""
        return urlsplit(params["url"]).hostname or self.title

    def tidied(self, name: str, value: str) -> str:
        """Return ``feed:`` addresses, as browsers once passed them on, as the web's."""
        if name != "url" or value[:5].lower() != "feed:":
            return value
        rest = value[5:]
        return f"https:{rest}" if rest.startswith("//") else rest

    def requests(
        self, params: Mapping[str, str], *, today: date, days: tuple[date, ...] = ()
    ) -> tuple[Request, ...]:
        """Ask for the feed; it has no past."""
        return () if days else (Request(params["url"]),)

    def checked(self, params: Mapping[str, str]) -> dict[str, str]:
        """Take only an http or https address."""
        values = super().checked(params)
        values["url"] = safe_link(values["url"]).partition("#")[0]
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
        made_at = updated_at(document.feed)
        channel = Channel(
            home=str(document.feed.get("link", "") or document.feed.get("id", "")),
            language=str(document.feed.get("language", "")),
            journal=html_to_text(str(document.feed.get("prism_publicationname", ""))),
            built_on=made_at.date() if made_at else None,
        )
        sightings, problems = _each(
            document.entries,
            lambda entry: sighting_of(feed_entry(entry, document.version), channel),
        )
        return Parsed(
            len(document.entries),
            sightings,
            (*feed_problems(body, document), *problems),
            title=html_to_text(str(document.feed.get("title", ""))),
            built_at=made_at,
            hint_seconds=_hint(document.feed),
            is_cut=is_cut(body, document),
        )


def _each(
    entries: list[Any], read: Callable[[Any], Sighting]
) -> tuple[tuple[Sighting, ...], tuple[Problem, ...]]:
    sightings: list[Sighting] = []
    problems: list[Problem] = []
    for number, entry in enumerate(entries, start=1):
        try:
            sightings.append(read(entry))
        except (LookupError, TypeError, ValueError, AttributeError) as fault:
            title = entry.get("title") if isinstance(entry, Mapping) else ""
            problems.append(Problem(number, html_to_text(str(title or ""))[:200], str(fault)))
    return tuple(sightings), tuple(problems)


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
    channel = Channel(
        home=str(document.get("home_page_url") or document.get("feed_url") or ""),
        language=str(document.get("language") or ""),
    )
    sightings, problems = _each(items, lambda item: sighting_of(json_entry(item), channel))
    return Parsed(
        len(items), sightings, problems, title=html_to_text(str(document.get("title") or ""))
    )
