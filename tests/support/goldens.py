"""Goldens of the sources: what every capture gives, written down. ``make golden`` rewrites them.

- ``tests/golden/KIND/*``: captures with invented papers, each with ``NAME.expected.json``, every
  field of every paper. A kind is found by its folder; a date at the start of a capture's name is
  the list day that was asked for.
- ``tests/golden/captures.json``: of every real capture (beside the checkout), fetched over HTTP and
  read by the parse pool, only counts: items, papers, problems, per cent of the papers with a field.
- ``tests/golden/tex.json``: how the TeX of the captures reads (``support.tex_table``).
"""

import asyncio
import difflib
import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import MISSING, fields
from datetime import UTC, date, datetime
from itertools import combinations
from pathlib import Path
from typing import Any

from support.web_site import WebSite

from service.papers.identity import is_same
from service.papers.model import Paper, Sighting
from service.sources.adapter import CaptureError, Parsed
from service.sources.describe import filled
from service.sources.fetch import Fetcher
from service.sources.outcome import Fetched
from service.sources.parse_pool import ParsePool
from service.sources.registry import ADAPTERS, adapter

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
SUMMARY = GOLDEN / "captures.json"
EXPECTED = ".expected.json"
_DAY = re.compile(r"^(\d{4}-\d{2}-\d{2})")
_KINDS = (
    ("feeds/arxiv_rss20/*", "arxiv_rss"), ("feeds/arxiv_atom/*", "arxiv_rss"),
    ("feeds/arxiv_api/*", "arxiv_api"), ("feeds/biorxiv/api_details*", "biorxiv"),
    ("feeds/*/*/pubmed.ncbi*", "pubmed"), ("hf_daily/*", "hf_daily"),
)  # fmt: skip
"""Captures of a kind of their own; all others are feeds."""

_WEAK = ("guid", "link", "fingerprint")


def cases() -> list[Path]:
    """The captures with invented papers, in order."""
    return [
        path
        for path in sorted(GOLDEN.glob("*/*"))
        if path.is_file() and not path.name.endswith((EXPECTED, ".md"))
    ]


def expected_of(case: Path) -> Path:
    return case.with_name(case.stem + EXPECTED)


def read_case(case: Path) -> dict[str, Any]:
    """Everything that a capture gives; a refusal in its own words."""
    return _asked(case.parent.name, case.read_bytes(), _day_of(case), shown)


def _asked(
    kind: str, body: bytes, day: date | None, tell: Callable[[Parsed], dict[str, Any]]
) -> dict[str, Any]:
    try:
        return tell(adapter(kind).parse(body, day=day))
    except CaptureError as fault:
        return {"refused": fault.what, "where": fault.where}


def _day_of(path: Path) -> date | None:
    found = _DAY.match(path.name)
    return date.fromisoformat(found[1]) if found else None


def shown(parsed: Parsed) -> dict[str, Any]:
    """An answer as JSON: what is empty is left out, but named."""
    told = {
        "title": parsed.title, "items": parsed.items, "built_at": parsed.built_at,
        "hint_seconds": parsed.hint_seconds, "total": parsed.total, "is_cut": parsed.is_cut,
        "problems": [f"{p.item}: {p.title} - {p.what}" for p in parsed.problems],
    }  # fmt: skip
    papers = [_shown(sighting) for sighting in parsed.sightings]
    return {**{name: _plain(value) for name, value in told.items() if value}, "papers": papers}


def _shown(sighting: Sighting) -> dict[str, Any]:
    paper = sighting.paper
    told: dict[str, Any] = {}
    empty: list[str] = []
    for value, kind in ((paper, Paper), (sighting, Sighting)):
        for field in fields(kind):
            if field.name in ("id", "paper"):
                continue
            found = getattr(value, field.name)
            default = field.default_factory() if callable(field.default_factory) else field.default
            if default is not MISSING and found == default:
                empty += [field.name] if field.name != "latest_on" else []
            else:
                told[field.name] = _plain(found)
    told["aliases"] = [f"{alias.scheme}:{alias.value}" for alias in paper.aliases]
    return {**told, "empty": empty}


def _plain(value: Any) -> Any:
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return dict(value) if hasattr(value, "items") else value


def real_captures(root: Path) -> list[tuple[str, str]]:
    """Path below ``root`` and kind of every real capture."""
    paths = [*(root / "feeds").rglob("*"), *(root / "hf_daily").glob("*.json")]
    names = (path.relative_to(root) for path in paths if path.is_file() and path.suffix != ".md")
    return [(name.as_posix(), _kind_of(name)) for name in sorted(names)]


def _kind_of(name: Path) -> str:
    found = (kind for pattern, kind in _KINDS if name.match(pattern))
    return next((kind for kind in found if kind in ADAPTERS), "feed")


def row(kind: str, parsed: Parsed) -> dict[str, Any]:
    """The line of the summary: counts only, never a publisher's text."""
    told: dict[str, Any] = {"kind": kind, "items": parsed.items, "papers": len(parsed.sightings)}
    problems = Counter(problem.what for problem in parsed.problems)
    if problems:
        told["problems"] = dict(sorted(problems.items()))
    told["filled"] = {line.field: line.percent for line in filled(parsed) if line.filled}
    return told


def read_row(root: Path, name: str, kind: str) -> dict[str, Any]:
    """The same without fetcher and pool, for a quick look."""
    path = root / name
    found = _asked(kind, path.read_bytes(), _day_of(path), lambda parsed: row(kind, parsed))
    return {"kind": kind, "refused": found["refused"]} if "refused" in found else found


