"""Languages: catalogs, plurals, dates, and the pseudo-language."""

import pickle
from datetime import date
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog

from service.delivery.i18n import CatalogError, Catalogs, Texts, pseudo
from service.errors import Sentence, SpokenError, counted

FRIDAY = date(2026, 11, 20)
PO = """
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=3; plural=(n==1 ? 0 : n%10>=2 && n%10<=4 ? 1 : 2);\\n"

msgid "Leave"
msgstr "Odejdź"

msgid "%(num)s vote"
msgid_plural "%(num)s votes"
msgstr[0] "%(num)s głos"
msgstr[1] "%(num)s głosy"
msgstr[2] "%(num)s głosów"

msgctxt "date pattern"
msgid "EEE d MMMM"
msgstr "d MMMM, EEE"
"""


@pytest.fixture
def catalogs(tmp_path: Path) -> Catalogs:
    (tmp_path / "pl.po").write_text(PO, "utf-8")
    return Catalogs.load(tmp_path)


def test_english_is_the_source(catalogs: Catalogs) -> None:
    texts = catalogs.texts("en")
    assert texts.gettext("Leave") == "Leave"
    assert texts.ngettext("%(num)s vote", "%(num)s votes", 1) == "1 vote"
    assert texts.ngettext("%(num)s vote", "%(num)s votes", 1200) == "1,200 votes"
    assert texts.gettext("100 %") == "100 %"
    assert texts.day(FRIDAY) == "Fri 20 November"
    assert texts.short_day(FRIDAY, date(2026, 1, 1)) == "20 Nov"
    assert texts.short_day(FRIDAY, date(2027, 1, 1)) == "20 Nov 2026"
    assert texts.number(35486) == "35,486"
    assert texts.hour(8) == "08:00"


def test_catalog_with_three_plurals_and_its_own_dates(catalogs: Catalogs) -> None:
    texts = catalogs.texts("pl_PL")
    assert texts.language == "pl"
    assert texts.gettext("Leave") == "Odejdź"
    assert texts.gettext("not translated") == "not translated"
    found = [texts.ngettext("%(num)s vote", "%(num)s votes", n) for n in (1, 3, 5)]
    assert found == ["1 głos", "3 głosy", "5 głosów"]
    assert texts.day(FRIDAY).startswith("20 listopada, ")


def test_choice_of_language(catalogs: Catalogs) -> None:
    assert catalogs.languages == ("en", "pl")
    assert catalogs.texts("xx").language == "en"
    assert catalogs.texts("en-US").language == "en"
    assert catalogs.texts("PL").language == "pl"
    assert catalogs.texts("en-XA").language == "en-XA"


def test_what_is_asked_in_traditional_chinese_is_said_in_english() -> None:
    catalogs = Catalogs({"zh": Texts("zh")})
    assert [catalogs.texts(one).language for one in ("zh", "zh_CN", "zh-Hans-TW")] == ["zh"] * 3
    assert [catalogs.texts(one).language for one in ("zh_TW", "zh-Hant", "zh-hk")] == ["en"] * 3


def test_schedule() -> None:
    texts = Texts("en")
    assert texts.schedule({0, 1, 2, 3, 4}, 8, "Europe/Zurich") == "Weekdays at 08:00, Zurich"
    assert texts.schedule(range(7), 19, "UTC") == "Every day at 19:00, UTC"
    two = texts.schedule({0, 2}, 7, "America/New_York")
    assert two == "Monday and Wednesday at 07:00, New York"
    assert texts.city("America/Argentina/Buenos_Aires") == "Buenos Aires"
    assert Texts("de").city("Europe/Zurich") == "Zürich"
    assert Texts("de").city("Atlantic/Reykjavik") == "Reykjavík"


def test_pseudo_keeps_placeholders_and_plurals() -> None:
    assert pseudo("You leave %(site)s on %(date)s") == "⟦Ýöû ļéàvé %(site)s öñ %(date)s⟧"
    texts = Texts("en-XA")
    assert texts.ngettext("%(num)s vote", "%(num)s votes", 2) == "⟦2 vöţéš⟧"
    assert texts.gettext("Hello %(name)s", name="Ada") == "⟦Ĥéļļö Ada⟧"
    assert texts.day(FRIDAY) == "⟦Fri 20 November⟧"


