"""What each source brought, as it was counted last (``census``)."""

from dataclasses import dataclass
from typing import Any

from service.flows.runtime import Runtime
from service.store import workbench as store


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Of a source (or of a category of it) in the last 30 days. matched: papers that an interest
    wants · alone: papers that no other source showed, alone_matched: of them those that are wanted:
    without the source nobody would get them · readers: who want one of its papers, only_readers:
    who want nothing that another source shows: their mails would be empty."""

    source_id: int
    title: str
    category: str
    papers: int
    matched: int
    alone: int
    alone_matched: int
    readers: int
    only_readers: int


def list_shares(rt: Runtime) -> list[Share]:
    """Every share: of each source first the whole, then its categories."""
    return [
        Share(
            source_id=row.source_id, title=title, category=row.category, papers=row.papers,
            matched=row.matched, alone=row.alone, alone_matched=row.alone_matched,
            readers=row.readers, only_readers=row.only_readers,
        )
        for row, title in rt.db.read(store.list_shares)
    ]  # fmt: skip


def share_data(one: Share) -> dict[str, Any]:
    """As JSON values."""
    return {
        "source": one.source_id,
        "title": one.title,
        "category": one.category,
        "papers": one.papers,
        "matched": one.matched,
        "alone": one.alone,
        "alone_matched": one.alone_matched,
        "readers": one.readers,
        "only_readers": one.only_readers,
    }
