"""What answers can be about, and what follows from it. Pure.

``delivery.answers`` says which answer means what.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Meaning(StrEnum):
    """What an answer was about; the word that stands in ``delivery.meaning`` ("" = none yet)."""

    PERSON = "person"
    FULL = "full"
    POLICY = "policy"
    CONTENT = "content"
    RATE = "rate"
    TEMPORARY = "temporary"
    RELAY = "relay"
    SILENT = "silent"
    REST = "rest"
    LATE = "late"
    OTHER = "other"


Blamed = Literal["reader", "domain", "account", "mail", "nobody"]


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """says: in words for staff · blamed: whom the answer is held against · can_resend: whether it
    makes sense to send what failed so once more, when the cause is mended."""

    says: str
    blamed: Blamed
    can_resend: bool


ABOUT: Mapping[Meaning, About] = {
    Meaning.PERSON: About(says="no such mailbox", blamed="reader", can_resend=False),
    Meaning.FULL: About(says="mailbox full", blamed="nobody", can_resend=True),
    Meaning.POLICY: About(
        says="refused because of us: reputation, authentication, their rules",
        blamed="domain",
        can_resend=True,
    ),
    Meaning.CONTENT: About(
        says="this mail as such: its size, its form", blamed="mail", can_resend=True
    ),
    Meaning.RATE: About(says="asked to go slower", blamed="domain", can_resend=True),
    Meaning.TEMPORARY: About(says="not now", blamed="nobody", can_resend=True),
    Meaning.RELAY: About(
        says="our own set-up: signing in, sender, relaying", blamed="account", can_resend=True
    ),
    Meaning.SILENT: About(says="no answer", blamed="account", can_resend=True),
    Meaning.REST: About(
        says="not tried: a rest or a limit keeps it back", blamed="nobody", can_resend=True
    ),
    Meaning.LATE: About(
        says="never tried: its time was over first", blamed="nobody", can_resend=True
    ),
    Meaning.OTHER: About(says="refused without a known reason", blamed="nobody", can_resend=True),
}
