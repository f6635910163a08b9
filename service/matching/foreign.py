"""What other search engines write differently: refused, with our form of the whole text. Pure.

arXiv, PubMed, Google Scholar, ADS and Lucene, Web of Science, Scopus, Ovid. Every rule looks at
the text with its quotes blotted out and offers the text with all places of its kind mended.
"""

import re

from service.errors import Sentence
from service.matching.blots import BLOT, OPERATOR, Found, mask, replaced, taken_out
from service.matching.foreign_fields import (
    FORMS,
    LINKS,
    NAMES,
    Rule,
    no_field,
    others_form,
    refusal,
)
from service.matching.terms import no_operator

_WORD = r"[^\s()\"]+"
_NEARNESS = re.compile(
    rf"(?<![^\s(])({_WORD}|\([^()]*\))\s+"
    r"(?:(?:O?NEAR|W|PRE|N|ADJ|near|w|pre)/(\d{1,2})|(?:NEAR|ADJ|adj)(\d{0,2})|"
    rf"AROUND\s?\((\d{{1,2}})\))\s+({_WORD}|\([^()]*\))(?![^\s)])"
)
_FUZZY = re.compile(rf"(?<![^\s(:=-])([^\s()\"~]*\w)~(?:\d(?:\.\d+)?)?(?![^\s)])|({BLOT}+)~0?\.\d+")
_WEIGHT = re.compile(r"(?<=[\w)*])\^\d+(?:\.\d+)?(?![^\s)])")
_FIRST = re.compile(rf"(?<![^\s(:])\^(?=[\w{BLOT}])")
_FIRST_QUOTED = re.compile(r"\b(au|author):\s*\"\^\s*", re.I)
_ONE_LETTER = re.compile(r"(?<![^\s(:=-])(\w+)([?*])(?=\w)[\w?*]*")
_HEADLESS = re.compile(r"(?<![^\s(:=-])[*?]+(?=\w)")
_REGEX = re.compile(r"(?<![^\s(:])/([^\s/()]+(?:[^/()]*[^\s/()])?)/(?![^\s)])")
_BRACES = re.compile(r"\{([^{}\"]*)\}")
_SINGLE = re.compile(r"(?<![^\s(:=-])'(\w[^'\"()]*\w)'(?![^\s)~])")
_SIGN_BEFORE = re.compile(rf"(?<![^\s(])(?:([!+])\s*(?=[\w({BLOT}])|(--+|-\s+)(?={_WORD}|\())")
_SIGN_BETWEEN = re.compile(r"(?<!\s)\s*\|+\s*|(?<!\s)\s+(?:&&?|\+)\s+")
_LOWER = re.compile(r"(?<=[\s)])(?:or|Or)(?=[\s(]+[^\s)])")
_LOWER_OTHERS = re.compile(r"(?<=[\s)])(?:and|And|not|Not)(?=[\s(]+[^\s)])")
_LOOSE_COLON = re.compile(
    r"(?<![^\s(-])(ti|title|abs|abstract|au|author|cat|category|source|org|id)\s+:\s*(?=\S)", re.I
)
_EQUALS = re.compile(
    rf"(?<![^\s(-])(ti|title|abs|abstract|au|author|cat|category)=(?=[\w{BLOT}(])", re.I
)
_EXACT_FIELD = re.compile(r"(?<![^\s(-])=([A-Za-z]+:)(?=\S)")


def check_foreign(text: str) -> None:
    """Refuse what another engine would understand and this one would not, or differently.

    Raises QueryError with the place, what is meant here, and the whole text in our form.
    """
    masked = mask(text)
    for signs, rule in _RULES:
        if not signs or any(sign in text for sign in signs):
            rule(text, masked)


def _nearness(text: str, masked: str) -> None:
    found = _NEARNESS.search(masked)
    if found is None or ":" in found[1] + found[5]:
        return
    between = text[found.end(1) : found.start(5)]
    at = found.start(5) - len(between.lstrip())

    def ours(one: Found) -> str:
        words = " ".join(re.sub(r'["()]', " ", f"{one[1]} {one[5]}").split())
        count = len(words.split())
        return f'"{words}"~{max(int(one[2] or one[3] or one[4] or 10), count - 1)}'

    raise refusal(
        others_form(between.strip(), at + 1),
        replaced(text, _NEARNESS, ours),
        Sentence('Nearness is written after a phrase: "graph network"~3'),
    )


def _signs(text: str, masked: str) -> None:
    """``a || b``, ``a && b``, ``!a``, ``+a``, ``- a``: operators with other names."""
    found = min(
        (one for one in (_SIGN_BEFORE.search(masked), _SIGN_BETWEEN.search(masked)) if one),
        key=lambda one: one.start(),
        default=None,
    )
    if found is None:
        return
    sign = found[0].strip()
    position = found.start() + len(found[0]) - len(found[0].lstrip()) + 1
    advice = {
        "-": Sentence("Write -word, with one minus sign, to leave a word out."),
        "+": Sentence("Every word counts here without it."),
        "|": Sentence("Write OR."),
        "&": Sentence("Write AND, or only a blank."),
        "!": Sentence("Write NOT."),
    }[sign[0]]
    mended = replaced(text, _SIGN_BEFORE, lambda one: {"!": "NOT ", "+": ""}.get(one[1] or "", "-"))
    mended = replaced(mended, _SIGN_BETWEEN, lambda one: " OR " if "|" in one[0] else " AND ")
    mended = re.sub(r"^ (?:OR|AND) | (?:OR|AND) $", "", mended)
    raise refusal(
        no_operator(sign, position),
        mended,
        advice,
    )


