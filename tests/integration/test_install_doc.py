"""docs/install.md is carried out: each command of its blocks runs here, or says why it cannot."""

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from support.bare_venv import ROOT, build_wheel, locked_names

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

DOC = ROOT / "docs" / "install.md"
PLACES = {"/opt/paperpost": "opt", "/var/lib/paperpost": "data", "/etc/systemd/system": "units"}
LEFT_OUT = {
    "sudo useradd": "makes an account of the system: root only",
    "sudo install -d -o paperpost": "gives a folder to that account: root only",
    "sudo /opt/paperpost/venv/bin/pip install --require-hashes": "downloads; linked in instead",
    "sudo systemctl": "needs systemd and root; the service is started by hand here",
    "curl": "asked with Python's own client, on a free port",
}
ANSWERS = [
    *("Reading club", "Example University Library", "papers@example.org"),
    *("http://127.0.0.1:8000", "Europe/Zurich", "mailbox:", "open", "none", "owner", "later"),
]


def blocks() -> list[list[str]]:
    """The lines of the fenced blocks, one list per block."""
    found = re.findall(r"^```sh\n(.*?)^```", DOC.read_text(encoding="utf-8"), re.M | re.S)
    return [block.splitlines() for block in found]


def reason(command: str) -> str | None:
    """Why a command cannot run here."""
    return next((why for start, why in LEFT_OUT.items() if command.startswith(start)), None)


