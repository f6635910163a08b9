"""A simulated fortnight: a server that behaves like arXiv, Hugging Face and two journals, real
polls, real digests through a real SMTP server, a clock that is led.

The days hold a weekend, a holiday, a day without papers that no calendar names, a stale category
that heals after the mails, one that heals before and one that never does, a late turn, 429 with and
without Retry-After, an outage of ours of three days and one of the servers, a list of more than a
hundred, papers that moderation held for days, and a twin that a later version gives away. What must
arrive is read from the script, by a matcher that shares no code.
"""

import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import col
from support import sky_plan as plan
from support.sizes import sized
from support.sky import Sky
from support.sky_house import READERS, SOURCES, Fortnight, Mail, fortnight, sky_house
from support.sky_poller import spawned
from support.sky_script import CATEGORIES, SURPRISE, Script, announces, midnight, utc

from service.flows.sources import add_source
from service.store.tables import PaperRow


def now() -> datetime:
    return datetime.now(UTC)


TICK = timedelta(hours=3)
"""The fortnight's pollers look at least this often; a real one does every minute."""

A_MOMENT = timedelta(minutes=4)
"""A round of polls may take that long by the clock; digests are looked at after it."""


def missing_and_extra(played: Fortnight, must: set[int], may: set[int]) -> str:
    """Per reader: what did not come, what came twice, what never should."""
    told, found = plan.works(played.script), []
    for reader in played.readers:
        got = Counter(mark for mail in played.mails if mail.to == reader for mark in mail.marks)
        wanted = played.wanted(reader, [told[mark] for mark in may])
        missing, twice = (wanted & must) - set(got), {m for m, n in got.items() if n > 1}
        if missing or twice or set(got) - wanted:
            found.append(f"{reader}: missing {sorted(missing)}, twice {sorted(twice)}, "
                         f"extra {sorted(set(got) - wanted)}")  # fmt: skip
    return "\n".join(found)


def assert_pace(sky: Sky, seconds: float = 3.0) -> None:
    """No two requests to arXiv's hosts closer than the pace, none while another is under way."""
    asked = sky.of_arxiv()
    gaps = [(b.at - a.at).total_seconds() for a, b in pairwise(asked)]
    assert gaps
    assert min(gaps) >= seconds - 1e-5
    assert {one.busy for one in asked} == {0}


@pytest.mark.slow  # four days of a simulation; a quick run has the replay
def test_four_days_bring_every_paper_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = plan.quick_script()
    with fortnight(tmp_path, script, plan.BEGIN, monkeypatch, tick=timedelta(hours=12)) as played:
        played.furnish(SOURCES[:3], ("all@example.org",), history_days=0)
        played.play(utc(date(2026, 11, 18), 9))
        seen = plan.news(script)
        must = {mark for mark, at in seen.items() if at < utc(date(2026, 11, 17), 20)}
        assert missing_and_extra(played, must, set(seen)) == ""
        assert_pace(played.sky)
        (late,) = [m for m in played.mails if m.to == "all@example.org" and m.at.day == 17]
        assert timedelta() <= late.at - utc(date(2026, 11, 17), 9) <= A_MOMENT
        assert "Late today: arXiv cs.AI." in " ".join(late.text.split())
        assert played.ledger()["arXiv cs.AI", date(2026, 11, 17)].state == "complete"


@pytest.fixture(scope="module")
def played(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fortnight]:
    """The whole fortnight with three pollers; on PostgreSQL when PAPERPOST_TEST_FORTNIGHT says
    "postgres" (a run of everything plays four days there)."""
    with ExitStack() as stack:
        values = {}
        if os.environ.get("PAPERPOST_TEST_FORTNIGHT") == "postgres":
            cluster = request.getfixturevalue("postgres_cluster")
            values["database_url"] = stack.enter_context(cluster.database())
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        folder = tmp_path_factory.mktemp("fortnight")
        made = stack.enter_context(
            fortnight(
                folder,
                plan.whole_script(),
                plan.BEGIN,
                patch,
                pollers=3,
                tick=TICK,
                **values,
            )
        )
        made.furnish()
        made.play(plan.END, down=plan.DOWN)
        yield made


