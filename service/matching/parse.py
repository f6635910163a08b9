"""Text to query: the query language by a grammar, keyword lists and people by their items."""

import re
from collections.abc import Callable
from functools import cache, partial

from lark import Lark
from lark.exceptions import UnexpectedInput

from service.errors import Sentence
from service.matching.blots import tidied
from service.matching.build import NEAR, Builder, all_of, any_of
from service.matching.categories import code_of
from service.matching.faults import (
    A_WORD,
    SEPARATORS,
    check_shape,
    explain,
    find_operator,
    open_side,
    split_items,
    without_bullets,
)
from service.matching.followed import read_line, same
from service.matching.foreign import check_foreign, in_capitals
from service.matching.foreign_fields import is_paper
from service.matching.query import (
    MOST_TERMS,
    And,
    Leaf,
    Node,
    Not,
    Or,
    Query,
    QueryError,
    QueryKind,
    leaves,
)
from service.matching.show import describe, show, show_item, split_keywords, to_text
from service.matching.terms import make_leaf
from service.matching.typed import at_typed, check_size, read_signs

__all__ = [
    "describe",
    "make_query",
    "parse_keywords",
    "parse_people",
    "parse_query",
    "read_again",
    "read_in_capitals",
    "read_otherwise",
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
       | /all:(?=\S)/i
FIGURE.6: /(?:votes|comments|authors)(?::|(?=[<>≥≤]))\s*[<>=≥≤]*\s*[^\s()"]*/i
EXACT.4: /=(?=[^\s()=])/
QUOTED.3: /"[^"]*"(?:\s*~\d+)?/
WORD.1: /[^\s()"]+/
%ignore /\s+/
"""


@cache
def _parser() -> Lark:
    """The grammar, compiled at the first query: a command that reads none need not wait."""
    return Lark(_GRAMMAR, parser="lalr", lexer="basic", maybe_placeholders=False)


_ORNAMENT = re.compile(r'"|\*{2,}|(?<!\w)\*|\*(?=\w)')
"""In a keyword: quotes, and stars that do not end a word (lists come with bullets and bold)."""
_EXCLUDED = re.compile(r"-|NOT\s+")
_MOST_MENDED = 12
_LONG = 200
"""Characters from which on fewer mends are tried: reading a long text takes milliseconds."""
_NO_WORD = Sentence("There is no word here.")


def parse_query(text: str, *, stored: bool = False) -> Query:
    """Read ``text`` in the query language.

    stored: the text was read before, by this version or an older one; what other engines write
    differently, and categories that are not known, are then no errors.
    Raises QueryError: with the character of ``text``, what was expected there, and where one can
    be told a suggestion that is sure to be read; also above 1 kB, 64 terms or 8 brackets deep,
    and for a query that only says what to leave out.
    """
    check_size(text)
    typed = read_signs(text)
    try:
        return _parse(typed.text, stored=stored)
    except QueryError as error:
        raise at_typed(_mended(error, _parse), typed) from None


def _parse(text: str, *, stored: bool = False) -> Query:
    if not text.strip():
        raise QueryError(_NO_WORD, position=1, expected=A_WORD)
    if not stored:
        check_foreign(text)
    check_shape(text)
    try:
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        raise explain(text, error, _parser().lex(text)) from None
    root = Builder(text, stored).build(tree, "")
    if not _says_what(root) and leaves(root, wanted_only=True):
        raise open_side(text)
    return make_query(root, "query")


def _mended(
    error: QueryError, parse: Callable[[str], Query], tidy: Callable[[str], str] = tidied
) -> QueryError:
    """The error with a suggestion that can be read: mended as often as it takes, else none."""
    first = meant = tidy(error.suggestion)
    for _ in range(_MOST_MENDED if len(first) < _LONG else _MOST_MENDED // 4):
        if not meant:
            break
        try:
            check_size(meant)
            parse(meant)
            break
        except QueryError as again:
            meant = tidy(again.suggestion) if again.suggestion != meant else ""
    else:
        meant = ""
    step = error.next_step
    if isinstance(step, Sentence) and "whole" in step.values:
        error.next_step = (
            step.again(whole=meant) if meant else Sentence("Write OR between the words.")
        )
    error.suggestion = meant
    return error


def parse_keywords(text: str) -> Query:
    """Read a list of plain keywords: separated by comma, semicolon or new line outside quotes,
    each a phrase of title or abstract, joined by OR; ``-item`` and ``NOT item`` exclude.

    Raises QueryError as parse_query does; brackets, colons and AND have no meaning here.
    """
    check_size(text)
    typed = read_signs(text)
    try:
        return _parse_keywords(typed.text)
    except QueryError as error:
        raise at_typed(_mended(error, _parse_keywords, tidy=str), typed) from None


def _parse_keywords(text: str) -> Query:
    wanted: dict[object, Leaf] = {}
    excluded: dict[object, Leaf] = {}
    for offset, item in split_items(without_bullets(text)):
        stripped = item.strip()
        if not stripped:
            continue
        position = offset + item.index(stripped[0]) + 1
        minus = _EXCLUDED.match(stripped)
        rest = stripped[minus.end() :].strip() if minus else stripped
        try:
            leaf = _keyword(rest, position)
        except QueryError as error:
            if error.suggestion:  # of the item alone
                start = position - 1 + len(stripped) - len(rest)
                sign = "=" if rest.startswith("=") and "*" not in rest else ""
                after = text[position - 1 + len(stripped) :]
                error.suggestion = text[:start] + sign + error.suggestion + after
            raise
        (excluded if minus else wanted).setdefault(_sameness(leaf), leaf)
    if not wanted:
        raise _only_negative() if excluded else QueryError(_NO_WORD, position=1, expected=A_WORD)
    parts: list[Node] = [any_of(list(wanted.values()))]
    parts += [Not(leaf) for leaf in excluded.values()]
    return make_query(all_of(parts), "keywords")


def parse_people(text: str, *, stored: bool = False) -> Query:
    """Read one author's name per line, as printed on papers, ``org:`` and an organisation, or a
    query of such a one (``matching/followed``); raises QueryError as parse_query does."""
    check_size(text)
    typed = read_signs(text)
    try:
        return _parse_people(typed.text, stored=stored)
    except QueryError as error:
        raise at_typed(_mended(error, _parse_people, tidy=str), typed) from None


def _parse_people(text: str, *, stored: bool = False) -> Query:
    people: dict[object, Node] = {}
    for offset, line in split_items(without_bullets(text), "\r\n;；"):
        try:
            node = read_line(line, offset, partial(parse_query, stored=stored))
        except QueryError as error:
            if error.suggestion:  # of the line alone
                rest = text[offset + len(line) :]
                error.suggestion = text[:offset] + error.suggestion.strip() + rest
            raise
        if node is not None:
            people.setdefault(same(node), node)
    if not people:
        what = Sentence("There is no name here.")
        raise QueryError(what, position=1, expected=Sentence("one name per line"))
    return make_query(any_of(list(people.values())), "follow")


def read_again(kind: str, text: str) -> Query:
    """Read a text that was read before, as "keywords", "query" or "follow"; raises QueryError
    where this version cannot read it any more."""
    if kind == "query":
        return parse_query(text, stored=True)
    return parse_people(text, stored=True) if kind == "follow" else parse_keywords(text)


def read_words(text: str) -> Query:
    """Read a form's text: keywords, or a query when AND, OR or NOT in capitals, brackets or a
    field stand in it outside quotes. NOT at the beginning of items alone leaves it keywords.

    Raises QueryError; also for a category's code among the keywords, which no paper's text holds.
    """
    check_size(text)
    typed = read_signs(text)
    if not _is_query(typed.text):
        _check_codes(typed.text)
        return parse_keywords(text)
    try:
        return parse_query(text)
    except QueryError as error:
        meant = error.suggestion
        if meant and not _is_query(read_signs(meant).text):  # it would be read as keywords
            error.suggestion = parse_query(meant).shown
        raise


def read_in_capitals(text: str, kind: QueryKind) -> str:
    """``a or b`` with its operator in capitals, as a query that can be read; "" where there is
    nothing to it. kind: how the text was read as it is."""
    meant = in_capitals(read_signs(text).text, everywhere=kind == "query")
    if not meant:
        return ""
    try:
        return meant if parse_query(meant).shown else ""
    except QueryError as error:
        return error.suggestion if " OR " in error.suggestion else ""


def read_otherwise(text: str) -> str:
    """The text that ``read_words`` reads as keywords where it reads ``text`` as a query: its items
    in quotes. "" where there is no other reading."""
    if not _is_query(read_signs(text).text):
        return ""
    try:
        wanted, excluded = split_keywords(parse_keywords(text).root)
    except QueryError:
        return ""
    items = [*map(_plain_item, wanted), *(f"-{_plain_item(leaf)}" for leaf in excluded)]
    return ", ".join(items)


def _plain_item(leaf: Leaf) -> str:
    item = show_item(leaf)
    return f'"{leaf.text}"' if _is_query(item) else item


def _is_query(text: str) -> bool:
    """An operator may begin or end a line of a query; between commas it is a word ("OR")."""
    text = without_bullets(text.replace("\r", "\n"))
    lists = [item for _, item in split_items(text, SEPARATORS)]
    items = [re.sub(r"(?m)^\s*(?:NOT\s+)?", "", item) for item in lists]
    return any(is_paper(item) for item in items) or bool(find_operator(",".join(items)))


def _check_codes(text: str) -> None:
    """``cs.LG, LoRA``: the code means a category."""
    text = without_bullets(text)
    items = [(at, item.strip()) for at, item in split_items(text) if item.strip()]
    for at, item in items:
        if code_of(item):
            position = at + text[at:].index(item) + 1
            raise _mended(
                QueryError(
                    Sentence(
                        "%(word)s at character %(position)s is a category, not a word.",
                        word=item,
                        position=position,
                    ),
                    expected=Sentence("a word, or cat: before a category"),
                    next_step=Sentence("Did you mean: %(meant)s?", meant=f"cat:{code_of(item)}"),
                    suggestion=_as_query(items),
                ),
                parse_query,
            )


def _as_query(items: list[tuple[int, str]]) -> str:
    """A list of keywords with categories among them, as a query."""
    wanted = [item for _, item in items if not _EXCLUDED.match(item)]
    out = [_EXCLUDED.sub("", item, count=1).strip() for _, item in items if item not in wanted]
    words = [_quoted(item) for item in wanted if not code_of(item)]
    codes = [f"cat:{code_of(item)}" for item in wanted if code_of(item)]
    sides = [" OR ".join(side) for side in (words, codes) if side]
    sides = [f"({side})" if " OR " in side else side for side in sides]
    without = [f"NOT {f'cat:{code_of(item)}' if code_of(item) else _quoted(item)}" for item in out]
    return " AND ".join(sides + without) if sides else ""


def _quoted(item: str) -> str:
    return item if re.fullmatch(r'"[^"]*"(?:~\d+)?|[\w-]+\*?', item) else f'"{item}"'


def _keyword(item: str, position: int) -> Leaf:
    exact = item.startswith("=") and item[1:].strip() != ""
    body = item[1:].strip() if exact else item
    quoted = NEAR.fullmatch(body)
    distance = int(quoted.group(2)) if quoted and quoted.group(2) else None
    inner = quoted.group(1) if quoted else _ORNAMENT.sub(" ", body)
    return make_leaf(inner, "", exact=exact, distance=distance, position=position)


def _sameness(leaf: Leaf) -> object:
    """Keywords are the same when the same words are compared in the same way."""
    words = tuple((word.key, word.kind) for word in getattr(leaf, "words", ()))
    return words, getattr(leaf, "distance", None)


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
        expected=Sentence("a word that must be there"),
        next_step=Sentence("Add a word you want."),
    )
