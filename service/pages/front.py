"""Furnishes an application: static files, error pages, guard and headers, in the right order."""

from collections.abc import Callable, Mapping, Sequence

from fastapi import FastAPI, Request

from service.errors import PaperpostError
from service.pages.compress import CompressOpen
from service.pages.errors import ErrorPages
from service.pages.guard import UNGUARDED, CrossOriginGuard
from service.pages.headers import HeadAsGet, HeaderPolicy, RelativeRedirects, SecurityHeaders
from service.pages.hosts import (
    HEALTH_PATHS,
    BoundedBodies,
    HostNames,
    OwnHosts,
    WholeAddresses,
)
from service.pages.templates import Pages

FILES = ("/admin/", "/inbound/", "/api/v1/imports", "/api/v1/sends")
"""Where files are sent to, or what is as long."""

LISTS = ("/admin/import",)
"""Where lists of readers are sent to."""


def furnish(
    app: FastAPI,
    pages: Pages,
    *,
    statuses: Mapping[type[PaperpostError], int] | None = None,
    exempt: Sequence[str] = UNGUARDED,
    report: Callable[[str, Request, Exception], None] | None = None,
    names: HostNames | None = None,
) -> ErrorPages:
    """Give ``app`` what every door shares. Call once, at any time before it serves.

    exempt: prefixes that anybody may post to (one-click unsubscribe, signed webhooks).
    names: hosts under which it answers, None for any.
    Outermost first: headers, redirects, HEAD as GET, hosts, guard, bounds, compression; so a
    refusal has its headers too.
    """
    policy = HeaderPolicy(pages.site.base_url)
    errors = ErrorPages(pages, policy, statuses, report)
    errors.install(app)
    app.include_router(pages.static.router())
    # add_middleware puts the last one added outermost
    app.add_middleware(CompressOpen, base=pages.links.here.base)
    base = pages.links.here.base
    files, lists = (tuple(f"{at}{part}" for at in {"", base} for part in parts)
                    for parts in (FILES, LISTS))  # fmt: skip
    app.add_middleware(BoundedBodies, refusal=errors.refused, files=files, lists=lists)
    app.add_middleware(
        CrossOriginGuard,
        base_url=pages.site.base_url,
        refusal=errors.cross_origin,
        exempt=exempt,
    )
    app.add_middleware(WholeAddresses, refusal=errors.refused)
    if names is not None:
        free = (*HEALTH_PATHS, *(base + path for path in HEALTH_PATHS))
        app.add_middleware(OwnHosts, names=names, refusal=errors.misdirected, free=free)
    app.add_middleware(HeadAsGet)
    app.add_middleware(RelativeRedirects, base_url=pages.site.base_url)
    app.add_middleware(SecurityHeaders, policy=policy)
    return errors
