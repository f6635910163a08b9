"""The outside checker sees each kind of breach; it is what all the storms are judged by."""

import pytest
from support.storm.answers import expected
from support.storm.checker import STAFF, Event, Plan, against, bound, check

PLAN = Plan(("a@x.org", "b@x.org"), (1, 2))


def mail(to: str, name: str, parts: tuple[int, ...] = (1, 2), **more: object) -> Event:
    return {"e": "taken", "id": name, "to": to, "sha": "s", "parts": parts, "seen": False, **more}


GOOD = [mail("a@x.org", "<1>"), mail("b@x.org", "<2>")]


def test_what_the_plan_wants_is_no_breach():
    found = check(PLAN, GOOD)
    assert (found.breaches, found.mails) == (0, 2)


@pytest.mark.parametrize(
    ("kind", "log"),
    [
        ("lost", GOOD[:1]),
        ("lost", [GOOD[0], mail("b@x.org", "<2>", (1,))]),
        ("doubled", [*GOOD, GOOD[0]]),
        ("doubled", [mail("a@x.org", ""), GOOD[1]]),
        ("repeated", [*GOOD, mail("a@x.org", "<3>", (2,))]),
        ("strangers", [*GOOD, mail("c@x.org", "<3>")]),
        ("changed", [*GOOD, {**GOOD[0], "e": "body", "sha": "other"}]),
    ],
)
def test_each_breach_is_seen(kind, log):
    found = check(PLAN, log)
    assert getattr(found, kind) > 0
    assert found.cases[0].startswith(kind)
    others = {"lost", "doubled", "repeated", "strangers", "changed"} - {kind}
    assert kind == "doubled" or not any(getattr(found, other) for other in others)


def test_a_paper_may_come_again_when_the_mail_says_so():
    again = mail("a@x.org", "<3>", (1, 2), seen=True)
    assert check(PLAN, [*GOOD, again]).breaches == 0


def test_a_body_that_was_not_taken_brings_nothing():
    assert check(PLAN, [GOOD[0], {**GOOD[1], "e": "body"}]).lost == 2


def test_alarms_are_no_digests():
    found = check(PLAN, [*GOOD, mail(STAFF, "<9>", ())])
    assert (found.breaches, found.mails) == (0, 2)


def test_an_alarm_may_come_twice_under_one_name_with_the_same_bytes():
    """Notices go at least once; digests at most once."""
    alarm = mail(STAFF, "<9>", ())
    assert check(PLAN, [*GOOD, alarm, alarm]).breaches == 0
    assert check(PLAN, [*GOOD, alarm, {**alarm, "sha": "other"}]).changed == 1
    assert check(PLAN, [*GOOD, {**alarm, "id": ""}]).doubled == 1


def test_the_word_of_the_product_is_held_against_the_logs():
    said = [
        {"message_id": "<1>", "state": "accepted"},
        {"message_id": "<2>", "state": "unknown"},
        {"message_id": "<3>", "state": "presumed"},
    ]
    word = against(said, GOOD)
    assert (word.wrong, word.held, word.arrived) == ((), 2, 1)
    never = against([{"message_id": "<7>", "state": "accepted"}], GOOD)
    assert never.wrong == ("<7> is accepted, and the relay never took it",)
    again = against([{"message_id": "<1>", "state": "deferred"}], GOOD)
    assert again.wrong == ("<1> is deferred, and the relay took it",)


def test_the_end_of_a_mail_is_what_its_last_try_was_told():
    def said(step: str, text: str) -> Event:
        return {"e": "said", "step": step, "to": "a@x.org", "text": text}

    def end(*log: Event) -> str:
        return expected(log)["a@x.org"]

    taken = mail("a@x.org", "<1>")
    assert end(said("RCPT", "451 4.3.0 later")) == "waits"
    assert end(said("RCPT", "451 4.3.0 later"), taken) == "accepted"
    assert end(taken, said("DOT", "drop")) == "held"
    assert end(taken, said("AFTER", "421 4.3.2 enough")) == "accepted"
    assert end(said("RCPT", "550 5.1.1 no such user")) == "failed person"
    assert end(said("RCPT", "554 5.7.1 policy")) == "failed policy"
    assert end({**taken, "e": "body"}, said("DOT", "552 5.3.4 too large")) == "failed"
    assert end({**taken, "e": "cut"}, said("BODY", "drop")) == "held"


def test_three_over_n():
    assert bound(200) == 0.015
    assert bound(0) is None
