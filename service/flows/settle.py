"""The balance of editions: what was planned equals what has an end, or it says what is missing.

Two sorts. *Rolling* ones (a date's digests, a quarter hour's alerts) get rows as readers fall due:
their balance is "so far" until the date is over everywhere and every deadline has passed; then it
is taken, and written down as ``planned``. *Frozen* ones (manual, newsletter, a notice) are planned
whole before the first mail goes, ``planned`` last.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.delivery.states import FINAL, EditionState, State, edition_can
from service.flows.alarms import Alarm, end_alarm, raise_alarm
from service.flows.hooks import tell
from service.flows.report import report_done
from service.flows.runtime import Runtime
from service.store import alarms as alarms_store
from service.store import audience as audience_store
from service.store import editions as editions_store
from service.store.db import Priority, Session
from service.store.half_planned import INTENT
from service.store.tables import EditionRow

FROZEN = frozenset({"manual", "newsletter", "notice"})

KINDS = ["digest", "quiet", "alert", *sorted(FROZEN)]

KIND = "balance"
"""Of the alarm about an edition that does not balance; its key is the edition's number."""

_UNDER_WAY = frozenset({State.PLANNED, State.READY, State.LEASED, State.SENDING, State.DEFERRED})

_HALF_PLANNED = timedelta(minutes=20)
"""Nobody plans for so long: who began has ended."""


@dataclass(frozen=True, kw_only=True)
class Balance:
    """planned = accepted + failed + suppressed + expired + cancelled + skipped + presumed when
    nothing is missing. so_far: it is open, and rows may still be added."""

    planned: int
    states: Mapping[str, int]
    so_far: bool = False

    @property
    def rows(self) -> int:
        """Rows that there are; each reader of the plan has one."""
        return sum(self.states.values())

    @property
    def ended(self) -> int:
        return sum(n for state, n in self.states.items() if State(state) in FINAL)

    @property
    def missing(self) -> int:
        """Mails without an end; below zero: there are more rows than were planned."""
        return self.planned - self.ended

    @property
    def under_way(self) -> int:
        return sum(n for state, n in self.states.items() if state in _UNDER_WAY)

    @property
    def words(self) -> str:
        """What is missing, in words, "" when it balances."""
        told = []
        if self.rows < self.planned:
            told.append(f"{self.planned - self.rows:,} of {self.planned:,} have no row")
        if self.rows > self.planned:
            told.append(f"{self.rows - self.planned:,} more rows than the {self.planned:,} planned")
        if in_doubt := self.states.get(State.UNKNOWN, 0):
            told.append(f"{in_doubt:,} held and not settled")
        if self.under_way:
            told.append(f"{self.under_way:,} under way")
        return ", ".join(told)


def balance_of(edition: EditionRow, states: Mapping[str, int]) -> Balance:
    """The balance of an edition whose rows were counted."""
    so_far = edition.planned is None
    planned = sum(states.values()) if edition.planned is None else edition.planned
    return Balance(planned=planned, states=states, so_far=so_far)


def balance(session: Session, edition: EditionRow) -> Balance:
    """Count an edition. A rolling edition's plan is the rows it has so far."""
    assert edition.id is not None
    return balance_of(edition, editions_store.count_states(session, edition.id))


def uneven(edition: EditionRow, counted: Balance, now: datetime | None = None) -> str:
    """What everybody is told of an edition that does not balance, "" when it does or is still
    under way. now: to give one the time to be planned."""
    if edition.planned is None and edition.kind in FROZEN and edition.state == EditionState.OPEN:
        kept = edition.options.get(INTENT) or {}
        is_young = now is not None and now - edition.opened_at < _HALF_PLANNED
        if is_young and not kept.get("rests"):
            return ""
        step = "send the group again" if edition.options.get("resend_of") else "resume it"
        why = f" What stood in its way: {fault}" if (fault := kept.get("fault")) else ""
        return f"It was not planned to its end: {step}, or cancel it.{why}"
    if counted.rows != counted.planned:
        return f"It does not balance: {counted.words}."
    is_over = edition.state in (EditionState.DONE, EditionState.INCOMPLETE, EditionState.CANCELLED)
    if is_over and counted.missing and not counted.under_way:
        return f"It does not balance: {counted.words}."
    return ""


