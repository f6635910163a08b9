"""A day's mails of real readers, as a relay took them: captured papers of the day, real keyword
lists, composed, rendered and sent by the product's own flows; and every other kind of mail."""

import asyncio
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from support.gallery_house import SITE, Scene
from support.house import Clock, open_house
from support.smtp_server import SmtpServer

from service import log
from service.delivery import template_samples
from service.delivery.frame import Rendered
from service.delivery.message import build
from service.delivery.notices import NOTICES
from service.delivery.render import Renderer
from service.errors import PaperpostError
from service.flows.daily import plan_daily
from service.flows.readers import add_reader, read_new
from service.flows.runtime import Runtime
from service.flows.send import send_ready
from service.store.db import Session
from service.store.subscribers import get_subscriber_row

DRESSES = (("en", "html"), ("de", "text"), ("de", "html"), ("en", "text"))
"""Language and format of the readers of a list."""

CHINESE = "\u7814\u7a76\u8bba\u6587\uff0c" * 400
"""So much of it is shorter in base64 than in quoted-printable."""


@dataclass(frozen=True, slots=True)
class Taken:
    """One mail as it came over the wire. of_list: it has the links of a list."""

    name: str
    message: bytes
    of_list: bool
    made: Rendered | None = None


@contextmanager
def day_house(folder: Path, on: date) -> Iterator[tuple[Scene, SmtpServer]]:
    """A house with the papers of one captured day, and no reader yet."""
    log.set_up("text", quiet=True)
    clock = Clock(datetime(on.year, on.month, on.day, 4, tzinfo=UTC))
    with (
        SmtpServer() as smtp,
        open_house(folder, smtp_port=smtp.port, clock=clock, **SITE) as house,
    ):
        yield Scene(house, clock, smtp, folder, {}, "", (on,), True), smtp


def mails_of(folder: Path, on: date, lists: Sequence[Sequence[str]]) -> list[Taken]:
    """What the readers of all lists got on one captured day, in order of their names."""
    with day_house(folder, on) as (scene, smtp):
        for number, terms in enumerate(lists):
            for language, form in DRESSES:
                _add(scene.rt, f"list{number}-{language}-{form}", terms, language, form)
        whole = [why for language in ("en", "de") if (why := scene.rt.press.refusal(language))]
        assert not whole, f"not put together from pieces: {whole}"
        scene.take(on)
        scene.morning(on)
        plan_daily(scene.rt, on)
        asyncio.run(send_ready(scene.rt))
        came = sorted(smtp.accepted, key=lambda one: one.recipient)
        return [Taken(one.recipient.partition("@")[0], one.data, of_list=True) for one in came]


def _add(rt: Runtime, name: str, terms: Sequence[str], language: str, form: str) -> None:
    """A reader of a list, of its first terms where it is longer than one interest may be."""
    for most in (len(terms), 40, 20, 8):
        cells = {
            "email": f"{name}@readers.example.org",
            "keywords": "\n".join(terms[:most]),
            "language": language,
            "confirmed": "yes",
            "tz": "Europe/Zurich",
        }
        try:
            reader = add_reader(rt, read_new(cells), by="")
        except PaperpostError:
            continue
        if form == "text":
            _text_alone(rt, reader)
        return


def _text_alone(rt: Runtime, reader: int) -> None:
    def change(session: Session) -> None:
        row = get_subscriber_row(session, id=reader)
        assert row is not None
        row.format = "text"

    rt.db.write(change)


def other_mails(renderer: Renderer, on: date, words: Sequence[str]) -> Iterator[Taken]:
    """Every other kind, and the samples of digests, in every language.

    words: put in turn where a person's own words stand (titles, servers' answers, lists).
    """
    at = datetime(on.year, on.month, on.day, 8, tzinfo=UTC)
    base = renderer.site.base_url
    for language in renderer.catalogs.languages:
        for turn, kind in enumerate(sorted(NOTICES)):
            word = words[turn % len(words)] if words else "Word"
            data = template_samples.notice(kind, base, furnished=True)
            for name in ("title", "text", "edition", "domain", "relay"):
                if name in data:
                    data[name] = f"{data[name]} {word}"
            if kind == "newsletter" and language == "en":
                data["text"], data["html"] = CHINESE, f"<p>{CHINESE}</p>"
            made = renderer.render_notice(kind, data, language)
            of_list = kind in ("newsletter", "quiet")
            yield _built(renderer, f"{kind}-{language}", made, at, of_list=of_list)


def _built(renderer: Renderer, name: str, made: Rendered, at: datetime, *, of_list: bool) -> Taken:
    site = renderer.site
    key = hashlib.sha256(f"{name} {at}".encode()).hexdigest()[:32]
    message = build(
        made,
        sender=site.sender,
        sender_name=site.name,
        recipient=f"{name}@readers.example.org",
        message_id=f"<{key}@papers.example.org>",
        date=at,
        reply_to=site.reply_to,
        list_id="<papers.papers.example.org>" if of_list else "",
        unsubscribe_url=f"{site.base_url}/u/{key}" if of_list else None,
        help_url=f"{site.base_url}/about",
        feedback_id="1:newsletter:paperpost" if of_list else "",
        is_notice=not of_list,
    )
    return Taken(name, message, of_list, made)
