"""How reports are taken apart: fields for machines, texts for people, complaints."""

import pytest

from service.reports import bodies, dsn
from service.reports import read as read_module
from service.reports.found import code_in, place_of, status_in
from service.reports.mail import open_mail
from service.reports.read import RECIPIENTS, read_report

HEAD = b"From: MAILER-DAEMON@mail.example.net\nSubject: failure notice\n"


def status_report(fields: str) -> bytes:
    return HEAD + b"Content-Type: message/delivery-status\n\n" + fields.encode()


@pytest.mark.parametrize(
    ("fields", "recipient"),
    [
        ("Final-Recipient: rfc822; a@example.net\nAction: failed\n", "a@example.net"),
        ("Final-Recipient: <a@example.net>\nAction: failed\n", "a@example.net"),
        ("FINAL-RECIPIENT: RFC822;a@example.net\nACTION: FAILED\n", "a@example.net"),
        (
            "Final-Recipient: rfc822; b@example.net\nOriginal-Recipient: rfc822;a@example.net\n"
            "Action: failed\n",
            "a@example.net",
        ),
        ("Final-Recipient: rfc822; a@example.net\n\nAction: failed\n", "a@example.net"),
        ("Original-Recipient: <a@example.net>\nDiagnostic-Code: smtp; 550 no\n", "a@example.net"),
        ("Action: failed\nFinal-Recipient: rfc822;\n a@example.net\n", "a@example.net"),
    ],
)
def test_fields_name_a_recipient(fields: str, recipient: str) -> None:
    (found,) = dsn.recipients_of(open_mail(status_report("Reporting-MTA: dns; m\n\n" + fields)))
    assert dsn.found_of(found, "").recipient == recipient


@pytest.mark.parametrize(
    ("fields", "action", "status", "words"),
    [
        ("Action: failed (no)\nStatus: 5.1.1 (bad)\n", "failed", "5.1.1", "bad"),
        ("Action: failure\nDiagnostic-Code: smtp; 550 a\n  b\n", "failed", "", "550 a b"),
        ("Action: deferred\nDiagnostic-Code: 450 later\n", "delayed", "", "450 later"),
        ("Action: deliverable\nStatus: 2.1.5\n", "delivered", "2.1.5", ""),
        ("Action: what\nStatus: 5.0.0\n", "", "5.0.0", ""),
    ],
)
def test_fields_say_what_became_of_it(fields: str, action: str, status: str, words: str) -> None:
    (block,) = dsn.recipients_of(
        open_mail(status_report("Final-Recipient: rfc822; a@example.net\n" + fields))
    )
    found = dsn.found_of(block, "")
    assert (found.action, found.status, found.words) == (action, status, words)


def test_a_block_about_nobody_is_no_recipient() -> None:
    assert (
        dsn.recipients_of(open_mail(status_report("Reporting-MTA: dns; m\nAction: failed"))) == ()
    )


def test_of_two_reports_of_one_recipient_the_milder_is_believed() -> None:
    fields = (
        "Final-Recipient: rfc822; a@example.net\nAction: failed\nStatus: 5.1.1\n\n"
        "Final-Recipient: rfc822; A@example.net\nAction: failed\nStatus: 5.2.2\n"
    )
    (report,) = read_report(status_report(fields)).reports
    assert report.reason == "mailbox_full"


def test_recipients_of_one_report_are_bounded() -> None:
    blocks = (f"Final-Recipient: rfc822; r{n}@example.net\nAction: failed\n" for n in range(1200))
    read = read_report(HEAD + b"\n" + "\n".join(blocks).encode())
    assert len(read.reports) == RECIPIENTS
    assert any("recipients" in problem for problem in read.problems)


@pytest.mark.parametrize(
    "line",
    [
        "--- Below this line is a copy of the message.",
        "----- Original message -----",
        "   ----- Unsent message follows -----",
        "------ This is a copy of the message, including all the headers. ------",
        "Message headers follow:",
        "Original message follows.",
        "The first 50 lines of your original message follow:",
        "Your message reads (in part):",
        "Here is a copy of the first part of the message, including",
        "Received: from a by b",
        "DKIM-Signature: v=1; a=rsa-sha256",
        "-------original message",
        "--------RETURNED MAIL FOLLOWS--------",
        "Intestazioni originali del messaggio:",
    ],
)
def test_a_report_ends_where_the_returned_mail_begins(line: str) -> None:
    assert bodies.cut(f"It failed.\n{line}\nspam\n") == "It failed."


