"""The tables (SQLModel). Keys are BIGINT (INTEGER on SQLite), instants aware UTC.

``table=True`` models do not validate: values are checked where they come in, and by the
database's own constraints.
"""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, UniqueConstraint
from sqlmodel import JSON, Field, SQLModel
from sqlmodel.sql.sqltypes import UTCDateTime

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

Big = BigInteger().with_variant(Integer(), "sqlite")


def _id() -> Any:
    return Field(default=None, sa_column=Column(Big, primary_key=True, autoincrement=True))


def _ref(
    target: str,
    *,
    null: bool = False,
    primary: bool = False,
    on_delete: str = "CASCADE",
    index: bool = True,
) -> Any:
    return Field(
        default=None if null else ...,
        sa_column=Column(
            Big,
            ForeignKey(f"{target}.id", ondelete="SET NULL" if null else on_delete),
            nullable=null,
            primary_key=primary,
            index=index and not primary,
        ),
    )


def _at(*, null: bool = True, index: bool = False) -> Any:
    return Field(
        default=None if null else ..., sa_column=Column(UTCDateTime(), nullable=null, index=index)
    )


def _json() -> Any:
    return Field(default_factory=dict, sa_column=Column(JSON, nullable=False))


def _list() -> Any:
    return Field(default_factory=list, sa_column=Column(JSON, nullable=False))


def _text(default: str = "") -> Any:
    return Field(default=default, sa_column=Column(sa.Text, nullable=False))


class PaperRow(SQLModel, table=True):
    """A work. ``eligible_at`` null = known: searchable, never new."""

    __tablename__ = "paper"
    __table_args__ = (Index("ix_paper_unmatched", "matched_at", "eligible_at"),)
    id: int | None = _id()
    title: str = _text()
    abstract: str = _text()
    raw_title: str = _text()
    raw_abstract: str = _text()
    authors: list[str] = _list()
    categories: list[str] = _list()
    published_on: date | None = None
    announced_on: date | None = None
    updated_at: datetime | None = _at()
    first_seen_at: datetime = _at(null=False)
    eligible_at: datetime | None = _at(index=True)
    matched_at: datetime | None = _at()
    listed_on: date | None = Field(default=None, index=True)
    links: dict[str, str] = _json()
    votes: int | None = None
    comments: int | None = None
    note: str = _text()
    organisation: str = _text()
    summary_line: str = _text()
    language: str = Field(default="", max_length=16)
    licence: str = _text()
    withdrawn: bool = False
    quarantined: str = _text()
    folded: dict[str, Any] | None = Field(
        default=None, sa_column=Column(sa.JSON(none_as_null=True), nullable=True)
    )
    fold_version: int = 0
    merged_into: int | None = _ref("paper", null=True)


class PaperAliasRow(SQLModel, table=True):
    __tablename__ = "paper_alias"
    __table_args__ = (UniqueConstraint("scheme", "value"),)
    id: int | None = _id()
    scheme: str = Field(max_length=16)
    value: str = Field(max_length=700)
    paper_id: int = _ref("paper")


class PaperEventRow(SQLModel, table=True):
    __tablename__ = "paper_event"
    id: int | None = _id()
    paper_id: int = _ref("paper")
    kind: str = Field(max_length=16)
    at: datetime = _at(null=False)
    value: str = _text()


class SourceRow(SQLModel, table=True):
    """Where papers come from. state: ok late stale silent failing paused gone."""

    __tablename__ = "source"
    id: int | None = _id()
    kind: str = Field(max_length=32)
    params: dict[str, str] = _json()
    params_key: str = Field(default="", max_length=700)
    title: str = _text()
    etag: str = _text()
    last_modified: str = _text()
    moved_to: str = _text()
    moved_times: int = 0
    next_poll_at: datetime | None = _at(index=True)
    last_poll_at: datetime | None = _at()
    last_new_at: datetime | None = _at()
    state: str = Field(default="ok", max_length=16)
    failures: int = 0
    last_error: str = _text()
    created_at: datetime = _at(null=False)
    first_polled: bool = False
    __table_args__ = (UniqueConstraint("kind", "params_key"),)


class SightingRow(SQLModel, table=True):
    __tablename__ = "sighting"
    __table_args__ = (UniqueConstraint("source_id", "paper_id", "listed_on"),)
    id: int | None = _id()
    source_id: int = _ref("source")
    paper_id: int = _ref("paper")
    listed_on: date = Field(index=True)
    announce_type: str = Field(default="", max_length=16)
    submitter: str = _text()
    author_takes_part: bool = False
    held: bool = False
    first_seen_at: datetime = _at(null=False)


