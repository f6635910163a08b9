"""Which language a paper's text is in, as far as its letters tell. Pure.

For ``lang=`` in a page of another language: a screen reader reads an English title with German
sounds otherwise. What is written in Latin letters is taken for English, as nearly all papers are,
unless its small words are those of others; sources that know better say so (``Paper.language``).
"""

import re

ENGLISH = "en"
_BEGINNING = 400
"""Characters of a text whose small words are looked at."""
_OURS = "the of and for in with to from by on is are we this that a an"
_OTHERS = (
    "und der das dem für mit von vom zur zum eine einer eines nicht "
    "le les des du une et dans pour sur aux el los las del una por para con della dei nel"
)
_SMALL, _SMALL_ELSEWHERE = frozenset(_OURS.split()), frozenset(_OTHERS.split())

_JAPANESE = re.compile(r"[\u3041-\u30ff\uff66-\uff9d]")
_KOREAN = re.compile(r"[\u1100-\u11ff\uac00-\ud7af]")
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
_OTHER = re.compile(r"[\u0400-\u052f\u0590-\u08ff\u0900-\u10ff]")


def language_of(text: str) -> str:
    """Return "en", "zh", "ja", "ko", or "" for what the letters do not tell.

    A few foreign letters inside an English text (a Greek symbol, a Chinese name) do not change it.
    """
    if text.isascii():
        return _latin(text) if _LATIN.search(text) else ""
    latin = len(_LATIN.findall(text))
    han, kana = len(_HAN.findall(text)), len(_JAPANESE.findall(text))
    korean, other = len(_KOREAN.findall(text)), len(_OTHER.findall(text))
    # one letter of these says as much as three of ours
    if 3 * (han + kana + korean) > latin:
        return "ko" if korean > han + kana else "ja" if kana else "zh"
    return _latin(text) if latin > other else ""


def _latin(text: str) -> str:
    """Two different small words of another language, and more of them than ours, are no chance
    ("von Neumann" is); which one it is, they do not tell for sure."""
    words = text[:_BEGINNING].lower().split()
    elsewhere = [word for word in words if word in _SMALL_ELSEWHERE]
    is_foreign = len(set(elsewhere)) > 1 and len(elsewhere) > sum(word in _SMALL for word in words)
    return "" if is_foreign else ENGLISH
