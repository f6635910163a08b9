"""The doctor on the DNS: whether others can see that our mails are ours."""

import asyncio
import stat
from collections.abc import Iterator
from pathlib import Path

from service.cli import printing
from service.cli.doctor_line import Check
from service.delivery import sender_records
from service.delivery.dns import RecordFile
from service.errors import SettingError
from service.wiring import House


def records_in(file: Path) -> RecordFile:
    """The records of a file. Raises SettingError."""
    try:
        return RecordFile(file.read_text("utf-8-sig"))
    except OSError as error:
        why = error.strerror or type(error).__name__
    except ValueError as error:
        why = str(error)
    raise SettingError(
        f"The records cannot be read: {why}",
        str(file),
        'Write them as a name server takes them: papers.example.org. TXT "v=spf1 -all".',
    )


def sender_dns(house: House, file: Path | None = None) -> Iterator[Check]:
    """SPF, DKIM and DMARC of our sender, from the DNS or from a file; where nobody is to be asked
    (this machine alone, or PAPERPOST_NAMESERVER=none), only that keys of ours are not judged."""
    rt = house.runtime
    if rt.dkim is not None:
        yield from _open_keys([key.file for key in rt.dkim.keys])
    ask = records_in(file).txt if file is not None else rt.dns.txt if rt.dns is not None else None
    sender = rt.mail_domain.lower()
    if ask is None and rt.dkim is not None:
        keys = printing.tally(len(rt.dkim.keys), "key")
        says = f"{keys} of ours, no DNS is asked: doctor --dns FILE prints and judges the records"
        yield Check("DKIM", "ok", says)
    if ask is None or "." not in sender or (file is None and house.settings.uses_mailbox):
        return
    envelope = rt.bounce_address.rpartition("@")[2].lower() or sender
    today = rt.clock().date()
    for one in asyncio.run(sender_records.look(ask, sender, envelope, rt.dkim, today)):
        yield Check(one.name, one.level, one.says, one.next_step)


def _open_keys(files: list[str]) -> Iterator[Check]:
    for file in files:
        if Path(file).exists() and Path(file).stat().st_mode & stat.S_IROTH:
            says = f"every user of this machine can read the key in {file}"
            yield Check("DKIM", "warn", says, f"chmod o= {file}")
