"""What a reader agreed to, as it is kept with their consent: the words, the schedule, and how."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from service.store.tables import ConsentRow, SubscriberRow

WORDING = "2026-11"
"""Version of the words a reader agrees to; kept with the consent."""


def agreed_text(
    row: SubscriberRow,
    interests: Sequence[tuple[str, str]],
    *,
    by: str = "",
    lifted: str = "",
    basis: Mapping[str, str] | None = None,
) -> str:
    """What begins, as the text that is kept with the act. interests: (kind, text) of each ·
    by: who added the reader, where it was not the reader · basis: of consent, for an imported list
    (``BASES``, words, since, file, on) · lifted: why the address was suppressed
    until now (of who had left it says nothing more than that they came back)."""
    facts: dict[str, Any] = {
        "interests": [{"kind": kind, "text": text} for kind, text in interests],
        "hour": row.hour, "zone": row.zone, "weekdays": row.weekdays, "locale": row.locale,
    }  # fmt: skip
    if by:
        facts["by"] = by
    if basis:
        facts["basis"] = dict(basis)
    if lifted and lifted != "left":
        facts["lifted"] = lifted
    return json.dumps(facts, ensure_ascii=False)


def agreed_facts(detail: str) -> dict[str, Any]:
    """The same read again: interests, hour, zone, weekdays, locale, by, lifted; {} for an act that
    keeps no such thing. Requests are told in the same form."""
    try:
        found = json.loads(detail) if detail.startswith("{") else {}
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    if "kind" in found:  # a request
        asked = [{"kind": found.pop("kind"), "text": found.pop("text", "")}]
        if people := found.pop("people", ""):
            asked.append({"kind": "follow", "text": people})
        found = {"interests": asked, **found}
    return found


HOW = {
    "request": "asked for on the sign-up page",
    "never": "never to be asked again",
    "link-asked": "a link to the settings asked for",
    "link": "a link to the settings mailed",
    "reason": "said why",
    "address": "another address asked for",
    "address-changed": "address changed",
    "confirm": "confirmed with the button behind the mailed link",
    "added": "entered by the staff",
    "mailed": "a mail about the request",
    "again": "the mail asked for once more",
    "leave": "left",
    "undo": "leaving undone",
    "resume": "mail asked for again after it had come back",
    "erase": "erased",
}
"""How an act came about, in plain words; others speak for themselves."""


def told(row: ConsentRow) -> dict[str, Any]:
    """One act as an export and the staff's pages tell it: act, how, at, wording (version), address
    (network it came from), program (its browser's name), agreed (``agreed_facts``), line (the same
    in one line), by (who did it, where it was not the reader)."""
    agreed = agreed_facts(row.detail)
    by, how = agreed.pop("by", ""), HOW.get(row.act, row.act)
    if row.act == "request" and row.detail == "withdrawn":
        how += ", and taken back there"
    elif not by and row.act in ("added", "request", "erase", "address-changed") and not agreed:
        by = row.detail
    if row.act == "leave" and row.detail:
        how += f": {row.detail}"
    if lifted := agreed.pop("lifted", ""):
        how += f", which ended the suppression ({lifted})"
    if row.act == "request" and by:
        how = "entered by the staff, to be confirmed"
    if basis := agreed.pop("basis", None):
        how += f": {basis_line(basis)}"
    return {
        "act": row.act, "how": how, "at": row.at.isoformat(), "wording": row.wording_version,
        "address": row.address, "program": row.agent, "agreed": agreed,
        "line": _line(agreed), "by": by,
    }  # fmt: skip


BASES: Mapping[str, str] = {
    "elsewhere": "they confirmed elsewhere",
    "institution": "they are members of our institution",
    "confirm": "each is asked to confirm",
}
"""What makes readers of a list readers here: what the staff say, and each consent record keeps."""


def basis_line(basis: Mapping[str, str]) -> str:
    """ "they confirmed elsewhere (our old list, 2024), since 2024-05-01; staff.csv, 2026-11-22"."""
    said = BASES.get(basis.get("kind", ""), "nothing was said of their consent")
    said += f" ({basis['words']})" if basis.get("words") else ""
    said += f", since {basis['since']}" if basis.get("since") else ""
    tail = ", ".join(basis[name] for name in ("file", "on") if basis.get(name))
    return f"{said}; {tail}" if tail else said


def _line(agreed: Mapping[str, Any]) -> str:
    """ "LoRA; trending · 08:00 Europe/Zurich"; "" for nothing."""
    if not agreed.get("interests"):
        return ""
    words = "; ".join(one["text"].replace("\n", ", ") or "trending" for one in agreed["interests"])
    days = f"{agreed['weekdays']} " if agreed.get("weekdays") else ""
    return f"{words} · {days}{agreed['hour']:02}:00 {agreed['zone']}"
