"""The figures of all books as the table of docs/reliability.md.

``python -m support.storm.report`` writes it between the two marks of that page. Figures are those
of the books (bench/results/faults), nothing is typed by hand.
"""

from typing import Any

from support.storm.book import RESULTS, ROOT
from support.storm.checker import bound

from bench.measured.process import kept

PAGE = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"
TRIALS = ("kills", "points", "stops", "commits_lost", "starts", "restarts", "locks", "sends")
LEAST = 10
"""With fewer trials 3/N says nothing."""

ORDER = ("kills", "points", "answers", "stops", "senders", "schedulers", "clock", "leaving",
         "restarts", "commits", "locked", "full", "eio", "postfix")  # fmt: skip
HEAD = (
    "| storm | database | trials | mails | lost | doubled | held (had arrived) | carried"
    " | 3/N per trial, per mail | recovery | on, at |\n" + "| --- " * 11 + "|\n"
)


def line(name: str, database: str, book: dict[str, Any]) -> str:
    """One row."""
    totals = book["totals"]
    kind = next((kind for kind in TRIALS if kind in totals), "")
    many = int(totals.get(kind, 0) or totals.get("left", 0) + totals.get("erased", 0))
    kind = kind or ("left" if "left" in totals else "")
    word = {"left": "leaving, erased", "commits_lost": "COMMITs lost"}.get(kind, kind)
    mails = int(totals.get("mails", 0))
    lost, doubled = int(totals.get("lost", 0)), int(totals.get("doubled", 0))
    rare = "—"
    if not lost and not doubled:
        rare = ", ".join(f"{bound(n):.2g}" for n in (many, mails) if n >= LEAST) or "—"
    last = book["runs"][-1]
    recovery = f"{totals['recovery_s']:.1f} s" if "recovery_s" in totals else ""
    held, arrived = int(totals.get("held", 0)), int(totals.get("held_had_arrived", 0))
    cells = [
        name, database, f"{many} {word}" if many else f"{int(book['done'])} rounds", f"{mails:,}",
        str(lost), str(doubled), f"{held} ({arrived})" if held else "0",
        str(int(totals.get("carried", 0))), rare, recovery, f"{last['on']}, {last['commit']}",
    ]  # fmt: skip
    return "| " + " | ".join(cells) + " |\n"


def table() -> str:
    """All books that are there, in the order of the parts."""
    rows = []
    for name in ORDER:
        for database in ("sqlite", "postgres"):
            book = kept(RESULTS / f"{name}-{database}.json")
            if book:
                rows.append(line(name, database, book))
    return HEAD + "".join(rows)


def main() -> None:
    """Put the table into the page."""
    text = PAGE.read_text("utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n{table()}{END}{after}", "utf-8")


if __name__ == "__main__":
    main()
