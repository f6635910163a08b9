"""What mailbox providers judge a sender by: complaints, and mails to nobody, in a week's mails."""

from datetime import timedelta

from service.defaults import FIXED
from service.flows.alarms import Alarm, end_alarm, raise_alarm
from service.flows.runtime import Runtime
from service.reports.model import Kind
from service.store import alarms as alarms_store
from service.store import reports as reports_store
from service.store.db import Priority, Session

KIND = "rates"
"""Of the alarms; their keys are kinds of report."""


def watch_rates(rt: Runtime) -> None:
    """Alarm of too many, or end that; from time to time. Mails are counted only where there are
    reports enough."""
    since = rt.clock() - timedelta(days=FIXED.rate_days)
    limits = rt.defaults()
    most = {Kind.COMPLAINT: limits.complaints_in_10000, Kind.HARD: limits.hard_percent * 100}
    told = rt.db.read(lambda s: {k: reports_store.count_told(s, str(k), since) for k in most})
    many = {kind for kind, n in told.items() if most[kind] and n >= FIXED.rate_least}
    mails = rt.db.read(lambda s: reports_store.count_accepted(s, since)) if many else 0
    over = {kind for kind in many if told[kind] * 10_000 > most[kind] * mails}

    def act(session: Session) -> None:
        for kind in most:
            if kind in over:
                raise_alarm(rt, session, _alarm(kind, told[kind], mails, most[kind]))
            else:
                end_alarm(rt, session, KIND, str(kind))

    if over or KIND in rt.db.read(alarms_store.count_open):
        rt.db.write(act, Priority.MAIL)


def _alarm(kind: Kind, reports: int, mails: int, most: int) -> Alarm:
    percent = f"{reports / max(1, mails):.2%}"
    share = f"{reports:,} of {mails:,} mails in {FIXED.rate_days} days ({percent})"
    if kind is Kind.COMPLAINT:
        what = f"Readers call too many mails spam: {share}."
        step = (
            "paperpost bounces list --kind complaint shows them; who complained has left."
            " Look whom you imported or entered, and whether the way to leave is easy to see."
        )
    else:
        what = f"Too many mails go to addresses that are not there: {share}."
        step = (
            "paperpost bounces list --kind hard shows them; they get no mail any more. Look"
            " where these addresses came from before you import more."
        )
    place = f"Mailbox providers want less than {most / 100:g} %."
    return Alarm(kind=KIND, key=str(kind), what=what, place=place, next_step=step, refused=reports)
