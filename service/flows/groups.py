"""Deliveries that were not simply accepted, grouped by what was said: what it means, what to do."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from service.delivery.meaning import ABOUT, Meaning
from service.store import delivery_lists
from service.store.db import Session
from service.store.delivery_lists import REFUSED, Chosen, Part

EXAMPLES = 3
MOST_WORDS = 200
"""So many different answers of a group are told apart; what is rarer counts as the last one."""

ADVICE: Mapping[str, str] = {
    "person": "Suppressed; nothing more is sent there, and nothing is sent again.",
    "full": "Nobody's fault; sending again may work.",
    "policy": "Nobody there is at fault. Mend what the server names (SPF, DKIM, sending limits), "
    "then send again.",
    "content": "Look at the mail the server names, mend that, then send again.",
    "rate": "The domain rests by itself and is tried again, more slowly.",
    "temporary": "It is tried again by itself until its deadline; after that it may be sent again.",
    "relay": "Mend what the server names (signing in, sender, relaying), then send again.",
    "silent": "No mail is sent twice on a guess. Proof is looked for; a held newsletter waits for "
    "your word.",
    "rest": "It goes by itself when the rest is over or the limit allows; see what limits mails.",
    "late": "Nobody tried it in time: see that paperpost run is at work, and what limits mails; "
    "then it may be sent again.",
    "other": "Read the server's words, then send again.",
}

_ADDRESS = re.compile(r"<?[^\s<>,;:()\[\]]+@[^\s<>,;:()\[\]]+>?")
_NUMBER = re.compile(r"(?<![\w.])(?=\w*\d)(?=\w*[A-Za-z])[\w-]{10,}(?![\w.])")


@dataclass(slots=True)
class Group:
    """Mails that were refused, put off or left without an answer for one kind of reason.

    meaning: a word of ``delivery.meaning`` · states: state -> number · words: the servers' words,
    addresses and queue numbers taken out, with numbers · domains, editions: of how many · examples:
    ids of some · again: by edition, how many of them a person may send again · done: how many were
    sent again already.
    """

    meaning: str
    states: Counter[str] = field(default_factory=Counter)
    words: Counter[str] = field(default_factory=Counter)
    domains: Counter[str] = field(default_factory=Counter)
    editions: Counter[int] = field(default_factory=Counter)
    examples: list[int] = field(default_factory=list)
    again: Counter[int] = field(default_factory=Counter)
    done: int = 0

    @property
    def count(self) -> int:
        return sum(self.states.values())

    @property
    def says(self) -> str:
        return says(self.meaning)

    def as_dict(self) -> dict[str, Any]:
        """Plain values; name: the word, meaning: what it says."""
        return {
            "name": self.meaning,
            "meaning": self.says,
            "advice": ADVICE.get(self.meaning, ADVICE["other"]),
            "count": self.count,
            "states": dict(self.states.most_common()),
            "words": [{"text": text, "count": n} for text, n in self.words.most_common(20)],
            "domains": [{"domain": d, "count": n} for d, n in self.domains.most_common(20)],
            "editions": [
                {"edition": e, "count": n, "again": self.again[e]}
                for e, n in self.editions.most_common(20)
            ],
            "examples": list(self.examples),
            "resend": self.again.total() > 0,
            "again": self.again.total(),
            "done": self.done,
        }


def says(meaning: str) -> str:
    """A meaning in words for staff."""
    return ABOUT[Meaning(meaning)].says if meaning in ABOUT else "refused without a known reason"


def can_resend(meaning: str) -> bool:
    """Whether it makes sense to send again what failed so."""
    return meaning in ABOUT and ABOUT[Meaning(meaning)].can_resend


def words_of(reason: str, code: int | None = None) -> str:
    """What the server said, or why there is no mail: without the word of its meaning before it."""
    meaning, colon, said = reason.partition(": ")
    words = said if colon and meaning in ABOUT else reason
    return f"{code} {words}".strip() if code else words


def plainly(reason: str, code: int = 0) -> str:
    """The same without what differs from mail to mail: addresses, queue numbers."""
    return _NUMBER.sub("…", _ADDRESS.sub("…", words_of(reason, code))) or "no answer"


def groups(session: Session, chosen: Chosen) -> list[Group]:
    """The groups of what was chosen, in the order of ``Meaning``; suppressed rows have none."""
    return _told(session, chosen, delivery_lists.list_parts(session, chosen))


def newest_groups(session: Session, chosen: Chosen) -> tuple[list[Group], bool]:
    """The same for a page, which does not wait for millions: (the groups, whether they are of the
    newest ``MOST_GROUPED`` alone)."""
    most = delivery_lists.MOST_GROUPED
    parts = delivery_lists.list_parts(session, chosen, most=most)
    is_cut = chosen.edition_id is None and sum(part.count for part in parts) >= most
    return _told(session, chosen, parts), is_cut


def _told(session: Session, chosen: Chosen, parts: Sequence[Part]) -> list[Group]:
    found = gather(parts)
    editions = {edition for group in found for edition in group.again}
    for edition, family in delivery_lists.families(session, editions).items():
        done = delivery_lists.count_again(session, chosen, edition, family)
        for group in found:
            n = min(done.get(group.meaning, 0), group.again[edition])
            group.again[edition] -= n
            group.done += n
    return found


def refusals(session: Session, edition_id: int) -> list[Group]:
    """What an edition's refused and expired mails were about."""
    return groups(session, Chosen(edition_id=edition_id, states=REFUSED))


def gather(parts: Iterable[Part]) -> list[Group]:
    """Parts of one meaning together."""
    found: dict[str, Group] = {}
    for part in parts:
        if not part.meaning:
            continue
        group = found.setdefault(part.meaning, Group(part.meaning))
        group.states[part.state] += part.count
        words = plainly(part.reason, part.code)
        if words not in group.words and len(group.words) >= MOST_WORDS:
            words = "and others"
        group.words[words] += part.count
        if part.domain:
            group.domains[part.domain] += part.count
        group.editions[part.edition_id] += part.count
        if part.state in REFUSED and part.kind != "notice" and can_resend(part.meaning):
            group.again[part.edition_id] += part.count
        for number in (part.newest, part.oldest):
            if len(group.examples) < EXAMPLES and number not in group.examples:
                group.examples.append(number)
    order = {str(m): place for place, m in enumerate(Meaning)}
    return sorted(found.values(), key=lambda g: order.get(g.meaning, len(order)))
