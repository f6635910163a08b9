"""The figures of all books as the table of docs/reliability.md.

``python -m support.storm.report`` writes it between the two marks of that page. Figures are those
of the books (bench/results/faults), nothing is typed by hand. A campaign that has no book has a row
that says so.
"""

from typing import Any

from support.storm.book import RESULTS, ROOT
from support.storm.checker import bound
from support.storm.parts import PARTS

from bench.measured.process import kept

PAGE = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"
LEAST = 10
"""With fewer trials 3/N says nothing."""

WORDS = {"commits_lost": "COMMITs lost", "acts": "left or erased"}
BESIDE = {
    "misclassified": "misclassified", "begun_afterwards": "bodies begun afterwards",
    "handed_on_twice_by_postfix": "handed on twice by Postfix", "hung": "hung",
    "stood_on_the_lock": "with SQLite's lock in hand",
}  # fmt: skip
"""Further figures that are promises of their own, or say what a campaign met."""

HEAD = (
    "| storm | database | trials, of wanted | mails | lost | doubled | held (had arrived)"
    " | resolved | beside | 3/N per trial, per mail | recovery | minutes | on, at |\n"
    + "| --- " * 13
    + "|\n"
)


def rarer(facts: dict[str, Any]) -> str:
    """3/N for trials and for mails; a campaign in which something was broken has none."""
    sums = facts["sums"]
    if facts["breaches"]:
        return "—"
    many = (sums.get(facts["trial"], 0), sums.get("mails", 0))
    return ", ".join(f"{bound(int(n)):.2g}" for n in many if n >= LEAST) or "—"


def figure(sums: dict[str, Any], name: str) -> str:
    """ "—" = a storm that does not count it."""
    return f"{int(sums[name]):,}" if name in sums else "—"


def line(name: str, database: str, facts: dict[str, Any]) -> str:
    """One row; facts {}, or of the shape before the rounds: nothing was run."""
    if not facts.get("runs") or "sums" not in facts:
        return f"| {name} | {database} | 0 |" + " |" * 10 + "\n"
    sums, peaks = facts["sums"], facts["peaks"]
    word = WORDS.get(facts["trial"], facts["trial"])
    trials = f"{facts['done']} of {facts['wanted']}"
    counted = int(sums.get(facts["trial"], 0))
    trials += f" {word}" if counted == facts["done"] else f" sends, {counted} {word}"
    held = figure(sums, "held")
    arrived = f" ({figure(sums, 'held_had_arrived')})" if held.strip("0—") else ""
    beside = [f"{int(sums[key])} {words}" for key, words in BESIDE.items() if key in sums]
    recovery = f"{peaks['recovery_s']:.1f} s" if "recovery_s" in peaks else ""
    last = facts["runs"][-1]
    minutes = sum(run.get("minutes", 0) for run in facts["runs"])
    cells = [
        name, database, trials, figure(sums, "mails"), figure(sums, "lost"),
        figure(sums, "doubled"), f"{held}{arrived}", figure(sums, "resolved"), ", ".join(beside),
        rarer(facts), recovery, f"{minutes:.0f}", f"{last['on']}, {last['commit']}",
    ]  # fmt: skip
    return "| " + " | ".join(cells) + " |\n"


def told(name: str, database: str, facts: dict[str, Any]) -> str:
    """The same in words, for whoever waits for it; and what was broken."""
    sums = facts["sums"]
    said = [f"{figure(sums, key)} {key}" for key in ("lost", "doubled", "held", "resolved")]
    words = f"{name} {database}: {facts['done']} of {facts['wanted']}; {', '.join(said)}"
    words += f"; {len(facts['breaches'])} breaches\n  {sums | facts['peaks']}\n"
    return words + "".join(f"  broken: {case}\n" for case in facts["breaches"][:20])


def table() -> str:
    """All campaigns, in their order."""
    rows = [
        line(name, database, kept(RESULTS / f"{name}-{database}.json"))
        for name, part in PARTS.items()
        for database in part.databases
    ]
    return HEAD + "".join(rows)


def main() -> None:
    """Put the table into the page."""
    text = PAGE.read_text("utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n{table()}{END}{after}", "utf-8")


if __name__ == "__main__":
    main()
