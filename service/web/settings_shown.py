"""The reader's own page as it is shown: what is set now, and what a form that came back held."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from fastapi import Request
from fastapi.responses import Response

from service.delivery.i18n import Texts
from service.flows import manage
from service.flows.leave import look
from service.flows.live import query_of
from service.flows.manage import Managed
from service.flows.next_mail import next_mail_at
from service.pages.forms import FieldError, Form
from service.store import matches as matches_store
from service.store import subscribers as subscribers_store
from service.store.tables import ProfileRow, SubscriberRow
from service.subscribers.address import mask
from service.subscribers.cadence import local_date
from service.subscribers.model import DAYS
from service.subscribers.options import read_options
from service.subscribers.tokens import TokenError
from service.subscribers.zone import is_known
from service.web.bounced import bounced_told
from service.web.door import Door, Offer, spoken
from service.web.following import NameLine
from service.web.leaving import left_page
from service.web.looked import Looked
from service.web.places import place_options
from service.web.settings_held import held
from service.web.settings_kept import FORMS, kept_texts
from service.web.settings_read import in_a_month, in_a_week
from service.web.settings_told import (
    chosen_of,
    contents,
    form_options,
    next_told,
    saved_told,
)

LATELY = 7
"""Days whose papers are counted beside an interest."""

LEAST_SCORES = 5
"""Matches from which on their scores are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A form that came back. part: which form ("choices": when, alerts and look together) · typed:
    what it held · names: the people in it · looked: what its words would change · places: zones
    that what was typed may be · saved: which button did its work · removed: an interest that
    was · kept: what other forms hold and nobody saved."""

    part: str = ""
    faults: dict[str, FieldError] | None = None
    offers: tuple[Offer, ...] = ()
    typed: Form | None = None
    saved: str = ""
    names: tuple[NameLine, ...] = ()
    looked: Looked | None = None
    places: tuple[str, ...] = ()
    removed: ProfileRow | None = None
    kept: Mapping[str, Form] = field(default_factory=dict)


def ended(door: Door, request: Request, token: str, error: TokenError) -> Response:
    """An ended link offers a new one in one press; one that was no reader's does not."""
    if error.ended_at is None or error.subject is None:
        return door.ended(request, error)
    day = door.texts(request).long_day(local_date(error.ended_at, door.rt.zone))
    return door.answer(request, "reader/ended.html", {"day": day, "token": token}, status=410)


def shown_page(
    door: Door, request: Request, token: str, trouble: Trouble, *, status: int = 200
) -> Response:
    """The page, with the trouble of a form that came back."""
    try:
        found = manage.open_manage(door.rt, token)
    except TokenError as error:
        return ended(door, request, token, error)
    if found.reader.state == "left":
        return left_page(
            door, request, found.reader.unsubscribe_token,
            look(door.rt, found.reader.unsubscribe_token),
            data=f"{door.pages.links.here.manage(token)}/data" if found.fresh else "",
        )  # fmt: skip
    context = _context(door, request, token, found, trouble)
    return door.answer(request, "reader/manage.html", context, status=status)


@dataclass(frozen=True, slots=True)
class Choices:
    """What was chosen for one interest beside words and days, as its form shows it. scores: what
    its papers have, in a sentence · open: something is chosen, or is to be mended."""

    threshold: str = ""
    own: bool = False
    own_name: str = ""
    signals: bool = False
    votes: str = ""
    scores: str = ""
    open: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """One interest as its form shows it."""

    id: int
    name: str
    kind: str
    text: str
    reading: str
    cadence: str
    weekday: str
    cap: str
    paused: bool
    choices: Choices
    chosen: str = ""
    lately: str = ""
    unsaved: bool = False


def _name(row: ProfileRow, texts: Texts) -> str:
    """The reader's name for it; one that we gave is said in their language."""
    if row.kind == "trending" and row.name == "Trending":
        return texts.gettext("Trending")
    return row.name


def _choices(row: ProfileRow, name: str, scores: Sequence[float], texts: Texts) -> Choices:
    options = read_options(row.options)
    signals = options.signals
    return Choices(
        threshold=texts.number(row.threshold) if row.threshold else "",
        own=bool(options.own),
        own_name=options.own or name,
        signals=signals is not None,
        votes=str(signals.votes or "") if signals else "",
        scores=_scores(scores, texts),
        open=bool(row.threshold or options.own or signals or row.cap),
    )


