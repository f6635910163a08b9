"""TeX to readable Unicode, for titles, abstracts and names. Pure; never raises."""

import re
import unicodedata
from collections.abc import Iterator
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

from service.text.clean import collapse, lowered, raised

_MAX_TEX = 20_000
_LOOKS_LIKE_TEX = re.compile(r"[\\${}]|``|''|--|[^\s~]~[^\s~]")
_ALPHABETS = re.compile(
    "[\U0001d400-\U0001d7ff\u210a-\u2112\u211b-\u211d\u212c-\u2134\u2110\u2128]"
)
_KEPT_LETTERS = frozenset("ℓℝℕℤℚℂℙℍ")
_OPENINGS = ("$$", "\\(", "\\[", "$")
_UP, _DOWN = "ppraised", "pplowered"
_ONE_ARGUMENT = (
    _UP, _DOWN, "url", "operatorname", "mathop", "mathord", "mathbin", "mathrel", "ensuremath",
    "cite", "citep", "citet", "ref", "eqref", "label", "footnote", "thanks", "overline", "bar",
    "textsuperscript", "textsubscript",
)  # fmt: skip
_SWITCHES = (
    "rm", "it", "bf", "sf", "tt", "sl", "sc", "cal", "em", "mit", "displaystyle", "textstyle",
    "limits", "nolimits",
)  # fmt: skip
_SIGNS = {
    "%": "%", "|": "‖", "bmod": "mod", "pmod": "mod ", "!": "", "ne": "≠", "degree": "°",
    "eg": "e.g.", "ie": "i.e.", "etal": "et al.", "noindent": "", "bigstar": "★", "quad": " ",
    "allowbreak": "",
}  # fmt: skip
_SCRIPT = re.compile(r"(?<!\\)[\^_]")
_WITH_GROUP = re.compile(r"\\(?!begin|end)([A-Za-z]+)\*?\s*(?=\{[^{}\s])")
_DELIMITER_SIZE = re.compile(r"\\(?:left|right|middle|[bB]igg?[lrm]?)(?![A-Za-z])\s*\.?")
_TIGHT = re.compile(r"(?<=[⟨⌈⌊])\s+|\s+(?=[⟩⌉⌋])")
_NEEDS_PARSER = re.compile(r"[\\{}]|``|''|--")
_OWN_NAME = re.compile(r"(?<=[\s(])\\([A-Za-z]{2,})(?![A-Za-z{]|\{\})")
_GLUED = re.compile(r"\\[A-Za-z]+(?=[^\x00-\x7f])")
_MACRO = re.compile(r"\\([A-Za-z]+)")
_TIMES = re.compile(r"\s*\\times\s+(?=[\w\\{(])")
_UPPER_BRACKET = re.compile(r"\^(\([^(){}]{1,20}\))")
_TILDE = re.compile(r"(?<!\\)~")
_PRICE = re.compile(r"\d[\d,.]*\w?\s+(?:[A-Za-z]{2,}(?:\s|$)|-+\s*$)")
_PROTECTED = str.maketrans({"\ue000": "~", "\ue001": "--", "\ue002": "^"})
_ESCAPED = re.compile(r"\\([%&$#_])")
_BARE = re.compile(r"(?<!\\)[%#&]")
_HAS_MATH_SIGN = re.compile(r"[\\^_{=]")
_TIE = re.compile(r"(?<=[^\s~\\])~(?=[^\s~])")
_LONG_OPTION = re.compile(r"(?<!\S)--(?=[a-z])")
_STROKE_OR_DOLLAR = re.compile(r"[\\$]")
_POWER = re.compile(
    r"(?<=[^\W_]|[)\]])\^(?:\{([-+−]?\d{1,3})\}|([-+−]?\d{1,3})(?![\d.]*\d)|(\*|\\?circ(?![a-z])))"
)
_PLAIN_RUN = re.compile(
    r"\\(?:[A-Za-z]+\*?|.)[\s{\[]*.?|( (?:[^\W_]|[ ,.;:()/?!]|-(?!-)){16,})", re.DOTALL
)
_STANDING = re.compile("[\ue100-\uf8ff]")

