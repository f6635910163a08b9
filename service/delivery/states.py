"""The life of a delivery and of an edition: every state, every arrow. Pure.

No statement anywhere changes a state but along an arrow of these tables: whoever writes one asks
``leaving`` for the states that it may find, and the tests' databases refuse every other change.
"""

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

FIRST = frozenset({S.PLANNED, S.READY, S.SKIPPED, S.SUPPRESSED, S.CANCELLED})
"""What a row may be when it is written. Not planned and over at once: readers of a frozen edition
that get none of it, with the reason; a late reader of an edition that was cancelled."""

_STOPPED = frozenset({S.SUPPRESSED, S.EXPIRED, S.CANCELLED, S.SKIPPED})

ARROWS: dict[State, frozenset[State]] = {
    S.PLANNED: frozenset({S.READY}) | _STOPPED,
    # deferred: its domain or the account rests. unknown: a restored backup does not know whether
    # it went since (so also from leased and deferred)
    S.READY: frozenset({S.LEASED, S.DEFERRED, S.UNKNOWN}) | _STOPPED,
    # owner dead, or the mark refused -> ready; answers to MAIL, RCPT and DATA, before
    # the mark -> deferred, failed
    S.LEASED: frozenset({S.SENDING, S.READY, S.DEFERRED, S.FAILED, S.UNKNOWN}) | _STOPPED,
    S.SENDING: frozenset({S.ACCEPTED, S.DEFERRED, S.FAILED, S.UNKNOWN}),
    # leased: its wait is over, and it is claimed as what is ready
    S.DEFERRED: frozenset({S.READY, S.LEASED, S.UNKNOWN}) | _STOPPED,
    # deferred, failed: the answer came after all, under the same fence. ready: proof that the
    # relay did not take it; a notice goes at least once
    S.UNKNOWN: frozenset({S.ACCEPTED, S.DEFERRED, S.FAILED, S.READY, S.PRESUMED}),
    # proof that came late
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
    """Every state from which ``new`` can be reached in one step."""
    return frozenset(old for old, news in ARROWS.items() if new in news)


def leaving(new: State, *olds: State) -> list[str]:
    """The states that an UPDATE to ``new`` may leave, for its WHERE: these, or all that can.

    Raises ValueError: the table has no such arrow.
    """
    if without := [old for old in olds if not can(old, new)]:
        raise ValueError(f"no arrow leads from {without[0]} to {new}")
    return sorted(olds or sources_of(new))


class EditionState(StrEnum):
    """Where a whole edition stands. (``paused`` is a flag beside it.)"""

    OPEN = "open"
    CLOSING = "closing"
    DONE = "done"
    INCOMPLETE = "incomplete"
    CANCELLED = "cancelled"


E = EditionState

EDITION_ARROWS: dict[EditionState, frozenset[EditionState]] = {
    E.OPEN: frozenset({E.CLOSING, E.DONE, E.INCOMPLETE, E.CANCELLED}),
    E.CLOSING: frozenset({E.OPEN, E.DONE, E.INCOMPLETE, E.CANCELLED}),
    # what was missing came to its end, or goes on
    E.INCOMPLETE: frozenset({E.OPEN, E.CLOSING, E.DONE, E.CANCELLED}),
    # a rolling one is opened again by a late reader, a frozen one by a row that goes again
    E.DONE: frozenset({E.OPEN, E.INCOMPLETE}),
    E.CANCELLED: frozenset(),
}


def edition_can(old: EditionState, new: EditionState) -> bool:
    """True when an edition may go from one state to the other."""
    return new in EDITION_ARROWS[old]
