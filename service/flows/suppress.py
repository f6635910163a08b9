"""Addresses that are never mailed: barred one by one or from a list, and let in again."""

import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial

from service.errors import PaperpostError
from service.flows.csv_rows import CsvRows
from service.flows.exports import note_export
from service.flows.leave import leave_row
from service.flows.runtime import Runtime
from service.flows.score import reset
from service.flows.spreadsheet import Opened, decode, to_csv
from service.flows.staff import write_audit
from service.store import consent as consent_store
from service.store import staff as staff_store
from service.store import subscribers as subscribers_store
from service.store import suppressions as suppressions_store
from service.store.db import Priority, Session
from service.store.tables import SubscriberRow, SuppressionRow
from service.subscribers.address import Address, read_address
from service.subscribers.cadence import local_date, next_slot


@dataclass(kw_only=True)
class SuppressionReport:
    """added, unchanged, and problems as (row number, text, what is wrong)."""

    added: int = 0
    unchanged: int = 0
    problems: list[tuple[int, str, str]] = field(default_factory=list)


def import_suppressions(
    rt: Runtime,
    data: bytes,
    *,
    reason: str = "import",
    by: str = "admin",
    network: str = "",
    why: str = "",
) -> SuppressionReport:
    """Bar addresses: one per line, or a CSV with a column email, or our own export of codes. Active
    ones leave at once.

    They go in by portions. The record of the act is written with the first one and says how many
    there are and how many went in so far, each time in the transaction that bars them: it is true
    of an import that broke off too, and the same list again brings in what is missing. by, network,
    why: who did it, from where and for what.

    Raises ReaderError: no table.
    """
    report, bars = SuppressionReport(), []
    for number, typed, read in _read_bars(rt, decode(data), reason):
        try:
            bars.append(read())
        except PaperpostError as error:
            report.problems.append((number, typed, str(error)))
    figures = {"rows": len(bars) + len(report.problems), "bad": len(report.problems)}

    def bar(session: Session, act: int, part: Sequence[_Bar]) -> tuple[int, int]:
        added = _bar_some(rt, session, part, by, why)
        after = {"added": report.added + added, **figures}
        if not act:
            act = staff_store.add_audit(
                session, at=rt.clock(), who=by, what="suppress", after=after, address=network,
                reason=why,
            )  # fmt: skip
        else:
            staff_store.set_after(session, act, after)
        return added, act

    act = 0
    for start in range(0, len(bars) or 1, _AT_ONCE):
        part = bars[start : start + _AT_ONCE]
        first = Priority.BULK if act else Priority.WEB
        added, act = rt.db.write(lambda s, a=act, p=part: bar(s, a, p), first)  # type: ignore[misc]
        report.added += added
        report.unchanged += len(part) - added
    return report


@dataclass(frozen=True, slots=True)
class _Bar:
    """One address to be barred. hashed: its code · key: folded, "" where only the code is known."""

    hashed: str
    key: str
    reason: str


def _read_bars(
    rt: Runtime, text: str, reason: str
) -> Iterator[tuple[int, str, Callable[[], _Bar]]]:
    """(row, as it stands there, its reading, which raises PaperpostError)."""

    def of_address(typed: str) -> _Bar:
        key = read_address(typed.strip().strip('",;')).key
        return _Bar(consent_store.email_hash(rt.instance.key, key), key, reason)

    def of_code(row: Mapping[str, str]) -> _Bar:
        code = row["code"]
        if row["installation"] != _mark(rt) or not re.fullmatch("[0-9a-f]{64}", code):
            raise PaperpostError("This code was not made by this installation.")
        return _Bar(code, "", (row["reason"] or "import")[:64])

    def broken(what: str) -> _Bar:
        raise PaperpostError(what)

    first = text.partition("\n")[0]
    if first.strip() == ",".join(_EXPORTED):
        for number, told, what in CsvRows(io.StringIO(text, newline="")).rows(0):
            row = dict(zip(_EXPORTED, told, strict=True))
            yield number, told[0][:20], partial(broken, what) if what else partial(of_code, row)
    elif "@" not in first and ("mail" in first.lower() or first.lower().startswith("sep=")):
        opened = Opened(io.StringIO(text, newline=""))
        for number, cells, what in opened.rows(opened.names):
            typed = cells["email"]
            yield number, typed, partial(broken, what) if what else partial(of_address, typed)
    else:
        for number, line in enumerate(io.StringIO(text, newline=None), 1):
            if line.strip():
                yield number, line.rstrip("\n"), partial(of_address, line)


def _bar_some(rt: Runtime, session: Session, bars: Sequence[_Bar], by: str, why: str) -> int:
    """Bar these, in a transaction; how many were not barred before."""
    once = {bar.hashed: bar for bar in bars}
    there = consent_store.find_suppressions(session, list(once))
    readers = subscribers_store.find_subscribers(session, [b.key for b in bars if b.key])
    fresh: dict[str, str] = {}
    for hashed, bar in once.items():
        row = readers.get(bar.key)
        if row is not None and row.state == "active":
            leave_row(rt, session, row, reason=_left(by, why), by=by, why=why)
        elif hashed not in there:
            fresh[hashed] = bar.reason
            continue
        consent_store.add_suppression(session, hashed, bar.reason, rt.clock(), why, by=by)
    suppressions_store.add_bars(session, fresh, rt.clock(), consent_store.told_of(by, why))
    return len(once.keys() - there.keys())


_EXPORTED = ("code", "reason", "since", "installation")
_PORTION = 1000
_AT_ONCE = 200
"""Addresses in one transaction: each may be a reader who leaves."""


