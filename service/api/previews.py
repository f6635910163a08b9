"""A reader's exact mail of a date, for programs that may change readers."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from service.api import desk_shapes
from service.api.callers import caller_of
from service.api.readers import found
from service.api.values import Day
from service.flows.preview import preview
from service.flows.runtime import Runtime
from service.flows.tokens import Caller
from service.pages.forms import RowNumber


def add_routes(routes: APIRouter, rt: Runtime) -> None:
    """Add /api/v1/readers/NUMBER/preview."""
    Writes = Annotated[Caller, Depends(caller_of(rt, "readers:write"))]

    @routes.get("/v1/readers/{reader_id}/preview", response_model=desk_shapes.Mail)
    def one_mail(_who: Writes, reader_id: RowNumber, on: Day | None = None) -> dict[str, Any]:
        """A reader's mail of a local date, today's without one. A past date: as it was planned or
        sent; today and later: composed now by what sends, and nothing is sent. Its links are the
        reader's own: who has them can change what the reader chose. Scope: readers:write."""
        row = rt.db.read(lambda s: found(s, reader_id))
        made = preview(rt, row.email_key, on)
        return {
            "email": row.email,
            "on": on,
            "says": made.says,
            "stored": made.stored,
            "subject": made.subject,
            "text": made.text,
            "html": made.html,
        }
