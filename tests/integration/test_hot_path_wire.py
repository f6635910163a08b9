"""The hot path says on the wire what aiosmtplib's ``send_message`` says, byte for byte."""

import asyncio
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY

import aiosmtplib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.wire_tap import EVERYTHING, WireTap

from service.delivery.hot_path import stuffed
from service.delivery.outcome import Accepted, Envelope, Outcome, Refused
from service.delivery.smtp import Mailer, Relay

FROM, TO = "papers@example.org", "ada@example.org"


async def yes() -> bool:
    return True


def mailer_to(tap: WireTap, **options: int) -> Mailer:
    return Mailer(Relay(host="127.0.0.1", port=tap.port, local_hostname="me.example"), **options)


def said_by_both(
    messages: list[bytes | EmailMessage], features: tuple[str, ...] = EVERYTHING
) -> list[tuple[list[bytes], list[bytes]]]:
    """Bodies and commands, ours then aiosmtplib's."""

    async def ours() -> tuple[list[bytes], list[bytes]]:
        async with WireTap(features) as tap:
            mailer = mailer_to(tap, connections=1)
            raw = [m if isinstance(m, bytes) else m.as_bytes(policy=SMTP_POLICY) for m in messages]
            outcomes = await asyncio.gather(
                *(mailer.deliver(Envelope(FROM, TO, one), yes) for one in raw)
            )
            assert all(isinstance(one, Accepted) for one in outcomes)
            await mailer.aclose()
            return tap.bodies, tap.lines()

    async def theirs() -> tuple[list[bytes], list[bytes]]:
        async with WireTap(features) as tap:
            client = aiosmtplib.SMTP(
                hostname="127.0.0.1", port=tap.port, local_hostname="me.example", start_tls=False
            )
            async with client:
                for one in messages:
                    if isinstance(one, bytes):
                        await client.sendmail(FROM, TO, one)
                    else:
                        await client.send_message(one, sender=FROM, recipients=TO)
            return tap.bodies, tap.lines()

    async def both() -> list[tuple[list[bytes], list[bytes]]]:
        return [await ours(), await theirs()]

    return asyncio.run(both())


