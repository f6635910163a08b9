"""What went to the operator's address in test mode was not sent to its reader."""

import asyncio
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa
from support.house import add, ingest_items, paper_item, rows

from service.flows.alerts import plan_alerts
from service.flows.daily import plan_due
from service.flows.letter import digest_of
from service.flows.mail_days import read_history
from service.flows.preview import why
from service.flows.progress import watch
from service.flows.send import send_ready

ADA = "ada@example.org"
OPERATOR = "operator@example.net"


@pytest.fixture
def trial(rt):
    """A house in test mode from a Monday on."""
    rt.clock.at = datetime(2026, 11, 2, 9, tzinfo=UTC)
    rt.test_recipient = OPERATOR
    return rt


def day(rt, folder, number, *words):
    """A day of the month with a paper of each word; then the clock's mails, all of them away."""
    rt.clock.at = datetime(2026, 11, number, 9, tzinfo=UTC)
    items = [paper_item(number * 10 + n, f"{word} {number}") for n, word in enumerate(words)]
    ingest_items(rt, folder, items, on=date(2026, 11, number))
    plan_due(rt)
    rt.clock.go(minutes=12)
    asyncio.run(send_ready(rt))


def mails(rt):
    """Per mail: the days of its papers."""
    made = [digest for row in rows(rt) if (digest := digest_of(row)) is not None]
    return [sorted(int(e.title.text.split()[-1]) for e in digest.entries()) for digest in made]


def count(rt, table):
    return rt.db.read(lambda s: s.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar())


@pytest.mark.slow
def test_readers_get_after_test_mode_what_went_to_the_operator(trial, tmp_path, server):
    add(trial, ADA, "adapters")
    for number in (3, 4, 5):
        day(trial, tmp_path, number, *(["Adapters"] if number != 4 else ["Towels"]))
    assert mails(trial) == [[3], [5]]  # a test goes as the real thing: nothing comes twice
    assert {mail.recipient for mail in server.accepted} == {OPERATOR}
    assert count(trial, "sent_paper") == 0
    trial.test_recipient = ""
    day(trial, tmp_path, 6, "Adapters")
    assert mails(trial)[-1] == [3, 5, 6]
    assert count(trial, "sent_paper") == 3
    assert server.accepted[-1].recipient == ADA
    day(trial, tmp_path, 9, "Adapters")
    assert mails(trial)[-1] == [9]


@pytest.mark.slow
def test_a_long_test_is_to_readers_an_outage(trial, tmp_path):
    add(trial, ADA, "adapters")
    trial.test_recipient = ""
    day(trial, tmp_path, 3, "Adapters")
    trial.test_recipient = OPERATOR
    for number in (4, 5, 6, 9, 10, 11, 12, 13):
        day(trial, tmp_path, number, "Towels" if number in (12, 13) else "Adapters")
    trial.test_recipient = ""
    day(trial, tmp_path, 16, "Adapters")
    assert mails(trial)[-1] == [4, 5, 6, 9, 10, 11, 16]
    trial.test_recipient = OPERATOR
    day(trial, tmp_path, 17, "Adapters")
    assert mails(trial)[-1] == [17]


def test_carried_papers_still_ride_after_a_test(trial, tmp_path, server):
    add(trial, ADA, "adapters")
    day(trial, tmp_path, 3, "Adapters")
    [row] = rows(trial)
    trial.db.write(
        lambda s: s.execute(
            sa.text("INSERT INTO carry (subscriber_id, paper_id, delivery_id) VALUES (:s, 1, :d)"),
            {"s": row.subscriber_id, "d": row.id},
        )
    )
    day(trial, tmp_path, 4, "Adapters")
    assert mails(trial)[-1] == [4]
    assert count(trial, "carry") == 1
    trial.test_recipient = ""
    day(trial, tmp_path, 20, "Towels")
    assert mails(trial)[-1] == [3]
    assert count(trial, "carry") == 0


def test_an_alert_of_a_test_comes_once(trial, tmp_path):
    add(trial, ADA, "adapters", cadence="instant")
    trial.clock.at = datetime(2026, 11, 3, 9, tzinfo=UTC)
    ingest_items(trial, tmp_path, [paper_item(1, "Adapters 3")], on=date(2026, 11, 3))
    for planned in (1, 0):
        assert plan_alerts(trial).planned == planned
        asyncio.run(send_ready(trial))
        trial.clock.go(hours=1)
    assert count(trial, "sent_paper") == 0
    trial.test_recipient = ""
    assert plan_alerts(trial).planned == 1


def test_the_ledger_and_the_readers_page_say_that_it_was_a_test(trial, tmp_path):
    reader = add(trial, ADA, "adapters")
    day(trial, tmp_path, 3, "Adapters")
    [row] = rows(trial)
    assert row.reason == "test mode"
    assert "as a test" in why(trial, row, date(2026, 11, 3))
    watched = trial.db.read(lambda s: watch(s, row.edition_id, now=trial.clock()))
    assert watched["tested"] == {OPERATOR: 1}
    [mail] = read_history(trial, reader).days
    assert (mail.state, mail.reason) == ("accepted", "test mode")
