"""The demo's desk can be reached: run says how, and no advice leads to another database."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from support.house import open_house
from typer.testing import CliRunner

from service.app import make_app
from service.cli import serving
from service.cli.program import app
from service.flows import staff
from service.wiring import House

ADDRESS = "http://127.0.0.1:8000"


@pytest.fixture
def house(tmp_path: Path, cheap_passwords: None) -> Iterator[House]:
    with open_house(tmp_path) as made:
        yield made


def said_about_staff(house: House, capsys: pytest.CaptureFixture[str], *, demo: bool) -> str:
    serving.greet(house, ADDRESS, demo=demo)
    lines = capsys.readouterr().out.splitlines()
    return next((line for line in lines if line.startswith("Staff:")), "")


def test_a_link_is_printed_until_somebody_has_a_password(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    first = said_about_staff(house, capsys, demo=True).split()[1]
    line = said_about_staff(house, capsys, demo=True)
    link = line.split()[1]
    assert link.startswith(f"{ADDRESS}/admin/link/")
    assert "works once" in line
    with pytest.raises(staff.LinkError):
        staff.look_at_link(house.runtime, first.rpartition("/")[2])
    assert staff.redeem(house.runtime, link.rpartition("/")[2], "correct horse battery") == "owner"
    assert said_about_staff(house, capsys, demo=True).split()[1] == f"{ADDRESS}/admin"


def test_an_installation_of_ones_own_prints_no_link(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said_about_staff(house, capsys, demo=False) == ""


@pytest.mark.parametrize(("banner", "before"), [("Demo", "PAPERPOST_DATA_DIR=var/demo "), ("", "")])
def test_the_log_in_page_names_the_command_for_these_data(
    house: House, banner: str, before: str
) -> None:
    rt = replace(house.runtime, data_dir=Path("var/demo"))
    made = make_app(rt, house.settings, banner=banner)
    page = TestClient(made, base_url=ADDRESS).get("/admin/login").text
    assert f"<code>{before}paperpost admin create NAME --role ROLE</code>" in page


def test_an_account_beside_the_demo_says_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("DATA_DIR", "DATABASE_URL", "SMTP_URL"):
        monkeypatch.delenv(f"PAPERPOST_{name}", raising=False)
    words = ["admin", "create", "Ada", "--role", "owner"]
    assert CliRunner().invoke(app, words).stderr == ""
    (tmp_path / "var" / "demo").mkdir(parents=True)
    (tmp_path / "var" / "demo" / "paperpost.db").touch()
    made = CliRunner().invoke(app, words)
    assert made.exit_code == 0
    assert made.stdout.startswith("http://127.0.0.1:8000/admin/link/")
    assert "PAPERPOST_DATA_DIR=var/demo paperpost admin create" in made.stderr
