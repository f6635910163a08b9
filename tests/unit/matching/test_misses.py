"""Why a paper does not come: what it has of a query, and what it lacks."""

import pytest

from service.matching.document import prepare
from service.matching.evaluate import evaluate
from service.matching.misses import Misses, misses
from service.matching.parse import parse_keywords, parse_people, parse_query
from service.papers.model import Alias, Paper

PAPER = prepare(
    Paper(
        aliases=(Alias("arxiv", "2611.00001"),),
        title="LoRA for large models",
        abstract="A survey of quantization.",
        authors=("Ana Silva",),
        categories=("cs.LG",),
        votes=3,
    )
)


@pytest.mark.parametrize(
    ("text", "found", "missing", "barred"),
    [
        ("LoRA AND adapter", ("LoRA",), (("adapter",),), ()),
        ("LoRA AND (adapter OR PEFT)", ("LoRA",), (("adapter", "PEFT"),), ()),
        ("adapter OR PEFT", (), (("adapter", "PEFT"),), ()),
        ("LoRA AND NOT survey", ("LoRA",), (), ("survey",)),
        ("LoRA AND adapter AND NOT survey", ("LoRA",), (("adapter",),), ("survey",)),
        ("(LoRA AND adapter) OR (robots AND hands)", ("LoRA",), (("adapter",),), ()),
        ("ti:quantization", (), (("ti:quantization",),), ()),
        ("LoRA AND cat:cs.CV", ("LoRA",), (("cat:cs.CV",),), ()),
        ("LoRA AND NOT (survey AND quantization)", ("LoRA",), (), ("survey", "quantization")),
    ],
)
def test_a_query(text: str, found: tuple, missing: tuple, barred: tuple) -> None:  # type: ignore[type-arg]
    assert misses(parse_query(text), PAPER) == Misses(found, missing, barred)


def test_a_figure_is_told_with_the_papers_own() -> None:
    made = misses(parse_query("LoRA AND votes:>20"), PAPER)
    assert made == Misses(found=("LoRA",), figures=(("votes:>20", 3),))


def test_keywords_are_one_group() -> None:
    made = misses(parse_keywords("adapters, low-rank adaptation, -survey"), PAPER)
    assert made is not None
    assert made.missing == (("adapters", "low-rank adaptation"),)
    assert made.barred == ("survey",)


def test_people() -> None:
    made = misses(parse_people("Bo Chen; Carla Diaz"), PAPER)
    assert made is not None
    assert made.missing == (("Bo Chen", "Carla Diaz"),)


@pytest.mark.parametrize("text", ["LoRA", "survey OR adapter", "votes:>2", "au:Silva"])
def test_none_where_the_paper_is_wanted(text: str) -> None:
    assert misses(parse_query(text), PAPER) is None
    assert evaluate(parse_query(text), PAPER) is not None
