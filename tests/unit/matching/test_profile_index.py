"""The index answers what evaluating every profile answers, and looks at few of them."""

import json
import random
import threading
from collections.abc import Iterator
from itertools import cycle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.captures import shared_data
from support.keyword_oracle import KeywordOracle
from support.match_strategies import papers, queries
from support.oracle import Oracle

from service.matching.compiled import StaleQueryError, compile_query, load_query
from service.matching.document import Document, dump, load, prepare
from service.matching.evaluate import evaluate
from service.matching.index import Index
from service.matching.parse import parse_keywords, parse_query
from service.matching.query import And, Or, Query, QueryError
from service.papers.model import Alias, Paper


@given(st.lists(queries, min_size=1, max_size=8), st.lists(papers(), min_size=1, max_size=3))
def test_index_is_naive_evaluation(texts: list[str], some: list[Paper]) -> None:
    read = [parse_query(text) for text in texts]
    index = Index()
    for number, query in enumerate(read):
        index.add(number, query)
    for paper in some:
        document = prepare(paper)
        found = index.match(document)
        for number, query in enumerate(read):
            assert found.get(number) == evaluate(query, document), query.shown
            assert (number in found) == Oracle(paper).wants(query), query.shown
        assert list(index.match_ids(prepare(paper))) == list(found)


@given(queries, papers())
def test_stored_forms_answer_the_same(text: str, paper: Paper) -> None:
    query, document = parse_query(text), prepare(paper)
    stored = load_query(json.loads(json.dumps(compile_query(query))))
    again = load(json.loads(json.dumps(dump(document))), votes=paper.votes, comments=paper.comments)
    assert stored == query
    assert again == document
    assert evaluate(stored, again) == evaluate(query, document)


@pytest.mark.parametrize("version", ["fold", "form"])
def test_a_query_of_another_version_is_refused(version: str) -> None:
    stored = compile_query(parse_query("a"))
    assert load_query(stored) == parse_query("a")
    del stored[version]
    with pytest.raises(StaleQueryError, match="Parse its text again"):
        load_query(stored)


MERGE = "merge"
acts = st.tuples(st.integers(0, 4), st.none() | st.just(MERGE) | queries)


@given(st.lists(acts, max_size=14), papers())
def test_changes_leave_nothing_behind(some: list[tuple[int, str | None]], paper: Paper) -> None:
    index = Index()
    kept: dict[int, Query] = {}
    document = prepare(paper)
    for number, text in some:
        if text is None:
            index.remove(number)
            kept.pop(number, None)
        elif text == MERGE:
            index.compact()
        else:
            kept[number] = parse_query(text)
            index.add(number, kept[number], stamp=len(text))
            assert index.stamp(number) == len(text)
        wanted = {number: evaluate(query, document) for number, query in kept.items()}
        assert index.match(document) == {n: hits for n, hits in wanted.items() if hits is not None}
        assert list(index.known_ids()) == sorted(kept)
    assert len(index) == len(kept)
    assert all(number in index for number in kept)
    for number in kept:
        index.remove(number)
    assert index.match(document) == {}
    index.compact()
    assert not index.known_ids().size
    assert sum(index.memory().values()) == sum(Index().memory().values())


@given(st.lists(queries, min_size=1, max_size=6), st.lists(papers(), min_size=1, max_size=3))
def test_packed_and_unpacked_is_the_same(texts: list[str], some: list[Paper]) -> None:
    index, again = Index(), Index()
    for number, text in enumerate(texts):
        index.put_stored(number, 7, compile_query(parse_query(text))["root"])
    index.put_stored(99, 8, None)
    again.add(5000, parse_query("graph"))
    packed = b"".join(index.pack({"note": "ä"}))
    assert again.unpack(memoryview(packed)) == {"note": "ä"}
    assert (len(again), again.stamp(0), again.stamp(99), 99 in again) == (len(texts), 7, 8, False)
    for paper in some:
        document = prepare(paper)
        assert again.match(document) == index.match(document)
        assert list(again.match_ids(document)) == list(index.match_ids(document))
    again.add(0, parse_query("xylophone"))
    again.compact()
    assert list(again.known_ids()) == [*range(len(texts)), 99]


def test_profiles_change_while_others_match() -> None:
    """Profile 0 stays, profile 1 is changed from one wish to another that fits as well: neither
    is ever missing, whatever is merged meanwhile."""
    index = Index()
    index.add(0, parse_query("graph"))
    document = prepare(Paper(aliases=(Alias("arxiv", "1"),), title="graph network"))
    fits = [parse_query(text) for text in ("network OR graph", "graph network", "ti:network")]
    index.add(1, fits[0])
    done = threading.Event()

    def change() -> None:
        for number in cycle(range(2, 200)):
            if done.is_set():
                return
            index.add(number, fits[number % 3])
            index.add(1, fits[number % 2])
            index.remove(number)
            if number % 7 == 0:
                index.compact()

    worker = threading.Thread(target=change)
    worker.start()
    seen = []
    try:
        for _ in range(15):
            seen.append([i for i in index.match_ids(document).tolist() if i < 2])
            seen.append([i for i in index.match(document) if i < 2])
            index.compact()
    finally:
        done.set()
        worker.join()
    assert seen == [[0, 1]] * 30
    assert [i for i in index.match(document) if i < 2] == [0, 1]


