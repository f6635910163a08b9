"""Mails in each language: every sentence, dates, the width of lines, the length of subjects."""

import re
from datetime import date
from functools import cache
from typing import Any

import pytest
from support.digests import BASE, TOKEN, digest, entry, everything, frame, line, renderer, section
from support.messages import for_readers, is_for_staff, placeholders

from service.delivery.frame import Rendered
from service.delivery.i18n import MIRRORED
from service.delivery.notices import NOTICES
from service.digest.model import Digest
from service.text.measure import columns

pytestmark = pytest.mark.xdist_group("sentences")
"""All messages are read once."""

URL = f"{BASE}/x/{TOKEN}"
RENDERER = renderer()
LINKS = {"manage_url": URL, "unsubscribe_url": URL}
NOTICE_DATA: dict[str, dict[str, Any]] = {
    "confirm": {"link": URL, "never_link": URL, "until": digest().on},
    "already-subscribed": {"manage_url": URL},
    "manage-link": {"link": URL, "until": digest().on},
    "address-change": {"link": URL, "until": digest().on},
    "address-changed": {"on": digest().on},
    "quiet": {
        "days": 7, "checked": 3120, "asks": "words", "words": [("LoRA", 119), ("Genom", 1)],
        "widenings": [("LoRA", 1044, URL)], **LINKS,
    },
    "newsletter": {
        "title": "Titel", "html": "<p>Text</p>", "text": "Text", "view_url": URL, **LINKS,
    },
}  # fmt: skip
QUIET_OF_PEOPLE = "quiet, no words"
LONG = "A very long title of a paper about low-rank adapters that never seems to come to its end"
DIGESTS: dict[str, Digest] = {
    "everything": everything(),
    "daily": digest(section(entry(1, LONG), entry(2), lines=(line(3),), total=3), matched=3),
    "one": digest(section(entry(1, LONG), total=1), matched=1),
    "weekly": digest(section(entry(1, LONG), entry(2), total=2), matched=2, kind="weekly"),
    "first": digest(section(entry(1, LONG), entry(2), total=2), matched=9, kind="first"),
    "alert": digest(section(entry(1, LONG), entry(2), total=2), matched=2, kind="alert"),
    "people": digest(section(rest=(1, 2), kind="people"), matched=2, asks="interests"),
}


@cache
def mails(language: str) -> dict[str, Rendered]:
    """Every mail that a reader gets."""
    made = {
        kind: RENDERER.render_notice(kind, data, language) for kind, data in NOTICE_DATA.items()
    }
    people = NOTICE_DATA["quiet"] | {"asks": "interests"}
    made[QUIET_OF_PEOPLE] = RENDERER.render_notice("quiet", people, language)
    return made | {
        name: RENDERER.render_digest(value, frame(locale=language))
        for name, value in DIGESTS.items()
    }


LANGUAGES = [name for name in RENDERER.catalogs.languages if name != "en"]
EACH = [
    (language, name) for language in LANGUAGES for name in (*NOTICE_DATA, QUIET_OF_PEOPLE, *DIGESTS)
]
PHONE_SUBJECT = 35
"""Columns of a subject that phones show."""


def test_every_mail_for_readers_is_looked_at() -> None:
    assert {kind for kind in NOTICES if not is_for_staff(f"email/{kind}/body.txt")} == {
        *NOTICE_DATA
    }


def test_german_digest() -> None:
    done = RENDERER.render_digest(everything(), frame(locale="de_CH"))
    assert "446 neue Artikel geprüft, 18 enthalten Ihre Suchwörter." in done.html
    assert "Fr., 20. November" in done.text
    assert "Montag bis Freitag um 08:00 Uhr, Zürich." in " ".join(done.text.split())
    assert 'lang="de"' in done.html
    assert "LoRA im Titel" in done.text
    one = RENDERER.render_digest(digest(section(entry(1)), matched=1), frame(locale="de"))
    assert "1 enthält Ihre Suchwörter" in one.text
    assert one.subject == "LoRA adapters that forget less"


