"""What other programs post: raw mails, signed by whoever hands them on, and providers' events.

One address for each way that is set, others are not there; only POST, and nothing of it is guarded
by cookies. What is taken is kept before the answer, so whoever gets none may post again: an event
that came before changes nothing.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from service.errors import PaperpostError
from service.flows.alarms import Alarm, raise_alarm
from service.flows.epoch import InstanceHeld
from service.flows.inbound import Taken, take, take_read
from service.flows.runtime import Runtime
from service.inbound.events import Post, Provider, RefusedError
from service.sources.outcome import Fetched
from service.store.db import REFUSED, Priority

RAW_BYTES = 10 * 1024 * 1024
"""Bytes of a raw mail, as of one on standard input."""

WINDOW_S = 300
"""Seconds that a signed raw mail may have been on its way."""

_TIME, _SIGNATURE, _RCPT = "Paperpost-Time", "Paperpost-Signature", "Paperpost-Rcpt"

CERTIFICATE_S = 10.0
"""Seconds for a certificate of Amazon SNS, which itself waits 15 for our answer."""

Way = Callable[[Request], Awaitable[Counter[str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """What opens the ways in; one without is not there. Of several secrets any is good.

    ses_topics: ARNs, separated by commas · ses_passwords: none = signatures are checked ·
    sendgrid: a public key."""

    raw: Sequence[str] = ()
    ses_topics: str = ""
    ses_passwords: Sequence[str] = ()
    postmark: Sequence[str] = ()
    mailgun: Sequence[str] = ()
    sendgrid: str = ""


def router(rt: Runtime, keys: Keys) -> APIRouter:
    """Return the routes under ``/inbound``. Raises SettingError: a key that cannot be read."""
    routes = APIRouter(prefix="/inbound")
    ways = {name: _events(rt, name, one) for name, one in providers(rt, keys).items()}
    if keys.raw:
        ways["raw"] = _raw(rt, [key.encode() for key in keys.raw])

    @routes.post("/{way}", include_in_schema=False)
    async def posted(way: str, request: Request) -> Response:
        try:
            if way not in ways:
                raise RefusedError(404, "Nothing is taken at this address.")
            done = await ways[way](request)
        except RefusedError as refusal:
            rt.log("webhook_refused", way=way if way in ways else "", status=refusal.status)
            heads = {"WWW-Authenticate": 'Basic realm="inbound"'} if refusal.status == 401 else {}
            return JSONResponse({"error": refusal.says}, refusal.status, heads)
        except InstanceHeld as held:
            rt.log("webhook_refused", way=way, status=503)
            return JSONResponse({"error": held.what}, 503, {"Retry-After": "3600"})
        except (PaperpostError, REFUSED) as error:  # nothing is taken just now: it shall come again
            what = error.what if isinstance(error, PaperpostError) else type(error).__name__
            rt.log("webhook_failed", way=way, error=what)
            return JSONResponse({"error": "Nothing can be kept here just now."}, 503)
        rt.log("webhook", way=way, **done)
        return JSONResponse({name: done[name] for name in ("taken", "known", "ignored")})

    return routes


def providers(rt: Runtime, keys: Keys) -> dict[str, Provider]:
    """Those that are set, by the last part of their address; their modules are read only then.
    Raises SettingError."""
    found: dict[str, Provider] = {}
    if keys.ses_topics:
        from service.inbound.ses import Ses, read_topics

        topics = read_topics(keys.ses_topics, "PAPERPOST_INBOUND_SES")
        found["ses"] = Ses(topics, keys.ses_passwords, fetching(rt), _telling(rt))
    if keys.postmark:
        from service.inbound.postmark import Postmark

        found["postmark"] = Postmark(keys.postmark)
    if keys.mailgun:
        from service.inbound.mailgun import Mailgun

        found["mailgun"] = Mailgun(keys.mailgun)
    if keys.sendgrid:
        from service.inbound.sendgrid import SendGrid

        found["sendgrid"] = SendGrid(keys.sendgrid, "PAPERPOST_INBOUND_SENDGRID")
    return found


def _raw(rt: Runtime, keys: Sequence[bytes]) -> Way:
    async def taken(request: Request) -> Counter[str]:
        from service.inbound.signatures import check_time, is_hmac

        moment, made = request.headers.get(_TIME, ""), request.headers.get(_SIGNATURE, "")
        rcpt = request.headers.get(_RCPT, "")
        if not moment or not made:
            raise RefusedError(401, f"{_TIME} and {_SIGNATURE} are missing.")
        check_time(moment, rt.clock(), WINDOW_S)
        body = await _body(request, RAW_BYTES)
        if not is_hmac(keys, made, f"{moment}.{rcpt}.".encode("latin-1", "replace"), body):
            raise RefusedError(403, "The signature is another one.")
        if not body.strip():
            raise RefusedError(422, "There is no mail in it.")
        rcpts = [one for one in map(str.strip, rcpt.split(",")) if one]
        return _counted([await run_in_threadpool(take, rt, body, way="webhook:raw", rcpts=rcpts)])

    return taken


def _events(rt: Runtime, name: str, provider: Provider) -> Way:
    def take_all(body: bytes) -> Counter[str]:
        way = f"webhook:{name}"
        return _counted(
            [
                take_read(rt, event.data, event.read, way=way) if event else None
                for event in provider.events(body)
            ]
        )

    async def taken(request: Request) -> Counter[str]:
        body = await _body(request, provider.most_bytes)
        headers = {name.lower(): value for name, value in request.headers.items()}
        await provider.prove(Post(headers=headers, body=body, now=rt.clock()))
        return await run_in_threadpool(take_all, body)

    return taken


def _counted(found: Sequence[Taken | None]) -> Counter[str]:
    return Counter(
        "ignored" if one is None else "taken" if one.is_new else "known" for one in found
    )


async def _body(request: Request, most: int) -> bytes:
    pieces, size = [], 0
    async for piece in request.stream():
        size += len(piece)
        if size > most:
            raise RefusedError(413, f"This is larger than {most:,} bytes.")
        pieces.append(piece)
    return b"".join(pieces)


def fetching(rt: Runtime) -> Callable[[str], Awaitable[bytes | None]]:
    """Asks for the bytes at an address, by the fetcher that keeps out of private networks; None
    where that gives none, or leads elsewhere."""

    async def fetch(url: str) -> bytes | None:
        try:
            async with asyncio.timeout(CERTIFICATE_S), rt.open_fetcher() as fetcher:
                found = await fetcher.fetch(url)
        except TimeoutError:
            return None
        return found.body if isinstance(found, Fetched) and found.url == url else None

    return fetch


def _telling(rt: Runtime) -> Callable[[str, str], Awaitable[None]]:
    async def tell(topic: str, url: str) -> None:
        alarm = Alarm(
            kind="subscription",
            key=topic,
            what="Amazon SNS asks whether its messages may come here.",
            place=topic,
            next_step=f"If you made this subscription, open {url}",
        )
        await run_in_threadpool(rt.db.write, lambda s: raise_alarm(rt, s, alarm), Priority.MAIL)

    return tell
