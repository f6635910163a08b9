"""What columns are made of: keys, references, aware instants, JSON; names of constraints."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import BigInteger, Column, ForeignKey, Integer
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


def key() -> Any:
    return Field(default=None, sa_column=Column(Big, primary_key=True, autoincrement=True))


def reference(
    target: str,
    *,
    null: bool = False,
    primary: bool = False,
    on_delete: str | None = None,
    index: bool = True,
) -> Any:
    """on_delete: None = the row loses the reference where it may, else it goes along."""
    rule = on_delete or ("SET NULL" if null else "CASCADE")
    return Field(
        default=None if null else ...,
        sa_column=Column(
            Big,
            ForeignKey(f"{target}.id", ondelete=rule),
            nullable=null,
            primary_key=primary,
            index=index and not primary,
        ),
    )


def only(condition: str) -> dict[str, Any]:
    """What makes an index of some rows alone, on both databases."""
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def instant(*, null: bool = True, index: bool = False) -> Any:
    return Field(
        default=None if null else ..., sa_column=Column(UTCDateTime(), nullable=null, index=index)
    )


def _empty_object() -> dict[str, Any]:
    """Not ``dict`` itself: the signature of a built-in is parsed anew for every row."""
    return {}


def _empty_list() -> list[Any]:
    return []


def json_object() -> Any:
    return Field(default_factory=_empty_object, sa_column=Column(JSON, nullable=False))


def json_list() -> Any:
    return Field(default_factory=_empty_list, sa_column=Column(JSON, nullable=False))


def json_or_null() -> Any:
    """An object, or nothing at all: no JSON null."""
    column = Column(sa.JSON(none_as_null=True), nullable=True)
    return Field(default=None, sa_column=column)


def text(default: str = "") -> Any:
    return Field(default=default, sa_column=Column(sa.Text, nullable=False))
