"""What other search engines write: understood where one thing can be meant, else offered in our
form; and every suggestion can be read."""

from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.match_strategies import queries

from service.matching.parse import (
    parse_keywords,
    parse_people,
    parse_query,
    read_in_capitals,
    read_words,
)
from service.matching.query import Query, QueryError, QueryKind

FORMS = [
    # arXiv
    ("cat:cs.LG AND submittedDate:[202301010600 TO 202401010600]", 15, "cat:cs.LG"),
    ("lastUpdatedDate:[2023 TO 2024] AND ti:graph", 1, "ti:graph"),
    ("ti:graph AND co:accepted", 14, "ti:graph"),
    ("id_list:2301.00001", 1, "id:2301.00001"),
    (
        "http://export.arxiv.org/api/query?search_query=all:electron+AND+ti:x&start=0",
        1,
        "all:electron AND ti:x",
    ),
    ("https://arxiv.org/abs/2511.01234v1", 1, "id:2511.01234"),
    ("arxiv.org/abs/2511.01234v1 OR graph", 1, "id:2511.01234 OR graph"),
    ("graph 2511.01234v2", 7, "graph id:2511.01234"),
    ("10.1038/s41586-021-03819-2", 1, "id:10.1038/s41586-021-03819-2"),
    # PubMed
    ("graph[tiab]", 6, "graph"),
    ('"deep learning"[tiab] AND cancer[MeSH]', 16, '"deep learning" AND cancer'),
    ('cancer[Mesh:NoExp] OR "graph network"[tiab:~3]', 7, 'cancer OR "graph network"~3'),
    ("review[pt] AND graph[ti]", 7, "ti:graph"),
    ("2020:2024[dp] AND graph[ti]", 1, "ti:graph"),
    ('("2020/01/01"[Date - Publication] : "3000"[Date - Publication]) AND graph', 2, "graph"),
    ("Smith JA[au] AND lung", 9, 'au:"Smith JA" AND lung'),
    ("x[foo]", 2, "x"),
    # Scholar
    ("intitle:graph neural", 1, "ti:graph neural"),
    ("allintitle: graph neural networks", 1, "ti:(graph neural networks)"),
    ("inauthor:bengio", 1, "au:bengio"),
    ("site:arxiv.org graph", 1, "graph"),
    ("graph after:2020", 7, "graph"),
    ("graph AROUND(3) network", 7, '"graph network"~3'),
    ("graph | network", 7, "graph OR network"),
    # ADS, Lucene
    ('author:"^Smith, J"', 1, 'author:"Smith, J"'),
    ("^graph net", 1, "graph net"),
    ("+graph +neural -image", 1, "graph neural -image"),
    ("graph~2", 1, "graph"),
    ('"graph net"~0.5', 1, '"graph net"'),
    ("graph^2 net", 6, "graph net"),
    ("wom?n", 4, "wom*"),
    ("gr*ph", 3, "grph"),
    ("*bert", 1, "bert"),
    ("a && b", 3, "a AND b"),
    ("a || b", 3, "a OR b"),
    ("!a b", 1, "NOT a b"),
    ("year:2020-2023 graph", 1, "graph"),
    ("title:[a TO b] graph", 1, "graph"),
    ("=ti:graph", 1, "ti:=graph"),
    ("/gr[ae]ph/ x", 1, "x"),
    # Web of Science, Scopus, Ovid
    ("TS=(graph network) AND PY=2020", 1, "(graph network)"),
    ("TITLE-ABS-KEY(graph AND network)", 1, "(graph AND network)"),
    ("graph NEAR/3 network", 7, '"graph network"~3'),
    ("graph W/3 network", 7, '"graph network"~3'),
    ("graph adj3 network", 7, '"graph network"~3'),
    ("{graph network} AND x", 1, '="graph network" AND x'),
    ("(graph OR network).ti,ab.", 19, "(graph OR network)"),
    ("exp Neoplasms/ AND graph", 1, "Neoplasms AND graph"),
    # slips
    ("'graph network' OR x", 1, '"graph network" OR x'),
    ("title : graph", 1, "title:graph"),
    ("autor:Bengio", 1, "au:Bengio"),
    ("ti=graph (au=Bengio)", 1, "ti:graph (au:Bengio)"),
    ("titel: graph", 1, "title: graph"),
    ("intitle: graph", 1, "ti: graph"),
    ("foo:bar baz", 1, '"foo:bar" baz'),
    ("cs.LG", 1, "cat:cs.LG"),
    ("graph cs.lg", 7, "graph cat:cs.LG"),
    ("cat:cs.LGG", 5, "cat:cs.LG"),
    ("cat:cslg", 5, "cat:cs.LG"),
    ("cat:LG", 5, "cat:cs.LG"),
    ("cat:sc.LG", 5, "cat:cs.LG"),
    ("cat:cs.XX", 5, "cat:cs"),
    ("cat:math.LG", 5, "cat:cs.LG"),
    ("cat:stats", 5, "cat:stat"),
    ("cat:cs.Q*", 5, "cat:cs"),
    ("cat:cs.LG,cs.CL", 10, "cat:cs.LG OR cat:cs.CL"),
    ("cat:(cs.LG OR cs.CLL)", 15, "cat:(cs.LG OR cs.CL)"),
    # ours, broken
    ("au:be*gio x", 6, "au:begio x"),
    ("x cat:=cs.LG", 8, "x cat:cs.LG"),
    ("id:2511*", 4, "id:2511"),
    ('"a b"~99999', 1, '"a b"~50'),
    ("x qu*", 3, "x qu"),
    ("a OR", 3, "a"),
    ("OR b", 1, "b"),
    ("a AND OR b", 3, "a OR b"),
    ("x ( )", 3, "x"),
    ("a OR -b", 3, "a AND -b"),
    ("=quant*", 2, "quant*"),
    ('"a b c"~1', 1, '"a b c"~2'),
    ('"a b c"~99', 1, '"a b c"~50'),
    ('"a"~3', 1, '"a"'),
    ('"vision"-language', 9, '"vision language"'),
    ("a - b", 3, "a -b"),
    ("x votes:many", 3, "x"),
    ("votes:>=20.5", 1, "votes:>=20"),
    ("votes:>1,000 graph", 9, "votes:>1000 graph"),
    ("RAG -", 5, "RAG"),
    ("(intitle:foo OR (bar", 2, "(ti:foo OR (bar))"),
    ("ti:(graph OR", 4, "ti:(graph)"),
]


