"""The readers' pages over a real house: with a test client, or served to a browser."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI

from service import web
from service.flows.runtime import Runtime
from service.pages.front import furnish
from service.pages.templates import Pages, PageSite


def make_site(rt: Runtime, *, trusted_proxies: str = "", **more: Any) -> FastAPI:
    """The application as it is built for real, with the readers' door alone."""
    site = rt.site
    pages = Pages(
        PageSite(
            base_url=site.base_url, name=site.name, org=site.org, contact=site.contact, **more
        ),
        rt.catalogs,
    )
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    furnish(app, pages, statuses=web.STATUSES)
    app.include_router(web.router(rt, pages, trusted_proxies=trusted_proxies))
    return app


@contextmanager
def serving(app: FastAPI, port: int = 0) -> Iterator[str]:
    """Serve on loopback; yields the address."""
    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, log_level="error", ws="none", proxy_headers=False
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started:
        if time.monotonic() > deadline:
            raise RuntimeError("the server did not start")
        time.sleep(0.02)
    bound = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{bound}"
    finally:
        server.should_exit = True
        thread.join(10)
