"""SPF, DKIM and DMARC of a sender, judged from records."""

import asyncio
from dataclasses import replace
from datetime import date, timedelta

import pytest

from service.delivery.dkim import DkimKeys, Key
from service.delivery.dns import Found, RecordFile
from service.delivery.sender_records import dkim, dmarc, look, spf

US = "papers.uni.example"
TODAY = date(2026, 11, 22)
KEY = Key(
    selector="m1", file="m1.pem", algorithm="rsa-sha256", since=date.min, public="MIIB",
    bits=2048, private=b"",
)  # fmt: skip
SHORT = Key(
    selector="m1", file="m1.pem", algorithm="rsa-sha256", since=date.min, public="MIIB",
    bits=1024, private=b"",
)  # fmt: skip
RECORD = "v=DKIM1; k=rsa; p=MIIB"


def asking(records):
    """A DNS of these records; None = it does not answer."""

    async def ask(name):
        found = records.get(name, ())
        if found is None:
            return Found(failed="timed out")
        return Found(tuple(found), missing=not found)

    return ask


@pytest.mark.parametrize(
    ("records", "level", "says"),
    [
        ({US: ["v=spf1 ip4:192.0.2.0/24 -all"]}, "ok", "0 of 10 look-ups"),
        ({US: ["v=spf1 a mx ~all", "google-site=x"]}, "ok", "2 of 10 look-ups"),
        ({US: ["v=spf1 redirect=b"], "b": ["v=spf1 a -all"]}, "ok", "2 of 10"),
        ({}, "warn", "does not say who may send"),
        ({US: ["v=spf1x all"]}, "warn", "does not say who may send"),
        ({US: ["v=spf1 -all", "v=spf1 a -all"]}, "fail", "2 SPF records"),
        ({US: ["v=spf1 +all"]}, "warn", "everybody"),
        ({US: ["v=spf1 all"]}, "warn", "everybody"),
        ({US: ["v=spf1 a"]}, "warn", "forbids nobody"),
        ({US: ["v=spf1 ipv4:192.0.2.1 -all"]}, "fail", "no term of SPF"),
        ({US: ["v=spf1 include:gone.example -all"]}, "fail", "which has no SPF record"),
        ({US: [f"v=spf1 include:{US} -all"]}, "fail", "includes itself"),
        ({US: ["v=spf1 " + "a " * 11 + "-all"]}, "fail", "11 times"),
        (
            {US: ["v=spf1 include:b include:c -all"], "b": ["v=spf1 " + "mx " * 5],
             "c": ["v=spf1 " + "a:x " * 4]},
            "fail", "11 times",
        ),
        ({US: ["v=spf1 include:%{d}.spf.example -all"]}, "ok", "1 of 10"),
        ({US: None}, "warn", "did not answer (timed out)"),
    ],
)  # fmt: skip
def test_spf(records, level, says):
    found = asyncio.run(spf(asking(records), US))
    assert (found.name, found.level) == ("SPF", level)
    assert says in found.says
    assert bool(found.next_step) == (level != "ok")


@pytest.mark.parametrize(
    ("record", "level", "says"),
    [
        (RECORD, "ok", "2,048 bits"),
        ("k=rsa; p=MI IB", "ok", "the key of m1.pem"),
        ("p=MIIB; h=sha1:sha256; t=s", "ok", "rsa"),
        ("v=DKIM1; p=OTHER", "fail", "another key"),
        ("v=DKIM1; k=ed25519; p=MIIB", "fail", "another key"),
        ("v=DKIM1; p=", "fail", "withdrawn"),
        ("v=DKIM2; p=MIIB", "fail", "no DKIM record"),
        ("hello", "fail", "no DKIM record"),
        (RECORD + "; h=sha1", "fail", "SHA-256"),
        (RECORD + "; t=y:s", "warn", "only testing"),
        ("", "fail", "no record"),
    ],
)
def test_dkim(record, level, says):
    ask = asking({f"m1._domainkey.{US}": [record] if record else []})
    found = asyncio.run(dkim(ask, KEY, US))
    assert (found.name, found.level) == ("DKIM", level)
    assert says in found.says
    if level == "fail" and "SHA" not in says:
        assert RECORD in found.next_step, "what to publish is said whole"


