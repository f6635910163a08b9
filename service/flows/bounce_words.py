"""What mails that come back mean, in words: reasons for readers, all else for the staff."""

from collections.abc import Mapping

from service.errors import Sentence
from service.reports.model import Kind

KINDS: Mapping[Kind, str] = {
    Kind.HARD: "nobody has this mailbox",
    Kind.SOFT: "not for now",
    Kind.POLICY: "our side: standing or set-up",
    Kind.CONTENT: "this mail as such",
    Kind.COMPLAINT: "called spam by its reader",
    Kind.OPTOUT: "asked to leave by mail",
    Kind.AUTO: "an automatic answer",
    Kind.NONE: "asks for nothing",
}

FOLLOWS: Mapping[Kind, str] = {
    Kind.HARD: "No mail goes there any more.",
    Kind.SOFT: "It counts against the address; too many in a row and its mail rests for days.",
    Kind.POLICY: "It counts against our standing at the domain, never against the reader.",
    Kind.CONTENT: "It counts against our standing at the domain, never against the reader.",
    Kind.COMPLAINT: "The reader leaves at once.",
    Kind.OPTOUT: "The reader leaves at once.",
    Kind.AUTO: "Nothing follows.",
    Kind.NONE: "Nothing follows.",
}
"""What a decision does where the mail waits for it and is of a reader of ours."""

STATES: Mapping[str, str] = {"done": "understood", "review": "to look at", "foreign": "not ours"}

_REASONS: Mapping[str, Sentence] = {
    "no_such_user": Sentence("There is no mailbox with this address."),
    "moved": Sentence("The mailbox is no longer there, or belongs to somebody else."),
    "domain_gone": Sentence("What stands behind the @ does not exist any more."),
    "no_mail_here": Sentence("What stands behind the @ takes no mail."),
    "mailbox_full": Sentence("The mailbox is full."),
    "disabled": Sentence("The mailbox is switched off."),
    "filtered": Sentence("A filter of the mailbox refuses our mail."),
    "busy": Sentence("The mailbox gets too much mail just now."),
    "greylisted": Sentence("The mail server keeps asking us to come again later."),
    "expired": Sentence("The mail server did not take our mail for days."),
    "unreachable": Sentence("The mail server could not be reached."),
    "system": Sentence("Something is broken at the mail server, or on the way there."),
    "agent": Sentence("The program that puts mail into the mailbox failed."),
    "suppressed": Sentence("The service that sends our mail holds this address back."),
}


def says(reason: str) -> Sentence | None:
    """What a reason of ``reports.reasons`` means for a reader; None where nothing is known."""
    return _REASONS.get(reason)


def plain_reason(reason: str) -> str:
    """A reason for the staff: "no such user"."""
    return reason.replace("_", " ")
