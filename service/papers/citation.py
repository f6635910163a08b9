"""What a reference manager is told of a paper: its type, names as "Last, First", journal, key, and
the meta tags of its page. Pure.

Journals are read out of ``Paper.note``, where sources put them in their own words; what cannot be
told from a comment ("9 pages") stays out. Files are written by ``reference_files``.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import date

from service.papers.model import Paper
from service.text.clean import collapse
from service.text.fold import fold

# fmt: off
_PARTICLES = frozenset((
    "'t", "af", "al", "av", "bin", "da", "dal", "de", "del", "della", "den", "der", "des", "di",
    "do", "dos", "du", "el", "ibn", "la", "le", "lo", "of", "op", "ten", "ter", "van", "vom", "von",
    "y", "zu", "zum", "zur",
))
# fmt: on
_SUFFIX = re.compile(r"(?:jr|sr)\.?|ii|iii|iv", re.IGNORECASE)
_MANY = re.compile(
    r"\b(?:collaborations?|consortium|team|group|network|initiative|project|committee|society|"
    r"association|institute|universit\w+|cent(?:er|re)|laborator\w+|labs?|foundation|council|"
    r"alliance|investigators|research)\b",
    re.IGNORECASE,
)
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]+")
_SURROGATE = re.compile("[\ud800-\udfff]")
_CODE = re.compile(r"[a-z-]+(?:\.[A-Za-z-]{2,})?")
_PREPRINTS = {
    "10.1101/": "bioRxiv",
    "10.64898/": "bioRxiv",
    "10.48550/": "arXiv",
    "10.21203/": "Research Square",
    "10.20944/": "Preprints.org",
    "10.26434/": "ChemRxiv",
    "10.31234/": "PsyArXiv",
}
"""Servers of preprints by the beginning of their DOIs: none of them is a journal."""

_REFERENCE = re.compile(
    r"(?P<journal>[^\W\d][^\d;]*?)[\s,]*(?P<volume>\d+)\s*(?:[:,]\s*|\(\d{4}\)\s*[:,]?\s*)"
    r"(?P<pages>\d+(?:\s*[-–]+\s*\d+)?)(?:\s*[,(]\s*\d{4}\)?)?\.?"
)
"""arXiv's journal references: "Phys.Lett.B573:94-100,2003", "J. Ex. 12 (2031) 1-9"."""

