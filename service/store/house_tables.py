"""The tables of the installation itself: processes, pace, staff, settings, identity."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Column, UniqueConstraint
from sqlmodel import Field, SQLModel

from service.store.columns import (
    Big,
    instant,
    json_list,
    json_object,
    json_or_null,
    key,
    reference,
    text,
)


class ProcessRow(SQLModel, table=True):
    __tablename__ = "process"
    id: int | None = key()
    host: str = Field(max_length=200)
    pid: int = 0
    started_at: datetime = instant(null=False)
    seen_at: datetime = instant(null=False)
    ended: bool = False


class PaceRow(SQLModel, table=True):
    __tablename__ = "pace"
    __table_args__ = (UniqueConstraint("scope", "key"),)
    id: int | None = key()
    scope: str = Field(max_length=32)
    key: str = Field(max_length=254)
    at: datetime | None = instant()
    until: datetime | None = instant()
    count: int = 0
    windows: dict[str, Any] = json_object()


class AlarmRow(SQLModel, table=True):
    """What the staff must know of until it is over. kind, key: which one (a breaker, a domain);
    what, place, next_step: in three parts, without an address · told_at: when a mail about it was
    planned · ended_at: when it was over, null = it still is so."""

    __tablename__ = "alarm"
    __table_args__ = (UniqueConstraint("kind", "key"),)
    id: int | None = key()
    kind: str = Field(max_length=32)
    key: str = Field(max_length=254)
    what: str = text()
    place: str = text()
    next_step: str = text()
    since: datetime = instant(null=False)
    seen_at: datetime = instant(null=False)
    count: int = 1
    told_at: datetime | None = instant()
    ended_at: datetime | None = instant()


class RelayLogRow(SQLModel, table=True):
    """How far a relay's log was read. mark: hash of the file's first line, by which a rotated one
    is known · open: what lines before ``position`` began and later ones end, by queue id."""

    __tablename__ = "relay_log"
    __table_args__ = (UniqueConstraint("path"),)
    id: int | None = key()
    path: str = Field(max_length=700)
    mark: str = Field(default="", max_length=64)
    position: int = Field(default=0, sa_column=Column(Big, nullable=False))
    read_at: datetime | None = instant()
    open: dict[str, Any] = json_object()


class AdminRow(SQLModel, table=True):
    """One of the staff. email: where reports of their sends go, "" = to the installation's."""

    __tablename__ = "admin"
    id: int | None = key()
    name: str = Field(max_length=120, unique=True)
    role: str = Field(max_length=16)
    password_hash: str = text()
    link_hash: str = Field(default="", max_length=64)
    link_until: datetime | None = instant()
    created_at: datetime = instant(null=False)
    disabled: bool = False
    email: str = Field(default="", max_length=254, sa_column_kwargs={"server_default": ""})


class SessionRow(SQLModel, table=True):
    __tablename__ = "session"
    id: int | None = key()
    admin_id: int = reference("admin")
    id_hash: str = Field(max_length=64, unique=True)
    created_at: datetime = instant(null=False)
    seen_at: datetime = instant(null=False)
    address: str = Field(default="", max_length=64)
    agent: str = text()


class AuditRow(SQLModel, table=True):
    """One act. reason: why, in the words of who did it, where they were asked."""

    __tablename__ = "audit"
    id: int | None = key()
    at: datetime = instant(null=False, index=True)
    who: str = Field(max_length=120)
    what: str = Field(max_length=64)
    target: str = text()
    before: dict[str, Any] | None = json_or_null()
    after: dict[str, Any] | None = json_or_null()
    address: str = Field(default="", max_length=64)
    reason: str = Field(default="", sa_column=Column(sa.Text, nullable=False, server_default=""))


class ApiTokenRow(SQLModel, table=True):
    """A program's way in to the API. name: what for · token_hash: of the token, which is shown
    once · scopes: what it may do · seen_at, seen_from: last use, and its network address · ends_at:
    when it ends by itself · ended_at: since when it opens nothing."""

    __tablename__ = "api_token"
    id: int | None = key()
    name: str = Field(max_length=120)
    token_hash: str = Field(max_length=64, unique=True)
    scopes: list[str] = json_list()
    created_by: str = Field(max_length=120)
    created_at: datetime = instant(null=False)
    seen_at: datetime | None = instant()
    seen_from: str = Field(
        default="", sa_column=Column(sa.String(64), nullable=False, server_default="")
    )
    ends_at: datetime | None = instant()
    ended_at: datetime | None = instant()


class TopicRow(SQLModel, table=True):
    """An operator's saved search with a page. kind: query or keywords, as of a profile · likes:
    names of papers ("arxiv/2611.00001") whose like is shown beside what has the words."""

    __tablename__ = "topic"
    id: int | None = key()
    name: str = Field(max_length=64, unique=True)
    title: str = text()
    about: str = text()
    kind: str = Field(max_length=16)
    text: str = text()
    likes: list[str] = json_list()
    created_at: datetime = instant(null=False)
    changed_at: datetime = instant(null=False)


class SettingRow(SQLModel, table=True):
    __tablename__ = "setting"
    name: str = Field(max_length=64, primary_key=True)
    value: str = text()


class InstanceRow(SQLModel, table=True):
    __tablename__ = "instance"
    id: int = Field(default=1, primary_key=True)
    uid: str = Field(max_length=64)
    epoch: int = 0
    key: str = Field(max_length=128)
