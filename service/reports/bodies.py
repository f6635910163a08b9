"""Reports that are text for people: whom it is about and what was said, by families of form. Pure.

A report is cut where the returned mail begins. A line of a known form names a recipient; what
follows up to the next one is about it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from service.reports.found import (
    ADDRESS,
    CODE,
    STATUS,
    Found,
    Where,
    address_in,
    one_line,
    place_of,
)
from service.reports.kinds import lines_of
from service.reports.mail import Mail, every, first
from service.reports.reason_words import AGENT

TEXT = 60_000
"""Characters of a text that are looked at."""
LINE = 2_000
"""Characters of one of its lines."""
SECTIONS = 200
"""Recipients of one report in text."""

_AT = ADDRESS.pattern
_OPEN = r"[<\"'(\[]{0,3}(?:smtp:|rfc822; ?|mailto:)?"


@dataclass(frozen=True, slots=True)
class Form:
    """How a line names a recipient. where: what this form tells of the session · is_clear: forms
    that are not are used only where no clear one was found."""

    name: str
    pattern: re.Pattern[str]
    where: Where = ""
    is_clear: bool = True


def _form(name: str, pattern: str, where: Where = "", *, is_clear: bool = True) -> Form:
    return Form(name, re.compile(pattern, re.IGNORECASE), where, is_clear)


FORMS: tuple[Form, ...] = (
    _form(
        "own",
        rf"\s*(?:(?:unknown|no such) (?:local )?(?:user|host)|invalid final delivery userid)"
        rf"\s*:\s*{_OPEN}(?P<at>{_AT})",
        "own",
    ),
    _form("told", rf"\s*(?P<at>{_AT}) \((?:user|mailbox|account) not found\)", "own"),
    _form(
        "label",
        r"(?:[-*]\s*)?(?:(?:failed|intended|original|final|target|to|affected)\W{0,2})?"
        r"(?:recipient|rcpt to|rcpt|mail address|e-?mail address|addressed to|user|mailbox)"
        rf"(?: ?mail)?(?: ?address)?\s*[:=]\s*{_OPEN}(?P<at>{_AT})",
    ),
    _form("x400", rf".{{0,400}}\bsmtp[=:](?P<at>{_AT})"),
    _form("reply", rf"\s*[45]\d\d[ -](?:[45]\.\d+\.\d+ )?<(?P<at>{_AT})>"),
    _form("answer", rf"\s*<?(?P<at>{_AT})>?: 5\d\d[ -]", "named"),
    _form("line", rf"[\s>*\-.\u2022]{{0,40}}{_OPEN}(?P<at>{_AT})(?![\w-])(?! wrote)"),
    _form(
        "field",
        rf"\s*(?!to\b)[^\W\d_][\w ()\uff08\uff09/\-]{{1,60}}[:=\uff1a]\s*{_OPEN}(?P<at>{_AT})",
        is_clear=False,
    ),
    _form(
        "sentence",
        r".{0,600}?\b(?:to|for|smtp|recipients?|address(?:es|e)?|user|mailbox|account|userid|errors?|"
        rf"attempts|failed|an|a|à)\b(?: the)?(?: (?:following|user|address))?[\s:=]{{1,9}}{_OPEN}"
        rf"(?P<at>{_AT})",
        is_clear=False,
    ),
)

_RETURNED = re.compile(
    r"\s*+[-=_*#> ]{2,}+.{0,80}?\b(original|copy|returned|unsent|headers?|"
    r"enclosed|bounced|follows|transcript of (the )?message)\b.*"
    r"|\W{0,4}(here is|this is|included is|below( this line)? is|a) (a )?(copy|summary) of .*"
    r"|\W{0,4}(the |your )?((original|returned|bounced|unsent|undelivered) )?(mail|message|e-?mail)"
    r"( body)?( headers?)? (follows?|reads|is attached|as follows|text follows).*"
    r"|\W{0,4}original (mail|message)( headers?)?( as)?( follows?)?\s*[:.].*"
    r"|.{0,60}\b(original|undelivered) (mail|message).{0,40} follows?:?\W*+$"
    r"|\W{0,4}(intestazioni originali|original-?(nachricht|header)|message d'origine|"
    r"encabezados de mensajes? original|mensaje original|cabe[cç]alhos? (da|originais)).*"
    r"|(received|return-path|dkim-signature|arc-\w[\w-]*|x-[\w-]{2,60}|message-id|mime-version)"
    r" ?:.*",
    re.IGNORECASE,
)
_SENDER = re.compile(
    r"\bmail from\b|^\W{0,6}(from|sender|reply-to|cc)\b\W|\bfrom=|\bF=\[|please |contact |"
    r"assist|help|postmaster@|mailer-daemon@|abuse@|message-id|envelope|"
    r"发件人|寄件人|差出人|送信者|отправител|exp[eé]diteur|absender|remitente|mittente",
    re.IGNORECASE,
)
_DELAY = re.compile(
    r"\bwarning\b|\bdelayed\b|will (be |continue )?(to be )?(retri|tri|try)|"
    r"temporary failure report|still being retried|postponed|not? need to resend|"
    r"keep(s)? trying|advisory-only",
    re.IGNORECASE,
)
_FINAL = re.compile(
    r"(permanent|fatal) error|failed permanently|given up|giving up|no further delivery|"
    r"not going to try again|will not (be retried|continue)",
    re.IGNORECASE,
)
_FAILS = re.compile(
    r"(could|can|was|has|were|is|been|did)( ?n[o']t|not)( \w+){0,3} (deliver|reach|sen[dt])|"
    r"(not|to) be (successfully )?delivered|undeliver|unable to deliver|fail\w* to deliver|"
    r"deliver\w* (\w+ ){0,4}fail|fail\w* (\w+ ){0,3}deliver|trouble delivering|"
    r"error \w+ delivering|delivery (problem|warning)|(has|have) been (postponed|delayed)|"
    r"returned (mail|to sender)|(mail|message) has been returned|(permanent|fatal) error|"
    r"message is delayed|n'a pas pu|nicht zugestellt|requested (mail )?action (was )?not taken|"
    r"no (se )?(ha podido|pudo) (ser )?entrega|non .{0,20}recapit|não .{0,20}entreg|"
    r"не может быть доставлен|не доставлен|送信できません|配信できません|"
    r"message (was |has been |is )?(rejected|bounced|returned|refused|blocked)|"
    r"(rejected|refused|bounced) (your|the) (message|mail)|duplicated message-id|"
    r"could ?n[o']t be delivered|delivery errors",
    re.IGNORECASE,
)
_ANSWER = re.compile(r"^\W{0,10}[45][0-5]\d[ -]+\S|[ (#][45]\.\d\.\d{1,3}\b", re.MULTILINE)
_DONE = re.compile(r"[ (#]2\.[0-7]\.\d{1,3}\b|success\w* (mail )?deliver", re.IGNORECASE)
_HEARD = tuple(
    re.compile(
        rf"^\W{{0,20}}<<< ?({digit}\d\d\b.*(?:\n\W{{0,20}}<<< ?{digit}\d\d\b.*)*)", re.MULTILINE
    )
    for digit in "54"
)
_DAEMON = re.compile(
    r"mailer[-_ ]?daemon|post[-_ ]?master|mail[-. ]?deliver|delivery[-. ](sub)?system|"
    r"mail (delivery|system|administrator)|^<?>?$",
    re.IGNORECASE,
)
_SUBJECT = re.compile(
    r"undeliver|returned? mail|fail(ure|ed)|delivery (status|report|notif|problem|error|warning)|"
    r"bounce|not delivered|mail (system )?error|processing error|non remis|unzustellbar|delay|"
    r"rejected|could not|error sending|loop alert|not member article",
    re.IGNORECASE,
)
_HEADS = ("message/rfc822", "text/rfc822-headers")


def text_of(mail: Mail) -> str:
    """What a report says to people, up to the mail that it returns."""
    own = [part for part in mail.parts if not part.returned]
    texts = [part.text for part in own if part.kind == "text/plain" and part.text.strip()]
    if not texts:
        texts = [lines_of(part.text) for part in own if part.kind == "text/html"]
    return cut("\n".join(texts)[:TEXT])


def cut(text: str) -> str:
    """A text up to where a returned mail begins; no line longer than ``LINE``."""
    kept: list[str] = []
    for line in text.splitlines():
        line = line[:LINE]
        if _RETURNED.match(line) and "session" not in line and any(map(str.strip, kept)):
            break
        kept.append(line)
    return "\n".join(kept)


def is_report(mail: Mail, text: str) -> bool:
    """Whether a mail looks like a report on a delivery: a field that says so, or two signs of
    which one is its sender, its subject or its words."""
    first_signs = (
        _DAEMON.search(first(mail.headers, "from")),
        _SUBJECT.search(first(mail.headers, "subject")),
        _FAILS.search(text),
    )
    other_signs = (
        _ANSWER.search(text),
        any(part.kind in _HEADS for part in mail.parts),
        first(mail.headers, "return-path") == "<>",
    )
    is_sign = any(first_signs) and sum(map(bool, (*first_signs, *other_signs))) >= 2
    return is_sign or bool(every(mail.headers, "x-failed-recipients"))


def is_delay(text: str) -> bool:
    """Whether a text speaks of one that is still tried."""
    return bool(_DELAY.search(text)) and not _FINAL.search(text)


@dataclass(frozen=True, slots=True)
class Section:
    """What a text says of one recipient."""

    recipient: str
    words: str
    where: Where
    form: str


CLEAR = tuple(form for form in FORMS if form.is_clear)


def sections_of(
    text: str, but: frozenset[str] = frozenset(), forms: tuple[Form, ...] = FORMS
) -> tuple[Section, ...]:
    """What a text says, one a recipient: by clear forms, else by those of ``forms`` too. but:
    addresses (lower case) that are none of them."""
    return (_joined(_sections(text, CLEAR, but)) or _joined(_sections(text, forms, but)))[:SECTIONS]


def _sections(text: str, forms: tuple[Form, ...], but: frozenset[str]) -> Iterator[Section]:
    at, where, name = "", "", ""
    lines: list[str] = []
    for line in text.splitlines():
        form, address = _named(line, forms, but)
        if form and address.lower() != at.lower():
            if at:
                yield Section(at, "\n".join(lines), where, name)  # type: ignore[arg-type]
            at, where, name, lines = address, form.where, form.name, []
        lines.append(line)
    if at:
        yield Section(at, "\n".join(lines), where, name)  # type: ignore[arg-type]


def _named(line: str, forms: tuple[Form, ...], but: frozenset[str]) -> tuple[Form | None, str]:
    """The form of a line that names a recipient, and whom."""
    if "@" not in line or _SENDER.search(line):
        return None, ""
    line = line.strip()  # blanks in front would be tried in vain once for each of them
    for form in forms:
        found = form.pattern.match(line)
        if found and found["at"].lower() not in but:
            return form, found["at"].strip(".")
    return None, ""


def _joined(sections: Iterator[Section]) -> tuple[Section, ...]:
    """One section an address, in the order in which they were found."""
    kept: dict[str, Section] = {}
    for one in sections:
        before = kept.get(one.recipient.lower())
        if before is None:
            kept[one.recipient.lower()] = one
        else:
            words = f"{before.words}\n{one.words}"
            kept[one.recipient.lower()] = Section(
                before.recipient, words, before.where or one.where, before.form
            )
    return tuple(kept.values())


def failed_in(mail: Mail) -> tuple[str, ...]:
    """The recipients that Exim's and Google's own field names."""
    values = every(mail.headers, "x-failed-recipients")
    found = (address_in(one) for value in values for one in value.split(","))
    return tuple(dict.fromkeys(filter(None, found)))


def found_in(
    mail: Mail, text: str, forms: tuple[Form, ...] = FORMS
) -> tuple[tuple[Found, str], ...]:
    """What a report in text says, one a recipient, each with the name of its form."""
    others = _others(mail)
    sections = sections_of(text, others, forms) or sections_of(text, forms=forms)
    failed = failed_in(mail)
    if failed:
        return of_named(failed, text, "x-failed-recipients")
    return _founds(sections, text)


def of_named(recipients: Sequence[str], text: str, form: str) -> tuple[tuple[Found, str], ...]:
    """What a text says of recipients that something else named. form: what did."""
    said = {one.recipient.lower(): one for one in sections_of(text)}
    none = Section("", "", "", form)
    sections = [replace(said.get(one.lower(), none), recipient=one) for one in recipients]
    return _founds(sections, text)


def _founds(sections: Sequence[Section], text: str) -> tuple[tuple[Found, str], ...]:
    is_one = len(sections) == 1 or not any(one.words for one in sections)
    whole, action = text if is_one else "", _action(text)
    return tuple((_found(one, whole, action), one.form) for one in sections)


def _found(section: Section, text: str, action: str) -> Found:
    said = section.words
    where = place_of(said) or place_of(text) or section.where
    if AGENT.search(said):
        where = "agent"
    elif 'unknown user: "' in said:
        where = "own"
    return Found(
        recipient=section.recipient,
        action=action,
        words=heard_in(text) or answer_in(said) or answer_in(text),
        around=text or said,
        where=where,
    )


def _action(text: str) -> str:
    """What a text says became of the mail, in the words of RFC 3464."""
    if _DONE.search(text) and not _ANSWER.search(text):
        return "delivered"
    return "delayed" if is_delay(text) else "failed"


def answer_in(text: str) -> str:
    """The answer of a server in a text, from its code on; "" = none."""
    found = CODE.search(text) or STATUS.search(text)
    return one_line(text[found.start() :].split("\n\n", 1)[0]) if found else ""


def heard_in(text: str) -> str:
    """What a server refused for good first in a transcript of a session, else what it put off
    first; "" = nothing."""
    found = (pattern.search(text) for pattern in _HEARD)
    return next((one[1] for one in found if one), "")


def _others(mail: Mail) -> frozenset[str]:
    """Addresses that are not recipients: who reports, and to whom."""
    fields = ("from", "to", "reply-to", "return-path", "delivered-to", "x-original-to")
    return frozenset(
        found[0].lower()
        for name in fields
        for value in every(mail.headers, name)
        for found in ADDRESS.finditer(value)
    )
