"""Floods of sign-ups over real HTTP and SMTP on loopback, under a clock that is set by hand.

Run from the checkout: ``make floods`` (``ARGS=300``: so many requests in place of 10,000). Three
floods, each in a house of its own, with people who sign up meanwhile:

- *one victim*: from 1,000 addresses (each its own network), a third of the requests with plus-tags
  or dots in the address, for an hour;
- *one attacker*: so many victims from one address, for an hour;
- *one room*: 60 students behind one address, in five minutes.

Told are the mails that the relay took, by hour and by person, and when people were served.
``tests/integration/test_floods.py`` plays the same with hundreds.
"""

import asyncio
import http.client
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from support.house import Clock, open_house
from support.reader_site import serving
from support.smtp_server import SmtpServer

from service import log
from service.app import make_app
from service.flows.runtime import Runtime
from service.flows.send import send_ready
from service.settings import load_settings

MANY = 10_000
HOURS_AFTER = 26
"""How long mails are waited for when the flood is over."""


class _Asleep:
    """Stands where the engine is: the campaign says when mails go."""

    def enqueue(self, task: str, ids: tuple[int, ...] = (), *, priority: int = 5) -> None:
        """Do nothing."""


@dataclass
class Site:
    """The application on loopback, behind a proxy that names each client."""

    rt: Runtime
    clock: Clock
    smtp: SmtpServer
    line: http.client.HTTPConnection
    answers: Counter[str] = field(default_factory=Counter)
    mailed: list[tuple[str, datetime]] = field(default_factory=list)

    def ask(self, email: str, client: str) -> None:
        """Send the form as a browser does, a second after it was opened."""
        body = urlencode({"email": email, "words": "adapters", "hour": "08", "zone": "UTC"})
        head = {"Content-Type": "application/x-www-form-urlencoded", "X-Forwarded-For": client}
        self.line.request("POST", "/", body, head)
        answer = self.line.getresponse()
        text = answer.read().decode()
        known = ("within the hour", "within ", "Very many requests")
        said = next((words for words in known if words in text), "at once")
        self.answers[f"{answer.status} {said.strip()}"] += 1

    def send(self) -> None:
        """Hand over what may go now."""
        before = len(self.smtp.accepted)
        asyncio.run(send_ready(self.rt))
        self.mailed += [(one.recipient, self.clock()) for one in self.smtp.accepted[before:]]

    def wait(self, hours: float, step_minutes: int = 10) -> None:
        """Let the time go by."""
        for _ in range(int(hours * 60 / step_minutes)):
            self.clock.go(minutes=step_minutes)
            self.send()


@contextmanager
def site() -> Iterator[Site]:
    """An empty house, served."""
    with tempfile.TemporaryDirectory() as folder, SmtpServer() as smtp:
        clock = Clock()
        with open_house(
            Path(folder), smtp_port=smtp.port, clock=clock, trusted_proxies="127.0.0.1"
        ) as house:
            house.runtime.engine = _Asleep()
            settings = load_settings(None, data_dir=Path(folder), trusted_proxies="127.0.0.1")
            with serving(make_app(house.runtime, settings)) as address:
                line = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
                yield Site(house.runtime, clock, smtp, line)
                line.close()


def variant(number: int) -> str:
    """The victim's address as somebody may write it: every third with a tag or dots."""
    match number % 6:
        case 0:
            return f"v.ictim+{number}@uni.example"
        case 3:
            return f"vic.tim+x{number}@uni.example"
    return "victim@uni.example"


def person(number: int) -> tuple[str, str]:
    """Somebody who wants the mail, and their network."""
    return f"person{number}@uni.example", f"198.18.{number}.7"


