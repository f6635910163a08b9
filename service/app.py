"""One web application of the doors: readers, staff, and the development mailbox."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI

from service import admin, api, web
from service.errors import Sentence
from service.flows.runtime import Runtime
from service.inbound import webhook
from service.mailbox import Mailbox
from service.mailbox import router as mailbox_router
from service.pages.front import furnish
from service.pages.hosts import HostNames
from service.pages.templates import Pages, PageSite
from service.settings import Settings, secrets_in
from service.settings.told import told

TEST_MODE = Sentence("Test mode: every mail goes to the operator, none to readers.")

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def _nothing(_app: FastAPI) -> AsyncIterator[None]:
    yield


def make_app(
    rt: Runtime,
    settings: Settings,
    *,
    mailbox: Mailbox | None = None,
    banner: str = "",
    lifespan: Lifespan = _nothing,
) -> FastAPI:
    """Return the application. mailbox: its pages, only where mail goes to it; banner: shown on
    every page (demo data)."""
    rt.renderer.check()
    site = rt.site
    pages = Pages(
        PageSite(
            base_url=site.base_url,
            name=site.name,
            org=site.org,
            contact=site.contact,
            privacy_url=site.privacy_url,
            has_mailbox=mailbox is not None,
            banner=lambda: banner,
            alarm=lambda: TEST_MODE if rt.test_recipient else "",
        ),
        rt.catalogs,
    )
    app = FastAPI(
        title="Paperpost", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan
    )
    names = HostNames(site.base_url, settings.allowed_hosts.split(","))
    furnish(app, pages, statuses={**api.STATUSES, **web.STATUSES, **admin.STATUSES}, names=names)
    token = settings.metrics_token.get_secret_value() if settings.metrics_token else ""
    proxies = settings.trusted_proxies
    app.include_router(web.router(rt, pages, trusted_proxies=proxies, metrics_token=token))
    app.include_router(api.router(rt, trusted_proxies=settings.trusted_proxies))
    app.include_router(webhook.router(rt, keys_of(settings)))
    app.include_router(admin.router(rt, pages, trusted_proxies=proxies, deployed=told(settings)))
    if mailbox is not None:
        app.include_router(mailbox_router(mailbox, pages))
    return app


def keys_of(settings: Settings) -> webhook.Keys:
    """What opens the ways in by HTTP."""
    return webhook.Keys(
        raw=secrets_in(settings.inbound_secret),
        ses_topics=settings.inbound_ses,
        ses_passwords=secrets_in(settings.inbound_ses_password),
        postmark=secrets_in(settings.inbound_postmark),
        mailgun=secrets_in(settings.inbound_mailgun),
        sendgrid=settings.inbound_sendgrid,
    )
