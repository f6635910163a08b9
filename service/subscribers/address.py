"""Mail addresses: read, checked by syntax alone, and folded for comparison. Pure."""

import re
from dataclasses import dataclass
from functools import lru_cache

from email_validator import EmailNotValidError, ValidatedEmail, validate_email
from rapidfuzz.distance import OSA

from service.errors import Sentence, SpokenError, quoted

_WELL_KNOWN = (
    "gmail.com",
    "outlook.com",
    "hotmail.com",
    "yahoo.com",
    "icloud.com",
    "proton.me",
    "protonmail.com",
    "gmx.de",
    "gmx.net",
    "web.de",
    "qq.com",
    "163.com",
)


_LONGEST = 254
"""Characters of a path without its brackets (RFC 5321 4.5.3.1.3)."""


_LONGEST_LOCAL = 64
_PLAIN = re.compile(r"[a-z0-9_+-]+(\.[a-z0-9_+-]+)*", re.ASCII)
"""What stands before the @ of most addresses: nothing of it is to be changed."""


class AddressError(SpokenError):
    """A text that is no mail address."""


@dataclass(frozen=True, slots=True)
class Address:
    """email: as it is mailed · key: folded, one per mailbox (RFC 5321 2.4 lets the local part be
    case-sensitive; no provider is)."""

    email: str
    key: str


def read_address(text: str) -> Address:
    """Check a typed address by syntax (RFC 5321, 5322); no DNS. Raises AddressError."""
    typed = text.strip().strip("<>").strip()
    example = Sentence("Like %(example)s.", example="name@university.edu")
    if not typed:
        raise AddressError(Sentence("The address is missing."), "", example)
    if "@" not in typed:
        raise AddressError(Sentence("This address has no @."), "", example)
    if len(typed) > _LONGEST:
        what = Sentence("This address is longer than %(most)s characters.", most=_LONGEST)
        raise AddressError(what, "", example)
    local, _, domain = typed.rpartition("@")
    known = _domain(domain) if _PLAIN.fullmatch(local) else ""
    if known and len(local) <= _LONGEST_LOCAL and len(local) + 1 + len(known) <= _LONGEST:
        return Address(f"{local}@{known}", f"{local}@{known}".lower())
    try:
        found = _validated(typed)
    except EmailNotValidError as error:
        if _needs_smtputf8(typed):
            what = Sentence(
                "The part before the @ of %(address)s has letters beyond ASCII.",
                address=quoted(typed[:80]),
            )
            step = Sentence("Most mail servers cannot carry it; use an address of plain letters.")
            raise AddressError(what, "", step) from error
        raise AddressError(_what_is_wrong(typed), "", example) from error
    local, _, domain = found.normalized.rpartition("@")
    ascii_domain = found.ascii_domain or domain
    return Address(f"{local}@{ascii_domain}", f"{local}@{ascii_domain}".lower())


@lru_cache(maxsize=4096)
def _domain(domain: str) -> str:
    """What stands after the @, as it is mailed, "" where it is no domain. Lists have many addresses
    of few domains."""
    try:
        found = _validated(f"a@{domain}")
    except EmailNotValidError:
        return ""
    return found.ascii_domain or found.domain


def _validated(typed: str, *, utf8: bool = False) -> ValidatedEmail:
    return validate_email(
        typed, check_deliverability=False, test_environment=True, allow_smtputf8=utf8
    )


def _needs_smtputf8(typed: str) -> bool:
    """Whether it is a mailbox all the same (RFC 6531), which few servers on the way would carry."""
    try:
        return _validated(typed, utf8=True).smtputf8
    except EmailNotValidError:
        return False


def _what_is_wrong(typed: str) -> Sentence:
    """Say which half is wrong (the library's own sentences are English alone)."""
    shown = quoted(typed[:80])
    try:
        _validated(f"a@{typed.rpartition('@')[2]}")
    except EmailNotValidError:
        return Sentence(
            "%(address)s is not an address: what stands after the @ is no domain.", address=shown
        )
    return Sentence(
        "%(address)s is not an address: what stands before the @ is no mailbox.", address=shown
    )


def mask(email: str) -> str:
    """An address that may be shown to somebody else: j…@u….edu."""
    local, _, domain = email.partition("@")
    name, _, rest = domain.rpartition(".")
    return f"{local[:1]}…@{name[:1]}….{rest}"


def cap_key(key: str) -> str:
    """The folded address without what many providers ignore: dots, and what follows a plus.

    Only for counting: two mailboxes of one provider may differ by a dot.
    """
    local, _, domain = key.rpartition("@")
    name = local.strip('"').partition("+")[0].replace(".", "")
    domain = "gmail.com" if domain == "googlemail.com" else domain
    return f"{name or local}@{domain}"


def probably_meant(key: str) -> str:
    """Return the address with a well-known domain one slip away ("gmial.com"), else ""."""
    local, _, domain = key.partition("@")
    if domain in _WELL_KNOWN:
        return ""
    for known in _WELL_KNOWN:
        if len(known) > 6 and OSA.distance(domain, known) == 1:
            return f"{local}@{known}"
    return ""
