"""Editions as the staff sees them: what became of each, who got what, and the hand on the brake."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from service.delivery.states import State
from service.digest.model import Digest, from_json
from service.errors import PaperpostError
from service.flows.deferred import deferrals
from service.flows.freeze import content_of
from service.flows.planning import PRIORITY, plan_row
from service.flows.runtime import Runtime
from service.flows.settle import balance
from service.flows.staff import write_audit
from service.store import audience as audience_store
from service.store import deliveries as deliveries_store
from service.store import editions as editions_store
from service.store import leases as leases_store
from service.store import sent as sent_store
from service.store import signals as signals_store
from service.store import subscribers as subscribers_store
from service.store.db import Priority, Session
from service.store.tables import DeliveryRow, EditionRow

SENDABLE_AGAIN = ("full", "policy", "content", "other")

MEANINGS: Mapping[str, tuple[str, str]] = {
    "person": ("address does not exist", "Suppressed; it is not offered again."),
    "full": ("mailbox full or temporary", "Nobody's fault; sending again may work."),
    "policy": (
        "our side: policy or reputation",
        "Nobody there is at fault. Mend what the server names (SPF, DKIM, sending limits), "
        "then send again.",
    ),
    "content": ("our side: the content", "Look at the mail the server names, then send again."),
    "other": ("refused without a clear reason", "Read the server's words, then send again."),
}


class EditionError(PaperpostError):
    """An edition that does not exist, or an act that does not fit its state."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A group of refused mails: what it means, what to do, the server's words with numbers."""

    name: str
    meaning: str
    advice: str
    count: int
    words: tuple[tuple[str, int], ...]
    sends_again: bool

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "meaning": self.meaning,
            "count": self.count,
            "advice": self.advice,
            "words": [{"text": text, "count": n} for text, n in self.words],
            "resend": self.sends_again,
        }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None


def _summary(edition: EditionRow, states: Mapping[str, int], left: int) -> dict[str, Any]:
    """left: rows in sending whose process is gone; they are held, and wait for nothing."""
    planned = edition.planned if edition.planned is not None else sum(states.values())
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
        "created_by": edition.created_by,
        "opened_at": _iso(edition.opened_at),
        "not_before": _iso(edition.not_before),
    } | {"planned": planned}


def shown_state(edition: EditionRow) -> str:
    """The state in one word; a paused edition says so."""
    if edition.paused and edition.state not in ("cancelled", "done"):
        return "paused"
    return edition.state


def overview(
    session: Session, *, notices: bool = False, dead: Sequence[int] = ()
) -> list[dict[str, Any]]:
    """Every edition (``notices``: these too), newest first, each with its balance. dead: owners
    that are gone (``ledger.gone_owners``)."""
    states = audience_store.count_all_states(session, notices=notices)
    left = deliveries_store.count_left(session, dead)
    kinds = [*PRIORITY] if notices else None
    found = editions_store.list_editions(session, kinds=kinds)
    return [_summary(e, states.get(e.id or 0, {}), left.get(e.id or 0, 0)) for e in found]


def need_edition(session: Session, edition_id: int) -> EditionRow:
    """One edition that was begun. Raises EditionError."""
    edition = editions_store.get_edition(session, id=edition_id)
    if edition is None or edition.kind == editions_store.DRAFT:
        raise EditionError(f"There is no edition {edition_id}.", "", "paperpost editions list")
    return edition


def details(session: Session, edition_id: int, *, dead: Sequence[int] = ()) -> dict[str, Any]:
    """One edition: its balance, the reasons of skipped and suppressed rows, refused ones grouped.
    dead: owners that are gone. Raises EditionError.
    """
    edition = need_edition(session, edition_id)
    counted = balance(session, edition)
    reasons = {
        state: editions_store.count_reasons(session, edition_id, state)
        for state in ("skipped", "suppressed", "cancelled")
        if counted.states.get(state)
    }
    left = deliveries_store.count_left(session, dead).get(edition_id, 0)
    return {
        **_summary(edition, counted.states, left),
        "mails": counted.planned - sum(counted.states.get(s, 0) for s in ("skipped", "suppressed")),
        "ended": counted.ended,
        "missing": counted.missing,
        "reasons": reasons,
        "put_off": [{"text": w, "count": n} for w, n in deferrals(session, [edition_id])],
        "refused": [r.as_dict() for r in refusals(session, edition_id)],
        "segment": edition.options.get("segment", ""),
        "equation": edition.options.get("equation", ""),
        "canary": edition.options.get("canary", 0),
    }


