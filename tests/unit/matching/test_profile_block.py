"""Profiles in arrays: exactly what evaluating each of them says, also after blocks were joined."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from support.match_strategies import papers, queries
from support.oracle import Oracle

from service.matching.block import Block
from service.matching.building import Builder
from service.matching.compiled import dump_node
from service.matching.document import Document, prepare
from service.matching.evaluate import evaluate
from service.matching.merging import merged
from service.matching.parse import parse_query
from service.matching.query import Query

texts = st.lists(queries, max_size=8)
some_papers = st.lists(papers(), min_size=1, max_size=4)


def block_of(some: dict[int, Query], *, stored: bool = False) -> Block:
    builder = Builder()
    for number, query in some.items():
        if stored:
            builder.add_stored(number, 10 * number, dump_node(query.root))
        else:
            builder.add(number, 10 * number, query.root)
    return builder.done()


def wanting(block: Block, documents: list[Document]) -> list[list[int]]:
    _, truths = block.truths(documents)
    bits = block.wanting(truths, len(documents))
    return [
        sorted(block.ids[np.flatnonzero(bits >> np.uint64(at) & np.uint64(1))].tolist())
        for at in range(len(documents))
    ]


def check(block: Block, kept: dict[int, Query], documents: list[Document]) -> None:
    assert sorted(block.ids.tolist()) == sorted(kept)
    truth = [{n: evaluate(query, paper) for n, query in kept.items()} for paper in documents]
    found = wanting(block, documents)
    assert found == [sorted(n for n, hits in of.items() if hits is not None) for of in truth]
    for paper, ids, of in zip(documents, found, truth, strict=True):
        for number in ids:
            slot = block.slot(number)
            assert slot is not None
            assert block.stamps[slot] == 10 * number
            assert block.root(slot) == kept[number].root
            assert block.hits(slot, paper, {}) == of[number]


@given(texts, some_papers, st.booleans())
def test_a_block_is_naive_evaluation(read: list[str], some: list, stored: bool) -> None:
    kept = {number: parse_query(text) for number, text in enumerate(read)}
    documents = [prepare(paper) for paper in some]
    block = block_of(kept, stored=stored)
    check(block, kept, documents)
    for paper, ids in zip(some, wanting(block, documents), strict=True):
        assert ids == [n for n, query in kept.items() if Oracle(paper).wants(query)]


@given(st.lists(st.tuples(texts, st.integers(0, 255)), min_size=1, max_size=3), some_papers)
def test_joined_blocks_are_one(parts: list[tuple[list[str], int]], some: list) -> None:
    kept: dict[int, Query] = {}
    blocks = []
    for read, chosen in parts:
        queries_of = {len(kept) + 100 * len(blocks) + n: parse_query(t) for n, t in enumerate(read)}
        block = block_of(queries_of)
        flags = np.array([bool(chosen >> at & 1) for at in range(len(block))], dtype=np.bool_)
        kept |= {int(n): queries_of[int(n)] for n in block.ids[flags]}
        blocks.append((block, flags))
    one = merged(blocks)
    check(one, kept, [prepare(paper) for paper in some])
    alone = block_of(kept)
    assert len(one.leaves) == len(alone.leaves)
    assert sorted(one.vocabulary.symbols) == sorted(alone.vocabulary.symbols)
    assert one.paths.nbytes == alone.paths.nbytes
