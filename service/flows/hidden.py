"""A paper hidden everywhere by a person's word, and shown again.

Hidden, it is gone at once from pages, feeds, search, the API and every mail that is still to be
composed. A mail that is composed and waits loses it, too, unless a server has seen that mail: a
second attempt has the bytes of the first. What was handed over stays as it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Any

from service.errors import PaperpostError
from service.flows.match import match_new
from service.flows.quarantine import left_of
from service.flows.runtime import Runtime
from service.flows.staff import write_audit
from service.store import contents as contents_store
from service.store import matches as matches_store
from service.store import paper_desk
from service.store.db import Priority, Session
from service.store.events import add_event
from service.store.tables import PaperRow
from service.text.clean import collapse

CHUNK = 200
LOOK_BACK = timedelta(days=3)
"""Longer than any mail waits composed: of what was hidden before, none holds a paper any more."""

AT_ONCE = 2.0
"""Seconds that whoever hides a paper waits for mails to lose it; the sweep does the rest."""

MOST_REASON = 300


class PaperError(PaperpostError):
    """An act on a paper that cannot be done; ``where`` is the field."""


class NoPaperError(PaperpostError):
    """There is no paper of this number."""

    def __init__(self, paper_id: int) -> None:
        super().__init__(f"There is no paper {paper_id}.", "", "paperpost papers find WORDS")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hidden:
    """changed: False where it was so already · mails: composed ones that lost it by now · left:
    those that still hold it, since a server has seen them or they are being sent."""

    id: int
    title: str
    hidden: bool
    changed: bool
    mails: int = 0
    left: int = 0


def read_reason(text: str) -> str:
    """Why, in one line. Raises PaperError: nothing, or too much."""
    reason = collapse(text)
    if not reason:
        raise PaperError(
            "A reason is needed: it stays in the record of acts.",
            "reason",
            "Say why, in a few words.",
        )
    if len(reason) > MOST_REASON:
        raise PaperError(
            f"The reason has {len(reason):,} characters; {MOST_REASON} fit.",
            "reason",
            "Shorten it.",
        )
    return reason


def hide_paper(rt: Runtime, paper_id: int, reason: str, *, by: str, address: str = "") -> Hidden:
    """Take a paper out of everything. Raises NoPaperError, PaperError."""
    why = read_reason(reason)

    def act(session: Session) -> tuple[PaperRow, bool]:
        row, now = one_paper(session, paper_id, holds=True), rt.clock()
        before = row.quarantined
        if before == why:
            return row, False
        matches_store.set_quarantined(session, paper_id, why, now)
        write_audit(
            session, now, who=by, what="hide paper", target=str(paper_id),
            before={"title": row.title, "hidden": before},
            after={"title": row.title, "hidden": why}, address=address, reason=why,
        )  # fmt: skip
        return row, True

    row, changed = rt.db.write(act, Priority.WEB)
    rt.corpus.forget([paper_id])
    mails = take_out_hidden(rt, seconds=AT_ONCE)
    left = sum(rt.db.read(lambda s: waiting_with(s, paper_id)))
    rt.log("paper_hidden", paper=paper_id, mails=mails, left=left)
    return Hidden(
        id=paper_id, title=row.title, hidden=True, changed=changed, mails=mails, left=left
    )


def show_again(rt: Runtime, paper_id: int, *, by: str, address: str = "") -> Hidden:
    """Show a hidden paper again; it meets the interests anew, and is as new as it was. Raises
    NoPaperError."""

    def act(session: Session) -> tuple[PaperRow, bool]:
        row, now = one_paper(session, paper_id, holds=True), rt.clock()
        if not row.quarantined:
            return row, False
        before = row.quarantined
        row.quarantined = ""
        row.matched_at = None
        session.add(row)
        add_event(session, paper_id, "shown", now)
        write_audit(
            session, now, who=by, what="show paper", target=str(paper_id),
            before={"title": row.title, "hidden": before},
            after={"title": row.title, "hidden": ""}, address=address,
        )  # fmt: skip
        return row, True

    row, changed = rt.db.write(act, Priority.WEB)
    rt.corpus.forget([paper_id])
    if changed:
        match_new(rt)
        rt.log("paper_shown", paper=paper_id)
    return Hidden(id=paper_id, title=row.title, hidden=False, changed=changed)


def one_paper(session: Session, paper_id: int, *, holds: bool) -> PaperRow:
    """The row of a paper that stands for itself. holds: nobody else writes it before this
    transaction ends. Raises NoPaperError, PaperError."""
    row = paper_desk.hold_paper(session, paper_id) if holds else session.get(PaperRow, paper_id)
    if row is None:
        raise NoPaperError(paper_id)
    if row.merged_into is not None:
        raise PaperError(
            f"Paper {paper_id} was joined with paper {row.merged_into}.",
            "paper",
            f"Take paper {row.merged_into}.",
        )
    return row


def waiting_with(session: Session, paper_id: int) -> tuple[int, int]:
    """(composed mails with a paper that no server has seen, others that are not over yet)."""
    return paper_desk.count_waiting(session, list(paper_desk.list_waiting(session, {paper_id})))


def take_out_hidden(rt: Runtime, *, seconds: float | None = None) -> int:
    """Composed mails that no server has seen lose the papers that were hidden since; returns how
    many did. Safe to run at any time, and again. seconds: at most so long."""
    since = rt.clock() - LOOK_BACK
    hidden = rt.db.read(lambda s: paper_desk.list_hidden_since(s, since))
    if not hidden:
        return 0
    until = None if seconds is None else monotonic() + seconds
    waiting = rt.db.read(lambda s: paper_desk.list_waiting(s, hidden))
    done = 0
    for content_id, papers in sorted(waiting.items()):
        while until is None or monotonic() < until:
            changed = rt.db.write(
                lambda s, i=content_id, p=papers: _take_out(s, i, p),  # type: ignore[misc]
                Priority.MAIL,
            )
            done += changed
            if changed < CHUNK:
                break
    if done:
        rt.log("papers_taken_out", mails=done)
    return done


def _take_out(session: Session, content_id: int, papers: set[int]) -> int:
    rows = paper_desk.list_untried(session, content_id, CHUNK)
    broken = dict.fromkeys(papers, "hidden")
    left = [_without(row.content or {}, broken) for row in rows]
    held: list[dict[str, Any]] = [{} for _ in rows]
    whole = [(n, one) for n, one in enumerate(left) if one is not None]
    for (n, _), columns in zip(
        whole, contents_store.put(session, [one for _, one in whole]), strict=True
    ):
        held[n] = columns
    return paper_desk.replace_content(session, rows, held)


def _without(content: Mapping[str, Any], broken: Mapping[int, str]) -> dict[str, Any] | None:
    """A mail's content without some papers, also of its late news; None: nothing is left."""
    made = left_of(content, broken) if "digest" in content else None
    if made is not None and "signals" in made:
        told = [paper_id for paper_id in made["signals"] if paper_id not in broken]
        made = {name: value for name, value in made.items() if name != "signals"}
        if told:
            made["signals"] = told
    return made
