"""Stored queries meet a new paper.

Distinct terms are kept once, whatever the number of profiles that ask for them. A paper's words
bring up the terms that may occur in it (see anchors); each of these is tested once; the terms
that do occur bring up the profiles that need one of them (of an AND its rarest part, of an OR all
parts), and only those are evaluated. A plain list of terms is decided by then.
"""

import threading
from array import array
from collections.abc import Iterable

import numpy as np

from service.matching.anchors import Key, anchor_choices, document_keys
from service.matching.document import Document
from service.matching.evaluate import Hit, evaluate_node, find_leaf, in_reading_order
from service.matching.query import (
    And,
    Category,
    Identifier,
    Leaf,
    Near,
    Node,
    Not,
    Number,
    Or,
    Person,
    Query,
    Term,
    leaves,
)
from service.matching.score import Statistics


class _Known:
    """A distinct term: who needs it, and under which keys it is found."""

    __slots__ = ("anchors", "compound", "leaf", "plain", "uses")

    def __init__(self, leaf: Leaf, anchors: tuple[Key, ...]) -> None:
        self.leaf = leaf
        self.anchors = anchors
        self.uses = 0
        self.plain = array("q")
        """Profiles that are this term, or an OR of terms with it: it alone makes them match."""
        self.compound = array("q")
        """Profiles that must be evaluated when it occurs."""


class _Profile:
    __slots__ = ("needed", "plain", "root")

    def __init__(self, root: Node, needed: tuple[Leaf, ...], plain: bool) -> None:
        self.root = root
        self.needed = needed
        self.plain = plain


