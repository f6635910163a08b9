"""Settings that would only fail later are refused at the start, with what to write instead."""

import re
from pathlib import Path

import pytest

from service.defaults import Defaults, parse, with_rows
from service.errors import SettingError
from service.settings import (
    Settings,
    inbox_address,
    lmtp_address,
    load_settings,
    relay_address,
    web_address,
)


def load(**values: object) -> Settings:
    return load_settings(None, **values)


def refused(**values: object) -> SettingError:
    with pytest.raises(SettingError) as caught:
        load(**values)
    return caught.value


ADDRESSES = (
    "mail_from",
    "reply_to",
    "bounce_address",
    "inbox_address",
    "contact_email",
    "test_recipient",
)


@pytest.mark.parametrize("name", ADDRESSES)
@pytest.mark.parametrize(
    "value",
    ["nonsense", "Reading Club <club@example.org>", "a@@b.org", "a b@c.org", "ü@example.org",
     "papers@bücher.example", "papers@", "a@b.org, c@d.org"],
)  # fmt: skip
def test_an_address_of_ours_that_cannot_stand_in_a_mail(name: str, value: str) -> None:
    error = refused(**{name: value})
    assert error.where == f"PAPERPOST_{name.upper()}"
    assert value in error.what
    assert "papers@example.org" in error.next_step


def test_the_sender_that_follows_from_the_public_address_is_checked_too() -> None:
    error = refused(base_url="http://[2001:db8::1]", smtp_url="smtp://127.0.0.1")
    assert error.where == "PAPERPOST_MAIL_FROM"


@pytest.mark.parametrize("name", ADDRESSES)
@pytest.mark.parametrize(
    "value", ["papers@example.org", "papers+x@mail.uni.local", "papers@localhost", "o'hara@x.org"]
)
def test_addresses_that_can(name: str, value: str) -> None:
    assert getattr(load(**{name: value}), name) == value


@pytest.mark.parametrize(
    "value",
    ["http://127.0.0.1:8000/?x=1#f", "https://papers.example.org/?", "https://papers.example.org#",
     "http://127.0.0.1:99999", "http://127.0.0.1:0", "https://not a url at all", "https://a..b",
     "https://me:pw@papers.example.org", "http://[::1", "https://papers.example.org/a<b>",
     "https://bücher.example", "https://999.1.1.1", "ftp://papers.example.org",
     "papers.example.org"],
)  # fmt: skip
def test_a_public_address_that_is_none(value: str) -> None:
    error = refused(base_url=value)
    assert error.where == "PAPERPOST_BASE_URL"
    assert "https://papers.example.org" in error.next_step


@pytest.mark.parametrize(
    "value",
    ["https://papers.example.org", "http://127.0.0.1:8000", "http://[::1]:8000", "http://intranet",
     "https://uni.example/papers/", "https://xn--bcher-kva.example", "http://192.168.1.7:8080"],
)  # fmt: skip
def test_public_addresses_that_are_some(value: str) -> None:
    assert web_address(value) == value


@pytest.mark.parametrize(
    ("host", "is_here"),
    [("127.evil.example", False), ("127.0.0.1.nip.io", False), ("localhost.evil.example", False),
     ("127.0.0.1", True), ("127.8.8.8", True), ("localhost", True), ("[::1]", True)],
)  # fmt: skip
def test_loopback_is_an_address_and_no_beginning(host: str, is_here: bool) -> None:
    made = load(base_url=f"http://{host}:8000", smtp_url="smtp://127.0.0.1", secret_key="k" * 32)
    assert made.is_loopback is is_here


@pytest.mark.parametrize(
    "url",
    ["smtp://me:p@ss@smtp.example:587", "smtp://me:1/ss@smtp.example", "smtp://smtp.example/x",
     "smtp://me:1#ss@smtp.example", "smtp://me:1?ss@smtp.example", "smtps://", "smtps://h:abc",
     "smtps://h:99999", "smtp+starttls://me:pw@", "smtp://a b", "smtp:"],
)  # fmt: skip
def test_a_relay_address_with_a_raw_character_is_refused_unseen(url: str) -> None:
    error = refused(smtp_url=url)
    assert error.where == "PAPERPOST_SMTP_URL"
    for written in ("%40", "%2F", "%23"):
        assert written in error.next_step
    assert "ss" not in error.what  # nothing of the password


