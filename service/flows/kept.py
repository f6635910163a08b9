"""The bytes of answers that were taken, kept so that a past day can be read again."""

import zlib
from collections.abc import Sequence
from datetime import date, datetime
from hashlib import sha256

from service.flows.asking import Page
from service.flows.runtime import Runtime
from service.store import raw_polls as raw_store
from service.store.db import Priority
from service.store.raw_polls import Use


def keep(
    rt: Runtime,
    source_id: int,
    pages: Sequence[Page],
    at: datetime,
    *,
    use: Use = "poll",
    days: Sequence[date] = (),
) -> None:
    """Keep what is not the same as the last time. use: what the answers were asked for · days: of
    which they were taken, where the answers themselves do not say it.

    Compressed before the write begins: others wait for the writer.
    """
    for page in {page.request.url: page for page in pages}.values():
        url = raw_store.marked(page.request.url, use, page.request.days or days)
        sha = sha256(page.body).hexdigest()
        if rt.db.read(lambda s, u=url: raw_store.newest_sha(s, source_id, u)) == sha:  # type: ignore[misc]
            continue
        body = zlib.compress(page.body)
        rt.db.write(
            lambda s, u=url, x=sha, b=body: raw_store.add_raw_poll(s, source_id, u, x, b, at),  # type: ignore[misc]
            Priority.BULK,
        )
