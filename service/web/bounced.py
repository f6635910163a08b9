"""On a reader's own page: that their address bounces, why, since when, and how to come back."""

from dataclasses import dataclass

from service.delivery.i18n import Texts
from service.flows import bounces
from service.flows.bounce_words import says
from service.reports.found import ADDRESS
from service.store.tables import SubscriberRow
from service.subscribers.address import mask
from service.subscribers.cadence import local_date
from service.web.door import Door


@dataclass(frozen=True, slots=True)
class Bounced:
    """lines: what is so, a sentence each · server: its own words, "" for none · can_resume: by a
    press of the reader; else only the people who run this service can lift it."""

    lines: tuple[str, ...]
    server: str
    can_resume: bool


def bounced_told(door: Door, row: SubscriberRow, address: str, texts: Texts) -> Bounced | None:
    """None for a reader whose mail is taken. address: as the page may show it; where that is
    masked, so is every address in the server's words."""
    found = door.rt.db.read(lambda s: bounces.standing(door.rt, s, row))
    if found is None:
        return None
    _ = texts.gettext
    lines = [_("Our mails to %(address)s come back.", address=address)]
    if found.since is not None:
        since = texts.long_day(local_date(found.since, row.zone))
        lines = [
            _("Our mails to %(address)s come back, since %(day)s.", address=address, day=since)
        ]
    reason = says(found.reason)
    if reason is not None:
        lines.append(texts.said(reason))
    if found.kind == "rests" and found.until is not None:
        until = texts.long_day(local_date(found.until, row.zone))
        lines.append(
            _("No mail is made for you until %(day)s; then we try again by ourselves.", day=until)
        )
    else:
        lines.append(_("Nothing is sent there now."))
    server = found.words
    if address != row.email:
        server = ADDRESS.sub(lambda one: mask(one[0]), server)
    return Bounced(tuple(lines), server, found.can_resume)
