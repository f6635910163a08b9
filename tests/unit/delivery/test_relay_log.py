"""Postfix's log: which line is proof, and of which mail."""

import pytest

from service.delivery.relay_log import MOST, Reader, queued_as

MINE = "<aaaabbbbcccc@papers.example>"
OTHER = "<ddddeeeeffff@papers.example>"
ID, ID2 = "4cVLxT3zKkz9rbK", "4cVLxT4b2Zz9rbM"
AT = "Nov 22 00:10:01 mail"


def reader() -> Reader:
    return Reader("papers.example", {})


def line(who: str, rest: str, queue_id: str = ID, at: str = AT, name: str = "postfix") -> str:
    return f"{at} {name}/{who}[4711]: {queue_id}: {rest}"


TAKEN = [
    line("smtpd", "client=localhost[127.0.0.1]"),
    line("cleanup", f"message-id={MINE}"),
    line("qmgr", "from=<papers@papers.example>, size=4711, nrcpt=1 (queue active)"),
    line("smtp", "to=<ada@uni.example>, relay=mx.uni.example[192.0.2.1]:25, delay=0.4, "
         "delays=0.1/0/0.1/0.2, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 8B2)"),
    line("qmgr", "removed"),
]  # fmt: skip


def verdicts(lines, given=None):
    return [(p.message_id, p.verdict) for p in (given or reader()).read(lines)]


def test_queue_active_is_proof_and_the_message_id_alone_is_not():
    one = reader()
    assert one.read(TAKEN[:2]) == []
    found = one.read(TAKEN[2:3])
    assert [(p.message_id, p.verdict, p.queue_id) for p in found] == [(MINE, "taken", ID)]
    assert "@" not in found[0].words


@pytest.mark.parametrize("status", ["sent", "deferred", "bounced", "expired"])
def test_what_a_delivery_agent_says_is_proof(status):
    said = line("smtp", f"to=<a@b.example>, relay=none, dsn=4.0.0, status={status} (words)")
    assert verdicts([TAKEN[1], said]) == [(MINE, "taken")]


@pytest.mark.parametrize(
    ("at", "name"),
    [
        ("Nov  2 00:10:01 mail", "postfix"),
        ("2026-11-22T00:10:01.123456+00:00 mail", "postfix"),
        ("2026-11-22T00:10:01.123456+00:00 mail", "postfix-out"),
        ("Nov 22 00:10:01 mail", "postfix/submission"),
    ],
)
def test_forms_of_a_line(at, name):
    lines = [
        line("cleanup", f"message-id={MINE}", at=at, name=name),
        line("qmgr", "from=<a@b.example>, size=1, nrcpt=1 (queue active)", at=at, name=name),
    ]
    assert verdicts(lines) == [(MINE, "taken")]


@pytest.mark.parametrize(
    ("who", "rest"),
    [
        ("cleanup", "milter-reject: END-OF-MESSAGE from localhost[127.0.0.1]: 5.7.1 Spam; "
         "from=<papers@papers.example> to=<ada@uni.example> proto=ESMTP helo=<x>"),
        ("cleanup", "milter-reject: END-OF-MESSAGE from x[::1]: 4.7.1 Try again later"),
        ("cleanup", "reject: header Subject: 5.7.1 from x[127.0.0.1]; from=<a@b.example> "
         "to=<c@d.example> proto=ESMTP helo=<x>: 5.7.1 message content rejected"),
        ("smtpd", "reject: END-OF-MESSAGE from x[127.0.0.1]: 554 5.7.1 <END-OF-MESSAGE>: "
         "End-of-data rejected: Access denied"),
    ],
)  # fmt: skip
def test_a_refusal_of_the_whole_message_is_proof_that_it_was_not_taken(who, rest):
    one = reader()
    found = one.read([TAKEN[1], line(who, rest)])
    assert [(p.message_id, p.verdict) for p in found] == [(MINE, "refused")]
    assert "@" not in found[0].words
    assert one.queue == {}


@pytest.mark.parametrize(
    ("who", "rest"),
    [
        ("cleanup", "warning: header Subject: reject: END-OF-MESSAGE x from y[1.2.3.4]"),
        ("cleanup", "hold: header X: y from z[1.2.3.4]"),
        ("smtpd", "reject: RCPT from x[127.0.0.1]: 550 5.1.1 <c@d.example>: rejected"),
        ("qmgr", "from=<a@b.example>, status=expired, returned to sender (queue corrupt)"),
        ("smtp", "host mx.example[1.2.3.4] said: 450 4.2.0 status=sent never (in reply to RCPT)"),
        ("bounce", "sender non-delivery notification: 4cVLxT4b2Zz9rbM"),
    ],
)
def test_lines_that_prove_nothing(who, rest):
    assert verdicts([TAKEN[1], line(who, rest)]) == []


def test_short_queue_ids_are_not_believed():
    one = reader()
    lines = [
        line("cleanup", f"message-id={MINE}", "3F2A11C0D8"),
        line("qmgr", "from=<a@b.example>, size=1, nrcpt=1 (queue active)", "3F2A11C0D8"),
    ]
    assert one.read(lines) == []
    assert one.short == 1


def test_mails_of_others_and_other_ids_are_not_taken_for_ours():
    lines = [
        TAKEN[1],
        line("cleanup", "message-id=<x@other.example>", ID2),
        line("qmgr", "from=<a@other.example>, size=1, nrcpt=1 (queue active)", ID2),
        line("cleanup", "message-id=<x@notpapers.example>", ID2),
        line("qmgr", "from=<a@other.example>, size=1, nrcpt=1 (queue active)", ID2),
    ]
    assert verdicts(lines) == []


def test_words_of_strangers_in_other_lines_are_not_read():
    inner = TAKEN[2].partition("mail ")[2]
    assert verdicts([TAKEN[1], f"{AT} sshd[1]: Invalid user x {inner}"]) == []
    assert verdicts([TAKEN[1], f"{AT} dovecot: imap-login: x/y {TAKEN[2]}"]) == []


def test_an_id_that_is_used_again_stands_for_the_new_mail():
    lines = [TAKEN[1], line("cleanup", f"message-id={OTHER}"), TAKEN[2]]
    assert verdicts(lines) == [(OTHER, "taken")]
    lines = [TAKEN[1], line("cleanup", "message-id=<x@other.example>"), TAKEN[2]]
    assert verdicts(lines) == []


def test_it_goes_on_where_another_ended():
    one = reader()
    one.read(TAKEN[:2])
    assert verdicts(TAKEN[2:3], Reader.resumed("papers.example", one.kept())) == [(MINE, "taken")]
    assert Reader.resumed("papers.example", {}).queue == {}


def test_what_is_remembered_is_bounded_and_ends():
    one = reader()
    one.read(TAKEN)
    assert one.queue == {}
    one.queue = {str(n): MINE for n in range(MOST + 5)}
    assert len(one.kept()["queue"]) == MOST
    assert "0" not in one.kept()["queue"]


@pytest.mark.parametrize("junk", ["", "\x00\x00", "a/b[1]: ", "x" * 20_000, "/qmgr[1]: z: removed"])
def test_junk_is_passed_over(junk):
    assert verdicts([TAKEN[1], junk, TAKEN[2]]) == [(MINE, "taken")]


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("2.0.0 Ok: queued as 4cVLxT3zKkz9rbK", ID),
        ("OK id=1sYz2A-0004kP-2b", "1sYz2A-0004kP-2b"),
        ("2.0.0 queued", ""),
        ("Requested mail action okay, completed", ""),
    ],
)
def test_the_number_in_the_relays_last_answer(said, number):
    assert queued_as(said) == number
