"""Deliveries know the domain that receives them and what a refusal was about, editions why they
paused; alarms, how far a relay's log was read and programs' tokens have tables

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from sqlmodel.sql.sqltypes import UTCDateTime

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column(
        "delivery", sa.Column("domain", sa.String(length=254), nullable=False, server_default="")
    )
    op.add_column(
        "delivery", sa.Column("meaning", sa.String(length=16), nullable=False, server_default="")
    )
    op.add_column("edition", sa.Column("paused_why", sa.Text(), nullable=False, server_default=""))
    _fill_domains()
    _index_turns()
    op.create_table(
        "alarm",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=254), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("next_step", sa.Text(), nullable=False),
        sa.Column("since", UTCDateTime(), nullable=False),
        sa.Column("seen_at", UTCDateTime(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("told_at", UTCDateTime(), nullable=True),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarm")),
        sa.UniqueConstraint("kind", "key", name=op.f("uq_alarm_kind_key")),
    )
    op.create_table(
        "relay_log",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("path", sa.String(length=700), nullable=False),
        sa.Column("mark", sa.String(length=64), nullable=False),
        sa.Column("position", BIG, nullable=False),
        sa.Column("read_at", UTCDateTime(), nullable=True),
        sa.Column("open", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_relay_log")),
        sa.UniqueConstraint("path", name=op.f("uq_relay_log_path")),
    )
    op.create_table(
        "api_token",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_by", sa.String(length=120), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("seen_at", UTCDateTime(), nullable=True),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_token_token_hash")),
    )


def _fill_domains() -> None:
    """The part after the @; a domain in another script keeps its letters, the next mail to it has the
    form for DNS."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    where = "instr(rcpt, '@')" if sqlite else "strpos(rcpt, '@')"
    op.execute(
        f"UPDATE delivery SET domain = lower(substr(rcpt, {where} + 1)) "  # nosec B608: two constants
        "WHERE rcpt LIKE '%@%'"
    )


def _index_turns() -> None:
    """Rows of one edition are found in their turn, and the editions that have some; leases alone
    have an entry among leases."""
    op.drop_index("ix_delivery_due", "delivery")
    op.create_index(
        "ix_delivery_due", "delivery", ["state", "priority", "edition_id", "not_before", "id"]
    )
    op.drop_index("ix_delivery_lease", "delivery")
    held = sa.text("lease_owner IS NOT NULL")
    op.create_index(
        "ix_delivery_lease",
        "delivery",
        ["state", "lease_owner"],
        sqlite_where=held,
        postgresql_where=held,
    )


def downgrade() -> None:
    op.drop_table("api_token")
    op.drop_table("relay_log")
    op.drop_table("alarm")
    op.drop_index("ix_delivery_lease", "delivery")
    op.create_index("ix_delivery_lease", "delivery", ["state", "lease_owner"])
    op.drop_index("ix_delivery_due", "delivery")
    op.create_index("ix_delivery_due", "delivery", ["state", "not_before"])
    op.drop_column("edition", "paused_why")
    op.drop_column("delivery", "meaning")
    op.drop_column("delivery", "domain")
