"""What the DNS says: where a domain's mail is received, and its text records. IO.

One question at a time to the machine's own resolvers, or to those that the operator named. Nothing
is raised for what a network or a server does: a question that nobody answered says so in words.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

import dns.asyncresolver
import dns.exception
import dns.name
import dns.nameserver
import dns.rdatatype
import dns.resolver
import dns.zonefile


@dataclass(frozen=True, slots=True)
class Found:
    """records: as text, those of MX as "10 host.name" with the smallest preference first, without
    a dot at the end · missing: the name is not there, or has no record of this kind · failed: why
    nobody knows ("" = it was answered)."""

    records: tuple[str, ...] = ()
    missing: bool = False
    failed: str = ""


class Resolver:
    """Asks DNS within ``seconds`` per question.

    servers: addresses ("192.0.2.1", "192.0.2.1:5353", "[2001:db8::1]:53"), none = the machine's.
    Raises ValueError: one of them is no address.
    """

    def __init__(self, servers: Sequence[str] = (), *, seconds: float = 5.0) -> None:
        self.servers = tuple(server_of(text) for text in servers)
        self.seconds = seconds

    async def mx(self, domain: str) -> Found:
        """Where a domain's mail is received. One that names no mail server (RFC 7505: "0 .") is
        missing; one without MX records is missing too, though its own host may take mail."""
        return await self._ask(domain, "MX")

    async def txt(self, name: str) -> Found:
        """The text records of a name, each with its strings put together (RFC 7208, 3.3)."""
        return await self._ask(name, "TXT")

    async def _ask(self, name: str, kind: str) -> Found:
        try:
            answer = await self._resolver().resolve(
                dns.name.from_text(name), kind, lifetime=self.seconds, search=False
            )
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return Found(missing=True)
        except (dns.exception.DNSException, OSError, ValueError, UnicodeError) as error:
            return Found(failed=(str(error) or type(error).__name__)[:300])
        if answer.rdtype == dns.rdatatype.MX:
            hosts = sorted(
                (int(one.preference), one.exchange.to_text().rstrip(".").lower()) for one in answer
            )
            named = tuple(f"{rank} {host}" for rank, host in hosts if host)
            return Found(named, missing=not named)
        texts = (b"".join(one.strings).decode("utf-8", "replace") for one in answer)
        return Found(tuple(sorted(texts)))

    def _resolver(self) -> dns.asyncresolver.Resolver:
        if not self.servers:
            return dns.asyncresolver.Resolver()
        found = dns.asyncresolver.Resolver(configure=False)
        found.nameservers = [
            dns.nameserver.Do53Nameserver(host, port) for host, port in self.servers
        ]
        return found


class RecordFile:
    """Answers from a file as name servers read it ("papers.example.org TXT \"v=spf1 ...\""), for
    who may ask nobody, or wants to try records before they are published.

    Raises ValueError: the text is no such file.
    """

    def __init__(self, text: str) -> None:
        try:
            self._sets = dns.zonefile.read_rrsets(
                text, rdclass=None, default_ttl=3600, origin=dns.name.root
            )
        except dns.exception.DNSException as error:
            raise ValueError(str(error)) from None

    async def txt(self, name: str) -> Found:
        """The text records of a name, as ``Resolver.txt``."""
        wanted = dns.name.from_text(name)
        texts = [
            b"".join(one.strings).decode("utf-8", "replace")
            for found in self._sets
            if found.rdtype == dns.rdatatype.TXT and found.name == wanted
            for one in found
        ]
        return Found(tuple(sorted(texts)), missing=not texts)


def server_of(text: str) -> tuple[str, int]:
    """Address and port of a server's text. Raises ValueError."""
    host, port = text.strip(), 53
    if host.startswith("[") or host.count(":") == 1:
        host, _, number = host.removeprefix("[").rpartition("]:" if "[" in text else ":")
        port = int(number)
    ipaddress.ip_address(host)
    if not 0 < port < 65_536:
        raise ValueError(text)
    return host, port
