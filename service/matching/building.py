"""From queries to a block of profiles."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from service.matching.block import SILENT, Block, Leaves, Trees
from service.matching.clauses import Growing, Tree, height, layered
from service.matching.compiled import dump_node, load_node
from service.matching.query import And, Leaf, Node, Not, Or
from service.matching.recipes import Recipe, recipe_of
from service.matching.score import meaning
from service.matching.trie import Paths
from service.matching.wording import Vocabulary

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Builder:
    """Profiles while they are put together; ``done`` makes the block."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._known: dict[Leaf, str] = {}
        self._recipes: list[Recipe] = []
        self._shown: list[str] = []
        self._meanings: list[int] = []
        self._of_meaning: dict[object, int] = {}
        self._silent: set[int] = set()
        self._idle: list[tuple[int, int]] = []
        self._heights: dict[int, _Height] = {}

    def add(self, profile_id: int, stamp: int, root: Node | None) -> None:
        """Put a profile in; None = one that wants nothing and is only remembered."""
        if root is None:
            self._idle.append((profile_id, stamp))
            return
        self._add(profile_id, stamp, self._tree(root))

    def add_stored(self, profile_id: int, stamp: int, root: list[Any]) -> None:
        """The same from the stored form of a tree (see compiled)."""
        self._add(profile_id, stamp, self._stored_tree(root))

    def _add(self, profile_id: int, stamp: int, tree: Tree) -> None:
        layers = layered(tree)
        high = max(1, height(layers))
        found = self._heights.get(high)
        if found is None:
            found = self._heights[high] = _Height(high)
        found.profiles.append((profile_id, stamp, self._is_by_hand(tree)))
        found.growing.add(layers)
        if high > 1:
            numbers = list(_in_numbers(tree))
            found.signs += numbers
            found.tree_sizes.append(len(numbers))

    def _is_by_hand(self, tree: Tree) -> bool:
        """Is a term asked for twice, or wanted in a roundabout way ("not without it")?"""
        wanted = list(_wanted(tree))
        if len({self._shown[number] for number in wanted}) < len(wanted):
            return True
        counting = [number for number in wanted if number not in self._silent]
        meanings = {self._meanings[number] for number in counting}
        return len(meanings) < len(counting) or _denies_twice(tree)

    def _tree(self, node: Node, beside: set[int] | None = None) -> Tree:
        match node:
            case And(parts) | Or(parts):
                among: set[int] = set()
                sign = "&" if isinstance(node, And) else "|"
                return sign, tuple(self._tree(part, among) for part in parts)
            case Not(part):
                return "!", (self._tree(part),)
        text = self._known.get(node)
        if text is None:
            text = self._known[node] = _encode(dump_node(node))
        return self._number(text, node, beside)

    def _stored_tree(self, stored: list[Any], beside: set[int] | None = None) -> Tree:
        sign = stored[0]
        if sign in ("&", "|", "!"):
            among: set[int] | None = None if sign == "!" else set()
            return sign, tuple(self._stored_tree(part, among) for part in stored[1:])
        return self._number(_encode(stored), None, beside)

    def _number(self, text: str, leaf: Leaf | None, beside: set[int] | None) -> int:
        """beside: what the terms before it in the same list mean; one of these is silent."""
        found = self._numbers.get(text)
        if found is None:
            leaf = leaf or _leaf(json.loads(text))
            known = self._meaning(leaf)
        else:
            known = self._meanings[found]
        if beside is not None:
            if known in beside:
                text += SILENT
                found = self._numbers.get(text)
            beside.add(known)
        if found is None:
            leaf = leaf or _leaf(json.loads(text))
            found = self._numbers[text] = len(self._numbers)
            self._recipes.append(recipe_of(leaf))
            self._shown.append(leaf.text)
            self._meanings.append(known)
            if text.endswith(SILENT):
                self._silent.add(found)
        return found

    def _meaning(self, leaf: Leaf) -> int:
        return self._of_meaning.setdefault(meaning(leaf), len(self._of_meaning))

    def done(self) -> Block:
        """The block of what was put in."""
        vocabulary = Vocabulary()
        heights = [self._heights.get(at + 1) or _Height(at + 1) for at in range(self._highest)]
        profiles = [row for one in heights for row in one.profiles]
        ids, stamps = [row[0] for row in self._idle], [row[1] for row in self._idle]
        needy = [n for n, recipe in enumerate(self._recipes) if recipe.needs]
        needs = Growing(2)
        for number in needy:
            clauses = self._recipes[number].needs
            needs.add((2, tuple((1, tuple(map(vocabulary.number, clause))) for clause in clauses)))
        paths = _paths(self._recipes, vocabulary)
        return Block(
            ids=np.array([*ids, *(row[0] for row in profiles)], dtype=np.int64),
            stamps=np.array([*stamps, *(row[1] for row in profiles)], dtype=np.int64),
            by_hand=np.array(
                [*(False for _ in ids), *(row[2] for row in profiles)], dtype=np.bool_
            ),
            clauses=tuple(one.growing.done() for one in heights),
            trees=Trees(
                np.array([sign for one in heights for sign in one.signs], dtype=np.int32),
                np.array([size for one in heights for size in one.tree_sizes], dtype=np.int32),
            ),
            leaves=_leaves(self._numbers, self._recipes),
            vocabulary=vocabulary,
            paths=paths,
            needy=np.array(needy, dtype=np.int32),
            needs=needs.done(),
            distances=np.array([self._recipes[n].distance for n in needy], dtype=np.int32),
        )

    @property
    def _highest(self) -> int:
        return max(self._heights, default=1)


class _Height:
    """The profiles whose trees have one height."""

    def __init__(self, layers: int) -> None:
        self.profiles: list[tuple[int, int, bool]] = []
        self.growing = Growing(layers)
        self.signs: list[int] = []
        self.tree_sizes: list[int] = []


def _leaf(stored: list[Any]) -> Leaf:
    leaf = load_node(stored)
    assert not isinstance(leaf, (And, Or, Not))
    return leaf


def _in_numbers(tree: Tree) -> Iterator[int]:
    if isinstance(tree, int):
        yield tree
        return
    sign, parts = tree
    yield -1 - 4 * len(parts) - "&|!".index(sign)
    for part in parts:
        yield from _in_numbers(part)


def _wanted(tree: Tree) -> Iterator[int]:
    if isinstance(tree, int):
        yield tree
    elif tree[0] != "!":
        for part in tree[1]:
            yield from _wanted(part)


def _denies_twice(tree: Tree, denied: bool = False) -> bool:
    if isinstance(tree, int):
        return False
    denies = tree[0] == "!"
    return (denies and denied) or any(_denies_twice(p, denied or denies) for p in tree[1])


def _leaves(numbers: Iterable[str], recipes: Sequence[Recipe]) -> Leaves:
    texts = [text.encode() for text in numbers]
    return Leaves(
        texts=b"".join(texts),
        ends=np.cumsum([len(text) for text in texts], dtype=np.int64),
        how=np.array([recipe.how for recipe in recipes], dtype=np.uint8),
        places=np.array([recipe.places for recipe in recipes], dtype=np.uint8),
    )


def _paths(recipes: Sequence[Recipe], vocabulary: Vocabulary) -> Paths:
    rows = [(number, path) for number, recipe in enumerate(recipes) for path in recipe.paths]
    return Paths(
        leaf=np.array([number for number, _ in rows], dtype=np.int32),
        sizes=np.array([len(path) for _, path in rows], dtype=np.int32),
        symbols=np.array([vocabulary.number(s) for _, path in rows for s in path], dtype=np.int32),
    )