class SourceDayRow(SQLModel, table=True):
    """One source and announcement day. state: none open complete late stale failed."""

    __tablename__ = "source_day"
    __table_args__ = (UniqueConstraint("source_id", "day"),)
    id: int | None = _id()
    source_id: int = _ref("source")
    day: date
    expected: bool = True
    polled_at: datetime | None = _at()
    items: int = 0
    new: int = 0
    known: int = 0
    state: str = Field(default="open", max_length=16)


class RawPollRow(SQLModel, table=True):
    __tablename__ = "raw_poll"
    id: int | None = _id()
    source_id: int = _ref("source")
    at: datetime = _at(null=False, index=True)
    url: str = _text()
    sha: str = Field(max_length=64, index=True)
    body: bytes = Field(sa_column=Column(sa.LargeBinary, nullable=False))


class SubscriberRow(SQLModel, table=True):
    __tablename__ = "subscriber"
    __table_args__ = (Index("ix_subscriber_due", "state", "next_digest_at"),)
    id: int | None = _id()
    email: str = Field(max_length=254)
    email_key: str = Field(max_length=254, unique=True)
    name: str = Field(default="", max_length=200)
    locale: str = Field(default="en", max_length=16)
    format: str = Field(default="html", max_length=8)
    style: str = Field(default="short", max_length=8)
    trending: bool = False
    zone: str = Field(default="UTC", max_length=64)
    hour: int = 8
    weekdays: str = Field(default="mon,tue,wed,thu,fri", max_length=32)
    next_digest_at: datetime | None = _at()
    paused_until: date | None = None
    state: str = Field(default="pending", max_length=16, index=True)
    first_digest: bool = False
    at_least: int = 1
    unsubscribe_token: str = Field(max_length=64, unique=True)
    feed_token: str = Field(max_length=64, unique=True)
    created_at: datetime = _at(null=False)
    confirmed_at: datetime | None = _at()
    confirm_until: datetime | None = _at()
    left_at: datetime | None = _at()
    added_by: str = _text()
    score: int = 0


class ProfileRow(SQLModel, table=True):
    __tablename__ = "profile"
    __table_args__ = (UniqueConstraint("subscriber_id", "name"),)
    id: int | None = _id()
    subscriber_id: int = _ref("subscriber")
    name: str = Field(max_length=200)
    kind: str = Field(max_length=16)
    text: str = _text()
    compiled: dict[str, Any] | None = Field(
        default=None, sa_column=Column(sa.JSON(none_as_null=True), nullable=True)
    )
    fold_version: int = 0
    cadence: str = Field(default="daily", max_length=16)
    weekday: int = 4
    cap: int | None = None
    threshold: float = 0.0
    since: date | None = None
    paused: bool = False
    options: dict[str, Any] = _json()
    created_at: datetime = _at(null=False)
    changed_at: datetime = _at(null=False, index=True)
    matched_at: datetime | None = _at(index=True)


class ConsentRow(SQLModel, table=True):
    __tablename__ = "consent"
    id: int | None = _id()
    subscriber_id: int | None = _ref("subscriber", null=True)
    email_hash: str = Field(default="", max_length=64, index=True)
    act: str = Field(max_length=32)
    at: datetime = _at(null=False)
    wording_version: str = Field(default="", max_length=16)
    address: str = Field(default="", max_length=64)
    agent: str = _text()
    detail: str = _text()


class SuppressionRow(SQLModel, table=True):
    __tablename__ = "suppression"
    id: int | None = _id()
    email_hash: str = Field(max_length=64, unique=True)
    reason: str = Field(max_length=32)
    since: datetime = _at(null=False)
    detail: str = _text()


class FeedbackRow(SQLModel, table=True):
    __tablename__ = "feedback"
    __table_args__ = (UniqueConstraint("subscriber_id", "paper_id"),)
    id: int | None = _id()
    subscriber_id: int = _ref("subscriber")
    paper_id: int = _ref("paper")
    sign: int
    at: datetime = _at(null=False)


class MatchRow(SQLModel, table=True):
    __tablename__ = "match"
    profile_id: int = _ref("profile", primary=True)
    paper_id: int = _ref("paper", primary=True)
    score: float = 0.0
    __table_args__ = (Index("ix_match_paper_id", "paper_id"),)


class EditionRow(SQLModel, table=True):
    """One sending occasion. state: open closing done incomplete paused cancelled."""

    __tablename__ = "edition"
    __table_args__ = (UniqueConstraint("kind", "audience", "slot"),)
    id: int | None = _id()
    kind: str = Field(max_length=16)
    audience: str = Field(default="all", max_length=120)
    slot: str = Field(max_length=120)
    state: str = Field(default="open", max_length=16, index=True)
    title: str = _text()
    opened_at: datetime = _at(null=False)
    closes_at: datetime | None = _at()
    planned: int | None = None
    created_by: str = Field(default="", max_length=120)
    options: dict[str, Any] = _json()
    not_before: datetime | None = _at()
    paused: bool = False


