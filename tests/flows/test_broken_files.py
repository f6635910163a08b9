"""Files that other programs, and people, broke: each bad row is told, and the others go in."""

import csv
import io
import random
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.house import open_house

from service.flows import csv_rows
from service.flows.import_rows import ImportReport, import_readers
from service.flows.list_packs import pack_all
from service.flows.runtime import Runtime
from service.flows.spreadsheet import ReaderError
from service.store.subscribers import list_subscriber_rows


@pytest.fixture
def rt(tmp_path: Path) -> Iterator[Runtime]:
    with open_house(tmp_path) as house:
        yield house.runtime


def here(rt: Runtime) -> dict[str, str]:
    return {row.email: row.name for row in rt.db.read(list_subscriber_rows)}


def told(made: ImportReport) -> list[tuple[int, str, str]]:
    return [(number, row.get("email", ""), what) for number, row, what in made.problems]


def test_a_quotation_mark_that_nobody_closes_swallows_no_other_row(rt: Runtime) -> None:
    table = (
        "email,name,keywords\n"
        'ada@example.org,"Ada,robots\n'
        'ben@example.org,"Ben",cats\n'
        'cho@example.org,"Cho\nLi","LoRA\nPEFT"\n'
        'dan@example.org,Dan "the man",dogs\n'
        "eve@example.org,Eve,birds\n"
        'fay@example.org,"Fay\n'
        "gil@example.org,Gil,fish"
    )
    made = import_readers(rt, table.encode())
    assert here(rt) == {
        "ben@example.org": "Ben",
        "cho@example.org": "Cho Li",
        "dan@example.org": 'Dan "the man"',
        "eve@example.org": "Eve",
        "gil@example.org": "Gil",
    }
    assert [(n, e) for n, e, _ in told(made)] == [
        (2, 'ada@example.org,"Ada,robots'),
        (7, 'fay@example.org,"Fay'),
    ]
    assert all("never closed" in what for _, _, what in told(made))
    back = made.problems_csv()
    assert import_readers(rt, back.encode()).bad == 2  # what nobody mended does not go in
    mended = back.replace('"ada@example.org,""Ada,robots",,', "ada@example.org,Ada,robots")
    assert import_readers(rt, mended.encode()).readers == 1


def test_a_cell_of_several_lines_may_stand_before_the_address(rt: Runtime) -> None:
    table = (
        'note,email,name\n"one\ntwo",ada@example.org,Ada\n"one\n",ben@example.org,"B, en"\n'
        '"one\ntwo\n\nthree",cho@example.org,"Cho\nLi"\n"x,dan@example.org,Dan\n'
        '"y,eve@example.org,Eve\nz,fay@example.org,Fay\n'
    )
    made = import_readers(rt, table.encode())
    assert set(here(rt)) == {f"{name}@example.org" for name in ("ada", "ben", "cho", "fay")}
    assert [email for _, email, _ in told(made)] == [
        '"x,dan@example.org,Dan', '"y,eve@example.org,Eve',
    ]  # fmt: skip


def test_a_row_with_more_cells_than_the_head_is_asked_about(rt: Runtime) -> None:
    made = import_readers(
        rt, b"email,name,keywords\nada@example.org,Ek, Ada,robots\nben@example.org,Ben,cats,,\n"
    )
    ((number, row, what),) = made.problems
    assert (made.readers, number, row["email"]) == (1, 2, "ada@example.org,Ek, Ada,robots")
    assert "4 cells, the head 3" in what
    assert "comma" in what


def test_lines_without_end_are_problems_of_their_own(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_rows, "MOST_LINE", 200_000)
    long = "x" * 300_000
    made = import_readers(
        rt, f"email,keywords\nada@example.org,{long}\nben@example.org,cats\n".encode()
    )
    assert (list(here(rt)), made.bad) == (["ben@example.org"], 1)
    assert "too long" in made.problems[0][2]
    endless = "\n".join(f'r{n}@example.org,"a"b,"c' for n in range(500))
    assert import_readers(rt, f"email,name\n{endless}\neve@example.org,\n".encode()).readers == 1
    monkeypatch.setattr(csv_rows, "MOST_AGAIN", 1000)
    with pytest.raises(ReaderError, match="breaks off") as caught:
        import_readers(rt, f"email,name\n{endless}\n".encode())
    assert (caught.value.where.startswith("row "), caught.value.next_step) == (
        True, "Save it as CSV anew.",
    )  # fmt: skip


