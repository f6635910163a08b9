"""Which authors a mail names. Pure."""

from collections.abc import Iterable, Sequence

from service.digest.sentences import Range


def named(authors: Sequence[str], found: Iterable[Range], most: int) -> tuple[str, ...]:
    """Return at most ``most`` names in the paper's order: the first author, then those whom the
    reader follows (``found``: their characters in the names joined by ", "), then the next ones."""
    spans = list(found)
    followed: list[int] = []
    at = 0
    for number, name in enumerate(authors if spans else ()):
        if any(start < at + len(name) and at < end for start, end in spans):
            followed.append(number)
        at += len(name) + len(", ")
    order = dict.fromkeys([0, *followed, *range(min(len(authors), most))])
    return tuple(authors[number] for number in sorted(list(order)[:most]) if number < len(authors))
