"""Bars of a share by day with its limit as a line: numbers for an SVG that needs no script.

All places are percent of the drawing, so that its words keep their size on a phone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

MOST_TIMES = 10
"""A bar is cut at so many times the limit, which would be lost at the bottom otherwise."""


@dataclass(frozen=True, slots=True)
class Share:
    """``part`` of ``whole`` on a day."""

    day: date
    part: int
    whole: int

    @property
    def percent(self) -> float | None:
        """None where there is nothing to be a share of."""
        return 100 * self.part / self.whole if self.whole else None


@dataclass(frozen=True, slots=True)
class Bar:
    """x, y, width, height: percent of the drawing, y from its top · is_above: above the limit."""

    share: Share
    x: float
    y: float
    width: float
    height: float
    is_above: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """bars: of the days with a share above nothing · limit: in percent, limit_y: its place · top:
    what the upper edge stands for, is_cut: some are higher · highest: the day with the greatest
    share · above: number of days above the limit."""

    bars: tuple[Bar, ...]
    limit: float
    limit_y: float
    top: float
    is_cut: bool
    first: date
    last: date
    highest: Share | None
    above: int


def chart(shares: Sequence[Share], limit: float) -> Chart | None:
    """Lay out one bar a day, in the order given; None without a day. limit: in percent."""
    if not shares:
        return None
    most = max((one.percent or 0.0 for one in shares), default=0.0)
    top = min(max(2 * limit, 1.1 * most), MOST_TIMES * limit)
    step = 100 / len(shares)
    bars = []
    for at, one in enumerate(shares):
        percent = one.percent or 0.0
        height = 100 * min(percent / top, 1)
        if height:
            bars.append(
                Bar(
                    share=one,
                    x=round(at * step + 0.1 * step, 3),
                    y=round(100 - height, 3),
                    width=round(0.8 * step, 3),
                    height=round(height, 3),
                    is_above=percent > limit,
                )
            )
    return Chart(
        bars=tuple(bars),
        limit=limit,
        limit_y=round(100 - 100 * limit / top, 3),
        top=top,
        is_cut=most > top,
        first=shares[0].day,
        last=shares[-1].day,
        highest=max((b.share for b in bars), key=lambda s: s.percent or 0.0, default=None),
        above=sum(1 for bar in bars if bar.is_above),
    )
