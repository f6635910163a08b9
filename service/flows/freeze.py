"""What was decided is frozen on the row, once: no paper rides in two mails of one reader.

Deciding reads without locks, and two processes may decide for the same reader at the same moment
(an alert and a daily, a person's send). Whoever writes holds the reader first, and looks again
what is taken; who comes second decides anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.delivery.states import State
from service.digest.candidate import NothingNew
from service.digest.model import Digest, to_json
from service.store import leases as leases_store
from service.store import sent as sent_store
from service.store.db import Session


@dataclass(frozen=True, slots=True)
class Decided:
    """What one planned row is to become."""

    delivery_id: int
    reader_id: int | None
    result: Digest | NothingNew


def content_of(digest: Digest) -> dict[str, Any]:
    """What is stored on the row: the digest, and every paper that counts as sent."""
    return {"digest": to_json(digest), "papers": list(digest.paper_ids())}


def freeze(
    session: Session, made: Sequence[Decided], now: datetime, *, wait: bool
) -> tuple[list[Digest | NothingNew], int]:
    """Write down what was decided for planned rows.

    wait: for readers whom somebody else holds; without it they are decided again like those of
    whom a paper was taken. Returns (what was written, how many rows are to be decided again).
    """
    mails = [d.reader_id for d in made if isinstance(d.result, Digest) and d.reader_id is not None]
    held = sent_store.hold_readers(session, mails, wait=wait)
    done: list[Digest | NothingNew] = []
    again = 0
    for decided in made:
        reader, result = decided.reader_id, decided.result
        if isinstance(result, Digest):
            if reader not in held or not claim_papers(session, reader, result, now):
                again += 1
                continue
            state, content, reason = State.READY, content_of(result), ""
        else:
            state, reason = State.SKIPPED, result.reason
            content = {"checked": result.checked, "papers": []}
        if leases_store.set_composed(
            session, decided.delivery_id, state=state, content=content, reason=reason
        ):
            done.append(result)
    return done, again


def claim_papers(session: Session, reader_id: int | None, digest: Digest, now: datetime) -> bool:
    """Whether a digest may be frozen for a reader who is held: none of its papers was had or is
    under way. Alerts that rest until their hour give up theirs to a daily."""
    if reader_id is None:
        return False
    papers = digest.paper_ids()
    if digest.kind != "alert":
        resting = sent_store.list_resting(session, [reader_id], now).get(reader_id, {})
        for alert, theirs in resting.items():
            if theirs.intersection(papers):
                sent_store.skip_resting(session, alert, now)
    return not sent_store.list_taken(session, reader_id, papers)
