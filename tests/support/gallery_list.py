"""The pictures of the gallery: which mail, how wide, in which light. ``make gallery``."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Look = Literal["light", "dark", "no-images", "zoom-200", "outlook-dark"]

KINDS = (
    "weekly",
    "catch-up",
    "first",
    "alert",
    "confirm",
    "already-subscribed",
    "manage-link",
    "address-change",
    "address-changed",
    "quiet",
    "newsletter",
    "test",
    "report",
    "alarm",
)
"""Every mail beside the daily digest."""


@dataclass(frozen=True, slots=True)
class Picture:
    """mail: its name in ``gallery_mails`` · width: of the screen in CSS pixels."""

    name: str
    mail: str
    width: int
    look: Look


def _pictures() -> Iterator[Picture]:
    for width in (360, 600, 1200):
        for look in ("light", "dark"):
            yield Picture(f"daily-{width}-{look}", "daily", width, look)  # type: ignore[arg-type]
    for kind in KINDS:
        yield Picture(f"{kind}-360-light", kind, 360, "light")
        yield Picture(f"{kind}-1200-dark", kind, 1200, "dark")
    yield Picture("trending-360-light", "trending", 360, "light")
    yield Picture("daily-picks-360-light", "daily-picks", 360, "light")
    yield Picture("daily-german-360-light", "daily-german", 360, "light")
    yield Picture("daily-right-to-left-360-light", "daily-right-to-left", 360, "light")
    yield Picture("trending-images-off-360-light", "trending-thumbnails", 360, "no-images")
    yield Picture("daily-zoom-200", "daily", 640, "zoom-200")
    yield Picture("daily-outlook-dark-600", "daily", 600, "outlook-dark")


PICTURES: tuple[Picture, ...] = tuple(_pictures())
SHOWN = {
    "daily-600-light": 860,
    "daily-360-dark": 740,
    "daily-german-360-light": 740,
    "weekly-360-light": 740,
    "daily-right-to-left-360-light": 740,
    "quiet-360-light": 740,
}
"""The six in README.md and docs/gallery.md, and how much of their height: the first screen."""

MAILS: tuple[str, ...] = tuple(dict.fromkeys(picture.mail for picture in PICTURES))


def chosen(words: str) -> list[Picture]:
    """The pictures whose name begins with one of the words, or whose mail it is; all without any.

    Raises ValueError: a word that chooses nothing.
    """
    wanted: set[str] = set()
    for word in words.split():
        found = {p.name for p in PICTURES if word == p.mail or p.name.startswith(word)}
        if not found:
            raise ValueError(f"No picture is called {word}. Mails: {', '.join(MAILS)}.")
        wanted |= found
    return [p for p in PICTURES if p.name in wanted or not words.split()]
