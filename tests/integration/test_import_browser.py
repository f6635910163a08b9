"""Lists of another system in a browser: a basis is asked, they are looked at, the bad row is taken
along, and two presses bring them in once."""

import csv
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from support.desk_site import desk_site

from service.flows import import_look, imports

pytestmark = [pytest.mark.browser, pytest.mark.slow]
HEAD = '"Email Address","First Name","Last Name",MEMBER_RATING,OPTIN_TIME,LAST_CHANGED,LEID,TAGS'
SUBSCRIBED = f"{HEAD}\nkim@x.example,Kim,Lee,2,2023-01-01,2023-01-02,1,Lab\nbad@,,,2,,,2,\n"
LEFT = f"{HEAD},UNSUB_TIME\nkim@x.example,Kim,Lee,2,2023-01-01,2023-01-02,1,,2024-05-01\n"
MORE = "lou@x.example,Lou,May,2,2023-01-01,2023-01-02,3,\n"


def choose(page: Page, folder: Path, *names: str) -> None:
    page.get_by_label("Files (CSV)").set_input_files([folder / name for name in names])


def test_a_list_is_looked_at_and_comes_in_once(
    tmp_path: Path, chromium: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "subscribed.csv").write_text(SUBSCRIBED + MORE)
    (tmp_path / "unsubscribed.csv").write_text(LEFT)
    with desk_site(tmp_path, chromium) as site:
        page = site.page(viewport={"width": 360, "height": 740}, accept_downloads=True)
        page.goto(site.address("/admin/import"))
        choose(page, tmp_path, "subscribed.csv", "unsubscribed.csv")
        look = page.get_by_role("button", name="Look at it, add nobody")
        look.click()
        expect(page.get_by_text("The basis of consent is missing.")).to_be_visible()
        page.get_by_label("They confirmed elsewhere").check()
        page.get_by_label("When and where").fill("our Mailchimp, 2023")
        choose(page, tmp_path, "subscribed.csv", "unsubscribed.csv")
        look.click()
        page.wait_for_url("**/admin/imports/*")
        expect(page.get_by_text("Mailchimp export: 3 rows")).to_be_visible()
        expect(page.get_by_text("suppressed (they left)").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        with page.expect_download() as file:
            page.get_by_role("button", name="problems.csv").click()
        text = file.value.path().read_text(encoding="utf-8-sig")
        rows = list(csv.DictReader(text.splitlines()))
        assert [(row["email"], row["file"], row["row"]) for row in rows] == [
            ("bad@", "subscribed.csv", "3")
        ]
        page.get_by_role("button", name="Import 1 reader").dblclick()
        expect(page.get_by_role("heading", name="What it did")).to_be_visible()
        page.get_by_role("link", name="Those whom it brought").click()
        expect(page.get_by_role("link", name="lou@x.example")).to_be_visible()
        assert page.get_by_role("link", name="kim@x.example").count() == 0, "they had left there"
        page.goto(site.address("/admin/audit?what=import+readers&target=&who=olga"))
        assert page.get_by_role("cell", name="olga").count() == 1

        # a long one: the page waits for it by itself, and stays what it is where nobody looks
        monkeypatch.setattr(import_look, "SMALL_BYTES", 0)
        page.goto(site.address("/admin/import"))
        page.get_by_label("Or paste one").fill("email\nmax@x.example\n")
        page.get_by_label("They are members of our institution").check()
        look.click()
        expect(page.get_by_role("heading", name="Being looked at")).to_be_visible()
        expect(page.get_by_role("progressbar")).to_be_visible()
        imports.go_on(site.rt)
        expect(page.get_by_role("button", name="Import 1 reader")).to_be_visible()
