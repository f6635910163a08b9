"""BibTeX and RIS as other programs read them, keys, names, journals, and the tags of a page."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import rispy
from hypothesis import given
from hypothesis import strategies as st
from pybtex.database import BibliographyData, Entry, parse_string
from pybtex.richtext import Text
from support.goldens import cases, real_captures

from service.papers.citation import (
    Name,
    Place,
    handle,
    line,
    meta_tags,
    place_of,
    reference,
    split_name,
)
from service.papers.model import Alias, Paper
from service.papers.reference_files import bibtex, ris
from service.sources.adapter import CaptureError
from service.sources.registry import adapter

LORA = Paper(
    aliases=(Alias("arxiv", "2611.00001"),),
    title="LoRA adapters for K-means: 50% of a GPT-4 at C&A",
    abstract="An invented abstract.\nWith two lines.",
    authors=("Ana Silva", "Ludwig van der Berg", "The LIGO Collaboration", "Martin King Jr."),
    categories=("cs.LG", "cs.CL"),
    published_on=date(2026, 11, 5),
    links={"abs": "https://arxiv.org/abs/2611.00001", "pdf": "https://arxiv.org/pdf/2611.00001"},
)
JOURNAL = Paper(
    aliases=(Alias("doi", "10.1000/x_1"), Alias("pmid", "123456")),
    title="Beetles of Example",
    authors=("Gödel Müller", "张三"),
    published_on=date(2026, 2, 1),
    note="Journal of Examples, 55(31-32), 1917–1940",
)
_SIGNS = {
    "textbackslash": "\\",
    "textbraceleft": "{",
    "textbraceright": "}",
    "textasciitilde": "~",
    "textasciicircum": "^",
}


def _plain(value: str) -> str:
    """A field as it is set: our own words for signs, then what pybtex makes of TeX's."""
    kept = re.sub(r"\\([&%$#_])", r"\1", value)
    for name, sign in _SIGNS.items():
        kept = kept.replace(f"\\{name}{{}}", {"{": "\x02", "}": "\x03"}.get(sign, sign))
    return kept.replace("{", "").replace("}", "").replace("\x02", "{").replace("\x03", "}")


def _entries(papers: Sequence[Paper]) -> dict[str, Entry]:
    found: BibliographyData = parse_string(bibtex(papers), "bibtex")
    return dict(found.entries)


def check_bibtex(papers: Sequence[Paper]) -> None:
    """pybtex reads one entry for each paper, with what the paper says."""
    entries = _entries(papers)
    assert len(entries) == len(papers)
    for paper in papers:
        told = reference(paper)
        entry = entries[told.key]
        assert _plain(entry.fields["title"]) == told.title
        people = entry.persons.get("author", [])
        assert len(people) == len(told.names)
        for person, name in zip(people, told.names, strict=True):
            last = " ".join([*person.prelast_names, *person.last_names])
            first = " ".join([*person.first_names, *person.middle_names])
            parts = (name.last, name.suffix, name.first)
            if name.first and not any(re.search(r"\band\b|,", part, re.I) for part in parts):
                assert (_plain(last), _plain(first)) == (name.last, name.first)
            else:
                assert _plain(f"{first} {last}".strip()) == name.turned
        for field, value in (("eprint", told.eprint), ("doi", told.doi), ("url", told.url)):
            assert entry.fields.get(field, "") == re.sub(
                r"[{}\\]", lambda sign: f"%{ord(sign[0]):02X}", value
            )
        if told.on is not None:
            assert entry.fields["year"] == f"{told.on.year:04}"
        if told.place is not None:
            assert entry.type == "article"
            assert _plain(entry.fields["journal"]) == told.place.journal


def check_ris(papers: Sequence[Paper]) -> None:
    """rispy reads one record for each paper, with what the paper says."""
    written = ris(papers)
    assert "\n" not in written.replace("\r\n", "")
    found: list[dict[str, Any]] = rispy.loads(written.replace("\r\n", "\n"))
    assert len(found) == len(papers)
    for paper, record in zip(papers, found, strict=True):
        told = reference(paper)
        assert record["title"] == told.title
        assert len(record.get("authors", [])) == len(told.names)
        assert record.get("doi", "") == told.doi
        assert record.get("abstract", "") == told.abstract
        if told.on is not None:
            assert record["year"] == f"{told.on.year:04}"
        kind = "JOUR" if told.place else "UNPB" if told.server else "GEN"
        assert record["type_of_reference"] == kind


