"""Settings of taste."""

from asyncio import to_thread

from fastapi import APIRouter, Request
from fastapi.responses import Response

from service.admin.desk import Desk, fault_at
from service.defaults import Defaults, fixed_table, parse, table
from service.errors import PaperpostError
from service.flows.staff import Member, write_audit
from service.pages.forms import FieldError, Form
from service.store.db import Priority, Session
from service.store.instance import set_setting


def add_routes(routes: APIRouter, desk: Desk) -> None:
    """Add /admin/settings."""
    rt = desk.rt

    def settings_page(
        request: Request,
        who: Member,
        form: Form | None = None,
        errors: dict[str, FieldError] | None = None,
    ) -> Response:
        context = {
            "rows": table(rt.defaults()),
            "fixed": fixed_table(),
            "form": form,
            "site": desk.pages.site,
            "rt": rt,
        }
        return desk.answer(request, "settings.html", context, who=who, errors=errors)

    @routes.get("/settings")
    def show_settings(request: Request) -> Response:
        return settings_page(request, desk.member(request))

    @routes.post("/settings")
    async def change(request: Request) -> Response:
        sent = await desk.sent(request, "owner")
        name, text = sent.form.raw("name"), sent.form.text("value", most=300)
        try:
            await to_thread(_set, desk, sent.who, name, text, sent.address)
        except PaperpostError as error:
            field = name if name in [r["name"] for r in table(Defaults())] else "name"
            errors = fault_at(field, error)
            return await to_thread(settings_page, request, sent.who, sent.form, errors)
        return desk.go("settings", "saved")


def _set(desk: Desk, who: Member, name: str, text: str, address: str) -> None:
    """Store one value, or go back to the default for an empty one. Raises SettingError."""
    rt = desk.rt
    value = str(parse(name, text)) if text else None
    before = {"value": getattr(rt.defaults(), name, None)}

    def store(session: Session) -> None:
        set_setting(session, name, value)
        write_audit(
            session,
            rt.clock(),
            who=who.name,
            what="setting",
            target=name,
            before=before,
            after={"value": value},
            address=address,
        )

    rt.db.write(store, Priority.WEB)
