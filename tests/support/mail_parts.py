"""The elements of a mail's HTML, with the style that is written on each."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

_EMPTY = ("meta", "br", "hr", "img")


@dataclass
class Element:
    """values: its attributes · text: all text inside · above: what it lies in, nearest last."""

    tag: str
    values: dict[str, str]
    above: list["Element"]
    text: str = ""
    style: dict[str, str] = field(default_factory=dict)

    def has(self, name: str) -> bool:
        return name in self.values.get("class", "").split()

    def inside(self, name: str) -> bool:
        return any(one.has(name) for one in self.above)

    def __repr__(self) -> str:
        return f"<{self.tag} {self.values}> {self.text[:40]!r}"


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Element] = []
        self.open: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        one = Element(tag, values, list(self.open))
        for rule in values.get("style", "").split(";"):
            name, colon, value = rule.partition(":")
            if colon:
                one.style[name.strip()] = value.strip()
        self.found.append(one)
        if tag not in _EMPTY:
            self.open.append(one)

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop().tag != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1].tag != "style":
            for one in self.open:
                one.text += data


def elements(html: str) -> list[Element]:
    """Every element in order, those of comments left out."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.found
