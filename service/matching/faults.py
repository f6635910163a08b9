"""Slips that can be seen before parsing, each with the text that was probably meant."""

import re
from collections.abc import Iterable

from lark import Token
from lark.exceptions import UnexpectedCharacters, UnexpectedInput

from service.errors import Sentence
from service.matching.blots import BLOT, OPERATOR, QUOTED, mask, replaced, taken_out
from service.matching.foreign_fields import FOREIGN_FIELDS, OWN_FIELDS
from service.matching.query import MOST_DEPTH, QueryError
from service.matching.terms import no_operator

SEPARATORS = ",;，、；"

_NAMED = re.compile(r"(?<![^\s(=-])([A-Za-z][A-Za-z_.-]*):")
_OR = re.compile(r"(?<![^\s()\"])OR(?![^\s()\"])")
_OR_NOT = re.compile(_OR.pattern + r"[\s(]*(?:NOT(?![^\s()\"])|-)")
A_WORD = Sentence("a word, a phrase in quotes or an opening bracket")
_ADD_IT = Sentence("Add it, or take the operator away.")
_BULLET = re.compile(
    r"[ \t]*(?:[-*\u2022\u00b7\u2023\u25aa\u25e6\u2043]|\(?\d{1,2}[.)])[ \t]+(?=\S)"
)
_INITIALS = re.compile(r'(\b(?:au|author):\s*)([^\s,"():]+,\s*[A-Z]\b\.?(?:[ -]?[A-Z]\b\.?)*)')
_THOUSANDS = re.compile(
    r"\b(?:votes|comments|authors):\s*[<>=≥≤]*\s*\d{1,3}(?:,\d{3})+(?!\d)", re.I
)
_FOREIGN = re.compile(
    r"(?<!\S)(?:(?:O?NEAR|W|PRE|ADJ)/\d|allin(?:title|text|author):|https?://|(?:www\.)?(?:arxiv|doi)\.org/"
    r"|(?:votes|comments|authors)[<>≥≤])|&&|\||\w:[\[{]",
    re.I,
)


def find_operator(text: str) -> str:
    """The first sign that ``text`` is meant as a query: an operator in capitals, a bracket or a
    field, ours or another engine's; "" if there is none."""
    masked = mask(text)
    found = (
        OPERATOR.search(masked)
        or _FOREIGN.search(masked)
        or re.search(rf"[()]|[\w{BLOT}]\s*\[[\w/ ]+\]", masked)
    )
    if found:
        return found.group()
    for named in _NAMED.finditer(masked):
        lower = named.group(1).lower()
        follows = masked[named.end() : named.end() + 1]
        if lower in OWN_FIELDS or ((lower in FOREIGN_FIELDS or lower == "all") and follows.strip()):
            return named.group()
    return ""


def check_shape(text: str) -> None:
    """Refuse open quotes, unpaired or too deep brackets, and commas."""
    masked = mask(text)
    open_quote = masked.find('"')
    if open_quote != -1:
        raise QueryError(
            Sentence(
                "The quote at character %(position)s is never closed.", position=open_quote + 1
            ),
            expected=Sentence('a closing "'),
            next_step=Sentence('Add " at its end.'),
            suggestion=f'{text.rstrip()}"',
        )
    _check_glued_minus(text)
    _check_brackets(text, masked)
    for at, sign in enumerate(masked):
        if sign in SEPARATORS:
            raise _comma(text, at)


