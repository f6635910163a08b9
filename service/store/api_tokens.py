"""Programs' ways in to the API: only the hash of each token is kept."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from service.store.house_tables import ApiTokenRow


def add_token(
    session: Session,
    *,
    name: str,
    token_hash: str,
    scopes: Sequence[str],
    created_by: str,
    now: datetime,
    ends_at: datetime | None = None,
) -> ApiTokenRow:
    """A new one."""
    row = ApiTokenRow(
        name=name,
        token_hash=token_hash,
        scopes=list(scopes),
        created_by=created_by,
        created_at=now,
        ends_at=ends_at,
    )
    session.add(row)
    session.flush()
    return row


def find_token(session: Session, token_hash: str) -> ApiTokenRow | None:
    """The token of a hash that has not ended."""
    return session.exec(
        select(ApiTokenRow).where(
            col(ApiTokenRow.token_hash) == token_hash, col(ApiTokenRow.ended_at).is_(None)
        )
    ).first()


def get_token(session: Session, name: str) -> ApiTokenRow | None:
    """The token of a name that has not ended."""
    return session.exec(
        select(ApiTokenRow).where(
            col(ApiTokenRow.name) == name, col(ApiTokenRow.ended_at).is_(None)
        )
    ).first()


def list_tokens(session: Session) -> list[ApiTokenRow]:
    """All of them, those that still open something first, by name."""
    order = col(ApiTokenRow.ended_at).is_not(None), col(ApiTokenRow.name), col(ApiTokenRow.id)
    return list(session.exec(select(ApiTokenRow).order_by(*order)).all())


def set_seen(session: Session, used: Mapping[int, tuple[datetime, str]]) -> None:
    """When, and from which address, tokens were used last; never back."""
    for number, (at, address) in used.items():
        session.execute(
            sa.update(ApiTokenRow)
            .where(
                col(ApiTokenRow.id) == number,
                sa.or_(col(ApiTokenRow.seen_at).is_(None), col(ApiTokenRow.seen_at) < at),
            )
            .values(seen_at=at, seen_from=address)
            .execution_options(synchronize_session=False)
        )
