"""What setup and doctor hear from a relay, and what they say when it goes wrong."""

import asyncio
from collections.abc import Iterator

import pytest
from support.smtp_server import FEATURES, SmtpServer, hang, reply
from support.tls import TlsAuthority, make_authority

from service.delivery.outcome import Accepted, Broken, Envelope, Refused
from service.delivery.smtp import Mailer, Probed, Relay, RelayError, Timeouts

PATIENT = Timeouts(connect=10, command=10, data=10, reply=10)


def probe(relay: Relay, sender: str = "", timeouts: Timeouts = PATIENT) -> Probed:
    async def inside() -> Probed:
        return await Mailer(relay, timeouts=timeouts).probe(sender)

    return asyncio.run(inside())


def at(server: SmtpServer, **changes: str) -> Relay:
    fields = {"host": "127.0.0.1", "port": server.port, "local_hostname": "me.example"}
    return Relay(**(fields | changes))


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with SmtpServer(features=(*FEATURES, "AUTH PLAIN")) as running:
        yield running


def test_probe_tells_what_the_relay_said(server: SmtpServer) -> None:
    found = probe(at(server, user="u", password="p"), "papers@example.org")
    assert found.greeting == "220 test.example ESMTP"
    assert {"size", "8bitmime", "auth"} <= set(found.features)
    assert found.signed_in
    assert found.tls == ""
    assert [c.split()[0] for c in server.commands] == ["EHLO", "AUTH", "MAIL", "RSET", "QUIT"]


@pytest.mark.parametrize(
    ("step", "words", "said"),
    [
        (
            "AUTH",
            "535 5.7.8 Bad credentials",
            "{relay} refused the password (535 5.7.8). Check PAPERPOST_SMTP_URL; in the password "
            "write @ as %40, / as %2F, # as %23.",
        ),
        (
            "MAIL",
            "553 5.7.1 not owned by you",
            "{relay} refused the sender papers@example.org (553 5.7.1). Set PAPERPOST_MAIL_FROM "
            "(PAPERPOST_BOUNCE_ADDRESS where it is set) to an address that this account may send "
            "from.",
        ),
        (
            "MAIL",
            "530 5.7.0 Authentication required",
            "{relay} takes mail only after signing in (530 5.7.0). Write user:password@ before "
            "the host in PAPERPOST_SMTP_URL.",
        ),
        (
            "MAIL",
            "530 5.7.0 Must issue a STARTTLS command first",
            "{relay} takes mail only over TLS (530 5.7.0). Write smtp+starttls:// in "
            "PAPERPOST_SMTP_URL.",
        ),
        (
            "CONNECT",
            "554 no mail from here",
            "{relay} answered 554 no mail from here. Check PAPERPOST_SMTP_URL.",
        ),
    ],
)
def test_refusals_in_words(server: SmtpServer, step: str, words: str, said: str) -> None:
    server.on(step, reply(words))
    relay = at(server, user="u", password="hidden")
    with pytest.raises(RelayError) as caught:
        probe(relay, "papers@example.org")
    assert str(caught.value) == said.format(relay=relay.name)
    assert "hidden" not in str(caught.value)


@pytest.mark.slow  # waits for silences to be given up
def test_the_second_account_is_told_of_by_its_own_setting(server: SmtpServer) -> None:
    server.on("AUTH", reply("535 5.7.8 Bad credentials"))
    with pytest.raises(RelayError, match="PAPERPOST_SMTP_URL_2; in the password"):
        probe(at(server, user="u", password="p", setting="PAPERPOST_SMTP_URL_2"))


@pytest.mark.slow
def test_relay_that_is_not_there_or_says_nothing(server: SmtpServer) -> None:
    with SmtpServer() as gone:
        relay = at(gone)
    with pytest.raises(RelayError, match=r"cannot be reached .*Connect.* Check host and port"):
        probe(relay)
    server.on("CONNECT", hang())
    with pytest.raises(RelayError, match=r"did not answer within 0\.5 seconds"):
        probe(at(server), timeouts=Timeouts(connect=0.5))


