"""Mails hold in every program: what the Word engine needs, both directions, pictures of papers."""

import re
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from support.digests import digest, entry, everything, frame, line, renderer, section, site
from support.mail_parts import Element, elements

from service.delivery.notices import NOTICES
from service.delivery.phrases import PREHEADER_CHARS
from service.delivery.render import HTML_BUDGET
from service.digest.model import Marked
from service.text.markdown import markdown_to_html

RENDERER = renderer()
LETTER = (
    "Come **on Thursday**.\n\n- One [link](https://example.org/a)\n- Two {{ 7 * 7 }}\n\n> Said."
)


def notice(kind: str) -> str:
    values: dict[str, Any] = dict.fromkeys(NOTICES[kind], "https://papers.example.org/x")
    for name in ("until", "on"):
        values[name] = digest().on
    for name in ("days", "checked", "planned", "accepted", "refused"):
        values[name] = 7
    if kind == "report":
        values["refused"] = [("The mailbox is full", 4, "552 5.2.2 Over quota")]
    values |= {"html": markdown_to_html(LETTER), "groups": [("refused", 4)]}
    values |= {"words": [("LoRA", 3)], "widenings": [("adapters", 44, "https://e.org/")]}
    return RENDERER.render_notice(kind, values).html


def whole(**changes: Any) -> str:
    return RENDERER.render_digest(everything(), frame(**changes)).html


ALL = {"digest": whole(), **{kind: notice(kind) for kind in NOTICES}}


@pytest.mark.parametrize("kind", ALL)
def test_the_word_engine_gets_a_table_of_600_and_fonts_it_has(kind: str) -> None:
    html = ALL[kind]
    opened, closed = re.findall(r"<!--\[if mso\]>(<table.*?|</td>.*?)<!\[endif\]-->", html)
    assert opened.startswith('<table role="presentation" width="600"')
    assert opened.endswith("<tr><td>")
    assert closed == "</td></tr></table>"
    head = html[html.index("<!--[if mso]><xml ") : html.index("<![endif]-->")]
    assert "<o:PixelsPerInch>96</o:PixelsPerInch>" in head
    assert '"Segoe UI", Arial, sans-serif !important' in head
    assert "Georgia, serif !important" in head
    assert "mso-line-height-rule: exactly" in head
    assert ".fill { padding: 10px 20px !important; }" in head
    assert "mso-" not in re.sub(r"<!--.*?-->", "", html, flags=re.S), "no other program is told"
    assert html.count("<!--[if mso]>") == html.count("<![endif]-->") == 3


@pytest.mark.parametrize("kind", ALL)
def test_gmail_keeps_the_rules_of_the_head(kind: str) -> None:
    blocks = re.findall(
        r"<style[^>]*>(.*?)</style>", re.sub(r"<!--.*?-->", "", ALL[kind], flags=re.S), re.S
    )
    assert len(blocks) == 2, "rules that Gmail cannot read stand apart from those that it can"
    assert all(len(block) < 8192 for block in blocks), "it drops longer ones"
    assert "[" not in blocks[0]
    assert not re.search(r"@[^{]*\{[^}]*@|url\(|/\*", "".join(blocks))


@pytest.mark.parametrize("kind", ALL)
def test_room_and_lines_stand_where_every_program_knows_them(kind: str) -> None:
    for one in elements(ALL[kind]):
        style = one.style
        assert "background" not in style, one
        assert not {"height", "float", "position", "text-align"} & set(style), one
        if one.tag == "table":
            assert one.values["role"] == "presentation", one
            assert one.values["cellspacing"] == one.values["cellpadding"] == "0", one
        if style.get("padding", "0") != "0":
            is_list = one.tag in ("ul", "ol") and one.inside(
                "letter"
            )  # the Word engine has margins
            # up and down on words in a line: no room, only more to tap on
            is_larger = one.tag == "a" and style["padding"].endswith("px 0")
            held = one.tag in ("td", "th") or is_list or is_larger
            assert held or style["display"] == "inline-block", one
        if any(name.startswith("border") for name in style) and one.tag != "table":
            assert one.tag in ("td", "hr", "img") or one.values["class"].startswith("hit"), one
        if one.tag in ("span", "body"):
            assert style.get("margin", "0") == "0", one


