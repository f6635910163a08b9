"""What the doctor looks at: one line per check, ok, warn or fail, and what to do."""

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from service.cli import doctor_dns, doctor_inbox, doctor_ledger
from service.cli.doctor_line import Check, failed
from service.cli.doctor_mails import mail_text, own_templates, templates
from service.cli.env_file import strange_names
from service.cli.printing import tally
from service.delivery.relay import Relay
from service.errors import PaperpostError
from service.flows.clocks import unknown_zones
from service.flows.refold import count_stale
from service.settings import PREFIX, Settings
from service.sources.arxiv_days import CALENDAR_FILE, calendar_in_use
from service.sources.calendar import rhythm_of
from service.store import health, migrations
from service.store import sources as sources_store
from service.wiring import House, calendar_of, open_database

ENV = Path(".env")
MB = 1024 * 1024
STUCK = timedelta(minutes=20)
SKEW = timedelta(seconds=5)


def before_opening(settings: Settings) -> Iterator[Check]:
    """What can be told without the database: settings, folder, disk, key, address, engine."""
    yield _names()
    yield _engine(settings)
    yield _folder(settings)
    yield _secret(settings)
    yield _address(settings)
    yield _test_mode(settings)
    yield templates()
    yield from own_templates(settings)
    yield from _calendar(settings)
    yield _database(settings)


def _names() -> Check:
    """Whether every name is a setting: one that is mistyped is silently without effect."""
    strange = strange_names(os.environ, ENV)
    if not strange:
        return Check("settings", "ok", "every PAPERPOST_ value can be read")
    known = [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]
    near = get_close_matches(strange[0], known, n=1, cutoff=0.7)
    guess = f"Did you mean {near[0]}? " if near else ""
    verb = "is no setting" if len(strange) == 1 else "are no settings"
    return Check(
        "settings",
        "warn",
        f"{', '.join(strange)} {verb} and without effect",
        f"{guess}docs/settings.md names them all.",
    )


def _engine(settings: Settings) -> Check:
    if settings.engine == "embedded":
        return Check("engine", "ok", "embedded: one process does the work")
    return Check(
        "engine",
        "fail",
        "This version has no engine procrastinate yet.",
        "Set PAPERPOST_ENGINE=embedded.",
    )


def _folder(settings: Settings) -> Check:
    folder = settings.data_dir
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = folder / f".doctor-{os.getpid()}"
        probe.write_bytes(b"x")
        probe.unlink()
    except OSError as error:
        return Check(
            "data folder",
            "fail",
            f"{folder} cannot be written: {error.strerror}",
            "Give it to the user who runs Paperpost, or set PAPERPOST_DATA_DIR.",
        )
    free = shutil.disk_usage(folder).free // MB
    says = f"{folder} can be written, {free:,} MB free"
    if free < 200:
        return Check("data folder", "fail", says, "Free some disk: below 200 MB nothing is safe.")
    if free < 1000:
        return Check("data folder", "warn", says, "Free some disk soon.")
    if _is_open(settings):
        says += "; every user of this machine can read the addresses in it"
        return Check("data folder", "warn", says, f"chmod -R o= {folder}")
    return Check("data folder", "ok", says)


def _is_open(settings: Settings) -> bool:
    """Whether others get into the folder and can read what holds addresses there."""
    folder = settings.data_dir
    if not folder.stat().st_mode & stat.S_IXOTH:
        return False
    held = (folder / "paperpost.db", folder / "mailbox")
    return any(path.exists() and path.stat().st_mode & stat.S_IROTH for path in held)


def _secret(settings: Settings) -> Check:
    given = settings.secret_key.get_secret_value() if settings.secret_key else ""
    keys = [key.strip() for key in given.split(",") if key.strip()]
    if keys and all(len(key) >= 16 for key in keys):
        return Check("secret key", "ok", "set")
    if not given and settings.is_loopback:
        return Check("secret key", "ok", "made in the data folder; kept while this is loopback")
    says = "PAPERPOST_SECRET_KEY is shorter than 16 characters" if given else "it is missing"
    return Check(
        "secret key",
        "fail",
        says,
        "python3 -c 'import secrets; print(secrets.token_urlsafe(32))' makes one.",
    )


