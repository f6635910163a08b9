"""Lists of readers and of suppressed addresses for programs. Each asks for a token with its
scope."""

import io
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field, StrictBool

from service.api import desk_shapes
from service.api.callers import caller_of, place_of
from service.api.exports import PROBLEMS, no_key
from service.api.readers import Body
from service.flows import import_undo, imported, imports, suppress
from service.flows.list_files import read_options
from service.flows.list_packs import MOST_FILES, pack
from service.flows.runtime import Runtime
from service.flows.tokens import Caller
from service.pages.downloads import download
from service.pages.forms import RowNumber
from service.pages.network import Proxies
from service.store import imports as store
from service.store import suppressions as bars_store
from service.store.db import Session
from service.subscribers.address import read_address

_UNDER_WAY: dict[str, Any] = {
    "description": "Under way: the import, asked for again, says how far it is.",
    "content": {"application/json": {"schema": {"type": "object", "additionalProperties": True}}},
}
_Reason = Annotated[str, Field(min_length=1, max_length=500)]
_Word = Annotated[str, Field(max_length=300)]
_State = Literal["looking", "refused", "tried", "wanted", "running", "stopped", "done", "undoing"]
_Offset = Annotated[int, Query(ge=0, le=2**53)]
_Limit = Annotated[int, Query(ge=1, le=1000)]


class GivenList(Body):
    """name: of the file, kept with each consent · text: the CSV; a request holds 20 MB, the desk
    and the command line take 200."""

    name: _Word = "list.csv"
    text: Annotated[str, Field(max_length=20_000_000)]


class NewImport(Body):
    """Several lists of one system go together: who left in one is barred before anybody of another
    goes in. basis: why these people may be mailed; elsewhere needs ``basis_words`` (when and where)
    · tags, language, hour, zone, keywords: of rows that do not say it · dry_run: look alone; the
    answer's number can be pressed."""

    lists: list[GivenList] = Field(min_length=1, max_length=MOST_FILES)
    basis: Literal["elsewhere", "institution", "confirm"]
    basis_words: _Word = ""
    tags: _Word = ""
    language: _Word = ""
    hour: _Word = ""
    zone: _Word = ""
    keywords: Annotated[str, Field(max_length=6000)] = ""
    dry_run: StrictBool = True


class Press(Body):
    """digest: of what was looked at; for another list nothing is done."""

    digest: Annotated[str, Field(max_length=64)] = ""


class Undo(Body):
    """readers: the number that is expected, ``unmailed`` of the import."""

    readers: int = Field(ge=0, le=2**53, strict=True)
    reason: _Reason


class Stopped(BaseModel):
    """state: of the import now; empty: it was only being looked at, and is gone."""

    state: str


class NewBars(Body):
    """emails: addresses that are never mailed from now on."""

    emails: list[_Word] = Field(min_length=1, max_length=10_000)
    reason: _Reason


class Lift(Body):
    """email: whose bar is lifted."""

    email: _Word
    reason: _Reason


class Barred(BaseModel):
    """problems: entries that are no address, with their place from 1."""

    added: int
    unchanged: int
    problems: list[dict[str, Any]]


class Lifted(BaseModel):
    """removed: false where it was not suppressed."""

    removed: bool


class Undone(BaseModel):
    """readers: erased ones, so far · state: of the import now, ``undoing`` while it goes on."""

    readers: int
    state: str


