"""What publishers put into a description: the abstract, authors and DOI found in it. Pure."""

import re

from service.papers.identity import doi
from service.text.clean import MAX_TEXT, collapse, html_to_text

_LONGEST = 4000
"""Characters of an abstract that are kept; a blog sends its whole article."""

_BLOCK = re.compile(
    r"</?(?:p|div|br|li|ul|ol|h[1-6]|tr|td|table|section|article|blockquote|jats:p|jats:title)\b"
    r"[^<>]*>|\n\s*\n",
    re.IGNORECASE,
)
_HIDDEN = re.compile(r"<(style|script)\b(?:(?!<\1\b).)*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_ABSTRACT = re.compile(r"^(?:abstract|summary|résumé|zusammenfassung)\s*(?:[:.]\s*|$)", re.I)
_ABSTRACT_CAPITALS = re.compile(r"^(?:ABSTRACT|SUMMARY)\s+(?=[A-Z])")
_METADATA = re.compile(
    r"^(?:publication date|source|authors?|author\(s\)|doi|pmid|pmcid|journal|keywords?)\s*:"
    r"|^volume \d+, (?:issue|number|page|article)|^[^.]{2,60}, published online:"
    r"|^(?:graphical abstract|toc graphic|abstract)$|^doi\s*10\.|^\[?doi:\s*10\.\S+\]?$"
    r"|\bdoi:\s*10\.\d{4,}/\S+\s*(?:online ahead of print|epub .{0,30})?\.?$"
    r"|^(?:upvotes|github stars)\s*:|^🔗|^(?:html|xml|pdf|full text)(?: (?:html|xml|pdf))*$",
    re.IGNORECASE,
)
_CITATION = re.compile(
    r"^[^.]{3,80},? (?:vol\.? |volume |pp?\. ?)?\d+(?:\(\d+\))?:? ?(?:pp?\. ?)?\d*-?\d*$"
)
_AUTHORS = re.compile(
    r"(?:^|>|\n)[^\S\n]*author(?:s|\(s\))?\s*:\s*(?:</b>)?([^<\n]{3,4000})", re.IGNORECASE
)
_NAME = re.compile(r"[^\W\d_]\S*(?: \S+){1,4}")
_ADDED = re.compile(r"^\[(?:ASAP|Graphical abstract added|Early View|In Press)\]\s*", re.IGNORECASE)
_DOI_LABEL = re.compile(r"\bdoi:?\s*(?:https?://(?:dx\.)?doi\.org/)?(?=10\.\d{4,9}/)", re.I)


def abstract_of(description: str, title: str) -> str:
    """Return the abstract in a description, without the label, the citation, the list of authors
    and the repeated title; ``""`` where nothing is left."""
    kept: list[str] = []
    heading = title.casefold().rstrip(".")
    for block in _BLOCK.split(_HIDDEN.sub(" ", description[:MAX_TEXT])):
        text = html_to_text(block)
        labelled = _ABSTRACT.match(text) or _ABSTRACT_CAPITALS.match(text)
        if labelled:
            kept = []
            text = text[labelled.end() :]
        if not text or text.casefold().rstrip(".") == heading or _METADATA.search(text):
            continue
        if not kept and (_CITATION.match(text) or _is_name_list(text)):
            continue
        if sum(map(str.isalnum, text)) > 1:
            kept.append(text)
    text = " ".join(kept)
    return "" if _is_label(text) else shortened(text)


def _is_label(text: str) -> bool:
    """A few words without the end of a sentence: the journal's name, a section."""
    is_wide = any(ord(char) > 0x2E80 for char in text)
    return not is_wide and text.count(" ") < 8 and not text.endswith((".", "!", "?", "…"))


def _is_name_list(text: str) -> bool:
    """Say whether a block is nothing but names, as RSC and IEEE put before the citation."""
    parts = [part.strip() for part in re.split("[;,]" if ";" not in text else ";", text)]
    if len(parts) < 2 or text.endswith("."):
        return False
    return all(_NAME.fullmatch(part) and part[0].isupper() for part in parts)


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
    blocks = (html_to_text(block) for block in _BLOCK.split(description[:6000])[:12])
    return next((text for text in blocks if _is_name_list(text)), "")


def doi_in(description: str) -> str:
    """Return the DOI that a description labels as such near its beginning, else ``""``."""
    text = html_to_text(description[:6000])[:800]
    match = _DOI_LABEL.search(text)
    return (doi(text[match.start() : match.start() + 300]) or "") if match else ""