def test_a_short_key_is_told():
    found = asyncio.run(dkim(asking({f"m1._domainkey.{US}": [RECORD]}), SHORT, US))
    assert (found.level, "1,024 bits" in found.says) == ("warn", True)


@pytest.mark.parametrize(
    ("records", "envelope", "level", "says"),
    [
        ({f"_dmarc.{US}": ["v=DMARC1; p=reject"]}, US, "ok", "refused (p=reject)"),
        ({"_dmarc.uni.example": ["v=DMARC1; p=none; sp=quarantine"]}, US, "ok", "put aside"),
        ({"_dmarc.uni.example": ["v=DMARC1; p=none"]}, US, "ok", "let through"),
        ({"_dmarc.example": ["v=DMARC1; p=none"]}, US, "warn", "no DMARC record"),
        ({}, US, "warn", "no DMARC record"),
        ({f"_dmarc.{US}": ["v=DMARC1; p=none", "v=DMARC1; p=none"]}, US, "fail", "2 records"),
        ({f"_dmarc.{US}": ["v=DMARC1; p=maybe"]}, US, "fail", "no policy"),
        ({f"_dmarc.{US}": ["v=DMARC1; p=none"]}, "bounce.uni.example", "ok", "p=none"),
        ({f"_dmarc.{US}": ["v=DMARC1; p=none; aspf=s"]}, "uni.example", "warn", "SPF cannot"),
        ({f"_dmarc.{US}": ["v=DMARC1; p=none"]}, "esp.example", "warn", "SPF cannot"),
        ({f"_dmarc.{US}": None}, US, "warn", "did not answer"),
    ],
)
def test_dmarc(records, envelope, level, says):
    found = asyncio.run(dmarc(asking(records), US, envelope))
    assert (found.name, found.level) == ("DMARC", level)
    assert says in found.says


def test_every_key_is_looked_at_and_without_keys_the_relay_is_said_to_sign():
    keys = DkimKeys("uni.example", [KEY, SHORT])
    found = asyncio.run(look(asking({}), US, US, keys, TODAY))
    assert [one.name for one in found] == ["SPF", "DKIM", "DKIM", "DMARC"]
    found = asyncio.run(look(asking({}), US, US, None, TODAY))
    assert [(one.name, one.level) for one in found][1] == ("DKIM", "ok")


def test_a_key_of_tomorrow_fails_nothing_today():
    """Rotation: its record is to be there before the day; until then it signs nothing."""
    coming = replace(KEY, selector="m2", since=TODAY + timedelta(days=30))

    def levels(keys, on):
        found = asyncio.run(look(asking({}), US, US, DkimKeys("uni.example", keys), on))
        return [one.level for one in found if one.name == "DKIM"], found[-2].says

    assert levels([KEY, coming], TODAY)[0] == ["fail", "warn"]
    assert f"it signs from {coming.since} on" in levels([KEY, coming], TODAY)[1]
    assert levels([KEY, coming], coming.since)[0] == ["fail", "fail"]
    assert levels([coming], TODAY)[0] == ["fail"]  # the only one signs at once


def test_records_of_a_file_are_those_of_the_dns():
    long = '"v=DKIM1; k=rsa; " "p=MIIB"'
    file = RecordFile(f'{US}. TXT "v=spf1 -all"\nm1._domainkey.{US} 300 IN TXT {long}\n; a note\n')
    assert asyncio.run(file.txt(US.upper())).records == ("v=spf1 -all",)
    assert asyncio.run(file.txt(f"m1._domainkey.{US}")).records == (RECORD,)
    assert asyncio.run(file.txt("gone.example")).missing
    with pytest.raises(ValueError):
        RecordFile("what is this\n")
