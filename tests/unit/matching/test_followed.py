"""People and organisations, one a line; a reader's own papers left out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.matching.document import Document, prepare
from service.matching.evaluate import evaluate
from service.matching.index import Index
from service.matching.own import is_own, own_people, without_own
from service.matching.parse import describe, parse_keywords, parse_people, parse_query, to_text
from service.matching.query import QueryError
from service.papers.model import Alias, Paper


def paper(title: str = "A title", *authors: str, organisation: str = "") -> Document:
    return prepare(
        Paper(
            aliases=(Alias("arxiv", "2611.00001"),),
            title=title,
            abstract="We look at diffusion.",
            authors=authors,
            organisation=organisation,
        )
    )


def test_a_line_may_be_an_organisation():
    query = parse_people("Ana Silva\norg: Example University\nOrganization: Acme Labs")
    assert query.kind == "follow"
    assert query.terms == ("Ana Silva", "Example University", "Acme Labs")
    assert describe(query) == "By any of: Ana Silva · org: Example University · org: Acme Labs"
    assert evaluate(query, paper("x", "A. Silva"))
    theirs = evaluate(query, paper("x", "Bo Chen", organisation="The Example University, Bern"))
    assert theirs is not None
    assert theirs[0].where == "organisation"
    assert evaluate(query, paper("Example University", "Bo Chen")) is None
    assert evaluate(query, paper("x", "Bo", organisation="University of Example")) is None


def test_a_line_may_ask_for_more_of_a_name():
    query = parse_people('au:"Wei Zhang" AND diffusion\nAna Silva')
    assert evaluate(query, paper("x", "Wei Zhang"))
    assert evaluate(query, paper("x", "Li Zhang")) is None
    silent = Document(title=paper("x").title, abstract=paper("x").title, authors=("W. Zhang",))
    assert evaluate(query, silent) is None
    assert describe(query) == 'By any of: au:"Wei Zhang" AND diffusion · Ana Silva'
    alone = parse_people('au:"Wei Zhang" AND (diffusion OR flow)')
    assert describe(alone) == 'By: au:"Wei Zhang" AND (diffusion OR flow)'


@pytest.mark.parametrize(
    "text",
    [
        "Ana Silva",
        "org: Example University",
        'Ana Silva\norg: Example University\nau:"Wei Zhang" AND cat:cs.CL',
        'au:"Wei Zhang" AND diffusion',
        'au:"Wei Zhang" AND (diffusion OR "flow matching")\nBengio, Y.',
        'au:"Ana Silva" AND NOT au:"Bo Chen"',
        "au: Ana Silva\nau:silv*",
        "au: Ana Silva+au:x",
    ],
)
def test_what_is_written_out_is_read_as_the_same(text):
    query = parse_people(text)
    again = parse_people(to_text(query))
    assert (again.root, again.terms) == (query.root, query.terms)


def test_faults_of_a_line_are_told_at_their_character_in_the_whole_text():
    with pytest.raises(QueryError) as fault:
        parse_people('Ana Silva\nau:"Wei Zhang" AND (diffusion')
    assert fault.value.position == 30
    assert "character 30" in str(fault.value)
    with pytest.raises(QueryError):
        parse_people("Ana Silva\norg:")


def test_the_same_line_twice_is_one():
    query = parse_people("Ana Silva\nSilva, Ana\norg: Acme\norg:acme")
    assert query.terms == ("Ana Silva", "Acme")


def test_own_papers_are_left_out_in_every_form_of_the_name():
    query = without_own(parse_keywords("diffusion"), "Ana Silva")
    assert evaluate(query, paper("x", "Bo Chen"))
    for printed in ("Ana Silva", "A. Silva", "Silva, A.", "Ana M. Silva"):
        assert evaluate(query, paper("x", "Bo Chen", printed)) is None, printed
    assert evaluate(query, paper("x", "Anton Silva"))
    assert describe(query) == "With: diffusion, without: Ana Silva"
    assert query.terms == ("diffusion",)
    assert "without" not in describe(without_own(parse_keywords("diffusion"), ""))
    assert to_text(query) == "diffusion"


def test_own_papers_are_left_out_of_every_kind_and_by_the_index_too():
    queries = {
        1: without_own(parse_query("diffusion AND NOT robots"), "Ana Silva"),
        2: without_own(parse_people("Bo Chen\norg: Acme"), "Ana Silva; A. Costa"),
        3: parse_people("Bo Chen"),
    }
    index = Index()
    for number, query in queries.items():
        index.add(number, query)
    assert set(index.match(paper("x", "Bo Chen", "Ana Silva"))) == {3}
    assert set(index.match(paper("x", "Bo Chen", "Ana Costa"))) == {1, 3}
    assert set(index.match(paper("x", "Bo Chen"))) == {1, 2, 3}
    assert describe(queries[2]) == "By any of: Bo Chen · org: Acme, without: Ana Silva · A. Costa"


def test_a_name_for_own_papers_is_a_whole_one():
    for names in ("Silva", "sil*", "", " ; "):
        with pytest.raises(QueryError):
            own_people(names)


def test_own_papers_are_known_in_a_list_without_a_query():
    assert is_own("Ana Silva", paper("x", "Bo Chen", "A. Silva"))
    assert not is_own("Ana Silva", paper("x", "Bo Chen"))
    assert not is_own("", paper("x", "Ana Silva"))


@given(st.lists(st.sampled_from(["Ana Silva", "org: Acme", "Bo Chen", "Li, W."]), min_size=1))
def test_leaving_own_papers_out_takes_away_exactly_those(lines):
    query = parse_people("\n".join(lines))
    mine = without_own(query, "Ana Silva")
    for document in (
        paper("x", "Ana Silva", "Bo Chen", organisation="Acme"),
        paper("x", "Bo Chen", "Wei Li", organisation="Acme"),
        paper("x", "Wei Li"),
    ):
        own = is_own("Ana Silva", document)
        assert (evaluate(mine, document) is not None) == (
            evaluate(query, document) is not None and not own
        )
