"""Late news in a mail: one line a paper, plain sentences, links of the web alone."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from html import unescape

from support.digests import digest, entry, frame, renderer, section

from service.digest.model import Digest, Happening, Marked, Section, Signal

AT = datetime(2026, 11, 19, 9, tzinfo=UTC)


def signal(number: int, *happenings: tuple[str, str], **more: object) -> Signal:
    made = Signal(
        paper_id=number,
        scheme="arxiv",
        value=f"2611.{number:05d}",
        title=Marked("LoRA adapters that <b>forget</b> less", ((0, 4),)),
        happenings=tuple(Happening(kind, value, AT) for kind, value in happenings),  # type: ignore[arg-type]
        link="https://arxiv.org/abs/2611.00001",
        had_on=date(2026, 11, 3),
    )
    return replace(made, **more)  # type: ignore[arg-type]


def news(*signals: Signal, before: tuple[Section, ...] = (), **more: object) -> Digest:
    late = Section(kind="signals", name="", total=len(signals), signals=signals)
    return digest(*before, late, **{"matched": len(before), "interests": 1, **more})


def plain(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def test_each_kind_has_its_sentence_and_its_link() -> None:
    code, doi = "https://code.example/a?b=1&c=2", "10.1038/s41586-026-1"
    made = renderer().render_digest(
        news(
            signal(1, ("withdrawn", "")),
            signal(2, ("code", code), ("doi", doi), ("votes", "50")),
            signal(3, ("doi", doi), had_on=None),
            signal(4, ("votes", "1000"), had_on=date(2025, 12, 24)),
            signal(5, ("code", "javascript:alert(1)"), again=True),
        ),
        frame(),
    )
    text = " ".join(made.text.split())
    for said in (
        "News about papers you had (5)",
        "A paper you had on 3 November was withdrawn.",
        "Code is out for a paper you had on 3 November. It is in a journal. It passed 50 votes.",
        "A paper you had is in a journal.",
        "A paper you had on 24 Dec 2025 passed 1,000 votes.",
        "Code is out for a paper you had on 3 November. (you may have seen this one)",
    ):
        assert said in text, said
        assert said.rstrip(".") in plain(made.html), said
    assert code in made.text
    assert f'href="https://doi.org/{doi}"' in made.html
    assert "javascript" not in made.html + made.text
    assert "<b>forget</b>" not in made.html
    assert 'aria-label="Code: LoRA adapters' in made.html


def test_first_line_and_subject_count_them_apart() -> None:
    paper = section(entry(1))
    alone = renderer().render_digest(news(signal(1, ("code", "https://a.example"))), frame())
    assert alone.subject == "News: LoRA adapters that <b>forget</b> less"
    assert (
        "446 new papers checked, none contains your words. There is news of 1 paper you had."
        in plain(alone.html)
    )
    nothing = renderer().render_digest(
        news(signal(1, ("withdrawn", "")), signal(2, ("withdrawn", "")), checked=0), frame()
    )
    assert nothing.text.startswith("There is news of 2 papers you had.")
    assert nothing.subject.endswith("and 1 more")
    both = renderer().render_digest(
        news(signal(2, ("code", "https://a.example")), before=(paper,)), frame()
    )
    assert both.subject == entry(1).title.text
    assert "1 contains your words. There is news of 1 paper you had." in plain(both.html)
    order = [plain(both.html).index(words) for words in (entry(1).title.text, "News about papers")]
    assert order == sorted(order)


def test_in_german() -> None:
    made = renderer().render_digest(
        news(signal(1, ("code", "https://a.example"), ("votes", "50"))), frame(locale="de")
    )
    assert (
        "Zu einem Artikel, den Sie am 3. November bekommen haben, gibt es jetzt Code. "
        "Er hat 50 Stimmen erreicht."
    ) in plain(made.html)
    assert made.subject.startswith("Neues: ")


def test_many_news_fit_into_the_mail_and_none_is_left_out() -> None:
    many = [signal(n, ("code", f"https://code.example/{n}")) for n in range(1, 21)]
    full = tuple(section(*(entry(n) for n in range(100 * s, 100 * s + 10))) for s in range(1, 4))
    made = renderer().render_digest(news(*many, before=full), frame())
    assert len(made.html.encode()) <= 90_000
    assert all(f"https://code.example/{n}" in made.html for n in range(1, 21))
