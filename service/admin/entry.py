"""In and out: log-in, one-time link, log-out."""

from asyncio import to_thread

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from service.admin.compose import MOST_KEPT, came_back
from service.admin.desk import ENTRY, Desk, OldPageError, clear, safe_next
from service.flows import staff
from service.flows.passwords import PasswordError
from service.flows.tries import LoginError
from service.pages.forms import FieldError, Form, read_form
from service.pages.guard import FormTokens


def _checked(form: Form, tokens: FormTokens) -> None:
    if not tokens.check(ENTRY, "", form.raw("token")):
        raise OldPageError


def add_routes(routes: APIRouter, desk: Desk) -> None:
    """Add /admin/login, /admin/link/T and /admin/logout."""
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
        if desk.signed_in(request) is not None:
            return RedirectResponse(desk.here.admin(), 303)
        target = request.query_params.get("next", "")
        return shown(request, "login.html", name="", target=target)

    @routes.post("/login")
    async def log_in(request: Request) -> Response:
        form = await read_form(request, desk.pages.texts(request), most_bytes=MOST_KEPT)
        _checked(form, desk.tokens)
        name, target = form.text("name", most=120), form.raw("next")
        agent, password = request.headers.get("user-agent", ""), form.raw("password")
        device, address = desk.device.read(request, name), desk.address(request)
        try:
            token = await to_thread(
                lambda: staff.log_in(rt, name, password, address, agent, device=device)
            )
        except LoginError as error:
            fault = FieldError(error.what, "password", error.next_step)
            kept = form.raw("kept")
            return shown(request, "login.html", fault, 403, name=name, target=target, kept=kept)
        kept = await to_thread(came_back, desk, token, form)
        answer = RedirectResponse(kept or safe_next(target, desk.here.admin()), 303)
        desk.cookie.write(answer, token)
        if not device:
            desk.device.write(answer, name)
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
            except PasswordError as error:
                fault = FieldError(error.what, "password", error.next_step)
        if fault is not None:
            return shown(request, "link.html", fault, name=name, link_token=token)
        answer = desk.go("login", "password")
        desk.device.write(answer, name)
        return answer

    @routes.post("/logout")
    async def log_out(request: Request) -> Response:
        sent = await desk.sent(request, "viewer")
        await to_thread(staff.log_out, rt, sent.who, sent.address)
        return clear(desk.go("login", "out"), desk)
