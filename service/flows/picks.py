"""An editor's picks: up to three papers above all others in the digests of a date, and on its page.

Mails composed before keep what they had. Who switched off what editors write and pick has none of
them, who had a pick before does not get it again, and a pick alone makes no mail: a reader's mail
comes for their own words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from service.errors import PaperpostError
from service.flows.audience import ManualError, find_paper_id
from service.flows.daily import check_date
from service.flows.note import LAST_ENDS
from service.flows.runtime import Runtime
from service.flows.staff import write_audit
from service.store import editions as editions_store
from service.store import papers as papers_store
from service.store import picks as store
from service.store.db import Priority, Session
from service.store.sole import hold_name

MOST_PICKS = 3


class PickError(PaperpostError):
    """A paper that cannot be picked, or a day that is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picked:
    """papers: (id, title, name like "arxiv/2611.00001") in their order · without: mails of the date
    that were composed before."""

    on: date
    papers: tuple[tuple[int, str, str], ...]
    without: int = 0

    def facts(self) -> dict[str, Any]:
        """As the API and ``--json`` say it."""
        return {
            "on": self.on.isoformat(),
            "papers": [
                {"id": number, "title": title, "paper": name} for number, title, name in self.papers
            ],
            "mails_without": self.without,
        }


def read_picks(rt: Runtime, on: date) -> Picked:
    """The picks of a day."""
    return rt.db.read(lambda s: Picked(on=on, papers=_told(s, store.list_picks(s, on))))


def set_picks(
    rt: Runtime, on: date, papers: Sequence[str], *, by: str, address: str = ""
) -> Picked:
    """The picks of a day are these papers in this order; none takes them away.

    papers: each named like "arxiv/2611.00001", by an address, or by our number. Raises PickError:
    more than three, one that there is not, or the date is over everywhere; DateError: later than
    tomorrow.
    """
    check_date(rt, on)
    now = rt.clock()
    if on < (now - LAST_ENDS).date():
        raise PickError(f"{on} is over.", "--on", "Its mails stay as they are.")

    def act(session: Session) -> Picked:
        hold_name(session, f"picks {on}")
        try:
            ids = list(dict.fromkeys(find_paper_id(session, one) for one in papers))
        except ManualError as error:
            raise PickError(error.what, "papers", error.next_step) from None
        if len(ids) > MOST_PICKS:
            raise PickError(
                f"{len(ids)} papers are too many.", "papers", f"Pick {MOST_PICKS} at most."
            )
        rows = papers_store.get_rows(session, ids)
        if hidden := next((rows[i][0].title for i in ids if rows[i][0].quarantined), ""):
            raise PickError(f"“{hidden[:80]}” is hidden.", "papers", "Show it again first.")
        before = store.list_picks(session, on)
        if before != ids:
            store.put_picks(session, on, ids, by, now)
            write_audit(
                session, now, who=by, what="pick", target=f"digest {on}",
                before={"papers": [name for _, _, name in _told(session, before)]},
                after={"papers": [name for _, _, name in _told(session, ids)]},
                address=address,
            )  # fmt: skip
        edition = editions_store.get_edition(session, kind="digest", slot=on.isoformat())
        states = editions_store.count_states(session, edition.id or 0) if edition else {}
        composed = sum(n for state, n in states.items() if state not in ("planned", "skipped"))
        return Picked(on=on, papers=_told(session, ids), without=composed if before != ids else 0)

    return rt.db.write(act, Priority.WEB)


def moved(ids: Sequence[int], paper_id: int, act: str) -> list[int]:
    """The order of picks after one press. act: pick, unpick, up, down."""
    order = [one for one in ids if one != paper_id]
    if act == "unpick":
        return order
    at = ids.index(paper_id) if paper_id in ids else len(order)
    place = {"up": at - 1, "down": at + 1}.get(act, len(order))
    order.insert(min(max(place, 0), len(order)), paper_id)
    return order


def _told(session: Session, ids: Sequence[int]) -> tuple[tuple[int, str, str], ...]:
    rows = papers_store.get_rows(session, ids)
    keys = papers_store.list_keys(session, ids)
    return tuple((i, rows[i][0].title, "/".join(keys.get(i, ("", "")))) for i in ids if i in rows)
