"""The back-test as the pages say it: how the words were read, how many papers a day."""

import re
from dataclasses import dataclass
from functools import partial

from service.defaults import FIXED
from service.delivery.i18n import Texts
from service.delivery.plain import clipped
from service.flows import browse
from service.flows.estimate import BackTest, estimate
from service.flows.interests import Wanted, read_form
from service.flows.voted import check_offered
from service.matching.corpus import Estimate, Suggestion
from service.matching.counting import Asked, Likings
from service.matching.expansions import Expansion
from service.matching.own import own_people
from service.matching.parse import read_in_capitals, read_otherwise
from service.matching.query import QueryError
from service.matching.show import show
from service.pages.entry import PaperEntry
from service.subscribers.model import ProfileKind
from service.web.door import Door, Offer, spoken

LOOKS_WRITTEN = 200
"""Characters from which on a text without a list's short items is an abstract."""

_BEGINNING = 100
"""Characters of such a text that are shown again."""

_SENTENCE = 12
"""Words, likewise."""

_MINUS = re.compile(r"(?<=\w)[^\S\n]+[-\u2013\u2212](?=\w)")
"""One as in ``robot -survey``."""

_LINK = re.compile(r"https?://\S+$|arxiv:\s*\S+$", re.I)


@dataclass(frozen=True, slots=True)
class OtherForm:
    """said: "“PEFT” is usually written out as ..." · offer: the words with it."""

    said: str
    offer: Offer


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """line: how the words were read · rate: "about 6 papers a day" · counts: (term, papers).

    dead: terms that never occur, in quotes · left_out: (part, papers) for each NOT · offers:
    narrower or wider words, led by ``lead`` · forms: other forms of the words.
    weekdays: looked at.
    found: papers found · basis, span: looked at, as "4,812 papers" and "30 days".
    known: a sentence about those that are no news · unread: papers that are still being read.
    most: papers a day that most people have, where these are more, else 0.
    written: it looks like a text or a link, out of which words can be made.
    plain: the same as keywords, where it was read as a query.
    capitals: with "or" in capitals, where it stands in small letters · minus: with a comma before
    a minus that stands inside a keyword, and so is its hyphen.
    """

    line: str
    rate: str
    counts: tuple[tuple[str, int], ...] = ()
    dead: tuple[str, ...] = ()
    left_out: tuple[tuple[str, int], ...] = ()
    offers: tuple[Offer, ...] = ()
    lead: str = ""
    forms: tuple[OtherForm, ...] = ()
    weekdays: int = 0
    found: int = 0
    basis: str = ""
    span: str = ""
    known: str = ""
    unread: int = 0
    most: int = 0
    nothing: bool = False
    best: tuple[PaperEntry, ...] = ()
    written: str = ""
    plain: Offer | None = None
    capitals: Offer | None = None
    minus: Offer | None = None

    @property
    def choices(self) -> int:
        """How many other words are offered."""
        others = (self.plain, self.capitals, self.minus)
        return len(self.offers) + len(self.forms) + sum(one is not None for one in others)


def read_words_back(door: Door, words: str, texts: Texts) -> Reading:
    """Estimate what was typed. Raises QueryError with the position.

    A pasted abstract is often no query: then only that is said.
    """
    try:
        return reading_of(door, read_form(words), texts)
    except QueryError:
        if written := written_of(words):
            return Reading(line="", rate="", written=written)
        raise


def reading_of(
    door: Door,
    wanted: Wanted,
    texts: Texts,
    *,
    threshold: float = 0.0,
    own: str = "",
    likings: Likings | None = None,
) -> Reading:
    """The estimate of an interest in words."""
    _ = texts.gettext
    if wanted.query is None:
        door.rt.db.read(partial(check_offered, wanted=wanted))
        most = door.rt.defaults().trending_entries
        return Reading(
            line=_("No words: the day's most-voted papers"),
            rate=texts.ngettext(
                "at most %(num)s paper a day", "at most %(num)s papers a day", most
            ),
        )
    made = estimate(door.rt, Asked(wanted.query, threshold, own, likings))
    found = made.estimate
    line, written = spoken(wanted.query, texts), written_of(wanted.text)
    lead = _("Narrower:") if found.warning == "broad" else _("Instead:")
    return Reading(
        line=clipped(line, _BEGINNING) if written else line,
        rate=_nothing(made, texts) if not found.total else rate_of(made, texts),
        counts=tuple(found.per_term.items()) if len(found.per_term) > 1 else (),
        dead=_dead(found, texts),
        left_out=_left_out(found, own, texts),
        offers=tuple(_offer(one, texts) for one in found.suggestions),
        lead=lead if found.warning else _("Wider:"),
        forms=tuple(_other_form(one, texts) for one in found.expansions),
        weekdays=weekdays_of(made),
        found=found.total,
        basis=papers_said(found.basis_papers, texts),
        span=days_said(len(made.days), texts),
        known=_known(made, texts),
        unread=made.unread,
        most=FIXED.broad_a_day if found.warning == "broad" else 0,
        nothing=not found.total,
        best=tuple(door.entries(browse.show_papers(door.rt, found.best))),
        written=written,
        plain=_plain(wanted, texts),
        capitals=_capitals(wanted, texts),
        minus=_minus(wanted, texts),
    )


def _dead(found: Estimate, texts: Texts) -> tuple[str, ...]:
    """Terms that never occur; none where all do not, since then nothing is what was found."""
    some = any(found.per_term.values())
    return tuple(texts.quoted(term) for term in found.dead_terms) if some else ()


