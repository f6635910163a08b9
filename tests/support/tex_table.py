"""The table of real TeX: what each notation of the captures reads as, looked at by eye once.

``tests/golden/tex.json`` holds a row for each: the file and paper it is from, a few signs of the
notation alone, how they read, and check sums of the whole text before and after. No text of a
publisher is in it. Without the captures the notations are compared; beside them, the whole texts.

``make golden`` writes anew how the rows read and says which changed. Rows are added by hand, or by
``PYTHONPATH=.:tests python -m support.tex_table 20``: twenty notations of the captures (at most)
that have a command or a shape of which there is no row yet; read them before you commit them.
"""

import gzip
import hashlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from support.goldens import GOLDEN, real_captures, write

from service.sources.adapter import CaptureError
from service.sources.registry import adapter
from service.text.clean import html_to_text
from service.text.tex import to_unicode

TABLE = GOLDEN / "tex.json"
LONGEST = 64
"""Characters of a notation."""

_NOTATION = re.compile(
    r"\$\$[^$]{1,60}\$\$|\$[^$]{1,60}\$|\\\(.{1,60}?\\\)|\\\[.{1,60}?\\\]"
    r"|[\w-]{0,12}\\[A-Za-z]+\*?(?:\[[^\[\]]{0,20}\])?"
    r"(?:\{(?:[^{}]|\{[^{}]{0,30}\}){0,40}\}){0,2}[\w-]{0,12}"
    r"""|[\w-]{0,12}(?:\{\\[^{}]{1,8}\}|\\[^A-Za-z\s(\[$](?:\{[^{}]{0,12}\}|\\?[A-Za-z])?)[\w-]{0,12}"""
    r"|``[^`']{1,20}''|\S{1,12}~\S{1,12}|\S{1,12}\^\{?[-+]?\w{1,6}\}?\S{0,6}|<[a-z_]{2,12}>"
    r"|\w{0,10}\{[^{}\s]{1,12}\}\w{0,10}|[<(~]?\$\d[\d.,]*[KMB]?(?:[-–]\$\d[\d.,]*[KMB]?)?(?!\S*\$)"
)
_RIVALS = 6
_IN_WORDS = re.compile(r"\\(?:text|emph|role|url|model|\()")
_COMMAND = re.compile(r"\\(?:[A-Za-z]+|.)")
_WORDS = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{4,}")


def rows() -> list[dict[str, str]]:
    """The table as it is committed."""
    told = json.loads(TABLE.read_text("utf-8")) if TABLE.exists() else {"rows": []}
    found: list[dict[str, str]] = told["rows"]
    return found


