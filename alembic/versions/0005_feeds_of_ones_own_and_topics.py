"""Readers have quiet hours and a feed of their own and may leave out editors' picks; operators
keep topics

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from sqlmodel.sql.sqltypes import UTCDateTime

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column(
        "subscriber", sa.Column("picks", sa.Boolean(), nullable=False, server_default=sa.true())
    )
    op.add_column("subscriber", sa.Column("quiet_from", sa.Integer(), nullable=True))
    op.add_column("subscriber", sa.Column("quiet_until", sa.Integer(), nullable=True))
    op.add_column("subscriber", sa.Column("feed_since", UTCDateTime(), nullable=True))
    op.create_table(
        "topic",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("likes", sa.JSON(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("changed_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_topic")),
        sa.UniqueConstraint("name", name=op.f("uq_topic_name")),
    )


def downgrade() -> None:
    op.drop_table("topic")
    for name in ("feed_since", "quiet_until", "quiet_from", "picks"):
        op.drop_column("subscriber", name)
