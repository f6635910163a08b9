"""What publishers put into a description: the abstract, and authors, day, DOI and place. Pure."""

import re
from datetime import date
from functools import lru_cache
from itertools import pairwise

from service.papers.identity import doi
from service.sources.document import written_day
from service.text.clean import MAX_TEXT, collapse, html_to_text, without_comments

_LONGEST = 4000
"""Characters of an abstract that are kept; a blog sends its whole article."""

_ENDS = re.compile(r"[.!?…。]$")
_LONGEST_LIST = 6000
"""Characters of a block that can be a list of names."""

_BLOCK = re.compile(
    r"</?(?:p|div|br|li|ul|ol|h[1-6]|tr|td|table|section|article|blockquote|jats:p|jats:title)\b"
    r"[^<>]*>|\n\s*\n",
    re.IGNORECASE,
)
_HIDDEN = re.compile(r"<(style|script)\b(?:(?!<\1\b).)*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_ABSTRACT = re.compile(r"^(?:abstract|summary|résumé|zusammenfassung)\s*(?:[:.]\s*|$)", re.I)
_ABSTRACT_CAPITALS = re.compile(r"^(?:ABSTRACT|SUMMARY)\s+(?=[A-Z])")
_ABSTRACT_TWICE = re.compile(
    r"^Abstract\s+(?!Syntax|Meaning|Interpretation|Argument|Reasoning|Algebra|State|Art)(?=[A-Z])"
)
_METADATA = re.compile(
    r"^(?:publication date|source|authors?|author\(s\)|doi|pmid|pmcid|journal|keywords?|comments?"
    r"|(?:first )?published(?: online)?|updated|submitted|pdf)\s*:"
    r"|^volume \d+, (?:issue|number|page|article)|^[^.]{2,60}, published online:"
    r"|^[^.:]{3,40} [—–] \d{1,2} [^\W\d]{3,9} \d{4}$"
    r"|^(?:graphical abstract|toc graphic|abstract)$|^doi\s*10\.|^\[?doi:\s*10\.\S+\]?$"
    r"|\bdoi:\s*10\.\d{4,}/\S+\s*(?:online ahead of print|epub .{0,30})?\.?$"
    r"|^add to selected citations$|^(?:upvotes|github stars)\s*:|^🔗"
    r"|^(?:html|xml|pdf|full text)(?: (?:html|xml|pdf))*$",
    re.IGNORECASE,
)
_CITATION = re.compile(
    r"^[^.]{3,80},? (?:vol\.? |volume |pp?\. ?)?\d+(?:\(\d+\))?"
    r"(?:[:,]? ?(?:pp?\. ?)?\d+(?:[-–]\d+)?|[-–]\d+)?$"
    r"|^[^.;]{2,60} [\d.]{6,30}; doi:\s*(?:https?://(?:dx\.)?doi\.org/)?10\.\S+$"
    r"|^volume \d+, (?:issue|number|page|article)[^.]{0,80}", re.IGNORECASE,
)  # fmt: skip
_SHORT_CITATION = re.compile(
    r"^([^:]{3,60}\. \d{4}(?: [A-Z][a-z]{2})?[^:]{0,20}:[^\s.]+)\. doi:", re.I
)
_PLACE = re.compile(r"^(?:source|journal)\s*:\s*(.{2,300})", re.IGNORECASE)
_COMMENT = re.compile(r"^comments?\s*:\s*(.{2,1000})", re.IGNORECASE)
_LABEL = re.compile(r"^[^\d:]{2,40}:\s")
_NUMBERS = re.compile(r"\d: ?\d|\d\(\d|\b(?:vol|volume|issue|pp?|page)\b|; doi:", re.IGNORECASE)
_PART = re.compile(r"\s*;\s*(volume|issue|pages?|article number)\s*:\s*", re.IGNORECASE)
_WHEN = re.compile(
    r"^publication date:\s*(?:available online\s*)?(.{4,40})|^(?:first )?published(?: online)?:\s*"
    r"(.{4,40})|^[^.]{2,60}, published online:\s*(.{4,40})"
    r"|^[^.:]{3,40} [—–] (\d{1,2} [^\W\d]{3,9} \d{4})$", re.IGNORECASE,
)  # fmt: skip
_TYPE = re.compile(r"^([^.:]{3,40}) [—–] \d{1,2} [^\W\d]{3,9} \d{4}$")
_NUMBERED = re.compile(
    r"^(?:vol\.?|volume|no\.?|issue|pp?\.|pages?|页码|第)\s*[:：]?\s*\d|^\d{4}年第?\d+期", re.I
)
_AUTHORS = re.compile(
    r"(?:^|>|\n)[^\S\n]*author(?:s|\(s\))?\s*:\s*(?:</b>)?([^<\n]{3,4000})", re.IGNORECASE
)
_NAME = re.compile(r"[^\W\d_][^\s\d:;/]*(?: [^\s\d:;/]+){1,6}")
_WIDE_NAME = re.compile("[\u3400-\u9fff·]{2,12}")
_ET_AL = re.compile(r"[,;]?\s*\bet al\.?$", re.IGNORECASE)
_ADDED = re.compile(r"^\[(?:ASAP|Graphical abstract added|Early View|In Press)\]\s*", re.IGNORECASE)
_DOI_LABEL = re.compile(r"\bdoi:?\s*(?:https?://(?:dx\.)?doi\.org/)?(?=10\.\d{4,9}/)", re.I)


@lru_cache(maxsize=8)
def _blocks(description: str) -> tuple[str, ...]:
    """Split a description into its paragraphs, as text."""
    pieces = _BLOCK.split(_HIDDEN.sub(" ", without_comments(description[:MAX_TEXT])))
    return tuple(text for piece in pieces if piece and (text := html_to_text(piece)))


def abstract_of(description: str, title: str) -> str:
    """Return the abstract in a description, without the label, the citation, the list of authors
    and the repeated title; ``""`` where nothing is left."""
    kept: list[str] = []
    heading = title.casefold().rstrip(".")
    for text in _blocks(description):
        labelled = _ABSTRACT.match(text) or _ABSTRACT_CAPITALS.match(text)
        while labelled:
            kept = []
            text = text[labelled.end() :]
            labelled = _ABSTRACT_TWICE.match(text)
        if not text or text.casefold().rstrip(".") == heading or _is_metadata(text):
            continue
        if _CITATION.match(text) and not any(map(_ENDS.search, kept)):
            kept = []  # what stood before it was a single author
            continue
        if not kept and _is_name_list(text):
            continue
        if sum(map(str.isalnum, text)) > 1:
            kept.append(text)
    text = " ".join(kept)
    return "" if _is_label(text) else shortened(text)


def _is_metadata(text: str) -> bool:
    """Say whether a block is no part of the abstract; of a long one only a label counts."""
    return _METADATA.search(text if len(text) < 600 else text[:100]) is not None


def _is_label(text: str) -> bool:
    """A few words without the end of a sentence: the journal's name, a section."""
    if text.count(" ") >= 8 or text.endswith((".", "!", "?", "…")):
        return False
    return not any(ord(char) > 0x2E80 for char in text)


def _is_name_list(text: str) -> bool:
    """Say whether a block is nothing but names, as RSC and IEEE put before the citation."""
    if len(text) > _LONGEST_LIST:
        return False
    bare = _ET_AL.sub("", text)
    if bare.endswith("."):
        return False
    parts = [
        part.strip() for part in re.split("[;；]" if ";" in bare or "；" in bare else ",", bare)
    ]
    named = [part for part in parts if part]
    if len(parts) < 2:
        return False
    if all(map(_WIDE_NAME.fullmatch, named)):
        return bool(named)
    return len(named) > 1 and all(_NAME.fullmatch(part) and part[0].isupper() for part in named)


def bare_title(title: str) -> str:
    """Return a title without the publisher's mark of progress (``[ASAP]``)."""
    return _ADDED.sub("", title)


def shortened(text: str) -> str:
    """Cut a whole article at a word, marked with an ellipsis."""
    if len(text) <= _LONGEST:
        return text
    return text[:_LONGEST].rsplit(" ", 1)[0].rstrip(" ,;:") + "…"


def authors_in(description: str) -> str:
    """Return the names in a description: after the label "Authors:", or a block of names only."""
    match = _AUTHORS.search(description[:20_000])
    if match:
        return collapse(match[1])
    blocks = _blocks(description)[:12]
    if listed := next((text for text in blocks if _is_name_list(text)), ""):
        return listed
    before = (one for one, other in pairwise(blocks) if _CITATION.match(other))
    return next((text for text in before if _NAME.fullmatch(text) and text.istitle()), "")


def doi_in(description: str) -> str:
    """Return the DOI that a description labels as such near its beginning, else ``""``."""
    text = " ".join(_blocks(description)[:12])[:1200]
    match = _DOI_LABEL.search(text)
    return (doi(text[match.start() : match.start() + 300]) or "") if match else ""


def published_in(description: str) -> date | None:
    """Return the day of publication that a description names; a month alone is no day."""
    for text in _blocks(description)[:20]:
        match = _WHEN.match(text)
        if match and (day := written_day(next(filter(None, match.groups()), ""))):
            return day
    return None


def type_in(description: str) -> str:
    """Return the kind of article that stands before its day ("Review — 20 August 2026")."""
    matches = (_TYPE.match(text) for text in _blocks(description)[:12])
    return next((match[1] for match in matches if match), "")


def note_in(description: str) -> str:
    """Return arXiv's comment or where it appeared, as a description names it, else ``""``."""
    blocks = _blocks(description)[:20]
    if comment := next((found[1] for text in blocks if (found := _COMMENT.match(text))), ""):
        return comment
    month = ""
    for text in blocks:
        when = _WHEN.match(text)
        if when and when[1] and not written_day(when[1]):
            month = f", {when[1]}"
    for text in blocks:
        if place := _PLACE.match(text):
            return _PART.sub(lambda part: f", {part[1].capitalize()} ", place[1]) + month
        if cited := _SHORT_CITATION.match(text):
            return cited[1]
        if _LABEL.match(text) or not _NUMBERS.search(text):
            continue
        if cited := _CITATION.match(text):
            return re.sub(r"; doi:.*", "", cited[0]).rstrip(" .,")
    return ""


def is_numbering(category: str) -> bool:
    """Say whether a "category" is a volume, an issue or pages ("Vol. 94, No. 4, pp. 1-9")."""
    return _NUMBERED.match(category) is not None