@pytest.mark.parametrize(("language", "name"), EACH)
def test_lines_and_subjects_fit_and_nothing_is_said_in_english(language: str, name: str) -> None:
    """72 and 70 columns, where a sign of Chinese or Japanese takes two; and no sentence of ours
    stands in the mail as it is in the source."""
    done = mails(language)[name]
    assert 4 <= columns(done.subject) <= 70
    assert [row for row in done.text.split("\n") if columns(row) > 72 and "://" not in row] == []
    assert len(done.html.encode()) < 90_000
    assert f'<html lang="{language}"' in done.html
    said = " ".join(f"{done.subject} {done.text}".split())
    assert [text for text, whole in english_sentences() if whole.search(said)] == []


@cache
def english_sentences() -> list[tuple[str, re.Pattern[str]]]:
    found = []
    for message in for_readers():
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        for text in ids:
            if len(text.split()) > 2 and len(placeholders(text)) < 2:
                whole = re.escape(re.sub(r"%\(\w+\)s", "\0", text)).replace("\0", r"[\w.,]+")
                found.append((text, re.compile(whole)))
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_subject_is_about_stands_where_phones_show_it(language: str) -> None:
    """What is put before a title leaves it room; a notice says its thing in the first columns."""
    before = {
        name: columns(mails(language)[name].subject.partition("A very")[0])
        for name in ("daily", "one", "weekly", "first", "alert")
    }
    assert {name: used for name, used in before.items() if used > PHONE_SUBJECT - 8} == {}


@pytest.mark.parametrize(("language", "shown"), [
    ("de", "446 neue Artikel geprüft"), ("fr", "446 nouveaux articles examinés"),
    ("es", "446 artículos nuevos revisados"), ("zh", "检查了 446 篇新论文，18 篇含您的关键词。"),
    ("ja", "新しい論文 446 件を調べました。"),
])  # fmt: skip
def test_the_first_line_and_the_day_in_each_language(language: str, shown: str) -> None:
    done = RENDERER.render_digest(everything(), frame(locale=language))
    day = {
        "de": "Fr., 20. November", "fr": "ven. 20 novembre", "es": "vie, 20 de noviembre",
        "zh": "11月20日周五", "ja": "11月20日(金)",
    }[language]  # fmt: skip
    assert shown in done.html
    assert shown in done.text
    assert day in done.text.replace("\u00a0", " ")
    first = RENDERER.catalogs.texts(language).short_day(date(2026, 12, 1)).replace("\u00a0", " ")
    assert first == {"fr": "1er déc.", "es": "1 dic", "de": "1. Dez."}.get(language, "12月1日")
    assert ('"Songti SC"' in done.html) == (language == "zh"), "signs drawn as in China"
    assert ('"Yu Gothic"' in done.html) == (language == "ja"), "and as in Japan"


@pytest.mark.parametrize("language", ["zh", "ja"])
def test_sentences_without_blanks_are_parted_and_no_line_begins_with_a_stop(language: str) -> None:
    lines = mails(language)["manage-link"].text.split("\n")
    long = [line for line in lines if columns(line) > 60 and " " not in line.strip()[:20]]
    assert long, "a sentence of several lines"
    assert [line for line in lines if line.lstrip()[:1] in set("。、，：；？」）”")] == []


@pytest.mark.parametrize("language", ["de", MIRRORED])
def test_papers_stay_as_they_are_and_say_so(language: str) -> None:
    papers = section(entry(1), entry(2, "路径规划与点云配准"))
    done = RENDERER.render_digest(digest(papers), frame(locale=language))
    named = dict(re.findall(r'lang="(en|zh)"[^>]*>(?:<a [^>]*>)?(?:<b[^>]*>)?([\w ]+)', done.html))
    assert named["zh"].startswith("路径规划")
    assert "LoRA adapters" in re.sub(r"<[^>]+>", "", done.html)
    assert f'<html lang="{language}" dir="{"rtl" if language == MIRRORED else "ltr"}"' in done.html
