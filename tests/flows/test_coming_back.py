"""Who left, bounced or was erased: how they come back, and who cannot bring them back."""

import asyncio
import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from support.house import add, ingest_items, paper_item
from support.smtp_server import reply

from service.flows.begin import confirm, never, read_confirm
from service.flows.daily import plan_daily, plan_due
from service.flows.interests import read_form
from service.flows.leave import erase, undo, unsubscribe
from service.flows.readers import ReaderError, add_reader, import_readers, read_new
from service.flows.send import send_ready
from service.flows.subscribe import Wish, request
from service.flows.suppress import import_suppressions, suppress, unsuppress
from service.flows.tidy import tidy
from service.store.consent import list_suppressions
from service.store.deliveries import list_deliveries
from service.store.subscribers import get_subscriber_row, list_profile_rows
from service.subscribers.address import read_address
from service.subscribers.tokens import TokenError

ADA = "ada@example.org"


@pytest.fixture
def rt(rt):
    add(rt, ADA, "adapters", hour="6", tz="Europe/Zurich")
    return rt


def ada(rt):
    return rt.db.read(lambda s: get_subscriber_row(s, email_key=ADA))


def words(rt):
    return [p.text for p in rt.db.read(lambda s: list_profile_rows(s, ada(rt).id))]


def ask(rt, typed="robots", hour=9, zone="Asia/Tokyo"):
    wish = Wish(
        address=read_address(ADA), wanted=(read_form(typed),), hour=hour, zone=zone, locale="de"
    )
    request(rt, wish, network="203.0.113.0")


def link(rt, server, kind="confirm"):
    """The token in the newest confirmation."""
    asyncio.run(send_ready(rt))
    text = server.accepted[-1].data.decode().replace("=\r\n", "").replace("=3D", "=")
    return re.search(rf"/{kind}/([\w.~=-]+)", text)[1]


def leave(rt):
    unsubscribe(rt, ada(rt).unsubscribe_token)


def everything(rt):
    """The row and the interests of Ada, as they are stored."""
    return ada(rt).model_dump(), [
        p.model_dump() for p in rt.db.read(lambda s: list_profile_rows(s, ada(rt).id))
    ]


def test_a_strangers_request_changes_nothing_of_who_left(rt, server):
    leave(rt)
    before = everything(rt)
    ask(rt, "robots")
    ask(rt, "towels")
    asyncio.run(send_ready(rt))
    assert everything(rt) == before
    assert undo(rt, ada(rt).unsubscribe_token)
    assert (ada(rt).state, words(rt)) == ("active", ["adapters"])
    assert (ada(rt).hour, ada(rt).zone) == (6, "Europe/Zurich")


def test_who_left_begins_again_with_what_was_asked_for(rt, server, tmp_path):
    leave(rt)
    ask(rt)
    token = link(rt, server)
    asked = read_confirm(rt, token)
    assert asked.interests == (("keywords", "robots"),)
    assert (asked.reader.hour, asked.reader.zone, asked.begun) == (9, "Asia/Tokyo", False)
    assert ada(rt).state == "left"
    assert confirm(rt, token, first_now=False) == "begun"
    assert (ada(rt).state, words(rt)) == ("active", ["robots"])
    assert (ada(rt).hour, ada(rt).zone, ada(rt).locale) == (9, "Asia/Tokyo", "de")
    assert rt.db.read(list_suppressions) == []
    assert confirm(rt, token, first_now=False) == "already"
    assert words(rt) == ["robots"]
    ingest_items(rt, tmp_path, [paper_item(1, "Robots")])
    rt.clock.go(days=1)
    assert plan_daily(rt).ready == 1


def test_each_request_keeps_its_own_words(rt, server):
    leave(rt)
    ask(rt, "robots")
    first = link(rt, server)
    rt.clock.go(days=2)
    ask(rt, "towels")
    second = link(rt, server)
    assert read_confirm(rt, first).interests == (("keywords", "robots"),)
    confirm(rt, second, first_now=False)
    assert words(rt) == ["towels"]
    assert confirm(rt, first, first_now=False) == "already"
    assert words(rt) == ["towels"]


def test_a_request_from_before_leaving_is_over(rt, server):
    leave(rt)
    ask(rt)
    token = link(rt, server)
    confirm(rt, token, first_now=False)
    rt.clock.go(hours=1)
    leave(rt)
    with pytest.raises(TokenError):
        confirm(rt, token, first_now=False)
    assert ada(rt).state == "left"


def test_never_again_bars_the_request_that_waits(rt, server):
    leave(rt)
    ask(rt)
    token, no = link(rt, server), link(rt, server, "never")
    never(rt, no)
    with pytest.raises(TokenError):
        read_confirm(rt, token)
    with pytest.raises(TokenError):
        confirm(rt, token, first_now=False)
    assert ada(rt).state == "left"


