"""The mails as they come out of the real templates."""

import json
import re
from datetime import date
from html.parser import HTMLParser
from typing import Any

import pytest
from support.captures import shared_data
from support.digests import (
    BASE,
    TOKEN,
    digest,
    entry,
    everything,
    frame,
    line,
    renderer,
    section,
    site,
)

from service.delivery.frame import Rendered
from service.delivery.message import build, wire_size
from service.delivery.notices import DIGESTS, NOTICES
from service.delivery.plain import body, one_line
from service.delivery.render import RenderError
from service.delivery.template_files import inlined
from service.digest.model import Marked, Reason
from service.resources import resource_dir

RENDERER = renderer()
FOREIGN = renderer(site=site(name="Имя", org="Орг", postal="Улица", privacy_url=f"{BASE}/p"))


def notice_data(word: str = "Word") -> dict[str, dict[str, Any]]:
    day, url = date(2026, 11, 27), f"{BASE}/x/{TOKEN}"
    links = {"manage_url": url, "unsubscribe_url": url}
    return {
        "confirm": {"link": url, "never_link": f"{BASE}/never/{TOKEN}", "until": day},
        "already-subscribed": {"manage_url": url},
        "manage-link": {"link": url, "until": day},
        "address-change": {"link": url, "until": day},
        "address-changed": {"on": day},
        "quiet": {
            "days": 7,
            "checked": 3120,
            "asks": "words",
            "words": [(word, 119), (word, 1)],
            "widenings": [(word, 44, url)],
            **links,
        },
        "newsletter": {
            "title": word,
            "html": f"<p>{word}</p>",
            "text": word,
            "view_url": url,
            **links,
        },
        "test": {"relay": word, "on": day},
        "report": {
            "edition": word,
            "planned": 1000,
            "accepted": 990,
            "groups": [(word, 990), (word, 10)],
            "refused": [(word, 10, word)],
            "link": url,
        },
        "alarm": {
            "what": word,
            "place": f"5.7.1 {word}",
            "next_step": word,
            "since": word,
            "ended": "",
            "domain": word,
            "status": "5.7.1",
            "words": word,
            "refused": 12,
            "link": url,
        },
    }


