"""Why a paper came to a reader: in which mail and by which words; or why not: what is missing."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from service.digest.trending import popular
from service.errors import Sentence, SpokenError, counted
from service.flows.browse import NotHereError
from service.flows.came import Came, came_in
from service.flows.live import document_of, query_of
from service.flows.next_mail import next_mail_at
from service.flows.related import name_in
from service.flows.runtime import Runtime
from service.flows.score import is_resting
from service.flows.shelf import (
    Shelf,
    candidate,
    learn_taste,
    load_papers,
    load_shelf,
    trending_candidates,
)
from service.flows.window import here_from, rode_on, window_start
from service.matching.document import Document
from service.matching.evaluate import evaluate
from service.matching.misses import Misses, misses
from service.matching.own import is_own
from service.papers.model import Alias
from service.store import own_rows
from service.store import papers as papers_store
from service.store import subscribers as subscribers_store
from service.store.db import Session
from service.store.slots import Slots
from service.store.tables import PaperRow, ProfileRow, SubscriberRow
from service.store.twins import current_ids
from service.subscribers.cadence import local_date, weekly_day
from service.subscribers.model import Cadence
from service.subscribers.options import read_options

MOST_TITLES = 8
"""Papers of a title that are offered to choose from."""

LONGEST = 1000
_MOST_TERMS = 12


class PastedError(SpokenError):
    """What was pasted names no paper; ``where`` is the field."""


@dataclass(frozen=True, slots=True)
class Named:
    """A paper by its name in our addresses."""

    title: str
    scheme: str
    value: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one interest says of the paper. wants: it is what was asked for, found: by these words ·
    misses: else what is missing or too much · says: what else keeps it away, or what happens next ·
    rides: nothing keeps it out of the next mail."""

    interest: str
    kind: str
    wants: bool
    misses: Misses | None = None
    says: tuple[Sentence, ...] = ()
    found: tuple[str, ...] = ()
    rides: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperAnswer:
    """paper: None where none, or several, are meant · several: those to choose from · says: what
    holds whatever the interests · came: mails that brought it · verdicts: of each interest, where
    it did not come · next_at: when the next mail is due, where it will bring the paper."""

    paper: Named | None = None
    several: tuple[Named, ...] = ()
    says: tuple[Sentence, ...] = ()
    came: tuple[Came, ...] = ()
    verdicts: tuple[Verdict, ...] = field(default=())
    next_at: datetime | None = None
    zone: str = "UTC"


def answer_paper(rt: Runtime, reader_id: int, text: str) -> PaperAnswer:
    """Why a paper came or did not. text: its link, arXiv id, DOI, PubMed number or title; nothing
    is fetched. Raises PastedError, NotHereError."""
    text = " ".join("".join(c for c in text if c.isprintable() or c.isspace()).split())[:LONGEST]
    if not text:
        raise PastedError(
            Sentence("There is nothing here."),
            "paper",
            Sentence("Paste the paper's link, its arXiv id or its title."),
        )
    return rt.db.read(lambda s: _answer(rt, s, reader_id, text))


def _answer(rt: Runtime, session: Session, reader_id: int, text: str) -> PaperAnswer:
    reader = subscribers_store.get_subscriber_row(session, id=reader_id)
    if reader is None:
        raise NotHereError(Sentence("This reader is not here any more."))
    rows = _find(rt, session, text)
    if not rows:
        return PaperAnswer(says=_not_stored(rt, text), zone=reader.zone)
    if len(rows) > 1:
        names = papers_store.list_keys(session, [row.id or 0 for row in rows])
        several = tuple(Named(row.title, *names[row.id]) for row in rows if row.id in names)
        return PaperAnswer(several=several, zone=reader.zone)
    return _of_paper(rt, session, reader, rows[0])


def _find(rt: Runtime, session: Session, text: str) -> list[PaperRow]:
    """The stored papers that are meant, hidden ones too where a name says which."""
    name = name_in(rt, text)
    if name is not None:
        ids = papers_store.find_ids(session, [Alias(name[0], name[1])])  # type: ignore[arg-type]
        now = sorted(set(current_ids(session, ids).values()))
        return [row for row, _ in papers_store.get_rows(session, now).values()][:1]
    if text.startswith(("http://", "https://")) or len(text) < 4:
        return []
    return own_rows.find_titled(session, text, MOST_TITLES)


def _not_stored(rt: Runtime, text: str) -> tuple[Sentence, ...]:
    if name_in(rt, text) is not None or text.startswith(("http://", "https://")):
        what = Sentence("This paper is not in our lists: no source of this service listed it.")
        return (what, Sentence("Which sources are read stands on the page of the sources."))
    return (
        Sentence("No paper in our lists has these words in its title."),
        Sentence("Its link or its arXiv id finds it surely."),
    )


