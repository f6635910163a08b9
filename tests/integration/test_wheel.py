"""The wheel works alone: installed beside the locked core, away from the checkout, offline."""

import os
import sqlite3
import subprocess
from pathlib import Path
from zipfile import ZipFile

import pytest
from support.bare_venv import (
    ROOT,
    build_wheel,
    extra_names,
    link,
    locked_names,
    make_bare_venv,
)
from support.command import list_of
from support.dkim_keys import holds, make_key
from support.smtp_server import SmtpServer

from service import __version__
from service.delivery.dkim import keys_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
ON = "2026-11-18"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    # The blank is on purpose.
    return make_bare_venv(tmp_path_factory.mktemp("bare") / "an environment", wheel)


def run(
    programs: Path, home: Path, *words: str, **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run a program of the bare environment in an empty folder, with an empty environment but for
    settings of ours."""
    ours = {f"PAPERPOST_{name}": value for name, value in settings.items()}
    return subprocess.run(
        [str(programs / words[0]), *words[1:]], cwd=home, capture_output=True, text=True,
        check=False, env={"PATH": os.defpath, "HOME": str(home), "LANG": "C.UTF-8", **ours},
    )  # fmt: skip


def test_the_wheel_holds_templates_migrations_and_data(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = archive.namelist()
    assert "service/data/sample_day.json" in names
    assert "service/data/presets.json" in names
    assert "service/_bundled/alembic/env.py" in names
    for folder in ("templates", "alembic"):
        here = {
            f"service/_bundled/{path.relative_to(ROOT).as_posix()}"
            for path in (ROOT / folder).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        assert here <= set(names)
    assert [n for n in names if n.endswith((".pyc", ".env")) or "/var/" in n] == []
    assert any(n.endswith("licenses/LICENSE") for n in names)


def test_only_the_core_lock_is_there(programs: Path, tmp_path: Path) -> None:
    assert "fastapi" in locked_names(ROOT / "requirements.lock")
    absent = run(programs, tmp_path, "python", "-c", "import pytest")
    assert "No module named 'pytest'" in absent.stderr
    where = run(programs, tmp_path, "python", "-c", "import service; print(service.__file__)")
    assert str(programs.parent) in where.stdout, where.stderr


def test_it_says_its_version(programs: Path, tmp_path: Path) -> None:
    done = run(programs, tmp_path, "paperpost", "--version")
    assert done.returncode == 0, done.stderr
    assert __version__ in done.stdout


def test_it_migrates_an_empty_folder(programs: Path, tmp_path: Path) -> None:
    done = run(programs, tmp_path, "paperpost", "migrate")
    assert done.returncode == 0, done.stderr
    with sqlite3.connect(tmp_path / "var" / "paperpost.db") as database:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
        revision = database.execute("SELECT version_num FROM alembic_version").fetchall()
    database.close()
    assert {"paper", "subscriber", "delivery"} <= tables
    assert len(revision) == 1


def test_it_renders_and_sends_the_demo(programs: Path, tmp_path: Path) -> None:
    keep = tmp_path / "kept"
    done = run(programs, tmp_path, "paperpost", "demo", "--keep", str(keep))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("-> accepted") >= 3
    assert "Dana" in done.stdout
    mails = {path.name for path in keep.rglob("*.eml")}
    assert {"ada.eml", "ben.eml", "chen.eml"} <= mails
    assert "dana.eml" not in mails
    (page,) = keep.rglob("ada.html")
    assert "reasoning" in page.read_text(encoding="utf-8").lower()


def test_it_signs_what_it_sends_with_the_extra_and_asks_for_it_without(
    programs: Path, wheel: Path, tmp_path: Path
) -> None:
    """From nothing to a signed mail at a relay, as an operator does it."""
    key = f"m1={make_key(tmp_path / 'rsa.pem')}, e1={make_key(tmp_path / 'ed.pem', 'ed25519')}"
    with SmtpServer() as relay:
        settings = {
            "SMTP_URL": f"smtp://127.0.0.1:{relay.port}",
            "MAIL_FROM": "papers@uni.example",
            "DKIM_KEYS": key,
        }

        def paperpost(place: Path, *words: str) -> subprocess.CompletedProcess[str]:
            return run(place, tmp_path, "paperpost", *words, **settings)

        refused = paperpost(programs, "subscribers", "list")
        assert refused.returncode == 1
        assert "this installation cannot sign: dkimpy and PyNaCl are not there" in refused.stderr
        signing = make_bare_venv(tmp_path / "signing", wheel)
        link(signing.parent, extra_names("dkim"))
        items = list_of(tmp_path, "items.json", 1, 2)
        for words in (
            ("migrate",),
            ("subscribers", "add", "ada@uni.example", "--keywords", "adapters", "--confirmed"),
            ("ingest", items, "--kind", "hf_daily", "--on", ON),
            ("send", "daily", "--on", ON),
        ):
            done = paperpost(signing, *words)
            assert done.returncode == 0, (words, done.stdout, done.stderr)
        (mail,) = relay.accepted
    assert mail.recipient == "ada@uni.example"
    assert b"Adapters that forget less" in mail.data
    keys = keys_of(key, settings["MAIL_FROM"])
    assert keys is not None
    assert holds(mail.data, keys) == [True, True]
