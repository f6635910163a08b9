"""What words bring, as JSON values: the same for the command line and the API."""

from collections.abc import Sequence
from typing import Any

from service.flows.browse import DayPage, Shown
from service.flows.estimate import BackTest, Change
from service.flows.follow import Name
from service.flows.related import Liked
from service.flows.search import SearchPage
from service.flows.topics import TopicPage
from service.matching.corpus import Found


def basis_of(papers: int, days: int) -> str:
    """ "4,812 papers of 30 days"."""
    return f"{papers:,} paper{'' if papers == 1 else 's'} of {days:,} day{'' if days == 1 else 's'}"


def estimate_data(made: BackTest) -> dict[str, Any]:
    """The back-test as JSON values."""
    found = made.estimate
    return {
        "reading": made.reading,
        "basis": {
            "papers": found.basis_papers,
            "days": len(made.days),
            "known": made.basis_known,
            "unread": made.unread,
            "says": basis_of(found.basis_papers, len(made.days)),
        },
        "per_weekday": round(found.mean_per_weekday, 2),
        "total": found.total,
        "known": made.known,
        "per_day": {d.isoformat(): n for d, n in found.per_day.items()},
        "per_term": found.per_term,
        "dead_terms": found.dead_terms,
        "removed_by_not": found.removed_by_not,
        "warning": found.warning,
        "best": _papers(found.best, made.titles),
        "suggestions": [
            {"label": s.label, "query": s.text, "per_day": s.per_day} for s in found.suggestions
        ],
        "other_forms": [
            {
                "term": e.term,
                "other": e.other,
                "explained": e.explained,
                "share": round(e.share, 3),
                "brings": e.brings,
                "query": e.text,
            }
            for e in found.expansions
        ],
    }


def change_data(change: Change) -> dict[str, Any]:
    """What a change would do, as JSON values."""
    made = change.difference
    return {
        "days": len(change.days),
        "before": made.before,
        "after": made.after,
        "per_weekday_before": round(made.mean_before, 2),
        "per_weekday_after": round(made.mean_after, 2),
        "added": made.added,
        "removed": made.removed,
        "best_added": _papers(made.best_added, change.titles),
        "best_removed": _papers(made.best_removed, change.titles),
    }


def _papers(found: Sequence[Found], titles: dict[int, str]) -> list[dict[str, Any]]:
    return [
        {"paper": f.paper_id, "title": titles.get(f.paper_id, ""), "score": f.score} for f in found
    ]


def name_data(name: Name) -> dict[str, Any]:
    """One name of --people as JSON values."""
    return {
        "line": name.line,
        "papers": name.papers,
        "categories": dict(name.categories),
        "several": name.several,
        "narrower": [{"line": n.line, "papers": n.papers} for n in name.narrower],
    }


def words_data(made: Liked) -> dict[str, Any]:
    """Proposed words as JSON values."""
    return {
        "title": made.title,
        "stored": made.is_stored,
        "basis": {
            "papers": made.basis,
            "days": made.days,
            "says": basis_of(made.basis, made.days),
        },
        "words": [
            {
                "term": w.term,
                "papers": w.papers,
                "per_weekday": round(w.per_day, 2),
                "central": w.is_central,
            }
            for w in made.words
        ],
    }


def search_data(page: SearchPage, related: Sequence[Shown]) -> dict[str, Any]:
    """What a search found, and what is like it without the words, as JSON values."""
    return {
        "reading": page.reading,
        "basis": page.basis,
        "unread": page.unread,
        "total": page.total,
        "papers": [paper_data(one) for one in page.papers],
        "without": [
            {"part": part, "query": query, "papers": papers} for part, query, papers in page.without
        ],
        "any_of": {"query": page.any_of[0], "papers": page.any_of[1]} if page.any_of else None,
        "related": [paper_data(one) for one in related],
    }


def topic_data(page: TopicPage) -> dict[str, Any]:
    """What a topic has, as JSON values."""
    return {
        "reading": page.topic.query.shown if page.topic.query is not None else "",
        "basis": page.basis,
        "unread": page.unread,
        "total": page.total,
        "fresh": page.fresh,
        "papers": [paper_data(one) for one in page.papers],
        "chosen": [paper_data(one) for one in page.seeds],
        "related": [paper_data(one) for one in page.alike],
    }


def day_data(page: DayPage) -> dict[str, Any]:
    """A day's list as JSON values."""
    return {
        "on": page.on.isoformat(),
        "total": page.total,
        "whole": page.whole,
        "previous": page.previous.isoformat() if page.previous else None,
        "next": page.next.isoformat() if page.next else None,
        "sources": [
            {"source": number, "title": title, "papers": papers}
            for number, title, papers in page.sources
        ],
        "categories": [{"category": name, "papers": papers} for name, papers in page.categories],
        "note": page.note,
        "picks": [paper_data(one) for one in page.picks],
        "papers": [paper_data(one) for one in page.papers],
    }


def paper_data(one: Shown) -> dict[str, Any]:
    """A paper for scripts."""
    key = one.paper.key
    return {
        "scheme": key.scheme,
        "value": key.value,
        "title": one.paper.title,
        "authors": list(one.paper.authors),
        "link": one.paper.links.get("abs", ""),
        "withdrawn": one.paper.withdrawn,
        "submitted_by": one.submitted_by,
        "votes_here": one.here,
    }