class DeliveryRow(SQLModel, table=True):
    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("edition_id", "recipient_key"),
        Index("ix_delivery_due", "state", "not_before"),
        Index("ix_delivery_lease", "state", "lease_owner"),
    )
    id: int | None = _id()
    edition_id: int = _ref("edition")
    recipient_key: str = Field(max_length=254)
    subscriber_id: int | None = _ref("subscriber", null=True)
    rcpt: str | None = Field(default=None, max_length=254)
    kind: str = Field(max_length=24)
    locale: str = Field(default="en", max_length=16)
    priority: int = 0
    state: str = Field(default="planned", max_length=16)
    fence: int = 0
    lease_owner: int | None = Field(default=None, sa_column=Column(Big, nullable=True))
    lease_until: datetime | None = _at()
    attempts: int = 0
    not_before: datetime | None = _at()
    deadline_at: datetime | None = _at()
    message_id: str = Field(max_length=200, unique=True)
    bounce_id: str = Field(max_length=64, unique=True)
    token: str = Field(max_length=64, unique=True)
    date_header: datetime | None = _at()
    body_sha: str = Field(default="", max_length=64)
    content: dict[str, Any] | None = Field(
        default=None, sa_column=Column(sa.JSON(none_as_null=True), nullable=True)
    )
    code: int | None = None
    enhanced: str = Field(default="", max_length=16)
    reason: str = _text()
    planned_at: datetime = _at(null=False)
    marked_at: datetime | None = _at()
    accepted_at: datetime | None = _at(index=True)


class AttemptRow(SQLModel, table=True):
    __tablename__ = "attempt"
    id: int | None = _id()
    delivery_id: int = _ref("delivery")
    n: int
    phase: str = Field(max_length=16)
    at: datetime = _at(null=False, index=True)
    code: int = 0
    enhanced: str = Field(default="", max_length=16)
    text: str = _text()
    connection: str = Field(default="", max_length=64)
    relay_id: str = Field(default="", max_length=200)


class SentPaperRow(SQLModel, table=True):
    __tablename__ = "sent_paper"
    subscriber_id: int = _ref("subscriber", primary=True)
    paper_id: int = _ref("paper", primary=True)
    occasion: str = Field(default="new", max_length=16, primary_key=True)
    delivery_id: int | None = _ref("delivery", null=True)


class CarryRow(SQLModel, table=True):
    __tablename__ = "carry"
    subscriber_id: int = _ref("subscriber", primary=True)
    paper_id: int = _ref("paper", primary=True)
    delivery_id: int = _ref("delivery")


class ProcessRow(SQLModel, table=True):
    __tablename__ = "process"
    id: int | None = _id()
    host: str = Field(max_length=200)
    pid: int = 0
    started_at: datetime = _at(null=False)
    seen_at: datetime = _at(null=False)
    ended: bool = False


class PaceRow(SQLModel, table=True):
    __tablename__ = "pace"
    __table_args__ = (UniqueConstraint("scope", "key"),)
    id: int | None = _id()
    scope: str = Field(max_length=32)
    key: str = Field(max_length=254)
    at: datetime | None = _at()
    until: datetime | None = _at()
    count: int = 0
    windows: dict[str, Any] = _json()


class AdminRow(SQLModel, table=True):
    __tablename__ = "admin"
    id: int | None = _id()
    name: str = Field(max_length=120, unique=True)
    role: str = Field(max_length=16)
    password_hash: str = _text()
    link_hash: str = Field(default="", max_length=64)
    link_until: datetime | None = _at()
    created_at: datetime = _at(null=False)
    disabled: bool = False


class SessionRow(SQLModel, table=True):
    __tablename__ = "session"
    id: int | None = _id()
    admin_id: int = _ref("admin")
    id_hash: str = Field(max_length=64, unique=True)
    created_at: datetime = _at(null=False)
    seen_at: datetime = _at(null=False)
    address: str = Field(default="", max_length=64)
    agent: str = _text()


class AuditRow(SQLModel, table=True):
    __tablename__ = "audit"
    id: int | None = _id()
    at: datetime = _at(null=False, index=True)
    who: str = Field(max_length=120)
    what: str = Field(max_length=64)
    target: str = _text()
    before: dict[str, Any] | None = Field(
        default=None, sa_column=Column(sa.JSON(none_as_null=True), nullable=True)
    )
    after: dict[str, Any] | None = Field(
        default=None, sa_column=Column(sa.JSON(none_as_null=True), nullable=True)
    )
    address: str = Field(default="", max_length=64)


class SettingRow(SQLModel, table=True):
    __tablename__ = "setting"
    name: str = Field(max_length=64, primary_key=True)
    value: str = _text()


class InstanceRow(SQLModel, table=True):
    __tablename__ = "instance"
    id: int = Field(default=1, primary_key=True)
    uid: str = Field(max_length=64)
    epoch: int = 0
    key: str = Field(max_length=128)
