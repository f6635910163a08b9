"""What a list of readers may be called at its head, and what becomes of names nobody knows."""

import asyncio
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from support.house import ingest_items, open_house, paper_item
from support.smtp_server import SmtpServer

from service.flows.daily import plan_daily
from service.flows.readers import ReaderError, import_readers
from service.flows.runtime import Runtime
from service.flows.send import send_ready
from service.flows.suppress import import_suppressions
from service.store.subscribers import get_subscriber_row, list_profiles, list_subscriber_rows


@pytest.fixture
def rt(tmp_path: Path) -> Iterator[Runtime]:
    with open_house(tmp_path) as house:
        yield house.runtime


@pytest.mark.parametrize(
    ("head", "meant"),
    [
        ("email,Keyword", "keywords"),
        ("email,Interests", "keywords"),
        ("E-Mail,Stichwörter", "keywords"),
        ("Emial,keywords,e-mail", ""),
        ("email,keywords,profil", "profile"),
        ("email,keywords,Timezne", "tz"),
        ("email,keywords,horoscope", ""),
    ],
)
def test_an_unknown_column_is_refused_by_its_name(rt: Runtime, head: str, meant: str) -> None:
    row = ",".join(["ada@example.org", "robots", "x"][: head.count(",") + 1])
    with pytest.raises(ReaderError) as caught:
        import_readers(rt, f"{head}\n{row}\n".encode())
    assert "of an import" in caught.value.what
    assert "email, profile, keywords, confirmed, name, tz, hour, cadence" in caught.value.next_step
    assert ("Did you mean" in caught.value.next_step) is bool(meant)
    assert f"Did you mean {meant}?" in caught.value.next_step or not meant
    assert rt.db.read(list_subscriber_rows) == []


def test_harmless_columns_are_left_unread_and_told(rt: Runtime) -> None:
    made = import_readers(rt, b"email,words,note,id,\nada@example.org,robots,hi,7,\n")
    assert (made.added, made.ignored) == (1, ["note", "id"])
    profiles = rt.db.read(lambda s: list_profiles(s, [1]))
    assert [p.text for p in profiles[1]] == ["robots"]


def test_two_columns_of_one_meaning_are_refused(rt: Runtime) -> None:
    with pytest.raises(ReaderError, match="Two columns mean keywords"):
        import_readers(rt, b"email,words,keywords\nada@example.org,robots,cats\n")


@pytest.mark.parametrize("start", [b"PK\x03\x04", b"\xd0\xcf\x11\xe0"])
def test_a_workbook_is_named_as_one(rt: Runtime, start: bytes) -> None:
    with pytest.raises(ReaderError, match="not a CSV") as caught:
        import_readers(rt, start + b"email\x00")
    assert "save it as CSV" in caught.value.next_step


def test_a_name_before_the_address_is_the_readers_name(rt: Runtime) -> None:
    made = import_readers(rt, b'email\n"Anna Ek <anna@example.org>"\n<ben@example.org>\n')
    assert (made.added, made.problems) == (2, [])
    anna = rt.db.read(lambda s: get_subscriber_row(s, email_key="anna@example.org"))
    assert anna is not None
    assert anna.name == "Anna Ek"


def test_a_list_of_suppressions_may_have_any_column(rt: Runtime) -> None:
    assert import_suppressions(rt, b"email,reported\nada@example.org,2026\n", reason="x").added == 1


def test_who_was_added_is_not_told_that_they_confirmed(tmp_path: Path) -> None:
    with SmtpServer() as server, open_house(tmp_path, smtp_port=server.port) as house:
        rt = house.runtime
        import_readers(rt, b"email,keywords\nada@example.org,adapters\n")
        ingest_items(rt, tmp_path, [paper_item(1, "Adapters that forget less")])
        plan_daily(rt)
        assert asyncio.run(send_ready(rt)).accepted == 1
        (mail,) = server.accepted
    parts = list(message_from_bytes(mail.data, policy=default).walk())
    texts = [" ".join(p.get_content().split()) for p in parts if not p.is_multipart()]
    assert len(texts) == 2
    for text in texts:
        assert "You were added by Paperpost on" in text
        assert "on the list of Paperpost" in text
        assert "you confirmed on" not in text
