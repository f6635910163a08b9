"""Why a date brought a reader no mail, or what it brought: every date has an answer."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from service.delivery.i18n import Texts
from service.errors import Sentence, SpokenError
from service.flows.browse import NotHereError
from service.flows.mail_days import MailDay, mail_day
from service.flows.next_mail import next_mail_at
from service.flows.release import standing_of
from service.flows.runtime import Runtime
from service.flows.source_days import lay_days
from service.flows.waiting import lists_of
from service.sources.calendar import source_day
from service.sources.registry import ADAPTERS
from service.store import consent as consent_store
from service.store import own_rows, report_lists
from service.store import papers as papers_store
from service.store import releases as releases_store
from service.store import reports as reports_store
from service.store import sources as sources_store
from service.store import subscribers as subscribers_store
from service.store.db import Session
from service.store.listing import MailRow
from service.store.tables import ConsentRow, SubscriberRow
from service.store.twins import current_ids
from service.subscribers.cadence import is_mail_day, local_date, slot_at
from service.subscribers.zone import clock_of

NEVER_CAME = ("failed", "expired", "presumed", "unknown", "sending", "suppressed", "cancelled")
"""States of a mail whose papers ride, or rode, in another one."""

MOST_CARRIED = 20
"""Papers of such a mail that are named; the others are a number."""

FIRST, LAST = date(1991, 1, 1), date(2199, 12, 31)
"""Dates that can be asked about; arXiv began in 1991."""

_BEGINNINGS = ("confirm", "added")

_TOLD_SIGNS = ("late", "failed", "empty")


@dataclass(frozen=True, slots=True)
class Carried:
    """A paper of a mail that did not come. went_on: the date of the mail that brought it, None:
    none did so far · page: of that mail, "" for none · waits: it is in the next one."""

    title: str
    scheme: str
    value: str
    went_on: date | None = None
    page: str = ""
    waits: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DayAnswer:
    """What became of one date. says: where there is no mail of it, why · mails: those that were
    planned for it · carried: papers of one that did not come, more: how many are not named ·
    follows: (date, page, subject) of the first mail after it · next_at: when the next mail is due,
    where none followed yet · sources: (title, what became of its list) of those that brought
    nothing."""

    on: date
    zone: str
    says: tuple[Sentence, ...] = ()
    mails: tuple[MailDay, ...] = ()
    carried: tuple[Carried, ...] = ()
    more: int = 0
    follows: MailDay | None = None
    next_at: datetime | None = None
    sources: tuple[tuple[str, Sentence], ...] = field(default=())

    @property
    def came(self) -> bool:
        """Whether a mail with papers came on that date."""
        return any(one.state == "accepted" and one.papers for one in self.mails)


class DayError(SpokenError):
    """A date of which nothing can be said; ``where`` is the field."""


def check_day(on: date) -> date:
    """Return the date. Raises DayError: centuries away."""
    if not FIRST <= on <= LAST:
        raise DayError(
            Sentence("This date is too far away."),
            "on",
            Sentence("Use one from %(first)s to %(last)s.", first=FIRST, last=LAST),
        )
    return on


def today_of(rt: Runtime, reader_id: int) -> date:
    """The date it is where the reader lives. Raises NotHereError."""
    return local_date(rt.clock(), rt.db.read(lambda s: _reader(s, reader_id)).zone)


def _reader(session: Session, reader_id: int) -> SubscriberRow:
    row = subscribers_store.get_subscriber_row(session, id=reader_id)
    if row is None:
        raise NotHereError(Sentence("This reader is not here any more."))
    return row


def answer_day(rt: Runtime, reader_id: int, on: date) -> DayAnswer:
    """What became of a reader's local date. Raises NotHereError, DayError."""
    check_day(on)
    return rt.db.read(lambda s: _answer(rt, s, reader_id, on))


def _answer(rt: Runtime, session: Session, reader_id: int, on: date) -> DayAnswer:
    row = _reader(session, reader_id)
    start = slot_at(on, 0, row.zone)
    end = slot_at(on + timedelta(days=1), 0, row.zone)
    mails = own_rows.list_mails_on(session, reader_id, on, start, end)
    texts = rt.catalogs.texts(row.locale)
    days = tuple(mail_day(one, row, texts) for one in mails)
    says = () if any(one.kind == "digest" for one in days) else _why(rt, session, row, on)
    lost = [m for m in mails if m.row.state in NEVER_CAME and m.row.content]
    if row.state == "bounced" and any(m.row.state == "failed" for m in lost):
        says = (*says, _REFUSED, _CHANGE_IT)
    if reports_store.list_returned(session, [m.row.id or 0 for m in mails]):
        says = (*says, _CAME_BACK)
    carried, more = _carried(session, row, lost, texts)
    made = DayAnswer(on=on, zone=row.zone, says=says, mails=days, carried=carried, more=more)
    began_on = local_date(_began(row, _acts(session, row)), row.zone)
    if made.came or (on < began_on and not days):
        return made
    today = local_date(rt.clock(), row.zone)
    after = own_rows.next_mail(session, reader_id, on) if on < today else None
    is_waited_for = after is None and row.state == "active"
    return DayAnswer(
        on=on,
        zone=row.zone,
        says=says,
        mails=days,
        carried=carried,
        more=more,
        follows=mail_day(after, row, texts) if after is not None else None,
        next_at=next_mail_at(rt, session, row) if is_waited_for else None,
        sources=_sources(rt, session, on) if on <= today and _is_about_lists(days, says) else (),
    )


