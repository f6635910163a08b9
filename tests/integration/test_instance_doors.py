"""A restored database at the command line and at the desk: asked, answered, on record."""

import shutil
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from support.command import Shell, list_of
from support.desk import signed_in
from support.reading_house import Reading, reading_house

from service.flows import epoch
from service.store.instance import raise_epoch
from service.store.staff import list_audit

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("cheap_passwords")]
ON = "2026-11-18"


def test_a_restored_backup_asks_at_the_command_line(shell: Shell, tmp_path: Path) -> None:
    shell.say("ingest", list_of(tmp_path, "a.json", 1), "--kind", "hf_daily", "--on", ON)
    shell.say("subscribers", "add", "ada@uni.example", "--trending", "--confirmed")
    database = tmp_path / "var" / "paperpost.db"
    kept = tmp_path / "backup.db"
    assert shell.say("instance", "show", "--json").json["held"] is False
    refused = shell.say("instance", "go-on", "--as", "only")
    assert (refused.code, "Nothing is to be answered." in refused.err) == (1, True)
    shell.say("settings", "set", "hour", "9")
    shutil.copy(database, kept)
    assert shell.say("send", "daily", "--on", ON).code == 0
    with database.open("r+b") as there:  # over the same file, as cp does
        there.write(kept.read_bytes())
        there.truncate()
    for name in ("-wal", "-shm"):
        database.with_name(f"paperpost.db{name}").unlink(missing_ok=True)
    held = shell.say("send", "daily", "--on", ON)
    assert held.code == 1
    assert "restored from a backup" in held.err
    assert "paperpost instance" in held.err
    doctor = {row["check"]: row for row in shell.say("doctor", "--json").json}
    assert doctor["instance"]["state"] == "fail"
    told = shell.say("instance", "show").out
    assert "go-on --as restored" in told
    assert "--as only" not in told
    assert shell.say("instance", "go-on", "--as", "only").code == 1
    done = shell.say("instance", "go-on", "--as", "restored", "--json")
    assert (done.code, done.json["answer"]) == (0, "restored")
    assert shell.say("instance", "show", "--json").json["held"] is False


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Reading]:
    with reading_house(tmp_path, papers=False) as made:
        yield made


def test_the_desk_asks_the_owner(house: Reading) -> None:
    rt = house.rt
    epoch.raise_epoch(rt)
    viewer, token = signed_in(house, "viewer")
    assert "Mail is sent from it." in viewer.get("/admin/instance").text
    rt.db.write(lambda s: raise_epoch(s))
    with rt.witness.locked() as file:
        seen = file.read()
        assert seen is not None
        file.write(epoch.Witness(seen.uid, 9, "", seen.inode, seen.machine, seen.database))
    page = unescape(viewer.get("/admin/instance").text)
    assert "restored from a backup" in page
    assert "An owner answers." in page
    answer = {"token": token, "answer": "restored"}
    assert viewer.post("/admin/instance", data=answer).status_code == 403
    owner, token = signed_in(house, "owner")
    epoch.watch(rt)
    assert "restored from a backup" in unescape(owner.get("/admin").text)
    wrong = owner.post("/admin/instance", data={"token": token, "answer": "only"})
    assert wrong.status_code == 409
    assert "does not fit" in unescape(wrong.text)
    done = owner.post("/admin/instance", data={"token": token, "answer": "restored"})
    assert "Mail is sent from it." in done.text
    assert not epoch.standing(rt).held
    row = rt.db.read(list_audit)[0]
    assert (row.what, row.who, (row.after or {})["answer"]) == (
        "instance",
        "ann-owner",
        "restored",
    )
