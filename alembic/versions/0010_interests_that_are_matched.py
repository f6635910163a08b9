"""Interests that are matched are listed and counted by an index: a row holds far more than that

Revision ID: 0010
Revises: 0009
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_profile_asking", "profile", ["subscriber_id", "paused", "kind", "id"])
    op.drop_index("ix_profile_subscriber_id", table_name="profile")


def downgrade() -> None:
    op.create_index("ix_profile_subscriber_id", "profile", ["subscriber_id"])
    op.drop_index("ix_profile_asking", table_name="profile")
