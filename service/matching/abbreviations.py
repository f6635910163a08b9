"""Short forms and what they stand for, learned from texts that explain them.

"Parameter-Efficient Fine-Tuning (PEFT)": the letters of the short form are found from right to
left in the words before its bracket, the first of them at the beginning of a word (Schwartz and
Hearst, Pacific Symposium on Biocomputing 2003, 451-462). Two rules of ours: words whose first
letters are the short form go first ("proximal policy optimization": PPO's letters are already in
the last two words), and a hyphenated word is taken whole ("multi-modal", not "modal").
The other way round too: "PEFT (parameter-efficient fine-tuning)".
"""

import re
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from service.text.fold import fold
from service.text.tokens import NOT_JOINED

LEAST_PAPERS = 2
"""A meaning that a single paper gives is its own; it is not offered to others."""

USUAL = 0.8
"""From this share of its papers on a meaning is called the usual one."""

_MOST_MEANINGS = 4
_BRACKET = re.compile(r"\(([^()\[\]]{2,120})\)")
_SHORT = re.compile(r"[A-Za-z0-9][\w+-]{0,10}[A-Za-z0-9+]")
_END = re.compile(r"[.;:!?](?:\s|$)|[()\[\]{}]|\s[-–—]\s")
_WORD = re.compile(r"[^\s]+")
_STRIP = " \t\n\"'“”‘’`*,.;:"


@dataclass(frozen=True, slots=True)
class Meaning:
    """One thing that a short form stands for. long: as most papers write it; papers: how many
    explain it so; share: of all papers that explain the short form."""

    short: str
    long: str
    papers: int
    share: float


def explained(text: str) -> Iterator[tuple[str, str]]:
    """(short form, long form) as written, for each bracket that explains one."""
    for bracket in _BRACKET.finditer(text):
        inner = bracket.group(1).strip(_STRIP)
        before = _before(text, bracket.start())
        inner = re.split(r"[,;]\s|\s(?:e\.g\.|i\.e\.)", inner)[0].strip(_STRIP)
        if is_short(inner):
            long = _long_form(_singular(inner), before)
            if long:
                yield _singular(inner), long
        elif len(inner.split()) > 1 and before:
            short = before.rsplit(None, 1)[-1].strip(_STRIP)
            if is_short(short) and _long_form(_singular(short), inner) == inner:
                yield _singular(short), inner


def is_short(text: str) -> bool:
    """Could this be a short form? Two capitals or more, 2 to 12 signs, no blank."""
    return _SHORT.fullmatch(text) is not None and sum(map(str.isupper, text)) >= 2


def _singular(short: str) -> str:
    """ "LLMs" -> "LLM"."""
    cut = short[:-1]
    return cut if short.endswith("s") and sum(map(str.isupper, cut)) >= 2 else short


def _before(text: str, end: int) -> str:
    """The words before a bracket, back to the end of a sentence or another bracket."""
    begin = max(0, end - 200)
    for found in _END.finditer(text, begin, end):
        begin = found.end()
    return text[begin:end].strip()


def _long_form(short: str, before: str) -> str:
    """The end of ``before`` that ``short`` stands for; "" if none."""
    letters = [sign for sign in short.casefold() if sign.isalnum()]
    words = list(_WORD.finditer(before))
    most = min(len(letters) + 5, 2 * len(letters))
    begin = words[-most].start() if len(words) > most else 0
    window = " ".join(before[begin:].split()).rstrip(_STRIP)
    low = window.casefold()
    if len(low) != len(window):
        return ""  # a letter that folds into two: places would not agree
    at = _by_initials(letters, low)
    if at < 0:
        at = _by_letters(letters, low)
    long = window[at:].strip(_STRIP) if at >= 0 else ""
    return long if long and _is_long(short, long, letters) else ""


def _by_initials(letters: list[str], low: str) -> int:
    """Where the last words begin whose first letters are the short form, small words left out
    or not; -1 if they are not."""
    heads = [found.start() for found in re.finditer(r"[^\W_]+", low)]
    wanted = len(letters)
    for small in (False, True):
        at, left = len(heads), wanted
        while at and left:
            at -= 1
            word = re.match(r"[^\W_]+", low[heads[at] :])
            if low[heads[at]] == letters[left - 1]:
                left -= 1
            elif not (small and word and word.group() in NOT_JOINED):
                break
        if not left and (heads[at] == 0 or low[heads[at] - 1] == " "):
            return heads[at]
    return -1


def _by_letters(letters: list[str], low: str) -> int:
    """Where the shortest end begins that holds the letters in order; -1 if none does."""
    at = len(low)
    for number in range(len(letters) - 1, -1, -1):
        at -= 1
        while at >= 0 and (low[at] != letters[number] or (number == 0 and not _begins(low, at))):
            at -= 1
        if at < 0:
            return -1
    return at


