"""One mail's way in words: what was done to it, by when and with which answer, and what happens to
it next by itself. Nothing here reads or writes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from service.delivery.states import State
from service.flows.reconcile import DOUBT
from service.store.tables import AttemptRow, DeliveryRow

_STEPS: Mapping[str, str] = {
    "connect": "connecting",
    "greeting": "the greeting",
    "ehlo": "the greeting",
    "mail": "our address (MAIL)",
    "rcpt": "the reader's address (RCPT)",
    "data": "the beginning of the mail (DATA)",
    "body": "the mail itself",
    "reply": "the end of the mail",
    "render": "writing the mail",
}


@dataclass(frozen=True, slots=True)
class Step:
    """at: None where the ledger keeps no instant of it · words: without the instant."""

    at: datetime | None
    words: str

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {"at": self.at.isoformat() if self.at is not None else None, "words": self.words}


def steps_of(
    row: DeliveryRow, tries: Sequence[AttemptRow], back: Sequence[Mapping[str, Any]]
) -> list[Step]:
    """What was done to a mail, in its order. back: reports, as ``bounces.of_deliveries`` gives
    them."""
    found = [Step(row.planned_at, "planned")]
    found += [Step(one.at, _tried(one)) for one in tries]
    taken = any(_is_taken(one) for one in tries)
    if row.state == State.ACCEPTED and not taken:
        found.append(Step(row.accepted_at, f"accepted{_why(row)}"))
    elif row.state in (State.SUPPRESSED, State.EXPIRED, State.CANCELLED, State.SKIPPED):
        found.append(Step(None, f"{row.state}{_why(row)}"))
    elif row.state == State.PRESUMED:
        found.append(Step(None, "presumed: nobody knows whether it came"))
    found += [
        Step(datetime.fromisoformat(str(one["at"])), f"came back, {one['kind']}: {one['words']}")
        for one in back
    ]
    return found


def sentence(steps: Sequence[Step], zone: str) -> str:
    """All of them in one line: "planned 07:00, deferred 421 at 07:01, accepted 07:12, queue id
    ABC"; on another day than the one before with its date."""
    told, day = [], None
    for one in steps:
        if one.at is None:
            told.append(one.words)
            continue
        local = one.at.astimezone(ZoneInfo(zone))
        when = f"{local:%H:%M}" if local.date() == day else f"{local:%Y-%m-%d %H:%M}"
        day = local.date()
        words, _, rest = one.words.partition(", ")
        told.append(f"{words} {when}" + (f", {rest}" if rest else ""))
    return ", ".join(told)


def ahead(
    row: DeliveryRow,
    edition_kind: str,
    edition_state: str,
    now: datetime,
    *,
    dead: Sequence[int],
    zone: str = "UTC",
) -> Step | None:
    """What happens to a mail next by itself, and when; None: nothing will. zone: of a deadline in
    words."""
    state = State(row.state)
    if state in (State.READY, State.LEASED, State.PLANNED, State.DEFERRED):
        return _waits(row, state, edition_state, now, zone)
    if state is State.SENDING:
        if row.lease_owner in dead:
            return Step(None, "within a minute it is held: the process that was sending it is gone")
        return Step(None, "it is being sent: the server's answer is waited for")
    if state is State.PRESUMED:
        return Step(None, "its papers ride in the next mail, marked as perhaps seen; nothing else")
    if state is State.UNKNOWN:
        return _held(row, edition_kind)
    return None


def _waits(row: DeliveryRow, state: State, edition_state: str, now: datetime, zone: str) -> Step:
    if edition_state == "paused":
        return Step(None, "its edition is paused: it goes when somebody resumes it")
    late = ""
    if row.deadline_at is not None:
        end = f"{row.deadline_at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} ({zone})"
        late = f", until {end} at the latest; then it expires"
        if state is State.READY and not row.attempts and _waits_for_word(row):
            return Step(None, f"it waits for a person's word until {end}; then it expires")
    if row.not_before is not None and row.not_before > now:
        again = "again " if state is State.DEFERRED else ""
        return Step(row.not_before, f"it is tried {again}then{late}")
    return Step(None, "it goes as soon as it is its turn")


def _waits_for_word(row: DeliveryRow) -> bool:
    """Whether a mail is one of those behind the first few (``send_times.BEYOND``)."""
    if row.kind not in ("manual", "newsletter") or row.not_before is None:
        return False
    return row.deadline_at is not None and row.not_before >= row.deadline_at


def _held(row: DeliveryRow, kind: str) -> Step:
    proof = "proof in the server's log, or a press on one of its links, settles it before"
    if kind == "newsletter":
        return Step(
            None, f"it waits for a person's word: it is never sent again by itself; {proof}"
        )
    at = row.marked_at + DOUBT if row.marked_at is not None else None
    if kind == "notice":
        return Step(at, f"it is sent again then, with the same Message-ID; {proof}")
    return Step(at, f"it is presumed then, and its papers ride in the next mail; {proof}")


def _is_taken(one: AttemptRow) -> bool:
    return 200 <= one.code < 300 or (one.phase == "proof" and not one.code)


def _tried(one: AttemptRow) -> str:
    words = f"{one.code or ''} {one.text}".strip()
    queue = f", queue id {one.relay_id}" if one.relay_id else ""
    if one.phase == "proof":
        return f"settled, {one.text}{queue}"
    if 200 <= one.code < 300:
        return f"accepted, {words}{queue}"
    at = f" at {_STEPS[one.phase]}" if one.phase in _STEPS else ""
    if 400 <= one.code < 500:
        return f"deferred {one.code}, {one.text}{at}{queue}"
    if one.code >= 500:
        return f"refused {one.code}, {one.text}{at}{queue}"
    return f"no answer{at}, {one.text}".rstrip(", ")


def _why(row: DeliveryRow) -> str:
    return f": {row.reason}" if row.reason else ""
