"""Lists of other systems: recognised, barred first, looked at and then brought in once."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.arrows import by_hand
from support.house import Clock, open_house

from service.errors import PaperpostError
from service.flows import import_rows, import_undo, imported, imports
from service.flows.agreed import told
from service.flows.imports import Basis, ListError, NoSuchImportError, read_basis
from service.flows.list_files import Options, read_options
from service.flows.list_packs import ListFile, pack
from service.flows.readers import import_readers, summary
from service.flows.runtime import Runtime
from service.flows.tidy import tidy
from service.store import consent as consent_store
from service.store import subscribers as subscribers_store
from service.store.staff import list_audit
from service.store.tables import DeliveryRow, EditionRow

ELSEWHERE = Basis(kind="elsewhere", words="our listmonk, 2024")
LISTMONK = (
    "uuid,email,name,attributes,status,created_at,updated_at\n"
    'u1,ada@example.org,Ada,"{""interests"": [""LoRA"", ""PEFT""], ""city"": ""Ulm""}",enabled,'
    "2024-05-01T08:00:00Z,2024-05-01T08:00:00Z\n"
    "u2,ben@example.org,Ben,{},blocklisted,2024-05-01T08:00:00Z,2024-05-01T08:00:00Z\n"
    "u3,cho@example.org,Cho,{},disabled,2024-05-01T08:00:00Z,2024-05-01T08:00:00Z\n"
    "u4,dan@example.org,Dan,{bad,enabled,2024-05-01T08:00:00Z,2024-05-01T08:00:00Z\n"
)
SUBSCRIBED = (
    '"Email Address","First Name","Last Name",MEMBER_RATING,OPTIN_TIME,CONFIRM_TIME,TIMEZONE,'
    "LAST_CHANGED,LEID,EUID,TAGS,Interests\n"
    'ada@example.org,Ada,Ek,2,"2023-01-01 10:00:00","2023-01-02 10:00:00",Europe/Zurich,'
    '"2023-01-02 10:00:00",1,a,"""Staff"",""PhD: new""",robots; cats\n'
    'ben@example.org,Ben,,2,"2023-01-01 10:00:00",,No/Zone,"2023-01-02 10:00:00",2,b,,\n'
)
UNSUBSCRIBED = (
    '"Email Address","First Name",MEMBER_RATING,OPTIN_TIME,UNSUB_TIME,LEID,EUID\n'
    "BEN@example.org,Ben,2,2023-01-01 10:00:00,2023-05-01 10:00:00,2,b\n"
    "eve@example.org,Eve,2,2023-01-01 10:00:00,2023-05-01 10:00:00,3,c\n"
)
CLEANED = '"Email Address",MEMBER_RATING,CLEAN_TIME,LEID\nfay@example.org,2,2023-05-01,9\n'
GHOST = (
    "id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,"
    "deleted_at,labels,tiers\n"
    '1,ada@example.org,Ada,,true,false,,2024-01-01T00:00:00.000Z,,"Lab, Press",\n'
    "2,ben@example.org,Ben,,false,false,,2024-01-01T00:00:00.000Z,,,\n"
    "3,cho@example.org,Cho,,true,false,,2024-01-01T00:00:00.000Z,2024-02-01T00:00:00.000Z,,\n"
)


@pytest.fixture
def rt(tmp_path: Path) -> Iterator[Runtime]:
    with open_house(tmp_path) as house:
        yield house.runtime


def listed(text: str, name: str = "list.csv") -> ListFile:
    return pack(name, io.BytesIO(text.encode()))


def looked(rt: Runtime, *files: ListFile, basis: Basis = ELSEWHERE, **options: Any) -> int:
    return imports.look(rt, files, read_options(options), basis, by="ann")


def pressed(rt: Runtime, *files: ListFile, **options: Any) -> dict[str, Any]:
    number = looked(rt, *files, **options)
    assert imports.press(rt, number, by="ann")
    imports.go_on(rt)
    return imported.get_import(rt, number)


def readers(rt: Runtime) -> dict[str, dict[str, Any]]:
    rows = rt.db.read(lambda s: summary(subscribers_store.list_subscriber_rows(s), s))
    return {row["email"]: row for row in rows}


def bar_of(rt: Runtime, email: str) -> str:
    hashed = consent_store.email_hash(rt.instance.key, email)
    found = rt.db.read(lambda s: consent_store.get_suppression(s, hashed))
    return found.reason if found is not None else ""


def test_an_import_that_fails_stops_no_other(rt: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    for who in ("ada", "ben"):
        number = looked(rt, listed(f"email,keywords\n{who}@example.org,LoRA\n"))
        imports.press(rt, number, by="ann")
    plain = import_rows.portion_in

    def failing(*given: Any, **more: Any) -> Any:
        if any(rows[0].new.address.key.startswith("ada@") for rows in given[2].people):
            raise RuntimeError("no room")
        return plain(*given, **more)

    with monkeypatch.context() as broken:
        broken.setattr(imports, "portion_in", failing)
        with pytest.raises(RuntimeError, match="no room"):
            imports.go_on(rt)
    assert list(readers(rt)) == ["ben@example.org"]
    imports.go_on(rt)
    assert list(readers(rt)) == ["ada@example.org", "ben@example.org"]


def test_a_listmonk_export_is_read_by_its_columns(rt: Runtime) -> None:
    number = looked(rt, listed(LISTMONK), tags="From listmonk")
    seen = imported.get_import(rt, number)
    assert (seen["state"], seen["form"], readers(rt)) == ("tried", "listmonk", {})
    look = seen["look"]
    assert [look[n] for n in ("rows", "added", "barred", "aside", "bad")] == [4, 1, 1, 1, 1]
    assert ["blocklisted", "suppressed", 1] in look["states"]
    assert "attributes.city" in look["files"][0]["unread"]
    assert look["samples"][0]["interests"] == ["LoRA, PEFT"]

    assert imports.press(rt, number, by="ann", digest=seen["digest"])
    assert not imports.press(rt, number, by="ann")  # a double press
    imports.go_on(rt)
    made = imported.get_import(rt, number)
    assert "ada@" not in str(made)  # the record of it stays, whoever is erased
    assert {n: made["done"][n] for n in ("readers", "barred", "bad")} == {
        "readers": 1, "barred": 1, "bad": 1,
    }  # fmt: skip
    assert list(readers(rt)) == ["ada@example.org"]
    ada = readers(rt)["ada@example.org"]
    assert (ada["tags"], ada["state"]) == (["from listmonk"], "active")
    assert bar_of(rt, "ben@example.org") == "import"
    assert bar_of(rt, "cho@example.org") == ""
    (record,) = rt.db.read(lambda s: consent_store.list_consents(s, ada["id"]))
    how = told(record)["how"]
    assert "they confirmed elsewhere (our listmonk, 2024), since 2024-05-01" in how
    assert "list.csv, 2026-11-18" in how
    problems = "".join(imported.export_problems(rt, number, by="ann"))
    assert "dan@example.org" in problems
    assert "holds no JSON" in problems
    acts = [row for row in rt.db.read(list_audit) if row.what == "import readers"]
    assert [row.after["basis"] for row in acts if row.after] == [
        "they confirmed elsewhere (our listmonk, 2024)"
    ]


def test_who_left_in_one_file_is_barred_before_another_files_row_goes_in(rt: Runtime) -> None:
    files = [listed(SUBSCRIBED, "subscribed.csv"), listed(UNSUBSCRIBED, "un.csv"), listed(CLEANED)]
    made = pressed(rt, *files, language="de", hour="7")
    assert list(readers(rt)) == ["ada@example.org"]
    ada = readers(rt)["ada@example.org"]
    assert (ada["name"], ada["zone"], ada["hour"], ada["locale"]) == (
        "Ada Ek", "Europe/Zurich", 7, "de",
    )  # fmt: skip
    assert ada["tags"] == ["phd new", "staff"]
    assert [one["text"] for one in ada["interests"]] == ["robots, cats"]
    assert [bar_of(rt, f"{n}@example.org") for n in ("ben", "eve", "fay")] == [
        "left", "left", "hard",
    ]  # fmt: skip
    assert (made["done"]["kept_out"], made["done"]["barred"]) == (4, 3)
    # the same files once more: nobody comes twice, nobody comes back
    again = pressed(rt, *files)
    assert (again["done"]["readers"], again["done"]["unchanged"]) == (0, 1)


def test_never_subscribed_people_and_ghosts_leavers_stay_out(rt: Runtime) -> None:
    pressed(rt, listed(SUBSCRIBED, "nonsubscribed_members_1.csv"))
    assert readers(rt) == {}
    assert bar_of(rt, "ada@example.org") == ""
    pressed(rt, listed(GHOST), keywords="robots")
    assert {e: (r["tags"], r["interests"][0]["text"]) for e, r in readers(rt).items()} == {
        "ada@example.org": (["lab", "press"], "robots")
    }
    assert [bar_of(rt, f"{n}@example.org") for n in ("ben", "cho")] == ["left", "left"]


def test_a_basis_is_asked_and_confirm_asks_each(rt: Runtime) -> None:
    for kind, words in (("", ""), ("hope", "x"), ("elsewhere", " ")):
        with pytest.raises(ListError):
            read_basis(kind, words)
    made = pressed(rt, listed("email\nada@example.org\n"), basis=read_basis("confirm", ""))
    assert (made["done"]["pending"], readers(rt)["ada@example.org"]["state"]) == (1, "pending")


def test_another_list_than_was_looked_at_does_not_go_in(rt: Runtime) -> None:
    number = looked(rt, listed("email\nada@example.org\n"))
    with pytest.raises(ListError, match="another list"):
        imports.press(rt, number, by="ann", digest="0" * 64)
    with pytest.raises(NoSuchImportError):
        imports.press(rt, number + 1, by="ann")
    assert readers(rt) == {}
    other = pressed(rt, listed("email\nben@example.org\n"))["id"]
    for how, found in (
        ({}, [other, number]), ({"state": "tried"}, [number]), ({"state": "stopped"}, []),
        ({"sort": "at"}, [number, other]), ({"sort": "-state"}, [number, other]),
    ):  # fmt: skip
        rows = rt.db.read(lambda s, h=how: imported.list_imports(s, limit=9, **h))  # type: ignore[misc]
        assert [row["id"] for row in rows] == found, how


def test_an_import_that_broke_off_goes_on_where_it_ended(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.flows.list_files.PORTION", 2)
    rows = "".join(f"r{n}@example.org,w{n}\n" for n in range(7)) + "bad,x\n"
    number = looked(rt, listed(f"email,keywords\n{rows}"))
    imports.press(rt, number, by="ann")
    steps: list[int] = []

    def stop(done: int, of: int) -> None:
        steps.append(done)
        if len(steps) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        imports.bring_in(rt, number, on_rows=stop)
    assert len(readers(rt)) == 4
    assert imported.get_import(rt, number)["state"] == "running"
    imports.go_on(rt)
    made = imported.get_import(rt, number)
    assert (made["state"], made["done"]["readers"], made["done"]["bad"]) == ("done", 7, 1)
    assert imported.first_problems(rt, number)[0][:2] == (9, "bad")
    assert len(readers(rt)) == 7


def test_undo_takes_those_whom_nothing_was_mailed(rt: Runtime) -> None:
    made = pressed(rt, listed("email,keywords\nada@example.org,a\nben@example.org,b\n"))
    ada = readers(rt)["ada@example.org"]["id"]

    with by_hand():
        rt.db.write(lambda s: mail_of(s, ada, rt))
    assert imported.get_import(rt, made["id"])["unmailed"] == 1
    with pytest.raises(PaperpostError, match="1 readers, not 2"):
        import_undo.press(rt, made["id"], expected=2, by="ann")
    assert import_undo.press(rt, made["id"], expected=1, by="ann", reason="wrong list")
    import_undo.take_back(rt, made["id"])
    assert list(readers(rt)) == ["ada@example.org"]
    assert bar_of(rt, "ben@example.org") == ""  # they never asked to be left alone


def mail_of(session: Any, reader_id: int, rt: Runtime) -> None:
    session.add(
        EditionRow(id=1, kind="digest", audience="all", slot="2026-11-18", opened_at=rt.clock())
    )
    session.flush()
    session.add(
        DeliveryRow(edition_id=1, recipient_key="ada@example.org", subscriber_id=reader_id,
                    kind="digest", state="accepted", planned_at=rt.clock(), message_id="m",
                    token="t", bounce_id="b")
    )  # fmt: skip


def test_lists_that_were_only_looked_at_go_after_a_day(tmp_path: Path) -> None:
    clock = Clock()
    with open_house(tmp_path, clock=clock) as house:
        rt = house.runtime
        number = looked(rt, listed("email\nada@example.org\nbad\n"))
        done = pressed(rt, listed("email\nben@example.org\nbad\n"))
        clock.go(hours=25)
        tidy(rt)
        with pytest.raises(NoSuchImportError):
            imported.get_import(rt, number)
        assert "bad" in "".join(imported.export_problems(rt, done["id"], by="ann"))
        clock.go(days=31)
        tidy(rt)
        with pytest.raises(NoSuchImportError):
            imported.export_problems(rt, done["id"], by="ann")
        assert imported.get_import(rt, done["id"])["done"]["readers"] == 1


def test_options_that_cannot_be_are_refused() -> None:
    for name, value in (("hour", "25"), ("zone", "Mars"), ("tags", "<x>")):
        with pytest.raises(PaperpostError) as caught:
            read_options({name: value})
        assert caught.value.where == name
    assert read_options({}) == Options()


def test_a_plain_import_takes_tags(rt: Runtime) -> None:
    import_readers(rt, b'email,tags\nada@example.org,"Staff, PhD"\n')
    assert readers(rt)["ada@example.org"]["tags"] == ["phd", "staff"]


def test_mailchimps_column_of_addresses_may_be_called_email(rt: Runtime) -> None:
    renamed = [text.replace('"Email Address"', "Email") for text in (SUBSCRIBED, UNSUBSCRIBED)]
    found = pressed(rt, *(listed(text, f"{n}.csv") for n, text in enumerate(renamed)))
    assert (found["done"]["added"], found["done"]["bad"]) == (1, 0)
    assert set(readers(rt)) == {"ada@example.org"}


def test_a_look_shows_those_alone_who_would_be_new(rt: Runtime) -> None:
    import_readers(rt, b"email\nben@example.org\n")
    both = SUBSCRIBED.replace("ada@example.org", "gone@example.org")
    left = UNSUBSCRIBED.splitlines()[0] + "\n" + both.splitlines()[1]
    number = looked(rt, listed(both, "a.csv"), listed(left, "b.csv"))
    look = imported.get_import(rt, number)["look"]
    assert (look["readers"], look["samples"]) == (0, [])

    several = "email,keywords\nben@example.org,LoRA\neve@example.org,LoRA\neve@example.org,PEFT\n"
    look = imported.get_import(rt, looked(rt, listed(several)))["look"]
    assert [(s["email"], s["interests"]) for s in look["samples"]] == [
        ("eve@example.org", ["LoRA", "PEFT"])
    ]


def test_a_column_that_is_kept_with_the_consent_is_not_called_unread(rt: Runtime) -> None:
    files = imported.get_import(rt, looked(rt, listed(SUBSCRIBED)))["look"]["files"]
    assert ["CONFIRM_TIME, OPTIN_TIME", "kept with the consent"] in files[0]["mapped"]
    assert not {"confirm_time", "optin_time"} & set(files[0]["unread"])
