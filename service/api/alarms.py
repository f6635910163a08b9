"""Alarms for programs: what is wrong until it is over. Each asks for a token with its scope."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from service.api import shapes
from service.api.callers import caller_of, place_of
from service.flows import alarms as flow
from service.flows.runtime import Runtime
from service.flows.tokens import Caller
from service.pages.forms import RowNumber
from service.pages.network import Proxies
from service.store import alarms as alarms_store


def add_routes(routes: APIRouter, rt: Runtime, proxies: Proxies = ()) -> None:
    """Add /api/v1/alarms."""
    Reader = Annotated[Caller, Depends(caller_of(rt, "deliveries:read"))]
    Sender = Annotated[Caller, Depends(caller_of(rt, "deliveries:send"))]
    Place = Annotated[str, Depends(place_of(proxies))]

    @routes.get("/v1/alarms", response_model=list[shapes.Alarm])
    def some_alarms(_who: Reader, every: bool = False) -> list[dict[str, Any]]:
        """Alarms that are not over, the oldest first: what, where, next_step, since. every: also
        those that are over. Scope: deliveries:read."""
        found = rt.db.read(alarms_store.list_all if every else alarms_store.list_open)
        return [flow.alarm_facts(row) for row in found]

    @routes.post("/v1/alarms/{alarm_id}/end", response_model=shapes.Alarm)
    def end(who: Sender, place: Place, alarm_id: RowNumber) -> dict[str, Any]:
        """Say that an alarm is over; it comes again when its cause does. Scope:
        deliveries:send."""
        return flow.alarm_facts(flow.end_by_hand(rt, alarm_id, by=who.signature, address=place))
