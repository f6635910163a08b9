"""The ledger as lists: deliveries, and which of them are held.

Held is what nobody can say of whether it came: in doubt, presumed, or left in ``sending`` by a
process that is gone. Every list and page counts it by ``store.deliveries.is_held``.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from service.delivery.meaning import Meaning
from service.delivery.states import State
from service.flows.bounces import of_deliveries
from service.flows.delivery_words import ahead, sentence, steps_of
from service.flows.editions import EditionError, NoEditionError, need_edition
from service.flows.groups import says, words_of
from service.flows.reconcile import answers_for
from service.flows.runtime import Runtime
from service.store import deliveries as deliveries_store
from service.store import delivery_lists
from service.store.db import Session
from service.store.delivery_lists import ORDERS, Chosen, Plain, list_ids, meanings_of
from service.store.tables import DeliveryRow
from service.subscribers.cadence import bounds


class ChosenError(EditionError):
    """A choice of deliveries that cannot be."""


def gone_owners(rt: Runtime) -> list[int]:
    """Processes that are gone; nobody is asked when no mail is in ``sending``."""
    if not rt.db.read(deliveries_store.count_waiting).get("sending"):
        return []
    return rt.owner().dead()


def read_chosen(
    *,
    edition_id: int | None = None,
    state: str = "",
    meaning: str = "",
    domain: str = "",
    first: date | None = None,
    last: date | None = None,
    zone: str = "UTC",
    address: str = "",
    words: str = "",
    dead: Sequence[int] = (),
) -> Chosen:
    """Which deliveries were asked for. state: one of the states, or "held" (dead: of
    ``gone_owners``) · first, last: days of the installation (``zone``) on which they were planned.

    Raises ChosenError: no such state or meaning, or a last day before the first.
    """
    if first is not None and last is not None and first > last:
        raise ChosenError(
            f"{first} is after {last}: no day is in between.",
            "--since",
            "Give the earlier day as --since and the later one as --until.",
        )
    if state not in ("", "held", *(str(s) for s in State)):
        raise ChosenError(f"{state!r} is no state.", "--state", f"Use {', '.join(State)} or held.")
    if meaning not in ("", *(str(m) for m in Meaning)):
        raise ChosenError(f"{meaning!r} is no meaning.", "--meaning", f"Use {', '.join(Meaning)}.")
    is_held = state == "held"
    since, until = bounds(first, last, zone)
    return Chosen(
        edition_id=edition_id,
        states=(state,) if state and not is_held else (),
        held_by=tuple(dead) if is_held else None,
        meaning=meaning,
        domain=domain.strip().lower().removeprefix("@"),
        since=since,
        until=until,
        address=address.strip(),
        words=words.strip(),
    )


def list_facts(
    session: Session,
    chosen: Chosen,
    *,
    order: str = "oldest",
    limit: int | None = None,
    offset: int = 0,
    after_id: int = 0,
) -> list[dict[str, Any]]:
    """One object per delivery, in an order of ``delivery_lists.ORDERS``; after_id: only later ones.
    Raises EditionError: no such edition or order."""
    if chosen.edition_id is not None:
        need_edition(session, chosen.edition_id)
    if order not in ORDERS:
        raise ChosenError(f"{order!r} is no order.", "--order", f"Use {', '.join(ORDERS)}.")
    ids = list_ids(session, chosen, order=order, limit=limit, offset=offset, after_id=after_id)
    return facts_of(session, ids)


def find_ids(session: Session, chosen: Chosen, order: str = "newest") -> list[int]:
    """Numbers of deliveries for pages: ``MOST_FOUND`` at most, and one more where there are more.
    Raises EditionError: no such edition."""
    if chosen.edition_id is not None:
        need_edition(session, chosen.edition_id)
    return delivery_lists.find_ids(session, chosen, order=order)


def facts_of(session: Session, ids: Sequence[int]) -> list[dict[str, Any]]:
    """These deliveries as plain values, in the order of their numbers here."""
    return [delivery_facts(row) for row in delivery_lists.plain_of(session, ids)]


def delivery_story(
    rt: Runtime, session: Session, delivery_id: int, *, dead: Sequence[int] = ()
) -> dict[str, Any]:
    """One delivery with its tries and the server's words of each, what came back of it, its whole
    way in words (``steps``, ``story``) and what happens next by itself (``ahead``). Raises
    EditionError: none."""
    row = deliveries_store.get_delivery(session, id=delivery_id)
    if row is None:
        raise NoEditionError(
            f"There is no delivery {delivery_id}.", "", "paperpost deliveries list"
        )
    edition = need_edition(session, row.edition_id)
    tries = deliveries_store.list_attempts(session, delivery_id)
    about = meanings_of(session, [delivery_id])[delivery_id]
    back = of_deliveries(session, [delivery_id]).get(delivery_id, [])
    steps = steps_of(row, tries, back)
    paused = "paused" if edition.paused else edition.state
    then = ahead(row, edition.kind, paused, rt.clock(), dead=dead, zone=rt.zone)
    return {
        **delivery_facts(row),
        "meaning": about,
        "says": says(about) if about else "",
        "edition_kind": edition.kind,
        "edition_slot": edition.slot,
        "edition_title": edition.title,
        "domain": row.domain,
        "deadline_at": _iso(row.deadline_at),
        "tries": [
            {
                "n": one.n,
                "at": _iso(one.at),
                "phase": one.phase,
                "code": one.code or None,
                "enhanced": one.enhanced,
                "text": one.text,
                "relay_id": one.relay_id,
            }
            for one in tries
        ],
        "came_back": back,
        "steps": [one.as_dict() for one in steps],
        "story": sentence(steps, rt.zone),
        "ahead": then.as_dict() if then is not None else None,
        "answers": list(answers_for(row.state)),
    }


def delivery_facts(row: DeliveryRow | Plain) -> dict[str, Any]:
    """One delivery as plain values. row: whole, or the columns ``delivery_lists.PLAIN``."""
    return {
        "id": row.id,
        "edition": row.edition_id,
        "email": row.rcpt or "",
        "tested_to": row.tested_to or "",
        "kind": row.kind,
        "state": row.state,
        "code": row.code,
        "enhanced": row.enhanced,
        "reason": row.reason,
        "words": words_of(row.reason, row.code),
        "meaning": row.meaning,
        "attempts": row.attempts,
        "message_id": row.message_id,
        "planned_at": _iso(row.planned_at),
        "not_before": _iso(row.not_before),
        "accepted_at": _iso(row.accepted_at),
    }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None
