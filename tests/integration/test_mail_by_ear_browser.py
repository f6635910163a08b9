"""A digest by ear: what is told, in which order, and under which names (docs/by-ear.md)."""

import pytest
from support.browsing import open_browser
from support.by_ear import DOC, reading, sample
from support.digests import frame, renderer

pytestmark = pytest.mark.browser


def test_a_digest_read_from_the_accessibility_tree(chromium: str) -> None:
    done = renderer().render_digest(sample(), frame())
    with open_browser(chromium) as page:
        lines = reading(page, done.html)
    assert lines[0].startswith("[heading 1] 446 new papers checked")
    interest = lines.index("[heading 2] Ana Silva (1)")
    for link in ("Change or pause", "Leave", "View in browser"):
        assert lines.index(f"[link] {link}") < interest, "before any paper"
    title = lines.index("[heading 3] LoRA adapters that forget less under long schedules")
    of_paper = lines[title : lines.index("[item]", title)]
    why = next(at for at, one in enumerate(of_paper) if one.startswith("Why: LoRA in the title"))
    assert why < of_paper.index("We study why LoRA drifts. [...]"), "the reason comes first"
    figures = "19 Nov, Machine Learning (cs.LG), 41 votes, 2 comments"
    assert f"Ana Silva, Bo Chen, Carla Diaz + 4, {figures}" in of_paper, "with pauses"
    links = [one for one in lines if one.strip().startswith("[link]")]
    short = [one for one in links if one.startswith(("[link] PDF", "[link] Code", "[link] Tune"))]
    assert all(": " in one for one in short), "each tells its paper"
    assert "[link]" not in links
    assert "[link] and 2 more on the web: Low-rank adaptation" in links
    assert not any(sign in one for one in lines for sign in "·◐•")
    assert not any(done.preheader in one for one in lines[1:]), "the preview line is not told"
    assert any("You may have seen this one" in one for one in lines)


def test_the_page_of_the_reading_is_whole() -> None:
    text = DOC.read_text(encoding="utf-8")
    for told in ("[heading 1]", "[heading 2]", "[heading 3]", "[link] Leave", "Why: LoRA"):
        assert told in text
