"""What the Nu HTML Checker says of every page for readers, in each language.

Run from the checkout: ``make markup ARGS=PATH/TO/vnu.jar`` (npm's package vnu-jar holds it, and it
needs Java). The pages are those of a small invented house with mails of every kind that has a page;
with them go answers to faults and pages of nothing. Errors and warnings are counted by their words;
warnings that are wanted stand in WANTED with their reason. Keeps bench/results/markup.json; ends
with 1 when there is an error, or a warning that nobody wanted.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

from support.mail_pages import send_everything
from support.reading_house import Reading, reading_house

from bench.campaigns.sweep import head
from bench.captured.papers import RESULTS
from bench.measured.process import Figures, keep

RESULT = RESULTS / "markup.json"
FIXED = (
    *("/", "/?words=adapters", "/papers", "/papers/2026-11-18", "/papers/2026-11-22"),
    *("/papers/2026-11-18?order=newest", "/search", "/search?q=adapters", "/search?q=a+(b"),
    *("/words", "/words?liked=arXiv:2611.00100", "/help/queries", "/sources", "/about"),
    *("/privacy", "/manage", "/nowhere", "/d/nowhere", "/tune/x/arxiv/1", "/history/x"),
    *("/papers/arxiv/1234.56789", "/confirm/cut-off", "/u/cut-off"),
)
WANTED = {
    r"The “(border|width|cellpadding|cellspacing|align|bgcolor)” attribute on the “\w+” element is "
    r"obsolete.*": "a mail's page is the mail, and Outlook reads these alone",
    r"The “list” role is unnecessary for element “[uo]l”.": "VoiceOver tells no list without dots",
}


def pages_of(house: Reading) -> dict[str, str]:
    """Every page, by language and address."""
    pages = send_everything(house)
    found = {}
    for language, paths in pages.paths.items():
        for name, path in (*paths.items(), *zip(FIXED, FIXED, strict=True)):
            answer = house.client.get(path, headers={"Accept-Language": language})
            found[f"{language} {name}"] = answer.text
        tune = paths["tune"]
        acts = {"a word is missing": {"act": "without", "word": ""}, "marked": {"sign": "more"}}
        for name, form in acts.items():
            found[f"{language} tune, {name}"] = house.client.post(tune, data=form).text
        wrong = house.client.post("/", data={"email": "nobody", "words": "(a"})
        found[f"{language} sign-up with faults"] = wrong.text
    return found


def check(jar: Path, pages: dict[str, str]) -> list[dict[str, Any]]:
    """The checker's messages, each with the page's name."""
    with tempfile.TemporaryDirectory() as place:
        names = {}
        for number, (name, html) in enumerate(pages.items()):
            file = Path(place) / f"{number:03}.html"
            file.write_text(html, encoding="utf-8")
            names[file.name] = name
        words = ["java", "-jar", str(jar), "--format", "json", "--stdout", place]
        said = subprocess.run(words, capture_output=True, text=True, check=False)
    messages: list[dict[str, Any]] = json.loads(said.stdout)["messages"]
    return [{**one, "page": names[one["url"].rpartition("/")[2]]} for one in messages]


def _is_wanted(message: str) -> bool:
    return any(re.fullmatch(pattern, message) for pattern in WANTED)


def main() -> int:
    """Check all pages, print what is wrong, keep the counts."""
    jar = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as place, reading_house(Path(place)) as house:
        pages = pages_of(house)
    messages = check(jar, pages)
    errors = Counter(one["message"] for one in messages if one["type"] == "error")
    warnings = Counter(one["message"] for one in messages if one["type"] != "error")
    unwanted = {text: n for text, n in warnings.items() if not _is_wanted(text)}
    version = ["java", "-jar", str(jar), "--version"]
    figures: Figures = {
        "what": "every page for readers in English and German, read by the Nu HTML Checker",
        "on": date.today().isoformat(),
        "commit": head(),
        "command": "make markup ARGS=vnu.jar",
        "checker": subprocess.run(
            version, capture_output=True, text=True, check=True
        ).stdout.strip(),
        "pages": len(pages),
        "errors": dict(errors),
        "warnings_unwanted": unwanted,
        "warnings_wanted": {
            reason: sum(n for text, n in warnings.items() if re.fullmatch(pattern, text))
            for pattern, reason in WANTED.items()
        },
    }
    keep(RESULT, figures)
    for one in messages:
        if one["type"] == "error" or one["message"] in unwanted:
            print(f"{one['page']}: {one['message']}: {one.get('extract', '')[:160]}")
    print(f"{len(pages)} pages: {sum(errors.values())} errors, {sum(unwanted.values())} unwanted")
    return 1 if errors or unwanted else 0


if __name__ == "__main__":
    sys.exit(main())
