"""The staff's accounts: one's own, and everybody's for an owner."""

from asyncio import to_thread
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from service.admin.desk import Desk, Sent, fault_of
from service.errors import PaperpostError
from service.flows import accounts as flow
from service.flows import acts, staff
from service.flows.accounts import NoSuchAccountError
from service.flows.act_targets import targets_of
from service.flows.staff import ROLES, Member, StaffError
from service.flows.tries import LoginError
from service.pages.forms import FieldError, RowNumber
from service.pages.listing import listed
from service.pages.paging import address_of_page, paging_of
from service.store import staff as staff_store
from service.store.db import Session

PAGE_SIZE = 50
_FIELDS = ("old", "password", "again", "email", "session")
Faults = dict[str, FieldError]
_COLUMNS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "name": lambda one: one["name"],
    "role": lambda one: ROLES.index(one["role"]),
    "state": lambda one: one["state"],
    "since": lambda one: one["created_at"],
    "sessions": lambda one: one["sessions"],
    "seen": lambda one: one["seen"],
}


def add_routes(routes: APIRouter, desk: Desk) -> None:
    """Add /admin/account, /admin/staff and /admin/staff/ID."""
    rt = desk.rt

    # ---- one's own ----

    def own_page(request: Request, who: Member, errors: Faults | None = None) -> Response:
        context = {
            "account": flow.find_account(rt, who.id, desk.seen),
            "sessions": flow.list_sessions(rt, admin_id=who.id, seen=desk.seen),
            "reports_to": rt.site.contact,
        }
        return desk.answer(request, "account.html", context, who=who, errors=errors)

    @routes.get("/account")
    def own(request: Request) -> Response:
        return own_page(request, desk.member(request))

    @routes.post("/account")
    async def change_own(request: Request) -> Response:
        sent = await desk.sent(request, "viewer")
        try:
            said = await to_thread(_change_own, desk, sent)
        except PaperpostError as error:
            where = "old" if isinstance(error, LoginError) else "session"
            faults = fault_of(error, _FIELDS, where)
            return await to_thread(own_page, request, sent.who, faults)
        return desk.go("account", said)

    # ---- everybody's ----

    def staff_page(
        request: Request, who: Member, errors: Faults | None = None, link: str = "", name: str = ""
    ) -> Response:
        context = {
            "found": listed(request, flow.list_accounts(rt, desk.seen), _COLUMNS, _text_of),
            "sessions": flow.list_sessions(rt, seen=desk.seen),
            "roles": [(role, role) for role in ROLES],
            "link_made": link,
            "name": name,
        }
        return desk.answer(request, "staff.html", context, who=who, errors=errors)

    @routes.get("/staff")
    def everybody(request: Request) -> Response:
        return staff_page(request, desk.member(request, "owner"))

    @routes.post("/staff")
    async def make(request: Request) -> Response:
        """Make an account, or a fresh link; end an account or a session."""
        sent = await desk.sent(request, "owner")
        form, by = sent.form, sent.who.name
        name = form.text("name", most=120)
        link = ""
        try:
            match form.raw("act"):
                case "end":
                    await to_thread(staff.disable, rt, name, by, sent.address)
                case "session":
                    await to_thread(_end_one, desk, sent)
                    return desk.go("staff", "sessions")
                case _:
                    role = form.choice("role", ROLES)
                    link = await to_thread(staff.create_admin, rt, name, role, by, sent.address)
        except PaperpostError as error:
            errors = fault_of(error, ("name", "role", "session"), "name")
            return await to_thread(staff_page, request, sent.who, errors, "", name)
        return await to_thread(staff_page, request, sent.who, None, link, name)

    def account_page(
        request: Request,
        who: Member,
        admin_id: int,
        errors: Faults | None = None,
        link: str = "",
    ) -> Response:
        account = flow.find_account(rt, admin_id, desk.seen)

        def load(session: Session) -> dict[str, Any]:
            wanted = flow.acts_of(session, account["name"])
            paging = paging_of(request, staff_store.count_audit(session, wanted), PAGE_SIZE)
            rows = staff_store.list_audit(
                session, wanted=wanted, limit=paging.size, offset=paging.offset
            )
            return {
                "rows": rows,
                "targets": targets_of(session, rows, who.role),
                "paging": paging,
                "before": wanted.by[1:],
            }

        context = rt.db.read(load) | {
            "account": account,
            "sessions": flow.list_sessions(rt, admin_id=admin_id, seen=desk.seen),
            "roles": [(role, role) for role in ROLES],
            "changes": acts.changes,
            "link_made": link,
            "address_of_page": lambda number: address_of_page(request, number),
        }
        return desk.answer(request, "member.html", context, who=who, errors=errors)

    @routes.get("/staff/{admin_id}")
    def one(request: Request, admin_id: RowNumber) -> Response:
        return account_page(request, desk.member(request, "owner"), admin_id)

    @routes.post("/staff/{admin_id}")
    async def change(request: Request, admin_id: RowNumber) -> Response:
        sent = await desk.sent(request, "owner")
        account = await to_thread(flow.find_account, rt, admin_id)
        try:
            link = await to_thread(_change, desk, sent, account)
        except NoSuchAccountError:
            raise
        except PaperpostError as error:
            faults = fault_of(error, ("role", "new", "email", "session"), "name")
            return await to_thread(account_page, request, sent.who, admin_id, faults)
        if link:
            return await to_thread(account_page, request, sent.who, admin_id, None, link)
        return desk.go(f"staff/{admin_id}", _AFTER.get(sent.form.raw("act"), "saved"))


