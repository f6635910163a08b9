"""The tables (SQLModel). Keys are BIGINT (INTEGER on SQLite), instants aware UTC. ``table=True``
models do not validate: values are checked where they come in, and by the database."""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Column, Index, UniqueConstraint
from sqlmodel import Field, Relationship, SQLModel

from service.defaults import DAYS, FIXED
from service.store.columns import (
    Big,
    instant,
    json_list,
    json_object,
    json_or_null,
    key,
    only,
    reference,
    text,
)
from service.store.split import Shared, joined


class PaperRow(SQLModel, table=True):
    """A work. ``eligible_at`` null = known: searchable, never new."""

    __tablename__ = "paper"
    __table_args__ = (Index("ix_paper_unmatched", "matched_at", "eligible_at"),)
    id: int | None = key()
    title: str = text()
    abstract: str = text()
    raw_title: str = text()
    raw_abstract: str = text()
    authors: list[str] = json_list()
    categories: list[str] = json_list()
    published_on: date | None = None
    announced_on: date | None = None
    updated_at: datetime | None = instant()
    first_seen_at: datetime = instant(null=False)
    eligible_at: datetime | None = instant(index=True)
    matched_at: datetime | None = instant()
    listed_on: date | None = Field(default=None, index=True)
    links: dict[str, str] = json_object()
    votes: int | None = None
    comments: int | None = None
    note: str = text()
    organisation: str = text()
    summary_line: str = text()
    language: str = Field(default="", max_length=16)
    licence: str = text()
    withdrawn: bool = False
    quarantined: str = text()
    folded: dict[str, Any] | None = json_or_null()
    fold_version: int = 0
    merged_into: int | None = reference("paper", null=True)


class PaperAliasRow(SQLModel, table=True):
    __tablename__ = "paper_alias"
    __table_args__ = (UniqueConstraint("scheme", "value"),)
    id: int | None = key()
    scheme: str = Field(max_length=16)
    value: str = Field(max_length=700)
    paper_id: int = reference("paper")


class PaperEventRow(SQLModel, table=True):
    __tablename__ = "paper_event"
    id: int | None = key()
    paper_id: int = reference("paper")
    kind: str = Field(max_length=16)
    at: datetime = instant(null=False)
    value: str = text()


class SourceRow(SQLModel, table=True):
    """Where papers come from. state: ok late stale silent failing paused gone · asked_at: when a
    person last asked for a poll · answer: what the newest poll brought (``taking.PollReport``) and
    ``at``."""

    __tablename__ = "source"
    id: int | None = key()
    kind: str = Field(max_length=32)
    params: dict[str, str] = json_object()
    params_key: str = Field(default="", max_length=700)
    title: str = text()
    etag: str = text()
    last_modified: str = text()
    moved_to: str = text()
    moved_times: int = 0
    next_poll_at: datetime | None = instant(index=True)
    last_poll_at: datetime | None = instant()
    last_new_at: datetime | None = instant()
    state: str = Field(default="ok", max_length=16)
    failures: int = 0
    last_error: str = text()
    created_at: datetime = instant(null=False)
    first_polled: bool = False
    asked_at: datetime | None = instant()
    answer: dict[str, Any] | None = json_or_null()
    __table_args__ = (UniqueConstraint("kind", "params_key"),)


class SightingRow(SQLModel, table=True):
    __tablename__ = "sighting"
    __table_args__ = (UniqueConstraint("source_id", "paper_id", "listed_on"),)
    id: int | None = key()
    source_id: int = reference("source")
    paper_id: int = reference("paper")
    listed_on: date = Field(index=True)
    announce_type: str = Field(default="", max_length=16)
    submitter: str = text()
    author_takes_part: bool = False
    held: bool = False
    first_seen_at: datetime = instant(null=False)


class SourceDayRow(SQLModel, table=True):
    """One source and announcement day. state: a word of ``sources.days``.

    late_polls: answers after the hour that held nothing new; of a feed, those before which papers
    may have passed by (``schedule.leaves_gap``) · completed_at: when its first new
    papers came · announced: what ``history_kind`` named at ``crosschecked_at`` (None: not asked).
    """

    __tablename__ = "source_day"
    __table_args__ = (UniqueConstraint("source_id", "day"),)
    id: int | None = key()
    source_id: int = reference("source")
    day: date
    expected: bool = True
    polled_at: datetime | None = instant()
    items: int = 0
    new: int = 0
    known: int = 0
    state: str = Field(default="open", max_length=16)
    late_polls: int = Field(default=0, sa_column_kwargs={"server_default": sa.text("0")})
    completed_at: datetime | None = instant()
    crosschecked_at: datetime | None = instant()
    announced: int | None = None


class RawPollRow(SQLModel, table=True):
    __tablename__ = "raw_poll"
    id: int | None = key()
    source_id: int = reference("source")
    at: datetime = instant(null=False, index=True)
    url: str = text()
    sha: str = Field(max_length=64, index=True)
    body: bytes = Field(sa_column=Column(sa.LargeBinary, nullable=False))


