"""Hugging Face's Daily Papers: ``GET https://huggingface.co/api/daily_papers``. Pure.

https://huggingface.co/docs/hub/api (daily papers). ``upvotes`` stands inside ``paper`` and
``numComments`` outside; the outer ``publishedAt`` is some hours early and names the wrong day.
"""

from collections.abc import Mapping, Sequence
from datetime import date, time, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from service.defaults import FIXED
from service.papers.identity import aliases
from service.papers.model import Alias, Paper, Sighting
from service.sources.adapter import Adapter, CaptureError, Parsed, Problem, Request
from service.sources.authors import listed_authors
from service.sources.document import json_document
from service.sources.first_hand import LISTED
from service.sources.links import links_of, said_links, thumbnail
from service.sources.rhythm import Rhythm, workday
from service.sources.weeks import FROM, by_week
from service.sources.withdrawal import is_withdrawn
from service.text.clean import as_written, collapse, safe_link
from service.text.tex import to_unicode

_ADDRESS = "https://huggingface.co/api/daily_papers"
_PAGE = 100
_TELL = "Give this kind the answer of huggingface.co/api/daily_papers."

_RHYTHM = Rhythm(
    lists="grows",
    expects=workday,  # a weekend's list is mostly empty
    late_at=time.fromisoformat(FIXED.list_due),
    closes=time(FIXED.list_poll_until_hour),
    often=timedelta(minutes=FIXED.list_poll_minutes),
    seldom=timedelta(minutes=FIXED.list_idle_minutes),
)


class HfDaily(Adapter):
    """The list of one day; it grows during the day and may be empty at weekends."""

    kind = "hf_daily"
    title = "Hugging Face Daily Papers"
    about = "The papers that the community lists and votes on, a list each day."
    brand = "Hugging Face"
    has_votes = True
    rhythm = _RHYTHM
    politeness = "huggingface"
    quiet_statuses = frozenset({400})
    history_kind = "hf_daily"
    history_days = 1
    first_hand = LISTED

    def requests(
        self, params: Mapping[str, str], *, today: date, days: tuple[date, ...] = ()
    ) -> tuple[Request, ...]:
        """Ask for the given days, else for today and back to the third last weekday.

        The lists of those weekdays still change, and each is asked by itself. Of earlier days a
        week is one question: since May 2025 each paper names its list day (``submittedOnDailyAt``).
        """
        usual = _last_list_days(today)
        asked = [_page(day, 0) for day in days or usual if not days or day in usual]
        for week in by_week(day for day in days if day not in usual):
            asked += [_page(week, 0)] if len(week) >= FROM else [_page(day, 0) for day in week]
        return tuple(asked)

    def history_parts(self, days: Sequence[date]) -> list[tuple[date, ...]]:
        """Ask for the past week by week."""
        return by_week(days)

    def day_of(self, url: str) -> date | None:
        """The list day stands in the address."""
        return _date(parse_qs(urlsplit(url).query).get("date", [""])[0])

    def next_page(self, request: Request, parsed: Parsed) -> Request | None:
        """A full page of a day's list may have a successor; a week's pages are asked until one is
        empty, whatever their size: more hangs on its being whole."""
        number = int(parse_qs(urlsplit(request.url).query).get("p", ["0"])[0]) + 1
        if request.days:
            return _page(request.days, number) if parsed.items else None
        if parsed.items < _PAGE or request.day is None:
            return None
        return _page(request.day, number)

    def for_day(self, request: Request, day: date) -> Request:
        """Ask for one day of a week alone."""
        return _page(day, 0)

    def parse(self, body: bytes, *, day: date | None = None) -> Parsed:
        """Read one page of the list."""
        items = json_document(body, _TELL)
        if not isinstance(items, list):
            raise CaptureError(_not_a_list(items), "top level", _TELL)
        sightings: list[Sighting] = []
        problems: list[Problem] = []
        for number, item in enumerate(items, start=1):
            try:
                sightings.append(_sighting(item, day))
            except (LookupError, TypeError, ValueError, AttributeError) as fault:
                problems.append(Problem(number, _title_of(item), _reason(fault)))
        return Parsed(len(items), tuple(sightings), tuple(problems), title=self.title)


