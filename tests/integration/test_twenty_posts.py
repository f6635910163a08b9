"""One confirmation is pressed twenty times at once, over real connections to two real servers on
one database: it is one edition."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from support.desk import PASSWORD, token_in
from support.house import add, ingest_items, paper_item
from support.whole_site import WholeSite, whole_site

from service.flows import staff
from service.store.deliveries import list_deliveries
from service.store.editions import list_editions
from service.store.staff import list_audit

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("cheap_passwords")]


@pytest.fixture
def sites(tmp_path: Path, database_url: str) -> Iterator[tuple[WholeSite, WholeSite]]:
    with (
        whole_site(tmp_path, database_url=database_url) as one,
        whole_site(tmp_path, database_url=database_url) as two,
    ):
        for n in range(8):
            add(one.rt, f"r{n}@uni.example", "adapters")
        ingest_items(one.rt, tmp_path, [paper_item(1, "Adapters that forget less")])
        yield one, two


def test_twenty_posts_of_one_confirmation_are_one_edition(
    sites: tuple[WholeSite, WholeSite],
) -> None:
    site, other = sites
    link = staff.create_admin(site.rt, "kim", "sender", by="cli")
    with httpx2.Client(follow_redirects=True, timeout=120) as client:
        form = {"password": PASSWORD, "again": PASSWORD}
        client.post(link, data={**form, "token": token_in(client.get(link).text)})
        page = client.get(f"{site.address}/admin/login").text
        form = {"name": "kim", "password": PASSWORD, "token": token_in(page)}
        token = token_in(client.post(f"{site.address}/admin/login", data=form).text)
        cookies = dict(client.cookies)
        for kind, more in (
            ("newsletter", {"subject": "Ten letters", "body": "Text."}),
            ("daily", {}),
        ):
            form = {"token": token, "kind": kind, "key": f"twenty-{kind}", **more}
            check = client.post(f"{site.address}/admin/send", data=form)
            found = re.search(r'name="expected" value="(\d+)"', check.text)
            assert found is not None, check.text[:500]
            form = {"token": token, "expected": found[1], "number": found[1]}
            path = f"/admin/send/twenty-{kind}/start"
            places = [site.address + path, other.address + path] * 10
            answers = asyncio.run(_together(places, form, cookies))
            assert {status for status, _ in answers} == {303}
            assert len({re.sub(r"^https?://[^/]+|\?.*", "", where) for _, where in answers}) == 1
    assert len(site.rt.db.read(list_editions)) == 2
    begun = [a for a in site.rt.db.read(list_audit) if a.what.startswith("send ")]
    assert len(begun) == 2
    site.go(minutes=3)
    site.send()
    other.send()
    rows = [r for r in site.rt.db.read(list_deliveries) if r.kind in ("newsletter", "digest")]
    assert [(row.state, row.attempts) for row in rows] == [("accepted", 1)] * 16


async def _together(
    addresses: list[str], form: dict[str, str], cookies: dict[str, str]
) -> list[tuple[int, str]]:
    async with httpx2.AsyncClient(cookies=cookies, timeout=120) as client:
        answers = await asyncio.gather(*(client.post(one, data=form) for one in addresses))
    return [(a.status_code, a.headers.get("location", "")) for a in answers]
