"""README and docs name what exists: commands, options, make targets, files; pictures are small."""

import re
from pathlib import Path

import pytest
from support.gallery_list import SHOWN
from typer.main import get_command

from service.cli.program import app

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    ROOT / name for name in ("README.md", "CONTRIBUTING.md", "docs/install.md", "docs/gallery.md")
]
GROUP_ROW = re.compile(r"`paperpost (\w+) (\w+)`((?:, `\w+`)+)")


def commands() -> dict[str, set[str]]:
    """Names of commands -> names of their own commands."""
    top = get_command(app)
    return {name: set(getattr(one, "commands", {})) for name, one in top.commands.items()}  # type: ignore[attr-defined]


def named(text: str) -> list[list[str]]:
    """The words after "paperpost" of every command in code marks or blocks."""
    spans = re.findall(r"`(paperpost [^`\n]+)`", text)
    spans += re.findall(r"bin/(paperpost [^\n'`]+)$", text, re.M)
    return [re.findall(r"[\w-]+", span.partition(" ")[2]) for span in spans]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_exists(page: Path) -> None:
    there, text = commands(), page.read_text(encoding="utf-8")
    found = named(text)
    for words in found:
        assert words[0] in there, words
        if there[words[0]]:
            assert words[1] in there[words[0]], words
    for group, first, others in GROUP_ROW.findall(text):
        assert {first, *re.findall(r"`(\w+)`", others)} <= there[group] | {first}, group


def test_the_readme_names_every_command() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    missing = {
        name
        for name in commands()
        if name not in ("demo", "migrate", "worker") and f"paperpost {name}" not in text
    }
    assert missing == set()


def test_the_readme_names_every_command_of_every_group() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `paperpost ")]
    missing = {
        (group, name)
        for group, names in commands().items()
        for name in names
        if not any(re.search(rf"`paperpost {group} .*\b{name}`", row) for row in rows)
    }
    assert missing == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_target_and_link_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    assert set(re.findall(r"(?:`|^    )make ([a-z-]+)", text, re.M)) <= targets
    for link in re.findall(r"\]\(([^)]+)\)", text):
        assert (page.parent / link).exists(), link


def test_every_page_of_the_docs_is_found_from_the_readme() -> None:
    found, new = set(), [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "ARCHITECTURE.md"]
    while new:
        page = new.pop()
        found.add(page)
        links = re.findall(r"\]\(([^)#:]+\.md)", page.read_text(encoding="utf-8"))
        new += [path for one in links if (path := (page.parent / one).resolve()) not in found]
    names = {page.name for page in found}
    assert {page.name for page in (ROOT / "docs").glob("*.md")} - names == set()


def test_the_guide_of_readers_shows_each_of_its_pictures_and_they_are_small() -> None:
    text = (ROOT / "docs" / "readers.md").read_text(encoding="utf-8")
    pictures = list((ROOT / "docs" / "pictures" / "readers").glob("*.webp"))
    shown = re.findall(r"pictures/readers/([a-z-]+)\.webp", text)
    assert sorted(shown) == sorted(picture.stem for picture in pictures)
    assert sum(picture.stat().st_size for picture in pictures) <= 600_000
    weighed = dict(re.findall(r"^\| ([a-z -]+) \| \d+ \| ([\d.]+) kB \|$", text, re.M))
    assert float(weighed["sign-up"]) <= 60


def test_pictures_are_there_and_below_200_kb() -> None:
    pictures = list((ROOT / "docs" / "pictures").glob("*.png"))
    shown = {"daily-page", "sign-up", *(f"mail-{name}" for name in SHOWN)}
    assert {picture.stem for picture in pictures} == shown
    assert len(SHOWN) == 6
    for page in ("README.md", "docs/gallery.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        assert [name for name in SHOWN if f"pictures/mail-{name}.png" not in text] == [], page
    assert {p.name: p.stat().st_size for p in pictures if p.stat().st_size >= 200_000} == {}