def test_starttls_and_auth_that_are_not_offered(server: SmtpServer) -> None:
    with pytest.raises(RelayError, match=r"offers no STARTTLS\. Write smtps://"):
        probe(at(server, tls="starttls"))
    server.features = list(FEATURES)
    with pytest.raises(RelayError, match="offers no signing in"):
        probe(at(server, user="u", password="p"))


def test_refused_password_is_no_fault_of_a_message(server: SmtpServer) -> None:
    server.on("AUTH", reply("535 5.7.8 Bad credentials"))

    async def inside() -> None:
        mailer = Mailer(at(server, user="u", password="p"), timeouts=PATIENT)

        async def never() -> bool:
            raise AssertionError("the mark was asked for")

        outcome = await mailer.deliver(Envelope("a@b.co", "c@d.co", b"x"), never)
        assert isinstance(outcome, Refused)
        assert (outcome.phase, outcome.reply.code) == ("connect", 535)

    asyncio.run(inside())


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> TlsAuthority:
    return make_authority(tmp_path_factory.mktemp("tls"))


@pytest.mark.parametrize("mode", ["tls", "starttls"])
@pytest.mark.slow
def test_tls_with_and_without_the_authority(authority: TlsAuthority, mode: str) -> None:
    context = authority.context()
    features = (*FEATURES, "STARTTLS", "AUTH PLAIN")
    with SmtpServer(tls=context, implicit_tls=mode == "tls", features=features) as server:
        unknown = at(server, host="localhost", tls=mode, user="u", password="p")
        with pytest.raises(RelayError) as caught:
            probe(unknown)
        assert str(caught.value) == (
            "localhost shows a certificate of an unknown authority (Uni CA). "
            "Set PAPERPOST_SMTP_CA_FILE."
        )
        assert not any(c.startswith("AUTH") for c in server.commands)

        known = at(server, host="localhost", tls=mode, ca_file=str(authority.file))
        assert probe(known).tls.startswith("TLSv1")
        with pytest.raises(RelayError, match="a certificate for another name"):
            probe(at(server, tls=mode, ca_file=str(authority.file)))

        async def send(relay: Relay) -> object:
            async def yes() -> bool:
                return True

            mailer = Mailer(relay, timeouts=PATIENT)
            outcome = await mailer.deliver(Envelope("a@b.co", "c@d.co", b"x\r\n"), yes)
            await mailer.aclose()
            return outcome

        assert isinstance(asyncio.run(send(known)), Accepted)
        assert isinstance(asyncio.run(send(unknown)), Broken)
        assert len(server.accepted) == 1


def test_tls_from_the_first_byte_where_the_relay_speaks_clear_text_first(
    server: SmtpServer,
) -> None:
    relay = at(server, tls="tls")
    with pytest.raises(RelayError) as caught:
        probe(relay)
    assert str(caught.value) == (
        f"{relay.name} speaks no TLS from the first byte. Write smtp+starttls:// (usually port "
        "587) in PAPERPOST_SMTP_URL; smtps:// is for port 465."
    )


@pytest.mark.parametrize("mode", ["none", "starttls"])
def test_clear_text_where_the_relay_waits_for_tls(authority: TlsAuthority, mode: str) -> None:
    with SmtpServer(tls=authority.context(), implicit_tls=True) as server:
        relay = at(server, tls=mode)
        with pytest.raises(RelayError) as caught:
            probe(relay, timeouts=Timeouts(connect=0.5))
    assert str(caught.value) == (
        f"{relay.name} speaks TLS from the first byte. Write smtps:// in PAPERPOST_SMTP_URL."
    )


def test_an_authority_that_cannot_be_read_is_named(authority: TlsAuthority) -> None:
    """The file went away after the start, when settings were checked."""
    with SmtpServer(tls=authority.context(), implicit_tls=True) as server:
        relay = at(server, host="localhost", tls="tls", ca_file=str(authority.folder / "gone.pem"))
        with pytest.raises(RelayError, match=r"gone\.pem cannot be read") as caught:
            probe(relay)
    assert "PAPERPOST_SMTP_CA_FILE" in caught.value.next_step
