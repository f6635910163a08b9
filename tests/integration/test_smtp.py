"""The pool against a real SMTP server whose answers are scripted."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from support.smtp_server import SmtpServer, drop, hang, reply, slow

from service.delivery.outcome import Accepted, Broken, Envelope, Outcome, Refused, Stopped
from service.delivery.smtp import Mailer, Relay, RelayError, Timeouts

PATIENT = Timeouts(connect=10, command=10, data=10, reply=10)


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with SmtpServer() as running:
        yield running


def envelope(to: str = "ada@example.org", text: str = "hello") -> Envelope:
    return Envelope(
        "papers@example.org",
        to,
        f"Message-ID: <{to}>\r\nSubject: x\r\n\r\n{text}\r\n".encode(),
    )


async def yes() -> bool:
    return True


async def no() -> bool:
    return False


def run(server: SmtpServer, work: Callable[[Mailer], Awaitable[object]], **kw: object) -> object:
    async def inside() -> object:
        relay = Relay(host="127.0.0.1", port=server.port, local_hostname="sender.example")
        mailer = Mailer(relay, **({"timeouts": PATIENT} | kw))
        try:
            return await work(mailer)
        finally:
            await mailer.aclose()

    return asyncio.run(inside())


def deliver(
    server: SmtpServer,
    *envelopes: Envelope,
    mark: Callable[[], Awaitable[bool]] = yes,
    **kw: object,
) -> list[Outcome]:
    async def work(mailer: Mailer) -> list[Outcome]:
        return [await mailer.deliver(e, mark) for e in envelopes or (envelope(),)]

    result = run(server, work, **kw)
    assert isinstance(result, list)
    return result


def test_accepted_with_the_servers_words_and_the_exact_bytes(server: SmtpServer) -> None:
    text = "..dots\r\n.\r\n.one\r\nÜ".encode()
    message = b"Message-ID: <a@b>\r\nSubject: x\r\n\r\n" + text + b"\r\n"
    (outcome,) = deliver(server, Envelope("papers@example.org", "ada@example.org", message))
    assert isinstance(outcome, Accepted)
    assert (outcome.reply.code, outcome.reply.enhanced) == (250, "2.0.0")
    assert outcome.reply.text == "2.0.0 queued"
    (received,) = server.accepted
    assert received.data == message
    assert (received.sender, received.recipient) == ("papers@example.org", "ada@example.org")
    assert received.message_id == "<a@b>"


def test_one_connection_carries_many_and_ends_with_quit(server: SmtpServer) -> None:
    outcomes = deliver(server, *[envelope(f"u{n}@example.org") for n in range(7)])
    assert all(isinstance(o, Accepted) for o in outcomes)
    assert server.connections == 1
    assert server.commands[-1] == "QUIT"


def test_new_connection_after_so_many_messages(server: SmtpServer) -> None:
    deliver(server, *[envelope(f"u{n}@example.org") for n in range(7)], per_connection=3)
    assert server.connections == 3
    assert [r.connection for r in server.accepted] == [1, 1, 1, 2, 2, 2, 3]


def test_no_more_connections_than_allowed(server: SmtpServer) -> None:
    async def work(mailer: Mailer) -> None:
        jobs = [mailer.deliver(envelope(f"u{n}@example.org"), yes) for n in range(40)]
        assert all(isinstance(o, Accepted) for o in await asyncio.gather(*jobs))

    run(server, work, connections=3)
    assert server.connections == 3
    assert len({r.message_id for r in server.accepted}) == 40


@pytest.mark.parametrize(
    ("step", "phase"), [("MAIL", "mail"), ("RCPT", "rcpt"), ("DATA", "data"), ("DOT", "reply")]
)
@pytest.mark.parametrize("words", ["550 5.1.1 no such user", "451 4.7.1 greylisted"])
def test_refusals_keep_phase_words_and_connection(
    server: SmtpServer, step: str, phase: str, words: str
) -> None:
    server.on(step, reply(words), times=1)
    marks: list[int] = []

    async def mark() -> bool:
        marks.append(1)
        return True

    refused, accepted = deliver(server, envelope(), envelope("ben@example.org"), mark=mark)
    assert isinstance(refused, Refused)
    assert refused.phase == phase
    assert f"{refused.reply.code} {refused.reply.text}" == words
    assert refused.reply.enhanced == words.split()[1]
    assert refused.is_temporary == words.startswith("4")
    assert isinstance(accepted, Accepted)
    assert server.connections == 1
    assert [r.recipient for r in server.accepted] == ["ben@example.org"]
    assert len(marks) == (2 if phase == "reply" else 1)


def test_mark_refused_means_nothing_was_sent(server: SmtpServer) -> None:
    """The 354 was there: the connection ends without a byte of the body, and others go on."""
    first, second = deliver(server, envelope(), envelope(), mark=no)
    assert first == second == Stopped()
    assert server.connections == 2
    assert server.accepted == []


def test_mark_comes_after_the_354(server: SmtpServer) -> None:
    seen: list[list[str]] = []

    async def mark() -> bool:
        seen.append([c.split()[0] for c in server.commands])
        return True

    deliver(server, mark=mark)
    assert seen == [["EHLO", "MAIL", "RCPT", "DATA"]]


def test_fault_of_the_mark_is_raised_and_nothing_is_sent(server: SmtpServer) -> None:
    async def mark() -> bool:
        raise RuntimeError("disk full")

    with pytest.raises(RuntimeError, match="disk full"):
        deliver(server, mark=mark)
    assert server.accepted == []


STEPS = [("CONNECT", "connect"), ("MAIL", "mail"), ("RCPT", "rcpt"), ("DATA", "data")]


# A quick run waits out two silences, before the body and after it, and loses every connection.
@pytest.mark.parametrize(
    ("how", "step", "phase", "is_unknown"),
    [("drop", *one, False) for one in STEPS]
    + [pytest.param("hang", *one, False, marks=pytest.mark.slow) for one in STEPS[:3]]
    + [("hang", *STEPS[3], False), ("drop", "DOT", "reply", True), ("hang", "DOT", "reply", True)],
)
def test_silence_and_lost_connections(
    server: SmtpServer, step: str, phase: str, is_unknown: bool, how: str
) -> None:
    server.on(step, hang() if how == "hang" else drop(), times=1)
    quick = Timeouts(connect=0.8, command=0.8, data=0.8, reply=0.8)
    broken, accepted = deliver(server, envelope(), envelope("ben@example.org"), timeouts=quick)
    assert isinstance(broken, Broken)
    assert broken.phase == phase
    assert broken.is_unknown is is_unknown
    assert isinstance(accepted, Accepted)
    assert server.connections == 2


@pytest.mark.slow  # waits for a slow server
def test_reply_after_the_dot_is_waited_for_longer_than_a_command(server: SmtpServer) -> None:
    server.on("DOT", slow(1.2))
    (outcome,) = deliver(server, timeouts=Timeouts(connect=5, command=0.8, data=0.8, reply=10))
    assert isinstance(outcome, Accepted)


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA", "DOT"])
def test_421_closes_the_connection(server: SmtpServer, step: str) -> None:
    server.on(step, reply("421 4.7.28 slow down"), times=1)
    refused, accepted = deliver(server, envelope(), envelope("ben@example.org"))
    assert isinstance(refused, Refused)
    assert refused.reply.code == 421
    assert refused.is_temporary
    assert isinstance(accepted, Accepted)
    assert server.connections == 2


def test_421_at_the_door_halves_the_connections_until_the_sweep_ends(server: SmtpServer) -> None:
    server.on("CONNECT", reply("421 4.3.2 too many connections"), times=1)

    async def work(mailer: Mailer) -> None:
        first = await mailer.deliver(envelope(), yes)
        assert isinstance(first, Refused)
        assert first.phase == "connect"
        assert mailer.connections == 4
        jobs = [mailer.deliver(envelope(f"u{n}@example.org"), yes) for n in range(24)]
        assert all(isinstance(o, Accepted) for o in await asyncio.gather(*jobs))
        assert server.connections == 5  # the refused one and four
        await mailer.rest()
        assert mailer.connections == 8

    run(server, work, connections=8)


def test_connection_that_died_while_idle_costs_nothing(server: SmtpServer) -> None:
    async def work(mailer: Mailer) -> None:
        assert isinstance(await mailer.deliver(envelope(), yes), Accepted)
        server.drop_all()
        assert isinstance(await mailer.deliver(envelope("b@example.org"), yes), Accepted)
        server.on("MAIL", drop(), times=1)
        assert isinstance(await mailer.deliver(envelope("c@example.org"), yes), Accepted)
        server.on("MAIL", reply("421 4.4.2 idle too long"), times=1)
        assert isinstance(await mailer.deliver(envelope("d@example.org"), yes), Accepted)

    run(server, work)
    assert len(server.accepted) == 4
    assert server.connections == 4


def test_cancelled_half_way_the_connection_is_not_used_again(server: SmtpServer) -> None:
    server.on("RCPT", hang(), times=1)

    async def work(mailer: Mailer) -> None:
        job = asyncio.create_task(mailer.deliver(envelope(), yes))
        await asyncio.to_thread(server.wait_until_hung)
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job
        server.release()
        outcome = await mailer.deliver(envelope("ben@example.org"), yes)
        assert isinstance(outcome, Accepted)

    run(server, work, connections=1, timeouts=Timeouts(reply=5))
    assert [r.recipient for r in server.accepted] == ["ben@example.org"]
    assert server.connections == 2


def test_nobody_listens() -> None:
    with SmtpServer() as gone:
        pass
    (outcome,) = deliver(gone)
    assert isinstance(outcome, Broken)
    assert outcome.phase == "connect"


def test_address_that_smtp_cannot_carry_is_refused_here(server: SmtpServer) -> None:
    bad, good = deliver(server, envelope("jörg@example.org"), envelope())
    assert isinstance(bad, Refused)
    assert bad.reply.enhanced == "5.6.7"
    assert isinstance(good, Accepted)
    injected, *_ = deliver(server, Envelope("a@b.co", "x@y.co>\r\nDATA", b"x"))
    assert isinstance(injected, Refused)
    assert injected.reply.enhanced == "5.1.3"


def test_size_is_announced(server: SmtpServer) -> None:
    deliver(server)
    mail = next(c for c in server.commands if c.startswith("MAIL"))
    assert mail.endswith(f"SIZE={len(envelope().message)}")


def test_no_password_in_clear_text() -> None:
    with pytest.raises(RelayError, match="clear text"):
        Mailer(Relay(host="smtp.uni.example", port=25, user="u", password="p"))
    assert Mailer(Relay(host="127.0.0.1", port=25, user="u", password="p")).connections == 10
    assert "secret" not in repr(Relay(host="h", port=1, user="u", password="secret"))


def test_server_as_a_process_logs_what_it_took(tmp_path: Path) -> None:
    log = tmp_path / "accepted.jsonl"
    root = Path(__file__).resolve().parents[2]
    rule = ("--on", "RCPT:bad=550 5.1.1 no")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.smtp_server", f"--log={log}", *rule],
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
    )
    try:
        assert process.stdout is not None
        server = SmtpServer(port=int(process.stdout.readline()))
        refused, accepted = deliver(server, envelope("bad@example.org"), envelope())
        assert isinstance(refused, Refused)
        assert isinstance(accepted, Accepted)
        rows = [json.loads(line) for line in log.read_text().splitlines()]
        assert [row["message_id"] for row in rows] == ["<ada@example.org>"]
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
