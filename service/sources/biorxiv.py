"""bioRxiv and medRxiv, by the day of posting: ``https://api.biorxiv.org/details``. Pure.

https://api.biorxiv.org/details/biorxiv/help. One asks ``/{server}/{from}/{to}/{cursor}/json``; a
page holds 30 or 100 posts, a post is one version of a paper on the day it appeared; ``messages``
says how many there are in all, or that there are none. Abstracts keep marks of the typesetting
(``O_ST_ABS``, ``{beta}``) and run headings into the text.
"""

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from service.defaults import FIXED
from service.papers.identity import aliases, doi, merged
from service.papers.model import Alias, Paper, Sighting
from service.sources.adapter import Adapter, CaptureError, Parameter, Parsed, Problem, Request
from service.sources.authors import feed_authors
from service.sources.document import json_document, written_day
from service.sources.first_hand import RECORDED
from service.sources.rhythm import Rhythm, workday
from service.sources.withdrawal import is_withdrawn
from service.text.clean import as_written, collapse, html_to_text, safe_link
from service.text.tex import to_unicode

_ADDRESS = "https://api.biorxiv.org/details"
_TELL = "Give this kind what api.biorxiv.org/details/SERVER/FROM/TO/0/json sends."
_NAMES = {"biorxiv": "bioRxiv", "medrxiv": "medRxiv"}
_NOTHING = re.compile(r"\bno (?:posts|articles|papers|results|content)\b", re.IGNORECASE)
_LICENCES = {
    "cc_by": "by",
    "cc_by_nc": "by-nc",
    "cc_by_nd": "by-nd",
    "cc_by_sa": "by-sa",
    "cc_by_nc_nd": "by-nc-nd",
    "cc_by_nc_sa": "by-nc-sa",
}
_FIGURE = re.compile(r"O_FIG\b(?:(?!O_FIG).){0,4000}?C_FIG\b", re.DOTALL)
_HEADING = re.compile(r"O_ST_ABS(.{1,80}?)C_ST_ABS", re.DOTALL)
_SMALL = re.compile(r"O_(SCPLOW|SCCAP)(.{0,80}?)C_\1", re.DOTALL)
_MARK = re.compile(r"[OC]_(?:SCPLOW|SCCAP|LI|TBL|FIG|QD|DISP|INLINEFIG|TEXTBOX|BOX|ST_ABS)")
_GREEK = re.compile(
    r"\{(alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau"
    r"|upsilon|phi|chi|psi|omega)\}",
    re.IGNORECASE,
)
_SIGNS = {"{+/-}": "±", "{degrees}": "°", "{micro}": "µ", "{approx}": "≈", "{middle dot}": "·"}
_RUN_IN = re.compile(
    r"(?:^|\n\s*)((?>(?i:Background|Introduction|Motivation|Rationale|Purpose|Aims?|Objectives?"
    r"|Hypothesis|Materials and methods|Methodology|Methods?|Design|Setting|Participants"
    r"|Interventions?|Main outcomes?|Measurements|Results?|Findings|Discussion|Interpretation"
    r"|Conclusions?|Significance|Importance|Summary|Availability)))(?=[A-Z][a-z]+\b|[A-Z0-9]\b)"
)
"""A heading that runs into its paragraph (``MethodsWe``)."""

_RHYTHM = Rhythm(
    lists="grows",
    expects=workday,  # both post at weekends too, but fewer and not always
    late_at=time(20),
    often=timedelta(minutes=FIXED.list_idle_minutes),
    seldom=timedelta(minutes=FIXED.batch_idle_minutes),
)


