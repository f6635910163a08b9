"""The examples of the help page. Each one's sample is matched when the page is made and tested."""

from dataclasses import dataclass

from service.digest import excerpt
from service.digest.model import Marked
from service.errors import Sentence
from service.matching.document import prepare
from service.matching.evaluate import evaluate
from service.matching.parse import parse_keywords, parse_people, parse_query
from service.papers.model import Alias, Paper


@dataclass(frozen=True, slots=True)
class Example:
    """text: to be typed · means: what it says · found, passed_by: titles of
    invented papers that it takes and leaves · kind: how it is read."""

    text: str
    means: Sentence
    found: str
    passed_by: str
    kind: str = "query"


EXAMPLES = (
    Example(
        "LoRA, low-rank adaptation, PEFT",
        Sentence("Commas: any of these. A keyword of several words is a phrase."),
        "A low-rank adaptation for speech",
        "Adaptation of a low rank",
        "keywords",
    ),
    Example(
        "diffusion, -image",
        Sentence("A minus before a keyword leaves papers out."),
        "Diffusion over graphs",
        "Diffusion for image restoration",
        "keywords",
    ),
    Example(
        "speech recognition children",
        Sentence("A blank between words: all of them, anywhere."),
        "Children are hard for speech recognition",
        "Speech recognition in cars",
    ),
    Example(
        "retrieval AND (agents OR planning)",
        Sentence("AND, OR, NOT in capitals; brackets group."),
        "Planning with retrieval",
        "Retrieval from long documents",
    ),
    Example(
        "robot NOT survey",
        Sentence("NOT leaves out."),
        "A robot that folds towels",
        "A survey of robot hands",
    ),
    Example(
        '"chain of thought"',
        Sentence("Quotes: these words side by side."),
        "When a chain of thought goes wrong",
        "Thought in a long chain",
    ),
    Example(
        '"graph transformer"~5',
        Sentence("At most five words apart, in any order."),
        "A transformer for every graph",
        "A graph of fifteen towns that were once served by an old power transformer",
    ),
    Example(
        "quanti*",
        Sentence("A star: every word that begins so (three letters at least)."),
        "Quantization without tears",
        "A quarter of the parameters",
    ),
    Example(
        "=planning",
        Sentence("An equals sign: this very form, no plurals or stems."),
        "Planning under doubt",
        "Plans that survive",
    ),
    Example(
        "ti:benchmark", Sentence("In the title only."), "A benchmark for maps", "Maps for walkers"
    ),
    Example(
        "cat:cs.CL translation",
        Sentence("In a category (the archive alone works too: cat:cs)."),
        "Translation of dialects",
        "A parser of dialects",
    ),
    Example(
        'au:"Ana Silva"', Sentence("Written by somebody."), "A title by Ana Silva", "", "query"
    ),
    Example(
        "votes:>20 agents",
        Sentence("With more than 20 votes."),
        "Agents that wait",
        "Clocks that wait",
    ),
)


def sample(title: str) -> Paper:
    """An invented paper with this title."""
    return Paper(
        aliases=(Alias("arxiv", "2611.00000"),),
        title=title,
        authors=("Ana Silva", "Bo Chen"),
        categories=("cs.CL",),
        votes=41,
        comments=2,
    )


def takes(example: Example, title: str) -> Marked | None:
    """The title with its hits marked, None when the example leaves the paper out."""
    read = {"keywords": parse_keywords, "query": parse_query, "follow": parse_people}[example.kind]
    hits = evaluate(read(example.text), prepare(sample(title)))
    if hits is None:
        return None
    return excerpt.title(title, [(h.start, h.end) for h in hits if h.where == "title"])
