"""Every kind of token: altered, swapped, another's, ended, used twice, after a change of keys."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from support.every_address import ADA
from support.house import open_house
from support.reading_house import Reading, path_in, reading_house

from service.defaults import FIXED
from service.flows.address import ask_address
from service.flows.manage import reader_of
from service.flows.manage_link import manage_token
from service.flows.own_link import ask_link
from service.flows.readers import add_reader, read_new
from service.store.consent import list_suppressions
from service.store.instance import set_setting
from service.subscribers.tokens import Signer, TokenError

pytestmark = pytest.mark.slow  # houses of their own, page after page

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
SIGNED = ("confirm", "never", "manage", "address")
PURPOSES = (*SIGNED, "asked", "form", "")
PATHS = {
    "confirm": "/confirm/{}",
    "never": "/never/{}",
    "manage": "/manage/{}",
    "address": "/manage/address/{}",
    "leave": "/u/{}",
}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Reading]:
    with reading_house(tmp_path) as made:
        made.subscribe(ADA, "adapters")
        yield made


def fresh(house: Reading) -> str:
    return manage_token(house.rt, house.reader(ADA), house.clock(), fresh=True)


def moving(house: Reading, to: str = "ada@new.example") -> str:
    """The token that the mailbox of a new address gets."""
    ask_address(house.rt, fresh(house), to)
    house.send()
    return house.path_to(to, "manage/address").rpartition("/")[2]


def tokens(house: Reading) -> dict[str, str]:
    house.client.post("/", data={"email": "new@uni.example", "words": "robots"})
    house.send()
    mail = house.mails("new@uni.example")[-1]
    return {
        **{kind: path_in(mail, kind).rpartition("/")[2] for kind in ("confirm", "never")},
        "manage": manage_token(house.rt, house.reader(ADA), house.clock()),
        "address": moving(house),
        "leave": house.reader(ADA).unsubscribe_token,
    }


def test_every_byte_of_every_token_counts(house: Reading) -> None:
    signer, now = house.rt.signer, house.clock()
    for kind, token in tokens(house).items():
        if kind not in SIGNED:
            continue
        signer.read(kind, token, now)
        spoiled = {token[:-1], token + "A", token + "=", f"{token}\n", f" {token}", token * 2, ""}
        for at, was in enumerate(token):
            others = [c for c in "Aa0_-.~ \x00é" if c != was]
            others.append(ALPHABET[ALPHABET.find(was) ^ 1] if was in ALPHABET else "A")
            spoiled |= {token[:at] + other + token[at + 1 :] for other in others}
            spoiled |= {token[:at] + "!" + token[at:], token[:at] + token[at + 1 :]}
        taken = [one for one in spoiled - {token} if _is_read(signer, kind, one, now)]
        assert taken == [], kind


def _is_read(signer: Signer, kind: str, token: str, now: object) -> bool:
    try:
        signer.read(kind, token, now)  # type: ignore[arg-type]
    except TokenError as error:
        return error.ended_at is not None
    return True


def test_an_altered_link_opens_and_does_nothing(house: Reading) -> None:
    made = tokens(house)
    before = house.tables()
    for kind, token in made.items():
        for at in range(0, len(token), 3):
            other = "A" if token[at] != "A" else "B"
            path = PATHS[kind].format(token[:at] + other + token[at + 1 :])
            for answer in (house.client.get(path), house.client.post(path, data={"x": "1"})):
                said = {("leave", "POST"): 200, ("manage", "POST"): 405}
                assert answer.status_code == said.get((kind, answer.request.method), 404), path
                assert ADA not in answer.text
    assert house.tables() == before


def test_purposes_are_not_exchanged(house: Reading) -> None:
    made, now = tokens(house), house.clock()
    for kind in SIGNED:
        read = [p for p in PURPOSES if _is_read(house.rt.signer, p, made[kind], now)]
        assert read == [kind]
    for kind in made:
        for other, path in PATHS.items():
            if other != kind:
                answer = house.client.get(path.format(made[kind]))
                assert answer.status_code == 404, (kind, other)


def test_each_ends_in_its_time(house: Reading) -> None:
    made = tokens(house)
    wanted = {"address": timedelta(days=1), "confirm": timedelta(days=7)}
    for kind, after in wanted.items():
        until = house.clock() + after
        house.rt.signer.read(kind, made[kind], until - timedelta(seconds=1))
        with pytest.raises(TokenError, match="ended"):
            house.rt.signer.read(kind, made[kind], until)
    house.clock.go(days=32)
    answer = house.client.get(PATHS["manage"].format(made["manage"]))
    assert answer.status_code == 410
    assert "This link ended on" in answer.text
    assert answer.text.count("<form") == 1
    press = house.client.post(f"{PATHS['manage'].format(made['manage'])}/link")
    assert press.status_code == 200
    house.send()
    assert house.path_to(ADA, "manage")


def test_a_fresh_link_is_fresh_for_a_day_and_an_ordinary_one_afterwards(house: Reading) -> None:
    path = f"/manage/{fresh(house)}"
    assert ADA in house.client.get(path).text
    house.clock.go(hours=24)
    assert ADA not in house.client.get(path).text
    assert house.client.get(f"{path}/export").status_code == 403
    assert house.client.post(f"{path}/erase", data={"sure": "1"}).status_code == 403
    assert house.client.post(f"{path}/address", data={"email": "x@y.example"}).status_code == 422
    assert house.reader(ADA).email == ADA


def test_a_change_of_address_works_once_and_ends_what_was_fresh(house: Reading) -> None:
    house.clock.go(hours=2)
    old, token = fresh(house), moving(house)
    house.clock.go(minutes=1)
    path = f"/manage/address/{token}"
    for _ in range(2):  # pressed twice
        assert house.client.post(path).status_code == 200
    with house.rt.db.engine.connect():
        row = house.reader("ada@new.example")
    assert house.rt.db.read(lambda s: reader_of(house.rt, s, old))[1] is False
    house.clock.go(hours=22)  # on one day no second mail goes to an address unasked
    back = manage_token(house.rt, row, house.clock(), fresh=True)
    ask_address(house.rt, back, ADA)
    house.send()
    again = house.path_to(ADA, "manage/address")
    house.clock.go(minutes=1)
    assert house.client.post(again).status_code == 200
    answer = house.client.post(path)  # the first link once more: it was for one time
    assert answer.status_code == 410
    assert 'href="/manage"' in answer.text
    assert house.reader(ADA).email == ADA


def test_no_link_follows_to_a_mailbox_that_was_left(house: Reading) -> None:
    """Its mail waited for a place while the address was changed: it would be fresh for a day."""
    token = moving(house)
    one_an_hour(house)
    asked = [ask_link(house.rt, one, network="203.0.113.0/24") for one in ("b@uni.example", ADA)]
    assert [one.hours for one in asked] == [0, 1]
    assert house.client.post(f"/manage/address/{token}").status_code == 200
    house.send()
    before = len(house.mails(ADA))
    house.clock.go(hours=2)
    house.send()
    assert len(house.mails(ADA)) == before


def test_a_link_that_waited_for_its_place_is_fresh_when_it_comes(house: Reading) -> None:
    """Also the one of who asked to sign up and has papers already."""
    house.clock.go(hours=24)
    one_an_hour(house)
    for email in ("b@uni.example", "c@uni.example", ADA):
        house.client.post("/", data={"email": email, "words": "robots", "hour": "08"})
    house.clock.go(hours=2)
    house.send()
    link = house.path_to(ADA, "manage")
    house.clock.go(hours=23)
    assert ADA in house.client.get(link).text
    house.clock.go(hours=1)
    assert ADA not in house.client.get(link).text


def test_the_mail_says_how_long_its_link_may_do_more(house: Reading) -> None:
    ask_link(house.rt, ADA)
    house.send()
    mail = house.mails(ADA)[-1]
    parts = [part.get_content() for part in mail.walk() if part.get_content_maintype() == "text"]
    assert len(parts) == 2
    assert all(f"For {FIXED.fresh_hours} hours it may" in " ".join(p.split()) for p in parts)


def one_an_hour(house: Reading) -> None:
    house.rt.db.write(lambda s: set_setting(s, "network_an_hour", "1"))


def test_what_is_used_twice_does_nothing_twice(house: Reading) -> None:
    token = tokens(house)["confirm"]
    for said in (200, 200):
        assert house.client.post(f"/confirm/{token}", data={"asked": "1"}).status_code == said
    acts = [row for row in house.tables()["consent"] if "confirm" in row]
    assert len(acts) == 2  # ada's, and this one
    erase = f"/manage/{fresh(house)}/erase"
    assert house.client.post(erase, data={"sure": "1"}).status_code == 200
    assert house.client.post(erase, data={"sure": "1"}).status_code == 404


def test_keys_are_changed_without_breaking_links(house: Reading) -> None:
    made, now, old = tokens(house), house.clock(), house.rt.signer
    both, new = Signer(("a new key", *old.keys)), Signer(("a new key",))
    assert all(_is_read(both, kind, made[kind], now) for kind in SIGNED)
    assert not any(_is_read(new, kind, made[kind], now) for kind in SIGNED)
    signed = both.sign("manage", 1, now + timedelta(days=1))
    assert _is_read(new, "manage", signed, now)
    assert not _is_read(old, "manage", signed, now)
    house.rt.signer = new  # the old key is lost: who wants to leave can leave
    house.clock.go(days=3 * 365)
    answer = house.client.post(f"/u/{made['leave']}", data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert house.reader(ADA).state == "left"


def test_elsewhere_and_under_another_key_nobody_who_left_comes_back(
    house: Reading, tmp_path: Path
) -> None:
    leave = house.reader(ADA).unsubscribe_token
    house.client.post(f"/u/{leave}")
    ended = fresh(house)
    house.rt.db.engine.dispose()
    content = (house.folder / "paperpost.db").read_bytes()
    for wal in house.folder.glob("paperpost.db-wal"):
        assert wal.stat().st_size == 0, "the copy would lack what was written last"
    with open_house(tmp_path / "elsewhere", content=content, secret_key="x" * 40) as other:
        rt = other.runtime
        assert rt.signer.keys != house.rt.signer.keys
        bars = rt.db.read(list_suppressions)
        assert [bar.reason for bar in bars] == ["left"]
        with pytest.raises(Exception, match="left"):
            add_reader(rt, read_new({"email": ADA, "keywords": "adapters"}))
        with pytest.raises(TokenError):
            rt.db.read(lambda s: reader_of(rt, s, ended))
        moved = replace(house, rt=rt, folder=tmp_path / "elsewhere")
        assert moved.reader(ADA).state == "left"
        assert re.fullmatch(r"[\w-]{22}", moved.reader(ADA).unsubscribe_token)
