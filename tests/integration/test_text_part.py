"""The text part is a version of its own: look.md's drawing, and all that the HTML says."""

import html
import re
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.digests import BASE, TOKEN, digest, entry, everything, frame, line, renderer, section

from service.delivery.frame import Rendered
from service.delivery.notices import NOTICES
from service.digest.model import AddedBy, Marked, Reason
from service.text.measure import columns

RENDERER = renderer()
DRAWN = f"""\
446 new papers checked, 5 contain your words.            Fri 20 November

Low-rank adaptation (5)

1. LoRA adapters that forget less under long schedules
   Ana Silva, Bo Chen, Carla Diaz + 4 · 19 Nov
   Machine Learning (cs.LG) · 41 votes · 2 comments
   Why: LoRA in the title, low-rank adaptation in the abstract
   We study why *LoRA* drifts when training is long. [...] A schedule
   for *low-rank adaptation* keeps 97 % of the base model's skill.
   https://arxiv.org/abs/2611.00001
   PDF  https://arxiv.org/pdf/2611.00001
   Tune {BASE}/tune/{TOKEN}/arxiv/2611.00001

-  Another paper on LoRA
   https://arxiv.org/abs/2611.00002

   and 3 more on the web
   {BASE}/d/{TOKEN}#more-interest-1

You get this because you confirmed on 3 November. Weekdays at 08:00,
Zurich.
What was checked: {BASE}/papers/2026-11-20
Change or pause: {BASE}/manage/{TOKEN}
Leave: {BASE}/u/{TOKEN}
View in browser: {BASE}/d/{TOKEN}
Forwarded to you? Get your own: {BASE}/
"""


def drawn_entry() -> Any:
    text = (
        "We study why LoRA drifts when training is long.\u00a0[...] A schedule for "
        "low-rank adaptation keeps 97 % of the base model's skill."
    )
    at = text.index("low-rank")
    return entry(
        1,
        "LoRA adapters that forget less under long schedules",
        abstract=Marked(text, ((13, 17), (at, at + len("low-rank adaptation")))),
        links={
            "abs": "https://arxiv.org/abs/2611.00001",
            "pdf": "https://arxiv.org/pdf/2611.00001",
        },
    )


def of(*entries: Any, **changes: Any) -> str:
    return RENDERER.render_digest(digest(section(*entries), **changes), frame()).text


def test_it_is_as_it_was_drawn() -> None:
    made = digest(section(drawn_entry(), lines=(line(2),), rest=(3, 4, 5)))
    text = RENDERER.render_digest(made, frame()).text
    assert text.startswith(DRAWN), text
    assert "Run by" in text.removeprefix(DRAWN)


def test_a_number_of_two_digits_insets_its_paper_by_four() -> None:
    text = of(*(entry(n, f"Paper {n} " + "and a long title " * 5) for n in range(1, 11)))
    tenth = text[text.index("10. Paper") :].split("\n\n")[0].split("\n")
    assert len(tenth) > 8
    assert all(row.startswith("    ") for row in tenth[1:])
    ninth = text[text.index("9. Paper") :].split("\n\n")[0].split("\n")
    assert all(row.startswith("   ") and row[3] != " " for row in ninth[1:])


def test_no_line_ends_or_begins_with_the_sign_between_pieces() -> None:
    names = ("Duc-Tho Nguyen", "Hieu-Hoc Tran-Minh", "Khanh-Hoa Lam-Nguyen-Tran", "Another One")
    for count in range(1, 5):
        text = of(entry(1, authors=names[:count], author_count=count + 4))
        assert not [row for row in text.split("\n") if row.endswith("·") or row.strip()[:1] == "·"]


def test_links_stand_below_each_other() -> None:
    rows = of(entry(1)).split("\n")
    places = {row.index("https://") for row in rows if re.match(r" +(PDF|Code|Discuss|Tune) ", row)}
    assert places == {len("   Discuss ")}


def test_chinese_is_72_columns_wide_and_cut_between_letters() -> None:
    text = of(
        entry(
            1,
            "大规模语言模型中的低秩适应方法研究，以及它在推理任务上的应用与分析：一项综合性的实证研究",
            abstract=Marked("我们提出一种新的方法。" * 20, ((2, 4),)),
        )
    )
    rows = [row for row in text.split("\n") if "https://" not in row]
    assert max(map(columns, rows)) <= 72
    assert sum(columns(row) >= 69 for row in rows) >= 6
    assert "我们*提出*一种" in text
    assert not [row for row in rows if row.strip()[:1] in ("，", "。", "：")]


