"""From the grammar's tree to a query's tree, term by term. Pure."""

import re
from dataclasses import dataclass

from lark import Token, Tree

from service.errors import Sentence
from service.matching.blots import taken_out
from service.matching.categories import check_category
from service.matching.query import (
    And,
    Category,
    Field,
    Leaf,
    Node,
    Not,
    Number,
    Or,
    QueryError,
)
from service.matching.terms import FIELDS, check_word, make_leaf, make_number

NEAR = re.compile(r'"([^"]*)"(?:\s*~(\d{1,4}))?')
"""A phrase with its distance."""


@dataclass(frozen=True, slots=True)
class Builder:
    """From the grammar's tree to ours. text: the whole, for what is suggested."""

    text: str
    stored: bool

    def build(self, tree: Tree[Token] | Token, field: Field) -> Node:
        """The node of a tree inside brackets of ``field``; raises QueryError."""
        assert isinstance(tree, Tree)
        children = tree.children
        if tree.data in ("any", "all"):
            parts: list[Node] = []
            negated = False
            for child in children:
                if isinstance(child, Token):
                    negated = child.type == "ANDNOT"
                    continue
                part = self.build(child, field)
                parts.append(_without(part) if negated else part)
                negated = False
            return any_of(parts) if tree.data == "any" else all_of(parts)
        if tree.data == "without":
            return _without(self.build(children[-1], field))
        if tree.data == "grouped":
            return self.build(children[1], self._narrowed(children[0], field))
        tokens = [child for child in children if isinstance(child, Token)]
        if tree.data == "figure":
            return self._number(tokens[0], field)
        return self._term(tokens, field)

    def _narrowed(self, name: object, outer: Field) -> Field:
        assert isinstance(name, Token)
        field = FIELDS[name.rstrip().rstrip(":").lower()]
        if outer and outer != field:
            position = (name.start_pos or 0) + 1
            raise QueryError(
                _inside(f"{field or 'all'}:", position, outer),
                next_step=Sentence("Close the brackets of %(field)s before it.", field=f"{outer}:"),
            )
        return field

    def _number(self, token: Token, field: Field) -> Number:
        position = (token.start_pos or 0) + 1
        if field:
            raise QueryError(_inside(str(token), position, field))
        try:
            return make_number(str(token), position)
        except QueryError as error:
            start, end = position - 1, token.end_pos or position
            read = re.match(r"\w+:?\s*[<>=≥≤]*\s*\d{1,9}(?!\d)", token)
            if read:
                error.suggestion = self.text[:start] + read[0] + self.text[end:]
            else:
                error.suggestion = taken_out(self.text, start, end)
            raise

    def _term(self, tokens: list[Token], field: Field) -> Leaf:
        exact = False
        for token in tokens[:-1]:
            if token.type == "FIELD":
                field = self._narrowed(token, field)
            else:
                exact = True
        last = tokens[-1]
        start, end = last.start_pos or 0, last.end_pos or 0
        try:
            leaf = self._leaf(last, field, exact=exact)
            if isinstance(leaf, Category) and not self.stored:
                check_category(leaf.text, leaf.code, start + 1, prefix=leaf.prefix)
        except QueryError as error:
            if error.suggestion:  # of the term alone
                if exact and ("*" in last or field in ("au", "cat", "id")):
                    start = tokens[-2].start_pos or 0
                error.suggestion = self.text[:start] + error.suggestion + self.text[end:]
            elif not any(sign.isalnum() for sign in last):
                error.suggestion = taken_out(self.text, start, end)
            raise
        return leaf

    def _leaf(self, token: Token, field: Field, *, exact: bool) -> Leaf:
        position = (token.start_pos or 0) + 1
        if token.type == "WORD":
            check_word(str(token), position)
            return make_leaf(str(token), field, exact=exact, distance=None, position=position)
        quoted = NEAR.fullmatch(token)
        if quoted is None:
            what = Sentence("The number at character %(position)s is too large.", position=position)
            near = f"{token.partition('~')[0].rstrip()}~50"
            raise QueryError(what, expected=Sentence("a smaller number"), suggestion=near)
        distance = int(quoted.group(2)) if quoted.group(2) else None
        return make_leaf(quoted.group(1), field, exact=exact, distance=distance, position=position)


def _inside(found: str, position: int, outer: Field) -> Sentence:
    return Sentence(
        "%(found)s at character %(position)s stands inside brackets that belong to %(field)s.",
        found=found,
        position=position,
        field=f"{outer}:",
    )


def _without(part: Node) -> Node:
    return part.part if isinstance(part, Not) else Not(part)


def all_of(parts: list[Node]) -> Node:
    """And, flat, each part once; the part itself where there is one."""
    flat = dict.fromkeys(
        inner for part in parts for inner in (part.parts if isinstance(part, And) else (part,))
    )
    return And(tuple(flat)) if len(flat) > 1 else next(iter(flat))


def any_of(parts: list[Node]) -> Node:
    """The same with Or."""
    flat = dict.fromkeys(
        inner for part in parts for inner in (part.parts if isinstance(part, Or) else (part,))
    )
    return Or(tuple(flat)) if len(flat) > 1 else next(iter(flat))
