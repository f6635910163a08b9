"""Mails are taken by LMTP: an answer for each recipient, and nothing is taken that is not kept."""

import asyncio
import smtplib
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import func, select
from support.dovecot import running_dovecot
from support.house import Clock, open_house

from service.cli.serving import working
from service.flows.runtime import Runtime, Stats
from service.inbound import lmtp
from service.inbound.lmtp import LmtpError, LmtpServer
from service.store.report_tables import InboundRow

LETTER = b"From: ann@example.org\r\nSubject: hello\r\n\r\nA letter.\r\n"


@pytest.fixture
def rt(tmp_path: Path) -> Iterator[Runtime]:
    with open_house(tmp_path, clock=Clock()) as house:
        yield house.runtime


def rows(rt: Runtime) -> list[InboundRow]:
    return list(rt.db.read(lambda s: s.exec(select(InboundRow)).all()))


@asynccontextmanager
async def serving(rt: Runtime, place: Any = ("127.0.0.1", 0), **more: Any) -> AsyncIterator[Any]:
    server = LmtpServer(rt, place, **more)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


def talking(rt: Runtime, act: Callable[[Any], Any], **more: Any) -> Any:
    """What ``act`` of a server that listens returned, in a thread beside it."""

    async def main() -> Any:
        async with serving(rt, **more) as server:
            return await asyncio.to_thread(act, server)

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
    said = talking(rt, lambda server: raw(server.port, 3, LETTER), stats=stats)
    assert [reply[:3] for reply in said] == ["220", "250", "250", *["250"] * 3, "354",
                                             "250", "250", "250", "221"]  # fmt: skip
    (row,) = rows(rt)
    assert row.rcpts == [f"bounces+{n}@papers.example.org" for n in range(3)]
    assert (row.way, row.subject, row.raw) == ("lmtp", "hello", LETTER)
    assert (stats.runs, stats.failures) == (1, 0)
    talking(rt, lambda server: raw(server.port, 1, LETTER))
    assert len(rows(rt)) == 1


def test_what_the_database_cannot_take_comes_again(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise OSError("the disk is full")

    stats = Stats()
    with monkeypatch.context() as patch:
        patch.setattr(lmtp, "take", fails)
        said = talking(rt, lambda server: raw(server.port, 2, LETTER), stats=stats)
    assert [reply[:9] for reply in said[-3:-1]] == ["451 4.3.0"] * 2
    assert (stats.failures, stats.last_error) == (1, "the disk is full")
    assert rows(rt) == []


def test_a_mail_too_large_is_refused_for_each_recipient(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lmtp, "MOST_BYTES", 2_000)
    said = talking(rt, lambda server: raw(server.port, 2, LETTER + b"x" * 70 + b"\r\n" * 2_000))
    assert [reply[:3] for reply in said[-3:]] == ["552", "552", "221"]
    assert rows(rt) == []


def test_lines_longer_than_smtp_allows_and_any_bytes_are_kept(rt: Runtime) -> None:
    letter = LETTER + b"x" * 100_000 + b"\xff\x00\r\n"
    talking(rt, lambda server: raw(server.port, 1, letter))
    assert rows(rt)[0].raw == letter


def test_a_socket_file_is_taken_over_from_a_dead_process_only(rt: Runtime, tmp_path: Path) -> None:
    place = tmp_path / "lmtp"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(place))

    async def main() -> None:
        async with serving(rt, str(place)):
            assert place.is_socket()
            with pytest.raises(LmtpError, match="another process listens there"):
                await LmtpServer(rt, str(place)).start()

            def hand_over() -> None:
                with smtplib.LMTP(str(place)) as line:
                    line.sendmail("", ["b@example.org"], LETTER)

            await asyncio.to_thread(hand_over)
        assert not place.exists()

    asyncio.run(main())
    assert len(rows(rt)) == 1


def test_a_port_that_is_taken_is_said(rt: Runtime) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(LmtpError) as caught:
            talking(rt, lambda _: None, place=("127.0.0.1", port))
    assert f"127.0.0.1:{port}" in caught.value.what
    assert caught.value.where == "PAPERPOST_LMTP_LISTEN"


def test_who_hangs_on_does_not_keep_the_process(rt: Runtime) -> None:
    async def main() -> float:
        server = LmtpServer(rt, ("127.0.0.1", 0))
        await server.start()
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        await asyncio.sleep(0.05)
        began = time.monotonic()
        await server.stop()
        writer.close()
        return time.monotonic() - began

    assert asyncio.run(main()) < 1


@pytest.mark.slow
def test_run_takes_mails_both_ways_and_the_scheduler_reads_the_inbox(tmp_path: Path) -> None:
    """As ``paperpost run`` and ``paperpost scheduler`` do."""
    with running_dovecot() as dovecot, socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        free.close()
        values = {"inbox_url": dovecot.url("b"), "lmtp_listen": f"127.0.0.1:{port}"}
        for n, listens in enumerate((True, False), 1):
            with open_house(tmp_path, **values) as house:
                rt = house.runtime

                async def work(listens: bool, n: int, rt: Runtime, house: Any) -> None:
                    async with working(house, listens=listens):
                        dovecot.deliver(LETTER + b"%d" % n, "b@example.org")
                        if listens:
                            with_lmtp = asyncio.to_thread(raw, port, 1, LETTER)
                            assert (await with_lmtp)[-2].startswith("250")
                        else:
                            with pytest.raises(OSError, match="refused"):
                                raw(port, 1, LETTER)
                        for _ in range(200):
                            if dovecot.counts("b") == {"Paperpost/foreign": n}:
                                break
                            await asyncio.sleep(0.05)
                        stats = rt.engine.stats()
                        assert stats["inbox"].runs
                        assert ("lmtp" in stats) is listens

                asyncio.run(work(listens, n, rt, house))
                assert dovecot.counts("b") == {"Paperpost/foreign": n}
                count = rt.db.read(lambda s: s.exec(select(func.count(InboundRow.id))).one())  # type: ignore[arg-type]
                assert count == n + 1
