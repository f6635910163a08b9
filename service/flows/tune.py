"""What a reader changes from the page about one paper of one mail: words, people, and back again.

The mail's token is enough for it as long as the link to the settings in the same mail works
(``manage_days``); later only the mark "more" or "less" is taken. Every act reads who holds the
token inside its transaction, and gives what undoes it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal, get_args

from service.digest.model import Field, Reason
from service.errors import Sentence
from service.flows.interests import (
    InterestChange,
    InterestError,
    Wanted,
    add_one_more,
    apply_change,
    change_of,
    pause_interest,
    read_kind,
    remove_interest,
)
from service.flows.live import document_of, query_of
from service.flows.runtime import Runtime
from service.flows.view import Mail
from service.matching.document import Document
from service.matching.evaluate import Hit, evaluate
from service.matching.followed import same
from service.matching.parse import read_again
from service.matching.query import MOST_BYTES, Query, QueryError
from service.matching.revised import asked_for, found_terms, less, name_of, without
from service.matching.show import line_of, split_lines
from service.store import deliveries as deliveries_store
from service.store import papers as papers_store
from service.store import subscribers as subscribers_store
from service.store.db import Priority, Session
from service.store.tables import DeliveryRow, ProfileRow, SubscriberRow
from service.store.twins import current_ids
from service.subscribers.cadence import local_date
from service.subscribers.model import ProfileKind

Fixed = Literal["", "left", "old", "forgotten"]
_FIELDS = frozenset(get_args(Field))


class TuneError(InterestError):
    """An act that is not possible (any more); ``where`` is the form."""


@dataclass(frozen=True, slots=True)
class TermChoice:
    """A term that brought the paper. interest: its name · is_only: it asks for nothing else."""

    profile_id: int
    interest: str
    text: str
    is_only: bool


@dataclass(frozen=True, slots=True)
class AuthorChoice:
    """An author. profile_id: of the interest that follows them, None where none does · line: of it,
    by which they are followed."""

    name: str
    profile_id: int | None = None
    line: str = ""


@dataclass(frozen=True, slots=True)
class Tunable:
    """What the page offers. fixed: why words cannot be changed here, "" = they can · reasons: why
    the paper would come now · interests: (id, name) of those that may leave out a word."""

    fixed: Fixed
    reasons: tuple[Reason, ...] = ()
    terms: tuple[TermChoice, ...] = ()
    interests: tuple[tuple[int, str], ...] = ()
    authors: tuple[AuthorChoice, ...] = ()


@dataclass(frozen=True, slots=True)
class Undo:
    """What takes an act back. was: words changed, an interest made, or paused · before, after: its
    text; another text now means that something else was changed since."""

    profile_id: int
    was: Literal["words", "made", "paused"]
    before: str
    after: str


def read_tunable(rt: Runtime, mail: Mail, paper_id: int) -> Tunable:
    """What can be changed about this paper's coming."""

    def read(session: Session) -> Tunable:
        fixed = _fixed(rt, mail.row, mail.reader)
        if fixed or mail.reader is None:
            return Tunable(fixed)
        now = current_ids(session, [paper_id])[paper_id]
        found = papers_store.get_rows(session, [now]).get(now)
        if found is None:
            return Tunable(fixed)
        rows = subscribers_store.list_profile_rows(session, mail.reader.id or 0)
        document, reads = document_of(found[0]), [(row, _query(row)) for row in rows]
        return Tunable(
            fixed,
            reasons=_reasons(reads, document),
            terms=tuple(_terms(reads, document)),
            interests=tuple(
                (row.id or 0, row.name)
                for row, query in reads
                if query is not None and query.kind != "follow" and _wants(row, document)
            ),
            authors=tuple(_authors(reads, found[0].authors)),
        )

    return rt.db.read(read)


def _fixed(rt: Runtime, row: DeliveryRow, reader: SubscriberRow | None) -> Fixed:
    if reader is None:
        return "forgotten"
    if reader.state not in ("active", "bounced"):
        return "left"
    is_old = rt.clock() - row.planned_at > timedelta(days=rt.defaults().manage_days)
    return "old" if is_old else ""


def _query(row: ProfileRow) -> Query | None:
    """The words of an interest as they can be changed; None of trending, resting, unreadable."""
    if row.paused or row.kind == ProfileKind.TRENDING.value:
        return None
    try:
        return read_again(row.kind, row.text)
    except QueryError:
        return None


def _wants(row: ProfileRow, document: Document) -> bool:
    query = query_of(row.kind, row.text, row.compiled, row.options)
    return query is not None and evaluate(query, document) is not None


def _reasons(
    reads: Sequence[tuple[ProfileRow, Query | None]], document: Document
) -> tuple[Reason, ...]:
    hits = [hit for _, query in reads if query for hit in evaluate(query, document) or ()]
    first: dict[str, Hit] = {}
    for hit in sorted(hits, key=lambda hit: hit.where != "title"):
        first.setdefault(hit.term.casefold(), hit)
    return tuple(Reason(hit.term, hit.where) for hit in first.values() if hit.where in _FIELDS)


def _terms(
    reads: Sequence[tuple[ProfileRow, Query | None]], document: Document
) -> list[TermChoice]:
    return [
        TermChoice(row.id or 0, row.name, name_of(query, node), not less(query, row.text, node))
        for row, query in reads
        if query is not None and query.kind != "follow"
        for node in found_terms(query, document)
    ]


