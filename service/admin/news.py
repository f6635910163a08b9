"""What a page that refreshes a part of itself tells to the ear."""

from typing import Any

from fastapi import Request


def news_of(request: Request, key: str, says: str) -> dict[str, Any]:
    """The values of ``parts.html``'s macro news, and the key for the part's own address; is_part:
    it was asked for by itself.

    key: of the words. The part asks for itself with the key of the words that it told last, so
    that a live region speaks when there are others, and not every two seconds.
    """
    told = request.query_params.get("told")
    is_part = told is not None
    return {"told": key, "says": says, "tells": is_part and told != key, "is_part": is_part}


def tenth(part: int, whole: int) -> int:
    """How far it is, in percent, by tens: news that are worth a word."""
    return 10 * (10 * part // whole) if whole else 100
