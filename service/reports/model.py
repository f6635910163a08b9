"""What a mail that came in says about one recipient, and what in it may say whose it is. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What follows from a report; the words of ``paperpost inbound --explain``.

    hard: nobody has this mailbox · soft: not for now · policy: our own standing or set-up, nobody
    there is to blame · content: this mail as such · auto: an answer of a machine, no failure ·
    none: nothing that asks for anything (delivered, a person's letter, not understood)."""

    HARD = "hard"
    SOFT = "soft"
    POLICY = "policy"
    CONTENT = "content"
    COMPLAINT = "complaint"
    OPTOUT = "optout"
    AUTO = "auto"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One recipient of a mail that came in.

    reason: a word of ``reports.reasons`` ("no_such_user") · recipient: as it was said, "" = not
    said · status: "5.1.1" (RFC 3463) or "" · code: the reply's, 0 = not said · words: the
    server's, at most ``WORDS`` characters · action: of RFC 3464 section 2.3.3 (failed, delayed,
    delivered, relayed, expanded), "" where the form has none · mta: who refused, "" = not said."""

    kind: Kind
    reason: str
    recipient: str = ""
    status: str = ""
    code: int = 0
    words: str = ""
    action: str = ""
    mta: str = ""


WORDS = 1_000
"""Characters of a server's words that are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """What stands in a mail that only we could have written, in the order it was found; whether it
    is ours says the database.

    bounce_ids: from return paths (bounces+ID@...) · message_ids: without angle brackets, of the
    mail that is returned or answered to · leave_tokens: of our links and addresses for leaving."""

    bounce_ids: tuple[str, ...] = ()
    message_ids: tuple[str, ...] = ()
    leave_tokens: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A mail that came in, read.

    reports: one a recipient, never empty (of kind NONE where it says nothing) · form: what told it
    ("dsn", "arf", "flufl:exim", "body:...", "auto", "optout", "provider:ses") · sender, subject,
    message_id: of the mail itself, "" where it has none · problems: what was left out, cut or
    broken, in words · is_sure: False where a person is to look at it (nothing understood though it
    looks like a report, or rules that disagree)."""

    reports: tuple[Report, ...]
    traces: Traces
    form: str = ""
    sender: str = ""
    subject: str = ""
    message_id: str = ""
    problems: tuple[str, ...] = ()
    is_sure: bool = True
