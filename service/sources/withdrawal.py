"""Whether a paper says of itself that it was withdrawn. Pure."""

import re

_IN_NOTE = re.compile(
    r"\bwithdrawn\b(?! from (?:the )?(?:study|trial|market))|\bwithdrawal of (?:this|the) paper\b",
    re.IGNORECASE,
)
_IN_ABSTRACT = re.compile(
    r"^(?:this|the) (?:paper|article|submission|manuscript|preprint|work|version)\b.{0,60}"
    r"\bwithdrawn\b|^(?:this (?:paper|article|submission) )?(?:has been |is )?withdrawn\b",
    re.IGNORECASE,
)


_IN_TITLE = re.compile(
    r"^\W{0,2}(?:(?:temporary )?(?:withdrawn|removal)|retracted)(?: article)?\W{0,2}[:\]–—-]", re.I
)


def is_withdrawn(note: str, abstract: str, title: str = "") -> bool:
    """arXiv marks a withdrawal only in the comment of a new version, or in its abstract; journals
    write it before the title ("RETRACTED: ..."). A notice about another paper is none."""
    in_title = _IN_TITLE.search(title)
    return bool(in_title or _IN_NOTE.search(note) or _IN_ABSTRACT.search(abstract.strip()))
