"""The tables of the workbench: what readers want as it was counted last, what a source brings, and
papers that a person joined."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column
from sqlmodel import Field, SQLModel

from service.store.columns import Big, instant, json_object, key, reference, text


class InterestRunRow(SQLModel, table=True):
    """The newest count; one row. seconds: of a processor · readers, interests: looked at · papers:
    of the days · pairs: (interest, paper) of the days."""

    __tablename__ = "interest_run"
    id: int = Field(default=1, primary_key=True)
    at: datetime = instant(null=False)
    seconds: float = 0.0
    readers: int = 0
    interests: int = 0
    papers: int = 0
    pairs: int = Field(default=0, sa_column=Column(Big, nullable=False))


class InterestTermRow(SQLModel, table=True):
    """A term or a name that readers ask for. term: its folded form · shown: as most type it ·
    kind: words, person, organisation, category, other · papers: of the days that hold it ·
    brings: readers times papers."""

    __tablename__ = "interest_term"
    term: str = Field(max_length=254, primary_key=True)
    kind: str = Field(max_length=16, primary_key=True)
    shown: str = text()
    readers: int = Field(default=0, index=True)
    interests: int = 0
    papers: int = 0
    brings: int = Field(default=0, sa_column=Column(Big, nullable=False, index=True))


class InterestCountRow(SQLModel, table=True):
    """How many papers of the days an interest wanted."""

    __tablename__ = "interest_count"
    profile_id: int = reference("profile", primary=True)
    papers: int = Field(default=0, index=True)


class SourceShareRow(SQLModel, table=True):
    """What a source brought in the days, of a category ("" = of all). matched: papers that an
    interest wants · alone: papers that no other source showed, alone_matched: of them those that
    are wanted · readers: who want one of its papers, only_readers: who want nothing else."""

    __tablename__ = "source_share"
    source_id: int = reference("source", primary=True)
    category: str = Field(default="", max_length=80, primary_key=True)
    papers: int = 0
    matched: int = 0
    alone: int = 0
    alone_matched: int = 0
    readers: int = 0
    only_readers: int = 0


class PaperJoinRow(SQLModel, table=True):
    """Two papers that a person joined. before: what is needed to part them again ·
    undone_at: since when they are two again."""

    __tablename__ = "paper_join"
    id: int | None = key()
    at: datetime = instant(null=False)
    keep_id: int = reference("paper")
    gone_id: int = reference("paper")
    done_by: str = Field(default="", max_length=120)
    reason: str = text()
    before: dict[str, Any] = json_object()
    undone_at: datetime | None = instant()
