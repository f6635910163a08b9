"""Bars of a share by day with its limit as a line, and bars or lines of counts: numbers for an SVG
that needs no script.

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


# ---- counts ----


@dataclass(frozen=True, slots=True)
class Point:
    """A count with the words of its place: a day, a minute. below: what is drawn downwards from the
    same place. None: not known."""

    label: str
    count: int | None
    below: int | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A bar of ``point``, in percent of the drawing. is_below: of what is drawn downwards."""

    point: Point
    x: float
    y: float
    width: float
    height: float
    is_below: bool = False


@dataclass(frozen=True, slots=True)
class Counts:
    """columns: bars of counts above nothing · line: the same as points of a line, "x,y x,y ..." in
    a square of 100, one text for each stretch without a gap · top, bottom: what the upper and the
    lower edge stand for · floor: where nothing is, in percent from the top · highest: the point
    with the greatest count · total, total_below: of all."""

    points: tuple[Point, ...]
    columns: tuple[Column, ...]
    lines: tuple[str, ...]
    top: int
    bottom: int
    floor: float
    highest: Point | None
    total: int
    total_below: int

    @property
    def is_told(self) -> bool:
        """Whether there is anything to draw."""
        return bool(self.columns)

    @property
    def since(self) -> Point | None:
        """The first point that is known, where those before it are not; None without any."""
        first = next((i for i, point in enumerate(self.points) if point.count is not None), 0)
        return self.points[first] if first else None

    @property
    def is_unknown(self) -> bool:
        """Whether nothing of it is known."""
        return all(point.count is None for point in self.points)

    @property
    def gaps(self) -> int:
        """How many are not known after the first that is."""
        known = [i for i, point in enumerate(self.points) if point.count is not None]
        return sum(point.count is None for point in self.points[known[0] :]) if known else 0


def counts(points: Sequence[Point]) -> Counts:
    """Lay out counts in the order given, from left to right."""
    most = max((p.count or 0 for p in points), default=0)
    least = max((p.below or 0 for p in points), default=0)
    top, bottom = _round_up(most), _round_up(least) if least else 0
    if bottom:  # one scale for both ways
        top = max(top, _round_up(bottom // 5))
        bottom = max(bottom, _round_up(top // 5))
    floor = 100 * top / (top + bottom)
    step = 100 / max(1, len(points))
    columns: list[Column] = []
    lines: list[list[str]] = [[]]
    for at, point in enumerate(points):
        if point.count is None:
            lines.append([])
            continue
        height = floor * point.count / top
        x, width = round(at * step + 0.1 * step, 3), round(0.8 * step, 3)
        lines[-1].append(f"{round((at + 0.5) * step, 2)},{round(floor - height, 2)}")
        if point.count:
            columns.append(Column(point, x, round(floor - height, 3), width, round(height, 3)))
        if point.below:
            down = (100 - floor) * point.below / bottom
            columns.append(Column(point, x, round(floor, 3), width, round(down, 3), True))
    return Counts(
        points=tuple(points),
        columns=tuple(columns),
        lines=tuple(" ".join(line) for line in lines if line),
        top=top,
        bottom=bottom,
        floor=round(floor, 3),
        highest=max((p for p in points if p.count), key=lambda p: p.count or 0, default=None),
        total=sum(p.count or 0 for p in points),
        total_below=sum(p.below or 0 for p in points),
    )


def _round_up(count: int) -> int:
    """The next of 1, 2, 5, 10, 20, 50 ...: an edge that is easy to read."""
    edge = 1
    while edge < count:
        edge = edge * 5 // 2 if str(edge).startswith("2") else edge * 2
    return edge
