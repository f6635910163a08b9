"""The reader and the profile, as values. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any


class SubscriberState(StrEnum):
    PENDING = "pending"
    ACTIVE = "active"
    LEFT = "left"
    BOUNCED = "bounced"
    ERASED = "erased"


class ProfileKind(StrEnum):
    KEYWORDS = "keywords"
    QUERY = "query"
    FOLLOW = "follow"
    TRENDING = "trending"


class Cadence(StrEnum):
    INSTANT = "instant"
    DAILY = "daily"
    WEEKLY = "weekly"


FORMS = ("html", "text", "bare")
"""How a reader's mail looks: formatted, plain text, plain text without stars around their words."""

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A stored query of a subscriber (shown to readers as an *interest*).

    text: as typed · compiled: the JSON of matching.compiled, None for trending.
    weekday: 0 = Monday, for weekly ones · cap: papers in full at most (None = the mail's).
    threshold: least score · since: papers that became new before this day are never mailed.
    """

    id: int
    subscriber_id: int
    name: str
    kind: ProfileKind
    text: str
    compiled: Mapping[str, Any] | None = None
    cadence: Cadence = Cadence.DAILY
    weekday: int = 4
    cap: int | None = None
    threshold: float = 0.0
    since: date | None = None
    paused: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """A reader.

    format: one of ``FORMS``.
    zone: IANA name · hour: 0-23 local · weekdays: subset of 0..6, 0 = Monday.
    style: abstracts short, full or none · trending: a trending section beside interests.
    on_time: this reader's mail waits for no late source · at_least: fewer new papers wait for more,
    as long as they can · tell_anyway: a mail on the first mail day of a week also says that nothing
    came · picks: shown what an editor writes and picks above the papers · quiet_from, quiet_until:
    hours without alerts, None = the installation's, equal = none.
    """

    id: int
    email: str
    name: str = ""
    state: SubscriberState = SubscriberState.ACTIVE
    locale: str = "en"
    format: str = "html"
    style: str = "short"
    trending: bool = False
    zone: str = "UTC"
    hour: int = 8
    weekdays: frozenset[int] = frozenset({0, 1, 2, 3, 4})
    paused_until: date | None = None
    confirmed_at: datetime | None = None
    created_at: datetime | None = None
    unsubscribe_token: str = ""
    added_by: str = ""
    first_digest: bool = False
    at_least: int = 1
    on_time: bool = False
    tell_anyway: bool = False
    picks: bool = True
    quiet_from: int | None = None
    quiet_until: int | None = None
