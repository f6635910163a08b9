"""Every mail of the gallery, as the relay took it: sign-up, ingest, matching, composing, rendering
and SMTP are the product's own. Report and alarm, which go to staff, are rendered."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, cast

from support.gallery_house import Scene, scene
from support.house import rows

from service import log
from service.delivery import i18n
from service.delivery.frame import Rendered
from service.flows import manual
from service.flows.address import ask_address, change_address
from service.flows.alerts import plan_alerts
from service.flows.begin import confirm
from service.flows.browse import read_day
from service.flows.daily import plan_daily
from service.flows.interests import InterestChange, add_one_more, read_kind
from service.flows.letter import bytes_of
from service.flows.manage_link import manage_token
from service.flows.note import set_note
from service.flows.notice import add_notice
from service.flows.own_link import ask_link
from service.flows.picks import set_picks
from service.flows.quiet import plan_quiet
from service.flows.readers import add_reader, read_new
from service.flows.send import send_ready
from service.flows.subscribe import read_wish, request
from service.store.editions import get_edition
from service.store.subscribers import get_subscriber_row
from service.subscribers.model import DAYS, Cadence

RIGHT_TO_LEFT = i18n.MIRRORED
DIGESTS = (
    *("daily", "daily-german", "daily-right-to-left", "daily-picks"),
    *("weekly", "catch-up", "trending", "quiet"),
)
"""The readers whom the clock mails; each gives its name to the mail of the last day."""

LETTER = """The reading group meets on **Thursday at 16:00**, room 2.14.

- We read the first two papers of this week's list.
- Bring one question each.

> Who wants to present in July writes to us.