class Biorxiv(Adapter):
    """What one of the two servers posted, by day; a later version is never news."""

    kind = "biorxiv"
    title = "bioRxiv and medRxiv"
    about = "Preprints of biology or medicine as they are posted, all or of one subject."
    parameters = (
        Parameter(
            "server", "server", "biorxiv",
            choices=(("biorxiv", "bioRxiv: biology"), ("medrxiv", "medRxiv: medicine")),
        ),
        Parameter(
            "subject", "subject", "cell biology", required=False,
            pattern=r"[a-z][a-z ()/&,-]{1,80}",
            hint="One of the server's own subjects; empty takes all of them.",
        ),
    )  # fmt: skip
    rhythm = _RHYTHM
    history_kind = "biorxiv"
    history_days = 1
    first_hand = RECORDED | {"announced_on", "organisation"}

    def called(self, params: Mapping[str, str]) -> str:
        """Name it by server and subject."""
        return f"{_NAMES[params['server']]} {params.get('subject', '')}".strip()

    def tidied(self, name: str, value: str) -> str:
        """The servers write both small, and take an underscore for a blank."""
        return collapse(value.replace("_", " ")).lower()

    def requests(
        self, params: Mapping[str, str], *, today: date, days: tuple[date, ...] = ()
    ) -> tuple[Request, ...]:
        """Ask for the given days, else for today and yesterday, whose list fills up late."""
        last = (today, today - timedelta(days=1))
        subject = params.get("subject", "")
        asked = f"?category={quote(subject.replace(' ', '_'))}" if subject else ""
        return tuple(
            Request(f"{_ADDRESS}/{params['server']}/{day}/{day}/0/json{asked}", day)
            for day in days or last
        )

    def wanted(self, params: Mapping[str, str], sighting: Sighting) -> bool:
        """Take the chosen subject alone, also where the server did not mind it."""
        return params.get("subject", "") in ("", *sighting.paper.categories)

    def wanted_of_past(self, params: Mapping[str, str], sighting: Sighting) -> bool:
        """The past comes from the same server in the same form."""
        return self.wanted(params, sighting)

    def day_of(self, url: str) -> date | None:
        """The list day stands in the address."""
        parts = _parts(url)
        return written_day(parts[2]) if parts else None

    def next_page(self, request: Request, parsed: Parsed) -> Request | None:
        """Go on after what came, until as many came as there are in all."""
        parts = _parts(request.url)
        if not parts or not parsed.items:
            return None
        cursor = int(parts[4]) + parsed.items
        if cursor >= (parsed.total or 0):
            return None
        tail = request.url[request.url.index("/json") :]
        return Request("/".join((*parts[:4], str(cursor))) + tail, request.day)

    def parse(self, body: bytes, *, day: date | None = None) -> Parsed:
        """Read one page. ``day`` says nothing here: every post has its own date."""
        document = json_document(body, _TELL)
        items = document.get("collection") if isinstance(document, dict) else None
        said = _message(document)
        status = collapse(str(said.get("status", "")))
        if not isinstance(items, list) or not said:
            what = "These bytes are JSON, but no list of posts."
            raise CaptureError(what, "top level", _TELL)
        if not items and status.lower() != "ok" and not _NOTHING.search(status):
            raise CaptureError(f"The server answered with an error: {status[:300]}", "", _TELL)
        sightings: list[Sighting] = []
        problems: list[Problem] = []
        for number, item in enumerate(items, start=1):
            try:
                sightings.append(_sighting(item))
            except (LookupError, TypeError, ValueError, AttributeError) as fault:
                problems.append(Problem(number, _said(item, "title")[:200], str(fault)))
        total = str(said.get("total", ""))
        return Parsed(
            len(items),
            tuple(sightings),
            tuple(problems),
            title=_NAMES.get(_said(items[0], "server").lower(), "") if items else "",
            total=int(total) if re.fullmatch(r"[0-9]{1,9}", total) else None,
        )


def _parts(url: str) -> tuple[str, ...]:
    """Return address, server, from, to and cursor of a question; empty when it is none."""
    path = urlsplit(url).path.split("/")
    if len(path) < 6 or path[-1] != "json" or not path[-2].isdecimal():
        return ()
    start = url.index("/".join(path[-5:]))
    return (url[: start - 1], *path[-5:-1])


def _message(document: Any) -> Mapping[str, Any]:
    """Return what the answer says of itself."""
    said = document.get("messages") if isinstance(document, dict) else None
    first = said[0] if isinstance(said, list) and said else None
    return first if isinstance(first, dict) else {}


