"""Settings: those of taste, each with what it changes, and those of the machine to look at."""

from asyncio import to_thread
from collections.abc import Mapping, Sequence

from fastapi import APIRouter, Request
from fastapi.responses import Response

from service.admin.desk import Desk, fault_at
from service.defaults import fixed_table
from service.errors import PaperpostError, SettingError
from service.flows import settings_by_hand as flow
from service.flows.setting_effects import effect
from service.flows.settings_by_hand import Change
from service.flows.staff import Member
from service.pages.forms import FieldError


def add_routes(routes: APIRouter, desk: Desk, deployed: Sequence[Mapping[str, str]] = ()) -> None:
    """Add /admin/settings, /admin/settings/machine and /admin/settings/NAME.

    deployed: the settings of the machine, secrets masked: name, value, source, about."""
    rt = desk.rt

    @routes.get("/settings")
    def show_settings(request: Request) -> Response:
        who = desk.member(request)
        rows = flow.list_settings(rt)
        only_changed = request.query_params.get("only") == "changed"
        words = " ".join(request.query_params.get("q", "").split())[:200]
        shown = [row for row in rows if not (only_changed and row.is_default)]
        if words:
            shown = [row for row in shown if words.lower() in f"{row.name} {row.told}".lower()]
        context = {
            "groups": flow.groups(shown),
            "only_changed": only_changed,
            "words": words,
            "changed": sum(not row.is_default for row in rows),
            "fixed": fixed_table(),
            "strange": flow.without_effect(rt),
        }
        return desk.answer(request, "settings.html", context, who=who)

    @routes.get("/settings/machine")
    def machine(request: Request) -> Response:
        who = desk.member(request, "owner")
        context = {"deployed": deployed}
        return desk.answer(request, "machine.html", context, who=who)

    def page(
        request: Request,
        who: Member,
        name: str,
        *,
        typed: str | None = None,
        change: Change | None = None,
        errors: dict[str, FieldError] | None = None,
    ) -> Response:
        row = flow.find_setting(rt, name)
        context = {
            "row": row,
            "typed": str(row.value) if typed is None else typed,
            "change": change,
            "effect": effect(rt, name, row.value) if change is None else "",
            "history": flow.history(rt, name),
            "reason": "",
        }
        return desk.answer(request, "setting.html", context, who=who, errors=errors)

    @routes.get("/settings/{name}")
    def one(request: Request, name: str) -> Response:
        who = desk.member(request)
        asked = request.query_params.getlist("value")
        if not asked:
            return page(request, who, name)
        row = flow.find_setting(rt, name)
        # of several ticks each is a value of its own, beside an empty one that says: none of them
        typed = ",".join(filter(None, asked)) or "," if row.several else asked[0]
        typed = typed[:300]
        try:
            return page(request, who, name, typed=typed, change=flow.look(rt, name, typed))
        except SettingError as error:
            return page(request, who, name, typed=typed, errors=fault_at("value", error))

    @routes.post("/settings/{name}")
    async def store(request: Request, name: str) -> Response:
        sent = await desk.sent(request, "owner")
        form, by = sent.form, sent.who.name
        typed, reason = form.text("value", most=300), form.text("reason", most=500)
        await to_thread(flow.find_setting, rt, name)
        was = form.raw("was") if "was" in form else None
        try:
            await to_thread(
                lambda: flow.change(rt, name, typed, by, sent.address, reason=reason, was=was)
            )
        except PaperpostError as error:
            errors = fault_at("value", error)
            return await to_thread(
                lambda: page(request, sent.who, name, typed=typed, errors=errors)
            )
        return desk.go(f"settings/{name}", "saved")
