"""What matches what, example by example, and where the hits lie."""

import pytest

from service.matching.document import StaleDocumentError, dump, identifier, load, prepare
from service.matching.evaluate import evaluate
from service.matching.parse import parse_keywords, parse_query
from service.papers.model import Alias, Paper


def paper(title: str, abstract: str = "", **facts: object) -> Paper:
    return Paper(aliases=(Alias("arxiv", "2511.01234"),), title=title, abstract=abstract, **facts)


def wants(query: str, title: str, abstract: str = "", **facts: object) -> bool:
    return evaluate(parse_query(query), prepare(paper(title, abstract, **facts))) is not None


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("vision-language", "A vision language model"),
        ('"vision language"', "A vision-language model"),
        ('"vision language"', "A VisionLanguage model"),
        ("visionlanguage", "A vision-language model"),
        ("finetuning", "We study fine tuning"),
        ("fine-tuned", "Finetuning works"),
        ("endtoend", "trained end-to-end"),
        ("endtoend", "trained end to end"),
        ('"end to end"', "endtoend training"),
        ('"end to end training"', "endtoend training"),
        ('"texttoimage model"', "text to image models"),
        ('"parameter efficient finetuning"', "parameter-efficient fine-tuning"),
        ('"pretraining data"', "pre-training data"),
        ("endtoend", "an end-to-end system"),
        ("GPT4", "we use GPT-4 here"),
        ("GPT-4", "we use GPT 4 here"),
        ("quantiz*", "Quantization of weights"),
        ("pretrain*", "pre-training"),
        ("pre-train*", "Pretrained"),
        ("pre-train*", "pre training"),
        ('"large pre-train* model"', "a large pretraining model"),
        ("end-to-end*", "endtoend"),
        ("LoRAs-tun*", "lorastuned"),
        ("graph-convolu*", "GraphCon-volution"),
        ("model", "large Models"),
        ("LLM", "LLMs are"),
        ("LLMs", "an LLM is"),
        ("beta-VAE", "a β-VAE"),
        ("β-VAE", "a beta VAE"),
        ("naive", "naïve Bayes"),
        ("路径规划", "新的路径规划算法"),
        ("Adam", "Adam's step"),
        ('"Moore law"', "Moore's law"),
        ('"graph network"~3', "network of a graph"),
        ('"graph network"~3', "graph one two network"),
        ('"model model"~3', "a model of models"),
        ("=learning", "Learning to learn"),
        ('="sparse attention"', "Sparse, attention"),
        ("=RAG", "RAG's use"),
        ("diffusion transformer", "diffusion ... a transformer"),
        ("a NOT b", "a c"),
    ],
)
def test_matches(query: str, text: str) -> None:
    assert wants(query, text)
    assert wants(query, "x", text)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("=learning", "learns to learn"),
        ("=learning", "learning2"),
        ("=RAG", "rag"),
        ("=RAG", "RAGs"),
        ('="sparse attention"', "sparse local attention"),
        ('="fine tuning"', "finetuning"),
        ("=finetuning", "fine-tuning"),
        ("RAG", "ragged"),
        ("AIDS", "an aid that aided"),
        ("therapist", "the rapist"),
        ("kmeans", "k means"),
        ('"graph network"~3', "graph one two three network"),
        ('"model model"~3', "a model"),
        ('"vision language"', "language vision"),
        ("quantiz*", "quanta"),
        ("models*", "A model significantly better"),
        ("agents*", "Agent skills"),
        ('"large models*"', "a large model significantly better"),
        ("diffusion transformer", "diffusion only"),
        ("a NOT b", "a b"),
        ("finetuning", "fine. Tuning"),
        ("endtoend", "the end, to end"),
        ("therapists", "the rap ists"),
    ],
)
def test_does_not_match(query: str, text: str) -> None:
    assert not wants(query, text)


def test_a_phrase_does_not_cross_from_title_to_abstract() -> None:
    assert not wants('"graph network"', "a graph", "network of")
    assert not wants('="graph network"', "a graph", "network of")
    assert not wants('"graph network"~2', "a graph", "network of")
    assert wants("graph network", "a graph", "network of")


