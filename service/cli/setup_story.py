"""``paperpost setup``: ask, write ``.env``, speak to the relay, bring papers in, make an owner."""

import asyncio
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from service.cli import opening
from service.cli import setup_questions as questions
from service.cli.env_file import write_env
from service.cli.printing import tally
from service.cli.setup_questions import Interview
from service.delivery.relay import AuthorityError
from service.errors import PaperpostError, SettingError
from service.flows import sources as sources_flow
from service.flows.poll import poll_due
from service.settings import Settings, load_settings
from service.store import health
from service.store import sources as sources_store

if TYPE_CHECKING:
    from service.wiring import House

ENV = Path(".env")
PATIENCE = 300.0
PATIENCE_ALONE = 60.0
"""Seconds in which papers are fetched here; what is left comes with ``run``."""


@dataclass(slots=True)
class Answers:
    """Names without the prefix -> values, as they go into ``.env``."""

    values: dict[str, str]

    def settings(self) -> Settings:
        """Checked together. Raises SettingError."""
        return load_settings(ENV, **{name.lower(): value for name, value in self.values.items()})


def setup(*, yes: bool) -> None:
    """Ask the eight questions and do what was answered. Raises PaperpostError."""
    talk = Interview(silent=yes)
    talk.say("Eight questions; Enter takes what stands in brackets." if not yes else "Defaults:")
    answers = _identity(talk, questions.old_settings())
    _relay(talk, answers)
    before = questions.old_settings()
    rule = before.signup if before else "open"
    answers.values["SIGNUP"] = talk.ask(
        "5 Who may sign up (open, closed, domains:a.edu)", rule, questions.signup
    )
    settings = answers.settings()
    write_env(ENV, answers.values)
    talk.say("Written: .env")
    with opening.house(settings) as house:
        _fields(talk, house)
        _owner(talk, house)
        _readers(talk, house)
    talk.say("Next: paperpost run   (and paperpost doctor, at any time)")


def _identity(talk: Interview, old: Settings | None) -> Answers:
    values: dict[str, str] = {}
    values["SITE_NAME"] = talk.ask(
        "1 Name of this service", old.site_name if old else "Paperpost", questions.text
    )
    values["ORG_NAME"] = talk.ask(
        "  Organisation that runs it", old.org_name if old else "", questions.text
    )
    values["CONTACT_EMAIL"] = talk.ask(
        "  Who answers questions (an address)",
        (old.contact_email or "") if old else "",
        questions.email_or_nothing,
    )
    values["BASE_URL"] = talk.ask(
        "2 Public address",
        old.base_url if old else "http://127.0.0.1:8000",
        questions.web_address,
    )
    values["TIMEZONE"] = talk.ask("3 Time zone", _old_zone(old), questions.zone)
    given = old.secret_key.get_secret_value() if old and old.secret_key else ""
    values["SECRET_KEY"] = given or _kept_key(old) or secrets.token_urlsafe(32)
    if old and old.smtp_ca_file:  # of the environment, perhaps: the service does not see that one
        values["SMTP_CA_FILE"] = str(old.smtp_ca_file.absolute())
    return Answers(values)


def _kept_key(old: Settings | None) -> str:
    """A key that was made in the data folder before goes on signing: links in mails stay alive."""
    path = old.data_dir / "secret_key" if old else None
    if path is None or not path.is_file():
        return ""
    return path.read_text(encoding="ascii").strip()


def _old_zone(old: Settings | None) -> str:
    from service.settings import machine_zone

    return old.zone if old else machine_zone()


def _relay(talk: Interview, answers: Answers) -> None:
    """The relay is spoken to at once; what it says is shown."""
    old = questions.old_settings()
    default = old.smtp_url.get_secret_value() if old else "mailbox:"
    while True:
        answers.values["SMTP_URL"] = talk.ask(
            "4 Mail relay (smtp+starttls://user:password@host:587; mailbox: = none yet)",
            default,
            questions.relay_url,
            shown=questions.without_password(default),
        )
        try:
            settings = answers.settings()
            if settings.uses_mailbox:
                talk.say("  Mails stay on this machine; paperpost run shows them at /mailbox.")
                return
            answers.values["MAIL_FROM"] = talk.ask(
                "  Sender address", settings.sender, questions.email_or_nothing
            )
            _speak(talk, answers)
        except PaperpostError as error:
            talk.say(f"  {error}")
            if talk.is_alone:
                if isinstance(error, SettingError):
                    raise
                return
            default = answers.values["SMTP_URL"]
            if isinstance(error, AuthorityError) and _authority(talk, answers):
                continue
            again = talk.ask("  Try again (or n to go on all the same)", "y", questions.text)
            if not again.lower().startswith("n"):
                continue
        return