def _of_paper(rt: Runtime, session: Session, reader: SubscriberRow, row: PaperRow) -> PaperAnswer:
    assert row.id is not None
    assert reader.id is not None
    names = papers_store.list_names(session, [row.id]).get(row.id, [])
    key = papers_store.to_paper(row, names).key
    made = PaperAnswer(paper=Named(row.title, key.scheme, key.value), zone=reader.zone)
    if row.quarantined:
        hidden = Sentence("The people who run this service took this paper out of the lists.")
        return replace(made, says=(hidden,))
    came = came_in(rt, session, reader, row.id)
    if any(not one.waits and one.how != "news" for one in came):
        return replace(made, came=came)
    if not came and own_rows.is_had(session, reader.id, row.id):
        had = Sentence("You had it; the mail that brought it is not kept any more.")
        return replace(made, says=(had,))
    says = [*_of_reader(rt, reader), *_of_novelty(rt, session, reader, row)]
    if came:
        return replace(made, came=came, says=tuple(says))
    waits = row.id in own_rows.list_carried_from(session, reader.id, [row.id])
    if waits:
        says.append(
            Sentence("It was in a mail that never reached you, and rides in your next one.")
        )
    is_news = row.eligible_at is not None and not waits  # nothing keeps back what waits
    verdicts = _verdicts(rt, session, reader, row, is_news=is_news)
    will_come = not says or waits
    rides = waits or any(one.rides for one in verdicts)
    next_at = next_mail_at(rt, session, reader) if rides and will_come else None
    return replace(made, says=tuple(says), verdicts=verdicts, next_at=next_at)


def _of_reader(rt: Runtime, reader: SubscriberRow) -> list[Sentence]:
    """What keeps every paper away."""
    today = local_date(rt.clock(), reader.zone)
    if reader.state == "pending":
        return [Sentence("The subscription was never confirmed, so nothing is mailed.")]
    if reader.state == "left" and reader.left_at is not None:
        on = local_date(reader.left_at, reader.zone)
        return [Sentence("You left on %(date)s; nothing is mailed since.", date=on)]
    if reader.state == "bounced":
        return [Sentence("Your mail server refuses our mail, so none is sent.")]
    if reader.paused_until is not None and reader.paused_until > today:
        return [Sentence("You paused until %(date)s.", date=reader.paused_until)]
    if reader.rests_until is not None and is_resting(reader, rt.clock()):
        until = local_date(reader.rests_until, reader.zone)
        return [
            Sentence("Earlier mails had come back from your mail server; none is made until"
                     " %(date)s.", date=until)
        ]  # fmt: skip
    return []


def _of_novelty(
    rt: Runtime, session: Session, reader: SubscriberRow, row: PaperRow
) -> list[Sentence]:
    """Whether the paper was ever news."""
    if row.eligible_at is not None:
        return []
    if own_rows.is_held(session, row.id or 0):
        return [
            Sentence("It came with unusually many others at once, and waits for the people who run "
                     "this service to look at them.")
        ]  # fmt: skip
    first = local_date(row.first_seen_at, reader.zone)
    return [
        Sentence("It was known here before it could be news: it came on %(date)s with the past of a"
                 " source, or was older than %(days)s days.", date=first, days=30),
        Sentence("Known papers are found by searching and never mailed as new."),
    ]  # fmt: skip


# ---- the interests ----


def _verdicts(
    rt: Runtime, session: Session, reader: SubscriberRow, row: PaperRow, *, is_news: bool
) -> tuple[Verdict, ...]:
    assert reader.id is not None
    assert row.id is not None
    on = local_date(rt.clock(), reader.zone)
    shelf = load_shelf(rt, session, rt.defaults(), [reader.id], on)
    load_papers(session, shelf, [row.id])
    learn_taste(rt, session, shelf, reader.id)
    document = document_of(row)
    made = [
        _verdict(rt, session, shelf, reader, row, document, profile, on, is_news=is_news)
        for profile in subscribers_store.list_profile_rows(session, reader.id)
    ]
    if reader.trending and not any(one.kind == "trending" for one in made):
        made.append(_trending(session, shelf, row, "", on))
    return tuple(made)


