"""Sending again what was refused for a reason that can pass: a new frozen edition beside the old.

Nobody gets a mail twice by it: whoever has one of the edition, or of what was sent again of it,
that came, may have come or is under way is left out, so the act may be repeated at any time. Rows
are planned in parts with the edition paused, ``planned`` last; an act that was broken off is
completed by the next one.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from service.delivery.meaning import Meaning
from service.delivery.states import State
from service.errors import PaperpostError
from service.flows.editions import need_edition
from service.flows.eligible import fitting
from service.flows.groups import can_resend, says, words_of
from service.flows.planning import plan_row
from service.flows.runtime import Runtime
from service.flows.staff import audit_edition
from service.store import contents as contents_store
from service.store import delivery_lists
from service.store import editions as editions_store
from service.store import sent as sent_store
from service.store.db import Priority, Session
from service.store.delivery_lists import REFUSED, Chosen
from service.store.processes import is_over
from service.store.tables import DeliveryRow, EditionRow
from service.text.tally import tally

CHUNK = 500
LONGEST_KEY = 60
HALF_PLANNED = timedelta(minutes=20)
"""Nobody plans for so long: who began has ended."""


class ResendError(PaperpostError):
    """A group that cannot be sent again, or another number of mails than was confirmed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which refused mails of an edition: of one meaning, of one domain, or of these numbers; all
    where nothing is named. key: the same one twice is one act, "" = whatever is still open."""

    edition_id: int
    meaning: str = ""
    domain: str = ""
    ids: tuple[int, ...] = ()
    key: str = ""

    @property
    def chosen(self) -> Chosen:
        return Chosen(
            edition_id=self.edition_id,
            states=REFUSED,
            meaning=self.meaning,
            domain=self.domain,
            ids=self.ids,
        )


@dataclass(slots=True)
class Count:
    """What sending again would come to: mails, those left out by reason, and some of the first."""

    mails: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    examples: list[dict[str, Any]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return {
            "mails": self.mails,
            "left_out": dict(self.left_out.most_common()),
            "examples": list(self.examples),
        }


def read_wanted(
    edition_id: int, *, meaning: str = "", domain: str = "", ids: Sequence[int] = (), key: str = ""
) -> Wanted:
    """What was asked for. Raises ResendError: no such meaning, or one that is not sent again."""
    if meaning and meaning not in list(Meaning):
        raise ResendError(
            f"{meaning!r} is no meaning of a refusal.", "meaning", f"Use {', '.join(Meaning)}."
        )
    if meaning and not can_resend(meaning):
        raise ResendError(
            f"Mails refused so are not sent again: {says(meaning)}.",
            "meaning",
            "The reader can sign up with another address.",
        )
    if len(key) > LONGEST_KEY or any(c in key for c in "%_\\") or not key.isprintable():
        raise ResendError(
            "This is no key.", "key", f"Use at most {LONGEST_KEY} letters, digits and hyphens."
        )
    return Wanted(
        edition_id=edition_id,
        meaning=meaning,
        domain=domain.strip().lower(),
        ids=tuple(ids),
        key=key,
    )


def count(rt: Runtime, wanted: Wanted) -> Count:
    """What it would send, and whom it would leave out and why; nothing is changed. Raises
    EditionError, ResendError."""

    def look(session: Session) -> Count:
        _need(session, wanted)
        family = delivery_lists.list_family(session, wanted.edition_id)
        found, after = Count(), 0
        while rows := _rows(session, wanted, after):
            after = rows[-1].id or 0
            for row, _reader, _content in fitting(rt, session, rows, family, found.left_out):
                found.mails += 1
                if len(found.examples) < 5:
                    words = words_of(row.reason, row.code)
                    facts = {"id": row.id, "email": row.rcpt or "", "reason": row.reason}
                    found.examples.append(facts | {"words": words})
        return found

    return rt.db.read(look)


def resend(
    rt: Runtime, wanted: Wanted, by: str, address: str = "", *, expected: int | None = None
) -> dict[str, Any]:
    """Plan a new edition of the refused mails that were asked for, ready to go.

    Papers that have come another way meanwhile are left out, and readers who left, pause or do not
    exist. expected: the number that was confirmed; another one plans nothing. Returns edition (0 =
    none was needed), planned, left_out by reason, and is_new (False: this key was used before).
    Raises EditionError, ResendError.
    """
    us, dead = rt.owner().id, rt.owner().dead()
    there = rt.db.read(lambda s: _begun(s, wanted, dead, rt.clock()))
    if there is not None and there.planned is not None:
        return {"edition": there.id, "planned": there.planned, "left_out": {}, "is_new": False}
    if there is None and expected is not None:
        _check(expected, count(rt, wanted).mails)
    left_out: Counter[str] = Counter()
    edition_id, after = (there.id or 0) if there is not None else 0, 0

    def plan(session: Session) -> _Part | None:
        return _plan_part(rt, session, wanted, by, us, _Part(edition_id, after))

    while (part := rt.db.write(plan, Priority.WEB)) is not None:
        edition_id, after = part.edition_id, part.last
        left_out.update(part.left_out)
    made = {"edition": edition_id, "planned": 0, "left_out": dict(left_out), "is_new": True}
    if edition_id:
        made["planned"] = rt.db.write(
            lambda s: _release(rt, s, wanted, edition_id, by, address), Priority.WEB
        )
        rt.engine.enqueue("send")
    return made


def _check(expected: int, mails: int) -> None:
    if mails != expected:
        raise ResendError(
            f"It would be {tally(mails, 'mail')}, not {expected:,}. Nothing was sent.",
            "mails",
            f"Look again what they are, then confirm {mails:,}.",
        )


@dataclass(frozen=True, slots=True)
class _Part:
    """The edition, 0 while nothing fitted · the last row looked at · left out of this part."""

    edition_id: int
    last: int
    left_out: Mapping[str, int] = field(default_factory=dict)


def _need(session: Session, wanted: Wanted) -> EditionRow:
    edition = need_edition(session, wanted.edition_id)
    if edition.kind == "notice":
        raise ResendError("Notices are not sent again.", "", "The reader can ask for a new link.")
    return edition


def _begun(
    session: Session, wanted: Wanted, dead: Sequence[int], now: datetime
) -> EditionRow | None:
    """The edition of this key, or one of this very act that nobody plans to its end any more.

    Raises ResendError: somebody does just now, or the key stands for another group.
    """
    old = _need(session, wanted)
    for number in delivery_lists.list_family(session, wanted.edition_id):
        edition = editions_store.get_edition(session, id=number)
        assert edition is not None
        is_keyed = bool(wanted.key) and edition.slot == _slot(wanted)
        is_same = edition.options.get("resend") == _act(wanted)
        if is_keyed and not is_same:
            raise ResendError(
                f"The key {wanted.key!r} was used for another group of this edition.",
                "key",
                "Take another key.",
            )
        is_half = edition.planned is None and edition.state != "cancelled"
        planner = int(edition.options.get("planner", 0))
        is_left = is_half and (
            now - edition.opened_at > HALF_PLANNED or is_over(session, planner, dead)
        )
        if is_keyed and is_half and not is_left:
            raise ResendError(
                f"Edition {number} with this key is being planned.", "key", "Ask again in a minute."
            )
        if is_keyed or (is_left and is_same and edition.options["resend_of"] == old.id):
            return edition
    return None


def _act(wanted: Wanted) -> dict[str, Any]:
    return {"meaning": wanted.meaning, "domain": wanted.domain, "ids": list(wanted.ids)}


def _slot(wanted: Wanted, n: int = 0) -> str:
    return f"resend:{wanted.edition_id}:{f'key:{wanted.key}' if wanted.key else n}"


def _rows(session: Session, wanted: Wanted, after: int) -> list[DeliveryRow]:
    ids = delivery_lists.list_ids(
        session, wanted.chosen, order="oldest", limit=CHUNK, after_id=after
    )
    return delivery_lists.whole_of(session, ids)


def _plan_part(
    rt: Runtime, session: Session, wanted: Wanted, by: str, us: int, before: _Part
) -> _Part | None:
    """The next part of the rows; None when all are done."""
    old = _need(session, wanted)
    rows = _rows(session, wanted, before.last)
    if not rows:
        return None
    readers = [row.subscriber_id for row in rows if row.subscriber_id is not None]
    sent_store.hold_readers(session, readers, wait=True)
    family = delivery_lists.list_family(session, wanted.edition_id)
    left_out: Counter[str] = Counter()
    again = fitting(rt, session, rows, family, left_out)
    edition = _hold(session, before.edition_id) if before.edition_id else None
    if edition is None and again:
        edition = _open(rt, session, old, wanted, by, us)
    put = contents_store.put(session, [content for *_, content in again])
    for (row, reader, _), held in zip(again, put, strict=True):
        assert edition is not None
        plan_row(
            rt,
            session,
            edition,
            recipient_key=reader.email_key,
            rcpt=reader.email,
            kind=row.kind,
            now=rt.clock(),
            deadline=timedelta(hours=rt.defaults().digest_deadline_hours),
            state=State.READY,
            subscriber_id=reader.id,
            locale=row.locale,
            **held,
        )
    number = (edition.id or 0) if edition is not None else 0
    return _Part(number, rows[-1].id or 0, left_out)


def _hold(session: Session, edition_id: int) -> EditionRow:
    """The new edition; nobody cancels it before this part is written. Raises ResendError: somebody
    has."""
    edition = editions_store.hold_number(session, edition_id)
    if edition is None or edition.state == "cancelled":
        raise ResendError(
            f"Edition {edition_id} was cancelled while it was planned.",
            "",
            "Nothing of it goes. Send the group again.",
        )
    return edition


def _open(
    rt: Runtime, session: Session, old: EditionRow, wanted: Wanted, by: str, us: int
) -> EditionRow:
    """The new edition, paused until every row of it is planned."""
    now, n = rt.clock(), 0
    while True:
        n += 1
        edition, is_new = editions_store.add_edition(
            session,
            kind="newsletter" if old.kind == "newsletter" else "manual",
            slot=_slot(wanted, n),
            now=now,
            title=old.title or f"{old.kind} {old.slot}, again",
            created_by=by,
            paused=True,
            closes_at=now + timedelta(hours=rt.defaults().digest_deadline_hours + 1),
            options={"resend_of": old.id, "resend": _act(wanted), "planner": us},
        )
        if is_new:
            return edition
        if wanted.key:
            raise ResendError(
                f"Somebody uses the key {wanted.key!r} at this moment.", "key", "Ask again."
            )


def _release(
    rt: Runtime, session: Session, wanted: Wanted, edition_id: int, by: str, address: str
) -> int:
    """``planned`` is written last, with it the edition may go."""
    edition = _hold(session, edition_id)
    planned = sum(editions_store.count_states(session, edition_id).values())
    is_paused = bool(edition.options.get("paused"))  # by a person, while it was planned
    editions_store.set_edition(session, edition_id, planned=planned, paused=is_paused)
    audit_edition(
        session,
        rt.clock(),
        wanted.edition_id,
        by,
        "resend",
        after={"edition": edition_id, "mails": planned}
        | {name: value for name, value in _act(wanted).items() if value},
        address=address,
    )
    return planned
