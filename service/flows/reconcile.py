"""What became of mails in doubt: proof first, then a rule by kind, and a person's word.

Proof that the relay has it: its log says so, or somebody opened a link that only this mail holds.
Proof that it has not: its log says that it refused the whole message. Nothing else sends a digest
again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from service.delivery.relay_log import Proof, Reader
from service.delivery.states import HELD, State
from service.errors import PaperpostError
from service.flows.alarms import Alarm, end_alarm, raise_alarm
from service.flows.editions import NoEditionError
from service.flows.runtime import Runtime
from service.flows.staff import write_audit
from service.store import alarms as alarms_store
from service.store import deliveries as deliveries_store
from service.store import editions as editions_store
from service.store import leases as leases_store
from service.store import relay_log as relay_log_store
from service.store.db import REFUSED, Priority, Session
from service.store.log_files import Place, Portion, read_on
from service.store.restored import RESTORED
from service.store.sent import TESTED
from service.store.tables import DeliveryRow

DOUBT = timedelta(minutes=30)
"""After so long without proof a mail in doubt is settled by its kind."""

PORTIONS = 16
"""Portions of a log (1 MiB each) that one sweep reads at most."""

KIND = "relay log"

ANSWERS: Mapping[str, State] = {
    "accepted": State.ACCEPTED,
    "presumed": State.PRESUMED,
    "ready": State.READY,
}
"""What a person may say of a mail in doubt: it came · nobody will ever know · it did not come,
send it again."""


class ResolveError(PaperpostError):
    """A mail that is not in doubt, or an answer that does not fit it."""


@dataclass(kw_only=True)
class Reconciled:
    """accepted: by proof · again: refused by the relay, or a notice · presumed: nobody knows ·
    waits: proofs of mails that are under way just now, to be looked at again."""

    accepted: int = 0
    again: int = 0
    presumed: int = 0
    waits: list[Proof] = field(default_factory=list)


def reconcile(rt: Runtime) -> Reconciled:
    """Look for proof in the relay's log, then settle what has been in doubt for long enough."""
    report = read_log(rt)
    now = rt.clock()
    last = 0
    while rows := rt.db.read(
        lambda s, i=last: leases_store.list_doubtful(s, now - DOUBT, after_id=i)  # type: ignore[misc]
    ):
        last = rows[-1].id or 0
        states = rt.db.write(
            lambda s, r=rows: [_by_kind(s, row, now) for row in r],  # type: ignore[misc]
            Priority.MAIL,
        )
        report.again += states.count(State.READY)
        report.presumed += states.count(State.PRESUMED)
    if report.accepted or report.again or report.presumed:
        rt.log(
            "reconciled",
            accepted=report.accepted,
            again=report.again,
            presumed=report.presumed,
        )
    return report


def _by_kind(session: Session, row: DeliveryRow, now: datetime) -> State | None:
    """A notice is sent again (same Message-ID), a digest becomes presumed and its papers ride in
    the next one, a newsletter stays held until a person decides."""
    edition = editions_store.get_edition(session, id=row.edition_id)
    if edition is None or edition.kind == "newsletter":
        return None
    is_again = edition.kind == "notice" and row.rcpt is not None  # who was erased has no address
    state = State.READY if is_again else State.PRESUMED
    reason = {"reason": "sent again after doubt"} if state is State.READY else {}
    return state if leases_store.mark_outcome(session, row, state, now, **reason) else None


def read_log(rt: Runtime) -> Reconciled:
    """Read the relay's log on, where one is set; proof and the place are one unit of work."""
    report = Reconciled()
    if rt.relay_log is None:
        return report
    path = str(rt.relay_log)
    try:
        for _ in range(PORTIONS):
            place, kept, _read = rt.db.read(lambda s: relay_log_store.get_place(s, path))
            portion = read_on(rt.relay_log, place)
            if not portion.lines and portion.place == place and not kept.get("proofs"):
                break
            made = rt.db.write(
                lambda s, p=portion, k=kept: _take(rt, s, path, p, k),  # type: ignore[misc]
                Priority.MAIL,
            )
            report.accepted += made.accepted
            report.again += made.again
            if not portion.more:
                break
    except OSError as error:
        words = error.strerror or type(error).__name__
        rt.db.write(lambda s: _unreadable(rt, s, words), Priority.MAIL)
        return report
    if rt.db.read(_was_unreadable):
        rt.db.write(lambda s: end_alarm(rt, s, KIND, "unreadable"), Priority.MAIL)
    return report


