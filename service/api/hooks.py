"""Webhooks for programs: who is told of which events, and what became of each call."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from service.api.callers import ScopeError, caller_of, place_of
from service.api.once import SHOWN_ONCE
from service.api.values import Instant
from service.flows import hook_lists
from service.flows.runtime import Runtime
from service.flows.tokens import Caller
from service.pages.forms import RowNumber
from service.pages.network import Proxies
from service.store import hooks as store
from service.store.db import Session

Event = Literal[
    "edition.done", "reader.joined", "reader.left", "bounce.received", "source.late",
    "source.back", "alarm.raised", "alarm.over",
]  # fmt: skip
State = Literal["waiting", "done", "failed"]
_SECRET = {SHOWN_ONCE: ["secret"]}
LOOKS = "readers:read"
"""Whose tokens are told addresses in calls, and may have others told them."""


class NewHook(BaseModel):
    """A program that is to be told. url: https · tells_address: calls about readers say their
    address beside their number."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=hook_lists.MOST_NAME)
    url: str = Field(min_length=1, max_length=hook_lists.MOST_URL)
    events: list[Event] = Field(min_length=1, max_length=20)
    tells_address: bool = False


class Counts(BaseModel):
    """Calls by their state."""

    waiting: int
    done: int
    failed: int


class Hook(BaseModel):
    """A program that is told of events. failures: in a row, since failing_since · ended_at: since
    when it is told no more, and ended_why."""

    id: int
    name: str
    url: str
    events: list[str]
    tells_address: bool
    created_by: str
    created_at: Instant
    failures: int
    failing_since: Instant | None
    ended_at: Instant | None
    ended_why: str


class CountedHook(Hook):
    """The same with its calls."""

    calls: Counts


class HookWithSecret(Hook):
    """The same with what its calls are signed by (whsec_...), null in an answer that is given
    again."""

    secret: str | None


class Hooks(BaseModel):
    """A list."""

    total: int
    offset: int
    webhooks: list[CountedHook]


class Try(BaseModel):
    """One try of a call. code: HTTP status, 0 without an answer · words: the program's, or why
    there was none · ms: how long it took · again: not a try, but that somebody asked for more."""

    at: Instant
    code: int
    words: str
    ms: int
    again: bool = False


class Call(BaseModel):
    """One event for one program. body: as it is sent, but for an address · next_at: when it is
    tried next."""

    id: int
    webhook: int
    event_id: str
    event: str
    state: State
    at: Instant
    next_at: Instant | None
    done_at: Instant | None
    body: str
    tries: list[Try]


class Calls(BaseModel):
    """A list."""

    total: int
    offset: int
    calls: list[Call]


def add_routes(routes: APIRouter, rt: Runtime, proxies: Proxies = ()) -> None:
    """Add /api/v1/webhooks."""
    Reader = Annotated[Caller, Depends(caller_of(rt, "settings:read"))]
    Writer = Annotated[Caller, Depends(caller_of(rt, "settings:write"))]
    Place = Annotated[str, Depends(place_of(proxies))]
    Offset = Annotated[int, Query(ge=0, le=2**53)]
    Limit = Annotated[int, Query(ge=1, le=1000)]

    @routes.get("/v1/webhooks", response_model=Hooks)
    def all_hooks(_who: Reader, offset: Offset = 0, limit: Limit = 100) -> dict[str, Any]:
        """Programs that are told of events. Those that are told first; no secret is among it.
        Scope: settings:read."""
        rows = rt.db.read(hook_lists.list_facts)
        return {"total": len(rows), "offset": offset, "webhooks": rows[offset : offset + limit]}

    @routes.post("/v1/webhooks", response_model=HookWithSecret, openapi_extra=_SECRET)
    def add(who: Writer, place: Place, new: NewHook) -> dict[str, Any]:
        """Tell a program of events from now on. Its ``secret`` is told here and never again; calls
        are signed by it (Standard Webhooks). Scope: settings:write; with ``tells_address`` also
        readers:read."""
        if new.tells_address and not who.may(LOOKS):
            raise ScopeError(
                f"This token is not for {LOOKS}, and the program would be told addresses.",
                "tells_address",
                f"Leave it out, or make a token that is for {LOOKS} too.",
            )
        return hook_lists.add_hook(
            rt, new.name, new.url, new.events, tells_address=new.tells_address, by=who.signature,
            address=place,
        )  # fmt: skip

    @routes.get("/v1/webhooks/{webhook_id}", response_model=CountedHook)
    def one_hook(_who: Reader, webhook_id: RowNumber) -> dict[str, Any]:
        """One program that is told of events. Scope: settings:read."""
        return rt.db.read(lambda s: hook_lists.get_facts(s, webhook_id))

    @routes.get("/v1/webhooks/{webhook_id}/calls", response_model=Calls)
    def calls_of(
        who: Reader,
        webhook_id: RowNumber,
        state: State | None = None,
        sort: Literal["at", "-at", "event", "-event", "state", "-state"] = "-at",
        offset: Offset = 0,
        limit: Limit = 100,
    ) -> dict[str, Any]:
        """Calls to a program, newest first. Each has its tries; those that are over are kept for 30
        days. Scope: settings:read; ``body`` with an address only for tokens that may look at
        readers, else without it."""

        def load(session: Session) -> dict[str, Any]:
            word = state or ""
            rows = hook_lists.log_of(
                session, webhook_id, state=word, sort=sort, limit=limit, offset=offset,
                with_address=who.may(LOOKS),
            )  # fmt: skip
            total = store.count_calls(session, webhook_id, word)
            return {"total": total, "offset": offset, "calls": rows}

        return rt.db.read(load)

    @routes.post(
        "/v1/webhooks/{webhook_id}/rotate", response_model=HookWithSecret, openapi_extra=_SECRET
    )
    def rotate(who: Writer, place: Place, webhook_id: RowNumber) -> dict[str, Any]:
        """Give a program another secret. It is told here and never again; for a day calls are
        signed by both. Scope: settings:write."""
        return hook_lists.rotate_secret(rt, webhook_id, who.signature, place)

    @routes.post("/v1/webhooks/{webhook_id}/end", response_model=Hook)
    def end(who: Writer, place: Place, webhook_id: RowNumber) -> dict[str, Any]:
        """Tell a program no more. What waits for it is not said. Scope: settings:write."""
        return hook_lists.end_by_hand(rt, webhook_id, who.signature, place)

    @routes.post("/v1/webhooks/{webhook_id}/test", response_model=Call)
    def try_it(who: Writer, place: Place, webhook_id: RowNumber) -> dict[str, Any]:
        """Make a call of the event ``webhook.test``. It is made within seconds; its end stands
        among the calls. Scope: settings:write."""
        return hook_lists.try_hook(rt, webhook_id, who.signature, place)

    @routes.post("/v1/webhooks/calls/{call_id}/again", response_model=Call)
    def again(who: Writer, place: Place, call_id: RowNumber) -> dict[str, Any]:
        """Make a call once more; one that waits for a later try, now. It has the same id and body.
        Scope: settings:write."""
        return hook_lists.send_again(rt, call_id, who.signature, place, with_address=who.may(LOOKS))