@pytest.mark.slow
@pytest.mark.xdist_group("fortnight")
@pytest.mark.timeout(900)  # sixteen days are played before the first test
class TestFortnight:
    def test_every_announced_paper_is_stored_once_and_mailed_once(self, played: Fortnight) -> None:
        seen = plan.news(played.script)
        must = {mark for mark, at in seen.items() if at < utc(date(2026, 12, 1), 0)}
        assert len(must) > 300
        assert missing_and_extra(played, must, set(seen)) == ""
        with played.rt.db.reading() as session:
            titles = Counter(
                session.execute(
                    sa.select(col(PaperRow.title)).where(col(PaperRow.merged_into).is_(None))
                ).scalars()
            )
        told = plan.works(played.script)
        assert max(titles.values()) == 1
        stored = {mark for mark in must if told[mark].title in titles}
        assert len(must - stored) == 1  # the journal's twin, which became one with arXiv's

    def test_arxiv_is_never_asked_faster_than_its_pace(self, played: Fortnight) -> None:
        assert_pace(played.sky)
        assert len(played.sky.of_arxiv()) > 100

    def test_hugging_face_and_journals_keep_their_pace_too(self, played: Fortnight) -> None:
        for host, least in (("huggingface.co", 0.7), ("towels.journal.example", 1.0)):
            at = sorted(one.at for one in played.sky.asked if one.host == host)
            gaps = [(b - a).total_seconds() for a, b in pairwise(at)]
            assert min(gaps) >= least - 1e-5

    def test_the_ledger_tells_each_days_truth(self, played: Fortnight) -> None:
        faults = ledger_faults(played)
        assert not faults, "\n".join(faults)

    def test_digests_go_out_on_time_and_name_what_is_late(self, played: Fortnight) -> None:
        faults = [
            fault
            for mail in played.mails
            if mail.to in READERS
            for fault in mail_faults(played.script, mail)
        ]
        assert not faults, "\n".join(faults)
        for reader in ("all@example.org", "adapters@example.org"):
            on = {mail.at.date(): mail for mail in played.mails if mail.to == reader}
            assert timedelta() <= on[plan.STALE].at - utc(plan.STALE, 9) <= A_MOMENT
            assert timedelta() <= on[plan.BROKEN].at - utc(plan.BROKEN, 9) <= A_MOMENT
            assert plan.MENDED <= on[plan.SHORT].at < utc(plan.SHORT, 9)
            assert "Late today" not in " ".join(on[plan.SHORT].text.split())

    def test_what_arrives_is_in_the_next_mail(self, played: Fortnight) -> None:
        with played.rt.db.reading() as session:
            rows = session.execute(
                sa.select(col(PaperRow.title), col(PaperRow.eligible_at)).where(
                    col(PaperRow.eligible_at).is_not(None)
                )
            )
            eligible = {row[0]: row[1] for row in rows}
        told = plan.works(played.script)
        checked = 0
        for reader in READERS:
            mails = [mail for mail in played.mails if mail.to == reader]
            for mail in mails:
                for mark in mail.marks:
                    at = eligible.get(told[mark].title)
                    if mark in played.script.twins:
                        continue  # it stands under the later of two days now
                    first = next(other for other in mails if other.at >= at)
                    assert first is mail, (reader, mark, at, first.at, mail.at)
                    checked += 1
        assert checked > 500

    def test_papers_arrive_soon_after_the_world_can_see_them(self, played: Fortnight) -> None:
        """Within two hours and a tick, but for what the script holds up."""
        seen, told = plan.news(played.script), plan.works(played.script)
        marks = {work.title: mark for mark, work in told.items()}
        with played.rt.db.reading() as session:
            rows = session.execute(
                sa.select(col(PaperRow.title), col(PaperRow.eligible_at)).where(
                    col(PaperRow.eligible_at).is_not(None)
                )
            ).all()
        slow = []
        for title, at in rows:
            visible = seen[marks[title]]
            if marks[title] in played.script.twins:
                continue
            if visible < plan.BEGIN or plan.DOWN[0] <= visible < plan.DOWN[1]:
                continue
            day = visible.astimezone(UTC).date()
            if day in (plan.LOST, plan.STALE, plan.SHORT, plan.BROKEN):
                continue
            if not timedelta() <= at - visible <= timedelta(hours=2, minutes=10) + TICK:
                slow.append((title, visible, at))
        assert slow == []

    def test_after_the_outage_one_mail_brings_all_of_it(self, played: Fortnight) -> None:
        seen = plan.news(played.script)
        missed = {m for m, at in seen.items() if plan.DOWN[0] <= at < plan.DOWN[1]}
        back = [m for m in played.mails if m.to == "all@example.org" and m.at >= plan.DOWN[1]]
        assert len(missed) > 30
        assert missed - {mark for mail in back for mark in mail.marks} == set()
        first = back[0]
        assert first.at - plan.DOWN[1] < timedelta(hours=1)
        assert len(missed & set(first.marks)) > len(missed) // 2