ACCENT = re.compile(
    r"""\\(?:['`^~=.]|(?<=[^\W\d_]\\)")(?:\\[ij](?![A-Za-z])|[A-Za-z])"""
    r"""|\\(?:["'`^~=.]|[Hcvukrbd](?=\{))\{\\?[A-Za-z]\}"""
    r"""|\{\\(?:ss|ae|AE|oe|OE|aa|AA|[oOlL])\}|\\(?:ss|ae|AE|oe|OE|aa|AA|[oOlL])\{\}"""
)
r"""A letter that TeX spells out (``Schr\"odinger``, ``Erd\H{o}s``). ``\"o`` counts inside a word
only: before one it is a quote that a shell wanted escaped."""

_GROUP = r"\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*+\})*+\})*+\}"
_BRACED = re.compile(
    rf"\\[A-Za-z]+\*?(?:\s*(?:\[[^\[\]{{}}]*+\]|{_GROUP}))*+|\\[^A-Za-z](?:{_GROUP})?|({_GROUP})"
)
_ALONE_BEFORE = re.compile(r"(?<![\w}\]/^=*-])")
_ALONE_AFTER = re.compile(r"(?![\w{\[/^=*-])")
_LISTED = re.compile(r"[^\s,],\s*[^\s,]")


def read_powers(text: str) -> str:
    """Return ``text`` with the powers raised that lost their mathematics' marks on the way
    (``DA^2`` -> ``DA²``, ``10^-3`` -> ``10⁻³``, ``90^circ`` -> ``90°``); ``a^N`` stays."""
    if "^" not in text:
        return text
    return _POWER.sub(_power, text)


def _power(found: re.Match[str]) -> str:
    return raised(found[1] or found[2] or "") or ("*" if found[3] == "*" else "°")


def to_unicode(text: str) -> str:
    r"""Return ``text`` with its TeX turned into readable Unicode, on one line.

    ``$x^2$`` -> ``x²``, ``K\"{a}hler`` -> ``Kähler``, ``27.3\%`` -> ``27.3%``. What is no TeX
    stays (``100% of``, ``A_1``, ``$5 to $10``, ``C:\new``, ``{0, 1}``, ``{{ name }}``); what
    cannot be parsed (unbalanced braces) comes back as typed. Letters of mathematical alphabets
    become plain letters.
    """
    text = collapse(text)
    if len(text) <= _MAX_TEX and _LOOKS_LIKE_TEX.search(text):
        text = _converted(text)
    return _plain_letters(text)


def _converted(text: str) -> str:
    """Turn the whole text; when it does not parse, turn each piece that does."""
    pieces = list(_prepared(text))
    shown = _printed("".join(prepared for _, prepared in pieces))
    if shown is None:
        shown = "".join(
            _ESCAPED.sub(r"\1", typed) if (turned := _printed(prepared)) is None else turned
            for typed, prepared in pieces
        )
    shown = unicodedata.normalize("NFC", shown).translate(_PROTECTED)
    return collapse(_TIGHT.sub("", shown)) or text


def _printed(source: str) -> str | None:
    """Return what TeX would show, None when it cannot be read."""
    if not _NEEDS_PARSER.search(source):
        return source
    source = _GLUED.sub(r"\g<0> ", _WITH_GROUP.sub(_known_or_nothing, source))
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


def _prepared(text: str) -> Iterator[tuple[str, str]]:
    """Yield (as typed, as TeX): mathematics marked up, and all that is no TeX escaped."""
    for is_math, typed in _segments(text):
        part = _BARE.sub(r"\\\g<0>", typed if is_math else _BRACED.sub(_braces, typed))
        if is_math:
            part = _UPPER_BRACKET.sub(r"^{\1}", _DELIMITER_SIZE.sub("", part))
            part = _MACRO.sub(_known_or_name, _TIMES.sub(r"\\times{}", part))
            yield f"${typed}$", "\\(" + _SCRIPT.sub(_script, part) + "\\)"
        else:
            part = re.sub(r"(?<!\\)[$_]", r"\\\g<0>", part)
            part = re.sub(r"(?<!\\)\^", "\ue002", part)
            part = _OWN_NAME.sub(_known_or_bare, _LONG_OPTION.sub("\ue001", part))
            # A tie binds two words; a tilde before a figure means "about".
            yield typed, _TIE.sub(" ", part).replace("~", "\ue000") if _TILDE.search(part) else part