def played(
    requests: list[tuple[str, str]], people: int, over: timedelta, hours_after: int = HOURS_AFTER
) -> dict[str, object]:
    """Send the requests evenly over a time, with people among them; what came of it."""
    with site() as made:
        start, step = made.clock(), over / len(requests)
        asked: dict[str, datetime] = {}
        every = max(1, len(requests) // (people + 1))
        next_send = start
        for number, (email, client) in enumerate(requests):
            made.clock.at = start + number * step
            made.ask(email, client)
            if number % every == every - 1 and len(asked) < people:
                who, where = person(len(asked))
                asked[who] = made.clock()
                made.ask(who, where)
            if made.clock() >= next_send:
                made.send()
                next_send = made.clock() + timedelta(minutes=1)
        made.send()
        made.wait(hours_after)
        waits = {
            who: min(
                ((at - asked[who]).total_seconds() / 60 for to, at in made.mailed if to == who),
                default=None,
            )
            for who in asked
        }
        others = [(to, at) for to, at in made.mailed if to not in asked]
        by_hour = Counter(int((at - start).total_seconds() // 3600) for _, at in others)
        by_person = Counter(to for to, _ in others)
        by_box = Counter(
            to.partition("@")[0].partition("+")[0].replace(".", "") for to, _ in others
        )
        served = [wait for wait in waits.values() if wait is not None]
        own = dict(reversed(others))
        late = [
            (own[email] - (start + number * step)).total_seconds() / 60
            for number, (email, _) in enumerate(requests)
            if email in own
        ]
        return {
            "requests": len(requests),
            "answers": dict(made.answers),
            "mails": len(others),
            "mails_in_the_first_24_hours": sum(at < start + timedelta(days=1) for _, at in others),
            "most_to_one_mailbox": max(by_box.values(), default=0),
            "most_to_one_address": max(by_person.values(), default=0),
            "mails_by_hour": {str(hour): by_hour[hour] for hour in sorted(by_hour)},
            "people": len(asked),
            "people_served": len(served),
            "people_served_after_minutes": _spread(served),
            "requests_mailed_after_minutes": _spread(late) if len(by_person) > 1 else {},
        }


def _spread(minutes: list[float]) -> dict[str, float]:
    """Median and longest."""
    if not minutes:
        return {}
    ranked = sorted(minutes)
    return {"median": round(ranked[len(ranked) // 2], 1), "longest": round(ranked[-1], 1)}


def one_victim(many: int, people: int = 20, hours_after: int = HOURS_AFTER) -> dict[str, object]:
    """Many requests for one mailbox, from a tenth as many networks."""
    networks = max(1, many // 10)
    requests = [
        (variant(n), f"10.{n % networks // 250}.{n % networks % 250}.9") for n in range(many)
    ]
    return played(requests, people, timedelta(hours=1), hours_after)


def one_attacker(many: int, people: int = 20, hours_after: int = HOURS_AFTER) -> dict[str, object]:
    """As many victims, from one address."""
    requests = [(f"victim{n}@uni.example", "203.0.113.5") for n in range(many)]
    return played(requests, people, timedelta(hours=1), hours_after)


def one_room(students: int = 60, hours_after: int = HOURS_AFTER) -> dict[str, object]:
    """A seminar room: everybody signs up in the same five minutes."""
    requests = [(f"student{n}@uni.example", "203.0.113.5") for n in range(students)]
    return played(requests, 5, timedelta(minutes=5), hours_after)


def main() -> None:
    """Play all three, tell and keep."""
    from bench.campaigns.sweep import head
    from bench.captured.papers import RESULTS
    from bench.measured.process import keep, machine

    log.set_up("text", quiet=True)
    many = int(sys.argv[1]) if len(sys.argv) > 1 else MANY
    result: dict[str, object] = {
        "what": "mails that strangers can have sent, and people who sign up meanwhile",
        "command": "make floods" + (f" ARGS={many}" if many != MANY else ""),
        "on": date.today().isoformat(),
        "commit": head(),
        "machine": machine(),
    }
    for name, flood in (
        ("one_victim", lambda: one_victim(many)),
        ("one_attacker", lambda: one_attacker(many)),
        ("one_room", one_room),
    ):
        result[name] = flood()
        print(name, result[name], flush=True)
    if many == MANY:
        keep(RESULTS / "floods.json", result)


if __name__ == "__main__":
    main()