def test_a_preprint_in_bibtex() -> None:
    assert bibtex([LORA]) == (
        "@misc{silva2026-2611.00001,\n"
        "  title         = {{LoRA} adapters for {K}-means: 50\\% of a {GPT}-4 at {C\\&A}},\n"
        "  author        = {Silva, Ana and van der Berg, Ludwig and {The LIGO Collaboration} and "
        "King, Jr., Martin},\n"
        "  year          = {2026},\n"
        "  month         = nov,\n"
        "  eprint        = {2611.00001},\n"
        "  archivePrefix = {arXiv},\n"
        "  primaryClass  = {cs.LG},\n"
        "  url           = {https://arxiv.org/abs/2611.00001},\n"
        "}\n"
    )
    check_bibtex([LORA, JOURNAL])


def test_an_article_in_bibtex_and_ris() -> None:
    entry = _entries([JOURNAL])["muller2026-10.1000-x-1-" + handle("doi", "10.1000/x_1")[-6:]]
    assert entry.type == "article"
    assert (entry.fields["journal"], entry.fields["volume"]) == ("Journal of Examples", "55")
    assert (entry.fields["number"], entry.fields["pages"]) == ("31--32", "1917--1940")
    assert entry.fields["doi"] == "10.1000/x_1"
    assert [str(p) for p in entry.persons["author"]] == ["Müller, Gödel", "{张三}"]
    (record,) = rispy.loads(ris([JOURNAL]).replace("\r\n", "\n"))
    assert record["type_of_reference"] == "JOUR"
    assert record["secondary_title"] == "Journal of Examples"
    assert (record["volume"], record["number"]) == ("55", "31-32")
    assert (record["start_page"], record["end_page"]) == ("1917", "1940")
    assert record["authors"] == ["Müller, Gödel", "张三"]


def test_a_record_of_ris_is_whole() -> None:
    assert ris([LORA]).split("\r\n")[:9] == [
        "TY  - UNPB",
        "ID  - silva2026-2611.00001",
        "TI  - LoRA adapters for K-means: 50% of a GPT-4 at C&A",
        "AU  - Silva, Ana",
        "AU  - van der Berg, Ludwig",
        "AU  - The LIGO Collaboration",
        "AU  - King, Martin, Jr.",
        "PY  - 2026",
        "DA  - 2026/11/05/",
    ]
    assert ris([LORA]).endswith("AB  - An invented abstract. With two lines.\r\nER  - \r\n\r\n")
    check_ris([LORA, JOURNAL])


def test_what_is_missing_is_said() -> None:
    assert "% 2 more: not in our lists any more" in bibtex([LORA], 2)
    assert list(_entries([LORA])) == list(parse_string(bibtex([LORA], 2), "bibtex").entries)
    assert "N1  - 2 more papers are not in our lists any more\r\n" in ris([LORA], 2)
    assert ris([], 2) == ""


@pytest.mark.parametrize(
    ("printed", "name"),
    [
        ("Ana Silva", Name("Silva", "Ana")),
        ("Guido van Rossum", Name("van Rossum", "Guido")),
        ("Gerard 't Hooft", Name("'t Hooft", "Gerard")),
        ("van Rossum", Name("Rossum", "van")),
        ("John Smith, Jr.", Name("Smith", "John", "Jr.")),
        ("Bengio, Yoshua", Name("Bengio", "Yoshua")),
        ("Gemini Team", Name("Gemini Team")),
        ("ATLAS and CMS Collaborations", Name("ATLAS and CMS Collaborations")),
        ("DeepSeek-AI", Name("DeepSeek-AI")),
        ("李四", Name("李四")),
    ],
)
def test_names_are_turned(printed: str, name: Name) -> None:
    assert split_name(printed) == name


