"""What refusals mean: each row of the tables with words that it is for."""

import re

import pytest

from service.reports.found import Found, Where
from service.reports.model import Kind
from service.reports.reason_rows import ROWS
from service.reports.reasons import REASONS, judge, row_for
from service.reports.special import SPECIAL

MEANT: tuple[tuple[str, str, Where, str], ...] = (
    # providers' own words
    ("5.1.1", "550 5.1.1 see https://support.google.com/mail/?p=NoSuchUser a1", "", "no_such_user"),
    ("", "550 see https://support.google.com/mail/?p=DisabledUser a1", "", "disabled"),
    ("5.0.0", "the domain couldn't be found, responded with code NOERROR", "", "unreachable"),
    ("4.2.1", "450 https://support.google.com/mail/?p=ReceivingRate a1", "", "busy"),
    ("5.2.2", "552 https://support.google.com/mail/?p=OverQuotaPerm a1", "", "mailbox_full"),
    ("5.4.1", "550 Recipient address rejected: Access denied. AS(2018)", "rcpt", "no_such_user"),
    ("5.5.0", "550 Requested action not taken: mailbox unavailable (S1)", "", "no_such_user"),
    ("5.4.310", "550 DNS domain example.net does not exist [Message=1]", "", "domain_gone"),
    ("5.1.90", "550 your message can't be sent, the daily limit is reached", "", "too_fast"),
    ("5.2.121", "550 recipient limit of an hour exceeded", "", "busy"),
    ("5.7.606", "550 Access denied, banned sending IP [192.0.2.1]", "rcpt", "reputation"),
    ("5.7.64", "550 TenantAttribution; Relay Access Denied", "", "relaying"),
    ("5.7.1", "550 RESOLVER.RST.NotAuthorized; not authorized", "", "policy"),
    ("5.1.8", "550 Access denied, bad outbound sender AS(42004)", "", "sender_refused"),
    (
        "",
        "554 delivery error: dd This user doesn't have a yahoo.com account",
        "body",
        "no_such_user",
    ),
    ("", "554 delivery error: dd This account has been disabled [#102]", "body", "disabled"),
    ("4.7.0", "421 [TSS01] come again", "mail", "greylisted"),
    ("4.7.0", "421 [TSS04] Messages from 192.0.2.1 deferred", "mail", "reputation"),
    ("5.1.1", "550 RCP-P3 not wanted", "", "filtered"),
    ("5.1.0", "550 sender rejected. AUP#In-1310", "", "policy"),
    ("5.2.2", "552 mailbox full AUP#Out-1530", "rcpt", "mailbox_full"),
    ("", "550 http://mail.i.ua/err/2/", "rcpt", "no_such_user"),
    ("", "550 http://mail.i.ua/err/3/", "rcpt", "disabled"),
    ("", "550 http://mail.i.ua/err/4/", "rcpt", "mailbox_full"),
    ("", "550 http://mail.i.ua/err/6/", "rcpt", "relaying"),
    ("", "550 http://mail.i.ua/err/7/", "rcpt", "no_ptr"),
    ("", "550 http://mail.i.ua/err/8/", "rcpt", "sender_refused"),
    ("", "550 http://mail.i.ua/err/9/", "rcpt", "reputation"),
    ("5.2.1", "521 (HVU:B1) see the page", "body", "reputation"),
    ("", "554 DT:SPM 163 smtp8", "body", "spam_content"),
    ("", "550 RP:TRC 163 smtp8", "mail", "reputation"),
    ("5.0.0", "unable to get mx info: failed to get IPs from PTR record", "", "unreachable"),
    # near to another reason
    ("", "554-No SMTP service 554-Bad DNS PTR resource record", "connect", "no_ptr"),
    ("5.3.2", "521 Server does not accept mail", "connect", "no_mail_here"),
    ("5.1.2", "550 host unknown (Name server: .: host not found)", "", "no_mail_here"),
    ("", "550 Server does not accept mail for you", "mail", "policy"),
    ("5.4.6", "554 Too many hops 26 (25 max)", "", "unreachable"),
    ("", 'Too many "Received" headers - suspected mail loop', "", "unreachable"),
    ("5.0.0", "550 user lookup failed: no such user", "rcpt", "filtered"),
    ("5.0.0", "550 no mailbox for reader", "rcpt", "no_such_user"),
    ("5.0.0", "550 not a known user", "rcpt", "no_such_user"),
    ("5.2.0", "550 mailbox is no longer in use", "rcpt", "no_such_user"),
    ("", "550 recipient not available", "rcpt", "no_such_user"),
    ("4.2.0", "create maildir file /var/mail/tmp/1: Permission denied", "", "system"),
    ("", "600 Mail rejete OFR_506 [506]", "", "spam_content"),
    ("", "closed, see https://groups.google.com/support/", "", "policy"),
    ("5.1.1", "554 the address is on the suppression list", "", "suppressed"),
    ("", "550 #5.1.0 Address rejected.", "rcpt", "no_such_user"),
    # delivery programs
    ("5.1.1", "maildrop: quota exceeded", "agent", "mailbox_full"),
    ("5.1.1", "sort: no such user", "agent", "agent"),
    # status and words together
    ("5.1.1", "550 5.1.1 <x@example.net>: user unknown", "", "no_such_user"),
    ("5.1.10", "550 Recipient not found", "", "no_such_user"),
    ("5.1.1", "550 user unknown, your host is on our blacklist", "rcpt", "reputation"),
    ("5.1.1", "552 mailbox x is over quota", "", "mailbox_full"),
    ("5.1.1", "550 this account is disabled", "", "disabled"),
    ("5.2.1", "550 user unknown", "", "filtered"),
    ("5.2.1", "550 user unknown", "rcpt", "no_such_user"),
    # our side
    ("5.1.8", "553 something about it", "", "sender_refused"),
    ("5.7.27", "550 host does not accept mail", "", "no_mail_here"),
    ("", "Domain example.net does not accept mail (nullMX)", "", "no_mail_here"),
    ("5.4.5", "550 daily user sending quota exceeded", "", "too_fast"),
    ("4.2.1", "450 the user is receiving mail at a rate that is too high", "rcpt", "busy"),
    ("", "451 greylisted, try again in 300 seconds", "", "greylisted"),
    ("", "mailbox is full", "", "mailbox_full"),
    ("", "User mailbox exceeds allowed size", "", "mailbox_full"),
    ("5.2.2", "552 no more", "", "mailbox_full"),
    ("5.2.3", "552 no more", "", "too_large"),
    ("", "550 Refused due to recipient preferences", "", "filtered"),
    ("5.7.26", "550 no", "", "authentication"),
    ("5.7.1", "550 SPF check failed", "", "authentication"),
    ("", "554 Duplicate header 'DKIM-Signature'", "body", "malformed"),
    ("5.7.1", "550 fix reverse DNS for 192.0.2.1", "mail", "no_ptr"),
    ("5.7.1", "554 Relay access denied", "rcpt", "relaying"),
    ("", "550 insecure mail relay", "", "relaying"),
    ("", "554 virus found", "body", "virus"),
    ("", "550 frequency limited", "", "too_fast"),
    ("", "550 too many recipients this hour", "rcpt", "too_fast"),
    ("5.7.0", "552 blocked because its content presents a risk", "body", "content"),
    ("5.7.1", "554 Client host blocked using zen.spamhaus.org", "rcpt", "reputation"),
    ("5.1.3", "553 https://www.spamhaus.org/query/ip/192.0.2.1", "rcpt", "reputation"),
    ("5.7.1", "550 looks like spam", "body", "spam_content"),
    ("", "550 unroutable sender address", "rcpt", "sender_refused"),
    ("", "552 message too big", "", "too_large"),
    ("", "500 remote server does not support TLS", "", "encryption"),
    ("", "550 media type refused", "body", "content"),
    # for good
    ("5.1.6", "551 gone", "", "moved"),
    ("", "551 User not local; please try other@example.net", "rcpt", "moved"),
    ("", "550 Domain may not exist or DNS check failed", "rcpt", "unknown"),
    ("5.1.1", "550 Sender verify failed", "rcpt", "sender_refused"),
    ("", "553 this recipient is not in my validrcptto list (#5.7.1)", "rcpt", "no_such_user"),
    ("", "550 Callout verification failed: 550 No such user", "rcpt", "sender_refused"),
    ("5.1.1", "550 blocked due to inactivity", "", "disabled"),
    ("5.7.17", "550 the owner has changed", "", "moved"),
    ("5.4.4", "Host or domain name not found", "", "domain_gone"),
    ("4.0.0", "DNS type 'mx' lookup responded with code NXDOMAIN", "", "domain_gone"),
    ("", "The recipient name is not recognized", "", "no_such_user"),
    ("", "550 unknown user", "rcpt", "no_such_user"),
    ("5.7.1", "550 No such user!", "rcpt", "no_such_user"),
    ("", "550 mailbox unavailable", "rcpt", "no_such_user"),
    ("", "550 unknown user", "body", "filtered"),
    ("", "550 unknown user", "named", "no_such_user"),
    ("5.2.1", "550 unknown user", "named", "filtered"),
    ("", "550 unknown user", "", "filtered"),
    ("5.0.0", "550 unknown user", "", "filtered"),
    ("5.1.1", "550 what", "mail", "sender_refused"),
    ("", "550 go", "connect", "policy"),
    ("5.7.1", "550 go", "", "policy"),
    ("", "550 denied", "rcpt", "policy"),
    ("", "550 mailbox unavailable, reject due to policy restrictions", "rcpt", "policy"),
    ("5.1.1", "550 what", "", "no_such_user"),
    ("5.1.2", "550 what", "", "domain_gone"),
    ("5.1.10", "what", "", "no_mail_here"),
    # for now
    ("5.2.1", "550 what", "", "disabled"),
    ("4.4.5", "452 insufficient disk space", "", "system"),
    ("4.4.1", "this message has been in the queue too long", "", "expired"),
    ("4.4.7", "what", "", "expired"),
    ("4.4.1", "what", "", "unreachable"),
    ("5.3.0", "what", "", "system"),
    ("5.6.0", "what", "", "malformed"),
    ("", "connection timed out", "", "unreachable"),
    ("", "pipe to | sort", "", "agent"),
    ("", "local error", "", "system"),
    ("", "550 what", "", "unknown"),
)
"""Status field, words, where in the session: the reason."""


