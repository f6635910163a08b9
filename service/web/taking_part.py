"""What a reader adds: votes for papers of the daily page, and papers that they propose.

Both ask for a link that was mailed on request: the link of a mail may be forwarded with it.
"""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from service.delivery.i18n import Texts
from service.errors import Sentence
from service.flows import proposals, votes
from service.flows.browse import PAGE_SIZE
from service.flows.manage import ManageError
from service.flows.proposals import ProposalError
from service.pages.forms import Form
from service.pages.paging import address_of_page, paging_of
from service.subscribers.tokens import TokenError
from service.web.door import Door, faults_of
from service.web.papers import read_date
from service.web.settings_shown import Trouble, ended, shown_page

_STATES = {
    "waiting": Sentence("the editors have yet to decide"),
    "accepted": Sentence("accepted"),
    "declined": Sentence("not taken"),
}


def add_routes(routes: APIRouter, door: Door) -> None:
    """Add ``/manage/T/votes`` and ``/manage/T/propose``."""

    def of_reader(
        request: Request, token: str, is_on: bool, answer: Callable[[], Response]
    ) -> Response:
        if not is_on:
            raise HTTPException(404)
        try:
            return answer()
        except TokenError as error:
            return ended(door, request, token, error)
        except ManageError as error:
            faults, _offers = faults_of({"stale": error}, door.texts(request))
            trouble = Trouble(part="stale", faults=faults)
            return shown_page(door, request, token, trouble, status=403)

    def votes_are_on() -> bool:
        return door.rt.defaults().votes == "on"

    def proposals_are_on() -> bool:
        return door.rt.defaults().proposals == "on"

    @routes.get("/manage/{token}/votes")
    def ballot(request: Request, token: str) -> Response:
        return of_reader(request, token, votes_are_on(), lambda: _ballot(door, request, token))

    @routes.post("/manage/{token}/votes")
    def vote(request: Request, token: str, form: Annotated[Form, Depends(door.form)]) -> Response:
        def answer() -> Response:
            scheme, _, value = form.raw("paper").partition("/")
            votes.vote(door.rt, token, scheme, value, is_for=form.raw("act") != "back")
            query = {"on": form.raw("on")[:10], "page": form.raw("page")[:6]}
            there = [f"{name}={text}" for name, text in query.items() if _is_plain(text)]
            own = door.pages.links.here.manage(token)
            # where the press was, so that the list does not jump
            return RedirectResponse(f"{own}/votes?{'&'.join(there)}#{_anchor(scheme, value)}", 303)

        return of_reader(request, token, votes_are_on(), answer)

    @routes.get("/manage/{token}/propose")
    def propose_page(request: Request, token: str) -> Response:
        def answer() -> Response:
            return _propose(door, request, token)

        return of_reader(request, token, proposals_are_on(), answer)

    @routes.post("/manage/{token}/propose")
    def propose(
        request: Request, token: str, form: Annotated[Form, Depends(door.form)]
    ) -> Response:
        def answer() -> Response:
            typed = {name: form.raw(name) for name in ("link", "words", "name")}
            try:
                proposals.propose(door.rt, token, **typed)
            except ProposalError as error:
                return _propose(door, request, token, typed, error)
            own = door.pages.links.here.manage(token)
            return RedirectResponse(f"{own}/propose?said=proposed", 303)

        return of_reader(request, token, proposals_are_on(), answer)


def _is_plain(text: str) -> bool:
    return bool(text) and all(sign.isdecimal() or sign == "-" for sign in text)


def _anchor(scheme: str, value: str) -> str:
    kept = (sign if sign.isalnum() or sign in ".-" else "-" for sign in f"{scheme}-{value}")
    return "paper-" + "".join(kept)


def _ballot(door: Door, request: Request, token: str) -> Response:
    on = read_date(request.query_params.get("on", ""))
    offset = paging_of(request, 100_000, PAGE_SIZE).offset
    found = votes.read_ballot(door.rt, token, on, offset, PAGE_SIZE)
    paging = paging_of(request, found.total, PAGE_SIZE)
    if paging.is_beyond:
        raise HTTPException(404)
    rows = [
        {
            "entry": entry,
            "name": f"{one.paper.key.scheme}/{one.paper.key.value}",
            "anchor": _anchor(one.paper.key.scheme, one.paper.key.value),
            "is_mine": one.paper.id in found.voted,
        }
        for one, entry in zip(found.papers, door.entries(found.papers), strict=True)
    ]
    context = {
        "here": door.pages.links.here.manage(token),
        "ballot": found,
        "rows": rows,
        "paging": paging,
        "address_of_page": lambda number: address_of_page(request, number),
        "mine": sum(1 for row in rows if row["is_mine"]),
        "today": door.today(),
    }
    return door.answer(request, "reader/votes.html", context)


def _propose(
    door: Door,
    request: Request,
    token: str,
    typed: dict[str, str] | None = None,
    error: ProposalError | None = None,
) -> Response:
    texts = door.texts(request)
    own = proposals.own_proposals(door.rt, token)
    faults = faults_of({error.where: error}, texts)[0] if error is not None else {}
    there = error.here if error is not None else None
    context = {
        "here": door.pages.links.here.manage(token),
        "own": [(one, _said(one.state, texts)) for one in own],
        "typed": typed or {"link": "", "words": "", "name": own[0].name if own else ""},
        "errors": faults,
        "there": door.pages.links.here.paper(*there) if there else "",
        "said": request.query_params.get("said") == "proposed" and error is None,
        "most": door.rt.defaults().proposals_a_day,
        "longest": proposals.LONGEST_WORDS,
        "today": door.today(),
    }
    return door.answer(request, "reader/propose.html", context, status=422 if error else 200)


def _said(state: str, texts: Texts) -> str:
    return texts.said(_STATES[state])