def list_uneven(session: Session, now: datetime) -> dict[int, str]:
    """Every edition that does not balance, newest first, with what is told of it; drafts, and what
    is under way, are none."""
    states = audience_store.count_all_states(session, notices=True)
    found = editions_store.list_editions(session, kinds=KINDS)
    told = {e.id or 0: uneven(e, balance_of(e, states.get(e.id or 0, {})), now) for e in found}
    return {edition_id: words for edition_id, words in told.items() if words}


def settle_editions(rt: Runtime) -> int:
    """Close every edition whose time is over: done when it balances, else incomplete, and the staff
    is told. Returns how many were done."""
    now = rt.clock()
    over = rt.db.read(
        lambda s: [e.id for e in editions_store.list_unsettled(s) if _moves(s, e, now)]
    )
    closed = [
        rt.db.write(lambda s, i=i: _settle(rt, s, i, now), Priority.MAIL)  # type: ignore[misc]
        for i in over
    ]
    rt.db.write(lambda s: _tell(rt, s, now), Priority.MAIL)
    return sum(closed)


def _moves(session: Session, edition: EditionRow, now: datetime) -> bool:
    state = next_state(edition, balance(session, edition), now)
    return state != edition.state and edition_can(EditionState(edition.state), state)


def _settle(rt: Runtime, session: Session, edition_id: int, now: datetime) -> bool:
    """One edition, held: no row comes to it, and nobody cancels it, between its count and what is
    written down. Whether it is done."""
    edition = editions_store.hold_number(session, edition_id)
    if edition is None or not _moves(session, edition, now):
        return False
    counted = balance(session, edition)
    state = next_state(edition, counted, now)
    values: dict[str, object] = {"state": str(state)}
    if state in (EditionState.DONE, EditionState.INCOMPLETE) and edition.planned is None:
        values["planned"] = counted.rows  # the balance of a rolling one is taken
    if state is EditionState.DONE:
        values["counted"] = dict(counted.states)
    editions_store.set_edition(session, edition_id, **values)
    if state is EditionState.DONE:
        _tell_done(session, edition, counted, now)
    if state in (EditionState.DONE, EditionState.INCOMPLETE):
        report_done(rt, session, edition, now)
    return state is EditionState.DONE


def _tell_done(session: Session, edition: EditionRow, counted: Balance, now: datetime) -> None:
    """Other programs hear of it; a notice is a mail to one."""
    if edition.kind != "notice":
        facts = {
            "edition": edition.id,
            "kind": edition.kind,
            "slot": edition.slot,
            "title": edition.title,
            "planned": counted.rows,
            "states": {str(state): n for state, n in counted.states.items()},
        }
        tell(session, now, "edition.done", facts)


def next_state(edition: EditionRow, counted: Balance, now: datetime) -> EditionState:
    """What an edition that is not over should be. Pure."""
    state = EditionState(edition.state)
    if edition.planned is None:
        if edition.kind in FROZEN:
            return state  # not planned to its end: it is completed, or cancelled
        if edition.closes_at is not None and edition.closes_at > now:
            return state
    if counted.missing == 0:
        return EditionState.DONE
    settles_itself = edition.kind != "newsletter" and counted.states.get(State.UNKNOWN, 0)
    if not counted.under_way and not settles_itself:
        return EditionState.INCOMPLETE
    if state is EditionState.INCOMPLETE:
        return EditionState.OPEN  # what was in doubt goes again
    is_rolling = edition.kind not in FROZEN
    return EditionState.CLOSING if is_rolling else state


def _tell(rt: Runtime, session: Session, now: datetime) -> None:
    """An alarm for each edition that does not balance, for as long as it does not."""
    told = set()
    for edition in editions_store.list_doubtful_editions(session, now - _HALF_PLANNED):
        counted = balance(session, edition)
        words = uneven(edition, counted, now)
        if not words:
            continue
        told.add(str(edition.id))
        name = f"{edition.kind} {edition.title or edition.slot}"
        what = f"Edition {edition.id}: {words[0].lower()}{words[1:]}"
        step = f"Look at it: paperpost editions show {edition.id}."
        if counted.states.get(State.UNKNOWN):
            step = (
                "Say what became of the held ones, on its page or by paperpost deliveries"
                f" resolve-held --edition {edition.id} --as accepted, presumed or ready."
            )
        raise_alarm(
            rt,
            session,
            Alarm(kind=KIND, key=str(edition.id), what=what, place=name, next_step=step),
        )
    for row in alarms_store.list_open(session):
        if row.kind == KIND and row.key not in told:
            end_alarm(rt, session, KIND, row.key)
