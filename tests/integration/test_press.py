"""Digests from kept pieces read like those that are rendered whole."""

import gc
import re
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from support import naughty
from support.digests import BASE, digest, entry, everything, frame, line, renderer, section, site
from support.pressed import HEADS, fits_the_wire, read
from support.sizes import sized

from service.delivery import holes
from service.delivery.frame import ReaderFrame
from service.delivery.given_back import given_back
from service.delivery.heads import Heads
from service.delivery.hot_path import stuffed
from service.delivery.message import build
from service.delivery.press import Press
from service.digest.model import (
    AddedBy,
    Digest,
    Marked,
    Reason,
    from_json,
    to_json,
    with_profiles,
)

RENDERER = renderer()
PRESS = Press(RENDERER)


def whole(digest: Digest, reader: ReaderFrame, heads: Heads = HEADS) -> bytes:
    return build(RENDERER.render_digest(digest, reader), **heads.fields())


def reads_alike(digest: Digest, reader: ReaderFrame, heads: Heads = HEADS) -> None:
    made = PRESS.mail(digest, reader, heads)
    assert read(made) == read(whole(digest, reader, heads))
    fits_the_wire(made)


@pytest.mark.parametrize(
    "language", ["en", "de", *(pytest.param(x, marks=pytest.mark.slow) for x in ("en-XA", "ar-XB"))]
)
def test_our_own_templates_are_proven(language: str) -> None:
    assert PRESS.refusal(language) == ""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["daily", "weekly", "catchup", "first", "alert", "manual"])
def test_every_kind_reads_alike(kind: Any) -> None:
    reads_alike(replace(everything(), kind=kind), frame(locale="de"))
    PRESS.printed(replace(everything(), kind=kind), frame())  # not the slow path


@pytest.mark.parametrize("format", ["text", "html"])
def test_headers_are_written_alike(format: str) -> None:
    heads = replace(HEADS, format=format, recipient="o'brien+tag@müller.example", list_id="")
    title = "Über „Vektoren“ — " + "и так далее " * 9
    reads_alike(digest(section(entry(1, title))), frame(), heads)
    reads_alike(digest(section(entry(1, "A" * 300))), frame(), replace(heads, recipient="a@b.org"))
    by_mail = replace(heads, unsubscribe_mail="mailto:leave@papers.example.org?subject=x%20y")
    reads_alike(digest(section(entry(1, title))), frame(), by_mail)
    for host in ("smtp.sendgrid.net", "smtp-broadcasts.postmarkapp.com"):
        named = given_back(host, heads.message_id)
        reads_alike(digest(section(entry(1))), frame(), replace(heads, given_back=named))
    notice = replace(heads, is_notice=True, unsubscribe_url=None, feedback_id="", reply_to="")
    reads_alike(digest(section(entry(1))), frame(), notice)


@pytest.mark.slow
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(naughty.digests(), naughty.readers())
def test_hostile_words_read_alike(made: Digest, reader: ReaderFrame) -> None:
    reads_alike(made, reader)


@pytest.mark.slow
@settings(max_examples=sized(100, 250), deadline=None, suppress_health_check=list(HealthCheck))
@given(naughty.digests(), naughty.readers())
@example(everything(), frame(locale="en-XA", stars=False))
def test_many_hostile_words_read_alike(made: Digest, reader: ReaderFrame) -> None:
    reads_alike(made, reader)


@pytest.mark.slow
def test_every_naughty_string_reads_alike_in_every_place() -> None:
    for at, word in enumerate(naughty.strings()[:: sized(2, 1)]):
        reads_alike(everything(word or " "), frame(locale=("en", "de")[at % 2]))


@pytest.mark.parametrize(
    "word",
    ["\U000f0000", "\U000f0103", "\U000f8000", holes.TUNE, f"see {holes.TUNE}/x"],
    ids=["value", "hit", "call", "link", "within"],
)
def test_our_signs_in_a_title_are_only_letters(word: str) -> None:
    made = digest(section(entry(1, f"LoRA {word} adapters"), entry(2, also_in=(word,))))
    with pytest.raises(holes.Unfit):
        PRESS.printed(made, frame())
    reads_alike(made, frame())
    assert word in read(PRESS.mail(made, frame(), HEADS))[1][1][2]


@pytest.mark.parametrize("field", ["late", "subject"])
@pytest.mark.parametrize("word", ["\U000f0041", holes.TUNE], ids=["value", "link"])
def test_our_signs_in_a_sentence_are_only_letters(field: str, word: str) -> None:
    made = replace(digest(), **{field: (word,) if field == "late" else word})
    reads_alike(made, frame())


def test_no_sign_is_left_open() -> None:
    raw = PRESS.mail(everything(), frame(), HEADS)
    for _, _, text in read(raw)[1]:
        assert not holes.has_sign(text)
    assert raw.count(b"k3" + b"a" * 20) > 20


