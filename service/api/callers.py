"""Programs with a token: who asks, and whether the token is for that."""

from collections.abc import Callable, Mapping
from typing import Annotated

from fastapi import Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from service.errors import PaperpostError
from service.flows.runtime import Runtime
from service.flows.tokens import SCOPES, Caller, find_caller
from service.pages.network import Proxies, client_of, forwarded_of

_BEARER = HTTPBearer(
    scheme_name="token",
    auto_error=False,
    description="A token of this installation (`paperpost tokens create NAME --scope SCOPE`, or "
    "the page Staff, Tokens), sent as `Authorization: Bearer ...`. Scopes: "
    + "; ".join(f"`{scope}`: {means}" for scope, means in SCOPES.items())
    + ".",
)

Given = Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)]


class UnknownCallerError(PaperpostError):
    """No token, or one that opens nothing."""

    headers: Mapping[str, str] = {"WWW-Authenticate": 'Bearer realm="api"'}


class ScopeError(PaperpostError):
    """A token that is for something else."""


class TooManyError(PaperpostError):
    """A token that asks more often than the setting allows. wait: seconds."""

    def __init__(self, per_minute: int, wait: float) -> None:
        super().__init__(
            f"This token asks more than {per_minute} times a minute.",
            "Authorization",
            "Nothing was done. Wait as long as Retry-After says; the setting is api_per_minute.",
        )
        self.headers: Mapping[str, str] = {"Retry-After": str(max(1, round(wait + 0.5)))}


def caller_of(rt: Runtime, scope: str) -> Callable[[Request, Given], Caller]:
    """A dependency: who asks. Raises UnknownCallerError, ScopeError, TooManyError."""

    def asked(request: Request, given: Given) -> Caller:
        place = getattr(request.state, "place", "")
        found = find_caller(rt, given.credentials, place) if given is not None else None
        if found is None:
            raise unknown(given, scope)
        if wait := rt.token_pace.take(found.id, most := rt.defaults().api_per_minute):
            raise TooManyError(most, wait)
        if not found.may(scope):
            raise ScopeError(
                f"This token is not for {scope}.",
                "Authorization",
                f"Make one that is: paperpost tokens create NAME --scope {scope}",
            )
        return found

    asked.scope = scope  # type: ignore[attr-defined]  # the document reads it
    return asked


def unknown(given: object, scope: str = "SCOPE") -> UnknownCallerError:
    """Who asks is nobody. given: what they showed, None for nothing."""
    return UnknownCallerError(
        "This address is for programs with a token."
        if given is None
        else "This token opens nothing: it is not ours, or it has ended.",
        "Authorization",
        f"paperpost tokens create NAME --scope {scope}",
    )


def place_of(proxies: Proxies) -> Callable[[Request], str]:
    """A dependency: where a program asks from, for the record of acts and a token's last use."""

    def place(request: Request) -> str:
        peer = request.client.host if request.client else ""
        request.state.place = client_of(peer, forwarded_of(request.headers), proxies)
        return str(request.state.place)

    return place