@pytest.mark.parametrize("name", ["smtp_url", "smtp_url_2"])
def test_a_password_goes_to_another_machine_over_tls_alone(name: str) -> None:
    """Nothing starts with it: a refusal at the first mail would be seen by nobody."""
    error = refused(**{name: "smtp://me:hunter2@smtp.example"})
    assert error.where == f"PAPERPOST_{name.upper()}"
    assert "clear text" in error.what
    assert "smtp+starttls://" in error.next_step
    assert "hunter2" not in str(error)
    assert load(**{name: "smtp://me:hunter2@127.0.0.1"})
    assert load(**{name: "smtp://relay.campus.example"})


def test_the_second_account_is_named_by_its_own_setting() -> None:
    error = refused(smtp_url_2="mailbox:")
    assert error.where == "PAPERPOST_SMTP_URL_2"
    assert "mailbox:" not in error.next_step


def test_relay_addresses_that_can_be_read() -> None:
    assert relay_address("smtp+starttls://me%40uni.example:p%40s%2Fs%23@smtp.example") == (
        "smtp.example", 587, "me@uni.example", "p@s/s#",
    )  # fmt: skip
    assert relay_address("smtps://smtp.example:466/") == ("smtp.example", 466, "", "")
    assert relay_address("smtp://[::1]:25") == ("::1", 25, "", "")


def test_what_begins_no_relay_address_is_not_repeated() -> None:
    """The whole value stands before the first colon when there is none: a password may be in it."""
    assert "hunter2" not in refused(smtp_url="hunter2@smtp.example").what


def test_the_authoritys_file_is_read_at_the_start(tmp_path: Path) -> None:
    missing = refused(smtp_ca_file=tmp_path / "uni-ca.pem")
    assert missing.where == "PAPERPOST_SMTP_CA_FILE"
    assert str(tmp_path / "uni-ca.pem") in missing.what
    assert "No such file" in missing.what
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    error = refused(smtp_ca_file=empty)
    assert str(empty) in error.what
    assert "certificate" in error.what
    assert "PEM" in error.next_step
    other = refused(sources_ca_file=empty)
    assert other.where == "PAPERPOST_SOURCES_CA_FILE"
    assert other.what.startswith(f"PAPERPOST_SOURCES_CA_FILE: {empty}")
    assert "the sources' certificate" in other.next_step


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("signup", "domains:"),
        ("signup", "domains:not a domain"),
        ("signup", "domains:a.edu,,b@c"),
        ("signup", "everybody"),
        ("privacy_url", "javascript:alert(1)"),
        ("privacy_url", "example.org/privacy"),
        ("inbox_url", "nonsense"),
        ("inbox_url", "https://mail.example.org"),
        ("inbox_url", "imaps://"),
        ("inbox_url", "imaps://me:1/ss@mail.example.org"),
        ("inbox_url", "imaps://mail.example.org"),
        ("inbox_url", "imaps://me@mail.example.org"),
        ("inbox_url", "imap://me:pw@mail.example.org"),
        ("inbox_address", "Leave <leave@example.org>"),
        ("lmtp_listen", "2424"),
        ("lmtp_listen", "127.0.0.1"),
        ("lmtp_listen", "0.0.0.0:2424"),
        ("lmtp_listen", "unix:lmtp"),
        ("lmtp_listen", "unix:/" + "x" * 100),
        ("database_url", "mysql://u:p@127.0.0.1/x"),
        ("database_url", "/var/lib/paperpost.db"),
        ("timezone", "Europe/Nowhere"),
    ],
)
def test_other_values_that_would_fail_later(name: str, value: str) -> None:
    error = refused(**{name: value})
    assert error.where == f"PAPERPOST_{name.upper()}"
    assert error.next_step


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("signup", "domains:a.edu, b.org"),
        ("privacy_url", "https://example.org/privacy?lang=en#mail"),
        ("inbox_url", "imaps://me:pw@mail.example.org"),
        ("inbox_url", "imap://me:pw@127.0.0.1:1143/Bounces"),
        ("lmtp_listen", "127.0.0.1:2424"),
        ("lmtp_listen", "[::1]:2424"),
        ("lmtp_listen", "public:0.0.0.0:2424"),
        ("lmtp_listen", "unix:/run/paperpost/lmtp"),
        ("database_url", "sqlite:////var/lib/x.db"),
        ("database_url", "postgresql+psycopg://paperpost@127.0.0.1/paperpost"),
    ],
)
def test_other_values_that_are_good(name: str, value: str) -> None:
    made = getattr(load(**{name: value}), name)
    assert value in (made, getattr(made, "get_secret_value", str)())


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
def test_postgresql_by_its_short_name_means_the_driver_we_use(scheme: str) -> None:
    made = load(database_url=f"{scheme}://u:p@127.0.0.1/x")
    assert made.database == "postgresql+psycopg://u:p@127.0.0.1/x"