class Reader(HTMLParser):
    """What a person sees or hears of an HTML part."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.spoken: list[str] = []
        self.headings: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append((tag, values))
        self.spoken += [values[a] or "" for a in ("aria-label", "alt", "title") if a in values]
        if tag not in ("meta", "br", "hr", "img"):
            self._open.append(tag)
        if tag in ("h1", "h2", "h3"):
            self.headings.append(f"{tag} ")

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if "style" in self._open:
            return
        self.texts.append(data)
        if any(h in self._open for h in ("h1", "h2", "h3")):
            self.headings[-1] += data

    def hrefs(self) -> list[str]:
        return [v["href"] or "" for t, v in self.tags if t == "a"]


def mail(value: Any = None, **changes: Any) -> Rendered:
    return RENDERER.render_digest(value or everything(), frame(), **changes)


def test_every_mail_is_a_triple_and_every_folder_a_mail() -> None:
    folder = resource_dir("templates") / "email"
    kinds = {*DIGESTS, *NOTICES}
    assert {path.name for path in folder.iterdir() if path.is_dir()} == kinds
    for kind in kinds:
        parts = {path.name for path in (folder / kind).iterdir()}
        assert parts == {"subject.txt", "body.txt", "body.html"}
    assert notice_data().keys() == NOTICES.keys()


@pytest.mark.parametrize("kind", sorted(NOTICES))
def test_every_notice_says_something_in_three_parts(kind: str) -> None:
    done = RENDERER.render_notice(kind, notice_data()[kind])
    assert 4 <= len(done.subject) <= 70
    assert done.html.startswith("<!DOCTYPE html>")
    assert "papers@example.org" in done.text
    assert not re.search(r"[{}]|Undefined|None", done.text)
    for name, text in notice_data()[kind].items():
        if isinstance(text, str) and name != "html":
            assert one_line(text) in done.subject + done.text
            assert text in done.subject + done.html


def outside_brackets(text: str) -> str:
    text = re.sub(r"https?://\S+|mailto:\S+|[\w.]+@[\w.]+\w", "", text)
    while (shorter := re.sub(r"⟦[^⟦⟧]*⟧", "", text)) != text:
        text = shorter
    return text


@pytest.mark.parametrize("kind", sorted({*DIGESTS, *NOTICES}))
def test_pseudo_language_finds_no_word_that_escaped_translation(kind: str) -> None:
    """Data are Cyrillic here; any Latin letter outside brackets is a text without gettext."""
    if kind in NOTICES:
        data = notice_data("Слово")[kind]
        if kind == "alarm":
            data["status"] = "5.7.1"
        done = FOREIGN.render_notice(kind, data, "en-XA")
    else:
        value = everything("Слово данных")
        value = digest(*value.sections, kind="alert") if kind == "alert" else value
        done = FOREIGN.render_digest(value, frame(locale="en-XA"), test=True)
        assert "⟦" in done.subject
    seen = Reader(done.html)
    for text in (" ".join(seen.texts), " ".join(seen.spoken), done.text, done.subject):
        left = outside_brackets(text.replace("\n", " "))
        assert not re.search(r"[A-Za-zÀ-ž]", left), left
    assert 'lang="en-XA"' in done.html


def test_confirm_takes_nothing_that_was_typed() -> None:
    assert NOTICES["confirm"] == {"link", "never_link", "until"}
    usual = notice_data()["confirm"]
    typed = {"name": "<b>evil</b>", "words": "buy now", "email": "x@y.z", "title": "Evil"}
    assert RENDERER.render_notice("confirm", usual | typed) == RENDERER.render_notice(
        "confirm", usual
    )


def test_confirm_is_the_agreed_text() -> None:
    done = RENDERER.render_notice("confirm", notice_data()["confirm"])
    assert done.subject == "Confirm your subscription to Paperpost"
    assert " ".join(done.text.split()) == (
        "Someone, we hope you, asked Paperpost to mail new research papers to this address. "
        f"To begin, open this page and press the button: {BASE}/x/{TOKEN} "
        "(works until 27 November) "
        "Not you? Do nothing. We will not write again, and forget this address on 27 November. "
        f"Never want such a request again: {BASE}/never/{TOKEN} "
        "Paperpost is run by Example University Library. Questions: papers@example.org"
    )


def test_text_part() -> None:
    done = mail(
        digest(
            section(
                entry(1),
                entry(2, "A title that is so long that it has to go on in a second line of text"),
                lines=(line(3),),
                rest=tuple(range(9, 20)),
            )
        )
    )
    lines = done.text.split("\n")
    assert lines[0] == "446 new papers checked, 5 contain your words." + " " * 12 + (
        "Fri 20 November"
    )
    assert all(len(x) <= 72 or "https://" in x for x in lines)
    assert "1. LoRA adapters that forget less" in lines
    assert "   Why: LoRA in the title, low-rank adaptation in the abstract" in lines
    assert "   We study why *LoRA* drifts. [...]" in lines
    assert f"   Tune    {BASE}/tune/{TOKEN}/arxiv/2611.00001" in lines
    assert "   and 11 more on the web" in lines
    assert f"Leave: {BASE}/u/{TOKEN}" in lines
    plain = RENDERER.render_digest(digest(section(entry(1))), frame(stars=False))
    assert "*" not in plain.text


def test_html_by_ear_and_by_rule() -> None:
    done = mail()
    seen = Reader(done.html)
    assert [h.split("(")[0].strip() for h in seen.headings] == [
        "h1 446 new papers checked, 18 contain your words.",
        "h2 Ana Silva",
        "h3 LoRA adapters 1",
        "h2 Low-rank adaptation",
        "h3 LoRA adapters 2",
        "h3 LoRA adapters 3",
        "h2 Chosen papers",
        "h3 LoRA adapters 6",
        "h2 News about papers you had",
        "h3 LoRA adapters 7",
        "h2 Trending",
        "h3 LoRA adapters 8",
    ]
    tags = [tag for tag, _ in seen.tags]
    assert not {"img", "script", "link", "form", "iframe", "button"} & set(tags)
    assert all(v.get("role") == "presentation" for t, v in seen.tags if t == "table")
    assert tags.count("ul") == 6
    assert seen.hrefs().count(f"{BASE}/u/{TOKEN}") == 3  # top, added-by box, bottom
    assert done.html.index("</h1>") < done.html.index(f"{BASE}/manage/")
    html_tag = next(v for t, v in seen.tags if t == "html")
    assert html_tag["lang"] == "en"


def test_reason_stands_before_the_abstract_and_hits_are_marked() -> None:
    html = mail(digest(section(entry(1)))).html
    assert html.index("in the title") < html.index("We study why")
    marks = re.findall(r'<b class="hit[^>]*>([^<]+)</b>', html)
    assert marks == ["LoRA", "LoRA"]
    tag = re.search(r'<b class="hit"[^>]*>', html)
    assert tag is not None
    assert "#ffe98a" in tag[0]
    assert "border-bottom: 2px solid #8a6d00" in tag[0]


def test_style_is_written_into_elements_and_dark_rules_stay() -> None:
    html = mail().html
    assert re.search(r"<body [^>]*style=\"[^\"]*margin: 0", html), "the first rule, too"
    assert re.search(r"<h1 style=\"[^\"]*font-size: 28px", html)
    assert "@media (prefers-color-scheme: dark)" in html
    assert "#171613" in html
    assert ".abstract {" not in html
    assert "\ue000" not in html


def test_inlining_leaves_template_tags_in_place() -> None:
    source = (
        '{% if a < b %}<p class="x" title="{{ t|e }}">{{ "&" }}</p>'
        "{% endif %}<ul>{% for q in r %}<li>{{ q }}</li>{% endfor %}</ul>"
    )
    done = inlined(source, ".x{color:red} li{margin:0}")
    assert done == (
        '{% if a < b %}<p class="x" title="{{ t|e }}" style="color: red;">{{ "&" }}</p>'
        '{% endif %}<ul>{% for q in r %}<li style="margin: 0;">{{ q }}</li>{% endfor %}</ul>'
    )


def test_public_view_holds_no_address_and_no_token() -> None:
    done = mail(public=True)
    for part in (done.text, done.html, done.subject):
        assert TOKEN not in part
        assert "You get this because" not in part
        assert "You were added" not in part
    assert "your mail server" not in mail(everything(), public=True).html
    assert "LoRA adapters 1" in done.html
    assert "14 more are not in our lists any more" in done.html


def test_poison_titles_harm_only_themselves() -> None:
    strings = json.loads((shared_data() / "strings" / "blns.json").read_text("utf-8"))
    strings += ["a\x00b", "\ud800 lone", "x\u2028y", "<script>alert(1)</script>", "{{ 7*7 }}"]
    strings += ["{% raw %}", "%(num)s %s %", "\u202egpj.exe", "a" * 5000, ""]
    for start in range(0, len(strings), 20):
        chunk = strings[start : start + 20]
        papers = [
            entry(
                n,
                title=text,
                abstract=Marked(text, ((0, 1),) if text else ()),
                authors=(text,),
                place=text,
                reasons=(Reason(text, "title"),),
                also_in=(text,),
                links={"abs": text, "pdf": text},
                value=text,
            )
            for n, text in enumerate(chunk)
        ]
        done = mail(digest(section(*papers, name=chunk[0]), note=chunk[0], late=(chunk[0],)))
        seen = Reader(done.html)
        assert sum(t == "h3" for t, _ in seen.tags) == len(chunk)
        assert not {"script", "img", "iframe", "svg", "b onmouseover"} & {t for t, _ in seen.tags}
        assert all(h.startswith(("https://", "http://", "mailto:")) for h in seen.hrefs())
        shown = [" ".join(h[3:].split()) for h in seen.headings if h.startswith("h3")]
        assert shown == [" ".join(body(text).split()) for text in chunk]
        assert len(done.subject) <= 70
        build(
            done,
            sender="a@b.co",
            sender_name="x",
            recipient="c@d.co",
            message_id="<a@b.co>",
            date=_noon(),
        )


def _noon() -> Any:
    from datetime import UTC, datetime

    return datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize("word", ["adaptation ", "大模型推理"])
@pytest.mark.slow
def test_budget_holds_for_500_matches(word: str) -> None:
    papers = [
        entry(
            n,
            title=word * 20,
            abstract=Marked(word * 500),
            links={"abs": "https://x.y/" + "z" * 200},
        )
        for n in range(10)
    ]
    lines = tuple(line(n, word * 20) for n in range(10, 120))
    whole = digest(section(*papers, lines=lines, rest=tuple(range(120, 500))), matched=500)
    fitted = RENDERER.fit(whole, frame())
    done = RENDERER.render_digest(whole, frame())
    assert len(done.html.encode()) <= 90_000
    assert wire_size(done.html) + wire_size(done.text) <= 244_000
    assert fitted.paper_ids() == whole.paper_ids() == tuple(range(500))
    assert RENDERER.render_digest(fitted, frame()) == done
    rest = sum(len(s.rest) for s in fitted.sections)
    assert f"and {rest} more on the web" in done.html
    raw = build(
        done,
        sender="a@b.co",
        sender_name="x",
        recipient="c@d.co",
        message_id="<a@b.co>",
        date=_noon(),
    )
    assert len(raw) <= 250_000


def test_usual_digest_is_not_touched_and_small() -> None:
    value = digest(section(*(entry(n) for n in range(10)), lines=tuple(map(line, range(10, 40)))))
    assert RENDERER.fit(value, frame()) is value
    assert len(mail(value).html.encode()) < 50_000


def test_note_too_long_for_any_mail_is_an_error() -> None:
    with pytest.raises(RenderError, match=r"does not fit.*Shorten the note"):
        mail(digest(section(entry(1)), note="word " * 40_000))


def test_lines_of_a_note_stay_lines() -> None:
    made = mail(digest(section(entry(1)), note="Three for Friday:\nread the first\n\nAda <b>"))
    said = made.html[
        made.html.index("Three for") : made.html.index("</td>", made.html.index("Ada"))
    ]
    assert re.sub(r"<(?!br|p)[^>]*>|(?<=<p)[^>]*", "", said) == (
        "Three for Friday:<br>read the first<p>Ada &lt;b&gt;"
    )
    assert "| Three for Friday:\n| read the first\n\n| Ada <b>\n" in made.text


def test_missing_data_and_unknown_mail_are_errors() -> None:
    with pytest.raises(RenderError, match="needs never_link, until"):
        RENDERER.render_notice("confirm", {"link": "x"})
    with pytest.raises(RenderError, match="no mail called 'goodbye'"):
        RENDERER.render_notice("goodbye", {})


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(
    ("ink", "paper"),
    [
        ("#1b1a17", "#fffdf7"),
        ("#5c5750", "#fffdf7"),
        ("#8a5a00", "#fffdf7"),
        ("#1b1a17", "#ffe98a"),
        ("#ece8e1", "#171613"),
        ("#b3aca0", "#171613"),
        ("#e0a96d", "#171613"),
        ("#fff4c2", "#5b4a00"),
    ],
)
def test_contrast_is_aa_and_the_colours_are_those_in_use(ink: str, paper: str) -> None:
    folder = resource_dir("templates") / "email"
    used = (folder / "style.css").read_text() + (folder / "_frame.html").read_text()
    assert ink in used
    assert paper in used
    light, dark = sorted((luminance(ink), luminance(paper)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5
