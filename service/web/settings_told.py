"""What a reader has chosen, in a few words: the table of contents of their page, and what a press
of a button did."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from service.delivery.i18n import Texts
from service.flows.alerts import quiet_of
from service.store import subscribers as subscribers_store
from service.store.tables import ProfileRow, SubscriberRow
from service.subscribers.cadence import weekly_on
from service.subscribers.options import read_options
from service.web.door import Door

MOST_NAMES = 3


@dataclass(frozen=True, slots=True)
class Part:
    """A line of the table of contents: where it leads, the heading, and what is set there."""

    anchor: str
    heading: str
    told: str = ""


def contents(
    door: Door,
    row: SubscriberRow,
    interests: Sequence[ProfileRow],
    names: Sequence[str],
    address: str,
    texts: Texts,
    *,
    is_paused: bool,
) -> list[Part]:
    """The page in one glance; each line leads to its section."""
    _ = texts.gettext
    until = row.paused_until
    return [
        Part("interests", _("Interests"), _interests(interests, names, texts)),
        Part("when", _("When"), schedule_of(row, texts)),
        Part("alerts", _("Alerts"), _alerts(door, row, interests, texts)),
        Part("mail", _("Look"), _look(door, row, texts)),
        Part(
            "pause", _("Pause"),
            _("until %(day)s", day=texts.day(until)) if until and is_paused else _none(texts),
        ),
        Part("feed", _("Feed"), _("open") if row.feed_since else _("closed")),
        Part("address", _("Address"), address),
        Part("leave", _("Leave")),
    ]  # fmt: skip


def schedule_of(row: SubscriberRow, texts: Texts) -> str:
    """Return "Weekdays at 08:00, Zurich"."""
    return texts.schedule(subscribers_store.days_of(row.weekdays), row.hour, row.zone)


def _none(texts: Texts) -> str:
    """Of alerts and of a pause, which are feminine in some languages."""
    return texts.pgettext("alerts, pause", "none")


def _interests(interests: Sequence[ProfileRow], names: Sequence[str], texts: Texts) -> str:
    if not interests:
        return texts.gettext("none")
    told = [f"{texts.number(len(interests))}: {texts.commas(names[:MOST_NAMES])}"]
    if len(names) > MOST_NAMES:
        more = len(names) - MOST_NAMES
        told = [f"{told[0]} + {texts.number(more)}"]
    rest = sum(1 for one in interests if one.paused)
    if rest:
        told.append(texts.ngettext("%(num)s paused", "%(num)s paused", rest, num=rest))
    return " · ".join(told)


def quiet_told(door: Door, row: SubscriberRow, texts: Texts) -> str:
    """Return "quiet from 21:00 to 07:00", or "at any hour"."""
    start, end = quiet_of(row, door.rt.defaults())
    if start == end:
        return texts.gettext("at any hour")
    return texts.gettext(
        "quiet from %(start)s to %(end)s", start=texts.hour(start), end=texts.hour(end)
    )


def _alerts(door: Door, row: SubscriberRow, interests: Sequence[ProfileRow], texts: Texts) -> str:
    wanted = sum(1 for one in interests if one.cadence == "instant" and not one.paused)
    if not wanted:
        return _none(texts)
    told = texts.ngettext(
        "for %(num)s interest", "for %(num)s interests", wanted, num=texts.number(wanted)
    )
    return f"{told}, {quiet_told(door, row, texts)}"


def _look(door: Door, row: SubscriberRow, texts: Texts) -> str:
    languages = door.pages.catalogs.languages
    shown = [dict(form_options(texts)).get(row.format, row.format)]
    if len(languages) > 1:
        shown.insert(0, door.pages.catalogs.texts(row.locale).own_name)
    styles = {
        "short": texts.gettext("short abstracts"),
        "full": texts.gettext("abstracts in full"),
        "none": texts.gettext("no abstracts"),
        "summary": texts.gettext("one line by a machine"),
    }
    return texts.commas([*shown, styles.get(row.style, row.style)])


def form_options(texts: Texts) -> list[tuple[str, str]]:
    """The forms of a mail, for a field."""
    _ = texts.gettext
    return [
        ("html", _("formatted")),
        ("text", _("plain text")),
        ("bare", _("plain text, your words without stars")),
    ]


def chosen_of(row: ProfileRow, texts: Texts, mail_days: Collection[int]) -> str:
    """Days, cap, least score and later news of an interest, in a few words. mail_days: of its
    reader; a weekly one whose day is none of them rides on the week's last."""
    _ = texts.gettext
    said = [_("paused")] if row.paused else []
    if row.cadence == "weekly":
        said.append(
            _("once a week, on %(day)s", day=texts.weekday(weekly_on(row.weekday, mail_days)))
        )
    elif row.cadence == "instant":
        said.append(_("at once"))
    if row.cap:
        said.append(_("%(num)s in full at most", num=texts.number(row.cap)))
    if row.threshold:
        said.append(_("score from %(num)s", num=texts.number(row.threshold)))
    if read_options(row.options).signals is not None:
        said.append(_("later news"))
    return " · ".join(said)


