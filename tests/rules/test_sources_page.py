"""docs/sources.md and the words of the commands say what the adapters declare."""

import subprocess
import sys
from pathlib import Path

from service.cli.source_commands import KIND_HELP
from service.cli.sources_page import markdown
from service.flows.source_kinds import list_kinds
from service.sources.registry import ADAPTERS, KINDS

_HELP = """
import sys
import service.cli.program
print("feedparser" in sys.modules, "service.sources.registry" in sys.modules)
"""
DOCS = Path(__file__).resolve().parents[2] / "docs" / "sources.md"


def test_the_page_is_up_to_date() -> None:
    # mend with: paperpost sources kinds --markdown > docs/sources.md
    assert DOCS.read_text(encoding="utf-8") == markdown()


def test_the_help_names_the_kinds_of_the_registry_without_loading_them() -> None:
    assert tuple(ADAPTERS) == KINDS
    told = subprocess.run(
        [sys.executable, "-c", _HELP], capture_output=True, text=True, check=True, timeout=60
    )
    assert told.stdout.split() == ["False", "True"]
    assert all(kind in KIND_HELP for kind in KINDS)


def test_every_kind_says_what_it_is_and_how_it_is_added() -> None:
    for row in list_kinds():
        assert row["about"].endswith("."), row["kind"]
        made = ADAPTERS[row["kind"]]
        for one in made.parameters:
            assert one.allows(made.tidied(one.name, one.example)), (row["kind"], one.name)
