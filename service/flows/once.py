"""Requests of programs that are repeated because their answer was lost: one act, and its answer
again (Idempotency-Key, draft-ietf-httpapi-idempotency-key-header).

A row says how far a request is. Each transaction that its act makes marks the row too, so that a
crash between the act and its answer is told from one before the act.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta

from service.errors import PaperpostError
from service.flows.runtime import Runtime
from service.store import answers as store
from service.store.db import Priority, Session, beside
from service.store.desk_tables import AnswerKeptRow
from service.store.processes import is_over

KEPT = timedelta(hours=24)
"""So long a key stands for its first request."""

_HEADER = "Idempotency-Key"


class KeyFormError(PaperpostError):
    """A key that cannot be one."""


class KeyReusedError(PaperpostError):
    """A key that stands for another request."""


class KeyBusyError(PaperpostError):
    """The same request is still worked on."""

    headers: Mapping[str, str] = {"Retry-After": "1"}


class AnswerLostError(PaperpostError):
    """The service stopped after the act was written down and before its answer was."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What was answered the first time. body: JSON, "" for none."""

    status: int
    body: str


def read_key(text: str) -> str:
    """A key as a header says it: a quoted string (RFC 8941), or the same without quotes.

    Raises KeyFormError.
    """
    text = text.strip()
    is_quoted = len(text) > 1 and text[0] == text[-1] == '"'
    key = text[1:-1].replace('\\"', '"').replace("\\\\", "\\") if is_quoted else text
    if not key or len(key) > 200 or not (key.isascii() and key.isprintable()):
        raise KeyFormError(
            "This is no key.", _HEADER, "Send 1 to 200 printable ASCII characters, like a UUID."
        )
    return key


def begin(rt: Runtime, caller: str, key: str, asked: str) -> int | Kept:
    """The number of the request's row when it is to be worked on now, else what it was answered.

    Raises KeyReusedError, KeyBusyError, AnswerLostError.
    """
    owner = rt.owner()

    def take(session: Session) -> int | AnswerKeptRow | None:
        now = rt.clock()
        row = store.get_answer(session, caller, key)
        if row is not None and row.at <= now - KEPT:
            session.delete(row)
            session.flush()
            row = None
        if row is None:
            return store.add_answer(
                session, caller=caller, key=key, asked=asked, owner=owner.id, now=now
            )
        return row

    found = rt.db.write(take, Priority.WEB)
    if isinstance(found, int):
        return found
    if found is None:
        raise _busy()
    if found.asked != asked:
        raise KeyReusedError(
            "This key was sent with another request.",
            _HEADER,
            "Nothing was done. Send a new key with a new request.",
        )
    if found.status:
        return Kept(found.status, found.body)
    return _resume(rt, found)


def _resume(rt: Runtime, row: AnswerKeptRow) -> int:
    """A request without an answer: whose process works on it, died before it wrote anything, or
    died after."""
    process, number, old = rt.owner(), row.id or 0, row.owner
    if old is not None:
        dead = process.dead()
        if not rt.db.read(lambda s: is_over(s, old, dead)):
            raise _busy()
    if row.status is None:
        take = rt.db.write(
            lambda s: store.take_answer(s, number, old, process.id, rt.clock()), Priority.WEB
        )
        if not take:
            raise _busy()
        return number
    raise AnswerLostError(
        "This request was begun, and the service stopped before its answer was kept: what it asked "
        "for is done in part or as a whole.",
        _HEADER,
        "Look at what is there, and at the record of acts; then, if something is missing, ask with "
        "a new key.",
    )


def _busy() -> KeyBusyError:
    return KeyBusyError(
        "The same request is still worked on.", _HEADER, "Send it again in a second."
    )


def marking(number: int) -> AbstractContextManager[None]:
    """Whatever is written within marks the request's row, in the same transaction."""
    return beside(lambda s: store.mark_written(s, number))


def keep(rt: Runtime, number: int, kept: Kept) -> None:
    """Keep what is answered."""
    _write(rt, lambda s: store.keep_answer(s, number, kept.status, kept.body))


def release(rt: Runtime, number: int) -> None:
    """There is no answer: the key is free again, unless something was written."""
    _write(rt, lambda s: store.release_answer(s, number))


def forget(rt: Runtime, number: int) -> None:
    """What is answered cannot be kept: the key is free again."""
    _write(rt, lambda s: store.delete_answer(s, number))


def is_written(rt: Runtime, number: int) -> bool:
    """Whether something was written for this request."""
    return rt.db.read(lambda s: store.is_written(s, number))


def _write(rt: Runtime, work: Callable[[Session], None]) -> None:
    rt.db.write(work, Priority.WEB)