def refusals(session: Session, edition_id: int) -> list[Refusal]:
    """Refused and expired mails by what it means, with the server's words."""
    groups: dict[str, dict[str, int]] = {}
    for state, reason, code, n in audience_store.list_refusals(session, edition_id):
        name = _group(state, reason)
        said = reason.partition(": ")[2] if state == "failed" else reason
        words = f"{code} {said}".strip() if code else said or "no answer"
        found = groups.setdefault(name, {})
        found[words] = found.get(words, 0) + n
    return [
        Refusal(
            name,
            *MEANINGS[name],
            sum(groups[name].values()),
            tuple(sorted(groups[name].items(), key=lambda w: -w[1])),
            name in SENDABLE_AGAIN,
        )
        for name in MEANINGS
        if name in groups
    ]


def _group(state: str, reason: str) -> str:
    if state == "expired":
        return "full"
    name = reason.partition(":")[0]
    return name if name in MEANINGS else "other"


def pause(rt: Runtime, edition_id: int, by: str, address: str = "") -> None:
    """Stop after what is in flight. Raises EditionError: it is over."""

    def act(session: Session) -> None:
        edition = need_edition(session, edition_id)
        if edition.state in ("cancelled", "done"):
            raise EditionError(f"Edition {edition_id} is {edition.state}.", "", "Nothing to pause.")
        editions_store.set_edition(session, edition_id, paused=True)
        _note(rt, session, by, "pause", edition_id, address)

    rt.db.write(act, Priority.WEB)


def resume(rt: Runtime, edition_id: int, by: str, address: str = "") -> None:
    """Go on with a paused edition. Raises EditionError: cancelled, over, or not planned to its
    end."""

    def act(session: Session) -> None:
        edition = need_edition(session, edition_id)
        if edition.state == "cancelled":
            raise EditionError(f"Edition {edition_id} is cancelled.", "", "Send a new one.")
        if edition.state == "done" and not edition.paused:
            raise EditionError(f"Edition {edition_id} is done.", "", "Nothing to resume.")
        if edition.planned is None and edition.kind in ("manual", "newsletter"):
            raise EditionError(
                f"Edition {edition_id} was not planned to its end.",
                "",
                "Send it again with the same key: the same edition is completed.",
            )
        editions_store.set_edition(session, edition_id, paused=False)
        _note(rt, session, by, "resume", edition_id, address)

    rt.db.write(act, Priority.WEB)
    rt.engine.enqueue("send")


def cancel(rt: Runtime, edition_id: int, by: str, address: str = "") -> int:
    """Send no more of it, for good. Returns how many mails were not sent."""

    def act(session: Session) -> int:
        edition = need_edition(session, edition_id)
        if edition.state in ("cancelled", "done"):
            raise EditionError(
                f"Edition {edition_id} is {edition.state}.", "", "Nothing to cancel."
            )
        stopped = leases_store.stop_open(
            session, State.CANCELLED, "cancelled", edition_id=edition_id
        )
        values: dict[str, Any] = {"state": "cancelled"}
        if edition.planned is None and edition.kind in ("manual", "newsletter"):
            values["planned"] = sum(editions_store.count_states(session, edition_id).values())
        editions_store.set_edition(session, edition_id, **values)
        _note(rt, session, by, "cancel", edition_id, address, {"not_sent": stopped})
        return stopped

    return rt.db.write(act, Priority.WEB)


def _note(
    rt: Runtime,
    session: Session,
    by: str,
    what: str,
    edition_id: int,
    address: str,
    after: Mapping[str, Any] | None = None,
) -> None:
    write_audit(
        session,
        rt.clock(),
        who=by,
        what=what,
        target=f"edition {edition_id}",
        after=after,
        address=address,
    )


def resend(rt: Runtime, edition_id: int, by: str, address: str = "") -> dict[str, Any]:
    """Send again what was refused for a reason that can pass, as a new frozen edition.

    Papers that have come another way meanwhile are left out, readers who left or do not exist
    are not asked again. Returns edition (0 = none was needed), planned, and left_out by reason.
    Raises EditionError.
    """
    made = rt.db.write(lambda s: _resend(rt, s, edition_id, by, address), Priority.WEB)
    if made["planned"]:
        rt.engine.enqueue("send")
    return made