class SubscriberRow(SQLModel, table=True):
    """A reader. quiet_from, quiet_until: hours without alerts, null = the installation's ·
    feed_since: since when the feed of their own is open, null = it is not · score: of reports that
    their mail came back, as of scored_at · rests_until, rests: no mail before, and how many times
    in a row, since it was not taken for now."""

    __tablename__ = "subscriber"
    __table_args__ = (Index("ix_subscriber_due", "state", "next_digest_at"),)
    id: int | None = key()
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
    next_digest_at: datetime | None = instant()
    paused_until: date | None = None
    state: str = Field(default="pending", max_length=16, index=True)
    first_digest: bool = False
    at_least: int = 1
    on_time: bool = Field(default=False, sa_column_kwargs={"server_default": sa.false()})
    tell_anyway: bool = Field(default=False, sa_column_kwargs={"server_default": sa.false()})
    picks: bool = Field(default=True, sa_column_kwargs={"server_default": sa.true()})
    quiet_from: int | None = None
    quiet_until: int | None = None
    feed_since: datetime | None = instant()
    unsubscribe_token: str = Field(max_length=64, unique=True)
    feed_token: str = Field(max_length=64, unique=True)
    created_at: datetime = instant(null=False)
    confirmed_at: datetime | None = instant()
    confirm_until: datetime | None = instant()
    left_at: datetime | None = instant()
    added_by: str = text()
    score: int = 0
    scored_at: datetime | None = instant()
    rests_until: datetime | None = instant()
    rests: int = Field(default=0, sa_column_kwargs={"server_default": sa.text("0")})


class ProfileRow(SQLModel, table=True):
    __tablename__ = "profile"
    __table_args__ = (
        UniqueConstraint("subscriber_id", "name"),
        Index("ix_profile_asking", "subscriber_id", "paused", "kind", "id"),
    )
    id: int | None = key()
    subscriber_id: int = reference("subscriber", index=False)
    name: str = Field(max_length=200)
    kind: str = Field(max_length=16)
    text: str = text()
    compiled: dict[str, Any] | None = json_or_null()
    fold_version: int = 0
    cadence: str = Field(default="daily", max_length=16)
    weekday: int = DAYS.index(FIXED.weekly_day)
    cap: int | None = None
    threshold: float = 0.0
    since: date | None = None
    paused: bool = False
    options: dict[str, Any] = json_object()
    created_at: datetime = instant(null=False)
    changed_at: datetime = instant(null=False, index=True)
    matched_at: datetime | None = instant(index=True)


class ConsentRow(SQLModel, table=True):
    __tablename__ = "consent"
    __table_args__ = (Index("ix_consent_act_at", "act", "at"),)
    id: int | None = key()
    subscriber_id: int | None = reference("subscriber", null=True)
    email_hash: str = Field(default="", max_length=64, index=True)
    act: str = Field(max_length=32)
    at: datetime = instant(null=False)
    wording_version: str = Field(default="", max_length=16)
    address: str = Field(default="", max_length=64)
    agent: str = text()
    detail: str = text()


class SuppressionRow(SQLModel, table=True):
    __tablename__ = "suppression"
    id: int | None = key()
    email_hash: str = Field(max_length=64, unique=True)
    reason: str = Field(max_length=32)
    since: datetime = instant(null=False)
    detail: str = text()


class FeedbackRow(SQLModel, table=True):
    __tablename__ = "feedback"
    __table_args__ = (UniqueConstraint("subscriber_id", "paper_id"),)
    id: int | None = key()
    subscriber_id: int = reference("subscriber")
    paper_id: int = reference("paper")
    sign: int
    at: datetime = instant(null=False)


class MatchRow(SQLModel, table=True):
    """score: when they met. It says on a reader's page which scores an interest's papers have; a
    mail works out its own."""

    __tablename__ = "match"
    profile_id: int = reference("profile", primary=True)
    paper_id: int = reference("paper", primary=True)
    score: float = 0.0
    __table_args__ = (Index("ix_match_paper_id", "paper_id"),)


class EditionRow(SQLModel, table=True):
    """One sending occasion. state: open closing done incomplete paused cancelled · paused_why: what
    stopped it by itself, in words for people ("" = a person did, or nobody) · counted: its mails by
    state when it was done (``editions.states_of``), null = not taken down."""

    __tablename__ = "edition"
    __table_args__ = (UniqueConstraint("kind", "audience", "slot"),)
    id: int | None = key()
    kind: str = Field(max_length=16)
    audience: str = Field(default="all", max_length=120)
    slot: str = Field(max_length=120)
    state: str = Field(default="open", max_length=16, index=True)
    title: str = text()
    opened_at: datetime = instant(null=False)
    closes_at: datetime | None = instant()
    planned: int | None = None
    created_by: str = Field(default="", max_length=120)
    options: dict[str, Any] = json_object()
    not_before: datetime | None = instant()
    paused: bool = False
    paused_why: str = Field(
        default="", sa_column=Column(sa.Text, nullable=False, server_default="")
    )
    counted: dict[str, int] | None = json_or_null()