def captured(
    root: Path, *, feeds: bool = True, wanted: set[str] | None = None
) -> Iterator[tuple[str, str]]:
    """Every title, abstract and name that the conversion meets, and where it is from.

    wanted: of the feeds, those alone that these are from.
    """
    for path in sorted((root / "arxiv_corpus").glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for row in map(json.loads, lines):
                yield from _of_row(path.name.removesuffix(".jsonl.gz"), row)
    for path in sorted((root / "hf_daily").glob("*.json")):
        for item in json.loads(path.read_text("utf-8")):
            yield from _of_row(f"hf_daily {path.stem}", item["paper"])
    page = (root / "daily_papers_page.jsonl").read_text("utf-8")
    for number, line in enumerate(page.splitlines(), 1):
        yield from _of_row("daily_papers_page", {"id": f"line {number}", **json.loads(line)})
    files = {of.partition(" item ")[0] for of in wanted} if wanted is not None else None
    for name, kind in real_captures(root) if feeds else ():
        if kind != "hf_daily" and (files is None or name in files):
            yield from _of_feed(root, name, kind)


def _of_row(file: str, row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    key = row.get("id") or str(row.get("link", "")).rpartition("/")[2]
    for field in ("title", "summary", "abstract", "description"):
        if row.get(field):
            yield f"{file} {key} {field}", row[field]
    for number, author in enumerate(row.get("authors") or (), 1):
        name = author if isinstance(author, str) else author.get("name", "")
        yield f"{file} {key} author {number}", name


def _of_feed(root: Path, name: str, kind: str) -> Iterator[tuple[str, str]]:
    try:
        parsed = adapter(kind).parse((root / name).read_bytes())
    except CaptureError:
        return
    for number, sighting in enumerate(parsed.sightings, 1):
        paper = sighting.paper
        for field, raw in (("title", paper.raw_title), ("abstract", paper.raw_abstract)):
            yield f"{name} item {number} {field}", html_to_text(raw)


def key_of(text: str) -> str:
    """The check sum of a text."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:12]


def read_again(row: dict[str, str], whole: str | None) -> dict[str, str]:
    """A row as the conversion of today gives it; ``whole``: the text it is from, where it is."""
    told = {"of": row["of"], "typed": row["typed"], "reads": to_unicode(row["typed"])}
    if whole is None:
        return {**told, "before": row["before"], "after": row["after"]}
    return {**told, "before": key_of(whole), "after": key_of(to_unicode(whole))}


def wholes(root: Path, wanted: set[str]) -> dict[str, str]:
    """The texts that rows are from, by where they are (the first one of each name)."""
    found: dict[str, str] = {}
    for of, text in captured(root, wanted=wanted):
        if of in wanted:
            found.setdefault(of, text)
    return found


def written(table: list[dict[str, str]]) -> str:
    """The table with one line a row, so that a change is one line."""
    lines = ",\n".join(f"  {json.dumps(row, ensure_ascii=False)}" for row in table)
    return f'{{\n "rows": [\n{lines}\n ]\n}}\n'


def rewritten(root: Path) -> Iterator[str]:
    """Write the table anew; yield what changed, row by row."""
    before = rows()
    texts = wholes(root, {row["of"] for row in before}) if root.is_dir() else {}
    after = [read_again(row, texts.get(row["of"])) for row in before]
    for old, new in zip(before, after, strict=True):
        if old["reads"] != new["reads"]:
            yield f" {old['typed']}  was {old['reads']!r}, is {new['reads']!r}"
        elif old != new:
            yield f" {old['of']}: the text around {old['typed']} reads otherwise"
    if changed := write(TABLE, written(after)):
        yield changed


def _features(notation: str) -> set[str]:
    """What a notation shows: its commands, and the shape of what is more than words."""
    letters = re.sub(r"\\[A-Za-z]+", "\\\\", notation)
    shape = re.sub(r"(.)\1+", r"\1", re.sub(r"[^\W\d_]", "a", re.sub(r"\d", "0", letters)))
    return {*_COMMAND.findall(notation), *(() if _IN_WORDS.match(notation) else (shape,))}


def proposed(root: Path, most: int) -> list[dict[str, str]]:
    """Notations with something that no row shows, each of another text where that can be."""
    known = {feature for row in rows() for feature in _features(row["typed"])}
    used = {row["of"] for row in rows()}
    best: dict[str, list[tuple[tuple[bool, int, str], str, str, str]]] = {}
    for of, text in captured(root):
        shown = ""
        for found in _NOTATION.finditer(text):
            typed = " ".join(found[0].split())
            if not _can_stand_alone(typed, text, found.end()):
                continue
            for feature in _features(typed) - known:
                rank = (not 6 <= len(typed) <= 40, len(typed), typed)
                rivals = best.setdefault(feature, [])
                if len(rivals) == _RIVALS and rank >= rivals[-1][0]:
                    continue
                shown = shown or to_unicode(text)
                if to_unicode(typed) in shown and all(rank != one[0] for one in rivals):
                    rivals[:] = sorted([*rivals, (rank, typed, of, text)])[:_RIVALS]
    table: dict[str, dict[str, str]] = {}
    for feature in sorted(best, key=lambda one: (not _COMMAND.fullmatch(one), key_of(one))):
        if len(table) == most or feature in known or not best[feature]:
            continue
        _, typed, of, text = min(best[feature], key=lambda one: (one[2] in used, one[0]))
        if typed not in table:
            table[typed] = read_again({"of": of, "typed": typed}, text)
            known |= _features(typed)
            used.add(of)
    return list(table.values())


def _can_stand_alone(typed: str, text: str, end: int) -> bool:
    return (
        len(typed) <= LONGEST
        and typed in text
        and typed.count("{") == typed.count("}")
        and text[end : end + 1] != "{"
        and len(_WORDS.findall(typed)) <= 3
    )


def main() -> None:
    root = GOLDEN.parents[1].parent / "shared" / "data"
    more = proposed(root, int(sys.argv[1]))
    write(TABLE, written([*rows(), *more]))
    for row in more:
        print(f"{row['typed']:<50} {row['reads']}")


if __name__ == "__main__":
    main()
