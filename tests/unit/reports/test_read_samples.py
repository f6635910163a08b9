"""Each form of report that is read has a mail of its own, written by hand: tests/data/bounces."""

from pathlib import Path

import pytest

from service.reports.read import read_report

FOLDER = Path(__file__).parents[2] / "data" / "bounces"

SAID = {
    "unsubscribe-by-program": ("optout:reply", ["optout unsubscribe - reader@example.net"]),
    "sendmail-after-body": ("dsn", ["soft filtered 5.0.0 reader@example.net"]),
    "dsn-named": ("dsn", ["hard no_such_user 5.0.0 reader@example.net"]),
    "dsn-words-alone": ("dsn", ["soft filtered 5.0.0 reader@example.net"]),
    "local-user": ("flufl", ["hard no_such_user - reader@example.net"]),
    "qmail-connected": ("body:line", ["policy policy - reader@example.net"]),
    "yahoo-account": ("body:line", ["soft filtered - reader@example.net"]),
    "advisory-full": ("body:line", ["soft mailbox_full - reader@example.net"]),
    "arf-abuse": ("arf", ["complaint abuse - reader@example.net"]),
    "arf-auth-failure": ("arf", ["none auth_failure - reader@example.net"]),
    "arf-no-rcpt": ("arf", ["complaint abuse - reader@example.net"]),
    "arf-not-spam": ("arf", ["none not_spam - reader@example.net"]),
    "arf-opt-out": ("arf", ["optout opt_out - reader@example.net"]),
    "carrier-expired": ("body:line", ["soft expired - reader@example.net"]),
    "carrier-full": ("body:field", ["soft mailbox_full - reader@example.net"]),
    "carrier-iso-2022-jp": ("body:label", ["hard no_such_user - reader@example.net"]),
    "domino-directory": ("body:line", ["hard no_such_user - reader@example.net"]),
    "chinese-colons": ("body:field", ["hard no_such_user - reader@example.net"]),
    "dragonfly": ("body:reply", ["hard no_such_user - reader@example.net"]),
    "dsn-delivered": ("dsn", ["none delivered 2.0.0 reader@example.net"]),
    "dsn-in-text": ("dsn", ["hard no_such_user 5.1.1 reader@example.net"]),
    "dsn-no-blank-lines": (
        "dsn",
        [
            "hard no_such_user 5.1.1 one@example.net",
            "soft mailbox_full 5.2.2 two@example.net",
            "soft unreachable 4.4.1 three@example.net",
        ],
    ),
    "dsn-no-status": ("dsn", ["hard no_such_user 5.1.1 reader@example.net"]),
    "exchange-2003": ("body:line", ["hard no_such_user - reader@example.net"]),
    "exchange-localized": ("dsn", ["hard no_such_user 5.1.10 reader@example.net"]),
    "exchange-restricted": ("dsn", ["policy policy 5.7.133 reader@example.net"]),
    "exchange-x400": ("body:x400", ["hard no_such_user - reader@example.net"]),
    "exim-after-body": ("body:line", ["soft filtered - reader@example.net"]),
    "exim-pipe": ("body:x-failed-recipients", ["soft agent - reader@example.net"]),
    "exim-quota": ("body:line", ["soft mailbox_full - reader@example.net"]),
    "exim-retry": ("body:line", ["soft expired - reader@example.net"]),
    "exim-two": (
        "body:line",
        ["hard no_such_user 5.1.1 one@example.net", "soft mailbox_full 4.2.2 two@example.net"],
    ),
    "exim-unknown": ("body:line", ["hard no_such_user - reader@example.net"]),
    "exim-unroutable": ("body:line", ["hard domain_gone - reader@example.net"]),
    "facebook-preferences": ("dsn", ["soft filtered 5.1.1 reader@example.net"]),
    "france-refus": ("body:line", ["soft filtered - reader@example.net"]),
    "gmail-inactive": ("dsn", ["soft disabled 5.2.1 reader@example.net"]),
    "gmail-nosuchuser": ("dsn", ["hard no_such_user 5.1.1 reader@example.net"]),
    "gmail-old-delay": ("body:line", ["soft unreachable - reader@example.net"]),
    "gmail-old-domain": ("body:line", ["hard domain_gone - reader@example.net"]),
    "gmail-old-rcpt": ("body:line", ["hard no_such_user - reader@example.net"]),
    "gmail-unauthenticated": ("dsn", ["policy authentication 5.7.26 reader@example.net"]),
    "gmx-two": (
        "body:line",
        ["hard no_such_user 5.2.1 one@example.net", "soft mailbox_full 5.2.2 two@example.net"],
    ),
    "group-closed": ("body:x-failed-recipients", ["policy policy - reader@example.net"]),
    "html-only": ("body:label", ["hard no_such_user 5.1.1 reader@example.net"]),
    "imail-attempts": ("body:field", ["soft expired - reader@example.net"]),
    "imail-full": ("body:field", ["soft mailbox_full - reader@example.net"]),
    "imail-host": ("body:own", ["hard domain_gone - reader@example.net"]),
    "imail-unknown": ("body:own", ["hard no_such_user - reader@example.net"]),
    "interscan": ("flufl", ["hard no_such_user 5.1.1 reader@example.net"]),
    "james": ("body:label", ["hard no_such_user - reader@example.net"]),
    "jmrp": ("arf", ["complaint abuse - reader@example.net"]),
    "letter-of-a-person": ("", ["none letter - -"]),
    "letter-with-mail": ("", ["none letter - -"]),
    "loop-alert": ("text", ["soft system - -"]),
    "mailenable": ("body:label", ["soft unknown - reader@example.net"]),
    "mailfoundry": ("flufl", ["hard no_such_user - reader@example.net"]),
    "mailmarshal": ("body:line", ["hard no_such_user 5.1.1 reader@example.net"]),
    "mfilter-data": ("body:line", ["soft filtered - reader@example.net"]),
    "mfilter-rcpt": ("body:line", ["hard no_such_user - reader@example.net"]),
    "microsoft-banned": ("dsn", ["policy reputation 5.7.606 reader@example.net"]),
    "microsoft-directory": ("dsn", ["hard no_such_user 5.4.1 reader@example.net"]),
    "microsoft-level": ("dsn", ["policy authentication 5.7.515 reader@example.net"]),
    "mxlogic": ("body:answer", ["hard no_such_user 5.1.1 reader@example.net"]),
    "not-understood": ("text", ["soft unknown - -"]),
    "notes-directory": ("body:line", ["hard no_such_user - reader@example.net"]),
    "old-sendmail-mail": ("body:reply", ["policy relaying - reader@example.net"]),
    "old-sendmail-rcpt": ("body:reply", ["hard no_such_user - reader@example.net"]),
    "opensmtpd-no-mx": ("body:line", ["hard no_mail_here - reader@example.net"]),
    "opensmtpd": ("body:answer", ["hard no_such_user 5.1.1 reader@example.net"]),
    "outlook-unavailable": ("dsn", ["hard no_such_user 5.5.0 reader@example.net"]),
    "postfix-delayed-reputation": ("dsn", ["policy reputation 4.7.0 reader@example.net"]),
    "postfix-delayed": ("dsn", ["soft unreachable 4.4.1 reader@example.net"]),
    "postfix-expanded": ("dsn", ["hard no_such_user 5.1.1 reader@example.net"]),
    "postfix-listed-as-unknown": ("dsn", ["policy reputation 5.1.1 reader@example.net"]),
    "postfix-listed": ("dsn", ["policy reputation 5.7.1 reader@example.net"]),
    "postfix-local-unknown": ("dsn", ["hard no_such_user 5.1.1 reader@example.net"]),
    "postfix-loop": ("dsn", ["soft unreachable 5.4.6 reader@example.net"]),
    "postfix-no-domain": ("dsn", ["hard domain_gone 5.4.4 reader@gone.example.net"]),
    "postfix-null-mx": ("dsn", ["hard no_mail_here 5.1.0 reader@nomail.example.net"]),
    "postfix-program": ("dsn", ["soft agent 5.1.1 reader@example.net"]),
    "postfix-quota": ("dsn", ["soft mailbox_full 5.2.2 reader@example.net"]),
    "postfix-sender": ("dsn", ["policy sender_refused 5.1.8 reader@example.net"]),
    "postfix-too-large": ("dsn", ["content too_large 5.3.4 reader@example.net"]),
    "postfix-unknown-after-body": ("dsn", ["soft filtered 5.0.0 reader@example.net"]),
    "postfix-unknown-rcpt": ("dsn", ["hard no_such_user 5.0.0 reader@example.net"]),
    "qmail-host": ("body:line", ["hard domain_gone 5.1.2 reader@example.net"]),
    "qmail-local": ("body:line", ["hard no_such_user 5.1.1 reader@example.net"]),
    "qmail-queue": ("body:line", ["soft expired 4.4.1 reader@example.net"]),
    "qmail-rcpt": ("body:line", ["hard no_such_user - reader@example.net"]),
    "qmail-sender": ("body:line", ["policy sender_refused 5.1.1 reader@example.net"]),
    "qmail-spam": ("body:line", ["content spam_content 5.7.1 reader@example.net"]),
    "sendmail-blocked-as-unknown": ("dsn", ["policy reputation 5.7.1 reader@example.net"]),
    "sendmail-pipelined": ("dsn", ["hard no_such_user 5.1.1 reader@example.net"]),
    "size-limit": ("body:line", ["content too_large - reader@example.net"]),
    "x400-timeout": ("dsn", ["soft expired 4.4.7 reader@example.net"]),
    "yahoo-no-account": ("dsn", ["hard no_such_user 5.0.0 reader@example.net"]),
    "yahoo-no-mx": ("body:line", ["hard no_mail_here - reader@example.net"]),
    "yahoo-notice": ("body:line", ["hard no_such_user 5.1.1 reader@example.net"]),
    "messaging-server-full": ("body:label", ["soft mailbox_full - reader@example.net"]),
    "messaging-server-alias": ("body:label", ["hard no_such_user - reader@example.net"]),
    "messaging-server-host": ("body:label", ["hard domain_gone - reader@example.net"]),
    "groupwise-unknown": ("body:told", ["hard no_such_user - reader@example.net"]),
    "exim-hops": ("body:line", ["soft unreachable - reader@example.net"]),
    "exim-alias": ("body:line", ["hard no_such_user - reader@example.net"]),
    "carrier-disabled": ("body:answer", ["soft disabled - reader@example.net"]),
    "postfix-no-service": ("dsn", ["policy no_ptr 5.0.0 reader@example.net"]),
    "sendgrid-no-mx": ("dsn", ["soft unreachable 5.0.0 reader@example.net"]),
    "sendmail-hops": ("dsn", ["soft unreachable 5.4.6 reader@example.net"]),
    "postfix-maildir": ("dsn", ["soft system 4.2.0 reader@example.net"]),
    "zoho-delay": ("body:sentence", ["soft unreachable - reader@example.net"]),
}
"""Of each mail its form and, one a recipient: kind, reason, status, recipient ("-" = not said)."""

UNSURE = {"mailenable", "not-understood"}


@pytest.mark.parametrize("name", sorted(SAID))
def test_a_form_is_read(name: str) -> None:
    read = read_report((FOLDER / f"{name}.eml").read_bytes())
    said = [f"{r.kind} {r.reason} {r.status or '-'} {r.recipient or '-'}" for r in read.reports]
    assert (read.form, said, read.is_sure) == (*SAID[name], name not in UNSURE)


def test_no_mail_is_forgotten() -> None:
    assert {path.stem for path in FOLDER.glob("*.eml")} == set(SAID)


@pytest.mark.parametrize("name", sorted(SAID))
@pytest.mark.parametrize("ends", [b"\r\n", b"\r", b"\n"])
def test_line_ends_change_nothing(name: str, ends: bytes) -> None:
    data = (FOLDER / f"{name}.eml").read_bytes()
    again = data.replace(b"\r\n", b"\n").replace(b"\n", ends)
    assert read_report(again).reports == read_report(data).reports
