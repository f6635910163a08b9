"""What a reader asks the staff: why no mail on a date, why this paper; and why people left."""

from datetime import date
from typing import Any

from fastapi import Request

from service.errors import PaperpostError
from service.flows.leave_part import why_left
from service.flows.marks import read_marks
from service.flows.runtime import Runtime
from service.flows.said_answers import day_lines, paper_lines
from service.flows.why_day import answer_day
from service.flows.why_paper import answer_paper
from service.pages.forms import FieldError

REASONS = {
    "many": "Too many mails",
    "unfit": "The papers do not fit",
    "elsewhere": "Reads new papers elsewhere",
    "asked": "Never asked for it",
    "other": "Something else",
}
"""As the page to leave offers them."""


def answers(rt: Runtime, request: Request, reader_id: int) -> dict[str, Any]:
    """Answers to ``?on=`` and ``?paper=`` of a reader's page, in lines."""
    texts, query = rt.catalogs.texts("en"), request.query_params
    on, paper = query.get("on", ""), query.get("paper", "")[:1000]
    made: dict[str, Any] = {
        "asked_on": on[:40],
        "asked_paper": paper,
        "answer": [],
        "asked_errors": {},
        "marks": read_marks(rt, reader_id, limit=20),
    }
    try:
        if on:
            day = date.fromisoformat(on)
            made["answer"] = [texts.day(day), *day_lines(answer_day(rt, reader_id, day), texts)]
        elif paper:
            made["answer"] = paper_lines(answer_paper(rt, reader_id, paper), texts)
    except ValueError:
        fault = FieldError("This is no date.", "on", "Write it like 2026-11-18.")
        made["asked_errors"] = {"on": fault}
    except PaperpostError as error:
        field = "on" if on else "paper"
        made["asked_errors"] = {field: FieldError(error.what, field, error.next_step)}
    return made


def reasons_told(rt: Runtime) -> dict[str, Any]:
    """Why people left in the last year, for the list of those who did."""
    found = why_left(rt)
    return {
        "left": found.left,
        "back": found.back,
        "reasons": [(REASONS[code], count) for code, count in found.counts.items() if count],
        "words": [(at, REASONS[code], words) for at, code, words in found.words],
    }
