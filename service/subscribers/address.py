"""Mail addresses: read, checked by syntax alone, and folded for comparison. Pure."""

from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email
from rapidfuzz.distance import OSA

from service.errors import PaperpostError

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


class AddressError(PaperpostError):
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
    example = "Like name@university.edu."
    if not typed:
        raise AddressError("The address is missing.", "", example)
    if "@" not in typed:
        raise AddressError("This address has no @.", "", example)
    if len(typed) > 254:
        raise AddressError("This address is longer than 254 characters.", "", example)
    try:
        found = validate_email(
            typed, check_deliverability=False, test_environment=True, allow_smtputf8=False
        )
    except EmailNotValidError as error:
        raise AddressError(f"{typed[:80]!r} is not an address: {error}", "", example) from None
    local, _, domain = found.normalized.rpartition("@")
    ascii_domain = found.ascii_domain or domain
    return Address(f"{local}@{ascii_domain}", f"{local}@{ascii_domain}".lower())


def mask(email: str) -> str:
    """An address that may be shown to somebody else: j…@u….edu."""
    local, _, domain = email.partition("@")
    name, _, rest = domain.rpartition(".")
    return f"{local[:1]}…@{name[:1]}….{rest}"


def probably_meant(key: str) -> str:
    """Return the address with a well-known domain one slip away ("gmial.com"), else ""."""
    local, _, domain = key.partition("@")
    if domain in _WELL_KNOWN:
        return ""
    for known in _WELL_KNOWN:
        if len(known) > 6 and OSA.distance(domain, known) == 1:
            return f"{local}@{known}"
    return ""