def _is_about_lists(days: tuple[MailDay, ...], says: tuple[Sentence, ...]) -> bool:
    """Whether what the sources brought has to do with it."""
    return bool(says and not days) or any(
        one.state == "skipped" and one.reason in ("nothing_new", "too_few") for one in days
    )


def why_days(
    rt: Runtime, session: Session, row: SubscriberRow, days: Sequence[date]
) -> dict[date, tuple[Sentence, ...]]:
    """Why dates without a row of a daily have none."""
    acts = _acts(session, row)
    return {on: _why(rt, session, row, on, acts) for on in days}


def _why(
    rt: Runtime,
    session: Session,
    row: SubscriberRow,
    on: date,
    acts: Sequence[ConsentRow] | None = None,
) -> tuple[Sentence, ...]:
    """Why a date has no row of a daily. acts: the reader's, where they are known."""
    now = rt.clock()
    today = local_date(now, row.zone)
    acts = _acts(session, row) if acts is None else acts
    began = _began(row, acts)
    began_on = local_date(began, row.zone)
    reader = subscribers_store.to_subscriber(row)
    if row.state == "pending":
        said = [Sentence("The subscription was never confirmed, so nothing is mailed.")]
        if row.confirm_until is not None:
            last = local_date(row.confirm_until, row.zone)
            said.append(Sentence("The link of the confirmation works until %(date)s.", date=last))
        return tuple(said)
    if on < began_on:
        return (Sentence("That was before you began, on %(date)s.", date=began_on),)
    if away := _away(row, acts, on):
        return (away,)
    said = [Sentence("That day is still to come.")] if on > today else []
    if row.state == "bounced" and (refused := _refused(session, row, on)):
        return (*said, *refused)
    if row.paused_until is not None and on < row.paused_until and on >= today:
        return (*said, Sentence("You paused until %(date)s.", date=row.paused_until))
    if not is_mail_day(reader, on):
        return (*said, Sentence("%(day)s is none of your mail days.", day=_weekday(on)))
    if on > today:
        return tuple(said)
    if on == today:
        return _today(rt, session, row, now)
    if on == began_on and began >= slot_at(on, row.hour, row.zone):
        return (Sentence("You began that day, after the hour of your mail."),)
    newest = own_rows.last_before(session, row.id or 0, on)
    if (
        newest is not None
        and newest.row.state == "failed"
        and newest.row.reason.startswith("person")
    ):
        refused_on = date.fromisoformat(newest.slot)
        return (
            Sentence("Your mail server had refused our mail on %(date)s, so none was made.",
                     date=refused_on),
        )  # fmt: skip
    return (
        Sentence("No mail was made that day: this service did not run at your hour, or your mail "
                 "days were others then."),
    )  # fmt: skip


_REFUSED = Sentence("Your mail server refuses our mail, so none is sent.")
_CHANGE_IT = Sentence("Change the address in your settings.")
_CAME_BACK = Sentence("Your mail server took a mail of that day and sent it back.")

_REPORTS = 20
"""Newest reports in which it is looked what stopped a reader's mail."""


def _acts(session: Session, row: SubscriberRow) -> list[ConsentRow]:
    return consent_store.list_consents(session, row.id or 0)


def _began(row: SubscriberRow, acts: Sequence[ConsentRow]) -> datetime:
    """When mail began, for the first time where they left and came back."""
    began = row.confirmed_at or row.created_at
    return min([began, *(act.at for act in acts if act.act in _BEGINNINGS)])


def _away(row: SubscriberRow, acts: Sequence[ConsentRow], on: date) -> Sentence | None:
    """Of a date on which the reader had left: since when, and when they came back."""
    left_on: date | None = None
    for act in acts:  # oldest first
        day = local_date(act.at, row.zone)
        if act.act == "leave":
            left_on = day
        elif left_on is not None and act.act in ("undo", *_BEGINNINGS):
            if left_on <= on < day:
                return Sentence("You had left on %(left)s, and came back on %(back)s.",
                                left=left_on, back=day)  # fmt: skip
            left_on = None
    if row.state != "left" or row.left_at is None:
        return None
    left_on = local_date(row.left_at, row.zone)
    if on < left_on:
        return None
    return Sentence("You left on %(date)s; nothing is mailed since.", date=left_on)


