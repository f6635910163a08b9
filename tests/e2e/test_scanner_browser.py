"""A mail system's scanner: a browser with JavaScript follows every link and presses nothing."""

import re
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from html import unescape
from pathlib import Path
from typing import cast
from urllib.parse import urljoin

import pytest
import sqlalchemy as sa
from playwright.sync_api import Error
from support.browsing import open_browser
from support.house import add, ingest_items, paper_item
from support.whole_site import WholeSite, whole_site

from service.flows import manual
from service.flows.address import ask_address, change_address
from service.flows.daily import plan_daily
from service.flows.manage_link import manage_token
from service.flows.own_link import ask_link
from service.flows.quiet import plan_quiet
from service.flows.subscribe import read_wish, request
from service.store.subscribers import get_subscriber_row

pytestmark = [pytest.mark.browser]
_LINK = re.compile(r"""(?:href|src)=["']([^"']+)["']""")
_TEXT = re.compile(r"https?://[^\s<>\"]+")
MOST = 100
"""Addresses opened: every link of every mail, and those of the pages behind, each once."""


def tables(site: WholeSite) -> dict[str, list[tuple[object, ...]]]:
    with site.rt.db.engine.connect() as connection:
        names = sa.inspect(connection).get_table_names()
        return {
            name: sorted(
                map(tuple, connection.execute(sa.text(f'SELECT * FROM "{name}"'))), key=repr
            )
            for name in names
        }


def mails(site: WholeSite) -> Iterator[EmailMessage]:
    for file in sorted((site.folder / "mailbox").glob("*.eml")):
        yield cast(EmailMessage, message_from_bytes(file.read_bytes(), policy=default))


def links(site: WholeSite, text: str, at: str) -> set[str]:
    found = {unescape(one) for one in _LINK.findall(text)} | set(_TEXT.findall(text))
    whole = {urljoin(at, one).partition("#")[0].rstrip(".,)") for one in found}
    return {one for one in whole if one.startswith(f"{site.address}/")}


def in_mail(site: WholeSite, mail: EmailMessage) -> set[str]:
    parts = [part for part in mail.walk() if part.get_content_maintype() == "text"]
    found = set().union(*(links(site, part.get_content(), site.address) for part in parts))
    for name in ("List-Unsubscribe", "List-Help"):
        found |= links(site, str(mail.get(name, "")), site.address)
    return found


def every_mail(site: WholeSite) -> None:
    """A mail of every kind that a reader can get."""
    rt = site.rt

    def ask(email: str) -> None:
        wish, _ = read_wish(rt, email=email, words="robots", hour="8", zone="UTC", locale="en")
        assert wish is not None
        request(rt, wish)

    add(rt, "ada@uni.example", "adapters")
    add(rt, "now@uni.example", "adapters", cadence="instant")
    add(rt, "still@uni.example", "glaciers")
    for email in ("new@uni.example", "ada@uni.example"):
        ask(email)
    ask_link(rt, "ada@uni.example")
    for key, to in (("ada@uni.example", "ada@new.example"), ("still@uni.example", "s@new.example")):
        row = rt.db.read(lambda s, k=key: get_subscriber_row(s, email_key=k))  # type: ignore[misc]
        assert row is not None
        ask_address(rt, manage_token(rt, row, site.clock(), fresh=True), to)
    site.send()
    moved = next(mail for mail in mails(site) if mail["To"] == "s@new.example")
    found = next(one for one in in_mail(site, moved) if "/manage/address/" in one)
    change_address(rt, found.rpartition("/")[2])
    ingest_items(rt, site.folder, [paper_item(n, f"Adapters, part {n}") for n in (1, 2, 3)])
    plan_daily(rt)
    site.send()
    ingest_items(rt, site.folder, [paper_item(9, "Adapters at once")])
    site.tick()
    site.go(minutes=20)
    site.tick()
    site.send()
    for _ in range(9):
        site.go(days=1)
        site.tick()
        plan_quiet(rt)
        site.send()
    plan = manual.draft(
        rt, kind="newsletter", subject="A letter", body="Hello.", key="n",
        segment="list:ada@uni.example",
    )  # fmt: skip
    manual.start(rt, plan, expected=1, at_once=True)
    site.send()


@pytest.mark.timeout(90)
def test_a_scanner_that_follows_everything_changes_nothing(tmp_path: Path, chromium: str) -> None:
    with whole_site(tmp_path) as site:
        every_mail(site)
        kinds = {row[0] for row in _kinds(site)}
        wanted = {
            "confirm", "already-subscribed", "manage-link", "address-change", "address-changed",
            "digest", "alert", "quiet", "newsletter",
        }  # fmt: skip
        assert wanted - kinds == set()
        from_mails = set().union(*(in_mail(site, mail) for mail in mails(site)))
        before = tables(site)
        opened: set[str] = set()
        with open_browser(chromium, java_script_enabled=True) as page:
            behind: set[str] = set()
            for one in sorted(from_mails):
                behind |= _follow(page, site, one)
                opened.add(one)
            for one in sorted(behind - opened)[: MOST - len(opened)]:
                _follow(page, site, one)
                opened.add(one)
        assert tables(site) == before
        assert len(opened) > 40


def _kinds(site: WholeSite) -> list[tuple[str]]:
    with site.rt.db.engine.connect() as connection:
        rows = connection.execute(
            sa.text("SELECT DISTINCT kind FROM delivery WHERE state = 'accepted'")
        )
        return [(row[0],) for row in rows]


def _follow(page, site: WholeSite, address: str) -> set[str]:  # type: ignore[no-untyped-def]
    """Open an address as a scanner does; the links of its page. A file is fetched, not shown."""
    try:
        page.goto(address, wait_until="load")
    except Error as error:
        if "Download" not in str(error) and "ERR_ABORTED" not in str(error):
            raise
        return set()
    return links(site, page.content(), address)
