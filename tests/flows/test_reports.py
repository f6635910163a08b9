"""Reports about mails: whose they are, and what follows from each, once."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.house import mark, plan_one, rows, take
from support.reports import (
    BLOCKED,
    FULL,
    NOBODY,
    bar,
    found,
    mailed,
    next_day,
    reader,
    report,
    said_of,
    whole,
)
from support.smtp_server import reply

from service.flows.address import ask_address
from service.flows.daily import plan_daily
from service.flows.inbound import take_read
from service.flows.leave import erase
from service.flows.manage_link import manage_token
from service.flows.send import send_ready
from service.flows.subscribe import read_wish, request
from service.flows.suppress import unsuppress
from service.reports.model import Kind, Read, Report, Traces
from service.store import alarms as alarms_store
from service.store.instance import set_setting
from service.store.leases import release
from service.store.subscribers import get_subscriber_row, list_subscriber_rows
from service.subscribers.address import read_address

pytestmark = pytest.mark.slow

ADA, BO = "ada@lab.example", "bo@lab.example"


def alarms(rt, kind):
    return [one for one in rt.db.read(alarms_store.list_open) if one.kind == kind]


# ---- whose it is ----


def test_nobody_there_bars_the_address_with_the_words(rt, tmp_path):
    row = mailed(rt, tmp_path, ADA)[ADA]
    taken = report(rt, row, Kind.HARD, **NOBODY)
    assert (taken.state, taken.said, taken.is_new) == ("done", ("suppressed",), True)
    assert (reader(rt, ADA).state, bar(rt, ADA)) == ("bounced", "hard")
    assert rows(rt, "digest")[0].state == "accepted"
    ((kept, mail),) = found(rt)
    assert (kept.delivery_id, kept.domain, kept.words) == (row.id, "lab.example", NOBODY["words"])
    assert (mail.way, mail.state) == ("pipe", "done")


@pytest.mark.parametrize("kind", [Kind.HARD, Kind.SOFT, Kind.COMPLAINT, Kind.OPTOUT])
def test_without_anything_of_ours_nothing_follows(rt, tmp_path, kind):
    mailed(rt, tmp_path, ADA)
    stolen = Traces(bounce_ids=("0" * 20,), message_ids=("x@y.example",), leave_tokens=("no",))
    taken = report(rt, None, kind, recipient=ADA, traces=stolen, **NOBODY)
    assert (taken.state, taken.said) == ("foreign", ("",))
    assert (reader(rt, ADA).state, reader(rt, ADA).score, bar(rt, ADA)) == ("active", 0, "")


def test_a_message_id_is_enough_where_the_address_is_the_mails(rt, tmp_path):
    row = mailed(rt, tmp_path, ADA)[ADA]
    by_id = Traces(message_ids=("other@x.example", row.message_id.strip("<>")))
    assert report(rt, row, Kind.HARD, traces=by_id, **NOBODY).said == ("suppressed",)


def test_another_address_never_says_that_the_reader_is_gone(rt, tmp_path):
    """A mailbox that forwards: its second station is gone, the first may well be read."""
    row = mailed(rt, tmp_path, ADA)[ADA]
    elsewhere = NOBODY | {"recipient": "ada@home.example"}
    assert report(rt, row, Kind.HARD, **elsewhere).said == ("elsewhere",)
    assert (reader(rt, ADA).state, reader(rt, ADA).score) == ("active", 1)
    for _ in range(2):
        row = next_day(rt, tmp_path)[ADA]
        taken = report(rt, row, Kind.HARD, **elsewhere)
    assert taken.said == ("rests",)
    assert bar(rt, ADA) == ""


@pytest.mark.parametrize(
    "inside", ["ADA@lab.example", "a.lovelace@lab.example", "ada@store.lab.example", ""]
)
def test_a_domain_that_writes_its_addresses_anew_speaks_of_the_reader(rt, tmp_path, inside):
    row = mailed(rt, tmp_path, ADA)[ADA]
    told = NOBODY | {"recipient": inside}
    assert report(rt, row, Kind.HARD, **told).said == ("suppressed",)


@pytest.mark.parametrize("outside", ["ada@home.example", "ada@notlab.example", "x"])
def test_another_domain_does_not(rt, tmp_path, outside):
    row = mailed(rt, tmp_path, ADA)[ADA]
    told = NOBODY | {"recipient": outside}
    assert report(rt, row, Kind.HARD, **told).said == ("elsewhere",)


def test_a_mail_that_never_went_out_is_not_reported(rt, tmp_path):
    plan_one(rt, tmp_path)
    (row,) = rows(rt)
    assert report(rt, row, Kind.HARD, **NOBODY).said == ("unsent",)
    assert reader(rt, row.rcpt).state == "active"


# ---- once ----


def test_one_mail_counts_once_whichever_way_it_comes(rt, tmp_path):
    row = mailed(rt, tmp_path, ADA)[ADA]
    data = b"Subject: failed\n\nfull\n"
    assert report(rt, row, Kind.SOFT, data=data, **FULL).said == ("scored",)
    carried = b"Return-Path: <>\r\nReceived: from a\r\n\tby b; now\r\n" + data.replace(
        b"\n", b"\r\n"
    )
    again = take_read(rt, carried, said_of(row, Kind.SOFT, **FULL), way="imap")
    assert (again.is_new, again.said) == (False, ("scored",))
    other = report(rt, row, Kind.SOFT, data=b"Subject: of another kind\n\n", **FULL)
    assert (other.is_new, other.said) == (True, ("again",))
    assert (reader(rt, ADA).score, len(found(rt))) == (1, 2)


def test_two_processes_with_one_mail_count_it_once(houses, tmp_path):
    one, two = houses
    row = mailed(one, tmp_path, ADA)[ADA]
    read = said_of(row, Kind.SOFT, **FULL)
    with ThreadPoolExecutor(8) as pool:
        made = [
            pool.submit(
                take_read, (one, two)[n % 2], f"Subject: {n // 4}\n".encode(), read, way="imap"
            )
            for n in range(40)
        ]
        taken = [one.result() for one in made]
    assert sum(each.is_new for each in taken) == 10
    assert len({each.id for each in taken}) == 10
    told = [kept.said for kept, _ in found(one)]
    assert sorted(told) == ["again"] * 9 + ["scored"]
    assert reader(one, ADA).score == 1


# ---- whom it does not hit ----


def test_in_test_mode_the_mailbox_is_the_operators(rt, tmp_path):
    rt.test_recipient = "ops@ours.example"
    row = mailed(rt, tmp_path, ADA)[ADA]
    assert report(rt, row, Kind.HARD, **NOBODY).said == ("test",)
    rt.test_recipient = ""
    assert report(rt, row, Kind.COMPLAINT).said == ("test",), "it was mailed as a test"
    assert (reader(rt, ADA).state, bar(rt, ADA)) == ("active", "")


def test_of_who_was_erased_nothing_is_written_down_again(rt, tmp_path):
    row = mailed(rt, tmp_path, ADA)[ADA]
    assert erase(rt, ADA)
    taken = report(rt, row, Kind.HARD, sender=ADA, **NOBODY)
    assert (taken.state, taken.said) == ("done", ("erased",))
    mail = whole(rt, taken)
    (kept,) = mail["reports"]
    assert (kept["recipient"], kept["words"], kept["domain"], kept["kind"]) == ("", "", "", "hard")
    assert (mail["raw"], mail["sender"], mail["rcpts"]) == (None, "", [])


def test_who_moved_is_not_barred_at_the_new_address(rt, tmp_path):
    row = mailed(rt, tmp_path, ADA)[ADA]

    def move(session):
        one = get_subscriber_row(session, email_key=ADA)
        one.email = one.email_key = "ada@new.example"
        session.add(one)

    rt.db.write(move)
    for kind in (Kind.HARD, Kind.SOFT, Kind.COMPLAINT):
        assert report(rt, row, kind, **NOBODY).said == ("moved",)
    assert (reader(rt, "ada@new.example").state, bar(rt, "ada@new.example")) == ("active", "")
    assert reader(rt, "ada@new.example").score == 0


@pytest.mark.parametrize("way", ["refused", "reported"])
def test_a_new_address_that_is_not_there_leaves_the_reader_alone(rt, server, tmp_path, way):
    """Asked for with a slip of the hand: the mail to it comes back, the old address works."""
    mailed(rt, tmp_path, ADA)
    if way == "refused":
        server.on("RCPT", reply("550 5.1.1 no such user"), match="labb")
    ask_address(rt, manage_token(rt, reader(rt, ADA), rt.clock(), fresh=True), "ada@labb.example")
    rt.clock.go(minutes=5)
    asyncio.run(send_ready(rt))
    (asked,) = rows(rt, "address-change")
    if way == "reported":
        assert report(rt, asked, Kind.HARD, **NOBODY).said == ("moved",)
    assert asked.state == {"refused": "failed", "reported": "accepted"}[way]
    assert (reader(rt, ADA).state, bar(rt, ADA)) == ("active", "")


def test_a_mail_from_before_the_new_beginning_is_forgiven(rt, tmp_path):
    first = mailed(rt, tmp_path, ADA)[ADA]
    second = next_day(rt, tmp_path)[ADA]
    rt.clock.go(minutes=5)
    assert report(rt, first, Kind.HARD, **NOBODY).said == ("suppressed",)
    assert unsuppress(rt, read_address(ADA))
    assert (reader(rt, ADA).state, reader(rt, ADA).score) == ("active", 0)
    assert report(rt, second, Kind.HARD, **NOBODY).said == ("forgiven",)
    assert reader(rt, ADA).state == "active"


@pytest.mark.parametrize(
    ("kind", "said", "barred", "left"),
    [
        (Kind.HARD, "suppressed", "hard", ["pending"]),
        (Kind.SOFT, "", "", ["pending"]),
        (Kind.COMPLAINT, "left", "complaint", []),
    ],
)
def test_the_mail_about_a_request_comes_back(rt, kind, said, barred, left):
    """As when the relay refuses it: who is not there is not asked again, and the request ends."""
    wish, _ = read_wish(rt, email=ADA, words="lora", hour="", zone="", locale="en")
    request(rt, wish)
    asyncio.run(send_ready(rt))
    (row,) = rows(rt, "confirm")
    taken = report(rt, row, kind, **NOBODY)
    assert taken.said == (said,)
    assert bar(rt, ADA) == barred
    assert [one.state for one in rt.db.read(list_subscriber_rows)] == left
    if kind is Kind.COMPLAINT:
        assert whole(rt, taken)["raw"] is None


# ---- proof ----


@pytest.mark.parametrize("kind", [Kind.HARD, Kind.AUTO, Kind.NONE])
def test_a_report_proves_that_the_relay_took_a_mail_in_doubt(rt, tmp_path, kind):
    plan_one(rt, tmp_path)
    owner = rt.owner().id
    assert mark(rt, take(rt, owner), owner)
    rt.db.write(lambda s: release(s, [owner]))
    (row,) = rows(rt)
    assert row.state == "unknown"
    report(rt, row, kind)
    (row,) = rows(rt)
    assert (row.state, row.reason) == ("accepted", "proof: a report about it came in")


# ---- several readers of a domain ----


def test_a_domain_whose_directory_is_out_bars_nobody(rt, tmp_path):
    readers = [f"r{n}@lab.example" for n in range(4)]
    mailed(rt, tmp_path, *readers, "eva@fine.example")
    made = next_day(rt, tmp_path)
    said = [report(rt, made[one], Kind.HARD, **NOBODY).said[0] for one in readers]
    assert said == ["suppressed", "suppressed", "doubted", "doubted"]
    assert {reader(rt, one).state for one in readers} == {"active"}, "the first two are back"
    assert {bar(rt, one) for one in readers} == {""}
    assert {kept.said for kept, _ in found(rt)} == {"doubted"}
    (told,) = alarms(rt, "gone")
    assert told.what.startswith("lab.example says of 4 readers")
    assert "@" not in told.what + told.place


def test_few_of_many_are_believed(rt, tmp_path):
    readers = [f"r{n}@lab.example" for n in range(4)]
    mailed(rt, tmp_path, *readers)
    rt.db.write(lambda s: set_setting(s, "breaker_percent", "80"))
    made = next_day(rt, tmp_path)
    for one in readers[:3]:
        assert report(rt, made[one], Kind.HARD, **NOBODY).said == ("suppressed",)


def test_who_never_had_a_mail_is_believed(rt, tmp_path):
    """A list that was old when it was imported."""
    made = mailed(rt, tmp_path, *[f"r{n}@lab.example" for n in range(5)])
    said = {report(rt, row, Kind.HARD, **NOBODY).said for row in made.values()}
    assert said == {("suppressed",)}


# ---- complaints, wishes to leave ----


def test_a_complaint_is_left_at_once_and_the_next_mail_does_not_go(rt, server, tmp_path):
    row = mailed(rt, tmp_path, ADA)[ADA]
    rt.clock.go(days=1)
    plan_daily(rt)
    assert report(rt, row, Kind.COMPLAINT, reason="abuse", recipient="").said == ("left",)
    assert (reader(rt, ADA).state, bar(rt, ADA)) == ("left", "complaint")
    asyncio.run(send_ready(rt))
    assert len(server.accepted) == 1
    assert report(rt, row, Kind.HARD, **NOBODY).said == ("",), "there is nobody to bar any more"


def test_a_wish_to_leave_by_token(rt, tmp_path):
    mailed(rt, tmp_path, ADA)
    tokens = Traces(leave_tokens=(reader(rt, ADA).unsubscribe_token,))
    taken = report(rt, None, Kind.OPTOUT, traces=tokens, form="optout:token", sender=BO)
    assert (taken.state, taken.said) == ("done", ("left",))
    assert (reader(rt, ADA).state, bar(rt, ADA)) == ("left", "left")


def test_who_answers_to_a_forwarded_mail_leaves_for_nobody_else(rt, tmp_path):
    row = mailed(rt, tmp_path, ADA)[ADA]
    wish = {"form": "optout:reply", "traces": Traces(message_ids=(row.message_id.strip("<>"),))}
    taken = report(rt, row, Kind.OPTOUT, sender="Bo <bo@lab.example>", **wish)
    assert (taken.state, taken.said) == ("review", ("waits",))
    assert reader(rt, ADA).state == "active"
    rt.clock.go(minutes=1)
    taken = report(rt, row, Kind.OPTOUT, sender="Ada <ADA@lab.example>", **wish)
    assert (taken.state, taken.said) == ("done", ("left",))


# ---- what lies with us ----


def test_what_lies_with_us_bars_nobody_and_alarms(rt, tmp_path):
    readers = [f"r{n}@lab.example" for n in range(3)]
    made = mailed(rt, tmp_path, *readers)
    for kind in (Kind.POLICY, Kind.CONTENT):
        for n, one in enumerate(readers):
            assert not any(a.key.startswith(kind) for a in alarms(rt, "returned")), n
            assert report(rt, made[one], kind, **BLOCKED).said == ("told",)
    assert {a.key for a in alarms(rt, "returned")} == {"policy:lab.example", "content:lab.example"}
    assert {(reader(rt, one).state, reader(rt, one).score) for one in readers} == {("active", 0)}
    assert {bar(rt, one) for one in readers} == {""}


def test_many_refusals_of_us_let_the_domain_rest(rt, tmp_path):
    rt.db.write(lambda s: set_setting(s, "breaker_in_a_row", "4"))
    made = mailed(rt, tmp_path, *[f"r{n}@lab.example" for n in range(4)])
    for row in made.values():
        report(rt, row, Kind.POLICY, **BLOCKED)
    (told,) = alarms(rt, "domain")
    assert (told.key, BLOCKED["words"] in told.place) == ("lab.example", True)
    assert rt.tally.is_resting("lab.example", rt.clock())


@pytest.mark.parametrize("action", ["delayed"])
def test_a_delay_is_no_failure(rt, tmp_path, action):
    row = mailed(rt, tmp_path, ADA)[ADA]
    assert report(rt, row, Kind.SOFT, action=action, **FULL).said == ("delayed",)
    assert reader(rt, ADA).score == 0
    rt.clock.go(hours=5)
    assert report(rt, row, Kind.SOFT, action="failed", **FULL).said == ("scored",)


# ---- what strangers write ----


def test_texts_that_no_database_takes(rt, tmp_path):
    row = mailed(rt, tmp_path, ADA)[ADA]
    odd = "a\0b\ud800" * 2000
    told = dict.fromkeys(("reason", "recipient", "words", "status", "mta", "action"), odd)
    read = Read(
        reports=(Report(kind=Kind.SOFT, **told),),
        traces=Traces(bounce_ids=(odd, row.bounce_id), message_ids=(odd,), leave_tokens=(odd,)),
        form=odd, sender=odd, subject=odd, problems=(odd,) * 99,
    )  # fmt: skip
    taken = take_read(rt, b"\0\xff" * 400_000, read, way="imap", rcpts=(odd,) * 200)
    assert taken.said == ("scored",)
    mail = whole(rt, taken)
    assert (mail["size"], len(mail["raw"])) == (800_000, 262_144)
    assert mail["reports"][0]["words"] == ("ab?" * 2000)[:1000]
