"""The first few of a large send: what became of them, and the word that lets the rest go."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.flows.alarms import end_alarm, raise_alarm
from service.flows.breaker_alarms import about_edition, name_of
from service.flows.editions import EditionError, need_edition, shown_state
from service.flows.groups import plainly
from service.flows.runtime import Runtime
from service.flows.staff import audit_edition
from service.store import audience as audience_store
from service.store import editions as editions_store
from service.store.db import Priority, Session
from service.store.tables import EditionRow


@dataclass(frozen=True, slots=True)
class Canary:
    """mails: the first ones · tried: those of them that went to the relay at least once, whatever
    it said · rest: mails that wait for a person's word (0 = none, or they were let go) · accepted,
    deferred, refused: of the first ones, so far."""

    mails: int
    tried: int
    rest: int
    accepted: int = 0
    deferred: int = 0
    refused: int = 0

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
    mails = sum(n for state, n in states.items() if state not in ("skipped", "suppressed"))
    is_begun = edition.not_before is None or edition.not_before <= now
    if not is_begun:
        rest = max(0, mails - int(edition.options["canary"]))
    mails -= rest
    return Canary(
        mails,
        mails - untried if is_begun else 0,
        rest,
        accepted=states.get("accepted", 0),
        deferred=states.get("deferred", 0),
        refused=states.get("failed", 0) + states.get("expired", 0),
    )


def waiting(session: Session, editions: Sequence[int], now: datetime) -> dict[int, int]:
    """{edition: mails} of those whose first few were all tried and whose others wait for a word."""
    looked = {number: look(session, need_edition(session, number), now) for number in editions}
    return {number: found.rest for number, found in looked.items() if found and found.is_over}


def judge(rt: Runtime) -> int:
    """Sends whose first ones were refused too often pause by themselves, once each, and the staff
    is told. Returns how many."""
    return rt.db.write(lambda s: _judge(rt, s), Priority.MAIL)


def _judge(rt: Runtime, session: Session) -> int:
    now, most, paused = rt.clock(), rt.defaults().canary_refused_percent, 0
    for edition in editions_store.list_unsettled(session):
        options = edition.options
        if not options.get("canary") or options.get("judged") or edition.planned is None:
            continue
        found = look(session, edition, now)
        if found is None or not found.is_over:
            continue
        edition_id = edition.id or 0
        values: dict[str, Any] = {"options": {**options, "judged": True}}
        if found.refused * 100 > most * found.mails:
            domain, said = audience_store.find_refusal(session, edition_id)
            words = plainly(said) if said else ""
            why = (
                f"{found.refused} of the first {found.mails} "
                + ("was refused" if found.refused == 1 else "were refused")
                + (f": {words}" if words else "")
                + "."
            )
            values |= {"paused": True, "paused_why": why[:500]}
            name = name_of(edition)
            rt.log("edition_paused", edition=edition_id, refused=found.refused)
            raise_alarm(
                rt, session, about_edition(edition_id, name, why, domain, words, rest=found.rest)
            )
            paused += 1
        editions_store.set_edition(session, edition_id, **values)
    return paused


def go_on(rt: Runtime, edition_id: int, *, by: str, address: str = "") -> int:
    """The canary looks well, or well enough: the rest goes. A pause ends with it, whether the
    edition paused by itself or somebody paused it. Returns how many.

    Raises EditionError: there is no rest, or the first ones have not all been tried.
    """

    def free(session: Session) -> int:
        now = rt.clock()
        editions_store.hold_number(session, edition_id)  # nobody pauses or moves it meanwhile
        edition = need_edition(session, edition_id)
        found = look(session, edition, now)
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
        before = {"state": shown_state(edition), "why": edition.paused_why}
        if edition.paused:
            editions_store.set_edition(session, edition_id, paused=False, paused_why="")
            end_alarm(rt, session, "edition", str(edition_id))
        audit_edition(
            session, now, edition_id, by, "send the rest",
            before={name: value for name, value in before.items() if value},
            after={"state": edition.state, "mails": n}, address=address,
        )  # fmt: skip
        return n

    freed = rt.db.write(free, Priority.WEB)
    rt.engine.enqueue("send")
    return freed
