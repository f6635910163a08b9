"""CONTRIBUTING.md's recipe for a new source, carried out in a copy of the checkout: its commands as
they stand there, and an adapter of a made-up kind written between them."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("service", "templates", "alembic", "docs", "tests/support", "tests/golden")
FILES = (
    "pyproject.toml",
    "Makefile",
    "CONTRIBUTING.md",
    "requirements.lock",
    "requirements-dev.lock",
)
TESTS = ("test_registry.py", "test_goldens.py")
KIND = "theses"

ADAPTER = '''"""Theses of an invented library, page by page."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import quote

from service.papers.identity import aliases
from service.papers.model import Paper, Sighting
from service.sources.adapter import Adapter, CaptureError, Parameter, Parsed, Problem, Request
from service.sources.authors import feed_authors
from service.sources.document import json_document, written_day
from service.sources.links import links_of
from service.text.clean import as_written, html_to_text
from service.text.tex import to_unicode

_ADDRESS = "https://api.theses.example/search"
_TELL = "Give this kind what api.theses.example/search sends."


class Theses(Adapter):
    """The newest theses of one faculty."""

    kind = "theses"
    title = "Theses"
    about = "The newest theses of a faculty."
    parameters = (Parameter("faculty", "faculty", "physics", pattern=r"[a-z]{2,40}"),)

    def requests(
        self, params: Mapping[str, str], *, today: date, days: tuple[date, ...] = ()
    ) -> tuple[Request, ...]:
        return (Request(f"{_ADDRESS}?faculty={params['faculty']}"),)

    def next_page(self, request: Request, parsed: Parsed) -> Request | None:
        url = request.url.partition("&cursor=")[0]
        if not parsed.bookmark:
            return None
        return Request(f"{url}&cursor={quote(parsed.bookmark)}")

    def parse(self, body: bytes, *, day: date | None = None) -> Parsed:
        document = json_document(body, _TELL)
        entries = document.get("theses") if isinstance(document, dict) else None
        if not isinstance(entries, list):
            raise CaptureError("These bytes are JSON, but no list of theses.", "top level", _TELL)
        sightings, problems = [], []
        for number, entry in enumerate(entries, start=1):
            try:
                sightings.append(_sighting(entry))
            except (LookupError, TypeError, ValueError, AttributeError) as fault:
                problems.append(Problem(number, "", str(fault)))
        return Parsed(
            len(entries), tuple(sightings), tuple(problems), bookmark=document.get("next") or ""
        )


def _sighting(entry: Any) -> Sighting:
    title = to_unicode(html_to_text(entry["name"]))
    if not title:
        raise ValueError("it has no title")
    authors = feed_authors([entry["by"]])
    names = aliases(
        entry.get("doi", ""), guid=str(entry["number"]), feed=_ADDRESS, title=title, authors=authors
    )
    version = int(entry["version"])
    paper = Paper(
        aliases=names,
        title=title,
        abstract=to_unicode(html_to_text(entry.get("abstract", ""))),
        raw_title=as_written(entry["name"]),
        raw_abstract=as_written(entry.get("abstract", "")),
        authors=authors,
        published_on=written_day(entry["handed_in"]),
        links=links_of(names),
    )
    return Sighting(
        paper=paper, version=version, announce_type="replace" if version > 1 else "new"
    )
'''

ANSWER = {
    "next": "abc=",
    "theses": [
        {"number": 7, "version": 1, "name": "Sleep of <i>glass</i> sponges &amp; others",
         "by": "Silva, Ana; Chen, Bo", "doi": "10.5555/theses.7", "handed_in": "3 Nov 2026",
         "abstract": "They sleep for $\\sqrt{2}$ hours."},
        {"number": 8, "version": 2, "name": "Whales that hum in the cold sea", "by": "Chen, Bo",
         "handed_in": "2 Nov 2026"},
        {"number": 9, "version": 1, "name": "", "by": "Nobody", "handed_in": ""},
    ],
}  # fmt: skip

TEST = '''"""Theses; every one here is invented."""

from datetime import date
from pathlib import Path

from service.sources.theses import Theses

ANSWER = Path(__file__).parents[2] / "golden" / "theses" / "papers.json"


def test_pages_and_papers() -> None:
    made = Theses()
    (request,) = made.requests({"faculty": "physics"}, today=date(2026, 11, 3))
    parsed = made.parse(ANSWER.read_bytes())
    following = made.next_page(request, parsed)
    assert following is not None
    assert following.url == "https://api.theses.example/search?faculty=physics&cursor=abc%3D"
    assert [problem.what for problem in parsed.problems] == ["it has no title"]
    assert [sighting.is_replacement for sighting in parsed.sightings] == [False, True]