@pytest.mark.parametrize(
    ("note", "place"),
    [
        ("ZooExample 1068: 189-201", Place("ZooExample", "1068", "", "189-201")),
        ("Example Magazine, pp. 2-15", Place("Example Magazine", "", "", "2-15")),
        ("Example Science, Volume 393, Issue 6809, Pages 403-407",
         Place("Example Science", "393", "6809", "403-407")),
        ("Example Chemistry, Volume 11, June 2031", Place("Example Chemistry", "11")),
        ("Inventive parasitology", Place("Inventive parasitology")),
        ("Vol. 9, No. 9, pp. 9-9", None),
        ("33 pages, 24 figures", None),
        ("bioRxiv 2026.01.02.123456", None),
        ("confirmatory results", None),
        ("", None),
    ],
)  # fmt: skip
def test_a_journal_is_read_out_of_the_note(note: str, place: Place | None) -> None:
    assert place_of(replace(JOURNAL, note=note)) == place


@pytest.mark.parametrize(
    ("note", "place"),
    [
        ("9 pages; Phys.Ex.B573:94-100,2003", Place("Phys.Ex.B", "573", "", "94-100")),
        ("J. Ex. 12 (2031) 1-9", Place("J. Ex.", "12", "", "1-9")),
        ("12 pages, 3 figures", None),
        ("Accepted at Example 2026, 9 pages", None),
        ("NeurIPS 2026", None),
    ],
)
def test_a_comment_of_arxiv_is_no_journal(note: str, place: Place | None) -> None:
    assert place_of(replace(LORA, note=note)) == place


def test_a_preprint_server_is_no_journal() -> None:
    made = replace(JOURNAL, aliases=(Alias("doi", "10.1101/2026.01.01.1"),))
    entry = _entries([made])[reference(made).key]
    assert (entry.type, entry.fields["howpublished"]) == ("misc", "bioRxiv")


def test_handles_are_unlike_and_fit_into_an_address() -> None:
    values = ["2611.00001", "10.1000/a-b", "10.1000/a/b", "10.1000/a b", "", "ä", "x" * 300]
    made = [handle(scheme, value) for scheme in ("arxiv", "doi", "guid") for value in values]
    assert len(set(made)) == len(made)
    assert all(re.fullmatch(r"[A-Za-z0-9.-]+", one) for one in made)
    assert handle("arxiv", "2611.00001") == "arxiv-2611.00001"
    assert handle("doi", "10.1000/xyz") == "doi-10.1000-xyz"


def test_the_tags_of_a_page() -> None:
    assert dict(meta_tags(LORA)) == {
        "citation_title": LORA.title,
        "citation_author": "King Jr., Martin",  # the last of four
        "citation_publication_date": "2026/11/05",
        "citation_publisher": "arXiv",
        "citation_arxiv_id": "2611.00001",
        "citation_keywords": "cs.LG; cs.CL",
        "citation_abstract": "An invented abstract. With two lines.",
        "citation_pdf_url": "https://arxiv.org/pdf/2611.00001",
        "citation_abstract_html_url": "https://arxiv.org/abs/2611.00001",
    }
    tags = dict(meta_tags(JOURNAL))
    assert tags["citation_journal_title"] == "Journal of Examples"
    assert (tags["citation_firstpage"], tags["citation_lastpage"]) == ("1917", "1940")
    assert (tags["citation_doi"], tags["citation_pmid"]) == ("10.1000/x_1", "123456")


