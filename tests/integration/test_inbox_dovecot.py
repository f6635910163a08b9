"""A real mailbox is read: Dovecot, with TLS, other namespaces, few capabilities, a long backlog."""

import imaplib
import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.dovecot import PASSWORD, Dovecot, running_dovecot
from support.house import Clock, open_house
from support.tls import TlsAuthority, make_authority

from service.cli.ways import inbox_of
from service.flows.inbound import Taken
from service.flows.runtime import Runtime
from service.inbound import imap
from service.inbound.place import Inbox, InboxError
from service.inbound.poller import Poller
from service.reports.model import Read, Traces
from service.settings import load_settings

pytestmark = [pytest.mark.slow]

BACKLOG = 400


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> TlsAuthority:
    return make_authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def dovecot(authority: TlsAuthority) -> Iterator[Dovecot]:
    with running_dovecot(tls=authority) as made:
        yield made


@pytest.fixture
def rt(tmp_path: Path) -> Iterator[Runtime]:
    with open_house(tmp_path, clock=Clock()) as house:
        yield house.runtime


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What stands where ``take`` does was given; the subject says what becomes of a mail."""
    found: list[bytes] = []

    def take(_rt: Runtime, data: bytes, *, way: str) -> Taken:
        found.append(data)
        word = data.partition(b"Subject: ")[2].split()[0].decode()
        return Taken(len(found), True, word, Read(reports=(), traces=Traces()), ())  # type: ignore[arg-type]

    monkeypatch.setattr(imap, "take", take)
    return found


def inbox(server: Dovecot, user: str, *, tls: bool = False, path: str = "", ca: str = "") -> Inbox:
    """As the setting names it."""
    made = inbox_of(load_settings(None, inbox_url=server.url(user, tls=tls) + path))
    assert made is not None
    return replace(made, ca_file=ca)


def mail(state: str, n: int = 0, size: int = 0) -> bytes:
    return f"Subject: {state} {n}\r\n\r\n".encode() + b"x" * 70 + b"\r\n" + b"y" * size + b"\r\n"


def until(what: Callable[[], object], seconds: float = 20.0) -> float:
    began = time.monotonic()
    while not what():
        assert time.monotonic() - began < seconds, "it never came"
        time.sleep(0.02)
    return time.monotonic() - began


def test_mails_are_moved_and_none_is_deleted(
    rt: Runtime, dovecot: Dovecot, taken: list[bytes]
) -> None:
    states = ["done", "review", "foreign", "done", "done"]
    dovecot.deliver_all([mail(state, n) for n, state in enumerate(states)], "ann+abc@a.example")
    found = imap.read_once(rt, inbox(dovecot, "ann"))
    assert found.states == {"done": 3, "review": 1, "foreign": 1}
    assert dovecot.counts("ann") == {
        "Paperpost/done": 3, "Paperpost/review": 1, "Paperpost/foreign": 1,
    }  # fmt: skip
    assert b"Delivered-To: ann+abc@a.example" in taken[0]  # whose it is stands there
    assert imap.read_once(rt, inbox(dovecot, "ann")).taken == 0


def test_over_tls_with_an_authority_of_its_own(
    rt: Runtime, dovecot: Dovecot, taken: list[bytes], authority: TlsAuthority
) -> None:
    dovecot.deliver(mail("done"), "tess@a.example")
    place = inbox(dovecot, "tess", tls=True, ca=str(authority.file))
    assert imap.read_once(rt, place).taken == 1
    dovecot.deliver(mail("done", 1), "tess@a.example")
    assert imap.read_once(rt, replace(place, port=dovecot.port, tls="starttls")).taken == 1
    for wrong, what in (
        ({"ca_file": ""}, "a certificate of an unknown authority"),
        ({"host": "127.0.0.1"}, "a certificate for another name"),
        ({"ca_file": "", "port": dovecot.port, "tls": "starttls"}, "an unknown authority"),
        ({"password": "another"}, "refused the log-in"),
        ({"folder": "Elsewhere"}, "has no folder Elsewhere"),
    ):
        with pytest.raises(InboxError) as caught:
            imap.read_once(rt, replace(place, **wrong))  # type: ignore[arg-type]
        assert what in caught.value.what
        assert caught.value.next_step
        assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize(
    ("separator", "prefix"), [(".", "INBOX."), ("/", ""), ("/", "Mail/")], ids=repr
)
def test_folders_lie_where_the_server_wants_them(
    rt: Runtime, taken: list[bytes], separator: str, prefix: str
) -> None:
    with running_dovecot(separator=separator, prefix=prefix) as server:
        server.deliver(mail("review"), "ned@a.example")
        for n in (1, 0):
            assert imap.read_once(rt, inbox(server, "ned")).taken == n
        assert server.counts("ned") == {"Paperpost/review": 1}


def test_a_server_that_can_neither_move_nor_idle(rt: Runtime, taken: list[bytes]) -> None:
    """A mail that a person has marked deleted is neither read nor taken out."""
    for offers, left in (("IMAP4rev1 UIDPLUS NAMESPACE", 1), ("IMAP4rev1 NAMESPACE", 2)):
        with running_dovecot(config=f"protocol imap {{\nimap_capability = {offers}\n}}\n") as old:
            old.deliver_all([mail("foreign", 1), mail("done", 2)], "otto@a.example")
            with imaplib.IMAP4("127.0.0.1", old.port) as person:
                person.login("otto", PASSWORD)
                person.select()
                person.store("1", "+FLAGS", r"(\Deleted)")
                person.unselect()
            with imap.opened(inbox(old, "otto")) as line:
                assert not line.can_idle
            for n in (1, 0):
                assert imap.read_once(rt, inbox(old, "otto")).taken == n
            assert old.counts("otto") == {"INBOX": left, "Paperpost/done": 1}


def test_another_folder_than_the_inbox(rt: Runtime, dovecot: Dovecot, taken: list[bytes]) -> None:
    with imaplib.IMAP4("127.0.0.1", dovecot.port) as person:
        person.login("otis", PASSWORD)
        person.create("Bounces")
        person.append("Bounces", "", "", mail("done"))
    dovecot.deliver(mail("done", 1), "otis@a.example")
    assert imap.read_once(rt, inbox(dovecot, "otis", path="/Bounces")).taken == 1
    assert dovecot.counts("otis") == {"INBOX": 1, "Paperpost/done": 1}


def test_a_mail_that_comes_is_read_at_once_and_a_restart_is_lived_through(
    rt: Runtime, taken: list[bytes]
) -> None:
    with running_dovecot() as server:
        server.deliver(mail("done"), "ida@a.example")
        poller = Poller(rt, inbox(server, "ida"), back_off=(0.2,), idle_s=60)
        poller.start()
        try:
            until(lambda: server.counts("ida") == {"Paperpost/done": 1})
            server.deliver(mail("review"), "ida@a.example")
            assert until(lambda: len(taken) == 2) < 5  # by IDLE: Dovecot tells within a second
            server.stop()
            until(lambda: poller.stats.failures)
            server.start()
            server.deliver(mail("foreign"), "ida@a.example")
            until(lambda: len(taken) == 3)
            until(lambda: len(server.counts("ida")) == 3)
        finally:
            began = time.monotonic()
            poller.stop()
        assert time.monotonic() - began < 3
    assert poller.stats.last_error == ""


def test_who_ends_between_taking_and_moving_finds_the_mail_again(
    rt: Runtime, dovecot: Dovecot, taken: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    dovecot.deliver_all([mail("done", n) for n in range(3)], "kim@a.example")

    def gone(*_: object) -> None:
        raise ConnectionResetError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(imap.Conversation, "file", gone)
        with pytest.raises(InboxError):
            imap.read_once(rt, inbox(dovecot, "kim"))
    assert (len(taken), dovecot.counts("kim")) == (1, {"INBOX": 3})
    imap.read_once(rt, inbox(dovecot, "kim"))
    assert taken[0] == taken[1]
    assert dovecot.counts("kim") == {"Paperpost/done": 3}


def test_a_long_backlog_takes_no_more_memory_than_a_few(
    rt: Runtime, dovecot: Dovecot, taken: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    dovecot.deliver_all([mail("done", n, 2_000) for n in range(BACKLOG)], "max@a.example")
    dovecot.deliver(mail("foreign", 1, 60_000_000), "max@a.example")
    sizes: list[int] = []
    real = imap.take

    def counting(rt: Runtime, data: bytes, *, way: str) -> Taken:
        sizes.append(len(data))
        made = real(rt, data, way=way)
        taken.clear()
        return made

    monkeypatch.setattr(imap, "take", counting)
    before = resource.getrusage(resource.RUSAGE_SELF)
    found = imap.read_once(rt, inbox(dovecot, "max"))
    after = resource.getrusage(resource.RUSAGE_SELF)
    assert (found.taken, found.cut, max(sizes)) == (BACKLOG + 1, 1, imap.FETCHED)
    assert dovecot.counts("max") == {"Paperpost/done": BACKLOG, "Paperpost/foreign": 1}
    assert after.ru_maxrss - before.ru_maxrss < 40_000  # KB