@pytest.mark.parametrize(
    "line",
    [
        "   ----- Transcript of session follows -----",
        "-------server message",
        "The following message to <a@example.net> was undeliverable.",
        "Your message was not delivered to:",
        "  ----- The following addresses had permanent fatal errors -----",
        "Received-From-MTA: dns; a",
        "This message was created automatically by mail delivery software.",
    ],
)
def test_what_a_report_says_itself_is_kept(line: str) -> None:
    assert line in bodies.cut(f"Hello.\n{line}\nmore")


@pytest.mark.parametrize(
    ("line", "recipient"),
    [
        ("<a@example.net>:", "a@example.net"),
        ("  a@example.net", "a@example.net"),
        ('"a@example.net":', "a@example.net"),
        ("a@example.net: 550 no", "a@example.net"),
        ("  * a@example.net", "a@example.net"),
        (">>> a@example.net <a@example.net>", "a@example.net"),
        ("    Recipient: <a@example.net>", "a@example.net"),
        ("\tRecipient: [SMTP:a@example.net]", "a@example.net"),
        ("c=US;a= ;p=X;o=Y;dda:SMTP=a@example.net; on Fri", "a@example.net"),
        ("Unknown user: a@example.net", "a@example.net"),
        ("550 5.1.1 <a@example.net>... User unknown", "a@example.net"),
        ("delivering your mail to <a@example.net>.", "a@example.net"),
        ("Delivery failed 20 attempts: a@example.net", "a@example.net"),
        ("User quota exceeded: SMTP <a@example.net>", "a@example.net"),
        ("<ä@пример.example>:", "ä@пример.example"),
        ("it was addressed to 'a@example.net',", "a@example.net"),
        ("a@example.net wrote:", ""),
        (">>> MAIL From:<a@example.net>", ""),
        ("please contact <a@example.net>", ""),
        ("From: a@example.net", ""),
        ("postmaster@example.net", ""),
        ("no address here", ""),
    ],
)
def test_a_line_names_a_recipient(line: str, recipient: str) -> None:
    found = bodies.sections_of(f"Sorry.\n{line}\nno such user")
    assert [one.recipient for one in found] == ([recipient] if recipient else [])


def test_what_follows_a_recipient_is_about_it() -> None:
    one, two = bodies.sections_of("<a@example.net>:\nfull\n<b@example.net>:\nunknown\n")
    assert ("full" in one.words, "unknown" in one.words) == (True, False)
    assert ("full" in two.words, "unknown" in two.words) == (False, True)


def test_who_reports_and_to_whom_are_no_recipients() -> None:
    found = bodies.sections_of("<a@example.net>:\nno", frozenset({"a@example.net"}))
    assert found == ()


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("said: 550 no (in reply to RCPT TO command)", "rcpt"),
        ("said: 550 no (in reply to end of DATA command)", "body"),
        ("said: 550 no (in reply to MAIL FROM command)", "mail"),
        ("said: 550 no (in reply to EHLO command)", "connect"),
        ("after RCPT TO:<a@example.net>:\n550 no", "rcpt"),
        ("after end of data:\n550 no", "body"),
        ("192.0.2.9 does not like recipient.", "rcpt"),
        ("192.0.2.9 failed after I sent the message.", "body"),
        ("Connected to 192.0.2.9 but sender was rejected.", "mail"),
        ("550 550 no (state 14).", "rcpt"),
        ("554 554 no (state 18).", "body"),
        ("550 no [RCPT_TO]", "rcpt"),
        (">>> DATA\n<<< 550 no\n554 5.0.0 Service unavailable", "body"),
        (">>> DATA\n<<< 550 no\n<<< 503 5.0.0 Need RCPT (recipient)", "rcpt"),
        ("550 no", ""),
    ],
)
def test_where_a_refusal_came(text: str, where: str) -> None:
    assert place_of(text) == where


