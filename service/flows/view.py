"""A mail in the browser, read by its token. Nothing is written, but that a mail in doubt came.

People share the page, so its address is one of its own (``letter.share_name``): whoever has it can
read the mail, and nothing else. The token, which opens the pages of its reader, stays in the mail.
"""

import hmac
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from service.delivery.frame import ReaderFrame
from service.delivery.states import FINAL
from service.digest.model import Digest, Entry, Line, Marked, Section, from_json
from service.errors import Sentence
from service.flows.browse import NotHereError
from service.flows.letter import checked_url, rest_url, share_name, share_sign
from service.flows.reconcile import opened
from service.flows.runtime import Runtime
from service.papers.model import Paper
from service.store import deliveries as deliveries_store
from service.store import listing
from service.store import papers as papers_store
from service.store import subscribers as subscribers_store
from service.store.db import Session
from service.store.tables import DeliveryRow, SubscriberRow
from service.store.twins import current_ids

_SHARED = re.compile(r"(\d{1,18})-([0-9a-f]{28})")
SHOWN_NOTICES = frozenset({"newsletter"})
"""Mails without papers that have a page; all others are of their reader alone."""

_FOR_MAIL = re.compile(
    r' xmlns:o="[^"]*"|<meta name="x-apple-[^"]*">\n?|(?<=[";])\s*mso-[a-z-]+:[^;"]*;?'
)
"""What mail programs need and a page must not have (no data can look so: quotes are escaped)."""

_PLACE = (
    "<style>@media (min-width: 48rem) { body { "
    "padding-inline-start: max(0px, calc(50vw - 27rem)) !important; } }</style>\n"
)
"""On a wide screen the column of a mail stands where those of our pages stand."""


class GoneMailError(NotHereError):
    """A mail that was here, and whose content is not kept any more."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A stored mail with papers. reader: whose it is; nobody's where it was found by the name that
    may be shared (is_shared), and where they were forgotten."""

    row: DeliveryRow
    digest: Digest
    reader: SubscriberRow | None
    is_shared: bool = False

    def find(self, scheme: str, value: str) -> Entry | Line | None:
        """The paper of this mail with this name, where the mail shows it."""
        lines = (line for section in self.digest.sections for line in section.lines)
        every: list[Entry | Line] = [*self.digest.entries(), *lines]
        return next((one for one in every if (one.scheme, one.value) == (scheme, value)), None)


def find_paper(rt: Runtime, mail: Mail, scheme: str, value: str) -> Entry | Line:
    """The paper of a mail with this name, also one that it only counts or tells news of, and under
    another name of it. Raises NotHereError: it was not in that mail."""
    if (shown := mail.find(scheme, value)) is not None:
        return shown

    def read(session: Session) -> Line | None:
        row = listing.find_shown(session, scheme, value)
        ids = list(dict.fromkeys(_ids(mail.digest)))
        now = current_ids(session, ids)
        known_as = next((i for i in ids if row is not None and now[i] == row.id), None)
        if row is None or row.id is None or known_as is None:
            return None
        return _line(known_as, papers_store.get_papers(session, [row.id])[row.id])

    found = rt.db.read(read)
    if found is None:
        raise NotHereError(Sentence("This paper was not in that mail."))
    return found


def read_mail(rt: Runtime, name: str, *, shared: bool = False) -> Mail:
    """The digest behind a mail's own token. shared: its share name finds it too, but not its
    reader. Raises NotHereError."""

    def read(session: Session) -> Mail:
        find = _find if shared else _own
        row, content = _kept(find(session, name))
        if "digest" not in content:
            raise _nothing()
        is_shared, reader = name != row.token, None
        if row.subscriber_id is not None and not is_shared:
            reader = subscribers_store.get_subscriber_row(session, id=row.subscriber_id)
        return Mail(row, from_json(content["digest"]), reader, is_shared)

    mail = rt.db.read(read)
    if not mail.is_shared:
        opened(rt, mail.row)
    return mail


def find_view(rt: Runtime, name: str) -> DeliveryRow:
    """The mail that anybody may read under ``name``: its token or its share name, whatever it
    holds. Raises NotHereError, GoneMailError."""
    row, content = _kept(rt.db.read(lambda s: _find(s, name)))
    if "digest" not in content and content.get("notice") not in SHOWN_NOTICES:
        raise _nothing()
    if name == row.token:
        opened(rt, row)
    return row


def _own(session: Session, token: str) -> DeliveryRow | None:
    return deliveries_store.get_delivery(session, token=token)


def _find(session: Session, name: str) -> DeliveryRow | None:
    shared = _SHARED.fullmatch(name)
    if shared is None:
        return _own(session, name)
    row = deliveries_store.get_delivery(session, id=int(shared[1]))
    is_it = row is not None and hmac.compare_digest(share_sign(row.token), shared[2])
    return row if is_it else None