def found(status: str, words: str, where: Where, action: str = "failed") -> Found:
    return Found(recipient="x@example.net", action=action, status=status, words=words, where=where)


@pytest.mark.parametrize(("status", "words", "where", "reason"), MEANT)
def test_words_have_their_reason(status: str, words: str, where: Where, reason: str) -> None:
    assert judge(found(status, words, where)).reason == reason


def test_every_row_is_for_something() -> None:
    hit = {id(row_for(found(status, words, where))) for status, words, where, _ in MEANT}
    idle = [row.source for row in (*SPECIAL, *ROWS) if id(row) not in hit]
    assert idle == []


def test_every_row_says_a_known_reason_and_where_it_comes_from() -> None:
    assert all(row.reason in REASONS and row.source for row in (*SPECIAL, *ROWS))


@pytest.mark.parametrize(
    ("status", "words", "where"), [case[:3] for case in MEANT if REASONS[case[3]][0] is Kind.HARD]
)
def test_what_is_still_tried_is_never_gone(status: str, words: str, where: Where) -> None:
    assert judge(found(status, words, where, "delayed")).kind is not Kind.HARD


@pytest.mark.parametrize(
    ("status", "words", "where"),
    [case[:3] for case in MEANT if REASONS[case[3]][0] is Kind.HARD and "NXDOMAIN" not in case[1]],
)
@pytest.mark.parametrize("both", [False, True])
def test_a_temporary_answer_is_never_gone(
    status: str, words: str, where: Where, *, both: bool
) -> None:
    """Neither where status and code are temporary nor where the code alone is."""
    said = re.sub(r"\b5([05]\d)\b", r"4\1", words)
    said = said if said != words else f"450 {words}"
    if both:
        said, status = re.sub(r"\b5\.(\d+\.\d+)\b", r"4.\1", said), "4" + (status[1:] or ".0.0")
    assert judge(found(status, said, where)).kind is not Kind.HARD


