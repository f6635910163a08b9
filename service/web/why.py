"""Answers on a reader's own history: why a date brought no mail, why a paper came or did not."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi import Request

from service.delivery.i18n import Texts
from service.errors import PaperpostError, Sentence, SpokenError
from service.flows.became import what_became
from service.flows.said_answers import (
    interest_name,
    said_came,
    said_next,
    said_verdict,
    said_where,
)
from service.flows.why_day import DayAnswer, answer_day
from service.flows.why_paper import PaperAnswer, answer_paper
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
        "carried": [(one, said_where(one, texts)) for one in found.carried],
        "more": found.more,
        "follows": found.follows,
        "next": said_next(found.next_at, found.zone, texts),
        "sources": [(title, texts.said(says)) for title, says in found.sources],
    }


def paper_context(door: Door, found: PaperAnswer, texts: Texts) -> dict[str, Any]:
    """What the page shows of one paper."""
    verdicts = [(interest_name(one, texts), said_verdict(one, texts)) for one in found.verdicts]
    return {
        "paper": found.paper,
        "several": [(one, door.rt.links.paper(one.scheme, one.value)) for one in found.several],
        "says": [texts.said(one) for one in found.says],
        "came": [(one, said_came(one, texts)) for one in found.came],
        "verdicts": verdicts,
        "next": said_next(found.next_at, found.zone, texts, rides=True),
    }
