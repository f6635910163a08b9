"""From what a reader typed as one term to the words that are compared."""

import re

from service.errors import Sentence
from service.matching.document import identifier
from service.matching.names import name_parts
from service.matching.query import (
    SHORTEST_PREFIX,
    Category,
    Comparison,
    Field,
    Figure,
    Identifier,
    Leaf,
    Near,
    Number,
    Person,
    QueryError,
    Term,
    Word,
)
from service.text.fold import fold
from service.text.tokens import Folded, is_ideograph, joins_of_three, joins_of_two

FIELDS: dict[str, Field] = {
    "ti": "ti",
    "title": "ti",
    "abs": "abs",
    "abstract": "abs",
    "au": "au",
    "author": "au",
    "cat": "cat",
    "category": "cat",
    "source": "source",
    "org": "org",
    "organisation": "org",
    "organization": "org",
    "id": "id",
    "all": "",
}
"""Names of fields; ``all:`` is arXiv's, and plain words are what it means here."""
FIGURES: tuple[Figure, ...] = ("votes", "comments", "authors")
_LONGEST_CAPITALS = 6
_FARTHEST = 50
_FIGURE = re.compile(r"([a-z]+):?\s*(>=|<=|≥|≤|=>|=<|>|<|=|)\s*(\d{1,9})", re.I)
_COMPARISONS: dict[str, Comparison] = {
    "": "=",
    "=": "=",
    "<": "<",
    ">": ">",
    "<=": "<=",
    "=<": "<=",
    "≤": "<=",
    ">=": ">=",
    "=>": ">=",
    "≥": ">=",
}


def make_leaf(text: str, field: Field, *, exact: bool, distance: int | None, position: int) -> Leaf:
    """One term in ``field``; ``position`` is its 1-based character, for errors."""
    text = " ".join(text.split())
    if field in ("au", "cat", "id") and (exact or distance is not None):
        sign = "=" if exact else "~"
        raise QueryError(
            Sentence(
                "%(sign)s at character %(position)s does not go with %(field)s.",
                sign=sign,
                position=position,
                field=f"{field}:",
            ),
            expected=Sentence("a name without %(sign)s", sign=sign),
            suggestion=_quoted(text),
        )
    if field == "au":
        return make_person(text, position)
    if field == "cat":
        return _make_category(text, position)
    if field == "id":
        return _make_identifier(text, position)
    folded = _fold_some(text, position)
    words = _make_words(text, folded, exact=exact, position=position)
    if distance is None:
        joins = () if exact else _make_joins(folded, words)
        return Term(text=text, words=words, field=field, exact=exact, joins=joins)
    if len(words) < 2:
        raise QueryError(
            Sentence(
                "%(near)s at character %(position)s needs two words or more in the quotes.",
                near=f"~{distance}",
                position=position,
            ),
            expected=Sentence("two words or more, all near each other"),
            suggestion=f'"{text}"',
        )
    if not len(words) - 1 <= distance <= _FARTHEST:
        fitting = min(max(distance, len(words) - 1), _FARTHEST)
        raise QueryError(
            Sentence(
                "%(near)s at character %(position)s does not fit: %(count)s words can stand "
                "within %(least)s to %(most)s.",
                near=f"~{distance}",
                position=position,
                count=len(words),
                least=len(words) - 1,
                most=_FARTHEST,
            ),
            expected=Sentence("how many words apart they may stand"),
            suggestion=f'"{text}"~{fitting}' if fitting >= len(words) - 1 else f'"{text}"',
        )
    return Near(text=text, words=words, distance=distance, field=field, exact=exact)


def make_person(text: str, position: int) -> Person:
    """An author by name, in any of the usual forms."""
    text = " ".join(text.split())
    prefix = text.endswith("*")
    _fold_some(text, position)
    parts = name_parts(text)
    if "*" in text and (not prefix or text.count("*") > 1 or len(parts) > 1):
        raise QueryError(
            Sentence(
                "The * at character %(position)s works for a single word only: au:beng*.",
                position=position,
            ),
            expected=Sentence("one word before the *, or a name without one"),
            suggestion=_quoted(text.replace("*", " ")),
        )
    if prefix:
        _check_prefix(parts[0], position, text)
    return Person(text=text, parts=parts, prefix=prefix)


def _make_category(text: str, position: int) -> Category:
    _fold_some(text, position)
    prefix = text.endswith("*")
    code = text.rstrip("*").strip().lower()
    if "*" in code or (prefix and len(code) < 2):
        raise QueryError(
            Sentence(
                "The * at character %(position)s stands at the end of a category, after two "
                "letters at least: cat:cs.*",
                position=position,
            ),
            expected=Sentence("a category like cs.LG, cs.* or cs"),
            suggestion=_quoted(text.replace("*", "")),
        )
    words = () if prefix else fold(code).stems
    return Category(text=text, code=code, words=words, prefix=prefix)


def _make_identifier(text: str, position: int) -> Identifier:
    _fold_some(text, position)
    if "*" in text:
        what = Sentence("id: at character %(position)s takes no *.", position=position)
        raise QueryError(
            what,
            expected=Sentence("the whole name of a paper"),
            suggestion=_quoted(text.replace("*", "")),
        )
    return Identifier(text=text, value=identifier(text))


