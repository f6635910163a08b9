"""The tables of the desk: tags of readers, an editor's hand, readers' proposals and votes, figures
of past days, calls to other programs, answers kept for repeated requests."""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Column, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from service.store.columns import Big, instant, json_list, json_object, key, reference, text


class ReaderTagRow(SQLModel, table=True):
    """A word of the staff's on a reader."""

    __tablename__ = "reader_tag"
    subscriber_id: int = reference("subscriber", primary=True)
    tag: str = Field(max_length=64, primary_key=True, index=True)


class ImportRow(SQLModel, table=True):
    """A list of readers that was brought in, or looked at alone. state: looking refused tried
    wanted running stopped done undoing · digest: of the files and what was chosen, so that what
    goes in is what was looked at · form: whose export it is · basis: what makes its readers active,
    see ``flows.agreed`` · step: portions that are in · report: what was seen, what it did so far,
    how far it is undone, and whose process it is · undone: of its readers, erased again."""

    __tablename__ = "reader_import"
    id: int | None = key()
    at: datetime = instant(null=False, index=True)
    done_by: str = Field(default="", max_length=120)
    state: str = Field(default="tried", max_length=16, index=True)
    digest: str = Field(max_length=64)
    form: str = Field(default="", max_length=32)
    basis: dict[str, Any] = json_object()
    options: dict[str, Any] = json_object()
    step: int = 0
    report: dict[str, Any] = json_object()
    done_at: datetime | None = instant()
    undone: int = 0


class ImportFileRow(SQLModel, table=True):
    """A file of an import, or a part of its rows with a problem, as gzip. kind: list, tried
    (problems of the look), problems, undo (readers who are still to be erased) · place: from 0."""

    __tablename__ = "reader_import_file"
    import_id: int = reference("reader_import", primary=True)
    kind: str = Field(max_length=16, primary_key=True)
    place: int = Field(primary_key=True)
    name: str = Field(default="", max_length=255)
    body: bytes = Field(sa_column=Column(sa.LargeBinary, nullable=False))


class ImportedRow(SQLModel, table=True):
    """A reader whom an import brought."""

    __tablename__ = "reader_imported"
    import_id: int = reference("reader_import", primary=True)
    subscriber_id: int = reference("subscriber", primary=True)
    __table_args__ = (Index("ix_reader_imported_subscriber_id", "subscriber_id"),)


class ReleaseRow(SQLModel, table=True):
    """The day whose daily may go; without a row it waits, where somebody is to release it. done_by:
    the staff's name, "" = the hour had come."""

    __tablename__ = "daily_release"
    day: date = Field(primary_key=True)
    at: datetime = instant(null=False)
    done_by: str = Field(default="", max_length=120)


class ReleaseWaitRow(SQLModel, table=True):
    """A reader whose mail of a day waits for its release."""

    __tablename__ = "release_wait"
    subscriber_id: int = reference("subscriber", primary=True)
    day: date = Field(index=True)
    since: datetime = instant(null=False)


class PickRow(SQLModel, table=True):
    """An editor's choice for a day. place: from 1."""

    __tablename__ = "pick"
    day: date = Field(primary_key=True)
    paper_id: int = reference("paper", primary=True)
    place: int = 1
    done_by: str = Field(default="", max_length=120)
    at: datetime = instant(null=False)


