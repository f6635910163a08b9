"""What a provider posts, as events: bounded JSON, texts that may be kept, and what they say. Pure.

An event is of one mail of ours. Whose it is say the fields that we wrote (Message-ID, return path,
links for leaving), which the provider gives back; the provider's own name for a mail says nothing.
What a server answered is judged as in any report; a provider's own class of it counts where the
words say nothing.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from service.reports.found import STATUS, Found, place_of
from service.reports.mail import Mail, Part
from service.reports.model import WORDS, Read, Report, Traces
from service.reports.reasons import judge
from service.reports.traces import find_traces
from service.reports.vocabulary import REASONS

SUPPRESSED = "suppressed"
"""The provider has a list of its own of whom it sends nothing: for now nothing comes there, but it
is filled by others' mails, too, and its entries end; so it is no proof."""


class RefusedError(Exception):
    """A post that is not taken. status: 401, 403, 404, 413, 422 or 503 · says: plain words for
    whoever set it up, no secret."""

    def __init__(self, status: int, says: str) -> None:
        super().__init__(says)
        self.status = status
        self.says = says


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One request. headers: names in lower case · now: aware."""

    headers: Mapping[str, str]
    body: bytes
    now: datetime


@dataclass(frozen=True, slots=True)
class Event:
    """One event. data: its JSON, the same bytes whenever it comes again · read: what it says."""

    data: bytes
    read: Read


class Provider(Protocol):
    """A service that sends our mail and posts what became of it. most_bytes: of one post."""

    most_bytes: int

    async def prove(self, post: Post) -> None:
        """Raise RefusedError unless the provider posted this, not long ago."""

    def events(self, body: bytes) -> Sequence[Event | None]:
        """What a proven post says, None for each event that asks for nothing (delivered, opened,
        tried again later, unknown). Raises RefusedError: nothing that can be read."""


def parsed(body: bytes | str) -> Any:
    """The JSON of a body. Raises RefusedError (422)."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):  # no JSON, no UTF-8, endless numbers, endless depth
        raise RefusedError(422, "This is no JSON that can be read.") from None


def canonical(event: Any) -> bytes:
    """The same bytes for the same event. Raises RefusedError (422)."""
    try:
        return json.dumps(event, sort_keys=True, separators=(",", ":")).encode("ascii")
    except RecursionError:
        raise RefusedError(422, "This is too deep.") from None


def event_of(
    event: Any, provider: str, reports: Sequence[Report], traces: Traces, subject: str = ""
) -> Event | None:
    """The event and its reading; None where it reports nothing."""
    if not reports:
        return None
    read = Read(reports=tuple(reports), traces=traces, form=f"provider:{provider}", subject=subject)
    return Event(canonical(event), read)


def at(event: Any, *path: str) -> Any:
    """What stands below these names, None where nothing does."""
    for name in path:
        if not isinstance(event, Mapping):
            return None
        event = event.get(name)
    return event


def listed(value: Any, most: int) -> list[Any]:
    """The first of a list; nothing of anything else."""
    return value[:most] if isinstance(value, list) else []


def text(value: Any, most: int = WORDS) -> str:
    """A text on one line that every database takes; "" of anything that is none."""
    if not isinstance(value, str):
        return ""
    said = value[: 4 * most].encode("utf-8", "replace").decode("utf-8")
    return " ".join("".join(c if c.isprintable() else " " for c in said).split())[:most]


def reply_code(value: Any) -> int:
    """An SMTP reply code, 0 where there is none; it may be written in digits."""
    if isinstance(value, str) and len(value) == 3 and value.isascii() and value.isdigit():
        value = int(value)
    return value if type(value) is int and 200 <= value <= 599 else 0


def address(value: Any) -> str:
    """A recipient as it was named, "" where it was not."""
    return text(value, 254).removeprefix("<").removesuffix(">")


def traces_of(headers: Iterable[tuple[Any, Any]], message_ids: Iterable[Any] = ()) -> Traces:
    """Traces in header fields of our own mail that the provider gives back. message_ids: the same,
    with or without angle brackets."""
    fields = [(text(name, 80).lower(), text(value, 2_000)) for name, value in headers]
    for one in message_ids:
        if named := text(one, 300).removeprefix("<").removesuffix(">"):
            fields.append(("original-message-id", f"<{named}>"))
    return find_traces(
        Mail(headers=(), parts=(Part("message/rfc822", tuple(fields), returned=True),))
    )


def said_by(reason: str, recipient: Any, words: Any = "") -> Report:
    """What the provider itself decided, or was told, of one recipient. reason: a word of
    ``reports.vocabulary``."""
    return Report(
        kind=REASONS[reason][0], reason=reason, recipient=address(recipient), words=text(words)
    )


def hard_by_class(words: Any) -> str:
    """The reason where a provider calls a bounce hard and not why: that is believed alone where no
    server's words came with it. Words that are not understood are no proof that nobody is there."""
    return "unknown" if text(words) else "no_such_user"


def refused(
    otherwise: str, recipient: Any, *, status: Any = "", code: Any = 0, words: Any = "",
    mta: Any = "",
) -> Report:  # fmt: skip
    """What a server answered to the provider. otherwise: the reason that the provider's class of
    it comes to, where neither status nor words say anything."""
    said, number = text(words), reply_code(code)
    if number and not said.startswith(str(number)):
        said = f"{number} {said}".strip()
    enhanced = text(status, 16)
    report = judge(
        Found(
            recipient=address(recipient),
            action="failed",
            status=enhanced if STATUS.fullmatch(enhanced) else "",
            words=said,
            where=place_of(said),
            mta=text(mta, 254),
        )
    )
    if report.reason != "unknown":
        return report
    return replace(report, kind=REASONS[otherwise][0], reason=otherwise)
