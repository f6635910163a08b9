"""The house of most flows: an empty database, a relay on loopback, a clock that is set by hand."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.house import Clock, open_house
from support.smtp_server import SmtpServer

from service.flows.runtime import Runtime


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with SmtpServer() as made:
        yield made


@pytest.fixture
def rt(tmp_path: Path, database_url: str, server: SmtpServer, clock: Clock) -> Iterator[Runtime]:
    with open_house(
        tmp_path, smtp_port=server.port, database_url=database_url, clock=clock
    ) as house:
        yield house.runtime


@pytest.fixture
def houses(
    tmp_path: Path, database_url: str, server: SmtpServer
) -> Iterator[tuple[Runtime, Runtime]]:
    """Two processes over one database."""
    with (
        open_house(tmp_path, smtp_port=server.port, database_url=database_url) as one,
        open_house(tmp_path, smtp_port=server.port, database_url=database_url) as two,
    ):
        yield one.runtime, two.runtime
