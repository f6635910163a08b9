"""The pages of the development mailbox. GET only: nothing here changes anything."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Request
from fastapi.responses import PlainTextResponse, Response
from starlette.exceptions import HTTPException

from service.errors import Sentence, SpokenError
from service.mailbox.folder import SEARCHED, Mailbox, ReceivedMail
from service.pages.frame import framed
from service.pages.paging import address_of_page, paging_of
from service.pages.templates import Pages

PAGE_SIZE = 50
_SHOWN = ("from", "to", "subject", "date", "list-id", "list-unsubscribe", "message-id")


class HostError(SpokenError):
    """The mailbox was asked for under a name that is not ours."""


def is_our_host(host: str, base_url: str) -> bool:
    """Whether a Host header names this machine: an address, localhost, or the public address.

    Any other name may be a strange site's, turned to us so that its script can read the links in
    mails (DNS rebinding); an address cannot be turned.
    """
    try:
        name = urlsplit(f"//{host}").hostname or ""
        if name in ("localhost", urlsplit(base_url).hostname):
            return True
        ip_address(name)
    except ValueError:
        return False
    return True


def router(mailbox: Mailbox, pages: Pages) -> APIRouter:
    """Return the routes under /mailbox, for an application that ``pages.front`` furnished."""

    def check_host(request: Request) -> None:
        base_url = pages.site.base_url
        if not is_our_host(request.headers.get("host", ""), base_url):
            what = Sentence("The mailbox is shown under the name of this service alone.")
            url = f"{base_url.rstrip('/')}/mailbox"
            raise HostError(what, "", Sentence("Open %(url)s.", url=url))

    routes = APIRouter(include_in_schema=False, dependencies=[Depends(check_host)])

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