def next_told(door: Door, row: SubscriberRow, at: datetime | None, texts: Texts) -> str:
    """Return "Next mail: Mon 23 November at 08:00.", "" when none comes."""
    if at is None:
        return ""
    if at <= door.rt.clock():
        return texts.gettext("Next mail: in a few minutes.")
    there = at.astimezone(door.clock_in(row.zone).tzinfo)
    return texts.gettext(
        "Next mail: %(day)s at %(time)s.",
        day=texts.day(there.date()),
        time=texts.hour(there.hour, there.minute),
    )


def saved_told(
    door: Door,
    row: SubscriberRow,
    interests: Sequence[ProfileRow],
    saved: str,
    at: datetime | None,
    texts: Texts,
) -> tuple[str, str]:
    """What a press did, and the section (or ``interest-N``) where it is told; "" for no press."""
    _ = texts.gettext
    kind, _dash, number = saved.partition("-")
    part = f"interest-{number}" if number.isdecimal() else "interests"
    following = next_told(door, row, at, texts)
    match kind:
        case "interest" | "added":
            one = next((one for one in interests if str(one.id) == number), None)
            comes = _comes(door, row, one, following, texts)
            done = _("Added.") if kind == "added" else _("Saved.")
            return texts.sentences(done, comes), "interests" if kind == "added" else part
        case "removed":
            said, where = _("Removed."), "interests"
        case "rests":
            said, where = _("It rests now."), part
        case "resumed":
            said, where = _("It comes again, with what is new from now on."), part
        case "schedule":
            said, where = _("Saved: %(schedule)s.", schedule=schedule_of(row, texts)), "when"
        case "alerts":
            said = _("Saved: alerts %(when)s.", when=quiet_told(door, row, texts))
            return said, "alerts"
        case "mail":
            said, where = _("Saved."), "mail"
        case "pause" if row.paused_until is not None:
            day = texts.day(row.paused_until)
            said, where = _("Paused until %(day)s.", day=day), "pause"
        case "pause":
            said, where = _("The pause is over."), "pause"
        case "back":
            said, where = _("Your papers come again."), "bounces"
        case "feed":
            return _feed(saved, texts), "feed"
        case _:
            return "", ""
    return texts.sentences(said, following), where


def _comes(
    door: Door, row: SubscriberRow, one: ProfileRow | None, following: str, texts: Texts
) -> str:
    """When an interest that was added or changed is first heard of."""
    _ = texts.gettext
    if one is not None and one.paused:
        return _("It rests until you take it up again.")
    if one is not None and one.cadence == "instant" and row.paused_until is None:
        when = quiet_told(door, row, texts)
        return _("Its papers come as soon as they are there, alerts %(when)s.", when=when)
    if one is not None and one.cadence == "weekly":
        days = subscribers_store.days_of(row.weekdays)
        day = texts.weekday(weekly_on(one.weekday, days))
        return _("It comes once a week, on %(day)s.", day=day)
    counts = _("It counts from the next mail on.")
    return texts.sentences(counts, following)


def _feed(saved: str, texts: Texts) -> str:
    _ = texts.gettext
    if saved == "feed-closed":
        return _("The feed is closed; its address does not work any more.")
    if saved == "feed-renewed":
        return _("The feed has a new address; the old one does not work any more.")
    return _("The feed is open.")
