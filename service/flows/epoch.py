"""Is this database the one that sent last? A restored backup or a copy holds its mails and asks.

The ledger is the only memory of what went out. One that was restored does not know what was sent
since, and a copy would send everything a second time beside the original. Neither can be seen in
the database itself: a file in the data folder counts each start of sending too (``store/witness``).
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

from service.delivery.states import State
from service.errors import PaperpostError
from service.flows.alarms import Alarm, end_alarm, raise_alarm
from service.flows.runtime import Runtime
from service.flows.staff import write_audit
from service.store import alarms as alarms_store
from service.store import half_planned
from service.store import instance as instance_store
from service.store import restored as restored_store
from service.store import schedules as schedules_store
from service.store.db import Priority, Session
from service.store.subscribers import days_of
from service.store.witness import Witness, database_code, machine
from service.subscribers.cadence import CadenceError, next_slot
from service.subscribers.model import Subscriber

Why = Literal["", "behind", "elsewhere", "another", "copied", "moved"]

Answer = Literal["only", "restored", "copy"]
ANSWERS: tuple[Answer, ...] = get_args(Answer)

EVERY_S = 1.0
"""Seconds after which a process that goes on sending counts once more: so much of a send may be
missing in a backup that is taken meanwhile without its being noticed. One commit and one write."""

ASK = "paperpost instance show, or the page /admin/instance"

WORDS: Mapping[str, str] = {
    "behind": "The database is older than what was sent: it was restored from a backup.",
    "elsewhere": "This database has sent mail, but never from this data folder. (A container needs "
    "a data folder that stays: PAPERPOST_DATA_DIR on a volume.)",
    "another": "The data folder belongs to another installation than the database.",
    "copied": "The data folder was copied, or came to another machine.",
    "moved": "The data folder sent mail from another database than this one.",
}

MEANS: Mapping[Answer, str] = {
    "only": "This is the only one, and nothing was sent from elsewhere since: go on as it is.",
    "restored": "This is the only one, restored from a backup: what waited in it may have gone "
    "since and is held; mails of hours that are past are not sent.",
    "copy": "This is a copy, and the other one goes on: it gets an identity of its own, and "
    "everything that waits is cancelled here.",
}

KIND = "instance"

GAP = timedelta(hours=2)
"""What the sources bring so soon after a restore may be what they had brought before it."""


class InstanceHeld(PaperpostError):
    """Nothing is sent before a person said which database this is."""


class InstanceError(PaperpostError):
    """An answer that does not fit."""


@dataclass(frozen=True, slots=True)
class Standing:
    """why: "" = all is well, else why nothing is sent · epoch: of the database · seen: the file."""

    why: Why
    uid: str
    epoch: int
    seen: Witness | None

    @property
    def held(self) -> bool:
        return bool(self.why)

    @property
    def words(self) -> str:
        """Why nothing is sent, in words, "" when all is well."""
        return WORDS.get(self.why, "")

    @property
    def answers(self) -> tuple[Answer, ...]:
        """What a person may answer: a database that is behind is not "as it was"."""
        if not self.why:
            return ()
        return ANSWERS[1:] if self.why == "behind" else ANSWERS

    def as_dict(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "held": self.held,
            "why": self.why,
            "words": self.words,
            "id": self.uid,
            "epoch": self.epoch,
            "epoch_beside": self.seen.epoch if self.seen else None,
            "sent_last": self.seen.at if self.seen else "",
            "answers": {answer: MEANS[answer] for answer in self.answers},
        }


def compare(seen: Witness | None, uid: str, epoch: int, here: Witness) -> Why:
    """What the file and the database say of each other. here: where we are now, its inode the one
    that the file has. Pure."""
    if seen is None:
        return "elsewhere" if epoch else ""
    if seen.uid != uid:
        return "another"
    if epoch < seen.epoch:
        return "behind"
    if _differ(seen.inode, here.inode) or _differ(seen.machine, here.machine):
        return "copied"
    return "moved" if _differ(seen.database, here.database) else ""


def _differ(one: str | int, two: str | int) -> bool:
    return bool(one and two) and one != two


def standing(rt: Runtime) -> Standing:
    """Whether mail may be sent; changes nothing."""
    seen = rt.witness.read()
    uid, epoch = rt.db.read(instance_store.get_epoch)
    if seen is None and not epoch:
        return Standing("", uid, epoch, None)
    return Standing(compare(seen, uid, epoch, _here(rt, uid, epoch)), uid, epoch, seen)


def need(rt: Runtime) -> None:
    """Before anything is planned or sent. Raises InstanceHeld."""
    _refuse(rt, standing(rt))


def raise_epoch(rt: Runtime) -> None:
    """Count one more start of sending, in the database first and then in the file (a process that
    dies between the two leaves a file that is behind, which is harmless). Within a second of
    the last time nothing is done. Raises InstanceHeld."""
    if time.monotonic() - rt.epoch_raised < EVERY_S:
        return
    with rt.witness.locked() as file:
        seen = file.read()
        uid, epoch = rt.db.read(instance_store.get_epoch)
        here = _here(rt, uid, epoch, inode=file.inode)
        found = Standing(compare(seen, uid, epoch, here), uid, epoch, seen)
        _refuse(rt, found)
        if seen is None:  # the very first start: a file before the database has counted
            file.write(here)
        _count(rt, file, here)
    rt.epoch_raised = time.monotonic()


def _count(rt: Runtime, file: Any, here: Witness, least: int = 0) -> int:
    epoch = rt.db.write(lambda s: instance_store.raise_epoch(s, least), Priority.WEB)
    file.write(
        Witness(here.uid, epoch, rt.clock().isoformat(), here.inode, here.machine, here.database)
    )
    return epoch


def _here(rt: Runtime, uid: str, epoch: int, inode: int | None = None) -> Witness:
    number = rt.witness.inode() if inode is None else inode
    return Witness(uid, epoch, "", number, machine(), database_code(rt.db))


def _refuse(rt: Runtime, found: Standing) -> None:
    if found.held:
        raise InstanceHeld(f"{found.words} Nothing is sent.", str(rt.data_dir), f"Answer by: {ASK}")


def watch(rt: Runtime) -> Standing:
    """Raise or end the alarm of it; part of every sweep. Nothing is written while all is well."""
    found = standing(rt)
    is_told = any(row.kind == KIND for row in rt.db.read(alarms_store.list_open))
    if not found.held and not is_told:
        return found
    alarm = Alarm(
        kind=KIND,
        key=found.why,
        what=f"{found.words} No mail is sent.",
        place="the data folder and the database",
        next_step=f"Say which one it is: {ASK}.",
    )

    def act(session: Session) -> None:
        for why in WORDS:
            if why != found.why:
                end_alarm(rt, session, KIND, why)
        if found.held:
            raise_alarm(rt, session, alarm)

    rt.db.write(act, Priority.MAIL)
    return found


def go_on(rt: Runtime, answer: str, by: str, address: str = "") -> dict[str, Any]:
    """Send again from this database, as a person says what it is. Returns in_doubt, cancelled,
    skipped (mails) and moved (readers whose hour was past). Raises InstanceError."""
    with rt.witness.locked() as file:
        seen = file.read()
        uid, epoch = rt.db.read(instance_store.get_epoch)
        here = _here(rt, uid, epoch, inode=file.inode)
        found = Standing(compare(seen, uid, epoch, here), uid, epoch, seen)
        if not found.held:
            raise InstanceError(
                "Nothing is to be answered.", "", "Mail is sent from here as it is."
            )
        if answer not in found.answers:
            raise InstanceError(
                f"{answer!r} does not fit: {found.words}", "", f"Use {' or '.join(found.answers)}."
            )
        done = rt.db.write(lambda s: _set_right(rt, s, answer, by, address, found), Priority.WEB)
        uid, _ = rt.db.read(instance_store.get_epoch)
        least = seen.epoch if seen is not None and seen.uid == uid else 0
        here = Witness(uid, 0, "", here.inode, here.machine, here.database)
        epoch = _count(rt, file, here, least)
    rt.epoch_raised = time.monotonic()
    rt.log("instance", answer=answer, why=found.why, epoch=epoch, **done)
    rt.engine.enqueue("send")
    return {"answer": answer, "epoch": epoch, "id": uid, **done}


def _set_right(
    rt: Runtime, session: Session, answer: str, by: str, address: str, found: Standing
) -> dict[str, int]:
    now = rt.clock()
    done = {"in_doubt": 0, "skipped": 0, "cancelled": 0, "moved": 0}
    if answer == "restored":
        done["in_doubt"] = restored_store.doubt_open(session, now)
        restored_store.note_restored(session, now + GAP)
        done["skipped"] = restored_store.stop_planned(session, State.SKIPPED, "restored")
    if answer == "copy":
        instance_store.renew_uid(session)
        done["cancelled"] = restored_store.cancel_open(session, "copy")
    if answer != "only":
        half_planned.drop_intents(session)
        done["moved"] = _pass_hours(session, now)
    for why in WORDS:
        end_alarm(rt, session, KIND, why)
    write_audit(
        session,
        now,
        who=by,
        what="instance",
        target=found.uid,
        before={"why": found.why, "epoch": found.epoch},
        after={"answer": answer, **done},
        address=address,
    )
    return done


def _pass_hours(session: Session, now: datetime) -> int:
    """Readers whose hour is past are due at their next one: the other had mailed them, or will."""
    moved = 0
    for shared in schedules_store.list_schedules(session):
        reader = Subscriber(
            id=0, email="", zone=shared.zone, hour=shared.hour, weekdays=days_of(shared.weekdays)
        )
        try:
            at = next_slot(reader, now)[1]
        except (CadenceError, ValueError, KeyError, OSError):
            continue  # a zone that is unknown: the planner says so
        moved += schedules_store.put_off(session, shared, at, now)
    return moved