def export_csv(rt: Runtime, *, by: str, network: str = "") -> Iterator[str]:
    """Every bar as a CSV, in pieces. The addresses are not kept: what stands there are their codes,
    which this installation and a copy of it understand, and no other."""
    count = rt.db.read(suppressions_store.count_bars)
    note_export(rt, "suppressions", count, which="all", form="csv", by=by, address=network)

    def parts() -> Iterator[str]:
        yield to_csv([], _EXPORTED)
        after = ""
        while True:
            rows = rt.db.read(lambda s, a=after: suppressions_store.list_after(s, a, _PORTION))  # type: ignore[misc]
            if not rows:
                return
            after = rows[-1][0]
            named = [
                {
                    "code": code,
                    "reason": reason,
                    "since": since.isoformat(),
                    "installation": _mark(rt),
                }
                for code, reason, since in rows
            ]
            yield to_csv(named, _EXPORTED).split("\r\n", 1)[1]

    return parts()


def _mark(rt: Runtime) -> str:
    """By which our own codes are known, without telling the key that they are made with."""
    return consent_store.email_hash(rt.instance.key, "installation")[:16]


BROUGHT_BY: Mapping[str, str] = {
    "hard": "a mail that came back", "soft": "mails that came back", "complaint": "a complaint",
    "never": "whoever holds the address", "left": "leaving, or being erased",
    "erased": "being erased",
}  # fmt: skip
"""What brings a bar by itself, by its reason."""

_REPORTED = ("hard", "soft", "complaint")
"""Of these a server says why."""


def brought_by(row: SuppressionRow) -> tuple[str, str]:
    """(who or what brought a bar, why: in their words, or the server's)."""
    who, line, why = row.detail.partition("\n")
    if line:
        return who, why
    if row.reason in BROUGHT_BY and (row.reason in _REPORTED or not row.detail):
        return BROUGHT_BY[row.reason], row.detail
    return row.detail, ""  # a row of before has their name alone


def bar_facts(row: SuppressionRow) -> dict[str, str]:
    """A bar for JSON, without its code."""
    by, why = brought_by(row)
    return {"reason": row.reason, "since": row.since.isoformat(), "by": by, "why": why}


def hash_of(rt: Runtime, email: str) -> str:
    """The code of an address. Raises AddressError."""
    return consent_store.email_hash(rt.instance.key, read_address(email).key)


def suppress(
    rt: Runtime, address: Address, *, reason: str, by: str, network: str = "", why: str = ""
) -> bool:
    """Never mail an address again. False when it was barred already. why: for the record."""

    def act(session: Session) -> bool:
        is_new = _suppress(rt, session, address, reason, by, why)
        after = {"added": int(is_new), "bad": 0}
        write_audit(
            session, rt.clock(), who=by, what="suppress", after=after, address=network, reason=why
        )
        return is_new

    return rt.db.write(act, Priority.WEB)


def _left(by: str, why: str) -> str:
    """What a reader's own record says of a bar that ended their mail."""
    return f"suppressed by {by}" + (f", because: {why}" if why else "")


def _suppress(
    rt: Runtime, session: Session, address: Address, reason: str, by: str, why: str
) -> bool:
    now = rt.clock()
    hashed = consent_store.email_hash(rt.instance.key, address.key)
    before = consent_store.get_suppression(session, hashed)
    row = subscribers_store.get_subscriber_row(session, email_key=address.key)
    if row is not None and row.state == "active":
        leave_row(rt, session, row, reason=_left(by, why), by=by, why=why)
    consent_store.add_suppression(session, hashed, reason, now, why, by=by)
    return before is None


def unsuppress(
    rt: Runtime, address: Address, *, by: str = "admin", network: str = "", why: str = ""
) -> bool:
    """Lift a bar; a reader whose mail had bounced gets mail again. Who left stays away until they
    ask themselves. False when there was nothing to lift. why: for the record."""

    def act(session: Session) -> bool:
        lifted = _unsuppress(rt, session, address)
        if lifted:
            write_audit(
                session, rt.clock(), who=by, what="lift suppression", address=network, reason=why
            )
        return lifted

    return rt.db.write(act, Priority.WEB)


def has_left(rt: Runtime, address: Address) -> bool:
    """Whether the reader of an address stays away, barred or not, until they ask again."""
    row = rt.db.read(lambda s: subscribers_store.get_subscriber_row(s, email_key=address.key))
    return row is not None and row.state == "left"


def _unsuppress(rt: Runtime, session: Session, address: Address) -> bool:
    hashed = consent_store.email_hash(rt.instance.key, address.key)
    row = subscribers_store.get_subscriber_row(session, email_key=address.key)
    if row is not None and row.state == "bounced" and lift_row(rt, session, row, hashed):
        return True
    return consent_store.delete_suppression(session, hashed)


def lift_row(rt: Runtime, session: Session, row: SubscriberRow, hashed: str) -> bool:
    """A reader whose mail had bounced gets mail again, in a transaction; reports begin anew. False:
    in another process they left just now, and stay away."""
    now = rt.clock()
    session.refresh(row, with_for_update={"key_share": True})
    if row.state != "bounced":
        return False
    consent_store.delete_suppression(session, hashed)
    reset(row, now)
    row.state = "active"
    row.next_digest_at = next_slot(subscribers_store.to_subscriber(row), now)[1]
    # the time without mail was no outage of ours: the next mail is like the one after a pause
    row.paused_until = max(local_date(now, row.zone), row.paused_until or date.min)
    session.add(row)
    return True