def _braces(match: re.Match[str]) -> str:
    r"""Escape the braces of a group that is none of TeX's.

    They stay around a list (``{-1, 0, 1}``, ``Qwen3-{4B, 8B}``), and around anything that stands
    alone (``{0}``, ``{{ name }}``), unless a command is in it or it protects capitals (``{BERT}``).
    What is glued to something is TeX's: ``12{,}553``, ``R{ö}der``, ``{k}-means``, ``\emph{a}``.
    """
    group = match[1]
    if group is None or "\\" in group:
        return match[0]
    inner = group.strip("{}")
    if not _LISTED.search(inner):
        text = match.string
        alone = _ALONE_BEFORE.match(text, match.start()) and _ALONE_AFTER.match(text, match.end())
        if not alone or (inner == inner.strip() and inner != inner.lower()):
            return group
    return group.replace("{", r"\{").replace("}", r"\}")


def _script(match: re.Match[str]) -> str:
    return f"\\{_UP} " if match[0] == "^" else f"\\{_DOWN} "


def _segments(text: str) -> Iterator[tuple[bool, str]]:
    """Split into (is mathematics, content) at ``$``, ``$$``, ``\\(`` and ``\\[``."""
    at = 0
    plain_from = 0
    while at < len(text):
        sign = _STROKE_OR_DOLLAR.search(text, at)
        if sign is None:
            break
        at = sign.start()
        opening = next((mark for mark in _OPENINGS if text.startswith(mark, at)), "")
        if not opening:
            at += 2 if text[at] == "\\" else 1
            continue
        end = _closing(text, at + len(opening), opening)
        if end < 0:
            at += len(opening)
            continue
        yield False, text[plain_from:at]
        yield True, text[at + len(opening) : end]
        at = plain_from = end + len(opening)
    yield False, text[plain_from:]


def _closing(text: str, start: int, opening: str) -> int:
    """Return where the mathematics that begins at ``start`` ends, or -1 when it is none.

    A dollar is a price unless the text between two of them can be a formula: closed within 600
    characters, no blank inside its edges and no digit after it, or with a sign of TeX in it.
    """
    mark = {"\\(": "\\)", "\\[": "\\]"}.get(opening, opening)
    end = text.find(mark, start, start + 600)
    while end > 0 and mark[0] == "$" and text[end - 1] == "\\":
        end = text.find(mark, end + 1, start + 600)
    if end <= start or mark != "$":
        return end if end > start else -1
    inner = text[start:end]
    if not any(char.isalnum() for char in inner) or re.fullmatch(r"\s*[^\W\d_]\s*", inner):
        return end
    if _PRICE.match(inner) and not _HAS_MATH_SIGN.search(inner):
        return -1
    tight = not inner[0].isspace() and not inner[-1].isspace()
    if tight and not text[end + 1 : end + 2].isdigit():
        return end
    return end if _HAS_MATH_SIGN.search(inner) and not _PRICE.match(inner) else -1