PLAYED_ON = [pytest.param("postgres", marks=pytest.mark.postgres)]
if os.environ.get("PAPERPOST_TEST_FORTNIGHT"):
    PLAYED_ON.append(pytest.param("sqlite"))


@pytest.mark.slow  # three processes start, and four days are played
@pytest.mark.timeout(300)
@pytest.mark.parametrize("database_url", PLAYED_ON, indirect=True)
def test_three_processes_take_four_days_as_one_would(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    script = plan.quick_script()
    with fortnight(
        tmp_path,
        script,
        plan.BEGIN,
        monkeypatch,
        pollers=3,
        in_processes=True,
        tick=timedelta(hours=sized(4, 2)),
        database_url=database_url,
    ) as played:
        played.furnish(SOURCES[:3], history_days=2)
        played.play(utc(date(2026, 11, 18), 17))
        seen = plan.news(script)
        must = {mark for mark, at in seen.items() if at < utc(date(2026, 11, 17), 20)}
        assert missing_and_extra(played, must, set(seen)) == ""
        assert_pace(played.sky)


@pytest.mark.slow  # real seconds: the pace is kept by the real clock
@pytest.mark.parametrize("database_url", PLAYED_ON, indirect=True)
def test_three_processes_keep_arxivs_pace_in_real_time(tmp_path: Path, database_url: str) -> None:
    script = plan.quick_script()
    began = now()
    with (
        Sky(script, now) as sky,
        sky_house(tmp_path, sky.base, now, 9, database_url=database_url) as rt,
        ExitStack() as stack,
    ):
        for _, category in SOURCES[1:4]:
            add_source(rt, "arxiv_rss", category, history_days=0)
        pollers = [stack.enter_context(spawned(tmp_path, sky.base, database_url)) for _ in range(3)]
        with ThreadPoolExecutor(3) as threads:
            made = [
                threads.submit(poller.order, f"race {number} 4")
                for number, poller in enumerate(pollers, start=1)
            ]
            reports = [report for one in made for report in one.result()]
        asked = sky.of_arxiv()
        assert_pace(sky)
        took = (now() - began).total_seconds()
        assert 3 <= len(asked) <= took / 3 + 1
        assert {report["outcome"] for report in reports} <= {"read", "unchanged"}
        assert len({report["source"] for report in reports}) == 3  # nobody waits for ever


def mail_faults(script: Script, mail: Mail) -> list[str]:
    """A mail comes at its hour; later, an hour at most, only while a batch is late; and it names
    those that are late then, and nobody else."""
    from zoneinfo import ZoneInfo

    zone, hour = READERS[mail.to][1:]
    here = mail.at.astimezone(ZoneInfo(zone))
    slot = here.replace(hour=int(hour), minute=0, second=0, microsecond=0)
    after = mail.at - slot
    caught_up = plan.DOWN[1] <= mail.at <= plan.DOWN[1] + timedelta(hours=1)
    faults = []
    if not caught_up and not timedelta() <= after <= timedelta(hours=1) + A_MOMENT:
        faults.append(f"{mail.to} at {mail.at}: {after} after the hour")
    late = {t for t, s in mail.states.items() if s in ("late", "stale") and t.startswith("arXiv")}
    text = " ".join(mail.text.split())
    said = text.partition("Late today: ")[2].partition(". Those papers")[0]
    named = {f"arXiv {c}" for c in CATEGORIES if f"arXiv {c}" in said}
    if named != late:
        faults.append(f"{mail.to} at {mail.at}: names {named}, late are {late}")
    if late and "follow in your next mail" not in text:
        faults.append(f"{mail.to} at {mail.at}: does not say what follows")
    gone = {f"arXiv {c}" for c in CATEGORIES if not shows(script, c, mail.at)}
    if (
        not caught_up
        and gone != late
        and mail.at.astimezone(UTC).time() > utc(plan.STALE, 5, 35).time()
    ):
        faults.append(f"{mail.to} at {mail.at}: late are {late}, but arXiv lacks {gone}")
    return faults


def shows(script: Script, category: str, now: datetime) -> bool:
    """Whether arXiv has answered with the batch of its own day, where there is one."""
    day = (now - timedelta(hours=5)).date()
    if not announces(day):
        return day != SURPRISE
    if day == plan.BROKEN and now < plan.BACK:
        return False
    return now >= max(script.turned(day), script.stale.get((category, day), midnight(day)))


def ledger_faults(played: Fortnight) -> list[str]:
    """Every day of every list, compared with the script."""
    script, ledger, faults = played.script, played.ledger(), []
    unasked = {(f"arXiv {c}", date(2026, 11, d)) for c in CATEGORIES for d in (23, 24)}
    unasked.add(("arXiv stat.ML", plan.LOST))

    def compare(key: tuple[str, date], **wanted: object) -> None:
        row = ledger.get(key)
        found = {name: getattr(row, name, None) for name in wanted}
        if found != wanted:
            faults.append(f"{key[0]} {key[1]}: {found}, should be {wanted}")

    day = date(2026, 11, 16)
    while day < date(2026, 12, 1):
        for category in CATEGORIES:
            key = f"arXiv {category}", day
            batch = script.batch(category, day)
            if key in unasked:  # the records name what was new; which were old crosses they do not
                compare(key, expected=True, state="complete")
                told = script.before(day)
                least = [x for x in batch if x.version == 1 and x.work.number not in told]
                if not len(least) <= ledger[key].items <= len(batch) + 3:
                    faults.append(f"{key}: {ledger[key].items} items, at least {len(least)}")
            elif announces(day):
                compare(key, expected=True, state="complete", items=len(batch))
            else:
                compare(key, expected=day == SURPRISE, state="none", items=0, new=0)
        listed = [one for one in script.listed if one.day == day]
        weekday = day.weekday() < 5
        state = "open" if listed else "none"
        key = "Hugging Face Daily Papers", day
        compare(key, expected=weekday, state=state, items=min(len(listed), 100) and len(listed))
        day += timedelta(days=1)
    first = firsts(played)
    for key, row in ledger.items():
        if key in (("arXiv cs.CL", date(2026, 11, 16)), ("Journal of Towels", date(2026, 11, 17))):
            continue  # the twins' days: two rows then, one now
        if key[1] >= date(2026, 11, 16) and row.new != first.get(key, 0):
            faults.append(f"{key[0]} {key[1]}: new {row.new}, should be {first.get(key, 0)}")
    return faults


def firsts(played: Fortnight) -> Counter[tuple[str, date]]:
    """(source, list day) -> how many papers it was the first to show as new."""
    with played.rt.db.reading() as session:
        rows = session.execute(
            sa.text(
                "SELECT o.title, s.listed_on, s.paper_id FROM sighting s"
                " JOIN source o ON o.id = s.source_id JOIN paper p ON p.id = s.paper_id"
                " WHERE p.eligible_at IS NOT NULL ORDER BY s.id"
            )
        ).all()
    found: Counter[tuple[str, date]] = Counter()
    seen = set()
    for title, day, paper in rows:
        if paper not in seen:
            seen.add(paper)
            found[title, date.fromisoformat(str(day)[:10])] += 1
    return found
