"""Random papers and queries from a small vocabulary, so that they meet often."""

from hypothesis import strategies as st

from service.papers.model import Alias, Paper

WORDS = [
    *("graph", "graphs", "network", "Networks", "fine", "tuning", "finetuning", "fine-tuning"),
    *("LoRA", "LORA", "RAG", "rag", "RAGs", "model", "modeling", "models", "vision", "language"),
    *("vision-language", "visionlanguage", "pre", "training", "pretraining", "the", "of", "a"),
    *("β", "beta", "betaVAE", "VAE", "naïve", "naive", "Adam's", "path", "路径", "规划", "x2"),
    *("multi", "modal", "multimodal", "end", "to", "state", "GPT", "4", "GPT4", "quantum"),
    *("endtoend", "end-to-end"),
]
GAPS = [" ", " ", " ", " ", "-", "-", ", ", ". ", "", "/", "–"]
NAMES = ["Yoshua Bengio", "Y. Bengio", "Ada B. Lovelace", "Xiao-Ming Li", "Xiaoming Li", "Bo Chen"]
CATEGORIES = ["cs.LG", "cs.CL", "stat.ML", "math-ph", "Systems Neuroscience"]

words = st.sampled_from(WORDS)


@st.composite
def texts(draw: st.DrawFn, most: int = 14) -> str:
    """Words with blanks, hyphens and other signs between them."""
    pieces = draw(st.lists(st.tuples(words, st.sampled_from(GAPS)), max_size=most))
    return "".join(word + gap for word, gap in pieces)


@st.composite
def papers(draw: st.DrawFn) -> Paper:
    """Papers of a few words."""
    return Paper(
        aliases=(Alias("arxiv", draw(st.sampled_from(["2501.00001", "2501.00002"]))),),
        title=draw(texts(8)),
        abstract=draw(texts()),
        authors=tuple(draw(st.lists(st.sampled_from(NAMES), max_size=3))),
        categories=tuple(draw(st.lists(st.sampled_from(CATEGORIES), max_size=2, unique=True))),
        votes=draw(st.none() | st.integers(0, 30)),
        comments=draw(st.none() | st.integers(0, 3)),
    )


@st.composite
def phrases(draw: st.DrawFn) -> str:
    """One to three words in quotes."""
    chosen = draw(st.lists(words, min_size=1, max_size=3))
    return '"' + draw(st.sampled_from([" ", "-"])).join(chosen) + '"'


@st.composite
def terms(draw: st.DrawFn) -> str:
    """A term of the query language, of any kind."""
    kind = draw(st.integers(0, 11))
    if kind <= 3:
        return draw(words)
    if kind <= 5:
        return draw(st.sampled_from(["", "ti:", "abs:"])) + draw(phrases())
    if kind == 6:
        return draw(st.sampled_from(["=", "ti:="])) + draw(st.one_of(words, phrases()))
    if kind == 7:
        return draw(st.sampled_from(["graph*", "net*", "pretr*", "fin*", "models*", "multim*"]))
    if kind == 8:
        chosen = draw(st.lists(st.sampled_from(WORDS[:21]), min_size=2, max_size=3))
        return '"' + " ".join(chosen) + '"~' + str(draw(st.integers(6, 9)))
    if kind == 9:
        return f'au:"{draw(st.sampled_from([*NAMES, "Bengio", "Lovelace, Ada", "Li"]))}"'
    if kind == 10:
        return draw(st.sampled_from(["cat:cs.*", "cat:cs", "cat:stat.ml", "cat:neuroscience"]))
    return draw(st.sampled_from(["votes:>10", "votes:<=10", "comments:1", "authors:<2"]))


def _mixed(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    several = st.lists(inner, min_size=2, max_size=3)
    return st.one_of(
        several.map(lambda parts: f"({' OR '.join(parts)})"),
        several.map(lambda parts: f"({' AND '.join(parts)})"),
        several.map(lambda parts: f"({' '.join(parts)})"),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]} AND NOT {pair[1]})"),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]} -{pair[1]})"),
    )


queries = st.recursive(terms(), _mixed, max_leaves=6)