@pytest.mark.parametrize("action", ["delivered", "relayed", "expanded"])
def test_what_arrived_is_nothing(action: str) -> None:
    said = judge(found("5.1.1", "550 user unknown", "rcpt", action))
    assert (said.kind, said.reason) == (Kind.NONE, "delivered")


def test_a_success_without_an_action_is_nothing() -> None:
    assert judge(found("2.1.5", "250 2.1.5 ok", "", "")).reason == "delivered"


@pytest.mark.parametrize(
    ("field", "words", "status"),
    [
        ("5.0.0", "550 5.7.1 no", "5.7.1"),  # the relay's own, and the server's
        ("5.1.1", "550 no", "5.1.1"),
        ("", "550-'5.7.1 no", "5.7.1"),
        ("4.4.7", "450 4.2.2 full", "4.2.2"),
        ("5.1.1", "450 4.2.2 full", "5.1.1"),
        ("5.2.2", "552 5.0.0 full", "5.2.2"),
        ("", "no mailbox (#5.1.1)", "5.1.1"),
        ("", "at 192.5.1.1", ""),
    ],
)
def test_the_status_that_tells_more_is_kept(field: str, words: str, status: str) -> None:
    assert judge(found(field, words, "")).status == status


def test_nobody_is_gone_whose_mailbox_is_said_to_be_there() -> None:
    said = Found(words="550 user unknown", where="rcpt", around="The account is disabled. 550 user")
    assert judge(said).reason == "disabled"


def test_words_are_cut_and_on_one_line() -> None:
    said = judge(found("", "550 a\n  b " + "c" * 2000, ""))
    assert said.words.startswith("550 a b c")
    assert len(said.words) == 1000