def _was_unreadable(session: Session) -> bool:
    row = alarms_store.get_alarm(session, KIND, "unreadable")
    return row is not None and row.ended_at is None


def _unreadable(rt: Runtime, session: Session, words: str) -> None:
    alarm = Alarm(
        kind=KIND,
        key="unreadable",
        what=f"The relay's log cannot be read: {words}. Held mails stay so for longer.",
        place=f"PAPERPOST_RELAY_LOG={rt.relay_log}",
        next_step="Let the user of Paperpost read it (group adm), or take the setting out.",
    )
    raise_alarm(rt, session, alarm)


def _take(
    rt: Runtime, session: Session, path: str, portion: Portion, kept: Mapping[str, Any]
) -> Reconciled:
    """Apply the proofs of some lines, and those that wait for their mail to come to rest."""
    reader = Reader.resumed(rt.mail_domain, kept)
    proofs = [*(Proof(*facts) for facts in kept.get("proofs", ())), *reader.read(portion.lines)]
    made = apply_proofs(rt, session, proofs)
    now_kept = reader.kept() | {
        "proofs": [[p.message_id, p.verdict, p.queue_id, p.words] for p in made.waits],
        "short": int(kept.get("short", 0)) + reader.short,
        "known": int(kept.get("known", 0)) + reader.known,
    }
    if portion.lost:
        rt.log("relay_log_lost", what="lines between the last reading and a rotation are gone")
    relay_log_store.set_place(session, path, portion.place, now_kept, rt.clock())
    return made


def apply_proofs(rt: Runtime, session: Session, proofs: Sequence[Proof]) -> Reconciled:
    """Settle mails in doubt by what the relay's log says of them. Taken goes before refused: a
    refusal may be of an earlier try."""
    best: dict[str, Proof] = {}
    for proof in proofs:
        if proof.message_id not in best or best[proof.message_id].verdict == "refused":
            best[proof.message_id] = proof
    made = Reconciled()
    for message_id, (delivery_id, state) in relay_log_store.find_states(session, [*best]).items():
        proof = best[message_id]
        if state in (State.LEASED, State.SENDING):
            made.waits.append(proof)
        elif state in HELD:
            row = deliveries_store.get_delivery(session, id=delivery_id)
            assert row is not None
            how = f"the relay's log: {proof.words}"
            if proof.verdict == "taken":
                made.accepted += prove_taken(rt, session, row, how, queue_id=proof.queue_id)
            else:
                made.again += _prove_refused(rt, session, row, how, proof.queue_id)
    return made


def prove_taken(
    rt: Runtime, session: Session, row: DeliveryRow, how: str, *, queue_id: str = ""
) -> bool:
    """A mail in doubt was taken by the relay: accepted, and its papers were sent. how: the proof,
    in words. False: it is not in doubt any more."""
    now = rt.clock()
    reason = TESTED if rt.test_recipient else f"proof: {how}"[:500]
    if row.state not in HELD or not leases_store.mark_outcome(
        session, row, State.ACCEPTED, now, reason=reason
    ):
        return False
    _note(session, row, now, how, queue_id)
    return True


def _prove_refused(
    rt: Runtime, session: Session, row: DeliveryRow, how: str, queue_id: str
) -> bool:
    """The relay refused it: it may go again. Only of a first try: a refusal in the log may be of an
    earlier one, and the last may have been taken. A backup that was restored does not know how many
    there were."""
    if row.state != State.UNKNOWN or row.attempts != 1 or row.reason == RESTORED:
        return False
    moved = _free(rt, session, row, f"proof that it was not taken: {how}"[:500])
    if moved:
        _note(session, row, rt.clock(), how, queue_id)
    return moved


def _free(rt: Runtime, session: Session, row: DeliveryRow, reason: str, **values: Any) -> bool:
    """unknown -> ready; in an edition that was cancelled meanwhile it is cancelled, too."""
    now = rt.clock()
    if not leases_store.mark_outcome(session, row, State.READY, now, reason=reason, **values):
        return False
    edition = editions_store.get_edition(session, id=row.edition_id)
    if edition is not None and edition.state == "cancelled":
        leases_store.mark_outcome(session, row, State.CANCELLED, now, reason="cancelled")
    return True


