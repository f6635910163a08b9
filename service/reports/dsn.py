"""Delivery status notifications: the fields of RFC 3464, wherever they stand. Pure.

Many reports put the fields into a text, forget the empty line between recipients, or leave Status
out; what is there is taken.
"""

import re
from collections.abc import Iterable, Iterator

from service.reports.found import STATUS, Found, Where, address_in, one_line, place_of
from service.reports.mail import Mail

Fields = dict[str, str]

_FIELD = re.compile(r"([A-Za-z][A-Za-z0-9\-]{1,60}):[ \t]*(.*)")
_RECIPIENTS = ("original-recipient", "final-recipient")
_ONCE = (*_RECIPIENTS, "action", "status")
_SAYS = ("action", "status", "diagnostic-code")
_ACTIONS = {
    "failed": "failed",
    "failure": "failed",
    "fail": "failed",
    "delayed": "delayed",
    "delay": "delayed",
    "deferred": "delayed",
    "delivered": "delivered",
    "deliverable": "delivered",
    "relayed": "relayed",
    "expanded": "expanded",
}
_TYPED = re.compile(r"\s*([A-Za-z][A-Za-z0-9\-]{0,40})\s*;\s*(.*)", re.DOTALL)


def recipients_of(mail: Mail) -> tuple[Fields, ...]:
    """The fields of each recipient of a report, names in lower case; () = it has none."""
    own = [part for part in mail.parts if not part.returned]
    status = [part.text for part in own if part.kind == "message/delivery-status"]
    texts = [part.text for part in own if part.kind == "text/plain"]
    return tuple(_blocks(status)) or tuple(_blocks(texts))


def _blocks(texts: Iterable[str]) -> Iterator[Fields]:
    for text in texts:
        for block in _groups(text):
            if any(block.get(name) for name in _RECIPIENTS) and any(map(block.get, _SAYS)):
                yield block


def _groups(text: str) -> Iterator[Fields]:
    """Groups of fields, one a recipient at most; what stands between them is passed over."""
    group: Fields = {}
    name = ""
    for line in text.splitlines():
        if line[:1] in (" ", "\t") and line.strip() and name:
            group[name] += "\n" + line.strip()
            continue
        found = _FIELD.fullmatch(line)
        name = found[1].lower() if found else ""
        if not found:
            if _is_whole(group):
                yield group
                group = {}
            continue
        if name in _ONCE and name in group:
            yield group
            group = {}
        group[name] = found[2].strip()
    yield group


def _is_whole(group: Fields) -> bool:
    """Whether a group says whom it is about and what became of it, or is about nobody."""
    is_named = any(group.get(name) for name in _RECIPIENTS)
    return not is_named or bool(group.get("action"))


_FIRST = re.compile(
    r"^(reporting-mta|original-recipient|final-recipient|arrival-date|x-postfix-queue-id):.*",
    re.IGNORECASE | re.MULTILINE | re.DOTALL,
)


def without_fields(text: str) -> str:
    """A text up to where fields for machines begin in it."""
    return _FIRST.sub("", text)


def found_of(fields: Fields, section: str) -> Found:
    """What the fields of one recipient say. section: what the text for people says of it."""
    words, where = _diagnostic(fields.get("diagnostic-code", ""))
    status = STATUS.search(fields.get("status", ""))
    action = fields.get("action", "").lower().split()
    comment = fields.get("status", "")[status.end() :] if status else ""
    recipient, mta = recipient_of(fields), _typed(fields.get("remote-mta", ""))[1]
    is_named = bool(recipient and mta and status) and recipient.lower() in words.lower()
    return Found(
        recipient=recipient,
        action=_ACTIONS.get(action[0].strip(";,."), "") if action else "",
        status=status[1] if status else "",
        words=words or one_line(comment).strip("( )"),
        around=section,
        where=where or place_of(section) or ("named" if is_named else ""),
        mta=mta.split(" ")[0][:255],
    )


def recipient_of(fields: Fields) -> str:
    """Whom it was sent to, else where it ended; "" = no mail address."""
    found = (address_in(_typed(fields.get(name, ""))[1]) for name in _RECIPIENTS)
    return next((address for address in found if address), "")


def _diagnostic(value: str) -> tuple[str, Where]:
    kind, words = _typed(value)
    return one_line(words), "agent" if kind == "x-unix" else ""


def _typed(value: str) -> tuple[str, str]:
    """Type and value of a typed field; a value without a type has the type ""."""
    found = _TYPED.fullmatch(value)
    return (found[1].lower(), found[2].strip()) if found else ("", value.strip())
