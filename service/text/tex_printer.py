r"""What the commands of TeX show in plain text (pylatexenc's tables, and what they lack). Pure."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from pylatexenc.latex2text import (
    LatexNodes2Text,
    MacroTextSpec,
    get_default_latex_context_db,
)
from pylatexenc.latexwalker import LatexWalker
from pylatexenc.latexwalker import get_default_latex_context_db as walker_context
from pylatexenc.macrospec import MacroSpec

from service.text.clean import lowered, raised
from service.text.formula import JOINT, MID, NAME, bracketed, fraction, without_marks

UP, DOWN = "ppraised", "pplowered"
_SHOWN = (
    "url", "path", "nolinkurl", "mathop", "mathord", "mathbin", "mathrel",
    "ensuremath", "citet", "num", "unit", "si",
    "texttt", "textsc", "textsf", "textup", "textsl", "textmd", "textnormal", "underline", "uline",
    "ul", "mathsf", "mathtt", "boldsymbol", "bm", "pmb", "mathds", "mathbbm", "mbox",
)  # fmt: skip
_DROPPED = (
    "cite", "citep", "citealp", "autocite", "ref", "eqref", "cref", "label", "thanks",
    "color", "hypersetup", "vspace", "hspace",
)  # fmt: skip
_ASIDES = ("footnote", "footnotetext")
_SECOND = ("href", "hyperlink", "hyperref", "textcolor", "colorbox")
_QUANTITIES = ("qty", "SI", "qtyproduct")
_FRACTIONS = ("frac", "tfrac", "dfrac", "cfrac", "nicefrac", "sfrac")
_CHOICES = ("binom", "dbinom", "tbinom")
_ACCENTS = {
    "hat": "\u0302", "widehat": "\u0302", "tilde": "\u0303", "widetilde": "\u0303",
    "bar": "\u0304", "overline": "\u0304", "dot": "\u0307", "ddot": "\u0308", "vec": "\u20d7",
    "b": "\u0331", "c": "\u0327", "d": "\u0323", "k": "\u0328", "r": "\u030a", "u": "\u0306",
    "v": "\u030c", "H": "\u030b",
}  # fmt: skip
"""Marks that are set on one letter, never on a word."""
_ONE_ARGUMENT = (
    UP, DOWN, *_SHOWN, *_DROPPED, *_ASIDES, *_ACCENTS, "textsuperscript", "textsubscript",
    "unicode", "operatorname",
)  # fmt: skip
_TWO_ARGUMENTS = (*_SECOND, *_QUANTITIES, *_FRACTIONS, *_CHOICES)
SWITCHES = (
    "rm", "it", "bf", "sf", "tt", "sl", "sc", "cal", "em", "mit", "bfseries", "itshape", "rmfamily",
    "ttfamily", "scshape", "normalfont", "small", "large", "displaystyle", "textstyle",
    "scriptstyle", "limits", "nolimits",
)  # fmt: skip
_FUNCTIONS = (
    "log", "ln", "lg", "exp", "sin", "cos", "tan", "cot", "sec", "csc", "arcsin", "arccos",
    "arctan", "sinh", "cosh", "tanh", "max", "min", "sup", "inf", "lim", "limsup", "liminf", "det",
    "dim", "ker", "deg", "gcd", "arg", "hom", "Pr", "argmax", "argmin",
)  # fmt: skip
_SIGNS = {
    "%": "%", "|": "‖", "bmod": "mod", "pmod": "mod ", "!": "", "ne": "≠", "degree": "°",
    "noindent": "", "bigstar": "★", "quad": " ", "allowbreak": "", "colon": ":", "mid": MID,
    "models": "⊨", "textgreater": ">", "textless": "<", "slash": "/",
    "textasciicircum": "\ue002", "LaTeX": "LaTeX", "TeX": "TeX", "item": "• ", "lesssim": "≲",
    "gtrsim": "≳", "micron": "μm", "textasciitilde": "\ue000", "N": "ℕ", "Z": "ℤ", "Q": "ℚ",
    "R": "ℝ", "C": "ℂ", "F": "F", "E": "E", "upmu": "μ", "xspace": "",
}  # fmt: skip
_MATHS_ONLY = frozenset(("N", "Z", "Q", "R", "C", "F", "E"))
_WITH_BLANK = {
    "eg": "e.g.", "ie": "i.e.", "etc": "etc.", "etal": "et al.", "xspace": "", "gt": ">", "lt": "<",
}  # fmt: skip
"""Commands that a blank after them does not end: what was typed there stays."""
_ALONE = frozenset("⋆★*∗†‡′")
_ROOTS = {"": "√", "2": "√", "3": "∛", "4": "∜"}
_STANDING = re.compile("[\ue100-\uf8ff]")
_PLAIN_RUN = re.compile(
    r"\\(?:[A-Za-z]+\*?|.)[\s{\[]*.?|( (?:[^\W_]|[ ,.;:()/?!]|-(?!-)){16,})", re.DOTALL
)


def printed(source: str) -> str | None:
    """Return what TeX would show, None when it cannot be read."""
    runs: list[str] = []
    if not _STANDING.search(source):  # the parser goes sign by sign: plain words pass it as one
        source = _PLAIN_RUN.sub(lambda found: _stand_in(found, runs), source)
    try:
        nodes, _, _ = LatexWalker(
            source, latex_context=_walker_context(), tolerant_parsing=False
        ).get_latex_nodes()
        shown = str(_printer().nodelist_to_text(nodes))
    except Exception:
        # The library fails in many ways on broken input (its own errors, KeyError, RecursionError);
        # to the reader they are one: the text as typed.
        return None
    return _STANDING.sub(lambda found: runs[ord(found[0]) - 0xE100], shown) if runs else shown


def _stand_in(found: re.Match[str], runs: list[str]) -> str:
    """Put one sign in the place of a run of plain words; never for what a command may take."""
    if found[1] is None:
        return found[0]
    runs.append(found[1])
    return chr(0xE100 + len(runs) - 1)


@cache
def is_known(macro: str, *, in_maths: bool = True) -> bool:
    """True when the command shows something of its own."""
    if macro in _MATHS_ONLY and not in_maths:
        return False
    return macro in _ONE_ARGUMENT or bool(_printer().latex_context.get_macro_spec(macro).macroname)


@cache
def sign_of(name: str) -> str:
    r"""Return the sign that a command shows ("kappa": κ), "" when it is none."""
    spec = _printer().latex_context.get_macro_spec(name)
    shown = spec.simplify_repl if spec.macroname else ""
    return shown if isinstance(shown, str) and len(shown) == 1 else ""


@cache
def _walker_context() -> Any:
    context = walker_context()
    context.add_context_category(
        "paperpost",
        macros=[
            *(MacroSpec(name, "{") for name in _ONE_ARGUMENT),
            *(MacroSpec(name, "{{") for name in _TWO_ARGUMENTS),
            MacroSpec("rule", "[{{"),
        ],
        prepend=True,
    )
    return context


@cache
def _printer() -> LatexNodes2Text:
    context = get_default_latex_context_db()
    context.add_context_category("paperpost", macros=list(_macros()), prepend=True)
    context.set_unknown_macro_spec(MacroTextSpec("", simplify_repl=_unknown_macro))
    return LatexNodes2Text(latex_context=context, math_mode="text", keep_braced_groups=False)


def _macros() -> Iterator[MacroTextSpec]:
    yield MacroTextSpec(UP, simplify_repl=_raise)
    yield MacroTextSpec(DOWN, simplify_repl=_lower)
    yield MacroTextSpec("textsuperscript", simplify_repl=_raise)
    yield MacroTextSpec("textsubscript", simplify_repl=_lower)
    yield MacroTextSpec("sqrt", simplify_repl=_root)
    yield MacroTextSpec("operatorname", simplify_repl=_operator)
    yield MacroTextSpec("unicode", simplify_repl=_numbered)
    yield MacroTextSpec("rule", simplify_repl="—", discard=True)
    for name in _SHOWN:
        yield MacroTextSpec(name, simplify_repl=_first)
    for name in _SECOND:
        yield MacroTextSpec(name, simplify_repl=_second)
    for name in _QUANTITIES:
        yield MacroTextSpec(name, simplify_repl=_quantity)
    for name in _DROPPED:
        yield MacroTextSpec(name, simplify_repl="", discard=True)
    for name in _ASIDES:
        yield MacroTextSpec(name, simplify_repl=_aside)
    for name in _FRACTIONS:
        yield MacroTextSpec(name, simplify_repl=_fraction)
    for name in _CHOICES:
        yield MacroTextSpec(name, simplify_repl=_choose)
    for name, mark in _ACCENTS.items():
        yield MacroTextSpec(name, simplify_repl=_accent(mark))
    for name in SWITCHES:
        yield MacroTextSpec(name, simplify_repl="")
    for name in _FUNCTIONS:
        yield MacroTextSpec(name, simplify_repl=_function)
    for name, sign in _SIGNS.items():
        yield MacroTextSpec(name, simplify_repl=sign)
    for name in _WITH_BLANK:
        yield MacroTextSpec(name, simplify_repl=_with_blank)


def _argument(node: Any, number: int, printer: LatexNodes2Text) -> str:
    arguments = node.nodeargd.argnlist if node.nodeargd else []
    if number >= len(arguments) or arguments[number] is None:
        return ""
    return str(printer.nodelist_to_text([arguments[number]])).strip()


def _first(node: Any, l2tobj: LatexNodes2Text) -> str:
    return _argument(node, 0, l2tobj)


def _second(node: Any, l2tobj: LatexNodes2Text) -> str:
    return _argument(node, 1, l2tobj)


def _aside(node: Any, l2tobj: LatexNodes2Text) -> str:
    return f" ({_argument(node, 0, l2tobj).rstrip('.')})"


def _quantity(node: Any, l2tobj: LatexNodes2Text) -> str:
    return f"{_argument(node, 0, l2tobj)} {_argument(node, 1, l2tobj).replace(chr(92), '')}"


def _raise(node: Any, l2tobj: LatexNodes2Text) -> str:
    inner = without_marks(_argument(node, 0, l2tobj))
    if inner in ("∘", "°"):
        return "°"
    if inner and set(inner) <= _ALONE:
        return inner
    if inner in (")", "("):  # a script that was lost
        return f"^{inner}"
    return raised(inner.replace(" ", "")) or f"^{bracketed(inner)}{JOINT}"


def _lower(node: Any, l2tobj: LatexNodes2Text) -> str:
    inner = without_marks(_argument(node, 0, l2tobj))
    return lowered(inner.replace(" ", "")) or f"_{bracketed(inner)}{JOINT}"


def _fraction(node: Any, l2tobj: LatexNodes2Text) -> str:
    return fraction(_argument(node, 0, l2tobj), _argument(node, 1, l2tobj))


def _choose(node: Any, l2tobj: LatexNodes2Text) -> str:
    return f"({_argument(node, 0, l2tobj)} choose {_argument(node, 1, l2tobj)})"


def _root(node: Any, l2tobj: LatexNodes2Text) -> str:
    degree, inner = _argument(node, 0, l2tobj), without_marks(_argument(node, 1, l2tobj))
    sign = _ROOTS.get(degree) or f"{raised(degree) or degree + '-'}√"
    return sign + (inner if re.fullmatch(r"[^\ue100-\uf8ff]|\d+", inner) else f"({inner})")


def _accent(mark: str) -> Callable[[Any, LatexNodes2Text], str]:
    def accented(node: Any, l2tobj: LatexNodes2Text) -> str:
        inner = _argument(node, 0, l2tobj).translate({0x131: "i", 0x237: "j"})
        if not inner:
            return ""
        plain = unicodedata.normalize("NFKC", inner)
        if len(plain) == 1 and plain.isalpha():
            return unicodedata.normalize("NFC", plain + mark)
        whole = sign_of(f"{node.macroname}{inner}")  # "\k{appa}": a command that was broken apart
        return whole or inner

    return accented


def _numbered(node: Any, l2tobj: LatexNodes2Text) -> str:
    r"""A sign by its number (``\unicode{x2013}``)."""
    typed = _argument(node, 0, l2tobj)
    try:
        sign = chr(int(typed[1:], 16) if typed[:1] in "xX" else int(typed))
    except (ValueError, OverflowError):
        return typed
    return sign if sign.isprintable() else ""


def _function(node: Any) -> str:
    return f"{NAME}{node.macroname}{node.macro_post_space and ' '}{JOINT}"


def _operator(node: Any, l2tobj: LatexNodes2Text) -> str:
    return f"{NAME}{_argument(node, 0, l2tobj)}{JOINT}"


def _with_blank(node: Any) -> str:
    return _WITH_BLANK[node.macroname] + str(node.macro_post_space)


def _unknown_macro(node: Any) -> str:
    """Keep an unknown macro as typed: it may be a file path or an author's own command."""
    return "\\" + str(node.macroname) + str(node.macro_post_space)
