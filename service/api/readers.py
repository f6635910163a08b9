"""Readers for programs: lists, one with all of its story, added, changed, tagged, paused, erased.
Each asks for a token with its scope; every change says why."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, StrictBool, field_validator

from service.api import desk_shapes
from service.api.callers import caller_of, place_of
from service.api.exports import EXPORTED, no_key
from service.api.values import Day
from service.errors import Sentence
from service.flows import reader_acts, reader_lists, reader_story, staff_readers
from service.flows import tags as tags_flow
from service.flows.browse import NotHereError
from service.flows.exports import Form
from service.flows.manage import Choices
from service.flows.reader_lists import Chosen
from service.flows.readers import add_reader, read_new, summary
from service.flows.runtime import Runtime
from service.flows.staff_choices import Pause
from service.flows.tokens import Caller
from service.pages.downloads import download
from service.pages.forms import RowNumber
from service.pages.network import Proxies
from service.store import reader_story as story_store
from service.store import subscribers as subscribers_store
from service.store.db import Session
from service.store.tables import SubscriberRow
from service.subscribers.address import read_address
from service.subscribers.cadence import read_hour, read_weekdays, read_zone

_Text = Annotated[str, Query(max_length=254)]
_Long = Annotated[str, Query(max_length=40_000)]
_Offset = Annotated[int, Query(ge=0, le=2**53)]
_Limit = Annotated[int, Query(ge=1, le=1000)]
_Reason = Annotated[str, Field(min_length=1, max_length=500)]
_Word = Annotated[str, Field(max_length=300)]
_Order = Literal["address", "name", "state", "hour", "joined", "next"]


class Body(BaseModel):
    """What a program sends: nothing beside what is named."""

    model_config = ConfigDict(extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _no_nulls(cls, value: Any) -> Any:
        """No text has null bytes, and databases take none."""
        return value.replace("\0", "") if isinstance(value, str) else value


class Why(Body):
    """reason: kept in the record of acts."""

    reason: _Reason


class NewReader(Body):
    """keywords, profile (a query) or people (names that are followed, a line each); none of them:
    the most-voted papers. confirmed: they have agreed already; else a confirmation is mailed."""

    email: Annotated[str, Field(max_length=400)]
    keywords: Annotated[str, Field(max_length=6000)] = ""
    profile: Annotated[str, Field(max_length=6000)] = ""
    people: Annotated[str, Field(max_length=6000)] = ""
    name: _Word = ""
    tz: _Word = ""
    hour: int | None = Field(default=None, ge=0, le=23)
    cadence: Literal["instant", "daily", "weekly"] = "daily"
    language: _Word = ""
    tags: _Word = ""
    confirmed: bool = False


class ReaderChange(Why):
    """What is not named stays. weekdays: like ["mon", "tue"] · paused_until: a date, null ends a
    pause · email: at once; the old address is told."""

    email: Annotated[str, Field(max_length=400)] | None = None
    name: _Word | None = None
    hour: int | None = Field(default=None, ge=0, le=23)
    tz: _Word | None = None
    weekdays: list[_Word] | None = Field(default=None, max_length=7)
    language: _Word | None = None
    on_time: bool | None = None
    paused_until: Day | None = None


class Filter(Body):
    """Which readers, as the list takes them; empty: all."""

    q: Annotated[str, Field(max_length=254)] = ""
    segment: Annotated[str, Field(max_length=40_000)] = ""
    tag: _Word = ""
    state: Literal["", "active", "pending", "bounced", "left"] = ""
    words: Annotated[str, Field(max_length=254)] = ""
    lang: _Word = ""
    cadence: Literal["", "instant", "daily", "weekly"] = ""
    joined_from: Day | None = None
    joined_to: Day | None = None
    paused: bool = False
    resting: bool = False

    def typed(self) -> dict[str, str]:
        """The same as it stands in an address of the desk."""
        facts = self.model_dump(mode="json", exclude={"format"})
        return {k: "1" if v is True else str(v or "") for k, v in facts.items()}


class Export(Filter):
    """Which readers, and in what form."""

    format: Form = "json"


class ManyAct(Why):
    """readers: the number that is expected, as a dry run gave it; for another nothing is done ·
    tag: of tag and untag · until: of pause."""

    act: Literal["tag", "untag", "pause", "resume", "erase"]
    which: Filter
    readers: int | None = Field(default=None, ge=0, le=2**53, strict=True)
    tag: _Word = ""
    until: Day | None = None
    dry_run: StrictBool = False


class ManyDone(BaseModel):
    """changed: of the readers, for whom it made a difference."""

    act: str
    readers: int
    changed: int
    dry_run: StrictBool


class Changed(BaseModel):
    """How many readers it was about."""

    readers: int


def add_routes(routes: APIRouter, rt: Runtime, proxies: Proxies = ()) -> None:
    """Add /api/v1/readers and /api/v1/tags."""

    Looks = Annotated[Caller, Depends(caller_of(rt, "readers:read"))]
    Writes = Annotated[Caller, Depends(caller_of(rt, "readers:write"))]
    Place = Annotated[str, Depends(place_of(proxies))]

    def chosen(
        q: _Text = "",
        segment: _Long = "",
        tag: _Text = "",
        state: Literal["", "active", "pending", "bounced", "left"] = "",
        words: _Text = "",
        lang: _Text = "",
        cadence: Literal["", "instant", "daily", "weekly"] = "",
        joined_from: Day | None = None,
        joined_to: Day | None = None,
        paused: bool = False,
        resting: bool = False,
    ) -> Chosen:
        asked = Filter(
            q=q, segment=segment, tag=tag, state=state, words=words, lang=lang, cadence=cadence,
            joined_from=joined_from, joined_to=joined_to, paused=paused, resting=resting,
        )  # fmt: skip
        return reader_lists.read_chosen(rt, asked.typed())

    Some = Annotated[Chosen, Depends(chosen)]

    def facts_of(reader_id: int) -> dict[str, Any]:
        return rt.db.read(lambda s: summary([found(s, reader_id)], s)[0])

    @routes.get("/v1/readers", response_model=desk_shapes.Readers)
    def some_readers(
        _who: Looks,
        wanted: Some,
        order: _Order = "address",
        down: bool = False,
        offset: _Offset = 0,
        limit: _Limit = 100,
    ) -> dict[str, Any]:
        """Readers, a page at a time. q: a part of address, name or words, or a tag · segment: as
        sends have it, like tag:staff or state:12:failed · resting: no mail now, since it came back.
        Scope: readers:read."""

        def load(session: Session) -> dict[str, Any]:
            total, found = reader_lists.find(session, wanted)
            rows = reader_lists.list_page(
                session, found, order=order, is_down=down, limit=limit, offset=offset
            )
            return {"total": total, "offset": offset, "readers": rows}

        return rt.db.read(load)

    @routes.post(
        "/v1/readers/export",
        response_class=StreamingResponse,
        responses=EXPORTED,
        dependencies=[Depends(no_key)],
    )
    def export(who: Looks, place: Place, which: Export) -> StreamingResponse:
        """Every one of them as rows that an import reads (json, or csv), streamed; it is recorded,
        and takes no Idempotency-Key. Scope: readers:read."""
        wanted = reader_lists.read_chosen(rt, which.typed())
        parts = reader_lists.export(rt, wanted, which.format, by=who.signature, address=place)
        return download(parts, f"readers.{which.format}")

    @routes.post("/v1/readers/acts")
    def act_on_many(who: Writes, place: Place, asked: ManyAct) -> ManyDone:
        """One act on many readers: first with ``dry_run``, then with the number of ``readers`` that
        it gave. Scope: readers:write."""
        wanted = reader_lists.read_chosen(rt, asked.which.typed())
        tag = tags_flow.read_tag(asked.tag) if asked.act in ("tag", "untag") else ""
        if asked.dry_run:
            number = reader_acts.count(rt, wanted)
            return ManyDone(act=asked.act, readers=number, changed=0, dry_run=True)
        if asked.readers is None:
            raise reader_acts.ActError(
                "The expected number of readers is missing.", "readers", "dry_run gives it."
            )
        done = reader_acts.act_on_all(
            rt, wanted, asked.act, expected=asked.readers, by=who.signature, tag=tag,
            until=asked.until, reason=asked.reason, address=place,
        )  # fmt: skip
        return ManyDone(act=done.act, readers=done.readers, changed=done.changed, dry_run=False)

    @routes.post("/v1/readers", status_code=201, response_model=desk_shapes.Reader)
    def add(who: Writes, place: Place, new: NewReader) -> dict[str, Any]:
        """Add a reader. Who left is brought back by nobody else. Scope: readers:write."""
        said = new.model_dump()
        cells = {k: str(v) for k, v in said.items() if v not in (None, "") and k != "confirmed"}
        cells["confirmed"] = "true" if new.confirmed else "false"
        reader_id = add_reader(rt, read_new(cells), by=who.signature, address=place)
        rt.engine.enqueue("send")
        return facts_of(reader_id)

    @routes.get("/v1/readers/{reader_id}", response_model=desk_shapes.Reader)
    def one_reader(_who: Looks, reader_id: RowNumber) -> dict[str, Any]:
        """One reader with interests and tags. Scope: readers:read."""
        return facts_of(reader_id)

    @routes.get("/v1/readers/{reader_id}/story", response_model=desk_shapes.Story)
    def story(
        _who: Looks,
        reader_id: RowNumber,
        kind: Literal["", "consent", "interest", "mail", "report", "mark", "act"] = "",
        offset: _Offset = 0,
        limit: _Limit = 100,
    ) -> dict[str, Any]:
        """What happened with a reader, newest first: consent, interests, mails, what came back,
        marks, acts of the staff. Scope: readers:read."""

        def load(session: Session) -> dict[str, Any]:
            row = found(session, reader_id)
            total = story_store.count_events(session, reader_id, kind)
            events = reader_story.list_story(
                rt, session, row, kind=kind, limit=limit, offset=offset
            )
            return {"total": total, "offset": offset, "events": events}

        return rt.db.read(load)

    @routes.get("/v1/readers/{reader_id}/days", response_model=list[desk_shapes.DayOfReader])
    def days(_who: Looks, reader_id: RowNumber) -> list[dict[str, Any]]:
        """The last 30 local dates of a reader: the mail of each, or why there was none. Scope:
        readers:read."""
        return rt.db.read(lambda s: reader_story.list_days(rt, s, found(s, reader_id)))

    @routes.patch("/v1/readers/{reader_id}", response_model=desk_shapes.Reader)
    def change(
        who: Writes, place: Place, reader_id: RowNumber, asked: ReaderChange
    ) -> dict[str, Any]:
        """Change what is named, all of it or nothing. Scope: readers:write."""
        rt.db.read(lambda s: found(s, reader_id))
        choices = Choices(
            hour=read_hour(str(asked.hour)) if asked.hour is not None else None,
            zone=read_zone(asked.tz) if asked.tz is not None else None,
            weekdays=read_weekdays(asked.weekdays) if asked.weekdays is not None else None,
            on_time=asked.on_time,
            locale=_language(rt, asked.language) if asked.language is not None else None,
        )
        wanted = staff_readers.Change(
            name=asked.name,
            to=read_address(asked.email) if asked.email is not None else None,
            choices=choices if choices != Choices() else None,
            pause=Pause(asked.paused_until) if "paused_until" in asked.model_fields_set else None,
        )
        staff_readers.change(
            rt, reader_id, wanted, by=who.signature, reason=asked.reason, address=place
        )
        return facts_of(reader_id)

    @routes.post("/v1/readers/{reader_id}/unsubscribe", response_model=desk_shapes.Reader)
    def unsubscribe(who: Writes, place: Place, reader_id: RowNumber, asked: Why) -> dict[str, Any]:
        """End a subscription because its reader asked for it. Scope: readers:write."""
        rt.db.read(lambda s: found(s, reader_id))
        staff_readers.end(
            rt, reader_id, erased=False, by=who.signature, reason=asked.reason, address=place
        )
        return facts_of(reader_id)

    @routes.delete("/v1/readers/{reader_id}")
    def erase(
        who: Writes,
        place: Place,
        reader_id: RowNumber,
        reason: Annotated[str, Query(min_length=1, max_length=500)],
    ) -> Changed:
        """Forget a reader at once. Scope: readers:write."""
        rt.db.read(lambda s: found(s, reader_id))
        staff_readers.end(
            rt, reader_id, erased=True, by=who.signature, reason=reason, address=place
        )
        return Changed(readers=1)


def found(session: Session, reader_id: int) -> SubscriberRow:
    """A reader by number. Raises NotHereError."""
    row = subscribers_store.get_subscriber_row(session, id=reader_id)
    if row is None:
        raise NotHereError(Sentence("This reader is not here any more."))
    return row


def _language(rt: Runtime, text: str) -> str:
    if text not in rt.catalogs.languages:
        raise reader_lists.FilterError(
            f"{text[:16]!r} is no language of this installation.",
            "language",
            f"Use {', '.join(rt.catalogs.languages)}.",
        )
    return text
