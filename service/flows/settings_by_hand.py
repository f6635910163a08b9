"""Values of taste: told by sense with who changed them, looked at before they are stored, changed,
taken back. The same for the desk, the interface of programs and the command line.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from dataclasses import fields as fields_of
from datetime import datetime
from typing import Any

from service.defaults import Defaults, parse
from service.errors import SettingError
from service.flows.runtime import Runtime
from service.flows.setting_choices import Choice, choices_of, is_several, told
from service.flows.setting_effects import effect
from service.flows.staff import write_audit
from service.store import setting_counts
from service.store import staff as staff_store
from service.store.db import Priority, Session
from service.store.house_tables import AuditRow
from service.store.instance import get_defaults, set_setting

ACT = "setting"
"""What the record of acts calls a change; its target is the setting's name."""

STARTS: Mapping[str, str] = {
    "hour": "A new reader",
    "full_entries": "What a mail holds",
    "alert_bundle_minutes": "Alerts",
    "confirm_days": "Readers' links and limits",
    "history_days": "Sources",
    "smtp_connections": "Handing mails over",
    "breaker_percent": "When mails are refused or come back",
    "release": "An editor's hand",
    "undo_minutes": "Sends by hand, and the staff",
    "keep_raw_days": "How long things are kept",
}
"""Groups by sense, each from the setting with which it begins in ``defaults`` to the next one."""


_USUAL: Mapping[str, Any] = asdict(Defaults())


class NoSettingError(SettingError):
    """There is no setting of this name, or it is a fixed rule."""


class ChangedMeanwhileError(SettingError):
    """Somebody else changed the value since it was looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One value of taste. about: what it is, told: with its choices · allowed: in words, "0 to 23"
    · choices: the values it may be, () for a number or a text · several: of them at once, with
    commas · least, most: of a number, else None · clock: it is an hour and a minute · since, by:
    when and by whom it was changed last, None and "" where it never was, or that is no longer on
    record."""

    name: str
    group: str
    about: str
    value: int | str
    default: int | str
    allowed: str
    choices: tuple[Choice, ...] = ()
    several: bool = False
    least: int | None = None
    most: int | None = None
    clock: bool = False
    since: datetime | None = None
    by: str = ""

    @property
    def is_default(self) -> bool:
        return self.value == self.default

    @property
    def told(self) -> str:
        return told(self.name, self.about)

    def facts(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "name": self.name, "group": self.group, "about": self.told, "value": self.value,
            "default": self.default, "allowed": self.allowed, "several": self.several,
            "choices": [asdict(one) for one in self.choices], "since": self.since, "by": self.by,
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What storing a value would do, or did. effect, effect_before: in numbers of this house, or
    in words."""

    name: str
    before: int | str
    after: int | str
    default: int | str
    effect_before: str
    effect: str

    @property
    def is_none(self) -> bool:
        """Nothing would be changed."""
        return self.before == self.after

    def facts(self) -> dict[str, Any]:
        """For JSON."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def list_settings(rt: Runtime) -> list[Setting]:
    """Every value of taste that can be changed, by sense."""

    def load(session: Session) -> tuple[Defaults, dict[str, AuditRow]]:
        return get_defaults(session), staff_store.last_changes(session, ACT)

    values, changed = rt.db.read(load)
    made, group = [], ""
    for field in fields_of(Defaults):
        group = STARTS.get(field.name, group)
        last, default = changed.get(field.name), _USUAL[field.name]
        is_number = isinstance(default, int)
        made.append(
            Setting(
                name=field.name,
                group=group,
                about=field.metadata["about"],
                value=getattr(values, field.name),
                default=default,
                allowed=_allowed(default, field.metadata),
                choices=choices_of(field.name),
                several=is_several(field.name),
                least=field.metadata["low"] if is_number else None,
                most=field.metadata["high"] if is_number else None,
                clock=field.metadata["clock"],
                since=last.at if last is not None else None,
                by=last.who if last is not None else "",
            )
        )
    return made


def groups(rows: list[Setting]) -> dict[str, list[Setting]]:
    """The same by their groups, in order."""
    made: dict[str, list[Setting]] = {}
    for row in rows:
        made.setdefault(row.group, []).append(row)
    return made


def find_setting(rt: Runtime, name: str) -> Setting:
    """One of them. Raises NoSettingError: there is none of this name, or it is a fixed rule."""
    found = next((row for row in list_settings(rt) if row.name == name), None)
    if found is None:
        try:
            parse(name, "")
        except SettingError as error:  # says which of the two it is
            raise NoSettingError(error.what, error.where, error.next_step) from None
        raise AssertionError(name)
    return found


def without_effect(rt: Runtime) -> dict[str, str]:
    """Stored rows that this version does not read: of an older one, or out of its bounds."""
    made = {}
    for name, text in rt.db.read(setting_counts.stored_rows).items():
        try:
            parse(name, text)
        except SettingError:
            made[name] = text
    return made


def _allowed(default: int | str, meta: Mapping[str, Any]) -> str:
    if isinstance(default, int):
        return f"{meta['low']:,} to {meta['high']:,}"
    words = ", ".join(meta["words"])
    if not words:
        return "a time of day" if meta["clock"] else "a text"
    return f"some of {words}" if meta["several"] else f"one of {words}"


def look(rt: Runtime, name: str, text: str) -> Change:
    """What storing a value would change; nothing is stored. text: "" or "default" = the default.

    Raises SettingError.
    """
    row = find_setting(rt, name)
    return _change(rt, row, _read(name, text))


def _read(name: str, text: str) -> int | str | None:
    """The checked value, None for the default. Raises SettingError."""
    typed = text.strip()
    return None if typed.lower() in ("", "default") else parse(name, typed)


def _change(rt: Runtime, row: Setting, value: int | str | None) -> Change:
    after = row.default if value is None else value
    return Change(
        name=row.name,
        before=row.value,
        after=after,
        default=row.default,
        effect_before=effect(rt, row.name, row.value),
        effect=effect(rt, row.name, after),
    )


def change(
    rt: Runtime,
    name: str,
    text: str,
    by: str,
    address: str = "",
    *,
    reason: str = "",
    was: str | None = None,
) -> Change:
    """Store a value; it counts from now on. text: "" or "default" goes back to the default.

    was: the value that was looked at; another one by now is told, and nothing is stored. Raises
    SettingError, ChangedMeanwhileError.
    """
    row = find_setting(rt, name)
    value = _read(name, text)
    made = _change(rt, row, value)

    def store(session: Session) -> None:
        before = getattr(get_defaults(session), name)
        if was is not None and str(before) != was:
            raise ChangedMeanwhileError(
                f"Somebody else changed {name} meanwhile: it is {before} now.",
                name,
                "Look at it, then save again what you want.",
            )
        set_setting(session, name, None if value is None else str(value))
        if before != made.after:
            write_audit(
                session, rt.clock(), who=by, what=ACT, target=name, before={"value": before},
                after={"value": made.after}, address=address, reason=reason,
            )  # fmt: skip

    rt.db.write(store, Priority.WEB)
    return made


def history(rt: Runtime, name: str, limit: int = 20) -> list[AuditRow]:
    """The last changes of a setting, newest first."""
    return rt.db.read(lambda s: staff_store.list_changes(s, ACT, name, limit))
