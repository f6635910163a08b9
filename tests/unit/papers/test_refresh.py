"""What a later sighting adds to a known paper."""

from dataclasses import replace
from datetime import UTC, date, datetime

from service.papers.model import Alias, Paper
from service.papers.refresh import refresh

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


def kinds(new: Paper) -> dict[str, str]:
    return {change.field: change.kind for change in refresh(OLD, new).changes}


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
    assert kinds(new) == {"aliases": "doi", "votes": "votes", "links": "code"}
    assert outcome.paper.votes == 40
    assert outcome.paper.links["abs"] == "https://arxiv.org/abs/2511.01234"
    assert outcome.paper.links["code"] == "https://github.com/a/b"
    assert outcome.paper.id == 7


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
    assert kinds(new)["updated_at"] == "version"


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


def test_a_withdrawal_is_told() -> None:
    new = replace(OLD, withdrawn=True, updated_at=datetime(2025, 12, 1, tzinfo=UTC))
    assert kinds(new)["withdrawn"] == "withdrawn"
    assert refresh(OLD, new).paper.withdrawn
