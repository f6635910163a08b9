"""What the staff is told of breakers: what is wrong, where, and what to do."""

from collections.abc import Sequence

from service.delivery.breakers import Breaker
from service.delivery.retry import Verdict
from service.flows.alarms import Alarm
from service.flows.deferred import words_of
from service.store.rests import EVERY
from service.store.tables import EditionRow


def about_domain(key: str, breaker: Breaker) -> Alarm:
    """A domain that refuses us, or asks us to go slower."""
    again = f"{breaker.until:%H:%M} UTC" if breaker.until else "soon"
    mails = (
        "1 mail was refused" if breaker.refused == 1 else f"{breaker.refused} mails were refused"
    )
    if breaker.cause == "rate":
        return Alarm(
            kind="domain",
            key=key,
            what=f"{key} asks us to go slower, again and again.",
            place=f"The server said: {breaker.words}",
            next_step=f"It is tried again at {again}, one mail at a time. A limit for this domain"
            " (settings, rates) keeps it from asking.",
            domain=key,
            status=breaker.status,
            words=breaker.words,
        )
    return Alarm(
        kind="domain",
        key=key,
        what=f"{key} refuses our mail.",
        place=f"{mails} for a reason that lies with us. The server said: {breaker.words}",
        next_step="Mend what the server names: SPF, DKIM, DMARC, our reputation or rate (paperpost"
        f" doctor). Mails to it wait; one is tried at {again}, or at once by paperpost deliveries"
        f" try {key}. Nobody is suppressed.",
        refused=breaker.refused,
        domain=key,
        status=breaker.status,
        words=breaker.words,
    )


def about_account(breaker: Breaker) -> Alarm:
    """Nothing goes: the relay is silent, or many domains refuse us."""
    again = f"{breaker.until:%H:%M} UTC" if breaker.until else "soon"
    if breaker.cause == "policy":
        return Alarm(
            kind="account",
            key=EVERY,
            what="Many domains refuse our mail; nothing is sent for now.",
            place=f"The last server said: {breaker.words}",
            next_step="Mend what the servers name: SPF, DKIM, DMARC, our reputation (paperpost"
            f" doctor). One mail is tried at {again}, or at once by paperpost deliveries try.",
            status=breaker.status,
            words=breaker.words,
        )
    return Alarm(
        kind="account",
        key=EVERY,
        what="The mail server takes nothing from us; all mails wait.",
        place=f"PAPERPOST_SMTP_URL. It said: {breaker.words or 'nothing'}",
        next_step=f"paperpost doctor says what is wrong with it. It is asked again at {again}, and"
        " what waited goes at once when it answers.",
        status=breaker.status,
        words=breaker.words,
    )


def name_of(edition: EditionRow) -> str:
    """An edition as its alarm calls it: chosen papers have neither a title nor a date."""
    return edition.title or (
        "chosen papers" if edition.kind == "manual" else f"{edition.kind} {edition.slot}"
    )


def about_edition(
    edition_id: int, name: str, why: str, domain: str, said: str, *, rest: int = 0
) -> Alarm:
    """An edition that paused by itself. name: kind and date, or title · rest: mails that wait for
    a word after its first few, which going on alone does not send."""
    act, then = ("rest", f"That sends the other {rest:,}.") if rest else ("resume", "")
    return Alarm(
        kind="edition",
        key=str(edition_id),
        what=f"Edition {edition_id} ({name}) paused by itself.",
        place=why,
        next_step="Mend what the servers name (paperpost doctor), then go on with it: paperpost"
        f" editions {act} {edition_id}. {then or 'What was not sent waits.'}",
        domain=domain,
        words=said,
    )


def about_content(edition: str, domain: str, verdict: Verdict) -> Alarm:
    """A mail that was refused as such. edition: its number, or "notices"."""
    named = edition if edition == "notices" else f"mails of edition {edition}"
    said = words_of(verdict.code, verdict.text)
    return Alarm(
        kind="content",
        key=edition,
        what=f"{named.capitalize()} are refused for their content.",
        place=f"{domain or 'The server'} said: {said}",
        next_step="paperpost deliveries list --state failed shows them; look at one of them. The"
        " papers of a digest ride in the next mail.",
        domain=domain,
        status=verdict.enhanced,
        words=said,
        refused=1,
    )


def about_relaying(domain: str, verdict: Verdict) -> Alarm:
    """The relay takes some of our mails and will not have others: its set-up, or ours."""
    said = words_of(verdict.code, verdict.text)
    return Alarm(
        kind="relaying",
        key=EVERY,
        what="The mail server refuses some mails because of how it is set up for us.",
        place=f"PAPERPOST_SMTP_URL, PAPERPOST_MAIL_FROM. Of a mail to {domain or 'one reader'} it"
        f" said: {said}",
        next_step="Let it relay for this host or account, and send as this sender. These mails wait"
        " and are tried until their deadline: paperpost deliveries list --meaning relay.",
        domain=domain,
        status=verdict.enhanced,
        words=said,
        refused=1,
    )


def about_gone(domain: str, readers: int, verdict: Verdict, *, came_back: bool = False) -> Alarm:
    """A domain that knows several of its readers no more, all at once. came_back: their mails were
    taken, and sent back."""
    said = words_of(verdict.code, verdict.text)
    follows = (
        " They are mailed on, with rests between, and those who were barred today are mailed again:"
        f" paperpost bounces list --kind hard --domain {domain}."
        if came_back
        else " Their mails wait and are tried until their deadline: paperpost deliveries list"
        f" --meaning person --state deferred --domain {domain}."
    )
    return Alarm(
        kind="gone",
        key=domain,
        what=f"{domain} says of {readers} readers at once that they are not there.",
        place=f"It took mail for them a short while ago, so its directory may be out. It said:"
        f" {said}",
        next_step=f"Nobody is suppressed.{follows}",
        domain=domain,
        status=verdict.enhanced,
        words=said,
        refused=readers,
    )


def about_returned(domain: str, kind: str, mails: int, verdict: Verdict) -> Alarm:
    """A domain that took mails and sends them back. kind: policy (because of us) or content."""
    said = words_of(verdict.code, verdict.text)
    why = "because of us" if kind == "policy" else "for their content"
    return Alarm(
        kind="returned",
        key=f"{kind}:{domain}",
        what=f"{domain} sent back {mails} mails {why} within a day.",
        place=f"It said: {said}",
        next_step="Mend what it names: SPF, DKIM, DMARC, our reputation (paperpost doctor)"
        f"; paperpost bounces list --kind {kind} --domain {domain} shows them. Nobody is"
        " suppressed.",
        domain=domain,
        status=verdict.enhanced,
        words=said,
        refused=mails,
    )


def named(domains: Sequence[str]) -> str:
    """Some domains in words."""
    shown = ", ".join(domains[:3])
    return shown + (f" and {len(domains) - 3} more domains" if len(domains) > 3 else "")
