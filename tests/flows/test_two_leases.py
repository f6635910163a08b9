"""One process may hold an old lease of a mail and a new one: only the new one lets it go."""

import asyncio

import pytest
from support.house import plan_one, rows, take

from service.flows.journal import Journal
from service.flows.outcomes import Job, SendReport
from service.store.consent import email_hash
from service.store.editions import get_edition
from service.store.leases import release


@pytest.fixture
def rt(rt, tmp_path):
    plan_one(rt, tmp_path)
    return rt


def test_of_two_leases_of_one_mail_asked_together_only_the_newer_goes(rt):
    owner = rt.owner().id
    jobs = []
    for _ in range(2):
        row = take(rt, owner)
        edition = rt.db.read(lambda s, r=row: get_edition(s, id=r.edition_id))
        jobs.append(Job(row, edition, None, email_hash(rt.instance.key, row.recipient_key)))
        if len(jobs) == 1:  # it waited too long for a connection, and was claimed again
            rt.db.write(lambda s: release(s, [owner]))

    async def both():
        journal = Journal(rt, owner, rt.defaults(), SendReport())
        return await asyncio.gather(*[journal.mark(job, "sha") for job in jobs])

    assert asyncio.run(both()) == [False, True]
    assert [row.state for row in rows(rt)] == ["sending"]
