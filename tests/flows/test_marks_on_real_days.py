"""More and less like this, on real days: two readers with the same words, one of whom says so."""

from datetime import timedelta
from pathlib import Path

import pytest
from support.house import Clock, add, open_house

from service.digest.model import Digest, from_json
from service.flows.daily import plan_daily
from service.flows.ingest import ingest_files
from service.flows.manage import tune
from service.flows.runtime import Runtime
from service.store.deliveries import list_deliveries

WORDS = "reasoning, video, diffusion, agents"
DAYS = 5


def mail(rt: Runtime, reader: int) -> Digest:
    rows = rt.db.read(lambda s: list_deliveries(s, subscriber_id=reader))
    content = max(rows, key=lambda row: row.id or 0).content
    assert content is not None
    return from_json(content["digest"])


@pytest.mark.slow
def test_what_was_marked_rises_and_falls_in_the_next_mails(shared: Path, tmp_path: Path) -> None:
    files = sorted((shared / "hf_daily").glob("*.json"))[-DAYS:]
    clock = Clock()
    with open_house(tmp_path, clock=clock) as house:
        rt = house.runtime
        ada, ben = (add(rt, f"{name}@uni.example", WORDS) for name in ("ada", "ben"))
        first = clock().date()
        ingest_files(rt, "hf_daily", files[:-1], on=first)
        plan_daily(rt)
        assert [e.value for e in mail(rt, ada).entries()] == [
            e.value for e in mail(rt, ben).entries()
        ]
        entries = list(mail(rt, ada).entries())
        for entry in entries[:3]:
            tune(rt, ada, entry.paper_id, -1)
        for entry in entries[-3:]:
            tune(rt, ada, entry.paper_id, 1)
        clock.go(days=1)
        ingest_files(rt, "hf_daily", files[-1:], on=first + timedelta(days=1))
        plan_daily(rt)
        marked, plain = list(mail(rt, ada).entries()), list(mail(rt, ben).entries())
        liking = {e.value: e.parts["feedback"] for e in marked}
        assert max(liking.values()) > 0 > min(liking.values())
        assert not any(e.parts.get("feedback") for e in plain)
        both = [e.value for e in plain if e.value in liking]
        assert len(both) > 3
        mine = [e.value for e in marked if e.value in both]
        assert mine != both

        def height(order: list[str]) -> float:
            """The higher what is liked stands, the more."""
            return sum(liking[value] * (len(order) - place) for place, value in enumerate(order))

        assert height(mine) > height(both)
