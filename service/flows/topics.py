"""Topics: an operator's saved searches with a page, kept by the staff and read by everybody.

The list of a topic is what holds its words, newest first; beside it stands what is like its seed
papers (or like its newest papers) without them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from service.defaults import FIXED
from service.errors import PaperpostError, Sentence
from service.flows.browse import NotHereError, Shown, show_alike, show_papers
from service.flows.estimate import days_of
from service.flows.match import learn
from service.flows.related import LEAST_ALIKE, LEAST_PAPERS, find_paper
from service.flows.runtime import Runtime
from service.flows.staff import write_audit
from service.flows.words import words_of
from service.matching.parse import parse_keywords, parse_query, read_again
from service.matching.query import Query, QueryError
from service.matching.suggestions import text_of
from service.store import papers as papers_store
from service.store import staff as staff_store
from service.store import topics as topics_store
from service.store.db import Priority, Session
from service.store.house_tables import AuditRow, TopicRow
from service.text.clean import collapse

PAGE_SIZE = 50
FRESH_DAYS = 30
_MOST_ALIKE = 10
_MIDDLE_OF = 10
_LONGEST = {"title": 120, "about": 1000, "text": 4000}
_LONGEST_NAME = 64
_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
KINDS = ("keywords", "query")
_REMOVED = "remove topic"
_MOST_REMOVED = 20


class TopicGoneError(NotHereError):
    """A topic that was taken away."""


class TopicError(PaperpostError):
    """A topic that cannot be kept like this; ``where`` is the field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """name: in its address · kind: keywords or query, how ``text`` is read · likes: names of seed
    papers, "arxiv/2611.00001"."""

    name: str
    title: str
    about: str
    kind: str
    text: str
    likes: tuple[str, ...] = ()

    @property
    def query(self) -> Query | None:
        """What it asks for; None where the text is read no more."""
        return _read(self.kind, self.text)

    @property
    def words(self) -> str:
        """The words to be typed as an interest; "" where there are none any more."""
        return text_of(self.query) if self.query is not None else ""

    def facts(self) -> dict[str, Any]:
        """What is stored, as JSON values."""
        return {
            "name": self.name,
            "title": self.title,
            "about": self.about,
            "kind": self.kind,
            "text": self.text,
            "likes": list(self.likes),
        }


@dataclass(frozen=True, slots=True)
class Removed:
    """A topic that was taken away and can be brought back. at, by: when, and who did it."""

    topic: Topic
    at: datetime
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicPage:
    """total: papers with the words; fresh: of the last ``FRESH_DAYS`` days · seeds: the topic's
    seed papers that are stored · alike: papers like these, or like the newest, without the words ·
    basis: papers looked at · unread: those that are still being read."""

    topic: Topic
    total: int
    fresh: int
    papers: tuple[Shown, ...]
    seeds: tuple[Shown, ...]
    alike: tuple[Shown, ...]
    basis: int
    unread: int


def list_topics(rt: Runtime) -> list[Topic]:
    """Every topic, by title."""
    return [_topic(row) for row in rt.db.read(topics_store.list_topics)]


def get_topic(rt: Runtime, name: str) -> Topic:
    """One topic. Raises NotHereError; TopicGoneError: there was one, for as long as acts are
    kept."""
    row = rt.db.read(lambda s: topics_store.get_topic(s, name))
    if row is not None:
        return _topic(row)
    onward = Sentence("Choose one of the list.")
    if rt.db.read(lambda s: staff_store.was_done(s, _REMOVED, name)):
        raise TopicGoneError(Sentence("This topic was taken away."), "", onward)
    raise NotHereError(Sentence("There is no topic of this name."), "", onward)


def list_removed(rt: Runtime) -> list[Removed]:
    """Topics that were taken away and are not there again, the newest removals first."""

    def find(session: Session) -> list[Removed]:
        there = {row.name for row in topics_store.list_topics(session)}
        acts = staff_store.last_changes(session, _REMOVED)
        gone = [row for name, row in acts.items() if name not in there and row.before]
        gone.sort(key=lambda row: row.id or 0, reverse=True)
        return [Removed(_recorded(row), row.at, row.who) for row in gone[:_MOST_REMOVED]]

    return rt.db.read(find)


def _recorded(row: AuditRow) -> Topic:
    """A topic as the record of its removal tells it."""
    facts = {"likes": [], **(row.before or {})}
    return Topic(**{**facts, "likes": tuple(facts["likes"])})


