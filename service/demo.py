"""The demo: the main job to its end, with the product's own code and a real SMTP conversation
into the built-in mailbox, on a bundled sample day (or the newest day of Hugging Face)."""

import asyncio
import fcntl
import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any, TextIO

from service import log
from service.digest.model import Digest
from service.errors import PaperpostError
from service.flows.daily import plan_daily
from service.flows.ingest import ingest_files
from service.flows.letter import bytes_of, digest_of
from service.flows.match import match_new
from service.flows.readers import import_readers
from service.flows.runtime import Runtime
from service.flows.send import send_ready
from service.mailbox import Mailbox, MailboxServer
from service.settings import Settings, load_settings
from service.sources.outcome import Fetched
from service.sources.registry import adapter
from service.store import deliveries as deliveries_store
from service.store import editions as editions_store
from service.store import subscribers as subscribers_store
from service.store.faults import explained
from service.wiring import House

LIVE_SECONDS = 5.0
READERS = """email,name,keywords
ada@demo.example,Ada,"reasoning, reinforcement learning"
ben@demo.example,Ben,"diffusion, video generation, world model, image editing, multimodal"
chen@demo.example,Chen,
dana@demo.example,Dana,"LoRA, low-rank adaptation, PEFT"
"""


class DemoError(PaperpostError):
    """The demo cannot run here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one demo reader got. checked: papers compared · best: (title, reasons, votes)."""

    name: str
    words: str
    state: str
    matched: int
    checked: int
    digest: Digest | None
    reason: str = ""


@dataclass(kw_only=True)
class DemoReport:
    """papers in the day, where they came from, what each reader got, and how many were accepted."""

    papers: int = 0
    live: bool = False
    on: date | None = None
    readers: list[Outcome] = field(default_factory=list)
    accepted: int = 0
    seconds: float = 0.0
    mails: Path = Path()


def demo_settings(folder: Path, **values: Any) -> Settings:
    """Settings of the demo's own data; the operator's never mix with it."""
    return load_settings(
        None,
        data_dir=folder,
        database_url=None,
        base_url=values.pop("base_url", "http://127.0.0.1:8000"),
        host="127.0.0.1",
        smtp_url="mailbox:",
        mail_from=None,
        test_recipient=None,
        bounce_address=None,
        inbox_url=None,
        inbox_address=None,
        lmtp_listen=None,
        org_name="Demo Library",
        contact_email="papers@demo.example",
        signup="open",
        **values,
    )


def run_demo(folder: Path, *, live: bool = False, out: TextIO = sys.stdout) -> bool:
    """Run the whole story into ``folder`` (emptied before). True when two mails were accepted."""
    started = time.monotonic()
    say = _sayer(out)
    log.set_up("text", quiet=True)
    settings = demo_settings(folder)
    with _fresh(folder), explained(settings.database):
        server = MailboxServer(Mailbox(folder / "mailbox"))
        house = House(settings, mailbox_port=server.start)
        try:
            report = _story(house.runtime, folder, live, say)
        finally:
            house.close()
            server.stop()
    report.seconds = time.monotonic() - started
    _tell(report, folder, say)
    return report.accepted >= 2


def _sayer(out: TextIO) -> Callable[[str], None]:
    def say(text: str) -> None:
        print(text, file=out, flush=True)

    return say


_OURS = {
    *("mailbox", "mails", "locks", "paperpost.db", "secret_key", "day.json", "demo.json"),
    *("corpus", "index", "learned", "logs"),
}
"""What the demo and a house that ran on its folder leave there; nothing else is ever removed."""


@contextmanager
def _fresh(folder: Path) -> Iterator[None]:
    """An empty folder that no other process has open. Raises DemoError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for lock in (folder / "locks").glob("process-*.lock"):
        with lock.open("r+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise DemoError(
                    "The demo's data are open in another process.",
                    str(folder),
                    "Stop it (Ctrl-C where make run is), or use: paperpost demo --keep DIR",
                ) from None
    strangers = [p.name for p in folder.iterdir() if p.name.split("-")[0] not in _OURS]
    if strangers and not (folder / "demo.json").exists():
        raise DemoError(
            f"This folder holds other files ({', '.join(sorted(strangers)[:3])}).",
            str(folder),
            "Name an empty folder.",
        )
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    yield


def _story(rt: Runtime, folder: Path, live: bool, say: Callable[[str], None]) -> DemoReport:
    report = DemoReport(mails=folder / "mails")
    today = rt.clock().date()
    on = _mail_day(today)
    file, report.live = _day_file(rt, folder, live, today, say)
    report.on = on
    report.papers = ingest_files(rt, "hf_daily", [file], on=on).new
    import_readers(rt, READERS.encode(), by="demo")
    match_new(rt)
    planned = plan_daily(rt, on, created_by="demo")
    report.accepted = asyncio.run(send_ready(rt)).accepted
    report.readers = _outcomes(rt, planned.editions, report.mails)
    (folder / "demo.json").write_text(
        json.dumps(
            {"made_at": rt.clock().isoformat(), "live": report.live, "papers": report.papers}
        )
    )
    return report


def _mail_day(today: date) -> date:
    """The newest weekday: a new reader's mail days are Monday to Friday."""
    while today.weekday() > 4:
        today -= timedelta(days=1)
    return today


