"""Time-outs that end it, TLS that carries it, and passwords that never travel in clear text."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from support.smtp_server import FEATURES, SmtpServer, reply
from support.tls import TlsAuthority, make_authority

from service.delivery.outcome import Accepted, Broken, Envelope, Outcome
from service.delivery.smtp import Mailer, Relay, Timeouts

PATIENT = Timeouts(connect=10, command=10, data=10, reply=10)


async def yes() -> bool:
    return True


async def never() -> bool:
    raise AssertionError("the mark was asked for")


def envelope(n: int, size: int = 100) -> Envelope:
    text = f"Message-ID: <{n}>\r\nSubject: x\r\n\r\n" + ".dots\r\n" * (size // 7)
    return Envelope("papers@example.org", f"u{n}@example.org", text.encode())


@contextmanager
def deaf_relay() -> Iterator[int]:
    """Says yes to an envelope and then reads no byte more; its port."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    over = threading.Event()

    def talk() -> None:
        with listening.accept()[0] as met:
            met.sendall(b"220 deaf\r\n")
            met.recv(1000)
            met.sendall(b"250-deaf\r\n250 PIPELINING\r\n")
            met.recv(1000)
            met.sendall(b"250 ok\r\n250 ok\r\n354 go\r\n")
            over.wait(10)

    thread = threading.Thread(target=talk)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        over.set()
        thread.join()
        listening.close()


def test_a_relay_that_stops_reading_is_left_and_the_mail_is_in_doubt() -> None:
    """Its ten minutes after the dot have not begun: the dot is still here."""

    async def inside(port: int) -> Outcome:
        times = Timeouts(connect=5, command=5, data=5, block=0.2, reply=600)
        mailer = Mailer(Relay(host="127.0.0.1", port=port, local_hostname="me"), timeouts=times)
        long = Envelope("papers@example.org", "ada@example.org", b"x" * 8_000_000 + b"\r\n")
        outcome = await asyncio.wait_for(mailer.deliver(long, yes), 8)
        await mailer.aclose()
        return outcome

    with deaf_relay() as port:
        outcome = asyncio.run(inside(port))
    assert isinstance(outcome, Broken)
    assert (outcome.phase, outcome.is_unknown) == ("body", True)
    assert outcome.text == "no answer in time"


def test_only_the_answer_to_a_dot_is_waited_for_ten_minutes() -> None:
    """RFC 5321 section 4.5.3.2.6: giving up sooner makes duplicates."""
    times = Timeouts()
    assert times.reply == 600
    assert max(times.connect, times.command, times.data, times.block) <= 180


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> TlsAuthority:
    return make_authority(tmp_path_factory.mktemp("tls"))


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["tls", "starttls"])
def test_many_mails_over_tls(authority: TlsAuthority, mode: str) -> None:
    """More than a TLS record and a socket take at once; several behind each other's dots."""
    features = (*FEATURES, "STARTTLS")
    tls = {"tls": authority.context(), "implicit_tls": mode == "tls"}
    with SmtpServer(features=features, **tls) as server:
        relay = Relay(
            host="localhost",
            port=server.port,
            local_hostname="me.example",
            tls=mode,
            ca_file=str(authority.file),
        )

        async def inside() -> list[Outcome]:
            mailer = Mailer(relay, connections=2, timeouts=PATIENT)
            sizes = [100, 400_000, 70_000, 16_384, 0] * 4
            jobs = [mailer.deliver(envelope(n, size), yes) for n, size in enumerate(sizes)]
            outcomes = await asyncio.gather(*jobs)
            await mailer.aclose()
            return outcomes

        outcomes = asyncio.run(inside())
        assert all(isinstance(one, Accepted) for one in outcomes), outcomes
        assert server.connections == 2
        came = {m.message_id: m.data for m in server.accepted}
    sizes = [100, 400_000, 70_000, 16_384, 0] * 4
    assert came == {f"<{n}>": envelope(n, size).message for n, size in enumerate(sizes)}


@pytest.mark.slow  # makes two authorities
def test_an_authority_that_was_renewed_is_read_again(
    authority: TlsAuthority, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("renewed")
    (folder / "ca.pem").write_bytes(
        make_authority(tmp_path_factory.mktemp("old")).file.read_bytes()
    )
    with SmtpServer(tls=authority.context(), implicit_tls=True) as server:
        place = {"host": "localhost", "port": server.port, "local_hostname": "me.example"}
        relay = Relay(**place, tls="tls", ca_file=str(folder / "ca.pem"))

        async def inside() -> tuple[Outcome, Outcome]:
            mailer = Mailer(relay, timeouts=PATIENT)
            before = await mailer.deliver(envelope(1), never)
            (folder / "ca.pem").write_bytes(authority.file.read_bytes())
            after = await mailer.deliver(envelope(2), yes)
            await mailer.aclose()
            return before, after

        before, after = asyncio.run(inside())
    assert isinstance(before, Broken)
    assert before.phase == "connect"
    assert isinstance(after, Accepted)


@pytest.mark.parametrize(
    ("features", "answer"),
    [(("AUTH PLAIN LOGIN",), ""), (("STARTTLS", "AUTH PLAIN"), "454 4.7.0 TLS not available")],
)
def test_without_tls_no_name_and_no_password_is_said(
    features: tuple[str, ...], answer: str
) -> None:
    """Somebody between us and the relay who takes STARTTLS away learns nothing."""
    with SmtpServer(features=features) as server:
        if answer:
            server.on("STARTTLS", reply(answer))
        place = {"host": "localhost", "port": server.port, "local_hostname": "me.example"}
        relay = Relay(**place, tls="starttls", user="ada", password="hidden")

        async def inside() -> Outcome:
            return await Mailer(relay, timeouts=PATIENT).deliver(envelope(1), never)

        outcome = asyncio.run(inside())
        said = [line.split()[0] for line in server.commands]
    assert not isinstance(outcome, Accepted)
    assert getattr(outcome, "phase", "") == "connect"
    assert set(said) <= {"EHLO", "STARTTLS", "QUIT"}


def test_inside_a_campus_nobody_signs_in() -> None:
    with SmtpServer(features=(*FEATURES, "STARTTLS", "AUTH PLAIN LOGIN")) as server:
        relay = Relay(host="127.0.0.1", port=server.port, local_hostname="me.example")

        async def inside() -> Outcome:
            mailer = Mailer(relay, timeouts=PATIENT)
            outcome = await mailer.deliver(envelope(1), yes)
            await mailer.aclose()
            return outcome

        assert isinstance(asyncio.run(inside()), Accepted)
        said = [line.split()[0] for line in server.commands]
    assert said == ["EHLO", "MAIL", "RCPT", "DATA", "QUIT"]
