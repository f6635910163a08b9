"""docs/admin.md shows every page of the desk, and how its acts are done elsewhere."""

import re
from pathlib import Path

from support.desk_screens import name_of, screens, table_of_acts

DOCS = Path(__file__).resolve().parents[2] / "docs"
GUIDE = (DOCS / "admin.md").read_text("utf-8")
MOST_BYTES = 2_500_000


def test_every_page_of_the_desk_is_named_and_shown() -> None:
    """Mend with: a section for the page, and `make screens`."""
    shown = set(re.findall(r"\]\(pictures/admin/([\w-]+)\.webp\)", GUIDE))
    assert sorted(set(screens()) - shown) == []
    named = set(re.findall(r"`(/admin[^`?]*)`", GUIDE))
    assert sorted(set(screens().values()) - named) == []
    taken = {path.stem for path in (DOCS / "pictures" / "admin").glob("*.webp")}
    assert taken == shown
    said = re.findall(r"!\[([^\]]+)\]\(pictures/admin/", GUIDE)
    assert min(map(len, said)) > 12, "each says what is in it"


def test_its_pictures_are_small_together() -> None:
    sizes = [path.stat().st_size for path in (DOCS / "pictures" / "admin").iterdir()]
    assert min(sizes) > 0
    assert sum(sizes) <= MOST_BYTES


def test_its_table_of_acts_is_what_the_house_does() -> None:
    assert table_of_acts() in GUIDE, "make screens"


def test_pages_are_called_by_their_path() -> None:
    assert name_of("/admin") == "overview"
    assert name_of("/admin/readers/{reader_id}/preview") == "readers-one-preview"
