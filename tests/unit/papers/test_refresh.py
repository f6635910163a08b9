"""What a later sighting adds to a known paper."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.papers.model import Alias, Paper
from service.papers.refresh import SOMEBODY, Change, Teller, refresh

OLD = Paper(
    aliases=(Alias("arxiv", "2511.01234"),),
    title="A title",
    abstract="An abstract of some length.",
    authors=("Ann One", "Ben Two"),
    categories=("cs.CL",),
    published_on=date(2025, 11, 3),
    updated_at=datetime(2025, 11, 3, tzinfo=UTC),
    links={"abs": "https://arxiv.org/abs/2511.01234"},
    votes=12,
    comments=3,
    note="9 pages",
    id=7,
)


ARXIV = frozenset(("title", "abstract", "authors", "categories"))
RECORDED = ARXIV | {"updated_at", "published_on", "note", "licence", "withdrawn"}
LISTED = frozenset(("votes", "comments", "organisation", "summary_line", "code", "project"))


def told(new: Paper, by: Teller = SOMEBODY) -> list[tuple[str, str]]:
    return [(change.kind, change.value) for change in refresh(OLD, new, by).changes]


def test_the_same_again_changes_nothing() -> None:
    outcome = refresh(OLD, replace(OLD, id=0))
    assert outcome.paper is OLD
    assert outcome.changes == ()


def test_an_empty_sighting_loses_nothing() -> None:
    outcome = refresh(OLD, Paper(aliases=OLD.aliases, title=""))
    assert outcome.paper == OLD
    assert outcome.changes == ()


def test_a_listing_of_the_past_never_lowers() -> None:
    past = replace(OLD, votes=2, comments=0, abstract="Short.", authors=("Ann One",))
    assert refresh(OLD, past).paper == OLD


def test_votes_code_and_doi_are_told_by_their_words() -> None:
    new = replace(
        OLD,
        aliases=(*OLD.aliases, Alias("doi", "10.1000/x")),
        votes=40,
        links={"abs": "https://elsewhere.example/", "code": "https://github.com/a/b"},
    )
    outcome = refresh(OLD, new)
    assert told(new) == [
        ("votes", "12 40"),
        ("code", "https://github.com/a/b"),
        ("doi", "10.1000/x"),
    ]
    assert outcome.paper.votes == 40
    assert outcome.paper.links["abs"] == "https://arxiv.org/abs/2511.01234"
    assert outcome.paper.links["code"] == "https://github.com/a/b"
    assert outcome.paper.id == 7


def test_a_journals_doi_is_told_also_where_an_archive_gave_one_before() -> None:
    preprint = replace(OLD, aliases=(Alias("doi", "10.1101/2026.01.02.123456"), *OLD.aliases))
    journal = replace(preprint, aliases=(*preprint.aliases, Alias("doi", "10.1038/s41586-1")))
    other = replace(journal, aliases=(*journal.aliases, Alias("doi", "10.1016/j.x.1")))
    assert [(c.kind, c.value) for c in refresh(preprint, journal).changes] == [
        ("doi", "10.1038/s41586-1")
    ]
    assert refresh(preprint, preprint).changes == ()
    assert refresh(journal, other).changes == ()


def test_a_newer_version_wins_title_abstract_and_note() -> None:
    new = replace(
        OLD,
        title="A better title",
        abstract="Shorter now.",
        note="10 pages",
        updated_at=datetime(2025, 12, 1, tzinfo=UTC),
    )
    paper = refresh(OLD, new).paper
    assert (paper.title, paper.abstract, paper.note) == (
        "A better title",
        "Shorter now.",
        "10 pages",
    )
    assert told(new) == [("title", "A title")]
    assert told(new, Teller(version=2, known_version=1))[0] == ("version", "2")
    assert told(replace(new, title="A  TITLE!"), Teller(version=1)) == []


def test_a_cut_abstract_never_replaces_a_whole_one() -> None:
    new = replace(OLD, abstract="An abstract...", updated_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert refresh(OLD, new).paper.abstract == OLD.abstract


def test_a_longer_abstract_wins_without_a_date() -> None:
    new = replace(OLD, abstract=OLD.abstract + " And more of it.", updated_at=None)
    assert refresh(OLD, new).paper.abstract.endswith("more of it.")
    assert refresh(OLD, replace(new, title="Other")).paper.title == OLD.title


def test_dates_keep_the_first_day_and_categories_join() -> None:
    new = replace(
        OLD, published_on=date(2026, 2, 1), announced_on=date(2025, 11, 4), categories=("cs.AI",)
    )
    paper = refresh(OLD, new).paper
    assert paper.published_on == date(2025, 11, 3)
    assert paper.announced_on == date(2025, 11, 4)
    assert paper.categories == ("cs.CL", "cs.AI")


def test_a_withdrawal_is_told_and_stays_until_its_origin_says_otherwise() -> None:
    new = replace(OLD, withdrawn=True, updated_at=datetime(2025, 12, 1, tzinfo=UTC))
    assert told(new) == [("withdrawn", "")]
    gone = refresh(OLD, new).paper
    assert gone.withdrawn
    later = replace(OLD, updated_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert refresh(gone, later).paper.withdrawn
    assert not refresh(gone, later, Teller(own=RECORDED, told=RECORDED)).paper.withdrawn
    older = Teller(own=RECORDED, told=RECORDED, version=1, known_version=2)
    assert refresh(gone, replace(OLD, updated_at=None), older).paper.withdrawn


def test_what_the_origin_says_replaces_what_others_said_even_when_it_is_shorter() -> None:
    origin = replace(OLD, title="The title", abstract="As arXiv has it.", authors=("Ann One",))
    found = refresh(OLD, origin, Teller(own=ARXIV)).paper
    assert (found.title, found.abstract, found.authors) == (
        "The title",
        "As arXiv has it.",
        ("Ann One",),
    )


def test_nobody_replaces_what_the_origin_said() -> None:
    other = replace(
        OLD,
        title="A title, shouted",
        abstract=OLD.abstract + " With more words of a poorer source.",
        authors=("One, A.", "Two, B.", "Three, C."),
        published_on=date(2020, 1, 1),
        updated_at=datetime(2027, 1, 1, tzinfo=UTC),
        note="elsewhere",
    )
    found = refresh(OLD, other, Teller(told=RECORDED)).paper
    assert found == OLD


@pytest.mark.parametrize(
    ("said", "known", "wins"), [(2, 1, True), (1, 1, False), (1, 2, False), (0, 1, False)]
)
def test_of_two_origins_the_newer_version_wins(said: int, known: int, wins: bool) -> None:
    new = replace(OLD, title="Another title", abstract="Words.", updated_at=None)
    by = Teller(own=ARXIV, told=ARXIV, version=said, known_version=known)
    assert (refresh(OLD, new, by).paper.title == "Another title") is wins


def test_an_announcement_of_a_version_does_not_hide_its_record() -> None:
    """The day of the announcement is later than the record's own instant: the version tells."""
    announced = replace(OLD, updated_at=datetime(2025, 12, 2, tzinfo=UTC))
    record = replace(
        OLD, note="withdrawn by the authors", withdrawn=True,
        updated_at=datetime(2025, 12, 1, tzinfo=UTC),
    )  # fmt: skip
    by = Teller(own=RECORDED, told=ARXIV, version=2, known_version=2)
    found = refresh(announced, record, by).paper
    assert found.withdrawn
    assert found.note == "withdrawn by the authors"