@pytest.mark.parametrize(
    ("words", "status", "code"),
    [
        ("550 5.1.1 no", "5.1.1", 550),
        ("550-5.1.1 no", "5.1.1", 550),
        ("5.1.0 - unknown 550-'5.7.1 no'", "5.7.1", 550),
        ("550 no (#5.1.1)", "5.1.1", 550),
        ("ERROR_CODE :421, no", "", 421),
        ("at 12:34:550 no", "", 0),
        ("host mx[192.0.2.50]: no", "", 0),
        ("Size (in bytes): 222", "", 0),
        ("552 5.2.2 over quota 450 4.1.1", "5.2.2", 552),
        ("mx 10.5.1.1", "", 0),
    ],
)
def test_status_and_code_are_found_in_words(words: str, status: str, code: int) -> None:
    assert (status_in(words), code_in(words)) == (status, code)


@pytest.mark.parametrize(
    ("text", "is_delay"),
    [
        ("THIS IS A WARNING MESSAGE ONLY.", True),
        ("Message will be retried for 2 more day(s)", True),
        ("has been postponed due to a full mailbox", True),
        ("This is a permanent error. Warning: do not reply.", False),
        ("will attempt to contact the intended recipient", False),
    ],
)
def test_a_delay_is_told_from_an_end(text: str, is_delay: bool) -> None:
    assert bodies.is_delay(text) is is_delay


def test_an_answer_to_one_recipient_blames_no_other() -> None:
    text = (
        "could not be delivered\n  a@example.net\n    SMTP error after RCPT TO:<a@example.net>:\n"
        "    550 unknown user\n  b@example.net\n    retry timeout exceeded\n"
    )
    one, two = read_report(HEAD + b"\n" + text.encode()).reports
    assert (one.reason, two.reason) == ("no_such_user", "expired")


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        (">>> RCPT To:<a@example.net>\n<<< 450 busy\n<<< 551 gone\n550 x", "551 gone"),
        (">>> DATA\n<<< 552-a\n<<< 552 b\n<<< 503 c\n", "552-a\n<<< 552 b\n<<< 503 c"),
        (">>> MAIL From:<a@example.net>\n<<< 452 no room", "452 no room"),
        ("550 no", ""),
    ],
)
def test_what_was_refused_for_good_is_heard_first(text: str, heard: str) -> None:
    assert bodies.heard_in(text) == heard


def test_what_flufl_alone_finds_is_named() -> None:
    text = (
        "Your mail to the following recipients could not be delivered because they are not "
        "accepting mail from list@lists.example.org:\n\treader\n"
    )
    data = b"From: MAILER-DAEMON@AOL.com\nSubject: Mail Delivery Problem\n\n" + text.encode()
    read = read_report(data)
    assert (read.form, read.reports[0].recipient) == ("flufl", "reader@aol.com")


def test_a_report_that_flufl_stumbles_over_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(message: object) -> None:
        raise IndexError

    monkeypatch.setattr(read_module, "all_failures", stumble)
    read = read_report(HEAD + b"\nIt could not be delivered: mailbox full\n")
    assert read.reports[0].reason == "mailbox_full"
    assert read.problems == ("flufl.bounce: IndexError",)


def test_a_part_with_the_head_of_a_mail_is_returned() -> None:
    data = HEAD + (
        b'Content-Type: multipart/mixed; boundary="b"\n\n'
        b'--b\nContent-Type: text/plain\n charset="us-ascii"\n\n<a@example.net>:\nmailbox full\n'
        b"--b\nReceived: from a by b\nMessage-ID: <digest-1@lists.example.org>\n"
        b"Subject: Papers\n\nno such user, said nobody\n--b--\n"
    )
    report, returned = open_mail(data).parts
    assert (report.kind, report.returned, returned.returned) == ("text/plain", False, True)
    read = read_report(data)
    assert read.reports[0].reason == "mailbox_full"
    assert read.traces.message_ids == ("digest-1@lists.example.org",)