@lru_cache(maxsize=2 * FIXED.most_topics)
def _read(kind: str, text: str) -> Query | None:
    try:
        return read_again(kind, text)
    except QueryError:
        return None


def _topic(row: TopicRow) -> Topic:
    return Topic(
        name=row.name,
        title=row.title,
        about=row.about,
        kind=row.kind,
        text=row.text,
        likes=tuple(row.likes),
    )


def read_topic(rt: Runtime, topic: Topic, *, offset: int = 0, limit: int = PAGE_SIZE) -> TopicPage:
    """The papers of a topic, newest first; what is like them stands with the first of them."""
    learn(rt)
    corpus, query = rt.corpus.corpus, topic.query
    with corpus.reading():
        basis = int(corpus.present().sum())
        if query is None:
            return TopicPage(
                topic=topic, total=0, fresh=0, papers=(), seeds=(), alike=(), basis=basis, unread=0
            )
        wanted = corpus.wanted_often(query.root)
        found = corpus.latest(query, wanted, limit, offset)
        fresh = int((wanted & corpus.on_days(days_of(rt, FRESH_DAYS))).sum())
        seeds = _seeds(rt, topic)
        alike: list[int] = []
        if not offset:
            middle = seeds or [one.paper_id for one in found[:_MIDDLE_OF]]
            like = _like(rt, middle)
            holding = corpus.among(wanted, like)
            alike = [i for i in like if i not in holding]
    return TopicPage(
        topic=topic,
        total=int(wanted.sum()),
        fresh=fresh,
        papers=tuple(show_papers(rt, found)),
        seeds=tuple(show_alike(rt, seeds, len(seeds))) if seeds else (),
        alike=tuple(show_alike(rt, alike[: 2 * _MOST_ALIKE], _MOST_ALIKE)) if alike else (),
        basis=basis,
        unread=rt.corpus.unread(),
    )


def _seeds(rt: Runtime, topic: Topic) -> list[int]:
    pairs = [tuple(name.split("/", 1)) for name in topic.likes if "/" in name]

    def find(session: Session) -> list[int]:
        found = papers_store.find_named(session, [(one[0], one[1]) for one in pairs])
        return [found[pair] for pair in pairs if pair in found]

    return list(dict.fromkeys(rt.db.read(find))) if pairs else []


def _like(rt: Runtime, middle: list[int]) -> list[int]:
    """Papers like the middle of some, most alike first; none where nothing is alike enough."""
    vectors = words_of(rt).vectors
    if not middle or len(vectors) < LEAST_PAPERS:
        return []
    alike = vectors.like_papers(middle, 10 * _MOST_ALIKE)
    return [one.paper_id for one in alike if one.similarity >= LEAST_ALIKE]


# ---- what the staff do ----


def add_topic(rt: Runtime, values: Mapping[str, Any], *, by: str, address: str = "") -> Topic:
    """Make a topic. values: name, title, about, kind, text, likes (a list). Raises TopicError,
    QueryError with the position."""
    made = _checked(rt, values)
    now = rt.clock()

    def act(session: Session) -> None:
        _store(session, made, now)
        _record(session, rt, by, "add topic", made.name, None, made.facts(), address)

    rt.db.write(act, Priority.WEB)
    return made


def _need_free(session: Session, name: str) -> None:
    if topics_store.get_topic(session, name) is not None:
        what = f"There is a topic called {name} already."
        raise TopicError(what, "name", "Take another name, or change that one.")


def _store(session: Session, made: Topic, now: datetime) -> None:
    _need_free(session, made.name)
    if len(topics_store.list_topics(session)) >= FIXED.most_topics:
        what = f"There are {FIXED.most_topics} topics already."
        raise TopicError(what, "name", "Remove one first.")
    session.add(TopicRow(**made.facts(), created_at=now, changed_at=now))


def change_topic(
    rt: Runtime, name: str, values: Mapping[str, Any], *, by: str, address: str = ""
) -> Topic:
    """Change some values of a topic; its name stays, as its address does. Raises NotHereError,
    TopicError, QueryError."""
    before = get_topic(rt, name)
    made = _checked(rt, before.facts() | dict(values) | {"name": name}, known=before.likes)

    def act(session: Session) -> None:
        row = topics_store.get_topic(session, name)
        if row is None:
            raise TopicError(f"The topic {name} was removed meanwhile.", "name", "Add it anew.")
        for field, value in made.facts().items():
            setattr(row, field, value)
        row.changed_at = rt.clock()
        session.add(row)
        _record(session, rt, by, "change topic", name, before.facts(), made.facts(), address)

    rt.db.write(act, Priority.WEB)
    return made


