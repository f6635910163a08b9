"""The end of every storm: send to the end, let the day after come, and ask the outside checker."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from support.storm.book import Tally
from support.storm.checker import against, check
from support.storm.ground import Ground

PUT_OFF = 8
"""Rounds that mails may be put off for."""


def settle(
    ground: Ground,
    tally: Tally,
    *,
    most_held: int,
    where: str = "",
    later: timedelta = timedelta(0),
    said: Mapping[str, Any] | None = None,
    may_have_ended: Sequence[str] = (),
    after: Callable[[], object] = lambda: None,
) -> bool:
    """Finish, judge and count; True when no promise was broken.

    most_held: more mails in doubt than this are a breach · where: which point it was · said: what
    the command said at its end, if it was run already · may_have_ended: further states that the
    script makes mails end in · later: see ``next_mail`` · after: what must be waited for before the
    logs are whole.
    """
    begun = time.monotonic()
    told = said or ground.finish()
    if said is None:
        tally.most(recovery_s=time.monotonic() - begun)
    for _ in range(PUT_OFF):
        if "deferred" not in ground.states():
            break
        later += timedelta(minutes=25)  # what was put off meanwhile has its time
        told = ground.finish_here(later)
    broken: list[str] = []
    log, rows = ground.events(), ground.rows()
    word = against(rows, log)
    broken += word.wrong[:5]
    if len(rows) != len(ground.plan.readers):
        broken.append(f"{len(rows)} deliveries for {len(ground.plan.readers)} readers")
    fine = {"accepted", "unknown", "presumed", *may_have_ended}
    if odd := {row["state"] for row in rows} - fine:
        broken.append(f"states {sorted(odd)} after the end: {told}")
    if told["held"] != word.held:
        broken.append(f"the command said {told['held']} held, its ledger has {word.held}")
    if word.held > most_held:
        broken.append(f"{word.held} held, at most {most_held} can be in doubt")
    first = check(ground.plan, log).mails
    ground.next_mail(later)
    after()
    log = ground.events()
    found = check(ground.plan, log)
    broken += found.cases
    second = found.mails - first
    carried = word.held + sum(row["state"] in may_have_ended for row in rows)
    if second != carried:
        broken.append(f"{carried} were held, and {second} got a mail the day after")
    tally.count(
        mails=found.mails, lost=found.lost, doubled=found.doubled, repeated=found.repeated,
        held=word.held, held_had_arrived=word.arrived, resolved=second,
    )  # fmt: skip
    tally.breach(*(f"{where}: {case}" if where else case for case in broken))
    return not broken
