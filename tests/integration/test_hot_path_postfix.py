"""The hot path with a real Postfix that is strict about pipelining and bare line ends."""

import asyncio
import re
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from support.storm import postfix

from service.delivery.outcome import Accepted, Envelope, Outcome, Refused
from service.delivery.smtp import Mailer, Relay, Timeouts

pytestmark = [pytest.mark.slow]

STRICT = """\
smtpd_data_restrictions = reject_unauth_pipelining
smtpd_end_of_data_restrictions = reject_unauth_pipelining
smtpd_forbid_unauth_pipelining = yes
smtpd_forbid_bare_newline = reject
message_size_limit = 200000
smtpd_recipient_restrictions = check_recipient_access inline:{{ bad@example.org = 550 5.1.1 gone }},
    permit_mynetworks, reject
"""
MAILS = 200


def envelope(n: int) -> Envelope:
    to = "bad@example.org" if n % 20 == 7 else f"u{n}@example.org"
    text = ".dots\n..\r\n.\r\nlong " + "x" * 900 + "\r" + "=\r\n" * (n * 131 % 9000)
    message = f"Message-ID: <m{n}@example.org>\r\nSubject: x\r\n\r\n{text}".encode()
    return Envelope("papers@example.org", to, message if n % 20 != 11 else message + b"y" * 210_000)


async def yes() -> bool:
    return True


def test_a_strict_postfix_takes_all_without_a_word_of_complaint() -> None:
    with tempfile.TemporaryDirectory(prefix="paperpost-hot-") as made:
        folder = Path(made)
        folder.chmod(0o755)
        with postfix.sink(folder) as (sink, dumps):
            relay = postfix.Postfix(folder / "postfix", sink)
            with (relay.config / "main.cf").open("a") as settings:
                settings.write(STRICT)
            relay.start()
            try:
                outcomes = asyncio.run(sent(relay.port))
                log = relay.log.read_text()
            finally:
                relay.stop()
            del dumps
    kinds = Counter(type(one).__name__ for one in outcomes)
    assert kinds == {"Accepted": MAILS * 18 // 20, "Refused": MAILS * 2 // 20}
    refused = {(o.phase, o.reply.enhanced) for o in outcomes if isinstance(o, Refused)}
    assert refused == {("rcpt", "5.1.1"), ("mail", "5.3.4")}
    assert not re.findall(r"improper|bare <LF>|lost connection after [^C]|too many errors", log)
    took = re.findall(r"message-id=<(m\d+)@example\.org>", log)
    assert sorted(took) == sorted(f"m{n}" for n in range(MAILS) if n % 20 not in (7, 11))
    assert len(re.findall(r"smtpd\[\d+\]: connect from", log)) <= 5  # and the look at the start


async def sent(port: int) -> list[Outcome]:
    times = Timeouts(connect=20, command=20, data=20, reply=30)
    relay = Relay(host="127.0.0.1", port=port, local_hostname="me.example")
    mailer = Mailer(relay, connections=4, per_connection=1000, timeouts=times)
    outcomes = await asyncio.gather(*(mailer.deliver(envelope(n), yes) for n in range(MAILS)))
    assert all(isinstance(one, Accepted | Refused) for one in outcomes)
    await mailer.aclose()
    return list(outcomes)