@pytest.mark.parametrize("kind", ALL)
def test_nothing_leans_to_one_side(kind: str) -> None:
    for one in elements(ALL[kind]):
        for name, value in one.style.items():
            assert not name.endswith(("-left", "-right")), one
            sides = value.split()
            if name in ("margin", "padding") and len(sides) == 4:
                assert sides[1] == sides[3], one


@pytest.mark.parametrize("kind", ALL)
def test_a_ground_never_comes_without_its_ink(kind: str) -> None:
    for one in elements(ALL[kind]):
        if "background-color" in one.style and one.text.strip():
            if one.has("fill"):  # a button's ground, painted again by the link that fills it
                (link,) = (a for a in elements(ALL[kind]) if a.has("button") and a.text == one.text)
                assert link.style["background-color"] == one.style["background-color"], one
                one = link
            assert "color" in one.style, one


def test_the_column_says_its_direction() -> None:
    for locale, side in (
        ("en", ("ltr", "left")),
        ("de", ("ltr", "left")),
        ("ar-XB", ("rtl", "right")),
    ):
        html = whole(locale=locale)
        (column,) = (one for one in elements(html) if one.has("inside"))
        assert (column.values["dir"], column.values["align"]) == side
        assert f'dir="{side[0]}"' in html.partition(">")[2].partition(">")[0]


def test_pieces_of_the_grey_line_keep_their_own_direction() -> None:
    there = RENDERER.render_digest(digest(section(entry(1))), frame(locale="ar-XB")).html
    here = RENDERER.render_digest(digest(section(entry(1))), frame()).html
    assert "\u2068Ana Silva, Bo Chen, Carla Diaz" in there
    (pieces,) = (one for one in elements(there) if one.has("small") and "Ana Silva" in one.text)
    assert pieces.text.count("\u2069,\u2002\u2068") == 4, "authors, date, place, votes, comments"
    assert there.count("\u2068") == there.count("\u2069")
    assert "\u2068" not in here
    assert "·" not in here


def test_an_alert_does_not_speak_of_the_hour_of_the_digest() -> None:
    for kind, says in (("daily", True), ("alert", False)):
        made = RENDERER.render_digest(digest(section(entry(1)), kind=kind), frame())
        for body in (made.html, made.text):
            assert ("Weekdays at 08:00, Zurich." in " ".join(body.split())) is says
            assert "because you confirmed on" in body


@pytest.mark.parametrize("ended", ["", "2026-11-20 09:40 UTC"])
def test_an_alarm_says_what_to_do_and_its_end_how_long_it_was(ended: str) -> None:
    data = {
        "what": "a.example refuses our mail.",
        "place": "The server said: 550 5.7.1 <Go away>",
        "next_step": "Mend what it names.",
        "since": "2026-11-20 08:10 UTC",
        "ended": ended,
        "domain": "a.example",
        "status": "5.7.1",
        "words": "550 5.7.1 <Go away>",
        "refused": 4,
        "link": "https://x.example/admin/alarms",
    }
    made = RENDERER.render_notice("alarm", data)
    assert made.subject == ("Over: " if ended else "Alarm: ") + "a.example refuses our mail."
    assert "&lt;Go away&gt;" in made.html
    for body in (made.html.partition("<body")[2], made.text):
        assert body.count("5.7.1") == 1
        assert "2026-11-20 08:10 UTC" in body
        assert ("Mend what it names." in body) is not bool(ended)
        assert ("to 2026-11-20 09:40 UTC" in " ".join(body.split())) is bool(ended)
        assert data["link"] in body


def test_texts_of_papers_say_their_language() -> None:
    made = digest(
        section(
            entry(1),
            entry(2, "大语言模型的低秩适配", abstract=Marked("我们研究低秩适配的漂移。")),
            lines=(line(3), line(4, "低ランク適応のスケジュール")),
        )
    )
    for locale in ("en", "de", "ar-XB"):
        html = RENDERER.render_digest(made, frame(locale=locale)).html
        told = [(one.tag, one.values.get("lang")) for one in elements(html) if "lang" in one.values]
        assert told == [
            ("html", locale),
            *[("h3", "en"), ("p", "en"), ("h3", "zh"), ("p", "zh")],
            *[("span", "en"), ("span", "ja")],
        ]
        autos = [one for one in elements(html) if one.values.get("dir") == "auto"]
        assert {one.tag for one in autos if one.text == "Low-rank adaptation"} == {"span"}
        assert all(one in autos for one in elements(html) if one.values.get("lang") in ("zh", "ja"))
        assert not [one for one in autos if one.tag == "a"], "Outlook turns links round"


