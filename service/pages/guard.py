"""Who may change something: the cross-origin guard, form tokens, and the sign-up form's checks."""

from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from urllib.parse import urlsplit

from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from service.delivery.links import holds

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
UNGUARDED = ("/u/", "/inbound/")
"""Mail providers post here, without cookies and from anywhere: one click (RFC 8058), and what
became of our mails, which they prove by a signature."""

Refusal = Callable[[Request], Response | Awaitable[Response]]


class CrossOriginGuard:
    """ASGI middleware that refuses writes begun on another site.

    The rule is that of Go's net/http CrossOriginProtection: browsers say ``Sec-Fetch-Site`` on
    trustworthy origins and cannot be made to lie; elsewhere ``Origin`` must be this host or
    ``base_url`` (a proxy may have rewritten Host). Programs send neither and pass: they hold no
    cookies that anybody could borrow.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        base_url: str,
        refusal: Refusal,
        exempt: Sequence[str] = UNGUARDED,
    ) -> None:
        parts = urlsplit(base_url)
        prefix = parts.path.rstrip("/")
        self.app = app
        self._origin = (parts.scheme, parts.netloc)
        self._refusal = refusal
        # a proxy may have taken the prefix of base_url away
        self._exempt = (*exempt, *(prefix + path for path in exempt))

    def allows(self, method: str, path: str, headers: "dict[str, str]") -> bool:
        """Decide; ``headers`` have lower-case names."""
        if method in SAFE_METHODS or any(holds(prefix, path) for prefix in self._exempt):
            return True
        site = headers.get("sec-fetch-site")
        if site:
            return site in ("same-origin", "none")
        origin = headers.get("origin")
        if origin is None:
            return True
        try:
            parts = urlsplit(origin)
        except ValueError:
            return False
        same_host = bool(parts.netloc) and parts.netloc == headers.get("host")
        return same_host or (parts.scheme, parts.netloc) == self._origin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}
        if self.allows(scope["method"], scope["path"], headers):
            await self.app(scope, receive, send)
            return
        answer = self._refusal(Request(scope, receive))
        response = answer if isinstance(answer, Response) else await answer
        await response(scope, receive, send)


class FormTokens:
    """Signed tokens in hidden fields, each for one purpose and one holder.

    keys: the first signs, all verify (rotation).
    """

    def __init__(self, keys: Sequence[str]) -> None:
        # itsdangerous signs with the last key of a list
        self._keys = list(reversed(keys))

    def _serializer(self, purpose: str) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(self._keys, salt=f"paperpost.form.{purpose}")

    def make(self, purpose: str, holder: str) -> str:
        """Return a token for ``holder`` (a session's hash) to send the form ``purpose``."""
        return self._serializer(purpose).dumps(holder)

    def read(self, purpose: str, token: str, *, most_s: int = 12 * 3600) -> str | None:
        """Return whom a token was made for; None when it is not ours, or too old."""
        try:
            return str(self._serializer(purpose).loads(token, max_age=most_s))
        except (BadSignature, SignatureExpired):
            return None

    def check(self, purpose: str, holder: str, token: str, *, most_s: int = 12 * 3600) -> bool:
        """True when the token is ours, for this purpose and holder, and at most ``most_s`` old."""
        return self.read(purpose, token, most_s=most_s) == holder


class SignUpVerdict(StrEnum):
    """What a sign-up looks like. Only PERSON and UNTIMED lead to a mail."""

    PERSON = "person"
    TRAPPED = "trapped"
    TOO_FAST = "too fast"
    UNTIMED = "untimed"


class SignUpCheck:
    """A trap field that people never see, and a clock that starts when the form is shown.

    least_s: seconds below which nobody has typed an address; never more than 3, so that a form
    filled by a browser's memory is not refused. A form without its time (a page kept open for
    days, a script that posts the four fields) is UNTIMED: the caps on mails still hold.
    """

    TRAP = "homepage"
    TIME = "shown"
    _PURPOSE = "sign-up"

    def __init__(self, tokens: FormTokens, least_s: int = 2) -> None:
        if not 0 <= least_s <= 3:
            raise ValueError(f"least_s is {least_s}, not 0 to 3")
        self._tokens = tokens
        self._least_s = least_s

    def shown(self) -> str:
        """Return the value of the hidden time field."""
        return self._tokens.make(self._PURPOSE, "")

    def verdict(self, trap: str, shown: str) -> SignUpVerdict:
        """Judge the two fields of a form that came back."""
        if trap.strip():
            return SignUpVerdict.TRAPPED
        if not self._tokens.check(self._PURPOSE, "", shown, most_s=24 * 3600):
            return SignUpVerdict.UNTIMED
        # a token at most this old was shown less than least_s seconds ago
        if self._tokens.check(self._PURPOSE, "", shown, most_s=self._least_s - 1):
            return SignUpVerdict.TOO_FAST
        return SignUpVerdict.PERSON
