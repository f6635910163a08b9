"""A restored backup, a clone, a copied folder: nothing is sent before a person says which it is."""

import asyncio
import os
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from support.backups import back_up, bring_back, restored_elsewhere
from support.house import (
    add,
    ingest_items,
    mark,
    open_house,
    paper_item,
    plan_one,
    rows,
    take,
)

from service.delivery.states import State
from service.flows import epoch
from service.flows.daily import plan_daily, plan_due
from service.flows.notice import add_notice
from service.flows.reconcile import reconcile
from service.flows.send import send_ready
from service.store import alarms as alarms_store
from service.store import witness as witness_store
from service.store.instance import get_epoch
from service.store.leases import mark_outcome, release
from service.store.witness import Witness

pytestmark = pytest.mark.slow

HERE = Witness("a", 5, "", 7, "m", "d")


@pytest.mark.parametrize(
    ("seen", "number", "why"),
    [
        (None, 0, ""),
        (None, 1, "elsewhere"),
        (HERE, 5, ""),
        (HERE, 6, ""),  # another process, or a crash between database and file
        (HERE, 4, "behind"),
        (Witness("b", 5, "", 7, "m", "d"), 5, "another"),
        (Witness("a", 5, "", 8, "m", "d"), 5, "copied"),
        (Witness("a", 5, "", 0, "m", "d"), 5, ""),  # a file system that numbers anew
        (Witness("a", 5, "", 7, "n", "d"), 5, "copied"),
        (Witness("a", 5, "", 7, "", "d"), 5, ""),  # a container has no name of its own
        (Witness("a", 5, "", 7, "m", "e"), 5, "moved"),
        (Witness("a", 5, "", 7, "m", ""), 5, ""),
    ],
)
def test_what_file_and_database_say_of_each_other(seen, number, why):
    assert epoch.compare(seen, "a", number, HERE) == why


def send(rt):
    rt.epoch_raised = float("-inf")  # as after a second, or in another process
    return asyncio.run(send_ready(rt))


def test_each_start_of_sending_raises_both(rt, tmp_path):
    plan_one(rt, tmp_path)
    assert epoch.standing(rt).seen is None
    send(rt)
    assert (rt.db.read(get_epoch)[1], rt.witness.read().epoch) == (1, 1)
    send(rt)  # nothing to send: nothing begins
    assert rt.db.read(get_epoch)[1] == 1
    rt.clock.go(days=1)
    ingest_items(rt, tmp_path, [paper_item(2, "Adapters again")], on=rt.clock().date())
    plan_daily(rt)
    assert send(rt).accepted == 1
    assert (rt.db.read(get_epoch)[1], rt.witness.read().epoch) == (2, 2)
    assert rt.witness.path.stat().st_mode & 0o777 == 0o600


def test_a_crash_between_database_and_file_is_no_reason_to_ask(rt, tmp_path, monkeypatch):
    plan_one(rt, tmp_path)

    def die(*_):
        raise KeyboardInterrupt

    real = witness_store._Open.write
    written = []

    def die_at_second(file, seen):
        if written:
            die()
        written.append(seen)
        real(file, seen)

    for dies, wrote in ((die, None), (die_at_second, 0)):
        with monkeypatch.context() as patch:
            patch.setattr(witness_store._Open, "write", dies)
            with pytest.raises(KeyboardInterrupt):
                epoch.raise_epoch(rt)
        assert (rt.witness.read().epoch if rt.witness.read() else None) == wrote
        assert epoch.standing(rt).why == ""
    assert rt.db.read(get_epoch)[1] == 1
    assert send(rt).accepted == 1
    assert rt.witness.read().epoch == rt.db.read(get_epoch)[1] == 2


@pytest.fixture
def restored(rt, tmp_path, request):
    """Two readers; a backup is made with their mails ready, then they are sent; it is restored."""
    plan_one(rt, tmp_path)
    send(rt)
    rt.clock.go(days=1)
    ingest_items(rt, tmp_path, [paper_item(2, "Adapters again")], on=rt.clock().date())
    plan_daily(rt)
    rt.db.write(
        lambda s: add_notice(
            rt, s, "test", email="eve@example.org", email_key="eve@example.org",
            data={"relay": "127.0.0.1:9", "on": "2026-11-18"}, now=rt.clock(),
        )
    )  # fmt: skip
    kept = back_up(rt.db.url, tmp_path / "backup", request)
    assert send(rt).accepted == 2
    bring_back(rt, kept)
    return rt


def test_a_restored_backup_holds_its_mails_and_asks(restored, server):
    rt, before = restored, len(server.accepted)
    assert epoch.standing(rt).why == "behind"
    with pytest.raises(epoch.InstanceHeld, match="restored from a backup"):
        send(rt)
    with pytest.raises(epoch.InstanceHeld):
        plan_daily(rt)
    rt.clock.go(days=2)
    assert plan_due(rt).planned == 0
    assert len(server.accepted) == before
    epoch.watch(rt)
    assert [(a.kind, a.key) for a in rt.db.read(alarms_store.list_open)] == [("instance", "behind")]
    with pytest.raises(epoch.InstanceError, match="does not fit"):
        epoch.go_on(rt, "only", "ada")
    assert epoch.standing(rt).held