def _address(settings: Settings) -> Check:
    if settings.is_loopback:
        return Check(
            "public address",
            "ok",
            f"{settings.base_url}: only this machine can open the links in mails",
        )
    if not settings.base_url.startswith("https://"):
        return Check(
            "public address",
            "fail",
            f"{settings.base_url} is not https; one-click unsubscribe needs it",
            "Put a proxy with a certificate before it (deploy/), and write https://.",
        )
    return Check("public address", "ok", settings.base_url)


def _test_mode(settings: Settings) -> Check:
    if not settings.test_recipient:
        return Check("test mode", "ok", "off: mails go to the readers")
    return Check(
        "test mode",
        "warn",
        f"on: every mail goes to {settings.test_recipient}; readers get theirs when it ends",
        "Take PAPERPOST_TEST_RECIPIENT out when the trial is over.",
    )


def _calendar(settings: Settings) -> Iterator[Check]:
    """Whether the operator's own calendar of arXiv can be read, where there is one."""
    try:
        calendar_of(settings)
    except PaperpostError as error:
        yield failed("calendar", error)


def _database(settings: Settings) -> Check:
    try:
        db = open_database(settings, migrate=False)
    except PaperpostError as error:
        return failed("database", error)
    try:
        found, newest = migrations.current(db), migrations.newest()
        kind = "SQLite" if db.is_sqlite else "PostgreSQL"
    finally:
        db.close()
    if found is None:
        return Check("database", "warn", f"{kind}, empty", "paperpost migrate (run does it too)")
    if found != newest:
        return Check(
            "database", "fail", f"{kind} at revision {found}, needs {newest}", "paperpost migrate"
        )
    return Check("database", "ok", f"{kind}, revision {found}")


def inside(house: House, to: str = "", records: Path | None = None) -> Iterator[Check]:
    """What needs the open house: mails, relay, DNS, sources, clock, rows that should have moved.

    to: gets a test mail · records: a file in place of the DNS.
    """
    for name, look in (
        ("mail texts", mail_text),
        ("relay", _relay),
        ("second relay", _second_relay),
        ("test mail", lambda h: _test_mail(h, to)),
        ("sources", _sources),
        ("calendar", _holidays),
        ("clock", _clock),
        ("work", _work),
        ("instance", doctor_ledger.instance),
        ("balance", doctor_ledger.balances),
        ("pace", doctor_ledger.pace),
        ("alarms", doctor_ledger.alarms),
        ("relay log", doctor_ledger.relay_log),
        ("words", _words),
        ("staff", _staff),
    ):
        yield from _guarded(name, look, house)
    yield from doctor_inbox.ways_in(house)
    try:
        yield from doctor_dns.sender_dns(house, records)
    except PaperpostError as error:
        yield failed("DNS", error)


def _guarded(name: str, look: Callable[[House], Check | None], house: House) -> Iterator[Check]:
    try:
        check = look(house)
    except PaperpostError as error:
        check = failed(name, error)
    if check is not None:
        yield check


def _relay(house: House) -> Check:
    if house.settings.uses_mailbox:
        return Check(
            "relay",
            "ok" if house.settings.is_loopback else "warn",
            "the built-in mailbox; nothing leaves this machine",
            "" if house.settings.is_loopback else "Set PAPERPOST_SMTP_URL to your relay.",
        )
    return _spoken(house, house.relay(), "relay")


def _second_relay(house: House) -> Check | None:
    relay = house.second_relay()
    return None if relay is None else _spoken(house, relay, "second relay")


def _spoken(house: House, relay: Relay, name: str) -> Check:
    from service.cli.trial_mail import probe

    found = probe(house, relay)
    tls = found.tls or "clear text"
    signed = ", signed in" if found.signed_in else ""
    says = f'{relay.name} says "{found.greeting}" ({tls}{signed})'
    if not found.tls and relay.host not in ("127.0.0.1", "::1", "localhost"):
        return Check(name, "warn", says, "Write smtp+starttls:// or smtps:// if it offers that.")
    return Check(name, "ok", says)


def _test_mail(house: House, to: str) -> Check | None:
    from service.cli.trial_mail import send_trial

    if not to:
        return None
    made = send_trial(house, to)
    if made.accepted:
        return Check("test mail", "ok", f"the relay said: {made.words}")
    return Check(
        "test mail",
        "fail",
        f"not accepted: {made.words}",
        "Show these words to the relay's operator.",
    )


