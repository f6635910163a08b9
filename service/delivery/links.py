"""Every public address of Paperpost, in one place."""

from datetime import date
from urllib.parse import quote, urlencode, urlsplit


def _segment(value: str) -> str:
    return quote(value, safe="")


def _name(value: str) -> str:
    """Quote a paper's name. A DOI keeps its slashes, which reads better and passes every proxy.

    Slashes that browsers and proxies would fold away (``a//b``, ``a/../b``, at an end) are
    written %2F, so that the name that arrives is the name that was sent.
    """
    parts = value.split("/")
    folded = any(part in ("", ".", "..") for part in parts)
    return quote(value, safe=":" if folded else "/:")


class Links:
    """Builds addresses. ``Links(base_url)`` gives whole ones, ``.here`` those without a host.

    Mails and feeds use whole addresses; pages use ``here``, so that a page opened under another
    name of the same machine keeps working.
    """

    def __init__(self, base_url: str) -> None:
        self.base = base_url.rstrip("/")

    @property
    def here(self) -> "Links":
        """The same addresses from the root of this site (with its path prefix, if it has one)."""
        return Links(urlsplit(self.base).path)

    def to(self, path: str, **query: str | int | None) -> str:
        """Join ``path`` (begins with "/") and the query values that are not None."""
        given = {name: value for name, value in query.items() if value is not None}
        return f"{self.base}{path}" + (f"?{urlencode(given)}" if given else "")

    # for everybody
    def home(self) -> str:
        return self.to("/")

    def papers(self, on: date | None = None, **query: str | int | None) -> str:
        return self.to(f"/papers/{on.isoformat()}" if on else "/papers", **query)

    def paper(self, scheme: str, value: str) -> str:
        return self.to(f"/papers/{_segment(scheme)}/{_name(value)}")

    def topics(self) -> str:
        return self.to("/topics")

    def topic(self, name: str, **query: str | int | None) -> str:
        return self.to(f"/topics/{_segment(name)}", **query)

    def topic_feed(self, name: str, kind: str = "atom") -> str:
        return self.to(f"/feeds/topics/{_segment(name)}.{kind}")

    def search(self, q: str | None = None, **query: str | int | None) -> str:
        return self.to("/search", q=q, **query)

    def feed(self, kind: str = "atom", **query: str | int | None) -> str:
        return self.to(f"/feeds/papers.{kind}", **query)

    def search_feed(self, q: str, kind: str = "atom") -> str:
        return self.to(f"/feeds/search.{kind}", q=q)

    def help(self) -> str:
        return self.to("/help/queries")

    def sources(self) -> str:
        return self.to("/sources")

    def about(self) -> str:
        return self.to("/about")

    def privacy(self) -> str:
        return self.to("/privacy")

    # for the holder of a token
    def confirm(self, token: str) -> str:
        return self.to(f"/confirm/{_segment(token)}")

    def never(self, token: str) -> str:
        return self.to(f"/never/{_segment(token)}")

    def manage(self, token: str | None = None) -> str:
        return self.to(f"/manage/{_segment(token)}" if token else "/manage")

    def unsubscribe(self, token: str) -> str:
        return self.to(f"/u/{_segment(token)}")

    def digest(self, token: str) -> str:
        return self.to(f"/d/{_segment(token)}")

    def tune(self, token: str, scheme: str, value: str) -> str:
        return self.to(f"/tune/{_segment(token)}/{_segment(scheme)}/{_name(value)}")

    def history(self, token: str) -> str:
        return self.to(f"/history/{_segment(token)}")

    def own_feed(self, token: str) -> str:
        return self.to(f"/feeds/mine/{_segment(token)}.atom")

    # for the staff and for development
    def admin(self, path: str = "", **query: str | int | None) -> str:
        """``path`` without a leading slash: ``admin("sources/3")``."""
        return self.to(f"/admin/{path}" if path else "/admin", **query)

    def mailbox(self, mail_id: str = "", part: str = "", **query: str | int | None) -> str:
        tail = "".join(f"/{_segment(piece)}" for piece in (mail_id, part) if piece)
        return self.to(f"/mailbox{tail}", **query)


TOKEN_PATHS = (
    "/confirm/",
    "/never/",
    "/manage",
    "/u/",
    "/d/",
    "/tune/",
    "/history/",
    "/feeds/mine/",
)
"""Addresses that carry a reader's token: never indexed, never cached, never logged in full."""

PRIVATE_PATHS = (
    *TOKEN_PATHS,
    "/admin",
    "/api/v1/deliveries",
    "/api/v1/editions",
    "/mailbox",
)


def is_open(path: str) -> bool:
    """True for a page that everybody may read, and that is shown in the language asked for."""
    closed = (*PRIVATE_PATHS, "/feeds", "/static")
    return path == "/manage" or not any(holds(prefix, path) for prefix in closed)


class SpokenLinks(Links):
    """Addresses of a page that somebody asked for in a language (``?lang=``): those of open pages
    keep it. Readers have no cookie to keep it in; whoever has a token, has chosen a language."""

    def __init__(self, base_url: str, language: str) -> None:
        super().__init__(base_url)
        self._language = language

    def to(self, path: str, **query: str | int | None) -> str:
        return super().to(path, **query, lang=self._language if is_open(path) else None)


def holds(prefix: str, path: str) -> bool:
    """True when ``path`` is ``prefix`` or lies under it ("/manage" does not hold "/managers")."""
    if prefix.endswith("/"):
        return path.startswith(prefix)
    return path == prefix or path.startswith(prefix + "/")


def is_relative(target: str) -> bool:
    """True when a redirect to ``target`` stays on this site.

    ``//host`` and ``/\\host`` leave it (browsers read a backslash as a slash), and so does
    anything after a control character that browsers drop.
    """
    return (
        target.startswith("/")
        and not target.startswith(("//", "/\\"))
        and target.isprintable()
        and "\\" not in target
    )
