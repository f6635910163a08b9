"""The forms of a reader's own page, read: interests, and what is chosen of when and how."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, get_args
from urllib.parse import parse_qs

from service.defaults import FIXED, Defaults
from service.delivery.i18n import Texts
from service.digest.entries import Style
from service.errors import PaperpostError, Sentence
from service.flows.interests import (
    InterestChange,
    Wanted,
    change_of,
    read_cap,
    read_form,
    read_kind,
    read_people,
)
from service.flows.manage import Choices, ManageError
from service.pages.forms import Form, SeveralError, read_each
from service.pages.interest_form import read_options
from service.store.tables import ProfileRow
from service.subscribers.cadence import (
    read_at_least,
    read_hour,
    read_quiet,
    read_weekdays,
    read_zone,
)
from service.subscribers.model import DAYS, FORMS, Cadence
from service.web.places import read_place

PARTS = ("schedule", "alerts", "mail")
"""Sections of the form "When, alerts, look": each has its button, which saves all that was sent."""


def read_choices(form: Form, own: str, spoken: Sequence[Texts], limits: Defaults) -> Choices:
    """What the sections say that were sent. own: the one whose button was pressed; the others tell
    by a field ``part`` that they came along · spoken: the languages there are. A field ``was``
    tells what the page showed: what is still so is nobody's wish, and another tab may have changed
    it. Raises SeveralError."""
    there = {own, *form.choices("part", PARTS)}
    made, errors = _chosen(form, there, spoken, limits)
    if errors:
        raise SeveralError(errors)
    if "was" in form:
        shown = Form(parse_qs(form.raw("was")))
        was, _ = _chosen(shown, there, spoken, limits)
        made = {name: value for name, value in made.items() if was.get(name, ...) != value}
    return Choices(**made)


def _chosen(
    form: Form, there: set[str], spoken: Sequence[Texts], limits: Defaults
) -> tuple[dict[str, Any], dict[str, PaperpostError]]:
    read: dict[str, Callable[[], Any]] = {}
    if "schedule" in there:
        read |= _schedule(form, spoken)
    if "alerts" in there:
        read["quiet"] = lambda: _quiet(form, limits)
    if "mail" in there:
        read |= _mail(form, [texts.language for texts in spoken])
    return read_each(read)


def _schedule(form: Form, spoken: Sequence[Texts]) -> dict[str, Callable[[], Any]]:
    return {
        "hour": lambda: read_hour(form.raw("hour")),
        "zone": lambda: _zone(form, spoken),
        "weekdays": lambda: read_weekdays(list(form.choices("weekdays", DAYS))),
        "on_time": lambda: form.flag("on_time"),
        "at_least": lambda: read_at_least(form.raw("at_least")) if "at_least" in form else None,
        "tell_anyway": lambda: form.flag("tell_anyway"),
    }


def _zone(form: Form, spoken: Sequence[Texts]) -> str | None:
    """The place that was typed, else the zone as it was (None: one that is not known any more)."""
    if place := form.raw("place").strip():
        return read_place(place, spoken)
    return read_zone(form.raw("zone")) if "zone" in form else None


def _quiet(form: Form, limits: Defaults) -> Any:
    """The hours without alerts; those of the installation are kept as its own."""
    if form.flag("any_hour"):
        return (0, 0)
    hours = read_quiet(form.raw("quiet_from"), form.raw("quiet_until"))
    usual = (limits.alert_quiet_from, limits.alert_quiet_until)
    return "usual" if hours is None or hours == usual else hours


def _mail(form: Form, languages: Sequence[str]) -> dict[str, Callable[[], Any]]:
    def one_of(name: str, options: tuple[str, ...]) -> str:
        value = form.raw(name) or options[0]
        if value not in options:
            what = Sentence("This is not one of the choices.")
            raise ManageError(what, name, Sentence("Choose one of them."))
        return value

    return {
        "locale": lambda: one_of("locale", tuple(sorted(languages, key=lambda code: code != "en"))),
        "format": lambda: one_of("format", FORMS),
        "style": lambda: one_of("style", get_args(Style)),
        "trending": lambda: form.flag("trending"),
        "picks": lambda: form.flag("picks") if "part" in form else None,
    }


def read_until(form: Form, today: date) -> date | None:
    """The end of a pause: a date, a week or a month from today; None ends it. Raises
    ManageError."""
    match form.raw("act"):
        case "end":
            return None
        case "week":
            return in_a_week(today)
        case "month":
            return in_a_month(today)
    text = form.raw("until").strip()
    try:
        return date.fromisoformat(text)
    except ValueError:
        what = Sentence("This is no date.") if text else Sentence("The date is missing.")
        example = in_a_week(today).isoformat()
        step = Sentence("Write it like %(example)s.", example=example)
        raise ManageError(what, "until", step) from None


def in_a_week(today: date) -> date:
    """The same weekday."""
    return today + timedelta(days=7)


def in_a_month(today: date) -> date:
    """The same day of the next month, or its last."""
    first = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    last = (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    return first.replace(day=min(today.day, last.day))


# ---- interests ----


def read_new(form: Form, reader_name: str) -> list[InterestChange]:
    """A new interest: the fields of words and of people, an interest each; neither = trending."""
    words = form.typed("words")
    followed = read_people(form.typed("people"))
    wanted = [read_form(words)] if words or followed is None else []
    both = [*wanted, followed] if followed is not None else wanted
    return [_new(form, one, reader_name) for one in both]


def _new(form: Form, wanted: Wanted, reader_name: str) -> InterestChange:
    change = InterestChange(wanted=wanted, name=form.raw("name"), **_read_days(form))
    return replace(change, **_read_more(form, reader_name))


def read_change(form: Form, row: ProfileRow, reader_name: str) -> InterestChange:
    """What the form says; a form without a cap or the ticks leaves these as they are."""
    kind, words = form.raw("kind"), form.typed("words")
    wanted = read_kind(kind, words) if kind == "follow" else read_form(words)
    change = replace(change_of(row, wanted), name=form.raw("name"), **_read_days(form))
    return replace(change, **_read_more(form, reader_name))


def _read_days(form: Form) -> dict[str, Any]:
    return {
        "cadence": Cadence(form.choice("cadence", tuple(c.value for c in Cadence), "daily")),
        "weekday": DAYS.index(form.choice("weekday", DAYS, FIXED.weekly_day)),
    }


def _read_more(form: Form, reader_name: str) -> dict[str, Any]:
    """Cap, least score, own papers, later news. reader_name: taken where no name is typed. Raises
    SeveralError."""
    if "choices" in form:
        return read_options(form, own=form.flag("own"), known=reader_name)
    return {"cap": read_cap(form.raw("cap"))} if "cap" in form else {}
