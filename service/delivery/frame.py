"""What stands around a digest for one reader, and what rendering gives back. Pure."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderFrame:
    """Links and words of one reader (all addresses absolute, with this digest's token).

    tune_base: f"{base}/tune/{token}" · papers_url: what was checked, "/papers/DATE" ·
    rest_url: the page of ``Digest.rest_on``, "" when the mail leaves nothing out · cite_url: of the
    page that anybody may see, whose files for bibliographies lie under it.
    weekdays: 0 = Monday; hour, zone: the reader's own. stars: hits as *stars* in the text part.
    format: "html" (with a text part) or "text".
    """

    locale: str = "en"
    manage_url: str = ""
    unsubscribe_url: str = ""
    view_url: str = ""
    tune_base: str = ""
    papers_url: str = ""
    rest_url: str = ""
    cite_url: str = ""
    confirmed_on: date | None = None
    weekdays: frozenset[int] = frozenset({0, 1, 2, 3, 4})
    hour: int = 8
    zone: str = "UTC"
    format: str = "html"
    stars: bool = True


@dataclass(frozen=True, slots=True)
class Rendered:
    """One mail as text: subject and preheader on one line each, both bodies with "\\n"."""

    subject: str
    preheader: str
    text: str
    html: str
