"""How a formula stands on a line of plain text: blanks, scripts, fractions. Pure.

TeX sets its own spaces and ignores those that were typed; what its parser gives is therefore uneven
(``n≥ 2``, ``T ∈{1``, ``nlog n``). Signs of private use travel in the parser's text and are gone
afterwards.
"""

import re
import unicodedata

OPEN, CLOSE = "\ue004", "\ue005"
"""Around a formula."""
JOINT = "\ue003"
"""Behind what would run into a letter or digit that follows (``c^TGT k``)."""
RATIO = "\ue008"
"""Behind a fraction without brackets: what follows belongs to none of its halves."""
NAME = "\ue006"
"""Before the name of a function (``n log n``)."""
MID = "\ue007"
"""The stroke of "given that"."""

_MARKS = re.compile("[\ue003-\ue008]")
_FORMULA = re.compile(f"{OPEN}([^{OPEN}{CLOSE}]*){CLOSE}")
_RELATIONS = frozenset("≤≥≪≫≈≃≅≡≠∝∼≲≳≍∈∉∋⊂⊃⊆⊇⊊⊏≺≻⪯⪰→←↔↦⇒⇐⇔⟶⟹⊨⊢" + MID)
_EVENED = frozenset("=<>+-−·∘∩∪±∧∨⊕⊗")
_TIGHT_SIGNS = frozenset("∂∇√±")
_OPENINGS = frozenset("([{⟨⌈⌊")
_CLOSINGS = frozenset(")]}⟩⌉⌋")
_LARGE = frozenset("√∑∏∫⋃⋂∂∇")
_SMALL = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ₀₁₂₃₄₅₆₇₈₉₊₋"
_SCRIPT_END = r"[_^](?:[^\W_]+|[⊤∞±]|\([^()]*\))"
_ACCENTS = "\u0300-\u036f"
_WORD = rf"\.?[^\W_{_SMALL}]+(?:\.\d+)?[′'*⋆]*"
_LETTER = rf"(?:\d+(?:[.,]\d+)*%?|[^\W\d_][{_ACCENTS}]*|d[a-zα-ω]|[A-Za-z]{{3,}})[′'*⋆]*[{_SMALL}]*"
_CALL = rf"(?:√|[A-Za-z]{{2,}}[{_SMALL}]*)(?:\w+|\([^()]*\))"
_BARE_SCRIPT = re.compile(rf"(?:{_WORD}|.|\([^()]*\))", re.DOTALL)
_BARE_ABOVE = re.compile(
    rf"[-−∂]?[\w.,′'*⋆%{_ACCENTS}]*(?:{_SCRIPT_END})*|{_CALL}|\([^()]*\)|[|‖][^|‖]*[|‖]"
)
_BARE_BELOW = re.compile(
    rf"∂?{_LETTER}(?:{_SCRIPT_END})*[{_SMALL}]*|{_CALL}|\([^()]*\)|[|‖][^|‖]*[|‖]|"
)


def bracketed(text: str) -> str:
    """Put brackets around a script of more than one name or number (``x_(i+1)``)."""
    text = without_marks(text)
    return text if not text or _BARE_SCRIPT.fullmatch(text) else f"({text})"


def fraction(above: str, below: str) -> str:
    """Return both on one line; brackets where a reader would take it for another fraction."""
    over, under = without_marks(above).strip(), without_marks(below).strip()
    over = over if _BARE_ABOVE.fullmatch(over) else f"({over})"
    under = under if _BARE_BELOW.fullmatch(under) else f"({under})"
    return f"{over}/{under}{RATIO}"


def without_marks(text: str) -> str:
    """Return a part of a formula, its blanks evened, without the signs of private use."""
    return _MARKS.sub("", _joined(text)) if _MARKS.search(text) else text


def set_out(text: str) -> str:
    """Return a text with its formulas as they read well, all marks gone."""
    text = _FORMULA.sub(lambda found: _spaced(_joined(found[1])), text)
    return _MARKS.sub("", text.replace(MID, "|"))


def _joined(text: str) -> str:
    """Turn marks between two names into a blank."""
    if not _MARKS.search(text):
        return text
    result: list[str] = []
    for at, sign in enumerate(text):
        after = text[at + 1 : at + 2]
        if sign == NAME:
            before = next((s for s in reversed(result) if s not in (JOINT, RATIO)), "")
            if before and (before.isalnum() or before in ")]}′'*"):
                result.append(" ")
        elif sign in (JOINT, RATIO):
            if after and (_begins(after) or (sign == RATIO and after in "([|‖")):
                result.append(" ")
        else:
            result.append(sign)
    return "".join(result)


def _begins(sign: str) -> bool:
    return sign in _LARGE or unicodedata.category(sign) in ("Lu", "Ll", "Lo", "Nd")


def _spaced(formula: str) -> str:
    """Blanks on both sides of a relation and on none inside brackets; tight within scripts."""
    out: list[str] = []
    depths: list[bool] = []  # of each open bracket: is it a script's
    at = 0
    while at < len(formula):
        sign = formula[at]
        at += 1
        in_script = bool(depths) and depths[-1]
        if sign in _OPENINGS:
            depths.append(in_script or (bool(out) and out[-1] in "_^"))
            out.append(sign)
            at = _past_blanks(formula, at)
        elif sign in _CLOSINGS:
            if depths:
                depths.pop()
            _strip(out)
            out.append(sign)
        elif sign in _RELATIONS or sign in _EVENED:
            at = _set_sign(sign, formula, at, out, in_script)
        elif sign in _TIGHT_SIGNS or (sign == "/" and out and out[-1] != " "):
            out.append(sign)
            at = _past_blanks(formula, at)
        else:
            out.append(sign)
    return "".join(out).replace(MID, "|")


def _set_sign(sign: str, formula: str, at: int, out: list[str], in_script: bool) -> int:
    """Append a relation or an operator with its blanks; return where to read on."""
    after = _past_blanks(formula, at)
    before = next((one for one in reversed(out) if one != " "), "")
    is_first = before == "" or before in _OPENINGS or before in ",;:|/" or before in _RELATIONS
    is_unary = is_first or before in _EVENED
    if before in ("_", "^") or (sign in _EVENED and is_unary):
        out.append(sign)
        return after if sign in _TIGHT_SIGNS else at
    if is_first or after >= len(formula) or formula[after] in _CLOSINGS or formula[after] in ",;":
        out.append(sign)  # it stands alone, or at an edge: as typed
        return at
    if in_script:
        _strip(out)
        out.append(sign)
        return after
    is_wide = sign in _RELATIONS or after > at or (bool(out) and out[-1] == " ")
    if not is_wide:
        out.append(sign)
        return at
    _strip(out)
    out += [" ", sign, " "]
    return after


def _past_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at] == " ":
        at += 1
    return at


def _strip(out: list[str]) -> None:
    while out and out[-1] == " ":
        out.pop()
