"""About how many bytes a digest makes as a mail, from the lengths of its texts alone. Pure.

What a template makes of it is a share of that number that hardly changes from digest to digest.
"""

from service.digest.model import Digest, Marked

FRAME, SECTION, ENTRY, SIGNAL, LINE, MARK = 16_000, 1_000, 2_500, 1_500, 600, 90
"""Bytes around the texts of each."""


def guessed(digest: Digest) -> int:
    """The bytes of a mail with links and markup, in both its parts."""
    total = FRAME + _bytes(digest.note)
    for section in digest.sections:
        total += SECTION + _bytes(section.name)
        for entry in section.entries:
            total += ENTRY + _marked(entry.title) + _marked(entry.abstract)
            total += _bytes(entry.summary_line)
            total += sum(map(_bytes, (*entry.authors, *entry.links.values(), *entry.also_in)))
            total += sum([_bytes(reason.term) for reason in entry.reasons])
        for signal in section.signals:
            total += SIGNAL + _marked(signal.title) + _bytes(signal.link)
            total += sum([_bytes(one.value) for one in signal.happenings])
        for line in section.lines:
            total += LINE + _marked(line.title) + _bytes(line.link)
    return total


def _marked(text: Marked) -> int:
    return _bytes(text.text) + MARK * len(text.marks)


def _bytes(text: str) -> int:
    """As encoded in both parts: signs beyond ASCII take three bytes for each of theirs, those of
    HTML are written as names."""
    size = len(text) if text.isascii() else 3 * len(text.encode())
    return 2 * size + 5 * sum(map(text.count, "<>&\"'"))
