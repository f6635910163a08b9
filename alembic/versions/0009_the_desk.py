"""The desk: tags, an editor's hand, proposals and votes, figures of past days, calls to programs,
answers kept; where reports of a person's sends go, why an act was done

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from sqlmodel.sql.sqltypes import UTCDateTime

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


SOME = (
    ("ix_delivery_domain", "delivery", ["domain", "id"], "domain > ''"),
    ("ix_delivery_nobody", "delivery", ["recipient_key"], "subscriber_id IS NULL"),
    ("ix_delivery_meaning", "delivery", ["meaning", "id"], "meaning <> ''"),
    (
        "ix_delivery_unsaid", "delivery", ["id"],
        "meaning = '' AND state IN ('failed', 'expired', 'unknown', 'presumed')",
    ),
    ("ix_attempt_no", "attempt", ["delivery_id"], "code = 0 OR code >= 300"),
)
"""Indexes of some rows alone."""


def upgrade() -> None:
    op.create_table('answer_kept',
    sa.Column('id', BIG, autoincrement=True, nullable=False),
    sa.Column('caller', sa.String(length=160), nullable=False),
    sa.Column('key', sa.String(length=200), nullable=False),
    sa.Column('asked', sa.String(length=64), nullable=False),
    sa.Column('status', sa.Integer(), nullable=True),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('owner', BIG, nullable=True),
    sa.Column('at', UTCDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_answer_kept')),
    sa.UniqueConstraint('caller', 'key', name=op.f('uq_answer_kept_caller_key'))
    )
    op.create_index(op.f('ix_answer_kept_at'), 'answer_kept', ['at'])
    op.create_table('daily_release',
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('at', UTCDateTime(), nullable=False),
    sa.Column('done_by', sa.String(length=120), nullable=False),
    sa.PrimaryKeyConstraint('day', name=op.f('pk_daily_release'))
    )
    op.create_table('day_figure',
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('name', sa.String(length=32), nullable=False),
    sa.Column('part', sa.String(length=254), nullable=False),
    sa.Column('count', BIG, nullable=False),
    sa.PrimaryKeyConstraint('day', 'name', 'part', name=op.f('pk_day_figure'))
    )
    op.create_table('webhook',
    sa.Column('id', BIG, autoincrement=True, nullable=False),
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('url', sa.Text(), nullable=False),
    sa.Column('events', sa.JSON(), nullable=False),
    sa.Column('secret', sa.Text(), nullable=False),
    sa.Column('created_by', sa.String(length=120), nullable=False),
    sa.Column('created_at', UTCDateTime(), nullable=False),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('failing_since', UTCDateTime(), nullable=True),
    sa.Column('old_secret', sa.Text(), nullable=False),
    sa.Column('old_until', UTCDateTime(), nullable=True),
    sa.Column('tells_address', sa.Boolean(), nullable=False),
    sa.Column('ended_at', UTCDateTime(), nullable=True),
    sa.Column('ended_why', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_webhook'))
    )
    op.create_table('pick',
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('paper_id', BIG, nullable=False),
    sa.Column('place', sa.Integer(), nullable=False),
    sa.Column('done_by', sa.String(length=120), nullable=False),
    sa.Column('at', UTCDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['paper_id'], ['paper.id'], name=op.f('fk_pick_paper_id_paper'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('day', 'paper_id', name=op.f('pk_pick'))
    )
    op.create_table('reader_import',
    sa.Column('id', BIG, autoincrement=True, nullable=False),
    sa.Column('at', UTCDateTime(), nullable=False),
    sa.Column('done_by', sa.String(length=120), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('form', sa.String(length=32), nullable=False),
    sa.Column('basis', sa.JSON(), nullable=False),
    sa.Column('options', sa.JSON(), nullable=False),
    sa.Column('step', sa.Integer(), nullable=False),
    sa.Column('report', sa.JSON(), nullable=False),
    sa.Column('done_at', UTCDateTime(), nullable=True),
    sa.Column('undone', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reader_import'))
    )
    op.create_index(op.f('ix_reader_import_at'), 'reader_import', ['at'])
    op.create_index(op.f('ix_reader_import_state'), 'reader_import', ['state'])
    op.create_table('reader_import_file',
    sa.Column('import_id', BIG, nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('place', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=255), nullable=False),
    sa.Column('body', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['import_id'], ['reader_import.id'], name=op.f('fk_reader_import_file_import_id_reader_import'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('import_id', 'kind', 'place', name=op.f('pk_reader_import_file'))
    )
    op.create_table('reader_imported',
    sa.Column('import_id', BIG, nullable=False),
    sa.Column('subscriber_id', BIG, nullable=False),
    sa.ForeignKeyConstraint(['import_id'], ['reader_import.id'], name=op.f('fk_reader_imported_import_id_reader_import'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['subscriber_id'], ['subscriber.id'], name=op.f('fk_reader_imported_subscriber_id_subscriber'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('import_id', 'subscriber_id', name=op.f('pk_reader_imported'))
    )
    op.create_index('ix_reader_imported_subscriber_id', 'reader_imported', ['subscriber_id'])
    op.create_table('reader_tag',
    sa.Column('subscriber_id', BIG, nullable=False),
    sa.Column('tag', sa.String(length=64), nullable=False),
    sa.ForeignKeyConstraint(['subscriber_id'], ['subscriber.id'], name=op.f('fk_reader_tag_subscriber_id_subscriber'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('subscriber_id', 'tag', name=op.f('pk_reader_tag'))
    )
    op.create_index(op.f('ix_reader_tag_tag'), 'reader_tag', ['tag'])
    op.create_table('release_wait',
    sa.Column('subscriber_id', BIG, nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('since', UTCDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['subscriber_id'], ['subscriber.id'], name=op.f('fk_release_wait_subscriber_id_subscriber'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('subscriber_id', name=op.f('pk_release_wait'))
    )
    op.create_index(op.f('ix_release_wait_day'), 'release_wait', ['day'])
    op.create_table('submission',
    sa.Column('id', BIG, autoincrement=True, nullable=False),
    sa.Column('at', UTCDateTime(), nullable=False),
    sa.Column('subscriber_id', BIG, nullable=True),
    sa.Column('link', sa.Text(), nullable=False),
    sa.Column('named', sa.Text(), nullable=False),
    sa.Column('words', sa.Text(), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('body', sa.LargeBinary(), nullable=True),
    sa.Column('tried_at', UTCDateTime(), nullable=True),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('paper_id', BIG, nullable=True),
    sa.Column('listed_on', sa.Date(), nullable=True),
    sa.Column('problem', sa.Text(), nullable=False),
    sa.Column('answer', sa.Text(), nullable=False),
    sa.Column('decided_at', UTCDateTime(), nullable=True),
    sa.Column('decided_by', sa.String(length=120), nullable=False),
    sa.ForeignKeyConstraint(['paper_id'], ['paper.id'], name=op.f('fk_submission_paper_id_paper'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['subscriber_id'], ['subscriber.id'], name=op.f('fk_submission_subscriber_id_subscriber'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_submission'))
    )
    op.create_index(op.f('ix_submission_listed_on'), 'submission', ['listed_on'])
    op.create_index(op.f('ix_submission_paper_id'), 'submission', ['paper_id'])
    op.create_index('ix_submission_state_at', 'submission', ['state', 'at'])
    op.create_index(op.f('ix_submission_subscriber_id'), 'submission', ['subscriber_id'])
    op.create_table('vote',
    sa.Column('paper_id', BIG, nullable=False),
    sa.Column('subscriber_id', BIG, nullable=False),
    sa.Column('at', UTCDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['paper_id'], ['paper.id'], name=op.f('fk_vote_paper_id_paper'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['subscriber_id'], ['subscriber.id'], name=op.f('fk_vote_subscriber_id_subscriber'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('paper_id', 'subscriber_id', name=op.f('pk_vote'))
    )
    op.create_index('ix_vote_subscriber_id', 'vote', ['subscriber_id'])
    op.create_table('webhook_call',
    sa.Column('id', BIG, autoincrement=True, nullable=False),
    sa.Column('webhook_id', BIG, nullable=False),
    sa.Column('event_id', sa.String(length=64), nullable=False),
    sa.Column('event', sa.String(length=32), nullable=False),
    sa.Column('body', sa.JSON(), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('at', UTCDateTime(), nullable=False),
    sa.Column('next_at', UTCDateTime(), nullable=True),
    sa.Column('done_at', UTCDateTime(), nullable=True),
    sa.Column('tries', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['webhook_id'], ['webhook.id'], name=op.f('fk_webhook_call_webhook_id_webhook'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_webhook_call')),
    sa.UniqueConstraint('webhook_id', 'event_id', name=op.f('uq_webhook_call_webhook_id_event_id'))
    )
    op.create_index(op.f('ix_webhook_call_at'), 'webhook_call', ['at'])
    op.create_index('ix_webhook_call_due', 'webhook_call', ['state', 'next_at'])
    op.create_index(op.f('ix_webhook_call_webhook_id'), 'webhook_call', ['webhook_id'])
    op.create_table('interest_run',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('at', UTCDateTime(), nullable=False),
    sa.Column('seconds', sa.Float(), nullable=False),
    sa.Column('readers', sa.Integer(), nullable=False),
    sa.Column('interests', sa.Integer(), nullable=False),
    sa.Column('papers', sa.Integer(), nullable=False),
    sa.Column('pairs', BIG, nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_interest_run'))
    )
    op.create_table('interest_term',
    sa.Column('term', sa.String(length=254), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('shown', sa.Text(), nullable=False),
    sa.Column('readers', sa.Integer(), nullable=False),
    sa.Column('interests', sa.Integer(), nullable=False),
    sa.Column('papers', sa.Integer(), nullable=False),
    sa.Column('brings', BIG, nullable=False),
    sa.PrimaryKeyConstraint('term', 'kind', name=op.f('pk_interest_term'))
    )
    op.create_index(op.f('ix_interest_term_brings'), 'interest_term', ['brings'])
    op.create_index(op.f('ix_interest_term_readers'), 'interest_term', ['readers'])
    op.create_table('interest_count',
    sa.Column('profile_id', BIG, nullable=False),
    sa.Column('papers', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['profile_id'], ['profile.id'], name=op.f('fk_interest_count_profile_id_profile'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('profile_id', name=op.f('pk_interest_count'))
    )
    op.create_index(op.f('ix_interest_count_papers'), 'interest_count', ['papers'])
    op.create_table('source_share',
    sa.Column('source_id', BIG, nullable=False),
    sa.Column('category', sa.String(length=80), nullable=False),
    sa.Column('papers', sa.Integer(), nullable=False),
    sa.Column('matched', sa.Integer(), nullable=False),
    sa.Column('alone', sa.Integer(), nullable=False),
    sa.Column('alone_matched', sa.Integer(), nullable=False),
    sa.Column('readers', sa.Integer(), nullable=False),
    sa.Column('only_readers', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['source_id'], ['source.id'], name=op.f('fk_source_share_source_id_source'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('source_id', 'category', name=op.f('pk_source_share'))
    )
    op.create_table('paper_join',
    sa.Column('id', BIG, autoincrement=True, nullable=False),
    sa.Column('at', UTCDateTime(), nullable=False),
    sa.Column('keep_id', BIG, nullable=False),
    sa.Column('gone_id', BIG, nullable=False),
    sa.Column('done_by', sa.String(length=120), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('before', sa.JSON(), nullable=False),
    sa.Column('undone_at', UTCDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['gone_id'], ['paper.id'], name=op.f('fk_paper_join_gone_id_paper'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['keep_id'], ['paper.id'], name=op.f('fk_paper_join_keep_id_paper'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_paper_join'))
    )
    op.create_index(op.f('ix_paper_join_gone_id'), 'paper_join', ['gone_id'])
    op.create_index(op.f('ix_paper_join_keep_id'), 'paper_join', ['keep_id'])
    op.add_column('source', sa.Column('asked_at', UTCDateTime(), nullable=True))
    op.add_column('source', sa.Column('answer', sa.JSON(none_as_null=True), nullable=True))
    op.add_column('admin', sa.Column('email', sa.String(length=254), server_default='', nullable=False))
    op.add_column('api_token', sa.Column('seen_from', sa.String(length=64), server_default='', nullable=False))
    op.add_column('api_token', sa.Column('ends_at', UTCDateTime(), nullable=True))
    op.add_column('edition', sa.Column('counted', sa.JSON(), nullable=True))
    op.create_index('ix_delivery_edition_state', 'delivery', ['edition_id', 'state', 'id'])
    op.drop_index('ix_delivery_edition_id', 'delivery')
    op.create_index('ix_delivery_planned_at', 'delivery', ['planned_at', 'id'])
    for name, table, columns, rows in SOME:
        op.create_index(name, table, columns, sqlite_where=sa.text(rows), postgresql_where=sa.text(rows))
    op.add_column('delivery', sa.Column('tested_to', sa.String(length=254), nullable=True))
    op.add_column('audit', sa.Column('reason', sa.Text(), server_default='', nullable=False))

def downgrade() -> None:
    for name, table, _, _ in SOME:
        op.drop_index(name, table)
    op.drop_index('ix_delivery_planned_at', 'delivery')
    op.create_index('ix_delivery_edition_id', 'delivery', ['edition_id'])
    op.drop_index('ix_delivery_edition_state', 'delivery')
    op.drop_column("edition", "counted")
    op.drop_column("source", "answer")
    op.drop_column("source", "asked_at")
    for name in ("paper_join", "source_share", "interest_count", "interest_term", "interest_run"):
        op.drop_table(name)
    op.drop_column("audit", "reason")
    op.drop_column("delivery", "tested_to")
    op.drop_column("api_token", "ends_at")
    op.drop_column("api_token", "seen_from")
    op.drop_column("admin", "email")
    for name in (
        "webhook_call", "vote", "submission", "release_wait", "reader_tag", "reader_imported", "reader_import_file", "reader_import", "pick", "webhook", "day_figure", "daily_release", "answer_kept",
    ):
        op.drop_table(name)
