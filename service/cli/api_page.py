"""The page docs/api.md: what programs can ask, made from the description itself (OpenAPI)."""

from collections.abc import Iterator, Mapping
from typing import Any

from service.flows.tokens import SCOPES

_METHODS = ("get", "post", "put", "patch", "delete")


MEASURED = """\
**Asked at random** (schemathesis 4.32, valid and broken values). `make schemathesis ARGS="30 7"`
made 26,121 requests to 108 operations in 30 minutes. One answer was 500, to the papers of a source
on the first day of the calendar (`on=0001-01-01`); it is mended, and `ARGS="4 11"` after it made
3,790 requests with nothing to mend. The other complaint is of its own making: one word where a list
is asked for in an address is a list of one. CI asks for 15 seconds with a fixed seed
(`tests/integration/test_api_schema.py`)."""


def page(document: Mapping[str, Any]) -> str:
    """The page in Markdown."""
    return "\n".join([*_lines(document)]) + "\n"


def _lines(document: Mapping[str, Any]) -> Iterator[str]:
    yield "# The API"
    yield ""
    yield "Written by `paperpost api --markdown > docs/api.md` from the description that each"
    yield "installation answers at `/api/openapi.json` (OpenAPI 3.1); do not edit it by hand."
    yield ""
    yield document["info"]["description"].rstrip()
    yield ""
    yield "A token: `paperpost tokens create NAME --scope SCOPE`, or the page *Tokens* of the desk."
    yield ""
    yield "| scope | what a token with it may do |"
    yield "| --- | --- |"
    for scope, means in SCOPES.items():
        yield f"| `{scope}` | {means} |"
    yield ""
    yield MEASURED
    yield ""
    by_tag: dict[str, list[tuple[str, str, Mapping[str, Any]]]] = {}
    for path, operations in document["paths"].items():
        for method in _METHODS:
            if method in operations:
                operation = operations[method]
                by_tag.setdefault(operation["tags"][0], []).append((method, path, operation))
    for tag in document["tags"]:
        yield f"## {tag['name'].capitalize()}"
        yield ""
        yield f"{tag['description'].capitalize()}."
        yield ""
        for method, path, operation in by_tag[tag["name"]]:
            yield from _operation(method, path, operation, document)


def _operation(
    method: str, path: str, operation: Mapping[str, Any], document: Mapping[str, Any]
) -> Iterator[str]:
    scope = operation.get("x-scope", "")
    yield f"### {method.upper()} `{path}`"
    yield ""
    words = _without_scope(operation["description"]).replace("``", "`")
    yield f"{words} {'Scope `' + scope + '`.' if scope else 'For anybody.'}"
    yield ""
    named = [f"`{one['name']}`" for one in operation.get("parameters", ())]
    if named:
        yield f"Asked by: {', '.join(named)}."
    body = operation.get("requestBody", {}).get("content", {})
    for media, facts in body.items():
        yield f"Body ({media}): {_fields(facts.get('schema', {}), document)}."
    done = next(code for code in ("200", "201", "202") if code in operation["responses"])
    answer = operation["responses"][done].get("content", {})
    shapes = [f"{media}: {_fields(f.get('schema', {}), document)}" for media, f in answer.items()]
    if shapes:
        yield f"Answers {'; '.join(shapes)}."
    codes = [code for code in operation["responses"] if code >= "400"]
    yield f"Errors: {', '.join(codes)}."
    yield ""


def _without_scope(words: str) -> str:
    return words.partition("Scope:")[0].strip()


def _fields(schema: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    """The fields of an object, those that must be there plain, the others with a question mark."""
    found = _resolved(schema, document)
    if found.get("type") == "array":
        return f"a list of ({_fields(found.get('items', {}), document)})"
    fields = found.get("properties")
    if not fields:
        return {"string": "text", "array": "a list"}.get(found.get("type", ""), "an object")
    required = set(found.get("required", ()))
    return ", ".join(f"`{name}`" if name in required else f"`{name}`?" for name in fields)


def _resolved(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = schema.get("$ref", "")
    if not reference:
        return schema
    found: Mapping[str, Any] = document["components"]["schemas"][reference.rpartition("/")[2]]
    return found
