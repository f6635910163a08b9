"""Links of a paper and of its code, out of names, comments and descriptions. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from html import unescape

from service.papers.identity import arxiv_id
from service.papers.model import Alias
from service.text.clean import collapse, safe_link

_READ = 20_000
"""Characters of one text in which links are looked for."""

_REPOSITORY = re.compile(
    r"(?:https?://)?(?:www\.)?(?P<host>github\.com|gitlab\.com|bitbucket\.org|codeberg\.org)"
    r"/(?P<path>[\w-][\w.-]*/[\w.-]+(?:/(?:tree|blob|-)/[\w./-]+)?)"
    r"|https?://(?P<masked>anonymous\.4open\.science/r/[\w.-]+)",
    re.IGNORECASE,
)
_PAGE = re.compile(r"https?://[^\s<>\"'(){}\[\]|\\^`，。；、]+", re.IGNORECASE)
_OF_CODE = re.compile(
    r"\b(?:code|codebase|source|implementation|software|package|repository|toolkit|library|github"
    r"|open[- ]?sourced?|available|released?|scripts?|notebooks?)\b",
    re.IGNORECASE,
)
_OF_PROJECT = re.compile(
    r"\b(?:project|home ?page|web ?site|web ?page|demos?|page)\b[^.!?]{0,30}$", re.IGNORECASE
)
_PAGES_HOST = re.compile(r"^https?://[\w-]+\.(?:github|gitlab)\.io\b", re.IGNORECASE)
_ANCHOR = re.compile(
    r"""<a\s(?:[^<>]*?\s)?href\s*=\s*["']([^"'<>]{8,2000})["'][^<>]*>((?:(?!</a)[^<>]|<(?!/?a\b)[^<>]*>){1,200})</a""",
    re.IGNORECASE,
)
_LABELS: Mapping[str, str] = {
    "github": "code", "code": "code", "source code": "code", "project": "project",
    "project page": "project", "website": "project", "homepage": "project", "pdf": "pdf",
    "full text pdf": "pdf", "full-text pdf": "pdf", "hugging face": "discuss",
    "huggingface": "discuss",
}  # fmt: skip
_TAG = re.compile(r"<[^<>]*>")
_IMAGE = re.compile(r"<img\s[^<>]{1,3000}>", re.IGNORECASE)
_IMAGE_OF_PAPER = re.compile(r"""\balt\s*=\s*["'](?:graphical abstract|toc graphic)""", re.I)
_IMAGE_SOURCE = re.compile(r"""\bsrc\s*=\s*["']([^"'<>]+)""", re.IGNORECASE)
_OLD_RESOLVER = re.compile(r"^https?://(?:dx\.doi\.org|www\.doi\.org|doi\.org)/", re.IGNORECASE)


def links_of(
    names: Sequence[Alias],
    *,
    abs_link: str = "",
    pdf: str = "",
    more: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return the links of a paper, http or https each: abs and pdf (arXiv's own where it is one of
    arXiv's), doi, and what ``more`` holds. An address that may not be shown is left out."""
    links = {"abs": _OLD_RESOLVER.sub("https://doi.org/", safe_link(abs_link))}
    for alias in names:
        if alias.scheme == "arxiv" and (not abs_link or arxiv_id(abs_link)):
            links["abs"] = f"https://arxiv.org/abs/{alias.value}"
            links["pdf"] = f"https://arxiv.org/pdf/{alias.value}"
        elif alias.scheme == "doi":
            links["doi"] = safe_link(f"https://doi.org/{alias.value}")
    links.setdefault("pdf", safe_link(pdf))
    links["abs"] = links["abs"] or links.get("doi", "")
    for kind, address in (more or {}).items():
        if not links.get(kind):
            links[kind] = safe_link(address)
    return {kind: address for kind, address in links.items() if address}


def said_links(note: str, abstract: str) -> dict[str, str]:
    """Return the addresses of code and of a project's page that authors write into comment and
    abstract; in an abstract a repository counts only where it is said to be code or released."""
    found: dict[str, str] = {}
    for text, is_note in ((note[:_READ], True), (abstract[:_READ], False)):
        if "/" not in text:
            continue
        text = text.replace("\\_", "_").replace("\\%", "%").replace("\\#", "#")
        for match in _REPOSITORY.finditer(text):
            if is_note or _OF_CODE.search(text, max(0, match.start() - 120), match.start()):
                found.setdefault("code", _repository(match))
        for match in _PAGE.finditer(text):
            address = match[0].rstrip(".,;:!?*")
            before = text[max(0, match.start() - 60) : match.start()]
            if _REPOSITORY.match(address):
                continue
            if _PAGES_HOST.match(address) or (is_note and _OF_PROJECT.search(before)):
                found.setdefault("project", safe_link(address))
    return {kind: address for kind, address in found.items() if address}


def _repository(match: re.Match[str]) -> str:
    if match["masked"]:
        return safe_link(f"https://{match['masked'].rstrip('.')}")
    path = match["path"].rstrip(".").removesuffix(".git")
    return safe_link(f"https://{match['host'].lower()}/{path}")


def labelled_links(description: str) -> dict[str, str]:
    """Return the links of a description whose words say what they are: code, project, pdf,
    discuss."""
    found: dict[str, str] = {}
    if "<a" not in description:
        return found
    for match in _ANCHOR.finditer(description[:_READ]):
        kind = _LABELS.get(collapse(_TAG.sub(" ", match[2])).casefold())
        if kind and (address := safe_link(unescape(match[1]))):
            found.setdefault(kind, address)
    return found


def pictured(description: str) -> str:
    """Return the address of the graphical abstract in a description, else ``""``."""
    for match in _IMAGE.finditer(description[:_READ]):
        source = _IMAGE_SOURCE.search(match[0]) if _IMAGE_OF_PAPER.search(match[0]) else None
        if source:
            return unescape(source[1])
    return ""


def thumbnail(candidates: Iterable[object]) -> str:
    """Return the first address of an image that may be shown: https only, else ``""``."""
    for candidate in candidates:
        address = safe_link(candidate) if isinstance(candidate, str) else ""
        if address.startswith("https://"):
            return address
    return ""
