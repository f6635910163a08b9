"""What an editor composed and did not send yet: an edition in state ``draft``, in no list of them.

It outlives a restart. When the send begins, the draft's row becomes the edition, so that one key is
one edition whatever is pressed twice. Drafts that nobody sends go after 30 days (tidy).
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from service.flows.audience import ManualError, Plan
from service.flows.manual import find_started
from service.flows.runtime import Runtime
from service.flows.segment import read_segment
from service.store import editions as editions_store
from service.store.db import Priority, Session
from service.store.tables import EditionRow

OFFERED = 5


class DraftError(ManualError):
    """There is no such draft (any more)."""


@dataclass(frozen=True, slots=True)
class Draft:
    """plan: as it was read · typed: the form, to be changed."""

    plan: Plan
    typed: Mapping[str, str]
    kept_at: datetime

    @property
    def title(self) -> str:
        """The subject, when it has one."""
        return self.plan.subject


def keep(rt: Runtime, plan: Plan, typed: Mapping[str, str]) -> tuple[str, int]:
    """Keep what was composed under its key; the newest words stand.

    Returns (key, edition that this key began earlier: the draft is not kept then; else 0). What
    was begun and taken back is over: its key is spent, and the draft is kept under a new one.
    """

    def put(session: Session) -> tuple[str, int]:
        begun, key = find_started(session, plan.kind, plan.key), plan.key
        if begun is not None:
            edition = editions_store.get_edition(session, id=begun.edition_id)
            if edition is None or edition.state != "cancelled":
                return key, begun.edition_id
            key = secrets.token_hex(8)
        elif _half_planned(session, key) is not None:
            return key, 0
        editions_store.put_draft(
            session,
            key,
            now=rt.clock(),
            title=plan.subject,
            created_by=plan.created_by,
            options={"draft": _written(plan), "typed": {**typed, "key": key}},
        )
        return key, 0

    return rt.db.write(put, Priority.WEB)


def find(rt: Runtime, key: str) -> Draft | None:
    """The draft of a key, also of an edition that a crash left half planned (its send goes on)."""

    def look(session: Session) -> EditionRow | None:
        row = editions_store.get_edition(session, kind=editions_store.DRAFT, slot=key)
        return row or _half_planned(session, key)

    row = rt.db.read(look)
    return _draft(row) if row is not None else None


def _half_planned(session: Session, key: str) -> EditionRow | None:
    for kind in ("manual", "newsletter"):
        row = editions_store.get_edition(session, kind=kind, slot=key)
        if row is not None and row.planned is None and "draft" in row.options:
            return row
    return None


def need(rt: Runtime, key: str) -> Draft:
    """The draft of a key. Raises DraftError."""
    found = find(rt, key)
    if found is None:
        raise DraftError(
            "There is no such draft; drafts are kept for 30 days.",
            "",
            "Compose it again; nothing was sent.",
        )
    return found


def begun(rt: Runtime, key: str) -> int:
    """The edition that a key began, else 0."""

    def look(session: Session) -> int:
        for kind in ("manual", "newsletter", "daily"):
            made = find_started(session, kind, key)
            if made is not None:
                return made.edition_id
        return 0

    return rt.db.read(look)


def typed_before(rt: Runtime, key: str) -> dict[str, str]:
    """The form of a draft, or of the edition it became: that one without its key, so that
    composing it again makes another, and without a list of addresses."""
    found = find(rt, key)
    if found is not None:
        return dict(found.typed)
    number = begun(rt, key)
    row = rt.db.read(lambda s: editions_store.get_edition(s, id=number)) if number else None
    typed = row.options.get("typed", {}) if row is not None else {}
    left_out = {"key", "value"} if typed.get("segment") == "list" else {"key"}
    return {name: text for name, text in typed.items() if name not in left_out}


def unsent(rt: Runtime) -> list[Draft]:
    """Drafts of chosen papers and newsletters, newest first."""
    rows = rt.db.read(
        lambda s: editions_store.list_editions(s, kinds=[editions_store.DRAFT], limit=50)
    )
    made = [_draft(row) for row in rows]
    wanted = [d for d in made if d.plan.kind in ("manual", "newsletter")]
    return sorted(wanted, key=lambda d: d.kept_at, reverse=True)[:OFFERED]


def _written(plan: Plan) -> dict[str, Any]:
    return {
        "kind": plan.kind,
        "segment": plan.segment.text,
        "unread": plan.segment.unread,
        "papers": list(plan.papers),
        "body": plan.body,
        "canary": plan.canary,
        "dates": plan.dates,
    }


def _draft(row: EditionRow) -> Draft:
    kept = row.options["draft"]
    plan = Plan(
        kind=kept["kind"],
        segment=replace(read_segment(kept["segment"], from_files=False), unread=kept["unread"]),
        papers=tuple(kept["papers"]),
        subject=row.title,
        body=kept["body"],
        key=row.slot,
        created_by=row.created_by,
        canary=kept["canary"],
        dates=kept["dates"],
    )
    return Draft(plan, row.options["typed"], row.opened_at)
