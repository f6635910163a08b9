"""The partials, shown together in a gallery; and the colours behind them."""

import re
from pathlib import Path

import pytest
from jinja2 import ChoiceLoader, FileSystemLoader, UndefinedError
from support.furnished import make_pages, sample_entries

from service.delivery.i18n import PSEUDO, SOURCE, pseudo
from service.pages.forms import FieldError
from service.pages.paging import Paging
from service.pages.templates import host_of, web_address
from service.resources import resource_dir

ERRORS = {"words": FieldError("A bracket is open <b>.", "words", "Add ) at the end.")}


def _gallery(language: str = SOURCE) -> str:
    pages = make_pages()
    texts = pages.catalogs.texts(language)
    environment = pages.environment(texts)
    assert environment.loader is not None
    environment.loader = ChoiceLoader([environment.loader, FileSystemLoader(Path(__file__).parent)])
    context = {
        "errors": ERRORS,
        "entries": sample_entries(),
        "paging": Paging(2, 100, 320),
        "address_of_page": lambda number: f"?page={number}",
    }
    return pages.render("gallery.html", context, texts)


def _words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_a_paper_says_all_it_should() -> None:
    html = _gallery()
    text = _words(html)
    assert "Ana Silva, Bo Chen, Carla Diaz + 4 " in text
    assert "19 Nov" in text
    assert "1,041 votes" in text
    assert "submitted by akhaliq-like" in text
    assert "Abstract · 7 authors" in text
    assert "1 vote 1 comment withdrawn" in text
    assert '<a href="https://huggingface.co/papers/2611.00000">2 comments</a>' in html
    assert '<a href="/papers/arxiv/2611.00000"><mark>LoRA</mark> adapters' in html
    assert "why <mark>LoRA</mark> drifts" in html


def test_what_a_feed_wrote_stays_text() -> None:
    html = _gallery()
    assert "&lt;/a&gt;&lt;script&gt;alert" in html
    assert "<script>alert" not in html
    assert "<b>Mallory" not in html
    assert "javascript:" not in html
    assert "A bracket is open &lt;b&gt;." in html


def test_a_fault_is_tied_to_its_field() -> None:
    html = _gallery()
    assert 'aria-describedby="words-fault words-hint" aria-invalid="true"' in html
    assert 'id="words-fault"' in html
    assert "1 thing" not in html
    assert "One thing to mend; nothing was sent." in html


def test_attributes_that_are_false_are_left_out() -> None:
    html = _gallery()
    assert re.search(r'<input id="email"[^>]* required placeholder="name@university.edu">', html)
    assert "disabled=" not in html
    assert re.search(r'<option value="8" selected>', html)


def test_the_words_field_keeps_phones_from_changing_capitals() -> None:
    field = re.search(r'<textarea id="words"[^>]*>', _gallery())
    assert field is not None
    for attribute in ('autocapitalize="none"', 'autocorrect="off"', 'spellcheck="false"'):
        assert attribute in field.group()


def test_a_state_has_a_sign_and_a_word() -> None:
    text = _words(_gallery())
    for shown in ("● complete", "◐ late", "○ empty by calendar", "× refused the password"):
        assert shown in text, shown


def test_no_inline_script_or_style() -> None:
    html = _gallery()
    assert not re.search(r"<style|\sstyle=|\son\w+=", html)
    assert not re.search(r"<script(?![^>]*\ssrc=)", html)


def test_macros_and_pages_speak_the_readers_language() -> None:
    """In the pseudo-language, what is not in brackets did not pass gettext."""
    html = _gallery(PSEUDO)
    text = _words(html)
    assert '<html lang="en-XA" dir="ltr">' in html
    for said in ("1,041 votes", "7 authors", "Abstract", "late", "About", "Next page"):
        assert pseudo(said) in text, said
    entries = html[html.index('<ol class="papers">') : html.index("</ol>")]
    for english in ("vote", "comment", "submitted", "author", "withdrawn", "machine"):
        assert english not in _words(entries), english


def test_unknown_names_are_refused() -> None:
    pages = make_pages()
    environment = pages.environment(pages.catalogs.texts(SOURCE))
    with pytest.raises(UndefinedError):
        environment.from_string("{{ nowhere }}").render()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("https://arxiv.org/abs/1", "https://arxiv.org/abs/1"),
        (" http://x.org ", "http://x.org"),
        ("javascript:alert(1)", ""),
        ("JaVaScRiPt:alert(1)", ""),
        ("data:text/html,x", ""),
        ("//evil.org", ""),
        ("https://[bad", ""),
        (None, ""),
    ],
)
def test_only_web_addresses_become_links(value: str | None, expected: str) -> None:
    assert web_address(value) == expected


def test_a_host_is_named_without_www() -> None:
    assert host_of("https://www.biorxiv.org/content/1") == "biorxiv.org"


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, two: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(two)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _stylesheet() -> str:
    return (resource_dir("templates") / "static" / "paperpost.css").read_text()


def _tokens(scheme: str) -> dict[str, str]:
    """The colours of a scheme; what it leaves out stands as on a light screen."""
    begins = {
        "light": "",
        "dark": "@media (prefers-color-scheme: dark) {",
        "paper": "@media print {",
    }[scheme]
    css = _stylesheet()
    block = re.search(r":root \{(.*?)\}", css[css.index(begins) :], re.DOTALL)
    assert block
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block[1]))


@pytest.mark.parametrize("scheme", ["light", "dark", "paper"])
def test_every_colour_can_be_read(scheme: str) -> None:
    """WCAG 2.2: 4.5 for text (1.4.3), 3 for borders and focus (1.4.11)."""
    light, own = _tokens("light"), _tokens(scheme)
    assert len(light) == 12
    assert set(own) == set(light) - ({"border", "focus"} if scheme == "paper" else set())
    tokens = light | own
    for name in ("ink", "meta", "error", "good", "late"):
        assert _contrast(tokens[name], tokens["paper"]) >= 4.5, name
    assert _contrast(tokens["mark-ink"], tokens["mark"]) >= 4.5
    for name in ("border", "focus", "mark-line"):
        assert _contrast(tokens[name], tokens["paper"]) >= 3, name


def test_colours_stand_only_among_the_tokens() -> None:
    after = re.sub(r":root \{.*?\}", "", _stylesheet(), flags=re.DOTALL)
    assert re.findall(r"#[0-9a-f]{3,8}\b", after) == ["#ffffff"], "only the mail's own paper"
