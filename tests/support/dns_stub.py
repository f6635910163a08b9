"""A DNS server on loopback that answers what a test laid down, and keeps what it was asked.

``with DnsStub({("a.example", "MX"): ["10 mx1.mail.example."]}) as stub: ... stub.server ...``
A name without a row does not exist; "hang" answers nothing, "fail" with SERVFAIL.
"""

import socket
import threading
from collections.abc import Mapping, Sequence
from types import TracebackType

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset


class DnsStub:
    """UDP alone, in a thread of its own."""

    def __init__(self, records: Mapping[tuple[str, str], Sequence[str] | str]) -> None:
        self.records = dict(records)
        self.asked: list[tuple[str, str]] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def server(self) -> str:
        """As PAPERPOST_NAMESERVER takes it."""
        return f"127.0.0.1:{self._socket.getsockname()[1]}"

    def _serve(self) -> None:
        while True:
            try:
                wire, peer = self._socket.recvfrom(4096)
            except OSError:
                return
            if not wire:
                return
            answer = self._answer(dns.message.from_wire(wire))
            if answer is not None:
                self._socket.sendto(answer.to_wire(), peer)

    def _answer(self, query: dns.message.Message) -> dns.message.Message | None:
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind))
        said = self.records.get((name, kind))
        if said == "hang":
            return None
        made = dns.message.make_response(query)
        made.flags |= dns.flags.RA
        if said == "fail":
            made.set_rcode(dns.rcode.SERVFAIL)
        elif said is not None:
            made.answer.append(dns.rrset.from_text_list(question.name, 60, "IN", kind, list(said)))
        elif not any(known == name for known, _ in self.records):
            made.set_rcode(dns.rcode.NXDOMAIN)
        return made

    def __enter__(self) -> "DnsStub":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # a read that waits in another thread does not end by closing: one empty packet ends it
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self._socket.getsockname())
        self._thread.join(timeout=5)
        self._socket.close()
