"""How each kind of leaf is decided in the index, and that all ways give evaluate's answer."""

import pytest

from service.matching.block import Block
from service.matching.building import Builder
from service.matching.document import Document, prepare
from service.matching.evaluate import evaluate
from service.matching.index import Index
from service.matching.parse import parse_people, parse_query
from service.matching.query import Leaf, leaves
from service.matching.recipes import MOST_PATHS, How, recipe_of
from service.papers.model import Alias, Paper

LONG = '"end to end fine tuning of pre trained vision language models"'

PAPERS = [
    Paper(
        aliases=(Alias("arxiv", "2501.00001v2"), Alias("hf", "2501.00001")),
        title="End-to-end finetuning of pretrained vision-language models",
        abstract="We pre-train a graph and a network. A LoRA-RAG of β-VAE; graph graph.",
        authors=("Yoshua Bengio", "L. van der Maaten", "Xiao-Ming Li", "李 明"),
        categories=("cs.LG", "Systems Neuroscience"),
        organisation="Open Graph Network Lab",
        votes=12,
    ),
    Paper(
        aliases=(Alias("doi", "10.1000/x"),),
        title="Network of graphs",
        abstract="Tuning to the end; a model of fine vision",
        authors=("Bengio Y", "A. Maaten"),
    ),
]
DOCUMENTS = [prepare(paper, sources=("Graph Letters",)) for paper in PAPERS]


def leaf_of(text: str) -> Leaf:
    (leaf,) = leaves(parse_query(text).root)
    return leaf


@pytest.mark.parametrize(
    ("text", "how", "wanting"),
    [
        ('"vision language"', How.PATHS, [0]),
        ('"fine tuning"', How.PATHS, [0]),
        ("pretrain*", How.PATHS, [0]),
        ("abs:pretrain*", How.PATHS, [0]),
        ("LoRA", How.PATHS, [0]),
        ("=graphs", How.PATHS, [1]),
        ("=LoRA", How.PATHS, [0]),
        ("ti:graph", How.PATHS, [1]),
        ("betavae", How.PATHS, [0]),
        ('org:"graph network"', How.PATHS, [0]),
        ("source:letters", How.PATHS, [0, 1]),
        ("id:2501.00001", How.PATHS, [0]),
        ("id:10.1000/x", How.PATHS, [1]),
        (LONG, How.NEEDS, [0]),
        ('"graph network"~5', How.NEAR, [0, 1]),
        ('"graph network"~2', How.NEAR, [1]),
        ('"graph graphs"~1', How.NEAR, [0]),
        ('org:"lab network"~2', How.NEAR, [0]),
        ('ti:"graph network"~5', How.NEAR, [1]),
        ('"graph network train"~9', How.NEEDS, [0]),
        ('org:"lab graph open"~4', How.NEEDS, [0]),
        ('au:"Y. Bengio"', How.PERSON, [0, 1]),
        ('au:"Bengio, Yoshua"', How.PERSON, [0, 1]),
        ('au:"Yann Bengio"', How.PERSON, [1]),
        ("au:Xiaoming", How.PERSON, [0]),
        ('au:"van der Maaten"', How.PERSON, [0]),
        ("au:李明", How.PERSON, [0]),
        ("au:maat*", How.ALWAYS, [0, 1]),
        ("cat:cs", How.CATEGORY, [0]),
        ("cat:neuroscience", How.CATEGORY, [0]),
        ("votes:>10", How.FIGURE, [0]),
        ("authors:<3", How.FIGURE, [1]),
    ],
)
def test_each_kind_is_decided_its_own_way(text: str, how: How, wanting: list[int]) -> None:
    assert recipe_of(leaf_of(text)).how == how
    query, index = parse_query(text), Index()
    index.add(7, query)
    for number, document in enumerate(DOCUMENTS):
        hits = evaluate(query, document)
        assert (hits is not None) == (number in wanting)
        assert index.match(document) == ({7: hits} if hits is not None else {})
    assert [len(ids) for ids in index.match_many(DOCUMENTS)] == [int(n in wanting) for n in (0, 1)]


def test_a_phrase_that_can_be_cut_in_many_ways_has_conditions_only() -> None:
    recipe = recipe_of(leaf_of(LONG))
    assert not recipe.paths
    assert len(recipe.needs) == 11
    assert len(recipe_of(leaf_of('"pre trained vision language"')).paths) <= MOST_PATHS


def block_of(*texts: str) -> Block:
    builder = Builder()
    for number, text in enumerate(texts):
        builder.add(number, 0, parse_query(text).root)
    return builder.done()


def looked_at(block: Block, documents: list[Document]) -> int:
    return block.truths(documents)[1].tested


def test_a_term_is_tested_once_a_paper_whoever_asks() -> None:
    assert looked_at(block_of(*[LONG] * 50, "graph"), DOCUMENTS) == 1, "and only where it can be"
    assert looked_at(block_of(*["graph network", "=graph OR ti:network"] * 50), DOCUMENTS) == 0
    names = block_of(*['au:"Yoshua Bengio"'] * 50, 'au:"Yoshua Li"')
    assert looked_at(names, DOCUMENTS) == 2, "the authors of that name alone"


def test_people_are_followed() -> None:
    index = Index()
    index.add(1, parse_people("Yoshua Bengio\nXiaoming Li"))
    index.add(2, parse_people("Nobody Else"))
    assert [ids.tolist() for ids in index.match_many(DOCUMENTS)] == [[1], [1]]
