"""Other programs read our mails as they were rendered. All kinds, in all languages, with naughty
words; 5,000 mails of real readers and a third program: bench/campaigns/parsers.py."""

import re
import warnings
from datetime import UTC, date, datetime

import pytest
from support.digests import everything, frame, site
from support.mail_reading import (
    bad_bytes,
    by_mail_parser,
    by_python,
    differing,
    in_order,
    same_words,
)
from support.real_mails import Taken, other_mails

from service.delivery import template_samples
from service.delivery.i18n import Catalogs
from service.delivery.message import build
from service.delivery.render import Renderer
from service.flows.letter import share_sign
from service.resources import resource_dir

TEMPLATES = resource_dir("templates")
RENDERER = Renderer([TEMPLATES], Catalogs.load(TEMPLATES / "locale"), site())
WORDS = (
    "a\r\nBcc: victim@example.com",
    "\u202eright to left\u2029over",
    "\x00\x0b\x85 " + "x" * 1100,
    "Ω≈ç√∫˜µ≤≥÷ åß∂ƒ©˙∆˚¬…æ",
    "=?utf-8?q?=41?= and =41",
    "ÅÍÎÏ˝ÓÔ\ud800ÒÚÆ☃ 社會科學院語學研究所",
)


def mails() -> list[Taken]:
    found = list(other_mails(RENDERER, date(2026, 11, 20), WORDS))
    for kind in ("digest", "alert"):
        for language in RENDERER.catalogs.languages:
            for sample in template_samples.samples(kind, RENDERER.site.base_url):
                assert sample.digest is not None
                found.append(_digest(f"{kind}-{sample.name}", sample.digest, language))
    found += [_digest("naughty", everything(word), "de") for word in WORDS]
    return found


def _digest(name: str, digest: object, language: str) -> Taken:
    made = RENDERER.render_digest(digest, frame(locale=language))  # type: ignore[arg-type]
    message = build(
        made,
        sender="papers@example.org",
        sender_name="Bücher, Papers & Co",
        recipient="reader@example.org",
        message_id=f"<{name}-{language}@example.org>",
        date=datetime(2026, 11, 20, 8, tzinfo=UTC),
        reply_to="papers@example.org",
        list_id="<papers.example.org>",
        unsubscribe_url=f"https://papers.example.org/u/{'k' * 120}",
        help_url="https://papers.example.org/about",
        feedback_id="1:digest:paperpost",
    )
    return Taken(f"{name}-{language}", message, True, made)


@pytest.fixture(scope="module")
def made() -> list[Taken]:
    return mails()


def test_mails_keep_the_rules_of_the_wire(made: list[Taken]) -> None:
    broken = {mail.name: list(bad_bytes(mail.message, of_list=mail.of_list)) for mail in made}
    assert {name: faults for name, faults in broken.items() if faults} == {}
    assert len(made) > 40


def test_python_reads_what_was_rendered(made: list[Taken]) -> None:
    for mail in made:
        found = by_python(mail.message)
        assert mail.made is not None
        assert in_order(found), mail.name
        changed = same_words(found, mail.made.subject, mail.made.text, mail.made.html)
        assert changed == [], mail.name


def test_mail_parser_reads_the_same(made: list[Taken]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own
        for mail in made:
            apart = differing(by_python(mail.message), by_mail_parser(mail.message))
            assert apart == [], mail.name


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (b"\r\nDate:", b"\nDate:", "a line break that is not CRLF"),
        (b"\r\nDate:", b"\r\nSubject: twice\r\nDate:", "subject 2 times"),
        (b"List-Unsubscribe: <", b"List-Unsubscribe: =?utf-8?q?<", "is no plain link"),
        (b"List-Unsubscribe: <", b"List-Unsubscribe:\r\n <", "is no plain link"),
        (b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n", b"", "no one-click"),
        (b"\r\n\r\n", b"\r\n\r\n" + b"x" * 999 + b"\r\n", "a line of 999 bytes"),
        (b"\r\n\r\n", b"\r\n\r\n\xc3\xa4", "a byte beyond ASCII"),
        (b"Message-ID:", b"X-Id:", "no message-id"),
    ],
    ids=["break", "twice", "encoded", "folded", "no click", "long line", "letter", "no id"],
)
def test_the_rules_find_what_breaks_them(
    made: list[Taken], old: bytes, new: bytes, fault: str
) -> None:
    mail = next(mail for mail in made if mail.name.startswith("digest"))
    broken = mail.message.replace(old, new, 1)
    assert broken != mail.message
    assert any(fault in told for told in bad_bytes(broken, of_list=True))


def test_no_name_in_a_link_reads_like_a_wallet() -> None:
    """SpamAssassin's __BITCOIN_ID: a point for whatever looks like the address of one."""
    wallet = re.compile(r"\b(?<!=)[13][a-km-zA-HJ-NP-Z1-9]{29,34}\b")
    assert wallet.search(f"/d/7-{'3' * 32} ")
    assert not [n for n in range(500) if wallet.search(f"/d/{n}-{share_sign(str(n))} ")]


def test_the_readings_are_compared(made: list[Taken]) -> None:
    one, other = (by_python(mail.message) for mail in made[:2])
    assert {"subject", "message_id", "text", "html"} <= set(differing(one, other))