FEWER = max(5, settings().max_examples // 5)
"""Each example is a conversation of several mails with two servers."""

ODD = (b"\r\n", b"\n", b"\r", b"\r\r\n", b"\n\r", b".", b"..", b".\r\n", b"\r\n.\r\n", b"-", b"=20")
PIECES = st.sampled_from(
    [
        *ODD,
        b"a",
        b"word",
        b"x" * 1200,
        b" ",
        b"\t",
        b"\x00",
        b"\xff",
        b"\x85",
        b"\x0b",
        "ü".encode(),
    ]
)


@settings(max_examples=FEWER)
@given(st.lists(st.lists(PIECES, max_size=12).map(b"".join), min_size=4, max_size=16))
def test_any_bytes_go_out_as_they_do_with_aiosmtplib(messages: list[bytes]) -> None:
    (bodies, _), (expected, _) = said_by_both(list(messages))
    assert bodies == expected


@given(st.lists(PIECES, max_size=30).map(b"".join))
def test_what_goes_before_the_dot_never_holds_the_end(message: bytes) -> None:
    """On the wire lines end with CRLF alone, and no line is a dot: nothing ends a mail early."""
    body = stuffed(message)
    assert body.endswith(b"\r\n")
    assert b"\n" not in body.replace(b"\r\n", b"")
    assert b"\r" not in body.replace(b"\r\n", b"")
    lines = body.split(b"\r\n")[:-1]
    assert not any(line.startswith(b".") and not line.startswith(b"..") for line in lines)
    undone = b"\r\n".join(line[line.startswith(b".") :] for line in lines)
    plain = message.replace(b"\r\n", b"\n").replace(b"\r", b"\n").removesuffix(b"\n")
    assert undone == plain.replace(b"\n", b"\r\n")
    assert stuffed(stuffed(b"a\r\n")) == b"a\r\n"


def mail(text: str, subject: str = "Today") -> EmailMessage:
    made = EmailMessage(policy=SMTP_POLICY)
    made["From"], made["To"], made["Subject"] = FROM, TO, subject
    made["Message-ID"] = "<one@example.org>"
    made.set_content(text)
    made.add_alternative(f"<p>{text}</p>", subtype="html")
    made.set_boundary("b0undary")
    return made


@settings(max_examples=FEWER)
@given(st.lists(st.text(alphabet=st.sampled_from(list(".\n aüé…=-\t漢")), max_size=80), max_size=3))
def test_a_mail_goes_out_as_send_message_sends_it(texts: list[str]) -> None:
    mails: list[bytes | EmailMessage] = [mail(text) for text in (*texts, ".\n.\n..")]
    (bodies, lines), (expected, their_lines) = said_by_both(mails)
    assert bodies == expected
    for one, other in zip(lines, their_lines, strict=True):
        assert one.split(b" BODY")[0].lower() == other.split(b" BODY")[0].lower()


def deliver(features: tuple[str, ...], *envelopes: Envelope) -> tuple[list[Outcome], WireTap]:
    async def inside() -> tuple[list[Outcome], WireTap]:
        async with WireTap(features) as tap:
            mailer = mailer_to(tap)
            outcomes = [await mailer.deliver(one, yes) for one in envelopes]
            await mailer.aclose()
            return outcomes, tap

    return asyncio.run(inside())


BODY = b"Subject: x\r\n\r\nhello\r\n"


def mails_of(tap: WireTap) -> list[bytes]:
    return [line for line in tap.lines() if line.startswith(b"MAIL")]


def test_what_is_offered_is_used_and_nothing_else() -> None:
    eight = BODY + "ü\r\n".encode()
    to = "jörg@bücher.example"
    (plain, high, named), tap = deliver(
        EVERYTHING, Envelope(FROM, TO, BODY), Envelope(FROM, TO, eight), Envelope(FROM, to, BODY)
    )
    assert isinstance(plain, Accepted)
    assert isinstance(high, Accepted)
    assert isinstance(named, Accepted)
    assert mails_of(tap) == [
        b"MAIL FROM:<papers@example.org> SIZE=%d" % len(BODY),
        b"MAIL FROM:<papers@example.org> SIZE=%d BODY=8BITMIME" % len(eight),
        b"MAIL FROM:<papers@example.org> SIZE=%d BODY=8BITMIME SMTPUTF8" % len(BODY),
    ]
    assert "RCPT TO:<jörg@xn--bcher-kva.example>".encode() in tap.lines()


@pytest.mark.parametrize(
    ("features", "message", "to", "status"),
    [
        (("SIZE 30",), BODY + b"x" * 40, TO, "5.3.4"),
        (("PIPELINING", "SIZE 30"), BODY + b"x" * 40, TO, "5.3.4"),
        (("SIZE 1000",), BODY + b"\xff", TO, "5.6.3"),
        (("8BITMIME",), BODY, "jörg@example.org", "5.6.7"),
    ],
)
def test_what_the_relay_cannot_take_is_refused_here(
    features: tuple[str, ...], message: bytes, to: str, status: str
) -> None:
    """It is a fault of this mail alone: the connection goes on, and no word was said of it."""
    (refused, accepted), tap = deliver(
        features, Envelope(FROM, to, message), Envelope(FROM, TO, b"x")
    )
    assert isinstance(refused, Refused)
    assert refused.reply.enhanced == status
    assert not refused.is_temporary
    assert isinstance(accepted, Accepted)
    assert len(mails_of(tap)) == 1
    assert tap.connections == 1


def test_a_relay_without_extensions_is_told_command_by_command() -> None:
    outcomes, tap = deliver((), Envelope(FROM, TO, BODY), Envelope(FROM, TO, BODY))
    assert all(isinstance(one, Accepted) for one in outcomes)
    assert mails_of(tap) == [b"MAIL FROM:<papers@example.org>"] * 2
    assert not any(b"RCPT" in one and b"MAIL" in one for one in tap.chunks)


def test_with_pipelining_an_envelope_is_one_write() -> None:
    outcomes, tap = deliver(EVERYTHING, Envelope(FROM, TO, BODY))
    assert isinstance(outcomes[0], Accepted)
    (chunk,) = [one for one in tap.chunks if one.startswith(b"MAIL")]
    assert chunk.split(b"\r\n")[1:] == [b"RCPT TO:<ada@example.org>", b"DATA", b""]
