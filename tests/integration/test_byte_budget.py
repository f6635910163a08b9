"""The byte budget: whatever matched, the mail fits, counts it and can be left at both ends."""

from dataclasses import replace
from email import message_from_bytes, policy
from typing import Any

import pytest
from support.digests import BASE, TOKEN, digest, entry, frame, line, renderer, section
from support.pressed import HEADS, fits_the_wire, read

from service.delivery.message import build
from service.delivery.press import Press
from service.delivery.render import HTML_BUDGET, MESSAGE_BUDGET
from service.digest.budget import shown
from service.digest.model import Digest, Marked, Reason

RENDERER = renderer()
PRESS = Press(RENDERER)
CJK = ("大模型推理的低秩适配方法综述，" * 200)[:2000]
LATIN = ("Low-rank adaptation, or LoRA, of large language models. " * 50)[:2000]
CYRILLIC = ("Низкоранговая адаптация больших языковых моделей. " * 50)[:2000]


def papers(count: int, text: str, **changes: Any) -> Digest:
    """Every match in full: no composition has made it smaller."""
    made = [
        entry(n, f"{text[:60]} {n}", abstract=Marked(text, ((0, 4), (9, 12))), **changes)
        for n in range(count)
    ]
    return digest(section(*made[: count // 2]), section(*made[count // 2 :]), matched=count)


def holds(whole: Digest) -> bytes:
    """The budget by what is on the wire, and what a reader must find in it."""
    fitted = PRESS.fit(whole, frame())
    assert sorted(fitted.paper_ids()) == sorted(whole.paper_ids())
    assert fitted == RENDERER.fit(whole, frame())
    raw = PRESS.mail(whole, frame(), HEADS)
    assert raw == PRESS.mail(fitted, frame(), HEADS)
    assert len(raw) <= MESSAGE_BUDGET
    fits_the_wire(raw)
    _, ((_, _, text), (_, _, html)) = read(raw)
    assert len(html.replace("\r\n", "\n").encode()) <= HTML_BUDGET
    first_paper, end = html.index("<h2"), html.rindex("</li>") if "</li>" in html else 0
    for link in (f"{BASE}/u/{TOKEN}", f"{BASE}/manage/{TOKEN}"):
        assert html.index(link) < first_paper
        assert html.rindex(link) > end
        assert link in text
    counted = sum(len(s.rest) for s in fitted.sections)
    assert shown(fitted) + counted == len(whole.paper_ids())
    for one in fitted.sections:
        assert not one.rest or f"{len(one.rest)} more on the web" in html
    return raw


@pytest.mark.parametrize("text", [CJK, LATIN, CYRILLIC], ids=["cjk", "latin", "cyrillic"])
@pytest.mark.parametrize(
    "count", [1, *(pytest.param(n, marks=pytest.mark.slow) for n in (20, 500))]
)
def test_matches_with_long_abstracts(count: int, text: str) -> None:
    holds(papers(count, text))


@pytest.mark.parametrize("count", [3, pytest.param(500, marks=pytest.mark.slow)])
def test_chinese_goes_as_base64(count: int) -> None:
    raw = holds(papers(count, CJK))
    assert raw.count(b"Content-Transfer-Encoding: base64") >= 1
    assert b"base64" not in holds(papers(count, LATIN))


@pytest.mark.slow
def test_five_hundred_lines() -> None:
    lines = tuple(replace(line(n, f"{CJK[:90]} {n}"), value=f"2611.{n}") for n in range(500))
    holds(digest(section(lines=lines), matched=500))


@pytest.mark.slow
def test_a_giant_title_and_many_authors() -> None:
    giant = entry(
        1,
        "Giant " * 5_000,
        authors=("A name of somebody " * 20,) * 300,
        author_count=3_000,
        place="place " * 500,
        also_in=("interest " * 30,) * 20,
        summary_line="summary " * 2_000,
        reasons=tuple(Reason(f"term {n}", "title") for n in range(200)),
    )
    holds(digest(section(giant, entry(2)), matched=2))


@pytest.mark.slow
def test_long_addresses() -> None:
    long = {
        "abs": "https://example.org/" + "a" * 8_000,
        "pdf": "https://example.org/?q=" + "ä" * 3_000,
    }
    holds(digest(section(*[entry(n, links=long) for n in range(12)]), matched=12))


@pytest.mark.slow
def test_twenty_interests() -> None:
    made = [
        section(
            *[entry(20 * s + n, f"{CJK[:50]} {s} {n}") for n in range(20)], name=f"兴趣 {s} " * 9
        )
        for s in range(20)
    ]
    holds(digest(*made, matched=400, interests=20))


@pytest.mark.slow
def test_a_note_that_fills_the_mail_is_refused_and_a_long_one_is_not() -> None:
    holds(replace(papers(10, LATIN), note="A word of the editor. " * 400))
    from service.delivery.render import RenderError

    with pytest.raises(RenderError, match="does not fit"):
        PRESS.mail(replace(papers(2, LATIN), note="word " * 40_000), frame(), HEADS)


@pytest.mark.slow
@pytest.mark.parametrize("text", [CJK, LATIN, CYRILLIC], ids=["cjk", "latin", "cyrillic"])
def test_the_whole_rendering_keeps_the_budget_too(text: str) -> None:
    raw = build(RENDERER.render_digest(papers(30, text), frame()), **HEADS.fields())
    assert len(raw) <= MESSAGE_BUDGET
    assert read(raw) == read(PRESS.mail(papers(30, text), frame(), HEADS))
    mail = message_from_bytes(raw, policy=policy.default)
    assert not mail.defects
