"""Nothing that was typed is in a confirmation mail: of all hostile texts one set of bytes."""

import json
import re
from collections.abc import Iterator
from email.message import EmailMessage
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.reading_house import Reading, read, reading_house
from support.sizes import sized

from service.flows.subscribe import read_wish, request
from service.store import instance as instance_store

ALIKE = re.compile(
    rb"|".join(
        (
            rb"/(?:confirm|never)/[\w.~=\r\n-]+",  # tokens, also where a line is folded
            rb"(?im:^(?:message-id|date|to):[^\r\n]*(?:\r\n[ \t][^\r\n]*)*)",
            rb"==============+\d+==",
            rb"\bboundary=\S+",
            rb"r\d+@uni\.example",
        )
    )
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reading]:
    with reading_house(tmp_path_factory.mktemp("house"), papers=False) as made:
        # the caps are shown elsewhere; here they would stop them all
        for name in ("network_an_hour", "signups_an_hour"):
            made.rt.db.write(
                lambda s, n=name: instance_store.set_setting(s, n, "100000")  # type: ignore[misc]
            )
        yield made


def bare(data: bytes) -> bytes:
    """The bytes of a mail without what must differ; decoded, so that folding cannot hide it."""
    mail = read(data)
    parts = [mail, *(part for part in mail.walk() if part is not mail)]
    shown = b"\n".join(_plain(part) for part in parts)
    return ALIKE.sub(b"*", shown)


def _plain(part: EmailMessage) -> bytes:
    heads = "\r\n".join(f"{name}: {value}" for name, value in part.items()) + "\r\n"
    body = b"" if part.is_multipart() else part.get_payload(decode=True)
    assert isinstance(body, bytes)
    return heads.encode() + b"\r\n" + body


def asked(house: Reading, number: int, words: str) -> bool:
    """Ask by the flow that the form calls; what cannot be read as words is refused."""
    form = {"email": f"r{number}@uni.example", "hour": "8", "zone": "UTC", "locale": "en"}
    wish, errors = read_wish(house.rt, words=words, **form)
    assert (wish is None) == bool(errors)
    if wish is not None:
        request(house.rt, wish, network="198.51.100.7", agent=words)
    return wish is not None


def mailed(house: Reading) -> set[bytes]:
    """Send what waits; the different mails there are, without what must differ."""
    start = len(house.smtp.accepted)
    house.send()
    return {bare(one.data) for one in house.smtp.accepted[start:]}


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_all_hostile_texts_make_one_mail(house: Reading, shared: Path) -> None:
    texts = json.loads((shared / "strings" / "blns.json").read_text("utf-8"))
    texts += ["\r\nBcc: all@uni.example", "http://evil.example", "=?utf-8?q?x?=", "%s{{7*7}}"]
    hostile = [f"{text} {n}" for n in range(sized(1, 3)) for text in texts]
    for number, text in enumerate(hostile):
        if not asked(house, number, text):  # once more as a phrase that can be read
            quoted = re.sub(r'["\x00]', "", text)[:200]
            assert asked(house, number, f'"{quoted} adapters"') or text
    found = mailed(house)
    assert len(hostile) >= 500
    assert len(house.smtp.accepted) >= 0.99 * len(hostile)
    assert len(found) == 1
    only = next(iter(found))
    assert b"Confirm your subscription" in only
    for marker in (b"Bcc", b"evil", b"adapters", b"@uni.example"):
        assert marker not in only


def test_the_form_and_the_flow_make_the_same_mail(house: Reading) -> None:
    for number, words in enumerate(("<script>alert(1)</script>", "名前, ünïcode", "")):
        form = {"email": f"r{2000 + number}@uni.example", "words": words, "name": words}
        assert house.client.post("/", data=form).status_code == 200
    asked(house, 2100, "adapters")
    assert len(mailed(house)) == 1


@pytest.mark.slow  # a second or more
def test_whatever_is_typed(house: Reading, quick: bool) -> None:
    numbers = count(5000)

    @settings(max_examples=15 if quick else 80)
    @given(st.text(max_size=80))
    def ask(words: str) -> None:
        asked(house, next(numbers), words)

    ask()
    asked(house, 4999, "adapters")
    assert len(mailed(house)) == 1


def test_the_comparison_would_see_a_difference(house: Reading) -> None:
    asked(house, 3000, "adapters")
    house.send()
    data = house.smtp.accepted[-1].data
    assert bare(data) != bare(data.replace(b"Someone", b"Mallory"))