def _begins(text: str, at: int) -> bool:
    return at == 0 or text[at - 1] in " /("


def _is_long(short: str, long: str, letters: list[str]) -> bool:
    words = re.findall(r"[^\W_]+", long)
    heads = {word[0].casefold() for word in words}
    return (
        len(long) > len(short) + 2
        and len(words) >= 2
        and len(words) <= len(letters) + 4
        and short.casefold() not in {word.casefold() for word in words}
        # most of its letters begin a word: else it was found by chance
        and 2 * sum(letter in heads for letter in set(letters)) >= len(set(letters))
    )


class Glossary:
    """How many papers explain which short form how. Each paper counts once for a pair.

    Any thread may use it.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._forms: dict[str, dict[str, Counter[str]]] = {}
        self._shorts: dict[str, Counter[str]] = {}
        self._of_long: dict[str, set[str]] = {}

    def __len__(self) -> int:
        """Short forms."""
        return len(self._forms)

    def learn(self, *texts: str) -> None:
        """Take in one paper's texts."""
        found = {
            (_key(short), _sameness(long)): (short, long)
            for text in texts
            for short, long in explained(text)
        }
        with self._lock:
            for (key, long_key), (short, long) in found.items():
                if long_key:
                    self._count(key, long_key, short, long, 1)

    def _count(self, key: str, long_key: str, short: str, long: str, papers: int) -> None:
        self._forms.setdefault(key, {}).setdefault(long_key, Counter())[long] += papers
        self._shorts.setdefault(key, Counter())[short] += papers
        self._of_long.setdefault(long_key, set()).add(key)

    def meanings(self, short: str) -> tuple[Meaning, ...]:
        """What a short form stands for, most papers first; those of single papers left out."""
        key = _key(_singular(short))
        with self._lock:
            forms = self._forms.get(key, {})
            total = sum(map(Counter.total, forms.values()))
            made = [
                Meaning(_usual(self._shorts[key]), _calmest(counted), papers, papers / total)
                for counted in forms.values()
                if (papers := counted.total()) >= LEAST_PAPERS
            ]
        made.sort(key=lambda one: (-one.papers, one.long))
        return tuple(made[:_MOST_MEANINGS])

    def shorts(self, long: str) -> tuple[Meaning, ...]:
        """The short forms of a phrase, most papers first."""
        long_key = _sameness(long)
        with self._lock:
            made = [
                meaning
                for key in self._of_long.get(long_key, ())
                for meaning in self.meanings(_usual(self._shorts[key]))
                if _sameness(meaning.long) == long_key
            ]
        made.sort(key=lambda one: (-one.papers, one.short))
        return tuple(made)

    def most_frequent(self, most: int) -> list[Meaning]:
        """The pairs that most papers explain."""
        with self._lock:
            every = [one for key in self._forms for one in self.meanings(_usual(self._shorts[key]))]
        every.sort(key=lambda one: (-one.papers, one.short, one.long))
        return every[:most]

    def dump(self) -> list[list[Any]]:
        """JSON values: short key, short, long, papers."""
        with self._lock:
            return [
                [key, _usual(self._shorts[key]), long, papers]
                for key, forms in self._forms.items()
                for counted in forms.values()
                for long, papers in counted.items()
            ]

    @classmethod
    def load(cls, rows: Iterable[list[Any]]) -> "Glossary":
        """The counterpart of ``dump``."""
        made = cls()
        for key, short, long, papers in rows:
            made._count(key, _sameness(long), short, long, int(papers))
        return made


def _key(short: str) -> str:
    return "".join(sign for sign in short.casefold() if sign.isalnum() or sign == "+")


def _sameness(long: str) -> str:
    """A phrase as it is compared: its stems, written as one. What a stem keeps in a short word and
    not in a long one goes, so that "multi-modal" is "multimodal", "fine-tuned" "finetuning"."""
    return "".join(each.removesuffix("al") for each in fold(long).stems).replace("e", "")


def _usual(counted: Mapping[str, int]) -> str:
    return min(counted, key=lambda form: (-counted[form], form))


def _calmest(counted: Mapping[str, int]) -> str:
    """The form that most papers write, in the one of its cases that has the fewest capitals."""
    by_words: Counter[str] = Counter()
    for form, papers in counted.items():
        by_words[form.casefold()] += papers
    usual = _usual(by_words)
    return min(
        (form for form in counted if form.casefold() == usual),
        key=lambda form: (sum(map(str.isupper, form)), -counted[form], form),
    )
