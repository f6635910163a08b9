"""Slips that can be seen before parsing, each with the text that was probably meant."""

import difflib
import re

from service.errors import Sentence
from service.matching.query import MOST_BYTES, MOST_DEPTH, QueryError
from service.matching.terms import FIELDS, FIGURES

SEPARATORS = ",;，、；"

_FOREIGN_FIELDS = {
    "intitle": "ti:",
    "allintitle": "ti:",
    "inauthor": "au:",
    "inabstract": "abs:",
    "ab": "abs:",
    "auth": "au:",
    "aut": "au:",
    "subject": "cat:",
    "arxiv": "id:",
    "doi": "id:",
    "journal": "source:",
    "affiliation": "org:",
    "aff": "org:",
    "all": "",
    "tiab": "",
    "full": "",
}
"""Fields of other search engines, and what they are here ("" = none is needed)."""

_TAGS = {
    "ti": "ti:",
    "title": "ti:",
    "tiab": "",
    "title/abstract": "",
    "tw": "",
    "all": "",
    "all fields": "",
    "ab": "abs:",
    "abstract": "abs:",
    "au": "au:",
    "author": "au:",
    "fau": "au:",
    "1au": "au:",
    "lastau": "au:",
    "ad": "org:",
    "affiliation": "org:",
    "ta": "source:",
    "journal": "source:",
}
"""PubMed's tags behind a word, and our fields before it."""

_QUOTED = re.compile(r'"[^"]*"')
_TAGGED = re.compile(r'("[^"]*"|[^\s()"\[\]]+)\s*\[([^\]"]*)\]')
_NAMED = re.compile(r"(?<![^\s(=-])([A-Za-z]+):")
_INITIALS = re.compile(r'(\b(?:au|author):\s*)([^\s,"():]+,\s*[A-Z]\b\.?(?:[ -]?[A-Z]\b\.?)*)')
_OPERATOR = re.compile(r'(?<![^\s()"])(?:AND|OR|NOT|ANDNOT)(?![^\s()"])')
_OWN_FIELDS = frozenset((*FIELDS, *FIGURES))


def mask(text: str) -> str:
    """``text`` with what stands in quotes blotted out, each character in its place."""
    return _QUOTED.sub(lambda found: "q" * len(found.group()), text)


def find_operator(text: str) -> str:
    """The first sign that ``text`` is meant as a query: an operator in capitals, a bracket or a
    field, ours or another engine's; "" if there is none."""
    masked = mask(text)
    found = _OPERATOR.search(masked) or re.search(r"[()]|\w\s*\[[\w/ ]+\]", masked)
    if found:
        return found.group()
    for named in _NAMED.finditer(masked):
        lower = named.group(1).lower()
        follows = masked[named.end() : named.end() + 1]
        if lower in _OWN_FIELDS or (lower in _FOREIGN_FIELDS and follows.strip()):
            return named.group()
    return ""


def check_size(text: str) -> None:
    """At most 1 kB."""
    size = len(text.encode("utf-8", "replace"))
    if size > MOST_BYTES:
        raise QueryError(
            Sentence(
                "This is %(size)s bytes long; %(most)s are the most.", size=size, most=MOST_BYTES
            ),
            position=len(text.encode("utf-8", "replace")[:MOST_BYTES].decode("utf-8", "ignore"))
            + 1,
            next_step=Sentence("Split it into two interests."),
        )


def check_shape(text: str) -> None:
    """Refuse tags, unknown fields, open quotes, unpaired or too deep brackets, and commas."""
    masked = mask(text)
    open_quote = masked.find('"')
    if open_quote != -1:
        raise QueryError(
            Sentence(
                "The quote at character %(position)s is never closed.", position=open_quote + 1
            ),
            position=open_quote + 1,
            expected='a closing "',
            next_step=Sentence('Add " at its end.'),
            suggestion=f'{text.rstrip()}"' if text.count('"') == 1 else "",
        )
    _check_glued_minus(text)
    _check_tags(text)
    _check_fields(text, masked)
    _check_brackets(text, masked)
    for at, sign in enumerate(masked):
        if sign in SEPARATORS:
            raise _comma(text, at)


def _check_glued_minus(text: str) -> None:
    """``"vision"-language`` is a hyphen to whoever wrote it, and would be read as NOT."""
    for quoted in _QUOTED.finditer(text):
        at = quoted.end()
        if text[at : at + 1] == "-" and text[at + 1 : at + 2].strip(" \t\r\n)-"):
            raise QueryError(
                Sentence(
                    "The %(sign)s at character %(position)s is not an operator here.",
                    sign="-",
                    position=at + 1,
                ),
                position=at + 1,
                expected="a blank before the -, or one phrase in quotes",
                next_step=Sentence("Write -word, with one minus sign, to leave a word out."),
            )


