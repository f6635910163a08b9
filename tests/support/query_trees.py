"""Random query trees, with terms of every kind and signs that must be quoted."""

from random import Random

from service.matching.build import all_of, any_of
from service.matching.query import Field, Leaf, Node, Not, Number, QueryError
from service.matching.terms import FIGURES, make_leaf
from service.matching.typed import read_signs

_WORDS = (
    *("graph", "fine-tuning", "RAG", "LoRAs", "β-VAE", "naïve", "路径规划", "点云", "GPT-4", "R&D"),
    *("and", "or", "not", "AND", "OR", "NOT", "ANDNOT", "near", "NEAR", "adj3", "cs.LG", "C++"),
    *("2511.01234", "10.1038/x", "Adam's", "a.ti.", "TS", "exp", "[tiab]", "x:y", "all:", "x/y"),
    *("(a)", "a,b", "~2", "a~2", "a^2", "w?n", "-x", "+x", "!x", "=x", "{x}", "'x y'", "a|b", "…x"),
    *("The", "of", "=", "-", "/", "x", "ti:", "3", "N3", "w/3", "a_b", "é", "x*y", "\\alpha"),
    *("http://a", "a;b", "'", "$x_1$", "Or", "a.b", ".net", "#1", "50%", "@", "t+1"),
)
_NAMES = ("Yoshua Bengio", "Bengio, Y.", "van der Maaten", "O'Neil", "何恺明", "Li*", "Smith JA")
_CODES = ("cs.LG", "cs.*", "cs.L*", "cs", "math-ph", "Systems Neuroscience", "q-bio", "Web 2.0")
_NUMBERS = ("2511.01234", "arXiv:2511.01234v2", "hep-th/9901001", "10.1038/S41586-021", "a b")


def random_tree(random: Random, depth: int = 3) -> Node:
    """A tree of at most about 20 leaves, in the normal form of parsed queries."""
    if depth == 0 or random.random() < 0.3:
        return _leaf(random)
    chosen = random.random()
    if chosen < 0.15:
        part = random_tree(random, depth - 1)
        return part.part if isinstance(part, Not) else Not(part)
    parts = [random_tree(random, depth - 1) for _ in range(random.randint(2, 3))]
    return all_of(parts) if chosen < 0.6 else any_of(parts)


def _leaf(random: Random) -> Leaf:
    while True:
        try:
            return _some_leaf(random)
        except QueryError:
            continue


def _some_leaf(random: Random) -> Leaf:
    kind = random.randint(0, 9)
    if kind == 9:
        sign = random.choice(("=", "<", "<=", ">", ">="))
        return Number(random.choice(FIGURES), sign, random.randint(0, 9999))
    if kind == 8:
        return make_leaf(random.choice(_NAMES), "au", exact=False, distance=None, position=1)
    if kind == 7:
        return make_leaf(random.choice(_CODES), "cat", exact=False, distance=None, position=1)
    if kind == 6:
        return make_leaf(random.choice(_NUMBERS), "id", exact=False, distance=None, position=1)
    field: Field = random.choice(("", "", "", "ti", "abs", "source", "org"))
    words = [random.choice(_WORDS) for _ in range(random.choice((1, 1, 1, 2, 3)))]
    words = [word + "*" if random.random() < 0.1 else word for word in words]
    distance = random.randint(2, 50) if len(words) > 1 and random.random() < 0.3 else None
    exact = random.random() < 0.2
    text = read_signs(" ".join(words)).text
    return make_leaf(text, field, exact=exact, distance=distance, position=1)
