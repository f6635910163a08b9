"""The librarian moves from Mailchimp by the pages of the desk: its ZIP as it comes, a slip mended,
the same files once more, a wrong list taken back, and nobody who left comes back."""

import csv
import io
import re
import zipfile
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from support.desk import signed_in, token_in
from support.reading_house import reading_house

from service.flows import import_look, import_undo, imports, list_files
from service.flows.import_erased import forget_erased
from service.flows.leave import erase, leave_row
from service.flows.runtime import Runtime
from service.store import tags as tags_store
from service.store.subscribers import get_subscriber_row, list_subscriber_rows

pytestmark = pytest.mark.slow

HEAD = (
    '"Email Address","First Name","Last Name",Address,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,'
    "CONFIRM_TIME,CONFIRM_IP,LATITUDE,LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION,LAST_CHANGED,"
    "LEID,EUID,NOTES,TAGS"
)
TIMES = '"2023-01-01 10:00:00",,"2023-01-02 10:00:00",192.0.2.1,,,,,Europe/Zurich,CH,ZH'


def line(email: str, name: str, number: int, tags: str = "", more: str = "") -> str:
    street = '"1 Library Road\n8000 Zürich"'
    rest = f'"2023-01-02 10:00:00",{number},e{number},,{tags}{more}'
    return f'{email},{name},"Müller, née Ek",{street},2,{TIMES},{rest}'


def export() -> bytes:
    """Eighty colleagues, one with a slip; one who left there, one whose mail came back, and one
    who never subscribed."""
    tags = '"""Staff"",""PhD: new"""'
    here = [line(f"Reader{n}@Uni.example", f"Zoë {n}", n, tags) for n in range(79)]
    files = {
        "subscribed_email_audience_export_9f.csv": [
            HEAD, *here, line("jane.doe@", "Jane", 90), line("left@uni.example", "L", 91),
        ],
        "unsubscribed_email_audience_export_9f.csv": [
            f"{HEAD},UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_CAMPAIGN_ID,UNSUB_REASON",
            line("LEFT@uni.example ", "L", 91, more=",2024-05-01 10:00:00,,,NORMAL"),
        ],
        "cleaned_email_audience_export_9f.csv": [
            f"{HEAD},CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,CLEAN_CAMPAIGN_ID",
            line("gone@uni.example", "G", 92, more=",2024-05-01 10:00:00,,"),
        ],
        "nonsubscribed_email_audience_export_9f.csv": [HEAD, line("shop@x.example", "S", 93)],
    }  # fmt: skip
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, lines in files.items():
            archive.writestr(name, "\ufeff" + "\r\n".join(lines) + "\r\n")
    return out.getvalue()


def give(client: TestClient, name: str, data: bytes, **said: str) -> Response:
    token = token_in(client.get("/admin/import").text)
    return client.post("/admin/import", data={"token": token, **said}, files={"file": (name, data)})


def press(client: TestClient, page: Response, act: str = "", **said: str) -> Response:
    """Press the form of an import's page."""
    digest = re.search(r'name="digest" value="(\w+)"', page.text)
    data = {"token": token_in(page.text), **({"digest": digest[1]} if digest else {}), **said}
    return client.post(f"{page.url.path}{act}", data=data)


def words(page: Response) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())


def readers(rt: Runtime) -> dict[str, str]:
    return {r.email_key: r.name for r in rt.db.read(list_subscriber_rows) if r.state == "active"}


