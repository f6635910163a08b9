"""A test mail through the ledger, and what the relay said to it."""

import asyncio
from dataclasses import dataclass

from service.cli.sending import send_now
from service.delivery.smtp import Mailer, Probed, Relay, Timeouts
from service.flows.letter import return_path
from service.flows.notice import add_notice
from service.flows.runtime import Runtime
from service.store.deliveries import get_delivery, list_attempts
from service.subscribers.address import read_address
from service.subscribers.cadence import local_date
from service.wiring import House

SHORT = Timeouts(connect=10.0, command=20.0)


@dataclass(frozen=True, slots=True)
class Trial:
    """accepted: by the relay · words: the relay's own."""

    accepted: bool
    words: str


def probe(house: House, relay: Relay | None = None) -> Probed:
    """Connect (to the first account, or to this one), sign in, offer a sender as mails have it.
    Raises RelayError."""
    mailer = Mailer(relay or house.relay(), connections=1, timeouts=SHORT)
    return asyncio.run(mailer.probe(return_path(house.runtime, "0" * 20)))


def send_trial(house: House, address: str) -> Trial:
    """Send one test mail now. Raises AddressError."""
    rt: Runtime = house.runtime
    read = read_address(address)
    now = rt.clock()
    data = {"relay": house.relay().name, "on": local_date(now, rt.zone).isoformat()}
    email, key = read.email, read.key
    row = rt.db.write(
        lambda s: add_notice(rt, s, "test", email=email, email_key=key, data=data, now=now)
    )
    assert row is not None
    row_id, edition_id = row.id, row.edition_id
    send_now(rt, [edition_id])
    done = rt.db.read(lambda s: get_delivery(s, id=row_id))
    attempts = rt.db.read(lambda s: list_attempts(s, row_id or 0))
    assert done is not None
    words = attempts[-1].text if attempts else done.reason
    code = f"{attempts[-1].code} " if attempts and attempts[-1].code else ""
    return Trial(done.state == "accepted", f"{code}{words}".strip())