def remove_topic(rt: Runtime, name: str, *, by: str, address: str = "") -> Topic:
    """Take a topic away; readers who subscribed to its words keep them. Raises NotHereError."""
    before = get_topic(rt, name)

    def act(session: Session) -> None:
        row = topics_store.get_topic(session, name)
        if row is not None:
            session.delete(row)
            _record(session, rt, by, _REMOVED, name, before.facts(), None, address)

    rt.db.write(act, Priority.WEB)
    return before


def restore_topic(rt: Runtime, name: str, *, by: str, address: str = "") -> Topic:
    """Bring back a topic that was taken away, as it was, for as long as acts are kept. Raises
    NotHereError: none of this name was; TopicError: there is one of this name, or no room."""

    def act(session: Session) -> Topic:
        _need_free(session, name)
        gone = staff_store.list_changes(session, _REMOVED, name, 1)
        if not gone or not gone[0].before:
            onward = Sentence("Choose one of the list.")
            raise NotHereError(Sentence("There is no topic of this name."), "", onward)
        made = _recorded(gone[0])
        _store(session, made, rt.clock())
        _record(session, rt, by, "restore topic", name, None, made.facts(), address)
        return made

    return rt.db.write(act, Priority.WEB)


def fitting(field: str, value: str) -> str:
    """The title, the sentence about a topic or its words, as they are kept. Raises TopicError:
    too long."""
    kept = value.strip() if field == "text" else collapse(value)
    if len(kept) > _LONGEST[field]:
        called = {"about": "sentence about it", "text": "list of words"}.get(field, field)
        what = f"The {called} has {len(kept):,} characters; {_LONGEST[field]:,} fit."
        raise TopicError(what, field, "Shorten it; nothing was saved.")
    return kept


def _record(
    session: Session,
    rt: Runtime,
    by: str,
    what: str,
    name: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    address: str,
) -> None:
    write_audit(
        session,
        rt.clock(),
        who=by,
        what=what,
        target=name,
        before=before,
        after=after,
        address=address,
    )


def _checked(rt: Runtime, values: Mapping[str, Any], known: tuple[str, ...] = ()) -> Topic:
    name = str(values.get("name", "")).strip()
    if len(name) > _LONGEST_NAME:
        what = f"The name has {len(name):,} characters; {_LONGEST_NAME} fit."
        raise TopicError(what, "name", "Shorten it: it stands in an address.")
    if not _NAME.fullmatch(name):
        what = f"{name!r} cannot be a topic's name: it stands in an address."
        raise TopicError(what, "name", "Use small letters, digits, hyphens: speech-to-text.")
    kind, text = str(values.get("kind", "keywords")), fitting("text", str(values.get("text", "")))
    if kind not in KINDS:
        raise TopicError(f"{kind!r} is no kind.", "kind", "Use keywords or query.")
    if not text:
        raise TopicError("A topic needs words.", "text", "Type keywords or a query.")
    (parse_query if kind == "query" else parse_keywords)(text)
    title = fitting("title", str(values.get("title", ""))) or name.replace("-", " ").capitalize()
    about = fitting("about", str(values.get("about", "")))
    likes = tuple(_seed(rt, str(one), known) for one in values.get("likes", ()) if str(one).strip())
    if len(likes) > FIXED.topic_likes:
        what = f"{len(likes)} papers are more than {FIXED.topic_likes}."
        raise TopicError(what, "likes", "Name those that say most.")
    return Topic(
        name=name,
        title=title,
        about=about,
        kind=kind,
        text=text,
        likes=tuple(dict.fromkeys(likes)),
    )


def _seed(rt: Runtime, text: str, known: tuple[str, ...]) -> str:
    """A stored paper by a name or link, as it is kept; one that the topic has already stays."""
    text = text.strip()
    if text in known:
        return text
    scheme, _, value = text.partition("/")
    try:
        paper_id = find_paper(rt, text)
    except NotHereError:
        row = rt.db.read(lambda s: papers_store.find_named(s, [(scheme, value)]))
        if (scheme, value) not in row:
            what = f"The paper {text!r} is not in our lists."
            step = "Give the arXiv id, DOI or link of a stored paper."
            raise TopicError(what, "likes", step) from None
        return text
    key = rt.db.read(lambda s: papers_store.list_keys(s, [paper_id]))[paper_id]
    return "/".join(key)
