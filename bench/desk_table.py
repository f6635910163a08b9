"""The table of "How fast it is" in docs/admin.md, from ``results/desk.json``.

Run from the checkout: ``PYTHONPATH=.:tests python -m bench.desk_table`` prints it; with
``--write`` it goes into the guide, between the two lines that mark its place. ``--cpu`` tells the
processor time of this process (half of the requests took no more) in place of what 95 of 100
took on the clock: for a machine that others share, and for SQLite alone.
"""

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.captured.papers import RESULTS
from bench.measured.process import kept

FILE = RESULTS / "desk.json"
GUIDE = Path(__file__).resolve().parents[1] / "docs" / "admin.md"
BEGIN, END = "<!-- bench.desk_table -->", "<!-- end of bench.desk_table -->"

ROWS: Sequence[tuple[str, str, int | None]] = (
    ("overview", "overview$", 500),
    ("overview, the part that refreshes itself", "overview, the", 500),
    ("editions: pages, kinds, states, orders, days, words", "editions: ", 300),
    ("an edition under way; done; by hand", "edition (under way|of yesterday|by hand)", 300),
    ("deliveries: first, middle, last page; by state; by edition",
     "deliveries: (all|of an edition|under way|accepted|skipped|failed|expired|deferred|ready"
     "|suppressed|presumed|held|planned)", 300),
    ("deliveries by address; by domain; by day or week",
     "deliveries: (address|no such|domain|large|refused of|today|a week|edition and)", 300),
    ("deliveries by the server's words; by meaning", "deliveries: (words|meaning)", 300),
    ("deliveries in another order", "deliveries: order", 300),
    ("one delivery, its mail; held in bulk; pace",
     "delivery|held in bulk|pace", 300),
    ("refused and put off by what it means", "groups of", 300),
    ("readers: pages, states, orders, tags, filters",
     "readers: (?!words|no such)|act on readers of", 300),
    ("readers by words", "readers: (words|no such)|act on readers found|find a reader", 300),
    ("one reader's story, interests, preview", "reader(,|$)", 300),
    ("what came back; rates of 7, 30, 90 days", "bounces: |rates|review|a mail that|its text", 300),
    ("acts; suppressions; imports; tags; proposals; calls to programs",
     "audit: |suppressions: |imports: |tags: |submissions: |webhooks|an import|import$", 300),
    ("papers of a day; found; one paper; two side by side", "paper|join two", 300),
    ("sources, one source, what each brings", "source|add a source", 300),
    ("interests: terms, lists; words tried", "interests|try words", 300),
    ("settings, staff, tokens, topics, alarms",
     "setting|a setting|staff|one of the staff|tokens|topics|a topic|add a topic|alarms|own account"
     "|instance|compose", 300),
    ("the checks before a send, and before sending again: each reader anew", "check|resend", None),
)  # fmt: skip
"""(what, which names of ``desk_pages``, its goal in ms)."""


def lines(figures: Mapping[str, Any], *, cpu: bool = False) -> Iterator[str]:
    """The table and that of exports. Raises SystemExit: a page that stands in no row."""
    known = ("sqlite",) if cpu else ("sqlite", "postgresql")
    key = "cpu" if cpu else "p95"
    databases = [name for name in known if figures.get(name, {}).get("pages")]
    heads = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
    title = "processor time, ms" if cpu else "95 of 100 within, ms"
    yield f"| {title} | {' | '.join(heads[d] for d in databases)} | goal |"
    yield "| --- |" + " --- |" * (len(databases) + 1)
    told: set[str] = set()
    for what, pattern, goal in ROWS:
        cells = []
        for name in databases:
            pages = figures[name]["pages"]
            mine = {p: f[key] for p, f in pages.items() if re.match(pattern, p) and key in f}
            told |= mine.keys()
            low, high = min(mine.values(), default=0), max(mine.values(), default=0)
            cells.append(f"{low}-{high}" if low < high else f"{high}")
        yield f"| {what} | {' | '.join(cells)} | {goal or '-'} |"
    left = {p for d in databases for p in figures[d]["pages"]} - told
    if left:
        sys.exit(f"In no row of the table: {', '.join(sorted(left))}")
    yield ""
    yield f"| export | rows | {' | '.join(f'{heads[d]}: s; MB more' for d in databases)} |"
    yield "| --- |" + " --- |" * (len(databases) + 1)
    names = dict.fromkeys(e for d in databases for e in figures[d]["exports"])
    for export in names:
        found = [figures[d]["exports"].get(export, {}) for d in databases]
        rows = next((f"{f['rows']:,}" for f in found if "rows" in f), "-")
        cells = [f"{f['seconds']}; {f['rose_mb']}" if "rows" in f else "-" for f in found]
        yield f"| {export} | {rows} | {' | '.join(cells)} |"
    yield ""
    for name in databases:
        of = figures[name]["measured"]
        yield f"{heads[name]}: {of['on']}, load {of['load']} on {of['cores']} cores ({of['cpu']})."


def main(argv: Sequence[str]) -> None:
    """As the first lines say."""
    table = "\n".join(lines(kept(FILE), cpu="--cpu" in argv))
    if "--write" not in argv:
        sys.stdout.write(table + "\n")
        return
    text = GUIDE.read_text("utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    GUIDE.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
