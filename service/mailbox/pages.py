"""The pages of the development mailbox. GET only: nothing here changes anything."""

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response
from starlette.exceptions import HTTPException

from service.mailbox.folder import SEARCHED, Mailbox, ReceivedMail
from service.pages.frame import framed
from service.pages.paging import address_of_page, paging_of
from service.pages.templates import Pages

PAGE_SIZE = 50
_SHOWN = ("from", "to", "subject", "date", "list-id", "list-unsubscribe", "message-id")


def router(mailbox: Mailbox, pages: Pages) -> APIRouter:
    """Return the routes under /mailbox, for an application that ``pages.front`` furnished."""
    routes = APIRouter(include_in_schema=False)

    def found(mail_id: str) -> ReceivedMail:
        mail = mailbox.read(mail_id)
        if mail is None:
            raise HTTPException(404)
        return mail

    @routes.get("/mailbox")
    def mail_list(request: Request) -> Response:
        wanted = request.query_params.get("to", "").strip()[:254]
        total = mailbox.count()
        if wanted:
            heads = mailbox.search(wanted, limit=PAGE_SIZE)
            paging = paging_of(request, len(heads), PAGE_SIZE)
        else:
            paging = paging_of(request, total, PAGE_SIZE)
            heads = mailbox.heads(limit=PAGE_SIZE, offset=paging.offset)
        context = {
            "heads": heads,
            "wanted": wanted,
            "total": total,
            "searched": SEARCHED,
            "paging": paging,
            "address_of_page": lambda number: address_of_page(request, number),
        }
        return pages.answer(request, "mailbox/list.html", context)

    @routes.get("/mailbox/{mail_id}")
    def mail_page(request: Request, mail_id: str) -> Response:
        mail = found(mail_id)
        shown = [(name, value) for name, value in mail.headers if name.lower() in _SHOWN]
        return pages.answer(request, "mailbox/mail.html", {"mail": mail, "headers": shown})

    @routes.get("/mailbox/{mail_id}/html")
    def mail_html(mail_id: str) -> Response:
        mail = found(mail_id)
        if not mail.html:
            raise HTTPException(404)
        return framed(mail.html)

    @routes.get("/mailbox/{mail_id}/text")
    def mail_text(mail_id: str) -> Response:
        mail = found(mail_id)
        if not mail.text:
            raise HTTPException(404)
        return PlainTextResponse(mail.text)

    @routes.get("/mailbox/{mail_id}/source")
    def mail_source(mail_id: str) -> Response:
        # byte for byte: what the relay would have had
        return Response(found(mail_id).source, media_type="text/plain; charset=utf-8")

    return routes