def _verdict(
    rt: Runtime,
    session: Session,
    shelf: Shelf,
    reader: SubscriberRow,
    row: PaperRow,
    document: Document,
    profile: ProfileRow,
    on: date,
    *,
    is_news: bool,
) -> Verdict:
    name = profile.name
    rests = (Sentence("It rests; take it up again in your settings."),) if profile.paused else ()
    if profile.kind == "trending":
        verdict = _trending(session, shelf, row, name, on)
        return replace(verdict, says=(*rests, *verdict.says))
    own = read_options(profile.options).own
    query = query_of(profile.kind, profile.text, None)
    if query is None:
        return Verdict(name, profile.kind, False, None, (Sentence("Its words cannot be read."),))
    lacking = misses(query, document)
    if lacking is not None:
        return Verdict(name, profile.kind, False, _shortened(lacking), rests)
    if own and is_own(own, document):
        mine = Sentence("It is left out as a paper of your own (%(name)s).", name=own)
        return Verdict(name, profile.kind, False, None, (*rests, mine))
    says = [*rests]
    if is_news and not rests:
        says += _kept_back(rt, shelf, reader, row, profile, on)
    rides = is_news and not says
    if rides and profile.cadence == Cadence.WEEKLY.value:
        rides = False
        says.append(Sentence("It rides in the weekly mail of %(date)s.",
                             date=_weekly_date(reader, profile, on)))  # fmt: skip
    hits = evaluate(query, document) or ()
    found = tuple(dict.fromkeys(hit.term for hit in hits))[:_MOST_TERMS]
    return Verdict(name, profile.kind, True, None, tuple(says), found, rides)


def _weekly_date(reader: SubscriberRow, profile: ProfileRow, on: date) -> date:
    """The next date on which a weekly interest rides, after today."""
    value = subscribers_store.to_subscriber(reader)
    days = (on + timedelta(days=n) for n in range(1, 8))
    return next((d for d in days if weekly_day(value, profile.weekday, d) == d), on)


def _shortened(one: Misses) -> Misses:
    return replace(
        one,
        found=one.found[:_MOST_TERMS],
        missing=tuple(group[:_MOST_TERMS] for group in one.missing),
    )


def _kept_back(
    rt: Runtime, shelf: Shelf, reader: SubscriberRow, row: PaperRow, profile: ProfileRow, on: date
) -> list[Sentence]:
    """What keeps a new paper with the right words out of the mails."""
    assert row.id is not None
    assert row.eligible_at is not None
    value, each = subscribers_store.to_subscriber(reader), subscribers_store.to_profile(profile)
    day = row.eligible_at.date()
    if profile.since is not None and day < profile.since:
        return [
            Sentence("It came on %(date)s, before this interest began on %(since)s.",
                     date=day, since=profile.since)
        ]  # fmt: skip
    slots = shelf.slots.get(value.id, Slots())
    here, rode = here_from(value, slots), rode_on(value, slots, on, rt.clock())
    start = window_start(each, value, on, shelf.limits, None, here, rode)
    if day < start:
        return [
            Sentence("It came on %(date)s; a paper waits %(days)s days for a mail, and no mail of "
                     "these days took it.", date=day, days=shelf.limits.window_days)
        ]  # fmt: skip
    if each.threshold > 0:
        with_any = candidate(rt, shelf, replace(each, threshold=0.0), row.id, False, on)
        score = with_any.score if with_any is not None else 0.0
        if score < each.threshold:
            return [
                Sentence("Its score is %(score)s, and you want %(least)s or more.",
                         score=_short(score), least=_short(each.threshold))
            ]  # fmt: skip
    if reader.at_least > 1 and each.cadence is not Cadence.INSTANT:
        return [
            counted("Your mail waits until %(num)s paper is there.",
                    "Your mail waits until %(num)s papers are there.", reader.at_least)
        ]  # fmt: skip
    return []


def _short(value: float) -> float | int:
    """With one digit after the point, or none where it says nothing."""
    rounded = round(value, 1)
    return int(rounded) if rounded == int(rounded) else rounded


def _trending(session: Session, shelf: Shelf, row: PaperRow, name: str, on: date) -> Verdict:
    """Whether it stands among the most-voted papers of the last list days."""
    most = shelf.limits.trending_entries
    every = replace(shelf.limits, trending_entries=len(shelf.listed) or 1)
    ranked = [
        c.paper.id for c in popular(trending_candidates(session, shelf, 0, set(), {}), on, every)
    ]
    if row.id in ranked:
        place = ranked.index(row.id) + 1
        said = Sentence(
            "By votes it stands at place %(place)s; the first %(most)s come.",
            place=place, most=most,
        )  # fmt: skip
    elif row.id in dict(shelf.listed):
        said = Sentence("Nobody voted for it so far.")
    else:
        said = Sentence("It is on no list of the last days that has votes.")
    return Verdict(name, "trending", row.id in ranked[:most], None, (said,))
