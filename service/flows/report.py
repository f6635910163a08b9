"""The report of a send by hand that is done, by mail: what became of it, and the way to its page.

It goes to whoever sent it, else to the installation's contact; to nobody where neither has an
address. A send from the command line tells at the end what became of it, and reports by mail only
where it was planned for later; what is sent again reports nothing.
"""

from collections import Counter
from datetime import datetime

from service.errors import PaperpostError
from service.flows.groups import refusals
from service.flows.notice import add_notice
from service.flows.runtime import Runtime
from service.store import editions as editions_store
from service.store import staff as staff_store
from service.store.db import Session
from service.store.tables import EditionRow
from service.subscribers.address import Address, read_address

KINDS = ("manual", "newsletter")
_MOST = 8
_GROUPS = (
    ("handed to the mail server", ("accepted",)),
    ("refused", ("failed",)),
    ("out of time", ("expired",)),
    ("held", ("unknown", "presumed")),
    ("suppressed", ("suppressed",)),
    ("cancelled", ("cancelled",)),
    ("no mail", ("skipped",)),
)


def report_done(rt: Runtime, session: Session, edition: EditionRow, now: datetime) -> bool:
    """Write the report of an edition that is done, once. Returns whether there is one."""
    if edition.kind not in KINDS or edition.id is None:
        return False
    is_planned_ahead = bool(edition.options.get("timing"))
    if edition.options.get("resend_of"):
        return False
    if not edition.created_by or (edition.created_by == "cli" and not is_planned_ahead):
        return False
    to = _whom(rt, session, edition.created_by)
    if to is None:
        return False
    states: Counter[str] = Counter(editions_store.count_states(session, edition.id))
    groups = [
        (words, sum(states[state] for state in of))
        for words, of in _GROUPS
        if sum(states[state] for state in of)
    ]
    refused = [
        (one["meaning"], one["count"], "; ".join(w["text"] for w in one["words"][:3]))
        for one in (group.as_dict() for group in refusals(session, edition.id)[:_MOST])
    ]
    data = {
        "accepted": states["accepted"],
        "planned": states.total() - states["skipped"] - states["suppressed"],
        "edition": edition.title or f"{edition.kind} {edition.id}",
        "groups": groups,
        "refused": refused,
        "link": rt.links.to(f"/admin/editions/{edition.id}"),
    }
    made = add_notice(
        rt, session, "report", email=to.email, email_key=to.key, data=data, now=now,
        key=str(edition.id),
    )  # fmt: skip
    return made is not None


def _whom(rt: Runtime, session: Session, name: str) -> Address | None:
    account = staff_store.get_admin(session, name=name) if name else None
    for text in (account.email if account is not None else "", rt.site.contact):
        try:
            return read_address(text)
        except PaperpostError:
            continue  # none is given
    return None
