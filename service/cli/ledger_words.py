"""What became of mails, told in lines: one edition with its balance, groups of refused mails."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from service.delivery.states import State

if TYPE_CHECKING:
    from service.flows.move_send import Moved


def edition_lines(found: Mapping[str, Any]) -> Iterator[str]:
    """One edition as ``flows.progress.watch`` gives it: its balance, what is wrong with it, why
    some got no mail, what was put off and refused."""
    name = found["title"] or found["slot"]
    yield f"Edition {found['id']}: {found['kind']} {name}, {found['state']}"
    yield f"begun {found['opened_at']:.16} UTC by {found['created_by'] or 'the clock'}"
    if found["segment"]:
        yield f"to: {found['segment']}"
    if found["not_before"]:
        yield f"goes from {found['not_before']:.16} UTC on"
    if found.get("own_hour"):
        yield f"at each reader's own hour; the last {found['last_at']:.16} UTC"
    if found.get("movable"):
        yield f"nothing of it has begun; another time: paperpost editions move {found['id']}"
    yield _balance(found)
    if found.get("rate") and found["left_s"]:
        yield f"{found['rate']:.1f} mails a second, about {found['left_s'] / 60:.0f} min left"
    if first := found.get("first"):
        yield (
            f"first {first['mails']}: {first['accepted']} accepted, {first['deferred']} deferred,"
            f" {first['refused']} refused; {first['rest']:,} wait for a word"
            + (f" (paperpost editions rest {found['id']})" if first["is_over"] else "")
        )
    for to, n in found.get("tested", {}).items():
        yield f"test mode: {n:,} went to {to}, not to their readers"
    if found.get("late"):
        yield f"{found['late']:,} came later: paperpost editions late {found['id']}"
    if planning := found.get("planning"):
        yield f"Being planned: {planning['rows']:,} of {planning['readers']:,} readers."
        if planning["left"]:
            yield (
                "Its process ended. `paperpost run` plans the rest within a minute; at once:"
                f" paperpost editions resume {found['id']}"
            )
    elif found["so_far"]:
        yield "So far: readers are added as their hour comes."
    if found["held"]:
        which = f"paperpost deliveries list --edition {found['id']} --state held"
        yield f"{found['held']:,} held: {which}"
    yield from filter(None, (found["uneven"], found["paused_why"]))
    for state, reasons in found["reasons"].items():
        told = ", ".join(f"{n:,} {why.replace('_', ' ') or '-'}" for why, n in reasons.items())
        yield f"{state}: {told}"
    for one in found["put_off"]:
        yield f"put off, tried again: {one['count']:,} × {one['text']}"
    if until := found.get("put_off_until"):
        yield f"tried again until {until:.16} UTC at the latest"
    yield from group_lines(found["refused"])


def moved_lines(made: "Moved", *, dry_run: bool) -> Iterator[str]:
    """What moving a send means, or meant."""
    if not made.is_new:
        yield f"Edition {made.edition_id} goes then already; nothing was changed."
    elif dry_run:
        yield f"Edition {made.edition_id} would be moved; nothing was changed."
    else:
        yield f"Edition {made.edition_id} is moved."
    was = f", not {made.before:%d %B %H:%M}" if made.is_new and made.before is not None else ""
    if made.own_hour:
        yield (
            f"{made.mails:,} go at each reader's own hour, the first on"
            f" {made.begins:%d %B %H:%M} UTC{was}, the last on {made.last:%d %B %H:%M}"
        )
    else:
        yield f"{made.mails:,} go on {made.begins:%d %B %H:%M} UTC{was}"
    yield f"What mail servers put off is tried until {made.deadline:%d %B %H:%M} UTC"
    if made.until is not None:
        yield (
            f"until {made.until:%d %B %H:%M} UTC it can be taken back:"
            f" paperpost editions undo {made.edition_id}"
        )
    if made.is_paused:
        yield f"It stays paused: nothing goes before paperpost editions resume {made.edition_id}"


def _balance(found: Mapping[str, Any]) -> str:
    """ "5 planned = 3 accepted + 2 failed", with what is under way, and what has no row."""
    counts = {str(state): found[state] for state in State} | {"planned": found["planned_rows"]}
    parts = [
        f"{n:,} {state if state != 'planned' else 'not composed'}"
        for state, n in counts.items()
        if n
    ]
    if (lost := found["planned"] - sum(counts.values())) > 0:
        parts.append(f"{lost:,} without a row")
    return f"{found['planned']:,} planned = {' + '.join(parts) or '0'}"


def group_lines(groups: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Groups of refused mails: how many, the servers' words, what to do, how to send again."""
    for group in groups:
        states = ", ".join(f"{n:,} {state}" for state, n in group["states"].items())
        yield f"{group['name']}: {group['meaning']} ({states})"
        for line in _about(group):
            yield f"  {line}"


def _about(group: Mapping[str, Any]) -> Iterator[str]:
    for one in group["words"][:8]:
        yield f"{one['count']:>7,}  {one['text']}"
    yield "domains: " + ", ".join(f"{d['domain']} {d['count']:,}" for d in group["domains"][:5])
    shown = ", ".join(str(i) for i in group["examples"])
    yield f"examples: {shown} (paperpost deliveries show {group['examples'][0]})"
    yield str(group["advice"])
    if group["done"]:
        yield f"{group['done']:,} of these sent again already"
    for one in group["editions"][:5]:
        if one["again"]:
            yield (
                f"paperpost deliveries resend --edition {one['edition']} --meaning {group['name']}"
            )
