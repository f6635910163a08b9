"""Each fault of the fault server through the real fetcher and reader: what is said of it."""

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.fault_server import FAULTS, FaultServer
from support.tls import make_authority

from service.sources.adapter import CaptureError
from service.sources.fetch import Fetcher
from service.sources.outcome import Failed, Fetched, Outcome
from service.sources.parse_pool import parse_here
from service.sources.trouble import reason_of

pytestmark = pytest.mark.xdist_group("bad_answers")
NOW = datetime(2026, 11, 18, tzinfo=UTC)
LARGE = ("larger than 16,777,216 bytes", "too large or too tangled")
BROKE = ("the connection broke", "The connection broke before")
PACKED = ("the answer cannot be unpacked", "too large or too tangled")
NEVER = ("only http and https are fetched", "never asked from here")
ENDLESS = ("the connection broke: the headers have no end", "The connection broke before")
CIRCLE = ("more than 5 redirects", "leads in a circle")
TANGLED = ("no feed", "cannot be read as a list")
BOMB = ("(an XML bomb)", "made to fill the memory")
FAILED = {
    "two_gb": LARGE,
    "two_gb_in_chunks": LARGE,
    "gzip_bomb": LARGE,
    "gzip_bomb_on_a_redirect": LARGE,
    "endless_headers": ENDLESS,
    "endless_header": ENDLESS,
    "endless_trailers": ENDLESS,
    "endless_continue": ENDLESS,
    "reset_at_once": BROKE,
    "reset_in_the_body": BROKE,
    "long_length": BROKE,
    "two_lengths": BROKE,
    "negative_length": BROKE,
    "cut_chunks": BROKE,
    "wrong_chunks": BROKE,
    "huge_chunk": BROKE,
    "not_http": BROKE,
    "old_http": BROKE,
    "zero_in_header": BROKE,
    "gzip_twice": PACKED,
    "not_gzip": PACKED,
    **dict.fromkeys(
        ["xml_bomb", "xml_bomb_on_a_redirect", "xml_bomb_packed", "quadratic_bomb"], BOMB
    ),
    "gzip_of_gzip": TANGLED,
    "zeros": TANGLED,
    "html": ("This is a web page, no feed", "It sends a web page"),
    "nothing": ("The answer is empty", "It sends nothing at all"),
    "nested_json": ("not JSON", "cannot be read as a list"),
    "no_content": ("the server answered 204", "cannot be read as a list"),
    "gone": ("the server answered 410", "does not understand"),
    "broken": ("the server answered 500", "a fault of its own"),
    "loop": CIRCLE,
    "chain/6": CIRCLE,
    "to_nowhere": CIRCLE,
    "to_file": NEVER,
    "to_gopher": NEVER,
    "to_data": NEVER,
    "to_garbage": ("this address cannot be asked", "never asked from here"),
}
READ = {
    **{f"tags/{n}": 5 for n in range(3)},
    **dict.fromkeys(["says_utf8", "says_ascii", "says_utf16", "is_utf16", "says_klingon"], 5),
    "chain/5": 5,
    "half_gzip": 1,
    "short_length": 0,
    "good/7": 5,
}
TOO_SLOW = [
    "drip", "drip_after_a_megabyte", "silence", "slow_headers",
]  # fmt: skip
HANGS_THE_READER = ["nested"]  # tests of the parsing process have it


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with FaultServer() as made:
        yield made


def ask(url: str, seconds: float = 10) -> Outcome:
    """Fetch one address."""
    return asyncio.run(ask_all([url], seconds))[0]


async def ask_all(urls: list[str], seconds: float) -> list[Outcome]:
    """Fetch several addresses at once."""
    async with Fetcher(
        "Paperpost", clock=lambda: NOW, allow_private=True, seconds=seconds
    ) as fetcher:
        return await asyncio.gather(*map(fetcher.fetch, urls))


