"""What a reader chose, as the staff's form of a reader holds it."""

from dataclasses import replace
from datetime import date
from typing import get_args

from service.digest.entries import Style
from service.flows.manage import Choices
from service.flows.readers import ReaderError
from service.pages.forms import Form
from service.subscribers.cadence import (
    read_at_least,
    read_hour,
    read_quiet_text,
    read_weekdays,
    read_zone,
)
from service.subscribers.model import DAYS, FORMS

FIELDS = ("hour", "zone", "weekdays", "at_least", "quiet", "locale", "format", "style", "until")
"""Fields at which a fault of the form can stand."""


def read_choices(form: Form, languages: tuple[str, ...]) -> Choices:
    """What the form says; a form without the field ``more`` holds the schedule alone. Raises
    PaperpostError with ``where`` the field."""
    schedule = Choices(
        hour=read_hour(form.raw("hour")),
        zone=read_zone(form.raw("zone")),
        weekdays=read_weekdays(list(form.choices("weekdays", DAYS))),
        on_time=form.flag("on_time"),
    )
    if "more" not in form:
        return schedule
    return replace(
        schedule,
        at_least=read_at_least(form.raw("at_least")),
        quiet=read_quiet_text(form.raw("quiet")),
        locale=one_of(form, "locale", languages),
        format=one_of(form, "format", FORMS),
        style=one_of(form, "style", get_args(Style)),
        tell_anyway=form.flag("tell_anyway"),
        trending=form.flag("trending"),
        picks=form.flag("picks"),
    )


def one_of(form: Form, name: str, options: tuple[str, ...]) -> str:
    """A choice of a field. Raises ReaderError: none of them."""
    if form.raw(name) not in options:
        raise ReaderError("This is not one of the choices.", name, "Choose one of them.")
    return form.raw(name)


def read_day(text: str) -> date | None:
    """A date of an address, None for none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def read_until(text: str) -> date | None:
    """The end of a pause; "" = none. Raises ReaderError: no date."""
    on = read_day(text) if text else None
    if text and on is None:
        raise ReaderError("This is no date.", "until", "Write it like 2026-12-31.")
    return on