def _check_glued_minus(text: str) -> None:
    """``"vision"-language`` is a hyphen to whoever wrote it, and would be read as NOT."""
    for quoted in QUOTED.finditer(text):
        at = quoted.end()
        glued = re.match(r'-+([^\s()"-][^\s()"]*)', text[at:])
        if glued:
            whole = f'"{quoted[0].strip(chr(34))} {glued[1]}"'
            raise QueryError(
                no_operator("-", at + 1),
                expected=Sentence("a blank before the -, or one phrase in quotes"),
                next_step=Sentence("Write -word, with one minus sign, to leave a word out."),
                suggestion=text[: quoted.start()] + whole + text[at + glued.end() :],
            )


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
                    next_step=Sentence("Take some brackets away."),
                )
        elif sign == ")":
            if not opened:
                raise QueryError(
                    Sentence(
                        "The bracket at character %(position)s closes nothing.", position=at + 1
                    ),
                    expected=Sentence("an opening bracket before it"),
                    next_step=Sentence("Remove it, or add ( where it begins."),
                    suggestion=_without_unopened(text, masked),
                )
            opened.pop()
    if opened:
        at = opened[-1]
        raise QueryError(
            _never_closed(at + 1, text[at + 1 :].split()),
            expected=Sentence("a closing bracket"),
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


def without_bullets(text: str) -> str:
    """A list whose every line begins with a bullet or a number (``- LoRA``, ``1. LoRA``), with
    blanks in their place: each character stays where it was."""
    lines = text.splitlines(keepends=True)
    filled = [line for line in lines if line.strip()]
    if len(filled) < 2 or not all(_BULLET.match(line) for line in filled):
        return text
    return "".join(_BULLET.sub(lambda found: " " * len(found[0]), line, count=1) for line in lines)


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
    sign = text[at]
    text = _THOUSANDS.sub(lambda found: found[0].replace(",", ""), text)
    text = _INITIALS.sub(r'\1"\2"', text)
    meant = " OR ".join(_quoted(item.strip()) for _, item in split_items(text) if item.strip())
    return QueryError(
        Sentence(
            "The %(sign)s at character %(position)s does not work between operators.",
            sign=sign,
            position=at + 1,
        ),
        next_step=Sentence("Did you mean: %(whole)s?", whole=meant),
        expected=Sentence("an operator or a blank"),
        suggestion=meant,
    )


def _quoted(item: str) -> str:
    masked = mask(item)
    plain = not OPERATOR.search(masked) and not _NAMED.search(masked)
    balanced = masked.count("(") == masked.count(")")
    if plain and '"' not in item and (" " in item or not balanced):
        return f'"{item}"'
    if not balanced:
        return item.replace("(", "").replace(")", "")
    return item if plain else f"({item})" if OPERATOR.search(masked) else item


def open_side(text: str) -> QueryError:
    """``a OR NOT b`` wants a word and would still match nearly everything."""
    found = _OR_NOT.search(mask(text)) or _OR.search(mask(text))
    return QueryError(
        Sentence(
            "One side of the OR at character %(position)s only says what to leave out, so nearly "
            "every paper would match.",
            position=found.start() + 1 if found else 1,
        ),
        expected=Sentence("a word that must be there, on both sides of OR"),
        next_step=Sentence("Write a NOT b for papers with a and without b."),
        suggestion=replaced(text, _OR_NOT, lambda one: one[0].replace("OR", "AND", 1)),
    )


def explain(text: str, error: UnexpectedInput, tokens: Iterable[Token]) -> QueryError:
    """What the grammar could not take. tokens: of the whole text."""
    if isinstance(error, UnexpectedCharacters):
        position = (error.pos_in_stream or 0) + 1
        return QueryError(Sentence("Character %(position)s cannot be read.", position=position))
    token = getattr(error, "token", None)
    before = [
        found
        for found in tokens
        if token is None or token.type == "$END" or (found.start_pos or 0) < (token.start_pos or 0)
    ]
    previous = before[-1] if before else None
    if previous is not None and previous.type in ("AND", "OR", "NOT", "ANDNOT", "FIELD", "MINUS"):
        at = (previous.start_pos or 0) + 1
        name = str(previous).strip()
        return QueryError(
            Sentence(
                "After %(operator)s at character %(position)s a word is missing.",
                operator=name,
                position=at,
            ),
            expected=A_WORD,
            next_step=_ADD_IT,
            suggestion=_without_piece(text, at - 1, at - 1 + len(previous)),
        )
    at = (getattr(token, "start_pos", None) or 0) + 1
    if previous is not None and previous.type == "LPAR" and getattr(token, "type", "") == "RPAR":
        at = (previous.start_pos or 0) + 1
        return QueryError(
            Sentence("The brackets at character %(position)s are empty.", position=at),
            expected=A_WORD,
            suggestion=taken_out(text, at - 1, getattr(token, "end_pos", None) or at + 1),
        )
    if previous is not None and previous.type == "EXACT":
        return QueryError(
            Sentence(
                "= at character %(position)s belongs after the field: ti:=word.", position=at - 1
            ),
            expected=Sentence("a word or a phrase"),
        )
    return QueryError(
        Sentence(
            "Before %(operator)s at character %(position)s a word is missing.",
            operator=str(token),
            position=at,
        ),
        expected=A_WORD,
        next_step=_ADD_IT,
        suggestion=_without_piece(text, at - 1, at - 1 + len(str(token))),
    )


def _without_piece(text: str, start: int, end: int) -> str:
    return " ".join(f"{text[:start]} {text[end:]}".split())