class ContentRow(SQLModel, table=True):
    """What mails hold that are the same but for their reader (``split.Shared``), once for all of
    them. sha: of all of it. A number is never given twice, so that it may be kept in mind."""

    __tablename__ = "content"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: int | None = key()
    sha: str = Field(max_length=64, unique=True)
    papers: list[int] = json_list()
    signals: list[int] = json_list()
    body: dict[str, Any] = json_object()


UNSAID = "meaning = '' AND state IN ('failed', 'expired', 'unknown', 'presumed')"


class DeliveryRow(SQLModel, table=True):
    """One edition to one recipient. domain: where its mail is received, in the form for DNS (""
    once erased) · meaning: a word of ``delivery.answers``, what the last refusal was about ·
    own: what is this reader's alone of the content; all of it where nobody else gets the same ·
    tested_to: where it truly went, or was to go, in test mode."""

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("edition_id", "recipient_key"),
        Index("ix_delivery_due", "state", "priority", "edition_id", "not_before", "id"),
        Index("ix_delivery_edition_state", "edition_id", "state", "id"),
        Index("ix_delivery_planned_at", "planned_at", "id"),
        Index("ix_delivery_domain", "domain", "id", **only("domain > ''")),
        Index("ix_delivery_nobody", "recipient_key", **only("subscriber_id IS NULL")),
        Index("ix_delivery_meaning", "meaning", "id", **only("meaning <> ''")),
        Index("ix_delivery_unsaid", "id", **only(UNSAID)),
        Index("ix_delivery_lease", "state", "lease_owner", **only("lease_owner IS NOT NULL")),
    )
    id: int | None = key()
    edition_id: int = reference("edition", index=False)
    recipient_key: str = Field(max_length=254)
    subscriber_id: int | None = reference("subscriber", null=True)
    rcpt: str | None = Field(default=None, max_length=254)
    domain: str = Field(default="", max_length=254, sa_column_kwargs={"server_default": ""})
    kind: str = Field(max_length=24)
    locale: str = Field(default="en", max_length=16)
    priority: int = 0
    state: str = Field(default="planned", max_length=16)
    fence: int = 0
    lease_owner: int | None = Field(default=None, sa_column=Column(Big, nullable=True))
    lease_until: datetime | None = instant()
    attempts: int = 0
    not_before: datetime | None = instant()
    deadline_at: datetime | None = instant()
    message_id: str = Field(max_length=200, unique=True)
    bounce_id: str = Field(max_length=64, unique=True)
    token: str = Field(max_length=64, unique=True)
    date_header: datetime | None = instant()
    body_sha: str = Field(default="", max_length=64)
    content_id: int | None = reference("content", null=True, on_delete="NO ACTION")
    own: dict[str, Any] | None = json_or_null()
    code: int | None = None
    enhanced: str = Field(default="", max_length=16)
    tested_to: str | None = Field(default=None, max_length=254)
    reason: str = text()
    meaning: str = Field(default="", max_length=16, sa_column_kwargs={"server_default": ""})
    planned_at: datetime = instant(null=False)
    marked_at: datetime | None = instant()
    accepted_at: datetime | None = instant(index=True)
    shared: ContentRow | None = Relationship(
        sa_relationship_kwargs={"lazy": "selectin", "viewonly": True}
    )

    @property
    def content(self) -> dict[str, Any] | None:
        """What the mail holds, as one; it is made anew at each call."""
        if self.content_id is None:
            return self.own
        if self.shared is None or self.shared.id != self.content_id:
            raise LookupError(f"delivery {self.id}: its content was not read with it")
        whole = Shared(self.shared.body, self.shared.papers, self.shared.signals)
        return joined(whole, self.own)


class AttemptRow(SQLModel, table=True):
    __tablename__ = "attempt"
    __table_args__ = (Index("ix_attempt_no", "delivery_id", **only("code = 0 OR code >= 300")),)
    id: int | None = key()
    delivery_id: int = reference("delivery")
    n: int
    phase: str = Field(max_length=16)
    at: datetime = instant(null=False, index=True)
    code: int = 0
    enhanced: str = Field(default="", max_length=16)
    text: str = text()
    connection: str = Field(default="", max_length=64)
    relay_id: str = Field(default="", max_length=200)


class SentPaperRow(SQLModel, table=True):
    __tablename__ = "sent_paper"
    subscriber_id: int = reference("subscriber", primary=True)
    paper_id: int = reference("paper", primary=True)
    occasion: str = Field(default="new", max_length=16, primary_key=True)
    delivery_id: int | None = reference("delivery", null=True)


class CarryRow(SQLModel, table=True):
    __tablename__ = "carry"
    subscriber_id: int = reference("subscriber", primary=True)
    paper_id: int = reference("paper", primary=True)
    delivery_id: int = reference("delivery")
