"""What every page for readers has at hand: the house, the templates, and who asks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, Response

from service.delivery.i18n import Texts
from service.digest import excerpt
from service.digest.model import Marked
from service.errors import PaperpostError
from service.flows import browse
from service.flows.relay import RelayWatch
from service.flows.runtime import Runtime
from service.flows.speak import language_behind
from service.flows.usual import day_is_usually_complete
from service.flows.voted import has_votes
from service.matching.parse import describe
from service.matching.query import Query, QueryError
from service.pages.entry import PaperEntry, entry_of
from service.pages.forms import FieldError, Form, UnreadableFormError, read_form
from service.pages.guard import FormTokens, SignUpCheck
from service.pages.language import speak
from service.pages.network import Proxies, client_of, forwarded_of
from service.pages.paging import Paging
from service.pages.templates import Pages
from service.subscribers.cadence import local_date
from service.subscribers.tokens import TokenError
from service.subscribers.zone import clock_of
from service.web.starts import Starts
from service.web.zones import zone_options

PASSAGE_CHARS = 240
USUAL_FOR = timedelta(minutes=10)
_LINKS = (
    ("/manage/address/", ("address",)),
    ("/manage/", ("manage",)),
    ("/history/", ("mail", "manage")),
    ("/tune/", ("mail",)),
    ("/u/", ("unsubscribe",)),
    ("/confirm/", ("confirm",)),
)
"""Pages behind a link with a token, and what the token may be."""
NOINDEX = {"X-Robots-Tag": "noindex, nofollow"}


@dataclass(frozen=True, slots=True)
class Offer:
    """What may be used instead: what to press, the text, and the field it belongs to."""

    label: str
    text: str
    field: str = "words"


class Door:
    """One for the whole router."""

    def __init__(self, rt: Runtime, pages: Pages, proxies: Proxies) -> None:
        self.rt = rt
        self.pages = pages
        self.check = SignUpCheck(FormTokens(rt.signer.keys))
        self.starts = Starts()
        self.relay = RelayWatch(rt)
        self._proxies = proxies
        self._usual: tuple[datetime, tuple[datetime, date] | None] | None = None

    def texts(self, request: Request) -> Texts:
        """The words of the reader's language."""
        return self.pages.texts(request)

    def speak(self, request: Request) -> None:
        """Answer in the language of the reader whom the link belongs to (a dependency)."""
        token = request.path_params.get("token")
        if token is None:
            return
        place = self.pages.place_of(request)
        for begins, purposes in _LINKS:
            if place.startswith(begins):
                found = (language_behind(self.rt, purpose, token) for purpose in purposes)
                speak(request, next(filter(None, found), ""))
                return

    def network(self, request: Request) -> str:
        """Where this comes from, for the consent record and for caps."""
        peer = request.client.host if request.client else ""
        return client_of(peer, forwarded_of(request.headers), self._proxies)

    @staticmethod
    def agent(request: Request) -> str:
        """The program that asks, for the consent record."""
        return request.headers.get("user-agent", "")[:300]

    async def form(self, request: Request) -> Form:
        """The form that was sent (a dependency, so that endpoints may be plain functions)."""
        form = await read_form(request, self.texts(request))
        request.state.typed = form.pairs()  # the page of a failure keeps it
        return form

    async def any_form(self, request: Request) -> Form:
        """The same where a bare POST without any form is as good as a pressed button."""
        try:
            return await read_form(request, self.texts(request))
        except UnreadableFormError:
            return Form({}, texts=self.texts(request))

    def answer(
        self,
        request: Request,
        name: str,
        context: Mapping[str, Any] | None = None,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> HTMLResponse:
        """Render ``templates/pages/NAME``."""
        return self.pages.answer(request, name, context, status=status, headers=headers)

    def say(
        self,
        request: Request,
        title: str,
        *lines: str,
        link: tuple[str, str] | None = None,
        status: int = 200,
    ) -> HTMLResponse:
        """One heading, a few sentences, and at most one link (address, words)."""
        context = {"title": title, "lines": lines, "onward": link}
        return self.answer(request, "said.html", context, status=status)

    def of_a_test(self, request: Request, *lines: str) -> Response:
        """What a link of a test mail opens: it works, and belongs to nobody. lines: more of it."""
        _ = self.texts(request).gettext
        return self.say(
            request,
            _("This was a test mail."),
            *(lines or (_("This link belongs to nobody here."),)),
        )

    def no_such_page(
        self, request: Request, paging: Paging, first: str, title: str = ""
    ) -> Response:
        """A later page of a list was asked for than it has. first: the address of page 1 · title:
        how many pages there are, where the list has a name."""
        texts = self.texts(request)
        _ = texts.gettext
        many = texts.ngettext(
            "This list has %(num)s page.", "This list has %(num)s pages.", paging.pages
        )
        begins = _("It begins on page 1.")
        return self.say(request, title or many, begins, link=(first, _("Go there")), status=404)

    def ended(self, request: Request, error: TokenError) -> Response:
        """A confirmation link (or the like) that is over, or never was one, or of a test mail."""
        if error.subject == 0:
            return self.of_a_test(request)
        texts = self.texts(request)
        _ = texts.gettext
        again = (self.pages.links.here.home(), _("Ask again"))
        if error.ended_at is None:
            return self.say(
                request,
                _("This link is not complete or was altered."),
                _("A link in a mail may have been cut: copy the whole of it."),
                link=again,
                status=404,
            )
        day = texts.long_day(local_date(error.ended_at, self.rt.zone))
        title = _("This link ended on %(date)s.", date=day)
        return self.say(request, title, _("Nothing was changed."), link=again, status=410)

    def entries(
        self,
        shown: "list[browse.Shown] | tuple[browse.Shown, ...]",
        request: Request | None = None,
    ) -> list[PaperEntry]:
        """Papers for the partial ``paper.html``; of an open page, told its request."""
        here = self.pages.links_of(request) if request else self.pages.links.here
        today = self.today()
        return [
            entry_of(
                one.paper,
                here,
                title=one.title,
                abstract=one.abstract,
                passage=_passage(one),
                here=one.here,
                submitted_by=one.submitted_by,
                author_takes_part=one.author_takes_part,
                place=one.place,
                near=today,
            )
            for one in shown
        ]

    def zones(self, chosen: str, texts: Texts) -> list[tuple[str, str]]:
        """Options of the zone field."""
        return zone_options(chosen, self.rt.clock(), texts)

    def has_votes(self) -> bool:
        """Whether the day's most-voted papers are offered here."""
        return self.rt.db.read(has_votes)

    def usually_complete(self, zone: str, texts: Texts) -> str:
        """When today's papers are usually complete on walls in ``zone``; "" without a habit.

        The ledger is asked every ten minutes at most: the form is opened by everybody.
        """
        now = self.rt.clock()
        if self._usual is None or abs(now - self._usual[0]) > USUAL_FOR:
            self._usual = (now, day_is_usually_complete(self.rt))
        if self._usual[1] is None:
            return ""
        at, on = self._usual[1]
        there = at.astimezone(clock_of(zone))
        time, _ = texts.hour(there.hour, there.minute), texts.gettext
        if there.date() < on:
            return _(
                "Today's papers are usually complete by %(time)s the evening before, your time.",
                time=time,
            )
        if there.date() > on:
            return _(
                "Today's papers are usually complete by %(time)s the next day, your time.",
                time=time,
            )
        return _("Today's papers are usually complete by %(time)s in your zone.", time=time)

    @staticmethod
    def hours(texts: Texts) -> list[tuple[str, str]]:
        """Options of the hour field: "08" -> "08:00"."""
        return [(f"{hour:02}", texts.hour(hour)) for hour in range(24)]

    def clock_in(self, zone: str) -> datetime:
        """The time on a wall in ``zone``."""
        return self.rt.clock().astimezone(clock_of(zone))

    def today(self) -> date:
        """The installation's date."""
        return local_date(self.rt.clock(), self.rt.zone)


def _passage(one: "browse.Shown") -> Marked:
    """Where the words stand in the abstract, for a paper whose title shows none of them."""
    if one.title.marks:
        return Marked("")
    return excerpt.passage(one.abstract.text, one.abstract.marks, PASSAGE_CHARS)


def spoken(query: Query, texts: Texts) -> str:
    """How a query is read, in one line: "Any of: LoRA · PEFT, without: survey"."""
    _ = texts.gettext
    if query.kind == "query":
        return query.shown
    line = describe(query)
    for lead, words in (
        ("Any of: ", _("Any of: ")),
        ("With: ", _("With: ")),
        ("By any of: ", _("By any of: ")),
        ("By: ", _("By: ")),
    ):
        if line.startswith(lead):
            line = words + line.removeprefix(lead)
            break
    head, found, tail = line.rpartition(", without: ")
    return head + _(", without: ") + tail if found else line


def faults_of(
    errors: Mapping[str, PaperpostError], texts: Texts
) -> tuple[dict[str, FieldError], list[Offer]]:
    """Faults by field as the templates show them, and texts that were probably meant."""
    faults = {
        field: FieldError(
            texts.said(error.what),
            field,
            texts.said(error.next_step),
            about_words=isinstance(error, QueryError),
            focus=number == 0,
        )
        for number, (field, error) in enumerate(errors.items())
    }
    offers = [
        Offer(_use(error.suggestion, texts), error.suggestion, field)
        for field, error in errors.items()
        if isinstance(error, QueryError) and error.suggestion
    ]
    return faults, offers


def _use(text: str, texts: Texts) -> str:
    """What stands on the button: several lines in one, told apart."""
    return texts.gettext("Use: %(words)s", words="; ".join(text.split("\n")))
