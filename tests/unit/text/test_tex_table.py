"""Real TeX reads as it was looked at; ``make golden`` writes it anew."""

import re
from collections import Counter
from pathlib import Path

import pytest
from support.tex_table import captured, key_of, rows, wholes, written

from service.text.tex import to_unicode

_COMMAND = re.compile(r"\\[A-Za-z]+")
_HOLDS = {"a stroke": r"\\", "a dollar": r"\$", "a brace": r"[{}]", "a script": r"_\{|\^\{"}
_MOST = {"a stroke": 10, "a dollar": 50, "a brace": 65, "a script": 2}
"""How many of 23,000 captured texts may still hold it: prices, sets, what was broken before us."""


def test_every_notation_reads_as_it_was_looked_at() -> None:
    told = {row["typed"]: row["reads"] for row in rows()}
    assert {typed: to_unicode(typed) for typed in told} == told


def test_the_table_is_wide() -> None:
    table = rows()
    assert len({row["of"] for row in table}) >= 300
    assert len({command for row in table for command in _COMMAND.findall(row["typed"])}) >= 250
    assert max(len(row["typed"]) for row in table) <= 70


def test_no_notation_reads_as_letters_that_screen_readers_skip() -> None:
    assert not [row for row in rows() if re.search("[\U0001d400-\U0001d7ff]", row["reads"])]


def test_the_file_is_as_it_is_written() -> None:
    path = Path(__file__).resolve().parents[2] / "golden" / "tex.json"
    assert path.read_text("utf-8") == written(rows())


@pytest.mark.slow
def test_whole_texts_read_as_they_were_looked_at(shared: Path) -> None:
    table = rows()
    texts = wholes(shared, {row["of"] for row in table})
    changed = [
        row["of"]
        for row in table
        if (key_of(texts[row["of"]]), key_of(to_unicode(texts[row["of"]])))
        != (row["before"], row["after"])
    ]
    assert changed == []


@pytest.mark.slow
def test_every_command_that_occurs_is_in_the_table_and_little_is_left(shared: Path) -> None:
    known = {command for row in rows() for command in _COMMAND.findall(row["typed"])}
    unknown: Counter[str] = Counter()
    left: Counter[str] = Counter()
    for text in {text for of, text in captured(shared, feeds=False) if " author " not in of}:
        if "\\" in text:
            unknown.update(set(_COMMAND.findall(text)) - known)
        shown = to_unicode(text)
        left.update(name for name, sign in _HOLDS.items() if re.search(sign, shown))
    assert {command: n for command, n in unknown.items() if n > 1} == {}
    assert {name: n for name, n in left.items() if n > _MOST[name]} == {}
