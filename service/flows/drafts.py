"""What an editor composed and did not send yet: an edition in state ``draft``, in no list of them.

It is kept while one types, and outlives the session and a restart. When the send begins, the
draft's row becomes the edition, so that one key is one edition whatever is pressed twice. Drafts
that nobody sends go after 30 days (tidy).
"""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from service.flows.audience import ManualError, Plan
from service.flows.manual import find_started
from service.flows.runtime import Runtime
from service.flows.segment import read_segment
from service.flows.staff import write_audit
from service.store import editions as editions_store
from service.store.db import Priority, Session
from service.store.half_planned import find_half_planned
from service.store.tables import EditionRow

OFFERED = 10


class DraftError(ManualError):
    """There is no such draft (any more)."""


@dataclass(frozen=True, slots=True)
class Draft:
    """plan: as it was read, None for one that was only typed so far · typed: the form, to be
    changed · kept_by: who changed it last."""

    key: str
    plan: Plan | None
    typed: Mapping[str, str]
    kept_at: datetime
    kept_by: str

    @property
    def title(self) -> str:
        """The subject, or how the text begins."""
        words = self.typed.get("subject", "") or self.typed.get("body", "").lstrip("# ")
        return words.split("\n")[0][:70]

    @property
    def listed(self) -> int:
        """How many addresses came with it as a file or a list."""
        keys = self.plan.segment.keys if self.plan is not None else None
        return len(keys or ())


def mark_of(plan: Plan) -> str:
    """A short name of all that would be sent and to whom: another text has another one."""
    said = json.dumps([plan.subject, _written(plan)], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Kept:
    """key: under which it is kept · begun: the edition that the key began earlier, and nothing is
    kept then, else 0 · other: who changed the draft meanwhile, whose words stay under the old key.
    """

    key: str
    begun: int = 0
    other: str = ""


def keep(
    rt: Runtime,
    plan: Plan,
    typed: Mapping[str, str],
    *,
    seen_at: datetime | None = None,
    window: str = "",
) -> Kept:
    """Keep what was composed under its key. seen_at, window: as in ``keep_typed``; without them the
    newest words stand.

    What was begun and taken back is over: its key is spent, and the draft is kept under a new one.
    """
    dead = rt.owner().dead()

    def put(session: Session) -> Kept:
        # a send that begins just now has the row to itself, or waits for these words
        row = editions_store.hold_edition(session, kind=editions_store.DRAFT, slot=plan.key)
        begun, key = find_started(session, plan.kind, plan.key, rt.clock(), dead), plan.key
        other = _other(row, plan.created_by, seen_at, window) if seen_at is not None else ""
        if begun is not None:
            edition = editions_store.get_edition(session, id=begun.edition_id)
            if edition is None or edition.state != "cancelled":
                return Kept(key, begun.edition_id)
            key = secrets.token_hex(8)
        elif _half_planned(session, key) is not None:
            return Kept(key)
        elif other:
            key = secrets.token_hex(8)
        editions_store.put_draft(
            session,
            key,
            now=rt.clock(),
            title=plan.subject,
            created_by=plan.created_by,
            options={
                "draft": _written(plan), "typed": {**typed, "key": key}, "window": window,
            },
        )  # fmt: skip
        return Kept(key, other=other)

    return rt.db.write(put, Priority.WEB)


def keep_typed(
    rt: Runtime,
    typed: Mapping[str, str],
    by: str,
    *,
    seen_at: datetime | None = None,
    window: str = "",
) -> tuple[str, str]:
    """Keep a form as it stands, complete or not. What was checked of it stays what it was.

    seen_at: when the text that ``by`` changes was kept · window: in which window of theirs, whose
    own changes are no surprise to it. Where somebody else has changed it since, or the same person
    in another window, both stay: this one under a key of its own. Returns (key, who changed it,
    "" = nobody).
    """
    key = typed.get("key", "") or secrets.token_hex(8)

    def put(session: Session) -> tuple[str, str]:
        row = editions_store.hold_edition(session, kind=editions_store.DRAFT, slot=key)
        mine, other = key, _other(row, by, seen_at, window)
        if other:
            mine, row = secrets.token_hex(8), None
        elif row is None and _is_used(session, key):
            mine = secrets.token_hex(8)
        options = dict(row.options) if row is not None else {}
        options |= {"typed": {**typed, "key": mine}, "window": window}
        editions_store.put_draft(
            session,
            mine,
            now=rt.clock(),
            title=row.title if row is not None else "",
            created_by=by,
            options=options,
        )
        return mine, other

    return rt.db.write(put, Priority.WEB)


def _other(row: EditionRow | None, by: str, seen_at: datetime | None, window: str) -> str:
    """Who changed a draft since ``by`` saw it: somebody else, or themselves in another window."""
    if row is None or (seen_at is not None and row.opened_at <= seen_at):
        return ""
    if row.created_by != by:
        return row.created_by
    before = row.options.get("window", "")
    return by if seen_at is not None and window and before and window != before else ""


def _is_used(session: Session, key: str) -> bool:
    return any(
        editions_store.get_edition(session, kind=kind, slot=key) is not None
        for kind in ("manual", "newsletter")
    )


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
        if row is not None and row.planned is None and row.options.get("draft"):
            return row
    return None


def need(rt: Runtime, key: str) -> Plan:
    """What was composed under a key. Raises DraftError: nothing, or not to its end."""
    found = find(rt, key)
    if found is None or found.plan is None:
        raise DraftError(
            "There is no such draft; drafts are kept for 30 days.",
            "",
            "Compose it again; nothing was sent.",
        )
    return found.plan


def begun(rt: Runtime, key: str) -> int:
    """The edition that a key began, else 0."""
    dead = rt.owner().dead()

    def look(session: Session) -> int:
        for kind in ("manual", "newsletter", "daily"):
            made = find_started(session, kind, key, rt.clock(), dead)
            if made is not None:
                return made.edition_id
        # its list of addresses is not kept: its page says what becomes of it
        half = find_half_planned(session, key)
        return half.id or 0 if half is not None and half.options.get("draft") == {} else 0

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
    wanted = [
        draft
        for draft in map(_draft, rows)
        if draft.typed.get("kind", draft.plan.kind if draft.plan else "") not in ("daily", "alert")
        and (draft.plan is not None or draft.typed)
    ]
    return sorted(wanted, key=lambda d: d.kept_at, reverse=True)[:OFFERED]


def drop(rt: Runtime, key: str, *, by: str, address: str = "") -> bool:
    """Throw a draft away; False where there is none."""

    def act(session: Session) -> bool:
        row = editions_store.hold_edition(session, kind=editions_store.DRAFT, slot=key)
        if row is None:
            return False
        session.delete(row)
        write_audit(
            session,
            rt.clock(),
            who=by,
            what="drop draft",
            target=row.title or _draft(row).title or key,
            address=address,
        )
        return True

    return rt.db.write(act, Priority.WEB)


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
    kept, plan = row.options.get("draft"), None
    if kept:
        segment = read_segment(kept["segment"], from_files=False)
        plan = Plan(
            kind=kept["kind"],
            segment=replace(segment, unread=kept["unread"]),
            papers=tuple(kept["papers"]),
            subject=row.title,
            body=kept["body"],
            key=row.slot,
            created_by=row.created_by,
            canary=kept["canary"],
            dates=kept["dates"],
        )
    return Draft(row.slot, plan, row.options.get("typed", {}), row.opened_at, row.created_by)
