"""Where domains receive their mail: asked of a server on loopback, kept for all processes."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select
from support.dns_stub import DnsStub
from support.house import Clock, add, ingest_items, open_house, paper_item

from service.delivery.dns import Found, Resolver
from service.errors import SettingError
from service.flows.daily import plan_daily
from service.flows.routes import Learning, learn_routes
from service.flows.runtime import Runtime
from service.settings import load_settings
from service.store.house_tables import PaceRow
from service.store.routes import domains_of, forget_routes, groups_of
from service.wiring import resolver_of

RECORDS = {
    ("a.example", "MX"): ["20 mx2.mail.example.", "10 MX1.Mail.Example."],
    ("b.example", "MX"): ["5 in.mail.example."],
    ("none.example", "MX"): ["0 ."],
    ("host.example", "A"): ["127.0.0.1"],
    ("fails.example", "MX"): "fail",
    ("silent.example", "MX"): "hang",
    ("a.example", "TXT"): ['"v=spf1 " "-all"', '"other"'],
}


@pytest.fixture
def stub() -> Iterator[DnsStub]:
    with DnsStub(RECORDS) as made:
        yield made


def mx(stub: DnsStub, name: str) -> Found:
    return asyncio.run(Resolver([stub.server], seconds=0.3).mx(name))


def test_what_a_server_says(stub):
    assert mx(stub, "a.example").records == ("10 mx1.mail.example", "20 mx2.mail.example")
    assert mx(stub, "none.example") == Found(missing=True)
    assert mx(stub, "host.example") == Found(missing=True)
    assert mx(stub, "nobody.example") == Found(missing=True)
    found = asyncio.run(Resolver([stub.server]).txt("a.example"))
    assert found.records == ("other", "v=spf1 -all")


@pytest.mark.parametrize("name", ["fails.example", "silent.example", "a..example", "x" * 70])
def test_what_nobody_can_say_is_said(stub, name):
    found = mx(stub, name)
    assert found.failed
    assert not found.records
    assert not found.missing


def mailed(rt: Runtime, folder: Path, *domains: str) -> None:
    ingest_items(rt, folder, [paper_item(1, "Sparse attention")])
    for domain in domains:
        add(rt, f"r@{domain}")
    plan_daily(rt)


def groups(rt: Runtime, *domains: str) -> dict[str, str]:
    return rt.db.read(lambda s: groups_of(s, domains))


@pytest.mark.slow
def test_domains_of_one_service_are_one_group(stub, tmp_path):
    clock = Clock()
    with open_house(tmp_path, clock=clock, nameserver=stub.server) as house:
        rt = house.runtime
        domains = ("a.example", "b.example", "none.example", "fails.example")
        mailed(rt, tmp_path, *domains)
        assert asyncio.run(learn_routes(rt)) == 4
        assert groups(rt, *domains, "never.example") == {
            "a.example": "mail.example",
            "b.example": "mail.example",
            "none.example": "none.example",
            "fails.example": "fails.example",
            "never.example": "never.example",
        }
        assert rt.db.read(lambda s: domains_of(s, ["mail.example"])) == {
            "a.example",
            "b.example",
            "mail.example",
        }
        asked = len(stub.asked)
        assert asyncio.run(learn_routes(rt)) == 0
        clock.go(hours=2)
        assert asyncio.run(learn_routes(rt)) == 1  # the one that failed
        assert {name for name, _ in stub.asked[asked:]} == {"fails.example"}
        # what was known stays when nobody answers later
        stub.records[("a.example", "MX")] = "fail"
        clock.go(days=8)
        asyncio.run(learn_routes(rt))
        assert rt.db.read(lambda s: groups_of(s, ["a.example"]))["a.example"] == "mail.example"
        assert rt.db.write(lambda s: forget_routes(s, clock() - timedelta(days=1))) == 0
        assert rt.db.write(lambda s: forget_routes(s, clock() + timedelta(days=1))) == 4


def test_tests_ask_no_server_of_this_machine():
    found = asyncio.run(Resolver().mx("a.example"))
    assert found == Found(failed="tests ask a stub on loopback alone")


@pytest.mark.slow
def test_an_installation_on_this_machine_asks_nobody(stub, tmp_path):
    with open_house(tmp_path, nameserver=None) as house:
        rt = house.runtime
        assert rt.dns is None
        mailed(rt, tmp_path, "a.example")
        assert asyncio.run(learn_routes(rt)) == 0
        assert (
            rt.db.read(lambda s: s.exec(select(PaceRow).where(PaceRow.scope == "mx")).all()) == []
        )
    assert stub.asked == []


@pytest.mark.parametrize(
    ("base_url", "nameserver", "servers"),
    [
        ("http://127.0.0.1:8000", None, None),
        ("http://127.0.0.1:8000", "127.0.0.1:5353", (("127.0.0.1", 5353),)),
        ("https://papers.example.org", None, ()),
        ("https://papers.example.org", "none", None),
        ("https://papers.example.org", "192.0.2.1, [::1]:54", (("192.0.2.1", 53), ("::1", 54))),
    ],
)
def test_who_is_asked(tmp_path, base_url, nameserver, servers):
    settings = load_settings(
        None, data_dir=tmp_path, base_url=base_url, nameserver=nameserver, secret_key="x" * 20,
        smtp_url="smtp://127.0.0.1:9",
    )  # fmt: skip
    found = resolver_of(settings)
    assert (None if found is None else found.servers) == servers


@pytest.mark.parametrize("text", ["ns.example.org", "192.0.2.1:port", "192.0.2.1:0", "1:2:3"])
def test_a_server_that_is_no_address_is_refused(tmp_path, text):
    settings = load_settings(None, data_dir=tmp_path, nameserver=text)
    with pytest.raises(SettingError) as refused:
        resolver_of(settings)
    assert refused.value.where == "PAPERPOST_NAMESERVER"


@pytest.mark.slow
def test_looking_up_ends_with_the_run(stub, tmp_path):
    with open_house(tmp_path, nameserver=stub.server) as house:
        rt = house.runtime
        mailed(rt, tmp_path, "a.example", "silent.example")
        said = []
        rt.log = lambda event, **facts: said.append(event)

        async def run() -> None:
            learning = Learning(rt)
            learning.begin()
            for _ in range(300):
                if rt.db.read(lambda s: groups_of(s, ["a.example"]))["a.example"] != "a.example":
                    break
                await asyncio.sleep(0.01)
            await learning.aclose()

        asyncio.run(run())
        assert groups(rt, "a.example")["a.example"] == "mail.example"
        assert said == []
