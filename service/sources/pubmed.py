"""A saved search of PubMed as RSS: press "Create RSS" under PubMed's search box. Pure.

https://pubmed.ncbi.nlm.nih.gov/help/#create-rss-feed. The feed holds as many papers as were chosen
there (15 unless changed) and drops the older ones, so that it is asked more often than it says.
"""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from service.defaults import FIXED
from service.papers.identity import pmid
from service.papers.model import Paper, Sighting
from service.sources.adapter import CaptureError, Parameter, Parsed
from service.sources.document import feed_document
from service.sources.feed import Feed
from service.sources.rhythm import Rhythm
from service.text.clean import html_to_text

_TELL = "Give this kind what pubmed.ncbi.nlm.nih.gov/rss/search/... sends."
_OFTEN = timedelta(minutes=FIXED.feed_poll_minutes / 2)


class Pubmed(Feed):
    """The newest papers of a search that somebody saved."""

    kind = "pubmed"
    title = "PubMed search"
    about = "The newest papers of a PubMed search that you saved as RSS."
    parameters = (
        Parameter(
            "url", "the search's RSS address",
            "https://pubmed.ncbi.nlm.nih.gov/rss/search/1abcDEF/?limit=100",
            pattern=r"https?://(?:www\.)?pubmed\.ncbi\.nlm\.nih\.gov/rss/\S+",
            hint="Press Create RSS under PubMed's search box; choose 100 items where it is broad.",
        ),
    )  # fmt: skip
    rhythm = Rhythm(often=_OFTEN, seldom=_OFTEN)

    def parse(self, body: bytes, *, day: date | None = None) -> Parsed:
        """Read one answer as a feed, with the journal of each paper as its note."""
        parsed = super().parse(body, day=day)
        if parsed.sightings and not any(_number(x.paper) for x in parsed.sightings):
            what = "This is a feed, but none of its papers has a PubMed number."
            raise CaptureError(what, parsed.title, _TELL)
        journals = {} if body.lstrip()[:1] == b"{" else _journals(feed_document(body, _TELL))
        named = tuple(_with_journal(sighting, journals) for sighting in parsed.sightings)
        return replace(parsed, sightings=named, hint_seconds=None)


def _number(paper: Paper) -> str:
    return next((name.value for name in paper.aliases if name.scheme == "pmid"), "")


def _journals(document: Any) -> dict[str, str]:
    """PubMed number -> the journal as ``dc:source`` names it."""
    pairs = (
        (pmid(str(entry.get("id", ""))), html_to_text(str(entry.get("dc_source", ""))))
        for entry in document.entries
    )
    return {number: journal for number, journal in pairs if number and journal}


def _with_journal(sighting: Sighting, journals: dict[str, str]) -> Sighting:
    paper = sighting.paper
    journal = journals.get(_number(paper), "")
    if paper.note or not journal:
        return sighting
    return replace(sighting, paper=replace(paper, note=journal))
