"""TeX to readable Unicode, for titles, abstracts and names. Pure; never raises."""

import re
import unicodedata
from collections.abc import Iterator

from service.text.clean import collapse, raised
from service.text.formula import CLOSE, JOINT, OPEN, set_out
from service.text.tex_printer import DOWN, SWITCHES, UP, is_known, printed, sign_of

_MAX_TEX = 20_000
_LOOKS_LIKE_TEX = re.compile(r"[\\${}]|``|''|--|[^\s~]~[^\s~]")
_ALPHABETS = re.compile(
    "[\U0001d400-\U0001d7ff\u210a-\u2112\u211b-\u211d\u212c-\u2134\u2110\u2128]"
)
_KEPT_LETTERS = frozenset("ℓℝℕℤℚℂℙℍ")
_OPENINGS = ("$$", "\\(", "\\[", "$")
_SCRIPT = re.compile(r"(?<!\\)[\^_]")
_WITH_GROUP = re.compile(r"\\(?!begin|end)([A-Za-z]+)\*?\s*(?=\{[^{}\s])")
_NUMBER_ALONE = re.compile(r"\{\d+\}")
_EMPTY_GROUP = re.compile(r"\\([A-Za-z]{2,})\{\}")
_DELIMITER_SIZE = re.compile(r"\\(?:left|right|middle|[bB]igg?[lrm]?)(?![A-Za-z])\s*\.?")
_NEEDS_PARSER = re.compile(r"[\\{}]|``|''|--")
_OWN_NAME = re.compile(r"(?<![\w\\:.])\\([A-Za-z]{2,})(?![A-Za-z{]|\\[A-Za-z]|\{\})")
_GLUED = re.compile(r"\\([A-Za-z]+)(?=[^\x00-\x7f])")
_MACRO = re.compile(r"\\([A-Za-z]+)")
_LETTER_MACRO = re.compile(r"\\([a-z])(?=[_^])")
_SWITCH = re.compile(rf"\\(?:{'|'.join(SWITCHES)})(?![A-Za-z])\s*")
_DISPLAYED = re.compile(
    r"\\begin\{(equation|displaymath|align|gather|eqnarray|math)(\*?)\}(.{1,600}?)\\end\{\1\2\}"
)
_ROMAN = re.compile(r"\\romannumeral\s*([1-3]?\d)(?!\d)")
_ROMAN_ONES = ("", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix")
_ABBREVIATED = re.compile(r"(\\(?:eg|ie|etc|etal))\.")
_REFERENCE = re.compile(
    r"(?<![\s~])[\s~]*\\(?:cite|citep|citealp|autocite)\s*(?:\[[^\[\]]*\]\s*){0,2}\{[^{}]*\}"
)
_TIMES = re.compile(r"\s*\\times\s+(?=[\w\\{(])")
_UPPER_BRACKET = re.compile(r"\^(\([^(){}]{1,20}\))")
_TILDE = re.compile(r"(?<!\\)~")
_PRICE = re.compile(r"\d[\d,.]*\w?\s+(?:[A-Za-z]{2,}(?:\s|$)|-+\s*$)")
_PROTECTED = str.maketrans({"\ue000": "~", "\ue001": "--", "\ue002": "^"})
_PRIVATE = re.compile("[\ue000-\ue00f]")
_ESCAPED = re.compile(r"\\([%&$#_])")
_BARE = re.compile(r"(?<!\\)[%#&]")
_HAS_MATH_SIGN = re.compile(r"[\\^_{=]")
_TIE = re.compile(r"(?<=[^\s~\\])~(?=[^\s~])")
_TIED_BEFORE = re.compile(r"[\w.,;:!?)\]}%=’'”\"$*†]")
_LOST_STROKE = re.compile(
    r"(?<![A-Za-z\\])((?:math(?:cal|bb|bf|rm|sf|it)|text(?:bf|it|tt|sc)?|sqrt|frac)(?=\{))"
    r"|(?<![\^_\\A-Za-z])\{(times|sim|pm|approx|geq|leq)\}"
)
_GROUP_SCRIPT = re.compile(r"(?<=[^\W_]|[)\]}])([\^_])\{([^{}\\$]{1,40})\}")
_LONG_OPTION = re.compile(r"(?<!\S)--(?=[a-z])")
_STROKE_OR_DOLLAR = re.compile(r"[\\$]")
_POWER = re.compile(
    r"(?<=[^\W_]|[)\]])\^(?:\{([-+−]?\d{1,3})\}|([-+−]?\d{1,3})(?![\d.]*\d)|(\*|\\?(?:circ|star|top)(?![a-z])))"
)
_ERROR_BELOW = re.compile(r"_[-+−][\d.]+$")
_ERROR_ABOVE = re.compile(r"[-+−]\d+_[-+−]")
_STARS = {"*": "*", "star": "⋆", "circ": "°", "top": "^⊤"}

ACCENT = re.compile(
    r"""\\(?:['`^~=.]|(?<=[^\W\d_]\\)")(?:\\[ij](?![A-Za-z])|[A-Za-z])"""
    r"""|\\(?:["'`^~=.]|[Hcvukrbd](?=\{))\{\\?[A-Za-z]\}"""
    r"""|\{\\(?:ss|ae|AE|oe|OE|aa|AA|[oOlL])\}|\\(?:ss|ae|AE|oe|OE|aa|AA|[oOlL])\{\}"""
)
r"""A letter that TeX spells out (``Schr\"odinger``, ``Erd\H{o}s``). ``\"o`` counts inside a word
only: before one it is a quote that a shell wanted escaped."""

_GROUP = r"\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*+\})*+\})*+\}"
_SCRIPT_COMMAND = re.compile(rf"(?<=[\^_])\s*(\\[A-Za-z]+\s*(?:(?<=frac){_GROUP})?{_GROUP})")
_WHOLE_COMMAND = re.compile(rf"\\[A-Za-z]+\*?(?:\[[^\[\]{{}}]*+\])?(?:{_GROUP})+|{ACCENT.pattern}")
_LAST_ASIDE = re.compile(r"\s*\\footnote\{([^{}]*?)\.?$")
_LOST_LINK = re.compile(r"(?<!\{)(https?://([^\s{}]+))\}\{(?:https?://)?\2(?=[^\w/])")
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
    if found[3]:
        return _STARS[found[3].lstrip("\\")]
    text, at = found.string, found.start()
    if _ERROR_ABOVE.match(text, at + 1) or _ERROR_BELOW.search(text[max(0, at - 12) : at]):
        return found[0]  # 10.7^+1_-2: both or none
    return raised(found[1] or found[2]) or found[0]


def to_unicode(text: str) -> str:
    r"""Return ``text`` with its TeX turned into readable Unicode, on one line.

    ``$x^2$`` -> ``x²``, ``K\"{a}hler`` -> ``Kähler``, ``27.3\%`` -> ``27.3%``, ``R^2`` -> ``R²``.
    What is no TeX stays (``100% of``, ``A_1``, ``$5 to $10``, ``C:\new``, ``{0, 1}``,
    ``{{ name }}``); where braces are not balanced, what can be read by itself is turned and the
    rest comes back as typed. Letters of mathematical alphabets become plain letters.
    """
    text = collapse(text)
    if len(text) <= _MAX_TEX and _LOOKS_LIKE_TEX.search(text) and not _PRIVATE.search(text):
        text = _converted(text)
    return read_powers(_plain_letters(text))


def _converted(text: str) -> str:
    """Turn the whole text; when it does not parse, turn each piece that does."""
    pieces = list(_prepared(_LOST_LINK.sub(r"\1", text)))
    shown = _printed("".join(prepared for _, prepared in pieces))
    if shown is None:
        shown = "".join(
            _mended(typed) if (turned := _printed(prepared)) is None else turned
            for typed, prepared in pieces
        )
    shown = unicodedata.normalize("NFC", set_out(shown)).translate(_PROTECTED)
    return collapse(shown) or text


def _printed(source: str) -> str | None:
    if not _NEEDS_PARSER.search(source):
        return source
    return printed(_GLUED.sub(_parted, _WITH_GROUP.sub(_known_or_nothing, source)))


def _mended(typed: str) -> str:
    """Turn each command that is whole, where the text around it is not; what follows the sign of
    a formula that never ends stays."""
    cut = min((at for at in (typed.find("\\("), typed.find("\\[")) if at >= 0), default=len(typed))
    text = _LAST_ASIDE.sub(r" (\1)", typed[:cut])
    text = _WHOLE_COMMAND.sub(lambda found: _printed(found[0]) or found[0], text)
    text = _MACRO.sub(lambda found: sign_of(found[1]) or found[0], text.replace("\\slash ", "/"))
    text = _TIE.sub(_tie, _OWN_NAME.sub(_known_or_bare, text)) + typed[cut:]
    return _ESCAPED.sub(r"\1", text)


def _prepared(text: str) -> Iterator[tuple[str, str]]:
    """Yield (as typed, as TeX): mathematics marked up, and all that is no TeX escaped."""
    if "\\" in text:
        text = _DISPLAYED.sub(r"\\[\3\\]", text)
        text = _ABBREVIATED.sub(r"\1", _ROMAN.sub(_roman, _REFERENCE.sub("", text)))
    for is_math, typed in _segments(text):
        part = typed if is_math else _BRACED.sub(_braces, _with_strokes(typed))
        part = _BARE.sub(r"\\\g<0>", part)
        part = _SWITCH.sub("{}", part)
        if is_math:
            part = _UPPER_BRACKET.sub(r"^{\1}", _DELIMITER_SIZE.sub("", part))
            part = _SCRIPT_COMMAND.sub(r"{\1}", part)
            part = _LETTER_MACRO.sub(r"\1", _TIMES.sub(r"\\times{}", part))
            part = _SCRIPT.sub(_script, _MACRO.sub(_known_or_name, part))
            yield f"${typed}$", f"{OPEN}\\({part}\\){CLOSE}"
        else:
            part = re.sub(r"(?<!\\)[$_]", r"\\\g<0>", part)
            part = re.sub(r"(?<!\\)\^|\\\^\{\}", "\ue002", part)
            part = _OWN_NAME.sub(_known_or_bare, _LONG_OPTION.sub("\ue001", part))
            part = _EMPTY_GROUP.sub(_known_or_bare, part)
            # A tie binds two words; a tilde before a figure means "about".
            yield (
                typed,
                _TIE.sub(_tie, part).replace("~", "\ue000") if _TILDE.search(part) else part,
            )


def _with_strokes(text: str) -> str:
    """Put back what a source took away outside of formulas: strokes, and dollars around scripts."""
    text = _LOST_STROKE.sub(
        lambda found: f"\\{found[1]}" if found[1] else f"\\{found[2]}{{}}", text
    )
    return _GROUP_SCRIPT.sub(lambda found: f"{_script(found).rstrip()}{{{found[2]}}}", text)


def _tie(found: re.Match[str]) -> str:
    """A tie binds two words (``Fig.~1``, ``60~Hz``); between a sign, a single letter or a figure
    and a figure it means "about" or "to" (``z~10``, ``(~11h)``, ``2015~2023``)."""
    text, at = found.string, found.start()
    before = text[max(0, at - 24) : at].split()[-1].lstrip("([“\"'")
    if not before or not _TIED_BEFORE.match(before[-1]):
        return "~"
    is_figure = text[at + 1 : at + 3].lstrip("-+.−")[:1].isdigit()
    is_symbol = before[-1].isdigit() or (before != "=" and (len(before) == 1 or "_" in before))
    return "~" if is_figure and is_symbol else " "


def _roman(found: re.Match[str]) -> str:
    tens, ones = divmod(int(found[1]), 10)
    return "x" * tens + _ROMAN_ONES[ones]


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
    return f"\\{UP} " if match[0][0] == "^" else f"\\{DOWN} "


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


def _known_or_nothing(match: re.Match[str]) -> str:
    r"""Drop an unknown command that formats a group; the group itself stays. What has a number
    alone (``\Rk{1}``) is a name."""
    if is_known(match[1]):
        return match[0]
    return match[1] if _NUMBER_ALONE.match(match.string, match.end()) else ""


def _known_or_name(match: re.Match[str]) -> str:
    r"""In mathematics an unknown command shows its name (``\lam``)."""
    return match[0] if is_known(match[1]) else f"\\mathrm{{{match[1]}}}{JOINT}"


def _known_or_bare(match: re.Match[str]) -> str:
    r"""A word of its own that is an author's command (``we propose \ours``) loses its stroke."""
    return match[0] if is_known(match[1], in_maths=False) else match[1]


def _parted(match: re.Match[str]) -> str:
    """Put something between a command and a letter beyond ASCII, which the parser takes for one
    of its own."""
    return match[0] + (" " if is_known(match[1]) else "{}")


def _plain_letters(text: str) -> str:
    if text.isascii():
        return text
    return _ALPHABETS.sub(
        lambda match: (
            match[0] if match[0] in _KEPT_LETTERS else unicodedata.normalize("NFKC", match[0])
        ),
        text,
    )
