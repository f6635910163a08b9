"""What mails share is parsed once in a run, bounded, and makes the same mails."""

from support.house import add, ingest_items, paper_item, rows

from service.flows.contents import Contents, whole
from service.flows.daily import plan_daily
from service.flows.letter import bytes_of, envelope_of
from service.store import contents as contents_store
from service.store import editions as editions_store
from service.store import subscribers as subscribers_store


def three(rt, tmp_path):
    """Two readers of one interest and one of another."""
    for name, words in (("ada", "adapters"), ("ben", "adapters"), ("cem", "lora, adapters")):
        add(rt, f"{name}@example.org", words)
    papers = [paper_item(n, f"Adapters {n}", summary="LoRA adapters. ... ") for n in range(3)]
    ingest_items(rt, tmp_path, papers)
    plan_daily(rt)
    return rows(rt)


def test_a_content_makes_the_same_mail_and_tells_the_same_whole(rt, tmp_path):
    found = three(rt, tmp_path)
    kept = rt.db.read(lambda s: Contents().read(s, found))
    for row in found:
        edition = rt.db.read(lambda s, i=row.edition_id: editions_store.get_edition(s, id=i))
        reader = rt.db.read(
            lambda s, i=row.subscriber_id: subscribers_store.get_subscriber_row(s, id=i)
        )
        one = kept[row.content_id]
        assert whole(row, one) == row.content
        envelope = envelope_of(rt, row, edition, reader, one)
        assert envelope.message == bytes_of(rt, row, edition, reader)
        assert envelope.lines is not None


def test_a_content_is_read_once_and_forgotten_when_there_is_no_room(rt, tmp_path, monkeypatch):
    found, asked = three(rt, tmp_path), []
    real = contents_store.list_rows

    def counted(session, ids):
        asked.append(sorted(ids))
        return real(session, ids)

    monkeypatch.setattr(contents_store, "list_rows", counted)
    contents, small = Contents(), Contents(limit=1)
    first = rt.db.read(lambda s: contents.read(s, found))
    again = rt.db.read(lambda s: contents.read(s, found))
    assert len(asked) == 1
    assert asked[0] == sorted({row.content_id for row in found})
    assert all(again[i] is one for i, one in first.items())
    for _ in range(2):
        assert rt.db.read(lambda s: small.read(s, found)).keys() == first.keys()
    assert len(asked) == 3
