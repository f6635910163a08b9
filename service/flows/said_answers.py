"""The answers of ``why_day`` and ``why_paper`` in words: the same on pages, on the desk and in the
commands."""

from datetime import datetime

from service.delivery import phrases
from service.delivery.i18n import Texts
from service.errors import Sentence
from service.flows.became import what_became
from service.flows.came import Came
from service.flows.why_day import Carried, DayAnswer
from service.flows.why_paper import PaperAnswer, Verdict
from service.matching.misses import Misses
from service.subscribers.zone import clock_of


def day_lines(found: DayAnswer, texts: Texts) -> list[str]:
    """What became of a date, line by line."""
    lines = [texts.said(one) for one in found.says]
    for one in found.mails:
        subject = f" {one.subject}" if one.subject else ""
        lines.append(f"{what_became(one, texts)}{subject}")
    lines += [f"{one.title}: {said_where(one, texts)}" for one in found.carried]
    if found.more:
        more = texts.ngettext("and %(num)s more", "and %(num)s more", found.more)
        lines.append(more)
    lines += [f"{title}: {texts.said(says)}" for title, says in found.sources]
    if found.follows is not None:
        lead = texts.gettext("The next mail that came:")
        lines.append(texts.sentences(lead, texts.day(found.follows.on)))
    if said := said_next(found.next_at, found.zone, texts):
        lines.append(said)
    return lines


def paper_lines(found: PaperAnswer, texts: Texts) -> list[str]:
    """Why a paper came or did not, line by line."""
    lines = [found.paper.title] if found.paper is not None else []
    if found.several:
        lines.append(texts.gettext("Which one?"))
        lines += [f"{one.scheme}/{one.value}  {one.title}" for one in found.several]
    lines += [texts.said(one) for one in found.says]
    lines += [texts.sentences(*said_came(one, texts)) for one in found.came]
    lines += [f"{interest_name(one, texts)}: {said_verdict(one, texts)}" for one in found.verdicts]
    if said := said_next(found.next_at, found.zone, texts, rides=True):
        lines.append(said)
    return lines


def said_where(one: Carried, texts: Texts) -> str:
    """Where a paper of a mail that did not come went."""
    if one.went_on is not None:
        return texts.gettext("came with the mail of %(day)s", day=texts.day(one.went_on))
    if one.waits:
        return texts.gettext("waits for your next mail")
    return texts.gettext("came with no mail so far")


def said_next(at: datetime | None, zone: str, texts: Texts, *, rides: bool = False) -> str:
    """When the next mail is due, "" for none. rides: a paper that was asked about is in it."""
    if at is None:
        return ""
    there = at.astimezone(clock_of(zone))
    day, time = texts.day(there.date()), texts.hour(there.hour, there.minute)
    if rides:
        return texts.gettext(
            "It rides in your next mail, due %(day)s at %(time)s.", day=day, time=time
        )
    return texts.gettext("Your next mail is due %(day)s at %(time)s.", day=day, time=time)


def interest_name(one: Verdict, texts: Texts) -> str:
    """The reader's name for it; one that we gave is said in their language."""
    if one.kind == "trending" and one.interest in ("", "Trending"):
        return texts.gettext("The day's most-voted papers")
    return one.interest


def _said_how(one: Came, texts: Texts) -> str:
    """How it came, and on which date."""
    _, day = texts.gettext, texts.day(one.mail.on)
    if one.waits:
        return _("It is in your mail of %(day)s, which is on its way.", day=day)
    match one.how:
        case "full":
            return _("It came in full, in your mail of %(day)s.", day=day)
        case "line":
            return _(
                "It came as one line, in your mail of %(day)s: better ones took the room.", day=day
            )
        case "counted":
            return _(
                "It was counted among the papers that your mail of %(day)s had no room for; its"
                " page in the browser names it.",
                day=day,
            )
        case "news":
            return _("Your mail of %(day)s told later news of it.", day=day)
    return _("It came with your mail of %(day)s.", day=day)


_KINDS = {
    "trending": Sentence("It was among the most-voted papers of its days."),
    "chosen": Sentence("The people who run this service chose it."),
    "picks": Sentence("The editors picked it for that day."),
}


def said_came(one: Came, texts: Texts) -> list[str]:
    """In which mail it came and by which words."""
    said = [_said_how(one, texts)]
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
    if one.found:
        said.append(texts.gettext("It contains %(found)s.", found=texts.join(one.found)))
    elif one.wants and one.kind != "trending":
        said.append(texts.gettext("It contains what you ask for."))
    if one.misses is not None:
        said.append(said_misses(one.misses, texts))
    said += [texts.said(sentence) for sentence in one.says]
    return texts.sentences(*said)


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
    return texts.sentences(*said)


def _any_of(group: tuple[str, ...], texts: Texts) -> str:
    if len(group) == 1:
        return group[0]
    return texts.gettext("any of %(words)s", words=texts.commas(group))
