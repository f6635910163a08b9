"""Whether the day's most-voted papers are offered: only where a source has votes."""

from service.errors import Sentence
from service.flows.interests import Wanted
from service.matching.query import QueryError
from service.sources.registry import ADAPTERS
from service.store import sources as sources_store
from service.store.db import Session
from service.subscribers.model import ProfileKind


def has_votes(session: Session) -> bool:
    """True also where there is no source yet: what the first one will be is not known."""
    kinds = [row.kind for row in sources_store.list_sources(session)]
    return not kinds or any(kind in ADAPTERS and ADAPTERS[kind].has_votes for kind in kinds)


def check_offered(session: Session, wanted: Wanted) -> None:
    """Raises QueryError: most-voted papers are asked for, and nobody votes here."""
    if wanted.kind is ProfileKind.TRENDING and not has_votes(session):
        raise QueryError(
            Sentence("The sources here have no votes, so there are no most-voted papers."),
            next_step=Sentence("Type at least one word."),
        )
