"""A page names the language it is written in; a reader's mails may speak another."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi import Request
from support.reading_house import reading_house

from service.delivery.i18n import Catalogs
from service.pages.language import locale_of
from service.pages.templates import FIRST_WORDS, Pages, PageSite
from service.resources import resource_dir
from service.web.zones import zone_options

OFFERED = {
    "de": "Deutsch", "es": "Español", "fr": "Français", "ja": "日本語", "zh": "简体中文",
}  # fmt: skip
GERMAN = {"Accept-Language": "de-CH,de;q=0.9,en;q=0.5"}


def test_pages_that_are_not_translated_do_not_call_themselves_german(tmp_path: Path) -> None:
    with reading_house(tmp_path) as house:
        html = house.client.get("/", headers=GERMAN).text
        heading = re.search(r"<h1>(.*?)</h1>", html)
        assert heading is not None
        assert ('lang="de"' in html[:200]) == (heading[1] != FIRST_WORDS)
        house.client.post("/", data={"email": "ada@uni.example"}, headers=GERMAN)
        assert house.reader("ada@uni.example").locale == "de", "her mails are German"


@pytest.mark.parametrize(("first", "language"), [("", "en"), ("Neue Artikel.", "de")])
def test_a_catalog_with_the_first_words_of_the_pages_speaks_them(
    tmp_path: Path, first: str, language: str
) -> None:
    (tmp_path / "de.po").write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
        f'msgid "{FIRST_WORDS}"\nmsgstr "{first}"\n',
        encoding="utf-8",
    )
    pages = Pages(PageSite(base_url="http://127.0.0.1:8000"), Catalogs.load(tmp_path))
    headers = [(b"accept-language", b"de")]
    scope = {"type": "http", "path": "/", "headers": headers, "query_string": b""}
    request = Request(scope)
    assert pages.texts(request).language == language
    assert pages.mail_language(request) == "de"
    for staff in ("/admin", "/admin/readers", "/mailbox/7"):
        assert pages.texts(Request(scope | {"path": staff})).language == "en"


@pytest.mark.parametrize(("accepted", "language"), [
    ("zh-CN,zh;q=0.9,en;q=0.8", "zh"), ("zh-Hans-SG", "zh"), ("zh", "zh"), ("ja-JP,en;q=0.5", "ja"),
    ("zh-TW,zh;q=0.9,en-US;q=0.8", "en"), ("zh-Hant-HK,ja;q=0.8", "ja"), ("zh_HK", "en"),
    ("zh-TW,zh-CN;q=0.5,en;q=0.4", "zh"), ("fr-CA,fr;q=0.8,en;q=0.5", "fr"), ("es-419", "es"),
])  # fmt: skip
def test_traditional_chinese_is_not_answered_in_simplified(accepted: str, language: str) -> None:
    """A plain zh after zh-TW is the same wish, shortened by the browser."""
    headers = [(b"accept-language", accepted.encode())]
    request = Request({"type": "http", "path": "/", "headers": headers, "query_string": b""})
    assert locale_of(request, ("en", *OFFERED)) == language


def test_zones_have_the_places_of_the_language_and_the_chosen_one_its_time() -> None:
    now = datetime(2026, 11, 18, 9, tzinfo=UTC)
    catalogs = Catalogs.load(resource_dir("templates") / "locale")
    german = dict(zone_options("Europe/Zurich", now, catalogs.texts("de")))
    assert german["Europe/Zurich"] == "Europe/Zurich, jetzt 10:00"
    assert german["Africa/Cairo"] == "Africa/Cairo (Kairo)"
    assert german["Europe/Berlin"] == "Europe/Berlin"
    assert dict(zone_options("UTC", now, catalogs.texts("en")))["Africa/Cairo"] == "Africa/Cairo"


@pytest.mark.slow
def test_pages_behind_a_link_speak_the_readers_language_not_the_browsers(tmp_path: Path) -> None:
    with reading_house(tmp_path) as house:
        house.client.headers["Accept-Language"] = "de"
        house.subscribe("ada@uni.example", "robots")
        reader = house.reader("ada@uni.example")
        house.client.headers["Accept-Language"] = "en"
        own, _ = house.own_page("ada@uni.example")
        leave = f"/u/{reader.unsubscribe_token}"
        for path in (own, own.replace("manage", "history"), leave):
            assert '<html lang="de"' in house.client.get(path).text, path
        fault = house.client.post(f"{own}/pause", data={"until": "soon"}).text
        assert "Das ist kein Datum." in fault
        house.clock.go(days=900)
        over = house.client.get(own)
        assert over.status_code == 410
        assert "Dieser Link galt bis zum" in over.text
        assert '<html lang="en"' in house.client.get("/manage/cut-off").text
        assert '<html lang="en"' in house.client.get("/").text
        house.client.post(f"{leave}", data={"List-Unsubscribe": "One-Click"})
        assert "Sie haben abbestellt." in house.client.get(leave).text


def test_the_foot_of_an_open_page_offers_its_other_languages(tmp_path: Path) -> None:
    with reading_house(tmp_path) as house:
        english = house.client.get("/search?q=robots&page=1").text
        offered = dict(re.findall(r'<a href="([^"]+)" rel="alternate" [^>]+>([^<]+)</a>', english))
        where = "?q=robots&amp;page=1&amp;lang="
        assert offered == {where + code: name for code, name in OFFERED.items()}
        for code in OFFERED:
            assert f'lang={code}" rel="alternate" lang="{code}" hreflang="{code}">' in english
        assert "lang=" not in re.sub(r"<html[^>]*>|<a [^>]+ hreflang=[^>]+>", "", english)
        german = house.client.get("/search?q=robots&lang=de").text
        assert 'hreflang="en">English</a>' in german
        assert '<input type="hidden" name="lang" value="de">' in german, "a search stays German"
        assert re.search(r'href="/papers/arxiv/[\d.]+\?lang=de"', german), (
            "and so do the papers found"
        )
        assert 'href="/about?lang=de"' in german
        assert 'href="/manage?lang=de"' in german
        assert not re.findall(r'"/(?:static|feeds)[^"]*lang=', german)
        house.client.post("/?lang=de", data={"email": "ada@uni.example"})
        assert house.reader("ada@uni.example").locale == "de", "and the mails that were asked for"
        leave = f"/u/{house.reader('ada@uni.example').unsubscribe_token}"
        for closed in (house.client.get(leave), house.client.post("/", data={"email": "no"})):
            assert 'rel="alternate" lang=' not in closed.text