def _weights(text: str, masked: str) -> None:
    found = _WEIGHT.search(masked)
    if found is not None:
        raise refusal(
            Sentence(
                "%(sign)s at character %(position)s: words have no weights here.",
                sign=found[0],
                position=found.start() + 1,
            ),
            replaced(text, _WEIGHT, lambda one: ""),
            Sentence("Leave it out; rare words count more by themselves."),
        )
    found = _FIRST.search(masked) or _FIRST_QUOTED.search(text)
    if found is not None:
        mended = replaced(text, _FIRST, lambda one: "")
        raise refusal(
            no_operator("^", found.start() + 1),
            _FIRST_QUOTED.sub(r'\1:"', mended),
            Sentence("Leave it out; au: finds authors at any place."),
        )


def _wildcards(text: str, masked: str) -> None:
    found = _FUZZY.search(masked)
    if found is not None:
        raise refusal(
            Sentence(
                "%(word)s at character %(position)s: nothing is spelled nearly here.",
                word=text[found.start() : found.end()],
                position=found.start() + 1,
            ),
            replaced(text, _FUZZY, lambda one: one[1] or one[2]),
            Sentence('A star stands for the rest of a word: quantiz*; "graph network"~3 for near.'),
        )
    for pattern, keep in ((_HEADLESS, 0), (_ONE_LETTER, 1)):
        found = pattern.search(masked)
        if found is None:
            continue
        sign = found[0][0] if keep == 0 else found[2]
        at = found.start() if keep == 0 else found.start(2)
        raise refusal(
            Sentence(
                "The %(sign)s at character %(position)s stands for nothing here.",
                sign=sign,
                position=at + 1,
            ),
            replaced(text, pattern, (lambda one: "") if keep == 0 else _begun),
            Sentence("A * at the end of a word stands for its rest: quantiz*"),
        )


def _begun(one: Found) -> str:
    """``wom?n`` -> ``wom*``: the nearest that can be asked."""
    return f"{one[1]}*" if len(one[1]) >= 3 else re.sub(r"[?*]", "", one[0])


def _patterns(text: str, masked: str) -> None:
    """``/regex/``."""
    found = _REGEX.search(masked)
    if found is not None:
        raise refusal(
            Sentence(
                "The pattern at character %(position)s cannot be asked for.",
                position=found.start() + 1,
            ),
            taken_out(text, found.start(), found.end()),
            Sentence("A * at the end of a word stands for its rest: quantiz*"),
        )


def _groups(text: str, masked: str) -> None:
    """``{exact phrase}``, ``'phrase'``."""
    for pattern, sign in ((_BRACES, "{ }"), (_SINGLE, "' '")):
        found = pattern.search(masked)
        if found is not None and (pattern is _BRACES or " " in found[1]):
            exact = "=" if pattern is _BRACES else ""
            raise refusal(
                Sentence(
                    "%(sign)s at character %(position)s make no phrase here.",
                    sign=sign,
                    position=found.start() + 1,
                ),
                replaced(text, pattern, lambda one, e=exact: f'{e}"{one[1].strip()}"'),  # type: ignore[misc]
                Sentence('Phrases stand in double quotes: "graph network"'),
            )


def in_capitals(text: str, *, everywhere: bool) -> str:
    """The text with ``or`` in capitals, and where it surely is a query ``and`` and ``not``, too;
    "" where none stands between words. everywhere: also in a list of keywords.

    In small letters they are words that a paper must hold, which few people mean.
    """
    masked = mask(text)
    patterns = [_LOWER]
    if everywhere and (OPERATOR.search(masked) or re.search(r"[()]|\b\w+:\S", masked)):
        patterns.append(_LOWER_OTHERS)
    made = text
    for pattern in patterns:
        made = replaced(made, pattern, lambda one: one[0].upper())
    return made if made != text else ""


def _places(text: str, masked: str) -> None:
    """``ti : a``, ``ti=a`` and ``=ti:a``."""
    found = _LOOSE_COLON.search(masked)
    if found is not None:
        raise refusal(
            Sentence(
                "The colon of %(field)s at character %(position)s stands apart.",
                field=f"{found[1]}:",
                position=found.start() + 1,
            ),
            replaced(text, _LOOSE_COLON, lambda one: f"{one[1]}:"),
            Sentence("Write it without a blank, like ti:word."),
        )
    found = _EQUALS.search(masked)
    if found is not None:
        raise refusal(
            no_field(found[0], found.start() + 1),
            replaced(text, _EQUALS, lambda one: f"{one[1]}:"),
            Sentence("Did you mean: %(meant)s?", meant=f"{found[1]}:"),
        )
    found = _EXACT_FIELD.search(masked)
    if found is not None:
        raise refusal(
            Sentence(
                "= at character %(position)s belongs after the field: ti:=word.",
                position=found.start() + 1,
            ),
            replaced(text, _EXACT_FIELD, lambda one: f"{one[1]}="),
            expected=Sentence("a word or a phrase"),
        )


_RULES: tuple[Rule, ...] = (
    *LINKS,
    ("/", _patterns),
    *FORMS,
    ("/NAn", _nearness),
    (":=", _places),
    *NAMES,
    ("^", _weights),
    ("~?*", _wildcards),
    ("{'", _groups),
    ("|&+!-", _signs),
)
