"""Envelopes behind another's dot: in order, each body after its own 354 and mark, none lost."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

import pytest
from support.smtp_server import SmtpServer, drop, hang, reply, slow
from support.wire_tap import WireTap

from service.delivery import hot_path
from service.delivery.outcome import Accepted, Broken, Envelope, Outcome, Refused, Stopped
from service.delivery.smtp import Mailer, Relay, Timeouts

PATIENT = Timeouts(connect=10, command=10, data=10, reply=10)


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with SmtpServer() as running:
        yield running


def envelope(to: str, size: int = 20) -> Envelope:
    message = f"Message-ID: <{to}>\r\nSubject: x\r\n\r\n{'x' * size}\r\n"
    return Envelope("papers@example.org", f"{to}@example.org", message.encode())


async def yes() -> bool:
    return True


T = TypeVar("T")


async def with_mailer(port: int, work: Callable[[Mailer], Awaitable[T]], **options: object) -> T:
    relay = Relay(host="127.0.0.1", port=port, local_hostname="me.example")
    mailer = Mailer(relay, **({"timeouts": PATIENT, "connections": 1} | options))
    try:
        return await work(mailer)
    finally:
        await mailer.aclose()


def test_not_a_byte_of_a_body_before_its_own_354_and_mark() -> None:
    """Each mark looks at what the relay had heard by then."""

    async def inside() -> None:
        async with WireTap() as tap:
            seen: list[tuple[int, int, int]] = []
            order: list[str] = []

            async def mark() -> bool:
                order.append("mark")
                await asyncio.sleep(0.01)  # a body that was too early would be there by now
                kinds = Counter(kind for kind, _ in tap.events)
                seen.append((kinds["354"], kinds["body"], len(tap.chunks)))
                assert tap.chunks[-1].endswith(b"DATA\r\n")
                return True

            async def one(mailer: Mailer, n: int) -> None:
                assert isinstance(await mailer.deliver(envelope(f"u{n}"), mark), Accepted)
                order.append("answer")

            async def work(mailer: Mailer) -> None:
                await asyncio.gather(*(one(mailer, n) for n in range(5)))

            await with_mailer(tap.port, work)
            assert [(begun, done) for begun, done, _ in seen] == [(n + 1, n) for n in range(5)]
            # an answer is told before the next mark is asked for: whoever writes both down in this
            # order has one mail in doubt on each connection
            assert order == ["mark", "answer"] * 5
            assert tap.connections == 1
            behind = [one for one in tap.chunks if b"\r\n.\r\nMAIL FROM" in one]
            assert len(behind) == 4  # dot and next envelope were one write
            assert [body.split(b">")[0] for body in tap.bodies] == [
                b"Message-ID: <u%d" % n for n in range(5)
            ]

    asyncio.run(inside())


def test_a_refused_mark_closes_without_a_byte_and_the_rest_go_on() -> None:
    async def inside() -> None:
        async with WireTap() as tap:

            async def odd(n: int) -> bool:
                return n % 2 == 0

            async def work(mailer: Mailer) -> list[Outcome]:
                jobs = [mailer.deliver(envelope(f"u{n}"), lambda n=n: odd(n)) for n in range(6)]
                return await asyncio.gather(*jobs)

            outcomes = await with_mailer(tap.port, work)
            assert [isinstance(one, Accepted) for one in outcomes] == [True, False] * 3
            assert [one == Stopped() for one in outcomes] == [False, True] * 3
            assert len(tap.bodies) == 3
            await asyncio.sleep(0.01)
            at = [n for n, (kind, _) in enumerate(tap.events) if kind == "354"]
            assert [tap.events[n + 1][0] for n in at].count("end") == 3

    asyncio.run(inside())


def test_a_recipient_refused_behind_a_body_costs_nobody_else(server: SmtpServer) -> None:
    server.on("RCPT", reply("550 5.1.1 no such user"), match="bad")

    async def work(mailer: Mailer) -> list[Outcome]:
        names = ["a", "bad1", "b", "bad2", "bad3", "c"]
        return await asyncio.gather(*(mailer.deliver(envelope(name), yes) for name in names))

    outcomes = asyncio.run(with_mailer(server.port, work))
    assert [type(one) for one in outcomes] == [
        *(Accepted, Refused, Accepted, Refused, Refused, Accepted)
    ]
    refused = [one for one in outcomes if isinstance(one, Refused)]
    assert {(one.phase, one.reply.enhanced) for one in refused} == {("rcpt", "5.1.1")}
    assert server.connections == 1
    assert [r.message_id for r in server.accepted] == ["<a>", "<b>", "<c>"]


def test_a_354_after_a_refusal_is_never_answered_with_a_body(server: SmtpServer) -> None:
    server.on("RCPT", reply("550 5.1.1 no such user"), times=1)
    server.on("DATA", reply("354 go ahead"), times=1)

    async def work(mailer: Mailer) -> list[Outcome]:
        return [await mailer.deliver(envelope(name), yes) for name in ("bad", "good")]

    refused, accepted = asyncio.run(with_mailer(server.port, work))
    assert isinstance(refused, Refused)
    assert isinstance(accepted, Accepted)
    assert [r.message_id for r in server.accepted] == ["<good>"]
    assert server.connections == 2


@pytest.mark.parametrize("recorded", [True, False])
def test_the_connection_is_lost_at_the_dot(server: SmtpServer, recorded: bool) -> None:
    """Whose body it was is unknown; whose envelope stood behind it goes on another connection."""
    server.on("DOT", drop(record=recorded), match="u0", times=1)

    async def work(mailer: Mailer) -> list[Outcome]:
        return await asyncio.gather(*(mailer.deliver(envelope(f"u{n}"), yes) for n in range(4)))

    outcomes = asyncio.run(with_mailer(server.port, work))
    assert isinstance(outcomes[0], Broken)
    assert outcomes[0].is_unknown
    assert all(isinstance(one, Accepted) for one in outcomes[1:])
    took = Counter(r.message_id for r in server.accepted)
    assert took == Counter([*(["<u0>"] * recorded), "<u1>", "<u2>", "<u3>"])


def test_a_relay_that_forgets_what_came_behind_a_dot_gets_no_more_there() -> None:
    """It says PIPELINING all the same. One mail waits for nothing, once; all go."""

    async def inside() -> None:
        async with WireTap(forgets=True) as tap:

            async def work(mailer: Mailer) -> None:
                jobs = [mailer.deliver(envelope(f"u{n}"), yes) for n in range(8)]
                assert all(isinstance(one, Accepted) for one in await asyncio.gather(*jobs))

            quick = Timeouts(connect=5, command=0.2, data=5, reply=5)
            await with_mailer(tap.port, work, timeouts=quick)
            assert len(tap.bodies) == 8
            assert len({body.split(b">")[0] for body in tap.bodies}) == 8
            assert len([one for one in tap.chunks if b"\r\n.\r\nMAIL FROM" in one]) == 1
            assert tap.connections == 2

    asyncio.run(inside())


def test_a_relay_that_calls_it_out_of_order_is_asked_again_alone(server: SmtpServer) -> None:
    server.on("MAIL", reply("554 5.5.0 synchronization error"), times=1)
    server.on("MAIL", slow(0.0), times=1)  # the newest rule first: the first MAIL is taken

    async def work(mailer: Mailer) -> list[Outcome]:
        return await asyncio.gather(*(mailer.deliver(envelope(f"u{n}"), yes) for n in range(6)))

    outcomes = asyncio.run(with_mailer(server.port, work))
    assert all(isinstance(one, Accepted) for one in outcomes)
    assert len(server.accepted) == 6


def test_behind_a_slow_dot_nobody_waits(
    server: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hot_path, "PATIENCE", 0.05)
    server.on("DOT", hang(), match="u0", times=1)

    async def work(mailer: Mailer) -> None:
        first = asyncio.create_task(mailer.deliver(envelope("u0", 50_000), yes))
        other = asyncio.create_task(mailer.deliver(envelope("u1"), yes))
        rest = [asyncio.create_task(mailer.deliver(envelope(f"u{n}"), yes)) for n in range(2, 9)]
        await asyncio.wait([other, *rest], timeout=5)
        assert all(isinstance(one.result(), Accepted) for one in (other, *rest))
        assert not first.done()
        server.release()
        assert isinstance(await first, Accepted)

    asyncio.run(with_mailer(server.port, work, connections=2))
    assert Counter(r.message_id for r in server.accepted) == Counter(f"<u{n}>" for n in range(9))


@pytest.mark.parametrize("whose", [0, 1])
def test_one_that_is_cancelled_harms_no_other(server: SmtpServer, whose: int) -> None:
    """0: its body is out. 1: its envelope stands behind that body."""
    server.on("DOT", slow(0.2), match="u0", times=1)

    async def work(mailer: Mailer) -> None:
        jobs = [asyncio.create_task(mailer.deliver(envelope(f"u{n}"), yes)) for n in range(3)]
        await asyncio.sleep(0.06)
        jobs[whose].cancel()
        outcomes = await asyncio.gather(*jobs, return_exceptions=True)
        assert isinstance(outcomes[whose], asyncio.CancelledError)
        assert all(isinstance(o, Accepted) for n, o in enumerate(outcomes) if n != whose)
        assert isinstance(await mailer.deliver(envelope("last"), yes), Accepted)

    asyncio.run(with_mailer(server.port, work))
    took = Counter(r.message_id for r in server.accepted)
    assert took == Counter(["<u0>", *(f"<u{n}>" for n in (1, 2) if n != whose), "<last>"])


def test_who_waits_and_is_cancelled_leaves_no_gap(server: SmtpServer) -> None:
    server.on("RCPT", hang(), match="u0", times=1)

    async def work(mailer: Mailer) -> None:
        jobs = [asyncio.create_task(mailer.deliver(envelope(f"u{n}"), yes)) for n in range(5)]
        await asyncio.to_thread(server.wait_until_hung)
        jobs[1].cancel()
        jobs[3].cancel()
        server.release()
        outcomes = await asyncio.gather(*jobs, return_exceptions=True)
        assert [isinstance(one, Accepted) for one in outcomes] == [True, False, True, False, True]

    asyncio.run(with_mailer(server.port, work))
    assert server.connections == 1


def test_who_waits_and_is_cancelled_in_the_very_step_that_calls_it(server: SmtpServer) -> None:
    """By a mark, just before the body that would take its envelope along; and just after it was
    told that there is room for a connection."""
    server.on("RCPT", hang(), match="u3", times=1)

    async def work(mailer: Mailer) -> None:
        jobs: list[asyncio.Task[Outcome]] = []

        async def cancels_the_next() -> bool:
            jobs[1].cancel()
            return True

        marks = [cancels_the_next, *[yes] * 6]
        for n, mark in enumerate(marks):
            jobs.append(asyncio.create_task(mailer.deliver(envelope(f"u{n}"), mark)))
        await asyncio.to_thread(server.wait_until_hung)
        jobs[3].cancel()
        asyncio.get_running_loop().call_soon(jobs[4].cancel)
        outcomes = await asyncio.wait_for(asyncio.gather(*jobs, return_exceptions=True), 5)
        gone = [isinstance(one, asyncio.CancelledError) for one in outcomes]
        assert gone == [n in (1, 3, 4) for n in range(7)]
        assert all(isinstance(outcomes[n], Accepted) for n in (0, 2, 5, 6))
        server.release()

    asyncio.run(with_mailer(server.port, work))


def test_the_limit_is_halved_once_for_all_who_were_told_at_the_same_time() -> None:
    mailer = Mailer(Relay(host="127.0.0.1", port=25), connections=8)
    seen = []
    for began_after in (0, 0, 0, 1, 1, 0, 2, 3, 4):
        mailer._fewer(began_after)
        seen.append(mailer.connections)
    assert seen == [4, 4, 4, 2, 2, 2, 1, 1, 1]


def test_drain_stops_who_waits_and_lets_the_rest_end(server: SmtpServer) -> None:
    server.on("DOT", hang(), match="u0", times=1)

    async def work(mailer: Mailer) -> None:
        jobs = [asyncio.create_task(mailer.deliver(envelope(f"u{n}"), yes)) for n in range(5)]
        await asyncio.to_thread(server.wait_until_hung)
        mailer.drain()
        await asyncio.wait(jobs[2:], timeout=5)
        assert [one.result() for one in jobs[2:]] == [Stopped()] * 3
        server.release()
        assert isinstance(await jobs[0], Accepted)
        assert isinstance(await jobs[1], Accepted | Stopped)
        assert await mailer.deliver(envelope("late"), yes) == Stopped()

    asyncio.run(with_mailer(server.port, work))
    assert "<late>" not in {r.message_id for r in server.accepted}


def test_too_many_connections_put_nobody_off_while_others_work(server: SmtpServer) -> None:
    server.on("DOT", slow(0.002))
    server.on("CONNECT", reply("421 4.7.0 too many connections"), times=6)
    server.on("CONNECT", slow(0.0), times=2)  # the newest rule first: two are let in

    async def work(mailer: Mailer) -> int:
        jobs = [mailer.deliver(envelope(f"u{n}"), yes) for n in range(40)]
        assert all(isinstance(one, Accepted) for one in await asyncio.gather(*jobs))
        return mailer.connections

    assert 1 <= asyncio.run(with_mailer(server.port, work, connections=8)) <= 4
    assert len({r.message_id for r in server.accepted}) == 40
    assert server.connections <= 12  # nobody knocks again and again


def test_an_answer_that_nobody_asked_for_ends_the_connection() -> None:
    """A 421 for idleness that comes between two mails is not the answer to the next one."""

    async def inside() -> None:
        with SmtpServer() as server:
            mailer = Mailer(Relay(host="127.0.0.1", port=server.port, local_hostname="me.example"))
            assert isinstance(await mailer.deliver(envelope("a"), yes), Accepted)
            assert server._loop is not None
            for writer in list(server._writers):
                server._loop.call_soon_threadsafe(writer.write, b"421 4.4.2 idle too long\r\n")
            await asyncio.sleep(0.05)
            assert isinstance(await mailer.deliver(envelope("b"), yes), Accepted)
            assert server.connections == 2
            await mailer.aclose()

    asyncio.run(inside())


@pytest.mark.parametrize("answer", ["what", "25", "999 who knows", "250-" + "x" * 40_000])
def test_answers_that_are_none(server: SmtpServer, answer: str) -> None:
    server.on("RCPT", reply(answer), times=1)

    async def work(mailer: Mailer) -> list[Outcome]:
        return [await mailer.deliver(envelope(name), yes) for name in ("a", "b")]

    broken, accepted = asyncio.run(with_mailer(server.port, work))
    assert isinstance(broken, Broken)
    assert (broken.phase, broken.is_unknown) == ("rcpt", False)
    assert isinstance(accepted, Accepted)


@pytest.mark.parametrize(
    ("seed", "features"),
    [
        (1, ("PIPELINING", "SIZE 90000")),
        (2, ("8BITMIME",)),
        *(pytest.param(n, ("PIPELINING",), marks=pytest.mark.slow) for n in range(3, 23)),
    ],
)
def test_what_it_says_of_each_mail_is_true(seed: int, features: tuple[str, ...]) -> None:
    """A relay that refuses, drops and closes as it likes: accepted = taken once, unknown = at most
    once, everything else = not taken, and no mark without its 354."""
    draw = random.Random(seed)
    acts = [drop, lambda: reply("421 4.3.2 closing"), lambda: reply("451 4.3.0 later")]
    acts += [lambda: reply("550 5.1.1 nobody"), lambda: slow(0.003)]
    with SmtpServer(features=features) as server:
        for step in ("CONNECT", "MAIL", "RCPT", "DATA", "DOT", "RSET"):
            for make in acts:
                for _ in range(2):
                    server.on(step, make(), match=draw.choice(["", "1", "2", "3"]), times=1)
        server.on("DOT", drop(record=True), match="7", times=2)
        marked: Counter[str] = Counter()

        async def one(mailer: Mailer, name: str) -> Outcome:
            async def mark() -> bool:
                marked[name] += 1
                await asyncio.sleep(draw.random() / 500)
                return not name.endswith("3")

            return await mailer.deliver(envelope(name, draw.randrange(60_000)), mark)

        async def work(mailer: Mailer) -> list[Outcome]:
            return await asyncio.gather(*(one(mailer, f"u{n}") for n in range(120)))

        quick = Timeouts(connect=5, command=5, data=5, reply=5)
        options = {"connections": 4, "per_connection": 9, "timeouts": quick}
        outcomes = asyncio.run(with_mailer(server.port, work, **options))
        took = Counter(r.message_id for r in server.accepted)
        assert max(Counter(r.connection for r in server.accepted).values()) <= 9
    kinds: Counter[str] = Counter()
    for n, outcome in enumerate(outcomes):
        name = f"u{n}"
        times, kind = took[f"<{name}>"], type(outcome).__name__
        unknown = isinstance(outcome, Broken) and outcome.is_unknown
        kinds["unknown" if unknown else kind] += 1
        assert times == (1 if kind == "Accepted" else 0) or (unknown and times <= 1), (n, outcome)
        assert marked[name] <= 1
        assert marked[name] or kind in ("Refused", "Broken")
    assert min(kinds[k] for k in ("Accepted", "Refused", "Stopped", "unknown")) > 0
