"""Plain text out of whatever a source sends: white space, control characters, HTML, links. Pure."""

import html
import re
import unicodedata
from html.entities import html5
from urllib.parse import quote, urlsplit, urlunsplit

import nh3

MAX_TEXT = 60_000
"""Characters of one field that are read; the rest of a longer one is cut."""

_MAX_LINK = 2000
_NOT_TEXT = re.compile(
    "[\u0000-\u0008\u000e-\u001b\u007f-\u0084\u0086-\u009f\u00ad\u200b\u200e\u200f"
    "\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)
_RAW_CHARACTERS = re.compile("[\u0000-\u0008\u000e-\u001f\u007f\ud800-\udfff\ufffe\uffff]")

_TAG_NAMES = (
    "a abbr article aside b big blockquote body br caption center cite code col colgroup dd del "
    "dfn div dl dt em figcaption figure font footer form h1 h2 h3 h4 h5 h6 head header hr html i "
    "iframe img inf input ins kbd li link math main mark meta mfrac mi mn mo mover mpadded mrow "
    "mspace msqrt mstyle msub msubsup msup mtable mtd mtext mtr munder nav object ol p "
    "param pre q s samp script section semantics small span strike strong style sub sup svg table "
    "tbody td tfoot th thead title tr tt u ul var wbr"
)
_VALUE = r"""(?:"[^"]*"|'[^']*'|[^\s"'<>=]+)"""
_TAG = re.compile(
    r"<(/?)((?:jats:|mml:|m:|xhtml:|ce:|sb:)[\w.-]+|(?:"
    + "|".join(sorted(_TAG_NAMES.split(), key=len, reverse=True))
    + r"))(?:\s+[\w:.-]+\s*=\s*"
    + _VALUE
    + r"){0,40}\s*(/?)>",
    re.IGNORECASE,
)
_BROKEN_BREAK = re.compile(r"</br\s*>", re.IGNORECASE)
_MARKS = r"<!\[CDATA\[|\]\]>|<![A-Za-z][^<>]*>|<\?[^<>]*\?>"
_COMMENT = re.compile(rf"<!--.*?-->|{_MARKS}", re.DOTALL)
_NO_COMMENT = re.compile(_MARKS)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_AMPERSAND = re.compile(r"&(?!(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});)")
_INLINE_NAMES = (
    "a abbr b big cite code del dfn em font i inf ins kbd mark mi mn mo mrow msub msup mtext q s "
    "samp small span strike strong sub sup tt u var wbr"
)
_INLINE = frozenset(_INLINE_NAMES.split())
_SCRIPT = re.compile(r"<(sub|inf|sup)(?:\s[^<>]*)?>([^<>]{1,40})</\1\s*>", re.IGNORECASE)
_RAISED = str.maketrans("0123456789+-−–()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁻⁽⁾ⁿ")
_LOWERED = str.maketrans("0123456789+-−–()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₋₍₎")


def collapse(text: str) -> str:
    """Return ``text`` on one line: control characters, lone surrogates, byte order marks,
    soft hyphens and direction overrides removed, every run of white space one blank."""
    text = text[:MAX_TEXT]
    return " ".join((text if text.isprintable() else _NOT_TEXT.sub("", text)).split())


def as_written(text: str) -> str:
    """Return ``text`` as the source wrote it, less the characters that no store can hold."""
    return _RAW_CHARACTERS.sub("", text[:MAX_TEXT])


def raised(text: str) -> str | None:
    """Return digits and signs as superscript (``"10"`` -> ``"¹⁰"``), None where there is none."""
    return _shifted(text, _RAISED)


def lowered(text: str) -> str | None:
    """Return digits and signs as subscript (``"2"`` -> ``"₂"``), None where there is none."""
    return _shifted(text, _LOWERED)


def _shifted(text: str, table: dict[int, int]) -> str | None:
    if text and all(ord(char) in table for char in text):
        return text.translate(table)
    return None


def html_to_text(text: str) -> str:
    """Return the words of a fragment of HTML on one line.

    Only tags that HTML, MathML and JATS know are taken out; ``<think>`` and ``a < b`` stay as
    typed. Text escaped twice is unescaped twice. The result is plain text, not safe HTML: it must
    be escaped wherever it is shown.
    """
    text = text[:MAX_TEXT]
    for _ in range(3):
        if not ("<" in text or _ENTITY.search(text)):
            break
        stripped = _strip_once(text)
        if stripped == text:
            break
        text = stripped
    return collapse(text)


def _strip_once(text: str) -> str:
    """Take out one layer of markup and one layer of entities."""
    if "<" in text:
        text = without_comments(_BROKEN_BREAK.sub("<br>", text))
        text = _SCRIPT.sub(_shift_script, text)
        text = nh3.clean(_protect(text), tags=set())
    return _unescape(text)


def without_comments(text: str) -> str:
    """Take out comments and declarations; after the last ``-->`` none is looked for, since every
    ``<!--`` there would be followed to the end in vain."""
    end = text.rfind("-->") + len("-->") if "-->" in text else 0
    return _COMMENT.sub(" ", text[:end]) + _NO_COMMENT.sub(" ", text[end:])


def _unescape(text: str) -> str:
    return _ENTITY.sub(lambda match: html.unescape(match[0]) if _known(match) else match[0], text)


def _known(entity: re.Match[str]) -> bool:
    return entity[0][1] == "#" or entity[0][1:] in html5


def _escape(text: str) -> str:
    """Escape what is no entity and no tag, so that the parser cannot read it as one."""
    text = _AMPERSAND.sub("&amp;", text)
    text = _ENTITY.sub(lambda match: match[0] if _known(match) else f"&amp;{match[0][1:]}", text)
    return text.replace("<", "&lt;").replace(">", "&gt;")


def _shift_script(match: re.Match[str]) -> str:
    inner = _unescape(match[2]).strip()
    shifted = raised(inner) if match[1].lower() == "sup" else lowered(inner)
    return match[2] if shifted is None else shifted


def _protect(text: str) -> str:
    """Escape every ``<`` that opens no known tag, and put a blank where a block begins or ends."""
    parts: list[str] = []
    at = 0
    for match in _TAG.finditer(text):
        parts.append(_escape(text[at : match.start()]))
        name = match[2].lower().rpartition(":")[2]
        parts.append(match[0] if name in _INLINE else f" {match[0]} ")
        at = match.end()
    parts.append(_escape(text[at:]))
    return "".join(parts)


def safe_link(url: str) -> str:
    """Return ``url`` when a reader may be sent there (http or https, with a host), else ``""``.

    Raw blanks and other characters that no URL may hold are percent-encoded.
    """
    url = _NOT_TEXT.sub("", url).strip()
    if not url or len(url) > _MAX_LINK:
        return ""
    if url.startswith("//"):
        url = f"https:{url}"
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        return ""
    if parts.scheme.lower() not in ("http", "https") or not _is_host(host):
        return ""
    if "@" in parts.netloc or "\\" in parts.netloc:
        return ""
    path = quote(parts.path, safe="/%:@!$&'()*+,;=~-._")
    query = quote(parts.query, safe="/%:@!$&'()*+,;=~-._?[]")
    fragment = quote(parts.fragment, safe="/%:@!$&'()*+,;=~-._?")
    return urlunsplit((parts.scheme.lower(), parts.netloc, path, query, fragment))


def _is_host(host: str) -> bool:
    if not host or any(char in " \t\"'<>`{}|^\\%" for char in host):
        return False
    return all(unicodedata.category(char)[0] != "C" for char in host)
