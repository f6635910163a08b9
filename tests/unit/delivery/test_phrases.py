"""Subject, first line, links: what look.md says."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.digests import ON, digest, entry, everything, frame, line, section

from service.delivery import phrases, plain
from service.delivery.i18n import Texts
from service.digest.model import Digest, Marked, Reason
from service.text.measure import columns

EN = Texts("en")
TITLE = "LoRA adapters that forget less"


def with_papers(n: int, **changes: Any) -> Digest:
    return digest(section(*(entry(i) for i in range(n))), **changes)


def trending(n: int, **changes: Any) -> Digest:
    fields = {"matched": 0, "interests": 0} | changes
    return digest(section(*(entry(i) for i in range(n)), kind="trending", name=""), **fields)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (with_papers(5), f"{TITLE} and 4 more"),
        (with_papers(1), TITLE),
        (trending(10), f"Trending: {TITLE} and 9 more"),
        (with_papers(18, kind="weekly"), f"Your week: {TITLE} and 17 more"),
        (with_papers(9, kind="catchup", since=date(2026, 11, 16)), None),
        (with_papers(5, kind="first"), f"Your first papers: {TITLE} and 4 more"),
        (with_papers(1, kind="alert"), f"New: {TITLE}"),
        (with_papers(3, kind="manual", subject="Chosen\r\nBcc: x"), "Chosen Bcc: x"),
        (digest(section(lines=(line(1),))), "Another paper on LoRA"),
        (digest(section(rest=(1, 2))), "446 new papers checked, 5 contain your words"),
    ],
)
def test_subjects(value: Digest, expected: str | None) -> None:
    expected = expected or f"Since Monday: {TITLE} and 8 more"
    assert phrases.subject(value, EN) == expected
    assert phrases.subject(value, EN, test=True) == f"[Test] {expected}"


@pytest.mark.parametrize(
    ("title", "more", "expected"),
    [
        ("Does it work?", 4, "“Does it work?” and 4 more"),
        ("Does it work?", 0, "Does it work?"),
        ("A survey of it all.", 1, "“A survey of it all.” and 1 more"),
        ("Towards agents:", 2, "Towards agents and 2 more"),
        ("Go", 3, "Go and 3 more"),
        ("大規模言語モデルは推理できるか？", 2, "“大規模言語モデルは推理できるか？” and 2 more"),
        ("大规模语言模型" * 9, 4, "大规模语言模型" * 4 + "大… and 4 more"),
        ("", 4, "446 new papers checked, 5 contain your words"),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_titles_of_all_sorts(title: str, more: int, expected: str) -> None:
    value = digest(section(*(entry(i, title) for i in range(more + 1))))
    assert phrases.subject(value, EN) == expected
    assert columns(phrases.subject(value, EN)) <= 70


@given(
    st.text(min_size=1, max_size=320)
    | st.lists(st.sampled_from(["漢字", "👩‍👧‍👦", "e\u0301", "word", "a-b", "ﷺ", "\u202e"])).map(
        " ".join
    ),
    st.sampled_from(["daily", "weekly", "first", "alert", "catchup"]),
    st.sampled_from([1, 2, 1400]),
    st.booleans(),
)
def test_a_subject_is_one_line_of_70_columns(
    title: str, kind: Any, papers: int, test: bool
) -> None:
    value = digest(
        section(entry(1, title), rest=tuple(range(2, papers + 1))),
        kind=kind,
        since=date(2026, 11, 16),
    )
    line = phrases.subject(value, EN, test=test)
    assert columns(line) <= 70
    assert len(line) <= 70
    assert line == plain.one_line(line) != ""
    if papers > 1 and title.strip(" :;,–—-").isalnum():
        assert " more" in line


def test_the_preheader_says_what_the_subject_does_not() -> None:
    titles = [f"Paper {n} of many words" for n in range(5)]
    value = digest(
        section(*(entry(n, t) for n, t in enumerate(titles[:2])), lines=(line(7, titles[2]),))
    )
    shown = phrases.preheader(value, EN)
    assert shown == (
        "446 new papers checked, 5 contain your words"
        " · Paper 1 of many words · Paper 2 of many words"
    )
    assert titles[0] not in shown
    for kind in ("daily", "weekly", "first", "alert", "manual"):
        one = digest(section(entry(1)), kind=kind)
        assert phrases.preheader(one, EN) not in ("", phrases.subject(one, EN))


def test_since_long_ago_names_the_day() -> None:
    value = with_papers(1, kind="catchup", since=ON - timedelta(days=14))
    assert phrases.subject(value, EN) == f"Since 6 November: {TITLE}"


@pytest.mark.parametrize("kind", ["daily", "weekly", "first", "alert", "catchup"])
@pytest.mark.parametrize(
    "title", ["word " * 60, "x" * 300, "Ünïcödé " * 30, "a\r\nBcc: evil@example.org " * 9]
)
def test_long_titles_give_way_to_the_count(kind: str, title: str) -> None:
    papers = [entry(i, title) for i in range(5)]
    value = digest(section(*papers), kind=kind, since=date(2026, 11, 16))
    line = phrases.subject(value, EN)
    assert len(line) <= phrases.SUBJECT_CHARS
    assert line.endswith("… and 4 more")
    assert "\n" not in line


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (with_papers(5), "446 new papers checked, 5 contain your words."),
        (with_papers(1, checked=1, matched=1), "1 new paper checked, 1 contains your words."),
        (with_papers(1, checked=12000), "12,000 new papers checked, 5 contain your words."),
        (trending(10, checked=26), "26 new papers checked. These 10 are trending."),
        (trending(1, checked=26), "26 new papers checked. This one is trending."),
        (trending(3, interests=2), "446 new papers checked, none contains your words."),
        (with_papers(2, kind="alert"), "2 new papers contain your words."),
        (
            with_papers(5, kind="first", matched=40),
            "446 papers checked, 40 contain your words. Here are the best 5.",
        ),
        (with_papers(5, kind="first"), "446 papers checked, 5 contain your words."),
        (with_papers(5, asks="interests"), "446 new papers checked, 5 match your interests."),
        (
            trending(3, interests=2, asks="interests"),
            "446 new papers checked, none matches your interests.",
        ),
        (with_papers(2, kind="alert", asks="interests"), "2 new papers match your interests."),
        (with_papers(5, checked=0, asks="interests"), "5 papers match your interests."),
        (digest(section(entry(1), kind="chosen", name="")), "1 paper, chosen for you."),
    ],
)
def test_first_lines(value: Digest, expected: str) -> None:
    assert phrases.headline(value, EN) == expected


def test_meta_and_reasons() -> None:
    value = entry(1)
    shown = [piece.replace("\u00a0", " ") for piece in phrases.meta(value, with_papers(1), EN)]
    assert shown == [
        "Ana Silva, Bo Chen, Carla Diaz + 4",
        "19 Nov",
        "Machine Learning (cs.LG)",
        "41 votes",
        "2 comments",
    ]
    assert phrases.reasons(value, EN) == "LoRA in the title, low-rank adaptation in the abstract"
    places = (("LoRA", "title"), ("PEFT", "abstract"), ("adapter", "title"), ("rank", "title"))
    found = [Reason(term, where) for term, where in places]  # type: ignore[arg-type]
    said = "LoRA, adapter, and rank in the title, PEFT in the abstract"
    assert phrases.said_reasons(found, EN) == said
    bare = entry(1, votes=0, comments=None, place="", dated_on=None, author_count=3)
    assert phrases.meta(bare, with_papers(1), EN) == ["Ana Silva, Bo Chen, Carla Diaz"]


def test_what_was_read_and_what_follows() -> None:
    made = replace(with_papers(5), late=("arXiv cs.CL",), read_from=("arXiv cs.LG", "Hugging Face"))
    follows = "Late today: arXiv cs.CL. Those papers follow in your next mail."
    assert phrases.late(made, EN) == f"Checked: arXiv cs.LG and Hugging Face. {follows}"
    pre = phrases.preheader(made, EN)
    assert pre.startswith(f"{phrases.headline(made, EN).rstrip('.')} · {follows.rstrip('.')}")
    assert len(pre) <= phrases.PREHEADER_CHARS
    many = replace(made, late=tuple(f"arXiv {n}" for n in "abcde"), read_from=())
    assert phrases.late(many, EN).startswith("Late today: arXiv a, arXiv b, arXiv c, and 2 more.")


def test_late_and_period_and_preheader() -> None:
    value = everything()
    assert phrases.late(value, EN) == (
        "Checked: arXiv cs.CL. Late today: bioRxiv and PubMed. "
        "Those papers follow in your next mail."
    )
    assert phrases.late(with_papers(1), EN) == ""
    assert phrases.period(value, EN) == "Fri 20 November"
    week = with_papers(1, since=date(2026, 11, 16))
    assert phrases.period(week, EN) == "Mon 16 November to Fri 20 November"
    pre = phrases.preheader(with_papers(5), EN)
    assert pre.startswith(f"446 new papers checked, 5 contain your words · {TITLE} · {TITLE}")
    assert len(pre) <= phrases.PREHEADER_CHARS


def test_at_most_four_links_with_the_title_in_their_name() -> None:
    links = phrases.text_links(entry(1), frame(), EN)
    assert [link.label for link in links] == ["PDF", "Code", "Discuss", "Tune"]
    assert links[0].name == f"PDF: {TITLE}"
    assert links[1].url == "https://code.example.org/x"
    assert links[3].url.endswith("/tune/k3" + "a" * 20 + "/arxiv/2611.00001")
    few = phrases.text_links(
        entry(1, links={"project": "https://p.example/"}), frame(tune_base=""), EN
    )
    assert [(link.label, link.url) for link in few] == [("Project", "https://p.example/")]
    bare = phrases.text_links(entry(1, links={"doi": "https://doi.org/10.1/x"}), frame(), EN)
    assert [link.label for link in bare] == ["Tune"], "no address is ever guessed"
    other = entry(1, links={"code": "javascript:x", "project": "https://p.example/"})
    assert [link.label for link in phrases.text_links(other, frame(), EN)] == ["Project", "Tune"]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "https://arxiv.org/abs/2611.00001?a=b&c=d#e",
            "https://arxiv.org/abs/2611.00001?a=b&c=d#e",
        ),
        ("http://x.example/ä b", "http://x.example/%C3%A4%20b"),
        ("javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("java\nscript:alert(1)", ""),
        ("//evil.example", ""),
        ("https://", ""),
        ("https://[x", ""),
        ('https://x.example/"><script>', "https://x.example/%22%3E%3Cscript%3E"),
    ],
)
def test_only_addresses_of_the_web_are_linked(url: str, expected: str) -> None:
    assert phrases.safe_url(url) == expected


def test_title_without_a_page_links_to_ours() -> None:
    paper = entry(1, links={"abs": "javascript:x"}, scheme="doi", value="10.1/a b?c")
    assert phrases.title_url(paper, "https://p.example") == (
        "https://p.example/papers/doi/10.1/a%20b%3Fc"
    )
    assert phrases.title_url(line(1), "") == "https://arxiv.org/abs/2611.00001"


def test_title_is_marked_text() -> None:
    assert phrases.subject(digest(section(entry(1, title="A"))), EN) == "A"
    assert Marked("A").text == "A"
