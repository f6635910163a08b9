"""What mails share, read once: contents by their numbers, parsed, bounded in bytes.

A content never changes, and its number is given to no other as long as one database lives: what is
kept is kept for one run of sending (a backup restored in place may give a number again).
"""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from service.delivery.keeping import Keeping
from service.delivery.shapes import digest_memory
from service.digest.model import Digest, from_json, to_json
from service.store import contents as contents_store
from service.store.db import Session
from service.store.split import Shared, joined
from service.store.tables import ContentRow, DeliveryRow

KEPT = 32_000_000
"""Bytes of parsed contents that are kept: some 450 digests of 20 papers."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One content. digest: the same object for all of its mails, sections without numbers of
    interests; None of a newsletter, whose words ``body`` holds · fault: why it cannot be read; then
    it has neither."""

    id: int
    digest: Digest | None
    body: Mapping[str, Any]
    papers: tuple[int, ...]
    signals: tuple[int, ...]
    memory: int
    fault: Exception | None = None

    @classmethod
    def of(cls, row: ContentRow) -> "Kept":
        listed = tuple(row.papers), tuple(row.signals)
        least = 500 + 40 * len(row.papers)
        try:
            digest = None if "notice" in row.body else from_json(row.body["digest"])
        except Exception as error:  # harms the mails that hold it alone
            return cls(row.id or 0, None, {}, *listed, least, error)
        body = row.body if digest is None else {}
        size = digest_memory(digest) if digest is not None else 4 * len(str(body))
        return cls(row.id or 0, digest, body, *listed, least + size)


class Contents:
    """Those of one run. Every method may be called from any thread."""

    def __init__(self, limit: int = KEPT) -> None:
        self._lock = threading.Lock()
        self._kept = Keeping[Kept](limit)

    def read(self, session: Session, rows: Iterable[DeliveryRow]) -> dict[int, Kept]:
        """Return the contents of some rows by their numbers; of those that are there. What is not
        kept is read, all of it at once."""
        wanted = {row.content_id for row in rows if row.content_id is not None}
        with self._lock:
            found = {i: kept for i in wanted if (kept := self._kept.get(i)) is not None}
        if missing := wanted - found.keys():
            read = [Kept.of(row) for row in contents_store.list_rows(session, missing)]
            with self._lock:
                found |= {one.id: self._kept.get(one.id) or self._put(one) for one in read}
        return found

    def _put(self, one: Kept) -> Kept:
        return self._kept.put(one.id, one)


def whole(row: DeliveryRow, kept: Kept | None) -> dict[str, Any]:
    """A row's content as one, as ``row.content`` tells it where its content was read with it."""
    if kept is None:
        return row.content or {}
    body = {"digest": to_json(kept.digest)} if kept.digest is not None else kept.body
    return joined(Shared(body, kept.papers, kept.signals), row.own)
