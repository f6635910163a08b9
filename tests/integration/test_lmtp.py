"""Mails are taken by LMTP: an answer for each recipient, and nothing is taken that is not kept."""

import asyncio
import smtplib
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select
from support.command import Shell
from support.dovecot import Dovecot, running_dovecot
from support.house import Clock, open_house
from support.storm import postfix

from service.cli.serving import working
from service.flows.runtime import Runtime, Stats
from service.inbound import lmtp
from service.inbound.lmtp import LmtpError, LmtpServer, bind
from service.store.db import Priority
from service.store.instance import raise_epoch
from service.store.report_tables import InboundRow
from service.wiring import House

LETTER = b"From: ann@example.org\r\nSubject: hello\r\n\r\nA letter.\r\n"


@pytest.fixture
def rt(tmp_path: Path) -> Iterator[Runtime]:
    with open_house(tmp_path, clock=Clock()) as house:
        yield house.runtime


def rows(rt: Runtime) -> list[InboundRow]:
    return list(rt.db.read(lambda s: s.exec(select(InboundRow)).all()))


@asynccontextmanager
async def serving(rt: Runtime, place: Any = ("127.0.0.1", 0), **more: Any) -> AsyncIterator[Any]:
    bound = bind(place)
    server = LmtpServer(rt, bound, **more)
    await server.start()
    try:
        yield bound.getsockname()[1]
    finally:
        await server.stop()


def talking(rt: Runtime, act: Callable[[Any], Any], **more: Any) -> Any:
    """What ``act`` of a server that listens returned, in a thread beside it."""

    async def main() -> Any:
        async with serving(rt, **more) as port:
            return await asyncio.to_thread(act, port)

    return asyncio.run(main())


def raw(port: int, rcpts: int, content: bytes) -> list[str]:
    """Every reply line of one conversation, of those after the dot at most what came."""
    with socket.create_connection(("127.0.0.1", port), 5) as line, line.makefile("rwb") as talk:
        said = [talk.readline().decode().strip()]

        def tell(text: bytes, replies: int = 1) -> None:
            talk.write(text + b"\r\n")
            talk.flush()
            for _ in range(replies):
                while (reply := talk.readline().decode().strip())[3:4] == "-":
                    pass
                said.append(reply)

        tell(b"LHLO me.example")
        tell(b"MAIL FROM:<>")
        for n in range(rcpts):
            tell(b"RCPT TO:<bounces+%d@papers.example.org>" % n)
        tell(b"DATA")
        tell(content + b".", rcpts)
        tell(b"QUIT")
        return said


def test_each_recipient_gets_an_answer_and_the_mail_counts_once(rt: Runtime) -> None:
    stats = Stats()
    said = talking(rt, lambda port: raw(port, 3, LETTER), stats=stats)
    assert [reply[:3] for reply in said] == ["220", "250", "250", *["250"] * 3, "354",
                                             "250", "250", "250", "221"]  # fmt: skip
    (row,) = rows(rt)
    assert row.rcpts == [f"bounces+{n}@papers.example.org" for n in range(3)]
    assert (row.way, row.subject, row.raw) == ("lmtp", "hello", LETTER)
    assert (stats.runs, stats.failures) == (1, 0)
    talking(rt, lambda port: raw(port, 1, LETTER))
    assert len(rows(rt)) == 1


def test_what_the_database_cannot_take_comes_again(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise OSError("the disk is full")

    stats = Stats()
    with monkeypatch.context() as patch:
        patch.setattr(lmtp, "take", fails)
        said = talking(rt, lambda port: raw(port, 2, LETTER), stats=stats)
    assert [reply[:9] for reply in said[-3:-1]] == ["451 4.3.0"] * 2
    assert (stats.failures, stats.last_error) == (1, "the disk is full")
    assert rows(rt) == []


def test_a_copy_of_the_database_leaves_its_mails_to_the_original(rt: Runtime) -> None:
    rt.db.write(raise_epoch, Priority.WEB)  # it has sent, from another folder
    said = talking(rt, lambda port: raw(port, 1, LETTER))
    assert said[-2].startswith("451")
    assert rows(rt) == []


def test_a_mail_too_large_is_refused_for_each_recipient(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lmtp, "MOST_BYTES", 2_000)
    said = talking(rt, lambda port: raw(port, 2, LETTER + b"x" * 70 + b"\r\n" * 2_000))
    assert [reply[:3] for reply in said[-3:]] == ["552", "552", "221"]
    assert rows(rt) == []


def test_lines_longer_than_smtp_allows_and_any_bytes_are_kept(rt: Runtime) -> None:
    letter = LETTER + b"x" * 100_000 + b"\xff\x00\r\n"
    talking(rt, lambda port: raw(port, 1, letter))
    assert rows(rt)[0].raw == letter


def test_a_socket_file_is_taken_over_from_a_dead_process_only(rt: Runtime, tmp_path: Path) -> None:
    place = tmp_path / "lmtp"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(place))

    async def main() -> None:
        async with serving(rt, str(place)):
            assert place.is_socket()
            with pytest.raises(LmtpError, match="another process listens there"):
                bind(str(place))

            def hand_over() -> None:
                with smtplib.LMTP(str(place)) as line:
                    line.sendmail("", ["b@example.org"], LETTER)

            await asyncio.to_thread(hand_over)
        assert not place.exists()

    asyncio.run(main())
    assert len(rows(rt)) == 1