def readers_of(number: int) -> list[tuple[Digest, ReaderFrame, str]]:
    """Readers with marks, reasons and a token of their own, of the same papers."""
    made = []
    for n in range(number):
        token = f"{n:04d}" + "tokenofthereader"[:16] + "zz"
        papers = [
            entry(
                paper,
                "LoRA adapters that forget less",
                abstract=Marked("We study why LoRA drifts. [...]", ((n % 20, n % 20 + 3),)),
                reasons=(Reason(f"word{n % 7}", "title"),),
            )
            for paper in range(4)
        ]
        urls = {"view_url": f"{BASE}/d/{token}", "tune_base": f"{BASE}/tune/{token}"}
        own = digest(section(*papers, name=f"Interest {n % 5}"))
        made.append((own, frame(manage_url=f"{BASE}/manage/{token}", **urls), token))
    return made


def test_tokens_of_readers_never_mix() -> None:
    mails = readers_of(8)
    first = Press(RENDERER)
    alone = [first.mail(*one[:2], HEADS) for one in mails]
    press = Press(RENDERER, kept=20_000)
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda one: press.mail(*one[:2], HEADS), mails * 3))
    assert together == alone * 3
    for raw, (_, _, token) in zip(alone, mails, strict=True):
        found = set(re.findall(rb"\d{4}tokenofthereaderzz", raw.replace(b"=\r\n", b"")))
        assert found == {token.encode()}


def test_bytes_do_not_hang_on_what_is_kept() -> None:
    (made, reader, _), other = readers_of(1)[0], readers_of(6)
    fresh = Press(RENDERER).mail(made, reader, HEADS)
    for kept in (1, 10_000_000):
        press = Press(RENDERER, kept=kept)
        for one in other[1:]:
            press.mail(*one[:2], HEADS)
        assert press.mail(made, reader, HEADS) == fresh
    assert press.memory > 50_000


@pytest.mark.slow
def test_what_is_kept_is_bounded() -> None:
    press = Press(RENDERER, kept=200_000)
    for n in range(150):
        press.mail(digest(section(entry(n, f"LoRA {n} " + "x" * 3000))), frame(), HEADS)
    assert press.memory < 200_000 + 100_000