def _note(session: Session, row: DeliveryRow, now: datetime, how: str, queue_id: str) -> None:
    deliveries_store.add_attempt(
        session,
        delivery_id=row.id or 0,
        n=row.attempts,
        phase="proof",
        at=now,
        text=how,
        relay_id=queue_id,
    )


def opened(rt: Runtime, row: DeliveryRow) -> None:
    """Somebody came by a link that only this mail holds: it was taken, if it was in doubt. For all
    other mails nothing is written; a database that does not take it harms no page."""
    if row.state not in HELD or row.id is None:
        return
    delivery_id = row.id

    def act(session: Session) -> bool:
        now = deliveries_store.get_delivery(session, id=delivery_id)
        return now is not None and prove_taken(rt, session, now, "a link of it was opened")

    try:
        rt.db.write(act, Priority.MAIL)
    except REFUSED as error:
        rt.log("proof_failed", delivery=delivery_id, error=type(error).__name__)


def resolve(
    rt: Runtime, delivery_id: int, answer: str, by: str, address: str = ""
) -> dict[str, Any]:
    """A person says what became of a held mail. Returns id, before, state. Raises
    ResolveError, NoEditionError: there is no such delivery."""

    def act(session: Session) -> dict[str, Any]:
        row = deliveries_store.get_delivery(session, id=delivery_id)
        if row is None:
            raise NoEditionError(
                f"There is no delivery {delivery_id}.", "", "paperpost deliveries list"
            )
        before, state = row.state, _answer(row, answer)
        settle_by_hand(rt, session, row, answer, by)
        write_audit(
            session,
            rt.clock(),
            who=by,
            what="resolve",
            target=f"delivery {delivery_id}",
            before={"state": before},
            after={"state": str(state)},
            address=address,
        )
        return {"id": delivery_id, "before": before, "state": str(state)}

    made = rt.db.write(act, Priority.WEB)
    if made["state"] == State.READY:
        rt.engine.enqueue("send")
    return made


def settle_by_hand(rt: Runtime, session: Session, row: DeliveryRow, answer: str, by: str) -> bool:
    """Do what somebody said of a held mail; False: it is not held any more."""
    state, now, said = ANSWERS[answer], rt.clock(), f"{by} said: {answer}"
    if state is State.READY:
        hours = timedelta(hours=rt.defaults().digest_deadline_hours)
        moved = _free(rt, session, row, said, deadline_at=now + hours, not_before=None)
    else:
        is_test = state is State.ACCEPTED and rt.test_recipient
        reason = TESTED if is_test else said
        moved = leases_store.mark_outcome(session, row, state, now, reason=reason)
    if moved:
        _note(session, row, now, said, "")
    return bool(moved)


def answers_for(state: str) -> tuple[str, ...]:
    """What a person may say of a mail in this state: of one whose papers ride in the next mail only
    that it came, of one that is not held nothing."""
    if state not in HELD:
        return ()
    return ("accepted",) if state == State.PRESUMED else tuple(ANSWERS)


def _answer(row: DeliveryRow, answer: str) -> State:
    if row.state not in HELD:
        raise ResolveError(
            f"Delivery {row.id} is {row.state}, not held.", "", "deliveries list --state held"
        )
    fitting = answers_for(row.state)
    if answer not in fitting:
        raise ResolveError(
            f"{answer!r} is no answer for a mail that is {row.state}.",
            "--as",
            f"Use {' or '.join(fitting)}.",
        )
    return ANSWERS[answer]


def log_facts(rt: Runtime) -> dict[str, Any]:
    """How the relay's log stands: path, read_at, problem ("" = none), short (lines with short queue
    ids that named mails of ours), known (lines that are Postfix's, of any mail)."""
    if rt.relay_log is None:
        return {"path": "", "read_at": None, "problem": "", "short": 0, "known": 0}
    path = str(rt.relay_log)
    place, kept, read_at = rt.db.read(lambda s: relay_log_store.get_place(s, path))
    problem = ""
    try:
        read_on(rt.relay_log, place or Place(), 1)
    except OSError as error:
        problem = error.strerror or type(error).__name__
    return {
        "path": path,
        "read_at": read_at,
        "problem": problem,
        "short": int(kept.get("short", 0)),
        "known": int(kept.get("known", 0)),
    }
