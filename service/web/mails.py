"""A mail in the browser, and what became of every day."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from service.delivery.i18n import Texts
from service.errors import Sentence
from service.flows import view
from service.flows.became import what_became
from service.flows.browse import NotHereError
from service.flows.letter import SHOWN, share_name
from service.flows.mail_days import PAGE_SIZE, History, read_history
from service.flows.manage import open_manage
from service.flows.view import GoneMailError, read_mail
from service.pages.frame import alone
from service.pages.paging import address_of_page, paging_of
from service.pages.references import FILES, reference_file
from service.subscribers.cadence import local_date
from service.subscribers.tokens import TokenError
from service.web.door import Door
from service.web.why import read_asked


def add_routes(routes: APIRouter, door: Door) -> None:
    """Add ``/d/T``, its files for bibliographies, and ``/history/T``.

    T is a mail's share name in the first and its random token in the last, which also takes the
    token of a manage link.
    """

    @routes.get("/d/{token}")
    def in_browser(request: Request, token: str) -> Response:
        try:
            row = view.find_view(door.rt, token)
        except NotHereError as error:
            return not_here(door, request, error)
        name = share_name(row)
        if name != token:  # what is shared out of the address bar opens no page of the reader
            return RedirectResponse(door.pages.links.here.digest(name), 302)
        return alone(view.show(door.rt, row))

    @routes.get("/d/{token}/papers.{kind}")
    def bibliography(request: Request, token: str, kind: str) -> Response:
        if kind not in FILES:
            raise HTTPException(404)
        try:
            cited = view.papers_of(door.rt, view.find_view(door.rt, token))
        except NotHereError as error:
            return not_here(door, request, error)
        on = cited.digest.on.isoformat()
        return reference_file(kind, cited.papers, f"papers-{on}", missing=cited.missing)

    @routes.get("/history/{token}")
    def history(request: Request, token: str) -> Response:
        texts = door.texts(request)
        only = request.query_params.get("only") == "mails"
        try:
            reader_id = reader_of(door, token)
            found = read_history(door.rt, reader_id, limit=PAGE_SIZE, only_mails=only)
            paging = paging_of(request, found.total, PAGE_SIZE)
            if paging.offset:
                found = read_history(
                    door.rt, reader_id, offset=paging.offset, limit=PAGE_SIZE, only_mails=only
                )
            asked = read_asked(door, request, reader_id)
        except NotHereError as error:
            return not_here(door, request, error)
        errors = asked.errors or {}
        context = {
            "here": door.pages.links.here.history(token),
            "settings": _settings(door, token),
            "days": [(one, what_became(one, texts)) for one in found.days],
            "only": only,
            "had_any": found.had_any,
            "next_words": _next_words(door, found, texts),
            "paused_until": found.paused_until,
            "keep": door.rt.defaults().keep_digest_days,
            "today": door.today(),
            "paging": paging,
            "address_of_page": lambda number: address_of_page(request, number),
            "asked": asked,
            "errors": errors,
        }
        return door.answer(request, "reader/history.html", context, status=422 if errors else 200)


def not_here(door: Door, request: Request, error: NotHereError) -> Response:
    """The page for a mail or paper that is not there, or no more, or was a test."""
    if request.path_params["token"] == SHOWN:
        return door.of_a_test(request)
    texts = door.texts(request)
    lines = [texts.said(error.next_step)] if error.next_step else []
    papers = (door.pages.links.here.papers(), texts.gettext("Today's papers"))
    status = 410 if isinstance(error, GoneMailError) else 404
    return door.say(request, texts.said(error.what), *lines, link=papers, status=status)


def _settings(door: Door, token: str) -> str:
    """The reader's own page, where the token opens it; else where a link to it is asked for."""
    try:
        open_manage(door.rt, token)
    except TokenError:
        return door.pages.links.here.manage()
    return door.pages.links.here.manage(token)


def reader_of(door: Door, token: str) -> int:
    """Whose history a token opens: a mail's own, or that of a manage link. Raises NotHereError."""
    try:
        mail = read_mail(door.rt, token)
        if mail.row.subscriber_id is not None:
            return mail.row.subscriber_id
    except NotHereError:
        pass  # no mail's token: perhaps a manage link's
    try:
        reader = open_manage(door.rt, token).reader
    except TokenError:
        raise NotHereError(
            Sentence("There is no history at this address."),
            "",
            Sentence("Your own page leads to it; a link may have been cut."),
        ) from None
    assert reader.id is not None
    return reader.id


def _next_words(door: Door, found: History, texts: Texts) -> str:
    """When the next mail comes; said in full for somebody who has had none."""
    if found.state == "bounced":
        return texts.gettext("Your mail server refuses our mail, so none is sent.")
    if found.next_at is None:
        return ""
    there = found.next_at.astimezone(door.clock_in(found.zone).tzinfo)
    today = local_date(door.rt.clock(), found.zone)
    day = texts.day(there.date())
    days = (there.date() - today).days
    if days <= 1:
        day = texts.gettext("tomorrow") if days == 1 else texts.gettext("today")
    first = not found.had_any
    time = texts.hour(there.hour, there.minute)
    if found.paused_until is not None:
        until = texts.long_day(found.paused_until)
        return texts.gettext(
            "You paused until %(date)s; the next mail is due %(day)s at %(time)s.",
            date=until, day=day, time=time,
        )  # fmt: skip
    if first:
        return texts.gettext("Your first mail comes %(day)s at %(time)s.", day=day, time=time)
    return texts.gettext("Next: %(day)s at %(time)s.", day=day, time=time)
