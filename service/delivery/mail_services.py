"""Which mail service receives a domain's mail, by the names of its mail servers. Pure.

Thousands of domains are received by a few services, and those count what we send to all of them
together. The service is the registered domain of the server with the smallest preference
("10 aspmx.l.google.com" -> "google.com"). Below which names domains are registered nobody can know
without the Public Suffix List; too small a group does less harm than too large a one, so a short
label before a country's is taken for one of those ("mx.uni.ac.uk" -> "uni.ac.uk").
"""

from collections.abc import Sequence

_REGISTRIES = " ac co com edu gob gouv gov gv mil net nom or org sch school nhs police asn govt "
"""Labels below which a country registers names (Public Suffix List, the commonest)."""


def service_of(records: Sequence[str]) -> str:
    """The service that MX records ("10 host.name", the smallest preference first) lead to; "" where
    they name none."""
    for record in records:
        labels = record.rpartition(" ")[2].rstrip(".").lower().split(".")
        if len(labels) >= 2 and all(labels) and not labels[-1].isdigit():
            return ".".join(labels[-_kept(labels) :])
    return ""


def _kept(labels: Sequence[str]) -> int:
    is_country = len(labels[-1]) == 2
    if (
        len(labels) >= 3
        and is_country
        and (f" {labels[-2]} " in _REGISTRIES or len(labels[-2]) <= 2)
    ):
        return 3
    return 2
