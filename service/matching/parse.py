"""Text to query: the query language by a grammar, keyword lists and people by their items."""

import re
from functools import cache

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedInput

from service.errors import Sentence
from service.matching.faults import (
    check_shape,
    check_size,
    find_operator,
    mask,
    split_items,
)
from service.matching.followed import read_line, same
from service.matching.query import (
    MOST_TERMS,
    And,
    Field,
    Leaf,
    Node,
    Not,
    Number,
    Or,
    Query,
    QueryError,
    QueryKind,
    leaves,
)
from service.matching.show import describe, show, to_text
from service.matching.terms import FIELDS, check_word, make_leaf, make_number
from service.text.tex import read_accents

__all__ = [
    "describe",
    "make_query",
    "parse_keywords",
    "parse_people",
    "parse_query",
    "read_words",
    "to_text",
]

_GRAMMAR = r"""
?start: any
any: all (OR all)*
all: one ((AND | ANDNOT)? one)*
?one: (NOT | MINUS) one -> without
    | FIELD group       -> grouped
    | FIELD? EXACT? (WORD | QUOTED) -> term
    | FIGURE            -> figure
    | group
?group: "(" any ")"

AND.5: /AND(?![^\s()"])/
OR.5: /OR(?![^\s()"])/
ANDNOT.6: /ANDNOT(?![^\s()"])/
NOT.5: /NOT(?![^\s()"])/
MINUS.4: /-(?=[^\s)-])/
FIELD.6: /(?:ti|title|abs|abstract|au|author|cat|category|source|org|organi[sz]ation|id):\s*/i
FIGURE.6: /(?:votes|comments|authors):\s*[<>=≥≤]*\s*[^\s()"]*/i
EXACT.4: /=(?=[^\s()=])/
QUOTED.3: /"[^"]*"(?:~\d+)?/
WORD.1: /[^\s()"]+/
%ignore /\s+/
"""


@cache
def _parser() -> Lark:
    """The grammar, compiled at the first query: a command that reads none need not wait."""
    return Lark(_GRAMMAR, parser="lalr", lexer="basic", maybe_placeholders=False)


_SIGNS = str.maketrans(
    {
        **dict.fromkeys("“”„‟«»″＂", '"'),
        **dict.fromkeys("‘’‛＇", "'"),
        **dict.fromkeys("‐‑‒–—―−－", "-"),
        **dict.fromkeys("\u200b\ufeff\u00a0\u3000\u0000", " "),
        "（": "(",
        "）": ")",
        "：": ":",
        "＊": "*",
        "＝": "=",
        "～": "~",
    }
)
_NEAR = re.compile(r'"([^"]*)"(?:~(\d{1,4}))?')
_ORNAMENT = re.compile(r'"|\*{2,}|(?<!\w)\*|\*(?=\w)')
"""In a keyword: quotes, and stars that do not end a word (lists come with bullets and bold)."""
_OR = re.compile(r"(?<![^\s()\"])OR(?![^\s()\"])")
_OR_NOT = re.compile(_OR.pattern + r"[\s(]*(?:NOT(?![^\s()\"])|-)")
_EXCLUDED = re.compile(r"-|NOT\s+")
_A_WORD = "a word, a phrase in quotes or an opening bracket"
_ADD_IT = Sentence("Add it, or take the operator away.")
_NO_WORD = Sentence("There is no word here.")


def _plain(text: str) -> str:
    """The signs of phones and the accents of TeX as those that are read here."""
    return read_accents(text).translate(_SIGNS)


def parse_query(text: str) -> Query:
    """Read ``text`` in the query language.

    Raises QueryError: with the character and what was expected there; also above 1 kB, 64 terms
    or 8 brackets deep, and for a query that only says what to leave out.
    """
    check_size(text)
    text = _plain(text)
    if not text.strip():
        raise QueryError(_NO_WORD, position=1, expected=_A_WORD)
    check_shape(text)
    try:
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        raise _explain(text, error) from None
    root = _build(tree, "")
    if not _says_what(root) and leaves(root, wanted_only=True):
        raise _open_side(text)
    return make_query(root, "query")


