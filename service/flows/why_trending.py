"""Why a reader who takes the day's most-voted papers gets none of them, in words for the staff."""

from datetime import date

from service.flows.runtime import Runtime
from service.sources.registry import ADAPTERS
from service.store import papers as papers_store
from service.store import sent as sent_store
from service.store import sightings as sightings_store
from service.store import sources as sources_store
from service.store import subscribers as subscribers_store
from service.store.db import Session
from service.store.tables import SubscriberRow
from service.subscribers.model import ProfileKind


def why_no_trending(rt: Runtime, session: Session, reader: SubscriberRow, on: date) -> str:
    """A sentence, "" for a reader who does not take them, or where they are not what is missing."""
    assert reader.id is not None
    profiles = subscribers_store.list_profiles(session, [reader.id]).get(reader.id, [])
    if not reader.trending and not any(p.kind is ProfileKind.TRENDING for p in profiles):
        return ""
    kinds = [kind for kind, made in ADAPTERS.items() if made.has_votes]
    days = sightings_store.list_days(
        session, before=on, kinds=kinds, limit=rt.defaults().trending_days
    )
    if not days:
        known = any(sources_store.list_sources(session, kind) for kind in kinds)
        titles = " or ".join(ADAPTERS[kind].title for kind in kinds)
        more = "none of its lists is in yet" if known else f"add {titles}"
        return f"There are no most-voted papers: votes come with {titles} alone; {more}."
    listed = {i for i, _ in sightings_store.list_listed(session, days, kinds=kinds)}
    rows = papers_store.get_rows(session, sorted(listed))
    voted = {i for i, (row, _) in rows.items() if (row.votes or 0) >= 1}
    texts = rt.catalogs.texts("en")
    since = texts.day(min(days))
    if not voted:
        are = "the 1 paper" if len(listed) == 1 else f"the {len(listed):,} papers"
        return f"There are no most-voted papers: {are} listed since {since} had no vote yet."
    had = sent_store.list_sent(session, [reader.id]).get(reader.id, set())
    if voted <= had:
        all_ = "The one" if len(voted) == 1 else f"All {len(voted):,}"
        return f"{all_} with votes of those listed since {since} had been mailed to this reader."
    return ""