def make_number(text: str, position: int) -> Number:
    """``votes:>20``, ``authors:<4``, ``comments:3``."""
    found = _FIGURE.fullmatch(text.strip())
    figure = next(known for known in FIGURES if text.lower().startswith(known))
    if found is None:
        raise QueryError(
            Sentence(
                "%(figure)s at character %(position)s needs a number, like %(example)s.",
                figure=f"{figure}:",
                position=position,
                example=f"{figure}:>20",
            ),
            expected=Sentence("a number, with >, <, >= or <= before it if wanted"),
        )
    return Number(figure, _COMPARISONS[found.group(2)], int(found.group(3)))


def _fold_some(text: str, position: int) -> Folded:
    folded = fold(text)
    if not folded:
        shown = text if text.strip() else '""'
        raise QueryError(
            Sentence(
                "'%(text)s' at character %(position)s holds no letter or digit.",
                text=shown,
                position=position,
            ),
            expected=Sentence("a word"),
            next_step=Sentence("Remove it, or write the word it stands for."),
        )
    return folded


def _make_words(text: str, folded: Folded, *, exact: bool, position: int) -> tuple[Word, ...]:
    starred = {at for at, end in enumerate(folded.ends) if text[end : end + 1] == "*"}
    if text.count("*") != len(starred):
        raise QueryError(
            Sentence(
                "A * in '%(text)s' at character %(position)s does not follow a word. It stands "
                "for the rest of a word: quantiz*",
                text=text,
                position=position,
            ),
            expected=Sentence("a word before the *"),
            suggestion=_quoted(re.sub(r"(?<!\w)\*+|(?<=\*)\*+", " ", text)),
        )
    if exact and starred:
        raise QueryError(
            Sentence(
                "= and * at character %(position)s do not go together: one asks for exactly this "
                "word, the other for any ending.",
                position=position,
            ),
            expected=Sentence("= before a whole word, or * behind its beginning"),
            suggestion=_quoted(text),
        )
    words = []
    for at, token in enumerate(folded.tokens):
        if at in starred and not is_ideograph(token.key):  # those are found in longer runs anyway
            _check_prefix(token.key, position, text)
            words.append(Word(key=token.key, kind="prefix"))
        elif exact:
            kept = token.cased == token.cased.lower()
            words.append(Word(token.exact, "exact") if kept else Word(token.cased, "case"))
        else:
            words.append(_make_word(token.key, token.cased, token.stem))
    return tuple(words)


def _make_word(key: str, cased: str, stem: str) -> Word:
    capitals = sum(letter.isupper() for letter in cased)
    if capitals < 2 or (capitals == len(cased) and capitals > _LONGEST_CAPITALS):
        return Word(key=key, kind="stem", stem=stem)
    singular = key[:-1] if cased.endswith("s") and len(key) > 2 else key
    return Word(key=singular, kind="acronym", stem=stem)


def _make_joins(folded: Folded, words: tuple[Word, ...]) -> tuple[tuple[str, str], ...]:
    twos, threes = joins_of_two(folded), joins_of_three(folded)

    def label(at: int, size: int, stem: str) -> str:
        kinds = [word.kind for word in words[at : at + size]]
        if not stem or "prefix" not in kinds:
            return stem
        return (
            "".join(folded.keys[at : at + size]) + "*" if kinds.index("prefix") == size - 1 else ""
        )

    return tuple((label(at, 2, twos[at]), label(at, 3, threes[at])) for at in range(len(words)))


def _quoted(text: str) -> str:
    text = " ".join(text.split())
    return f'"{text}"' if " " in text else text


def _check_prefix(key: str, position: int, text: str) -> None:
    if len(key) < SHORTEST_PREFIX:
        raise QueryError(
            Sentence(
                "'%(word)s' at character %(position)s is too short: write at least %(least)s "
                "letters before the *.",
                word=f"{key}*",
                position=position,
                least=SHORTEST_PREFIX,
            ),
            expected=Sentence("a word, or a longer beginning of one"),
            suggestion=_quoted(text.replace("*", " ")),
        )


def check_word(word: str, position: int) -> None:
    """Refuse what other engines would read as an operator, rather than drop it silently."""
    for sign, advice in (
        ("-", Sentence("Write -word, with one minus sign, to leave a word out.")),
        ("+", Sentence("Every word counts here without it.")),
        ("|", Sentence("Write OR.")),
        ("&", Sentence("Write AND, or only a blank.")),
        ("!", Sentence("Write NOT.")),
        ("~", Sentence('Nearness is written after a phrase: "graph network"~3')),
        ("=", Sentence("Write =word, without a blank, for exactly this word.")),
    ):
        alone = word.strip(sign) == ""
        led = word.startswith(sign) and sign != "&"
        if alone or led or (sign == "|" and sign in word):
            raise QueryError(
                no_operator(sign, position + word.index(sign)),
                expected=Sentence("a word"),
                next_step=advice,
            )


def no_operator(sign: str, position: int) -> Sentence:
    """Said of a sign that binds words elsewhere."""
    return Sentence(
        "The %(sign)s at character %(position)s is not an operator here.",
        sign=sign,
        position=position,
    )
