"""Accounts, one-time links, log-in, sessions, and the record of acts."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.house import Clock, add, open_house

from service.flows import accounts, acts, passwords, staff, tags, topics
from service.flows.act_targets import targets_of
from service.flows.runtime import Runtime
from service.flows.tidy import tidy
from service.pages.sessions import session_hash
from service.store.instance import set_setting
from service.store.staff import list_audit

PASSWORD = "correct horse battery"


@pytest.fixture
def rt(tmp_path: Path, clock: Clock, cheap_passwords: None) -> Iterator[Runtime]:
    with open_house(tmp_path, clock=clock) as house:
        yield house.runtime


def make(rt: Runtime, name: str = "ada", role: str = "owner") -> None:
    link = staff.create_admin(rt, name, role, by="cli")
    staff.redeem(rt, link.rpartition("/")[2], PASSWORD)


def stored_rows(rt: Runtime) -> str:
    """All that is kept of accounts and sessions."""
    with rt.db.engine.connect() as connection:
        rows = str(connection.execute(sa.text("SELECT * FROM admin")).all())
        return rows + str(connection.execute(sa.text("SELECT * FROM session")).all())


def log_in(rt: Runtime, password: str = PASSWORD, name: str = "ada") -> str:
    return staff.log_in(rt, name, password, "127.0.0.1", "test")


def test_link_works_once_within_a_day(rt, clock):
    link = staff.create_admin(rt, "ada", "owner", by="cli")
    assert link.startswith("http://127.0.0.1:8000/admin/link/")
    token = link.rpartition("/")[2]
    assert staff.look_at_link(rt, token) == "ada"
    assert staff.redeem(rt, token, PASSWORD) == "ada"
    with pytest.raises(staff.LinkError):
        staff.redeem(rt, token, PASSWORD)
    late = staff.create_admin(rt, "ben", "viewer", by="ada").rpartition("/")[2]
    clock.go(hours=24)
    with pytest.raises(staff.LinkError):
        staff.look_at_link(rt, late)


def test_a_guess_is_dear():
    """The product's own hasher takes 64 MiB and three passes; the tests below use a cheap one."""
    assert passwords.hashed(PASSWORD).startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_neither_password_nor_tokens_are_stored(rt):
    make(rt)
    token = log_in(rt)
    rows = stored_rows(rt)
    assert PASSWORD not in rows
    assert token not in rows
    assert "$argon2id$" in rows
    assert staff.secret_hash(token) == session_hash(token)


def test_short_password_leaves_the_link_alone(rt):
    token = staff.create_admin(rt, "ada", "owner", by="cli").rpartition("/")[2]
    with pytest.raises(passwords.PasswordError, match="9 characters"):
        staff.redeem(rt, token, "too short")
    assert staff.look_at_link(rt, token) == "ada"


def test_five_tries_then_even_the_right_password_waits(rt, clock):
    make(rt)
    for _ in range(5):
        with pytest.raises(staff.LoginError, match="wrong"):
            log_in(rt, "wrong password")
    with pytest.raises(staff.LoginError, match="Try again in 15 minutes"):
        log_in(rt)
    clock.go(minutes=15)
    assert log_in(rt)


def test_a_browser_that_was_in_before_is_counted_apart(rt, clock):
    """So strangers who fill the window of a name keep out no one who works here."""
    make(rt)
    for n in range(5):
        with pytest.raises(staff.LoginError, match="wrong"):
            staff.log_in(rt, "ada", "a guess", f"203.0.113.{n}", "bot")
    with pytest.raises(staff.LoginError, match="5 tries"):
        log_in(rt)
    assert staff.log_in(rt, "ada", PASSWORD, "127.0.0.1", "test", device="known")
    for _ in range(5):
        with pytest.raises(staff.LoginError, match="wrong"):
            staff.log_in(rt, "ada", "a guess", "127.0.0.1", "test", device="known")
    with pytest.raises(staff.LoginError, match="5 tries"):
        staff.log_in(rt, "ada", PASSWORD, "127.0.0.1", "test", device="known")


def test_a_network_may_mistype_twenty_times_and_counts_as_one(rt):
    make(rt)
    for n in range(20):
        with pytest.raises(staff.LoginError, match="wrong"):
            staff.log_in(rt, f"name {n}", "a guess", f"203.0.113.{n}", "bot")
    with pytest.raises(staff.LoginError, match="20 tries"):
        staff.log_in(rt, "ada", PASSWORD, "203.0.113.250", "test")
    assert log_in(rt)


@pytest.mark.parametrize("guessed", ["1234567890", "password123", "adaada1234", "qwertyuiop"])
def test_a_password_that_others_guess_is_refused(rt, guessed):
    link = staff.create_admin(rt, "ada", "owner", by="cli").rpartition("/")[2]
    with pytest.raises(passwords.PasswordError, match="first that are tried"):
        staff.redeem(rt, link, guessed)
    assert staff.look_at_link(rt, link) == "ada"


