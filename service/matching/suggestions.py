"""Narrower and wider queries than the one that was typed, with what each would have brought."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from service.defaults import FIXED
from service.errors import Sentence
from service.matching.counting import Counter, number_of
from service.matching.parse import make_query, parse_people, read_words
from service.matching.query import And, Leaf, Near, Node, Not, Or, Query, QueryError, Term, leaves
from service.matching.segment import Flags
from service.matching.show import show, to_text
from service.matching.terms import make_leaf
from service.text.fold import fold
from service.text.tokens import NOT_JOINED

_GOOD = 10.0
"""Papers a weekday that a narrower suggestion aims at."""

_MOST = 3

Width = Literal["broad", "right", "narrow"]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Another query. label: what to press ("title only", "Use LoRA"); text: it written out, to
    be read by ``read_words``; per_day: papers a weekday."""

    label: Sentence
    text: str
    per_day: float


def suggest(query: Query, brought: Flags, width: Width, counter: Counter) -> Iterator[Suggestion]:
    """Narrower ones of a broad query, wider ones of a narrow one. brought: what it brings.

    Offered is what can be read again, and does what it is offered for.
    """
    before = counter.mean(number_of(brought))
    if width == "broad":
        made = _narrower(query, brought, counter)
        yield from (one for one in made if one.text and 0 < one.per_day < before)
    elif width == "narrow":
        wider = [one for one in _wider(query, counter) if one.text and one.per_day > before]
        wider.sort(key=lambda one: one.per_day > FIXED.broad_a_day)  # what is too much comes last
        yield from wider[:_MOST]


def _narrower(query: Query, brought: Flags, counter: Counter) -> Iterator[Suggestion]:
    titles = _in_titles(query.root)
    yield _suggestion(Sentence("title only"), titles, counter)
    word = _best_companion(query, brought, counter)
    if word:
        companion = make_leaf(word, "", exact=False, distance=None, position=1)
        label = Sentence("and '%(word)s'", word=word)
        yield _suggestion(label, _conjunction(query.root, companion), counter)
    broadest, rest = _without_broadest(query.root, counter)
    if broadest is not None and rest is not None:
        label = Sentence("without '%(word)s'", word=broadest.text)
        yield _suggestion(label, rest, counter, query)


def _best_companion(query: Query, wanted: Flags, counter: Counter) -> str:
    """A word of the found titles that leaves about ten papers a day."""
    used = {stem for leaf in leaves(query.root) for stem in fold(leaf.text).stems}
    choices = []
    for word, _ in counter.shelf.title_words(wanted, 60):
        folded = fold(word)
        if len(folded) != 1 or folded.stems[0] in used or len(word) < 4:
            continue
        if folded.keys[0] in NOT_JOINED or folded.keys[0].isdigit():
            continue
        leaf = make_leaf(word, "", exact=False, distance=None, position=1)
        papers = counter.mean(number_of(counter.wanted(leaf) & wanted))
        if papers:
            choices.append((abs(papers - _GOOD), word))
        if len(choices) == 12:
            break
    return min(choices)[1] if choices else ""


def _conjunction(root: Node, leaf: Leaf) -> Node:
    return And((*root.parts, leaf)) if isinstance(root, And) else And((root, leaf))


def _in_titles(node: Node) -> Node:
    if isinstance(node, And):
        return And(tuple(map(_in_titles, node.parts)))
    if isinstance(node, Or):
        return Or(tuple(map(_in_titles, node.parts)))
    if isinstance(node, (Term, Near)) and node.field == "":
        return replace(node, field="ti")
    return node


def _choice(root: Node) -> tuple[Or | None, tuple[Node, ...]]:
    """The OR of a list of keywords, and the NOTs beside it."""
    if isinstance(root, Or):
        return root, ()
    if isinstance(root, And) and isinstance(root.parts[0], Or):
        return root.parts[0], root.parts[1:]
    return None, ()


def _replace_choice(parts: tuple[Node, ...], beside: tuple[Node, ...]) -> Node:
    first = Or(parts) if len(parts) > 1 else parts[0]
    return And((first, *beside)) if beside else first


def _without_broadest(root: Node, counter: Counter) -> tuple[Leaf | None, Node | None]:
    choice, beside = _choice(root)
    if choice is None:
        return None, None
    flat = [part for part in choice.parts if not isinstance(part, (And, Or, Not))]
    if not flat:
        return None, None
    broadest = max(flat, key=counter.count)
    rest = tuple(part for part in choice.parts if part is not broadest)
    return broadest, _replace_choice(rest, beside)


def _wider(query: Query, counter: Counter) -> Iterator[Suggestion]:
    """Without one of the parts that must all be there; then a word of a phrase alone."""
    for part, rest in parts_left_out(query.root):
        label = Sentence("without %(part)s", part=show(part))
        if isinstance(part, Not):
            label = Sentence("also with %(part)s", part=show(part.part))
        yield _suggestion(label, rest, counter, query)
    seen: set[str] = set()
    for leaf in leaves(query.root, wanted_only=True):
        if isinstance(leaf, (Term, Near)) and len(leaf.words) > 1:
            best = _rarest_alone(leaf, counter)
            if best is not None and best.text not in seen:
                seen.add(best.text)
                yield _suggestion(Sentence("Use %(word)s", word=best.text), best, counter)


def parts_left_out(root: Node) -> Iterator[tuple[Node, Node]]:
    """(part, the tree without it) for each part of an AND whose rest still says what is wanted."""
    parts = root.parts if isinstance(root, And) else ()
    for at, part in enumerate(parts):
        rest = parts[:at] + parts[at + 1 :]
        if not all(isinstance(one, Not) for one in rest):
            yield part, rest[0] if len(rest) == 1 else And(rest)


def _rarest_alone(leaf: Term | Near, counter: Counter) -> Term | None:
    """Of a phrase's words the one that says most and still finds something."""
    choices = []
    for word in (one.strip("-\u2013\u2212") for one in leaf.text.split()):
        folded = fold(word)
        if not folded or folded.keys[0] in NOT_JOINED or "*" in word:
            continue
        alone = make_leaf(word, leaf.field, exact=leaf.exact, distance=None, position=1)
        papers = counter.count(alone)
        if papers and isinstance(alone, Term):
            choices.append((papers, word, alone))
    return min(choices, key=lambda choice: choice[:2])[2] if choices else None


def _suggestion(
    label: Sentence, root: Node, counter: Counter, query: Query | None = None
) -> Suggestion:
    """Written as keywords where the query was and still is a list, else as a query."""
    try:
        made = make_query(root, query.kind if query else "query")
    except QueryError:  # one term too many
        return Suggestion(label, "", 0.0)
    return Suggestion(label, text_of(made), counter.mean(number_of(counter.brought(made))))


def text_of(query: Query) -> str:
    """A query written out so that a form reads it as what it is; "" where it is too long."""
    read = parse_people if query.kind == "follow" else read_words
    for text in (to_text(query), query.shown):
        try:
            if read(text).root == query.root:
                return text
        except QueryError:
            continue
    return ""
