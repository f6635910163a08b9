"""A feed of a reader's own: what their interests matched, as in their mails, at a secret address.

It holds the papers of the stored mails, also of those that could not be handed over, and those that
the next mail would hold: in a pause, before a mail day, while a mail waits for more. It is closed
until its reader opens it. A closed one opens at another address; the old one never works again.

The secret is ``subscriber.feed_token``. Its first six characters are also the stamp of manage links
(``manage_link.stamp_of``) and stay as long as the reader; what follows them is made anew.
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from service.delivery.i18n import Texts
from service.delivery.phrases import reasons, section_name
from service.digest.model import Digest, Entry, from_json
from service.errors import Sentence, SpokenError
from service.flows.compose import digest_for
from service.flows.latest import Item
from service.flows.manage import fresh_reader, reader_of
from service.flows.runtime import Runtime
from service.flows.shelf import load_shelf
from service.papers.model import Paper
from service.store import listing
from service.store import papers as papers_store
from service.store import subscribers as subscribers_store
from service.store.db import Priority, Session
from service.store.tables import SubscriberRow
from service.store.twins import current_ids
from service.subscribers.cadence import local_date

MOST_ENTRIES = 100
STAMPED = 6
"""First characters of the secret, which manage links are tied to."""
_MAILS = 60
"""Mails that are looked through for so many papers."""

FeedAct = Literal["open", "renew", "close"]


class OwnFeedError(SpokenError):
    """No feed is at this address (any more). is_over: it was, and its reader left."""

    def __init__(self, *, is_over: bool = False) -> None:
        if is_over:
            what = Sentence("This feed has ended: its reader has left.")
        else:
            what = Sentence("No feed is at this address.")
        super().__init__(what, "", Sentence("Your own page tells the address of yours."))
        self.is_over = is_over


@dataclass(frozen=True, slots=True)
class OwnFeed:
    """items: those that came last first, of one day as in the mail. Title, abstract and categories
    of their papers say what the mail said: the abstract begins with why it is there, the categories
    are interests."""

    reader: SubscriberRow
    items: tuple[Item, ...]


def change_feed(rt: Runtime, token: str, act: FeedAct) -> None:
    """Open, close or move the feed of a manage link's reader. Whoever has its address reads on when
    the link has ended, so all but closing needs a fresh one. Raises TokenError, ManageError."""

    def edit(session: Session) -> None:
        is_closed = act == "close"
        row = reader_of(rt, session, token)[0] if is_closed else fresh_reader(rt, session, token)
        change_row(session, row, act, rt.clock())

    rt.db.write(edit, Priority.WEB)


def change_row(session: Session, row: SubscriberRow, act: FeedAct, now: datetime) -> None:
    """The same inside a transaction. To open an open one changes nothing (a second press, a second
    tab); a new address of a closed one opens it."""
    if act == "open" and row.feed_since is not None:
        return
    row.feed_token = row.feed_token[:STAMPED] + secrets.token_urlsafe(18)
    row.feed_since = None if act == "close" else row.feed_since or now
    session.add(row)


def read_own_feed(rt: Runtime, feed_token: str) -> OwnFeed:
    """What stands in the feed at this address; nothing changes. Raises OwnFeedError."""
    return rt.db.read(lambda s: _read(rt, s, feed_token))


def _read(rt: Runtime, session: Session, feed_token: str) -> OwnFeed:
    row = subscribers_store.get_subscriber_row(session, feed_token=feed_token)
    if row is None or row.feed_since is None or row.state in ("pending", "erased"):
        raise OwnFeedError
    if row.state == "left":
        raise OwnFeedError(is_over=True)
    texts, found = rt.catalogs.texts(row.locale), dict[int, _Told]()
    for digest in _digests(rt, session, row):
        for told in _told_in(digest, texts):
            found.setdefault(told.paper_id, told)
        if len(found) >= MOST_ENTRIES:
            break
    items = _items(session, list(found.values())[:MOST_ENTRIES])
    return OwnFeed(row, tuple(sorted(items, key=lambda one: one.on, reverse=True)))


def _digests(rt: Runtime, session: Session, row: SubscriberRow) -> Iterator[Digest]:
    """What the next mail would hold now, then the stored mails, newest first."""
    assert row.id is not None
    now = rt.clock()
    if row.state == "active":
        on = local_date(now, row.zone)
        shelf = load_shelf(rt, session, rt.defaults(), [row.id], on)
        # a feed waits for nothing: not for the end of a pause, not for more papers
        eager = replace(
            subscribers_store.to_subscriber(row), paused_until=None, at_least=1, tell_anyway=False
        )
        next_one = digest_for(rt, session, shelf, eager, on, "daily")
        if isinstance(next_one, Digest):
            yield next_one
    _, mails = listing.list_mails(session, row.id, offset=0, limit=_MAILS)
    for mail in mails:
        content = mail.row.content or {}
        if content.get("digest") and mail.row.state != "cancelled":
            yield from_json(content["digest"])


@dataclass(frozen=True, slots=True)
class _Told:
    """A paper as one mail told it. entry: None where the mail only lists or counts it."""

    paper_id: int
    interest: str
    why: str
    entry: Entry | None = None


def _told_in(digest: Digest, texts: Texts) -> Iterator[_Told]:
    for section in digest.sections:
        name = section_name(section, texts)
        for entry in section.entries:
            yield _Told(entry.paper_id, name, _why(entry, texts), entry)
        for paper_id in (*(line.paper_id for line in section.lines), *section.rest):
            yield _Told(paper_id, name, "")


def _why(entry: Entry, texts: Texts) -> str:
    said = reasons(entry, texts)
    return f"{texts.gettext('Why:')} {said}" if said else ""


def _items(session: Session, told: list[_Told]) -> Iterator[Item]:
    """With what is known of each paper today: its names and links, and that it was withdrawn."""
    now = current_ids(session, [one.paper_id for one in told])
    rows = papers_store.get_rows(session, list(now.values()))
    for one in told:
        if now[one.paper_id] not in rows:
            continue
        row, names = rows[now[one.paper_id]]
        came = row.eligible_at or row.first_seen_at
        paper = _as_told(papers_store.to_paper(row, names), one)
        yield Item(paper, came.astimezone(UTC).date(), came)


def _as_told(paper: Paper, one: _Told) -> Paper:
    """Plain words alone: hits are not marked in a feed."""
    shown = paper.abstract if one.entry is None else one.entry.abstract.text
    if one.entry is not None and not shown:
        shown = one.entry.summary_line
    abstract = "\n\n".join(filter(None, (one.why, shown)))
    return replace(paper, abstract=abstract, categories=(one.interest,) if one.interest else ())
