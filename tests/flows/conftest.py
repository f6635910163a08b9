"""The house of most flows: an empty database, a relay on loopback, a clock that is set by hand."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.house import Clock, open_house
from support.polling import lead_home
from support.smtp_server import SmtpServer
from support.web_site import WebSite

from service.flows.runtime import Runtime


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with SmtpServer() as made:
        yield made


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[WebSite]:
    """A web site that the adapters ask instead of the real ones."""
    with WebSite() as made:
        lead_home(made, monkeypatch)
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