def test_a_port_that_is_taken_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(LmtpError) as caught:
            bind(("127.0.0.1", port))
    assert f"127.0.0.1:{port}" in caught.value.what
    assert caught.value.where == "PAPERPOST_LMTP_LISTEN"


def test_who_hangs_on_does_not_keep_the_process(rt: Runtime) -> None:
    async def main() -> float:
        bound = bind(("127.0.0.1", 0))
        server = LmtpServer(rt, bound)
        await server.start()
        _, writer = await asyncio.open_connection(*bound.getsockname())
        await asyncio.sleep(0.05)
        began = time.monotonic()
        await server.stop()
        writer.close()
        return time.monotonic() - began

    assert asyncio.run(main()) < 1


@pytest.mark.slow
def test_run_takes_mails_both_ways_and_the_scheduler_reads_the_inbox(tmp_path: Path) -> None:
    """As ``paperpost run`` and ``paperpost scheduler`` do."""
    with running_dovecot() as dovecot:
        values = {"inbox_url": dovecot.url("b")}
        for n, lmtp in enumerate((bind(("127.0.0.1", 0)), None), 1):
            with open_house(tmp_path, **values) as house:
                asyncio.run(_work(house, dovecot, lmtp, n))
                assert dovecot.counts("b") == {"Paperpost/foreign": n}
                assert len(rows(house.runtime)) == n + 1


async def _work(house: House, dovecot: Dovecot, lmtp: socket.socket | None, n: int) -> None:
    async with working(house, lmtp):
        dovecot.deliver(LETTER + b"%d" % n, "b@example.org")
        if lmtp is not None:
            said = await asyncio.to_thread(raw, lmtp.getsockname()[1], 1, LETTER)
            assert said[-2].startswith("250")
        for _ in range(200):
            if dovecot.counts("b") == {"Paperpost/foreign": n}:
                break
            await asyncio.sleep(0.05)
        stats = house.runtime.engine.stats()
        assert stats["inbox"].runs
        assert ("lmtp" in stats) is (lmtp is not None)


@pytest.mark.slow
def test_run_says_at_once_that_it_cannot_listen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        shell = Shell(tmp_path, monkeypatch, LMTP_LISTEN=f"127.0.0.1:{port}")
        said = shell.say("run", "--port", "0")
    assert said.code == 1
    assert f"127.0.0.1:{port}" in said.err
    assert "Paperpost:" not in said.out


@pytest.mark.slow
def test_a_postfix_hands_over_and_comes_again(rt: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in docs/bounces.md; the first try meets a database that takes nothing."""
    real, tries = lmtp.take, []

    def take(*args: Any, **values: Any) -> Any:
        tries.append(values["rcpts"])
        if len(tries) == 1:
            raise OSError("the disk is full")
        return real(*args, **values)

    monkeypatch.setattr(lmtp, "take", take)
    with tempfile.TemporaryDirectory(prefix="paperpost-lmtp-") as made:
        Path(made).chmod(0o755)

        def through_postfix(port: int) -> None:
            relay = postfix.Postfix(Path(made) / "postfix", 9)
            with (relay.config / "main.cf").open("a") as settings:
                settings.write(f"default_transport = lmtp:inet:127.0.0.1:{port}\n")
                settings.write("relayhost =\nrecipient_delimiter = +\nbounce_queue_lifetime = 1d\n")
            with (relay.config / "master.cf").open("a") as settings:
                settings.write("lmtp unix - - n - - lmtp\n")
            relay.start()
            try:
                rcpts = [f"bounces+{n:020x}@papers.example.org" for n in range(3)]
                with smtplib.SMTP("127.0.0.1", relay.port) as line:
                    line.sendmail("", rcpts, LETTER)
                for _ in range(300):
                    if len(rows(rt)) and not relay.queued():
                        break
                    time.sleep(0.1)
            finally:
                relay.stop()

        talking(rt, through_postfix)
    (row,) = rows(rt)
    assert len(tries) >= 2
    assert sorted(row.rcpts) == [f"bounces+{n:020x}@papers.example.org" for n in range(3)]
    assert row.raw is not None
    assert row.raw.endswith(b"A letter.\r\n")