@pytest.mark.slow
def test_the_memory_it_tells_is_true() -> None:
    press = Press(RENDERER, kept=2_000_000)
    press.mail(digest(section(entry(0))), frame(), HEADS)

    def mail(n: int) -> None:
        marks = ((n % 20, n % 20 + 3), (n % 20 + 4, n % 20 + 5 + n // 20))
        abstract = Marked("We study why LoRA drifts, and how much. [...]", marks)
        links = {f"kind {at}": f"{BASE}/papers/of/another/kind/{at}" for at in range(24)}
        papers = [entry(at, abstract=abstract, links=links) for at in range(8)]
        read_from_a_row = from_json(to_json(digest(section(*papers))))
        press.mail(read_from_a_row, frame(), HEADS)

    tracemalloc.start()
    try:
        for n in range(100):
            mail(n)
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] < press.memory
    finally:
        tracemalloc.stop()


OVERRIDES = {
    # what an operator's template may do with a paper, and whether pieces can do it
    '{{ entry.title.text | upper }}': True,
    '{{ entry.title.text | truncate(12) }}': True,
    '{{ entry.abstract.text[:30] }}': True,
    '{{ entry.abstract.text }}': True,
    '{{ entry.abstract.text | upper }}': True,
    '{{ entry.abstract.text | replace("a", "<b>") }}': True,
    '{% if entry.votes and entry.votes > 40 %}{{ entry.abstract.text | length }}{% endif %}': True,
    '{% if entry.votes and entry.votes > 40 %}many{% endif %}': True,
    '{{ entry | reasons }}': True,
    '{{ linked(entry.title) }}, {{ entry.authors | join("/") }}': True,
    '{{ entry.score }}': False,
    '{{ entry.votes // entry.votes }}': False,  # fails where a made-up paper has none
    '{{ entry.parts }}': False,
    '{{ entry | reasons | upper }}': False,
    '{{ (entry | reasons) | length }}': False,
    '{{ entry.title.marks }}': False,
    '{{ digest.checked }}': False,
    '{{ (entry | reasons)[:3] }}': False,
    '{% for text, hit in entry.title.pieces() if hit %}{{ text }}{% endfor %}': False,
    '{{ reader.hour }}': False,
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shown", "fits"), OVERRIDES.items(), ids=[f"paper{n}" for n in range(len(OVERRIDES))]
)
def test_an_operators_template_is_obeyed(tmp_path: Path, shown: str, fits: bool) -> None:
    ours = Path(RENDERER.template_dirs[-1], "email", "_paper.html").read_text("utf-8")
    place = '<p class="small">{{ apart(entry | meta(digest)) }}</p>'
    assert place in ours
    (tmp_path / "email").mkdir()
    text = ours.replace(place, f"{place}<p>Ours: {shown}</p>")
    (tmp_path / "email" / "_paper.html").write_text(text, "utf-8")
    told: list[Any] = []
    own = renderer(tmp_path)
    press = Press(own, log=lambda event, **facts: told.append((event, facts)))
    made = digest(section(entry(1), entry(2, "Another LoRA")))
    for _ in range(2):
        mail = read(press.mail(made, frame(), HEADS))
        assert mail == read(build(own.render_digest(made, frame()), **HEADS.fields()))
        assert "Ours: " in mail[1][1][2]
    assert (press.refusal("en") == "") is fits
    assert len(told) == (0 if fits else 1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "old", "new", "fits"),
    [
        ("_digest.html", "<h1>{{ headline }}</h1>", "<h1>{{ headline }} !</h1>", True),
        ("_digest.html", "<h1>{{ headline }}</h1>", "<h1>{{ headline.upper() }}</h1>", False),
        ("_digest.html", "<h1>{{ headline }}</h1>", "<h1>{{ headline[:9] }}</h1>", False),
        ("_digest.html", "<h1>{{ headline }}</h1>", "<h1>{{ digest.checked }}</h1>", False),
        ("_digest.txt", "{{ headline | spread(period) }}", "{{ headline | wrap }}", True),
        ("_digest.txt", "{{ headline | spread(period) }}", "{{ headline | center(72) }}", False),
        ("digest/subject.txt", "{{ digest", "[Lab] {{ digest", True),
        ("digest/subject.txt", "{{ digest | subject_line(test) }}", "{{ headline }}", True),
        ("digest/subject.txt", "{{ digest | subject_line(test) }}", "{{ headline|length }}", False),
        ("_paper.txt", '"%d. "', '"%d) "', False),
        ("_paper.txt", "first + loop.index", "loop.index", False),
    ],
    ids=[f"frame{n}" for n in range(11)],
)
def test_an_operators_frame_is_obeyed(
    tmp_path: Path, name: str, old: str, new: str, fits: bool
) -> None:
    ours = Path(RENDERER.template_dirs[-1], "email", name).read_text("utf-8")
    assert old in ours
    (tmp_path / "email" / name).parent.mkdir(parents=True)
    (tmp_path / "email" / name).write_text(ours.replace(old, new), "utf-8")
    own = renderer(tmp_path)
    press = Press(own)
    made = everything()
    assert read(press.mail(made, frame(), HEADS)) == read(
        build(own.render_digest(made, frame()), **HEADS.fields())
    )
    assert (press.refusal("en") == "") is fits


@pytest.mark.slow
@pytest.mark.parametrize(
    "shown",
    ["digest.rest_on", "digest.note", "digest.added_by", "reader.confirmed_on", "late"],
    ids=["rest", "note", "added", "confirmed", "late"],
)
def test_a_paper_that_shows_what_is_around_it_is_rendered_whole(tmp_path: Path, shown: str) -> None:
    ours = Path(RENDERER.template_dirs[-1], "email", "_paper.html").read_text("utf-8")
    text = (
        ours.replace("macro full(entry, digest, reader)", "macro full(entry, mail, frame)")
        .replace("entry | meta(digest)", "entry | meta(mail)")
        .replace("entry | text_links(reader)", "entry | text_links(frame)")
        .replace('<li class="paper"', f'{{% if {shown} %}}Ours{{% endif %}}<li class="paper"')
        .replace("site.thumbnails and reader.view_url", "site.thumbnails and frame.view_url")
    )
    (tmp_path / "email").mkdir()
    (tmp_path / "email" / "_paper.html").write_text(text, "utf-8")
    own = renderer(tmp_path)
    press = Press(own)
    plain = digest(section(entry(1), entry(2)))
    around = {"rest_on": plain.on, "note": "Hello.", "late": ("One",)}
    around["added_by"] = AddedBy(organisation="Lab", added_on=plain.on)
    for made in (plain, *(replace(plain, **{name: what}) for name, what in around.items())):
        for reader in (frame(), frame(confirmed_on=None)):
            assert read(press.mail(made, reader, HEADS)) == read(
                build(own.render_digest(made, reader), **HEADS.fields())
            )
    assert press.refusal("en")


@pytest.mark.slow
def test_a_site_of_other_letters() -> None:
    own = renderer(site=site(name="Имя & Co", org="Орг", postal="Улица <1>", privacy_url=""))
    press = Press(own)
    made = everything()
    assert press.refusal("de") == ""
    assert read(press.mail(made, frame(), HEADS)) == read(
        build(own.render_digest(made, frame()), **HEADS.fields())
    )


