"""Settings of taste, the staff's accounts, and the record of acts."""

from asyncio import to_thread
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from service.admin.desk import Desk, fault_at, fault_of
from service.defaults import Defaults, fixed_table, parse, table
from service.errors import PaperpostError
from service.flows import staff
from service.flows.staff import ROLES, Member, write_audit
from service.pages.forms import FieldError, Form
from service.pages.paging import address_of_page, paging_of
from service.store import staff as staff_store
from service.store.db import Priority, Session
from service.store.instance import set_setting

PAGE_SIZE = 100


def add_routes(routes: APIRouter, desk: Desk) -> None:
    """Add /admin/settings, /admin/staff, /admin/audit."""
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

    def staff_page(
        request: Request,
        who: Member,
        errors: dict[str, FieldError] | None = None,
        link: str = "",
        name: str = "",
    ) -> Response:
        context = {
            "admins": rt.db.read(staff_store.list_admins),
            "roles": [(role, role) for role in ROLES],
            "link_made": link,
            "name": name,
        }
        return desk.answer(request, "staff.html", context, who=who, errors=errors)

    @routes.get("/staff")
    def show_staff(request: Request) -> Response:
        return staff_page(request, desk.member(request, "owner"))

    @routes.post("/staff")
    async def change_staff(request: Request) -> Response:
        sent = await desk.sent(request, "owner")
        form, by = sent.form, sent.who.name
        name = form.text("name", most=120)
        link = ""
        try:
            if form.raw("act") == "end":
                await to_thread(staff.disable, rt, name, by, sent.address)
            else:
                role = form.choice("role", ROLES)
                link = await to_thread(staff.create_admin, rt, name, role, by, sent.address)
        except PaperpostError as error:
            errors = fault_of(error, ("name", "role"), "name")
            return await to_thread(staff_page, request, sent.who, errors, "", name)
        return await to_thread(staff_page, request, sent.who, None, link, name)

    @routes.get("/audit")
    def audit(request: Request) -> Response:
        who = desk.member(request, "owner")

        def load(session: Session) -> dict[str, Any]:
            paging = paging_of(request, staff_store.count_audit(session), PAGE_SIZE)
            rows = staff_store.list_audit(session, limit=paging.size, offset=paging.offset)
            return {"rows": rows, "paging": paging}

        context = {
            **rt.db.read(load),
            "address_of_page": lambda number: address_of_page(request, number),
        }
        return desk.answer(request, "audit.html", context, who=who)


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