_AFTER = {"end": "ended", "session": "sessions", "sessions": "sessions"}
"""What is told after an act on an account, where it is not that it was saved."""


def _text_of(one: dict[str, Any]) -> str:
    """What the list's filter looks in."""
    return f"{one['name']} {one['role']} {one['state']} {one['email']}"


def _change(desk: Desk, sent: Sent, account: dict[str, Any]) -> str:
    """Do what a button of an account's page says; the link, where one was made."""
    rt, form, by, address = desk.rt, sent.form, sent.who.name, sent.address
    name, keep = account["name"], sent.who.session
    acts: dict[str, Callable[[], Any]] = {
        "role": lambda: flow.change_role(rt, name, form.raw("role"), by, address),
        "rename": lambda: flow.rename(rt, name, form.text("new", most=120), by, address),
        "email": lambda: flow.set_email(rt, name, form.text("email", most=254), by, address),
        "end": lambda: staff.disable(rt, name, by, address),
        "session": lambda: _end_one(desk, sent),
        "sessions": lambda: flow.end_sessions(rt, name, by, address, keep=keep),
        "link": lambda: staff.create_admin(rt, name, account["role"], by, address),
    }
    act = form.raw("act")
    if act not in acts:
        raise StaffError("This is no act of this page.", "name", "Press one of its buttons.")
    made = acts[act]()
    return str(made) if act == "link" else ""


def _change_own(desk: Desk, sent: Sent) -> str:
    """Do what a button of one's own page says; which sentence follows."""
    rt, form, who, address = desk.rt, sent.form, sent.who, sent.address
    match form.raw("act"):
        case "password":
            new = form.raw("password")
            if new != form.raw("again"):
                raise StaffError("The two passwords differ.", "again", "Type the same twice.")
            staff.change_password(rt, who, form.raw("old"), new, address=address)
            return "changed"
        case "email":
            flow.set_email(rt, who.name, form.text("email", most=254), who.name, address)
            return "saved"
        case "others":
            flow.end_sessions(rt, who.name, who.name, address, keep=who.session)
        case "session":  # one's own alone, also for an owner: others' end where others are listed
            flow.end_session(rt, _number(sent), Member(who.id, who.name, "viewer"), address)
        case _:
            raise StaffError("This is no act of this page.", "session", "Press one of its buttons.")
    return "sessions"


def _end_one(desk: Desk, sent: Sent) -> None:
    flow.end_session(desk.rt, _number(sent), sent.who, sent.address)


def _number(sent: Sent) -> int:
    text = sent.form.raw("session")
    return int(text) if text.isdecimal() and len(text) < 16 else 0
