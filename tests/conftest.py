"""What all tests share: databases, Hypothesis profiles, the lines at the end of a run."""

from __future__ import annotations

import gc
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings
from support.captures import shared_data
from support.collecting import Collected
from support.parts import WHY, left_out, lines
from support.required import skip_unless_required
from support.sizes import BOTH

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from support.postgres import Cluster

_QUIET = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
for _name, _examples in (("quick", 25), ("thorough", 50)):
    settings.register_profile(
        _name,
        deadline=None,
        max_examples=_examples,
        derandomize=bool(os.environ.get("CI")),
        suppress_health_check=_QUIET,
    )


def is_quick(config: pytest.Config) -> bool:
    """Whether slow tests are left out: then random examples are few, too."""
    return "not" in config.option.markexpr and "slow" in config.option.markexpr


@pytest.fixture(scope="session")
def quick(pytestconfig: pytest.Config) -> bool:
    """For a test that looks at fewer of many alike cases in a quick run."""
    return is_quick(pytestconfig)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of captured real inputs; skips where they are not beside the checkout."""
    return shared_data()


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of an installed Chromium, for playwright's executable_path."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    skip_unless_required("browser", "chromium is not on PATH")


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """A running Chromium for the tests of a module, each with contexts and pages of its own."""
    from support.browsing import launched  # quick runs never load playwright

    with launched(chromium) as made:
        yield made


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Cluster]:
    """One PostgreSQL server for this test process."""
    from support.postgres import running_cluster  # quick runs never load the driver

    with running_cluster() as cluster:
        yield cluster


@pytest.fixture
def postgres_url(postgres_cluster: Cluster) -> Iterator[str]:
    """The URL of a PostgreSQL database of the newest revision without rows (the test itself
    carries the marker)."""
    with postgres_cluster.laid_database() as url:
        yield url


@pytest.fixture
def empty_postgres_url(postgres_cluster: Cluster) -> Iterator[str]:
    """The URL of a new PostgreSQL database without tables."""
    with postgres_cluster.database() as url:
        yield url


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without rows: the test runs once on SQLite (a file that is not there
    yet) and once on PostgreSQL (migrated)."""
    if request.param == "sqlite":
        return f"sqlite:///{(tmp_path / 'paperpost.db').as_posix()}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture(params=BOTH)
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without tables, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{(tmp_path / 'paperpost.db').as_posix()}"
    return str(request.getfixturevalue("empty_postgres_url"))


@pytest.fixture
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2 with its smallest cost, for tests that log in but do not measure the hash."""
    from pwdlib import PasswordHash
    from pwdlib.hashers.argon2 import Argon2Hasher

    from service.flows import passwords

    cheap = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))
    monkeypatch.setattr(passwords, "_hasher", cheap)
    monkeypatch.setattr(passwords, "_nobody", cheap.hash("nobody has this one"))


@pytest.fixture(scope="session", autouse=True)
def _nobody_asks_the_dns() -> Iterator[None]:
    """Nor do the programs that tests start: the machine's DNS servers are not on loopback."""
    from service.delivery.dns import Resolver

    true = Resolver._resolver

    def on_loopback(self: Resolver) -> Any:
        if not self.servers or any(host not in ("127.0.0.1", "::1") for host, _ in self.servers):
            raise OSError("tests ask a stub on loopback alone")
        return true(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Resolver, "_resolver", on_loopback)
        patch.setenv("PAPERPOST_NAMESERVER", "none")
        yield


def pytest_collection(session: pytest.Session) -> None:
    """The catalogs of templates/ are read once for this process, also while modules are imported;
    others are read as they are."""
    from service.delivery.i18n import Catalogs
    from service.resources import resource_dir

    ours, load = resource_dir("templates") / "locale", Catalogs.load
    kept: list[Catalogs] = []

    def load_once(folder: Path) -> Catalogs:
        if folder != ours:
            return load(folder)
        if not kept:
            kept.append(load(folder))
        return kept[0]

    patch = pytest.MonkeyPatch()
    patch.setattr(Catalogs, "load", load_once)
    session.config.add_cleanup(patch.undo)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes and long texts go by their argument's name: what they hold may differ per worker.

    gzip, for one, writes the second of packing into its header.
    """
    return argname if isinstance(val, bytes) or (isinstance(val, str) and len(val) > 60) else None


_LEFT_OUT = pytest.StashKey[Counter[str]]()
_COLLECTED = pytest.StashKey[Collected]()


@pytest.fixture(scope="session")
def collected(pytestconfig: pytest.Config) -> Collected:
    """Every test that this process found, also those that this run leaves out."""
    return pytestconfig.stash[_COLLECTED]


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_LEFT_OUT] = Counter()
    config.stash[_COLLECTED] = []
    settings.load_profile("quick" if is_quick(config) else "thorough")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark what does more in a whole run than in a quick one: .ci/run runs it in both. The tests of
    a module that need a browser are one group: one process starts it, and furnishes their house."""
    draws = getattr(getattr(item, "obj", None), "is_hypothesis_test", False)
    if draws or "quick" in getattr(item, "fixturenames", ()):
        item.add_marker("deeper")
    if item.get_closest_marker("browser") and item.get_closest_marker("xdist_group") is None:
        item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))
    marks = frozenset(mark.name for mark in item.iter_markers())
    item.config.stash[_COLLECTED].append((item.nodeid, marks))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long goes first (the rest stays in its random order): what one process must do
    together, the storms, and what has a limit of its own. Begun last, they would go on while the
    other processes have nothing."""
    items.sort(key=_is_short)


def pytest_collection_finish() -> None:
    """What was collected stays: the collector need not look at it again and again, nor as often as
    in a small process (a tenth of the processor time of a run)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)


_LONG = ("xdist_group", "faults", "timeout")


def _is_short(item: pytest.Item) -> tuple[bool, ...]:
    return tuple(item.get_closest_marker(name) is None for name in _LONG)


def pytest_deselected(items: list[pytest.Item]) -> None:
    for item in items:
        marks = [mark for mark in WHY if item.get_closest_marker(mark)]
        item.config.stash[_LEFT_OUT][marks[0] if marks else "otherwise"] += 1


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Every xdist worker collects everything: the counts of any one of them are the whole."""
    counted = getattr(node, "workeroutput", {}).get("left_out")
    if counted:
        node.config.stash[_LEFT_OUT] = Counter(counted)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = dict(session.config.stash[_LEFT_OUT])


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    reports = [
        (report.nodeid, _word(outcome, report.when), report.duration)
        for outcome, listed in terminalreporter.stats.items()
        if outcome in ("passed", "failed", "error", "skipped", "xfailed", "xpassed", "")
        for report in listed
        if hasattr(report, "duration")
    ]
    terminalreporter.section("parts")
    for line in lines(reports) + left_out(config.stash[_LEFT_OUT]):
        terminalreporter.write_line(line)


def _word(outcome: str, when: str | None) -> str:
    return "" if outcome == "passed" and when != "call" else outcome