async def summary(root: Path, names: Sequence[tuple[str, str]]) -> tuple[dict[str, Any], str]:
    """Every capture over HTTP and through the parse pool: the summary, and a table with seconds."""
    rows: dict[str, Any] = {}
    papers: list[tuple[str, str, Paper]] = []
    lines: list[str] = []
    with WebSite() as site, ParsePool() as pool:
        fetcher = Fetcher("Paperpost goldens", clock=lambda: datetime.now(UTC), allow_private=True)
        async with fetcher:
            for number, (name, kind) in enumerate(names):
                site.at[f"/{number}"] = (200, {}, (root / name).read_bytes())
                began = time.perf_counter()
                outcome = await fetcher.fetch(f"{site.base}/{number}")
                assert isinstance(outcome, Fetched), f"{name}: {outcome}"
                try:
                    parsed = await asyncio.to_thread(
                        pool.parse, kind, outcome.body, day=_day_of(root / name)
                    )
                    rows[name] = row(kind, parsed)
                    papers += [(name, kind, sighting.paper) for sighting in parsed.sightings]
                except CaptureError as fault:
                    rows[name] = {"kind": kind, "refused": fault.what}
                lines.append(_line(name, rows[name], time.perf_counter() - began))
    return {"captures": rows, "twins": twins(papers)}, "\n".join(lines)


def _line(name: str, told: dict[str, Any], seconds: float) -> str:
    if "refused" in told:
        return f"{seconds:6.2f} s  {told['kind']:<10} refused: {told['refused']}  {name}"
    problems = sum(told.get("problems", {}).values())
    return (
        f"{seconds:6.2f} s  {told['kind']:<10} {told['items']:>4} items {told['papers']:>4} papers"
        f" {problems:>2} problems {len(told['filled']):>3} fields  {name}"
    )


def twins(papers: Sequence[tuple[str, str, Paper]]) -> dict[str, Any]:
    """How many works the papers of all files are, joined by the names they share as the store
    joins them: one name in common, and no two different ids of one trusted scheme."""
    works: list[dict[str, Any]] = []
    by_name: dict[str, int] = {}
    joined_by: Counter[str] = Counter()
    apart = 0
    for file, kind, paper in papers:
        names = [f"{alias.scheme}:{alias.value}" for alias in paper.aliases]
        home = None
        for alias, name in zip(paper.aliases, names, strict=True):
            at = by_name.get(name)
            if at is None:
                continue
            if is_same(works[at]["aliases"], paper.aliases):
                home = at
                joined_by[alias.scheme] += 1
                break
            apart += alias.scheme in _WEAK
        if home is None:
            home = len(works)
            works.append({"aliases": [], "files": set(), "kinds": set()})
        work = works[home]
        work["aliases"] = list(dict.fromkeys((*work["aliases"], *paper.aliases)))
        work["files"].add(file)
        work["kinds"].add(kind)
        for name in names:
            by_name.setdefault(name, home)
    pairs = Counter(
        " + ".join(pair) for work in works for pair in combinations(sorted(work["kinds"]), 2)
    )
    return {
        "papers_read": len(papers),
        "works": len(works),
        "works_in_several_files": sum(len(work["files"]) > 1 for work in works),
        "works_of_two_kinds": dict(sorted(pairs.items())),
        "joined_by": dict(sorted(joined_by.items())),
        "kept_apart_by_a_trusted_name": apart,
    }


def written(summary: dict[str, Any]) -> str:
    """The summary as JSON with one line a file, so that a change is one line."""
    rows = ",\n".join(
        f"  {json.dumps(name)}: {json.dumps(told)}" for name, told in summary["captures"].items()
    )
    rest = json.dumps(summary["twins"], indent=1).replace("\n", "\n ")
    return f'{{\n "twins": {rest},\n "captures": {{\n{rows}\n }}\n}}\n'


def write(path: Path, text: str) -> str:
    """Write a golden; return a line of what changed, ``""`` when nothing did."""
    before = path.read_text("utf-8") if path.exists() else ""
    if before == text:
        return ""
    path.write_text(text, "utf-8")
    changes = list(difflib.unified_diff(before.splitlines(), text.splitlines(), n=0))[2:]
    more = sum(line.startswith("+") for line in changes)
    less = sum(line.startswith("-") for line in changes)
    return f" {path.relative_to(GOLDEN.parents[1]).as_posix()} | +{more} -{less}"


def rewritten() -> Iterator[str]:
    """Rewrite what the cases give; yield a line for each file that changed."""
    for case in cases():
        text = json.dumps(read_case(case), indent=1, ensure_ascii=False) + "\n"
        yield write(expected_of(case), text)
    for left in sorted(GOLDEN.glob(f"*/*{EXPECTED}")):
        if not any(expected_of(case) == left for case in cases()):
            left.unlink()
            yield f" {left.relative_to(GOLDEN.parents[1]).as_posix()} | removed with its capture"


def main() -> None:
    from support import tex_table

    changed = [line for line in rewritten() if line]
    root = GOLDEN.parents[1].parent / "shared" / "data"
    changed += tex_table.rewritten(root)
    if root.is_dir():
        began = time.perf_counter()
        told, table = asyncio.run(summary(root, real_captures(root)))
        print(table)
        print(f"{len(told['captures'])} captures in {time.perf_counter() - began:.1f} s")
        print(json.dumps(told["twins"]))
        changed += [line for line in [write(SUMMARY, written(told))] if line]
    else:
        print("The real captures are not beside this checkout; captures.json stays as it is.")
    print("\n".join(["Goldens that changed:", *changed]) if changed else "No golden changed.")


if __name__ == "__main__":
    main()
