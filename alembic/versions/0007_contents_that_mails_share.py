"""What mails hold is written once for all who get the same; a delivery has its reader's part

Revision ID: 0007
Revises: 0006
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import sqlalchemy as sa

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

PART = 500
"""Deliveries that are in memory at a time."""

BODY = ("digest", "notice", "data")
LISTED = ("papers", "signals")

CONTENT = sa.table(
    "content",
    sa.column("id", BIG),
    sa.column("sha", sa.String()),
    sa.column("papers", sa.JSON()),
    sa.column("signals", sa.JSON()),
    sa.column("body", sa.JSON()),
)
DELIVERY = sa.table(
    "delivery",
    sa.column("id", BIG),
    sa.column("content_id", BIG),
    sa.column("own", sa.JSON(none_as_null=True)),
)

Part = list[tuple[int, dict[str, Any]]]
"""(delivery, what it holds) of some deliveries."""


def upgrade() -> None:
    op.create_table(
        "content",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("sha", sa.String(length=64), nullable=False),
        sa.Column("papers", sa.JSON(), nullable=False),
        sa.Column("signals", sa.JSON(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_content")),
        sa.UniqueConstraint("sha", name=op.f("uq_content_sha")),
        sqlite_autoincrement=True,
    )
    op.execute("ALTER TABLE delivery RENAME COLUMN content TO own")
    kind = "INTEGER" if op.get_bind().dialect.name == "sqlite" else "BIGINT"
    op.execute(
        f"ALTER TABLE delivery ADD COLUMN content_id {kind} CONSTRAINT "
        "fk_delivery_content_id_content REFERENCES content (id) ON DELETE NO ACTION"
    )
    _each_part(_split)
    op.create_index("ix_delivery_content_id", "delivery", ["content_id"])


def _each_part(change: Callable[[Part], None]) -> None:
    """Deliveries that hold something, in bounded parts, by number."""
    for part in _parts():
        change(part)


def _parts() -> Iterator[Part]:
    last = 0
    while True:
        rows = op.get_bind().execute(
            sa.select(DELIVERY.c.id, DELIVERY.c.own)
            .where(DELIVERY.c.own.is_not(None), DELIVERY.c.id > last)
            .order_by(DELIVERY.c.id)
            .limit(PART)
        )
        if not (found := [(row[0], row[1]) for row in rows]):
            return
        yield [(number, held) for number, held in found if isinstance(held, dict)]
        last = found[-1][0]


def _split(part: Part) -> None:
    """What others get as well goes into a content, of which there is one."""
    made: dict[str, dict[str, Any]] = {}
    rest = []
    for number, held in part:
        if "digest" not in held and held.get("notice") != "newsletter":
            continue
        body = {name: held[name] for name in BODY if name in held}
        own = {k: v for k, v in held.items() if k not in BODY and k not in LISTED}
        if (digest := body.get("digest")) and "sections" in digest:
            profiles = [section.get("profile_id") for section in digest["sections"]]
            sections = [{**section, "profile_id": None} for section in digest["sections"]]
            body["digest"] = {**digest, "sections": sections}
            if any(profile is not None for profile in profiles):
                own = {"profiles": profiles, **own}
        papers, signals = held.get("papers", []), held.get("signals", [])
        whole = json.dumps([body, papers, signals], separators=(",", ":"))
        sha = hashlib.sha256(whole.encode()).hexdigest()
        made[sha] = {"sha": sha, "papers": papers, "signals": signals, "body": body}
        rest.append((number, sha, own))
    if not rest:
        return
    bind = op.get_bind()
    of_sha = sa.select(CONTENT.c.sha, CONTENT.c.id).where(CONTENT.c.sha.in_(list(made)))
    there = {row[0] for row in bind.execute(of_sha)}
    if new := [content for sha, content in made.items() if sha not in there]:
        bind.execute(sa.insert(CONTENT), new)
    ids = {row[0]: row[1] for row in bind.execute(of_sha)}
    change = (
        sa.update(DELIVERY)
        .where(DELIVERY.c.id == sa.bindparam("number"))
        .values(content_id=sa.bindparam("held"), own=sa.bindparam("rest"))
    )
    values = [{"number": number, "held": ids[sha], "rest": own} for number, sha, own in rest]
    bind.execute(change, values)


def downgrade() -> None:
    _each_part(_join)
    op.drop_index("ix_delivery_content_id", "delivery")
    op.drop_column("delivery", "content_id")
    op.execute("ALTER TABLE delivery RENAME COLUMN own TO content")
    op.drop_table("content")


def _join(part: Part) -> None:
    bind = op.get_bind()
    held = sa.select(DELIVERY.c.id, CONTENT.c.papers, CONTENT.c.signals, CONTENT.c.body).join(
        CONTENT, CONTENT.c.id == DELIVERY.c.content_id
    )
    shared = {
        number: (papers, signals, body)
        for number, papers, signals, body in bind.execute(
            held.where(DELIVERY.c.id.in_([number for number, _ in part]))
        )
    }
    change = (
        sa.update(DELIVERY)
        .where(DELIVERY.c.id == sa.bindparam("number"))
        .values(own=sa.bindparam("whole"))
    )
    for number, own in part:
        if number not in shared:
            continue
        papers, signals, body = shared[number]
        profiles = own.pop("profiles", [])
        for section, profile in zip(body.get("digest", {}).get("sections", []), profiles):
            section["profile_id"] = profile
        whole = {**body, "papers": papers, **({"signals": signals} if signals else {}), **own}
        bind.execute(change, {"number": number, "whole": whole})
