"""A number with its noun, in English."""


def tally(n: int, one: str, many: str = "") -> str:
    """ "1 paper", "4,812 papers". many: where it is not ``one`` with an s."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"
