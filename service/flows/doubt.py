"""A mailbox that took mail a short while ago is not gone by one answer.

Its mail waits and is tried once more. Where the domain then says the same of several readers, and
takes hardly any mail, its directory is out: nobody is suppressed, the mails wait until their
deadline and the staff is told. A reader whose last mail was taken too long ago has no such doubt,
so a domain that really closes is left after ``trusted_days``.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from service.defaults import FIXED, Defaults
from service.delivery.answers import Meaning
from service.delivery.retry import Verdict
from service.flows.alarms import raise_alarm
from service.flows.breaker_alarms import about_gone
from service.flows.runtime import Runtime
from service.store.db import Session
from service.store.doubts import count_accepted, count_gone, first_refused, took_mail
from service.store.tables import DeliveryRow


def is_doubtful(session: Session, row: DeliveryRow, now: datetime, limits: Defaults) -> bool:
    """Whether a reader who is said not to be there may be there all the same."""
    if not took_mail(session, row, now - timedelta(days=FIXED.trusted_days)):
        return False
    first = first_refused(session, row.id or 0)
    if first is None:
        return True
    gone = count_gone(session, [row.domain]).get(row.domain, 0)
    if gone < limits.gone_at_once:
        return False
    taken = count_accepted(session, row.domain, first)
    return gone * 100 > limits.breaker_percent * (gone + taken)


def tell_of_gone(
    rt: Runtime, session: Session, told: Iterable[tuple[str, Verdict]], limits: Defaults
) -> None:
    """Alarm the staff of domains that suddenly know several of their readers no more.

    told: domain and verdict of each mail that was not accepted."""
    said = {
        domain: verdict
        for domain, verdict in told
        if verdict.meaning is Meaning.PERSON and verdict.kind == "deferred"
    }
    if not said:
        return
    for domain, gone in sorted(count_gone(session, said).items()):
        if gone >= limits.gone_at_once:
            raise_alarm(rt, session, about_gone(domain, gone, said[domain]))
