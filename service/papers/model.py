"""The paper and the sighting: the two values that sources hand on. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

Scheme = Literal["arxiv", "doi", "hf", "pmid", "guid", "link", "fingerprint"]
"""How a paper can be named; the order is the order of trust (best first)."""

SCHEMES: tuple[Scheme, ...] = ("arxiv", "doi", "hf", "pmid", "guid", "link", "fingerprint")

Link = Literal["abs", "pdf", "doi", "code", "project", "discuss", "html", "thumbnail"]
"""Kinds of links; thumbnail is the address of an image, https only."""


@dataclass(frozen=True, slots=True)
class Alias:
    """One name of a paper, without version: ``Alias("arxiv", "2511.01234")``."""

    scheme: Scheme
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A work, whatever the number of its versions.

    aliases: every name it is known by, best first, never empty.
    title, abstract: readable Unicode, white space collapsed, TeX turned, HTML gone (``<think>``
        stays); they are plain text and must be escaped wherever they are shown.
    raw_title, raw_abstract: as the source wrote them.
    authors: "First Last" each, affiliations removed, in printed order, hidden ones left out.
    categories: arXiv codes or the source's own subjects, primary first.
    published_on: the day of version 1 · announced_on: the day the source announced it ·
        updated_at: the instant of the newest version (aware UTC). Never mixed.
    links: kind (``Link``) -> address, http or https.
    votes, comments: community figures (None = the source has none).
    note: arXiv's comment ("12 pages, ICLR 2027"), else where it appeared ("Nature, 12(3), 4–9").
    language: RFC 5646 ("en-US"); licence: its web address; "" where the source says neither.
    summary_line: a one-line summary made by the source's machine, labelled so when shown.
    id: primary key once stored, else 0.
    """

    aliases: tuple[Alias, ...]
    title: str
    abstract: str = ""
    raw_title: str = ""
    raw_abstract: str = ""
    authors: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    published_on: date | None = None
    announced_on: date | None = None
    updated_at: datetime | None = None
    links: Mapping[str, str] = field(default_factory=dict)
    votes: int | None = None
    comments: int | None = None
    note: str = ""
    language: str = ""
    licence: str = ""
    organisation: str = ""
    summary_line: str = ""
    withdrawn: bool = False
    id: int = 0

    @property
    def key(self) -> Alias:
        """The name used in public addresses: ``/papers/{scheme}/{value}``."""
        return self.aliases[0]


AnnounceType = Literal["new", "cross", "replace", "replace-cross", ""]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One appearance of a paper in a source.

    listed_on: the source's own list date (HF: the list day; arXiv: the announcement day ET),
        None where the source has no lists.
    announce_type: arXiv's word, "" elsewhere. version: which one was seen, 0 where the source does
        not say.
    submitter: who put it on the list ("" if unknown); author_takes_part: HF's flag.
    latest_on: the last day on which it can have been published, where the source names no day but
        a month or a year ("2019": 31 December 2019).
    """

    paper: Paper
    listed_on: date | None = None
    latest_on: date | None = None
    announce_type: AnnounceType = ""
    submitter: str = ""
    author_takes_part: bool = False
    version: int = 0

    @property
    def is_replacement(self) -> bool:
        """A new version of a known paper: refreshes metadata, never makes a paper new."""
        return self.announce_type in ("replace", "replace-cross")
