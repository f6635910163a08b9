"""Identifiers out of anything, and when two papers are one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.papers.identity import (
    aliases,
    arxiv_id,
    arxiv_version,
    belonging,
    canonical_link,
    doi,
    fingerprint,
    is_same,
    merged,
    pmid,
    without_tracking,
)
from service.papers.model import Alias

ARXIV = [
    ("2511.01234", "2511.01234"),
    ("2511.01234v12", "2511.01234"),
    ("arXiv:2511.01234v1 [cs.CL]", "2511.01234"),
    ("oai:arXiv.org:2511.01234v1", "2511.01234"),
    ("https://arxiv.org/abs/2511.01234v3?context=cs", "2511.01234"),
    ("http://www.arxiv.org/pdf/2511.01234v3.pdf", "2511.01234"),
    ("https://export.arxiv.org/html/2511.01234v1/", "2511.01234"),
    ("https://doi.org/10.48550/arXiv.2511.01234", "2511.01234"),
    ("https://huggingface.co/papers/2511.01234", "2511.01234"),
    ("0704.0001", "0704.0001"),
    ("math.GT/0309136v1", "math/0309136"),
    ("https://arxiv.org/abs/quant-ph/0201082v1", "quant-ph/0201082"),
    ("2513.01234", None),
    ("2511.0123", None),
    ("1412.00001", None),
    ("the year 2511.01234", None),
    ("10.1234/2511.01234", None),
    ("", None),
]

DOIS = [
    ("doi:10.1016/J.Parint.2021.102531. Online ahead", "10.1016/j.parint.2021.102531"),
    ("https://dx.doi.org/10.4039/tce.2021.38?rft_dat=source%3Ddrss", "10.4039/tce.2021.38"),
    ("https://www.tandfonline.com/doi/full/10.1080/016.1?af=R", "10.1080/016.1"),
    ("https://pubs.acs.org/x/article/doi/10.1021/acs.6c02612/5288290/T", "10.1021/acs.6c02612"),
    ("https://www.biorxiv.org/content/10.64898/2026.01.19.700241v1", "10.64898/2026.01.19.700241"),
    ("http://biorxiv.org/cgi/content/short/2023.12.16.571984v1?rss=1", "10.1101/2023.12.16.571984"),
    ("(doi: 10.1000/ABC(1))", "10.1000/abc(1)"),
    (
        "10.1002/(SICI)1097(1996)61:7<1261::AID-APP1>3.0.CO;2-X",
        "10.1002/(sici)1097(1996)61:7<1261::aid-app1>3.0.co;2-x",
    ),
    ("10.48550/arXiv.2511.01234", None),
    ("version 10.2/3", None),
]


@pytest.mark.parametrize(("text", "found"), ARXIV)
def test_arxiv_id(text: str, found: str | None) -> None:
    assert arxiv_id(text) == found


@pytest.mark.parametrize(("text", "found"), DOIS)
def test_doi(text: str, found: str | None) -> None:
    assert doi(text) == found


def test_pubmed_number() -> None:
    url = "https://pubmed.ncbi.nlm.nih.gov/34929406/?utm_source=x&fc=2&v=2.16.2"
    assert pmid(url) == pmid("pubmed:34929406") == "34929406"
    assert pmid("https://a.example/34929406") is None


@pytest.mark.parametrize("text", ["2023/trains", "48210 at https://a.example", "2024/05/ice.html"])
def test_a_number_alone_is_no_pubmed_number(text: str) -> None:
    assert pmid(text) is None
    assert pmid("PMID: 34929406 DOI: 10.1/x") == "34929406"


def test_an_old_arxiv_id_begins_with_one_of_the_old_archives() -> None:
    assert arxiv_id("post/2012001") is None
    assert arxiv_id("https://arxiv.org/abs/post/2012001") is None
    assert arxiv_id("cond-mat/0412001") == "cond-mat/0412001"
    assert arxiv_id("https://chinarxiv.org/abs/2511.01234") is None


@pytest.mark.parametrize(
    "guid",
    ["48210 at https://a.example", "2023/trains", "post/2012001", "2012.12345", "math/0309136"],
)
def test_items_of_two_feeds_with_the_same_guid_are_two_papers(guid: str) -> None:
    one = aliases(guid=guid, feed="https://a.example/", link="https://a.example/x")
    other = aliases(guid=guid, feed="https://b.example/", link="https://b.example/y")
    assert {alias.scheme for alias in one} == {"guid", "link"}
    assert not is_same(one, other)
    assert not is_same(
        aliases(guid="1", link="https://a.example/x"), aliases(guid="1", link="https://b.example/y")
    )


def test_links_that_differ_in_tracking_are_one() -> None:
    one = "http://Journal.Example:80/a/?b=2&a=1&utm_source=Mobile Safari&dgcid=rss#top"
    assert canonical_link(one) == canonical_link("https://journal.example/a?a=1&b=2&fbclid=Z")
    assert without_tracking(one).endswith("?b=2&a=1#top")
    assert canonical_link("https://journal.example/") is None
    assert canonical_link("mailto:a@b.example") is None


def test_fingerprint_ignores_case_accents_and_the_order_of_a_name() -> None:
    one = fingerprint("Diffusion models: a survey of things", "José Ñandú")
    assert one == fingerprint("diffusion  MODELS – a survey of things", "Nandu, J.")
    assert one != fingerprint("Diffusion models: a survey of things", "Ann Other")
    assert fingerprint("Editorial", "Ann Other") is None
    assert fingerprint("A title of middling length", "") is None


def test_aliases_stand_in_the_order_of_trust() -> None:
    found = aliases(
        "doi:10.1000/X1",
        "https://doi.org/10.48550/arXiv.2511.01234",
        guid="1234",
        feed="https://journal.example/feed",
        link="https://journal.example/a?utm_source=rss",
        title="A title that is long enough for a print",
        authors=("Ann Other",),
    )
    assert [alias.scheme for alias in found] == ["arxiv", "doi", "guid", "link", "fingerprint"]
    assert found[0] == Alias("arxiv", "2511.01234")
    assert found[2] == Alias("guid", "journal.example:1234")
    assert found[3] == Alias("link", "https://journal.example/a")


def test_a_hugging_face_id_is_a_name_only_without_an_arxiv_id() -> None:
    assert aliases(hf="2511.01234") == (Alias("arxiv", "2511.01234"),)
    assert aliases(hf="some-report") == (Alias("hf", "some-report"),)


def test_two_arxiv_ids_are_two_papers_whatever_else_agrees() -> None:
    mark = Alias("fingerprint", "abc")
    assert not is_same((Alias("arxiv", "2511.00001"), mark), (Alias("arxiv", "2511.00002"), mark))
    assert not is_same((Alias("doi", "10.1/a"), mark), (Alias("doi", "10.1/b"), mark))
    assert is_same((Alias("arxiv", "2511.00001"), mark), (Alias("doi", "10.1/b"), mark))
    assert is_same((Alias("guid", "a"), mark), (Alias("guid", "b"), mark))
    assert not is_same((Alias("guid", "a"),), (Alias("guid", "b"),))


def test_merged_names_are_unique_and_sorted() -> None:
    old = (Alias("guid", "a"), Alias("fingerprint", "f"))
    new = (Alias("arxiv", "2511.00001"), Alias("guid", "a"), Alias("guid", "b"))
    assert merged(old, new) == (new[0], old[0], new[2], old[1])


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("oai:arXiv.org:2511.01234v3", 3),
        ("http://arxiv.org/abs/2511.01234v12", 12),
        ("2511.01234", 0),
        ("math.GT/0309136v1", 1),
        ("paper v2", 0),
    ],
)
def test_the_version_is_told_apart_from_the_id(text: str, version: int) -> None:
    assert arxiv_version(text) == version


def names(*pairs: str) -> tuple[Alias, ...]:
    return tuple(Alias(*pair.split(":", 1)) for pair in pairs)  # type: ignore[arg-type]


def test_a_third_source_joins_two_papers_that_were_apart() -> None:
    stored = {4: names("arxiv:2511.00001"), 2: names("doi:10.1/a"), 3: names("doi:10.1/b")}
    assert belonging(names("arxiv:2511.00001", "doi:10.1/a"), stored) == [2, 4]
    assert belonging(names("guid:g"), stored) == []


def test_a_weak_name_does_not_join_two_works() -> None:
    """One title, one first author, two arXiv ids; a third listing has the title alone."""
    stored = {
        1: names("arxiv:2511.00001", "link:https://a.example/x"),
        2: names("arxiv:2511.00002", "fingerprint:f"),
    }
    both = names("link:https://a.example/x", "fingerprint:f")
    assert belonging(both, stored) == [1]  # the better name
    assert belonging(names("arxiv:2511.00003", "fingerprint:f"), stored) == []


def test_two_dois_of_one_arxiv_paper_are_one_paper_in_any_order() -> None:
    preprint, journal = names("arxiv:2511.00001", "doi:10.1101/a"), names("doi:10.1/b")
    assert belonging(names("arxiv:2511.00001", "doi:10.1/b"), {1: preprint, 2: journal}) == [1, 2]
    weak = names("arxiv:2511.00001", "link:https://a.example/x")
    other = (*journal, Alias("link", "https://a.example/x"))
    assert belonging(weak, {1: preprint, 2: other}) == [1]


WORKS = (
    ("arxiv:2611.00001", "doi:10.1/a", "pmid:1", "guid:ga", "link:https://a.example/1"),
    ("doi:10.1/b", "guid:gb", "link:https://b.example/1", "fingerprint:fb"),
    ("arxiv:2611.00008", "fingerprint:same"),
    ("arxiv:2611.00009", "fingerprint:same"),
)  # fmt: skip


@given(data=st.data())
def test_the_order_of_sightings_does_not_matter(data: st.DataObject) -> None:
    """Papers as a store keeps them: a name has one owner, twins go to the older one."""
    shown = [names(*work) for work in WORKS[2:]]
    for work in WORKS[:2]:
        for _ in range(data.draw(st.integers(1, 5))):
            part = data.draw(st.lists(st.sampled_from(work), min_size=1, unique=True))
            shown.append(names(*part))
    kept = [keep(data.draw(st.permutations(shown))) for _ in range(2)]
    title = {Alias("fingerprint", "same")}  # of the two works, whichever was first has it
    assert {paper - title for paper in kept[0]} == {paper - title for paper in kept[1]}


def keep(shown: list[tuple[Alias, ...]]) -> set[frozenset[Alias]]:
    papers: dict[int, list[Alias]] = {}
    for number, mine in enumerate(shown):
        near = {i: known for i, known in papers.items() if set(known) & set(mine)}
        ids = belonging(mine, near) or [number]
        owned = {alias for known in papers.values() for alias in known}
        papers.setdefault(ids[0], [])
        for twin in ids[1:]:
            papers[ids[0]] += papers.pop(twin)
        papers[ids[0]] += [alias for alias in mine if alias not in owned]
    return {frozenset(known) for known in papers.values()}
