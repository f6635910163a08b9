"""docs/sources.md and the words of the commands say what the adapters declare."""

from pathlib import Path

from service.cli.source_commands import KINDS
from service.cli.sources_page import markdown
from service.flows.source_kinds import list_kinds
from service.sources.registry import ADAPTERS

DOCS = Path(__file__).resolve().parents[2] / "docs" / "sources.md"


def test_the_page_is_up_to_date() -> None:
    # mend with: paperpost sources kinds --markdown > docs/sources.md
    assert DOCS.read_text(encoding="utf-8") == markdown()


def test_the_words_of_the_help_are_those_of_the_registry() -> None:
    # mend KINDS in service/cli/source_commands.py
    assert tuple(ADAPTERS) == KINDS


def test_every_kind_says_what_it_is_and_how_it_is_added() -> None:
    for row in list_kinds():
        assert row["about"].endswith("."), row["kind"]
        made = ADAPTERS[row["kind"]]
        for one in made.parameters:
            assert one.allows(made.tidied(one.name, one.example)), (row["kind"], one.name)
