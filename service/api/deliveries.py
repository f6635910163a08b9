"""Deliveries for programs: lists by what became of them, one with every try, groups by meaning,
what limits them, and sending a group again. Each asks for a token with its scope."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, StrictBool

from service.api import desk_shapes, shapes
from service.api.callers import caller_of, place_of
from service.api.exports import EXPORTED, no_key
from service.api.values import Day
from service.delivery.meaning import Meaning
from service.flows import delivery_export, edition_lists, ledger, reconcile, resend, resolving
from service.flows.editions import list_groups
from service.flows.exports import Form
from service.flows.progress import watch
from service.flows.rest_try import try_one
from service.flows.runtime import Runtime
from service.flows.send_state import read_limits
from service.flows.tokens import Caller
from service.pages.downloads import download
from service.pages.forms import RowNumber
from service.pages.network import Proxies
from service.store import delivery_lists
from service.store import edition_lists as edition_rows
from service.store.db import Session
from service.store.delivery_lists import Chosen

_Number = Annotated[int | None, Query(ge=1, le=2**53)]
_Text = Annotated[str, Query(max_length=254)]
_Word = Annotated[str, Field(max_length=254)]
_State = Literal[
    "planned", "ready", "leased", "sending", "accepted", "deferred", "failed", "unknown",
    "presumed", "suppressed", "expired", "cancelled", "skipped", "held",
]  # fmt: skip
_Kind = Literal["digest", "alert", "manual", "newsletter", "quiet", "notice"]
_EditionState = Literal["open", "closing", "paused", "incomplete", "done", "cancelled"]
_Sort = Literal[
    "begun", "-begun", "name", "-name", "kind", "-kind", "state", "-state", "planned", "-planned"
]
_Order = Literal["oldest", "newest", "address", "domain", "state", "tries"]


class Try(BaseModel):
    """What rests. name: as ``GET /v1/deliveries/pace`` gives it: a receiving domain or its group,
    "*" for everything."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=254)


class Resend(BaseModel):
    """Which refused mails go again.

    edition: of this one · meaning, domain, ids: only these · mails: the number that is expected,
    as a dry run gave it · dry_run: count alone · key: the same one twice is one act, for a request
    that is repeated because its answer was lost.
    """

    model_config = ConfigDict(extra="forbid")
    edition: int = Field(ge=1, le=2**53, strict=True)
    meaning: str = Field(default="", max_length=16)
    domain: str = Field(default="", max_length=254)
    ids: list[Annotated[int, Field(ge=1, le=2**53, strict=True)]] = Field(
        default_factory=list, max_length=1000
    )
    mails: int | None = Field(default=None, ge=0, le=2**53, strict=True)
    dry_run: StrictBool = False
    key: str = Field(default="", max_length=60)


class Answer(BaseModel):
    """What became of a held mail: it came (accepted), nobody will know (presumed), or it did not
    come and is sent again (ready)."""

    model_config = ConfigDict(extra="forbid")
    answer: Literal["accepted", "presumed", "ready"]


class HeldAnswer(Answer):
    """What became of many held mails. edition, domain, meaning: only these · mails: the number that
    is expected, as a dry run gave it · dry_run: count alone."""

    edition: int | None = Field(default=None, ge=1, le=2**53, strict=True)
    domain: str = Field(default="", max_length=254)
    meaning: Meaning | Literal[""] = ""
    mails: int | None = Field(default=None, ge=0, le=2**53, strict=True)
    dry_run: StrictBool = False


class Export(BaseModel):
    """Which deliveries, as the list takes them; empty: all."""

    model_config = ConfigDict(extra="forbid")
    edition: int | None = Field(default=None, ge=1, le=2**53, strict=True)
    state: _State | None = None
    meaning: Meaning | None = None
    domain: _Word = ""
    since: Day | None = None
    until: Day | None = None
    address: _Word = ""
    words: _Word = ""
    format: Form = "csv"


