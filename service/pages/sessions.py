"""The staff's session cookie. The rows live in the store; here are only name, flags and hash."""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from fastapi import Request
from fastapi.responses import Response

from service.pages.guard import FormTokens

S = TypeVar("S")

SESSION_DAYS = 14


def session_hash(token: str) -> str:
    """Return what the store keeps of a token: a leaked table opens no session."""
    return hashlib.sha256(token.encode()).hexdigest()


class SessionCookie:
    """Reads and writes the cookie: HttpOnly, SameSite=Lax, and Secure with ``__Host-`` on https.

    ``__Host-`` keeps a sister site from planting one (RFC 6265bis, 4.1.3.2).
    """

    def __init__(self, *, https: bool) -> None:
        self._https = https
        self.name = "__Host-paperpost" if https else "paperpost"

    def read(self, request: Request) -> str | None:
        """Return the token, None without a cookie or when it is no token of ours."""
        token = request.cookies.get(self.name, "")
        return token if 40 <= len(token) <= 64 and token.isascii() else None

    def write(self, response: Response, token: str) -> None:
        """Give the browser ``token`` for the longest a session can last."""
        response.set_cookie(
            self.name,
            token,
            max_age=SESSION_DAYS * 86400,
            path="/",
            secure=self._https,
            httponly=True,
            samesite="lax",
        )

    def clear(self, response: Response) -> None:
        """Take it back."""
        response.delete_cookie(
            self.name, path="/", secure=self._https, httponly=True, samesite="lax"
        )


class DeviceCookie:
    """Marks a browser in which somebody has logged in with their password: its tries are counted
    apart from those of strangers. It opens nothing by itself.

    As OWASP's "Slow Down Online Guessing Attacks with Device Cookies" has it.
    """

    PURPOSE = "admin-device"
    DAYS = 400

    def __init__(self, tokens: FormTokens, *, https: bool) -> None:
        self._tokens = tokens
        self._https = https
        self.name = "__Host-paperpost-device" if https else "paperpost-device"

    def read(self, request: Request, account: str) -> str:
        """The browser's own word when ``account`` has logged in here, else ""."""
        signed = request.cookies.get(self.name, "")
        held = self._tokens.read(self.PURPOSE, signed, most_s=self.DAYS * 86400) or ""
        word, _, whose = held.partition(" ")
        return word if whose and whose == _folded(account) else ""

    def write(self, response: Response, account: str) -> None:
        """Give the browser a new word for ``account``."""
        response.set_cookie(
            self.name,
            self._tokens.make(self.PURPOSE, f"{secrets.token_hex(12)} {_folded(account)}"),
            max_age=self.DAYS * 86400,
            path="/",
            secure=self._https,
            httponly=True,
            samesite="lax",
        )


def _folded(account: str) -> str:
    return " ".join(account.split()).lower()


@dataclass(frozen=True, slots=True)
class SignedIn(Generic[S]):
    """Somebody with a valid session: their row, and the hash that names it."""

    session: S
    hash: str


class Sessions(Generic[S]):
    """Cookie and rows together.

    find: (hash) -> the session's row when it is still valid, else None; writes nothing.
    """

    PURPOSE = "admin"

    def __init__(
        self, cookie: SessionCookie, tokens: FormTokens, find: Callable[[str], S | None]
    ) -> None:
        self.cookie = cookie
        self._tokens = tokens
        self._find = find

    def signed_in(self, request: Request) -> SignedIn[S] | None:
        """Return who asks, None for a stranger."""
        token = self.cookie.read(request)
        if token is None:
            return None
        key = session_hash(token)
        row = self._find(key)
        return None if row is None else SignedIn(row, key)

    def holder(self, token: str) -> S | None:
        """Whose session a token opens, None for one that is over."""
        return self._find(session_hash(token))

    def is_ours(self, form_token: str) -> bool:
        """Whether we made a form's token, in whatever session: who sends it was one of the staff,
        and may be told more than a stranger. It allows nothing."""
        return self._tokens.read(self.PURPOSE, form_token, most_s=SESSION_DAYS * 86400) is not None

    def form_token(self, who: "SignedIn[S]") -> str:
        """Return the hidden field of a form shown to ``who``."""
        return self._tokens.make(self.PURPOSE, who.hash)

    def sent_by(self, who: "SignedIn[S]", form_token: str) -> bool:
        """True when the form came from a page shown in this very session."""
        return self._tokens.check(self.PURPOSE, who.hash, form_token)
