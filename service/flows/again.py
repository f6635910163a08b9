"""After the sign-up form: the mail once more, and taking back a request for a wrong address.

Only the page that answered the form can ask for either: it holds a signed token of the request.
What it is told is the same for every address, and the same is done for it: a copy goes where a mail
of the same day went, nowhere else.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from service.defaults import FIXED
from service.delivery.states import State
from service.errors import PaperpostError
from service.flows import rejoin
from service.flows.agreed import WORDING
from service.flows.alike import kept, nobody
from service.flows.caps import Answer, answer_of
from service.flows.leave import erase_row
from service.flows.runtime import SEND_SOON, Runtime
from service.flows.subscribe import mail_confirm, mail_known, notice_key, place_of
from service.store import consent as consent_store
from service.store import editions as editions_store
from service.store import leases as leases_store
from service.store import subscribers as subscribers_store
from service.store.db import Priority, Session
from service.store.numbers import next_number, used_up
from service.store.tables import ConsentRow, SubscriberRow
from service.subscribers.address import read_address
from service.subscribers.tokens import TokenError

_WORKS_FOR = timedelta(days=1)
KINDS = ("confirm", "already-subscribed")


@dataclass(frozen=True, slots=True)
class Again:
    """What became of the button. wait_s: seconds that are left before it works, 0 = it worked ·
    answer: what may be said of the copy."""

    wait_s: int
    answer: Answer


def page_token(rt: Runtime, number: int) -> str:
    """What a page holds that may ask for more about a request (0: of a program that was trapped,
    for whom the page is the same and nothing happens)."""
    now = rt.clock()
    return rt.signer.sign("asked", number, now + _WORKS_FOR, str(int(now.timestamp())))


def _read(rt: Runtime, token: str) -> tuple[int, datetime]:
    """(number of the request, when it was made). Raises TokenError."""
    number, made = rt.signer.read("asked", token, rt.clock())
    return number, datetime.fromtimestamp(int(made), UTC)


def send_again(rt: Runtime, token: str, email: str, *, network: str = "", agent: str = "") -> Again:
    """One copy of the mail of a request, at the earliest ``again_seconds`` after it; pressed again
    it changes nothing. email: as typed, in the same page. Raises TokenError.
    """
    number, made = _read(rt, token)
    left = made + timedelta(seconds=FIXED.again_seconds) - rt.clock()
    if left > timedelta():
        return Again(max(1, round(left.total_seconds())), Answer(delayed=False))
    key = _key_of(email)
    if not number or not key:
        return Again(0, Answer(delayed=False))
    answer = rt.db.write(lambda s: _again(rt, s, number, key, network, agent), Priority.WEB)
    rt.engine.enqueue(SEND_SOON)
    return Again(0, answer)


def _key_of(email: str) -> str:
    try:
        return read_address(email).key
    except PaperpostError:
        return ""


def _again(
    rt: Runtime, session: Session, number: int, key: str, network: str, agent: str
) -> Answer:
    with used_up(session, (ConsentRow, 2)):
        return _take_again(rt, session, number, key, network, agent)


def _take_again(
    rt: Runtime, session: Session, number: int, key: str, network: str, agent: str
) -> Answer:
    now, hashed = rt.clock(), consent_store.email_hash(rt.instance.key, key)
    acts = consent_store.list_of_address(session, hashed)
    is_ours = any(a.id == number and a.act == "request" for a in acts)
    is_done = any(a.act == "again" and a.detail == str(number) for a in acts)
    if not is_ours or is_done:
        return Answer(delayed=False)
    place = place_of(rt, session, key, network, now, is_copy=True)
    consent_store.add_consent(
        session, subscriber_id=None, hashed=hashed, act="again", now=now, wording=WORDING,
        address=network, agent=agent, detail=str(number),
        number=next_number(session, ConsentRow),
    )  # fmt: skip
    barred = consent_store.get_suppression(session, hashed)
    may = not place.dropped and (barred is None or consent_store.lets_begin(barred.reason))
    kind, of_request, row = _mailed(session, acts, now)
    asked = consent_store.get_consent(session, of_request)
    may = may and not _waits(session, kind, of_request)
    known = row is not None and row.state in ("active", "bounced") and kind == KINDS[1]
    stamp = rejoin.stamp_for(row, of_request) if row is not None else ""
    request = rejoin.find_request(session, row, stamp) if row is not None else None
    awaited = kind == KINDS[0] and request is not None and asked is not None
    may = may and (known or awaited)
    with kept(session, may):
        to = row if row is not None and may else _nobody(rt)
        if known:
            mail_known(
                rt, session, to, hashed, now, place.wait, network, number=of_request, is_copy=True
            )
        else:
            since = asked.at if asked is not None else now
            mail_confirm(
                rt, session, to, hashed, now, place.wait, network,
                until=since + timedelta(days=rt.defaults().confirm_days),
                stamp=stamp or "-", locale=request.locale if request is not None else "",
                number=of_request or number, is_copy=True,
            )  # fmt: skip
    return answer_of(place)


def _mailed(
    session: Session, acts: list[ConsentRow], now: datetime
) -> tuple[str, int, SubscriberRow | None]:
    """(kind, number of the request, reader) of the newest mail of the last day; ("", 0, None)."""
    found = [a for a in acts if a.act == "mailed" and a.at > now - _WORKS_FOR and a.detail]
    newest = max(found, key=lambda a: (a.at, a.id or 0), default=None)
    kind, _, of_request = newest.detail.partition(" ") if newest is not None else ("", "", "")
    reader_id = newest.subscriber_id if newest is not None else None
    row = subscribers_store.get_subscriber_row(session, id=reader_id or -1)
    return kind, int(of_request) if of_request.isdecimal() else 0, row


def _waits(session: Session, kind: str, number: int) -> bool:
    """Whether the first mail has not gone yet: then it comes, and no copy is needed."""
    edition = editions_store.get_edition(
        session, kind="notice", slot=f"{kind}:{notice_key(number)}"
    )
    counts = editions_store.count_states(session, (edition.id or -1) if edition is not None else -1)
    return not counts.get(State.ACCEPTED)


def _nobody(rt: Runtime) -> SubscriberRow:
    other = nobody()
    return SubscriberRow(
        id=0, email=other.email, email_key=other.key, zone=rt.zone,
        feed_token="0" * 8, unsubscribe_token="",  # nosec B106: nobody
    )  # fmt: skip


def withdraw(rt: Runtime, token: str, *, instead_of: str) -> None:
    """Take a request back whose address was wrong: its link ends, its mail does not go if it has
    not gone, and a reader that this very request made is forgotten. A token that is not ours or
    has ended changes nothing. instead_of: the address that is asked for now; for the same one
    nothing is taken back.
    """
    try:
        number, _ = _read(rt, token)
    except TokenError:
        return
    hashed = consent_store.email_hash(rt.instance.key, _key_of(instead_of))
    rt.db.write(lambda s: _withdraw(rt, s, number, hashed), Priority.WEB)


def _withdraw(rt: Runtime, session: Session, number: int, now_asked: str) -> None:
    record = consent_store.get_consent(session, number)
    if record is None or record.act != "request" or record.email_hash == now_asked:
        return
    row = subscribers_store.get_subscriber_row(session, id=record.subscriber_id or -1)
    others = [
        request
        for act in consent_store.list_of_address(session, record.email_hash)
        if act.act == "request" and act.id != number and row is not None
        if (request := rejoin.find_request(session, row, rejoin.stamp_for(row, act.id or 0)))
    ]
    for kind in KINDS:
        for is_copy in (False, True):
            slot = f"{kind}:{notice_key(number, is_copy=is_copy)}"
            edition = editions_store.get_edition(session, kind="notice", slot=slot)
            leases_store.stop_open(
                session, State.CANCELLED, rejoin.WITHDRAWN,
                edition_id=(edition.id or -1) if edition is not None else -1,
            )  # fmt: skip
    made_here = (
        row is not None and row.state == "pending" and not others and row.created_at == record.at
    )
    other = nobody()
    with kept(session, made_here):  # somebody is forgotten in any case
        stand_in = subscribers_store.add_subscriber(
            session, email=other.email, email_key=other.key, now=rt.clock(), state="pending"
        )
        gone = row if row is not None and made_here else stand_in
        erase_row(rt, session, gone, by="taken back by who had asked")
        if gone is not stand_in:
            session.delete(stand_in)
    if record.detail.startswith("{") or made_here:  # not of one that was begun meanwhile
        record.detail = rejoin.WITHDRAWN
        session.add(record)
    if row is not None and row.state == "pending" and others:
        rejoin.take_words(session, row, others[-1], rt.clock())
