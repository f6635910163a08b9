"""What every page for the staff has at hand: the house, the templates, who asks, and the guard."""

from asyncio import to_thread
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from service.delivery.links import is_relative
from service.errors import PaperpostError, SpokenError
from service.flows import staff
from service.flows.accounts import refusal
from service.flows.runtime import Runtime
from service.flows.staff import Member
from service.pages.forms import UPLOAD_BYTES, FieldError, Form, SeveralError, read_form
from service.pages.guard import FormTokens
from service.pages.network import Proxies, client_of, forwarded_of
from service.pages.sessions import DeviceCookie, SessionCookie, Sessions, SignedIn
from service.pages.templates import Pages
from service.pages.uploads import LargeFile, read_large

ENTRY = "admin-entry"
"""Purpose of the form tokens of pages that are shown before anybody is logged in."""

SAID: Mapping[str, str] = {
    "saved": "Saved.",
    "released": "Released: the day's digests go at each reader's hour.",
    "accepted": "Accepted: it stands on its day's page and is mailed as new.",
    "declined": "Declined.",
    "called": "It is called within seconds; load the page again to see the answer.",
    "added": "Added.",
    "again": "The confirmation goes out once more.",
    "there": "This source was here already; nothing was changed.",
    "removed": "Removed.",
    "restored": "It is back, with its address, words and chosen papers.",
    "paused": "Paused.",
    "resumed": "Resumed.",
    "cancelled": "Cancelled; what was not sent stays unsent.",
    "undone": "Taken back; nothing was sent.",
    "done_erase": "They are erased.",
    "list_in": "The list is brought in.",
    "list_stopped": "Stopped.",
    "list_under_way": "The list is being brought in; this page says how far it is.",
    "undo_under_way": "The import is being undone; this page says how far it is.",
    "left": "This reader is unsubscribed.",
    "erased": "The reader is erased.",
    "password": "The password is set. Log in with it.",  # nosec B105: words about one, not one
    "changed": "The password is changed; your other sessions have ended.",
    "sessions": "Ended: the next click there asks for the password.",
    "ended": "The account is ended: it logs in nowhere. A new one-time link brings it back.",
    "out": "You are logged out.",
    "over": "The alarm is over. What rests goes on resting, a paused edition stays paused.",
    "tried": "One mail goes now. Taken, the others follow; refused, the rest begins anew, longer.",
    "next_tries": "No mail waits for it now: the next one that is due is the try.",
    "decided": "Decided.",
    "held_accepted": "Decided: counted as accepted, and the papers as sent.",
    "held_presumed": "Decided: not sent again; the papers ride in the next mail.",
    "held_ready": "Decided: sent again.",
    "rest": "The rest is on its way.",
    "moved": "Moved: the same mails to the same readers, at the time below.",
    "nothing": "Nothing could be sent again.",
    "resent": "These are sent again.",
    "begun": "This send was begun before: here it is.",
    "both": "This draft was changed elsewhere meanwhile. Both are kept: this one is yours.",
    "counting": "It is being counted; reload in a while.",
    "asked": "It is asked as soon as the pace of its server allows.",
    "hidden": "The paper is hidden everywhere.",
    "shown": "The paper is shown again.",
    "joined": "The two are one paper now.",
    "parted": "They are two papers again.",
    "fetched": "arXiv was asked again; what it knows better is taken.",
    "same": "arXiv was asked again and says the same.",
}


@dataclass(frozen=True, slots=True)
class Sent:
    """A form of somebody who is logged in and may do this."""

    who: Member
    form: Form
    address: str


class OldPageError(PaperpostError):
    """A form that was not shown in this session."""

    def __init__(self) -> None:
        super().__init__(
            "This page is too old, or was shown in another session.",
            "",
            "Nothing was changed. Open the page anew and press its button again.",
        )


class Faults(dict[str, FieldError | None]):
    """Faults by field; a field without one has None (templates ask for any)."""

    def __missing__(self, key: str) -> None:
        return None


