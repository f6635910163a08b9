"""Which database this is: asked when it was restored, moved or copied, before it sends again."""

from asyncio import to_thread

from fastapi import APIRouter, Request
from fastapi.responses import Response

from service.admin.desk import Desk, fault_at
from service.errors import PaperpostError
from service.flows import epoch
from service.flows.staff import Member
from service.pages.forms import FieldError


def add_routes(routes: APIRouter, desk: Desk) -> None:
    """Add /admin/instance."""
    rt = desk.rt

    def page(
        request: Request, who: Member, errors: dict[str, FieldError] | None = None
    ) -> Response:
        context = {"found": epoch.standing(rt).as_dict()}
        return desk.answer(request, "instance.html", context, who=who, errors=errors, refused=409)

    @routes.get("/instance")
    def instance(request: Request) -> Response:
        return page(request, desk.member(request))

    @routes.post("/instance")
    async def go_on(request: Request) -> Response:
        sent = await desk.sent(request, "owner")
        answer, who = sent.form.raw("answer"), sent.who.name
        try:
            await to_thread(epoch.go_on, rt, answer, who, sent.address)
        except PaperpostError as error:
            errors = fault_at("answer", error)
            return await to_thread(page, request, sent.who, errors)
        return desk.go("instance", "resumed")