def zotero(tags: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """What Zotero's translator "Embedded Metadata" makes of a page's tags, by its rules: several
    tags of a name are joined, authors parted at semicolons, and at commas where both sides of the
    first have blanks; then a name with a comma is "Last, First"."""
    one = dict(tags)
    people = []
    for name, value in tags:
        if name != "citation_author":
            continue
        parts = re.split(r"\s*;\s*", value)
        if len(parts) == 1:
            by_comma = re.split(r"\s*,\s*", value)
            if len(by_comma) > 1 and " " in by_comma[0] and " " in by_comma[1]:
                parts = by_comma
        for part in parts:
            first, last = part.rpartition(" ")[::2] if "," not in part else (
                part.split(",")[1].strip(), part.split(",")[0])  # fmt: skip
            people.append((last, first))
    pages = [one[f"citation_{at}page"] for at in ("first", "last") if f"citation_{at}page" in one]
    return {
        "type": "journalArticle",  # also guessed of a title alone
        "title": one["citation_title"],
        "date": one.get("citation_publication_date", ""),
        "journal": one.get("citation_journal_title", ""),
        "pages": "-".join(pages),
        "doi": one.get("citation_doi", ""),
        "abstract": one.get("citation_abstract", ""),
        "tags": [tag.strip() for tag in one.get("citation_keywords", "").split(";") if tag.strip()],
        "pdf": one.get("citation_pdf_url", ""),
        "people": people,
    }


def test_zotero_reads_the_tags() -> None:
    names = ("Ana Silva", "Anna Maria van der Berg", "Guido van Rossum", "Martin King Jr.",
             "Martin Luther King Jr.", "The LIGO, Virgo; and KAGRA Collaborations", "张三",
             "DeepSeek-AI")  # fmt: skip
    item = zotero(meta_tags(replace(LORA, authors=names)))
    assert item["people"] == [
        ("Silva", "Ana"), ("Berg", "Anna Maria van der"), ("van Rossum", "Guido"),
        ("King Jr.", "Martin"), ("King", "Martin Luther"),
        ("Collaborations", "The LIGO Virgo and KAGRA"), ("张三", ""), ("DeepSeek-AI", ""),
    ]  # fmt: skip
    assert item["tags"] == ["cs.LG", "cs.CL"]
    assert item["pdf"] == LORA.links["pdf"]
    journal = zotero(meta_tags(JOURNAL))
    assert (journal["journal"], journal["pages"]) == ("Journal of Examples", "1917-1940")
    assert (journal["doi"], journal["date"]) == ("10.1000/x_1", "2026/02/01")


@pytest.mark.slow
def test_zotero_finds_as_many_authors_as_there_are(shared: Path) -> None:
    for name, kind in real_captures(shared)[::4]:
        for paper in _read(kind, shared / name):
            told = reference(paper)
            people = zotero(meta_tags(paper))["people"]
            assert len(people) == len(told.names), paper.authors


NAUGHTY = [
    "{", "}", "}}{", "\\", "\\}", "a\nb\r\nER  - ", "\ud800", "@misc{x,", "% no comment", "$x_1^2$",
    "#1 & ~2", '"quoted"', "and", "A, B and {C", "\u202eright", "x" * 3000, "TY  - JOUR",
]  # fmt: skip


@pytest.mark.parametrize("text", NAUGHTY)
def test_hostile_texts_stay_texts(text: str) -> None:
    paper = replace(LORA, title=f"A {text} z", authors=(f"Ana {text}", f"{text} Bo"), abstract=text)
    check_bibtex([paper, JOURNAL])
    check_ris([paper, JOURNAL])


@given(st.text(min_size=1, max_size=60), st.text(max_size=30))
def test_any_text_is_read_back(title: str, name: str) -> None:
    paper = replace(LORA, title=f"T{title}", authors=(f"Ana {name}",), abstract=title)
    check_bibtex([paper])
    check_ris([paper])


def _read(kind: str, path: Path) -> list[Paper]:
    try:
        return [sighting.paper for sighting in adapter(kind).parse(path.read_bytes()).sightings]
    except CaptureError:
        return []


def test_the_invented_captures_are_read_back() -> None:
    papers = {p.key: p for case in cases() for p in _read(case.parent.name, case)}
    assert len(papers) > 20
    check_bibtex(list(papers.values()))
    check_ris(list(papers.values()))


@pytest.mark.slow
def test_every_captured_paper_is_read_back(shared: Path) -> None:
    papers = {
        paper.key: paper
        for name, kind in real_captures(shared)[::5]  # of all it takes half a minute
        for paper in _read(kind, shared / name)
    }
    assert len(papers) > 1000
    assert len({reference(paper).key for paper in papers.values()}) == len(papers)
    check_bibtex(list(papers.values()))
    check_ris(list(papers.values()))


def test_plain_knows_what_pybtex_knows() -> None:
    """The helper of these tests, held against pybtex's own reading of TeX."""
    assert str(Text.from_latex(r"50\% of {LoRA} \& C\_1")) == _plain(r"50\% of {LoRA} \& C\_1")
    assert line("a\x00b\u2028c") == "a b c"
