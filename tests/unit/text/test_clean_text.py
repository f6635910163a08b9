"""White space, control characters, HTML and links."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.captures import shared_data

from service.text.clean import as_written, collapse, html_to_text, safe_link

PLAIN = [
    ("a <em>b</em> c", "a b c"),
    ("x<br>y<p>z</p>", "x y z"),
    ("CO<sub>2</sub> and 10<sup>-3</sup> and 2<sup>nd</sup>", "CO₂ and 10⁻³ and 2nd"),
    ("<think> and <EOS> stay, a<b and c>d", "<think> and <EOS> stay, a<b and c>d"),
    ("&lt;em&gt;twice&lt;/em&gt; &amp;amp; R&D", "twice & R&D"),
    ("p &lt; 0.05 &percnt; &notanentity;", "p < 0.05 % &notanentity;"),
    ("<script>alert(1)</script>ok<style>b{}</style>", "ok"),
    ("<jats:p>One</jats:p><jats:p>Two</jats:p>", "One Two"),
    ("before<!-- hidden -->after", "before after"),
    ('<img src=x onerror="alert(1)">left', "left"),
    ("<b", "<b"),
]


@pytest.mark.parametrize(("markup", "text"), PLAIN)
def test_html_becomes_text(markup: str, text: str) -> None:
    assert html_to_text(markup) == text


def test_collapse_cleans_every_kind_of_break() -> None:
    raw = "\ufeffA\r\nB\x0bC\x0cD\x85E\u2028F\u2029G\x00H\ud800I\u00adJ\u202eK  L"
    assert collapse(raw) == "A B C D E F GHIJK L"


def test_as_written_keeps_lines_but_nothing_a_store_refuses() -> None:
    kept = as_written("a\n  b\x00\ud800")
    assert kept == "a\n  b"
    assert kept.encode("utf-8")


@given(st.text())
def test_text_can_always_be_stored_and_stays_on_one_line(text: str) -> None:
    for cleaned in (collapse(text), html_to_text(text)):
        assert "\x00" not in cleaned
        assert len(cleaned.splitlines()) <= 1
        assert cleaned.encode("utf-8") is not None


LINKS = [
    ("http://a.example/c d?x=1 2", "http://a.example/c%20d?x=1%202"),
    ("//a.example/x", "https://a.example/x"),
    (" https://a.example/ü ", "https://a.example/%C3%BC"),
    ("javascript:alert(1)", ""),
    ("data:text/html,x", ""),
    ("ftp://a.example/x", ""),
    ("http://[::1", ""),
    ("http://user:secret@a.example/", ""),
    ("https://a.example\\@b.example/", ""),
    ("http://a.example:99999/", ""),
    ("https:///nohost", ""),
    ("java\nscript:alert(1)", ""),
    ("", ""),
]


@pytest.mark.parametrize(("url", "safe"), LINKS)
def test_only_web_addresses_are_links(url: str, safe: str) -> None:
    assert safe_link(url) == safe


def test_naughty_strings_neither_raise_nor_link() -> None:
    strings = json.loads((shared_data() / "strings" / "blns.json").read_text("utf-8"))
    assert len(strings) > 400
    for text in strings:
        assert "\n" not in html_to_text(text)
        assert not safe_link(text) or safe_link(text).startswith(("http://", "https://"))