class Desk:
    """One for the whole router."""

    def __init__(self, rt: Runtime, pages: Pages, proxies: Proxies = ()) -> None:
        self.rt = rt
        self.pages = pages
        self.here = pages.links.here
        self.tokens = FormTokens(rt.signer.keys)
        is_https = pages.site.base_url.startswith("https:")
        self.cookie = SessionCookie(https=is_https)
        self.device = DeviceCookie(self.tokens, https=is_https)
        self.sessions: Sessions[Member] = Sessions(self.cookie, self.tokens, self._find_session)
        self.seen: dict[str, datetime] = {}
        self._proxies = proxies

    def _find_session(self, key: str) -> Member | None:
        found = staff.find_session(self.rt, key, seen=self.seen.get(key))
        if found is None:
            self.seen.pop(key, None)
        return found

    def signed_in(self, request: Request) -> SignedIn[Member] | None:
        """Who asks, None for a stranger. Who looks at a page is not idle; that is remembered here,
        since a GET writes nothing. A page that asks again by itself is nobody who looks."""
        found = self.sessions.signed_in(request)
        is_by_itself = request.method == "GET" and "hx-request" in request.headers
        if found is not None and not is_by_itself:
            self.seen[found.hash] = self.rt.clock()
        return found

    def address(self, request: Request) -> str:
        """Who asks, for the caps on log-ins and for the record of acts."""
        peer = request.client.host if request.client else ""
        return client_of(peer, forwarded_of(request.headers), self._proxies)

    def member(self, request: Request, role: str = "viewer", back: str = "") -> Member:
        """Who asks. Strangers are led to the log-in, and from it to ``back``, else to the page
        that they asked for. Raises RoleError for a smaller role."""
        found = self.signed_in(request)
        if found is None:
            target = request.url.path if request.method == "GET" else self.here.admin()
            if request.method == "GET" and request.url.query:
                target += f"?{request.url.query}"
            is_part = "hx-request" in request.headers
            if is_part:  # a part of a page cannot hold the log-in: the whole page goes there
                page = urlsplit(request.headers.get("hx-current-url", ""))
                target = page.path + (f"?{page.query}" if page.query else "")
            where = self.here.admin("login") + f"?next={quote(back or target, safe='/')}"
            name = "HX-Redirect" if is_part else "Location"
            raise HTTPException(401 if is_part else 303, headers={name: where})
        if not found.session.may(role):
            raise refusal(self.rt, found.session, role)
        return found.session

    async def sent(
        self, request: Request, role: str, *, most_bytes: int = 256 * 1024, back: str = ""
    ) -> Sent:
        """The form of a logged-in person, with this session's token in it. back: where a log-in
        leads that is needed first."""
        # the table is read in this thread: one row by its key
        who = self.member(request, role, back)
        form = await read_form(request, self.pages.texts(request), most_bytes=most_bytes)
        if not self.sessions.sent_by(SignedIn(who, who.session), form.raw("token")):
            raise OldPageError
        await to_thread(staff.touch_session, self.rt, who.session)
        return Sent(who, form, self.address(request))

    async def sent_files(
        self, request: Request, role: str, *, most_bytes: int
    ) -> tuple[Sent, dict[str, list[LargeFile]]]:
        """The same with files of any length, by field; a form without files may come as any."""
        if not request.headers.get("content-type", "").lower().startswith("multipart/"):
            return await self.sent(request, role, most_bytes=UPLOAD_BYTES), {}
        who = self.member(request, role)
        texts = self.pages.texts(request)
        form, files = await read_large(request, texts, most_bytes=most_bytes)
        if not self.sessions.sent_by(SignedIn(who, who.session), form.raw("token")):
            raise OldPageError
        await to_thread(staff.touch_session, self.rt, who.session)
        return Sent(who, form, self.address(request)), files

    async def typed(self, request: Request, names: Sequence[str]) -> dict[str, str]:
        """Some fields of a form whose sender nobody knows: to be shown again, never to act."""
        try:
            form = await read_form(request, self.pages.texts(request))
        except SpokenError:
            return {}
        return {name: form.raw(name)[:200] for name in names}

    def answer(
        self,
        request: Request,
        name: str,
        context: Mapping[str, Any] | None = None,
        *,
        who: Member | None = None,
        errors: Mapping[str, FieldError] | None = None,
        refused: int = 422,
    ) -> HTMLResponse:
        """Render ``templates/pages/admin/NAME``; it also sees who, token, errors, at and said.

        refused: the HTTP status where there are errors.
        """
        said = SAID.get(request.query_params.get("said", ""), "")
        values = {
            "who": who,
            "token": self.sessions.form_token(SignedIn(who, who.session)) if who else "",
            "errors": Faults(errors or {}),
            "at": self.at,
            "desk_zone": self.rt.zone,
            "near": self.today(),
            "name_of": self.name_of,
            "test_recipient": self.rt.test_recipient,
            "said": self.pages.texts(request).gettext(said) if said else "",
            **(context or {}),
        }
        status = refused if errors else 200
        return self.pages.answer(request, f"admin/{name}", values, status=status)

    def at(self, instant: datetime | str | None) -> str:
        """An instant on the installation's wall: "20 Nov 14:05", of another year with that."""
        if not instant:
            return ""
        moment = datetime.fromisoformat(instant) if isinstance(instant, str) else instant
        local = moment.astimezone(ZoneInfo(self.rt.zone))
        texts = self.pages.catalogs.texts("en")
        return f"{texts.short_day(local.date(), self.today())} {local:%H:%M}"

    def name_of(self, edition: Any) -> str:
        """What an edition is called: its title, else by its kind and day."""
        facts = edition if isinstance(edition, Mapping) else edition.model_dump()
        if facts["title"]:
            return str(facts["title"])
        if facts["kind"] == "digest":
            on = date.fromisoformat(facts["slot"])
            day = self.pages.catalogs.texts("en").day(on, self.today())
            return f"Digest of {day}"
        words = {"manual": "Chosen papers", "alert": "Alerts", "quiet": "Quiet mails"}
        name = words.get(facts["kind"], str(facts["kind"]).capitalize())
        return f"{name}, {self.at(facts['opened_at'])}"

    def go(self, path: str, said: str = "", **query: str | int | None) -> RedirectResponse:
        """To a page of the desk, after an act."""
        return RedirectResponse(self.here.admin(path, said=said or None, **query), 303)

    def today(self) -> date:
        """The installation's date."""
        return self.rt.clock().astimezone(ZoneInfo(self.rt.zone)).date()


def fault_at(field: str, error: PaperpostError) -> dict[str, FieldError]:
    """A refusal at a field."""
    return {field: FieldError(error.what, field, error.next_step)}


def fault_of(error: PaperpostError, fields: Sequence[str], default: str) -> dict[str, FieldError]:
    """Refusals at the fields they name, else at ``default``."""
    if isinstance(error, SeveralError):
        return {
            k: v for one in error.errors.values() for k, v in fault_of(one, fields, default).items()
        }
    return fault_at(error.where if error.where in fields else default, error)


def safe_next(target: str, fallback: str) -> str:
    """Where to go after the log-in: only to this site."""
    return target if is_relative(target) and "/admin" in target else fallback


def clear(response: Response, desk: Desk) -> Response:
    """Take the session cookie back."""
    desk.cookie.clear(response)
    return response