@pytest.fixture(scope="module")
def found(server: FaultServer) -> dict[str, Outcome]:
    """The outcome of every fault that ends by itself."""
    names = [*FAILED, *READ]
    begun = time.monotonic()
    outcomes = asyncio.run(ask_all([server.url(name) for name in names], 30))
    assert time.monotonic() - begun < 20
    return dict(zip(names, outcomes, strict=True))


def test_every_fault_is_expected() -> None:
    expected = {*FAILED, *READ, *TOO_SLOW, *HANGS_THE_READER}
    assert {name.partition("/")[0] for name in expected} == set(FAULTS)


@pytest.mark.parametrize("name", sorted(FAILED))
def test_what_cannot_be_read_is_said_in_words(found: dict[str, Outcome], name: str) -> None:
    reason, what = FAILED[name]
    outcome = found[name]
    if isinstance(outcome, Fetched):
        with pytest.raises(CaptureError) as caught:
            parse_here("feed", outcome.body)
        said = caught.value.what
        assert caught.value.where
        assert caught.value.next_step
    else:
        assert isinstance(outcome, Failed)
        said = outcome.reason
        assert outcome.gone == (name == "gone")
    assert reason in said
    assert len(said) <= 300
    assert "bytearray" not in said
    told, to_do = reason_of(said)
    assert what in told
    assert to_do


@pytest.mark.parametrize("name", sorted(READ))
def test_what_can_be_read_is_read(found: dict[str, Outcome], name: str) -> None:
    outcome = found[name]
    assert isinstance(outcome, Fetched)
    parsed = parse_here("feed", outcome.body)
    assert len(parsed.sightings) == READ[name]
    assert len(parsed.title) < 100_000
    assert all("über" in x.paper.title for x in parsed.sightings)
    assert parsed.is_cut == (name in ("half_gzip", "short_length"))


@pytest.mark.parametrize("number", range(3))
def test_a_tag_that_no_header_may_have_is_not_sent_back(
    server: FaultServer, found: dict[str, Outcome], number: int
) -> None:
    """The server would answer 500; a client that cannot even write it would fail for ever."""
    outcome = found[f"tags/{number}"]
    assert isinstance(outcome, Fetched)
    assert (outcome.etag, outcome.last_modified) == ("", "")


def test_what_never_ends_is_ended(server: FaultServer) -> None:
    begun = time.monotonic()
    outcomes = asyncio.run(ask_all([server.url(name) for name in TOO_SLOW], 0.3))
    assert time.monotonic() - begun < 3
    assert outcomes == [Failed(reason="no full answer within 0.3 seconds")] * len(TOO_SLOW)
    assert "too slow" in reason_of("no full answer within 0.3 seconds")[0]


def test_a_server_without_tls(server: FaultServer) -> None:
    found = ask(server.url("good/1").replace("http:", "https:"))
    assert isinstance(found, Failed)
    assert found.reason == "no connection: this server does not speak TLS as it should"
    assert "does not prove" in reason_of(found.reason)[0]
    assert not found.permanent


def test_certificates_that_are_not_trusted_or_of_another_name(tmp_path: Path) -> None:
    authority = make_authority(tmp_path)

    async def once(url: str, *, trusted: bool) -> Outcome:
        file = str(authority.file) if trusted else ""
        async with Fetcher(
            "Paperpost", clock=lambda: NOW, allow_private=True, ca_file=file
        ) as fetcher:
            return await fetcher.fetch(url)

    with FaultServer(authority.context()) as server:
        url = server.url("good/1", "localhost").replace("http:", "https:")
        unknown = asyncio.run(once(url, trusted=False))
        assert isinstance(unknown, Failed)
        assert unknown.reason.endswith("this server shows a certificate of an unknown authority")
        assert not unknown.permanent
        assert isinstance(asyncio.run(once(url, trusted=True)), Fetched)
        named = asyncio.run(once(url.replace("localhost", "127.0.0.1"), trusted=True))
        assert isinstance(named, Failed)
        assert named.reason.endswith("this server shows a certificate for another name")
