"""Thousands of forged and replayed mails with a few true ones among them, read from their bytes.

PAPERPOST_TEST_REPORTS=10000: so many of each; else fewer.
"""

import os
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.reports import bar, found, mailed, reader

from service.flows.inbound import take
from service.store import consent as consent_store
from service.store.subscribers import list_subscriber_rows

pytestmark = pytest.mark.slow

MANY = int(os.environ.get("PAPERPOST_TEST_REPORTS") or 200)
SAMPLES = sorted((Path(__file__).parents[1] / "data" / "bounces").glob("*.eml"))
TOKEN, RCPT = b"00112233445566778899", b"reader@example.net"
GONE, FULL, SPAM, FINE = (f"{name}@uni.example" for name in ("gone", "full", "spam", "fine"))


def sample(name: str, bounce_id: str, rcpt: str) -> bytes:
    data = next(one for one in SAMPLES if one.stem == name).read_bytes()
    return data.replace(TOKEN, bounce_id.encode()).replace(RCPT, rcpt.encode())


def otherwise(data: bytes, rng: random.Random) -> bytes:
    """The same report as another mail, or carried another way."""
    number = rng.randrange(10**12)
    match rng.randrange(4):
        case 0:
            return b"Received: from a.example by b.example;\r\n\tid %d\r\n" % number + data
        case 1:
            return data.replace(b"\r\n", b"\n")
        case 2:
            return b"X-Number: %d\r\n" % number + data
    return data + b"\r\n%d\r\n" % number


@pytest.mark.timeout(3600)
def test_forged_and_replayed_reports_bar_nobody_and_true_ones_count_once(houses, tmp_path):
    rt, other = houses
    made = mailed(rt, tmp_path, GONE, FULL, SPAM, FINE)
    true = {
        name: sample(name, made[rcpt].bounce_id, rcpt)
        for name, rcpt in (
            ("postfix-unknown-rcpt", GONE), ("postfix-quota", FULL), ("arf-abuse", SPAM),
        )
    }  # fmt: skip
    assert all(
        made[rcpt].bounce_id.encode() in data
        for data, rcpt in zip(true.values(), made, strict=False)
    )
    rng = random.Random(8)
    mails = [
        sample(SAMPLES[n % len(SAMPLES)].stem, f"{rng.getrandbits(80):020x}", rng.choice([*made]))
        for n in range(MANY)
    ]
    mails += [otherwise(rng.choice([*true.values()]), rng) for _ in range(MANY)]
    rng.shuffle(mails)
    with ThreadPoolExecutor(2) as pool:
        taken = [
            one.result()
            for one in [
                pool.submit(take, (rt, other)[n % 2], data, way="imap")
                for n, data in enumerate(mails)
            ]
        ]
    states = Counter(one.state for one in taken if one.is_new)
    assert states["foreign"] == MANY
    ends = Counter((kept.kind, kept.said) for kept, mail in found(rt) if kept.delivery_id)
    once = {("hard", "suppressed"): 1, ("soft", "scored"): 1, ("complaint", "left"): 1}
    assert {end: n for end, n in ends.items() if end[1] != "again"} == once
    assert {(kept.kind, kept.said) for kept, mail in found(rt) if mail.state == "foreign"} >= {
        ("hard", ""), ("soft", ""), ("policy", ""), ("complaint", ""), ("optout", ""),
    }  # fmt: skip
    readers = {one.email_key: one.state for one in rt.db.read(list_subscriber_rows)}
    assert readers == {GONE: "bounced", FULL: "active", SPAM: "left", FINE: "active"}
    assert (reader(rt, FULL).score, reader(rt, FINE).score) == (1, 0)
    assert {bar(rt, one) for one in (FULL, FINE)} == {""}
    assert len(rt.db.read(consent_store.list_suppressions)) == 2