def _sources(house: House) -> Check:
    rows: list[dict[str, Any]] = house.runtime.db.read(sources_store.summary)
    asked = [row for row in rows if row["state"] != "paused"]
    if not asked:
        return Check(
            "sources", "warn", "no source is asked", "paperpost setup, or: sources add hf_daily"
        )
    bad = [row for row in asked if row["state"] not in ("ok", "silent") or row["last_error"]]
    told = "; ".join(
        f"{row['title']} {row['state'] if row['state'] != 'ok' else 'did not answer'}"
        + (f" ({row['last_error']})" if row["last_error"] else "")
        for row in bad[:3]
    )
    if bad:
        says = f"{len(bad)} of {len(asked)}: {told}"
        return Check("sources", "warn", says, "paperpost sources list")
    never = [row for row in asked if row["last_poll_at"] is None]
    if never:
        says = f"{len(never)} of {len(asked)} not asked yet"
        return Check("sources", "warn", says, "paperpost poll, or run")
    papers = sum(row["papers"] for row in asked)
    return Check("sources", "ok", f"{len(asked)} asked, {tally(papers, 'paper')}")


def _holidays(house: House) -> Check | None:
    """Whether the holidays of this year, and in December of the next, are on file for each kind
    that is waited for."""
    rt = house.runtime
    today = rt.clock().date()
    wanted = {today.year, (today + timedelta(days=31)).year}
    asked = rt.db.read(sources_store.list_sources)
    rhythms = [rhythm_of(x.kind) for x in asked if x.state not in ("paused", "gone")]
    waited_for = [x for x in rhythms if x.lists == "batch"]
    if not waited_for:
        return None
    unknown = sorted(y for y in wanted if not all(x.knows_year(y) for x in waited_for))
    source = calendar_in_use().source
    if not unknown:
        known = ", ".join(map(str, sorted(wanted)))
        return Check("calendar", "ok", f"arXiv's holidays of {known} are on file ({source})")
    return Check(
        "calendar",
        "warn",
        f"arXiv's holidays of {unknown[0]} are not on file: on such a day its mails may wait an "
        "hour for nothing",
        f"Upgrade, or write them into {house.settings.data_dir / CALENDAR_FILE} ({source}).",
    )


def _clock(house: House) -> Check:
    rt = house.runtime
    there = rt.db.read(health.database_now)
    apart = abs(there - rt.clock())
    if apart > SKEW:
        return Check(
            "clock",
            "fail",
            f"the database's clock is {apart.total_seconds():,.0f} s apart from this machine's",
            "Set both by NTP.",
        )
    if unknown := unknown_zones(rt):
        return Check(
            "clock",
            "warn",
            f"{tally(sum(unknown.values()), 'reader')} in a zone that this machine does not know "
            f"({', '.join(sorted(unknown)[:3])}); mails come by {rt.zone}",
            "Install a newer tzdata, or choose another zone for them.",
        )
    says = f"agrees with the database; the zone is {rt.zone}"
    if not house.settings.timezone:
        return Check("clock", "ok", f"{says} (the machine's)")
    return Check("clock", "ok", says)


def _work(house: House) -> Check:
    rt = house.runtime
    now = rt.clock()
    overdue = rt.db.read(lambda s: health.count_overdue_readers(s, now, STUCK))
    stuck = rt.db.read(lambda s: health.count_stuck(s, now, STUCK))
    in_doubt = stuck.pop("unknown", 0)
    told = [f"{tally(overdue, 'reader')} due and not planned"] if overdue else []
    told += [f"{tally(n, 'mail')} {state}" for state, n in sorted(stuck.items())]
    if told:
        return Check("work", "fail", ", ".join(told), "Is paperpost run at work? Look at its log.")
    if in_doubt:
        says = f"{tally(in_doubt, 'mail')} held"
        return Check("work", "warn", says, "deliveries list --state held")
    return Check("work", "ok", "no reader is due and unsent")


def _words(house: House) -> Check:
    """Whether stored words are of this version's folding."""
    stale = count_stale(house.runtime)
    if not (stale.papers or stale.profiles):
        return Check("words", "ok", "papers and interests are folded by this version")
    says = (
        f"{stale.papers:,} of {tally(stale.of_papers, 'paper')} and {stale.profiles:,} of "
        f"{tally(stale.of_profiles, 'interest')} are folded by an older version"
    )
    return Check("words", "warn", says, "paperpost run brings them up to date by itself.")


def _staff(house: House) -> Check:
    count = house.runtime.db.read(health.count_admins)
    if not count:
        return Check("staff", "warn", "no account", "paperpost admin create NAME --role owner")
    return Check("staff", "ok", f"{count} accounts" if count > 1 else "1 account")
