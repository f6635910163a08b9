"""Requests of the last hour are counted at every sign-up: by an index, not by reading them all

Revision ID: 0002
Revises: 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_consent_act_at", "consent", ["act", "at"])


def downgrade() -> None:
    op.drop_index("ix_consent_act_at", table_name="consent")
