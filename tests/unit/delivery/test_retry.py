"""What each answer means: nobody is suppressed for what is our fault."""

from datetime import UTC, datetime, timedelta

import pytest

from service.defaults import Defaults
from service.delivery.answers import Meaning
from service.delivery.outcome import Accepted, Broken, Outcome, Phase, Refused, Reply, Stopped
from service.delivery.retry import Verdict, judge
from service.delivery.states import State

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)


def verdict(outcome: Outcome, attempts: int = 1, hours: float = 20, jitter: float = 0.5) -> Verdict:
    return judge(outcome, attempts, NOW, NOW + timedelta(hours=hours), jitter, Defaults())


def refused(text: str, phase: Phase = "rcpt") -> Refused:
    code, _, words = text.partition(" ")
    return Refused(phase, Reply(int(code), "", words))


@pytest.mark.parametrize(
    ("text", "phase", "reason"),
    [
        ("550 5.1.1 <x@y>: Recipient address rejected: User unknown", "rcpt", "person"),
        ("550 5.1.2 bad destination domain", "rcpt", "person"),
        ("501 5.1.3 bad syntax", "rcpt", "person"),
        ("550 5.1.10 recipient not found", "rcpt", "person"),
        ("550 5.2.1 mailbox disabled", "rcpt", "person"),
        ("550 5.1.1 user unknown", "reply", "person"),
        ("553 5.1.8 sender domain not found", "rcpt", "policy"),
        ("550 5.1.0 sender rejected", "mail", "policy"),
        ("552 5.2.2 over quota", "rcpt", "full"),
        ("552 5.2.3 message too long for mailbox", "reply", "content"),
        ("550 5.7.1 blocked, see our list", "rcpt", "policy"),
        ("550 5.7.26 unauthenticated", "reply", "policy"),
        ("554 5.7.1 Message rejected as spam: user unknown", "reply", "policy"),
        ("554 5.6.0 bad MIME", "reply", "content"),
        ("501 5.5.4 syntax", "mail", "content"),
        ("552 5.3.4 too big", "mail", "content"),
        ("550 5.4.1 no route", "rcpt", "other"),
        # no enhanced status: words, and a person only at RCPT
        ("550 No such user here", "rcpt", "person"),
        ("550 <ada@example.org> does not exist", "rcpt", "person"),
        ("553 unknown recipient", "rcpt", "person"),
        ("550 user unknown", "reply", "other"),
        ("550 Blocked: spam from your IP, user unknown", "rcpt", "policy"),
        ("550 something else", "rcpt", "other"),
        ("552 mailbox full", "rcpt", "full"),
        ("552 message size exceeds limit", "reply", "content"),
        ("550 not today", "mail", "policy"),
    ],
)
def test_permanent_refusals(text: str, phase: Phase, reason: str) -> None:
    found = verdict(refused(text, phase))
    assert (found.kind, found.meaning) == ("failed", reason)
    assert found.state is State.FAILED
    assert found.suppresses == (reason == "person")
    assert found.text


def test_enhanced_status_must_be_of_the_same_class() -> None:
    assert verdict(refused("550 see 4.2.2 no such user")).enhanced == ""
    assert verdict(refused("550 at 10.5.1.1 no such user")).enhanced == ""
    assert verdict(Refused("rcpt", Reply(550, "5.1.1", "x"))).meaning == "person"


@pytest.mark.parametrize(
    "outcome",
    [
        refused("451 4.7.1 greylisted"),
        refused("452 4.2.2 mailbox full"),
        refused("421 4.7.28 too fast", "reply"),
        refused("535 5.7.8 bad password", "connect"),
        refused("530 5.7.0 sign in first", "mail"),
        refused("554 5.7.1 no mail from here", "connect"),
        refused("554 5.7.1 <x@y>: Relay access denied", "rcpt"),
        refused("554 Relay access denied", "rcpt"),
        refused("550 5.7.60 client does not have permissions to send as this sender", "reply"),
        refused("550 5.4.5 daily sending quota exceeded", "reply"),
        Broken("connect", "refused"),
        Broken("rcpt", "lost"),
        Broken("data", "lost before the body"),
    ],
)
def test_what_did_not_reach_the_body_or_is_temporary_comes_again(outcome: Outcome) -> None:
    found = verdict(outcome)
    assert found.kind == "deferred"
    assert found.until == NOW + timedelta(minutes=10)
    assert not found.suppresses


@pytest.mark.parametrize("phase", ["body", "reply"])
def test_silence_after_the_body_is_unknown_for_ever(phase: Phase) -> None:
    found = verdict(Broken(phase, "lost"), attempts=9, hours=-1)
    assert (found.kind, found.until, found.state) == ("unknown", None, State.UNKNOWN)


def test_waits_grow_and_the_last_one_repeats() -> None:
    minutes = []
    for attempts in range(1, 8):
        until = verdict(refused("451 later"), attempts).until
        assert until is not None
        minutes.append((until - NOW) / timedelta(minutes=1))
    assert minutes == [10, 30, 60, 120, 240, 240, 240]


def test_jitter_is_twenty_per_cent() -> None:
    assert verdict(refused("451 later"), jitter=0.0).until == NOW + timedelta(minutes=8)
    assert verdict(refused("451 later"), jitter=1.0).until == NOW + timedelta(minutes=12)
    assert verdict(refused("451 later"), jitter=7.0).until == NOW + timedelta(minutes=12)


def test_no_time_left_is_expired_with_the_last_words() -> None:
    found = verdict(refused("451 4.3.0 later"), hours=0.1)
    assert (found.kind, found.until, found.code) == ("expired", None, 451)
    assert found.text == "4.3.0 later"


def test_throttling_is_seen() -> None:
    assert verdict(refused("421 4.7.0 slow down")).meaning is Meaning.RATE
    assert verdict(refused("450 4.7.28 slow down")).meaning is Meaning.RATE
    assert verdict(refused("451 4.7.1 greylisted")).meaning is not Meaning.RATE


def test_accepted_and_stopped() -> None:
    done = verdict(Accepted(Reply(250, "", "2.0.0 queued as 7A")), hours=-5)
    assert (done.kind, done.code, done.enhanced) == ("accepted", 250, "2.0.0")
    assert verdict(Stopped()).state is None