def test_a_fresh_link_opens_a_name_that_was_locked(rt):
    make(rt)
    for _ in range(5):
        with pytest.raises(staff.LoginError):
            log_in(rt, "wrong")
    with pytest.raises(staff.LoginError, match="5 tries"):
        log_in(rt)
    make(rt)
    assert log_in(rt)


def test_unknown_name_says_the_same_as_a_wrong_password(rt):
    make(rt)
    with pytest.raises(staff.LoginError) as wrong:
        log_in(rt, "wrong password")
    with pytest.raises(staff.LoginError) as unknown:
        log_in(rt, name="nobody")
    assert str(wrong.value) == str(unknown.value)


def test_account_without_password_cannot_log_in(rt):
    staff.create_admin(rt, "ada", "owner", by="cli")
    with pytest.raises(staff.LoginError):
        log_in(rt, "")


def test_session_ends_when_idle_and_after_fourteen_days(rt, clock):
    make(rt)
    key = session_hash(log_in(rt))
    clock.go(hours=11, minutes=59)
    assert staff.find_session(rt, key).name == "ada"
    staff.touch_session(rt, key)
    clock.go(hours=11, minutes=59)
    assert staff.find_session(rt, key) is not None
    clock.go(hours=1)
    assert staff.find_session(rt, key) is None
    assert staff.find_session(rt, key, seen=clock()) is not None  # looked at pages meanwhile
    clock.go(hours=12)
    assert staff.find_session(rt, key) is None
    other = session_hash(log_in(rt))
    for _ in range(14 * 3 - 1):
        clock.go(hours=8)
        assert staff.find_session(rt, other) is not None
        staff.touch_session(rt, other)
    clock.go(hours=8)
    assert staff.find_session(rt, other) is None


def test_password_change_ends_other_sessions(rt):
    make(rt)
    here, there = session_hash(log_in(rt)), session_hash(log_in(rt))
    member = staff.find_session(rt, here)
    with pytest.raises(staff.LoginError):
        staff.change_password(rt, member, "not it at all", "another long one")
    staff.change_password(rt, member, PASSWORD, "another long one")
    assert staff.find_session(rt, here) is not None
    assert staff.find_session(rt, there) is None
    with pytest.raises(staff.LoginError):
        log_in(rt)
    assert log_in(rt, "another long one")


def test_a_fresh_link_ends_every_session(rt):
    make(rt)
    key = session_hash(log_in(rt))
    make(rt)
    assert staff.find_session(rt, key) is None


def test_log_out_ends_this_session(rt):
    make(rt)
    key = session_hash(log_in(rt))
    staff.log_out(rt, staff.find_session(rt, key))
    assert staff.find_session(rt, key) is None


def test_another_role_ends_sessions_and_the_same_one_does_not(rt):
    make(rt)
    make(rt, "ben", "editor")
    key = session_hash(log_in(rt, name="ben"))
    staff.create_admin(rt, "ben", "editor", by="ada")
    assert staff.find_session(rt, key) is not None
    accounts.change_role(rt, "ben", "viewer", by="ada")
    assert staff.find_session(rt, key) is None
    with pytest.raises(staff.StaffError, match="only owner"):
        accounts.change_role(rt, "ada", "viewer", by="ada")


def test_sessions_that_are_over_are_not_listed_and_are_thrown_away_with_old_tries(rt, clock):
    make(rt)
    log_in(rt)
    with pytest.raises(staff.LoginError):
        log_in(rt, "wrong")
    assert [one.name for one in accounts.list_sessions(rt)] == ["ada"]
    clock.go(hours=12, minutes=1)
    assert accounts.list_sessions(rt) == []
    gone = tidy(rt).removed
    assert (gone["sessions"], gone["login_tries"]) == (1, 2)


def test_acts_are_kept_as_long_as_the_setting_says(rt, clock):
    make(rt)
    rt.db.write(lambda s: set_setting(s, "keep_audit_days", "30"))
    kept = len(rt.db.read(list_audit))
    clock.go(days=30, minutes=-1)
    assert "audit" not in tidy(rt).removed
    clock.go(minutes=2)
    assert tidy(rt).removed["audit"] == kept


def test_all_acts_are_read_piece_by_piece(rt, monkeypatch):
    monkeypatch.setattr(acts, "_PART", 3)
    for n in range(7):
        staff.audit(rt, "ada", f"act {n}", after={"n": n})
    told = json.loads("".join(acts.json_parts(rt, acts.read_wanted(who="ADA"))))
    assert [one["what"] for one in told] == [f"act {n}" for n in range(6, -1, -1)]
    assert "".join(acts.csv_parts(rt, acts.read_wanted())).count("\r\n") == 8
    assert "".join(acts.json_parts(rt, acts.read_wanted(who="nobody"))) == "[]\n"


