"""Sign-up: asked for on a page; the holder of the address begins it (``begin``).

The page's answer is the same for every address and takes the same time: only rows are written.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from service.defaults import Defaults
from service.errors import PaperpostError, Sentence, SpokenError
from service.flows import rejoin
from service.flows.agreed import WORDING
from service.flows.alike import kept, nobody
from service.flows.caps import UNASKED, Answer, Most, Place, answer_of, take_place
from service.flows.interests import Wanted, add_interest, read_form, read_people
from service.flows.manage_link import manage_token, stamp_of
from service.flows.notice import add_notice
from service.flows.runtime import SEND_SOON, Runtime
from service.flows.voted import check_offered
from service.store import consent as consent_store
from service.store import subscribers as subscribers_store
from service.store.db import Priority, Session
from service.store.numbers import next_number, used_up
from service.store.tables import ConsentRow, ProfileRow, SubscriberRow
from service.subscribers.address import Address, cap_key, read_address
from service.subscribers.cadence import local_date, read_hour, read_zone


class SignupError(SpokenError):
    """A sign-up that this installation does not take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What was typed into the form, read and checked. wanted: words, people, or both."""

    address: Address
    wanted: tuple[Wanted, ...]
    hour: int
    zone: str
    locale: str = "en"


def read_wish(
    rt: Runtime, *, email: str, words: str, hour: str, zone: str, locale: str, people: str = ""
) -> tuple[Wish | None, dict[str, PaperpostError]]:
    """Check a form. Returns (wish, {}) or (None, errors by field); nothing is stored."""
    errors: dict[str, PaperpostError] = {}
    limits = rt.defaults()
    address, chosen_hour, chosen_zone = None, limits.hour, rt.zone
    followed: Wanted | None = None
    wanted: Wanted | None = None
    try:
        address = read_address(email)
        check_signup(rt.signup, address)
    except PaperpostError as error:
        errors["email"] = error
    try:
        wanted = read_form(words)
        if not people.strip():
            rt.db.read(partial(check_offered, wanted=wanted))
    except PaperpostError as error:
        errors["words"] = error
    try:
        followed = read_people(people)
    except PaperpostError as error:
        errors["people"] = error
    try:
        chosen_hour = read_hour(hour) if hour.strip() else limits.hour
    except PaperpostError as error:
        errors["hour"] = error
    try:
        chosen_zone = read_zone(zone) if zone.strip() else rt.zone
    except PaperpostError as error:
        errors["zone"] = error
    if errors or address is None or wanted is None:
        return None, errors
    asked = [wanted] if words.strip() or followed is None else []
    asked += [followed] if followed is not None else []
    return (
        Wish(
            address=address, wanted=tuple(asked), hour=chosen_hour, zone=chosen_zone, locale=locale
        ),
        {},
    )


def allowed_domains(rule: str) -> tuple[str, ...]:
    """Whose addresses may sign up by ``domains:a.edu,b.org``; none named = everybody's."""
    kind, _, named = rule.partition(":")
    found = (one.strip().lower() for one in named.split(","))
    return tuple(one for one in found if one) if kind == "domains" else ()


def check_signup(rule: str, address: Address) -> None:
    """Who may sign up: open, closed, or domains:a.edu,b.org. Raises SignupError."""
    if rule == "closed":
        step = Sentence("Ask the people who run this service.")
        raise SignupError(Sentence("Sign-up is closed here."), "", step)
    if rule.startswith("domains:"):
        allowed = allowed_domains(rule)
        domain = address.key.rpartition("@")[2]
        if not any(domain == d or domain.endswith(f".{d}") for d in allowed):
            raise SignupError(
                Sentence(
                    "Sign-up here is for addresses at %(domains)s.", domains=", ".join(allowed)
                ),
                "",
                Sentence("Use your address there."),
            )


def request(rt: Runtime, wish: Wish, *, network: str = "", agent: str = "") -> Answer:
    """Take a sign-up. Nothing in the answer tells whether the address is known."""
    answer = rt.db.write(lambda s: _request(rt, s, wish, network, agent), Priority.WEB)
    rt.engine.enqueue(SEND_SOON)
    return answer


def _request(rt: Runtime, session: Session, wish: Wish, network: str, agent: str) -> Answer:
    asked = len(wish.wanted)
    with used_up(session, (ConsentRow, 2), (SubscriberRow, 1), (ProfileRow, asked)):
        return _take_request(rt, session, wish, network, agent)


