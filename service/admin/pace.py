"""What limits mails now: the limits in force, what went of late, who rests and until when."""

from asyncio import to_thread
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from service.admin.desk import Desk
from service.flows.rest_try import try_one
from service.flows.send_state import Limited, read_limits
from service.pages.listing import listed

WINDOWS = {"second": "a_second", "minute": "a_minute", "hour": "an_hour", "day": "a_day"}
"""Windows of a limit, and how the names of their settings end."""

_COLUMNS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "name": lambda one: one["name"],
    "until": lambda one: one["until"],
    "waiting": lambda one: one["waiting"],
}


def add_routes(routes: APIRouter, desk: Desk) -> None:
    """Add /admin/deliveries/pace and /admin/deliveries/pace/try."""
    rt = desk.rt

    @routes.get("/deliveries/pace")
    def pace(request: Request) -> Response:
        who = desk.member(request)
        limits = rt.defaults()
        every = [one.as_dict() for one in sorted(read_limits(rt), key=_urgency)]
        context = {
            "limits": {
                whose: {name: getattr(limits, name) for name in _settings(whose)}
                for whose in ("mails", "domain")
            },
            "found": listed(request, every, _COLUMNS, lambda one: f"{one['name']} {one['why']}"),
        }
        return desk.answer(request, "pace.html", context, who=who)

    @routes.post("/deliveries/pace/try")
    async def try_now(request: Request) -> Response:
        sent = await desk.sent(request, "sender")
        name = sent.form.raw("name")
        tried = await to_thread(try_one, rt, name, by=sent.who.name, address=sent.address)
        return desk.go("deliveries/pace", "tried" if tried.waiting else "next_tries")


def _settings(whose: str) -> list[str]:
    return [f"{whose}_{window}" for window in WINDOWS.values()]


def _urgency(one: Limited) -> tuple[bool, int, bool, float]:
    """Accounts first, then what most mails wait for, what rests, and what is nearest its limit."""
    used = max((one.had[name] / most for name, most in one.most.items()), default=0.0)
    return one.kind != "account", -one.waiting, one.until is None, -used
