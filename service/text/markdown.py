"""An editor's Markdown to safe HTML and readable text. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

MOST_CHARACTERS = 60_000

_TAGS = {
    "a", "blockquote", "br", "code", "em", "h2", "h3", "h4", "hr", "li", "ol", "p", "pre", "strong",
    "table", "tbody", "td", "th", "thead", "tr", "ul", "del",
}  # fmt: skip
_READER = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(
    ["table", "strikethrough"]
)


def markdown_to_html(text: str) -> str:
    """Return sanitised HTML (CommonMark, tables). Raw HTML in the text is shown as typed.

    Links keep http, https and mailto; images are left out (mails fetch nothing). A first-level
    heading becomes a second-level one: the mail's title is the first.
    """
    made = _READER.render(text[:MOST_CHARACTERS])
    made = made.replace("<h1>", "<h2>").replace("</h1>", "</h2>")
    return nh3.clean(
        made,
        tags=_TAGS,
        attributes={"a": {"href", "title"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener",
    ).strip()


def markdown_links(text: str) -> list[str]:
    """Return the addresses that the text links to, in order, none twice."""
    found: dict[str, None] = {}
    for token in _READER.parse(text[:MOST_CHARACTERS]):
        for child in token.children or ():
            href = child.attrGet("href") if child.type == "link_open" else None
            if href:
                found[str(href)] = None
    return list(found)


def count_images(text: str) -> int:
    """How many pictures the text holds; mails have none."""
    tokens = _READER.parse(text[:MOST_CHARACTERS])
    return sum(1 for token in tokens for child in token.children or () if child.type == "image")


@dataclass(frozen=True, slots=True)
class TextBlock:
    """A piece of plain text. first, rest: what stands before its first and its other lines.

    is_set: its line is as typed (code), not to be wrapped · text "": an empty line.
    """

    text: str = ""
    first: str = ""
    rest: str = ""
    is_set: bool = False


def markdown_to_blocks(text: str) -> list[TextBlock]:
    """Return what a reader of plain text sees: no marks of Markdown but stars around what is strong
    and strokes around what is emphasised; each link on a line of its own, behind its paragraph."""
    writer = _Writer()
    for token in _READER.parse(text[:MOST_CHARACTERS]):
        writer.take(token)
    while writer.blocks and not writer.blocks[-1].text:
        writer.blocks.pop()
    return writer.blocks


class _Writer:
    """The blocks while they grow, and what stands before them: marks of lists and quotes."""

    def __init__(self) -> None:
        self.blocks: list[TextBlock] = []
        self._rests: list[str] = []
        self._mark = ""
        self._numbers: list[int | None] = []
        self._cells: list[str] = []

    def take(self, token: Token) -> None:
        kind = token.type
        if kind in ("bullet_list_open", "ordered_list_open"):
            start = int(token.attrGet("start") or 1) if kind.startswith("ordered") else None
            self._numbers.append(start)
        elif kind in ("bullet_list_close", "ordered_list_close"):
            self._numbers.pop()
            self._part()
        elif kind == "list_item_open":
            number = self._numbers[-1]
            self._mark = "-  " if number is None else f"{number}. "
            self._numbers[-1] = None if number is None else number + 1
            self._rests.append(" " * len(self._mark))
        elif kind == "blockquote_open":
            self._rests.append("> ")
        elif kind in ("list_item_close", "blockquote_close"):
            self._rests.pop()
            self._mark = ""
            if kind == "blockquote_close":
                if self.blocks and not self.blocks[-1].text:
                    self.blocks.pop()
                self._part()
        elif kind in ("th_open", "td_open"):
            self._cells.append("")
        elif kind == "tr_close":
            self._add(" · ".join(self._cells))
            self._cells = []
        elif kind in ("heading_close", "table_close") or (
            kind == "paragraph_close" and not token.hidden
        ):
            self._part()
        elif kind in ("fence", "code_block"):
            for line in token.content.rstrip("\n").split("\n"):
                self._add(line, is_set=True)
            self._part()
        elif kind == "inline":
            self._write(token)

    def _write(self, token: Token) -> None:
        lines, links = _inline(token.children or [])
        if self._cells:
            self._cells[-1] = " ".join(lines)
            return
        if len(links) == 1 and " ".join(lines) == links[0][0]:
            lines, links = [f"{links[0][0]}:", links[0][1]], []
        for line in [*lines, *(f"{label}: {url}" for label, url in links)]:
            self._add(line)

    def _add(self, text: str, *, is_set: bool = False) -> None:
        rest = "".join(self._rests)
        first = rest[: len(rest) - len(self._mark)] + self._mark if self._mark else rest
        self._mark = ""
        self.blocks.append(TextBlock(text, first, rest, is_set))

    def _part(self) -> None:
        """An empty line, unless one stands there."""
        if self.blocks and self.blocks[-1].text:
            quoted = "".join(self._rests).rstrip() if ">" in "".join(self._rests) else ""
            self.blocks.append(TextBlock("", quoted, quoted))


_SIGNS = {"strong_open": "*", "strong_close": "*", "em_open": "_", "em_close": "_"}


def _inline(children: Sequence[Token]) -> tuple[list[str], list[tuple[str, str]]]:
    """The lines of a paragraph, and the links in it whose words are not their address."""
    text = ""
    links: list[tuple[str, str]] = []
    opened: list[tuple[int, str]] = []
    for child in children:
        if child.type == "link_open":
            opened.append((len(text), str(child.attrGet("href") or "")))
        elif child.type == "link_close" and opened:
            at, url = opened.pop()
            label = text[at:]
            if url.startswith(("http://", "https://", "mailto:")) and (
                url.removeprefix("mailto:") != label
            ):
                links.append((label, url.removeprefix("mailto:")))
        elif child.type == "softbreak":
            text += " "
        elif child.type == "hardbreak":
            text += "\n"
        elif child.type == "code_inline":
            text += f"`{child.content}`"
        else:
            text += _SIGNS.get(child.type, child.content)
    return text.split("\n"), links
