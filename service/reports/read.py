"""A mail that came in, read: whose form it has and what follows for each recipient. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from email.message import Message

from flufl.bounce import all_failures

from service.reports import arf, bodies, dsn
from service.reports.kinds import kind_of, rest_of
from service.reports.mail import Mail, first, open_mail
from service.reports.model import Kind, Read, Report, Traces
from service.reports.probe import probe_token
from service.reports.reasons import judge
from service.reports.traces import find_traces

_MILD = (Kind.NONE, Kind.AUTO, Kind.SOFT, Kind.CONTENT, Kind.POLICY, Kind.HARD)
"""Kinds of one recipient that was reported twice, the one that is believed first."""


RECIPIENTS = 100
"""Recipients of one report; what is said of more is left out."""


def read_report(data: bytes, *, bounce_address: str = "", rcpts: Sequence[str] = ()) -> Read:
    """Read any bytes. bounce_address: BOUNCE_ADDRESS, "" = none is set · rcpts: whom the mail was
    handed in for, where the way in knows. Raises nothing."""
    mail = open_mail(data)
    is_probe = bool(probe_token(mail, bounce_address, rcpts))
    told = _PROBE if is_probe else _told(mail)
    return Read(
        reports=told.reports,
        traces=Traces() if is_probe else find_traces(mail, rcpts),
        form=told.form,
        sender=first(mail.headers, "from"),
        subject=first(mail.headers, "subject"),
        message_id=first(mail.headers, "message-id").strip("<> "),
        problems=mail.problems + told.problems,
        is_sure=told.is_sure,
    )


@dataclass(frozen=True, slots=True)
class _Told:
    """What one way of reading made of a mail."""

    form: str
    reports: tuple[Report, ...]
    is_sure: bool = True
    problems: tuple[str, ...] = ()


_PROBE = _Told("probe", (Report(kind=Kind.NONE, reason="probe"),))
_LETTER = _Told("", (Report(kind=Kind.NONE, reason="letter"),))


def _told(mail: Mail) -> _Told:
    """The first way of reading that says something: fields for machines, then what is surely no
    failure, then texts for people."""
    complaints = arf.complaints_of(mail)
    if complaints:
        return _Told("arf", complaints)
    text = bodies.text_of(mail)
    fields = dsn.recipients_of(mail)
    if fields:
        reports = _once(_of_fields(fields[:RECIPIENTS], dsn.without_fields(text)))
        return _Told("dsn", reports, _is_understood(reports), _left_out(len(fields)))
    known = kind_of(mail)
    if known is None and bodies.is_report(mail, text):
        return _of_text(mail, text)
    known = known or rest_of(mail)
    return _Told(known[1], (known[0],)) if known else _LETTER


def _of_text(mail: Mail, text: str) -> _Told:
    """A report whose form is text for people: by clear forms of ours, by what flufl.bounce knows,
    by any line that names somebody, else as a whole."""
    found = bodies.found_in(mail, text, bodies.CLEAR)
    problems: tuple[str, ...] = ()
    form = ""
    if not found:
        addresses, problems = _flufl(mail, text)
        found, form = bodies.of_named(addresses, text, ""), "flufl"
    if not found:
        found, form = bodies.found_in(mail, text), ""
    if not found:
        found, form = bodies.of_named([""], text, ""), "text"
    reports = _once(judge(one) for one, _ in found[:RECIPIENTS])
    problems += _left_out(len(found))
    return _Told(form or f"body:{found[0][1]}", reports, _is_understood(reports), problems)


def _left_out(count: int) -> tuple[str, ...]:
    """The problem of a report with more recipients than are read."""
    return (f"only the first {RECIPIENTS} recipients were read",) if count > RECIPIENTS else ()


def _is_understood(reports: Iterable[Report]) -> bool:
    return all(one.reason != "unknown" for one in reports)


def _of_fields(fields: Sequence[dsn.Fields], text: str) -> Iterable[Report]:
    """What the fields of each recipient say, with what the text beside them says of it."""
    said = {one.recipient.lower(): one for one in bodies.sections_of(text)}
    only = next(iter(said.values())) if len(said) == 1 else None
    for one in fields:
        recipient = dsn.recipient_of(one)
        section = said.get(recipient.lower())
        around = section.words if section else ""
        if len(fields) == 1 and len(said) <= 1:
            section, around = section or only, text
        found = dsn.found_of(one, around)
        if not recipient and section:
            found = replace(found, recipient=section.recipient)
        yield judge(found)


def _once(reports: Iterable[Report]) -> tuple[Report, ...]:
    """One report a recipient: of several the mildest."""
    kept: dict[str, Report] = {}
    for one in reports:
        before = kept.get(one.recipient.lower())
        if before is None or _MILD.index(one.kind) < _MILD.index(before.kind):
            kept[one.recipient.lower()] = one
    return tuple(kept.values())


def _flufl(mail: Mail, text: str) -> tuple[list[str], tuple[str, ...]]:
    """The addresses that flufl.bounce finds in the head and the text of a report; it is given no
    more than those, so that nothing it walks through is deep or long."""
    flat = Message()
    flat["From"] = first(mail.headers, "from") or "nobody"
    for name, value in mail.headers[:100]:
        if name != "from" and not name.startswith("content-"):
            flat[name] = value
    flat.set_payload(text)
    try:
        temporary, permanent = all_failures(flat)
    except Exception as error:  # a detector may stumble over what it did not expect
        return [], (f"flufl.bounce: {type(error).__name__}",)
    found = sorted({*temporary, *permanent})[:RECIPIENTS]
    return [one.decode("utf-8", "replace") if isinstance(one, bytes) else one for one in found], ()
