"""Many profiles in a few arrays that never change: which of them want some papers.

A leaf that several profiles ask for is kept once. The words of up to 64 papers are walked along
the rows of all leaves (see trie); what that does not decide is tested leaf by leaf on the papers
where it can occur. Then the trees of all profiles are evaluated together (see clauses), each
value being 64 papers wide: no profile is looked at by itself.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from service.matching.clauses import Bits, Clauses, Numbers, doubled
from service.matching.compiled import load_node
from service.matching.document import Document
from service.matching.evaluate import Hit, Truth, evaluate_node, find_leaf
from service.matching.names import is_person
from service.matching.nearness import Pairs, near_truths
from service.matching.query import And, Leaf, Node, Not, Or, Person
from service.matching.recipes import PLACES, How
from service.matching.trie import Paths, Trie, distinct, ragged
from service.matching.wording import MOST_PAPERS, Reader, Vocabulary, Wording
from service.text.tokens import Folded

Ids = NDArray[np.int64]
Flags = NDArray[np.bool_]

Kept = dict[int, tuple[Leaf, Truth]]
"""Leaves by their identity, and what was found of them in the paper at hand."""

SILENT = " "
"""Behind the stored form of a leaf that counts nothing in a score, since one beside it in the same
tree means the same."""

_SIGNS: dict[int, type[And] | type[Or]] = {0: And, 1: Or}
_WHERE = {name: number for number, name in enumerate(PLACES)}


@dataclass(frozen=True)
class Leaves:
    """Leaves by number. texts: their stored forms (JSON) behind each other, ``ends`` where each
    ends. how, places: as in their recipes."""

    texts: bytes
    ends: NDArray[np.int64]
    how: NDArray[np.uint8]
    places: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.ends)

    def text(self, number: int) -> bytes:
        """The stored form."""
        begin = int(self.ends[number - 1]) if number else 0
        return self.texts[begin : int(self.ends[number])]

    def all_texts(self) -> list[bytes]:
        """Every stored form."""
        ends = self.ends.tolist()
        return [self.texts[a:b] for a, b in pairwise([0, *ends])]

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return len(self.texts) + self.ends.nbytes + self.how.nbytes + self.places.nbytes


@dataclass(frozen=True)
class Trees:
    """The trees as they were written, of profiles that are more than a list of terms: numbers of
    leaves, each operator before its parts: -1 - 4 x parts - (0 and, 1 or, 2 not)."""

    signs: Numbers
    sizes: Numbers


@dataclass(frozen=True)
class Truths:
    """What occurs in a batch: leaf, paper, place and (in title and abstract) how many times."""

    leaf: Numbers
    paper: Numbers
    place: Numbers
    times: Numbers
    tested: int = 0
    """Leaves that were tested on a paper by themselves."""


@dataclass(frozen=True, eq=False)
class Block:
    """Profiles by slot: first those that want nothing, then by the height of their trees.

    ids, stamps: of each slot (stamp: the caller's number for the state of a profile). by_hand:
    slots whose terms do not simply add up in a score. clauses: trees by height - 1; trees: of
    heights above 1, in the order of their slots. needs: conditions of the leaves in ``needy``, and
    ``distances`` in words of those that are two words near each other (else 0).
    """

    ids: Ids
    stamps: Ids
    by_hand: Flags
    clauses: tuple[Clauses, ...]
    trees: Trees
    leaves: Leaves
    vocabulary: Vocabulary
    paths: Paths
    needy: Numbers
    needs: Clauses
    distances: Numbers

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def order(self) -> NDArray[np.int64]:
        """Slots in the order of their ids."""
        return np.argsort(self.ids, kind="stable")

    @cached_property
    def sorted_ids(self) -> Ids:
        """The ids in order."""
        return self.ids[self.order]

    @cached_property
    def firsts(self) -> list[int]:
        """The first slot of each height, and one past the last slot."""
        sizes = [len(part) for part in self.clauses]
        first = len(self.ids) - sum(sizes)
        return [first + sum(sizes[:at]) for at in range(len(sizes) + 1)]

    @cached_property
    def trie(self) -> Trie:
        """The rows of all leaves."""
        return Trie(self.paths, len(self.vocabulary))

    @cached_property
    def _reader(self) -> Reader:
        return Reader(self.vocabulary)

    @cached_property
    def _looked_at(self) -> int:
        """The places whose words matter."""
        return int(np.bitwise_or.reduce(self.leaves.places, initial=0))

    @cached_property
    def _near(self) -> Pairs:
        near = self.leaves.how[self.needy] == How.NEAR
        leaf = self.needy[near]
        needs, places = self.needs.chosen(near), self.leaves.places[leaf]
        return Pairs(leaf, needs, self.distances[near], places)

    @cached_property
    def _tested(self) -> tuple[Numbers, Clauses]:
        """The leaves to test where their conditions hold."""
        tested = self.leaves.how[self.needy] == How.NEEDS
        return self.needy[tested], self.needs.chosen(tested)

    @cached_property
    def _by_how(self) -> dict[How, list[int]]:
        return {how: np.flatnonzero(self.leaves.how == how).tolist() for how in How}

    @cached_property
    def _in_category(self) -> dict[str, list[int]]:
        """The leaves that a category fulfils, for those seen so far."""
        return {}

    def warm(self) -> None:
        """Build what is built when first asked for."""
        _ = self.sorted_ids, self.firsts, self.trie, self._reader, self._looked_at, self._by_how
        _ = self._near, self._tested, self._people, self._tree_ends

    def slot(self, profile_id: int) -> int | None:
        """The slot of a profile."""
        at = int(np.searchsorted(self.sorted_ids, profile_id))
        if at < len(self.ids) and self.sorted_ids[at] == profile_id:
            return int(self.order[at])
        return None

    def wants_something(self, slot: int) -> bool:
        """False for a profile that is only remembered."""
        return slot >= self.firsts[0]

    # --- papers -----------------------------------------------------------------------------

    def truths(self, papers: Sequence[Document]) -> tuple[Wording, Truths]:
        """The leaves that occur in up to 64 papers."""
        wording = self._reader.read(papers, self._looked_at)
        leaf, start = self.trie.walk(wording.edges)
        text = wording.text[start]
        counts = (self.leaves.places[leaf] >> wording.place[text].astype(np.uint8)) & 1 == 1
        keys = distinct((leaf[counts].astype(np.int64) << 32) | start[counts])
        leaf = (keys >> 32).astype(np.int32)
        text = wording.text[keys & 0xFFFFFFFF]
        fresh = np.ones(len(keys), dtype=np.bool_)
        fresh[1:] = (leaf[1:] != leaf[:-1]) | (text[1:] != text[:-1])
        at = np.flatnonzero(fresh)
        times = np.diff(np.append(at, len(keys)))
        rows, tested = self._others(wording)
        other = np.array(rows, dtype=np.int32).reshape(-1, 4).T
        if len(self._near.leaf):
            present = wording.present(len(self.vocabulary))
            near = near_truths(self._near, self._near.needs.evaluate(present), wording)
            other = np.concatenate((other, near), axis=1)
        return wording, Truths(
            leaf=np.concatenate((leaf[at], other[0])),
            paper=np.concatenate((wording.paper[text[at]], other[1])),
            place=np.concatenate((wording.place[text[at]], other[2])),
            times=np.concatenate((times.astype(np.int32), other[3])),
            tested=tested,
        )

    @cached_property
    def _people(self) -> tuple[Numbers, Numbers]:
        """Symbols in order, and for each a leaf that asks for authors who have it."""
        people = self.leaves.how[self.needy] == How.PERSON
        needs = self.needs.chosen(people)
        leaf = self.needy[people][needs.owners(0, len(needs))]
        order = np.argsort(needs.literals, kind="stable")
        return needs.literals[order], leaf[order]

    def _persons(self, wording: Wording) -> set[tuple[int, int, int]]:
        """(leaf, paper, author) where the author may be who is asked for."""
        known, leaf = self._people
        symbol, paper, author = wording.authors
        first = np.searchsorted(known, symbol)
        row, at = ragged(first, np.searchsorted(known, symbol, side="right") - first)
        rows = zip(leaf[at].tolist(), paper[row].tolist(), author[row].tolist(), strict=True)
        return set(rows)

    def _others(self, wording: Wording) -> tuple[list[tuple[int, int, int, int]], int]:
        """(leaf, paper, place, times) of what no row of symbols decides; leaves tested."""
        found: list[tuple[int, int, int, int]] = []
        tested = 0
        for number, paper in self._to_test(wording):
            tested += 1
            hits = find_leaf(self.leaf(number), wording.papers[paper]) or ()
            places = [_WHERE[hit.where] for hit in hits]
            found += [(number, paper, place, places.count(place)) for place in set(places)]
        seen: set[tuple[int, int]] = set()
        for number, paper, author in self._persons(wording):
            tested += 1
            person = self.leaf(number)
            assert isinstance(person, Person)
            if is_person(person, wording.papers[paper].people[author].parts):
                seen.add((number, paper))
        found += [(number, paper, _WHERE["authors"], 1) for number, paper in seen]
        for at, document in enumerate(wording.papers):
            within = {n for one in set(document.categories) for n in self._fulfilled_by(one)}
            found += [(number, at, _WHERE["categories"], 1) for number in within]
            for number in self._by_how[How.FIGURE]:
                if find_leaf(self.leaf(number), document) is not None:
                    found.append((number, at, -1, 0))
        return found, tested

    def _to_test(self, wording: Wording) -> Iterator[tuple[int, int]]:
        leaves, needs = self._tested
        if len(leaves):
            held = needs.evaluate(wording.present(len(self.vocabulary)))
            for at in np.flatnonzero(held).tolist():
                number, bits = int(leaves[at]), int(held[at])
                while bits:
                    yield number, (bits & -bits).bit_length() - 1
                    bits &= bits - 1
        for number in self._by_how[How.ALWAYS]:
            for paper in range(len(wording.papers)):
                yield number, paper

    def _fulfilled_by(self, category: str) -> list[int]:
        numbers = self._by_how[How.CATEGORY]
        known = self._in_category.get(category)
        if known is None:
            alone = Document(Folded(), Folded(), categories=(category,))
            known = [n for n in numbers if find_leaf(self.leaf(n), alone) is not None]
            if len(self._in_category) < 5000:
                self._in_category[category] = known
        return known

    def table(self, truths: Truths) -> Bits:
        """The truth of every literal (see clauses)."""
        bits = np.zeros(len(self.leaves), dtype=np.uint64)
        np.bitwise_or.at(bits, truths.leaf, np.uint64(1) << truths.paper.astype(np.uint64))
        return doubled(bits)

    def wanting(self, truths: Truths, papers: int) -> Bits:
        """For each slot, the papers of the batch that its profile wants."""
        table = self.table(truths)
        found = np.zeros(len(self.ids), dtype=np.uint64)
        for first, part in zip(self.firsts, self.clauses, strict=False):
            if len(part):
                found[first : first + len(part)] = part.evaluate(table)
        if papers < MOST_PAPERS:
            found &= np.uint64((1 << papers) - 1)
        return found

    # --- one profile ------------------------------------------------------------------------

    def leaf(self, number: int) -> Leaf:
        """A leaf (the last ones used are kept)."""
        return _leaf(self.leaves.text(number))

    def root(self, slot: int) -> Node:
        """The tree of a profile as it was written."""
        return _node(self.tree(slot), self.leaf)

    def tree(self, slot: int) -> list[int]:
        """The same in numbers, as in ``Trees``."""
        if slot < self.firsts[1]:
            part, at = self.clauses[0], slot - self.firsts[0]
            numbers = part.literals[int(part.ends[0][at]) : int(part.ends[0][at + 1])].tolist()
            return numbers if len(numbers) == 1 else [-1 - 4 * len(numbers) - 1, *numbers]
        at = slot - self.firsts[1]
        begin = int(self._tree_ends[at - 1]) if at else 0
        return [int(sign) for sign in self.trees.signs[begin : int(self._tree_ends[at])]]

    @cached_property
    def _tree_ends(self) -> NDArray[np.int64]:
        return np.cumsum(self.trees.sizes, dtype=np.int64)

    def hits(self, slot: int, document: Document, kept: Kept) -> tuple[Hit, ...]:
        """The hits of a profile that wants the paper. kept: of earlier profiles."""

        def find(leaf: Leaf) -> Truth:
            if id(leaf) not in kept:
                kept[id(leaf)] = (leaf, find_leaf(leaf, document))
            return kept[id(leaf)][1]

        found = evaluate_node(self.root(slot), find)
        assert found is not None, "the arrays and the tree disagree"
        return found

    def memory(self) -> dict[str, int]:
        """Bytes of each part."""
        clauses, trees = sum(part.nbytes for part in self.clauses), self.trees
        small = self.ids.nbytes + self.stamps.nbytes + self.by_hand.nbytes + self.order.nbytes
        return {
            "profiles": small + self.sorted_ids.nbytes,
            "trees": clauses + trees.signs.nbytes + trees.sizes.nbytes + self._tree_ends.nbytes,
            "leaves": self.leaves.nbytes + self.needs.nbytes + self.needy.nbytes,
            "rows": self.paths.nbytes + self.trie.nbytes,
            "symbols": sum(140 + len(symbol) for symbol in self.vocabulary.symbols),
        }


@lru_cache(maxsize=16_384)
def _leaf(text: bytes) -> Leaf:
    leaf = load_node(json.loads(text))
    assert not isinstance(leaf, (And, Or, Not))
    return leaf


def _node(numbers: Sequence[int], leaf: Callable[[int], Leaf]) -> Node:
    """A tree from its numbers (see Trees)."""
    rest = iter(numbers)

    def read() -> Node:
        number = next(rest)
        if number >= 0:
            return leaf(number)
        parts, sign = divmod(-1 - number, 4)
        if sign == 2:
            return Not(read())
        return _SIGNS[sign](tuple(read() for _ in range(parts)))

    return read()


def by_paper(bits: Bits, papers: int) -> Iterator[NDArray[np.int64]]:
    """For each of the first papers of a batch, where its bit is set; eight papers share a look."""
    columns = np.ascontiguousarray(bits.astype("<u8", copy=False).view(np.uint8).reshape(-1, 8).T)
    for at in range(papers):
        bit = at & 7
        if not bit:
            column = columns[at >> 3]
            some = np.flatnonzero(column)
            column = column[some]
        yield some[np.flatnonzero((column & np.uint8(1 << bit)) != 0)]