def _refused(session: Session, row: SubscriberRow, on: date) -> tuple[Sentence, ...]:
    reports = report_lists.list_of_reader(session, row.id or 0, _REPORTS)
    stopped = next((one.at for one, _ in reports if one.said == "suppressed"), None)
    last = own_rows.last_refused(session, row.id or 0)
    at = stopped or (last.row.planned_at if last is not None else None)
    if at is None:
        return (_REFUSED,)
    since = local_date(at, row.zone)
    if on < since:
        return ()
    return (Sentence("Your mail server refused our mail on %(date)s; none is sent since.",
                     date=since), _CHANGE_IT)  # fmt: skip


def _today(
    rt: Runtime, session: Session, row: SubscriberRow, now: datetime
) -> tuple[Sentence, ...]:
    on = local_date(now, row.zone)
    begins = slot_at(on, row.hour, row.zone)
    due = row.next_digest_at
    if begins > now:
        return (Sentence("Your mail of today is still to come."),)
    if releases_store.waits_for(session, [row.id or 0]).get(row.id or 0) == on:
        return _unreleased(rt, session, row, on)
    if due is not None and due > now and local_date(due, row.zone) == on:
        late = [one.title for one in lists_of(session, on)[0]]
        at = due.astimezone(clock_of(row.zone))
        if late:
            what = Sentence(
                "It waits for a list that is late, an hour at most: %(names)s.",
                names=", ".join(late),
            )
            return (what, Sentence("It is looked at again at %(time)s.", time=f"{at:%H:%M}"))
        return (Sentence("Your mail of today is still to come."),)
    if due is not None and due <= now:
        return (
            Sentence("It is due, and made in the next minutes."),
            Sentence("Where it stays away, this service does not run now."),
        )
    return (Sentence("Your hour of today was over when it was chosen."),)


def _unreleased(
    rt: Runtime, session: Session, row: SubscriberRow, on: date
) -> tuple[Sentence, ...]:
    standing = standing_of(rt, session, on)
    if standing.is_free:
        return (Sentence("It is due, and made in the next minutes."),)
    waits = Sentence("It waits until the editors release the day.")
    if standing.goes_at is None:
        return (waits, Sentence("Where they do not, its papers come with your next mail."))
    at = standing.goes_at.astimezone(clock_of(row.zone))
    return (waits, Sentence("It goes at %(time)s at the latest.", time=f"{at:%H:%M}"))


_WEEKDAYS = (
    Sentence("Monday"),
    Sentence("Tuesday"),
    Sentence("Wednesday"),
    Sentence("Thursday"),
    Sentence("Friday"),
    Sentence("Saturday"),
    Sentence("Sunday"),
)


def _weekday(on: date) -> Sentence:
    return _WEEKDAYS[on.weekday()]


def _carried(
    session: Session, row: SubscriberRow, lost: list[MailRow], texts: Texts
) -> tuple[tuple[Carried, ...], int]:
    """Papers of mails that did not come, with where they went."""
    ids = list(dict.fromkeys(i for m in lost for i in (m.row.content or {}).get("papers", ())))
    if not ids or row.id is None:
        return (), 0
    now = current_ids(session, ids)
    named = list(dict.fromkeys(now[i] for i in ids))[:MOST_CARRIED]
    shown = papers_store.get_rows(session, named)
    went = own_rows.list_came(session, row.id, named)
    waits = own_rows.list_carried_from(session, row.id, named)
    gone = {m.row.id for m in lost}
    made = []
    for i in named:
        if i not in shown:
            continue
        paper = papers_store.to_paper(*shown[i])
        mails = [m for occasion, m in went.get(i, ()) if occasion == "new" and m.row.id not in gone]
        day = mail_day(mails[0], row, texts) if mails else None
        made.append(
            Carried(
                title=paper.title,
                scheme=paper.key.scheme,
                value=paper.key.value,
                went_on=day.on if day else None,
                page=day.page if day else "",
                waits=day is None and i in waits,
            )
        )
    return tuple(made), len(set(now.values())) - len(made)


def _sources(rt: Runtime, session: Session, on: date) -> tuple[tuple[str, Sentence], ...]:
    """What became of the lists of that day, of those that brought nothing."""
    found = []
    for source in sources_store.list_sources(session):
        if source.state == "gone" or source.kind not in ADAPTERS:
            continue
        today = source_day(source.kind, rt.clock())
        rows = sources_store.list_source_days(session, on, source.id)
        days = lay_days(
            source, {row.day: row for row in rows}, today, max(1, (today - on).days + 1)
        )
        one = next((day for day in days if day.day == on), None)
        if one is not None and one.sign in _TOLD_SIGNS:
            found.append((source.title, one.says))
    return tuple(found)
