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


def is_withdrawn(note: str, abstract: str) -> bool:
    """arXiv marks a withdrawal only in the comment of a new version, or in its abstract."""
    return bool(_IN_NOTE.search(note) or _IN_ABSTRACT.search(abstract.strip()))
