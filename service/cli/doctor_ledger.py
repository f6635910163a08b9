"""The doctor on the ledger: whether mail may be sent from here, balances, the relay's log."""

from service.cli.doctor_line import Check
from service.cli.printing import tally
from service.flows import epoch, reconcile
from service.flows.alarms import told
from service.flows.send_state import read_limits
from service.flows.settle import list_uneven
from service.store import alarms as alarms_store
from service.wiring import House


def instance(house: House) -> Check:
    """Whether this database is the one that sent last."""
    found = epoch.standing(house.runtime)
    if found.held:
        return Check(
            "instance", "fail", f"{found.words} Nothing is sent.", "paperpost instance show"
        )
    if found.seen is None:
        return Check("instance", "ok", "nothing was sent yet")
    return Check("instance", "ok", f"this database sent last (start {found.epoch})")


def balances(house: House) -> Check:
    """Whether every edition has an end for each mail that was planned."""
    found = house.runtime.db.read(lambda s: list_uneven(s, house.runtime.clock()))
    if not found:
        return Check("balance", "ok", "every edition balances, or is under way")
    edition_id, words = next(iter(found.items()))
    says = f"edition {edition_id}: {words}"
    if len(found) > 1:
        says = f"{tally(len(found), 'edition')}; {says}"
    return Check("balance", "warn", says, f"paperpost editions show {edition_id}")


def alarms(house: House) -> Check:
    """Whether something is wrong that has not ended, and whether anybody is told of it."""
    rt = house.runtime
    found = rt.db.read(alarms_store.list_open)
    if found:
        says = found[0].what if len(found) == 1 else f"{len(found)} alarms; {found[0].what}"
        return Check("alarms", "warn", says, "paperpost alarms list")
    if not rt.db.read(lambda s: told(rt, s)):
        return Check("alarms", "ok", "none; no PAPERPOST_CONTACT_EMAIL to mail them to")
    return Check("alarms", "ok", "none")


def pace(house: House) -> Check:
    """Whether a limit or a rest keeps mails back."""
    found = read_limits(house.runtime)
    held = [one for one in found if one.waiting]
    if not held:
        limited = sum(1 for one in found if one.most)
        says = f"{tally(limited, 'limit')} in force, nothing waits" if limited else "nothing waits"
        return Check("pace", "ok", says)
    most = max(held, key=lambda one: one.waiting)
    until = f" until {most.until:%d %b %H:%M} UTC" if most.until else ""
    says = f"{tally(most.waiting, 'mail waits', 'mails wait')}{until}: {most.why}"
    if len(held) > 1:
        says = f"{len(held)} reasons to wait; {says}"
    return Check("pace", "warn", says, "paperpost deliveries pace")


def relay_log(house: House) -> Check | None:
    """Whether the relay's log can be read, where one is set."""
    rt = house.runtime
    facts = reconcile.log_facts(rt)
    if not facts["path"]:
        return None
    if facts["problem"]:
        return Check(
            "relay log",
            "fail",
            f"{facts['path']} cannot be read: {facts['problem']}",
            "Let this user read it (group adm), or take PAPERPOST_RELAY_LOG out.",
        )
    if facts["short"]:
        return Check(
            "relay log",
            "warn",
            f"{tally(facts['short'], 'mail')} had a short queue id, which proves nothing",
            "postconf -e enable_long_queue_ids=yes, and reload Postfix.",
        )
    if facts["read_at"] and not facts["known"]:
        return Check(
            "relay log",
            "warn",
            f"{facts['path']} was read, and no line in it is of a mail that Postfix took",
            "Name the file that Postfix writes (postconf maillog_file, or /var/log/mail.log).",
        )
    read = f"read to {facts['read_at']:%d %b %H:%M}" if facts["read_at"] else "not read yet"
    return Check("relay log", "ok", f"{facts['path']}, {read}")
