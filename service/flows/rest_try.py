"""A rest is tried before its time: one mail goes at once, as the one that its end would let go.

Nothing of the rest is forgotten. It was opened with one conversation at once and its number of
rests in a row; the answer to the mail says whether it comes back or rests again, for longer.
"""

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from service.errors import PaperpostError
from service.flows.runtime import Runtime
from service.flows.staff import write_audit
from service.store import rests as rests_store
from service.store.db import Priority, Session
from service.store.rests import ACCOUNT, DOMAIN, EVERY
from service.store.routes import domains_of, groups_of
from service.store.waiting import count_due


class RestError(PaperpostError):
    """Nothing rests under this name, or something else keeps its mails back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """name: a group of receiving domains, "*" = everything · until: when the rest would have
    ended · waiting: mails that may go now, one at a time; 0 = the next that is due is the try."""

    name: str
    until: datetime
    waiting: int

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def says(self) -> str:
        """What comes next, in words for staff."""
        who = "everything" if self.name == EVERY else self.name
        if not self.waiting:
            return f"No mail waits for {who} now: the next one that is due is the try."
        return (
            f"One mail of {self.waiting:,} goes now. Taken, the others follow; refused, the rest"
            " begins anew and is longer."
        )


def try_one(rt: Runtime, name: str, *, by: str, address: str = "") -> Tried:
    """Let one mail go as the trial of a rest, now instead of at its end. name: a receiving domain
    or its group, "*" for everything. Raises RestError."""

    def act(session: Session) -> Tried:
        now, wanted = rt.clock(), name.strip().lower()
        scope = ACCOUNT if wanted == EVERY else DOMAIN
        key = EVERY if scope == ACCOUNT else groups_of(session, [wanted])[wanted]
        account = rests_store.hold(session, ACCOUNT, [EVERY], now)[EVERY]
        if scope == DOMAIN and account.is_resting(now):
            raise RestError(
                "Everything rests, so no mail would go.", "name", 'Try "*" (everything) first.'
            )
        breaker = account if scope == ACCOUNT else rests_store.hold(session, scope, [key], now)[key]
        if breaker.until is None or not breaker.is_resting(now):
            raise RestError(
                "Nothing rests." if key == EVERY else f"{key} does not rest.",
                "name",
                "paperpost deliveries pace says who rests; its mails go by themselves.",
            )
        rests_store.write(session, scope, {key: replace(breaker, until=now)}, now)
        mine = None if scope == ACCOUNT else domains_of(session, [key]) | {wanted}
        rests_store.try_now(session, now, mine)
        due = count_due(session, now)
        waiting = sum(n for (domain, _), n in due.items() if mine is None or domain in mine)
        tried = Tried(name=key, until=breaker.until, waiting=waiting)
        write_audit(
            session,
            now,
            who=by,
            what="try one mail",
            target="everything" if key == EVERY else key,
            before={"until": breaker.until.isoformat(), "cause": breaker.cause},
            after={"until": now.isoformat(), "waiting": waiting},
            address=address,
        )
        rt.log("rest_tried", scope=scope, key=key, waiting=waiting)
        return tried

    return rt.db.write(act, Priority.WEB)
