"""The page behind the link to leave: one interest instead of all, or a pause; and why people left.

Whoever has the link may end mail, of all interests or of one, put it off, and take that back for
the days of undoing. Nothing else: the link never ends and may have been forwarded.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from service.errors import Sentence
from service.flows.interests import change_interest
from service.flows.leave import LinkError
from service.flows.manage import pause_row
from service.flows.next_mail import next_mail_at
from service.flows.runtime import Runtime
from service.store import consent as consent_store
from service.store import subscribers as subscribers_store
from service.store.consent import REASONS
from service.store.db import Priority, Session
from service.store.tables import ConsentRow, ProfileRow, SubscriberRow
from service.subscribers.cadence import local_date

PAUSES = (7, 14, 30)
"""Days of the pauses that are offered; the reader's own page takes any date."""

TRENDING = 0
"""The number of the section of most-voted papers, which is no interest of its own."""

MOST_REASONS = 3
"""Times one reader may say why."""


@dataclass(frozen=True, slots=True)
class Part:
    """An interest that can be left alone. rests: no papers of it come · is_ours: its name was given
    by us and is said in the reader's language · undo: whether its rest can be taken back here."""

    id: int
    name: str
    rests: bool = False
    is_ours: bool = False
    undo: bool = False


@dataclass(frozen=True, slots=True)
class Leaving:
    """Who opens the page. pauses: (days, the date of the first mail day after it may be) ·
    next_at: when the next mail is due, None when none comes."""

    email: str
    state: str
    parts: tuple[Part, ...]
    pauses: tuple[tuple[int, date], ...]
    paused_until: date | None
    next_at: datetime | None
    weekdays: frozenset[int]
    hour: int
    zone: str

    @property
    def awake(self) -> tuple[Part, ...]:
        """What still brings papers."""
        return tuple(part for part in self.parts if not part.rests)


def look_at_parts(rt: Runtime, token: str) -> Leaving:
    """What can be left alone; nothing changes. Raises LinkError."""

    def read(session: Session) -> Leaving:
        return _leaving(rt, session, _reader(session, token))

    return rt.db.read(read)


def _leaving(rt: Runtime, session: Session, row: SubscriberRow) -> Leaving:
    assert row.id is not None
    profiles = subscribers_store.list_profile_rows(session, row.id)
    undoable = _rested(rt, consent_store.list_consents(session, row.id))
    parts = [
        Part(p.id or 0, p.name, p.paused, _is_ours(p), p.paused and p.id in undoable)
        for p in profiles
    ]
    if row.trending and not any(p.kind == "trending" for p in profiles):
        parts.append(Part(TRENDING, "Trending", is_ours=True))
    elif TRENDING in undoable:
        parts.append(Part(TRENDING, "Trending", rests=True, is_ours=True, undo=True))
    today = local_date(rt.clock(), row.zone)
    paused = row.paused_until
    return Leaving(
        email=row.email,
        state=row.state,
        parts=tuple(parts),
        pauses=tuple((days, today + timedelta(days=days)) for days in _offered(rt)),
        paused_until=paused if paused is not None and paused > today else None,
        next_at=next_mail_at(rt, session, row),
        weekdays=subscribers_store.days_of(row.weekdays),
        hour=row.hour,
        zone=row.zone,
    )


def _offered(rt: Runtime) -> list[int]:
    return [days for days in PAUSES if days <= rt.defaults().pause_days]


def _is_ours(row: ProfileRow) -> bool:
    return row.kind == "trending" and row.name == "Trending"


def _rested(rt: Runtime, acts: Sequence[ConsentRow]) -> set[int]:
    """Interests that were left alone by this link within the days of undoing."""
    since = rt.clock() - timedelta(days=rt.defaults().undo_days)
    found: dict[int, bool] = {}
    for act in acts:  # oldest first: the newest word counts
        if act.act in ("leave-one", "undo-one") and act.at > since:
            found[int(act.detail.split(" ")[0])] = act.act == "leave-one"
    return {number for number, is_left in found.items() if is_left}


def _reader(session: Session, token: str) -> SubscriberRow:
    row = subscribers_store.get_subscriber_row(session, token=token)
    if row is None:
        raise LinkError(
            Sentence("This link belongs to nobody here."), "", Sentence("Nothing was changed.")
        )
    return row


def leave_one(
    rt: Runtime, token: str, part: int, *, network: str = "", agent: str = ""
) -> tuple[Leaving, Part]:
    """No more papers of one interest; as often as pressed. Raises LinkError."""

    def act(session: Session, row: SubscriberRow) -> bool:
        if part == TRENDING:
            was, row.trending = row.trending, False
            session.add(row)
            return was
        profile = _own(session, row, part)
        was = profile.paused
        change_interest(session, profile, rt.clock(), paused=True)
        return not was

    return _act(rt, token, part, "leave-one", act, network, agent)


