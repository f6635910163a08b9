"""Editions as the staff sees them: what became of each, who got what, and the hand on the brake."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from service.delivery.states import State
from service.errors import PaperpostError
from service.flows.alarms import end_alarm
from service.flows.deferred import put_off
from service.flows.groups import Group, groups, refusals
from service.flows.runtime import Runtime
from service.flows.settle import balance, balance_of, uneven
from service.flows.staff import audit_edition
from service.store import deliveries as deliveries_store
from service.store import editions as editions_store
from service.store import leases as leases_store
from service.store.db import Priority, Session
from service.store.delivery_lists import Chosen
from service.store.half_planned import INTENT, changed, without_intent
from service.store.tables import EditionRow


class EditionError(PaperpostError):
    """An edition that does not exist, or an act that does not fit its state."""


class NoEditionError(EditionError):
    """There is none of this number."""


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None


def summary(
    edition: EditionRow, states: Mapping[str, int], left: int, now: datetime | None
) -> dict[str, Any]:
    """One edition with its balance. left: rows in sending whose process is gone; they are held, and
    wait for nothing.

    Of the result: so_far: rows may still be added · uneven: what is missing of one that does not
    balance, in words, "" when it does · paused_why: why it was paused by itself · begins_at: while
    that is to come; at own hours when the first of them comes.
    """
    counted = balance_of(edition, states)
    planned = counted.planned
    counts = {str(state): states.get(state, 0) for state in State}
    return {
        "id": edition.id,
        "kind": edition.kind,
        "slot": edition.slot,
        "title": edition.title,
        "state": shown_state(edition),
        "planned": planned,
        **counts,
        "planned_rows": counts["planned"],
        "held": counts["unknown"] + counts["presumed"] + left,
        "waiting": sum(
            counts[state] for state in ("planned", "ready", "leased", "sending", "deferred")
        )
        - left,
        "so_far": counted.so_far and edition.state != "cancelled",
        "missing": counted.missing,
        "uneven": uneven(edition, counted, now),
        "paused_why": edition.paused_why if shown_state(edition) == "paused" else "",
        "created_by": edition.created_by,
        "opened_at": _iso(edition.opened_at),
        "not_before": _iso(edition.not_before),
        "begins_at": _iso(_ahead(edition, now)),
    } | {"planned": planned}


def _ahead(edition: EditionRow, now: datetime | None) -> datetime | None:
    """When its first mail goes, while that is to come. None, too: not kept, at own hours, for
    editions of before."""
    timing, begins = edition.options.get("timing", {}), edition.not_before
    if timing.get("own_hour"):
        begins = datetime.fromisoformat(timing["first"]) if "first" in timing else None
    if edition.state != "open" or begins is None or now is None or begins <= now:
        return None
    return begins


def shown_state(edition: EditionRow) -> str:
    """The state in one word; a paused edition says so."""
    if edition.paused and edition.state not in ("cancelled", "done"):
        return "paused"
    return edition.state


def need_edition(session: Session, edition_id: int) -> EditionRow:
    """One edition that was begun. Raises EditionError."""
    edition = editions_store.get_edition(session, id=edition_id)
    if edition is None or edition.kind == editions_store.DRAFT:
        raise NoEditionError(f"There is no edition {edition_id}.", "", "paperpost editions list")
    return edition


def details(
    session: Session, edition_id: int, *, dead: Sequence[int] = (), now: datetime | None = None
) -> dict[str, Any]:
    """One edition: its balance, the reasons of skipped and suppressed rows, refused ones grouped.
    put_off_until: so long the last of those put off is tried again. dead: owners that are gone.
    Raises EditionError.
    """
    edition = need_edition(session, edition_id)
    counted = balance(session, edition)
    reasons = {
        state: editions_store.count_reasons(session, edition_id, state)
        for state in ("skipped", "suppressed", "cancelled")
        if counted.states.get(state)
    }
    left = deliveries_store.count_left(session, dead).get(edition_id, 0)
    waits, until = put_off(session, [edition_id])
    return {
        **summary(edition, counted.states, left, now),
        "mails": counted.planned - sum(counted.states.get(s, 0) for s in ("skipped", "suppressed")),
        "ended": counted.ended,
        "reasons": reasons,
        "put_off": [{"text": w, "count": n} for w, n in waits],
        "put_off_until": _iso(until),
        "refused": [r.as_dict() for r in refusals(session, edition_id)],
        "segment": edition.options.get("segment", ""),
        "equation": edition.options.get("equation", ""),
        "canary": edition.options.get("canary", 0),
    }


def list_groups(session: Session, chosen: Chosen) -> list[Group]:
    """The groups of what was chosen, by meaning. Raises EditionError: no such edition."""
    if chosen.edition_id is not None:
        need_edition(session, chosen.edition_id)
    return groups(session, chosen)


def pause(rt: Runtime, edition_id: int, by: str, address: str = "") -> None:
    """Stop after what is in flight. Raises EditionError: it is over."""

    def act(session: Session) -> None:
        editions_store.hold_number(session, edition_id)
        edition = need_edition(session, edition_id)
        if edition.state in ("cancelled", "done"):
            raise EditionError(f"Edition {edition_id} is {edition.state}.", "", "Nothing to pause.")
        values: dict[str, Any] = {"paused": True}
        if INTENT in edition.options:  # also once it is planned to its end
            values["options"] = changed(edition.options, paused=True)
        elif edition.planned is None and edition.options.get("resend_of"):
            values["options"] = {**edition.options, "paused": True}
        before = {"state": shown_state(edition)}
        editions_store.set_edition(session, edition_id, **values)
        audit_edition(
            session, rt.clock(), edition_id, by, "pause",
            before=before, after={"state": "paused"}, address=address,
        )  # fmt: skip

    rt.db.write(act, Priority.WEB)


def resume(rt: Runtime, edition_id: int, by: str, address: str = "") -> None:
    """Go on with a paused edition; one that was not planned to its end is completed. Raises
    EditionError: cancelled, or over."""

    def act(session: Session) -> bool:
        editions_store.hold_number(session, edition_id)
        edition = need_edition(session, edition_id)
        if edition.state == "cancelled":
            raise EditionError(f"Edition {edition_id} is cancelled.", "", "Send a new one.")
        if edition.state == "done" and not edition.paused:
            raise EditionError(f"Edition {edition_id} is done.", "", "Nothing to resume.")
        is_half = edition.planned is None and edition.kind in ("manual", "newsletter")
        if is_half and INTENT not in edition.options:
            raise EditionError(
                f"Edition {edition_id} was not planned to its end.",
                "",
                "Send the group again: this edition is completed."
                if edition.options.get("resend_of")
                else "Cancel it, and send it again as a new one.",
            )
        values: dict[str, Any] = {"paused_why": ""}
        if is_half:  # it goes once it is planned, and not before
            now = rt.clock().isoformat()
            values["options"] = changed(
                edition.options, paused=False, pressed=now, fault="", rests=False
            )
        else:
            values["paused"] = False
        before = {"state": shown_state(edition), "why": edition.paused_why}
        editions_store.set_edition(session, edition_id, **values)
        end_alarm(rt, session, "edition", str(edition_id))
        audit_edition(
            session, rt.clock(), edition_id, by, "resume",
            before={name: value for name, value in before.items() if value},
            after={"state": edition.state}, address=address,
        )  # fmt: skip
        return is_half

    is_half = rt.db.write(act, Priority.WEB)
    rt.engine.enqueue("sweep" if is_half else "send")


def cancel(rt: Runtime, edition_id: int, by: str, address: str = "") -> int:
    """Send no more of it, for good. Returns how many mails were not sent."""

    def act(session: Session) -> int:
        editions_store.hold_number(session, edition_id)  # what is planned of it just now, too
        edition = need_edition(session, edition_id)
        if edition.state in ("cancelled", "done"):
            raise EditionError(
                f"Edition {edition_id} is {edition.state}.", "", "Nothing to cancel."
            )
        stopped = leases_store.stop_open(
            session, State.CANCELLED, "cancelled", edition_id=edition_id
        )
        values: dict[str, Any] = {"state": "cancelled", "options": without_intent(edition.options)}
        if edition.planned is None and edition.kind in ("manual", "newsletter"):
            values["planned"] = sum(editions_store.count_states(session, edition_id).values())
        before = {"state": shown_state(edition)}
        editions_store.set_edition(session, edition_id, **values)
        end_alarm(rt, session, "edition", str(edition_id))
        audit_edition(
            session, rt.clock(), edition_id, by, "cancel", before=before,
            after={"state": "cancelled", "not_sent": stopped}, address=address,
        )  # fmt: skip
        return stopped

    return rt.db.write(act, Priority.WEB)
