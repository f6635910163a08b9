"""What the form of when, alerts and look holds on the reader's own page."""

from typing import Any
from urllib.parse import urlencode

from service.flows.alerts import quiet_of
from service.pages.forms import Form
from service.store import subscribers as subscribers_store
from service.store.tables import SubscriberRow
from service.subscribers.model import DAYS
from service.web.door import Door
from service.web.settings_read import PARTS


def held(door: Door, row: SubscriberRow, typed: Form | None) -> dict[str, object]:
    """now: what the fields hold, as it is or as it was typed · changed: whether these differ · was:
    what they held when the page was opened, for a tab that is behind another
    (``settings_read.read_choices``)."""
    stored = _stored(door, row)
    if typed is None:
        sent = {name: "1" if value is True else value for name, value in stored.items() if value}
        days = sent.pop("mail_days")
        shown = {**sent, "weekdays": sorted(days), "zone": row.zone, "part": PARTS}
        return {"now": stored, "changed": False, "was": urlencode(shown, doseq=True)}
    now = _typed_over(stored, typed)
    return {"now": now, "changed": now != stored, "was": typed.raw("was")}


def _stored(door: Door, row: SubscriberRow) -> dict[str, Any]:
    start, end = quiet_of(row, door.rt.defaults())
    is_any = start == end
    usual = door.rt.defaults()
    return {
        "hour": f"{row.hour:02}",
        "place": "",
        "mail_days": {DAYS[d] for d in subscribers_store.days_of(row.weekdays)},
        "on_time": row.on_time,
        "at_least": str(row.at_least),
        "tell_anyway": row.tell_anyway,
        "any_hour": is_any,
        "quiet_from": f"{usual.alert_quiet_from if is_any else start:02}",
        "quiet_until": f"{usual.alert_quiet_until if is_any else end:02}",
        "locale": row.locale,
        "format": row.format,
        "style": row.style,
        "trending": row.trending,
        "picks": row.picks,
    }


def _typed_over(stored: dict[str, Any], typed: Form) -> dict[str, Any]:
    ticks = ("on_time", "tell_anyway", "any_hour", "trending", "picks")
    return {
        name: set(typed.choices("weekdays", DAYS)) if name == "mail_days"
        else typed.flag(name) if name in ticks
        else typed.raw(name) if name in typed else was
        for name, was in stored.items()
    }  # fmt: skip
