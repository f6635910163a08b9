"""A second account takes the mails while the first cannot; it is never sent by both."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest
from support.smtp_server import SmtpServer, drop, reply

from service.delivery.accounts import Accounts, account_of
from service.delivery.outcome import Accepted, Broken, Envelope, Refused
from service.delivery.smtp import Mailer, Relay, Timeouts

SHORT = Timeouts(connect=2.0, command=2.0, data=2.0, reply=2.0)
MAIL = b"From: a@b.example\r\nTo: r@b.example\r\nMessage-ID: <1@b.example>\r\n\r\nHello\r\n"


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with SmtpServer() as made:
        yield made


@pytest.fixture
def second() -> Iterator[SmtpServer]:
    with SmtpServer() as made:
        yield made


class Naps:
    """Sleeps that end when the test says so."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self._over = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await self._over.wait()
        self._over.clear()

    async def end(self, until: Callable[[], bool]) -> None:
        self._over.set()
        for _ in range(200):
            if until():
                return
            await asyncio.sleep(0.01)
        raise AssertionError("it never came to that")


def opened(first: int, second: int, naps: Naps | None = None) -> Accounts:
    def mailer(port: int) -> Mailer:
        relay = Relay(host="127.0.0.1", port=port, user="us", password="x")
        return Mailer(relay, connections=4, timeouts=SHORT)

    more = {} if naps is None else {"sleep": naps}
    return Accounts(mailer(first), mailer(second), names=("one", "two"), **more)


def mail(to: str = "r@b.example") -> Envelope:
    return Envelope("a@b.example", to, MAIL)


async def yes() -> bool:
    return True


def run(work: Callable[[Accounts], Awaitable[object]], pool: Accounts) -> object:
    async def whole():
        try:
            return await work(pool)
        finally:
            await pool.aclose()

    return asyncio.run(whole())


@pytest.fixture(autouse=True)
def _with_log_in(server: SmtpServer, second: SmtpServer) -> None:
    for one in (server, second):
        one.features.append("AUTH PLAIN LOGIN")


SHUT = {
    "unreachable": lambda server: None,
    "drops": lambda server: server.on("CONNECT", drop()),
    "refuses everybody": lambda server: server.on("CONNECT", reply("554 5.7.1 no service")),
    "refuses the log-in": lambda server: server.on("AUTH", reply("535 5.7.8 bad password")),
    "cannot check it": lambda server: server.on("AUTH", reply("454 4.7.0 try later")),
    "wants one first": lambda server: server.on("MAIL", reply("530 5.7.0 sign in first")),
}


@pytest.mark.parametrize("how", SHUT)
def test_the_second_takes_over_and_says_so(server, second, how):
    SHUT[how](server)
    port = 9 if how == "unreachable" else server.port

    async def work(pool):
        assert account_of(pool) == "one"
        outcomes = [await pool.deliver(mail(), yes) for _ in range(3)]
        return outcomes, pool.account, pool.news(), pool.news()

    outcomes, account, news, more = run(work, opened(port, second.port))
    assert all(isinstance(outcome, Accepted) for outcome in outcomes)
    assert len(second.accepted) == 3
    assert server.accepted == []
    assert account == "two"
    assert [(one.account, one.is_down) for one in news] == [("one", True)]
    assert news[0].words
    assert more == []


@pytest.mark.parametrize(
    ("step", "act"),
    [
        ("MAIL", reply("451 4.3.0 not now")),
        ("RCPT", reply("550 5.1.1 no such user")),
        ("RCPT", reply("421 4.7.28 slower")),
        ("DATA", reply("451 4.3.0 not now")),
        ("DOT", drop()),
        ("DOT", drop(record=True)),
        ("DOT", reply("554 5.7.1 spam")),
        ("DOT", reply("530 5.7.0 sign in first")),
    ],
)
def test_what_is_said_about_a_mail_stays_with_the_first(server, second, step, act):
    server.on(step, act)
    outcome, account = run(lambda pool: _with_account(pool), opened(server.port, second.port))
    assert isinstance(outcome, Refused | Broken)
    assert second.commands == []
    assert account == "one"


async def _with_account(pool: Accounts):
    return await pool.deliver(mail(), yes), pool.account


def test_too_many_connections_is_no_reason_to_leave(server, second):
    server.on("CONNECT", reply("421 4.7.0 too many connections"), times=1)
    outcome, account = run(_with_account, opened(server.port, second.port))
    assert (account, second.commands) == ("one", [])
    assert outcome.reply.code == 421


def test_the_first_is_back_as_soon_as_it_lets_us_in(server, second):
    server.on("AUTH", reply("535 5.7.8 bad password"), times=4)  # two ways each

    async def work(pool):
        await pool.deliver(mail(), yes)
        await asyncio.sleep(0)
        await naps.end(lambda: len(naps.seconds) == 2)  # the first try of it fails
        await pool.deliver(mail(), yes)
        assert pool.account == "two"
        await naps.end(lambda: pool.account == "one")
        await pool.deliver(mail(), yes)
        return [(one.account, one.is_down) for one in pool.news()]

    naps = Naps()

    async def whole():
        pool = opened(server.port, second.port, naps)
        try:
            return await work(pool)
        finally:
            await pool.aclose()

    assert asyncio.run(whole()) == [("one", True), ("one", False)]
    assert naps.seconds == [30, 60]
    assert (len(server.accepted), len(second.accepted)) == (1, 2)


def test_where_both_are_shut_nothing_was_sent(second):
    second.on("CONNECT", reply("554 5.7.1 no service"))
    marks = []

    async def mark() -> bool:
        marks.append(1)
        return True

    outcome = run(lambda pool: pool.deliver(mail(), mark), opened(9, second.port))
    assert isinstance(outcome, Broken)
    assert outcome.phase == "connect"
    assert marks == []


def test_many_at_once_leave_it_together(server, second):
    server.on("AUTH", reply("535 5.7.8 bad password"))

    async def work(pool):
        found = await asyncio.gather(
            *(pool.deliver(mail(f"r{n}@b.example"), yes) for n in range(8))
        )
        return found, pool.news()

    found, news = run(work, opened(server.port, second.port))
    assert all(isinstance(outcome, Accepted) for outcome in found)
    assert sorted(one.recipient for one in second.accepted) == [f"r{n}@b.example" for n in range(8)]
    assert len(news) == 1
