"""Posts to other programs: to public addresses only, bounded, without redirects. IO."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import httpx2

from service.sources.outcome import retry_after
from service.sources.public import BlockedAddressError, PublicClient, told

SECONDS = 15.0
_MOST_BYTES = 4000
_WORDS = 300


@dataclass(frozen=True, slots=True)
class Posted:
    """What came of a post. status: 0 where there was no answer · words: the server's, cut, or why
    there was none · retry_after: seconds, as the server asked."""

    status: int
    words: str
    retry_after: float | None = None


class Poster(PublicClient):
    """Posts bodies; failures are values, never exceptions. Without allow_private only https is
    posted to."""

    def __init__(
        self,
        user_agent: str,
        *,
        clock: Callable[[], datetime],
        allow_private: bool = False,
        ca_file: str = "",
        seconds: float = SECONDS,
    ) -> None:
        super().__init__(
            user_agent,
            clock=clock,
            seconds=seconds,
            allow_private=allow_private,
            ca_file=ca_file,
            headers={"Accept-Encoding": "identity"},
        )

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Posted:
        """Post ``body`` within 15 s in all; of the answer the first 4,000 bytes are read."""
        try:
            async with asyncio.timeout(self._seconds):
                return await self._post(httpx2.URL(url), body, headers)
        except TimeoutError:
            return Posted(0, f"no answer within {self._seconds:g} seconds")
        except BlockedAddressError as fault:
            return Posted(0, f"refused: {fault}")
        except (httpx2.InvalidURL, httpx2.UnsupportedProtocol, UnicodeError, ValueError):
            return Posted(0, "this address cannot be asked")
        except (httpx2.HTTPError, OSError) as fault:
            return Posted(0, told(fault))

    async def _post(self, url: httpx2.URL, body: bytes, headers: Mapping[str, str]) -> Posted:
        if url.scheme != "https" and not (self._allow_private and url.scheme == "http"):
            return Posted(0, "refused: only https is posted to")
        self._client.cookies.clear()
        request = self._client.build_request("POST", url, content=body, headers=dict(headers))
        response = await self._client.send(request, stream=True)
        try:
            heard = bytearray()
            async for piece in response.aiter_raw():
                heard += piece
                if len(heard) >= _MOST_BYTES:
                    break
        finally:
            await response.aclose()
        wait = None
        if response.status_code in (429, 503):
            wait = retry_after(response.headers.get("Retry-After", ""), self._clock())
        return Posted(response.status_code, _plain(bytes(heard[:_MOST_BYTES])), wait)


def _plain(body: bytes) -> str:
    text = body.decode("utf-8", "replace")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:_WORDS]
