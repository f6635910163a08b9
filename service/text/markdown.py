"""An editor's Markdown to safe HTML and readable text. Pure."""

import nh3
from markdown_it import MarkdownIt

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