class Index:
    """Profiles by id. Answers exactly what evaluating each profile by itself would answer.

    statistics: how common words are among the papers, to choose an AND's rarest part well.
    candidates, matches: pairs (profile, paper) that reached evaluation, and those of them that
    matched, since the index was made.
    One lock guards it: profiles may come and go from any thread while others match.
    """

    def __init__(self, statistics: Statistics | None = None) -> None:
        self.candidates = 0
        self.matches = 0
        self._statistics = statistics or Statistics()
        self._lock = threading.Lock()
        self._profiles: dict[int, _Profile] = {}
        self._terms: dict[Leaf, _Known] = {}
        self._anchored: dict[Key, list[_Known]] = {}
        self._always: dict[Leaf, _Known] = {}
        self._prefixes: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._profiles)

    def add(self, profile_id: int, query: Query) -> None:
        """Put a profile in, or replace it."""
        with self._lock:
            self._remove(profile_id)
            root = self._intern(query.root)
            needed = tuple(dict.fromkeys(self._needed(root)))
            plain = all(not isinstance(part, (And, Or, Not)) for part in _choices(root))
            self._profiles[profile_id] = _Profile(root, needed, plain)
            for leaf in needed:
                known = self._terms[leaf]
                (known.plain if plain else known.compound).append(profile_id)

    def remove(self, profile_id: int) -> None:
        """Take a profile out; an unknown id is no fault."""
        with self._lock:
            self._remove(profile_id)

    def match(self, document: Document) -> dict[int, tuple[Hit, ...]]:
        """The profiles that want the paper, by id in order, each with its hits."""
        with self._lock:
            truths = self._truths(document)
            marked: dict[int, list[Hit]] = {}
            compound: set[int] = set()
            for known, hits in truths:
                for profile_id in known.plain:
                    marked.setdefault(profile_id, []).extend(hits)
                compound.update(known.compound)
            found = {
                profile_id: in_reading_order(tuple(hits)) for profile_id, hits in marked.items()
            }
            by_identity = {id(known.leaf): hits for known, hits in truths}
            for profile_id in compound:
                root = self._profiles[profile_id].root
                wanted = evaluate_node(root, lambda leaf: by_identity.get(id(leaf)))
                if wanted is not None:
                    found[profile_id] = wanted
            self.candidates += len(marked) + len(compound)
            self.matches += len(found)
            return dict(sorted(found.items()))

    def match_ids(self, document: Document) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
        """The ids alone, in order: what ``match`` has as keys, for counting and for planning."""
        with self._lock:
            truths = self._truths(document)
            parts = [np.array(known.plain, dtype=np.int64) for known, _ in truths]
            by_identity = {id(known.leaf): hits for known, hits in truths}
            compound = {profile_id for known, _ in truths for profile_id in known.compound}
            wanted = [
                profile_id
                for profile_id in compound
                if evaluate_node(
                    self._profiles[profile_id].root, lambda leaf: by_identity.get(id(leaf))
                )
                is not None
            ]
            parts.append(np.array(wanted, dtype=np.int64))
            ids = np.unique(np.concatenate(parts))
            self.candidates += len(ids) + len(compound) - len(wanted)
            self.matches += len(ids)
            return ids

    def _truths(self, document: Document) -> list[tuple[_Known, tuple[Hit, ...]]]:
        """The terms that occur in the paper, with their hits."""
        lengths = frozenset(self._prefixes)
        maybe: dict[int, _Known] = {}
        for key in document_keys(document, lengths):
            for known in self._anchored.get(key, ()):
                maybe[id(known)] = known
        truths = []
        for known in (*maybe.values(), *self._always.values()):
            hits = find_leaf(known.leaf, document)
            if hits is not None:
                truths.append((known, hits))
        return truths

    def _intern(self, node: Node) -> Node:
        """The same tree with the one object of each distinct term, counted as used."""
        if isinstance(node, And):
            return And(tuple(map(self._intern, node.parts)))
        if isinstance(node, Or):
            return Or(tuple(map(self._intern, node.parts)))
        if isinstance(node, Not):
            return Not(self._intern(node.part))
        known = self._terms.get(node) or self._learn(node)
        known.uses += 1
        return known.leaf

    def _learn(self, leaf: Leaf) -> _Known:
        choices = anchor_choices(leaf)
        anchors = min(choices, key=self._crowding) if choices else ()
        known = self._terms[leaf] = _Known(leaf, anchors)
        for kind, value in anchors:
            self._anchored.setdefault((kind, value), []).append(known)
            if kind == "prefix":
                self._prefixes[len(value)] = self._prefixes.get(len(value), 0) + 1
        if not anchors:
            self._always[leaf] = known
        return known

    def _crowding(self, anchors: Iterable[Key]) -> tuple[int, int]:
        keys = tuple(anchors)
        seen = sum(
            self._statistics.frequencies.get(value, 0) for kind, value in keys if kind == "stem"
        )
        return seen + sum(len(self._anchored.get(key, ())) for key in keys), -len(keys[0][1])

    def _remove(self, profile_id: int) -> None:
        profile = self._profiles.pop(profile_id, None)
        if profile is None:
            return
        for leaf in profile.needed:
            known = self._terms[leaf]
            (known.plain if profile.plain else known.compound).remove(profile_id)
        for leaf in leaves(profile.root):
            known = self._terms[leaf]
            known.uses -= 1
            if not known.uses:
                self._forget(known)

    def _forget(self, known: _Known) -> None:
        del self._terms[known.leaf]
        self._always.pop(known.leaf, None)
        for key in known.anchors:
            self._anchored[key].remove(known)
            if not self._anchored[key]:
                del self._anchored[key]
            kind, value = key
            if kind == "prefix":
                self._prefixes[len(value)] -= 1
                if not self._prefixes[len(value)]:
                    del self._prefixes[len(value)]

    def _needed(self, node: Node) -> tuple[Leaf, ...]:
        """Terms of which one must occur; of an AND the part that is probably rarest."""
        if isinstance(node, Or):
            return tuple(leaf for part in node.parts for leaf in self._needed(part))
        if isinstance(node, And):
            sets = [self._needed(part) for part in node.parts if _needs_something(part)]
            return min(sets, key=lambda part: sum(map(self._commonness, part)))
        if isinstance(node, Not):
            raise ValueError("a query of negatives only cannot be indexed")
        return (node,)

    def _commonness(self, leaf: Leaf) -> float:
        """A guess at the share of papers in which a term occurs."""
        match leaf:
            case Identifier():
                return 0.0
            case Person():
                return 0.001
            case Category():
                return 0.3
            case Number():
                return 0.5
            case Term() | Near():
                if leaf.field in ("source", "org"):
                    return 0.4
                shares = [
                    self._statistics.share(word.stem) if word.stem else 0.02 for word in leaf.words
                ]
                return min(shares) * 0.3 ** (len(shares) - 1) * (0.3 if leaf.field else 1)


def _choices(root: Node) -> tuple[Node, ...]:
    return root.parts if isinstance(root, Or) else (root,)


def _needs_something(node: Node) -> bool:
    if isinstance(node, And):
        return any(_needs_something(part) for part in node.parts)
    if isinstance(node, Or):
        return all(_needs_something(part) for part in node.parts)
    return not isinstance(node, Not)