def test_what_waited_in_a_restored_backup_is_in_doubt_and_rides_again(restored, server, tmp_path):
    rt, before = restored, len(server.accepted)
    done = epoch.go_on(rt, "restored", "ada")
    assert (done["in_doubt"], done["cancelled"]) == (1, 0)
    assert not epoch.standing(rt).held
    report = send(rt)
    assert report.accepted == 1  # the notice: at least once, with the same Message-ID
    notices = [m for m in server.accepted if m.recipient == "eve@example.org"]
    assert len({m.message_id for m in notices}) == 1
    assert len(server.accepted) == before + 1
    rt.clock.go(minutes=31)
    send(rt)
    assert [r.state for r in rows(rt, "digest")] == ["accepted", "presumed"]
    rt.clock.go(days=1)
    plan_daily(rt)
    assert send(rt).accepted == 1
    assert b"may have seen" in server.accepted[-1].data


def test_hours_that_are_past_in_a_restored_backup_are_not_mailed(restored, server):
    rt, before = restored, len(server.accepted)
    rt.clock.go(hours=30)
    epoch.go_on(rt, "restored", "ada")
    assert plan_due(rt).planned == 0
    rt.clock.go(days=3)  # Monday
    assert plan_due(rt).planned == 1
    assert len(server.accepted) == before


def test_a_copy_gets_an_identity_of_its_own_and_sends_nothing_of_before(restored, server):
    rt, before = restored, len(server.accepted)
    was = rt.db.read(get_epoch)[0]
    done = epoch.go_on(rt, "copy", "ada")
    assert done["cancelled"] == 2
    assert done["id"] != was
    rt.clock.go(minutes=40)
    send(rt)
    assert len(server.accepted) == before
    assert {r.state for r in rows(rt)} == {"accepted", "cancelled"}


def test_a_database_that_comes_elsewhere_asks(rt, tmp_path, server, request):
    plan_one(rt, tmp_path)
    send(rt)
    url = restored_elsewhere(rt.db.url, tmp_path / "there.db", request)
    (tmp_path / "there").mkdir()
    values = {"smtp_port": server.port, "database_url": url, "clock": rt.clock}
    with open_house(tmp_path / "there", **values) as house:
        there = house.runtime
        assert epoch.standing(there).why == "elsewhere"
        with pytest.raises(epoch.InstanceHeld, match="on a volume") as told:
            plan_daily(there)
        assert "paperpost instance show" in told.value.next_step
        epoch.go_on(there, "only", "ada")
        there.clock.go(days=1)
        ingest_items(there, tmp_path, [paper_item(2, "Adapters")], on=there.clock().date())
        plan_daily(there)
        assert send(there).accepted == 1


def test_another_database_beside_the_same_folder_asks(rt, tmp_path, server, request):
    """A copy for a trial, opened with the data folder of the real one."""
    plan_one(rt, tmp_path)
    send(rt)
    url = restored_elsewhere(rt.db.url, tmp_path / "trial.db", request)
    values = {"smtp_port": server.port, "database_url": url, "clock": rt.clock}
    with open_house(rt.data_dir, **values) as house:
        assert epoch.standing(house.runtime).why == "moved"
    assert not epoch.standing(rt).held


def test_a_copy_of_the_whole_folder_asks(tmp_path, server, clock):
    values = {"smtp_port": server.port, "clock": clock}
    with open_house(tmp_path / "one", **values) as house:
        plan_one(house.runtime, tmp_path)
        send(house.runtime)
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    with open_house(tmp_path / "two", **values) as house:
        assert epoch.standing(house.runtime).why == "copied"
    with open_house(tmp_path / "one", **values) as house:
        assert not epoch.standing(house.runtime).held


def test_what_was_under_way_in_a_backup_is_in_doubt(rt, tmp_path, request):
    plan_one(rt, tmp_path)
    epoch.raise_epoch(rt)
    owner = rt.owner().id
    taken = take(rt, owner)
    kept = back_up(rt.db.url, tmp_path / "backup", request)
    assert mark(rt, taken, owner)
    rt.epoch_raised -= epoch.EVERY_S
    epoch.raise_epoch(rt)
    bring_back(rt, kept)
    assert rows(rt)[0].state == "leased"
    epoch.go_on(rt, "restored", "ada")
    row = rows(rt)[0]
    assert (row.state, row.lease_owner) == ("unknown", None)
    assert row.marked_at is not None
    assert rt.clock() - row.marked_at < timedelta(seconds=1)
    assert Path(rt.witness.path).name == "epoch"
    add(rt, "new@example.org", "adapters")


