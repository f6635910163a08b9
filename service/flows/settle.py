"""The balance of editions: what was planned equals what has an end, or it says what is missing."""

from dataclasses import dataclass
from datetime import datetime

from service.delivery.states import FINAL, State
from service.flows.runtime import Runtime
from service.store import editions as editions_store
from service.store.db import Priority, Session
from service.store.tables import EditionRow


@dataclass(frozen=True, kw_only=True)
class Balance:
    """planned = accepted + failed + suppressed + expired + cancelled + skipped + presumed when
    nothing is missing; ``under_way`` counts the rest by state."""

    planned: int
    states: dict[str, int]

    @property
    def ended(self) -> int:
        return sum(n for state, n in self.states.items() if State(state) in FINAL)

    @property
    def missing(self) -> int:
        return self.planned - self.ended


def balance(session: Session, edition: EditionRow) -> Balance:
    """Count an edition. A rolling edition's plan is the rows it has so far."""
    assert edition.id is not None
    states = editions_store.count_states(session, edition.id)
    planned = edition.planned if edition.planned is not None else sum(states.values())
    return Balance(planned=planned, states=states)


def settle_editions(rt: Runtime) -> int:
    """Close every edition whose time is over: done when it balances, else incomplete."""
    return rt.db.write(lambda s: _settle(s, rt.clock()), Priority.MAIL)


def _settle(session: Session, now: datetime) -> int:
    closed = 0
    for edition in editions_store.list_unsettled(session):
        assert edition.id is not None
        counted = balance(session, edition)
        rolling = edition.planned is None
        if rolling and edition.kind in ("manual", "newsletter"):
            continue  # not planned to its end: it waits for the same key, or to be cancelled
        if rolling and edition.closes_at is not None and edition.closes_at > now:
            continue
        if counted.missing == 0:
            state = "done"
        elif set(counted.states) & {"planned", "ready", "leased", "sending", "deferred"}:
            state = "closing" if edition.state == "open" and rolling else edition.state
        else:
            state = "incomplete"
        if state != edition.state:
            editions_store.set_edition(session, edition.id, state=state)
            closed += state == "done"
    return closed