SAID = "E-Mail;Name;keywords\r\nzoe@example.org ;Zoë Müller;x;\r\nBEN@Example.ORG;Ek, Ben;y\r\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    "data",
    [
        SAID.encode("cp1252"),
        SAID.encode("utf-8-sig"),
        SAID.encode("utf-16"),
        SAID.encode("utf-16-le"),
        ("sep=;\r\n" + SAID).encode("utf-8-sig"),
        ('"sep=;"\r\n' + SAID).encode("cp1252"),
        ("\r\n;;\r\n" + SAID).encode(),
        SAID.replace(";", "\t").encode("utf-16"),
        SAID.replace("\r\n", "\r").encode(),
        SAID.replace("Name", "Na\0me").encode(),
    ],
)
def test_however_a_spreadsheet_saved_it(rt: Runtime, data: bytes) -> None:
    made = import_readers(rt, data)
    assert told(made) == []
    assert here(rt) == {"zoe@example.org": "Zoë Müller", "BEN@example.org": "Ek, Ben"}


def test_one_broken_sign_is_one_problem_and_the_others_stay_what_they_are(rt: Runtime) -> None:
    rows = [f"r{n}@example.org,Zoë" for n in range(4)]
    data = "\n".join(["email,name", *rows]).encode() + b"\nada@example.org,M\xfcller\n"
    made = import_readers(rt, data)
    assert set(here(rt).values()) == {"Zoë"}
    ((number, email, what),) = told(made)
    assert (number, email) == (6, "ada@example.org,M\ufffdller")
    assert "no UTF-8" in what


def zipped(**files: bytes) -> io.BytesIO:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "/") + ".csv", data)
    out.seek(0)
    return out


def test_a_zip_is_the_lists_in_it_within_bounds() -> None:
    found = pack_all("audience.zip", zipped(a__subscribed=b"email\n", cleaned=b"email\nx\n"))
    assert [(f.name, f.size) for f in found] == [("subscribed.csv", 6), ("cleaned.csv", 8)]
    with pytest.raises(ReaderError, match="larger than"):
        pack_all("bomb.zip", zipped(a=b"0" * 5000, b=b"0" * 6000), 10_000)
    with pytest.raises(ReaderError, match="holds no list"):
        pack_all("none.zip", zipped())
    with pytest.raises(ReaderError, match="11 lists"):
        pack_all("many.zip", zipped(**{f"n{n}": b"email\n" for n in range(11)}))
    whole = zipped(a=b"email\nada@example.org\n" * 50).getvalue()
    with pytest.raises(ReaderError, match="it is damaged"):
        pack_all("cut.zip", io.BytesIO(whole[: len(whole) // 2]))
    with pytest.raises(ReaderError, match="it is damaged"):
        pack_all("bent.zip", io.BytesIO(whole.replace(whole[40:48], b"\xff" * 8)))
    broken = whole[:-22].replace(b"a.csv", b"\xc3.csv"), whole[-22:]
    flag = broken[0].rindex(b"PK\x01\x02") + 9
    named = broken[0][:flag] + b"\x08" + broken[0][flag + 1 :] + broken[1]  # no UTF-8, as it says
    with pytest.raises(ReaderError, match="it is damaged"):
        pack_all("named.zip", io.BytesIO(named))
    for way in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", way) as archive:
            archive.writestr("a.csv", b"email\nada@example.org\n" * 50)
        bent = out.getvalue()
        with pytest.raises(ReaderError, match="it is damaged"):
            pack_all("bent.zip", io.BytesIO(bent[:50] + b"\xff" * 8 + bent[58:]))
    book = io.BytesIO()
    with zipfile.ZipFile(book, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/a.csv", "email\n")
    book.seek(0)
    with pytest.raises(ReaderError, match="workbook"):
        pack_all("list.xlsx", book)


PIECES = [
    '"', '""', ",", ";", "\t", "\n", "\r\n", "\r", "\0", "\ufeff", "=1+1", "'=", "@", "ü", " ",
    "x" * 70, "[", "email", "ann@example.org", "ben@example.org,Ben,cats\n", "true", "'",
]  # fmt: skip


@pytest.mark.slow
def test_no_file_breaks_an_import_and_every_row_is_somewhere(rt: Runtime) -> None:
    chance = random.Random(7)
    for turn in range(150):
        body = "".join(chance.choices(PIECES, k=chance.randrange(1, 60)))
        table = f"email,name,keywords\n{body}\nlast{turn}@example.org,,\n"
        made = import_readers(rt, table.encode(), dry_run=True)
        assert made.rows == made.added + made.unchanged + made.bad + made.kept_out + made.aside
        assert all(what and number > 1 for number, _, what in made.problems)
        back = list(csv.DictReader(io.StringIO(made.problems_csv())))
        assert len(back) == made.bad
        assert all((cell or "")[:1] not in ("=", "+", "@") for row in back for cell in row.values())
        again = import_readers(rt, made.problems_csv().encode(), dry_run=True) if back else made
        assert again.bad >= made.bad, table  # what was not mended comes back, a line maybe as a row
