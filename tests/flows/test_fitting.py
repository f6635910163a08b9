"""What is frozen is what is mailed, and its bytes repeat in every process."""

from email import message_from_bytes
from email.policy import default

from support.house import add, ingest_items, paper_item, rows

from service.delivery.press import Press
from service.delivery.render import HTML_BUDGET
from service.flows.daily import plan_daily
from service.flows.letter import bytes_of, digest_of, frame_of, share_name
from service.store import editions as editions_store
from service.store import subscribers as subscribers_store


def letter(rt, row):
    edition = rt.db.read(lambda s: editions_store.get_edition(s, id=row.edition_id))
    reader = rt.db.read(lambda s: subscribers_store.get_subscriber_row(s, id=row.subscriber_id))
    return bytes_of(rt, row, edition, reader)


def test_a_digest_that_is_too_large_is_frozen_as_it_is_mailed(rt, tmp_path):
    add(rt, "ada@example.org", "adapters", abstracts="full")
    long = 'Adapters <<learn>> & "forget". ' * 900
    ingest_items(rt, tmp_path, [paper_item(n, f"Adapters {n}", summary=long) for n in range(9)])
    plan_daily(rt)
    (row,) = rows(rt)
    digest = digest_of(row)
    shown = [*digest.entries(), *[line for s in digest.sections for line in s.lines]]
    assert len(digest.paper_ids()) == 9 == len(shown)
    assert 0 < len(list(digest.entries())) < 9
    reader = rt.db.read(lambda s: subscribers_store.get_subscriber_row(s, id=row.subscriber_id))
    frame = frame_of(rt, row.token, reader, row.planned_at, digest=digest, shared=share_name(row))
    assert rt.press.fit(digest, frame) is digest
    raw = letter(rt, row)
    html = message_from_bytes(raw, policy=default).get_body(("html",)).get_content()
    assert HTML_BUDGET * 0.8 < len(html.replace("\r\n", "\n").encode()) <= HTML_BUDGET


def test_the_same_row_is_the_same_bytes_whatever_was_mailed_before(rt, tmp_path, monkeypatch):
    for name in ("ada", "ben", "cem"):
        add(rt, f"{name}@example.org", "adapters")
    ingest_items(rt, tmp_path, [paper_item(n, f"Adapters {n}") for n in range(3)])
    plan_daily(rt)
    made = {row.id: letter(rt, row) for row in rows(rt)}
    assert len(set(made.values())) == 3
    monkeypatch.setitem(rt.__dict__, "press", Press(rt.renderer, kept=1))
    for row in reversed(rows(rt)):
        assert letter(rt, row) == made[row.id]
        token = row.token.encode()
        assert token in made[row.id]
        assert not any(token in raw for other, raw in made.items() if other != row.id)