def add_routes(routes: APIRouter, rt: Runtime, proxies: Proxies = ()) -> None:
    """Add /api/v1/imports and /api/v1/suppressions."""

    Looks = Annotated[Caller, Depends(caller_of(rt, "readers:read"))]
    Writes = Annotated[Caller, Depends(caller_of(rt, "readers:write"))]
    Place = Annotated[str, Depends(place_of(proxies))]

    @routes.get("/v1/imports", response_model=desk_shapes.Imports)
    def all_imports(
        _who: Looks,
        state: _State | None = None,
        sort: Literal["at", "-at", "state", "-state", "by", "-by"] = "-at",
        offset: _Offset = 0,
        limit: _Limit = 100,
    ) -> dict[str, Any]:
        """Imports with what each did, newest first. Scope: readers:read."""
        wanted = state or ""

        def load(session: Session) -> dict[str, Any]:
            rows = imported.list_imports(
                session, limit=limit, offset=offset, state=wanted, sort=sort
            )
            total = store.count_imports(session, wanted)
            return {"total": total, "offset": offset, "imports": rows}

        return rt.db.read(load)

    @routes.post(
        "/v1/imports",
        status_code=201,
        response_model=desk_shapes.Import,
        responses={202: _UNDER_WAY},
    )
    def new_import(
        who: Writes, place: Place, asked: NewImport, response: Response
    ) -> dict[str, Any]:
        """Look at lists, and, without ``dry_run``, have them brought in. What takes longer goes on
        after the answer, which is 202 then. Scope: readers:write."""
        files = [pack(one.name, io.BytesIO(one.text.encode())) for one in asked.lists]
        named = asked.model_dump(include={"tags", "language", "hour", "zone", "keywords"})
        options = read_options(named)
        basis = imports.read_basis(asked.basis, asked.basis_words)
        press_from = None if asked.dry_run else place
        number = imports.look(rt, files, options, basis, by=who.signature, press_from=press_from)
        if not asked.dry_run and imported.get_import(rt, number)["state"] == "tried":
            press(number, who.signature, place, "")
        return told(who, number, response)

    def told(who: Caller, number: int, response: Response) -> dict[str, Any]:
        """The scope to write is not the one to look: of a list that somebody else looked at, no
        samples."""
        found = imported.get_import(rt, number)
        if found["state"] in store.OPEN:
            response.status_code = 202
        if who.may("readers:read") or found["by"] == who.signature:
            return found
        return {**found, "look": {**found["look"], "samples": []}}

    def press(number: int, by: str, place: str, digest: str) -> None:
        imports.press(rt, number, by=by, digest=digest, address=place)
        if imports.is_small(rt, number):
            imports.bring_in(rt, number)
            rt.engine.enqueue("send")
        rt.engine.enqueue("imports")

    @routes.get("/v1/imports/{number}", response_model=desk_shapes.Import)
    def one_import(_who: Looks, number: RowNumber) -> dict[str, Any]:
        """One import: what was seen in it, and what it did so far. Scope: readers:read."""
        return imported.get_import(rt, number)

    @routes.post(
        "/v1/imports/{number}/problems",
        response_class=StreamingResponse,
        responses=PROBLEMS,
        dependencies=[Depends(no_key)],
    )
    def problems(who: Looks, place: Place, number: RowNumber) -> StreamingResponse:
        """Its rows with a problem as a CSV with a column ``problem``. It is recorded, and takes no
        Idempotency-Key. Scope: readers:read."""
        parts = imported.export_problems(rt, number, by=who.signature, address=place)
        return download(parts, "problems.csv")

    @routes.post(
        "/v1/imports/{number}/press",
        response_model=desk_shapes.Import,
        responses={202: _UNDER_WAY},
    )
    def press_import(
        who: Writes, place: Place, number: RowNumber, asked: Press, response: Response
    ) -> dict[str, Any]:
        """Bring in what was looked at, or have one that was stopped go on; pressed twice, it comes
        once. What takes longer goes on after the answer, which is 202 then. Scope: readers:write;
        ``samples`` of another's list only for tokens that may look at readers."""
        press(number, who.signature, place, asked.digest)
        return told(who, number, response)

    @routes.post("/v1/imports/{number}/stop")
    def stop_import(who: Writes, place: Place, number: RowNumber) -> Stopped:
        """End a look, of which nothing is kept, an import (who is in stays, and it can go on within
        a day), or an undoing (who is erased stays so). Scope: readers:write."""
        return Stopped(state=imports.stop(rt, number, by=who.signature, address=place))

    @routes.post("/v1/imports/{number}/undo", responses={202: _UNDER_WAY | {"model": Undone}})
    def undo_import(
        who: Writes, place: Place, number: RowNumber, asked: Undo, response: Response
    ) -> Undone:
        """Erase those whom it brought and who were never mailed; pressed twice, it is one undo.
        More than 200 go on after the answer, which is 202 then. Scope: readers:write."""
        import_undo.press(
            rt, number, expected=asked.readers, by=who.signature, reason=asked.reason,
            address=place,
        )  # fmt: skip
        if asked.readers <= import_undo.SMALL:
            import_undo.take_back(rt, number)
        rt.engine.enqueue("imports")
        found = imported.get_import(rt, number)
        if found["state"] == "undoing":
            response.status_code = 202
        return Undone(readers=found["undo"]["gone"], state=found["state"])

    # ---- suppressions ----

    @routes.get("/v1/suppressions", response_model=desk_shapes.Bars)
    def some_bars(
        _who: Looks,
        reason: Annotated[str, Query(max_length=64)] = "",
        email: Annotated[str, Query(max_length=254)] = "",
        words: Annotated[str, Query(max_length=200)] = "",
        offset: _Offset = 0,
        limit: _Limit = 100,
    ) -> dict[str, Any]:
        """Bars, newest first: codes alone, the addresses are not kept. email: of this address ·
        words: in who brought it, or why. Scope: readers:read."""
        hashed = suppress.hash_of(rt, email) if email else ""
        wanted = bars_store.BarsWanted(reason, hashed, words)

        def load(session: Session) -> dict[str, Any]:
            rows = bars_store.list_bars(session, wanted, limit=limit, offset=offset)
            return {
                "total": bars_store.count_bars(session, wanted),
                "offset": offset,
                "suppressions": [{"code": r.email_hash, **suppress.bar_facts(r)} for r in rows],
            }

        return rt.db.read(load)

    @routes.post("/v1/suppressions")
    def bar(who: Writes, place: Place, asked: NewBars) -> Barred:
        """Never mail these addresses again; readers among them leave at once. Scope:
        readers:write."""
        data = "\n".join(one.replace("\n", " ") for one in asked.emails).encode()
        report = suppress.import_suppressions(
            rt, data, reason="admin", by=who.signature, network=place, why=asked.reason
        )
        problems = [{"row": n, "problem": what} for n, _, what in report.problems]
        return Barred(added=report.added, unchanged=report.unchanged, problems=problems)

    @routes.post("/v1/suppressions/lift")
    def lift(who: Writes, place: Place, asked: Lift) -> Lifted:
        """Lift a bar. Who left stays away until they ask themselves. Scope: readers:write."""
        address = read_address(asked.email)
        by = {"by": who.signature, "network": place, "why": asked.reason}
        return Lifted(removed=suppress.unsuppress(rt, address, **by))
