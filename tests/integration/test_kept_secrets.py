"""Tokens and addresses stand in no log line, in no error page, in no address that others see."""

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.every_address import ADA, OF_READERS, World, world

from service import log
from service.flows import view

SECRETS = ("confirm", "never", "manage", "fresh", "address", "leave", "mail", "feed", "staff_link")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("world")) as one:
        yield one


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Path]:
    """A folder in which lines are kept as `run` keeps them; everything else is heard too."""
    log.set_up("json", kept=log.KeptLines(tmp_path / "logs", 14))
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.DEBUG)
    try:
        yield tmp_path / "logs"
    finally:
        root.setLevel(level)


def lines(folder: Path) -> str:
    return "".join(file.read_text() for file in folder.glob("*.log"))


def said_by(made: World, text: str) -> list[str]:
    secrets = {name: made.values[name] for name in SECRETS}
    secrets |= {"mailbox": ADA, "session": made.desk.cookies["paperpost"]}
    return [name for name, value in secrets.items() if value in text]


@pytest.mark.slow
def test_a_log_line_masks_what_a_reader_holds(made: World, kept: Path) -> None:
    for route, address in made.pages():
        logging.getLogger("anybody").warning("page %s of %s failed: %s", address, ADA, route)
        log.log("page_failed", path=address, url=f"http://127.0.0.1:8000{address}?x=1", who=ADA)
    for name in OF_READERS:  # also alone, where it is signed
        if "." in made.values[name]:
            log.log("token", what=f"token {made.values[name]} of somebody")
    written = lines(kept)
    assert written.count("page_failed") > 100
    assert said_by(made, written) == []


@pytest.mark.slow  # every page, twice
def test_driving_every_route_leaves_no_token_behind(
    made: World, kept: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for _, address in made.pages():
        for method in ("GET", "HEAD", "OPTIONS", "PUT"):
            made.house.client.request(method, address)
    for _, who, address in made.acts():
        if who in ("confirm", "never", "leave", "fresh", "address"):
            continue  # they would change who is looked at; the same code writes their lines
        token = made.values.get("mail" if who in ("mail", "history") else "manage", "x")
        made.house.client.post(address.replace("{T}", token), data={"email": ADA, "words": "("})

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(
            f"failed with {made.values['mail']} of {ADA} at /d/{made.values['mail']}"
        )

    monkeypatch.setattr(view, "find_view", fail)
    client = made.house.client
    client._transport.raise_server_exceptions = False  # type: ignore[attr-defined]
    answer = client.get(made.address("/d/{mail}"))
    assert answer.status_code == 500
    assert said_by(made, answer.text) == []
    written = lines(kept)
    assert re.search(r"/d/\{token\} failed, reference [0-9a-f]{8}", written)
    assert said_by(made, written) == []
    heard = capsys.readouterr()
    assert said_by(made, heard.err) == []
    assert all(json.loads(line)["event"] for line in written.splitlines())


@pytest.mark.slow
def test_no_page_hands_a_token_to_another_site(made: World) -> None:
    for route, address in made.pages():
        if "{token}" not in route:
            continue
        answer = made.house.client.get(address)
        assert answer.headers["referrer-policy"] == "no-referrer", route
        for link in re.findall(r'(?:href|src|action)="(https?://[^"]+)"', answer.text):
            if not link.startswith("http://127.0.0.1:8000"):
                assert said_by(made, link) == [], (route, link)
        if answer.is_redirect:
            assert answer.headers["location"].startswith("/"), route
