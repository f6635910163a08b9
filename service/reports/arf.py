"""Complaints: the abuse reporting format (RFC 5965, RFC 6591) and what came before it. Pure."""

from service.reports.found import address_in, one_line
from service.reports.mail import Mail, every, fields_of, first
from service.reports.model import WORDS, Kind, Report

COMPLAINTS: dict[str, tuple[Kind, str]] = {
    "abuse": (Kind.COMPLAINT, "abuse"),
    "fraud": (Kind.COMPLAINT, "fraud"),
    "virus": (Kind.COMPLAINT, "virus_complaint"),
    "other": (Kind.COMPLAINT, "other_complaint"),
    "opt-out": (Kind.OPTOUT, "opt_out"),
    "opt-out-list": (Kind.OPTOUT, "opt_out"),
    "not-spam": (Kind.NONE, "not_spam"),
    "miscategorized": (Kind.NONE, "not_spam"),
    "auth-failure": (Kind.POLICY, "authentication"),
    "dmarc": (Kind.POLICY, "authentication"),
}
"""Feedback-Type (IANA's registry; dmarc as some write it): what follows, and the reason."""


def complaints_of(mail: Mail) -> tuple[Report, ...]:
    """What a feedback report says, one a recipient; () = the mail is none."""
    part = next(
        (p for p in mail.parts if p.kind == "message/feedback-report" and not p.returned), None
    )
    if part is None:
        return _hotmail(mail)
    fields = fields_of(part.text)
    kind, reason = COMPLAINTS.get(first(fields, "feedback-type").lower(), COMPLAINTS["other"])
    named = (*every(fields, "original-rcpt-to"), *every(fields, "removal-recipient"))
    recipients = dict.fromkeys(filter(None, map(address_in, named))) or [_returned_to(mail)]
    text = next((p.text for p in mail.parts if p.kind == "text/plain" and not p.returned), "")
    return tuple(
        Report(kind=kind, reason=reason, recipient=one, words=one_line(text)[:WORDS])
        for one in recipients
    )


def _returned_to(mail: Mail) -> str:
    """Whom the mail that is complained about went to."""
    heads = [p.headers for p in mail.parts if p.kind in ("message/rfc822", "text/rfc822-headers")]
    return next((found for head in heads if (found := address_in(first(head, "to")))), "")


def _hotmail(mail: Mail) -> tuple[Report, ...]:
    """Microsoft's Junk Mail Reporting Program: the mail itself, with a field of its own."""
    heads = (mail.headers, *(part.headers for part in mail.parts if part.returned))
    named = next(filter(None, (first(one, "x-hmxmroriginalrecipient") for one in heads)), "")
    if not named:
        return ()
    return (Report(kind=Kind.COMPLAINT, reason="abuse", recipient=address_in(named)),)
