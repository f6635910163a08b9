"""Held mails settled by a person, many at once: counted first, then done for that number."""

from dataclasses import dataclass, replace
from typing import Any

from service.delivery.states import State
from service.flows.reconcile import ANSWERS, ResolveError, settle_by_hand
from service.flows.runtime import Runtime
from service.flows.staff import write_audit
from service.store import staff as staff_store
from service.store.db import Priority, Session
from service.store.delivery_lists import Chosen, count_chosen, list_ids, whole_of
from service.text.tally import tally

_PART = 200
"""Mails in one transaction, so that a reader's click never waits long."""

_FITS = {
    "accepted": (str(State.UNKNOWN), str(State.PRESUMED)),
    "presumed": (str(State.UNKNOWN),),
    "ready": (str(State.UNKNOWN),),
}
"""Which of the held ones an answer can be said of: papers of presumed ones ride in other mails."""


@dataclass(frozen=True, slots=True)
class Held:
    """Held mails that are chosen. mails: how many an answer fits · examples: ids of some."""

    answer: str
    mails: int
    examples: tuple[int, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {"answer": self.answer, "mails": self.mails, "examples": list(self.examples)}


def read_answer(answer: str) -> str:
    """A word of ``reconcile.ANSWERS``. Raises ResolveError."""
    if answer not in ANSWERS:
        raise ResolveError(f"{answer!r} is no answer.", "--as", f"Use {', '.join(ANSWERS)}.")
    return answer


def count_held(rt: Runtime, chosen: Chosen, answer: str) -> Held:
    """Of how many held mails this can be said. Raises ResolveError."""
    wanted = _wanted(chosen, read_answer(answer))

    def load(session: Session) -> Held:
        first = list_ids(session, wanted, order="oldest", limit=5)
        return Held(answer, count_chosen(session, wanted), tuple(first))

    return rt.db.read(load)


def resolve_held(
    rt: Runtime, chosen: Chosen, answer: str, by: str, address: str = "", *, expected: int
) -> dict[str, Any]:
    """Say one thing of many held mails. expected: of how many, as ``count_held`` told; another
    number does nothing. What was settled meanwhile by proof is left out. Raises ResolveError."""
    found = count_held(rt, chosen, answer)
    if found.mails != expected:
        raise ResolveError(
            f"Held now: {tally(found.mails, 'mail')}, not {expected:,}; nothing was done.",
            "mails",
            "Look once more, and say it of the number that stands there.",
        )
    wanted = _wanted(chosen, answer)
    facts: dict[str, Any] = {"answer": answer, "mails": 0}
    act = last = 0
    while facts["mails"] < expected:
        act, facts, last = rt.db.write(
            lambda s, n=act, f=facts, after=last: _part(rt, s, wanted, by, address, n, f, after),  # type: ignore[misc]
            Priority.WEB,
        )
        if not last:
            break
    if answer == "ready":
        rt.engine.enqueue("send")
    return {"answer": answer, "mails": facts["mails"]}


def _part(
    rt: Runtime,
    session: Session,
    wanted: Chosen,
    by: str,
    address: str,
    act: int,
    facts: dict[str, Any],
    after: int,
) -> tuple[int, dict[str, Any], int]:
    """(the row of the act, kept true by each portion, 0: there is none yet; what it says; the last
    one looked at, 0: there is none any more). facts: what it said before."""
    rows = whole_of(session, list_ids(session, wanted, order="oldest", limit=_PART, after_id=after))
    done = [row.id for row in rows if settle_by_hand(rt, session, row, facts["answer"], by)]
    if done:
        numbers = {"first": facts.get("first", done[0]), "last": done[-1]}
        facts = {**facts, "mails": facts["mails"] + len(done), **numbers}
        if act:
            staff_store.set_after(session, act, facts)
        else:
            target = f"edition {wanted.edition_id}" if wanted.edition_id else "held deliveries"
            act = write_audit(
                session, rt.clock(), who=by, what="resolve", target=target, after=facts,
                address=address,
            )  # fmt: skip
    return act, facts, (rows[-1].id or 0) if rows else 0


def _wanted(chosen: Chosen, answer: str) -> Chosen:
    return replace(chosen, states=_FITS[answer], held_by=None)
