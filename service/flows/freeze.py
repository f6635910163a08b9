"""What was decided is frozen on the row, once: no paper rides in two mails of one reader.

Deciding reads without locks, and two processes may decide for the same reader at the same moment
(an alert and a daily, a person's send). Whoever writes holds the reader first, and looks again
what is taken; who comes second decides anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from service.delivery.states import State
from service.digest.candidate import NothingNew
from service.digest.model import Digest, to_json
from service.store import contents as contents_store
from service.store import leases as leases_store
from service.store import sent as sent_store
from service.store import signals as signals_store
from service.store import subscribers as subscribers_store
from service.store.db import Session
from service.store.tables import SubscriberRow

FRAME = ("locale", "format", "hour", "zone", "weekdays")
"""Columns of a reader that are words or shape of the mail."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What one planned row is to become. before: what it was when a person's send opened it again
    (``leases.reopen``), kept with what it becomes · broken: papers that cannot be composed ·
    profiles: of a digest that several readers get (one object), the numbers of this reader's
    interests, section by section; () = the sections say it themselves."""

    delivery_id: int
    reader_id: int | None
    result: Digest | NothingNew
    before: Mapping[str, Any] | None = None
    broken: Mapping[int, str] = field(default_factory=dict)
    profiles: tuple[int | None, ...] = ()


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
    readers = {
        row.id: row for row in subscribers_store.list_subscriber_rows(session, ids=sorted(free))
    }
    settled = [d for d in made if not isinstance(d.result, Digest) or d.reader_id in free]
    digests: dict[int, dict[str, Any]] = {}
    contents = []
    for decided in settled:
        if isinstance(result := decided.result, Digest):
            if id(result) not in digests:
                digests[id(result)] = content_of(result)
            content = framed(digests[id(result)], readers[decided.reader_id])
            if decided.profiles:
                content["profiles"] = list(decided.profiles)
        else:
            content = _nothing(result)
        contents.append({**content, "before": decided.before} if decided.before else content)
    done: list[Digest | NothingNew] = []
    left: list[int | None] = []
    for decided, held in zip(settled, contents_store.put(session, contents), strict=True):
        result = decided.result
        state, reason = (
            (State.READY, "") if isinstance(result, Digest) else (State.SKIPPED, result.reason)
        )
        if leases_store.set_composed(
            session, decided.delivery_id, state=state, held=held, reason=reason
        ):
            done.append(result)
        else:
            left.append(held["content_id"])
    contents_store.delete_unused(session, left)
    return done, len(made) - len(settled)


def _nothing(result: NothingNew) -> dict[str, Any]:
    """What is stored on a row that is skipped."""
    content: dict[str, Any] = {"checked": result.checked, "papers": []}
    content |= {k: n for k in ("had", "later") if (n := getattr(result, k))}
    if result.until is not None:
        content["until"] = result.until.isoformat()
    return content


def may_freeze(session: Session, mails: Mapping[int, Digest], now: datetime) -> set[int]:
    """Of readers who are held, those whose digest may be frozen: none of its papers was had or is
    under way, and none of its late signals told. Alerts that rest until their hour give up theirs
    to a daily."""
    wanted = {reader_id: set(digest.paper_ids()) for reader_id, digest in mails.items()}
    for reader_id, alerts in sent_store.list_resting(session, list(mails), now).items():
        if mails[reader_id].kind == "alert":
            continue
        for alert, theirs in alerts.items():
            if theirs & wanted[reader_id]:
                sent_store.skip_resting(session, alert, now)
    taken = sent_store.list_taken(session, wanted)
    late = {i: {signal.paper_id for signal in digest.signals()} for i, digest in mails.items()}
    told = signals_store.list_taken_signals(session, late)
    return {i for i in mails if not taken.get(i) and not told.get(i)}
