"""20,000 damaged mails and all hostile ones are read: none may crash, be slow, or be kept wrong.

Run from the checkout: ``make mutations`` (``ARGS=5000``: so many in all; ``ARGS="0 again"``: forget
what was done). Mutation n is the same in every run, of the captured corpora and of
tests/data/bounces (tests/support/mutated_mails.py); with another mail in these all begin anew. What
was done is kept in bench/results/mutations.json after every 500, and the next run goes on from
there; the hostile mails (tests/support/hostile_mails.py) come last, each with its processor seconds
and megabytes. Ends with 1 when one crashed, passed 2 s or 100 MB, or gave what a database refuses.
"""

import hashlib
import sys
import time
from collections import Counter
from datetime import date

from support.captures import shared_data
from support.hostile_mails import MADE, MOST_MB, MOST_SECONDS, cost_of, faults_of
from support.mutated_mails import SEED, corpora, mutated, naughty

from bench.captured.papers import RESULTS, ROOT
from bench.measured.process import Figures, keep, kept, machine
from service.log import set_up
from service.reports.read import read_report

MUTATIONS = 20_000
AT_ONCE = 500
MOST_SHOWN = 20
RESULT = RESULTS / "mutations.json"


def fresh() -> Figures:
    """A campaign of which nothing is done."""
    return {
        "what": "damaged and hostile mails through read_report",
        "command": "make mutations",
        "seed": SEED,
        "mutations": 0,
        "faults": [],
        "kinds": {},
        "forms": {},
        "cpu_s": 0.0,
        "slowest_s": 0.0,
        "hostile": {},
    }


def main() -> None:
    """Go on until the wanted number is done."""
    set_up("text", quiet=True)
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else MUTATIONS
    mails, strings = corpora(shared_data(), ROOT / "tests/data/bounces"), naughty(shared_data())
    these = hashlib.sha256(b"".join(mails)).hexdigest()[:16]
    done = kept(RESULT)
    if "again" in sys.argv or not done or done["corpora"] != these:
        done = fresh()
    done |= {"mails": len(mails), "corpora": these}
    while done["mutations"] < wanted:
        _some(done, min(AT_ONCE, wanted - done["mutations"]), mails, strings)
        _keep(done)
    for name, make in MADE.items():
        cost = cost_of(make)
        done["hostile"][name] = [round(cost.cpu_s, 2), round(cost.peak_mb, 1)]
        is_over = cost.cpu_s > MOST_SECONDS or cost.peak_mb > MOST_MB
        _fault(done, f"{name}: {cost.cpu_s:.2f} s, {cost.peak_mb:.0f} MB" if is_over else "")
        _fault(done, *(f"{name}: {fault}" for fault in faults_of(cost.read)))
    _keep(done)
    raise SystemExit(1 if done["faults"] else 0)


def _some(done: Figures, count: int, mails: list[bytes], strings: list[bytes]) -> None:
    """Read the next ``count`` mutations."""
    kinds, forms = Counter(done["kinds"]), Counter(done["forms"])
    for number in range(done["mutations"], done["mutations"] + count):
        data = mutated(number, mails, strings)
        begun = time.process_time()
        try:
            read = read_report(data)
        except Exception as error:  # each one is a finding; the others are still to be read
            _fault(done, f"mutation {number}: {error!r:.200}")
            continue
        took = time.process_time() - begun
        _fault(done, f"mutation {number}: {took:.2f} s" if took > MOST_SECONDS else "")
        _fault(done, *(f"mutation {number}: {fault}" for fault in faults_of(read)))
        kinds.update(str(one.kind) for one in read.reports[:1])
        forms[read.form.partition(":")[0]] += 1
        done["cpu_s"] = round(done["cpu_s"] + took, 4)
        done["slowest_s"] = max(done["slowest_s"], round(took, 4))
    done |= {"kinds": dict(kinds), "forms": dict(forms)}
    done["mutations"] += count


def _fault(done: Figures, *faults: str) -> None:
    done["faults"] += [fault for fault in faults if fault][: MOST_SHOWN - len(done["faults"])]


def _keep(done: Figures) -> None:
    done |= {"on": date.today().isoformat(), "machine": machine()}
    keep(RESULT, done)
    sys.stdout.write(
        f"{done['mutations']} mutations, {len(done['hostile'])} hostile mails, "
        f"{len(done['faults'])} faults, slowest mutation {done['slowest_s']:.2f} s\n"
    )
    sys.stdout.flush()


if __name__ == "__main__":
    main()
