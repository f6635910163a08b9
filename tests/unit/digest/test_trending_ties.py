"""The order of trending papers does not hang on the order in which they were stored."""

from dataclasses import replace
from datetime import date, timedelta

from service.defaults import Defaults
from service.digest.candidate import Candidate
from service.digest.trending import popular
from service.papers.model import Alias, Paper

ON = date(2026, 11, 20)


def listed(number, value, votes, comments, back=0):
    paper = Paper(
        aliases=(Alias("arxiv", value),), title=value, votes=votes, comments=comments, id=number
    )
    return Candidate(paper=paper, profile_id=0, listed_on=ON - timedelta(days=back))


def test_votes_a_day_then_comments_then_the_name():
    candidates = [
        listed(1, "2611.00009", 4, 2),
        listed(2, "2611.00003", 4, 2),
        listed(3, "2611.00007", 4, 5),
        listed(4, "2611.00001", 8, 0, back=1),
        listed(5, "2611.00002", 6, 0, back=1),
    ]
    order = [c.paper.key.value[-1] for c in popular(candidates, ON, Defaults())]
    assert order == ["7", "3", "9", "1", "2"]
    stored_otherwise = [
        replace(c, paper=replace(c.paper, id=9 - c.paper.id)) for c in reversed(candidates)
    ]
    again = [c.paper.key.value[-1] for c in popular(stored_otherwise, ON, Defaults())]
    assert again == order