def _day_file(
    rt: Runtime, folder: Path, live: bool, today: date, say: Callable[[str], None]
) -> tuple[Path, bool]:
    """The capture to read: the newest day of Hugging Face when asked for and there, else ours."""
    sample = Path(__file__).parent / "data" / "sample_day.json"
    if not live:
        return sample, False
    try:
        body = asyncio.run(asyncio.wait_for(_newest(rt, today), LIVE_SECONDS))
    except TimeoutError:
        body = None
    if body is None:
        say(f"Hugging Face did not answer within {LIVE_SECONDS:.0f} s: using the bundled day.")
        return sample, False
    path = folder / "day.json"
    path.write_bytes(body)
    return path, True


async def _newest(rt: Runtime, today: date) -> bytes | None:
    """The answer of the newest non-empty day of the last 7, None when there is none."""
    chosen = adapter("hf_daily")
    async with rt.open_fetcher() as fetcher:
        for back in range(7):
            day = today - timedelta(days=back)
            request = chosen.requests({}, today=day, days=(day,))[0]
            answer = await fetcher.fetch(request.url)
            if not isinstance(answer, Fetched):
                if getattr(answer, "status", 0) in chosen.quiet_statuses:
                    continue
                return None
            if chosen.parse(answer.body, day=day).sightings:
                return answer.body
    return None


def _outcomes(rt: Runtime, editions: list[int], mails: Path) -> list[Outcome]:
    mails.mkdir(mode=0o700, exist_ok=True)
    made = []
    with rt.db.reading() as session:
        for row in deliveries_store.list_deliveries(session, edition_id=editions[0]):
            edition = editions_store.get_edition(session, id=row.edition_id)
            reader = subscribers_store.get_subscriber_row(session, id=row.subscriber_id)
            assert edition is not None
            assert reader is not None
            digest = digest_of(row)
            if digest is not None:
                _keep(mails, reader.name.lower(), bytes_of(rt, row, edition, reader))
            profile = subscribers_store.list_profile_rows(session, row.subscriber_id or 0)[0]
            made.append(
                Outcome(
                    name=reader.name,
                    words=profile.text or "trending",
                    state=row.state,
                    matched=sum(s.total for s in digest.sections) if digest else 0,
                    checked=digest.checked if digest else (row.content or {}).get("checked", 0),
                    digest=digest,
                    reason=row.reason,
                )
            )
    return made


def _keep(mails: Path, name: str, message: bytes) -> None:
    parsed = message_from_bytes(message, policy=policy.default)
    (mails / f"{name}.eml").write_bytes(message)
    for kind, ending in (("html", "html"), ("plain", "txt")):
        part = parsed.get_body((kind,))
        if part is not None:
            (mails / f"{name}.{ending}").write_text(part.get_content(), encoding="utf-8")


def _tell(report: DemoReport, folder: Path, say: Callable[[str], None]) -> None:
    where = "Newest day of Hugging Face" if report.live else "Sample day, bundled"
    tail = "" if report.live else "   (live: paperpost demo --live)"
    say(f"{where}: {report.papers} papers{tail}")
    for reader in report.readers:
        words = reader.words if len(reader.words) <= 34 else reader.words[:31] + "..."
        head = f"{reader.name:<7} {words:<35}"
        if reader.digest is None:
            say(f"{head} no mail: {reader.checked} papers checked, nothing new matched")
            continue
        what = "papers" if reader.digest.is_trending_only else "papers matched"
        why_not = f": {reader.reason[:200]}" if reader.state != "accepted" else ""
        say(f"{head} {reader.matched:>3} {what:<15} -> {reader.state}{why_not}")
        for number, entry in enumerate(list(reader.digest.entries())[:3], 1):
            why = "; ".join(f'"{r.term}" in the {r.where}' for r in entry.reasons[:2])
            votes = f"{entry.votes} vote{'s' if entry.votes != 1 else ''}" if entry.votes else ""
            told = ", ".join(t for t in (f"why: {why}" if why else "", votes) if t)
            say(f"        {number}. {entry.title.text[:76]}   {told}")
        hidden = reader.matched - min(3, reader.matched)
        if hidden:
            say(f"        and {hidden} more in the mail")
    say(f"Mails: {report.mails}/*.html  *.txt  *.eml")
    run = "make run" if folder == Path("var/demo") else f"PAPERPOST_DATA_DIR={folder} paperpost run"
    say(f"See it: {run}    then http://127.0.0.1:8000/mailbox  (nothing leaves this machine)")
    say(f"Done in {report.seconds:.0f} s.")