class Machine:
    """A folder that stands for the server; commands run there without root."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.downloads = folder / "downloads"
        self.data = folder / "data"
        self._here = self.downloads
        for name in ("downloads/dist", "data", "units"):
            (folder / name).mkdir(parents=True)
        shutil.copy(ROOT / "requirements.lock", self.downloads)
        for name in ("deploy", "docs"):
            shutil.copytree(ROOT / name, self.downloads / name)

    def run(self, command: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        """Run one line of the page: without sudo, and with the places of this machine."""
        words = shlex.split(re.sub(r"^sudo (-u \w+ )?", "", command))
        words = [w for word in words for w in self._placed(word)]
        if words[0] == "cd":
            self._here = Path(words[1])
            words = ["true"]
        if words[0] == "python3":
            words[0] = sys.executable
        return subprocess.run(
            words, cwd=self._here, input=typed, capture_output=True, text=True, check=False,
            env=self.environment,
        )  # fmt: skip

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": os.defpath, "HOME": str(self.folder), "LANG": "C.UTF-8"}

    def _placed(self, word: str) -> list[str]:
        for theirs, ours in PLACES.items():
            word = word.replace(theirs, str(self.folder / ours))
        return [str(p) for p in self._here.glob(word)] if "*" in word else [word]

    def link_core(self) -> None:
        """What the lock file names, from the environment of the tests: no download."""
        (packages,) = (self.folder / "opt/venv/lib").glob("python*/site-packages")
        for name in locked_names(ROOT / "requirements.lock"):
            try:
                files = distribution(name).files or ()
            except PackageNotFoundError:
                continue  # for another platform or Python
            for file in files:
                source, target = Path(str(distribution(name).locate_file(file))), packages / file
                if ".." in file.parts or not source.is_file() or target.exists():
                    continue
                target.parent.mkdir(parents=True, exist_ok=True)
                target.symlink_to(source)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """Step 1 of the page, done."""
    made = Machine(tmp_path_factory.mktemp("server"))
    build_wheel(made.downloads / "dist")
    for command in blocks()[0]:
        if reason(command) is None:
            done = made.run(command)
            assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        elif "--require-hashes" in command:
            made.link_core()
    return made


def test_every_command_is_run_or_left_out_for_a_reason() -> None:
    commands = [line for block in blocks() for line in block]
    assert [c for c in commands if reason(c)] != []
    known = ("install", "python3", "cp", "pip", "cd", "paperpost", "sqlite3", "PAPERPOST_")
    strangers = []
    for command in commands:
        words = re.sub(r"^sudo (-u \w+ )?", "", command).split()
        if reason(command) is None and not Path(words[0].partition("=")[0]).name.startswith(known):
            strangers.append(command)
    assert strangers == []


def setup_and_doctor_as_written(machine: Machine) -> None:
    setup, doctor = blocks()[1][1:]
    assert machine.run(blocks()[1][0]).returncode == 0
    done = machine.run(setup, "\n".join(ANSWERS) + "\n")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Written: .env" in done.stdout
    assert "/admin/link/" in done.stdout
    assert (machine.data / ".env").is_file()
    done = machine.run(doctor)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not re.search(r"^fail\b", done.stdout, re.M), done.stdout


def the_service_file_names_what_step_one_made(machine: Machine) -> None:
    copy = next(c for c in blocks()[2] if c.startswith("sudo cp"))
    assert machine.run(copy).returncode == 0
    unit = (machine.folder / "units" / "paperpost.service").read_text(encoding="utf-8")
    for line in re.findall(r"^Exec\w+=(\S+) (\w+)$", unit, re.M):
        assert line[0] == "/opt/paperpost/venv/bin/paperpost"
        done = machine.run(f"{line[0]} {line[1]} --help")
        assert done.returncode == 0, done.stderr
    assert "WorkingDirectory=/var/lib/paperpost" in unit


def it_runs_answers_and_ends(machine: Machine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    path = urlsplit(blocks()[2][-1].split()[-1]).path
    program = machine.folder / "opt/venv/bin/paperpost"
    serving = subprocess.Popen(
        [program, "run", "--port", str(port)], cwd=machine.data, env=machine.environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as answer:
                    assert answer.status == 200
                break
            except OSError:
                assert serving.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.2)
    finally:
        serving.terminate()
    assert serving.wait(60) == 0


def the_lines_of_the_web_step_are_settings(machine: Machine) -> None:
    env = machine.data / ".env"
    before = env.read_text(encoding="utf-8")
    names = {line.partition("=")[0] for line in blocks()[3]}
    assert names == {"PAPERPOST_BASE_URL", "PAPERPOST_TRUSTED_PROXIES"}
    kept = [
        line
        for line in before.splitlines()
        if line.partition("=")[0] not in {*names, "PAPERPOST_SMTP_URL"}
    ] + ["PAPERPOST_SMTP_URL=smtp://127.0.0.1"]  # the mailbox is for this machine alone
    try:
        env.write_text("\n".join(kept + blocks()[3]) + "\n", encoding="utf-8")
        made = machine.run("/opt/paperpost/venv/bin/paperpost admin create NAME --role owner")
        assert made.stdout.startswith("https://papers.example.org/admin/link/"), made.stderr
    finally:
        env.write_text(before, encoding="utf-8")


def readers_from_a_list(machine: Machine) -> None:
    text = "email,keywords\nada@uni.example,LoRA\n"
    (machine.data / "readers.csv").write_text(text, encoding="utf-8")
    cd, command = blocks()[4][:2]
    assert command.endswith("/opt/paperpost/venv/bin/paperpost subscribers import readers.csv")
    assert machine.run(cd).returncode == 0
    done = machine.run(command)
    assert done.returncode == 0, done.stderr
    assert "1" in done.stdout


def the_other_lines_of_later(machine: Machine) -> None:
    account, check, backup = blocks()[4][2:]
    made = machine.run(account)
    assert "/admin/link/" in made.stdout, made.stderr
    assert "test mail" in machine.run(check).stdout
    if shutil.which("sqlite3"):
        done = machine.run(backup)
        assert done.returncode == 0, done.stderr
        assert (machine.data / "paperpost-backup.db").stat().st_size > 0


def test_every_paperpost_command_names_its_place_and_its_user() -> None:
    """A bare one is not on the PATH; run elsewhere it opens an empty ./var of another user."""
    text = DOC.read_text(encoding="utf-8")
    in_words = re.findall(r"`(paperpost [^`]+)`", text)
    assert in_words == []
    commands = [c for block in blocks() for c in block if "bin/paperpost " in c]
    assert len(commands) >= 5
    prefix = "sudo -u paperpost /opt/paperpost/venv/bin/paperpost "
    assert [c for c in commands if not c.startswith(prefix)] == []
    for block in blocks():
        if any("bin/paperpost " in c for c in block):
            assert block[0] == "cd /var/lib/paperpost"


def test_every_file_the_page_names_is_where_it_says() -> None:
    """.env.example does not travel with a release; docs/ and deploy/ do."""
    text = DOC.read_text(encoding="utf-8")
    assert ".env.example" not in text
    for name in re.findall(r"/opt/paperpost/((?:docs|deploy)/[\w.-]+)", text):
        assert (ROOT / name).is_file(), name


def test_the_page_from_top_to_bottom(machine: Machine) -> None:
    """One test, since each step stands on the one before."""
    setup_and_doctor_as_written(machine)
    the_service_file_names_what_step_one_made(machine)
    it_runs_answers_and_ends(machine)
    the_lines_of_the_web_step_are_settings(machine)
    readers_from_a_list(machine)
    the_other_lines_of_later(machine)
    assert (machine.data / ".env").is_file()
