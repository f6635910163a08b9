"""Who came after a send: readers of its segment who joined or confirmed since, and have no mail of
it. They get it by a send of its own, which is looked at and confirmed like any other."""

from service.flows import drafts
from service.flows.audience import KINDS, Plan
from service.flows.editions import EditionError, need_edition
from service.flows.frozen import FROZEN
from service.flows.runtime import Runtime
from service.flows.segment import SegmentError, find_readers, read_segment
from service.store import delivery_lists
from service.store import editions as editions_store
from service.store.db import Session
from service.store.tables import EditionRow


def count_late(session: Session, edition: EditionRow) -> int:
    """How many came after an edition was begun; 0 for one that is of no fixed audience."""
    if edition.kind not in FROZEN or edition.planned is None or edition.id is None:
        return 0
    try:
        return len(find_readers(session, read_segment(f"late:{edition.id}", from_files=False)))
    except SegmentError:  # it went to a list that is not kept
        return 0


def late_plan(rt: Runtime, edition_id: int, by: str) -> Plan:
    """The same send to those who came later. Its key is the same until it is begun, so that two
    who do this at once make one edition. Raises EditionError."""

    def read(session: Session) -> Plan:
        need_edition(session, edition_id)
        family = delivery_lists.list_family(session, edition_id)
        first = need_edition(session, family[0])
        if first.kind not in FROZEN:
            raise EditionError(
                f"Nobody comes too late for edition {edition_id}.",
                "",
                "The daily goes to whoever joins by itself.",
            )
        rows = [editions_store.get_edition(session, id=number) for number in family]
        n = sum(1 for row in rows if row is not None and row.options.get("late_of"))
        return Plan(
            kind=next(kind for kind in KINDS if kind == first.kind),
            segment=read_segment(f"late:{first.id}", from_files=False),
            papers=tuple(first.options.get("papers", ())),
            subject=first.title,
            body=str(first.options.get("body", "")),
            key=f"late:{first.id}:{n + 1}",
            created_by=by,
        )

    return rt.db.read(read)


def compose_late(rt: Runtime, edition_id: int, by: str) -> str:
    """Keep that send as a draft, to be looked at; returns its key. Raises EditionError, or
    SegmentError where the first one was for a list that is not kept."""
    plan = late_plan(rt, edition_id, by)
    rt.db.read(lambda s: find_readers(s, plan.segment))
    typed = {
        "kind": plan.kind,
        "papers": "\n".join(map(str, plan.papers)),
        "segment": "late",
        "value": str(plan.segment.edition_id),
        "subject": plan.subject,
        "body": plan.body,
    }
    return drafts.keep(rt, plan, typed).key
