"""Names out of the ways in which feeds write a list of authors. Pure."""

import re
from collections.abc import Iterable, Mapping

from service.text.clean import collapse, html_to_text
from service.text.tex import to_unicode

_MOST = 3000
"""Names kept of one paper."""

_LONGEST = 10_000
"""Characters of one field of a feed that are read: some five hundred names."""

_SUFFIX = re.compile(r"^(?:Jr|Sr|I{2,3}|IV|PhD|Ph\.D|MD)\.?$", re.IGNORECASE)
_INITIALS = re.compile(r"^(?:[^\W\d_]\.?[\s-]?){1,4}$")
_IN_BRACKETS = re.compile(r"^\(([^()]+)\)$")
_AFFILIATION = re.compile(r"\s*[(\[][^()\[\]]{1,300}[)\]](?=\s*(?:[,;]|$|(?:and|&)\s))")
_MARKS = re.compile(r"^[\s*†‡§¶#,;:]+|[\s*†‡§¶#,;:⁰¹²³⁴-⁹]+$")
_LABEL = re.compile(r"^\s*(?:authors?|author\(s\)|by)\s*:\s*", re.IGNORECASE)
_LAST = re.compile(r"(?:,\s*|\s+)(?:and|&|und|et al\.?)(?:\s+|$)")


def arxiv_authors(text: str) -> tuple[str, ...]:
    """Split arXiv's one string: names joined by ``, ``, TeX accents, affiliations in brackets
    that hold commas; the brackets are removed."""
    names: list[str] = []
    for part in _outside_brackets(html_to_text(text)):
        name = _bare(part)
        if _SUFFIX.match(name) and names:
            names[-1] = f"{names[-1]}, {name}"
        elif name:
            names.append(name)
    return tuple(names[:_MOST])


def listed_authors(entries: Iterable[str]) -> tuple[str, ...]:
    """Return the names of a list with one name each, as arXiv's API and Hugging Face send it.

    Marks of footnotes and affiliations in brackets are removed, several names in one entry taken
    apart; the ":" that arXiv lists after a collaboration is no name. Raises ValueError: an entry
    is no string, or all is one string or object (a source may send one author without a list).
    """
    if isinstance(entries, str | Mapping):
        raise ValueError("its authors are no list of names")
    names: list[str] = []
    for entry in entries:
        if not isinstance(entry, str):
            raise ValueError("one of its authors is no name")
        for part in collapse(entry).split(";"):
            if name := _bare(_AFFILIATION.sub("", part)):
                names.append(name)
    return tuple(names[:_MOST])


def _bare(text: str) -> str:
    """Return a name in Unicode without the marks around it; ``""`` where no letter is left."""
    name = _MARKS.sub("", to_unicode(text))
    return name if any(map(str.isalpha, name)) else ""


def _outside_brackets(text: str) -> list[str]:
    """Split at the commas outside brackets, and drop what stands in brackets."""
    parts: list[str] = [""]
    depth = 0
    for char in text:
        if char == "(":
            depth += 1
        elif char == ")":
            depth = max(0, depth - 1)
        elif depth == 0 and char == ",":
            parts.append("")
        elif depth == 0:
            parts[-1] += char
    return [collapse(part) for part in parts]


def feed_authors(entries: Iterable[str]) -> tuple[str, ...]:
    """Return "First Last" of every name in ``entries``: one name each, or one string of many."""
    texts = [_without_addresses(html_to_text(entry[:_LONGEST])) for entry in entries]
    texts = [_LABEL.sub("", text).replace("()", "").strip(" ,;") for text in texts]
    texts = [_AFFILIATION.sub("", _IN_BRACKETS.sub(r"\1", text)) for text in texts if text]
    texts = [text for text in texts if text]
    names = _split(texts[0]) if len(texts) == 1 else [_forename_first(text) for text in texts]
    turned = map(_bare, names)
    return tuple(dict.fromkeys(name for name in turned if name))[:_MOST]


def _without_addresses(text: str) -> str:
    """Drop the words that are addresses, not the comma after one; ``text`` is one line."""
    words = (
        word[len(word.rstrip(",;")) :] if _is_address(word) else word for word in text.split(" ")
    )
    return " ".join(words).strip()


def _is_address(word: str) -> bool:
    name, _, host = word.partition("@")
    return (bool(name) and "." in host[1:-1]) or word.startswith(("http://", "https://"))


def _split(text: str) -> list[str]:
    """Split one string into names: semicolons, else commas, else one name."""
    parts = [part.strip() for part in re.split(r"\s*[;；]\s*", text) if part.strip()]
    if len(parts) > 1:
        return [_forename_first(part) for part in parts]
    text = _LAST.sub(", ", text)
    parts = [part.strip() for part in re.split(r"\s*[,，、]\s*", text) if part.strip()]
    if len(parts) == 2 and (" " not in parts[0] or _INITIALS.match(parts[1])):
        wide = ord(parts[0][0]) > 0x2E80
        return parts if wide else [_forename_first(text.strip(" ,"))]
    if len(parts) > 2 and len(parts) % 2 == 0 and all(map(_INITIALS.match, parts[1::2])):
        return [f"{given} {name}" for name, given in zip(parts[::2], parts[1::2], strict=True)]
    names: list[str] = []
    for part in parts:
        if _SUFFIX.match(part) and names:
            names[-1] = f"{names[-1]}, {part}"
        else:
            names.append(part)
    return names


def _forename_first(name: str) -> str:
    """Turn "Last, First" round."""
    last, comma, first = name.partition(",")
    if not comma or "," in first or _SUFFIX.match(first.strip()):
        return name
    return f"{first.strip()} {last.strip()}"
