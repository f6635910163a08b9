"""A real Postfix of our own between the product and smtp-sink: killed, started again, end to end.

Nothing of the machine's Postfix is used but its programs: configuration, queue, log and ports are
below one folder. What the sink took stands in its dumps, one file a message.
"""

import os
import pwd
import random
import re
import shutil
import signal
import socket
import stat
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

from support.required import skip_unless_required
from support.storm.book import Tally
from support.storm.checker import Event
from support.storm.ground import Ground
from support.storm.halts import by_clock
from support.storm.relay import MESSAGE_ID, PART
from support.storm.verdict import settle

MAIN = """\
compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
maillog_file = {home}/mail.log
maillog_file_prefixes = {home}
myhostname = relay.example
mydomain = example
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
relayhost = [127.0.0.1]:{sink}
disable_dns_lookups = yes
smtp_host_lookup = native
default_transport = smtp
relay_transport = smtp
local_transport = error:none
local_recipient_maps =
alias_maps =
alias_database =
enable_long_queue_ids = yes
smtpd_recipient_restrictions = permit_mynetworks, reject
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_peername_lookup = no
notify_classes =
bounce_queue_lifetime = 0
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
smtp_tls_security_level = none
smtpd_tls_security_level = none
default_process_limit = 30
"""

MASTER = """\
{port}    inet  n - n - - smtpd
postlog   unix-dgram n - n - 1 postlogd
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
smtp      unix  - - n - - smtp
relay     unix  - - n - - smtp
showq     unix  n - n - - showq
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
lmtp      unix  - - n - - lmtp
"""


def program(name: str) -> str:
    """Where a program of Postfix is; skips (or fails, when required) without."""
    found = shutil.which(name) or (
        f"/usr/sbin/{name}" if Path(f"/usr/sbin/{name}").exists() else ""
    )
    if not found or os.geteuid() != 0:
        skip_unless_required("postfix", f"{name} is not installed, or this is not root")
    return found


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


class Postfix:
    """``port`` takes mail; ``log`` is its mail log; ``queued`` is what it still holds."""

    def __init__(self, home: Path, sink: int = 9, **settings: str) -> None:
        """home: a folder to be made · sink: port that all mail goes on to · settings: of
        main.cf, in place of ours; {config} in one is the folder that holds it."""
        self.home, self.port = home, _free()
        self.config = home / "etc"
        for folder in ("etc", "queue", "data"):
            (home / folder).mkdir(parents=True)
        home.chmod(0o755)
        os.chown(home / "data", pwd.getpwnam("postfix").pw_uid, 0)
        ours = dict(line.split(" =", 1) for line in MAIN.splitlines())
        ours |= {name: " " + words for name, words in settings.items()}
        lines = "".join(f"{name} ={words}\n" for name, words in ours.items())
        (self.config / "main.cf").write_text(lines.format(home=home, sink=sink, config=self.config))
        (self.config / "master.cf").write_text(MASTER.format(port=self.port))
        self.log = home / "mail.log"

    def start(self) -> None:
        """Start, and wait until it answers."""
        done = subprocess.run(
            [program("postfix"), "-c", str(self.config), "start"],
            check=False, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert not done.returncode, done.stdout + done.stderr + self._words()
        for _ in range(200):
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), 0.2).close()
                return
            time.sleep(0.05)
        raise AssertionError("Postfix does not answer: " + self._words())

    def _words(self) -> str:
        return self.log.read_text(errors="replace")[-1500:] if self.log.exists() else ""

    def kill(self) -> int:
        """Its master and all that it started die at once; how many."""
        file = self.home / "queue/pid/master.pid"
        master = int(file.read_text().strip())
        mine = [master]
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with suppress(OSError, IndexError, ValueError):
                    parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                    if parent == master:
                        mine.append(int(entry.name))
        for pid in mine:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for _ in range(200):
            if not any(Path(f"/proc/{pid}").exists() and not _is_zombie(pid) for pid in mine):
                break
            time.sleep(0.01)
        return len(mine)

    def queued(self) -> int:
        """Messages that it took and still has; a file that may not be executed was broken off
        before its 250, and is none."""
        found = 0
        for name in ("incoming", "active", "deferred", "maildrop"):
            for file in (self.home / "queue" / name).rglob("*"):
                with suppress(FileNotFoundError):
                    mode = file.stat().st_mode
                    found += stat.S_ISREG(mode) and bool(mode & stat.S_IXUSR)
        return found

    def reload(self) -> None:
        """Have it read its configuration again."""
        self._tell("reload")

    def stop(self) -> None:
        """In order, whatever state it is in."""
        self._tell("stop")

    def _tell(self, word: str) -> None:
        subprocess.run(
            [program("postfix"), "-c", str(self.config), word],
            check=False, capture_output=True, timeout=60,
        )  # fmt: skip


