"""Which account takes mails is told to the staff: when the first is left, and when it is back."""

from service.delivery.accounts import Accounts, News
from service.delivery.smtp import Mailer
from service.flows.alarms import Alarm, end_alarm, raise_alarm
from service.flows.deferred import words_of
from service.flows.runtime import Runtime
from service.store import alarms as alarms_store
from service.store.db import Priority, Session

KIND = "failover"


def tell_accounts(rt: Runtime, pool: Mailer | Accounts | None) -> None:
    """Raise or end the alarm as the accounts changed. One that an earlier process raised ends as
    soon as the first account takes a mail."""
    if not isinstance(pool, Accounts):
        return
    for news in pool.news():
        rt.log("account_left" if news.is_down else "account_back", account=news.account)
        rt.db.write(lambda s, n=news: _tell(rt, s, n), Priority.MAIL)  # type: ignore[misc]
    name = pool.names[0]
    if pool.is_first_open and rt.db.read(lambda s: _stands(s, name)):
        rt.db.write(lambda s: _tell(rt, s, News(name, False)), Priority.MAIL)


def _stands(session: Session, name: str) -> bool:
    row = alarms_store.get_alarm(session, KIND, name)
    return row is not None and row.ended_at is None


def _tell(rt: Runtime, session: Session, news: News) -> None:
    if not news.is_down:
        end_alarm(rt, session, KIND, news.account)
        return
    said = words_of(None, news.words)
    raise_alarm(
        rt,
        session,
        Alarm(
            kind=KIND,
            key=news.account,
            what="Mails go by the second account.",
            place=f"{news.account} (PAPERPOST_SMTP_URL) does not let us in: {said}",
            next_step="Nothing waits. Look at what the first says (paperpost doctor); it is tried"
            " again by itself, and takes over when it lets us in.",
            words=said,
        ),
    )