@pytest.mark.parametrize(("text", "position", "suggestion"), FORMS)
def test_our_form_is_offered(text: str, position: int, suggestion: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse_query(text)
    assert (caught.value.position, caught.value.suggestion) == (position, suggestion)
    assert parse_query(suggestion).terms or suggestion.startswith("votes:")
    assert caught.value.next_step


@pytest.mark.parametrize(
    "text",
    [
        "what is attention?",
        "cat: cs.LG",
        "id: 2511.01234",
        "votes>20 graph",
        '"graph network" ~3',
        "R&D GPT-4.1 C++",
        "cat:neuroscience",
        "cat:q-bio.*",
        "cat:physics.optics",
        "A/B testing",
        "wearable N3 sleep",
        '"a b or c d"',
        "don't",
        "graph-based 10:30",
        "state-of-the-art",
        "In Search of Interpolation: On the Role of Sharpness in CLIP",
        "Sparse Regularization: A Signal Perspective",
        "Beyond the Text: Key: Class: Summary: Subject: PReLU: A",
    ],
)
def test_ordinary_words_are_no_foreign_forms(text: str) -> None:
    assert parse_query(text)


@pytest.mark.parametrize(
    ("text", "kind", "meant"),
    [
        ("lora or adapters", "query", "lora OR adapters"),
        ("lora or adapters, peft", "keywords", "(lora OR adapters) OR peft"),
        ("vision and language", "query", ""),
        ("ti:graph and net not survey", "query", "ti:graph AND net NOT survey"),
        ("fine tuning Or (a b)", "query", "fine tuning OR (a b)"),
        ('"to be or not"', "query", ""),
        ("or else", "query", ""),
        ("either or", "query", ""),
        ("attention and memory", "keywords", ""),
    ],
)
def test_operators_in_small_letters_are_words_and_a_hint_is_given(
    text: str, kind: QueryKind, meant: str
) -> None:
    assert read_in_capitals(text, kind) == meant
    assert '"or"' in parse_query("a or b").shown


def test_the_place_is_the_one_that_was_typed() -> None:
    with pytest.raises(QueryError) as caught:
        parse_query("Schr\\\"odinger ``x y'' OR (")
    assert caught.value.position == 26
    assert "character 26" in str(caught.value)
    with pytest.raises(QueryError) as caught:
        parse_query("Erd\\H{o}s cat:cs.LGG")
    assert caught.value.position == 15


def test_what_was_read_once_is_read_again() -> None:
    for text in ("lora or adapters", "cat:cs.LGG", "graph~2 ^x", "cs.LG", "x[foo]"):
        assert parse_query(text, stored=True).terms


def test_a_code_among_keywords_is_a_category() -> None:
    with pytest.raises(QueryError, match=r"cs\.LG at character 7 is a category") as caught:
        read_words("LoRA, cs.LG, low-rank adaptation, -survey")
    said = '(LoRA OR "low-rank adaptation") AND cat:cs.LG AND NOT survey'
    assert read_words(caught.value.suggestion).shown == said


def test_a_character_that_cannot_be_stored_is_refused() -> None:
    with pytest.raises(QueryError, match="Character 3 cannot be read"):
        parse_query("a \ud800")


pieces = st.sampled_from(
    [
        *(
            "a",
            "graph",
            '"b c"',
            "quan*",
            "cs.LG",
            "RAG",
            "路径",
            "ti:",
            "au:",
            "cat:",
            "all:",
            "x:",
        ),
        *(
            "AND",
            "OR",
            "NOT",
            "ANDNOT",
            "or",
            "and",
            "not",
            "-",
            "+",
            "!",
            "&&",
            "||",
            "|",
            "~",
            "^",
        ),
        *("(", ")", '"', "'", ",", ";", "=", "*", "?", "[tiab]", "[dp]", "[", "]", "{", "}", "/"),
        *("NEAR/3", "adj", "~2", "^2", ":", "votes:", ">3", "2511.01234", "TS=", ".ti,ab.", "exp"),
        *("submittedDate:[1 TO 2]", "http://x.y/z", "``", "''", "$x^2$", "\\alpha", "“", "”", "…"),
    ]
)


def refusal_of(text: str, read: Callable[[str], Query]) -> QueryError | None:
    try:
        read(text)
    except QueryError as error:
        return error
    return None


@given(st.lists(st.tuples(pieces, st.sampled_from(["", " "])), min_size=1, max_size=9))
@example([('"a', ""), (",", ""), ("(", "")])
def test_every_suggestion_can_be_read(parts: list[tuple[str, str]]) -> None:
    text = "".join(piece + gap for piece, gap in parts)
    for read in (parse_query, read_words, parse_keywords, parse_people):
        error = refusal_of(text, read)
        if error is not None:
            assert 0 <= error.position <= len(text) + 1
            assert not error.suggestion or read(error.suggestion).root


@given(queries, st.integers(0, 40), pieces)
def test_a_good_query_with_something_in_it_gets_suggestions_that_can_be_read(
    text: str, at: int, piece: str
) -> None:
    error = refusal_of(text[:at] + piece + text[at:], parse_query)
    assert error is None or not error.suggestion or parse_query(error.suggestion).root