@cache
def _walker_context() -> Any:
    context = walker_context()
    context.add_context_category(
        "paperpost",
        macros=[
            *(MacroSpec(name, "{") for name in _ONE_ARGUMENT),
            *(MacroSpec(name, "{{") for name in ("href", "binom", "dbinom", "tbinom")),
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
    yield MacroTextSpec(_UP, simplify_repl=_raise)
    yield MacroTextSpec(_DOWN, simplify_repl=_lower)
    yield MacroTextSpec("textsuperscript", simplify_repl=_raise)
    yield MacroTextSpec("textsubscript", simplify_repl=_lower)
    yield MacroTextSpec("frac", simplify_repl=_fraction)
    yield MacroTextSpec("tfrac", simplify_repl=_fraction)
    yield MacroTextSpec("dfrac", simplify_repl=_fraction)
    yield MacroTextSpec("sqrt", simplify_repl=_root)
    yield MacroTextSpec("href", simplify_repl=_second)
    for name in ("url", "operatorname", "mathop", "mathord", "mathbin", "mathrel", "ensuremath"):
        yield MacroTextSpec(name, simplify_repl=_first)
    for name in ("cite", "citep", "citet", "ref", "eqref", "label", "footnote", "thanks"):
        yield MacroTextSpec(name, simplify_repl="", discard=True)
    for name in ("binom", "dbinom", "tbinom"):
        yield MacroTextSpec(name, simplify_repl=_choose)
    for name in _SWITCHES:
        yield MacroTextSpec(name, simplify_repl="")
    for name, sign in _SIGNS.items():
        yield MacroTextSpec(name, simplify_repl=sign)


def _argument(node: Any, number: int, printer: LatexNodes2Text) -> str:
    arguments = node.nodeargd.argnlist if node.nodeargd else []
    if number >= len(arguments) or arguments[number] is None:
        return ""
    return str(printer.nodelist_to_text([arguments[number]])).strip()


def _first(node: Any, l2tobj: LatexNodes2Text) -> str:
    return _argument(node, 0, l2tobj)


def _second(node: Any, l2tobj: LatexNodes2Text) -> str:
    return _argument(node, 1, l2tobj)


def _raise(node: Any, l2tobj: LatexNodes2Text) -> str:
    inner = _argument(node, 0, l2tobj)
    if inner in ("∘", "°"):
        return "°"
    if inner in ("′", "*", "†", "∗"):
        return inner
    return raised(inner) or "^" + _bracketed(inner)


def _lower(node: Any, l2tobj: LatexNodes2Text) -> str:
    inner = _argument(node, 0, l2tobj)
    return lowered(inner) or "_" + _bracketed(inner)


def _fraction(node: Any, l2tobj: LatexNodes2Text) -> str:
    above, below = _argument(node, 0, l2tobj), _argument(node, 1, l2tobj)
    return f"{_bracketed(above)}/{_bracketed(below)}"


def _choose(node: Any, l2tobj: LatexNodes2Text) -> str:
    return f"({_argument(node, 0, l2tobj)} choose {_argument(node, 1, l2tobj)})"


def _root(node: Any, l2tobj: LatexNodes2Text) -> str:
    inner = _argument(node, 1, l2tobj)
    return "√" + (inner if re.fullmatch(r"[^\ue100-\uf8ff]|\d+", inner) else f"({inner})")


def _bracketed(text: str) -> str:
    """Put brackets around anything longer than one name or number."""
    if re.fullmatch(r"[\w.∞′⊤⊥*]*|\([^()]*\)", text):
        return text
    return f"({text})"


def _is_known(macro: str) -> bool:
    return macro in _ONE_ARGUMENT or bool(_printer().latex_context.get_macro_spec(macro).macroname)


def _known_or_nothing(match: re.Match[str]) -> str:
    """Drop an unknown command that formats a group; the group itself stays."""
    return match[0] if _is_known(match[1]) else ""


def _known_or_name(match: re.Match[str]) -> str:
    r"""In mathematics an unknown command shows its name (``\det``)."""
    return match[0] if _is_known(match[1]) else f"\\mathrm{{{match[1]} }}"


def _known_or_bare(match: re.Match[str]) -> str:
    r"""A word of its own that is an author's command (``we propose \ours``) loses its stroke."""
    return match[0] if _is_known(match[1]) else match[1]


def _unknown_macro(node: Any) -> str:
    """Keep an unknown macro as typed: it may be a file path or an author's own command."""
    return "\\" + str(node.macroname) + str(node.macro_post_space)


def _plain_letters(text: str) -> str:
    if text.isascii():
        return text
    return _ALPHABETS.sub(
        lambda match: (
            match[0] if match[0] in _KEPT_LETTERS else unicodedata.normalize("NFKC", match[0])
        ),
        text,
    )
