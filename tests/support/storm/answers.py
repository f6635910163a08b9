"""A relay that accepts and drops, hangs, closes and refuses at random: is every end the right one?

The script's own log says what was said to whom; a table of our own says what that means.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from support.house import Clock, open_house
from support.storm.book import Tally
from support.storm.checker import Event, check
from support.storm.ground import ON, Ground

from service.delivery.smtp import Mailer, Relay, Timeouts
from service.flows.daily import plan_daily
from service.flows.send import send_ready
from service.store.instance import set_setting

HANG_S = 8.0
"""The script hangs for so long; the sender gives up before."""
TIMEOUTS = Timeouts(connect=6.0, command=6.0, data=6.0, reply=6.0)
DOMAINS = 60
OPEN = ("planned", "ready", "leased", "sending", "deferred")

ENDS: dict[str, str] = {
    "550 5.1.1": "failed person",
    "552 5.2.2": "failed",
    "552 5.3.4": "failed",
    "554 5.6.0": "failed",
    "554 5.7.1": "failed policy",
}
"""What an answer means for good (RFC 3463); whoever gets another one waits, and is tried again."""

SILENT = (("DOT", "drop"), ("DOT", "hang"))

_RCPT = ("421 4.3.2 going down", "450 4.2.1 mailbox busy", "451 4.3.0 try later", "452 4.2.2",
         "550 5.1.1 no such user", "552 5.2.2 full", "554 5.7.1 policy")  # fmt: skip
_DOT = ("421 4.3.2 going down", "450 4.2.0 try later", "451 4.3.0 error", "452 4.3.1 no space",
        "550 5.1.1 no such user", "552 5.3.4 too large", "554 5.6.0 cannot be stored")  # fmt: skip


def script(seed: int, refusing: float = 0.2) -> dict[str, Any]:
    """5 % taken and dropped before the 250; hangs; closes after 17 mails; so many refused."""
    each = refusing / (len(_RCPT) + len(_DOT))
    said = [("RCPT", text) for text in _RCPT] + [("DOT", text) for text in _DOT]
    enough = "421 4.3.2 enough for now"
    rules: list[dict[str, Any]] = [
        {"step": "DOT", "act": "drop", "record": True, "share": 0.05},
        {"step": "DOT", "act": "hang", "seconds": HANG_S, "record": True, "share": 0.005},
        {"step": "DOT", "act": "hang", "seconds": HANG_S, "share": 0.005},
        {"step": "DATA", "act": "hang", "seconds": HANG_S, "share": 0.005},
        {"step": "DATA", "act": "drop", "share": 0.01},
        {"step": "BODY", "act": "drop", "share": 0.01},
        {"step": "RCPT", "act": "drop", "share": 0.01},
        {"step": "AFTER", "act": "say", "text": enough, "every": 17, "share": 0.5},
        {"step": "AFTER", "act": "drop", "every": 17},
        *({"step": step, "act": "say", "text": text, "share": each} for step, text in said),
    ]
    return {"seed": seed, "rules": rules}


def addresses(many: int) -> list[str]:
    """Over many domains, so that what one of them refuses by policy is no storm at it."""
    return [f"r{n}@d{n % DOMAINS}.example.org" for n in range(many)]


def expected(log: Sequence[Event]) -> dict[str, str]:
    """The right end of each reader's mail, by what was said in the last of its tries: "accepted",
    "held", "failed person", "failed policy", "failed" or "waits"."""
    ends: dict[str, str] = {}
    for one in log:
        to = one.get("to", "")
        if not to or one.get("step") == "AFTER":
            continue
        if one["e"] == "taken":
            ends[to] = "accepted"
        elif one["e"] == "cut" or (one.get("step"), one.get("text")) in SILENT:
            ends[to] = "held"
        elif one["e"] == "said" and one["step"] != "BODY":
            ends[to] = ENDS.get(one["text"][:9], "waits")
    return ends


def misjudged(ground: Ground, log: Sequence[Event]) -> list[str]:
    """Readers whose mail ended otherwise than what was said to them means, in words."""
    ends = expected(log)
    wrong = []
    db = sa.create_engine(ground.url)
    with db.connect() as connection:
        barred = connection.execute(sa.text("SELECT count(*) FROM suppression")).scalar_one()
        active = {
            row[0]
            for row in connection.execute(
                sa.text("SELECT email_key FROM subscriber WHERE state = 'active'")
            )
        }
    db.dispose()
    readers = set(ground.plan.readers)  # the staff's address, which gets alarms, is never barred
    gone = {to for to, end in ends.items() if end == "failed person" and to in readers}
    if barred != len(gone):
        wrong.append(f"{barred} addresses are suppressed, {len(gone)} were said not to exist")
    for row in ground.rows():
        to, end = row["rcpt"], ends.get(row["rcpt"], "nothing was ever said")
        kind = "held" if row["state"] in ("unknown", "presumed") else row["state"]
        fits = {
            "accepted": kind == "accepted",
            "held": kind == "held",
            "waits": kind == "expired",
        }.get(end, kind == "failed")
        if not fits or (to in active) == (to in gone):
            wrong.append(f"{to} is {row['state']} ({row['reason']}), the right end is: {end}")
    return wrong


def run(ground: Ground, tally: Tally, connections: int, *, hours: int = 24) -> None:
    """Send until nothing waits, ten minutes of the house's clock between two rounds.

    No run of chance refusals rests the account: that would leave mails of which nothing was said.
    """
    clock = Clock(datetime.now(UTC))
    begun = clock.at
    rounds = 0
    with open_house(
        ground.data, smtp_port=ground.port, database_url=ground.url, clock=clock
    ) as house:
        house.runtime.db.write(lambda s: set_setting(s, "breaker_percent", "100"))
        house.runtime.db.write(lambda s: set_setting(s, "breaker_in_a_row", "1000"))
        plan_daily(house.runtime, ON)
        while rounds < hours * 6:
            asyncio.run(_round(house.runtime, ground.port, connections))
            rounds += 1
            if not any(row["state"] in OPEN for row in ground.rows()):
                break
            clock.go(minutes=10)
    log = ground.events()
    paused = ground.states()
    wrong = misjudged(ground, log)
    found = check(ground.plan, log)
    said = [one for one in log if one["e"] == "said" and one.get("to")]
    tally.breach(*wrong[:10], *(case for case in found.cases if not case.startswith("lost")))
    tally.count(
        rounds=1, readers=len(ground.plan.readers), mails=found.mails, doubled=found.doubled,
        changed=found.changed, misclassified=len(wrong), odd_answers=len(said),
        held=paused.get("unknown", 0) + paused.get("presumed", 0), failed=paused.get("failed", 0),
        expired=paused.get("expired", 0), hours=(clock.at - begun).total_seconds() / 3600,
    )  # fmt: skip


async def _round(rt: Any, port: int, connections: int) -> None:
    mailer = Mailer(Relay(host="127.0.0.1", port=port), connections=connections, timeouts=TIMEOUTS)
    try:
        await send_ready(rt, mailer=mailer)
    finally:
        await mailer.aclose()