def _page(of: date | tuple[date, ...], number: int) -> Request:
    """Ask for a page of a day's list, or of those of a calendar week."""
    if isinstance(of, date):
        query = urlencode({"date": of.isoformat(), "limit": _PAGE, "p": number})
        return Request(f"{_ADDRESS}?{query}", of)
    year, week, _ = of[0].isocalendar()
    query = urlencode({"week": f"{year}-W{week:02}", "limit": _PAGE, "p": number})
    return Request(f"{_ADDRESS}?{query}", days=of)


def _last_list_days(today: date) -> list[date]:
    days: list[date] = []
    day = today
    while sum(map(workday, days)) < FIXED.list_poll_days:
        days.append(day)
        day -= timedelta(days=1)
    return days


def _sighting(item: Any, day: date | None) -> Sighting:
    entry = item["paper"]
    name = str(entry["id"]).strip()
    written = _text(entry.get("title")) or _text(item.get("title"))
    title = to_unicode(written)
    if not name or not title:
        raise ValueError("it has no id" if not name else "it has no title")
    abstract = _text(entry.get("summary")) or _text(item.get("summary"))
    authors = _authors(entry.get("authors"))
    by = item.get("submittedBy") or entry.get("submittedOnDailyBy") or {}
    names = aliases(hf=name, title=title, authors=authors)
    paper = Paper(
        aliases=names,
        title=title,
        abstract=to_unicode(abstract),
        raw_title=as_written(written),
        raw_abstract=as_written(abstract),
        authors=authors,
        published_on=_date(entry.get("publishedAt")),
        links=_links(name, names, entry, item),
        votes=_count(entry.get("upvotes")),
        comments=_count(item.get("numComments")),
        organisation=_organisation(entry.get("organization") or item.get("organization")),
        summary_line=to_unicode(_text(entry.get("ai_summary"))),
        withdrawn=is_withdrawn("", abstract),
    )
    return Sighting(
        paper=paper,
        listed_on=day or _date(entry.get("submittedOnDailyAt")),
        submitter=collapse(_text(by.get("fullname")) or _text(by.get("name"))),
        author_takes_part=item.get("isAuthorParticipating") is True,
    )


def _links(
    name: str, names: tuple[Alias, ...], entry: Mapping[str, Any], item: Mapping[str, Any]
) -> dict[str, str]:
    """What the list names itself is trusted more than what authors say in the abstract."""
    said = said_links("", _text(entry.get("summary")) or _text(item.get("summary")))
    more = {
        "discuss": f"https://huggingface.co/papers/{name}",
        "code": _address(entry.get("githubRepo")) or said.get("code", ""),
        "project": _address(entry.get("projectPage")) or said.get("project", ""),
        "thumbnail": thumbnail((item.get("thumbnail"),)),
    }
    is_arxiv = any(alias.scheme == "arxiv" for alias in names)
    return links_of(names, abs_link="" if is_arxiv else more["discuss"], more=more)


def _authors(entries: Any) -> tuple[str, ...]:
    if not isinstance(entries, list):
        return ()
    return listed_authors(
        _text(entry.get("name"))
        for entry in entries
        if isinstance(entry, dict) and entry.get("hidden") is not True
    )


def _organisation(entry: Any) -> str:
    if not isinstance(entry, dict):
        return ""
    return collapse(_text(entry.get("fullname")) or _text(entry.get("name")))


def _address(value: Any) -> str:
    """Return a link that somebody pasted, line breaks and all."""
    return safe_link("".join(_text(value).split()).removesuffix(".git"))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _count(value: Any) -> int | None:
    """Return a count; 0 votes are known to be none, an absent figure is not known."""
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9
    return value if is_count else None


def _date(value: Any) -> date | None:
    """Return the date as written: the zone of a list date must never be converted."""
    try:
        return date.fromisoformat(value[:10])
    except (TypeError, ValueError):
        return None


def _title_of(item: Any) -> str:
    return collapse(_text(item.get("title")))[:200] if isinstance(item, dict) else ""


def _reason(fault: Exception) -> str:
    if isinstance(fault, KeyError):
        return f"the field {fault.args[0]} is missing"
    return str(fault) if type(fault) is ValueError else "it is not an entry of this list"


def _not_a_list(document: Any) -> str:
    error = _text(document.get("error")) if isinstance(document, dict) else ""
    if error:
        return f"Hugging Face answered with an error: {collapse(error)[:300]}"
    return "These bytes are JSON, but no list of papers."