def test_a_librarian_moves_from_mailchimp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    basis = {"basis": "elsewhere", "basis_words": "our Mailchimp, since 2023", "tags": "library"}
    with reading_house(tmp_path) as house:
        rt = house.rt
        before = set(readers(rt))
        client, _ = signed_in(house, "owner")
        asked = give(client, "audience.zip", export())
        assert (asked.status_code, "The basis of consent is missing." in words(asked)) == (
            422,
            True,
        )

        page = give(client, "audience.zip", export(), **basis)
        said = words(page)
        assert "Mailchimp export: 81 rows" in said
        assert "Mailchimp export, never subscribed: 1 row" in said
        assert "New readers 79" in said
        assert "Addresses suppressed by that 2" in said
        assert "Import 79 readers" in said
        assert set(readers(rt)) == before, "nobody is added by looking"

        done = press(client, page)
        assert "What it did" in words(done)
        assert set(readers(rt)) - before == {f"reader{n}@uni.example" for n in range(79)}
        assert readers(rt)["reader7@uni.example"] == "Zoë 7 Müller, née Ek"
        assert {"library", "phd new", "staff"} <= set(rt.db.read(tags_store.list_tags))

        # the slip comes back as a file that a spreadsheet opens, and goes in when it is mended
        file = press(client, done, "/problems")
        assert file.headers["content-disposition"].endswith('"problems.csv"')
        (row,) = csv.DictReader(io.StringIO(file.content.decode("utf-8-sig")))
        assert (row["email"], row["row"], row["name"]) == ("jane.doe@", "81", "Jane Müller, née Ek")
        mended = file.text.replace("jane.doe@", "jane.doe@uni.example")
        more = press(client, give(client, "problems.csv", mended.encode("utf-16"), **basis))
        assert "New readers 1" in words(more)

        # a tag on more readers says for how many it made a difference
        for asked_for, said in (
            ("reader1@", "Tag put on 1 reader."),
            ("reader1", "Tag put on 10 of 11 readers: the rest had it already."),
            ("reader1", "Tag put on none of 11 readers: they had it already."),
        ):
            page = client.get("/admin/readers/act", params={"act": "tag", "q": asked_for})
            chosen = {"act": "tag", "q": asked_for, "word": "tour", "reason": "a tour"}
            chosen |= {"token": token_in(page.text), "number": "1" if "@" in asked_for else "11"}
            assert said in words(client.post("/admin/readers/act", data=chosen))

        # one leaves; the whole audience once more is known, and brings nobody back
        rt.db.write(
            lambda s: leave_row(rt, s, get_subscriber_row(s, email_key="reader5@uni.example"))
        )
        again = give(client, "audience.zip", export(), **basis, hour="7")
        assert "one went in before: import 1" in words(again)
        assert "New readers 0" in words(again)
        assert "This person left; nobody else brings them back." in words(again)
        press(client, again)
        assert "reader5@uni.example" not in readers(rt)

        # who asks to be forgotten goes from a list that waits to be pressed, too
        waits = give(client, "again.csv", b"email,keywords\nreader9@uni.example,robots\n", **basis)
        house.clock.go(minutes=1)
        assert erase(rt, "reader9@uni.example")
        assert forget_erased(rt) == 1
        assert "Somebody in this list was erased since" in words(client.get(waits.url.path))

        # a long list of another institute, by mistake: stopped on its way, and taken back
        monkeypatch.setattr(import_look, "SMALL_BYTES", 0)
        monkeypatch.setattr(imports, "SMALL", 0)
        monkeypatch.setattr(list_files, "PORTION", 20)
        lines = "\n".join(f"guest{n}@y.example,=1+1" for n in range(45))
        waits = give(client, "guests.csv", f"email,name\n{lines}".encode(), basis="institution")
        assert "Being looked at" in words(waits)
        assert "data-hx-get" in client.get(f"{waits.url.path}/progress").text
        imports.go_on(rt)
        assert client.get(f"{waits.url.path}/progress").headers["hx-refresh"] == "true"
        under_way = press(client, client.get(waits.url.path))
        number = int(waits.url.path.rpartition("/")[2])
        imports.bring_in(
            rt, number,
            on_rows=lambda rows, of: press(client, under_way, "/stop") if rows == 20 else None,
        )  # fmt: skip
        stopped = client.get(waits.url.path)
        assert "Stopped: 20 of 45 rows are in." in words(stopped)
        assert "Go on with the rest" in words(stopped)
        assert "Would be erased: nothing was mailed to them 20" in words(stopped)
        refused = press(client, stopped, "/undo", number="79", reason="wrong list")
        assert "These are 20 readers, not 79; nothing was done." in words(refused)
        monkeypatch.setattr(import_undo, "SMALL", 0)
        undoing = press(client, stopped, "/undo", number="20", reason="wrong list")
        assert f"Import {number}, being undone" in words(undoing)
        assert "0 of 20 readers are gone through" in words(undoing)
        assert "Who is erased stays so; the others stay readers." in words(undoing)
        assert "hx-refresh" not in client.get(f"{waits.url.path}/progress").headers
        imports.go_on(rt)
        assert client.get(f"{waits.url.path}/progress").headers["hx-refresh"] == "true"
        undone = client.get(waits.url.path)
        assert "20 were erased again." in words(undone)
        assert "Go on with the rest" not in words(undone)
        assert len(readers(rt)) == len(before) + 78
