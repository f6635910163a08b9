"""What other words of an interest would bring, and what they would add and remove."""

from dataclasses import dataclass

from service.delivery.i18n import Texts
from service.flows import browse
from service.flows.estimate import Change, compare, likings_of
from service.flows.interests import InterestChange, change_of
from service.matching.counting import Asked
from service.pages.entry import PaperEntry
from service.store.tables import ProfileRow
from service.web.door import Door
from service.web.reading import Reading, days_said, papers_said, reading_of


@dataclass(frozen=True, slots=True)
class Looked:
    """reading: of the new words · line: what changes, in one sentence ("" = nothing to compare) ·
    added, removed: the best papers of each, marked · words_at: where words are found in a text."""

    reading: Reading
    line: str = ""
    added: tuple[PaperEntry, ...] = ()
    removed: tuple[PaperEntry, ...] = ()
    words_at: str = ""


def look_at(door: Door, after: InterestChange, row: ProfileRow | None, texts: Texts) -> Looked:
    """What a form holds, beside the stored interest that it would change. Raises QueryError."""
    likings = likings_of(door.rt, row.subscriber_id) if row is not None else None
    reading = reading_of(
        door,
        after.wanted,
        texts,
        threshold=after.threshold,
        own=after.own,
        likings=likings if after.threshold else None,  # else they only order what is not shown here
    )
    if row is None or row.kind == "trending" or after.wanted.query is None:
        return Looked(reading)
    before = change_of(row)
    assert before.wanted.query is not None
    old = Asked(before.wanted.query, before.threshold, before.own, likings)
    new = Asked(after.wanted.query, after.threshold, after.own, likings)
    if old == new:
        return Looked(reading, texts.gettext("These are the words that are saved."))
    made = compare(door.rt, old, new)
    return Looked(
        reading,
        _line(made, texts),
        tuple(door.entries(browse.show_papers(door.rt, made.difference.best_added))),
        tuple(door.entries(browse.show_papers(door.rt, made.difference.best_removed))),
    )


def _line(made: Change, texts: Texts) -> str:
    told, days = made.difference, days_said(len(made.days), texts)
    if not told.added and not told.removed:
        return texts.gettext("Over %(days)s it would have been the same papers.", days=days)
    return texts.gettext(
        "Over %(days)s: %(added)s added, %(removed)s gone; %(after)s instead of %(before)s.",
        days=days,
        added=texts.number(told.added),
        removed=texts.number(told.removed),
        after=papers_said(told.after, texts),
        before=texts.number(told.before),
    )
