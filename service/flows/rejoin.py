"""Asking, and asking again: what was asked for waits in the record of consent.

Anybody can type an address into the form, so each link begins what was asked for with it, whoever
asks meanwhile. Of who had left nothing in the row changes before its holder presses Begin: the old
interests stay, and leaving can still be undone.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from service.flows.interests import Wanted, add_interest, read_kind
from service.flows.manage_link import stamp_of
from service.store import consent as consent_store
from service.store import subscribers as subscribers_store
from service.store.db import Session
from service.store.tables import SubscriberRow
from service.subscribers.model import ProfileKind

WITHDRAWN = "withdrawn"
"""What the record of a request says in place of its words when who had asked took it back."""


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asked for. kind, text: of the interest · people: of a second one, "" = none."""

    kind: str
    text: str
    hour: int
    zone: str
    locale: str
    people: str = ""

    @property
    def interests(self) -> tuple[tuple[str, str], ...]:
        """(kind, text) of each interest that was asked for."""
        first = (self.kind, self.text)
        return (first, (ProfileKind.FOLLOW.value, self.people)) if self.people else (first,)


def words_of(wanted: Sequence[Wanted], *, hour: int, zone: str, locale: str) -> str:
    """A request as the text that is kept with its consent. wanted: one interest, or words and
    people."""
    first, *others = wanted
    return json.dumps(
        {"kind": first.kind.value, "text": first.text, "hour": hour, "zone": zone,
         "locale": locale, **({"people": others[0].text} if others else {})}
    )  # fmt: skip


def stamp_for(row: SubscriberRow, consent_id: int) -> str:
    """What the link of a request is tied to: the row, and the request of this number."""
    return f"{stamp_of(row, fresh=True)}.{consent_id}"


def is_stamp_of(row: SubscriberRow, stamp: str) -> bool:
    """Whether a confirmation link, of a request or not, belongs to this row."""
    return stamp.partition(".")[0] == stamp_of(row, fresh=True)


def number_of(stamp: str) -> int | None:
    """The number of a link's request; None for the link of a row that the staff entered."""
    number = stamp.partition(".")[2]
    return int(number) if number.isdecimal() else None


def find_request(session: Session, row: SubscriberRow, stamp: str) -> Request | None:
    """The request that a link is tied to; None when it is over: begun, withdrawn, or made before
    leaving."""
    number = number_of(stamp)
    if row.state not in ("pending", "left") or number is None:
        return None
    asked = consent_store.get_consent(session, number)
    if asked is None or asked.subscriber_id != row.id or asked.act != "request":
        return None
    is_over = row.left_at is not None and asked.at < row.left_at
    if is_over or not asked.detail.startswith("{"):
        return None
    typed = json.loads(asked.detail)
    return Request(**typed) if "kind" in typed else None  # else the staff asked for the person


def is_withdrawn(session: Session, stamp: str) -> bool:
    """Whether who had asked took the request of a link back."""
    number = number_of(stamp)
    asked = consent_store.get_consent(session, number) if number is not None else None
    return asked is not None and asked.detail == WITHDRAWN


def shown(row: SubscriberRow, request: Request) -> SubscriberRow:
    """The row as it would be; it belongs to no session and is never stored."""
    asked = {"hour": request.hour, "zone": request.zone, "locale": request.locale}
    return SubscriberRow(**{**row.model_dump(), **asked})


def take_up(session: Session, row: SubscriberRow, request: Request, now: datetime) -> None:
    """Begin was pressed: what was asked for takes the place of what was there."""
    assert row.id is not None
    row.paused_until = None
    take_words(session, row, request, now)
    consent_store.forget_requests(session, row.id)


def take_words(session: Session, row: SubscriberRow, request: Request, now: datetime) -> None:
    """Put the words and the schedule of a request into the row."""
    assert row.id is not None
    row.hour, row.zone, row.locale = request.hour, request.zone, request.locale
    session.add(row)
    subscribers_store.delete_profiles(session, row.id)
    for kind, text in request.interests:
        add_interest(session, row.id, read_kind(kind, text), now)


def is_awaited(session: Session, row: SubscriberRow, since: datetime) -> bool:
    """Whether somebody who left has asked again since, with a link that still works."""
    assert row.id is not None
    if row.left_at is None:
        return False
    asked = consent_store.last_act_at(session, row.id, "request")
    return asked is not None and asked >= max(since, row.left_at)