def _resend(
    rt: Runtime, session: Session, edition_id: int, by: str, address: str
) -> dict[str, Any]:
    old = need_edition(session, edition_id)
    if old.kind == "notice":
        raise EditionError("Notices are not sent again.", "", "The reader can ask for a new link.")
    left_out: dict[str, int] = {}
    again: list[tuple[DeliveryRow, dict[str, Any]]] = []
    refused = deliveries_store.list_deliveries(
        session, edition_id=edition_id, states=["failed", "expired"]
    )
    readers = [row.subscriber_id for row in refused if row.subscriber_id is not None]
    sent_store.hold_readers(session, readers, wait=True)
    for row in refused:
        reason, content = _again(rt, session, row)
        if reason:
            left_out[reason] = left_out.get(reason, 0) + 1
        else:
            again.append((row, content))
    if not again:
        return {"edition": 0, "planned": 0, "left_out": left_out}
    edition = _new_edition(rt, session, old, by)
    assert edition.id is not None
    deadline = timedelta(hours=rt.defaults().digest_deadline_hours)
    for row, content in again:
        plan_row(
            rt,
            session,
            edition,
            recipient_key=row.recipient_key,
            rcpt=row.rcpt or "",
            kind=row.kind,
            now=rt.clock(),
            deadline=deadline,
            state=State.READY,
            content=content,
            subscriber_id=row.subscriber_id,
            locale=row.locale,
        )
    editions_store.set_edition(session, edition.id, planned=len(again))
    _note(
        rt, session, by, "resend", edition_id, address, {"edition": edition.id, "mails": len(again)}
    )
    return {"edition": edition.id, "planned": len(again), "left_out": left_out}


def _new_edition(rt: Runtime, session: Session, old: EditionRow, by: str) -> EditionRow:
    kind = "newsletter" if old.kind == "newsletter" else "manual"
    n = 1
    while True:
        edition, is_new = editions_store.add_edition(
            session,
            kind=kind,
            slot=f"resend:{old.id}:{n}",
            now=rt.clock(),
            title=old.title or f"{old.kind} {old.slot}, again",
            created_by=by,
            options={"resend_of": old.id},
        )
        if is_new:
            return edition
        n += 1


def _again(rt: Runtime, session: Session, row: DeliveryRow) -> tuple[str, dict[str, Any]]:
    """(why it is left out, or "", what to send)."""
    if _group(row.state, row.reason) == "person":
        return "address does not exist", {}
    reader = (
        subscribers_store.get_subscriber_row(session, id=row.subscriber_id)
        if row.subscriber_id is not None
        else None
    )
    if reader is None or reader.state != "active" or not row.rcpt:
        return "left or refused since", {}
    content = dict(row.content or {})
    if "digest" not in content:
        return ("", content) if content.get("notice") else ("has no content", {})
    assert reader.id is not None
    digest = from_json(content["digest"])
    taken = sent_store.list_taken(session, {reader.id: digest.paper_ids()})
    late = {reader.id: {signal.paper_id for signal in digest.signals()}}
    told = signals_store.list_taken_signals(session, late)
    rest = without(digest, taken.get(reader.id, set()), told.get(reader.id, set()))
    if not rest.sections:
        return "has these papers meanwhile", {}
    return "", content_of(rest, reader)


def without(digest: Digest, had: set[int], told: set[int]) -> Digest:
    """The digest less some papers, and less late signals that were told; sections that are left
    empty go."""
    sections = []
    for section in digest.sections:
        entries = tuple(e for e in section.entries if e.paper_id not in had)
        lines = tuple(x for x in section.lines if x.paper_id not in had)
        rest = tuple(i for i in section.rest if i not in had)
        late = tuple(x for x in section.signals if x.paper_id not in told)
        total = len(entries) + len(lines) + len(rest) + len(late)
        if total:
            kept = replace(section, entries=entries, lines=lines, rest=rest, total=total)
            sections.append(replace(kept, signals=late))
    made = replace(digest, sections=tuple(sections))
    gone = len(digest.paper_ids()) - len(made.paper_ids())
    return replace(made, matched=max(0, digest.matched - gone))
