"""Every page of the whole application is looked at again and again: no row of any table changes.

Run from the checkout: ``make looking`` (``ARGS=2``: so often in place of 50). GET, HEAD and
OPTIONS of every address of ``tests/support/every_address.py``, with real tokens and the session of
an owner; the clock goes on by a minute between two rounds. All tables are compared, sessions and
pace too.
"""

import sys
import tempfile
from collections import Counter
from datetime import date
from pathlib import Path

from support.every_address import world

from service import log

TIMES = 50


def looked(times: int) -> dict[str, object]:
    """Look so often at everything; which tables changed, by the route that was looked at."""
    codes: Counter[int] = Counter()
    changed: list[str] = []
    with tempfile.TemporaryDirectory() as folder, world(Path(folder)) as made:
        pages = list(made.pages())
        before = made.house.tables()
        for _ in range(times):
            for _, address in pages:
                for method in ("GET", "HEAD", "OPTIONS"):
                    codes[made.desk.request(method, address).status_code] += 1
            after = made.house.tables()
            changed += [name for name in before if before[name] != after[name]]
            made.house.clock.go(minutes=1)
        return {
            "routes": len({route for route, _ in pages}),
            "addresses": len(pages),
            "requests": sum(codes.values()),
            "codes": {str(code): codes[code] for code in sorted(codes)},
            "tables": len(before),
            "rows": sum(map(len, before.values())),
            "tables_changed": sorted(set(changed)),
        }


def main() -> None:
    """Look, tell and keep; ends with 1 when a row changed."""
    from bench.campaigns.sweep import head
    from bench.captured.papers import RESULTS
    from bench.measured.process import keep, machine

    log.set_up("text", quiet=True)
    times = int(sys.argv[1]) if len(sys.argv) > 1 else TIMES
    result = {
        "what": f"GET, HEAD and OPTIONS of every route, {times} times each",
        "command": "make looking" + (f" ARGS={times}" if times != TIMES else ""),
        "on": date.today().isoformat(),
        "commit": head(),
        "machine": machine(),
        **looked(times),
    }
    print(result, flush=True)
    if times == TIMES:
        keep(RESULTS / "looking.json", result)
    sys.exit(1 if result["tables_changed"] else 0)


if __name__ == "__main__":
    main()