@pytest.mark.parametrize(
    ("name", "text", "hint"),
    [
        ("weekdays", "mon,foo", "Use some of mon, tue, wed, thu, fri, sat, sun."),
        ("weekdays", "", "Use some of mon, tue"),
        ("abstracts", "foo", "Use short, full, none or summary."),
        ("abstracts", "short,full", "Use short, full, none or summary."),
    ],
)
def test_words_of_taste_are_among_those_known(name: str, text: str, hint: str) -> None:
    with pytest.raises(SettingError) as caught:
        parse(name, text)
    assert caught.value.where == name
    assert hint in caught.value.next_step


def test_words_of_taste_are_kept_as_the_product_writes_them() -> None:
    assert parse("weekdays", "FRI, Mon ,tue,mon") == "mon,tue,fri"
    assert parse("abstracts", "Full") == "full"
    assert parse("curated_by", " Ada ") == "Ada"


def test_a_stored_word_that_is_refused_today_stops_nothing() -> None:
    """It was taken by an older version: the default counts until somebody sets it again."""
    assert with_rows({"weekdays": "mon,foo", "hour": "7"}) == Defaults(hour=7)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("imaps://me:pw@mx.a.edu", ("mx.a.edu", 993, "tls", "me", "pw", "INBOX")),
        ("imap+starttls://me:pw@a.edu", ("a.edu", 143, "starttls", "me", "pw", "INBOX")),
        ("imap://me:p%40ss@[::1]:99/", ("::1", 99, "none", "me", "p@ss", "INBOX")),
        (
            "imaps://a%40b.edu:p%2Fw@a.edu/In/B%20%40",
            ("a.edu", 993, "tls", "a@b.edu", "p/w", "In/B @"),
        ),
    ],
)
def test_the_parts_of_an_inbox(url: str, place: tuple[object, ...]) -> None:
    assert inbox_address(url) == place


def test_where_lmtp_listens() -> None:
    assert lmtp_address("unix:/run/p/lmtp") == "/run/p/lmtp"
    assert lmtp_address("localhost:24") == ("localhost", 24)
    assert lmtp_address("public:[::]:24") == ("::", 24)


@pytest.mark.parametrize(
    ("values", "address"),
    [
        ({}, ""),
        ({"bounce_address": "b@a.edu"}, ""),  # nobody reads what comes there
        ({"bounce_address": "b@a.edu", "inbox_url": "imaps://me%40a.edu:pw@a.edu"}, "b@a.edu"),
        ({"bounce_address": "b@a.edu", "lmtp_listen": "127.0.0.1:24"}, "b@a.edu"),
        ({"lmtp_listen": "127.0.0.1:24"}, ""),
        ({"inbox_url": "imaps://me%40a.edu:pw@mx.a.edu"}, "me@a.edu"),
        ({"inbox_url": "imaps://me:pw@mx.a.edu"}, ""),
        ({"inbox_address": "leave@a.edu", "bounce_address": "b@a.edu"}, "leave@a.edu"),
    ],
)
def test_where_readers_may_write_to_leave(values: dict[str, str], address: str) -> None:
    assert load(**values).leave_address == address


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("imap.example.org", "no imaps:// stands before it"),
        ("pop3://me:secret@mail.example.org", "pop3:// leads to none"),
        ("me:secret://mail.example.org", "its host is none"),
        ("imaps://me:se@cret@mail.example.org", "is not written as %XX"),
        ("imaps://me@mail.example.org", "it has no password"),
        ("imaps://mail.example.org", "it names no user"),
    ],
)
def test_what_is_wrong_with_an_inbox_is_said_without_its_password(url: str, why: str) -> None:
    with pytest.raises(SettingError, match=re.escape(why)) as refused:
        inbox_address(url)
    assert "cret" not in str(refused.value)
