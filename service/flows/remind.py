"""The staff sends a confirmation once more: to who has not confirmed, within the same caps."""

import json
from datetime import datetime, timedelta

from service.flows import caps, rejoin
from service.flows.agreed import WORDING
from service.flows.runtime import Runtime
from service.flows.spreadsheet import ReaderError
from service.flows.staff import write_audit
from service.flows.subscribe import mail_confirm, most_of
from service.store import consent as consent_store
from service.store import subscribers as subscribers_store
from service.store.db import Priority, Session
from service.store.tables import SubscriberRow
from service.subscribers.address import cap_key


def confirm_again(rt: Runtime, key: str, *, by: str, address: str = "") -> int:
    """Write the mail with a new link, which works as long as a first one and begins what was asked
    for last; links mailed before go on working. key: the folded address. Returns the reader's id.
    Raises ReaderError: nobody who is waited for, barred, or mailed enough.
    """

    def act(session: Session) -> int:
        reader_id = _confirm_again(rt, session, key, by)
        write_audit(
            session, rt.clock(), who=by, what="confirm again", target=f"reader {reader_id}",
            address=address,
        )  # fmt: skip
        return reader_id

    return rt.db.write(act, Priority.WEB)


def _confirm_again(rt: Runtime, session: Session, key: str, by: str) -> int:
    now, limits = rt.clock(), rt.defaults()
    row = subscribers_store.get_subscriber_row(session, email_key=key)
    if row is None or row.id is None or row.state != "pending":
        raise _not_awaited(row.state if row is not None else "")
    hashed = consent_store.email_hash(rt.instance.key, key)
    bar = consent_store.get_suppression(session, hashed)
    if bar is not None and bar.reason not in consent_store.LIFTED_BY_BEGIN:
        raise ReaderError(
            f"This address is suppressed ({bar.reason}).",
            "email",
            "When the person asks for mail: paperpost suppressions remove, with the address.",
        )
    counted = consent_store.email_hash(rt.instance.key, cap_key(key))
    free = caps.free_at(session, caps.UNASKED, most_of(limits), hashed=counted, now=now)
    if free > now:
        raise _had_enough(limits.confirmations_a_day, limits.confirmations_a_month, free)
    _take_newest(session, row, hashed, now)
    consent_store.add_consent(
        session,
        subscriber_id=row.id,
        hashed=hashed,
        act="again",
        now=now,
        wording=WORDING,
        detail=json.dumps({"by": by}, ensure_ascii=False),
    )
    row.confirm_until = now + timedelta(days=limits.confirm_days)
    session.add(row)
    mail_confirm(rt, session, row, hashed, now, timedelta(), "")
    caps.note_mail(session, caps.UNASKED, hashed=counted, now=now)
    return row.id


def _take_newest(session: Session, row: SubscriberRow, hashed: str, now: datetime) -> None:
    """What was asked for last stands in the row, which the new link begins: requests of their own
    are forgotten before it ends."""
    acts = consent_store.list_of_address(session, hashed)
    numbers = [act.id or 0 for act in acts if act.act == "request"]
    requests = [rejoin.find_request(session, row, rejoin.stamp_for(row, n)) for n in numbers]
    if asked := [request for request in requests if request is not None]:
        rejoin.take_words(session, row, asked[-1], now)


def _not_awaited(state: str) -> ReaderError:
    if not state:
        return ReaderError("There is no such reader.", "email", "paperpost subscribers list")
    said = {"active": "This reader has confirmed.", "left": "This person left."}
    return ReaderError(
        said.get(state, f"This reader is {state}."), "email", "Only who is pending is asked again."
    )


def _had_enough(a_day: int, a_month: int, free: datetime) -> ReaderError:
    return ReaderError(
        f"This address had its confirmations: {a_day} a day and {a_month} in 30 days at most.",
        "email",
        f"Again from {free:%Y-%m-%d %H:%M} UTC on.",
    )
