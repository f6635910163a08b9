"""How real reports are read: confusion matrix and reasons over the captured collections.

``make bounces`` (``python -m support.bounce_matrix``; two seconds) writes docs/bounces.md between
its marks. Sisimai's files carry its own label (reason and whether it is a hard bounce).
flufl.bounce only says which addresses are in a file and calls a full mailbox, a time that was over
and a policy permanent; so here each of its files is labelled by what stands in it (``FLUFL``).
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from support.captures import shared_data

from service.reports.model import Kind, Read, Report
from service.reports.read import read_report

CLASSES = ("hard", "soft", "policy", "not a bounce")

LABELS = {
    **dict.fromkeys(("userunknown", "hostunknown", "hasmoved", "notaccept"), "hard"),
    **dict.fromkeys(("delivered", "vacation", "feedback"), "not a bounce"),
    **dict.fromkeys(
        (
            *("authfailure", "badreputation", "blocked", "failedstarttls", "norelaying"),
            *("policyviolation", "rejected", "requireptr", "securityerror", "speeding"),
            *("toomanyconn", "contenterror", "exceedlimit", "mesgtoobig", "notcompliantrfc"),
            *("spamdetected", "virusdetected"),
        ),
        "policy",
    ),
}
"""Sisimai's reasons: what they are here; those not named are soft. Content counts as policy: both
are the sender's to mend."""

KINDS = {
    Kind.HARD: "hard",
    Kind.SOFT: "soft",
    Kind.POLICY: "policy",
    Kind.CONTENT: "policy",
}
"""Kinds that are a class of the matrix; the others are no bounce."""

FLUFL = {
    **dict.fromkeys(
        (
            *("dsn_11", "dsn_14", "exim_01", "microsoft_01", "microsoft_04", "postfix_01"),
            *("qmail_05", "simple_05", "simple_08", "simple_11", "simple_23", "simple_26"),
            *("simple_29", "smtp32_04", "smtp32_07"),
        ),
        "hard",
    ),
    **dict.fromkeys(("groupwise_03", "qmail_08"), "not a bounce"),
}
"""flufl.bounce's files by what stands in them; those not named are soft: full mailboxes, accounts
switched off, time that was over, and refusals that say no cause."""


WHY = {
    "sisimai/lhost-exim-37.eml": "the host that does not exist is the sender's, not the reader's",
    "sisimai/lhost-postfix-59.eml": "one mailbox gets too much; that is not our pace",
    "sisimai/rhost-nttdocomo-03.eml": "an unknown user after the body, whom RCPT had accepted",
    "sisimai_not/rb-issue-368-bug.eml": "it is one: a full mailbox",
    "flufl/simple_05.txt": "words alone: neither a status nor that RCPT was answered",
}
"""Why a file is read otherwise than labelled."""


@dataclass(frozen=True)
class Case:
    """One recipient of one file. collection: "sisimai" or "flufl" · label: the collection's word ·
    wanted, got: classes · form: what told it."""

    file: str
    collection: str
    label: str
    wanted: str
    got: str
    report: Report
    form: str


@cache
def _read(file: Path) -> Read:
    return read_report(file.read_bytes())


def cases(shared: Path) -> Iterator[Case]:
    """Every labelled recipient; what a file says of the same recipient twice counts once."""
    folder = shared / "bounces"
    for line in (folder / "expected.jsonl").read_text().splitlines():
        entry = json.loads(line)
        read = _read(folder / entry["file"])
        reports = read.reports
        collection, name = entry["file"].split("/")
        labels = [one["reason"] for one in entry.get("expected", [])] or ["none"]
        if collection == "flufl":
            wanted = FLUFL.get(name.removesuffix(".txt"), "soft")
            labels = [wanted] * len(reports)
        for label, report in zip(labels, reports, strict=False):
            wanted = label if collection == "flufl" else _wanted(label)
            got = KINDS.get(report.kind, "not a bounce")
            yield Case(entry["file"], collection, label, wanted, got, report, read.form)


def _wanted(label: str) -> str:
    return "not a bounce" if label == "none" else LABELS.get(label, "soft")


