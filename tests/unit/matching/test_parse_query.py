"""The query language: what each form means, and every refusal with its place."""

import pytest
from hypothesis import given
from support.match_strategies import queries

from service.matching.parse import parse_query, read_words, to_text
from service.matching.query import QueryError


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("diffusion transformer", "diffusion AND transformer"),
        ("a OR b c", "a OR (b AND c)"),
        ("a AND b OR c", "(a AND b) OR c"),
        ("NOT c a", "NOT c AND a"),
        ("a -c", "a AND NOT c"),
        ("a ANDNOT b", "a AND NOT b"),
        ("a AND NOT (b OR c)", "a AND NOT (b OR c)"),
        ("a NOT NOT b", "a AND b"),
        ('"vision language"', '"vision language"'),
        ("vision-language", "vision-language"),
        ("quantiz*", "quantiz*"),
        ('"graph network"~3', '"graph network"~3'),
        ("title:a abstract:b author:c category:cs.CL", "ti:a AND abs:b AND au:c AND cat:cs.CL"),
        ('ti:(a OR "b c")', 'ti:a OR ti:"b c"'),
        ("TI: a", "ti:a"),
        ("cat:cs.*", "cat:cs.*"),
        ('=RAG ="sparse attention"', '=RAG AND ="sparse attention"'),
        ("ti:=RAG", "ti:=RAG"),
        ("votes:>20 authors:<4", "votes:>20 AND authors:<4"),
        ("votes: >= 20", "votes:>=20"),
        ("votes:≥20", "votes:>=20"),
        ("“vision–language” OR x", "vision-language OR x"),
        ("（a OR b） c", "(a OR b) AND c"),
        ("((a))", "a"),
        ("a a", "a"),
        ("ANDROID ORACLE", "ANDROID AND ORACLE"),
        ("or and not", '"or" AND "and" AND "not"'),
        ("all:foo ANDNOT all:(b OR c)", "foo AND NOT (b OR c)"),
        ('all:electron AND ti:"quantum dots"', 'electron AND ti:"quantum dots"'),
        ("``graph network'' OR x", '"graph network" OR x'),
        ("$\\beta$-VAE", "β-VAE"),
        ("cat:CS.lg", "cat:CS.lg"),
        ("cat:(cs.LG OR cs.CL)", "cat:cs.LG OR cat:cs.CL"),
        ("id:(2511.01234 OR 2511.01235)", "id:2511.01234 OR id:2511.01235"),
        ('"cs.LG" "2511.01234"', '"cs.LG" AND "2511.01234"'),
    ],
)
def test_forms(text: str, shown: str) -> None:
    assert parse_query(text).shown == shown


def test_terms_are_as_typed_and_leave_out_the_negative() -> None:
    query = parse_query('LoRA OR "low-rank  adaptation" -survey')
    assert query.terms == ("LoRA", "low-rank adaptation")


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ("a OR (diffusion", 6, "The bracket at character 6, before 'diffusion', is never closed."),
        ("a)", 2, "closes nothing"),
        ("a OR", 3, "After OR at character 3 a word is missing"),
        ("OR b", 1, "Before OR at character 1 a word is missing"),
        ("a AND OR b", 3, "After AND at character 3"),
        ("x ( )", 3, "The brackets at character 3 are empty"),
        ("ti: OR b", 1, "After ti: at character 1"),
        ('a "b', 3, "The quote at character 3 is never closed"),
        ("a qu*", 3, "at least 3 letters"),
        ("a - b", 3, "not an operator"),
        ("--c a", 1, "not an operator"),
        ("a | b", 3, "Write OR"),
        ("a && b", 3, "Write AND"),
        ("a ~ b", 3, "not an operator"),
        ("x =ti:foo", 3, "belongs after the field"),
        ("x votes:many", 3, "needs a number"),
        ("a foo:bar", 3, "There is no field 'foo:'"),
        ('"a b c"~1', 1, "3 words can stand within 2 to 50"),
        ("ti:(a au:b)", 7, "belong to ti:"),
        ("NOT a", 1, "This only says what to leave out. Add a word you want."),
        ("a OR -b", 3, "One side of the OR at character 3 only says what to leave out"),
        ("(NOT a) OR b OR (-c)", 14, "Write a NOT b for papers with a and without b."),
        ("a *", 3, "no letter or digit"),
        ("", 1, "There is no word here"),
        ("=quant*", 2, "do not go together"),
        ("(((((((((a)))))))))", 9, "8 are the most"),
    ],
)
@pytest.mark.slow
def test_refusals_name_the_character(text: str, position: int, says: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse_query(text)
    assert caught.value.position == position
    assert says in str(caught.value)
    assert caught.value.next_step


def test_a_comma_offers_the_or_form() -> None:
    with pytest.raises(QueryError) as caught:
        parse_query("LoRA, low-rank adaptation")
    assert caught.value.position == 5
    assert caught.value.suggestion == 'LoRA OR "low-rank adaptation"'
    assert str(caught.value) == (
        "The , at character 5 does not work between operators. "
        'Did you mean: LoRA OR "low-rank adaptation"?'
    )


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("intitle:foo bar", "ti:foo bar"),
        ("titel:foo", "title:foo"),
        ('x[tiab] AND "y z"[ti]', 'x AND ti:"y z"'),
        ("all: foo", "foo"),
        ("(a OR (b c", "(a OR (b c))"),
        ("a) b", "a b"),
        ("a))))", "a"),
        ("au:Smith, J", 'au:"Smith, J"'),
        ("au:Smith, J. K., diffusion", 'au:"Smith, J. K." OR diffusion'),
        ("a) (b) c)", "a (b) c"),
        ('"a b', '"a b"'),
        ("a, b c; d", 'a OR "b c" OR d'),
        ("Retrieval (RAG), LLM", '"Retrieval (RAG)" OR LLM'),
    ],
)
def test_suggestions_can_be_read(text: str, suggestion: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse_query(text)
    assert caught.value.suggestion == suggestion
    assert parse_query(suggestion).terms


def test_a_minus_glued_to_a_phrase_is_refused() -> None:
    with pytest.raises(QueryError, match="- at character 9 is not an operator") as caught:
        parse_query('"vision"-language')
    assert caught.value.position == 9
    assert parse_query('"vision" -language').root == parse_query('"vision" NOT language').root


def test_the_place_of_too_much_is_a_character() -> None:
    with pytest.raises(QueryError) as caught:
        parse_query("é" * 600)
    assert caught.value.position == 513


def test_limits() -> None:
    assert len(parse_query(" ".join(f"w{n}" for n in range(64))).terms) == 64
    with pytest.raises(QueryError, match="65 terms; 64 are the most"):
        parse_query(" ".join(f"w{n}" for n in range(65)))
    assert parse_query('"' + "é" * 511 + '"')
    with pytest.raises(QueryError, match="1,025 bytes long; 1,024 are the most"):
        parse_query("a" * 1025)


@given(queries)
def test_printed_and_read_again_it_is_the_same_tree(text: str) -> None:
    query = parse_query(text)
    again = parse_query(to_text(query))
    assert again == query
    assert read_words(query.shown).root == query.root or query.shown.isalnum()
