"""Pages and mails in the pseudo-language: what a person reads, and what of it nobody translated.

The language is made of the messages that Babel finds (``messages.catalogue``), so a sentence that
translators would never be given stays English here too, even when it does pass gettext.
"""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from support.messages import catalogue
from support.reading_house import Reading, reading_house

from service.delivery.i18n import PSEUDO, Catalogs, Texts

_SILENT = ("script", "style", "code", "textarea")
_SPOKEN = ("aria-label", "title", "placeholder", "alt", "data-now", "label")
_DATED = re.compile(
    r"⟦[^⟦⟧]*\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun|Nov|Dec|Jan|Feb"
    r"|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday"
    r"|November|December|January|February)\b[^⟦⟧]*⟧"
)
"""What Babel wrote: it stands in brackets of its own."""
_DATA = re.compile(
    r"https?://\S+|mailto:\S+|[\w.…+'-]+@[\w.…-]+|/[a-z]\S*|[\w/]+/[\w/+-]+"  # addresses, zones
    r"|Adapters that forget less|Small adapters for <b>large</b> models|Robots fold towels"
    r"|A survey of robots & hands|Walking robots|Nobody voted for this robot"
    r"|They use adapters too\.|An invented summary|number \d+|Ana Silva|Bo Chen|carla"
    r"|\b(?:adapters?|[Rr]obots?|zebra|unicorns?|diffusion|towels|hands|Nobody|adaptation|LoRA|PEFT)\b"
    r"|low-rank adaptation|Hugging Face(?: Daily Papers)?|arxiv\.org|arXiv|Paperpost|UTC"
    r"|\b(?:title|votes|comments|authors|source|org|cat|abs):"  # fields of the query language
    r"|\b(?:AND|OR|NOT|PDF|HTML|DOI|BibTeX|RIS|CSV|Atom|RSS|JSON(?: Feed)?|English|Deutsch)\b"
)
_INLINE = re.compile(r"</?(?:mark|b|strong)\b[^>]*>|<span class=\"sample\">.*?</span>", re.S)
"""Hits stand in the middle of titles, and do not end a run; samples are invented titles."""
_ENGLISH = re.compile(r"[A-Za-z]{3,}")


class _Runs(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.runs: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in _SILENT
        if tag not in ("link", "option"):  # suggestions are cities, as Babel calls them
            self.runs += [value for name, value in attrs if name in _SPOKEN and value]

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in _SILENT

    def handle_data(self, data: str) -> None:
        if not self._silent and data.strip():
            self.runs.append(" ".join(data.split()))


def runs(html: str) -> list[str]:
    """Every visible run of text, and what a screen reader says besides."""
    reader = _Runs()
    reader.feed(_INLINE.sub("", html))
    return reader.runs


def untranslated(found: list[str], typed: str = "") -> list[str]:
    """Runs with English words in them that are no data; ``typed``: what a reader wrote."""
    own = set(_ENGLISH.findall(typed))
    left = ((run, _ENGLISH.findall(_DATA.sub(" ", _DATED.sub(" ", run)))) for run in found)
    return [run for run, words in left if not own.issuperset(words)]


def pseudo_texts() -> Texts:
    """The language itself."""
    return Texts(PSEUDO, catalogue())


def speaking_pseudo(
    folder: Path, monkeypatch: pytest.MonkeyPatch, **settings: object
) -> Iterator[Reading]:
    """A house whose reader, its browser and its mails speak the pseudo-language."""
    made = Catalogs({PSEUDO: pseudo_texts()})
    monkeypatch.setattr(Catalogs, "load", lambda _folder: made)
    with reading_house(folder, **settings) as house:  # type: ignore[arg-type]
        house.client.headers["Accept-Language"] = PSEUDO
        yield house
