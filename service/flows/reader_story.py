"""One reader's whole story for the staff: events in time order, the last days with their mail or
why there was none."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from service.flows.act_targets import targets_of
from service.flows.agreed import agreed_facts, told
from service.flows.bounce_words import plain_reason
from service.flows.consequence import ENDS
from service.flows.preview import why
from service.flows.runtime import Runtime
from service.flows.staff_interests import facts_of
from service.flows.why_day import why_days
from service.store import consent as consent_store
from service.store import imports as imports_store
from service.store import papers as papers_store
from service.store import reader_story as store
from service.store.db import Session
from service.store.house_tables import AuditRow
from service.store.report_tables import ReportRow
from service.store.tables import ConsentRow, FeedbackRow, ProfileRow, SubscriberRow
from service.subscribers.cadence import local_date

KINDS: Mapping[str, str] = {
    "consent": "consent",
    "interest": "interests",
    "mail": "mails",
    "report": "what came back",
    "mark": "more or less",
    "act": "acts of the staff",
}
"""What a story is made of, as its filter calls them."""

DAYS = 30


def came_by(session: Session, row: SubscriberRow) -> dict[str, Any]:
    """By whom a reader came, who did not ask for it themselves: imports, each {id, at, by, form,
    files}, else by: the staff's name, "" = nobody is on record."""
    assert row.id is not None
    lists = [
        {
            "id": one.id, "at": one.at, "by": one.done_by, "form": one.form,
            "files": [file["name"] for file in one.report.get("look", {}).get("files", [])],
        }
        for one in imports_store.list_of_reader(session, row.id)
    ]  # fmt: skip
    names = [] if lists or not row.added_by else consent_store.list_consents(session, row.id)
    by = next((name for one in names if (name := agreed_facts(one.detail).get("by"))), "")
    return {"imports": lists, "by": by}


def list_story(
    rt: Runtime,
    session: Session,
    row: SubscriberRow,
    *,
    kind: str = "",
    limit: int,
    offset: int,
    role: str = "",
) -> list[dict[str, Any]]:
    """A page of the story, newest first: {kind, id, at, what, more}; mails and reports have the
    number of what their page is called by. role: of who looks at the desk; acts then have the
    page of what they were about beside the reader, "" where there is none for that role."""
    assert row.id is not None
    events = store.list_events(session, row.id, kind=kind, limit=limit, offset=offset)
    ids: dict[str, list[int]] = {name: [] for name in KINDS}
    for event in events:
        ids[event.kind].append(event.id)
    lines = {
        "consent": {i: _consent(one) for i, one in _get(session, ConsentRow, ids["consent"])},
        "interest": {i: _interest(one) for i, one in _get(session, ProfileRow, ids["interest"])},
        "mail": {
            i: {
                "what": f"{mail.kind}: {mail.state}",
                "more": why(rt, mail, _day(edition.slot) or local_date(mail.planned_at, row.zone)),
            }
            for i, (mail, edition) in store.get_mails(session, ids["mail"]).items()
        },
        "report": {i: _report(one) for i, one in _get(session, ReportRow, ids["report"])},
        "mark": _marks(session, ids["mark"]),
        "act": _acts(session, row.id, ids["act"], role),
    }
    return [
        {"kind": e.kind, "id": e.id, "at": e.at.isoformat(), **lines[e.kind].get(e.id, {})}
        for e in events
    ]


def _get(session: Session, row: type[Any], ids: list[int]) -> list[tuple[int, Any]]:
    return list(store.get_rows(session, row, ids).items())


def _day(slot: str) -> date | None:
    try:
        return date.fromisoformat(slot)
    except ValueError:
        return None


def _consent(row: ConsentRow) -> dict[str, str]:
    facts = told(row)
    more = [facts["line"], facts["wording"], facts["address"], facts["program"]]
    by = f" ({facts['by']})" if facts["by"] else ""
    return {"what": f"{facts['how']}{by}", "more": " · ".join(one for one in more if one)}


def _interest(row: ProfileRow) -> dict[str, str]:
    facts = facts_of(row)
    words = str(facts["text"]).replace("\n", ", ") or "trending"
    return {"what": f"interest {facts['name']} begun", "more": f"{facts['kind']}: {words}"}


def _report(row: ReportRow) -> dict[str, Any]:
    followed = ENDS.get(row.said, row.said)
    more = [row.words, followed]
    return {
        "what": f"{row.kind}: {plain_reason(row.reason)}",
        "more": " · ".join(one for one in more if one),
        "page": row.inbound_id,
    }


def _marks(session: Session, ids: list[int]) -> dict[int, dict[str, str]]:
    rows = store.get_rows(session, FeedbackRow, ids)
    papers = papers_store.get_rows(session, [one.paper_id for one in rows.values()])
    found = {}
    for number, one in rows.items():
        title = papers_store.to_paper(*papers[one.paper_id]).title if one.paper_id in papers else ""
        found[number] = {"what": "more" if one.sign > 0 else "less", "more": title}
    return found


def _acts(session: Session, reader_id: int, ids: list[int], role: str) -> dict[int, dict[str, str]]:
    rows = store.get_rows(session, AuditRow, ids)
    made = {number: _act(row) for number, row in rows.items()}
    if role:
        about = targets_of(session, rows.values(), role, at_home=f"reader {reader_id}")
        for number, parts in about.items():
            made[number]["page"] = next((part.page for part in parts), "")
    return made


def _act(row: AuditRow) -> dict[str, str]:
    changes = []
    before, after = row.before or {}, row.after or {}
    for name in after | before:
        was, now = before.get(name), after.get(name)
        if name in before and name in after:
            if was == now:
                continue
            changes.append(f"{name.replace('_', ' ')}: {_plain(was)} → {_plain(now)}")
        else:
            only = now if name in after else was
            changes.append(f"{name.replace('_', ' ')}: {_plain(only)}")
    if row.reason:
        changes.append(f"because: {row.reason}")
    return {"what": f"{row.what} ({row.who})", "more": " · ".join(changes)}


def _plain(value: Any) -> str:
    """A value of a record as it is read: yes, no, – for nothing."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    return "–" if value in (None, "") else str(value)


def list_days(rt: Runtime, session: Session, row: SubscriberRow) -> list[dict[str, Any]]:
    """The last local dates, newest first: {on, state, delivery (its number), says}."""
    assert row.id is not None
    texts = rt.catalogs.texts("en")
    today = local_date(rt.clock(), row.zone)
    began = local_date(row.created_at, row.zone)
    days = [today - timedelta(days=back) for back in range(DAYS)]
    days = [on for on in days if on >= began] or [today]
    mails = store.list_dailies(session, row.id, days[-1], days[0])
    without = [on for on in days if on.isoformat() not in mails]
    reasons = why_days(rt, session, row, without)
    found = []
    for on in days:
        mail = mails.get(on.isoformat())
        says = why(rt, mail, on) if mail is not None else ""
        if mail is None:
            says = " ".join(texts.said(one) for one in reasons[on])
        found.append(
            {
                "on": on,
                "state": mail.state if mail is not None else "",
                "delivery": mail.id if mail is not None else None,
                "says": says.removeprefix(f"{texts.day(on)}: "),
            }
        )
    return found
