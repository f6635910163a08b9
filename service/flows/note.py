"""An editor's note: words on top of every digest of a local date, whoever sends it, and of the
public page of that day.

It is kept on the edition of the date, which is opened for it when nobody has yet. Mails that are
composed already stay as they are; a person's send with words of its own has those.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from service.errors import PaperpostError
from service.flows.daily import check_date
from service.flows.planning import digest_edition
from service.flows.runtime import Runtime
from service.flows.staff import write_audit
from service.store import editions as editions_store
from service.store.db import Priority, Session
from service.text.clean import collapse

NOTE_CHARS = 1000
"""A note is read before the papers; a longer text is a newsletter."""

LAST_ENDS = timedelta(hours=12)
"""The last zone is so far behind UTC."""


class NoteError(PaperpostError):
    """A note that cannot be taken, or comes too late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteSet:
    """note: "" when it was taken away · without: mails of the date that were composed before."""

    on: date
    note: str
    without: int


def read_note(text: str) -> str:
    """A note as it is kept: paragraphs with an empty line between them. Raises NoteError."""
    lines = [collapse(line) for line in text.replace("\r\n", "\n").split("\n")]
    note = "\n".join(lines).strip()
    while "\n\n\n" in note:
        note = note.replace("\n\n\n", "\n\n")
    if len(note) > NOTE_CHARS:
        what = f"The note has {len(note):,} characters; {NOTE_CHARS:,} are the most."
        raise NoteError(what, "note", "Shorten it, or send a newsletter.")
    return note


def set_note(rt: Runtime, on: date, text: str, *, by: str, address: str = "") -> NoteSet:
    """Put words on top of the digests of a date and of its page; "" takes them away.

    Raises NoteError: too long, or the date is over everywhere; DateError: later than tomorrow.
    """
    note = read_note(text)
    check_date(rt, on)
    now = rt.clock()
    if on < (now - LAST_ENDS).date():
        raise NoteError(f"{on} is over.", "--on", "Its mails stay as they are.")

    def act(session: Session) -> NoteSet:
        edition = digest_edition(session, on, now, by)
        assert edition.id is not None
        editions_store.hold_number(session, edition.id)  # others write into its options too
        before = edition.options.get("note", "")
        options = {**edition.options, "note": note}
        editions_store.set_edition(session, edition.id, options=options)
        write_audit(
            session, now, who=by, what="note", target=f"digest {on}",
            before={"note": before}, after={"note": note}, address=address,
        )  # fmt: skip
        states = editions_store.count_states(session, edition.id)
        composed = sum(n for state, n in states.items() if state not in ("planned", "skipped"))
        return NoteSet(on=on, note=note, without=composed if note != before else 0)

    return rt.db.write(act, Priority.WEB)