def test_what_an_act_changed_is_told_field_by_field():
    made = acts.changes({"a": 1, "b": True, "gone": "x"}, {"a": 1, "b": False, "new": ["p", "q"]})
    assert [(c.name, c.was, c.now) for c in made] == [
        ("b", "yes", "no"), ("gone", "x", None), ("new", None, "p, q"),
    ]  # fmt: skip


def test_what_an_act_was_about_is_a_place_where_it_still_is(rt):
    make(rt)
    make(rt, "ben", "viewer")
    accounts.change_role(rt, "ben", "editor", "ada")
    accounts.rename(rt, "ben", "benno", "ada")
    make(rt, "ben", "viewer")  # somebody else, of whom nothing before is told
    reader = add(rt, "ada@uni.example")
    tags.tag_reader(rt, reader, ["the lab"], by="ada")
    topics.add_topic(rt, {"name": "robots", "text": "robots"}, by="ada")
    topics.add_topic(rt, {"name": "hands", "text": "hands"}, by="ada")
    topics.remove_topic(rt, "hands", by="ada")
    for what, target in (
        ("setting", "hour"), ("setting", "gone"), ("release", "digest 2026-11-20"),
        ("cancel", "edition 9"), ("hide paper", "9"), ("join papers", "9 8"),
        ("rename tag", "tag the lab"), ("end token", "token crm"), ("drop draft", "Our news"),
        ("pause source", "9" * 30), ("log in", ""),
    ):  # fmt: skip
        staff.audit(rt, "ada", what, target)
    benno = accounts.need_account(rt, "benno")

    def pages(role: str) -> set[tuple[str, str, str]]:
        rows = rt.db.read(list_audit)
        about = rt.db.read(lambda s: targets_of(s, rows, role))
        assert [" ".join(part.words for part in about[row.id]) for row in rows] == [
            row.target for row in rows
        ]
        return {(r.what, r.target, p.page) for r in rows for p in about[r.id] if p.page}

    shown = {
        ("add reader", f"reader {reader}", f"readers/{reader}"),
        ("tag", f"reader {reader}", f"readers/{reader}"),
        ("add topic", "robots", "topics/robots"),
        ("setting", "hour", "settings/hour"),
        ("release", "digest 2026-11-20", "papers?day=2026-11-20"),
        ("rename tag", "tag the lab", "readers?tag=the%20lab"),
    }
    assert pages("viewer") == shown
    whose = {(what, place) for what, name, place in pages("owner") - shown if name == "ben"}
    both = {f"staff/{benno}", f"staff/{accounts.need_account(rt, 'ben')}"}
    assert {place for what, place in whose if what == "admin link"} == both
    assert {place for what, place in whose if what == "change role"} == {f"staff/{benno}"}


def test_browsers_are_named():
    chrome = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36"
    assert accounts.browser_of(chrome) == "Chrome on Windows"
    assert accounts.browser_of(chrome + " Edg/140.0") == "Edge on Windows"
    assert accounts.browser_of("curl/8.5.0") == "curl"
    assert accounts.browser_of("") == ""


def test_roles_include_those_before(rt):
    sender = staff.Member(1, "x", "sender")
    assert [sender.may(role) for role in staff.ROLES] == [True, True, True, False]
    with pytest.raises(staff.StaffError, match="no role"):
        staff.create_admin(rt, "x", "boss", by="cli")


def test_the_only_owner_stays(rt):
    make(rt)
    with pytest.raises(staff.StaffError, match="only owner"):
        staff.disable(rt, "ada", by="ada")
    with pytest.raises(staff.StaffError, match="only owner"):
        staff.create_admin(rt, "ada", "viewer", by="ada")
    make(rt, "ben")
    key = session_hash(log_in(rt))
    staff.disable(rt, "ada", by="ben")
    assert staff.find_session(rt, key) is None
    with pytest.raises(staff.LoginError):
        log_in(rt)


def test_an_ended_account_comes_back_by_its_link_alone(rt):
    make(rt)
    make(rt, "ben")
    staff.disable(rt, "ben", by="ada")
    link = staff.create_admin(rt, "ben", "viewer", by="ada")  # perhaps for another Ben
    with pytest.raises(staff.LoginError):
        log_in(rt, name="ben")
    staff.redeem(rt, link.rpartition("/")[2], "another horse battery")
    assert log_in(rt, "another horse battery", "ben")


def test_every_act_has_its_row(rt):
    make(rt)
    with pytest.raises(staff.LoginError):
        log_in(rt, "wrong password")
    log_in(rt)
    acts = [(a.who, a.what) for a in reversed(rt.db.read(list_audit))]
    assert acts == [
        ("cli", "admin link"),
        ("ada", "password set"),
        ("ada", "log in failed"),
        ("ada", "log in"),
    ]
