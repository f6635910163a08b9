"""Complaints: the abuse reporting format (RFC 5965, RFC 6591) and what came before it. Pure."""

from service.reports.found import address_in, one_line
from service.reports.mail import Mail, every, fields_of, first
from service.reports.model import WORDS, Kind, Report
from service.reports.vocabulary import REASONS

COMPLAINTS = {
    "abuse": "abuse",
    "fraud": "fraud",
    "virus": "virus_complaint",
    "other": "other_complaint",
    "opt-out": "opt_out",
    "opt-out-list": "opt_out",
    "not-spam": "not_spam",
    "miscategorized": "not_spam",
    "auth-failure": "auth_failure",
    "dmarc": "auth_failure",
}
"""The reason of a Feedback-Type (IANA's registry; dmarc as some write it)."""


def complaints_of(mail: Mail) -> tuple[Report, ...]:
    """What a feedback report says, one a recipient; () = the mail is none."""
    part = next(
        (p for p in mail.parts if p.kind == "message/feedback-report" and not p.returned), None
    )
    if part is None:
        return _hotmail(mail)
    fields = fields_of(part.text)
    reason = COMPLAINTS.get(first(fields, "feedback-type").lower(), "other_complaint")
    named = (*every(fields, "original-rcpt-to"), *every(fields, "removal-recipient"))
    recipients = dict.fromkeys(filter(None, map(address_in, named))) or [_returned_to(mail)]
    text = next((p.text for p in mail.parts if p.kind == "text/plain" and not p.returned), "")
    return tuple(
        Report(kind=REASONS[reason][0], reason=reason, recipient=one, words=one_line(text)[:WORDS])
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
