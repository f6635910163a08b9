"""The life of a delivery: every state, every arrow. Pure."""

from enum import StrEnum


class State(StrEnum):
    """Where one delivery (one edition to one subscriber) stands."""

    PLANNED = "planned"
    READY = "ready"
    LEASED = "leased"
    SENDING = "sending"
    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    FAILED = "failed"
    UNKNOWN = "unknown"
    PRESUMED = "presumed"
    SUPPRESSED = "suppressed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"


S = State

OPEN = frozenset({S.PLANNED, S.READY, S.LEASED, S.DEFERRED})
"""Not yet tried to the end: may still be stopped. (``sending`` and ``unknown`` may not.)"""

FINAL = frozenset(
    {S.ACCEPTED, S.FAILED, S.SUPPRESSED, S.EXPIRED, S.CANCELLED, S.SKIPPED, S.PRESUMED}
)
"""What an edition's balance counts."""

HELD = frozenset({S.UNKNOWN, S.PRESUMED})
"""Shown under one word; ``sending`` joins them when its owner is dead."""

_STOPPED = frozenset({S.SUPPRESSED, S.EXPIRED, S.CANCELLED, S.SKIPPED})

ARROWS: dict[State, frozenset[State]] = {
    S.PLANNED: frozenset({S.READY}) | _STOPPED,
    S.READY: frozenset({S.LEASED}) | _STOPPED,
    # owner dead -> ready; answers to MAIL and RCPT, before the mark -> deferred, failed
    S.LEASED: frozenset({S.SENDING, S.READY, S.DEFERRED, S.FAILED}) | _STOPPED,
    S.SENDING: frozenset({S.ACCEPTED, S.DEFERRED, S.FAILED, S.UNKNOWN}),
    S.DEFERRED: frozenset({S.READY}) | _STOPPED,
    # only on proof that the relay did not take it
    S.UNKNOWN: frozenset({S.ACCEPTED, S.READY, S.PRESUMED}),
    S.PRESUMED: frozenset({S.ACCEPTED}),
    # a slot that held nothing may be composed again by a person's send
    S.SKIPPED: frozenset({S.PLANNED}),
    S.ACCEPTED: frozenset(),
    S.FAILED: frozenset(),
    S.SUPPRESSED: frozenset(),
    S.EXPIRED: frozenset(),
    S.CANCELLED: frozenset(),
}


def can(old: State, new: State) -> bool:
    """True when the table has the arrow."""
    return new in ARROWS[old]


def sources_of(new: State) -> frozenset[State]:
    """Every state from which ``new`` can be reached in one step (for the WHERE of an UPDATE)."""
    return frozenset(old for old, news in ARROWS.items() if new in news)