def take_back(
    rt: Runtime, token: str, part: int, *, network: str = "", agent: str = ""
) -> tuple[Leaving, Part]:
    """The interest as it was: its words, its days, and the papers since. Raises LinkError: also
    when the days of undoing are over."""

    def act(session: Session, row: SubscriberRow) -> bool:
        assert row.id is not None
        if part not in _rested(rt, consent_store.list_consents(session, row.id)):
            raise LinkError(
                Sentence("This can no longer be undone."),
                "",
                Sentence("On the page of your settings it can be taken up again."),
            )
        if part == TRENDING:
            row.trending = True
            session.add(row)
            return True
        profile = _own(session, row, part)
        if profile.paused:
            profile.matched_at = None  # what came meanwhile is met at the next run
            change_interest(session, profile, rt.clock(), paused=False)
        return True

    return _act(rt, token, part, "undo-one", act, network, agent)


def _own(session: Session, row: SubscriberRow, part: int) -> ProfileRow:
    profile = subscribers_store.get_profile_row(session, part)
    if profile is None or profile.subscriber_id != row.id:
        raise LinkError(
            Sentence("This interest is not here any more."), "", Sentence("Open the page again.")
        )
    return profile


def _act(
    rt: Runtime,
    token: str,
    part: int,
    name: str,
    act: Callable[[Session, SubscriberRow], bool],
    network: str,
    agent: str,
) -> tuple[Leaving, Part]:
    def do(session: Session) -> tuple[Leaving, Part]:
        row = _reader(session, token)
        assert row.id is not None
        if act(session, row):
            consent_store.add_consent(
                session,
                subscriber_id=row.id,
                hashed=consent_store.email_hash(rt.instance.key, row.email_key),
                act=name,
                now=rt.clock(),
                address=network,
                agent=agent,
                detail=str(part),
            )
        session.flush()
        found = _leaving(rt, session, row)
        mine = next((one for one in found.parts if one.id == part), None)
        return found, mine or Part(part, "Trending", rests=True, is_ours=True)

    return rt.db.write(do, Priority.WEB)


def put_off(rt: Runtime, token: str, days: int) -> Leaving:
    """A pause of some days, or the end of one (0). Raises LinkError."""

    def act(session: Session) -> Leaving:
        row = _reader(session, token)
        if row.state != "left":
            today = local_date(rt.clock(), row.zone)
            until = today + timedelta(days=days) if days in _offered(rt) else None
            pause_row(rt, session, row, until)
        return _leaving(rt, session, row)

    return rt.db.write(act, Priority.WEB)


def note_reason(rt: Runtime, token: str, code: str, words: str, *, network: str = "") -> bool:
    """Keep why somebody left, if they like to say: one of ``REASONS``, words, or both. False where
    nothing was said. Unknown tokens keep nothing."""
    words = words.strip()[:500]
    said = code if code in REASONS else "other" if words else ""

    def act(session: Session) -> None:
        row = subscribers_store.get_subscriber_row(session, token=token)
        if row is None or row.id is None or row.state != "left":
            return
        told = [c for c in consent_store.list_consents(session, row.id) if c.act == "reason"]
        if len(told) >= MOST_REASONS:
            return
        hashed = consent_store.email_hash(rt.instance.key, row.email_key)
        consent_store.add_consent(
            session, subscriber_id=row.id, hashed=hashed, act="reason", now=rt.clock(),
            address=network, detail=f"{said}: {words}" if words else said,
        )  # fmt: skip

    if said:
        rt.db.write(act, Priority.WEB)
    return bool(said)


@dataclass(frozen=True, slots=True)
class WhyLeft:
    """Of the last year: how many left, how many came back, how often each reason was given, and
    the newest words."""

    left: int
    back: int
    counts: dict[str, int]
    words: tuple[tuple[datetime, str, str], ...]


def why_left(rt: Runtime, *, days: int = 365, words: int = 50) -> WhyLeft:
    """Why people left, for the staff: nobody's address."""

    def read(session: Session) -> WhyLeft:
        rows = consent_store.list_acts(
            session, ("leave", "undo", "reason"), rt.clock() - timedelta(days=days)
        )
        counts = dict.fromkeys(REASONS, 0)
        said: list[tuple[datetime, str, str]] = []
        for row in rows:
            if row.act == "reason":
                code, _, text = row.detail.partition(": ")
                if code not in counts:
                    code, text = "other", row.detail
                counts[code] += 1
                if text:
                    said.append((row.at, code, text))
        acts = [row.act for row in rows]
        return WhyLeft(acts.count("leave"), acts.count("undo"), counts, tuple(said[:words]))

    return rt.db.read(read)