[The list so far](https://library.example.org/reading-group)
"""


def address(name: str) -> str:
    """Where the gallery's reader of a name gets mail."""
    return f"{name}@readers.example.org"


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail: its name in the gallery, and what a reader's program shows of it."""

    name: str
    subject: str
    html: str
    text: str


def make_mails(folder: Path, *, captured: bool) -> dict[str, Mail]:
    """Every mail by its name."""
    log.set_up("text", quiet=True)
    with scene(folder, captured=captured) as house:
        made = _Week(house).mails()
    with scene(folder, captured=captured, thumbnails=True) as house:
        made["trending-thumbnails"] = _with_pictures(house)
    return made


def _with_pictures(house: Scene) -> Mail:
    """The newest trending papers once more, as sent where papers are shown with pictures."""
    house.morning(house.days[-1], 10)
    row = [
        r
        for r in rows(house.rt, "digest")
        if r.rcpt == address("trending") and r.state == "accepted"
    ][-1]
    edition, reader = house.rt.db.read(
        lambda s: (get_edition(s, id=row.edition_id), get_subscriber_row(s, id=row.subscriber_id))
    )
    assert edition is not None
    return _read("trending-thumbnails", bytes_of(house.rt, row, edition, reader))


def _read(name: str, message: bytes) -> Mail:
    mail = cast(EmailMessage, message_from_bytes(message, policy=default))
    parts = (mail.get_body((kind,)) for kind in ("html", "plain"))
    html, text = (cast(str, part.get_content()) if part is not None else "" for part in parts)
    return Mail(name, str(mail["Subject"]), html, text)


class _Week:
    """Eight days of one house, and the mails that its readers got on the last one."""

    def __init__(self, made: Scene) -> None:
        self.scene, self.rt = made, made.rt
        self.found: dict[str, Mail] = {}

    def mails(self) -> dict[str, Mail]:
        days, today = self.scene.days, self.scene.days[-1]
        self._readers()
        for on in days[:-1]:
            self.scene.take(on)
            self._daily(on, self._out_on(on))
        self._newcomers()
        self.scene.take(today)
        self._daily(today)
        self._others(today)
        self._rendered(today)
        return self.found

    # ---- who reads ----

    def _readers(self) -> None:
        words, people = self.scene.words, self.scene.people
        languages = {"daily": "en", "daily-german": "de", "daily-right-to-left": RIGHT_TO_LEFT}
        for name, locale in languages.items():
            reader = self._add(name, words["robots"], language=locale, late_news="yes")
            self._also(reader, words["tuning"], signals=True)
            self._also(reader, people, kind="follow")
        self._add("daily-picks", words["robots"], picks="yes")
        self._add("weekly", words["weekly"], cadence="weekly", weekly_day=DAYS[self._weekday()])
        self._add("catch-up", words["tuning"])
        self._add("trending", "")
        self._add("quiet", words["rare"])
        self._add("newsletter", words["letter"])
        self._add("alert", words["alert"], cadence="instant")

    def _weekday(self) -> int:
        return self.scene.days[-1].weekday()

    def _add(self, name: str, words: str, **cells: str) -> int:
        cells = {"picks": "no", "confirmed": "yes", "tz": "Europe/Zurich", "hour": "8", **cells}
        new = read_new({"email": address(name), "keywords": words, **cells})
        return add_reader(self.rt, new, by="")

    def _also(self, reader: int, text: str, kind: str = "keywords", signals: bool = False) -> None:
        wanted = InterestChange(
            wanted=read_kind(kind, text), cadence=Cadence.DAILY, signals=signals
        )
        self.rt.db.write(
            lambda s: add_one_more(s, reader, wanted, self.rt.clock(), since=None, most=9)
        )

    # ---- the days ----

    def _out_on(self, on: date) -> Collection[str]:
        """Whose mail does not go that day: who missed two days, who reads once a week, and who
        comes later."""
        late = {"catch-up"} if on in self.scene.days[-3:-1] else set()
        return late | {"alert", "weekly", "newsletter"}

    def _daily(self, on: date, left_out: Collection[str] = ()) -> None:
        self.scene.morning(on)
        if not left_out:
            self._edit(on)
        for name in DIGESTS:
            if name not in left_out:
                plan_daily(self.rt, on, email_key=address(name))
        self._send()
        if not left_out:
            for name in set(DIGESTS) - {"quiet"}:
                self._keep(name)

    def _edit(self, on: date) -> None:
        """What an editor writes and picks, for the one reader who wants it."""
        set_note(self.rt, on, "Seminar on Thursday at two. Bring a question.", by="gallery")
        listed = read_day(self.rt, on).papers[:2]
        set_picks(self.rt, on, [str(one.paper.id) for one in listed], by="gallery")

    def _newcomers(self) -> None:
        for name in ("confirm", "first"):
            wish, _ = read_wish(
                self.rt, email=address(name), words=self.scene.words["first"], hour="8",
                zone="Europe/Zurich", locale="en",
            )  # fmt: skip
            assert wish is not None
            request(self.rt, wish)
        self._send()
        self._keep("confirm")

    def _others(self, today: date) -> None:
        rt = self.rt
        self.scene.morning(today, 9)
        self._asked_again()
        ask_link(rt, address("daily"), network="manage-link")
        self._keep("manage-link", "daily", self._send)
        reader = self._row("trending")
        token = manage_token(rt, reader, rt.clock(), fresh=True)
        ask_address(rt, token, address("address-change"))
        self._keep("address-change", run=self._send)
        change_address(rt, self._link("address-change", "/address/"))
        self._keep("address-changed", "trending", self._send)
        plan_quiet(rt)
        self._keep("quiet", run=self._send)
        confirm(rt, self._link("first", "/confirm/"), first_now=True)
        self._keep("first", run=self._send)
        plan_alerts(rt, email_key=address("alert"), forced=True)
        self._keep("alert", run=self._send)
        self._letter()
        key = address("test")
        data = {"relay": "smtp.example.org:587", "on": today.isoformat()}
        rt.db.write(
            lambda s: add_notice(rt, s, "test", email=key, email_key=key, data=data, now=rt.clock())
        )
        self._keep("test", run=self._send)

    def _asked_again(self) -> None:
        wish, _ = read_wish(
            self.rt, email=address("weekly"), words="", hour="8", zone="", locale="en"
        )
        assert wish is not None
        request(self.rt, wish)
        self._keep("already-subscribed", "weekly", self._send)

    def _letter(self) -> None:
        plan = manual.draft(
            self.rt, kind="newsletter", subject="Reading group on Thursday", body=LETTER,
            segment=f"list:{address('newsletter')}", key="letter",
        )  # fmt: skip
        manual.start(self.rt, plan, expected=1, at_once=True)
        self._keep("newsletter", run=self._send)

    def _rendered(self, today: date) -> None:
        """Mails to the staff that no flow sends yet, with the figures of a large day."""
        admin = self.rt.links.admin
        report = {
            "edition": f"Digest of {today.isoformat()}",
            "planned": 35_486,
            "accepted": 35_402,
            "groups": [
                ("handed to the mail server", 35_402),
                ("to be tried again", 61),
                ("refused", 23),
            ],
            "refused": [
                ("The mailbox does not exist", 19, "550 5.1.1 User unknown"),
                ("The mailbox is full", 4, "552 5.2.2 Over quota"),
            ],
            "link": admin("editions/12"),
        }
        alarm = {
            "what": "university.example refuses our mail.",
            "place": "412 mails were refused for a reason that lies with us. The server said: 550"
            " 5.7.1 Our system has detected that this mail is likely unsolicited",
            "next_step": "Mend what the server names: SPF, DKIM, DMARC, our reputation or rate"
            " (paperpost doctor). Mails to it wait; one is tried at 09:40 UTC. Nobody is"
            " suppressed.",
            "since": "2026-11-20 08:10 UTC",
            "ended": "",
            "domain": "university.example",
            "status": "5.7.1",
            "words": "550 5.7.1 Our system has detected that this mail is likely unsolicited",
            "refused": 412,
            "link": admin("editions/12/refused"),
        }
        for kind, data in (("report", report), ("alarm", alarm)):
            self._note(kind, self.rt.renderer.render_notice(kind, data))

    # ---- what came ----

    def _send(self) -> None:
        asyncio.run(send_ready(self.rt))

    def _keep(self, name: str, to: str = "", run: Callable[[], None] | None = None) -> None:
        """The newest mail of a reader, under a name."""
        if run is not None:
            run()
        self.found[name] = _read(name, self._newest(to or name))

    def _note(self, name: str, made: Rendered) -> None:
        self.found[name] = Mail(name, made.subject, made.html, made.text)

    def _newest(self, name: str) -> bytes:
        came = [one.data for one in self.scene.smtp.accepted if one.recipient == address(name)]
        assert came, f"no mail came to {name}"
        return came[-1]

    def _link(self, name: str, part: str) -> str:
        """The token behind a kind of link in the newest mail of somebody."""
        return _read(name, self._newest(name)).text.partition(part)[2].split()[0]

    def _row(self, name: str) -> Any:
        return self.rt.db.read(lambda s: get_subscriber_row(s, email_key=address(name)))