def _left_out(found: Estimate, own: str, texts: Texts) -> tuple[tuple[str, int], ...]:
    """(part, papers) of each NOT; the reader's own name is said as one, not as a query. Where
    nothing was found, only those that took something away."""
    mine = {show(one): one.text for one in own_people(own)} if own else {}
    return tuple(
        (texts.gettext("papers by %(name)s", name=mine[part]) if part in mine else part, count)
        for part, count in found.removed_by_not.items()
        if count or found.total
    )


def written_of(words: str) -> str:
    """The text again where it looks like a paper's title with abstract, or a link; else ""."""
    items = re.split(r"[,;\n]", words)
    is_long = len(words) >= LOOKS_WRITTEN and len(words.split()) >= _SENTENCE
    sentences = is_long and (max(map(len, items)) >= LOOKS_WRITTEN / 2 or ". " in words)
    return words.strip() if sentences or _LINK.match(words.strip()) else ""


def weekdays_of(made: BackTest) -> int:
    """Days from Monday to Friday among the days looked at."""
    return sum(day.weekday() < 5 for day in made.days)


def rate_of(made: BackTest, texts: Texts) -> str:
    """How often: "about 6 papers a day", "about 2 papers a week", "3 papers in 22 weekdays"."""
    return said_rate(made.estimate.mean_per_weekday, made.estimate.total, weekdays_of(made), texts)


def said_rate(mean: float, total: int, weekdays: int, texts: Texts) -> str:
    """mean: papers of a weekday; total: of all of them."""
    if mean >= 0.95:
        return texts.ngettext(
            "about %(num)s paper a day", "about %(num)s papers a day", round(mean)
        )
    if mean * 5 >= 0.95:
        return texts.ngettext(
            "about %(num)s paper a week", "about %(num)s papers a week", round(mean * 5)
        )
    span = texts.npgettext("in so many", "%(num)s weekday", "%(num)s weekdays", weekdays)
    return texts.gettext(
        "%(papers)s in %(weekdays)s", papers=papers_said(total, texts), weekdays=span
    )


def papers_said(count: int, texts: Texts) -> str:
    """ "1 paper", "4,812 papers"."""
    return texts.ngettext("%(num)s paper", "%(num)s papers", count)


def days_said(count: int, texts: Texts) -> str:
    """ "1 day", "30 days", as they stand behind "in"."""
    return texts.npgettext("in so many", "%(num)s day", "%(num)s days", count)


def _nothing(made: BackTest, texts: Texts) -> str:
    return texts.gettext(
        "nothing in %(days)s (%(papers)s)",
        days=days_said(len(made.days), texts),
        papers=papers_said(made.estimate.basis_papers, texts),
    )


def _known(made: BackTest, texts: Texts) -> str:
    """Papers of before a source was watched count, and no mail brings them."""
    if not made.known:
        return ""
    return texts.ngettext(
        "%(num)s of them came before its source was watched here: it counts, and no mail "
        "brings such papers as new.",
        "%(num)s of them came before their sources were watched here: they count, and no mail "
        "brings such papers as new.",
        made.known,
    )


def _offer(one: Suggestion, texts: Texts) -> Offer:
    _, label = texts.gettext, texts.said(one.label)
    if one.per_day >= 0.95:
        count = texts.number(round(one.per_day))
        label = _("%(label)s, %(count)s a day", label=label, count=count)
    elif one.per_day * 5 >= 0.95:
        count = texts.number(round(one.per_day * 5))
        label = _("%(label)s, %(count)s a week", label=label, count=count)
    return Offer(label, one.text)


def _other_form(one: Expansion, texts: Texts) -> OtherForm:
    _ = texts.gettext
    if one.is_short:
        said = _("“%(term)s” is also written %(other)s.", term=one.term, other=one.other)
    elif one.is_usual:
        said = _("“%(term)s” is usually written out as %(other)s.", term=one.term, other=one.other)
    else:
        said = texts.ngettext(
            "“%(term)s” stands for %(other)s in %(num)s paper.",
            "“%(term)s” stands for %(other)s in %(num)s papers.",
            one.explained,
            term=one.term,
            other=one.other,
        )
    label = texts.ngettext("Add it: %(num)s more paper", "Add it: %(num)s more papers", one.brings)
    return OtherForm(said, Offer(label, one.text))


def _plain(wanted: Wanted, texts: Texts) -> Offer | None:
    """The other reading of what was read as a query."""
    meant = read_otherwise(wanted.text) if wanted.kind is ProfileKind.QUERY else ""
    if not meant:
        return None
    return Offer(texts.gettext("As plain keywords: %(words)s", words=meant), meant)


def _capitals(wanted: Wanted, texts: Texts) -> Offer | None:
    """The words with an operator that stands in small letters, and so is a word of its own."""
    if wanted.query is None or wanted.kind is ProfileKind.FOLLOW:
        return None
    meant = read_in_capitals(wanted.text, wanted.query.kind)
    return Offer(texts.gettext("Use: %(words)s", words=meant), meant) if meant else None


def _minus(wanted: Wanted, texts: Texts) -> Offer | None:
    """The list that leaves out what a query like ``robot -survey`` would."""
    if wanted.kind is not ProfileKind.KEYWORDS or '"' in wanted.text:
        return None
    meant = _MINUS.sub(", -", wanted.text)
    if meant == wanted.text:
        return None
    return Offer(texts.gettext("Use: %(words)s", words=meant), meant)
