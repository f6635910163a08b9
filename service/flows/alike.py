"""The same work for every address: the time of an answer does not tell who is a reader.

What is not to be kept is done all the same, and taken back before the commit.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from service.store.db import Session
from service.subscribers.address import Address


@contextmanager
def kept(session: Session, keep: bool) -> Iterator[None]:
    """What is written inside stays, or is taken back at the end."""
    inner = session.begin_nested()
    try:
        yield
        session.flush()
    except BaseException:
        inner.rollback()
        raise
    inner.commit() if keep else inner.rollback()


def nobody() -> Address:
    """An address for rows that are taken back: it meets no other row."""
    made = f"{secrets.token_hex(8)}@invalid"
    return Address(email=made, key=made)
