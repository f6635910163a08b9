"""Tags: words of the staff's on readers, put on and taken off, called otherwise, joined.

A tag is kept in small letters, so that "Staff" and "staff" are one. A reader may see them: they are
in the file of their own data.
"""

from collections.abc import Sequence
from dataclasses import replace

from service.errors import PaperpostError
from service.flows.runtime import Runtime
from service.flows.segment import Segment, read_segment
from service.flows.staff import write_audit
from service.store import tags as store
from service.store.db import Priority, Session
from service.store.reader_lists import Wanted
from service.text.clean import collapse
from service.text.tally import tally

MOST = 64
MOST_EACH = 30
_PORTION = 500


class TagError(PaperpostError):
    """A tag that cannot be, or is not there; ``where`` is the field."""


def read_tag(text: str, where: str = "tag") -> str:
    """A tag as it is kept. Raises TagError: empty, too long, or with a comma or semicolon."""
    tag = collapse(text).casefold()
    if not tag or not tag.isprintable() or any(c in tag for c in ',;:"<>'):
        what = f"{text.strip()[:40]!r} is no tag." if tag else "The tag is empty."
        raise TagError(what, where, "Write a word or two, without , ; : and quotes.")
    if len(tag) > MOST:
        raise TagError(f"This tag has {len(tag)} characters; {MOST} fit.", where, "Shorten it.")
    return tag


def read_tags(text: str, where: str = "tags") -> tuple[str, ...]:
    """Several tags with commas or semicolons between them, each once. Raises TagError."""
    found = [read_tag(part, where) for part in text.replace(";", ",").split(",") if part.strip()]
    if len(found) > MOST_EACH:
        raise TagError(f"These are {len(found)} tags.", where, f"{MOST_EACH} at most.")
    return tuple(dict.fromkeys(found))


def tag_readers(
    rt: Runtime,
    tag: str,
    wanted: Wanted,
    *,
    by: str,
    add: bool = True,
    which: str = "",
    reason: str = "",
    address: str = "",
) -> int:
    """Put a tag on readers, or take it off; how many it changed. which: who they are, in words, for
    the record."""

    def act(session: Session) -> int:
        change = store.add_tag if add else store.delete_tag
        count = change(session, tag, wanted)
        what = "tag" if add else "untag"
        _note(rt, session, what, tag, count, which, by, reason, address)
        return count

    return rt.db.write(act, Priority.WEB)


def tag_reader(
    rt: Runtime,
    reader_id: int,
    tags: Sequence[str],
    *,
    by: str,
    add: bool = True,
    reason: str = "",
    address: str = "",
) -> list[str]:
    """Put tags on one reader, or take them off, all in one act; the ones that were changed. The
    record tells all of the reader's tags before and after."""

    def act(session: Session) -> list[str]:
        had = tags_of_reader(session, reader_id)
        changed = [tag for tag in dict.fromkeys(tags) if (tag in had) is not add]
        one = Wanted(ids=(reader_id,))
        for tag in changed:
            (store.add_tag if add else store.delete_tag)(session, tag, one)
        write_audit(
            session, rt.clock(), who=by, what="tag" if add else "untag",
            target=f"reader {reader_id}", before={"tags": list(had)},
            after={"tags": list(tags_of_reader(session, reader_id))},
            address=address, reason=reason,
        )  # fmt: skip
        return changed

    return rt.db.write(act, Priority.WEB)


def tag_list(
    rt: Runtime,
    tag: str,
    text: str,
    *,
    by: str,
    add: bool = True,
    reason: str = "",
    address: str = "",
) -> tuple[int, Segment]:
    """The same for a list of addresses of any length: (how many it changed, the list as it was
    read). Raises SegmentError: no address in it."""
    segment = read_segment(f"list:{text}", from_files=False)
    keys = segment.keys or ()

    def act(session: Session) -> int:
        change = store.add_tag if add else store.delete_tag
        wanted = Wanted()
        count = 0
        for start in range(0, len(keys), _PORTION):
            part = replace(wanted, keys=keys[start : start + _PORTION])
            count += change(session, tag, part)
        which = f"a list of {tally(len(keys), 'address', 'addresses')}"
        _note(rt, session, "tag" if add else "untag", tag, count, which, by, reason, address)
        return count

    return rt.db.write(act, Priority.WEB), segment


def _note(
    rt: Runtime, session: Session, what: str, tag: str, count: int, which: str, by: str,
    reason: str, address: str,
) -> None:  # fmt: skip
    after = {"tag": tag, "readers": count} | ({"which": which} if which else {})
    write_audit(
        session, rt.clock(), who=by, what=what, target=f"tag {tag}", after=after,
        address=address, reason=reason,
    )  # fmt: skip


def rename(rt: Runtime, old: str, new: str, *, by: str, reason: str = "", address: str = "") -> int:
    """Call a tag otherwise; where the other one is there already, both become one. How many readers
    had it. Raises TagError: it is not there, or is called so already."""
    if old == new:
        raise TagError("It is called so already.", "name", "Type another name.")

    def act(session: Session) -> int:
        known = store.list_tags(session)
        if old not in known:
            raise TagError(f"There is no tag {old!r}.", "tag", "Look at the list of tags.")
        count = store.rename_tag(session, old, new)
        write_audit(
            session, rt.clock(), who=by, what="join tags" if new in known else "rename tag",
            target=f"tag {old}", before={"tag": old}, after={"tag": new, "readers": count},
            address=address, reason=reason,
        )  # fmt: skip
        return count

    return rt.db.write(act, Priority.WEB)


def remove(rt: Runtime, tag: str, *, by: str, reason: str = "", address: str = "") -> int:
    """Take a tag off everybody. Raises TagError: it is not there."""

    def act(session: Session) -> int:
        count = store.delete_tag(session, tag)
        if not count:
            raise TagError(f"There is no tag {tag!r}.", "tag", "Look at the list of tags.")
        _note(rt, session, "remove tag", tag, count, "", by, reason, address)
        return count

    return rt.db.write(act, Priority.WEB)


def list_tags(rt: Runtime) -> dict[str, int]:
    """Every tag with the number of its readers, by name."""
    return rt.db.read(store.list_tags)


def tags_of_reader(session: Session, reader_id: int) -> Sequence[str]:
    """The tags of one reader, by name."""
    return store.tags_of(session, [reader_id])[reader_id]
