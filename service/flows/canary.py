"""The first few of a large send: what became of them, and the word that lets the rest go."""

from dataclasses import dataclass
from datetime import datetime

from service.flows.editions import EditionError, need_edition
from service.flows.runtime import Runtime
from service.flows.staff import audit_edition
from service.store import audience as audience_store
from service.store import editions as editions_store
from service.store.db import Priority, Session
from service.store.tables import EditionRow


@dataclass(frozen=True, slots=True)
class Canary:
    """mails: the first ones · tried: those of them that went to the relay at least once, whatever
    it said · rest: mails that wait for a person's word (0 = none, or they were let go)."""

    mails: int
    tried: int
    rest: int

    @property
    def is_over(self) -> bool:
        """True when there is something to look at and something to let go."""
        return self.rest > 0 and self.tried >= self.mails


def look(session: Session, edition: EditionRow, now: datetime) -> Canary | None:
    """The canary of an edition, None when it has none."""
    if not edition.options.get("canary") or edition.id is None:
        return None
    rest, untried = audience_store.count_untried(session, edition.id, now)
    states = editions_store.count_states(session, edition.id)
    mails = sum(n for state, n in states.items() if state not in ("skipped", "suppressed")) - rest
    is_begun = edition.not_before is None or edition.not_before <= now
    return Canary(mails, mails - untried if is_begun else 0, rest)


def go_on(rt: Runtime, edition_id: int, *, by: str, address: str = "") -> int:
    """The canary looks well: the rest may go. Returns how many.

    Raises EditionError: there is no rest, or the first ones have not all been tried.
    """

    def free(session: Session) -> int:
        now = rt.clock()
        found = look(session, need_edition(session, edition_id), now)
        if found is None or not found.rest:
            raise EditionError(f"Nothing of edition {edition_id} waits for a canary.")
        if not found.is_over:
            raise EditionError(
                f"The first mails of edition {edition_id} were not all tried "
                f"({found.tried} of {found.mails}).",
                "",
                "Let the rest go when all of them were.",
            )
        n = audience_store.set_wait(session, edition_id, None, after=now)
        audit_edition(
            session, now, edition_id, by, "send the rest", after={"mails": n}, address=address
        )
        return n

    freed = rt.db.write(free, Priority.WEB)
    rt.engine.enqueue("send")
    return freed