def parse_keywords(text: str) -> Query:
    """Read a list of plain keywords: separated by comma, semicolon or new line outside quotes,
    each a phrase of title or abstract, joined by OR; ``-item`` and ``NOT item`` exclude.

    Raises QueryError as parse_query does; brackets, colons and AND have no meaning here.
    """
    check_size(text)
    text = _plain(text)
    wanted: dict[object, Leaf] = {}
    excluded: dict[object, Leaf] = {}
    for offset, item in split_items(text):
        stripped = item.strip()
        if not stripped:
            continue
        position = offset + item.index(stripped[0]) + 1
        minus = _EXCLUDED.match(stripped)
        rest = stripped[minus.end() :].strip() if minus else stripped
        leaf = _keyword(rest, position)
        (excluded if minus else wanted).setdefault(_sameness(leaf), leaf)
    if not wanted:
        raise _only_negative() if excluded else QueryError(_NO_WORD, position=1)
    parts: list[Node] = [_any(list(wanted.values()))]
    parts += [Not(leaf) for leaf in excluded.values()]
    return make_query(_all(parts), "keywords")


def parse_people(text: str) -> Query:
    """Read one author's name per line, as printed on papers, ``org:`` and an organisation, or a
    query of such a one (``matching/followed``); raises QueryError."""
    check_size(text)
    people: dict[object, Node] = {}
    for offset, line in split_items(_plain(text), "\r\n;；"):
        node = read_line(line, offset, parse_query)
        if node is not None:
            people.setdefault(same(node), node)
    if not people:
        what = Sentence("There is no name here.")
        raise QueryError(what, position=1, expected="one name per line")
    return make_query(_any(list(people.values())), "follow")


def read_words(text: str) -> Query:
    """Read a form's text: keywords, or a query when AND, OR or NOT in capitals, brackets or a
    field stand in it outside quotes. NOT at the beginning of items alone leaves it keywords."""
    translated = _plain(text)
    items = [item.strip() for _, item in split_items(translated)]
    bare = ",".join(re.sub(r"^NOT\s+", "", item) for item in items)
    return parse_query(text) if find_operator(bare) else parse_keywords(text)


def _keyword(item: str, position: int) -> Leaf:
    exact = item.startswith("=") and item[1:].strip() != ""
    body = item[1:].strip() if exact else item
    quoted = _NEAR.fullmatch(body)
    distance = int(quoted.group(2)) if quoted and quoted.group(2) else None
    inner = quoted.group(1) if quoted else _ORNAMENT.sub(" ", body)
    return make_leaf(inner, "", exact=exact, distance=distance, position=position)


def _sameness(leaf: Leaf) -> object:
    """Keywords are the same when the same words are compared in the same way."""
    words = tuple((word.key, word.kind) for word in getattr(leaf, "words", ()))
    return words, getattr(leaf, "distance", None)


def _build(tree: Tree[Token] | Token, field: Field) -> Node:
    assert isinstance(tree, Tree)
    children = tree.children
    if tree.data in ("any", "all"):
        parts: list[Node] = []
        negated = False
        for child in children:
            if isinstance(child, Token):
                negated = child.type == "ANDNOT"
                continue
            part = _build(child, field)
            parts.append(_without(part) if negated else part)
            negated = False
        return _any(parts) if tree.data == "any" else _all(parts)
    if tree.data == "without":
        return _without(_build(children[-1], field))
    if tree.data == "grouped":
        return _build(children[1], _narrowed(children[0], field))
    tokens = [child for child in children if isinstance(child, Token)]
    if tree.data == "figure":
        return _number(tokens[0], field)
    return _term(tokens, field)


def _narrowed(name: object, outer: Field) -> Field:
    assert isinstance(name, Token)
    field = FIELDS[name.rstrip().rstrip(":").lower()]
    if outer and outer != field:
        position = (name.start_pos or 0) + 1
        raise QueryError(
            _inside(f"{field}:", position, outer),
            position=position,
            next_step=Sentence("Close the brackets of %(field)s before it.", field=f"{outer}:"),
        )
    return field


def _inside(found: str, position: int, outer: Field) -> Sentence:
    return Sentence(
        "%(found)s at character %(position)s stands inside brackets that belong to %(field)s.",
        found=found,
        position=position,
        field=f"{outer}:",
    )


def _number(token: Token, field: Field) -> Number:
    position = (token.start_pos or 0) + 1
    if field:
        raise QueryError(_inside(str(token), position, field), position=position)
    return make_number(str(token), position)


