"""What is wrong with a source, in plain words: what happened, what happens by itself, what to do.

Made of what is stored of it (its state, its failures, the reason of the last one), without that
text itself: a reason may hold an address, and readers see these sentences. Pure.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from service.errors import Sentence, counted
from service.sources.calendar import rhythm_of

NOTHING = "Nothing."


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """what: happened · by_itself: what the house does about it · to_do: what the staff can do (in
    English: readers are not told)."""

    what: Sentence
    by_itself: Sentence
    to_do: str = NOTHING


class _Reason(NamedTuple):
    pattern: str
    what: Sentence
    to_do: str


_NEW_ADDRESS = "Look up its new address, add that, and remove this source."
_TRY = "Open its test page: it shows what came, and why it cannot be read."
_THEIRS = "Nothing; it is theirs to mend. After a week, write to them."
_REASONS = (
    _Reason(
        r"answered (404|406)\b", Sentence("There is nothing at its address any more."), _NEW_ADDRESS
    ),
    _Reason(
        r"answered (401|402|403|407|451)\b",
        Sentence("Its server refuses to answer this program."),
        "Ask its owner to let this program in, or add another address of it.",
    ),
    _Reason(
        r"answered (429|503)\b",
        Sentence("Its server asks us to come back later."),
        "Nothing, unless it lasts for days; then ask its owner how often one may ask.",
    ),
    _Reason(r"answered 5\d\d\b", Sentence("Its server has a fault of its own."), _THEIRS),
    _Reason(
        r"answered (3|4)\d\d\b|answered with an error",
        Sentence("Its server does not understand the question."),
        "Look whether its parameters are right; then add it again.",
    ),
    _Reason(
        r"unknown authority",
        Sentence("Its server shows a certificate of an unknown authority."),
        "Where that authority is your own, set PAPERPOST_SOURCES_CA_FILE to its PEM file.",
    ),
    _Reason(
        r"certificate|TLS",
        Sentence("Its server does not prove that it is the one that was asked."),
        "Nothing for a day or two: certificates are renewed. Then write to its owner.",
    ),
    _Reason(
        r"(name|address).*not known|getaddrinfo|no address associated|name resolution",
        Sentence("No server has this name."),
        (
            "Look whether the address is spelt right; if no source answers, look at this"
            " machine's network."
        ),
    ),
    _Reason(
        r"no connection",
        Sentence("Its server cannot be reached."),
        "Nothing while other sources answer; if none does, look at this machine's network.",
    ),
    _Reason(r"too slow|no full answer", Sentence("Its server was too slow to answer."), _THEIRS),
    _Reason(
        r"connection broke|ends in the middle|broken off",
        Sentence("The connection broke before the whole answer was here."),
        "Nothing, unless it lasts for days.",
    ),
    _Reason(
        r"^refused|cannot be asked|only http|public address|port \d+",
        Sentence("Its address is one that is never asked from here."),
        "Allow addresses inside your network (PAPERPOST_PRIVATE_SOURCES), or remove it.",
    ),
    _Reason(
        r"web page",
        Sentence("It sends a web page where a list of papers should be."),
        "Look for the feed's own address on that page, add it, and remove this source.",
    ),
    _Reason(r"answer is empty", Sentence("It sends nothing at all."), _THEIRS),
    _Reason(r"redirects", Sentence("Its address leads in a circle."), _NEW_ADDRESS),
    _Reason(
        r"XML bomb",
        Sentence("It sends a document that is made to fill the memory of whoever reads it."),
        "Write to its owner, or remove this source.",
    ),
    _Reason(
        r"larger than|too much|unpacked|was ended after|crashed|shut down",
        Sentence("What it sends is too large or too tangled to be read."),
        _TRY,
    ),
)
_UNREADABLE = _Reason("", Sentence("It sends something that cannot be read as a list."), _TRY)


def reason_of(text: str) -> tuple[Sentence, str]:
    """What a stored reason means, and what a person can do about it."""
    found = next((r for r in _REASONS if re.search(r.pattern, text, re.I)), _UNREADABLE)
    return found.what, found.to_do


def trouble_of(
    kind: str,
    state: str,
    *,
    failures: int = 0,
    reason: str = "",
    held: int = 0,
    gap_on: date | None = None,
    asked_every: timedelta | None = None,
) -> Trouble | None:
    """What is wrong with a source, None when nothing is. held: papers that wait for a person.
    gap_on: the last day on which papers may have passed by; asked_every: its present interval."""
    if state == "gone":
        return Trouble(
            what=Sentence("Its server says that it is gone for good."),
            by_itself=Sentence("It is not asked any more; its papers stay."),
            to_do=_NEW_ADDRESS,
        )
    if state == "paused" and not held:
        return None
    if failures and state != "paused":
        what, to_do = reason_of(reason)
        by_itself = Sentence("It is asked again, after longer and longer waits, a day at most.")
        if rhythm_of(kind).lists:
            by_itself = Sentence(
                "It is asked again, after longer and longer waits, a day at most; then the lists"
                " of the days between are fetched too."
            )
        return Trouble(what=what, by_itself=by_itself, to_do=to_do)
    if held:
        return Trouble(
            what=counted(
                "%(num)s paper came at once, far more than usual, and is held back.",
                "%(num)s papers came at once, far more than usual, and are held back.",
                held,
            ),
            by_itself=Sentence("Nothing is mailed of them until somebody decides."),
            to_do="Mail them as new, or keep them as known.",
        )
    return _of_state(kind, state) or _of_gap(gap_on, asked_every) or _of_answer(reason)


def _of_gap(gap_on: date | None, asked_every: timedelta | None) -> Trouble | None:
    """It shows few papers, and all of them had changed since it was asked before."""
    if gap_on is None:
        return None
    by_itself = Sentence("For some days it is asked more often, as far as the source allows.")
    if asked_every is not None:
        minutes = round(asked_every / timedelta(minutes=1))
        by_itself = counted(
            "For some days it is asked more often, as far as the source allows: now every minute.",
            "For some days it is asked more often, as far as the source allows: now every"
            " %(num)s minutes.",
            minutes,
        )
    return Trouble(
        what=Sentence(
            "Its answer of %(day)s held no paper of the answer before: some in between may be"
            " missing.",
            day=gap_on,
        ),
        by_itself=by_itself,
        to_do=(
            "Where the source offers a longer list, add that one and remove this; else poll it more"
            " often than now: paperpost poll --source."
        ),
    )


def _of_state(kind: str, state: str) -> Trouble | None:
    again = Sentence("It is asked again all day; what comes later rides in the next mail.")
    if state == "silent":
        return Trouble(
            what=Sentence("Nothing new came for three times its usual gap."),
            by_itself=Sentence("It is asked as before."),
            to_do="Look whether it moved or ended.",
        )
    if state == "stale":
        return Trouble(
            what=Sentence("It still shows the list of an earlier day as today's."),
            by_itself=Sentence(
                "It is asked every few minutes; mails that need it wait an hour at most."
            ),
        )
    if state == "late" and rhythm_of(kind).lists == "batch":
        return Trouble(
            what=Sentence("Today's list has not come yet."),
            by_itself=Sentence(
                "It is asked every few minutes; mails that need it wait an hour at most."
            ),
        )
    if state == "late":
        return Trouble(what=Sentence("Today's list is still empty."), by_itself=again)
    return None


def _of_answer(reason: str) -> Trouble | None:
    """It answered, yet something about the answer is worth saying."""
    if not reason:
        return None
    if "moved to" in reason:
        return Trouble(
            what=Sentence("It moved to an address that another source asks already."),
            by_itself=Sentence("Both are asked; their papers are taken once."),
            to_do="Remove one of the two.",
        )
    return Trouble(
        what=Sentence("Part of its last answer could not be read."),
        by_itself=Sentence("The rest was taken; it is asked again as usual."),
        to_do=_TRY,
    )
