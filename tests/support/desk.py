"""One of the staff, logged in at the desk of a reading house."""

import re

from fastapi import FastAPI
from fastapi.testclient import TestClient
from support.reading_house import Reading

from service import admin
from service.flows import staff
from service.pages.front import furnish
from service.pages.templates import Pages, PageSite

PASSWORD = "correct horse battery"


def token_in(page: str) -> str:
    """The form token of a page."""
    found = re.search(r'name="token" value="([^"]+)"', page)
    assert found, page[:2000]
    return found[1]


def signed_in(house: Reading, role: str) -> tuple[TestClient, str]:
    """(a browser with a session, its form token)."""
    base, name = house.rt.site.base_url, f"ann-{role}"
    link = staff.create_admin(house.rt, name, role, by="cli").removeprefix(base)
    pages = Pages(PageSite(base_url=base), house.rt.catalogs)
    app = FastAPI()
    furnish(app, pages, statuses=admin.STATUSES)
    app.include_router(admin.router(house.rt, pages))
    client = TestClient(app, base_url=base)
    data = {"token": token_in(client.get(link).text), "password": PASSWORD, "again": PASSWORD}
    client.post(link, data=data)
    data = {"name": name, "password": PASSWORD}
    data["token"] = token_in(client.get("/admin/login").text)
    return client, token_in(client.post("/admin/login", data=data).text)