def test_an_editors_letter_is_no_markdown() -> None:
    letter = (
        "## Thursday\n\nWe meet on **Thursday**, see [the list](https://a.example/list).\n\n"
        "- One question\n- Two\n\n> A quote\n\n[All](https://a.example/all)\n"
    )
    data = {
        "title": "Reading group", "html": "", "text": letter, "manage_url": f"{BASE}/m",
        "unsubscribe_url": f"{BASE}/u", "view_url": f"{BASE}/d",
    }  # fmt: skip
    text = RENDERER.render_notice("newsletter", data).text
    assert text.startswith(
        "Reading group\n\nThursday\n\nWe meet on *Thursday*, see the list.\n"
        "the list: https://a.example/list\n\n-  One question\n-  Two\n\n> A quote\n\n"
        "All:\nhttps://a.example/all\n\nYou get this"
    )


def _shown(markup: str) -> str:
    markup = re.sub(r"(?s)<head>.*?</head>|<!--.*?-->", " ", markup)
    markup = re.sub(r'(?s)<div class="hidden".*?</div>', " ", markup)
    return html.unescape(re.sub(r"<[^>]+>", " ", markup))


def _mails() -> dict[str, Rendered]:
    day, url = date(2026, 11, 27), f"{BASE}/x/{TOKEN}"
    given = {
        "link": url, "never_link": f"{BASE}/never/{TOKEN}", "until": day, "on": day, "days": 7,
        "manage_url": url, "unsubscribe_url": f"{BASE}/u/{TOKEN}", "view_url": f"{BASE}/d/1",
        "checked": 3120, "asks": "words", "words": [("LoRA", 119)],
        "widenings": [("adapters", 44, f"{BASE}/w")],
        "title": "Reading group", "html": "<p>A letter</p>", "text": "A letter",
        "relay": "smtp.example.org:587", "accepted": 35402, "planned": 35486,
        "edition": "Digest of today", "groups": [("refused", 23)], "domain": "uni.example",
        "refused": [("The mailbox is full", 4, "552 5.2.2")], "status": "5.7.1",
        "what": "uni.example refuses our mail.", "since": "2026-11-20 08:10 UTC", "ended": "",
        "place": "412 mails were refused. The server said: 550 5.7.1 refused for a reason of ours",
        "next_step": "Mend what the server names: SPF, DKIM, DMARC, our reputation or our rate.",
    }  # fmt: skip
    mails = {}
    for kind, wanted in NOTICES.items():
        data = {name: given[name] for name in wanted}
        if kind == "alarm":
            data |= {"refused": 412, "words": "550 refused"}
        mails[kind] = RENDERER.render_notice(kind, data)
    whole = everything()
    added = AddedBy(organisation="Example University", added_on=day)
    mails["daily"] = RENDERER.render_digest(whole, frame())
    mails["first"] = RENDERER.render_digest(replace(whole, kind="first", added_by=added), frame())
    mails["catchup"] = RENDERER.render_digest(
        replace(whole, kind="catchup", since=date(2026, 11, 16), rest_on=date(2026, 11, 9)),
        frame(rest_url=f"{BASE}/papers/2026-11-09"),
    )
    mails["alert"] = RENDERER.render_digest(replace(whole, kind="alert"), frame())
    return mails


MAILS = _mails()


@pytest.mark.parametrize("kind", sorted(MAILS))
def test_nothing_is_missing_that_the_html_says(kind: str) -> None:
    mail = MAILS[kind]
    words = set(re.findall(r"\w+", mail.text.replace("*", "")))
    # what a button says, the text's line says with its address
    passing = {"or", "leave", "Use", "Open", "your", "page", "The", "link"}
    assert set(re.findall(r"\w+", _shown(mail.html))) - words - passing == set()
    links = {html.unescape(link) for link in re.findall(r'href="(https?://[^"]+)"', mail.html)}
    assert {link for link in links if link not in mail.text} == set()


@pytest.mark.parametrize("kind", sorted(MAILS))
def test_its_lines_are_clean(kind: str) -> None:
    text = MAILS[kind].text
    rows = text.split("\n")
    assert text.endswith("\n")
    assert text == text.strip("\n") + "\n"
    assert "\n\n\n" not in text
    assert not [row for row in rows if row != row.rstrip()]
    assert not [row for row in rows if columns(row) > 72 and not re.search(r"https?://\S+$", row)]
    assert not [row for row in rows if re.search(r"https?://\S+\s+\S", row)], "a link ends its line"


@settings(max_examples=30)
@given(
    st.text(alphabet="aé漢👩‍👧 \u00a0·*\n\t.-", min_size=1, max_size=200),
    st.lists(st.text(alphabet="aé漢 .", max_size=60), max_size=3),
)
def test_no_text_breaks_its_lines(text: str, names: list[str]) -> None:
    made = of(
        entry(
            1,
            "T " + text,
            abstract=Marked(text, ((0, 1),)),
            authors=tuple(names),
            author_count=len(names),
            reasons=(Reason(text[:80], "title"),),
        )
    )
    for row in made.split("\n"):
        assert row == row.rstrip()
        assert columns(row) <= 72 or "https://" in row or len(row.split()) <= 2
