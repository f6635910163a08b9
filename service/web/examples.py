"""The examples of the help page; their samples are matched when it is made, and tested."""

from dataclasses import dataclass

from service.digest import excerpt
from service.digest.model import Marked
from service.errors import Sentence
from service.matching.document import prepare
from service.matching.evaluate import evaluate
from service.matching.parse import parse_keywords, parse_people, parse_query
from service.papers.model import Alias, Paper


@dataclass(frozen=True, slots=True)
class Sample:
    """An invented paper; ``facts`` are shown below its title where an example looks at them."""

    title: str
    authors: tuple[str, ...] = ("Ana Silva", "Bo Chen")
    categories: tuple[str, ...] = ("cs.CL",)
    organisation: str = "Example University"
    abstract: str = ""
    votes: int = 41
    comments: int = 2

    def paper(self) -> Paper:
        return Paper(
            aliases=(Alias("arxiv", "2611.00000"),),
            title=self.title,
            abstract=self.abstract,
            authors=self.authors,
            categories=self.categories,
            organisation=self.organisation,
            votes=self.votes,
            comments=self.comments,
        )


@dataclass(frozen=True, slots=True)
class Example:
    """text: to be typed · means: what it says · found, passed_by: invented papers that it takes
    and leaves · kind: how it is read · facts: which of a sample's facts decide ("authors", ...)."""

    text: str
    means: Sentence
    found: Sample
    passed_by: Sample
    kind: str = "query"
    facts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """One section of the page."""

    name: str
    title: Sentence
    lead: Sentence
    examples: tuple[Example, ...]


def _titles(text: str, means: Sentence, found: str, passed_by: str, kind: str = "query") -> Example:
    return Example(text, means, Sample(found), Sample(passed_by), kind)


KEYWORDS = Part(
    "lists",
    Sentence("Words with commas"),
    Sentence(
        "A list is read so wherever words are typed; a line or a semicolon parts like a comma."
    ),
    (
        _titles(
            "LoRA, low-rank adaptation, PEFT",
            Sentence("Commas: any of these. A keyword of several words is a phrase."),
            "A low-rank adaptation for speech",
            "Adaptation of a low rank",
            "keywords",
        ),
        _titles(
            "diffusion, -image",
            Sentence("A minus before a keyword leaves papers out."),
            "Diffusion over graphs",
            "Diffusion for image restoration",
            "keywords",
        ),
        _titles(
            "RAG",
            Sentence("A word with two capitals or more is itself and its plural, never a part."),
            "What RAGs forget",
            "A ragged array",
            "keywords",
        ),
        _titles(
            "路径规划，点云",
            Sentence("Chinese, Japanese and Korean: any run of letters."),
            "新的路径规划算法",
            "路面规划",
            "keywords",
        ),
    ),
)
OPERATORS = Part(
    "operators",
    Sentence("AND, OR, NOT"),
    Sentence(
        "With one of these in capitals, a bracket or a field the whole is read as a query: a "
        "blank then means AND. NOT binds more than AND, AND more than OR; a mix is shown back "
        "with its brackets."
    ),
    (
        _titles(
            "speech recognition children",
            Sentence(
                "In a query and in the search a blank means all of them, anywhere; among words "
                "with commas these three are one phrase."
            ),
            "Children are hard for speech recognition",
            "Speech recognition in cars",
        ),
        _titles(
            "retrieval AND (agents OR planning)",
            Sentence("AND, OR, NOT in capitals; brackets group."),
            "Planning with retrieval",
            "Retrieval from long documents",
        ),
        _titles(
            "robot NOT survey",
            Sentence("NOT leaves out."),
            "A robot that folds towels",
            "A survey of robot hands",
        ),
        _titles(
            "robot -survey",
            Sentence(
                "So does a minus glued to a word; among words with commas, one after a comma."
            ),
            "A robot that folds towels",
            "A survey of robot hands",
        ),
    ),
)
PHRASES = Part(
    "phrases",
    Sentence("Phrases and forms of words"),
    Sentence(
        "Capitals, hyphens, accents and plurals do not matter; Greek letters are read by name."
    ),
    (
        _titles(
            '"chain of thought"',
            Sentence("Quotes: these words side by side."),
            "When a chain of thought goes wrong",
            "Thought in a long chain",
        ),
        _titles(
            '"fine tuning"',
            Sentence("A hyphen, a blank or nothing between words is the same."),
            "Fine-Tuned or finetuned",
            "Fine art, tuning forks",
        ),
        _titles(
            '"graph transformer"~5',
            Sentence("At most five words apart, in any order."),
            "A transformer for every graph",
            "A graph of fifteen towns that were once served by an old power transformer",
        ),
        _titles(
            "quanti*",
            Sentence("A star: every word that begins so (three letters at least)."),
            "Quantization without tears",
            "A quarter of the parameters",
        ),
        _titles(
            "pre-train*",
            Sentence("Here too a hyphen, a blank or nothing is the same."),
            "Pretraining in the dark",
            "Trained before breakfast",
        ),
        _titles(
            "=planning",
            Sentence("An equals sign: this very form, no plurals or stems."),
            "Planning under doubt",
            "Plans that survive",
        ),
        _titles(
            "=SAM",
            Sentence("With capitals: in these capitals, too."),
            "SAM segments anything",
            "Sam and the robots",
        ),
        _titles(
            '="sparse attention"',
            Sentence("These very forms, side by side in this order."),
            "Sparse attention at last",
            "Sparse attentions",
        ),
        _titles(
            "beta-VAE",
            Sentence("Greek letters by name."),
            "A β-VAE for voices",
            "A VAE, second beta",
        ),
    ),
)
_OTHER = Sample("Parsing of dialects", ("Cem Demir",), ("stat.ML",), "Another Institute", votes=3)
FIELDS = Part(
    "fields",
    Sentence("Fields"),
    Sentence(
        "ti: abs: au: cat: source: org: id: (or title: abstract: author: category:) before a "
        "word, a phrase or a bracket. Without one, title and abstract are looked at."
    ),
    (
        Example(
            "ti:benchmark",
            Sentence("In the title only."),
            Sample("A benchmark for maps", abstract="Maps are hard."),
            Sample("Maps for walkers", abstract="A benchmark."),
            facts=("abstract",),
        ),
        Example(
            'abs:(towels OR "folded linen")',
            Sentence("In the abstract; a field before brackets goes for all in them."),
            Sample("A robot at home", abstract="It folds towels."),
            Sample("A robot folds towels", abstract="It works."),
            facts=("abstract",),
        ),
        Example(
            "cat:cs.CL translation",
            Sentence("In a category."),
            Sample("Translation of dialects"),
            Sample("Translation of proteins", categories=("q-bio.BM",)),
            facts=("categories",),
        ),
        Example(
            "cat:cs.*",
            Sentence("In any category of an archive (cat:cs is the same)."),
            Sample("A parser of dialects"),
            _OTHER,
            facts=("categories",),
        ),
        Example(
            'au:"Ana Silva"',
            Sentence("By somebody, however the name is printed."),
            Sample("Clocks that wait", ("A. Silva",)),
            Sample("Clocks that wait", ("Bea Silva",)),
            facts=("authors",),
        ),
        Example(
            'org:"Example University"',
            Sentence("From an organisation, where the source names it."),
            Sample("Clocks that wait"),
            _OTHER,
            facts=("organisation",),
        ),
        Example(
            "source:arxiv",
            Sentence("From a source, by its name or kind."),
            Sample("Clocks that wait"),
            Sample(""),
        ),
        Example(
            "id:2611.00000",
            Sentence("One paper, by its name: arXiv, DOI, PubMed."),
            Sample("Clocks that wait"),
            Sample(""),
        ),
        Example(
            "votes:>20 agents",
            Sentence("Figures: votes, comments, authors, with < <= > >= or nothing."),
            Sample("Agents that wait"),
            Sample("Agents that run", votes=3),
            facts=("votes",),
        ),
        Example(
            "authors:<3 comments:>=1",
            Sentence("A paper whose source has no such figure is never found by it."),
            Sample("Agents that wait"),
            Sample("Agents that run", ("Ana Silva", "Bo Chen", "Cem Demir")),
            facts=("authors", "comments"),
        ),
    ),
)
PEOPLE = Part(
    "people",
    Sentence("People"),
    Sentence(
        "The field of people takes one name a line; papers of any of them come. It says of each "
        "name how many papers that brings."
    ),
    (
        Example(
            "Ana Silva",
            Sentence("A name as papers print it: with initials and middle names, too."),
            Sample("Clocks that wait", ("A. M. Silva",)),
            Sample("Clocks that wait", ("Bea Silva",)),
            "follow",
            ("authors",),
        ),
        Example(
            "org: Example University",
            Sentence("org: and an organisation, where the source names it."),
            Sample("Clocks that wait"),
            _OTHER,
            "follow",
            ("organisation",),
        ),
        Example(
            'au:"Ana Silva" AND robots',
            Sentence("A name that several people have, with more that must be there."),
            Sample("Robots that wait"),
            Sample("Clocks that wait"),
            "follow",
            ("authors",),
        ),
    ),
)
PARTS = (KEYWORDS, OPERATORS, PHRASES, FIELDS, PEOPLE)
EXAMPLES = tuple(example for part in PARTS for example in part.examples)