'''


class Copy:
    """What a contributor has: a checkout with its environment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for part in PARTS:
            shutil.copytree(
                ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__")
            )
        (folder / "tests/unit/sources").mkdir(parents=True)
        for name in (*FILES, "tests/conftest.py", *(f"tests/unit/sources/{x}" for x in TESTS)):
            shutil.copy2(ROOT / name, folder / name)
        (folder / ".venv").symlink_to(sys.prefix)

    def run(self, command: str) -> str:
        """Run one line of the recipe as it stands; returns what it printed."""
        # nothing is installed here, whatever the age of the environment
        command = re.sub(r"^make ", "make -o .venv/.dev ", command)
        env = {**os.environ, "PAPERPOST_DATA_DIR": str(self.folder / "var")}
        done = subprocess.run(
            ["sh", "-c", command], cwd=self.folder, env=env, capture_output=True, text=True,
            check=False, timeout=100,
        )  # fmt: skip
        said = f"{command}\n{done.stdout}{done.stderr}"
        is_told = " ingest " in command and "1 not taken" in done.stdout  # the broken item
        assert done.returncode == (1 if is_told else 0), said
        return done.stdout

    def files(self) -> dict[str, bytes]:
        places = (p for p in self.folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
        named = {p.relative_to(self.folder).as_posix(): p for p in places}
        return {
            name: p.read_bytes() for name, p in named.items() if not name.startswith(("var", "."))
        }


def recipe() -> list[str]:
    """The commands of the recipe in CONTRIBUTING.md, in order, for our kind."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    section = text[text.index("**A new source.**") : text.index("**A new mail.**")]
    return [
        line.replace("NAME", KIND).replace("WORD", "sponges")
        for line in re.findall(r"^ {7}(\S.*)$", section, re.M)
    ]


# Runs ten programs one after the other.
@pytest.mark.slow
@pytest.mark.skipif(shutil.which("make") is None, reason="make is not on PATH")
@pytest.mark.timeout(300)
def test_the_recipe_gives_a_source_with_one_line_elsewhere(tmp_path: Path) -> None:
    copy = Copy(tmp_path / "checkout")
    new, try_it, golden, tests, ingest, look, page = recipe()
    before = copy.files()

    line = next(row for row in copy.run(new).splitlines() if row.strip().startswith(f'"{KIND}:'))
    registry = copy.folder / "service/sources/registry.py"
    text = registry.read_text("utf-8")
    registry.write_text(text.replace("_CLASSES = (\n", f"_CLASSES = (\n{line}\n"), "utf-8")
    assert "1 paper, 1 problem" in copy.run(try_it)
    assert f"tests/golden/{KIND}/papers.expected.json" in copy.run(golden)
    assert "passed" in copy.run(tests)

    answer = copy.folder / f"tests/golden/{KIND}/papers.json"
    answer.write_text(json.dumps(ANSWER), "utf-8")
    (copy.folder / f"service/sources/{KIND}.py").write_text(ADAPTER, "utf-8")
    (copy.folder / f"tests/unit/sources/test_{KIND}.py").write_text(TEST, "utf-8")
    assert "3 items, 2 papers, 1 problem" in copy.run(try_it)
    assert f"tests/golden/{KIND}/papers.expected.json" in copy.run(golden)
    expected = json.loads(answer.with_name("papers.expected.json").read_text("utf-8"))
    assert expected["papers"][0]["title"] == "Sleep of glass sponges & others"
    assert expected["papers"][0]["authors"] == ["Ana Silva", "Bo Chen"]
    assert "No golden changed" in copy.run(golden)
    assert "passed" in copy.run(tests)
    assert "3 items: 1 new, 1 known" in copy.run(ingest)
    assert "Sleep of glass sponges" in copy.run(look)
    copy.run(page)
    assert f"## {KIND}" in (copy.folder / "docs/sources.md").read_text("utf-8")

    after = copy.files()
    made = {name for name in after if name not in before}
    changed = {name for name in before if after[name] != before[name]}
    assert made == {
        f"service/sources/{KIND}.py", f"tests/unit/sources/test_{KIND}.py",
        f"tests/golden/{KIND}/papers.json", f"tests/golden/{KIND}/papers.expected.json",
    }  # fmt: skip
    assert changed == {"service/sources/registry.py", "docs/sources.md"}
