"""Papers as files for bibliographies: BibTeX and RIS, UTF-8. Pure.

BibTeX: btxdoc (O. Patashnik) for types, names and braces, arXiv's help page "BibTeX and eprints"
for ``eprint``. RIS: the tags that Zotero, EndNote and JabRef read; lines end with CRLF.
"""

import re
from collections.abc import Iterator, Sequence

from service.papers.citation import Name, Reference, reference
from service.papers.model import Paper

_TEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\textbraceleft{}",
        "}": r"\textbraceright{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        **{sign: f"\\{sign}" for sign in "&%$#_"},
    }
)
"""``\\{`` would do for TeX, but BibTeX counts that brace too."""

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WORD = re.compile(r"[^\s\-–—/:;,.!?()\[\]\"'“”‘’]+")


def bibtex(papers: Sequence[Paper], missing: int = 0) -> str:
    """Return one entry a paper. missing: papers that cannot be told any more, said at the end."""
    entries = ["".join(_entry(reference(paper))) for paper in papers]
    if missing:
        entries.append(f"% {missing} more: not in our lists any more\n")
    return "\n".join(entries)


def _entry(one: Reference) -> Iterator[str]:
    yield f"@{'article' if one.place else 'misc'}{{{one.key},\n"
    fields = {name: value for name, value in _fields(one).items() if value}
    width = max(map(len, fields))
    for name, value in fields.items():
        yield f"  {name:<{width}} = {value},\n"
    yield "}\n"


def _fields(one: Reference) -> dict[str, str]:
    place = one.place
    fields = {
        "title": _braced(_with_capitals(one.title)),
        "author": _braced(" and ".join(map(_name, one.names))),
        "year": _braced(f"{one.on.year:04}") if one.on else "",
        "month": _MONTHS[one.on.month - 1] if one.on else "",
    }
    if place is not None:
        fields |= {
            "journal": _braced(_tex(place.journal)),
            "volume": _braced(_tex(place.volume)),
            "number": _braced(_tex(place.number.replace("-", "--"))),
            "pages": _braced(_tex(place.pages.replace("-", "--"))),
        }
    elif one.server and not one.eprint:
        fields["howpublished"] = _braced(_tex(one.server))
    if one.eprint:
        fields |= {
            "eprint": _braced(one.eprint),
            "archivePrefix": "{arXiv}",
            "primaryClass": _braced(one.subject),
        }
    return fields | {
        "doi": _braced(_bare(one.doi)),
        "url": _braced(_bare(one.url)),
        "language": _braced(_tex(one.language)),
        "note": _braced(f"PubMed {one.pmid}") if one.pmid else "",
    }


def _braced(value: str) -> str:
    return f"{{{value}}}" if value else ""


def _bare(address: str) -> str:
    """Addresses are set verbatim (url, hyperref): only what would end the field is written else."""
    for sign, code in (("\\", "%5C"), ("{", "%7B"), ("}", "%7D")):
        address = address.replace(sign, code)
    return address


def _tex(text: str) -> str:
    return text.translate(_TEX)


def _with_capitals(title: str) -> str:
    """The title with braces around words whose capitals a style must not change: LoRA, GPT-4, K."""

    def keep(found: re.Match[str]) -> str:
        word = found[0]
        letters = [c for c in word if c.isalpha()]
        inside = any(c.isupper() for c in letters[1:])
        alone = len(letters) == 1 and letters[0].isupper() and word not in ("A", "I")
        return f"{{{_tex(word)}}}" if inside or alone else _tex(word)

    return _WORD.sub(keep, title)


def _name(name: Name) -> str:
    """A whole name stands in braces: BibTeX would take its last word for a family name, and an
    "and" in it for the next author."""
    parts = [_tex(part) for part in (name.last, name.suffix, name.first) if part]
    is_split = not name.is_whole and not any(re.search(r"(?i)\band\b|,", part) for part in parts)
    return ", ".join(parts) if is_split else _braced(_tex(name.turned))


def ris(papers: Sequence[Paper], missing: int = 0) -> str:
    """Return one record a paper. missing: papers that cannot be told any more; a record of RIS has
    no place for it, so a note on the last one says so."""
    records = [list(_record(reference(paper))) for paper in papers]
    if missing and records:
        records[-1].append(("N1", f"{missing} more papers are not in our lists any more"))
    return "".join(
        "".join(f"{tag}  - {value}\r\n" for tag, value in record if value) + "ER  - \r\n\r\n"
        for record in records
    )


def _record(one: Reference) -> Iterator[tuple[str, str]]:
    place = one.place
    kind = "JOUR" if place else "UNPB" if one.server else "GEN"
    yield "TY", kind
    yield "ID", one.key
    yield "TI", one.title
    for name in one.names:  # a comma parts last and first name, and a suffix comes last
        parts = [name.last, name.first, name.suffix]
        whole = name.last.replace(",", " ")
        yield "AU", whole if name.is_whole else ", ".join(part for part in parts if part)
    if one.on is not None:
        yield "PY", f"{one.on.year:04}"
        yield "DA", f"{one.on:%Y/%m/%d}/"
    if place is not None:
        first, _, last = place.pages.partition("-")
        yield from (("T2", place.journal), ("VL", place.volume), ("IS", place.number))
        yield from (("SP", first), ("EP", last))
    elif one.server:
        yield "PB", one.server
    if one.eprint or one.pmid:
        yield "AN", f"arXiv:{one.eprint}" if one.eprint else f"PMID:{one.pmid}"
    yield from (("DO", one.doi), ("UR", one.url), ("L1", one.pdf), ("LA", one.language))
    for subject in one.subjects:
        yield "KW", subject
    yield "AB", one.abstract
