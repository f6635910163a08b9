"""In and out: log-in, one-time link, log-out, a new password."""

from asyncio import to_thread

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from service.admin.desk import ENTRY, Desk, clear, fault_of, safe_next
from service.errors import PaperpostError
from service.flows import staff
from service.pages.forms import FieldError, Form, read_form
from service.pages.guard import FormTokens


def _checked(form: Form, tokens: FormTokens) -> None:
    if not tokens.check(ENTRY, "", form.raw("token")):
        raise HTTPException(403)


def add_routes(routes: APIRouter, desk: Desk) -> None:
    """Add /admin/login, /admin/link/T, /admin/logout, /admin/password."""
    rt = desk.rt

    def shown(
        request: Request,
        page: str,
        fault: FieldError | None = None,
        refused: int = 422,
        **more: str,
    ) -> Response:
        # the demo's data are not where the bare command looks
        place = f"PAPERPOST_DATA_DIR={rt.data_dir} " if desk.pages.site.banner() else ""
        command = f"{place}paperpost admin create NAME --role ROLE"
        context = {"entry_token": desk.tokens.make(ENTRY, ""), "command": command, **more}
        errors = {fault.where: fault} if fault else {}
        return desk.answer(request, page, context, errors=errors, refused=refused)

    @routes.get("/login")
    def login_page(request: Request) -> Response:
        if desk.sessions.signed_in(request) is not None:
            return RedirectResponse(desk.here.admin(), 303)
        target = request.query_params.get("next", "")
        return shown(request, "login.html", name="", target=target)

    @routes.post("/login")
    async def log_in(request: Request) -> Response:
        form = await read_form(request, desk.pages.texts(request))
        _checked(form, desk.tokens)
        name, target = form.text("name", most=120), form.raw("next")
        agent = request.headers.get("user-agent", "")
        try:
            token = await to_thread(
                staff.log_in, rt, name, form.raw("password"), desk.address(request), agent
            )
        except staff.LoginError as error:
            fault = FieldError(error.what, "password", error.next_step)
            return shown(request, "login.html", fault, 403, name=name, target=target)
        answer = RedirectResponse(safe_next(target, desk.here.admin()), 303)
        desk.cookie.write(answer, token)
        return answer

    @routes.get("/link/{token}")
    def link_page(request: Request, token: str) -> Response:
        name = staff.look_at_link(rt, token)
        return shown(request, "link.html", name=name, link_token=token)

    @routes.post("/link/{token}")
    async def redeem(request: Request, token: str) -> Response:
        form = await read_form(request, desk.pages.texts(request))
        _checked(form, desk.tokens)
        name = await to_thread(staff.look_at_link, rt, token)
        fault: FieldError | None = None
        if form.raw("password") != form.raw("again"):
            fault = FieldError("The two passwords differ.", "again", "Type the same twice.")
        else:
            try:
                await to_thread(
                    staff.redeem, rt, token, form.raw("password"), address=desk.address(request)
                )
            except staff.StaffError as error:
                fault = FieldError(error.what, "password", error.next_step)
        if fault is not None:
            return shown(request, "link.html", fault, name=name, link_token=token)
        return desk.go("login", "password")

    @routes.post("/logout")
    async def log_out(request: Request) -> Response:
        sent = await desk.sent(request, "viewer")
        await to_thread(staff.log_out, rt, sent.who.session)
        return clear(desk.go("login", "out"), desk)

    @routes.get("/password")
    def password_page(request: Request) -> Response:
        return desk.answer(request, "password.html", who=desk.member(request))

    @routes.post("/password")
    async def change_password(request: Request) -> Response:
        sent = await desk.sent(request, "viewer")
        form = sent.form
        errors = {}
        if form.raw("password") != form.raw("again"):
            errors["again"] = FieldError("The two passwords differ.", "again", "")
        else:
            try:
                await to_thread(
                    staff.change_password,
                    rt,
                    sent.who,
                    form.raw("old"),
                    form.raw("password"),
                    address=sent.address,
                )
            except PaperpostError as error:
                errors = fault_of(error, ("old", "password"), "password")
        if errors:
            return desk.answer(request, "password.html", who=sent.who, errors=errors)
        return desk.go("", "saved")