def _authority(talk: Interview, answers: Answers) -> bool:
    """Ask for the file of a private authority; False when there is none."""
    file = talk.ask("  PEM file of that authority (or nothing)", "", questions.authority)
    if file:
        answers.values["SMTP_CA_FILE"] = file
    return bool(file)


def _speak(talk: Interview, answers: Answers) -> None:
    from service.cli.trial_mail import probe, send_trial

    with opening.house(answers.settings()) as house:
        said = probe(house)
        talk.say(f'  It says "{said.greeting}" ({said.tls or "clear text"}).')
        to = talk.ask(
            "  Send a test mail to (an address, or nothing)",
            answers.values.get("CONTACT_EMAIL", ""),
            questions.email_or_nothing,
        )
        if to:
            made = send_trial(house, to)
            talk.say(f"  {'Accepted' if made.accepted else 'Not accepted'}: {made.words}")


def _fields(talk: Interview, house: "House") -> None:
    rt = house.runtime
    there = [r for r in rt.db.read(sources_store.list_sources) if r.state != "paused"]
    talk.say("6 Fields of research")
    for n, one in enumerate(sources_flow.presets(), 1):
        names = ", ".join(str(source["title"]) for source in one["sources"])
        talk.say(f"    {n} {one['label']}: {names}")
    default = "none" if there else "1"
    chosen = talk.ask("  Which (numbers, or none)", default, questions.chosen_fields)
    if not chosen:
        return
    days = rt.defaults().history_days
    made = [
        sources_flow.add_source(rt, one["kind"], one["params"], one["title"], history_days=days)
        for field in sources_flow.presets()
        if field["name"] in chosen
        for one in field["sources"]
    ]
    added = [one for one in made if one["added"]]
    talk.say(f"  {tally(len(added), 'source')} added.")
    if added:
        _bring(talk, house, days)


def _bring(talk: Interview, house: "House", days: int) -> None:
    """Ask the new sources, as long as patience lasts; ``run`` goes on from there."""
    patience = PATIENCE_ALONE if talk.is_alone else PATIENCE
    talk.say(f"  Asking them now, with {days} days of history ({patience:.0f} s at most) ...")

    async def ask() -> list[dict[str, Any]]:
        return await asyncio.wait_for(poll_due(house.runtime), patience)

    try:
        rows = asyncio.run(ask())
    except TimeoutError:
        talk.say("  There is more than fits into this time; paperpost run brings the rest.")
        return
    for row in rows:
        if row["outcome"] == "read":
            brought = (
                f"{tally(row['new'], 'new paper')}, {row['known'] + row['history']} of the past"
            )
            later = f" ({row['error']})" if row["error"] else ""
            talk.say(f"    {row['title']}: {brought}{later}")
        else:
            talk.say(f"    {row['title']}: {row['error'] or row['outcome']}; asked again by run")


def _owner(talk: Interview, house: "House") -> None:
    from service.flows.staff import create_admin

    rt = house.runtime
    there = rt.db.read(health.count_admins)
    name = talk.ask("7 Owner's account", "none" if there else "owner", questions.text)
    if name.lower() in questions.NONE:
        return
    link = create_admin(rt, name, "owner", "cli")
    talk.say(f"  Choose a password here within 24 hours (paperpost run first): {link}")


def _readers(talk: Interview, house: "House") -> None:
    """Now or later: a CSV of readers."""
    from service.flows.readers import import_readers

    def read(value: str) -> Path | None:
        if value.lower() in ("later", *questions.NONE):
            return None
        path = Path(value).expanduser()
        if not path.is_file():
            raise SettingError(f"{value} is no file.", "", "A CSV with columns email, keywords.")
        return path

    file = talk.ask("8 Readers: a CSV file, or later", "later", read)
    if file is None:
        return
    try:
        report = import_readers(house.runtime, file.read_bytes(), by="cli")
    except PaperpostError as error:
        typer.echo(f"  {error}")
        return
    talk.say(
        f"  {tally(report.added, 'reader')} added, "
        f"{tally(len(report.problems), 'row')} with a problem."
    )
    for number, _, problem in report.problems[:10]:
        talk.say(f"    row {number}: {problem}")
