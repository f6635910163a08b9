"""Alembic's environment for both databases; `service.store.migrations` passes the connection."""

from alembic import context
from sqlmodel import SQLModel

from service.store import (  # noqa: F401  (they fill the metadata)
    desk_tables,
    house_tables,
    report_tables,
    tables,
    workbench_tables,
)

NOT_OURS = ("procrastinate_",)


def include_name(name: str | None, kind: str, _parents: object) -> bool:
    return not (kind == "table" and name is not None and name.startswith(NOT_OURS))


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
    include_name=include_name,
    user_module_prefix="sqlmodel.sql.sqltypes.",
)
with context.begin_transaction():
    context.run_migrations()