def add_routes(routes: APIRouter, rt: Runtime, proxies: Proxies = ()) -> None:
    """Add /api/v1/editions and /api/v1/deliveries."""

    Reader = Annotated[Caller, Depends(caller_of(rt, "deliveries:read"))]
    Sender = Annotated[Caller, Depends(caller_of(rt, "deliveries:send"))]
    Place = Annotated[str, Depends(place_of(proxies))]

    def chosen(
        edition: _Number = None,
        state: _State | None = None,
        meaning: Meaning | None = None,
        domain: _Text = "",
        since: Day | None = None,
        until: Day | None = None,
        address: _Text = "",
        words: _Text = "",
    ) -> Chosen:
        return ledger.read_chosen(
            edition_id=edition, state=state or "", meaning=meaning or "", domain=domain,
            first=since, last=until, zone=rt.zone, address=address, words=words,
            dead=ledger.gone_owners(rt) if state == "held" else (),
        )  # fmt: skip

    Wanted = Annotated[Chosen, Depends(chosen)]

    @routes.get("/v1/editions", response_model=shapes.Editions)
    def all_editions(
        _who: Reader,
        kind: _Kind | None = None,
        state: _EditionState | None = None,
        since: Day | None = None,
        until: Day | None = None,
        words: _Text = "",
        notices: bool = False,
        sort: _Sort = "-begun",
        offset: Annotated[int, Query(ge=0, le=2**53)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> dict[str, Any]:
        """Sending occasions with their balance, a page at a time. since, until: days on which they
        were opened · words: a part of the title, the slot or who began it · notices: also editions
        of one mail. Scope: deliveries:read."""
        dead = ledger.gone_owners(rt)
        wanted = edition_lists.read_wanted(
            kind=kind or "", state=state or "", first=since, last=until, words=words,
            notices=notices, zone=rt.zone,
        )  # fmt: skip

        def load(session: Session) -> dict[str, Any]:
            rows = edition_lists.list_page(
                session, wanted, dead=dead, now=rt.clock(), sort=sort, limit=limit, offset=offset
            )
            total = edition_rows.count_found(session, wanted)
            return {"total": total, "offset": offset, "editions": rows}

        return rt.db.read(load)

    @routes.get("/v1/editions/{edition_id}", response_model=shapes.OneEdition)
    def one_edition(_who: Reader, edition_id: RowNumber) -> dict[str, Any]:
        """One edition: its balance, why there was no mail, what was refused. Scope:
        deliveries:read."""
        dead = ledger.gone_owners(rt)
        return rt.db.read(lambda s: watch(s, edition_id, dead=dead, now=rt.clock()))

    @routes.get("/v1/deliveries", response_model=shapes.Deliveries)
    def some_deliveries(
        _who: Reader,
        wanted: Wanted,
        order: _Order = "oldest",
        offset: Annotated[int, Query(ge=0, le=2**53)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> dict[str, Any]:
        """Deliveries, a page at a time. state: held = nobody can say whether it came · meaning:
        what a refusal was about · since, until: days on which they were planned · address, words:
        parts of the address, of the server's words. Scope: deliveries:read."""

        def load(session: Session) -> dict[str, Any]:
            total = delivery_lists.count_chosen(session, wanted)
            rows = ledger.list_facts(session, wanted, order=order, limit=limit, offset=offset)
            return {"total": total, "offset": offset, "deliveries": rows}

        return rt.db.read(load)

    @routes.post(
        "/v1/deliveries/export",
        response_class=StreamingResponse,
        responses=EXPORTED,
        dependencies=[Depends(no_key)],
    )
    def export(who: Reader, place: Place, which: Export) -> StreamingResponse:
        """All deliveries that are chosen, in one stream, the oldest first. As a table (csv) or as
        an array of the objects of the list (json). It is recorded, and takes no Idempotency-Key.
        Scope: deliveries:read."""
        wanted = chosen(**which.model_dump(exclude={"format"}))
        parts = delivery_export.export(rt, wanted, which.format, by=who.signature, address=place)
        return download(parts, f"deliveries.{which.format}")

    @routes.get("/v1/deliveries/groups", response_model=list[shapes.Group])
    def by_meaning(_who: Reader, wanted: Wanted) -> list[dict[str, Any]]:
        """What was refused, put off or left without an answer, by what it means, with counts,
        words, domains and examples; ``resend``: whether sending again makes sense, ``again``: for
        how many, ``done``: how many were sent again already. Scope: deliveries:read."""
        return [group.as_dict() for group in rt.db.read(lambda s: list_groups(s, wanted))]

    @routes.get("/v1/deliveries/pace", response_model=list[desk_shapes.Limited])
    def what_limits(_who: Reader) -> list[dict[str, Any]]:
        """What limits mails now: accounts and groups of receiving domains, with the mails they
        ``had`` of those that go at ``most``, how many ``at_once``, ``until`` when nothing goes,
        whether it ``rests`` after refusals, why, and how many mails wait for it. Scope:
        deliveries:read."""
        return [one.as_dict() for one in read_limits(rt)]

    @routes.post("/v1/deliveries/pace/try", response_model=desk_shapes.TriedRest)
    def try_now(who: Sender, place: Place, asked: Try) -> dict[str, Any]:
        """Let one mail go now to whoever rests, as the rest's end would: when it is taken the
        others follow, when it is refused the rest begins anew and is longer. ``until``: when the
        rest would have ended · ``waiting``: mails that may go now, one at a time. Scope:
        deliveries:send."""
        return try_one(rt, asked.name, by=who.signature, address=place).as_dict()

    @routes.get("/v1/deliveries/{delivery_id}", response_model=shapes.DeliveryStory)
    def one_delivery(_who: Reader, delivery_id: RowNumber) -> dict[str, Any]:
        """One delivery with every try and what the server said to it, and what came back of it.
        ``steps`` and ``story``: its whole way in words · ``ahead``: what happens to it next by
        itself · ``answers``: what may be said of it, while it is held. Scope: deliveries:read."""
        dead = ledger.gone_owners(rt)
        return rt.db.read(lambda s: ledger.delivery_story(rt, s, delivery_id, dead=dead))

    @routes.post("/v1/deliveries/resend", response_model=desk_shapes.Resent)
    def send_again(who: Sender, place: Place, asked: Resend) -> dict[str, Any]:
        """Send a group of refused mails again, as an edition of its own: first with ``dry_run``,
        then with the number of ``mails`` that it gave. Nobody gets a mail twice by it. Scope:
        deliveries:send."""
        wanted = resend.read_wanted(
            asked.edition, meaning=asked.meaning, domain=asked.domain, ids=asked.ids, key=asked.key
        )
        if asked.dry_run:
            return _without_addresses(resend.count(rt, wanted).as_dict())
        if asked.mails is None:
            raise resend.ResendError(
                "Nothing was sent: the number of mails was not confirmed.",
                "mails",
                "Ask with dry_run first, then give the number it tells.",
            )
        return resend.resend(rt, wanted, who.signature, place, expected=asked.mails)

    @routes.post("/v1/deliveries/resolve", response_model=shapes.HeldMany)
    def resolve_many(who: Sender, place: Place, said: HeldAnswer) -> dict[str, Any]:
        """Say what became of many held mails: first with ``dry_run``, then with the number of
        ``mails`` that it gave. Scope: deliveries:send."""
        wanted = ledger.read_chosen(
            edition_id=said.edition, meaning=said.meaning, domain=said.domain, zone=rt.zone
        )
        if said.dry_run:
            return resolving.count_held(rt, wanted, said.answer).as_dict()
        if said.mails is None:
            raise reconcile.ResolveError(
                "Nothing was done: the number of mails was not confirmed.",
                "mails",
                "Ask with dry_run first, then give the number it tells.",
            )
        return resolving.resolve_held(
            rt, wanted, said.answer, who.signature, place, expected=said.mails
        )

    @routes.post("/v1/deliveries/{delivery_id}/resolve", response_model=shapes.Settled)
    def resolve(who: Sender, place: Place, delivery_id: RowNumber, said: Answer) -> dict[str, Any]:
        """Say what became of a held mail. Scope: deliveries:send."""
        return reconcile.resolve(rt, delivery_id, said.answer, who.signature, place)


def _without_addresses(found: Mapping[str, Any]) -> dict[str, Any]:
    """The scope to send is not the one to look."""
    return {**found, "examples": [one["id"] for one in found["examples"]]}