def _check_tags(text: str) -> None:
    found = _TAGGED.search(text)
    if found is None:
        return
    field = _TAGS.get(found.group(2).strip().lower())
    position = found.start(2)
    if field is None:
        raise QueryError(
            Sentence(
                "%(tag)s at character %(position)s is not known here.",
                tag=f"[{found.group(2)}]",
                position=position,
            ),
            position=position,
            next_step=Sentence("Leave it out; fields are written before the word, like ti:word."),
        )

    def ours(tagged: re.Match[str]) -> str:
        before = _TAGS.get(tagged.group(2).strip().lower())
        return tagged.group() if before is None else f"{before}{tagged.group(1)}"

    meant = f"{field}{found.group(1)}"
    raise QueryError(
        Sentence(
            "%(tag)s at character %(position)s is another engine's form.",
            tag=f"[{found.group(2)}]",
            position=position,
        ),
        position=position,
        expected=meant,
        next_step=Sentence("Here it is %(meant)s", meant=meant),
        suggestion=_TAGGED.sub(ours, text),
    )


def _check_fields(text: str, masked: str) -> None:
    for named in _NAMED.finditer(masked):
        name = named.group(1)
        lower = name.lower()
        if lower in _OWN_FIELDS:
            continue
        ours = _FOREIGN_FIELDS.get(lower)
        if ours is None:
            close = difflib.get_close_matches(lower, [*FIELDS, *FIGURES], n=1)
            ours = f"{close[0]}:" if close else None
        raise QueryError(
            Sentence(
                "There is no field '%(field)s' (character %(position)s).",
                field=f"{name}:",
                position=named.start() + 1,
            ),
            position=named.start() + 1,
            expected="a field, or the whole in quotes",
            next_step=_advice(ours),
            suggestion="" if ours is None else text[: named.start()] + ours + text[named.end() :],
        )


def _advice(ours: str | None) -> Sentence:
    """About an unknown field: ours in its place, "" when none is needed, None when unknown."""
    if ours is None:
        return Sentence(
            "Fields are %(fields)s",
            fields="ti: abs: au: cat: source: org: id: votes: comments: authors:",
        )
    if ours:
        return Sentence("Did you mean %(meant)s", meant=ours)
    return Sentence("Leave it out: words need none.")


def _check_brackets(text: str, masked: str) -> None:
    opened: list[int] = []
    for at, sign in enumerate(masked):
        if sign == "(":
            opened.append(at)
            if len(opened) > MOST_DEPTH:
                raise QueryError(
                    Sentence(
                        "With the bracket at character %(position)s, %(depth)s stand inside each "
                        "other; %(most)s are the most.",
                        position=at + 1,
                        depth=len(opened),
                        most=MOST_DEPTH,
                    ),
                    position=at + 1,
                    next_step=Sentence("Take some brackets away."),
                )
        elif sign == ")":
            if not opened:
                raise QueryError(
                    Sentence(
                        "The bracket at character %(position)s closes nothing.", position=at + 1
                    ),
                    position=at + 1,
                    expected="an opening bracket before it",
                    next_step=Sentence("Remove it, or add ( where it begins."),
                    suggestion=_without_unopened(text, masked),
                )
            opened.pop()
    if opened:
        at = opened[-1]
        raise QueryError(
            _never_closed(at + 1, text[at + 1 :].split()),
            position=at + 1,
            expected="a closing bracket",
            next_step=Sentence("Add ) at the end."),
            suggestion=text.rstrip() + ")" * len(opened),
        )


def _without_unopened(text: str, masked: str) -> str:
    """The text without the closing brackets that close nothing."""
    kept, depth = [], 0
    for sign, typed in zip(masked, text, strict=True):
        depth += (sign == "(") - (sign == ")")
        if depth < 0:
            depth = 0
        else:
            kept.append(typed)
    return "".join(kept).strip()


def _never_closed(position: int, inside: list[str]) -> Sentence:
    if not inside:
        return Sentence("The bracket at character %(position)s is never closed.", position=position)
    return Sentence(
        "The bracket at character %(position)s, before '%(word)s', is never closed.",
        position=position,
        word=inside[0],
    )


def split_items(text: str, separators: str = SEPARATORS + "\r\n") -> list[tuple[int, str]]:
    """(offset, item) between separators that do not stand in quotes; items are not stripped."""
    masked = mask(text)
    items, start = [], 0
    for at, sign in enumerate(masked):
        if sign in separators:
            items.append((start, text[start:at]))
            start = at + 1
    items.append((start, text[start:]))
    return items


def _comma(text: str, at: int) -> QueryError:
    """Commas join keywords, not operators; offers the same words joined by OR."""
    text = _INITIALS.sub(r'\1"\2"', text)
    meant = " OR ".join(_quoted(item.strip()) for _, item in split_items(text) if item.strip())
    return QueryError(
        Sentence("Commas do not work between operators. Did you mean: %(meant)s?", meant=meant),
        position=at + 1,
        expected="an operator or a blank",
        suggestion=meant,
    )


def _quoted(item: str) -> str:
    masked = mask(item)
    plain = not _OPERATOR.search(masked) and not _NAMED.search(masked)
    balanced = masked.count("(") == masked.count(")")
    if plain and '"' not in item and (" " in item or not balanced):
        return f'"{item}"'
    if not balanced:
        return item.replace("(", "").replace(")", "")
    return item if plain else f"({item})" if _OPERATOR.search(masked) else item
