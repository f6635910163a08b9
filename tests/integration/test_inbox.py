"""The mailbox is read and watched: what a server says and does, at the lowest seam."""

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.house import Clock, open_house
from support.imap_server import ImapServer, imap_server

from service.flows.alarms import alarm_facts
from service.flows.epoch import InstanceHeld
from service.flows.inbound import Taken
from service.flows.runtime import Runtime
from service.inbound import imap
from service.inbound.place import Inbox, InboxError
from service.inbound.poller import Poller
from service.reports.model import Read, Traces
from service.store import alarms as alarms_store
from service.store.db import Priority
from service.store.instance import raise_epoch
from service.store.sole import Sole


def mail(state: str, n: int = 0) -> bytes:
    return f"Subject: {state} {n}\r\n\r\nbody\r\n".encode()


class Taker:
    """Stands where ``take`` does: the subject says what becomes of a mail."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.fails: Exception | None = None

    def __call__(
        self, _rt: Runtime, data: bytes, *, way: str, rcpts: tuple[str, ...] = ()
    ) -> Taken:
        assert (way, rcpts) == ("imap", ())
        if self.fails is not None:
            raise self.fails
        word = data.split()[1].decode()
        if word == "poison":
            raise RuntimeError("poison")
        is_new = data not in self.taken
        self.taken.append(data)
        return Taken(len(self.taken), is_new, word, Read(reports=(), traces=Traces()), ())  # type: ignore[arg-type]


@pytest.fixture
def taker(monkeypatch: pytest.MonkeyPatch) -> Taker:
    made = Taker()
    monkeypatch.setattr(imap, "take", made)
    return made


@pytest.fixture
def rt(tmp_path: Path) -> Iterator[Runtime]:
    with open_house(tmp_path, clock=Clock()) as house:
        yield house.runtime


def inbox_at(server: ImapServer, **values: Any) -> Inbox:
    given = {"host": "127.0.0.1", "port": server.port, "tls": "none", "user": "u", "password": "p"}
    return Inbox(**{**given, **values})


def until(what: Callable[[], object], seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


def test_each_mail_goes_to_the_folder_of_its_state(rt: Runtime, taker: Taker) -> None:
    mails = {3: mail("done"), 4: mail("review"), 9: mail("foreign"), 12: mail("done", 1)}
    with imap_server(mails=dict(mails)) as server:
        found = imap.read_once(rt, inbox_at(server))
    assert taker.taken == list(mails.values())
    assert server.mails == {}
    assert server.folders["Paperpost/done"] == [mails[3], mails[12]]
    assert server.folders["Paperpost/review"] == [mails[4]]
    assert server.folders["Paperpost/foreign"] == [mails[9]]
    assert (found.states, found.again, found.failed) == (
        {"done": 2, "review": 1, "foreign": 1},
        0,
        0,
    )


def test_folders_that_are_there_are_not_made_again(rt: Runtime, taker: Taker) -> None:
    there = {"INBOX": [], **{f"Paperpost/{name}": [] for name in imap.FOLDERS}}
    with imap_server(folders=there) as server:
        imap.read_once(rt, inbox_at(server))
    assert "CREATE" not in server.commands


def test_a_mail_too_large_is_fetched_up_to_the_bound(
    rt: Runtime, taker: Taker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap, "FETCHED", 1000)
    whole = mail("done") + b"x" * 5000
    with imap_server(mails={1: whole, 2: mail("done")}) as server:
        found = imap.read_once(rt, inbox_at(server))
    assert [len(one) for one in taker.taken] == [1000, len(mail("done"))]
    assert found.cut == 1
    assert server.folders["Paperpost/done"][0] == whole


def test_a_mail_that_cannot_be_taken_stays_and_holds_up_no_other(rt: Runtime, taker: Taker) -> None:
    mails = {1: mail("poison"), 2: mail("done"), 3: mail("poison", 2), 4: mail("done", 3)}
    with imap_server(mails=mails) as server:
        found = imap.read_once(rt, inbox_at(server))
    assert sorted(server.mails) == [1, 3]
    assert (found.taken, found.failed, found.why) == (2, 2, "RuntimeError: poison")


def test_a_database_that_takes_nothing_ends_the_reading_and_moves_nothing(
    rt: Runtime, taker: Taker
) -> None:
    taker.fails = RuntimeError("the disk is full")
    mails = {n: mail("done", n) for n in range(1, 9)}
    with imap_server(mails=mails) as server, pytest.raises(RuntimeError, match="disk is full"):
        imap.read_once(rt, inbox_at(server))
    assert len(server.mails) == 8
    assert server.commands.count("UID FETCH") == 1 + imap.BROKEN_IN_A_ROW


def test_without_move_a_mail_is_copied_and_only_its_own_first_copy_is_taken_out(
    rt: Runtime, taker: Taker
) -> None:
    for offers, last in (("IMAP4rev1 UIDPLUS", "UID EXPUNGE"), ("IMAP4rev1", "UID STORE")):
        with imap_server(mails={7: mail("done")}, offers=offers) as server:
            imap.read_once(rt, inbox_at(server))
        acts = [c for c in server.commands if c.startswith("UID") or c == "EXPUNGE"]
        assert acts[-1] == last
        assert acts[-2] in ("UID STORE", "UID COPY")
        assert "EXPUNGE" not in server.commands


@pytest.mark.parametrize(
    ("server", "values", "what", "step"),
    [
        ({"refuse": {"LOGIN": "[AUTHENTICATIONFAILED] no"}}, {}, "refused the log-in", "%40"),
        ({"refuse": {"SELECT": "no such mailbox"}}, {"folder": "In"}, "has no folder In", "Write"),
        ({"refuse": {"CREATE": "over quota"}}, {}, "answered: NO over quota", "Check"),
        ({}, {"tls": "starttls"}, "offers no STARTTLS", "imaps://"),
        ({}, {"tls": "tls"}, "speaks no TLS from the first byte", "imap+starttls://"),
        ({"drop": {"LOGIN"}}, {}, "hung up", "tried again"),
    ],
)
def test_what_goes_wrong_is_said_in_three_parts(
    rt: Runtime, server: dict[str, Any], values: dict[str, Any], what: str, step: str
) -> None:
    with imap_server(**server) as made, pytest.raises(InboxError) as caught:
        imap.read_once(rt, inbox_at(made, **values))
    assert what in caught.value.what
    assert f"127.0.0.1:{made.port}" in caught.value.what
    assert step in caught.value.next_step
    assert "p" not in caught.value.what.split()


def test_letters_beyond_ascii_sign_in(rt: Runtime) -> None:
    with imap_server() as server:
        imap.read_once(rt, inbox_at(server, user="zoë", password="geheim-ß"))
        assert server.plain == "\0zoë\0geheim-ß".encode()
        server.refuse["AUTHENTICATE"] = "[AUTHENTICATIONFAILED] no"
        with pytest.raises(InboxError, match="refused the log-in"):
            imap.read_once(rt, inbox_at(server, user="zoë", password="geheim-ß"))


def test_an_error_of_which_nobody_thought_tells_no_password(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_inbox: Inbox) -> None:
        "geheim-ß".encode("ascii")

    monkeypatch.setattr(imap, "_connected", broken)
    poller = Poller(rt, inbox_at(ImapServer()), back_off=[0.01])
    poller.start()
    until(lambda: poller.stats.failures > 3)
    poller.stop()
    assert "UnicodeEncodeError" in poller.stats.last_error
    (alarm,) = open_alarms(rt)
    assert "geheim" not in f"{poller.stats.last_error}{alarm}{capsys.readouterr()}"


def test_a_host_that_is_down(rt: Runtime) -> None:
    with imap_server() as gone:
        pass
    with pytest.raises(InboxError, match="cannot be reached") as caught:
        imap.read_once(rt, inbox_at(gone))
    assert "PAPERPOST_INBOX_URL" in caught.value.next_step


def test_a_poller_waits_until_the_server_says_that_a_mail_came(rt: Runtime, taker: Taker) -> None:
    with imap_server(mails={1: mail("done")}) as server:
        poller = Poller(rt, inbox_at(server), idle_s=30)
        poller.start()
        try:
            assert server.idling.wait(5)
            assert taker.taken == [mail("done")]
            server.mails[2] = mail("review", 2)
            server.come.set()
            until(lambda: server.folders["Paperpost/review"])
            assert server.idling.wait(5)
        finally:
            began = time.monotonic()
            poller.stop()
        assert time.monotonic() - began < 2  # one that waits is ended at once
    assert taker.taken[1:] == [mail("review", 2)]
    assert poller.stats.failures == 0
    assert not poller.stats.running


def test_a_mail_that_comes_while_idle_is_asked_for_is_not_overlooked(
    rt: Runtime, taker: Taker
) -> None:
    with imap_server(tells_at_once=True) as server:
        poller = Poller(rt, inbox_at(server), idle_s=30)
        poller.start()
        try:
            until(lambda: server.commands.count("UID SEARCH") >= 3)  # it was told each time
            server.tells_at_once = False
            assert server.idling.wait(5)
            time.sleep(0.05)
            count = server.commands.count("IDLE")
            time.sleep(0.1)
            assert server.commands.count("IDLE") - count <= 1
        finally:
            poller.stop()


def test_without_idle_it_looks_again(rt: Runtime, taker: Taker) -> None:
    with imap_server(offers="IMAP4rev1 MOVE") as server:
        poller = Poller(rt, inbox_at(server), look_s=0.02)
        poller.start()
        try:
            until(lambda: server.commands.count("UID SEARCH") >= 3)
            server.mails[5] = mail("done")
            until(lambda: taker.taken)
        finally:
            poller.stop()
    assert "IDLE" not in server.commands
    assert server.commands.count("LOGIN") == 1


def open_alarms(rt: Runtime) -> list[dict[str, Any]]:
    return [alarm_facts(row) for row in rt.db.read(alarms_store.list_open)]


def test_what_lasts_is_told_to_the_staff_and_over_when_it_is_over(
    rt: Runtime, taker: Taker
) -> None:
    with imap_server(refuse={"LOGIN": "no"}) as server:
        poller = Poller(rt, inbox_at(server), back_off=(0.01, 0.02))
        poller.start()
        try:
            until(lambda: open_alarms(rt))
            assert poller.stats.failures >= 3
            assert "refused the log-in" in poller.stats.last_error
            (alarm,) = open_alarms(rt)
            assert (alarm["kind"], alarm["key"]) == ("inbox", "way")
            assert "refused the log-in" in alarm["where"]
            assert "PAPERPOST_INBOX_URL" in alarm["next_step"]
            server.mails[1] = mail("done")
            server.refuse.clear()
            until(lambda: not open_alarms(rt))
        finally:
            poller.stop()
    assert taker.taken == [mail("done")]
    assert poller.stats.last_error == ""


def test_a_failure_or_two_are_told_to_nobody(rt: Runtime, taker: Taker) -> None:
    with imap_server(drop={"UID SEARCH"}) as server:
        poller = Poller(rt, inbox_at(server), back_off=(0.01, 0.01, 30))
        poller.start()
        try:
            until(lambda: poller.stats.failures == 2)
            server.drop.clear()
            assert server.idling.wait(5)
        finally:
            poller.stop()
    assert open_alarms(rt) == []


def test_mails_that_cannot_be_taken_are_an_alarm(rt: Runtime, taker: Taker) -> None:
    with imap_server(mails={1: mail("poison")}) as server:
        poller = Poller(rt, inbox_at(server))
        poller.start()
        try:
            until(lambda: open_alarms(rt))
            assert open_alarms(rt)[0]["key"] == "mails"
            assert server.idling.wait(5)
            del server.mails[1]
            server.come.set()
            until(lambda: not open_alarms(rt))
        finally:
            poller.stop()


@pytest.mark.slow
def test_a_server_that_does_not_greet_keeps_no_process_from_its_end(rt: Runtime) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        server = ImapServer(port=silent.getsockname()[1])
        poller = Poller(rt, inbox_at(server))
        poller.start()
        line, _ = silent.accept()
        began = time.monotonic()
        poller.stop()
        assert time.monotonic() - began < 3
        line.close()
        poller._thread.join(5)
        assert not poller._thread.is_alive()


def test_of_two_pollers_one_reads(rt: Runtime, taker: Taker) -> None:
    other = Sole(rt.db, rt.data_dir / "locks", "inbox")
    assert other.take()
    with imap_server(mails={1: mail("done")}) as server:
        poller = Poller(rt, inbox_at(server), look_s=0.02)
        poller.start()
        try:
            time.sleep(0.1)
            assert server.commands == []
            other.give()
            assert server.idling.wait(5)
        finally:
            poller.stop()
    assert other.take()  # given back
    other.give()


def test_a_copy_of_the_database_reads_nothing(rt: Runtime, taker: Taker, tmp_path: Path) -> None:
    rt.db.write(raise_epoch, Priority.WEB)  # it has sent, from another folder
    with imap_server(mails={1: mail("done")}) as server:
        with pytest.raises(InstanceHeld):
            imap.read_once(rt, inbox_at(server))
        poller = Poller(rt, inbox_at(server), look_s=0.02)
        poller.start()
        time.sleep(0.1)
        poller.stop()
        assert server.commands == []
    assert poller.stats.failures == 0


def test_a_lock_is_held_once(rt: Runtime, tmp_path: Path) -> None:
    one, two = (Sole(rt.db, tmp_path / "locks", "x") for _ in range(2))
    assert one.take()
    assert one.take()
    assert not two.take()
    one.give()
    assert two.take()
    two.give()
    two.give()
