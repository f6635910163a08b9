"""A house that is filled and composed once and sent from often: on SQLite a folder, on PostgreSQL a
database in a cluster of the bench's own that waits for the disk at each commit."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from bench.measured.process import Figures, figures_of

DATABASES = ("sqlite", "postgres")


def module(name: str, *more: object) -> Figures:
    """The figures of ``python -m name``."""
    return figures_of(sys.executable, "-m", name, *map(str, more))


@dataclass(frozen=True, slots=True)
class Ground:
    """folder: of the house · database: its URL, "" = SQLite in the folder · copies: of it."""

    folder: Path
    database: str
    copies: Callable[[], AbstractContextManager[str]]

    @contextmanager
    def copy(self) -> Iterator["Ground"]:
        """The same house once more, gone at the end."""
        folder = self.folder.with_name(f"{self.folder.name}-copy")
        shutil.copytree(self.folder, folder)
        try:
            with self.copies() as database:
                yield Ground(folder, database, self.copies)
        finally:
            shutil.rmtree(folder)

    def accepted(self) -> int:
        """Deliveries that the relay took."""
        engine = sa.create_engine(self.database or f"sqlite:///{self.folder / 'paperpost.db'}")
        query = "SELECT count(*) FROM delivery WHERE state = 'accepted' AND code = 250"
        with engine.connect() as rows:
            count = int(rows.execute(sa.text(query)).scalar_one())
        engine.dispose()
        return count


@contextmanager
def cluster_of(database: str) -> Iterator[object]:
    """None for SQLite; for PostgreSQL a cluster (``PYTHONPATH=.:tests``)."""
    if database == "sqlite":
        yield None
        return
    from support.postgres import running_cluster

    with running_cluster(careful=True) as cluster:
        yield cluster


@contextmanager
def composed(
    folder: Path, cluster: object, readers: int, cap: int, interests: int
) -> Iterator[tuple[Ground, Figures]]:
    """A house with its day composed, and what composing took of each digest."""
    with nullcontext("") if cluster is None else cluster.database() as database:  # type: ignore[attr-defined]

        def copies() -> AbstractContextManager[str]:
            if cluster is None:
                return nullcontext("")
            return cluster.copy_of(database.rpartition("/")[2])  # type: ignore[attr-defined,no-any-return]

        numbers = [str(n) for n in (readers, cap, interests)]
        fill = [sys.executable, "-m", "bench.sending.ours", "fill", str(folder), *numbers, database]
        subprocess.run(fill, check=True)
        made = module("bench.sending.ours", "plan", folder, database)
        assert made["ready"] == readers, f"{made['ready']} of {readers} digests are ready"
        yield (
            Ground(folder, database, copies),
            {
                "compose_us": round(made["compose_s"] / readers * 1e6),
                "compose_cpu_us": round(made["compose_cpu_s"] / readers * 1e6),
                "plan_cpu_us": round((made["all_cpu_s"] - made["compose_cpu_s"]) / readers * 1e6),
                "peak_mb": made["peak_mb"],
            },
        )
    shutil.rmtree(folder)
