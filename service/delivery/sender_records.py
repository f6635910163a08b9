"""What the DNS says of our sender: SPF (RFC 7208), DKIM (RFC 6376), DMARC (RFC 7489), judged in
words. Pure: it asks through a function that is handed in."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from service.delivery.dkim import DkimKeys, Key
from service.delivery.dns import Found

Ask = Callable[[str], Awaitable[Found]]
"""The text records of a name."""

MOST_LOOKUPS = 10
"""Terms of an SPF record, of those it includes too, that ask the DNS (RFC 7208, 4.6.4)."""

SAFE_BITS = 2048
"""Of an RSA key: shorter ones are verified, and distrusted (RFC 8301, 3.2)."""

_TERM = re.compile(r"([+?~-]?)(all|include|a|mx|ptr|ip4|ip6|exists)(?:[:/](.+))?", re.IGNORECASE)
_MODIFIER = re.compile(r"([a-z][a-z0-9_.-]*)=(.*)", re.IGNORECASE)
_ASKING = frozenset({"include", "a", "mx", "ptr", "exists"})


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor. next_step: "" where all is well."""

    name: Literal["SPF", "DKIM", "DMARC"]
    level: Literal["ok", "warn", "fail"]
    says: str
    next_step: str = ""


async def look(
    ask: Ask, sender: str, envelope: str, keys: DkimKeys | None, on: date
) -> list[Finding]:
    """Judge the records of a sender. sender: the domain in From · envelope: the one that bounces
    go to (MAIL FROM) · keys: ours, None where the relay signs · on: today, UTC."""
    signed = [await _of_key(ask, key, keys, on) for key in keys.keys] if keys else []
    if keys is None:
        signed = [
            Finding(
                "DKIM", "ok", "the relay signs, or nobody: it cannot be seen from here",
                "paperpost doctor --to your own address; its headers should say dkim=pass. Else "
                "set PAPERPOST_DKIM_KEYS (docs/dkim.md).",
            )
        ]  # fmt: skip
    return [await spf(ask, envelope), *signed, await dmarc(ask, sender, envelope)]


async def spf(ask: Ask, domain: str) -> Finding:
    """Whether a domain says who may send for it, so that it can be read."""
    found = await ask(domain)
    if found.failed:
        return _unknown("SPF", domain, found)
    records = [one for one in found.records if _is_spf(one)]
    if not records:
        return Finding(
            "SPF", "warn", f"{domain} does not say who may send for it",
            f'Publish a text record of {domain}: "v=spf1 include:YOUR-RELAY -all", as the relay\'s '
            "operator names it.",
        )  # fmt: skip
    if len(records) > 1:
        return Finding(
            "SPF", "fail", f"{domain} has {len(records)} SPF records, so none counts",
            "Make one record of them.",
        )  # fmt: skip
    count, wrong = await _lookups(ask, records[0], domain, ())
    if wrong:
        return Finding("SPF", "fail", wrong, f"Correct the record of {domain}.")
    if count > MOST_LOOKUPS:
        return Finding(
            "SPF", "fail",
            f"the record of {domain} asks the DNS {count} times; beyond {MOST_LOOKUPS} it counts "
            "as broken", "Take out includes that are not needed, or name addresses (ip4:).",
        )  # fmt: skip
    last = _last(records[0])
    if last in ("+all", "all"):
        return Finding(
            "SPF",
            "warn",
            f"{domain} lets everybody send for it ({last})",
            "End it with -all or ~all.",
        )
    if not last and "redirect=" not in records[0].lower():
        return Finding(
            "SPF",
            "warn",
            f"{domain} says who may send, and forbids nobody",
            "End it with -all or ~all.",
        )
    return Finding("SPF", "ok", f'{domain}: "{records[0]}", {count} of {MOST_LOOKUPS} look-ups')


def _is_spf(record: str) -> bool:
    return record.lower() == "v=spf1" or record.lower().startswith("v=spf1 ")


def _last(record: str) -> str:
    """The term for everybody else: "-all", "~all", "?all", "+all"; "" where there is none."""
    return next((t.lower() for t in record.split() if t.lower().lstrip("+-~?") == "all"), "")


async def _lookups(ask: Ask, record: str, domain: str, inside: tuple[str, ...]) -> tuple[int, str]:
    """How many terms ask the DNS, and what is wrong ("" = nothing). inside: the names whose records
    led here."""
    if domain.lower() in inside or len(inside) > MOST_LOOKUPS:
        return 0, f"the record of {domain} includes itself"
    count = 0
    for term in record.split()[1:]:
        modifier = _MODIFIER.fullmatch(term)
        mechanism = _TERM.fullmatch(term)
        if modifier is None and mechanism is None:
            return count, f"the record of {domain} holds {term[:60]!r}, which is no term of SPF"
        further = ""
        if modifier is not None and modifier[1].lower() == "redirect":
            count, further = count + 1, modifier[2]
        if mechanism is not None and modifier is None:
            kind = mechanism[2].lower()
            count += kind in _ASKING
            if kind == "include":
                further = mechanism[3] or ""
        if not further or "%" in further:  # macros are of each mail
            continue
        if count > MOST_LOOKUPS:
            return count, ""
        found = await ask(further)
        if found.failed:
            continue  # for a moment; the count is then too low
        records = [one for one in found.records if _is_spf(one)]
        if len(records) != 1:
            how = "no SPF record" if not records else f"{len(records)} SPF records"
            return count, f"the record of {domain} leads to {further}, which has {how}"
        more, wrong = await _lookups(ask, records[0], further, (*inside, domain.lower()))
        count += more
        if wrong:
            return count, wrong
    return count, ""


