"""The back-test as the sign-up page says it: how the words were read, how many papers a day."""

from dataclasses import dataclass

from service.delivery.i18n import Texts
from service.flows import browse
from service.flows.estimate import BackTest, estimate
from service.flows.interests import read_form
from service.matching.corpus import Suggestion
from service.pages.entry import PaperEntry
from service.web.door import Door, Offer, spoken


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """line: how the words were read · rate: "about 6 papers a day" · counts: (term, papers).

    dead: terms that never occur · offers: narrower or wider words · weekdays: looked at.
    basis: papers looked at · broad: papers a day when there are too many, else 0.
    """

    line: str
    rate: str
    counts: tuple[tuple[str, int], ...] = ()
    dead: tuple[str, ...] = ()
    offers: tuple[Offer, ...] = ()
    weekdays: int = 0
    days: int = 0
    basis: int = 0
    broad: int = 0
    nothing: bool = False
    best: tuple[PaperEntry, ...] = ()


def read_words_back(door: Door, words: str, texts: Texts) -> Reading:
    """Estimate what was typed. Raises QueryError with the position."""
    _ = texts.gettext
    wanted = read_form(words)
    if wanted.query is None:
        most = door.rt.defaults().trending_entries
        return Reading(
            line=_("No words: the day's most-voted papers"),
            rate=texts.ngettext(
                "at most %(num)s paper a day", "at most %(num)s papers a day", most
            ),
        )
    made = estimate(door.rt, wanted.query)
    found = made.estimate
    return Reading(
        line=spoken(wanted.query, texts),
        rate=_nothing(made, texts) if not found.total else rate_of(made, texts),
        counts=tuple(found.per_term.items()) if len(found.per_term) > 1 else (),
        dead=found.dead_terms if found.total else (),
        offers=tuple(_offer(one, texts) for one in found.suggestions),
        weekdays=weekdays_of(made),
        days=len(made.days),
        basis=found.basis_papers,
        broad=round(found.mean_per_weekday) if found.warning == "broad" else 0,
        nothing=not found.total,
        best=tuple(door.entries(browse.show_papers(door.rt, made.estimate.best))),
    )


def weekdays_of(made: BackTest) -> int:
    """Days from Monday to Friday among the days looked at."""
    return sum(day.weekday() < 5 for day in made.days)


def rate_of(made: BackTest, texts: Texts) -> str:
    """How often: "about 6 papers a day", "about 2 papers a week", "3 papers in 22 weekdays"."""
    mean, total = made.estimate.mean_per_weekday, made.estimate.total
    if mean >= 0.95:
        return texts.ngettext(
            "about %(num)s paper a day", "about %(num)s papers a day", round(mean)
        )
    if mean * 5 >= 0.95:
        return texts.ngettext(
            "about %(num)s paper a week", "about %(num)s papers a week", round(mean * 5)
        )
    return texts.ngettext(
        "%(num)s paper in %(days)s weekdays",
        "%(num)s papers in %(days)s weekdays",
        total,
        days=texts.number(weekdays_of(made)),
    )


def _nothing(made: BackTest, texts: Texts) -> str:
    return texts.gettext(
        "nothing in %(days)s days (%(basis)s papers)",
        days=texts.number(len(made.days)),
        basis=texts.number(made.estimate.basis_papers),
    )


def _offer(one: Suggestion, texts: Texts) -> Offer:
    _ = texts.gettext
    count = texts.number(round(one.per_day)) if one.per_day >= 0.95 else ""
    label = texts.said(one.label)
    if count:
        label = _("%(label)s, %(count)s a day", label=label, count=count)
    return Offer(label, one.text)
