"""What a large house has besides its mails: all that the desk's smaller lists show.

``furnish`` adds it once to a house that ``bench.desk_house`` made: 40 topics, 5 programs with 4,000
calls each, 2,000 proposals, 200 imports, 30 tokens, 20 of the staff, 10 drafts, 200 hidden papers;
then each reader gets five words of their own, and all interests are counted (some minutes).
"""

import io
import random
from datetime import timedelta

import sqlalchemy as sa
from sqlmodel import col

from bench.desk_house import NOW, PART, WORDS
from service.flows import drafts, hook_lists, imports, manual, staff
from service.flows.census import count_interests
from service.flows.imports import Basis
from service.flows.list_files import Options
from service.flows.list_packs import pack
from service.flows.runtime import Runtime
from service.flows.tokens import make_token
from service.flows.topics import add_topic
from service.matching.compiled import compile_query
from service.matching.parse import parse_keywords
from service.store.db import Database, Session
from service.store.desk_tables import (
    ImportFileRow,
    ImportRow,
    SubmissionRow,
    WebhookCallRow,
)
from service.store.tables import PaperRow, ProfileRow

VOCABULARY, TERMS = 40_000, 5
BY = "desk-house"
"""Who did all of this."""


def furnish(rt: Runtime) -> None:
    """Add what is not there yet."""
    if rt.db.read(lambda s: s.scalar(sa.select(sa.func.count()).select_from(SubmissionRow))):
        return
    vary(rt.db)
    count_interests(rt)
    for n in range(40):
        words = WORDS[n % len(WORDS)]
        add_topic(rt, {"name": f"topic-{n}", "title": f"Topic {n}", "text": words}, by=BY)
    for n in range(5):
        _hook(rt, n)
    for n in range(30):
        make_token(rt, f"program {n}", ["readers:read"], by=BY)
    for n in range(20):
        staff.create_admin(rt, f"member-{n}", ("viewer", "editor", "sender")[n % 3], by=BY)
    for n in range(10):
        plan = manual.draft(rt, kind="newsletter", subject=f"News {n}", body="Words.", key=f"d{n}")
        drafts.keep(rt, plan, {"kind": "newsletter", "subject": f"News {n}", "body": "Words."})
    _imports(rt)
    rt.db.write(
        lambda s: s.execute(
            sa.update(PaperRow).where(col(PaperRow.id) % 100 == 7).values(quarantined="spam")
        )
    )
    rt.db.write(lambda s: s.add_all(_proposal(n) for n in range(2000)))


def _proposal(n: int) -> SubmissionRow:
    return SubmissionRow(
        at=NOW - timedelta(hours=n),
        subscriber_id=n + 1,
        link=f"https://arxiv.org/abs/2611.{n:05}",
        named=f"arxiv/2611.{n:05}",
        words="This is worth reading.",
        title=f"On {WORDS[n % 8]}, proposed {n}",
        state=("waiting", "accepted", "declined")[n % 3],
        listed_on=NOW.date() if n % 3 == 1 else None,
        decided_at=NOW if n % 3 else None,
        decided_by=BY if n % 3 else "",
    )


def vary(db: Database) -> None:
    """Other interests, the same each time; done once."""
    with db.engine.begin() as connection:
        first = connection.execute(sa.select(col(ProfileRow.text)).limit(1)).scalar_one()
        if "term" in first:
            return
        rng = random.Random(7)
        ids = list(connection.scalars(sa.select(col(ProfileRow.id)).order_by(col(ProfileRow.id))))
        table = ProfileRow.__table__  # type: ignore[attr-defined]
        change = (
            sa.update(table)
            .where(table.c.id == sa.bindparam("one"))
            .values(text=sa.bindparam("words"), compiled=sa.bindparam("made"))
        )
        rows = []
        for number in ids:
            ranks = {int(VOCABULARY * rng.random() ** 3) for _ in range(TERMS)}
            words = ", ".join(f"{rng.choice(WORDS)} term{rank}" for rank in ranks)
            made = compile_query(parse_keywords(words))
            rows.append({"one": number, "words": words, "made": made})
            if len(rows) == PART:
                connection.execute(change, rows)
                rows = []
        if rows:
            connection.execute(change, rows)


def _hook(rt: Runtime, n: int) -> None:
    """A program that is told of events, with what it answered so far."""
    made = hook_lists.add_hook(
        rt, f"program {n}", f"https://program{n}.example/hook", ["reader.joined"], by=BY
    )
    at = NOW - timedelta(days=1)
    tries = [{"at": at.isoformat(), "code": 200, "words": "ok", "ms": 12}]
    calls = [
        WebhookCallRow(
            webhook_id=made["id"],
            event_id=f"e{n}.{k}",
            event="reader.joined",
            body={"type": "reader.joined", "data": {"reader": k}},
            state="failed" if k % 50 == 0 else "done",
            at=at - timedelta(minutes=k),
            done_at=at - timedelta(minutes=k),
            tries=tries,
        )
        for k in range(4000)
    ]
    rt.db.write(lambda s: s.add_all(calls))


def _imports(rt: Runtime) -> None:
    """One list that was brought in, and 199 like it."""
    text = "email\nimported@x.example\n" + "bad\n" * 30
    file = pack("list.csv", io.BytesIO(text.encode()))
    number = imports.look(rt, [file], Options(), Basis(kind="institution"), by=BY)
    imports.press(rt, number, by=BY)
    imports.go_on(rt)

    def copy(session: Session) -> None:
        one = session.get_one(ImportRow, number)
        files = session.scalars(
            sa.select(ImportFileRow).where(col(ImportFileRow.import_id) == number)
        ).all()
        for n in range(199):
            new = ImportRow(**one.model_dump(exclude={"id", "at"}), at=one.at - timedelta(hours=n))
            session.add(new)
            session.flush()
            for each in files:
                session.add(ImportFileRow(**each.model_dump() | {"import_id": new.id}))

    rt.db.write(copy)
