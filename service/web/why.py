"""Answers on a reader's own history: why a date brought no mail, why a paper came or did not."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from fastapi import Request

from service.delivery import phrases
from service.delivery.i18n import Texts
from service.errors import PaperpostError, Sentence, SpokenError
from service.flows.became import what_became
from service.flows.why_day import DayAnswer, answer_day
from service.flows.why_paper import Came, PaperAnswer, Verdict, answer_paper
from service.matching.misses import Misses
from service.pages.forms import FieldError
from service.web.door import Door, faults_of


class AskedDateError(SpokenError):
    """No date; ``where`` is the field."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for, and what is answered. on, paper: as they were typed."""

    on: str = ""
    paper: str = ""
    day: Mapping[str, Any] | None = None
    of_paper: Mapping[str, Any] | None = None
    errors: Mapping[str, FieldError] | None = None


def read_asked(door: Door, request: Request, reader_id: int) -> Asked:
    """The answers to what the address asks for (``?on=`` and ``?paper=``)."""
    texts, query = door.texts(request), request.query_params
    on, paper = query.get("on"), query.get("paper")
    errors: dict[str, PaperpostError] = {}
    day = of_paper = None
    if on is not None:
        try:
            day = day_context(door, answer_day(door.rt, reader_id, read_date(on)), texts)
        except PaperpostError as error:
            errors["on"] = error
    if paper is not None:
        try:
            of_paper = paper_context(door, answer_paper(door.rt, reader_id, paper), texts)
        except PaperpostError as error:
            errors["paper"] = error
    return Asked((on or "")[:40], (paper or "")[:1000], day, of_paper, faults_of(errors, texts)[0])


def read_date(text: str) -> date:
    """A date of a form. Raises AskedDateError."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise AskedDateError(
            Sentence("This is no date."),
            "on",
            Sentence("Write year, month and day, like %(example)s.", example="2026-11-18"),
        ) from None


def day_context(door: Door, found: DayAnswer, texts: Texts) -> dict[str, Any]:
    """What the page shows of one date."""
    return {
        "on": found.on,
        "says": [texts.said(one) for one in found.says],
        "mails": [(one, what_became(one, texts)) for one in found.mails],
        "carried": [(one, _where(one.went_on, one.waits, texts)) for one in found.carried],
        "more": found.more,
        "follows": found.follows,
        "next": _next(door, found.next_at, found.zone, texts),
        "sources": [(title, texts.said(says)) for title, says in found.sources],
    }


def _where(went_on: date | None, waits: bool, texts: Texts) -> str:
    if went_on is not None:
        return texts.gettext("came with the mail of %(day)s", day=texts.day(went_on))
    if waits:
        return texts.gettext("rides in your next mail")
    return texts.gettext("came with no mail so far")


def _next(door: Door, at: datetime | None, zone: str, texts: Texts) -> str:
    if at is None:
        return ""
    there = at.astimezone(door.clock_in(zone).tzinfo)
    day, time = texts.day(there.date()), texts.hour(there.hour, there.minute)
    return texts.gettext("Your next mail is due %(day)s at %(time)s.", day=day, time=time)


def paper_context(door: Door, found: PaperAnswer, texts: Texts) -> dict[str, Any]:
    """What the page shows of one paper."""
    verdicts = [(_interest(one, texts), said_verdict(one, texts)) for one in found.verdicts]
    return {
        "paper": found.paper,
        "several": [
            (one, door.rt.links.paper(one.scheme, one.value)) for one in found.several
        ],
        "says": [texts.said(one) for one in found.says],
        "came": [(one, said_came(one, texts)) for one in found.came],
        "verdicts": verdicts,
        "next": _next(door, found.next_at, found.zone, texts),
    }


def _interest(one: Verdict, texts: Texts) -> str:
    if one.kind == "trending" and one.interest in ("", "Trending"):
        return texts.gettext("The day's most-voted papers")
    return one.interest


_HOW = {
    "full": Sentence("It came in full, in your mail of %(day)s."),
    "line": Sentence("It came as one line, in your mail of %(day)s: better ones took the room."),
    "counted": Sentence(
        "It was counted among the papers that your mail of %(day)s had no room for; its page in the"
        " browser names it."
    ),
    "news": Sentence("Your mail of %(day)s told later news of it."),
    "": Sentence("It came with your mail of %(day)s."),
}
_WAITS = Sentence("It is in your mail of %(day)s, which is on its way.")
_KINDS = {
    "trending": Sentence("It was among the most-voted papers of its days."),
    "chosen": Sentence("The people who run this service chose it."),
}


def said_came(one: Came, texts: Texts) -> list[str]:
    """In which mail it came and by which words."""
    how = _WAITS if one.waits else _HOW[one.how]
    said = [texts.said(how.again(day=texts.day(one.mail.on)))]
    if one.reasons:
        words = phrases.said_reasons(one.reasons, texts)
        said.append(texts.gettext("Why: %(reasons)s.", reasons=words))
    elif one.kinds and one.kinds[0] in _KINDS:
        said.append(texts.said(_KINDS[one.kinds[0]]))
    if one.sections:
        names = texts.commas(one.sections)
        said.append(texts.gettext("Interest: %(names)s", names=names))
    return said


def said_verdict(one: Verdict, texts: Texts) -> str:
    """What one interest says of the paper, in a line or two."""
    said = []
    if one.wants and one.kind != "trending":
        said.append(texts.gettext("It contains what you ask for."))
    if one.misses is not None:
        said.append(said_misses(one.misses, texts))
    said += [texts.said(sentence) for sentence in one.says]
    return " ".join(said)


def said_misses(one: Misses, texts: Texts) -> str:
    """ "It contains LoRA, but not adapter." """
    _ = texts.gettext
    said = []
    lacks = [_any_of(group, texts) for group in one.missing]
    found = texts.join(one.found)
    if lacks and one.found:
        said.append(_("It contains %(found)s, but not %(lacking)s.",
                      found=found, lacking=texts.join(lacks)))  # fmt: skip
    elif lacks and len(one.missing) == 1 and len(one.missing[0]) > 1:
        said.append(_("It contains none of %(words)s.", words=texts.commas(one.missing[0])))
    elif lacks:
        said.append(_("It does not contain %(lacking)s.", lacking=texts.join(lacks)))
    elif one.found:
        said.append(_("It contains %(found)s.", found=found))
    if one.barred:
        said.append(_("You leave out papers with %(words)s, and it has that.",
                      words=texts.commas(one.barred)))  # fmt: skip
    for asked, own in one.figures:
        if own is None:
            said.append(_("You ask for %(asked)s; its source gives no such figure.", asked=asked))
        else:
            said.append(_("You ask for %(asked)s; it has %(num)s.",
                          asked=asked, num=texts.number(own)))  # fmt: skip
    return " ".join(said)


def _any_of(group: tuple[str, ...], texts: Texts) -> str:
    if len(group) == 1:
        return group[0]
    return texts.gettext("any of %(words)s", words=texts.commas(group))
