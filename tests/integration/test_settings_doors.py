"""Settings by page, by command and by API: what a value changes, who changed it, and back."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.command import Shell
from support.desk import signed_in
from support.house import add, ingest_items, paper_item
from support.reading_house import Reading, reading_house

from service.flows import settings_by_hand as flow
from service.flows.daily import plan_daily
from service.flows.setting_effects import effect
from service.flows.staff import audit, create_admin
from service.settings import load_settings
from service.settings.told import masked, told
from service.store.instance import set_setting

pytestmark = pytest.mark.usefixtures("cheap_passwords")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Reading]:
    with reading_house(tmp_path, papers=False) as made:
        yield made


def test_every_setting_stands_in_a_group_and_tells_what_it_may_be(house: Reading) -> None:
    rows = flow.list_settings(house.rt)
    assert {row.group for row in rows} == set(flow.STARTS.values())
    assert [row.name for row in rows if not row.allowed or not row.about] == []
    release = next(row for row in rows if row.name == "release")
    assert [one.value for one in release.choices] == ["auto", "until", "hand"]
    assert all(one.means in release.told for one in release.choices)
    hour = flow.find_setting(house.rt, "hour")
    assert (hour.value, hour.allowed, hour.since, hour.by) == (8, "0 to 23", None, "")
    with pytest.raises(flow.NoSettingError, match="fixed rule"):
        flow.find_setting(house.rt, "login_minutes")


def test_a_change_is_looked_at_stored_told_and_taken_back(house: Reading) -> None:
    rt = house.rt
    made = flow.look(rt, "hour", "9")
    assert (made.before, made.after, made.is_none) == (8, 9, False)
    assert rt.defaults().hour == 8
    flow.change(rt, "hour", "9", "olga", "192.0.2.7", reason="later")
    row = flow.find_setting(rt, "hour")
    assert (row.value, row.by, row.since) == (9, "olga", house.clock())
    with pytest.raises(flow.ChangedMeanwhileError, match="it is 9 now"):
        flow.change(rt, "hour", "10", "ed", was="8")
    flow.change(rt, "hour", "9", "ed")  # the same again is no act
    flow.change(rt, "hour", "", "ed")
    assert flow.find_setting(rt, "hour").is_default
    told_ = [(a.who, a.before, a.after, a.reason) for a in flow.history(rt, "hour")]
    assert told_ == [
        ("ed", {"value": 9}, {"value": 8}, ""),
        ("olga", {"value": 8}, {"value": 9}, "later"),
    ]
    rt.db.write(lambda s: set_setting(s, "of_an_older_version", "3"))
    assert flow.without_effect(rt) == {"of_an_older_version": "3"}


@pytest.mark.slow
def test_what_a_value_changes_is_a_number_of_this_house(house: Reading, tmp_path: Path) -> None:
    rt = house.rt
    for name in ("ada", "ben", "cy"):
        add(rt, f"{name}@uni.example", "adapters")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters that forget less", votes=60)])
    plan_daily(rt)
    assert effect(rt, "mails_an_hour", 1) == (
        "The last daily had 3 mails: at this pace 3.0 hours at least."
    )
    assert effect(rt, "signal_votes", 50) == (
        "1 of 1 paper of the last 30 days with 50 votes or more."
    )
    assert effect(rt, "interests", 1).startswith("3 readers have as many or more; the most is 1.")
    assert effect(rt, "typed_above", 2) == "From 3 mails on the number is typed; none was sent yet."
    audit(rt, "olga", "log in failed")
    house.clock.go(days=31)
    assert effect(rt, "keep_audit_days", 30).startswith("4 acts are older")
    assert (
        effect(rt, "keep_audit_days", 32) == "No act is older than 32 days: nothing goes tonight."
    )
    for row in flow.list_settings(rt):  # each says what it changes, at both ends of what it may be
        told = {value: effect(rt, row.name, value) for value in (row.value, row.least, row.most)
                if value is not None}  # fmt: skip
        assert len(told) == 1 or len({*told.values()}) > 1 or row.name.startswith("session_"), told
        for value, said in told.items():
            assert re.fullmatch(r"[A-Z0-9].*\.", said), (row.name, value, said)
            assert not re.search(r"\b1 \w+s (are|have|stand|wait|pause|bar|get)\b", said), said
    assert effect(rt, "soft_rests", 4) == ("It rests 2, 4, 8, 16 days, then the address is barred.")
    assert effect(rt, "soft_rest_days", 60) == (
        "It rests 60, 120, 240, 365 days, then the address is barred."
    ), "no longer than a pause"
    assert effect(rt, "refused_rest_minutes", 500) == (
        "It rests 500 minutes, as often as it refuses."
    ), "it is the longest one then"
    assert (
        effect(rt, "breaker_percent", 5) == "Of 20 answers within an hour 2 refusals are too many."
    )


@pytest.mark.slow
def test_the_page_looks_before_it_saves_and_only_owners_save(house: Reading) -> None:
    owner, token = signed_in(house, "owner")
    there = "/admin/settings/typed_above"
    page = owner.get(there, params={"value": "5"}).text
    assert "Save 5 in place of 1000" in page
    assert house.rt.defaults().typed_above == 1000
    wrong = owner.get(there, params={"value": "many"})
    assert wrong.status_code == 422
    assert "Use 1 to 1000000" in wrong.text
    data = {"token": token, "value": "5", "was": "1000", "reason": "few"}
    assert "Saved." in owner.post(there, data=data).text
    again = owner.post(there, data={**data, "value": "7"})
    assert again.status_code == 422
    assert "it is 5 now" in again.text
    listed = owner.get("/admin/settings", params={"only": "changed"}).text
    assert "typed_above" in listed
    assert "keep_raw_days" not in listed
    assert "ann-owner" in listed
    assert "Back to the default" in owner.get(there).text
    owner.post(there, data={"token": token, "value": "default", "was": "5"})
    assert house.rt.defaults().typed_above == 1000
    days = owner.get("/admin/settings/weekdays", params={"value": ["", "mon", "wed"]}).text
    assert "Save mon, wed in place of mon, tue, wed, thu, fri" in days
    none = owner.get("/admin/settings/weekdays", params={"value": ""})
    assert (none.status_code, "None of them is chosen." in none.text) == (422, True)
    assert 'type="radio" name="value" value="until"' in owner.get("/admin/settings/release").text
    create_admin(house.rt, "olaf", "owner", by="cli")
    viewer, theirs = signed_in(house, "viewer")
    looked = viewer.get(there, params={"value": "5"}).text
    assert "Then" in looked
    assert "in place of" not in looked
    refused = viewer.post(there, data={**data, "token": theirs})
    assert refused.status_code == 403
    assert "needs the role owner; yours is viewer" in refused.text
    assert "Who may: ann-owner." in refused.text, "not who waits for a password"
    assert "another session" in viewer.post("/admin/account", data={"token": "x"}).text
    assert viewer.get("/admin/settings/machine").status_code == 403
    assert owner.get("/admin/settings/machine").status_code == 200
    assert owner.get("/admin/settings/login_minutes").status_code == 404


@pytest.mark.slow
def test_in_test_mode_every_page_says_where_mails_go(house: Reading, tmp_path: Path) -> None:
    rt = house.rt
    rt.test_recipient = "operator@example.net"
    add(rt, "ada@uni.example", "adapters")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters that forget less")])
    plan_daily(rt)
    house.send()
    owner, _ = signed_in(house, "owner")
    for path in ("", "/sources", "/readers", "/editions", "/send", "/settings", "/account"):
        page = owner.get(f"/admin{path}").text
        assert "Test mode: every mail goes to operator@example.net" in page, path
    rt.test_recipient = ""
    for path in ("deliveries", "deliveries/1"):
        page = owner.get(f"/admin/{path}").text
        assert "ada@uni.example" in page
        assert "test mode, to operator@example.net" in page
        assert "every mail goes to" not in page
    assert "test mode, to operator@example.net" in owner.get("/admin/editions/1").text


def test_the_machines_settings_are_told_without_what_opens_anything(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("PAPERPOST_SITE_NAME=Library\n# PAPERPOST_ORG_NAME=x\n", encoding="utf-8")
    settings = load_settings(
        file,
        data_dir=tmp_path,
        smtp_url="smtps://user:p%40ss@relay.example:465",
        database_url="postgresql+psycopg://paperpost:hidden@db.example/p?sslpassword=hidden",
        secret_key="a-secret-of-many-letters",
    )
    found = told(settings, {"PAPERPOST_PORT": "8000"}, file)
    shown = {t["name"].removeprefix("PAPERPOST_"): (t["value"], t["source"]) for t in found}
    assert shown["SMTP_URL"] == ("smtps://user:…@relay.example:465", "the command")
    assert shown["DATABASE_URL"] == (
        "postgresql+psycopg://paperpost:…@db.example/p?sslpassword=…", "the command",
    )  # fmt: skip
    assert shown["SECRET_KEY"] == ("set, not shown", "the command")
    assert shown["SITE_NAME"] == ("Library", ".env")
    assert shown["ORG_NAME"] == ("", "default")
    assert shown["PORT"] == ("8000", "environment")
    everything = " ".join(t["value"] for t in found)
    assert [s for s in ("p%40ss", "hidden", "a-secret") if s in everything] == []
    assert masked("mailbox:") == "mailbox:"


@pytest.mark.slow
def test_commands_change_accounts_and_settings_and_find_the_acts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell = Shell(tmp_path, monkeypatch)
    shell.say("admin", "create", "ann", "--role", "owner")
    shell.say("admin", "create", "bo", "--role", "viewer")
    assert shell.say("admin", "role", "bo", "--role", "editor", "--json").json["role"] == "editor"
    assert shell.say("admin", "rename", "bo", "bob").code == 0
    assert shell.say("admin", "email", "bob", "nonsense").code == 2
    assert shell.say("admin", "email", "bob", "bob@x.example").code == 0
    assert shell.say("admin", "end", "ann").code == 1
    assert shell.say("admin", "end", "nobody").code == 1
    assert shell.say("admin", "revoke").code == 2
    assert shell.say("admin", "revoke", "7").code == 1
    assert shell.say("admin", "revoke", "--all", "bob", "--json").json["ended"] == 0
    listed = shell.say("admin", "list", "--json").json
    assert [(a["name"], a["role"], a["email"]) for a in listed] == [
        ("ann", "owner", ""),
        ("bob", "editor", "bob@x.example"),
    ]
    dry = shell.say("settings", "set", "hour", "9", "--dry-run", "--json").json
    assert (dry["before"], dry["after"]) == (8, 9)
    assert shell.say("settings", "set", "hour", "9", "--reason", "later").code == 0
    assert shell.say("settings", "set", "hour", "nine").code == 2
    assert shell.say("settings", "show", "hour", "--json").json["history"][0]["reason"] == "later"
    changed = shell.say("settings", "list", "--changed", "--json").json
    assert [row["name"] for row in changed] == ["hour"]
    acts = shell.say("audit", "list", "--what", "rename", "--json").json
    assert [(a["who"], a["before"], a["after"]) for a in acts] == [
        ("cli", {"name": "bo"}, {"name": "bob"})
    ]
    assert "8 -> 9" in shell.say("audit", "list", "--who", "cli", "--target", "hour").out
    assert shell.say("audit", "export", "--what", "setting").out.count("\n") == 2
    assert shell.say("audit", "list", "--since", "2026-12-02", "--until", "2026-12-01").code == 2
    monkeypatch.setenv("PAPERPOST_SMTP_URL", "smtps://user:p%40ss@127.0.0.1:465")
    machine = shell.say("settings", "machine", "--json")
    assert {"smtps://user:…@127.0.0.1:465", "environment"} <= {
        value for row in machine.json for value in row.values()
    }
    assert "p%40ss" not in machine.out
    assert "PAPERPOST_SMTP_URL" in shell.say("settings", "machine").out