def _is_zombie(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return True


@contextmanager
def sink(folder: Path) -> Iterator[tuple[int, Path]]:
    """smtp-sink: its port, and the folder of its dumps."""
    dumps = folder / "dumps"
    dumps.mkdir(mode=0o777)
    dumps.chmod(0o777)
    port = _free()
    command = [
        program("smtp-sink"),
        "-u",
        "nobody",
        "-R",
        str(dumps),
        "-d",
        "m.",
        f"127.0.0.1:{port}",
        "200",
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        try:
            for _ in range(100):
                with suppress(OSError):
                    socket.create_connection(("127.0.0.1", port), 0.2).close()
                    break
                time.sleep(0.05)
            yield port, dumps
        finally:
            child.kill()


_QUEUED = re.compile(rb"\bby \S+ \(Postfix\) with E?SMTP id ([0-9A-Za-z]+)")
"""Postfix's number of a message; above it stands the sink's own line."""


def dumped(dumps: Path) -> list[Event]:
    """What the sink took, in the shape of our own relay's log."""
    found: list[Event] = []
    for file in sorted(dumps.iterdir(), key=lambda one: one.stat().st_mtime_ns):
        data = file.read_bytes()
        name = MESSAGE_ID.search(data)
        to = re.search(rb"(?im)^X-Rcpt-Args: <([^>]*)>", data)
        queue = _QUEUED.search(data)
        flat = data.replace(b"\r\n", b"\n").replace(b"=\n", b"")
        found.append(
            {
                "e": "taken",
                "id": name[1].decode() if name else "",
                "to": to[1].decode() if to else "",
                "sha": "",
                "parts": sorted({int(n) for n in PART.findall(flat)}),
                "seen": b"may have seen" in flat,
                "queue": queue[1].decode() if queue else "",
            }
        )
    return found


def once(log: list[Event]) -> tuple[list[Event], int]:
    """Each message of Postfix's queue once, and how many it handed on twice (killed between the
    sink's answer and the end of its own file: no sender can know)."""
    seen: Counter[str] = Counter()
    kept = []
    for one in log:
        seen[one["queue"]] += 1
        if seen[one["queue"]] == 1 or not one["queue"]:
            kept.append(one)
    return kept, sum(times - 1 for name, times in seen.items() if name)


def run(ground: Ground, tally: Tally, seed: str, relay: Postfix, dumps: Path, kills: int) -> None:
    """Postfix dies in the middle of a send, again and again; each time the sender is let end by
    itself (what it could not hand over waits), and is started twelve minutes of its clock later."""
    dice = random.Random(seed)
    many = len(ground.plan.readers)
    ground.source = lambda: once(dumped(dumps))[0]
    ground.more["PAPERPOST_RELAY_LOG"] = str(relay.log)
    done = minutes = 0
    open_ones = ("planned", "ready", "leased", "sending", "deferred")
    while minutes < 19 * 60:
        child = ground.send(**by_clock(f"+{minutes}m"))
        is_hit = done < kills
        if is_hit:
            had = _many(dumps)
            target = had + dice.randint(1, max(2, (many - had) // (kills - done + 2)))
            while child.poll() is None and _many(dumps) < target:
                time.sleep(0.01)
            time.sleep(dice.uniform(0, 0.05))
            tally.count(kills=1, processes_killed=relay.kill(), in_the_middle=child.poll() is None)
        child.communicate(timeout=300)
        if is_hit:
            relay.start()
            done += 1
        minutes += 12
        if done >= kills and not any(ground.states().get(state) for state in open_ones):
            break
    _drain(relay)
    said = {"held": sum(row["state"] in ("unknown", "presumed") for row in ground.rows())}
    tally.count(hours_of_its_clock=minutes / 60)
    settle(
        ground, tally, most_held=kills * 20, later=timedelta(minutes=minutes), said=said,
        may_have_ended=("expired",), after=lambda: _drain(relay),
    )  # fmt: skip
    tally.count(handed_on_twice_by_postfix=once(dumped(dumps))[1])
    resolved = [row for row in ground.rows() if row["reason"].startswith("proof: ")]
    tally.count(resolved=len(resolved), resolved_by_its_log=len(resolved))


def _many(folder: Path) -> int:
    return sum(1 for _ in folder.iterdir())


def _drain(relay: Postfix) -> None:
    """Wait until Postfix has handed everything on."""
    end = time.monotonic() + 120
    while relay.queued() and time.monotonic() < end:
        time.sleep(0.1)
    assert not relay.queued(), f"{relay.queued()} messages stay in Postfix's queue"
    time.sleep(0.2)
