"""Words out of a paper that somebody likes: proposed with what each brings, ready to take over."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from service.delivery.i18n import Texts
from service.errors import PaperpostError, Sentence, SpokenError
from service.flows import manage
from service.flows.related import Liked, propose_words
from service.pages.forms import Form
from service.subscribers.tokens import TokenError
from service.web.door import Door, faults_of
from service.web.reading import said_rate
from service.web.settings_shown import ended

_LONGEST = 10_000
_MOST_TAKEN = 20
_TICK_ONE = Sentence("Tick at least one.")


@dataclass(frozen=True, slots=True)
class Word:
    """term · rate: "about 2 papers a week" · papers: in all days · is_taken: ticked at first."""

    term: str
    rate: str
    papers: int
    is_taken: bool


def add_routes(routes: APIRouter, door: Door) -> None:
    """Add ``/words`` and, for a reader, ``/manage/T/words``."""

    @routes.get("/words")
    def page(request: Request) -> Response:
        return _page(door, request, request.query_params.get("liked", ""), "")

    @routes.post("/words")
    def proposed(request: Request, form: Annotated[Form, Depends(door.form)]) -> Response:
        return _taken(door, request, form, "") or _page(door, request, form.raw("liked"), "", form)

    @routes.get("/manage/{token}/words")
    def own_page(request: Request, token: str) -> Response:
        return _known(door, request, token) or _page(
            door, request, request.query_params.get("liked", ""), token
        )

    @routes.post("/manage/{token}/words")
    def own_proposed(
        request: Request, token: str, form: Annotated[Form, Depends(door.form)]
    ) -> Response:
        unknown = _known(door, request, token)
        return unknown or _taken(door, request, form, token) or _page(
            door, request, form.raw("liked"), token, form
        )  # fmt: skip


def _known(door: Door, request: Request, token: str) -> Response | None:
    """The answer to a link that is nobody's or has ended; None where it is somebody's."""
    try:
        manage.open_manage(door.rt, token)
    except TokenError as error:
        return ended(door, request, token, error)
    return None


def _taken(door: Door, request: Request, form: Form, token: str) -> Response | None:
    """On to the form with the words that were ticked; None where nothing was taken."""
    if form.raw("act") != "take":
        return None
    words = [one.strip()[:200] for one in form.several("word")[:_MOST_TAKEN] if one.strip()]
    if not words:
        return None
    here, text = door.pages.links_of(request), ", ".join(words)
    if token:
        return RedirectResponse(here.to(f"/manage/{token}", interest="new", words=text), 303)
    return RedirectResponse(here.to("/", words=text), 303)


def _page(
    door: Door, request: Request, liked: str, token: str, sent: Form | None = None
) -> Response:
    """The page with the words of a text. sent: the form that asked; none of its words is ticked."""
    texts, links = door.texts(request), door.pages.links_of(request)
    liked = liked[:_LONGEST].replace("\r\n", "\n").strip()
    context: dict[str, object] = {
        "liked": liked,
        "errors": {},
        "found": None,
        "words": [],
        "action": links.to(f"/manage/{token}/words") if token else links.to("/words"),
    }
    status = 200
    if liked or sent is not None:
        try:
            found = propose_words(door.rt, liked)
        except PaperpostError as error:
            context["errors"], status = faults_of({"liked": error}, texts)[0], 422
        else:
            is_none = sent is not None and sent.raw("act") == "take" and bool(found.words)
            context |= {"found": found, "words": _words(found, texts, ticked=not is_none)}
            if is_none:
                none = SpokenError(Sentence("No word is ticked."), "word", _TICK_ONE)
                context["errors"], status = faults_of({"word": none}, texts)[0], 422
    return door.answer(request, "papers/words.html", context, status=status)


def _words(found: Liked, texts: Texts, *, ticked: bool) -> list[Word]:
    best = [one for one in found.words if one.is_phrase and one.is_central] or found.words[:3]
    return [
        Word(
            one.term,
            said_rate(one.per_day, one.papers, found.weekdays, texts),
            one.papers,
            ticked and one in best,
        )
        for one in found.words
    ]