def test_plain_words_look_in_title_and_abstract_only() -> None:
    facts = {"authors": ("Ada Graph",), "categories": ("graph",), "organisation": "Graph"}
    assert not wants("graph", "x", **facts)
    assert wants("au:graph", "x", **facts)
    assert wants("cat:graph", "x", **facts)
    assert wants("org:graph", "x", **facts)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("cat:cs.LG", True),
        ("cat:cs.lg", True),
        ("cat:cs.*", True),
        ("cat:cs", True),
        ("cat:cs.L*", True),
        ("cat:learning", False),
        ("cat:cs.CL", False),
        ("cat:neuroscience", True),
        ("id:2511.01234", True),
        ("id:arXiv:2511.01234v3", True),
        ("id:https://arxiv.org/abs/2511.01234v2", True),
        ("id:2511.01235", False),
        ("votes:>20", True),
        ("votes:20", False),
        ("votes:<=21", True),
        ("comments:>0", False),
        ("authors:<4", True),
        ("source:arxiv", True),
        ("source:hf", False),
        ("ti:title abs:abstract", True),
        ("ti:abstract", False),
    ],
)
def test_fields_and_figures(query: str, expected: bool) -> None:
    facts = {"categories": ("cs.LG", "Systems Neuroscience"), "votes": 21, "authors": ("A B",)}
    assert wants(query, "the title", "the abstract", **facts) is expected


@pytest.mark.parametrize("query", ["authors:<4", "authors:0", "votes:<5", "comments:<=9"])
def test_a_figure_that_the_source_does_not_tell_is_never_found(query: str) -> None:
    assert not wants(query, "the title")
    assert wants(f"title NOT {query}", "the title")


def test_named_sources() -> None:
    document = prepare(paper("x"), sources=("hf_daily", "Hugging Face Daily Papers"))
    for query in ("source:hf", "source:hf_daily", 'source:"hugging face"'):
        assert evaluate(parse_query(query), document) is not None


def test_hits_are_as_typed_and_stand_on_the_right_letters() -> None:
    title = "Étude: fine‐tuning LoRAs"
    abstract = "We finetune “LoRA” for fine tuning."
    found = evaluate(parse_keywords("LoRA, Fine-Tuning"), prepare(paper(title, abstract)))
    assert found is not None
    shown = {"title": title, "abstract": abstract}
    marked = [(hit.term, hit.where, shown[hit.where][hit.start : hit.end]) for hit in found]
    assert marked == [
        ("Fine-Tuning", "title", "fine‐tuning"),
        ("LoRA", "title", "LoRAs"),
        ("Fine-Tuning", "abstract", "finetune"),
        ("LoRA", "abstract", "LoRA"),
        ("Fine-Tuning", "abstract", "fine tuning"),
    ]


def test_hits_in_names_categories_and_none_for_figures() -> None:
    facts = {"authors": ("Bo Chen", "Yoshua Bengio"), "categories": ("cs.CL", "cs.LG"), "votes": 3}
    document = prepare(paper("x", **facts))
    found = evaluate(parse_query('au:"Y. Bengio" cat:cs.LG votes:3'), document)
    assert found is not None
    assert [(hit.where, hit.start, hit.end) for hit in found] == [
        ("authors", 9, 22),
        ("categories", 7, 12),
    ]
    assert evaluate(parse_query("votes:3"), document) == ()


def test_what_a_not_holds_is_no_hit() -> None:
    found = evaluate(parse_query("a NOT (b c)"), prepare(paper("a b")))
    assert found is not None
    assert [hit.term for hit in found] == ["a"]


def test_a_stored_stream_is_the_same_document() -> None:
    first = prepare(paper("β-VAE’s ﬁne Tuning", "", authors=("Ö B",), votes=3, comments=1))
    assert load(dump(first), votes=3, comments=1) == first
    assert load(dump(first)).votes is None
    with pytest.raises(StaleDocumentError, match="Fold the paper again"):
        load({**dump(first), "fold": 0})


def test_identifiers_are_compared_without_address_and_version() -> None:
    forms = ["2511.01234v2", "arXiv:2511.01234", "https://arxiv.org/abs/2511.01234v1"]
    assert {identifier(form) for form in forms} == {"2511.01234"}
    assert identifier("hep-th/9901001v2") == "hep-th/9901001"
    assert identifier("10.1038/S41586v2") == "10.1038/s41586v2"