def test_sentences_are_said_in_the_language_and_else_in_english(tmp_path: Path) -> None:
    (tmp_path / "de.po").write_text(
        """
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "The bracket at %(position)s is open, until %(date)s."
msgstr "Seit %(date)s ist die Klammer bei %(position)s offen."

msgid "%(num)s paper by %(name)s"
msgid_plural "%(num)s papers by %(name)s"
msgstr[0] "%(num)s Artikel von %(name)s"
msgstr[1] "%(num)s Artikel von %(name)s"

msgctxt "date pattern"
msgid "d MMMM y"
msgstr "d. MMMM y"
""",
        "utf-8",
    )
    texts = Catalogs.load(tmp_path).texts("de")
    opened = Sentence(
        "The bracket at %(position)s is open, until %(date)s.", position=1024, date=FRIDAY
    )
    assert opened == "The bracket at 1,024 is open, until 20 November 2026."
    assert texts.said(opened) == "Seit 20. November 2026 ist die Klammer bei 1.024 offen."
    papers = counted("%(num)s paper by %(name)s", "%(num)s papers by %(name)s", 1200, name="100 %s")
    assert papers == "1,200 papers by 100 %s"
    assert texts.said(papers) == "1.200 Artikel von 100 %s"
    step = Sentence("Add %(sign)s: %(why)s", sign=")", why=opened)
    assert texts.said(step) == f"Add ): {texts.said(opened)}"
    error = SpokenError(opened, "words", step)
    assert str(error) == f"{opened} (words) {step}"
    assert texts.said(error.what) == texts.said(opened)
    again = pickle.loads(pickle.dumps(opened))
    assert texts.said(again) == texts.said(opened)
    assert texts.said("Staff reads English, 100 %(sure)s.") == "Staff reads English, 100 %(sure)s."


def test_pseudo_with_a_catalog_shows_what_translators_are_not_given() -> None:
    given = Catalog()
    given.add("Leave")
    texts = Texts("en-XA", given)
    assert texts.gettext("Leave") == "⟦Ļéàvé⟧"
    assert texts.gettext("Never extracted") == "Never extracted"


def test_broken_catalog_names_its_file(tmp_path: Path) -> None:
    (tmp_path / "fr.po").write_text('msgid "a"\nmsgstr "b"\nno such line\n', "utf-8")
    with pytest.raises(CatalogError) as caught:
        Catalogs.load(tmp_path)
    assert caught.value.where == "fr.po"


def test_what_is_not_ours_says_its_language_where_it_differs() -> None:
    english, german, mirrored = Texts("en"), Texts("de"), Texts("ar-XB")
    assert english.foreign("LoRA adapters") == {}
    assert german.foreign("LoRA adapters") == {"lang": "en"}
    assert german.foreign("Über das Vergessen", "de-CH") == {}, "its source said so"
    assert english.foreign("点云路径规划 with LoRA") == {"lang": "zh"}
    assert german.foreign("Adapters", "English (US)") == {"lang": "en"}, "that is no tag"
    assert english.foreign("Adapters", "EN-us") == {}
    assert english.foreign("Ωμέγα") == {}, "nobody knows"
    assert mirrored.foreign("LoRA") == {"lang": "en", "dir": "auto"}


def test_the_mirrored_pseudo_language_keeps_values_apart() -> None:
    texts = Texts("ar-XB")
    assert (texts.language, texts.direction) == ("ar-XB", "rtl")
    assert Texts("de").direction == "ltr"
    said = texts.gettext("%(term)s in the title", term="LoRA")
    assert said.startswith("\u2068LoRA\u2069 ")
    assert not any(letter.isascii() and letter.isalpha() for letter in said.replace("LoRA", ""))
    assert texts.ngettext("%(num)s vote", "%(num)s votes", 2).startswith("2 ")
    assert texts.day(FRIDAY) == "الجمعة 20 نوفمبر"


def test_pseudo_languages_are_offered_to_nobody(catalogs: Catalogs) -> None:
    assert catalogs.texts("ar-XB").language == "ar-XB"
    assert catalogs.texts("ar").language == "en"
    assert catalogs.texts("ar-EG").language == "en"


def test_quotes_and_commas() -> None:
    assert Texts("en").quoted("LoRA") == "“LoRA”"
    assert Texts("en").commas(["a", "b", "c"]) == "a, b, c"


def test_sentences_stand_with_a_blank_between_them_where_the_language_has_one() -> None:
    assert Texts("fr").sentences("Un.", "", "Deux.") == "Un. Deux."
    japanese = Texts("ja").sentences("一つ。", "二つ。", "https://example.org/")
    assert japanese == "一つ。二つ。 https://example.org/"
    assert Texts("zh").sentences("550 no", "重试。") == "550 no 重试。"
    assert Texts("zh").join(["arXiv", "bioRxiv", "PubMed"]) == "arXiv、bioRxiv 和 PubMed"
    assert Texts("zh").join(["图", "语音"]) == "图和语音"
