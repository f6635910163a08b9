"""Mails made to break or to cost whoever reads them, and damaged ones: read, within bounds."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.captures import shared_data
from support.hostile_mails import MADE, MOST_MB, MOST_SECONDS, bounce, cost_of, faults_of
from support.mutated_mails import corpora, mutated, naughty
from support.sizes import sized

from service.reports.model import Kind
from service.reports.read import read_report

OWN = Path(__file__).resolve().parents[2] / "data" / "bounces"
LARGE = [name for name in MADE if name.startswith(("50 MB", "10", "30 mails", "quotes", "20 bou"))]
SMALL = [name for name in MADE if name not in LARGE]


@pytest.mark.parametrize("name", SMALL)
def test_a_hostile_mail_is_read(name: str) -> None:
    assert faults_of(read_report(MADE[name]()[:20_000])) == []


@pytest.fixture(scope="module")
def nothing_of_others() -> Iterator[None]:
    """The collector looks for what was left behind before each measurement: at all that other tests
    of this process keep it looks once."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.slow
@pytest.mark.xdist_group("hostile_mails")
@pytest.mark.usefixtures("nothing_of_others")
@pytest.mark.parametrize("name", sized([*LARGE, *SMALL[::3]], list(MADE)))
def test_a_hostile_mail_costs_little(name: str) -> None:
    cost = cost_of(MADE[name])
    assert cost.cpu_s <= MOST_SECONDS
    assert cost.peak_mb <= MOST_MB
    assert faults_of(cost.read) == []


def test_the_ordinary_one_is_understood() -> None:
    read = read_report(bounce())
    assert (read.reports[0].kind, read.reports[0].reason) == (Kind.HARD, "no_such_user")
    assert read.traces.bounce_ids == ("0123456789abcdef0123",)


def test_a_report_is_read_though_50_mb_follow_it() -> None:
    data = bounce()[: -len(b"--b--\r\n")] + b"x" * 3_000_000
    read = read_report(data)
    assert read.reports[0].kind is Kind.HARD
    assert "bytes were read" in read.problems[0]


@pytest.mark.slow
def test_naughty_strings_in_every_place() -> None:
    for text in naughty(shared_data()):
        for name in (b"Subject", b"From", b"Content-Type", b"Content-Transfer-Encoding"):
            assert faults_of(read_report(name + b": " + text + b"\r\n" + bounce())) == []
        assert faults_of(read_report(bounce().replace(b"User unknown", text))) == []


def test_damaged_mails() -> None:
    mails, strings = corpora(shared_data(), OWN), naughty(shared_data())
    for number in range(40):
        assert faults_of(read_report(mutated(number, mails, strings))) == [], number


@pytest.mark.slow
def test_more_damaged_mails() -> None:
    """Others than those of ``make mutations``."""
    mails, strings = corpora(shared_data(), OWN), naughty(shared_data())
    for number in range(1_000_000, 1_002_000):
        assert faults_of(read_report(mutated(number, mails, strings))) == [], number
