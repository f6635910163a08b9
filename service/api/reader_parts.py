"""A reader's interests and tags, and all tags, for programs."""

from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import Field

from service.api import desk_shapes
from service.api.callers import caller_of, place_of
from service.api.exports import ONE, no_key
from service.api.readers import Changed, Why, found
from service.errors import Sentence
from service.flows import own_data, staff_interests
from service.flows import tags as tags_flow
from service.flows.browse import NotHereError
from service.flows.interests import InterestChange, change_of, read_kind
from service.flows.runtime import Runtime
from service.flows.spreadsheet import ReaderError
from service.flows.tokens import Caller
from service.pages.downloads import download
from service.pages.forms import RowNumber
from service.pages.network import Proxies
from service.store import subscribers as subscribers_store
from service.store.db import Session
from service.store.tables import ProfileRow
from service.subscribers.model import Cadence

_Word = Annotated[str, Field(max_length=300)]
_Reason = Annotated[str, Query(min_length=1, max_length=500)]


class NewInterest(Why):
    """kind: of what ``text`` says; trending has none."""

    kind: Literal["keywords", "query", "follow", "trending"] = "keywords"
    text: Annotated[str, Field(max_length=6000)] = ""
    name: _Word = ""
    cadence: Literal["instant", "daily", "weekly"] = "daily"


class InterestEdit(Why):
    """What is not named stays."""

    kind: Literal["keywords", "query", "follow", "trending"] | None = None
    text: Annotated[str, Field(max_length=6000)] | None = None
    name: _Word | None = None
    cadence: Literal["instant", "daily", "weekly"] | None = None
    paused: bool | None = None


class TagChange(Why):
    """name: another one; where it is there already, both become one."""

    name: _Word


