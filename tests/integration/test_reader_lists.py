"""Readers as lists on both databases: filters, order, tags, acts on many, a story, exports."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from support.house import Clock, add, open_house

from service.errors import PaperpostError
from service.flows import import_undo, reader_acts, reader_lists, reader_story, staff_readers, tags
from service.flows.exports import Form
from service.flows.import_erased import forget_erased
from service.flows.imported import get_import
from service.flows.imports import ListError, look, press
from service.flows.imports import bring_in as bring_list_in
from service.flows.list_files import Options
from service.flows.list_packs import pack
from service.flows.reader_lists import Chosen
from service.flows.readers import import_readers
from service.flows.runtime import Runtime
from service.flows.segment import SegmentError, find_readers, read_segment
from service.flows.suppress import import_suppressions
from service.store import reader_lists as store
from service.store import reader_story as story_store
from service.store.consent import list_suppressions
from service.store.deliveries import list_deliveries
from service.store.desk_tables import ImportedRow, ImportRow
from service.store.staff import list_audit
from service.store.subscribers import get_subscriber_row
from service.subscribers.address import read_address

READERS = (
    b"email,name,keywords,language,cadence,hour,tags\n"
    b"ada@example.org,Ada,LoRA,en,daily,7,Staff\n"
    b'ben@example.org,Ben,robots,de,weekly,8,"staff, Lab"\n'
    b"cho@example.org,Cho_x,robots 100%,en,daily,9,\n"
    b"dan@example.org,Dan,cats,de-AT,instant,10,guest\n"
)


@pytest.fixture
def rt(tmp_path: Path, database_url: str) -> Iterator[Runtime]:
    with open_house(tmp_path, clock=Clock(), database_url=database_url) as house:
        import_readers(house.runtime, READERS)
        yield house.runtime


def who(rt: Runtime, order: str = "address", down: bool = False, **typed: str) -> str:
    """The first letters of the readers that are chosen, in their order."""
    wanted = reader_lists.read_chosen(rt, typed).wanted
    rows = rt.db.read(lambda s: store.list_wanted(s, wanted, order=order, is_down=down, limit=100))
    assert rt.db.read(lambda s: store.count_wanted(s, wanted)) == len(rows)
    return "".join(row.email[0] for row in rows)


def number_of(rt: Runtime, email: str) -> int:
    row = rt.db.read(lambda s: get_subscriber_row(s, email_key=email))
    assert row is not None
    return row.id or 0


def test_every_filter_chooses_in_the_database(rt: Runtime) -> None:
    assert who(rt) == "abcd"
    assert who(rt, q="BEN@") == "b"
    assert who(rt, q="robots") == "bc"
    assert who(rt, q="o_x") == "c", "signs of patterns are themselves"
    assert who(rt, words="100%") == "c"
    assert who(rt, q="LAB") == "b"
    assert (who(rt, tag="Staff"), who(rt, segment="tag:STAFF")) == ("ab", "ab")
    assert who(rt, lang="de") == "bd"
    assert who(rt, cadence="weekly") == "b"
    assert who(rt, joined_from="2026-11-18", joined_to="2026-11-18") == "abcd"
    assert who(rt, joined_to="2026-11-17") == ""
    assert who(rt, segment="list:DAN@example.org,eve@example.org") == "d"
    assert who(rt, state="pending") == ""
    assert (who(rt, "hour", True), who(rt, "name"), who(rt, "next")) == ("dcba", "abcd", "dabc")
    for field, value in (("joined_from", "soon"), ("state", "x"), ("tag", "a,b"), ("import", "x")):
        with pytest.raises(PaperpostError) as caught:
            reader_lists.read_chosen(rt, {field: value})
        assert caught.value.where == field
    with pytest.raises(SegmentError):
        reader_lists.read_chosen(rt, {"segment": "nobody"})


@pytest.mark.parametrize("most", [1, 9])
def test_who_was_found_by_words_is_counted_and_paged_alike(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(store, "MOST_HELD", most)
    wanted = reader_lists.read_chosen(rt, {"q": "robots", "state": "active"}).wanted
    total, same = rt.db.read(lambda s: store.find_wanted(s, wanted))
    rows = rt.db.read(lambda s: store.list_wanted(s, same, limit=1, offset=1))
    assert (total, [row.email[0] for row in rows]) == (2, ["c"])
    assert (same == wanted) is (most == 1), "few are named by their numbers"


def test_tags_are_put_on_taken_off_called_otherwise_and_joined(rt: Runtime) -> None:
    chosen = reader_lists.read_chosen(rt, {"words": "robots"})
    assert tags.tag_readers(rt, "robotics", chosen.wanted, by="ann") == 2
    assert tags.tag_readers(rt, "robotics", chosen.wanted, by="ann") == 0, "once is enough"
    text = "ada@example.org\nDAN@example.org; nobody@x.example no-address"
    count, read = tags.tag_list(rt, "robotics", text, by="ann", reason="a talk")
    assert (count, read.unread) == (2, 1)
    found = rt.db.read(lambda s: find_readers(s, read_segment("tag:Robotics")))
    assert [one.email[0] for one in found] == list("abcd")
    assert tags.list_tags(rt) == {"guest": 1, "lab": 1, "robotics": 4, "staff": 2}
    assert tags.rename(rt, "staff", "robotics", by="ann") == 2
    assert tags.rename(rt, "guest", "visitor", by="ann") == 1
    assert tags.remove(rt, "robotics", by="ann", reason="over") == 4
    assert tags.list_tags(rt) == {"lab": 1, "visitor": 1}
    for act in (lambda: tags.rename(rt, "x", "y", by="ann"), lambda: tags.remove(rt, "x", by="a")):
        with pytest.raises(tags.TagError):
            act()
    ada = number_of(rt, "ada@example.org")
    assert tags.tag_reader(rt, ada, ["b", "a", "lab"], by="ann") == ["b", "a", "lab"]
    assert tags.tag_reader(rt, ada, ["lab", "x"], by="ann", add=False) == ["lab"]
    one, two = [(r.what, r.before, r.after) for r in rt.db.read(list_audit)[:2]][::-1]
    assert one == ("tag", {"tags": []}, {"tags": ["a", "b", "lab"]})
    assert two == ("untag", one[2], {"tags": ["a", "b"]})
    acts = rt.db.read(list_audit)
    assert {one.what for one in acts} >= {"tag", "join tags", "rename tag", "remove tag"}
    assert not any("@" in json.dumps(one.after) for one in acts), "the record names no address"


def test_acts_on_many_do_it_to_the_number_that_was_shown(rt: Runtime) -> None:
    staff = reader_lists.read_chosen(rt, {"tag": "staff"})
    with pytest.raises(reader_acts.ActError, match="2 readers, not 3"):
        reader_acts.act_on_all(rt, staff, "erase", expected=3, by="ann", reason="x")
    with pytest.raises(reader_acts.ActError, match="within a year"):
        reader_acts.act_on_all(
            rt, staff, "pause", expected=2, by="ann", until=date(2026, 11, 18), reason="x"
        )
    until = date(2026, 12, 1)
    for changed in (2, 0):
        done = reader_acts.act_on_all(
            rt, staff, "pause", expected=2, by="ann", until=until, reason="holiday"
        )
        assert (done.readers, done.changed) == (2, changed)
    assert who(rt, paused="1") == "ab"
    reader_acts.act_on_all(rt, staff, "resume", expected=2, by="ann", reason="back")
    assert who(rt, paused="1") == ""
    assert reader_acts.act_on_all(rt, staff, "untag", expected=2, by="a", tag="lab").changed == 1
    reader_acts.act_on_all(rt, staff, "erase", expected=2, by="ann", reason="closed")
    assert who(rt) == "cd"
    assert len(rt.db.read(list_suppressions)) == 2
    (entry,) = (one for one in rt.db.read(list_audit) if one.what == "erase readers")
    assert (entry.reason, entry.after) == (
        "closed", {"readers": 2, "changed": 2, "which": "tag staff"},
    )  # fmt: skip


def taken(rt: Runtime, chosen: Chosen, form: Form) -> str:
    return "".join(reader_lists.export(rt, chosen, form, by="ann"))


def test_lists_taken_along_hold_all_that_was_chosen(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_lists, "PORTION", 2)
    add(rt, "eve@example.org", "x", name="=1+1")
    every = reader_lists.read_chosen(rt, {})
    rows = list(csv.DictReader(io.StringIO(taken(rt, every, "csv"))))
    assert [row["email"][0] for row in rows] == list("abcde")
    assert (rows[1]["tags"], rows[4]["name"]) == ("lab, staff", "'=1+1")
    assert json.loads(taken(rt, every, "json"))[3]["language"] == "de-AT"
    none = reader_lists.read_chosen(rt, {"tag": "nobody"})
    assert json.loads(taken(rt, none, "json")) == []
    assert len(taken(rt, none, "csv").splitlines()) == 1
    assert [one["email"][0] for one in reader_lists.list_facts(rt, every)] == list("abcde")
    acts = [one for one in rt.db.read(list_audit) if one.what == "export readers"]
    assert [one.after and one.after["readers"] for one in acts] == [0, 0, 5, 5]
    assert acts[0].after == {"readers": 0, "which": "tag nobody", "format": "csv"}


def test_one_story_in_time_order_and_the_days_with_their_reasons(rt: Runtime) -> None:
    ada = number_of(rt, "ada@example.org")
    rt.clock.go(days=3)  # type: ignore[attr-defined]
    renamed = staff_readers.Change(name="Ada Ek")
    staff_readers.change(rt, ada, renamed, by="ann", reason="married")
    moved = staff_readers.Change(to=read_address("ek@example.org"))
    assert staff_readers.change(rt, ada, moved, by="ann", reason="moved")
    assert not staff_readers.change(rt, ada, moved, by="ann", reason="x")
    (told,) = [row for row in rt.db.read(list_deliveries) if row.kind == "address-changed"]
    assert told.rcpt == "ada@example.org"

    def load(session: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]], int]:
        row = get_subscriber_row(session, id=ada)
        assert row is not None
        events = reader_story.list_story(rt, session, row, limit=100, offset=0)
        total = story_store.count_events(session, ada)
        return events, reader_story.list_days(rt, session, row), total

    events, days, total = rt.db.read(load)
    assert len(events) == total
    assert {one["kind"] for one in events} == {"consent", "interest", "mail", "act"}
    assert [one["at"] for one in events] == sorted((one["at"] for one in events), reverse=True)
    assert any("because: married" in one["more"] for one in events)
    assert [one["on"].isoformat() for one in days] == [
        "2026-11-21", "2026-11-20", "2026-11-19", "2026-11-18",
    ]  # fmt: skip
    assert all(one["says"] for one in days)
    assert "none of your mail days" in days[0]["says"]


def test_a_reader_came_by_a_person_or_a_list(rt: Runtime) -> None:
    ada = number_of(rt, "ada@example.org")

    def told(session: Any) -> dict[str, Any]:
        row = get_subscriber_row(session, id=ada)
        assert row is not None
        return reader_story.came_by(session, row)

    def bring(session: Any) -> None:
        files = {"look": {"files": [{"name": "members.csv"}]}}
        row = ImportRow(at=rt.clock(), done_by="mia", digest="x", form="csv", report=files)
        session.add(row)
        session.flush()
        session.add(ImportedRow(import_id=row.id, subscriber_id=ada))

    assert rt.db.read(told) == {"imports": [], "by": "admin"}
    rt.db.write(bring)
    (one,) = rt.db.read(told)["imports"]
    assert (one["by"], one["files"]) == ("mia", ["members.csv"])


def test_an_address_that_is_taken_or_barred_is_given_to_nobody(rt: Runtime) -> None:
    ada = number_of(rt, "ada@example.org")
    staff_readers.end(rt, number_of(rt, "ben@example.org"), erased=False, by="ann", reason="asked")

    def give(email: str) -> None:
        # the name that is asked for at once does not change either
        wanted = staff_readers.Change(name="Ada Ek", to=read_address(email))
        staff_readers.change(rt, ada, wanted, by="ann", reason="x")

    for taken in ("ben@example.org", "cho@example.org"):
        with pytest.raises(PaperpostError):
            give(taken)
    staff_readers.end(rt, number_of(rt, "ben@example.org"), erased=True, by="ann", reason="asked")
    with pytest.raises(PaperpostError, match="suppressed"):
        give("ben@example.org")
    assert who(rt) == "acd"


def test_an_import_goes_in_on_this_database_with_its_tags(rt: Runtime) -> None:
    from service.flows.imports import Basis

    file = pack("l.csv", io.BytesIO(b"email,keywords\nada@example.org,x\nfay@example.org,y\nbad\n"))
    number = look(rt, [file], Options(tags=("talk",)), Basis(kind="institution"), by="ann")
    press(rt, number, by="ann")
    bring_list_in(rt, number)
    assert (who(rt, tag="talk"), who(rt, **{"import": str(number)})) == ("af", "f")
    with pytest.raises(ListError):
        look(rt, [], Options(), Basis(kind="institution"), by="ann")
    found = get_import(rt, number)
    assert [found[n] for n in ("here", "unmailed", "left", "changed")] == [1, 1, 0, 0]
    assert import_undo.press(rt, number, expected=1, by="ann", reason="wrong")
    import_undo.take_back(rt, number)
    assert forget_erased(rt) == 0
    for added in (2, 0):  # one of them a reader, who leaves; the other one new
        report = import_suppressions(rt, b"ben@example.org\nzoe@example.org\n")
        assert (report.added, report.unchanged) == (added, 2 - added)