async def _of_key(ask: Ask, key: Key, keys: DkimKeys, on: date) -> Finding:
    """As ``dkim``; a key that signs nothing yet does no harm without its record."""
    found = await dkim(ask, key, keys.domain)
    if found.level != "fail" or key.since <= on or key in keys.in_force(on):
        return found
    return replace(found, level="warn", says=f"{found.says} (it signs from {key.since} on)")


async def dkim(ask: Ask, key: Key, domain: str) -> Finding:
    """Whether the record of one of our keys lets others verify what it signs."""
    name = f"{key.selector}._domainkey.{domain}"
    publish = f'Publish a text record of {name}: "{key.record}"'
    found = await ask(name)
    if found.failed:
        return _unknown("DKIM", name, found)
    if not found.records:
        return Finding("DKIM", "fail", f"{name} has no record: what it signs counts for nothing",
                       publish)  # fmt: skip
    if len(found.records) > 1:
        return Finding("DKIM", "fail", f"{name} has {len(found.records)} records; which one counts "
                       "is chance", "Leave one.")  # fmt: skip
    tags = _tags(found.records[0])
    public = re.sub(r"\s", "", tags.get("p", ""))
    kind = "rsa" if key.algorithm == "rsa-sha256" else "ed25519"
    hashes = [one.strip() for one in tags.get("h", "sha256").split(":")]
    if tags.get("v", "DKIM1") != "DKIM1" or "p" not in tags:
        return Finding("DKIM", "fail", f"{name} is no DKIM record", publish)
    if not public:
        return Finding("DKIM", "fail", f"{name} says that this key is withdrawn", publish)
    if tags.get("k", "rsa").lower() != kind or public != key.public:
        return Finding("DKIM", "fail", f"{name} names another key than {key.file}", publish)
    if "sha256" not in hashes:
        return Finding("DKIM", "fail", f"{name} does not take SHA-256 (h=)", publish)
    if "y" in [one.strip() for one in tags.get("t", "").split(":")]:
        return Finding("DKIM", "warn", f"{name} says that we are only testing (t=y)",
                       "Take t=y out of the record.")  # fmt: skip
    if kind == "rsa" and key.bits < SAFE_BITS:
        step = f"Make one of {SAFE_BITS:,} bits under a new selector (docs/dkim.md)."
        return Finding("DKIM", "warn", f"the key of {name} has {key.bits:,} bits", step)
    size = f", {key.bits:,} bits" if kind == "rsa" else ""
    return Finding("DKIM", "ok", f"{name}: {kind}{size}, the key of {key.file}")


async def dmarc(ask: Ask, domain: str, envelope: str) -> Finding:
    """Whether a domain says what becomes of mail that only pretends to be its own, and whether ours
    is taken for its own."""
    labels = domain.split(".")
    for at in range(max(1, len(labels) - 1)):
        name = "_dmarc." + ".".join(labels[at:])
        found = await ask(name)
        if found.failed:
            return _unknown("DMARC", name, found)
        records = [one for one in found.records if _tags(one).get("v") == "DMARC1"]
        if len(records) > 1:
            return Finding("DMARC", "fail", f"{name} has {len(records)} records, so none counts",
                           "Leave one.")  # fmt: skip
        if records:
            return _judged(name, records[0], domain, envelope, is_parent=at > 0)
    return Finding(
        "DMARC", "warn", f"{domain} has no DMARC record, which large mail services ask for",
        f'Publish a text record of _dmarc.{domain}: "v=DMARC1; p=none"',
    )  # fmt: skip


def _judged(name: str, record: str, domain: str, envelope: str, *, is_parent: bool) -> Finding:
    tags = _tags(record)
    policy = tags.get("sp", tags.get("p", "")) if is_parent else tags.get("p", "")
    if policy.lower() not in ("none", "quarantine", "reject"):
        return Finding("DMARC", "fail", f"{name} names no policy that there is (p={policy})",
                       "Write p=none, p=quarantine or p=reject.")  # fmt: skip
    strict = tags.get("aspf", "r").lower() == "s"
    if not _aligned(domain, envelope, strict=strict):
        return Finding(
            "DMARC", "warn",
            f"bounces go to {envelope}, which does not stand for {domain}: SPF cannot speak for "
            "our mails, DKIM alone must", "See that they are signed for " + domain + ".",
        )  # fmt: skip
    return Finding("DMARC", "ok", f"{name}: what is not ours is to be {_DONE[policy.lower()]}")


_DONE: Mapping[str, str] = {
    "none": "let through (p=none)",
    "quarantine": "put aside (p=quarantine)",
    "reject": "refused (p=reject)",
}


def _aligned(domain: str, other: str, *, strict: bool) -> bool:
    if strict or domain == other:
        return domain == other
    return _organisation(domain) == _organisation(other)


def _organisation(domain: str) -> Sequence[str]:
    """The last two labels: near enough where one of two names lies under the other."""
    return domain.split(".")[-2:]


def _tags(record: str) -> dict[str, str]:
    """ "k=rsa; p=..." as a mapping (RFC 6376, 3.2)."""
    pairs = (part.partition("=") for part in record.split(";"))
    return {name.strip(): value.strip() for name, sign, value in pairs if sign}


def _unknown(name: Literal["SPF", "DKIM", "DMARC"], domain: str, found: Found) -> Finding:
    return Finding(
        name, "warn", f"{domain}: the DNS did not answer ({found.failed})",
        "Try again; or name a server (PAPERPOST_NAMESERVER), or the records (doctor --dns FILE).",
    )  # fmt: skip