def test_what_the_backup_does_not_know_of_is_marked_in_the_next_mail(rt, tmp_path, server, request):
    add(rt, "ada@example.org", "adapters")
    kept = back_up(rt.db.url, tmp_path / "backup", request)
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters that forget less")])
    plan_daily(rt)
    assert send(rt).accepted == 1
    bring_back(rt, kept)
    assert epoch.standing(rt).why == "behind"
    epoch.go_on(rt, "restored", "ada")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters that forget less")])  # polled once more
    rt.clock.go(days=1)
    ingest_items(rt, tmp_path, [paper_item(2, "Adapters again")], on=rt.clock().date())
    plan_daily(rt)
    assert send(rt).accepted == 1
    (row,) = rows(rt)
    entries = row.content["digest"]["sections"][0]["entries"]
    again = {e["value"]: e.get("again", False) for e in entries}
    assert again == {"2611.00001": True, "2611.00002": False}


def mounted(tmp_path: Path, kind: str) -> Path:
    """A table of mounts (proc(5)) by which the tests' folder lies on such a file system."""
    found = tmp_path.stat().st_dev
    place = f"{os.major(found)}:{os.minor(found)}"
    table = tmp_path / "mounts"
    table.write_text(
        "22 27 0:21 / /proc rw,relatime - proc proc rw\n"
        f"31 27 {place} / /data rw,relatime shared:9 - {kind} host rw\n"
    )
    return table


@pytest.mark.parametrize(
    ("kind", "why"), [("ext4", "copied"), ("fuse.sshfs", ""), ("virtiofs", ""), ("cifs", "")]
)
def test_a_drive_that_numbers_its_files_anew_at_each_mount_is_no_reason_to_ask(
    tmp_path, server, clock, monkeypatch, kind, why
):
    """The same folder with other inodes, as after the next mount."""
    monkeypatch.setattr(witness_store, "MOUNTS", mounted(tmp_path, kind))
    values = {"smtp_port": server.port, "clock": clock}
    with open_house(tmp_path / "one", **values) as house:
        plan_one(house.runtime, tmp_path)
        assert send(house.runtime).accepted == 1
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    with open_house(tmp_path / "two", **values) as house:
        assert epoch.standing(house.runtime).why == why


def test_without_a_table_of_mounts_numbers_are_believed(tmp_path, monkeypatch):
    monkeypatch.setattr(witness_store, "MOUNTS", tmp_path / "none")
    assert witness_store.lasting_number(tmp_path.stat()) == tmp_path.stat().st_ino


AT = "Nov 22 00:10:01 mail postfix"


def log_of_two_tries(taken):
    """The relay refused the first try, and took the second one, a long log later."""
    one, two = "4cVLxT3zKkz9rbK", "4cVLxT4b2Zz9rbM"
    yield f"{AT}/cleanup[7]: {one}: message-id={taken.message_id}\n"
    yield f"{AT}/cleanup[7]: {one}: milter-reject: END-OF-MESSAGE from x[127.0.0.1]: 4.7.1 no\n"
    yield f"{AT}/master[1]: {'x' * 200}\n" * 6000
    yield f"{AT}/cleanup[7]: {two}: message-id={taken.message_id}\n"
    yield f"{AT}/qmgr[8]: {two}: from=<p@x.example>, size=9, nrcpt=1 (queue active)\n"


@pytest.mark.parametrize("was", ["leased", "sending", "deferred"])
def test_a_refusal_before_a_restore_proves_nothing_of_what_went_after_the_backup(
    rt, tmp_path, request, was
):
    """The ledger knows of one try; there may have been more of them."""
    plan_one(rt, tmp_path)
    epoch.raise_epoch(rt)
    owner = rt.owner().id
    taken = take(rt, owner)
    if was == "sending":
        assert mark(rt, taken, owner)
    if was == "deferred":
        rt.db.write(lambda s: mark_outcome(s, taken, State.DEFERRED, rt.clock()))
    kept = back_up(rt.db.url, tmp_path / "backup", request)
    rt.epoch_raised -= epoch.EVERY_S
    epoch.raise_epoch(rt)
    bring_back(rt, kept)
    rt.db.write(lambda s: release(s, [owner]))  # the process of then is no more
    epoch.go_on(rt, "restored", "ada")
    rt.relay_log = tmp_path / "mail.log"
    rt.relay_log.write_text("".join(log_of_two_tries(taken)))
    made = reconcile(rt)
    assert (made.again, made.accepted) == (0, 1)


def test_a_run_that_is_stopped_by_the_check_gives_back_what_it_had_claimed(rt, tmp_path, server):
    plan_one(rt, tmp_path)

    def stop(*_):
        raise epoch.InstanceHeld("The database is older than what was sent.", "", "")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("service.flows.send.raise_epoch", stop)
        with pytest.raises(epoch.InstanceHeld):
            send(rt)
    assert (rows(rt)[0].state, rows(rt)[0].attempts, server.accepted) == ("ready", 0, [])
    assert send(rt).accepted == 1
