"""Where somebody's addresses stand in a text."""

import re
from collections.abc import Collection
from contextlib import suppress


def named_in(addresses: Collection[str]) -> re.Pattern[str]:
    """Finds these addresses, as letters or as DNS writes a host, in any case; not as a part of a
    longer one, which is somebody else's."""
    forms = {form for one in addresses for form in _forms(one)}
    every = "|".join(map(re.escape, sorted(forms, key=len, reverse=True)))
    return re.compile(rf"(?<![\w.+-])(?:{every})(?![\w-]|\.\w)", re.IGNORECASE)


def _forms(address: str) -> set[str]:
    local, _, host = address.rpartition("@")
    forms = {address}
    with suppress(UnicodeError):  # a host that no form of letters belongs to
        forms.add(f"{local}@{host.encode('ascii').decode('idna')}")
    with suppress(UnicodeError):
        forms.add(f"{local}@{host.encode('idna').decode('ascii')}")
    return forms
