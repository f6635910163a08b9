"""Three programs read 5,000 rendered mails: do they all read the same?

Run from the checkout, with npm's mailparser installed in some folder: ``make parsers``
(``ARGS="500 again"``: so many mails, and forget what was done); NODE_PATH names its node_modules.

Each captured day of arXiv and Hugging Face is a house of its own: readers of all 226 real lists, in
English and German, HTML and text alone, get its digests through the product's flows and SMTP; each
other kind of mail comes beside them, with naughty strings in it. Each day is kept in
bench/results/parsers.json when it is done, and the next run goes on from there. Ends with 1 when a
reading differed or a mail broke a rule.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import date
from pathlib import Path

from support.mail_reading import (
    Reading,
    bad_bytes,
    by_mail_parser,
    by_node,
    by_python,
    differing,
    in_order,
    same_words,
)
from support.real_mails import Taken, mails_of, other_mails

from bench.campaigns.sweep import head
from bench.captured.papers import CAPTURES, RESULTS, arxiv_rows, keyword_lists
from bench.measured.process import Figures, keep, kept, machine
from service.delivery import template_samples
from service.delivery.i18n import Catalogs
from service.delivery.plain import one_line
from service.delivery.render import Renderer
from service.resources import resource_dir

SEED = 20261121
MAILS = 5_000
MOST_SHOWN = 30
RESULT = RESULTS / "parsers.json"
READER = Path(__file__).with_name("read_mails.mjs")
WIDEST_WORD = 200


def fresh() -> Figures:
    """A campaign of which nothing is done."""
    return {
        "what": "226 real lists in en and de, HTML and text alone, and every other kind: headers "
        "once each, List-Unsubscribe plain, lines <= 998, CRLF, parts in order, same subject, "
        "people, date, id and texts",
        "readers": versions(),
        "command": "NODE_PATH=... make parsers",
        "seed": SEED,
        "days": [],
        "mails": 0,
        "kinds": {},
        "bytes": 0,
        "longest_line": 0,
        "base64_parts": 0,
        "differing": 0,
        "broken": 0,
        "cases": [],
        "runs": [],
    }


def versions() -> dict[str, str]:
    """What reads: Python's own, and the two that are installed beside."""
    from importlib.metadata import version

    package = Path(os.environ["NODE_PATH"]) / "mailparser" / "package.json"
    node = subprocess.run(["node", "--version"], check=True, capture_output=True, text=True)
    return {
        "python email": sys.version.split()[0],
        "mail-parser": version("mail-parser"),
        "mailparser": f"{json.loads(package.read_text())['version']} (node {node.stdout.strip()})",
    }


def days() -> list[date]:
    """The weekdays that arXiv's capture has papers of, the newest first."""
    listed = {date.fromisoformat(row["listed"]) for row in arxiv_rows()}
    return sorted((on for on in listed if on.weekday() < 5), reverse=True)


def naughty(number: int) -> list[str]:
    """Eleven strings of the big list, others every day."""
    text = (CAPTURES / "strings" / "blns.json").read_text("utf-8")
    found = [word[:WIDEST_WORD] for word in json.loads(text) if word.strip()]
    random.Random(SEED).shuffle(found)
    at = number * 11 % len(found)
    return (found + found)[at : at + 11]


def read_by_node(folder: Path) -> dict[str, Reading]:
    """The readings of npm's mailparser, by name."""
    done = subprocess.run(
        ["node", str(READER), str(folder)], check=True, capture_output=True, text=True
    )
    return {row["name"]: by_node(row) for row in map(json.loads, done.stdout.splitlines())}


def faults_of(mail: Taken, node: Reading) -> tuple[list[str], list[str]]:
    """What the mail broke, and where the readings of it differ."""
    broken = list(bad_bytes(mail.message, of_list=mail.of_list))
    first = by_python(mail.message)
    if not in_order(first):
        broken.append(f"parts {first.parts}")
    if first.subject != one_line(first.subject):
        broken.append(f"a subject with loose spaces: {first.subject!r}")
    if mail.made is not None:
        made = mail.made
        broken += [
            f"{name} arrived otherwise"
            for name in same_words(first, made.subject, made.text, made.html)
        ]
    apart = [f"mail-parser: {name}" for name in differing(first, by_mail_parser(mail.message))]
    apart += [f"mailparser: {name}" for name in differing(first, node)]
    return broken, apart


def take(done: Figures, number: int, on: date) -> None:
    """One day: its mails, read by all three."""
    templates = resource_dir("templates")
    catalogs = Catalogs.load(templates / "locale")
    base = "https://papers.example.org"
    renderer = Renderer([templates], catalogs, template_samples.site(base, furnished=True))
    with tempfile.TemporaryDirectory() as place:
        mails = mails_of(Path(place) / "house", on, keyword_lists())
        mails += other_mails(renderer, on, naughty(number))
        folder = Path(place) / "mails"
        folder.mkdir()
        for mail in mails:
            (folder / f"{mail.name}.eml").write_bytes(mail.message)
        nodes = read_by_node(folder)
    kinds = Counter(done["kinds"])
    for mail in mails:
        broken, apart = faults_of(mail, nodes[f"{mail.name}.eml"])
        done["broken"] += bool(broken)
        done["differing"] += bool(apart)
        if (broken or apart) and len(done["cases"]) < MOST_SHOWN:
            done["cases"].append(f"{on} {mail.name}: {'; '.join(broken + apart)}")
        kinds["digest" if mail.made is None else mail.name.rpartition("-")[0]] += 1
        done["bytes"] += len(mail.message)
        longest = max(map(len, mail.message.split(b"\r\n")))
        done["longest_line"] = max(done["longest_line"], longest)
        done["base64_parts"] += mail.message.count(b"Content-Transfer-Encoding: base64")
    done["kinds"] = dict(sorted(kinds.items()))
    done["mails"] += len(mails)
    done["days"].append(on.isoformat())


def main() -> None:
    """Go on, day by day, until enough mails were read."""
    words = sys.argv[1:]
    wanted = next((int(word) for word in words if word.isdecimal()), MAILS)
    done = fresh() if "again" in words else (kept(RESULT) or fresh())
    run = {"on": date.today().isoformat(), "commit": head(), "from_mail": done["mails"]}
    done["runs"].append(run)
    for number, on in enumerate(days()):
        if done["mails"] >= wanted:
            break
        if on.isoformat() in done["days"]:
            continue
        begun = time.monotonic()
        take(done, number, on)
        run["to_mail"] = done["mails"]
        done["machine"] = machine()
        keep(RESULT, done)
        sys.stdout.write(
            f"{on}: {done['mails']} mails, {done['differing']} read otherwise, {done['broken']} "
            f"broken, {time.monotonic() - begun:.0f} s\n"
        )
        sys.stdout.flush()
    raise SystemExit(1 if done["differing"] or done["broken"] else 0)


if __name__ == "__main__":
    main()
