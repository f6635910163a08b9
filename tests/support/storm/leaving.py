"""Readers leave or are erased at random moments of a send: no mail begins afterwards."""

import random
import time
from dataclasses import replace

from support.house import Clock, open_house
from support.storm.book import Tally
from support.storm.checker import check
from support.storm.ground import Ground

from service.flows.leave import erase, unsubscribe
from service.store.subscribers import get_subscriber_row
from service.wiring import now

BEGAN = ("taken", "body", "cut")


def run(ground: Ground, tally: Tally, seed: str, *, leave: int, forget: int) -> None:
    """The moment of each is known from outside: after the call has come back it is committed. A
    body whose 354 was said later than that may not come."""
    dice = random.Random(seed)
    chosen = dice.sample(ground.plan.readers, leave + forget)
    acts = [(one, at < leave) for at, one in enumerate(chosen)]
    dice.shuffle(acts)
    with open_house(ground.data, smtp_port=9, database_url=ground.url, clock=_Now()) as house:
        rt = house.runtime
        tokens = {}
        for one in chosen:
            row = rt.db.read(lambda s, k=one: get_subscriber_row(s, email_key=k))  # type: ignore[misc]
            assert row is not None
            tokens[one] = row.unsubscribe_token
        child = ground.send()
        while child.poll() is None and not ground.logged():
            time.sleep(0.005)
        done_at: dict[str, float] = {}
        slowest, while_sending = 0.0, 0
        for at, (one, is_leaving) in enumerate(acts):
            # spread over the send: an act for so many mails
            target = at * len(ground.plan.readers) // (len(acts) + 1)
            while child.poll() is None and ground.logged() < target:
                time.sleep(0.002)
            begun = time.monotonic()
            if is_leaving:
                unsubscribe(rt, tokens[one])
            else:
                assert erase(rt, one)
            done_at[one] = time.time()
            slowest = max(slowest, time.monotonic() - begun)
            while_sending += child.poll() is None
    child.communicate(timeout=600)
    log = ground.events()
    late = [
        f"{one['to']}: a body began {one['t354'] - done_at[one['to']]:.3f} s afterwards"
        for one in log
        if one["e"] in BEGAN and one["to"] in done_at and one["t354"] > done_at[one["to"]]
    ]
    ground.plan = replace(ground.plan, without=frozenset(chosen))
    said = ground.finish()
    found = check(ground.plan, ground.events())
    tally.breach(*late[:10], *found.cases)
    if said["held"]:
        tally.breach(f"{said['held']} held though nothing went wrong")
    had = {one["to"] for one in log if one["e"] == "taken"}
    tally.count(
        acts=len(acts), left=leave, erased=forget, stopped=len(set(chosen) - had),
        begun_afterwards=len(late), mails=found.mails, lost=found.lost,
        doubled=found.doubled, while_sending=while_sending,
    )  # fmt: skip
    tally.most(slowest_act_ms=slowest * 1000)


class _Now(Clock):
    """The machine's clock."""

    def __call__(self):  # type: ignore[no-untyped-def]
        return now()
