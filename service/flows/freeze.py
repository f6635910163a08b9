"""What was decided is frozen on the row, once: no paper rides in two mails of one reader.

Deciding reads without locks, and two processes may decide for the same reader at the same moment
(an alert and a daily, a person's send). Whoever writes holds the reader first, and looks again
what is taken; who comes second decides anew.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from service.delivery.states import State
from service.digest.candidate import NothingNew
from service.digest.model import Digest, to_json
from service.flows.worked import Decision
from service.store import contents as contents_store
from service.store import leases as leases_store
from service.store import many_readers
from service.store import sent as sent_store
from service.store import signals as signals_store
from service.store.db import Session
from service.store.split import Shared, shared_of
from service.store.tables import SubscriberRow

FRAME = ("locale", "format", "hour", "zone", "weekdays")
"""Columns of a reader that are words or shape of the mail."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What one planned row is to become. before: what it was when a person's send opened it again
    (``leases.reopen``), kept with what it becomes · broken: papers that cannot be composed ·
    profiles: of a digest that several readers get (one object), the numbers of this reader's
    interests, section by section; () = the sections say it themselves · known: the decision that it
    is for many, which keeps the name of its content."""

    delivery_id: int
    reader_id: int | None
    result: Digest | NothingNew
    before: Mapping[str, Any] | None = None
    broken: Mapping[int, str] = field(default_factory=dict)
    profiles: tuple[int | None, ...] = ()
    known: Decision | None = None


def content_of(digest: Digest, reader: SubscriberRow | None = None) -> dict[str, Any]:
    """What a mail holds: the digest, every paper that counts as sent, and those sent before
    of which it tells later news.

    reader: whose mail it is; the frame around the papers is kept with it.
    """
    content: dict[str, Any] = {"digest": to_json(digest), "papers": list(digest.paper_ids())}
    if told := [signal.paper_id for signal in digest.signals()]:
        content["signals"] = told
    return framed(content, reader) if reader is not None else content


def framed(content: Mapping[str, Any], reader: SubscriberRow) -> dict[str, Any]:
    """Content with what the mail says of its reader, so that a second attempt has the same bytes
    whatever the reader changes meanwhile."""
    return {**content, "frame": {name: getattr(reader, name) for name in FRAME}}


def freeze(
    session: Session, made: Sequence[Decided], now: datetime, *, wait: bool
) -> tuple[list[Digest | NothingNew], int]:
    """Write down what was decided for planned rows.

    wait: for readers whom somebody else holds; without it they are decided again like those of
    whom a paper was taken. Returns (what was written, how many rows are to be decided again).
    """
    mails = {
        d.reader_id: d.result
        for d in made
        if isinstance(d.result, Digest) and d.reader_id is not None
    }
    ours = sent_store.hold_readers(session, list(mails), wait=wait)
    free = may_freeze(session, {i: mails[i] for i in ours}, now)
    frames = many_readers.list_columns(session, sorted(free), FRAME)
    settled = [
        d
        for d in made
        if not isinstance(d.result, Digest) or (d.reader_id in free and d.reader_id in frames)
    ]
    bodies = _Bodies(settled)
    ids = contents_store.ids_of(session, bodies.names(), bodies.body)
    composed = []
    for decided in settled:
        before = {"before": decided.before} if decided.before else {}
        if isinstance(result := decided.result, Digest):
            assert decided.reader_id is not None
            own: dict[str, Any] = {"frame": frames[decided.reader_id], **before}
            numbers = decided.profiles or [section.profile_id for section in result.sections]
            if any(numbers):
                own["profiles"] = list(numbers)
            held = {"content_id": ids[bodies.name(result)], "own": own}
            composed.append(leases_store.Composed(decided.delivery_id, State.READY, held))
        else:
            held = {"content_id": None, "own": {**_nothing(result), **before}}
            composed.append(
                leases_store.Composed(decided.delivery_id, State.SKIPPED, held, result.reason)
            )
    moved = leases_store.set_composed(session, composed)
    left = [one.held["content_id"] for one in composed if one.delivery_id not in moved]
    contents_store.delete_unused(session, left)
    return [d.result for d in settled if d.delivery_id in moved], len(made) - len(settled)


class _Bodies:
    """The contents of a chunk's digests, each made once, and only where its name is not known."""

    def __init__(self, made: Iterable[Decided]) -> None:
        self._names: dict[int, str] = {}
        self._digests: dict[str, Digest] = {}
        self._made: dict[str, Shared] = {}
        for one in made:
            if isinstance(digest := one.result, Digest) and id(digest) not in self._names:
                known = one.known if one.known is not None and one.known.result is digest else None
                sha = known.sha if known is not None else ""
                if not sha:
                    body = shared_of(content_of(digest))
                    sha = body.sha()
                    self._made[sha] = body
                if known is not None:
                    known.sha = sha
                self._names[id(digest)] = sha
                self._digests[sha] = digest

    def names(self) -> set[str]:
        return set(self._digests)

    def name(self, digest: Digest) -> str:
        return self._names[id(digest)]

    def body(self, sha: str) -> Shared:
        """Of a name; the content may have been removed since it was written."""
        return self._made.get(sha) or shared_of(content_of(self._digests[sha]))


def _nothing(result: NothingNew) -> dict[str, Any]:
    """What is stored on a row that is skipped."""
    content: dict[str, Any] = {"checked": result.checked, "papers": []}
    content |= {k: n for k in ("had", "later") if (n := getattr(result, k))}
    if result.asks != "words":
        content["asks"] = result.asks
    if result.until is not None:
        content["until"] = result.until.isoformat()
    return content


def may_freeze(session: Session, mails: Mapping[int, Digest], now: datetime) -> set[int]:
    """Of readers who are held, those whose digest may be frozen: none of its papers was had or is
    under way, and none of its late signals told. Alerts that rest until their hour give up theirs
    to a daily."""
    papers, told_of = _papers_of(mails.values())
    wanted = {reader_id: papers[id(digest)] for reader_id, digest in mails.items()}
    for reader_id, alerts in sent_store.list_resting(session, list(mails), now).items():
        if mails[reader_id].kind == "alert":
            continue
        for alert, theirs in alerts.items():
            if theirs & wanted[reader_id]:
                sent_store.skip_resting(session, alert, now)
    taken = sent_store.list_taken(session, wanted)
    late = {reader_id: told_of[id(digest)] for reader_id, digest in mails.items()}
    told = signals_store.list_taken_signals(session, late)
    return {i for i in mails if not taken.get(i) and not told.get(i)}


def _papers_of(digests: Iterable[Digest]) -> tuple[dict[int, set[int]], dict[int, set[int]]]:
    """The papers of digests, and those of which they tell later news, by the identity of each."""
    each = {id(digest): digest for digest in digests}
    return (
        {i: set(digest.paper_ids()) for i, digest in each.items()},
        {i: {signal.paper_id for signal in digest.signals()} for i, digest in each.items()},
    )
