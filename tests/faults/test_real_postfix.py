"""Product and relay end to end: a real Postfix, killed and started again, in front of smtp-sink."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.storm import postfix
from support.storm.book import Tally
from support.storm.ground import template

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that Postfix's own user may go through, as pytest's are not."""
    with tempfile.TemporaryDirectory(prefix="paperpost-faults-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


def test_postfix_is_killed(folder):
    tally = Tally()
    with postfix.sink(folder) as (sink, dumps):
        relay = postfix.Postfix(folder / "postfix", sink)
        relay.start()
        try:
            made = template(folder / "laid", None, settings={"smtp_connections": "4"}, readers=150)
            with made.copy(folder / "ground", relay.port, folder / "none.jsonl") as ground:
                postfix.run(ground, tally, "1", relay, dumps, 2)
        finally:
            relay.stop()
    print(tally.sums)
    assert tally.breaches == []
    assert tally.sums["kills"] == 2