_JOURNAL = re.compile(r"[^\W\d][^\d,:(;]*")
_NO_JOURNAL = re.compile(
    r"(?:vol|volume|issue|no|pp?|pages?)\b|.*rxiv\b|.*\b(?:results|accepted|submitted|withdrawn)\b",
    re.IGNORECASE,
)
_VOLUME = re.compile(r"\bVol(?:ume)?\.?\s*(\w+)|^[\s,]*(\d+)(?=\s*[(:,]|\s*$)", re.IGNORECASE)
_NUMBER = re.compile(r"\b(?:Issue|No\.|Number)\s*(\w+)|^[\s,]*\d+\((\d+(?:[-–]\d+)?)\)", re.I)
_PAGES = re.compile(
    r"\b(?:Pages?|pp?\.|Article number)\s*(\w+(?:\s*[-–]+\s*\w+)?)|[:,)]\s*(\d+\s*[-–]+\s*\d+)\.?$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a paper appeared; what is not told is ""."""

    journal: str
    volume: str = ""
    number: str = ""
    pages: str = ""


@dataclass(frozen=True, slots=True)
class Name:
    """A printed name. last: with its particles, or the whole where there is nothing to turn
    (``is_whole``: an organisation, a name of one word)."""

    last: str
    first: str = ""
    suffix: str = ""

    @property
    def is_whole(self) -> bool:
        return not self.first

    @property
    def turned(self) -> str:
        """ "Last, First", "Last, Jr., First" as BibTeX has it; a whole name as it is."""
        return ", ".join(part for part in (self.last, self.suffix, self.first) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A paper as a bibliography names it. server: of a preprint, "" for other works · eprint: its
    arXiv id · subject: arXiv's primary category · key: unique among all papers, always the same."""

    key: str
    title: str
    names: tuple[Name, ...]
    on: date | None
    place: Place | None
    server: str
    eprint: str
    subject: str
    doi: str
    pmid: str
    url: str
    pdf: str
    abstract: str
    language: str
    subjects: tuple[str, ...]


def reference(paper: Paper) -> Reference:
    """Return what is told of a paper, in one line each and without control characters."""
    names = {alias.scheme: alias.value for alias in reversed(paper.aliases)}
    eprint, doi = names.get("arxiv", ""), names.get("doi", "")
    server = next((name for start, name in _PREPRINTS.items() if doi.startswith(start)), "")
    people = tuple(split_name(name) for name in map(line, paper.authors) if name)
    on = paper.published_on or paper.announced_on
    category = paper.categories[0] if paper.categories else ""
    return Reference(
        key=_key(paper, people, on),
        title=line(paper.title),
        names=people,
        on=on,
        place=None if server else place_of(paper),
        server=server or ("arXiv" if eprint else ""),
        eprint=eprint,
        subject=category if eprint and _CODE.fullmatch(category) else "",
        doi=doi,
        pmid=names.get("pmid", ""),
        url=_web(paper.links.get("abs", "")) or (f"https://doi.org/{doi}" if doi else ""),
        pdf=_web(paper.links.get("pdf", "")),
        abstract=line(paper.abstract),
        language=paper.language,
        subjects=tuple(line(subject) for subject in paper.categories),
    )


def line(text: str) -> str:
    """One line without control characters, marks of direction or halves of a character."""
    return collapse(_UNSAFE.sub(" ", _SURROGATE.sub("\ufffd", text)))


def _web(address: str) -> str:
    return line(address) if address.startswith(("http://", "https://")) else ""


def handle(scheme: str, value: str) -> str:
    """A paper's name for anchors, keys and file names: "arxiv-2611.00000". Letters, digits, dots
    and hyphens; names that would fall together are told apart by six digits of a hash."""
    plain = re.sub(r"[^A-Za-z0-9.]+", "-", value).strip("-.")[:60]
    # the first slash of a DOI or of an old arXiv id says nothing that its place does not say
    if plain == (value.replace("/", "-", 1) if scheme in ("arxiv", "doi") else value):
        return f"{scheme}-{plain}"
    told = hashlib.sha256(value.encode("utf-8", "replace")).hexdigest()[:6]
    return "-".join(part for part in (scheme, plain, told) if part)


def _key(paper: Paper, names: tuple[Name, ...], on: date | None) -> str:
    """ "silva2026-2611.00000": never another one, whatever else stands in the file."""
    words = fold(names[0].last).keys if names else ()
    letters = "".join(c for c in "".join(words) if c.isascii() and c.isalnum())[:30]
    name = handle(paper.key.scheme, paper.key.value).removeprefix(f"{paper.key.scheme}-")
    return f"{letters or 'paper'}{on.year if on else ''}-{name}"


def split_name(name: str) -> Name:
    """Return a printed name ("First von Last Jr.", "Last, First") in its parts."""
    head, comma, tail = name.partition(",")
    if comma and not _SUFFIX.fullmatch(tail.strip()):
        return Name(head.strip(), tail.strip()) if not _MANY.search(name) else Name(name)
    words = name.replace(",", " ").split()
    suffix = words.pop() if len(words) > 2 and _SUFFIX.fullmatch(words[-1]) else ""
    if len(words) < 2 or _MANY.search(name) or any(c.isdigit() for c in name):
        return Name(name)
    at = len(words) - 1
    while at > 1 and (words[at - 1] in _PARTICLES or words[at - 1].replace("’", "'") == "'t"):
        at -= 1
    return Name(" ".join(words[at:]), " ".join(words[:at]), suffix)


def place_of(paper: Paper) -> Place | None:
    """Where a paper appeared, as far as its note says so in a form that is known."""
    note = line(paper.note)
    if any(alias.scheme == "arxiv" for alias in paper.aliases):
        found = _REFERENCE.fullmatch(note.rpartition("; ")[2])
        if found is None:
            return None
        return Place(found["journal"].strip(" ,"), found["volume"], pages=_range(found["pages"]))
    start = _JOURNAL.match(note)
    if start is None or _NO_JOURNAL.match(start[0]):
        return None
    rest = note[start.end() :]
    return Place(
        start[0].strip(),
        _first(_VOLUME.search(rest)),
        _range(_first(_NUMBER.search(rest))),
        _range(_first(_PAGES.search(rest))),
    )


def _first(found: re.Match[str] | None) -> str:
    return next((part for part in found.groups() if part), "") if found else ""


def _range(pages: str) -> str:
    """ "1917–1940" and "1917 - 1940" as "1917-1940"."""
    return re.sub(r"\s*[-–]+\s*", "-", pages)


def _for_tags(name: Name) -> str:
    """As it is printed, where readers of tags find the family name by themselves (the last word);
    "van Dam, Ana" and "King Jr., Martin" where they would not. Zotero's Embedded Metadata makes two
    people of a semicolon, and of a comma with blanks on both sides ("van Dam, Ana Maria")."""
    last, first = (collapse(re.sub(r"[;,]", " ", part)) for part in (name.last, name.first))
    if not first or " " in first or not (name.suffix or " " in last):
        return collapse(f"{first} {last}")
    return f"{collapse(f'{last} {name.suffix}')}, {first}"


def meta_tags(paper: Paper) -> list[tuple[str, str]]:
    """Meta tags that reference managers and Google Scholar read, in the order of the latter's
    inclusion guidelines: one an author."""
    one = reference(paper)
    tags = [("citation_title", one.title)]
    tags += [("citation_author", _for_tags(name)) for name in one.names]
    if one.on is not None:
        tags.append(("citation_publication_date", one.on.strftime("%Y/%m/%d")))
    if one.place is not None:
        first, _, last = one.place.pages.partition("-")
        tags += [
            ("citation_journal_title", one.place.journal),
            ("citation_volume", one.place.volume),
            ("citation_issue", one.place.number),
            ("citation_firstpage", first),
            ("citation_lastpage", last),
        ]
    elif one.server:
        tags.append(("citation_publisher", one.server))
    tags += [
        ("citation_arxiv_id", one.eprint),
        ("citation_doi", one.doi),
        ("citation_pmid", one.pmid),
        ("citation_language", one.language),
        ("citation_keywords", "; ".join(one.subjects)),
        ("citation_abstract", one.abstract),
        ("citation_pdf_url", one.pdf),
        ("citation_abstract_html_url", one.url),
    ]
    return [(name, value) for name, value in tags if value]
