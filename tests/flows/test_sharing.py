"""Who must get the same digest is decided together with the others, and gets just what is decided
for one alone."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session, select
from support.arrows import by_hand
from support.house import START, add, ingest_items, open_house, paper_item, rows

from service.digest.model import Digest, with_profiles
from service.flows import compose
from service.flows.daily import plan_daily
from service.flows.runtime import Runtime
from service.flows.sharing import keys_of
from service.flows.shelf import load_shelf
from service.flows.worked import MOST_SHOWN, Decision, Decisions, Worked
from service.store.editions import get_edition
from service.store.subscribers import list_subscriber_rows, to_subscriber
from service.store.tables import (
    CarryRow,
    DeliveryRow,
    EditionRow,
    FeedbackRow,
    MatchRow,
    PaperRow,
    ProfileRow,
    SentPaperRow,
    SubscriberRow,
)

ON = START.date()
WORDS = ("adapters", "adapters, forget", "glaciers")
PAPERS = 14


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    """Papers of the last twenty days, two a day but for some; nobody reads them yet."""
    with open_house(tmp_path_factory.mktemp("house")) as made:
        rt = made.runtime
        items = [
            paper_item(n, f"Adapters {n} {('that forget', 'on glaciers')[n % 2]}", votes=n % 5)
            for n in range(1, PAPERS + 1)
        ]
        ingest_items(rt, tmp_path_factory.mktemp("items"), items, on=ON)

        def spread(session: Session) -> None:
            for n, row in enumerate(session.exec(select(PaperRow).order_by(PaperRow.id))):
                row.eligible_at = START - timedelta(days=n * 1.45, hours=n % 3)
                session.add(row)

        rt.db.write(spread)
        yield rt


def some(*values: object, often: int = 3) -> st.SearchStrategy[object]:
    """One of some values, mostly the first."""
    return st.sampled_from([values[0]] * often + list(values))


DAYS_AGO = st.sampled_from([None, 0, 1, 2, 6, 20, 50, 400])

INTEREST = st.fixed_dictionaries(
    {
        "text": some(*WORDS),
        "kind": some("keywords", "trending", often=5),
        "name": some("Papers", "Others"),
        "cadence": some("daily", "weekly", "instant", often=4),
        "weekday": some(2, 4),
        "cap": some(None, 1),
        "threshold": some(0.0, 2.5),
        "since": DAYS_AGO,
        "paused": some(False, True, often=6),
        "own": some("", "Ana Silva"),
    }
)
READER = st.fixed_dictionaries(
    {
        "zone": some("UTC", "Pacific/Kiritimati", "America/Los_Angeles"),
        "hour": some(8, 23),
        "weekdays": some("mon,tue,wed,thu,fri", "mon", "wed,sun"),
        "style": some("short", "none"),
        "trending": some(False, True),
        "at_least": some(1, 3),
        "tell_anyway": some(False, True),
        "picks": some(True, False),
        "added_by": some("", "The library"),
        "created": some(400, 0, 1, 3, 30),
        "paused_until": some(None, 1, 5, 40, often=5),
    }
)
SLOT = st.tuples(
    st.sampled_from([1, 2, 5, 7, 8, 40]),
    st.sampled_from(["accepted", "nothing_new", "paused", "not_your_day"]),
    st.sampled_from([0, 5, 300]),
)
PERSON = st.fixed_dictionaries(
    {
        "reader": READER,
        "interests": st.lists(INTEREST, max_size=2, unique_by=lambda one: one["name"]),
        "slots": st.lists(SLOT, max_size=3, unique_by=lambda one: one[0]),
        "had": st.frozensets(st.integers(1, PAPERS), max_size=3),
        "carried": st.frozensets(st.integers(1, PAPERS), max_size=2),
        "marks": st.dictionaries(st.integers(1, PAPERS), st.sampled_from([-1, 1]), max_size=2),
        "first": some(False, True, often=5),
    }
)
# each is there twice and once more with one part of another: so many are alike, or nearly
PEOPLE = st.tuples(st.lists(PERSON, min_size=1, max_size=3), PERSON, st.randoms())


def enter(session: Session, number: int, person: dict) -> int:
    """Store one reader with everything that was said; what no digest hangs on is other for each."""
    reader = dict(person["reader"])
    created = START - timedelta(days=reader.pop("created"), hours=3)
    paused = reader.pop("paused_until")
    row = SubscriberRow(
        **reader,
        email=f"r{number}@example.org",
        email_key=f"r{number}@example.org",
        name=f"Reader {number}",
        state="active",
        locale=("en", "de")[number % 2],
        format=("html", "text")[number % 2],
        on_time=bool(number % 2),
        paused_until=ON - timedelta(days=paused) if paused is not None else None,
        unsubscribe_token=f"u{number}",
        feed_token=f"f{number}",
        created_at=created,
        confirmed_at=created + timedelta(minutes=number),
    )
    session.add(row)
    session.flush()
    assert row.id is not None
    for interest in person["interests"]:
        values = dict(interest)
        own, ago = values.pop("own"), values.pop("since")
        profile = ProfileRow(
            **values,
            subscriber_id=row.id,
            options={"own": own} if own else {},
            since=ON - timedelta(days=ago) if ago is not None else None,
            created_at=created,
            changed_at=created,
        )
        session.add(profile)
        session.flush()
        for paper_id in range(1, PAPERS + 1):
            session.add(MatchRow(profile_id=profile.id, paper_id=paper_id, score=1.0))
    mail = None
    for ago, what, minutes in person["slots"]:
        mail = deliver(session, row, ON - timedelta(days=ago), what, minutes)
    for paper_id in person["had"]:
        session.add(SentPaperRow(subscriber_id=row.id, paper_id=paper_id))
    for paper_id in person["carried"] if mail is not None else ():
        session.add(CarryRow(subscriber_id=row.id, paper_id=paper_id, delivery_id=mail))
    for n, (paper_id, sign) in enumerate(person["marks"].items()):
        at = START - timedelta(hours=n)
        session.add(FeedbackRow(subscriber_id=row.id, paper_id=paper_id, sign=sign, at=at))
    session.flush()
    return row.id


def deliver(session: Session, reader: SubscriberRow, on: date, what: str, minutes: int) -> int:
    edition = get_edition(session, kind="digest", slot=on.isoformat())
    at = datetime(on.year, on.month, on.day, 8, tzinfo=UTC) + timedelta(minutes=minutes)
    if edition is None:
        edition = EditionRow(kind="digest", slot=on.isoformat(), opened_at=at)
        session.add(edition)
        session.flush()
    name = f"{reader.email_key}-{on}"
    row = DeliveryRow(
        edition_id=edition.id, recipient_key=reader.email_key, subscriber_id=reader.id,
        kind="digest", message_id=name, bounce_id=name, token=name, planned_at=at,
        state="accepted" if what == "accepted" else "skipped",
        reason="" if what == "accepted" else what,
    )  # fmt: skip
    session.add(row)
    session.flush()
    assert row.id is not None
    return row.id


def both_ways(rt: Runtime, people: list[dict]) -> tuple[dict, dict, dict]:
    """What each reader gets, decided together and alone; and the keys."""
    with by_hand(), Session(rt.db.engine) as session:
        made = [enter(session, n, person) for n, person in enumerate(people)]
        occasions = {
            reader: "first" if person["first"] else "daily"
            for reader, person in zip(made, people, strict=True)
        }
        limits = rt.defaults()
        readers = [to_subscriber(row) for row in list_subscriber_rows(session, ids=made)]
        shelf = load_shelf(rt, session, limits, made, ON, Worked())
        asked = [(reader, occasions[reader.id]) for reader in readers]
        keys = keys_of(rt, session, shelf, ON, asked)
        together, alone = {}, {}
        for reader, occasion in asked:
            known = compose._decision(rt, session, shelf, reader, ON, occasion, "", keys)
            result = known.result
            if isinstance(result, Digest):
                result = with_profiles(result, known.numbers(shelf.profiles[reader.id]))
            together[reader.id] = result
        for reader, occasion in asked:
            own = load_shelf(rt, session, limits, [reader.id], ON, Worked())
            alone[reader.id] = compose.digest_for(rt, session, own, reader, ON, occasion)
        session.rollback()
    return together, alone, keys


def crowd_of(drawn: tuple) -> list[dict]:
    people, other, chance = drawn
    crowd = [*people, *people]
    for person in people:
        part = chance.choice(sorted(person))
        crowd.append({**person, part: other[part]})
        reader = chance.choice(sorted(person["reader"]))
        changed = {**person["reader"], reader: other["reader"][reader]}
        crowd.append({**person, "reader": changed})
    chance.shuffle(crowd)
    return crowd


@pytest.mark.slow
@given(drawn=PEOPLE)
@settings(suppress_health_check=list(HealthCheck), deadline=None)
def test_what_is_decided_together_is_what_is_decided_alone(house, drawn):
    together, alone, _ = both_ways(house, crowd_of(drawn))
    assert together == alone


PLAIN = {
    "reader": {
        "zone": "UTC", "hour": 8, "weekdays": "mon,tue,wed,thu,fri", "style": "short",
        "trending": False, "at_least": 1, "tell_anyway": False, "picks": True, "added_by": "",
        "created": 60, "paused_until": None,
    },
    "interests": [
        {
            "text": "adapters", "kind": "keywords", "name": "Papers", "cadence": "daily",
            "weekday": 4, "cap": None, "threshold": 0.0, "since": 60, "paused": False, "own": "",
        }
    ],
    "slots": [(1, "accepted", 0)], "had": frozenset({14}), "carried": frozenset(), "marks": {},
    "first": False,
}  # fmt: skip


def changed(**parts: object) -> dict:
    return {**PLAIN, **parts}


def with_reader(**values: object) -> dict:
    return changed(reader={**PLAIN["reader"], **values})


def with_interest(**values: object) -> dict:
    return changed(interests=[{**PLAIN["interests"][0], **values}])


@pytest.mark.parametrize(
    "other",
    [
        PLAIN,
        changed(had=frozenset({13})),  # too old to come into question
        with_reader(created=400),
        with_interest(since=300),
        changed(slots=[(1, "accepted", 5)]),  # nothing became new between
    ],
)
def test_what_makes_no_difference_is_shared(house, other):
    together, alone, keys = both_ways(house, [PLAIN, other])
    assert together == alone
    assert len(set(keys.values())) == 1 < len(keys)
    assert isinstance(next(iter(together.values())), Digest)


@pytest.mark.parametrize(
    "other",
    [
        changed(had=frozenset({1})),
        changed(carried=frozenset({2})),
        changed(marks={1: 1}),
        changed(first=True),
        changed(slots=[(2, "accepted", 0)]),
        with_reader(style="none"),
        with_reader(trending=True),
        with_reader(zone="Pacific/Kiritimati"),
        with_reader(weekdays="mon"),
        with_reader(at_least=3),
        with_interest(name="Others"),
        with_interest(cap=1),
        with_interest(threshold=2.5),
        with_interest(own="Ana Silva"),
        with_interest(since=2),
        with_interest(text="glaciers"),
        with_interest(cadence="weekly"),
    ],
)
def test_what_may_make_a_difference_is_decided_anew(house, other):
    together, alone, keys = both_ways(house, [PLAIN, other])
    assert together == alone
    assert len(set(keys.values())) == 2


def test_alerts_of_a_day_are_counted_for_each_reader(house):
    _, _, keys = both_ways(house, [with_interest(cadence="instant")] * 2)
    assert keys == {}


@pytest.mark.slow
def test_readers_who_get_the_same_hold_one_content(rt, tmp_path, monkeypatch):
    decided, real = Counter(), compose.digest_for
    monkeypatch.setattr(
        compose, "digest_for", lambda *a, **k: decided.update(["times"]) or real(*a, **k)
    )
    rendered, sizes = Counter(), rt.press.sizes
    monkeypatch.setattr(rt.press, "sizes", lambda *a: rendered.update(["times"]) or sizes(*a))
    for n in range(6):
        add(rt, f"r{n}@example.org", "adapters", language=("en", "de")[n % 2])
    ingest_items(rt, tmp_path, [paper_item(n, f"Adapters {n}") for n in (1, 2)])
    monkeypatch.setattr(compose, "CHUNK", 4)
    assert plan_daily(rt).ready == 6
    made = rows(rt)
    assert len({row.content_id for row in made}) == 1
    numbers = {row.content["digest"]["sections"][0]["profile_id"] for row in made}
    assert len(numbers) == 6
    assert decided["times"] == 1
    assert rendered["times"] == 2, "once in each language"


def test_decisions_are_bounded_by_what_they_show():
    kept = Decisions(MOST_SHOWN)
    nothing = Decision(compose.NothingNew("nothing_new", 1))
    for n in range(MOST_SHOWN + 10):
        kept.keep(n, nothing)
        kept.get(0)
    assert kept.get(0) is nothing, "the latest asked for stay"
    assert kept.get(1) is None
    assert kept.get(MOST_SHOWN + 9) is nothing