@pytest.mark.parametrize("format", ["html", "text"])
def test_what_goes_on_the_wire_is_the_message_with_its_dots_doubled(format: str) -> None:
    dots = ". .net " + "... " * 60
    made = digest(section(*[entry(n, f".{n} {dots}", abstract=Marked(dots)) for n in range(6)]))
    post = PRESS.post(made, frame(zone=".Odd/Zone"), replace(HEADS, format=format))
    assert post.lines == stuffed(post.message) != post.message


def test_a_digest_that_is_shared_names_each_readers_interests() -> None:
    shared = with_profiles(everything(), [None] * len(everything().sections))
    for first in (7, 70_000):
        ids = [first + at for at in range(len(shared.sections))]
        ids[1] = None
        own = with_profiles(shared, ids)
        assert PRESS.mail(shared, frame(), HEADS, ids) == Press(RENDERER).mail(own, frame(), HEADS)
        assert PRESS.fit(shared, frame(), ids) is shared
        assert PRESS.sizes(shared, frame(), ids) == PRESS.sizes(own, frame())


def test_a_digest_of_many_readers_is_put_together_once() -> None:
    made, press = everything(), Press(RENDERER)
    press.mail(made, frame(), HEADS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(press, "_made", lambda *_: pytest.fail("it is made again"))
        other = frame(manage_url=f"{BASE}/manage/other", hour=3, confirmed_on=date(2026, 1, 2))
        again = press.mail(made, other, HEADS)
    assert again == Press(RENDERER).mail(made, other, HEADS)


def cut_for(word: str) -> Digest:
    """Two papers, their abstracts cut to other words, in an interest of that name."""
    papers = [
        entry(n, abstract=Marked(f"We study <{word}> & more. [...] {word}s drift.", ((10, 14),)))
        for n in range(2)
    ]
    return digest(section(*papers, name=f"{word} · & + {word}"))


def test_a_paper_is_rendered_once_however_it_is_cut_and_its_interest_called() -> None:
    press = Press(RENDERER)
    for word in ("LoRA", "Größen"):
        made = cut_for(word)
        with pytest.MonkeyPatch.context() as patch:
            if word != "LoRA":
                patch.setattr(press._forms, "_run", lambda *_: pytest.fail("rendered again"))
            mail = press.mail(made, frame(), HEADS)
        assert mail == Press(RENDERER).mail(made, frame(), HEADS)
        assert read(mail) == read(whole(made, frame()))
        fits_the_wire(mail)


@pytest.mark.parametrize("sign", ["\U000f0000", holes.TUNE], ids=["value", "link"])
def test_our_signs_in_an_abstract_or_a_heading_are_that_mails_alone(sign: str) -> None:
    for odd in (
        digest(section(entry(0), name=f"a {sign}")),
        digest(section(entry(0, abstract=Marked(f"We {sign} study.")))),
    ):
        press, plain = Press(RENDERER), digest(section(entry(0)))
        with pytest.raises(holes.Unfit):
            press.printed(odd, frame())
        kept = press.mail(plain, frame(), HEADS)
        assert kept == Press(RENDERER).mail(plain, frame(), HEADS)
        reads_alike(odd, frame())


@pytest.mark.slow
@pytest.mark.parametrize(
    "shown",
    ["section.name", "section.name | upper", "section | section_name | upper", "section.name[:3]"],
    ids=["name", "upper", "heading", "cut"],
)
def test_an_operators_heading_is_obeyed(tmp_path: Path, shown: str) -> None:
    ours = Path(RENDERER.template_dirs[-1], "email", "_paper.html").read_text("utf-8")
    place = '&nbsp;<span class="light">'
    assert ours.count(place) == 1
    (tmp_path / "email").mkdir()
    text = ours.replace(place, f"<i>Ours: {{{{ {shown} }}}}</i>{place}")
    (tmp_path / "email" / "_paper.html").write_text(text, "utf-8")
    own = renderer(tmp_path)
    press = Press(own)
    assert press.refusal("en") == ""
    for word in ("LoRA", "Größen", "LoRA"):
        made = cut_for(word)
        press.printed(made, frame())  # not the slow path
        mail = press.mail(made, frame(), HEADS)
        assert read(mail) == read(build(own.render_digest(made, frame()), **HEADS.fields()))
        assert mail == Press(own).mail(made, frame(), HEADS)


def test_lines_of_all_sorts_get_their_numbers() -> None:
    papers = [entry(n, f"LoRA {n}") for n in range(24)]
    made = digest(
        section(*papers[:7]),
        section(lines=(line(50),)),
        section(*papers[7:13]),
        section(*papers[13:]),
    )
    reads_alike(made, frame())
    PRESS.printed(made, frame())