def _kept(row: DeliveryRow | None) -> tuple[DeliveryRow, Mapping[str, Any]]:
    if row is None:
        raise _nothing()
    if row.content is None and row.state in FINAL:
        raise GoneMailError(
            Sentence("This mail is not kept any more."),
            "",
            Sentence("Mails are kept for some time, and until their reader is forgotten."),
        )
    return row, row.content or {}


def _nothing() -> NotHereError:
    return NotHereError(
        Sentence("There is no mail at this address."),
        "",
        Sentence("A link may have been cut: copy the whole of it."),
    )


def show(rt: Runtime, row: DeliveryRow) -> str:
    """A mail's HTML as anybody may see it: in its own language, every paper of it with its title,
    and nothing of its reader's but the words that are in it."""
    content = row.content or {}
    locale = content.get("frame", {}).get("locale") or row.locale
    if "digest" not in content:
        hidden = dict.fromkeys(("manage_url", "unsubscribe_url", "view_url"), "")
        data = {**content["data"], **hidden}
        return _as_page(rt.renderer.render_notice(content["notice"], data, locale).html)
    digest = from_json(content["digest"])
    frame = ReaderFrame(
        locale=locale,
        papers_url=checked_url(rt, digest),
        rest_url=rest_url(rt, digest),
        cite_url=rt.links.digest(share_name(row)) if any(_ids(digest)) else "",
    )
    whole = rt.db.read(lambda s: _with_rest(s, replace(digest, added_by=None)))
    return _as_page(rt.renderer.render_digest(whole, frame, public=True).html)


def _as_page(html: str) -> str:
    return _FOR_MAIL.sub("", html).replace("</head>", f"{_PLACE}</head>", 1)


def _with_rest(session: Session, digest: Digest) -> Digest:
    """The digest with a line for every paper that the mail only counts (``rest`` still names them);
    what is not in our lists any more stays a number."""
    papers = _papers(session, [i for section in digest.sections for i in section.rest])
    if not papers:
        return digest
    sections = tuple(_opened(section, papers) for section in digest.sections)
    return replace(digest, sections=sections)


def _opened(section: Section, papers: Mapping[int, Paper]) -> Section:
    opened = tuple(_line(i, papers[i]) for i in section.rest if i in papers)
    return replace(section, lines=(*section.lines, *opened))


def _line(known_as: int, paper: Paper) -> Line:
    return Line(
        paper_id=known_as,
        scheme=paper.key.scheme,
        value=paper.key.value,
        title=Marked(paper.title),
        link=paper.links.get("abs", ""),
        withdrawn=paper.withdrawn,
    )


def _papers(session: Session, ids: Sequence[int]) -> dict[int, Paper]:
    """Stored papers that may be shown, by the ids that a mail knows them by."""
    now = current_ids(session, ids)
    wanted = list(dict.fromkeys(now.values()))
    alive: set[int] = set()
    for at in range(0, len(wanted), 500):
        alive |= papers_store.list_shown(session, wanted[at : at + 500])
    papers = papers_store.get_papers(session, [i for i in wanted if i in alive])
    return {i: papers[now[i]] for i in ids if now[i] in papers}


@dataclass(frozen=True, slots=True)
class Cited:
    """The papers of a mail as they are known now, in its order. missing: not in our lists now."""

    papers: tuple[Paper, ...]
    missing: int
    digest: Digest


def papers_of(rt: Runtime, row: DeliveryRow) -> Cited:
    """Every paper of a mail, for a bibliography. Raises NotHereError: it has none."""
    content = row.content or {}
    if "digest" not in content:
        raise NotHereError(Sentence("This mail has no papers."))
    digest = from_json(content["digest"])
    ids = list(dict.fromkeys(_ids(digest)))
    found = rt.db.read(lambda s: _papers(s, ids))
    papers = {found[i].id: found[i] for i in ids if i in found}
    return Cited(tuple(papers.values()), len(ids) - len(found), digest)


def _ids(digest: Digest) -> Iterator[int]:
    for section in digest.sections:
        yield from (entry.paper_id for entry in section.entries)
        yield from (line.paper_id for line in section.lines)
        yield from section.rest
        yield from (signal.paper_id for signal in section.signals)


def feedback(rt: Runtime, mail: Mail, paper_id: int) -> int:
    """What the reader said of a paper: 1, -1 or 0."""
    reader_id = mail.reader.id if mail.reader is not None else None
    if reader_id is None:
        return 0
    return rt.db.read(lambda s: listing.get_feedback(s, reader_id, paper_id))
