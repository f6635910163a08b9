"""The mails that brought a paper to its reader, and how it stood in them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from service.digest.model import Digest, Reason, from_json
from service.flows.mail_days import MailDay, mail_day
from service.flows.runtime import Runtime
from service.store import own_rows
from service.store.db import Session
from service.store.sent import UNDER_WAY
from service.store.tables import SubscriberRow
from service.store.twins import current_ids


@dataclass(frozen=True, slots=True)
class Came:
    """A mail that brought the paper. how: full, line (title and link), counted ("and 14 more"),
    news (later news of it), or "" where what was in the mail is not kept · reasons: the words that
    brought it · sections: interests, by name · waits: the mail is still on its way."""

    mail: MailDay
    how: str
    reasons: tuple[Reason, ...] = ()
    sections: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    waits: bool = False


def came_in(
    rt: Runtime, session: Session, reader: SubscriberRow, paper_id: int
) -> tuple[Came, ...]:
    """The mails that brought a paper to a reader, or news of it; and one that is on its way."""
    texts = rt.catalogs.texts(reader.locale)
    assert reader.id is not None
    found: list[Came] = []
    for _, mail in own_rows.list_came(session, reader.id, [paper_id]).get(paper_id, ()):
        day = mail_day(mail, reader, texts)
        if not any(one.mail.page == day.page and day.page for one in found):
            found.append(_shown(session, day, (mail.row.content or {}).get("digest"), paper_id))
    for mail in own_rows.list_waiting_mails(session, reader.id, UNDER_WAY):
        if paper_id in _current(session, (mail.row.content or {}).get("papers", ())):
            day = mail_day(mail, reader, texts)
            made = _shown(session, day, (mail.row.content or {}).get("digest"), paper_id)
            found.append(replace(made, waits=True))
    return tuple(found)


def _current(session: Session, ids: Sequence[int]) -> set[int]:
    return set(current_ids(session, list(ids)).values())


def _shown(session: Session, day: MailDay, kept: object, paper_id: int) -> Came:
    """How a mail showed the paper."""
    if not isinstance(kept, dict):
        return Came(day, "")
    digest: Digest = from_json(kept)
    for section in digest.sections:
        name = (section.name,) if section.name else ()
        ids = [e.paper_id for e in section.entries]
        ids += [line.paper_id for line in section.lines]
        ids += [*section.rest, *(signal.paper_id for signal in section.signals)]
        now = current_ids(session, ids)
        for entry in section.entries:
            if now[entry.paper_id] == paper_id:
                names = (*name, *entry.also_in)
                return Came(day, "full", entry.reasons, names, (section.kind,))
        if any(now[line.paper_id] == paper_id for line in section.lines):
            return Came(day, "line", (), name, (section.kind,))
        if any(now[i] == paper_id for i in section.rest):
            return Came(day, "counted", (), name, (section.kind,))
        if any(now[signal.paper_id] == paper_id for signal in section.signals):
            return Came(day, "news", (), name, (section.kind,))
    return Came(day, "")