def _sighting(item: Any) -> Sighting:
    name, posted = doi(_said(item, "doi")), written_day(_said(item, "date"))
    title = to_unicode(_typeset(_said(item, "title")))
    if not name or not title:
        raise ValueError("it has no DOI" if not name else "it has no title")
    if posted is None:
        raise ValueError("it has no date")
    number = _said(item, "version")
    version = int(number) if re.fullmatch(r"[1-9][0-9]?", number) else 1
    authors = feed_authors([_said(item, "authors")])
    written = _said(item, "abstract")
    abstract = to_unicode(html_to_text(_typeset(written)))
    kind = _said(item, "type").lower()
    paper = Paper(
        aliases=_names(name, _said(item, "published"), title, authors),
        title=title,
        abstract=abstract,
        raw_title=as_written(_said(item, "title")),
        raw_abstract=as_written(written),
        authors=authors,
        categories=tuple(filter(None, [_said(item, "category").lower()])),
        published_on=posted if version == 1 else None,
        announced_on=posted if version == 1 else None,
        updated_at=datetime.combine(posted, time(), UTC) if version > 1 else None,
        links=_links(name, version, item),
        note="" if kind == "new results" else kind,
        licence=_licence(_said(item, "license")),
        organisation=_said(item, "author_corresponding_institution"),
        withdrawn=is_withdrawn(kind, abstract) or title.lower().startswith("withdrawn"),
    )
    return Sighting(
        paper=paper,
        listed_on=posted,
        announce_type="replace" if version > 1 else "",
        version=version,
    )


def _names(name: str, published: str, title: str, authors: tuple[str, ...]) -> tuple[Alias, ...]:
    """The preprint's DOI first, then the journal's, by which the article is the same paper."""
    own = aliases(name, title=title, authors=authors)
    journal = doi(published)
    return merged(own, (Alias("doi", journal),)) if journal else own


def _links(name: str, version: int, item: Any) -> dict[str, str]:
    host = (
        f"https://www.{'medrxiv' if _said(item, 'server').lower() == 'medrxiv' else 'biorxiv'}.org"
    )
    journal = doi(_said(item, "published"))
    links = {
        "abs": f"{host}/content/{name}v{version}",
        "pdf": f"{host}/content/{name}v{version}.full.pdf",
        "doi": f"https://doi.org/{journal or name}",
    }
    return {kind: link for kind, address in links.items() if (link := safe_link(address))}


def _licence(word: str) -> str:
    """cc_by_nc_nd -> the address of the licence; "no reuse" has none."""
    word = word.lower()
    if word.startswith("cc0"):
        return "https://creativecommons.org/publicdomain/zero/1.0/"
    known = _LICENCES.get(word)
    return f"https://creativecommons.org/licenses/{known}/4.0/" if known else ""


def _typeset(text: str) -> str:
    """Take out the marks of the typesetting; Greek letters in braces become letters."""
    if "_" in text:
        text = _FIGURE.sub(" ", text)
        text = _HEADING.sub(lambda match: f"\n{match[1].strip(' .:')}: ", text)
        text = _SMALL.sub(r"\2", text)
        text = _MARK.sub(" ", text)
    if "{" in text:
        text = _GREEK.sub(_letter, text)
        for mark, sign in _SIGNS.items():
            text = text.replace(mark, sign)
    return _RUN_IN.sub(lambda match: f"\n{match[1]}: ", text)


def _letter(match: re.Match[str]) -> str:
    """{beta} -> β, {Delta} -> Δ."""
    size = "CAPITAL" if match[1][0].isupper() else "SMALL"
    name = match[1].upper().replace("LAMBDA", "LAMDA")  # as Unicode spells it
    return unicodedata.lookup(f"GREEK {size} LETTER {name}")


def _said(item: Any, name: str) -> str:
    """Return a field as text; "NA" is how the servers write that there is none."""
    value = item.get(name) if isinstance(item, dict) else ""
    text = value if isinstance(value, str) else str(value) if isinstance(value, int) else ""
    return "" if text.strip() == "NA" else text.strip()