def _authors(
    reads: Sequence[tuple[ProfileRow, Query | None]], names: Sequence[str]
) -> list[AuthorChoice]:
    followed = {
        same(node): (row.id, name_of(query, node))
        for row, query in reads
        if query is not None and query.kind == "follow"
        for node in split_lines(query)[0]
    }
    made = []
    for name in dict.fromkeys(names):
        try:
            (line,) = split_lines(read_again("follow", line_for(name)))[0]
        except (QueryError, ValueError):
            continue  # a name that nobody could ask for
        made.append(AuthorChoice(name, *followed.get(same(line), (None, ""))))
    return made


def line_for(name: str) -> str:
    """A printed name as a line of people, whatever signs are in it."""
    return f'au:"{" ".join(name.replace(chr(34), " ").split())}"'


# ---- the acts ----


def take_out(rt: Runtime, token: str, profile_id: int, term: str) -> Undo:
    """Ask for a term no more, or follow somebody no more. Raises TuneError, QueryError."""

    def act(session: Session, reader: SubscriberRow) -> Undo:
        row, query = _own(session, reader, profile_id)
        node = next((one for one in asked_for(query) if name_of(query, one) == term), None)
        if node is None:
            raise _changed()
        text = less(query, row.text, node)
        if not text:
            return _rest(rt, session, row)
        return _reword(rt, session, row, text)

    return _act(rt, token, act)


def leave_out(rt: Runtime, token: str, profile_id: int, word: str) -> Undo:
    """Have no more papers of an interest that contain a word. Raises TuneError, QueryError."""

    def act(session: Session, reader: SubscriberRow) -> Undo:
        row, query = _own(session, reader, profile_id)
        return _reword(rt, session, row, without(query, row.text, word))

    return _act(rt, token, act)


def follow_author(rt: Runtime, token: str, name: str) -> Undo:
    """Have every paper by an author: a line more in the interest that follows people, or one of
    its own. Raises TuneError, QueryError."""
    (node,) = split_lines(read_again("follow", line_for(name)))[0]
    line = line_of(node)

    def act(session: Session, reader: SubscriberRow) -> Undo:
        for row in subscribers_store.list_profile_rows(session, reader.id or 0):
            query = _query(row) if row.kind == ProfileKind.FOLLOW.value else None
            if query is None:
                continue
            if same(node) in map(same, asked_for(query)):
                raise TuneError(Sentence("You follow %(name)s already.", name=name), "follow")
            text = f"{row.text.rstrip()}\n{line}"
            if len(text.encode()) <= MOST_BYTES:
                return _reword(rt, session, row, text)
        change = InterestChange(wanted=read_kind("follow", line))
        since = local_date(rt.clock(), reader.zone) - timedelta(days=1)
        most = rt.defaults().interests
        made = add_one_more(session, reader.id or 0, change, rt.clock(), since=since, most=most)
        session.flush()
        return Undo(made.id or 0, "made", "", made.text)

    return _act(rt, token, act)


def undo(rt: Runtime, token: str, done: Undo) -> None:
    """Take an act back. Raises TuneError: the interest was changed since."""

    def act(session: Session, reader: SubscriberRow) -> Undo:
        row = subscribers_store.get_profile_row(session, done.profile_id)
        is_own = row is not None and row.subscriber_id == reader.id
        if row is None or not is_own or row.text != done.after:
            raise _changed()
        if done.was == "paused":
            pause_interest(session, row, rt.clock(), paused=False)
        elif done.was == "made":
            remove_interest(session, row, has_trending=True)
        else:
            _reword(rt, session, row, done.before)
        return done

    _act(rt, token, act)


def _act(rt: Runtime, token: str, act: Callable[[Session, SubscriberRow], Undo]) -> Undo:
    """Do something for the reader whose mail has this token, if they still may."""

    def do(session: Session) -> Undo:
        row = deliveries_store.get_delivery(session, token=token)
        reader = None
        if row is not None and row.subscriber_id is not None:
            reader = subscribers_store.get_subscriber_row(session, id=row.subscriber_id)
        if row is None or reader is None or _fixed(rt, row, reader):
            raise TuneError(
                Sentence("Your words can no longer be changed from this mail."),
                "",
                Sentence("Have a link to your settings mailed."),
            )
        return act(session, reader)

    return rt.db.write(do, Priority.WEB)


def _own(session: Session, reader: SubscriberRow, profile_id: int) -> tuple[ProfileRow, Query]:
    row = subscribers_store.get_profile_row(session, profile_id)
    query = _query(row) if row is not None and row.subscriber_id == reader.id else None
    if row is None or query is None:
        raise _changed()
    return row, query


def _changed() -> TuneError:
    return TuneError(
        Sentence("This interest was changed since."), "words", Sentence("Open the page again.")
    )


def _rest(rt: Runtime, session: Session, row: ProfileRow) -> Undo:
    """An interest that has nothing left to ask for rests: its choices are kept."""
    pause_interest(session, row, rt.clock(), paused=True)
    return Undo(row.id or 0, "paused", row.text, row.text)


def _reword(rt: Runtime, session: Session, row: ProfileRow, text: str) -> Undo:
    """Give an interest another text; a name that was made of its words is made anew."""
    before = row.text
    wanted = Wanted(ProfileKind(row.kind), text, read_again(row.kind, text))
    change = change_of(row, wanted)
    if row.name == Wanted(wanted.kind, before, read_again(row.kind, before)).name:
        others = subscribers_store.list_profile_rows(session, row.subscriber_id)
        if wanted.name not in {other.name for other in others if other.id != row.id}:
            change = replace(change, name=wanted.name)
    apply_change(session, row, change, rt.clock())
    return Undo(row.id or 0, "words", before, text)
