"""Mails that are put off say why: on the command line, in the log, on Progress and the overview."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.house import add, ingest_items, open_house, paper_item
from support.smtp_server import SmtpServer, reply

from service.cli.ledger_words import edition_lines
from service.flows.daily import plan_daily
from service.flows.deferred import deferrals, words_of
from service.flows.editions import details
from service.flows.runtime import Runtime
from service.flows.send import send_ready
from service.store.deliveries import list_deliveries


@pytest.fixture
def rt(tmp_path: Path, server: SmtpServer) -> Iterator[Runtime]:
    with open_house(tmp_path, smtp_port=server.port) as house:
        ingest_items(house.runtime, tmp_path, [paper_item(1, "Adapters that forget less")])
        for name in ("ada", "ben", "cy"):
            add(house.runtime, f"{name}@example.org", "adapters")
        yield house.runtime


def test_put_off_mails_are_grouped_by_the_servers_words(
    rt: Runtime, server: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[dict[str, object]] = []
    monkeypatch.setattr(rt, "log", lambda event, **facts: told.append({"event": event, **facts}))
    for name in ("ada", "ben"):
        server.on("RCPT", reply(f"450 4.2.0 <{name}@example.org>: greylisted"), match=f"{name}@")
    server.on("RCPT", reply("452 4.3.1 disk full"), match="cy@")
    made = plan_daily(rt)
    report = asyncio.run(send_ready(rt))
    assert (report.accepted, report.deferred) == (0, 3)
    (first, n), (second, one) = rt.db.read(lambda s: deferrals(s, made.editions))
    assert (n, one) == (2, 1)
    assert first.startswith("450")
    assert "greylisted" in first
    assert "@" not in first, "an address belongs into no log and makes no group"
    assert "disk full" in second
    shown = rt.db.read(lambda s: details(s, made.editions[0]))
    assert [w["count"] for w in shown["put_off"]] == [2, 1]
    last = max(row.deadline_at for row in rt.db.read(list_deliveries))
    assert shown["put_off_until"] == last.isoformat()
    assert f"tried again until {last:%Y-%m-%dT%H:%M} UTC at the latest" in edition_lines(shown)
    assert rt.db.read(lambda s: deferrals(s, [999])) == []
    (line,) = [f for f in told if f["event"] == "send"]
    assert dict(line["said"])[first] == 2  # type: ignore[call-overload]


def test_a_silent_server_has_words_too() -> None:
    assert words_of(None, "") == "no answer"
    assert words_of(535, "5.7.8 no, a.b@c.org") == "535 5.7.8 no, …"
