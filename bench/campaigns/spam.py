"""What SpamAssassin says of our mails: 50 digests of the captures, every other kind a language.

Run from the checkout: ``make spam`` (``ARGS=300``: so many digests; each number has its result).
Needs Debian's package spamassassin. Only local rules: nothing asks the network (-L), plugins for
SPF and DKIM are not loaded (a relay signs, not we), and nothing is learned. Each mail gets the
Received line of a relay that hands it over, since without one many rules do not look. Keeps
bench/results/spam.json; ends with 1 when a mail scores above 0.5.
"""

import mailbox
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from datetime import date
from pathlib import Path

from support.mail_reading import by_python
from support.real_mails import Taken, mails_of, other_mails

from bench.campaigns.parsers import SEED, days
from bench.campaigns.sweep import head
from bench.captured.papers import RESULTS, keyword_lists
from bench.measured.process import Figures, keep, kept
from service.delivery import template_samples
from service.delivery.i18n import Catalogs
from service.delivery.render import Renderer
from service.resources import resource_dir

MOST = 0.5
DIGESTS = 50
OF_DAYS = 3
APART = 8
"""Of the real lists every eighth is asked, other ones each day."""
CONFIG = Path("/etc/spamassassin")
RESULT = RESULTS / "spam.json"
RECEIVED = (
    b"Received: from papers.example.org (papers.example.org [93.184.215.14])\n"
    b"\tby mx.example.net (Postfix) with ESMTPS id 4F2A91C0D3\n"
    b"\tfor <reader@example.net>; %s\n"
)
QUIET = (
    "use_bayes 0",
    "add_header all Rules _TESTSSCORES(,)_",
    "report_safe 0",
    "trusted_networks 192.0.2.0/24",
)


def digests(most: int) -> list[Taken]:
    """So many of the captures, of several days, every language and form among them."""
    found: list[Taken] = []
    for number, on in enumerate(days()[:OF_DAYS]):
        with tempfile.TemporaryDirectory() as place:
            mails = mails_of(
                Path(place), on, keyword_lists()[number :: max(1, APART * DIGESTS // most)]
            )
        share = most * (number + 1) // OF_DAYS - len(found)
        chosen = random.Random(f"{SEED}:{on}").sample(mails, share)
        found += [Taken(f"digest-{on}-{m.name}", m.message, of_list=True) for m in chosen]
    return found


def others() -> list[Taken]:
    """Every other kind of mail in every language."""
    templates = resource_dir("templates")
    site = template_samples.site("https://papers.example.org", furnished=True)
    renderer = Renderer([templates], Catalogs.load(templates / "locale"), site)
    return list(other_mails(renderer, date(2026, 6, 19), ()))


def scores(mails: list[Taken]) -> list[dict[str, float]]:
    """For each mail the rules that it hit, with their points."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        config = folder / "config"
        shutil.copytree(CONFIG, config)
        for path in config.glob("*.pre"):
            text = path.read_text("utf-8")
            path.write_text(re.sub(r"(?m)^loadplugin .*::(SPF|DKIM|ASN)\b", r"# \g<0>", text))
        box = folder / "mails.mbox"
        box.write_bytes(b"".join(_in_box(mail.message) for mail in mails))
        words = ["spamassassin", "-L", "--mbox", "-x", f"--siteconfigpath={config}"]
        words += [f"--cf={line}" for line in QUIET]
        with box.open("rb") as read, (folder / "read.mbox").open("wb") as out:
            subprocess.run(words, stdin=read, stdout=out, check=True, cwd=folder)
        found = {
            message["Message-ID"].strip(): _points(message["X-Spam-Rules"])
            for message in mailbox.mbox(folder / "read.mbox")  # in an order of theirs
        }
    return [found[by_python(mail.message).message_id] for mail in mails]


def _in_box(message: bytes) -> bytes:
    plain = message.replace(b"\r\n", b"\n")
    dated = re.search(rb"(?m)^Date: (.*)$", plain)
    assert dated is not None
    quoted = re.sub(rb"(?m)^(>*From )", rb">\1", plain)
    return (
        b"From sender@example.org Fri Jun 19 08:00:00 2026\n"
        + RECEIVED % dated[1]
        + quoted
        + b"\n\n"
    )


def _points(told: str | None) -> dict[str, float]:
    """ "A=0.1,B=-1" as a table."""
    assert told is not None, "spamassassin added no header"
    joined = re.sub(r"\s+", "", told)
    pairs = (pair.partition("=") for pair in joined.split(",") if "=" in pair)
    return {name: float(points) for name, _, points in pairs}


def version() -> str:
    done = subprocess.run(["spamassassin", "--version"], check=True, capture_output=True, text=True)
    return done.stdout.splitlines()[0]


def main() -> None:
    """Judge all, print the rules, keep the result."""
    most = int(sys.argv[1]) if len(sys.argv) > 1 else DIGESTS
    mails = [*digests(most), *others()]
    found = scores(mails)
    hit = Counter(rule for points in found for rule in points)
    points = {rule: value for one in found for rule, value in one.items()}
    totals = [round(sum(one.values()), 2) for one in found]
    against = [round(sum(v for v in one.values() if v > 0), 2) for one in found]
    above = [
        f"{mail.name}: {total} ({', '.join(f'{r} {v}' for r, v in one.items() if v > 0)})"
        for mail, total, one in zip(mails, totals, found, strict=True)
        if total > MOST
    ]
    result: Figures = {
        "what": "digests of the captures and every other kind in every language: local rules only, "
        "SPF and DKIM not loaded",
        "on": date.today().isoformat(),
        "commit": head(),
        "command": "make spam",
        "seed": SEED,
        "spamassassin": version(),
        "digests": most,
        "other_mails": len(mails) - most,
        "most_allowed": MOST,
        "highest": max(totals),
        "highest_without_what_speaks_for_us": max(against),
        "rules": {
            rule: {"mails": count, "points": points[rule]} for rule, count in sorted(hit.items())
        },
        "above": above,
    }
    for rule, count in hit.most_common():
        sys.stdout.write(f"{points[rule]:6.2f}  {rule:32}{count} of {len(mails)}\n")
    sys.stdout.write(f"highest {max(totals)}, without what speaks for us {max(against)}\n")
    keep(RESULT, {**(kept(RESULT) or {}), f"{most} digests": result})
    raise SystemExit("\n".join(above) or 0)


if __name__ == "__main__":
    main()
