"""The installation itself: its id, its key (never rotated), and the settings of taste."""

import secrets
from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import Session, col, select

from service.defaults import Defaults, with_rows
from service.store.house_tables import InstanceRow, SettingRow


@dataclass(frozen=True, slots=True)
class Instance:
    """uid names the installation; key (32 bytes) keys Message-IDs and suppression hashes."""

    uid: str
    key: bytes


def get_instance(session: Session) -> Instance:
    """Return the installation's identity. Raises LookupError before ``add_instance``."""
    row = session.get(InstanceRow, 1)
    if row is None:
        raise LookupError("the instance row is missing; run: paperpost migrate")
    return Instance(row.uid, bytes.fromhex(row.key))


def add_instance(session: Session) -> Instance:
    """Make the installation's identity once; later calls, and who begins at the same moment, get
    the same."""
    if session.get(InstanceRow, 1) is None:
        session.execute(
            sa.text(
                "INSERT INTO instance (id, uid, epoch, key) VALUES (1, :uid, 0, :key) "
                "ON CONFLICT DO NOTHING"
            ),
            {"uid": secrets.token_hex(8), "key": secrets.token_hex(32)},
        )
    return get_instance(session)


def get_epoch(session: Session) -> tuple[str, int]:
    """(uid, how often sending began), as they are now."""
    row = session.execute(
        sa.select(col(InstanceRow.uid), col(InstanceRow.epoch)).where(col(InstanceRow.id) == 1)
    ).one()
    return str(row[0]), int(row[1])


def raise_epoch(session: Session, least: int = 0) -> int:
    """One more start of sending, beyond ``least``; returns the new number."""
    _, epoch = get_epoch(session)
    now = max(epoch, least) + 1
    session.execute(sa.update(InstanceRow).where(col(InstanceRow.id) == 1).values(epoch=now))
    return now


def renew_uid(session: Session) -> str:
    """Another identity for a copy. The key stays: who left stays away."""
    uid = secrets.token_hex(8)
    session.execute(sa.update(InstanceRow).where(col(InstanceRow.id) == 1).values(uid=uid, epoch=0))
    return uid


def get_defaults(session: Session) -> Defaults:
    """Return the values of taste in force."""
    rows = session.exec(select(SettingRow)).all()
    return with_rows({row.name: row.value for row in rows})


def set_setting(session: Session, name: str, value: str | None) -> None:
    """Store one value of taste; None returns to the default. The value is checked before."""
    session.execute(sa.delete(SettingRow).where(SettingRow.name == name))  # type: ignore[arg-type]
    if value is not None:
        session.add(SettingRow(name=name, value=value))
