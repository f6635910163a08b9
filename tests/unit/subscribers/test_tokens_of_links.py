"""Tokens are those of the library, letter for letter: mails that are out hold them for months."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from itsdangerous import URLSafeSerializer

from service.subscribers.tokens import Signer

NOW = datetime(2026, 11, 19, 9, tzinfo=UTC)
OLD, NEW = "o" * 43, "n" * 43


def library(purpose: str, *keys: str) -> URLSafeSerializer:
    """The library's own, untouched; it signs with the last key."""
    return URLSafeSerializer(list(keys), salt=f"paperpost.{purpose}")


def test_token_is_the_librarys() -> None:
    chance = random.Random(20261122)
    signer, its_own = Signer((NEW, OLD)), library("manage", OLD, NEW)
    for _ in range(500):
        subject, until = chance.randrange(1, 10**7), NOW + timedelta(chance.randrange(1, 999))
        seconds = int(until.timestamp())
        stamp = f"{chance.choice('vf')}{chance.randbytes(3).hex()}.{seconds - 1000}"
        made = its_own.dumps([subject, seconds, stamp])
        assert signer.sign("manage", subject, until, stamp) == made


@pytest.mark.parametrize("key", [OLD, NEW])
def test_token_of_the_library_is_read(key: str) -> None:
    until = int((NOW + timedelta(days=1)).timestamp())
    stamp = "v" + "0" * 60  # so much the same that the library packs it
    token = str(library("manage", key).dumps([7, until, stamp]))
    assert token.startswith(".")
    assert Signer((NEW, OLD)).read("manage", token, NOW) == (7, stamp)
