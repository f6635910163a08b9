"""What was worked out of papers for one reader serves the next and changes nothing of a mail."""

from support.house import add, ingest_items, paper_item, rows

import service.flows.worked as worked
from service.flows.daily import plan_daily
from service.flows.worked import Worked


def without_ids(content):
    sections = [{**s, "profile_id": None} for s in content["digest"]["sections"]]
    return {**content["digest"], "sections": sections}


def test_readers_of_the_same_words_are_composed_alike_and_papers_read_once(
    rt, tmp_path, monkeypatch
):
    asked, real = [], worked.find_leaf
    monkeypatch.setattr(worked, "find_leaf", lambda t, d: asked.append(d) or real(t, d))
    for n in range(3):
        add(rt, f"r{n}@example.org", "adapters")
    add(rt, "other@example.org", "forget")
    add(rt, "both@example.org", "adapters, forget")
    ingest_items(rt, tmp_path, [paper_item(n, f"Adapters that forget {n}") for n in (1, 2)])
    plan_daily(rt)
    by_key = {row.recipient_key: row.content for row in rows(rt)}
    made = [by_key[f"{name}@example.org"] for name in ("r0", "r1", "r2", "other")]
    assert len(made) == 4
    assert without_ids(made[0]) == without_ids(made[1]) == without_ids(made[2])
    assert without_ids(made[3]) != without_ids(made[0]), "other words, other marks"
    interests = {c["digest"]["sections"][0]["profile_id"] for c in made}
    assert len(interests) == 4, "each mail names its own reader's interest"
    assert len(asked) == 4, "each of two terms once in each of two papers"


def test_it_is_kept_for_seconds_and_bounded(monkeypatch):
    kept = Worked()
    assert kept.still() is kept
    kept.rows = dict.fromkeys(range(5_000))  # type: ignore[arg-type]
    assert kept.still() is not kept
    monkeypatch.setattr("service.flows.worked.KEPT_S", 0.0)
    assert (old := Worked()).still() is not old