def _scores(scores: Sequence[float], texts: Texts) -> str:
    if len(scores) < LEAST_SCORES:
        return ""
    low, middle, high = (round(scores[at], 1) for at in (0, len(scores) // 2, -1))
    return texts.gettext(
        "Of late its %(count)s papers had %(low)s to %(high)s, half of them %(middle)s or more.",
        count=texts.number(len(scores)),
        low=texts.number(low),
        high=texts.number(high),
        middle=texts.number(middle),
    )


def _typed_choices(typed: Form, made: Choices) -> Choices:
    if "choices" not in typed:
        return made
    return replace(
        made,
        threshold=typed.raw("threshold"),
        own=typed.flag("own"),
        own_name=typed.raw("own_name"),
        signals=typed.flag("signals"),
        votes=typed.raw("votes"),
        open=True,
    )


def _lately(row: ProfileRow, scores: Sequence[float], texts: Texts) -> str:
    """How much an interest brings; "" before it has met the papers."""
    if row.kind == "trending" or row.matched_at is None:
        return ""
    count = sum(1 for score in scores if score >= row.threshold)
    return texts.ngettext(
        "%(num)s paper in the last %(days)s days",
        "%(num)s papers in the last %(days)s days",
        count,
        days=texts.number(LATELY),
    )


def _shown(row: ProfileRow, trouble: Trouble, texts: Texts, choices: Choices) -> Shown:
    query = query_of(row.kind, row.text, row.compiled, row.options)
    made = Shown(
        id=row.id or 0,
        name=_name(row, texts),
        kind=row.kind,
        text=row.text,
        reading=spoken(query, texts) if query is not None else "",
        cadence=row.cadence,
        weekday=DAYS[row.weekday],
        cap=str(row.cap or ""),
        paused=row.paused,
        choices=choices,
    )
    part = f"interest-{row.id}"
    if trouble.part == part and trouble.typed is not None:
        return _typed_over(made, trouble.typed)
    if part in trouble.kept:
        over = _typed_over(made, trouble.kept[part])
        closed = replace(over, choices=replace(over.choices, open=choices.open))
        return replace(over, unsaved=True) if closed != made else made
    return made


def _typed_over(made: Shown, typed: Form) -> Shown:
    if "words" not in typed:
        return made
    return replace(
        made,
        name=typed.raw("name") if "name" in typed else made.name,
        cadence=typed.raw("cadence") or made.cadence,
        weekday=typed.raw("weekday") or made.weekday,
        text=typed.typed("words"),
        cap=typed.raw("cap") if "cap" in typed else made.cap,
        choices=_typed_choices(typed, made.choices),
    )


def _orphaned(trouble: Trouble, ids: list[int | None]) -> Trouble:
    """Of an interest that another tab removed meanwhile: what was typed for it stands in the form
    of a new one, so that nothing is lost."""
    kind, _dash, number = trouble.part.partition("-")
    if kind != "interest" or not trouble.faults or number in map(str, ids):
        return trouble
    return replace(trouble, part="new", faults={"words": next(iter(trouble.faults.values()))})


def _context(
    door: Door, request: Request, token: str, found: Managed, trouble: Trouble
) -> dict[str, object]:
    texts, row = door.texts(request), found.reader
    trouble = _orphaned(trouble, [one.id for one in found.interests])
    next_at = door.rt.db.read(lambda s: next_mail_at(door.rt, s, row))
    today = local_date(door.rt.clock(), row.zone)
    is_paused = row.paused_until is not None and row.paused_until > today
    names = [_name(one, texts) for one in found.interests]
    email = row.email if found.fresh else mask(row.email)
    said, said_at = saved_told(door, row, found.interests, trouble.saved, next_at, texts)
    return {
        "token": token,
        "here": door.pages.links.here.manage(token),
        "reader": row,
        "email": email,
        "fresh": found.fresh,
        "mailed": found.mailed,
        "contents": contents(door, row, found.interests, names, email, texts, is_paused=is_paused),
        "said": said,
        "said_at": said_at,
        "undo": _undo(trouble.removed),
        "next_words": next_told(door, row, next_at, texts),
        "bounced": bounced_told(door, row, email, texts),
        "trouble": trouble,
        "faults": trouble.faults or {},
        "typed": trouble.typed or Form({}),
        **_interests_context(door, found, trouble, texts),
        **held(door, row, _typed_in(trouble, "choices")),
        **_choices_context(door, row, trouble, texts),
        "paused_until": row.paused_until if is_paused else None,
        **_typed_once(
            trouble, row.paused_until.isoformat() if row.paused_until and is_paused else ""
        ),
        "soonest": (today + timedelta(days=1)).isoformat(),
        "latest": (today + timedelta(days=door.rt.defaults().pause_days)).isoformat(),
        "week": texts.day(in_a_week(today)),
        "month": texts.day(in_a_month(today)),
        "feeds": _feeds(door, row) if row.feed_since is not None and found.fresh else (),
    }


def _typed_once(trouble: Trouble, until: str) -> dict[str, object]:
    """The end of a pause and the new address, each the only field of its form. until: as it is."""
    pause, moved = _typed_in(trouble, "pause"), _typed_in(trouble, "address")
    shown = until if pause is None else pause.raw("until")
    return {
        "until": shown,
        "is_until_kept": trouble.part != "pause" and shown != until,
        "new_email": "" if moved is None else moved.raw("email"),
    }


def _undo(row: ProfileRow | None) -> list[tuple[str, str]]:
    """The fields of a form that adds a removed interest as it was."""
    if row is None:
        return []
    options = read_options(row.options)
    fields = {
        "people" if row.kind == "follow" else "words": row.text,
        "name": row.name,
        "cadence": row.cadence,
        "weekday": DAYS[row.weekday],
        "choices": "1",
        "cap": str(row.cap or ""),
        "threshold": str(row.threshold or ""),
        "own": "1" if options.own else "",
        "own_name": options.own,
        "signals": "1" if options.signals else "",
        "votes": str(options.signals.votes or "") if options.signals else "",
    }
    return [(name, value) for name, value in fields.items() if value]


def _interests_context(
    door: Door, found: Managed, trouble: Trouble, texts: Texts
) -> dict[str, object]:
    row = found.reader
    ids = [one.id for one in found.interests if one.id is not None]
    scores = door.rt.db.read(lambda s: matches_store.list_scores(s, ids))
    since = door.rt.clock() - timedelta(days=LATELY)
    new_ones = door.rt.db.read(lambda s: matches_store.list_new_scores(s, ids, since))
    known = [read_options(one.options).own for one in found.interests]
    name = next(filter(None, known), row.name)
    choices = {
        one.id: _choices(one, name, scores.get(one.id or 0, ()), texts) for one in found.interests
    }
    new = Choices(own=any(known), own_name=name, open=any(known))
    typed_new = _typed_in(trouble, "new")
    if typed_new is not None:
        new = _typed_choices(typed_new, new)
    return {
        "interests": [
            replace(
                _shown(one, trouble, texts, choices[one.id]),
                chosen=chosen_of(one, texts, subscribers_store.days_of(row.weekdays)),
                lately=_lately(one, new_ones.get(one.id or 0, ()), texts),
            )
            for one in found.interests
        ],
        "new": new,
        "typed_new": typed_new or Form({}),
        "kept": trouble.kept,
        "kept_texts": kept_texts(trouble.kept),
        "parts": [*(f"interest-{one}" for one in ids), "new", *FORMS],
        "usual_votes": texts.number(door.rt.defaults().signal_votes),
        "most": door.rt.defaults().interests,
        "has_votes": door.has_votes(),
        "cadences": _cadences(texts),
        "weekdays": [(key, texts.weekday(n)) for n, key in enumerate(DAYS)],
    }


def _typed_in(trouble: Trouble, part: str) -> Form | None:
    """What a form held, if it came back or was kept."""
    return trouble.typed if trouble.part == part else trouble.kept.get(part)


def _choices_context(
    door: Door, row: SubscriberRow, trouble: Trouble, texts: Texts
) -> dict[str, object]:
    catalogs, limits = door.pages.catalogs, door.rt.defaults()
    there, first = door.clock_in(row.zone), min(subscribers_store.days_of(row.weekdays), default=0)
    return {
        "hours": door.hours(texts),
        "is_known_zone": is_known(row.zone),
        "zone_words": texts.gettext(
            "%(zone)s, now %(time)s",
            zone=row.zone,
            time=texts.hour(there.hour, there.minute),
        ),
        "places": place_options(door.rt.clock(), texts),
        "offered_places": [
            (zone, dict(place_options(door.rt.clock(), texts)).get(zone, zone))
            for zone in trouble.places
        ],
        "usual": door.usually_complete(row.zone, texts),
        "tell_anyway": texts.gettext(
            "On %(day)s, tell me anyway when nothing new came", day=texts.weekday(first)
        ),
        "waits": limits.late_wait_minutes,
        "alerts_a_day": limits.alerts_a_day,
        "votes_on": limits.votes == "on",
        "proposals_on": limits.proposals == "on",
        "bundle": limits.alert_bundle_minutes,
        "languages": [(name, catalogs.texts(name).own_name) for name in catalogs.languages],
        "forms": form_options(texts),
    }


def _feeds(door: Door, row: SubscriberRow) -> list[tuple[str, str]]:
    """Pairs (what the kind is called, whole address)."""
    atom = door.pages.links.own_feed(row.feed_token)
    stem = atom.removesuffix("atom")
    return [("Atom", atom), ("RSS", f"{stem}rss"), ("JSON", f"{stem}json")]


def _cadences(texts: Texts) -> list[tuple[str, str]]:
    _ = texts.gettext
    return [
        ("daily", _("in the daily mail")),
        ("weekly", _("once a week")),
        ("instant", _("at once")),
    ]