def addresses(shared: Path) -> tuple[int, int]:
    """Files of flufl.bounce's in which the same recipients were found, of all."""
    right = total = 0
    folder = shared / "bounces"
    for line in (folder / "expected.jsonl").read_text().splitlines():
        entry = json.loads(line)
        if "expected_addresses" not in entry:
            continue
        named = entry["expected_addresses"]
        wanted = {one.lower() for one in (*named["temporary"], *named["permanent"])}
        read = _read(folder / entry["file"])
        is_bounce = any(one.kind in KINDS for one in read.reports)
        got = {one.recipient.lower() for one in read.reports if is_bounce}
        right += wanted == got
        total += 1
    return right, total


def hard(found: list[Case]) -> tuple[float, float]:
    """Precision and recall of hard."""
    right = sum(one.wanted == one.got == "hard" for one in found)
    said = sum(one.got == "hard" for one in found)
    there = sum(one.wanted == "hard" for one in found)
    return right / (said or 1), right / (there or 1)


def lines(shared: Path) -> Iterator[str]:
    """The figures as markdown."""
    found = list(cases(shared))
    for collection in ("sisimai", "flufl"):
        part = [one for one in found if one.collection.startswith(collection)]
        precision, recall = hard(part)
        files = len({one.file for one in part})
        yield f"**{collection}**: {files} files, {len(part)} recipients. *hard*: precision "
        yield f"{precision:.1%}, recall {recall:.1%}. Rows: as labelled; columns: as read."
        yield ""
        yield from _matrix(part)
    right, total = addresses(shared)
    yield "flufl.bounce itself only says which addresses are in a file, and calls a full mailbox, a"
    yield "time that was over and a refusal by policy permanent. So its files are labelled here by"
    yield "what stands in them (`tests/support/bounce_matrix.py`): hard where the text says that"
    yield "nobody has the mailbox, else soft."
    yield f"The same addresses were found in {right} of {total} files."
    yield ""
    yield "By form, both collections:"
    yield ""
    yield "| form | recipients | class as labelled | hard read / labelled / both |"
    yield "| --- | ---: | ---: | ---: |"
    for form in sorted({_family(one.form) for one in found}):
        part = [one for one in found if _family(one.form) == form]
        as_labelled = sum(one.wanted == one.got for one in part)
        both = sum(one.wanted == one.got == "hard" for one in part)
        said = sum(one.got == "hard" for one in part)
        there = sum(one.wanted == "hard" for one in part)
        yield f"| {form} | {len(part)} | {as_labelled} | {said} / {there} / {both} |"
    yield ""
    yield "Reasons: sisimai's, and what they were read as:"
    yield ""
    yield "| sisimai | here |"
    yield "| --- | --- |"
    labelled = [one for one in found if one.collection.startswith("sisimai")]
    for label in sorted({one.label for one in labelled}):
        read = Counter(one.report.reason for one in labelled if one.label == label)
        yield f"| {label} | {', '.join(f'{word} {count}' for word, count in read.most_common())} |"
    yield ""
    yield "Read otherwise than labelled:"
    yield ""
    yield "| file | labelled | read | why |"
    yield "| --- | --- | --- | --- |"
    for one in found:
        if one.wanted != one.got:
            labelled_as, why = f"{one.wanted} ({one.label})", WHY.get(one.file, "")
            read_as = f"{one.report.kind}, {one.report.reason}"
            yield f"| {one.file} | {labelled_as} | {read_as} | {why} |"


def _family(form: str) -> str:
    """What a form belongs to: "body:line" and "text" are texts for people."""
    if form.startswith("body:") or form == "text":
        return "text for people"
    return form.partition(":")[0] or "letter"


def _matrix(found: list[Case]) -> Iterator[str]:
    count = Counter((one.wanted, one.got) for one in found)
    yield f"| | {' | '.join(CLASSES)} |"
    yield "| --- |" + " ---: |" * len(CLASSES)
    for wanted in CLASSES:
        yield f"| {wanted} | {' | '.join(str(count[wanted, got]) for got in CLASSES)} |"
    yield ""


BEGIN, END = "<!-- figures -->\n", "<!-- end of figures -->"


def main() -> int:
    """Write the page's figures; 1 where the collections are not here."""
    shared = shared_data()
    page = Path(__file__).parents[2] / "docs" / "bounces.md"
    before, _, rest = page.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    text = "\n".join(lines(shared))
    page.write_text(f"{before}{BEGIN}\n{text}\n\n{END}{after}")
    precision, recall = hard(list(cases(shared)))
    print(
        f"docs/bounces.md: hard, both collections: precision {precision:.1%}, recall {recall:.1%}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