def _take_request(rt: Runtime, session: Session, wish: Wish, network: str, agent: str) -> Answer:
    """One row of the request and the same work for every address, whatever becomes of it."""
    now, limits = rt.clock(), rt.defaults()
    hashed = consent_store.email_hash(rt.instance.key, wish.address.key)
    place = place_of(rt, session, wish.address.key, network, now)
    wait = place.wait
    row = subscribers_store.get_subscriber_row(session, email_key=wish.address.key)
    barred = consent_store.get_suppression(session, hashed)
    dropped = place.dropped or (barred is not None and not consent_store.lets_begin(barred.reason))
    state = row.state if row is not None else "new"
    is_asked = state in ("new", "pending", "left")
    typed = {"hour": wish.hour, "zone": wish.zone, "locale": wish.locale}
    detail = rejoin.words_of(wish.wanted, **typed) if is_asked and not dropped else ""  # type: ignore[arg-type]
    record = consent_store.add_consent(
        session,
        subscriber_id=row.id if row is not None and not dropped else None,
        hashed=hashed,
        act="request",
        now=now,
        wording=WORDING,
        address=network,
        agent=agent,
        detail=detail,
        number=next_number(session, ConsentRow),
    )
    session.flush()
    with kept(session, not dropped):
        own = state == "new" and not dropped
        mine = wish if own else replace(wish, address=nobody())
        with kept(session, own or dropped):
            stored = _store_wish(session, mine, now, limits)
        asker = stored if own or dropped or row is None else row
        if state in ("active", "bounced") and not dropped:
            mail_known(rt, session, asker, hashed, now, wait, network, number=record.id or 0)
        else:
            until = now + timedelta(days=limits.confirm_days)
            if state == "pending":  # its words stay; what is asked for now is in the record
                asker.confirm_until = until
                session.add(asker)
            mail_confirm(
                rt, session, asker, hashed, now, wait, network,
                until=until,
                stamp=rejoin.stamp_for(asker, record.id or 0),
                locale=wish.locale,
                number=record.id or 0,
            )  # fmt: skip
    if own:
        record.subscriber_id = stored.id
        session.add(record)
    return answer_of(place, record.id or 0)


def place_of(
    rt: Runtime, session: Session, key: str, network: str, now: datetime, *, is_copy: bool = False
) -> Place:
    """For a mail to somebody who may not have asked: by address requests are dropped, by network
    they wait. key: the folded address."""
    hashed = consent_store.email_hash(rt.instance.key, cap_key(key))
    return take_place(
        session,
        UNASKED,
        most_of(rt.defaults()),
        hashed=hashed,
        network=network,
        now=now,
        is_copy=is_copy,
    )


def most_of(limits: Defaults) -> Most:
    """How many mails people may get who may not have asked for them."""
    return Most(
        a_day=limits.confirmations_a_day,
        a_month=limits.confirmations_a_month,
        a_network=limits.network_an_hour,
        in_all=limits.signups_an_hour,
    )


def _store_wish(session: Session, wish: Wish, now: datetime, limits: Defaults) -> SubscriberRow:
    row = subscribers_store.add_subscriber(
        session,
        email=wish.address.email,
        email_key=wish.address.key,
        now=now,
        weekdays=limits.weekdays,
        style=limits.abstracts,
        state="pending",
    )
    row.confirm_until = now + timedelta(days=limits.confirm_days)
    row.locale, row.hour, row.zone = wish.locale, wish.hour, wish.zone
    session.add(row)
    session.flush()
    assert row.id is not None
    for wanted in wish.wanted:
        add_interest(session, row.id, wanted, now)
    return row


def _mailed(
    session: Session, row: SubscriberRow, hashed: str, now: datetime, network: str, said: str
) -> None:
    consent_store.add_consent(
        session,
        subscriber_id=row.id or None,
        hashed=hashed,
        act="mailed",
        now=now,
        wording=WORDING,
        address=network,
        detail=said,
    )


def notice_key(number: int, *, is_copy: bool = False) -> str:
    """The name of the mail about a request, and of its copy; "" where there is no request."""
    return f"{number}.copy" if is_copy and number else str(number or "")


def mail_confirm(
    rt: Runtime,
    session: Session,
    row: SubscriberRow,
    hashed: str,
    now: datetime,
    wait: timedelta,
    network: str,
    *,
    until: datetime | None = None,
    stamp: str = "",
    locale: str = "",
    number: int = 0,
    is_copy: bool = False,
) -> None:
    """The only mail before confirmation: nothing that was typed is in it.

    until, stamp: of the link, where it is tied to one request (``rejoin``), not to the row ·
    number: of the request.
    """
    until = until or row.confirm_until
    assert until is not None
    token = rt.signer.sign("confirm", row.id or 0, until, stamp or stamp_of(row, fresh=True))
    never = rt.signer.sign("never", row.id or 0, now + timedelta(days=3650), hashed)
    add_notice(
        rt,
        session,
        "confirm",
        email=row.email,
        email_key=row.email_key,
        data={
            "link": rt.links.confirm(token),
            "never_link": rt.links.never(never),
            "until": local_date(until, rt.zone).isoformat(),
        },
        now=now,
        subscriber_id=row.id or None,
        locale=locale or row.locale,
        not_before=now + wait if wait else None,
        key=notice_key(number, is_copy=is_copy),
    )
    _mailed(session, row, hashed, now, network, f"confirm {number or ''}".strip())


def mail_known(
    rt: Runtime,
    session: Session,
    row: SubscriberRow,
    hashed: str,
    now: datetime,
    wait: timedelta,
    network: str,
    *,
    number: int = 0,
    is_copy: bool = False,
) -> None:
    """Somebody asked for whom papers come already."""
    add_notice(
        rt,
        session,
        "already-subscribed",
        email=row.email,
        email_key=row.email_key,
        data={"manage_url": rt.links.manage(manage_token(rt, row, now + wait, fresh=True))},
        now=now,
        subscriber_id=row.id or None,
        locale=row.locale,
        not_before=now + wait if wait else None,
        key=notice_key(number, is_copy=is_copy),
    )
    _mailed(session, row, hashed, now, network, f"already-subscribed {number or ''}".strip())
