"""The field *People* read back: each name with its papers, and what to do where it is not one's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from service.delivery.i18n import Texts
from service.flows.estimate import days_of
from service.flows.follow import Name, Narrower, count_names
from service.flows.match import learn
from service.matching.parse import parse_people
from service.web.door import Door, Offer
from service.web.reading import days_said, papers_said


@dataclass(frozen=True, slots=True)
class NameLine:
    """said: the name with its figures · warning: several people, or never · offers: the whole field
    with this line made narrower."""

    said: str
    warning: str = ""
    offers: tuple[Offer, ...] = ()


def read_names_back(
    door: Door, people: str, texts: Texts, *, words: str = ""
) -> tuple[NameLine, ...]:
    """What each line of the field would have brought. Raises QueryError with the position."""
    if not people.strip():
        return ()
    query = parse_people(people)
    learn(door.rt)
    days = days_of(door.rt)
    names = count_names(door.rt, query, days, words=words)
    return tuple(_line(name, names, days, texts) for name in names)


def _line(name: Name, names: Sequence[Name], days: Sequence[date], texts: Texts) -> NameLine:
    _, span = texts.gettext, days_said(len(days), texts)
    if not name.papers:
        said = _("%(name)s: on no paper in %(days)s", name=name.line, days=span)
        return NameLine(said, _("Is it written as papers print it?"))
    papers = papers_said(name.papers, texts)
    said = _("%(name)s: %(papers)s in %(days)s", name=name.line, papers=papers, days=span)
    where = texts.commas(f"{code} {texts.number(papers)}" for code, papers in name.categories)
    warning = _("Probably several people.") if name.several else ""
    offers = tuple(
        Offer(_offered(one, texts), _with(names, name, one), "people") for one in name.narrower
    )
    return NameLine(f"{said} ({where})" if where else said, warning, offers)


def _offered(one: Narrower, texts: Texts) -> str:
    return texts.ngettext(
        "only with %(word)s, %(num)s paper", "only with %(word)s, %(num)s papers", one.papers,
        word=one.by,
    )  # fmt: skip


def _with(names: Sequence[Name], name: Name, one: Narrower) -> str:
    """The text of the field with a line in place of this name's."""
    return "\n".join(one.line if other is name else other.line for other in names)