def _term(tokens: list[Token], field: Field) -> Leaf:
    exact = False
    for token in tokens[:-1]:
        if token.type == "FIELD":
            field = _narrowed(token, field)
        else:
            exact = True
    last = tokens[-1]
    position = (last.start_pos or 0) + 1
    if last.type == "WORD":
        check_word(str(last), position)
        return make_leaf(str(last), field, exact=exact, distance=None, position=position)
    quoted = _NEAR.fullmatch(last)
    if quoted is None:
        what = Sentence("The number at character %(position)s is too large.", position=position)
        raise QueryError(what, position=position)
    distance = int(quoted.group(2)) if quoted.group(2) else None
    return make_leaf(quoted.group(1), field, exact=exact, distance=distance, position=position)


def _without(part: Node) -> Node:
    return part.part if isinstance(part, Not) else Not(part)


def _all(parts: list[Node]) -> Node:
    flat = dict.fromkeys(
        inner for part in parts for inner in (part.parts if isinstance(part, And) else (part,))
    )
    return And(tuple(flat)) if len(flat) > 1 else next(iter(flat))


def _any(parts: list[Node]) -> Node:
    flat = dict.fromkeys(
        inner for part in parts for inner in (part.parts if isinstance(part, Or) else (part,))
    )
    return Or(tuple(flat)) if len(flat) > 1 else next(iter(flat))


def make_query(root: Node, kind: QueryKind) -> Query:
    """A query of a tree; raises QueryError above 64 terms or when it only leaves out."""
    every = leaves(root)
    if len(every) > MOST_TERMS:
        raise QueryError(
            Sentence(
                "These are %(count)s terms; %(most)s are the most.",
                count=len(every),
                most=MOST_TERMS,
            ),
            next_step=Sentence("Split it into two interests."),
        )
    if not _says_what(root):
        raise _only_negative()
    terms = tuple(dict.fromkeys(leaf.text for leaf in leaves(root, wanted_only=True)))
    return Query(root=root, shown=show(root), kind=kind, terms=terms)


def _says_what(node: Node) -> bool:
    """Does every way to match need something that is there?"""
    if isinstance(node, And):
        return any(_says_what(part) for part in node.parts)
    if isinstance(node, Or):
        return all(_says_what(part) for part in node.parts)
    return not isinstance(node, Not)


def _only_negative() -> QueryError:
    return QueryError(
        Sentence("This only says what to leave out."),
        position=1,
        expected="a word that must be there",
        next_step=Sentence("Add a word you want."),
    )


def _open_side(text: str) -> QueryError:
    """``a OR NOT b`` wants a word and would still match nearly everything."""
    found = _OR_NOT.search(mask(text)) or _OR.search(mask(text))
    return QueryError(
        Sentence("One side of OR only says what to leave out, so nearly every paper would match."),
        position=found.start() + 1 if found else 1,
        expected="a word that must be there, on both sides of OR",
        next_step=Sentence("Write a NOT b for papers with a and without b."),
    )


def _explain(text: str, error: UnexpectedInput) -> QueryError:
    if isinstance(error, UnexpectedCharacters):
        position = (error.pos_in_stream or 0) + 1
        what = Sentence("Character %(position)s cannot be read.", position=position)
        return QueryError(what, position=position)
    token = getattr(error, "token", None)
    before = [
        found
        for found in _parser().lex(text)
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
            position=at,
            expected=_A_WORD,
            next_step=_ADD_IT,
        )
    at = (getattr(token, "start_pos", None) or 0) + 1
    if previous is not None and previous.type == "LPAR" and getattr(token, "type", "") == "RPAR":
        at = (previous.start_pos or 0) + 1
        return QueryError(
            Sentence("The brackets at character %(position)s are empty.", position=at),
            position=at,
            expected=_A_WORD,
        )
    if previous is not None and previous.type == "EXACT":
        return QueryError(
            Sentence(
                "= at character %(position)s belongs after the field: ti:=word.", position=at - 1
            ),
            position=at - 1,
            expected="a word or a phrase",
        )
    return QueryError(
        Sentence(
            "Before %(operator)s at character %(position)s a word is missing.",
            operator=str(token),
            position=at,
        ),
        position=at,
        expected=_A_WORD,
        next_step=_ADD_IT,
    )
