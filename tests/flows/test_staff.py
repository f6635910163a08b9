"""Accounts, one-time links, log-in, sessions, and the record of acts."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.house import Clock, open_house

from service.flows import passwords, staff
from service.flows.runtime import Runtime
from service.pages.sessions import session_hash
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
