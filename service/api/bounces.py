"""What came back, for programs: reports, one mail that came in, rates. Each asks for a token with
its scope."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from service.api import shapes
from service.api.callers import caller_of, place_of
from service.api.exports import EXPORTED, no_key
from service.api.values import Day
from service.flows import bounces
from service.flows.bounce_lists import export as export_reports
from service.flows.bounce_lists import read_filter, read_rates
from service.flows.bounces import Filter
from service.flows.exports import Form
from service.flows.runtime import Runtime
from service.flows.tokens import Caller
from service.pages.downloads import download
from service.pages.forms import RowNumber
from service.pages.network import Proxies
from service.reports.model import Kind
from service.store.db import Session
from service.subscribers.cadence import local_date

_Text = Annotated[str, Query(max_length=254)]
_Word = Annotated[str, Field(max_length=254)]
_State = Literal["done", "review", "foreign"]
_Sort = Literal[
    "at", "-at", "address", "-address", "kind", "-kind", "reason", "-reason",
]  # fmt: skip


class Export(BaseModel):
    """Which reports, as the list takes them; empty: all."""

    model_config = ConfigDict(extra="forbid")
    kind: Kind | None = None
    reason: _Word = ""
    domain: _Word = ""
    state: _State | None = None
    address: _Word = ""
    since: Day | None = None
    until: Day | None = None
    format: Form = "csv"


class Decision(BaseModel):
    """What a mail that came in means."""

    model_config = ConfigDict(extra="forbid")
    kind: Kind


def add_routes(routes: APIRouter, rt: Runtime, proxies: Proxies = ()) -> None:
    """Add /api/v1/bounces."""

    Reader = Annotated[Caller, Depends(caller_of(rt, "deliveries:read"))]
    Sender = Annotated[Caller, Depends(caller_of(rt, "deliveries:send"))]
    Place = Annotated[str, Depends(place_of(proxies))]

    def chosen(
        kind: Kind | None = None,
        reason: _Text = "",
        domain: _Text = "",
        state: _State | None = None,
        address: _Text = "",
        since: Day | None = None,
        until: Day | None = None,
    ) -> Filter:
        return read_filter(
            kind=kind or "", reason=reason, domain=domain, state=state or "", address=address,
            first=since, last=until, zone=rt.zone,
        )  # fmt: skip

    Wanted = Annotated[Filter, Depends(chosen)]

    @routes.get("/v1/bounces", response_model=shapes.Reports)
    def some_reports(
        _who: Reader,
        wanted: Wanted,
        sort: _Sort = "-at",
        offset: Annotated[int, Query(ge=0, le=2**53)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> dict[str, Any]:
        """Reports, newest first, one a recipient. state: of the mail they stood in (review: a
        person is to look at it, foreign: nothing in it is ours) · since, until: days on which they
        came in · address: a part of it · said: what followed. Scope: deliveries:read."""

        def load(session: Session) -> dict[str, Any]:
            total = bounces.count_reports(session, wanted)
            rows = bounces.list_reports(session, wanted, limit=limit, offset=offset, sort=sort)
            return {"total": total, "offset": offset, "bounces": rows}

        return rt.db.read(load)

    @routes.post(
        "/v1/bounces/export",
        response_class=StreamingResponse,
        responses=EXPORTED,
        dependencies=[Depends(no_key)],
    )
    def export(who: Reader, place: Place, which: Export) -> StreamingResponse:
        """All reports that are chosen, in one stream, the newest first, as a table (csv) or as an
        array of the objects of the list (json). It is recorded, and takes no Idempotency-Key.
        Scope: deliveries:read."""
        wanted = chosen(**which.model_dump(exclude={"format"}))
        parts = export_reports(rt, wanted, which.format, by=who.signature, address=place)
        return download(parts, f"bounces.{which.format}")

    @routes.get("/v1/bounces/rates", response_model=shapes.Rates)
    def some_rates(
        _who: Reader,
        domain: _Text = "",
        days: Annotated[int, Query(ge=1, le=400)] = 30,
    ) -> dict[str, Any]:
        """What came back of what was handed over, in the last days: all, by day, by domain, with
        shares in percent and which of the providers' ``limits`` are passed (``above``). Scope:
        deliveries:read."""
        today = local_date(rt.clock(), rt.zone)
        first = today - timedelta(days=days - 1)
        return read_rates(rt, first, today, domain=domain).as_dict()

    @routes.get("/v1/bounces/{inbound_id}", response_model=shapes.MailIn)
    def one_mail(_who: Reader, inbound_id: RowNumber) -> dict[str, Any]:
        """One mail that came in: what we understood of each recipient, whose it is, what followed.
        The mail itself is for people alone. Scope: deliveries:read."""
        found = rt.db.read(lambda s: bounces.get_inbound(s, inbound_id))
        return {name: value for name, value in found.items() if name != "raw"}

    @routes.post("/v1/bounces/{inbound_id}/decide", response_model=shapes.MailIn)
    def decide(who: Sender, place: Place, inbound_id: RowNumber, said: Decision) -> dict[str, Any]:
        """Say what a mail means that was not understood. What follows from it is done, and the mail
        is kept as a sample for the rules. Scope: deliveries:send; what the mail says and to whom,
        only for tokens that may look at deliveries."""
        made = bounces.decide(rt, inbound_id, said.kind, by=who.signature, address=place)
        told = {name: value for name, value in made.items() if name != "raw"}
        return told if who.may("deliveries:read") else _without_words(told)


def _without_words(told: dict[str, Any]) -> dict[str, Any]:
    """The scope to send is not the one to look."""
    reports = [{**one, "recipient": "", "words": ""} for one in told["reports"]]
    return {**told, "sender": "", "subject": "", "reports": reports}