@pytest.mark.slow  # a second or more
def test_twenty_thousand_profiles() -> None:
    """Every profile of two terms out of some, on one paper: looked at together, not one by one."""
    texts = ["graph", "network*", "=Vision", "ti:model", "LoRA", '"fine tuning"', "cat:cs", "RAG"]
    texts += [f"word{number}" for number in range(132)]
    leaves = [parse_query(text).root for text in texts]
    paper = Paper(
        aliases=(Alias("arxiv", "1"),),
        title="Finetuning of LoRA networks",
        abstract="word7 and word8 in vision",
        categories=("cs.LG",),
    )
    document = prepare(paper)
    true = [evaluate(parse_query(text), document) is not None for text in texts]
    index = Index()
    expected = []
    for number in range(20_000):
        one, other = number % 140, (number // 140 + number) % 140
        root = Or((leaves[one], leaves[other])) if number % 3 else And((leaves[one], leaves[other]))
        index.add(number, Query(root=root, shown="", kind="query", terms=()))
        both = (true[one], true[other])
        if any(both) if number % 3 else all(both):
            expected.append(number)
    assert 500 < len(expected) == len(index.match_ids(document))
    assert index.match_ids(document).tolist() == expected
    assert index.candidates == 0


def _hf_papers() -> Iterator[Paper]:
    for path in sorted((shared_data() / "hf_daily").glob("2026-0[567]-*.json")):
        for item in json.loads(path.read_text("utf-8")):
            paper = item["paper"]
            yield Paper(
                aliases=(Alias("arxiv", paper["id"]),),
                title=paper["title"],
                abstract=paper.get("summary", ""),
            )


@pytest.fixture(scope="module")
def real_papers() -> list[Paper]:
    """100 papers of the captured days, spread over them."""
    return list(_hf_papers())[::7][:100]


@pytest.fixture(scope="module")
def real_documents(real_papers: list[Paper]) -> list[Document]:
    return [prepare(paper) for paper in real_papers]


def _real_lists() -> list[list[str]]:
    text = (shared_data() / "profiles" / "profiles.jsonl").read_text("utf-8")
    return [json.loads(line)["terms"] for line in text.splitlines()]


def _variants(count: int) -> Iterator[Query]:
    """Parts of the real lists, a fifth with something left out, some as phrases joined by AND."""
    chance = random.Random(20261120)
    lists = _real_lists()
    while count:
        terms = chance.choice(lists)
        some = chance.sample(terms, min(len(terms), chance.randint(1, 8)))
        some = [term.replace('"', "").replace("*", "") for term in some]
        kind = chance.random()
        try:
            if kind < 0.15:
                yield parse_query(" AND ".join(f'"{term}"' for term in some[:2]))
            else:
                some[-1:] = [f"-{some[-1]}"] if kind < 0.35 and len(some) > 1 else some[-1:]
                yield parse_keywords("\n".join(some))
        except QueryError:
            continue
        count -= 1


@pytest.mark.slow
def test_variants_of_real_profiles_reach_few_evaluations(real_documents: list[Document]) -> None:
    profiles, pairs = 800, 1_500
    index = Index()
    variants = list(_variants(profiles))
    for number, query in enumerate(variants):
        index.add(number, query)
    found = [index.match(document) for document in real_documents]
    matches = sum(map(len, found))
    assert matches == index.matches > profiles
    assert index.candidates <= 3 * index.matches
    chance = random.Random(1)
    for _ in range(pairs):
        at, number = chance.randrange(len(found)), chance.randrange(len(variants))
        truth = evaluate(variants[number], real_documents[at])
        assert found[at].get(number) == truth, variants[number].shown


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_ten_thousand_variants_equal_the_oracle_on_every_pair(
    real_documents: list[Document],
) -> None:
    """Fifty thousand pairs (`make sweep` makes a million): the index against evaluation."""
    index, variants = Index(), list(_variants(10_000))
    for number, query in enumerate(variants):
        index.add(number, query)
    assert len(real_documents) == 100
    found = [index.match(document) for document in real_documents]
    for at in range(0, 100, 20):
        truth = {
            number: hits
            for number, query in enumerate(variants)
            if (hits := evaluate(query, real_documents[at])) is not None
        }
        assert found[at] == truth
    print(f"{index.matches} matches, {index.candidates} pairs reached exact evaluation")
    assert index.candidates <= 3 * index.matches


def test_an_oracle_without_our_code_agrees(
    real_papers: list[Paper], real_documents: list[Document]
) -> None:
    terms = sorted({term for terms in _real_lists() for term in terms})
    plain = [t for t in terms if len(t) < 80 and not set(t) & set(',;:*"()，、“”|=')][::4]
    assert len(plain) > 200
    texts = [KeywordOracle.texts_of(paper.title, paper.abstract) for paper in real_papers[::4]]
    matched = 0
    for term in plain:
        oracle, query = KeywordOracle([term]), parse_keywords(term)
        for text, document in zip(texts, real_documents[::4], strict=True):
            ours = evaluate(query, document) is not None
            matched += ours
            assert oracle.wants_texts(text) == ours, term
    assert matched > 50