def add_routes(routes: APIRouter, rt: Runtime, proxies: Proxies = ()) -> None:
    """Add /api/v1/readers/NUMBER/interests, /tags, and /api/v1/tags."""

    Looks = Annotated[Caller, Depends(caller_of(rt, "readers:read"))]
    Writes = Annotated[Caller, Depends(caller_of(rt, "readers:write"))]
    Place = Annotated[str, Depends(place_of(proxies))]

    def key_of(reader_id: int, interest_id: int) -> str:
        """The folded address of a reader who has this interest."""

        def load(session: Session) -> str:
            row = found(session, reader_id)
            rows = subscribers_store.list_profile_rows(session, reader_id)
            if all(one.id != interest_id for one in rows):
                raise NotHereError(Sentence("This interest is not there any more."))
            return row.email_key

        return rt.db.read(load)

    @routes.post(
        "/v1/readers/{reader_id}/export",
        response_class=StreamingResponse,
        responses=ONE,
        dependencies=[Depends(no_key)],
    )
    def export(who: Looks, place: Place, reader_id: RowNumber) -> StreamingResponse:
        """Everything stored about a reader, as they get it themselves, streamed; it is recorded,
        and takes no Idempotency-Key. Scope: readers:read."""
        rt.db.read(lambda s: found(s, reader_id))
        parts = own_data.hand_out(rt, reader_id, by=who.signature, address=place)
        return download(parts, f"reader-{reader_id}.json")

    @routes.get(
        "/v1/readers/{reader_id}/interests", response_model=list[desk_shapes.NumberedInterest]
    )
    def interests(_who: Looks, reader_id: RowNumber) -> list[dict[str, Any]]:
        """A reader's interests with all that was chosen for them. Scope: readers:read."""

        def load(session: Session) -> list[dict[str, Any]]:
            found(session, reader_id)
            rows = subscribers_store.list_profile_rows(session, reader_id)
            return [{"id": row.id, **staff_interests.facts_of(row)} for row in rows]

        return rt.db.read(load)

    @routes.post(
        "/v1/readers/{reader_id}/interests",
        status_code=201,
        response_model=desk_shapes.NumberedInterest,
    )
    def add_interest(
        who: Writes, place: Place, reader_id: RowNumber, asked: NewInterest
    ) -> dict[str, Any]:
        """Add an interest. Scope: readers:write."""
        key = rt.db.read(lambda s: found(s, reader_id).email_key)
        wanted = read_kind(asked.kind, asked.text)
        new = InterestChange(wanted=wanted, name=asked.name, cadence=Cadence(asked.cadence))
        return staff_interests.add_by_hand(
            rt, key, new, by=who.signature, reason=asked.reason, address=place
        )

    @routes.patch(
        "/v1/readers/{reader_id}/interests/{interest_id}",
        response_model=desk_shapes.NumberedInterest,
    )
    def edit_interest(
        who: Writes, place: Place, reader_id: RowNumber, interest_id: RowNumber,
        asked: InterestEdit,
    ) -> dict[str, Any]:  # fmt: skip
        """Change what is named of an interest, let it rest or take it up again. Scope:
        readers:write."""
        key = key_of(reader_id, interest_id)
        rewords = asked.model_fields_set - {"reason", "paused"}
        if not rewords and asked.paused is None:
            raise ReaderError("Nothing is named that is to change.", "", "Name a field.")
        return staff_interests.change_by_hand(
            rt, key, interest_id, (lambda row: _edited(row, asked)) if rewords else None,
            paused=asked.paused, by=who.signature, reason=asked.reason, address=place,
        )  # fmt: skip

    @routes.delete(
        "/v1/readers/{reader_id}/interests/{interest_id}",
        response_model=desk_shapes.NumberedInterest,
    )
    def remove_interest(
        who: Writes, place: Place, reader_id: RowNumber, interest_id: RowNumber,
        reason: _Reason,
    ) -> dict[str, Any]:  # fmt: skip
        """Remove an interest; the last one stays. Scope: readers:write."""
        return staff_interests.remove_by_hand(
            rt, key_of(reader_id, interest_id), interest_id,
            by=who.signature, reason=reason, address=place,
        )  # fmt: skip

    # ---- tags ----

    def tag_one(who: Caller, place: str, reader_id: int, tag: str, *, add: bool) -> Changed:
        rt.db.read(lambda s: found(s, reader_id))
        changed = tags_flow.tag_reader(
            rt, reader_id, [tags_flow.read_tag(tag)], by=who.signature, add=add, address=place
        )
        return Changed(readers=len(changed))

    @routes.put("/v1/readers/{reader_id}/tags/{tag}")
    def put_tag(who: Writes, place: Place, reader_id: RowNumber, tag: str) -> Changed:
        """Put a tag on a reader. Scope: readers:write."""
        return tag_one(who, place, reader_id, tag, add=True)

    @routes.delete("/v1/readers/{reader_id}/tags/{tag}")
    def take_tag(who: Writes, place: Place, reader_id: RowNumber, tag: str) -> Changed:
        """Take a tag off a reader. Scope: readers:write."""
        return tag_one(who, place, reader_id, tag, add=False)

    @routes.get("/v1/tags", response_model=list[desk_shapes.Tag])
    def all_tags(_who: Looks) -> list[dict[str, Any]]:
        """Every tag with the number of its readers. Scope: readers:read."""
        return [{"tag": tag, "readers": n} for tag, n in tags_flow.list_tags(rt).items()]

    @routes.patch("/v1/tags/{tag}")
    def rename_tag(who: Writes, place: Place, tag: str, asked: TagChange) -> Changed:
        """Call a tag otherwise, or join it with another. Scope: readers:write."""
        old, new = tags_flow.read_tag(tag), tags_flow.read_tag(asked.name, "name")
        by = {"by": who.signature, "reason": asked.reason, "address": place}
        return Changed(readers=tags_flow.rename(rt, old, new, **by))

    @routes.delete("/v1/tags/{tag}")
    def remove_tag(
        who: Writes,
        place: Place,
        tag: str,
        reason: _Reason,
    ) -> Changed:
        """Take a tag off everybody. Scope: readers:write."""
        by = {"by": who.signature, "reason": reason, "address": place}
        return Changed(readers=tags_flow.remove(rt, tags_flow.read_tag(tag), **by))


def _edited(row: ProfileRow, asked: InterestEdit) -> InterestChange:
    kind = asked.kind or row.kind
    wanted = None
    if asked.text is not None or asked.kind is not None:
        wanted = read_kind(kind, row.text if asked.text is None else asked.text)
    change = change_of(row, wanted)
    if asked.name is not None:
        change = replace(change, name=asked.name)
    if asked.cadence is not None:
        change = replace(change, cadence=Cadence(asked.cadence))
    return change
