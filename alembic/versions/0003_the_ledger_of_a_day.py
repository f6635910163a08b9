"""A day of a source says how often it was stale and what the cross-check named; readers may choose
mail that is always on time

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from sqlmodel.sql.sqltypes import UTCDateTime

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    none = sa.text("0")
    op.add_column(
        "source_day", sa.Column("late_polls", sa.Integer(), nullable=False, server_default=none)
    )
    op.add_column("source_day", sa.Column("completed_at", UTCDateTime(), nullable=True))
    op.add_column("source_day", sa.Column("crosschecked_at", UTCDateTime(), nullable=True))
    op.add_column("source_day", sa.Column("announced", sa.Integer(), nullable=True))
    op.add_column(
        "subscriber",
        sa.Column("on_time", sa.Boolean(), nullable=False, server_default=sa.false()),
    )


def downgrade() -> None:
    op.drop_column("subscriber", "on_time")
    for name in ("announced", "crosschecked_at", "completed_at", "late_polls"):
        op.drop_column("source_day", name)
