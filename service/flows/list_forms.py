"""Whose export a list is, and what its columns mean here: listmonk, Mailchimp, Ghost, ours.

An export is known by its columns, never by its file's name; but that Mailchimp's list of people who
never subscribed has the columns of its subscribers, and is known by its name alone. Columns as
their sources and public copies of their files have them (docs/import.md).
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from service.flows.spreadsheet import ReaderError, read_columns
from service.subscribers.cadence import known_zones
from service.text.clean import collapse

PLAIN = "csv"
FORMS: Mapping[str, str] = {
    PLAIN: "a CSV in Paperpost's columns",
    "listmonk": "listmonk export",
    "mailchimp": "Mailchimp export",
    "mailchimp-unsubscribed": "Mailchimp export, unsubscribed",
    "mailchimp-cleaned": "Mailchimp export, cleaned",
    "mailchimp-nonsubscribed": "Mailchimp export, never subscribed",
    "ghost": "Ghost export",
}
"""The forms that are recognised, in words."""

OUT: Mapping[str, str] = {
    "left": "left", "bounced": "hard", "erased": "left", "blocklisted": "import",
}  # fmt: skip
"""States of a row that keep a person out, and why the address is barred then."""

ASIDE = ("disabled", "nonsubscribed")
"""States of a row that is not taken in, and bars nobody."""

MOST_UNREAD = 200
"""So many names that say nothing are told."""

_MAILCHIMP = {
    "member_rating", "optin_time", "optin_ip", "confirm_time", "confirm_ip", "last_changed", "leid",
    "euid", "unsub_time", "clean_time",
}  # fmt: skip
_MAILCHIMP_UNREAD = _MAILCHIMP | {
    "latitude", "longitude", "gmtoff", "dstoff", "cc", "region", "notes", "address",
    "phone number", "birthday", "unsub_campaign_title", "unsub_campaign_id", "unsub_reason",
    "unsub_reason_other", "clean_campaign_title", "clean_campaign_id", "email marketing",
}  # fmt: skip
_ADDRESSES = ("email address", "email", "e-mail address", "e-mail")
_GHOST = {"subscribed_to_emails", "complimentary_plan", "stripe_customer_id", "labels", "tiers"}
_WORDS = ("interests", "interest", "keywords", "topics", "words", "stichworte", "stichwörter")
_ZONES = ("tz", "timezone", "time_zone", "zone")
_LANGUAGES = ("language", "lang", "locale")
_KINDS = {**dict.fromkeys(_ZONES, "zone"), **dict.fromkeys(_LANGUAGES, "language"), "hour": "hour"}
_NO = ("false", "0", "no")
_HOURS = frozenset(f"{hour:{form}}" for hour in range(24) for form in ("", "02"))


@dataclass(slots=True)
class Form:
    """A list as it is read. columns: as the file names them, small · mapped: (column, what it
    becomes) · unread: names that say nothing here; of attributes they grow while rows are read ·
    address: the column of addresses."""

    name: str
    columns: tuple[str, ...]
    mapped: list[tuple[str, str]]
    unread: dict[str, None] = field(default_factory=dict)
    address: str = "email"

    def leave(self, name: str) -> None:
        """Remember that a name says nothing here; a list may have a million of them."""
        if len(self.unread) < MOST_UNREAD:
            self.unread.setdefault(collapse(name)[:80])

    def cells(self, row: Mapping[str, str]) -> dict[str, str]:
        """A row of the file as one of ours. Raises ReaderError."""
        if self.name == PLAIN:
            return dict(row)
        return _READ[self.name.partition("-")[0]](self, row)

    def email(self, row: Mapping[str, str]) -> str:
        """The address of a row of the file, as it is typed."""
        return row.get(self.address, "")

    def state(self, row: Mapping[str, str]) -> str:
        """What keeps a row of the file from being a reader, in our words; "" = nothing."""
        return _STATES[self.name.partition("-")[0]](self, row)


def recognise(columns: Sequence[str], names: Sequence[str], file: str = "") -> Form:
    """Whose list this is. columns: of its head · names: of each, as ours. Raises ReaderError: a
    plain CSV with a column that nobody knows."""
    small = tuple(c.strip().lower() for c in columns)
    have = set(small)
    if {"email", "status", "attributes"} <= have:
        return _listmonk(small)
    if _address_of(have) and len(_MAILCHIMP & have) >= 2:
        return _mailchimp(small, file)
    if "email" in have and len(_GHOST & have) >= 2:
        return _ghost(small)
    unread = read_columns(names)
    return Form(PLAIN, tuple(names), [], dict.fromkeys(unread))


def _listmonk(have: tuple[str, ...]) -> Form:
    mapped = [
        ("status enabled", "active, by the basis of consent"),
        ("status blocklisted", "suppressed"),
        ("status disabled", "left out"),
        ("attributes.interests (or keywords, topics, words)", "keywords"),
        ("attributes.timezone, .hour, .language", "zone, hour, language"),
    ]
    if "lists" in have:
        mapped.append(("lists", "tags"))
    if "subscription_status" in have:
        mapped.append(("subscription_status unsubscribed", "suppressed"))
        mapped.append(("subscription_status unconfirmed", "asked to confirm"))
    known = {"email", "name", "status", "attributes", "lists", "subscription_status", "created_at",
             "problem"}  # fmt: skip
    return Form("listmonk", have, mapped, dict.fromkeys(c for c in have if c not in known))


def _read_listmonk(form: Form, row: Mapping[str, str]) -> dict[str, str]:
    cells = {"email": row.get("email", ""), "name": row.get("name", "")}
    said = row.get("attributes", "").strip()
    try:
        found: Any = json.loads(said) if said else {}
    except (ValueError, RecursionError):
        what = "The column attributes holds no JSON."
        raise ReaderError(what, "attributes", "Export the list anew, or empty the cell.") from None
    attributes = (
        {str(k).strip().lower(): v for k, v in found.items()} if isinstance(found, dict) else {}
    )
    cells |= _said(attributes, lambda name: form.leave(f"attributes.{name}"))
    cells["tags"] = _tags(row.get("lists", ""))
    cells["state"] = form.state(row)
    if row.get("subscription_status", "").strip().lower() == "unconfirmed":
        cells["confirmed"] = "false"
    cells["agreed"] = row.get("created_at", "").strip()
    return cells


def _listmonk_state(form: Form, row: Mapping[str, str]) -> str:
    status = row.get("status", "").strip().lower()
    if status in ("blocklisted", "disabled"):
        return status
    return "left" if row.get("subscription_status", "").strip().lower() == "unsubscribed" else ""


def _address_of(have: Collection[str]) -> str:
    """Mailchimp's column of addresses, as the list's owner may call it; "" where there is none."""
    return next((name for name in _ADDRESSES if name in have), "")


def _mailchimp(have: tuple[str, ...], file: str) -> Form:
    kind, mapped = "mailchimp", [("First Name, Last Name", "name")]
    if "unsub_time" in have:
        kind, mapped = "mailchimp-unsubscribed", [("every row", "suppressed (they left)")]
    elif "clean_time" in have:
        kind, mapped = "mailchimp-cleaned", [("every row", "suppressed (their mail came back)")]
    elif file.lower().rpartition("/")[2].startswith("nonsubscribed"):
        kind, mapped = "mailchimp-nonsubscribed", [("every row", "left out: they never subscribed")]
    else:
        mapped += [(name, "keywords") for name in have if name in _WORDS]
        mapped += [
            (name.upper(), to)
            for name, to in (("timezone", "zone"), ("tags", "tags"))
            if name in have
        ]
        mapped.append(("CONFIRM_TIME, OPTIN_TIME", "kept with the consent"))
    known = {*_ADDRESSES, "first name", "last name", "tags", "timezone", "problem", *_WORDS}
    if kind == "mailchimp":
        known |= {"confirm_time", "optin_time"}
    unread = [c for c in have if c not in known]
    # what Mailchimp itself writes is told last: a column of one's own is what one looks for
    told = dict.fromkeys(sorted(unread, key=_MAILCHIMP_UNREAD.__contains__))
    return Form(kind, have, mapped, told, _address_of(have))


def _read_mailchimp(form: Form, row: Mapping[str, str]) -> dict[str, str]:
    name = collapse(f"{row.get('first name', '')} {row.get('last name', '')}")
    cells = {"email": form.email(row), "name": name}
    cells |= _said({k: row[k] for k in (*_WORDS, "timezone") if row.get(k)})
    return cells | {
        "tags": _tags(row.get("tags", "")),
        "state": form.state(row),
        "agreed": (row.get("confirm_time") or row.get("optin_time") or "").strip(),
    }


def _ghost(have: tuple[str, ...]) -> Form:
    mapped = [("subscribed_to_emails false", "suppressed (they left)"),
              ("deleted_at", "suppressed (they left)"), ("labels", "tags"),
              ("created_at", "kept with the consent")]  # fmt: skip
    known = {"email", "name", "subscribed_to_emails", "deleted_at", "labels", "created_at",
             "problem", *_WORDS}  # fmt: skip
    return Form("ghost", have, mapped, dict.fromkeys(c for c in have if c not in known))


def _read_ghost(form: Form, row: Mapping[str, str]) -> dict[str, str]:
    cells = {"email": row.get("email", ""), "name": row.get("name", "")}
    return cells | _said({k: row[k] for k in _WORDS if row.get(k)}) | {
        "tags": _tags(row.get("labels", "")),
        "state": form.state(row),
        "agreed": row.get("created_at", "").strip(),
    }  # fmt: skip


_MAILCHIMP_STATES = {
    "mailchimp": "", "mailchimp-unsubscribed": "left", "mailchimp-cleaned": "bounced",
}  # fmt: skip


def _ghost_state(form: Form, row: Mapping[str, str]) -> str:
    is_out = row.get("subscribed_to_emails", "").strip().lower() in _NO
    return "left" if is_out or row.get("deleted_at", "").strip() else ""


_STATES: Mapping[str, Callable[[Form, Mapping[str, str]], str]] = {
    PLAIN: lambda form, row: row.get("state", "").strip().lower(),
    "listmonk": _listmonk_state,
    "mailchimp": lambda form, row: _MAILCHIMP_STATES.get(form.name, "nonsubscribed"),
    "ghost": _ghost_state,
}

_READ: Mapping[str, Callable[[Form, Mapping[str, str]], dict[str, str]]] = {
    "listmonk": _read_listmonk,
    "mailchimp": _read_mailchimp,
    "ghost": _read_ghost,
}


def _said(
    facts: Mapping[str, Any], unread: Callable[[str], object] = lambda name: None
) -> dict[str, str]:
    """What another system knows of a reader, in our columns. A zone, hour or language that is none
    is left out: it was for another purpose."""
    cells: dict[str, str] = {}
    for name, value in facts.items():
        if name in _WORDS:
            cells["keywords"] = _listed(value)
        elif name in ("query", "profile") and isinstance(value, str):
            cells["profile"] = value
        elif name in _ZONES and isinstance(value, str) and value.strip() in known_zones():
            cells["tz"] = value.strip()
        elif name == "hour" and str(value).strip() in _HOURS:
            cells["hour"] = str(value).strip()
        elif name in _LANGUAGES and isinstance(value, str) and 2 <= len(value.strip()) <= 5:
            cells["language"] = value.strip()
        else:
            unread(f"{name} that is no {_KINDS[name]}" if name in _KINDS else name)
    return cells


def _listed(value: Any) -> str:
    """Words with commas between them, whether they came as a list or as a text."""
    if isinstance(value, list):
        return ", ".join(collapse(str(one)) for one in value if str(one).strip())
    return ", ".join(collapse(part) for part in str(value).split(";") if part.strip())


def _tags(text: str) -> str:
    """Tags of another system as ours: signs that ours may not have become blanks."""
    parts: Iterable[str] = text.replace(";", ",").split(",")
    clean = (collapse("".join(" " if c in ':"<>' else c for c in part))[:64] for part in parts)
    return ", ".join(part for part in clean if part)
