"""The description of ``/api`` (OpenAPI): names, words, errors and scopes of every operation, made
from its route, so that none is written by hand."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import APIRouter
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from service.api.once import ACTS, SHOWN_ONCE

TAGS: Mapping[str, str] = {
    "papers": "stored papers: searched, of a day, alike, topics",
    "interests": "what words would bring, and words out of a text",
    "readers": "readers, their tags and stories, suppressions, imports",
    "overview": "today at a glance",
    "editions": "sending occasions: begun, paused, cancelled, their balance",
    "deliveries": "one row for each mail: what became of it",
    "bounces": "what came back",
    "sources": "where papers come from, and their days",
    "desk": "an editor's hand: release, note, picks, proposals",
    "settings": "settings of taste",
    "webhooks": "programs that are told of events",
    "alarms": "what is wrong until it is over",
    "audit": "the record of acts",
}
_TAG_OF = {
    "search": "papers",
    "related": "papers",
    "topics": "papers",
    "estimate": "interests",
    "words": "interests",
    "suppressions": "readers",
    "subscribers": "readers",
    "imports": "readers",
    "tags": "readers",
    "segments": "readers",
    "sends": "editions",
    "drafts": "editions",
    "release": "desk",
    "releases": "desk",
    "notes": "desk",
    "picks": "desk",
    "submissions": "desk",
    "days": "desk",
}

_FAULT: dict[str, Any] = {
    "type": "object",
    "title": "Fault",
    "description": "Why nothing was done, in three parts.",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["what", "where", "next_step"],
            "properties": {
                "what": {"type": "string", "description": "What is wrong."},
                "where": {
                    "type": "string",
                    "description": "The field, parameter or row; empty where there is none.",
                },
                "next_step": {"type": "string", "description": "What to do about it."},
                "reference": {
                    "type": "string",
                    "description": "With 500 only: what the log calls it.",
                },
                "position": {
                    "type": "integer",
                    "description": "Of words that cannot be read: the character.",
                },
                "expected": {"type": "string", "description": "What was expected there."},
                "suggestion": {"type": "string", "description": "Words that can be read."},
            },
        }
    },
}

_ERRORS: Mapping[int, str] = {
    400: "The request, or its Idempotency-Key, cannot be read.",
    401: "No token, or one that opens nothing.",
    403: "The token is for something else.",
    404: "There is no such row, or the address holds signs that none can.",
    409: "The state of things does not allow it, the number of mails is another one, or the same "
    "request is still worked on (then with Retry-After).",
    410: "It was here, and is gone.",
    413: "The body is too large.",
    422: "A value cannot be, or the Idempotency-Key was sent with another request.",
    429: "Too many requests: wait as long as Retry-After says.",
    503: "The database cannot take it now; nothing was done.",
}

_MOST_SUMMARY = 80

_ABOUT = """\
Papers can be asked for by anybody; everything else needs a token with its scope, sent as
`Authorization: Bearer ...`.

- **Lists** are `{"total", "offset", NAME: [...]}`, with `offset` and `limit`; those that stay short
  (topics, alarms, tags, a reader's interests and days, groups of refused mails, what limits mails,
  papers like one, test mails) are an array. Ids never change and are never given twice. Instants
  are ISO 8601 with their offset, days are `YYYY-MM-DD` of the installation.
- **Errors** say `what` is wrong, `where`, and the `next_step`.
- **Acts** take the header `Idempotency-Key` (1 to 200 printable ASCII characters). The same key and
  request within 24 hours is one act: its answer comes again, with `Idempotency-Replayed: true`.
  A request that was refused before anything was written is not kept. What is shown once (a secret)
  is null in an answer that comes again.
- **Pace**: a token may ask `api_per_minute` times a minute (setting); then 429 with Retry-After.
- Every act is written into the record of acts as `token NAME`.
"""

_KEY: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "1 to 200 printable ASCII characters. The same key with the same request within "
    "24 hours is one act.",
    "schema": {"type": "string"},
}


def describe(routes: APIRouter, *, title: str, version: str) -> dict[str, Any]:
    """The document of all routes."""
    made = get_openapi(title=title, version=version, routes=routes.routes, description=_ABOUT)
    schemas = made.setdefault("components", {}).setdefault("schemas", {})
    schemas["Fault"] = _FAULT
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    tags: set[str] = set()
    for route in routes.routes:
        if isinstance(route, APIRoute) and route.include_in_schema:
            for method in route.methods or ():
                operation = made["paths"][route.path_format][method.lower()]
                _complete(operation, route, method)
                tags.update(operation["tags"])
    known = [*(name for name in TAGS if name in tags), *sorted(tags - set(TAGS))]
    made["tags"] = [{"name": name, "description": TAGS.get(name, name)} for name in known]
    return made


def scope_of(route: APIRoute) -> str:
    """The scope that a route asks for, "" for one that anybody may ask."""
    return next(_scopes(route.dependant), "")


def _scopes(dependant: Dependant) -> Iterator[str]:
    for one in dependant.dependencies:
        if found := getattr(one.call, "scope", ""):
            yield found
        yield from _scopes(one)


def _complete(operation: dict[str, Any], route: APIRoute, method: str) -> None:
    first = route.path_format.removeprefix("/api/v1/").partition("/")[0]
    operation["tags"] = [_TAG_OF.get(first, first)]
    words = " ".join((route.endpoint.__doc__ or "").split())
    operation["summary"] = _summary(words)
    operation["description"] = words
    operation["operationId"] = _id_of(method, route.path_format)
    scope = scope_of(route)
    codes = {404, 413, 422, 503} | ({400} if method in ACTS else set())
    if scope:
        operation["security"] = [{"token": [scope]}]
        operation["x-scope"] = scope
        codes |= {401, 403, 429}
    if method in ACTS and scope:
        codes.add(409)
        operation.setdefault("parameters", []).append(_KEY)
        if hidden := operation.get(SHOWN_ONCE):
            operation["description"] += f" Shown once: {', '.join(hidden)}."
    answers = operation["responses"]
    for code in sorted(codes | {int(c) for c in answers if c.isdecimal() and int(c) >= 400}):
        given = answers.get(str(code), {})
        words = given.get("description", "")
        answers[str(code)] = _error(code, words if " " in words else "")


def _summary(words: str) -> str:
    """The first sentence, without what follows a colon or a semicolon when it is long."""
    summary = words.partition(". ")[0].rstrip(".")
    for sign in (": ", "; ", " (", ", "):
        if len(summary) > _MOST_SUMMARY:
            summary = summary.partition(sign)[0]
    return summary


def _error(code: int, words: str) -> dict[str, Any]:
    said = words if words and words != "Validation Error" else _ERRORS.get(code, "It was refused.")
    made: dict[str, Any] = {
        "description": said,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Fault"}}},
    }
    if code == 429:
        made["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds"}}
    return made


def _id_of(method: str, path: str) -> str:
    """A name that stays while the address does: get_deliveries_delivery_id_resolve."""
    words = re.sub(r"[^a-z0-9]+", "_", path.removeprefix("/api/v1/").lower()).strip("_")
    return f"{method.lower()}_{words}"
