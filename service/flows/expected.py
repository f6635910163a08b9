"""What a subscription would have brought by all its interests: days with a mail, papers a day."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from service.flows import browse
from service.flows.estimate import BackTest, estimate
from service.flows.live import query_of
from service.flows.runtime import Runtime
from service.matching.counting import Asked
from service.matching.query import Node, Or, Query, QueryError


@dataclass(frozen=True, slots=True)
class Expected:
    """mails: on so many of the last ``weekdays`` (0: no day was looked at) · test: of all words and
    people as one, None where there are none · most: papers of the day's most-voted, where these
    are asked for, else 0."""

    mails: int = 0
    weekdays: int = 0
    test: BackTest | None = None
    most: int = 0


def expect(rt: Runtime, interests: Sequence[tuple[str, str]]) -> Expected:
    """Back-test everything that is asked for as one. interests: (kind, text) of each; of several a
    paper counts once. The most-voted papers come every weekday, whatever the words bring."""
    queries = [q for kind, text in interests if (q := query_of(kind, text, None)) is not None]
    trending = any(kind == "trending" for kind, _ in interests)
    most = rt.defaults().trending_entries if trending else 0
    if not queries:
        return Expected(most=most)
    try:
        made = estimate(rt, Asked(_any_of(queries)))
    except QueryError:
        return Expected(most=most)
    mails, weekdays = browse.mail_days(rt, made)
    return Expected(mails, weekdays, made, most)


def _any_of(queries: Sequence[Query]) -> Query:
    first, *others = queries
    if not others:
        return first
    parts: list[Node] = []
    for query in queries:
        parts += query.root.parts if isinstance(query.root, Or) else [query.root]
    return replace(
        first,
        root=Or(tuple(parts)),
        shown=" OR ".join(f"({query.shown})" for query in queries),
        terms=tuple(dict.fromkeys(term for query in queries for term in query.terms)),
        kind="query",
    )
