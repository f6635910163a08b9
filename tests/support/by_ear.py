"""A digest as a screen reader tells it: Chromium's accessibility tree of one mail, line by line.

``PYTHONPATH=.:tests .venv/bin/python -m support.by_ear`` puts it into docs/by-ear.md, where it is
judged. The papers are invented.
"""

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from playwright.sync_api import Page
from support.browsing import open_browser
from support.digests import digest, entry, frame, line, renderer, section

from service.digest.model import Digest, Happening, Marked, Reason, Signal

DOC = Path(__file__).resolve().parents[2] / "docs" / "by-ear.md"
BEGIN, END = "<!-- reading -->\n", "<!-- end of the reading -->\n"
_SILENT = {"none", "generic", "InlineTextBox", "RootWebArea", "LayoutTable", "LayoutTableRow"}
_SILENT |= {"LayoutTableCell", "strong", "LineBreak", "MarkNonSpacing"}


def sample() -> Digest:
    """A mail with every part that a reader of several interests meets."""
    first = entry(1, "LoRA adapters that forget less under long schedules")
    second = replace(
        entry(2, "A bound for E[X²] ≤ α without tears"),
        abstract=Marked("We prove it with low-rank adaptation. [...]", ((17, 36),)),
        reasons=(Reason("low-rank adaptation", "abstract"),),
        also_in=("Theory",), votes=None, comments=None, author_count=2,
        authors=("Ana Silva", "Bo Chen"), links={"abs": "https://arxiv.org/abs/2611.00002"},
    )  # fmt: skip
    followed = replace(
        entry(3, "Robots fold towels"), reasons=(Reason("Ana Silva", "authors"),),
        abstract=Marked("They fold."), again=True,
    )  # fmt: skip
    code = Happening("code", "https://code.example.org/y", datetime(2026, 11, 18, tzinfo=UTC))
    news = Signal(
        paper_id=9, scheme="arxiv", value="2610.00009", title=Marked("Small adapters for all"),
        happenings=(code,),
        link="https://arxiv.org/abs/2610.00009", had_on=date(2026, 10, 30),
    )  # fmt: skip
    return digest(
        section(followed, kind="people", name="Ana Silva", profile_id=2),
        section(first, second, lines=(line(4), line(5, "Merging adapters")), rest=(6, 7)),
        section(kind="signals", name="", profile_id=None, signals=(news,), total=1),
        section(replace(entry(8, "What everybody reads"), reasons=()), kind="trending", name=""),
        late=("bioRxiv",), read_from=("arXiv cs.CL",), matched=7,
    )  # fmt: skip


def reading(page: Page, html: str) -> list[str]:
    """The lines in the order of reading: what is said, with the role that is told beside it."""
    page.set_content(html)
    return told(page)


def told(page: Page) -> list[str]:
    """The same of the page that is shown."""
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    by_id = {node["nodeId"]: node for node in nodes}
    root = next(node for node in nodes if "parentId" not in node)
    return [line_.removeprefix("[p]") for line_ in _lines(root, by_id)]


def _lines(node: Mapping[str, Any], by_id: Mapping[str, Any]) -> Iterator[str]:
    role = node.get("role", {}).get("value", "")
    name = " ".join(str(node.get("name", {}).get("value", "")).split())
    children = [by_id[one] for one in node.get("childIds", ()) if one in by_id]
    if node.get("ignored") or role in _SILENT:
        yield from _children(children, by_id)
        return
    if role == "StaticText":
        if name:
            yield name
    elif role == "paragraph":
        yield from (f"[p]{one}" if not one.startswith(("[", "    [")) else one
                    for one in _children(children, by_id))  # fmt: skip
    elif role == "heading":
        level = next(p["value"]["value"] for p in node["properties"] if p["name"] == "level")
        yield f"[heading {level}] {name}"
        for line_ in _children(children, by_id):
            if line_.startswith("[link]"):
                yield f"    {line_}"
    elif role == "link":
        yield f"[link] {name}"
    elif role == "list":
        yield f"[list, {sum(1 for _ in _items(children, by_id))} items]"
        yield from _children(children, by_id)
        yield "[end of the list]"
    elif role == "listitem":
        yield "[item]"
        yield from _children(children, by_id)
    else:
        yield f"[{role}] {name}".rstrip()
        yield from _children(children, by_id)


def _items(children: Sequence[Any], by_id: Mapping[str, Any]) -> Iterator[Any]:
    for child in children:
        if child.get("role", {}).get("value") == "listitem" and not child.get("ignored"):
            yield child
        elif child.get("ignored"):
            yield from _items([by_id[i] for i in child.get("childIds", ()) if i in by_id], by_id)


def _children(children: Sequence[Any], by_id: Mapping[str, Any]) -> Iterator[str]:
    """Runs of text are one line."""
    run: list[str] = []
    for child in children:
        for line_ in _lines(child, by_id):
            if line_.startswith(("[", "    [")):
                if run:
                    yield _joined(run)
                    run = []
                yield line_
            else:
                run.append(line_)
    if run:
        yield _joined(run)


def _joined(run: Sequence[str]) -> str:
    return re.sub(r" ([.,;:])(?= |$)", r"\1", " ".join(run))


def main(chromium: str) -> None:
    """Put the reading into the page that judges it."""
    html = renderer().render_digest(sample(), frame()).html
    with open_browser(chromium) as page:
        lines = reading(page, html)
    text = DOC.read_text(encoding="utf-8") if DOC.exists() else f"# By ear\n\n{BEGIN}{END}"
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    told = "".join(f"    {line_}\n" for line_ in lines)
    DOC.write_text(f"{head}{BEGIN}\n{told}\n{END}{tail}", encoding="utf-8")
    print(f"{len(lines)} lines in {DOC.name}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "/usr/bin/chromium")