def test_a_community_changes_its_own_links_alone() -> None:
    first = refresh(OLD, replace(OLD, links={"code": "https://code.example/a"})).paper
    by = Teller(own=LISTED)
    again = refresh(first, replace(OLD, links={"code": "https://code.example/b"}), by)
    assert again.changes == (Change("code", "https://code.example/b"),)
    feed = replace(OLD, links={"code": "https://elsewhere.example/c"})
    assert refresh(again.paper, feed, Teller(told=LISTED)).paper == again.paper


def test_the_first_votes_have_no_before() -> None:
    unknown = replace(OLD, votes=None)
    assert refresh(unknown, OLD).changes == (Change("votes", "12"),)


@given(st.permutations(range(4)))
def test_no_order_of_sources_makes_a_paper_worse(order: list[int]) -> None:
    """Whoever speaks first: in the end it holds the origin's words and everybody's extras."""
    names = OLD.aliases
    sources = [
        (Paper(aliases=names, title="Title as typed", abstract="Cut...", votes=3), LISTED),
        (Paper(aliases=names, title="The title", abstract="The abstract."), ARXIV),
        (Paper(aliases=names, title="THE TITLE", abstract="The abstract. Of a journal."), None),
        (
            Paper(aliases=names, title="The title", note="9 pages", published_on=date(2025, 1, 2)),
            RECORDED,
        ),
    ]
    paper, so_far = sources[order[0]][0], sources[order[0]][1] or frozenset()
    for one in order[1:]:
        new, own = sources[one]
        paper = refresh(paper, new, Teller(own=own or frozenset(), told=so_far)).paper
        so_far |= own or frozenset()
    assert (paper.title, paper.note, paper.votes) == ("The title", "9 pages", 3)
    assert paper.published_on == date(2025, 1, 2)
    assert paper.abstract.startswith("The abstract.")