def test_the_row_waits_for_its_request_and_typed_words_do_not_stay(rt, server):
    leave(rt)
    rt.clock.go(days=29)
    ask(rt)
    token = link(rt, server)
    rt.clock.go(days=3)
    tidy(rt)
    assert read_confirm(rt, token).interests == (("keywords", "robots"),)
    rt.clock.go(days=5)
    tidy(rt)
    assert ada(rt) is None
    with rt.db.engine.connect() as connection:
        kept = connection.execute(sa.text("SELECT * FROM consent")).all()
    assert "robots" not in repr(kept)


def test_who_was_erased_asks_again_and_begins(rt, server):
    erase(rt, ADA)
    assert [bar.reason for bar in rt.db.read(list_suppressions)] == ["left"]
    ask(rt)
    confirm(rt, link(rt, server), first_now=False)
    assert (ada(rt).state, words(rt)) == ("active", ["robots"])
    assert rt.db.read(list_suppressions) == []


def test_an_admin_cannot_bring_back_who_left(rt):
    leave(rt)
    new = read_new({"email": ADA, "keywords": "robots"})
    with pytest.raises(ReaderError) as caught:
        add_reader(rt, new)
    assert "left" in caught.value.what
    assert f"{rt.site.base_url}/" in caught.value.next_step
    made = import_readers(rt, b"email,keywords\nada@example.org,robots\n")
    assert (made.added, len(made.problems)) == (0, 1)
    assert "left" in made.problems[0][2]
    unsuppress(rt, read_address(ADA))  # lifts the bar; the person still decides
    with pytest.raises(ReaderError):
        add_reader(rt, new)
    assert import_readers(rt, b"email,keywords\nada@example.org,robots\n").added == 0
    assert (ada(rt).state, words(rt)) == ("left", ["adapters"])
    erase(rt, ADA)
    with pytest.raises(ReaderError):
        add_reader(rt, new)


def bounce(rt, server, tmp_path):
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters that forget less")])
    server.on("RCPT", reply("550 5.1.1 no such user"), times=1)
    plan_daily(rt)
    assert asyncio.run(send_ready(rt)).failed == 1
    assert ada(rt).state == "bounced"


def test_who_bounced_gets_mail_again_when_the_bar_is_lifted(rt, server, tmp_path):
    bounce(rt, server, tmp_path)
    rt.clock.go(days=20)
    assert unsuppress(rt, read_address(ADA))
    assert ada(rt).state == "active"
    assert ada(rt).next_digest_at > rt.clock()
    ingest_items(rt, tmp_path, [paper_item(2, "More adapters")])
    rt.clock.go(days=1)
    assert plan_due(rt).ready == 1
    rt.clock.go(minutes=10)
    assert asyncio.run(send_ready(rt)).accepted == 1
    assert not unsuppress(rt, read_address(ADA))


def test_a_bar_lifted_before_is_no_reason_to_stay_bounced(rt, server, tmp_path):
    bounce(rt, server, tmp_path)
    rt.db.write(lambda s: s.execute(sa.text("DELETE FROM suppression")))
    assert unsuppress(rt, read_address(ADA))
    assert ada(rt).state == "active"


def test_lifting_the_bar_of_who_left_or_complained_revives_nobody(rt, server):
    suppress(rt, read_address(ADA), reason="complaint", by="ada")
    assert ada(rt).state == "left"
    assert unsuppress(rt, read_address(ADA))
    assert ada(rt).state == "left"
    assert not undo(rt, "nobody")


def test_a_bar_on_a_request_that_waits_holds_at_begin(rt, server):
    import_suppressions(rt, b"ada@example.org")
    erase(rt, ADA)
    rt.db.write(lambda s: s.execute(sa.text("DELETE FROM suppression")))
    ask(rt)
    token = link(rt, server)
    suppress(rt, read_address(ADA), reason="admin", by="ada")
    with pytest.raises(TokenError):
        confirm(rt, token, first_now=False)
    assert ada(rt).state == "pending"


def test_a_notice_to_who_left_is_written_and_the_mails_are_not(rt, server, tmp_path):
    leave(rt)
    rt.clock.go(minutes=1)
    ask(rt)
    rt.clock.go(minutes=1)
    asyncio.run(send_ready(rt))
    assert [r.kind for r in rt.db.read(lambda s: list_deliveries(s))] == ["confirm"]
    assert len(server.accepted) == 1
    assert rt.clock() - ada(rt).left_at == timedelta(minutes=2)