class SubmissionRow(SQLModel, table=True):
    """A paper that a reader proposes. state: waiting accepted declined · link: as typed · named:
    what it names, like "arxiv/2611.00001" · words: their sentence · name: how they want to be
    named, "" = not at all · body: the paper as its archive tells of it, null = not asked for yet,
    empty = there is none; title: of it · tried_at: when it was asked for last · paper_id: once it
    is stored · listed_on: the day on whose page it stands, once accepted · problem: why the link
    could not be read yet · answer: why it was declined, for the staff."""

    __tablename__ = "submission"
    __table_args__ = (Index("ix_submission_state_at", "state", "at"),)
    id: int | None = key()
    at: datetime = instant(null=False)
    subscriber_id: int | None = reference("subscriber", null=True)
    link: str = text()
    named: str = text()
    words: str = text()
    name: str = Field(default="", max_length=200)
    title: str = text()
    body: bytes | None = Field(default=None, sa_column=Column(sa.LargeBinary, nullable=True))
    tried_at: datetime | None = instant()
    state: str = Field(default="waiting", max_length=16)
    paper_id: int | None = reference("paper", null=True)
    listed_on: date | None = Field(default=None, index=True)
    problem: str = text()
    answer: str = text()
    decided_at: datetime | None = instant()
    decided_by: str = Field(default="", max_length=120)


class VoteRow(SQLModel, table=True):
    """A confirmed reader's vote for a paper."""

    __tablename__ = "vote"
    paper_id: int = reference("paper", primary=True)
    subscriber_id: int = reference("subscriber", primary=True)
    at: datetime = instant(null=False)
    __table_args__ = (Index("ix_vote_subscriber_id", "subscriber_id"),)


class DayFigureRow(SQLModel, table=True):
    """A count of one day of the installation's zone. name: what is counted (``flows/day_figures``)
    · part: of which (a receiving domain), "" = all."""

    __tablename__ = "day_figure"
    day: date = Field(primary_key=True)
    name: str = Field(max_length=32, primary_key=True)
    part: str = Field(default="", max_length=254, primary_key=True)
    count: int = Field(default=0, sa_column=Column(Big, nullable=False))


class WebhookRow(SQLModel, table=True):
    """A program that is told of events. events: which · secret: what calls are signed with ·
    old_secret: the one before, signed with too until old_until · tells_address: whether a reader's
    address is told with their number · failures: in a row, failing_since: the first of them ·
    ended_at: since when it is not told any more."""

    __tablename__ = "webhook"
    id: int | None = key()
    name: str = Field(max_length=120)
    url: str = text()
    events: list[str] = json_list()
    secret: str = text()
    created_by: str = Field(default="", max_length=120)
    created_at: datetime = instant(null=False)
    failures: int = 0
    failing_since: datetime | None = instant()
    old_secret: str = text()
    old_until: datetime | None = instant()
    tells_address: bool = False
    ended_at: datetime | None = instant()
    ended_why: str = text()


class WebhookCallRow(SQLModel, table=True):
    """One event for one program. state: waiting done failed · event_id: the same for all who are
    told of it, and at each try · tries: [{at, code, words, ms}]."""

    __tablename__ = "webhook_call"
    __table_args__ = (
        UniqueConstraint("webhook_id", "event_id"),
        Index("ix_webhook_call_due", "state", "next_at"),
    )
    id: int | None = key()
    webhook_id: int = reference("webhook")
    event_id: str = Field(max_length=64)
    event: str = Field(max_length=32)
    body: dict[str, Any] = json_object()
    state: str = Field(default="waiting", max_length=16)
    at: datetime = instant(null=False, index=True)
    next_at: datetime | None = instant()
    done_at: datetime | None = instant()
    tries: list[dict[str, Any]] = json_list()


class AnswerKeptRow(SQLModel, table=True):
    """What a program's request with an Idempotency-Key was answered. asked: hash of the request ·
    status: null while nothing was written for it, 0 once something was, then the answer's · owner:
    the process that works on it, null = none does any more."""

    __tablename__ = "answer_kept"
    __table_args__ = (UniqueConstraint("caller", "key"),)
    id: int | None = key()
    caller: str = Field(max_length=160)
    key: str = Field(max_length=200)
    asked: str = Field(max_length=64)
    status: int | None = None
    body: str = Field(default="", sa_column=Column(sa.Text, nullable=False))
    owner: int | None = Field(default=None, sa_column=Column(Big, nullable=True))
    at: datetime = instant(null=False, index=True)