def test_every_paper_has_an_anchor_of_its_own() -> None:
    ids = Counter(one.values["id"] for one in elements(whole()) if "id" in one.values)
    assert set(ids.values()) == {1}
    assert {"arxiv-2611.00001", "arxiv-2611.00004", "arxiv-2611.00008"} <= set(ids)


def test_a_short_preheader_is_followed_by_room() -> None:
    made = RENDERER.render_digest(digest(section(entry(1)), matched=1), frame())
    (hidden,) = (one for one in elements(made.html) if one.has("hidden"))
    shown = hidden.text.rstrip("\u00a0\u200c")
    assert shown == made.preheader
    assert hidden.text == shown + "\u00a0\u200c" * (PREHEADER_CHARS - len(shown))
    assert "\u200c" not in ALL["confirm"]
    long = RENDERER.render_digest(everything("A title of many words that goes on"), frame())
    assert len(long.preheader) > 100
    assert long.html.count("\u200c") == PREHEADER_CHARS - len(long.preheader)


def test_a_letter_has_the_look_of_the_house() -> None:
    html = ALL["newsletter"]
    parts = {one.tag: one for one in elements(html) if one.inside("letter")}
    assert parts["ul"].style["list-style-type"] == "disc"
    assert parts["a"].style["color"] == "#1b1a17"
    assert parts["blockquote"].style["color"] == "#5c5750"
    assert "Two {{ 7 * 7 }}" in html
    assert html.index("</h1>") < html.index(">Leave</a>") < html.index("Come <strong>")


@pytest.mark.parametrize("kind", ["digest", "newsletter", "quiet"])
def test_manage_and_leave_follow_the_heading(kind: str) -> None:
    html = ALL[kind]
    after = html[html.index("</h1>") :]
    first = re.findall(r"<a [^>]*>([^<]+)</a>", after)[:4]
    assert "Change or pause" in first
    assert "Leave" in first


def test_pictures_of_papers_are_shown_only_where_asked_and_carry_nothing() -> None:
    picture = "https://cdn.example.org/p.png"
    good = entry(1, links={"abs": "https://arxiv.org/abs/1", "thumbnail": picture})
    bad = entry(2, links={"abs": "https://arxiv.org/abs/2", "thumbnail": "javascript:x"})
    made = digest(section(good, bad, entry(3)))
    plain = RENDERER.render_digest(made, frame())
    assert "<img" not in plain.html
    pictured = renderer(site=replace(site(), thumbnails=True))
    assert "<img" not in pictured.render_digest(made, frame(), public=True).html
    shown = pictured.render_digest(made, frame())
    (image,) = (one for one in elements(shown.html) if one.tag == "img")
    assert image.values["src"] == picture
    assert image.values["alt"] == ""
    assert (image.values["width"], image.values["height"]) == ("160", "87")
    assert re.sub(r"<p class=\"picture\".*?</p>", "", shown.html) == plain.html
    assert shown.text == plain.text


def test_ten_papers_and_thirty_lines_fit_as_they_are() -> None:
    text = "A sentence of an abstract that says what was found. " * 8
    full = [entry(n, abstract=Marked(text[:420], ((2, 10),))) for n in range(10)]
    lines = tuple(
        line(n, f"A title of a usual length, number {n}, that goes on") for n in range(10, 40)
    )
    made = digest(section(*full, lines=lines, rest=(50, 51)))
    assert RENDERER.fit(made, frame()) == made
    assert len(RENDERER.render_digest(made, frame()).html.encode()) < HTML_BUDGET * 0.8


def test_the_helper_sees_what_it_is_asked_for() -> None:
    html = '<div class="a b"><p style="margin: 0 4px 0 2px; color: red">x<b>y</b></p></div>'
    div, p, b = elements(html)
    assert (div.tag, div.has("b"), div.text) == ("div", True, "xy")
    assert p.style == {"margin": "0 4px 0 2px", "color": "red"}
    assert b.inside("a")
    assert isinstance(b, Element)
