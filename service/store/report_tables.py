"""Tables of mails that came in, and of what they reported (SQLModel, as ``store.tables``)."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Column, Index
from sqlmodel import Field, SQLModel

from service.store.columns import instant, json_list, key, reference, text


class InboundRow(SQLModel, table=True):
    """A mail that came in, once. sha: SHA-256 of its bytes, hex · way: imap lmtp pipe webhook:NAME
    · rcpts: addresses it was handed over for · size: bytes it had; raw: of which so many were kept,
    null once forgotten · form: what told its meaning · state: done (understood, or a person
    decided) review (a person is to look) foreign (nothing in it is ours) · problems: what was cut
    or broken · decision: a word of ``reports.model.Kind`` by decided_by."""

    __tablename__ = "inbound"
    __table_args__ = (Index("ix_inbound_state_at", "state", "at"),)
    id: int | None = key()
    sha: str = Field(max_length=64, unique=True)
    at: datetime = instant(null=False, index=True)
    way: str = Field(max_length=32)
    rcpts: list[str] = json_list()
    sender: str = text()
    subject: str = text()
    size: int = 0
    raw: bytes | None = Field(default=None, sa_column=Column(sa.LargeBinary, nullable=True))
    form: str = Field(default="", max_length=32)
    state: str = Field(default="done", max_length=16)
    problems: list[str] = json_list()
    decision: str = Field(default="", max_length=16)
    decided_by: str = Field(default="", max_length=120)
    decided_at: datetime | None = instant()


class ReportRow(SQLModel, table=True):
    """One recipient in a mail that came in (``reports.model.Report``). delivery_id, subscriber_id:
    whose it is, null = counts for figures alone · domain: of the recipient, for DNS · at: when it
    came in · said: what followed (suppressed, left, scored, rests, alarm, "" = nothing)."""

    __tablename__ = "report"
    __table_args__ = (Index("ix_report_kind_at", "kind", "at"),)
    id: int | None = key()
    inbound_id: int = reference("inbound")
    delivery_id: int | None = reference("delivery", null=True)
    subscriber_id: int | None = reference("subscriber", null=True)
    kind: str = Field(max_length=16)
    reason: str = Field(max_length=32)
    recipient: str = Field(default="", max_length=254)
    domain: str = Field(default="", max_length=254, index=True)
    status: str = Field(default="", max_length=16)
    code: int = 0
    action: str = Field(default="", max_length=16)
    words: str = text()
    mta: str = text()
    at: datetime = instant(null=False, index=True)
    said: str = Field(default="", max_length=32)