ELSEWHERE = (
    ("arXiv", 'all:electron ANDNOT ti:"quantum dots"', 'electron AND NOT ti:"quantum dots"'),
    ("arXiv", "cs.LG", "cat:cs.LG"),
    ("PubMed", '"deep learning"[tiab] AND cancer[mesh]', '"deep learning" AND cancer'),
    ("PubMed", "Silva A[au]", 'au:"Silva A"'),
    ("Google Scholar", "allintitle: graph networks", "ti:(graph networks)"),
    ("Google Scholar", "graph AROUND(3) network", '"graph network"~3'),
    ("ADS, Lucene", "+graph -survey", "graph -survey"),
    ("ADS, Lucene", "graph~2 network^3", "graph network"),
    ("Web of Science", "TS=(graph NEAR/3 network)", '("graph network"~3)'),
    ("Scopus", "TITLE-ABS-KEY({sparse attention})", '(="sparse attention")'),
    ("Ovid", "graph.ti,ab.", "graph"),
)
"""What is typed elsewhere, and what is read or offered for it here: checked by a test."""


def takes(example: Example, sample: Sample) -> Marked | None:
    """The title with its hits marked, None when the example leaves the paper out."""
    read = {"keywords": parse_keywords, "query": parse_query, "follow": parse_people}[example.kind]
    hits = evaluate(read(example.text), prepare(sample.paper()))
    if hits is None:
        return None
    return excerpt.title(sample.title, [(h.start, h.end) for h in hits if h.where == "title"])


def facts_of(example: Example, sample: Sample) -> dict[str, str | int]:
    """What decides besides the title, by the name of the fact: texts, or a figure."""
    texts: dict[str, str | int] = {
        "abstract": sample.abstract,
        "authors": ", ".join(sample.authors),
        "categories": ", ".join(sample.categories),
        "organisation": sample.organisation,
        "votes": sample.votes,
        "comments": sample.comments,
    }
    return {name: texts[name] for name in example.facts}
