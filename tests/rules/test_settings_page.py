"""docs/settings.md says what the code says."""

from pathlib import Path

from service.cli.settings_page import markdown
from service.defaults import Defaults, table
from service.settings import Settings

PAGE = Path(__file__).resolve().parents[2] / "docs" / "settings.md"


def test_the_page_is_up_to_date() -> None:
    # mend with: paperpost settings list --markdown > docs/settings.md
    assert PAGE.read_text(encoding="utf-8") == markdown()


def test_every_setting_has_a_meaning() -> None:
    assert all(field.description for field in Settings.model_fields.values())
    assert all(row["about"] for row in table(Defaults()))
