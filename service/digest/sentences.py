"""Where the sentences of an abstract end. Pure.

Full stops of abbreviations ("et al.", "Fig. 3", "i.e."), initials, numbers of a list ("1."), and
those inside brackets end none. Chinese and Japanese ones do without a blank, and so does a
Western one that a source glued to the next sentence ("coverage.In this work").
"""

import re
from functools import lru_cache

Range = tuple[int, int]

_STARTERS = (
    "A|Across|Additionally|Although|As|At|Based|Building|By|Code|Compared|Despite|Drawing|Each|"
    "Evaluations?|Existing|Experimental|Experiments|Extensive|Finally|First|For|From|Further|"
    "Furthermore|Here|However|In|It|Moreover|Motivated|On|Our|Recent|Recently|Results|"
    "Specifically|The|Then|Therefore|These|This|To|Unlike|Using|We|While|With"
)
"""Words that begin sentences; behind "U.S." and behind a glued full stop they are the sign."""

_END = re.compile(
    rf"""[.!?](?:["'’”)\]]*(?=\s+["'“‘(\[]*\S)                      # Western: a space follows
              |(?<=[a-z)\]%].)(?=[A-Z])(?=(?:{_STARTERS})[\s,]))   # or a word that begins one
      | [。！？]["'’”）」』]*                                        # Chinese, Japanese
    """,
    re.VERBOSE,
)
_STARTER = re.compile(rf"(?:{_STARTERS})[\s,]")
_NEVER_LAST = re.compile(
    r"al|approx|ca|cf|dr|e\.g|eg|esp|i\.e|ie|mr|mrs|ms|prof|resp|st|viz|vs|w\.r\.t|wrt|a\.k\.a|"
    r"abbr|avg|bros|colebr|comb|dept|incl|jr|sect|sr|subg|subsp|ssp|var|soc|univ|proc"
)
_BEFORE_A_NUMBER = re.compile(
    r"alg|app|art|arts|ch|def|eqs?|exp|figs?|lem|nos?|pp?|prop|refs?|secs?|suppl|tab|thm|v|ver|vol"
)
_INITIALS = re.compile(r"(?:[a-z]\.)+[a-z]")
_LIST_NUMBER = re.compile(r"(?:^|[.:;!?]\s+)\(?(?:\d{1,2}|[ivx]{1,4})$")
_ASIDE = 200
"""Characters that a bracket holds at most; a longer one was never closed."""


def sentences(text: str) -> list[Range]:
    """Return the sentences' ranges, without the spaces between them."""
    return list(_sentences(text))


@lru_cache(maxsize=1024)  # an abstract is cut for each of its readers
def _sentences(text: str) -> tuple[Range, ...]:
    result: list[Range] = []
    start = 0
    for found in _END.finditer(text):
        if not _ends_sentence(text, start, found):
            continue
        _add(result, text, start, found.end())
        start = found.end()
        while start < len(text) and text[start].isspace():
            start += 1
    if text[start:].strip():
        _add(result, text, start, len(text.rstrip()))
    return tuple(result)


def _add(result: list[Range], text: str, start: int, end: int) -> None:
    """Add a sentence; signs without a letter or digit belong to the one before."""
    if result and not any(sign.isalnum() for sign in text[start:end]):
        result[-1] = (result[-1][0], end)
    else:
        result.append((start, end))


def _ends_sentence(text: str, start: int, found: re.Match[str]) -> bool:
    if text[found.start()] in "。！？":
        return True
    rest = text[found.end() : found.end() + 40].lstrip().lstrip("\"'“‘([")
    after = rest[:1]
    if after.islower() or _is_inside_brackets(
        text[max(start, found.start() - _ASIDE) : found.end()]
    ):
        return False
    words = text[max(start, found.start() - 40) : found.start()].split()
    written = (words[-1] if words else "").lstrip("\"'“‘([")
    if found.end() == found.start() + 1 and not text[found.end()].isspace():
        return not set(written) & set("./@_")  # glued: neither an address nor a name of code
    if text[found.start()] != "." or found.end() > found.start() + 1:
        return True
    word = written.lower()
    if _BEFORE_A_NUMBER.fullmatch(word):
        return not after.isdigit()
    if _INITIALS.fullmatch(word) and not _NEVER_LAST.fullmatch(word):
        return _STARTER.match(rest) is not None
    if _LIST_NUMBER.search(text[max(start - 3, 0) : found.start()]):
        return False
    is_initial = len(word) == 1 and word.isalpha()
    return not (is_initial or _NEVER_LAST.fullmatch(word))


def _is_inside_brackets(before: str) -> bool:
    if before.count("(") <= before.count(")") and before.count("[") <= before.count("]"):
        return False
    depth = 0
    for sign in before:
        if sign in "([":
            depth += 1
        elif sign in ")]" and depth:
            depth -= 1
    return depth > 0
