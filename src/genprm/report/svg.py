"""Line charts as inline SVG that takes its colours from the page, in light and dark mode.

matplotlib writes colours into the file, one set for light or for dark, so the figures in the docs
are its work and the charts of a page are drawn here.

Series are drawn with the classes `s0` … `s7`; the page's style sheet gives them colours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log2, log10

WIDTH, HEIGHT = 460, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 12, 12, 40


@dataclass(frozen=True, slots=True)
class Series:
    """A curve; `low` and `high` are its band, if it has one, and `color` picks a class."""

    name: str
    color: int
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    dashed: bool = False

    @property
    def classes(self) -> str:
        """Its classes in the page."""
        return f"s{self.color % 8}{' dashed' if self.dashed else ''}"


@dataclass(frozen=True, slots=True)
class Chart:
    """Curves over one pair of axes; `log` puts x on a scale of powers of two."""

    title: str
    x_label: str
    y_label: str
    series: Sequence[Series]
    log: bool = False
    diagonal: bool = False  # the line of perfect calibration

    def svg(self) -> str:
        """The chart as one `<svg>` element with a text for those who cannot see it."""
        axes = _Axes.around(self)
        parts = [
            f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" class="chart">',
            f"<title>{escape(self.title)}</title>",
            f"<desc>{escape(self._described())}</desc>",
            *axes.grid(self),
        ]
        if self.diagonal:
            parts.append(_path(axes, (0, 1), (0, 1), "diagonal"))
        parts += [_band(axes, one) for one in self.series if one.low]
        for one in self.series:
            parts.append(_path(axes, one.x, one.y, f"line {one.classes}"))
            parts += _dots(axes, one) if len(one.x) <= 12 else []
        return "\n".join([*parts, "</svg>"])

    def _described(self) -> str:
        ends = (f"{one.name} ends at {one.y[-1]:.3g}" for one in self.series if one.y)
        return f"{self.y_label} over {self.x_label}: {'; '.join(ends)}"


@dataclass(frozen=True, slots=True)
class _Axes:
    x: tuple[float, float]
    y: tuple[float, float]
    log: bool

    @classmethod
    def around(cls, chart: Chart) -> "_Axes":
        xs = [x for one in chart.series for x in one.x] or [0.0, 1.0]
        ys = [y for one in chart.series for y in (*one.y, *one.low, *one.high)] or [0.0, 1.0]
        if chart.diagonal:
            return cls((0, 1), (0, 1), log=False)
        low, high = min(ys), max(ys)
        margin = (high - low or abs(high) or 1) * 0.06
        return cls((min(xs), max(*xs, min(xs) + 1e-9)), (low - margin, high + margin), chart.log)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Pixels of a point."""
        low, high = (log2(self.x[0]), log2(self.x[1])) if self.log else self.x
        place = ((log2(x) if self.log else x) - low) / ((high - low) or 1)
        height = (y - self.y[0]) / (self.y[1] - self.y[0])
        return (
            _LEFT + place * (WIDTH - _LEFT - _RIGHT),
            HEIGHT - _BOTTOM - height * (HEIGHT - _TOP - _BOTTOM),
        )

    def grid(self, chart: Chart) -> list[str]:
        bottom = HEIGHT - _BOTTOM
        parts = []
        for tick in _ticks(*self.y):
            _, y = self.at(self.x[0], tick)
            parts.append(f'<path class="grid" d="M{_LEFT} {y:.1f}H{WIDTH - _RIGHT}"/>')
            parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" class="end">{tick:g}</text>')
        for tick in self._x_ticks():
            x, _ = self.at(tick, self.y[0])
            parts.append(f'<path class="grid" d="M{x:.1f} {_TOP}V{bottom}"/>')
            parts.append(f'<text x="{x:.1f}" y="{bottom + 16}" class="mid">{tick:g}</text>')
        middle = (_LEFT + WIDTH - _RIGHT) / 2
        parts.append(
            f'<text x="{middle}" y="{HEIGHT - 6}" class="mid">{escape(chart.x_label)}</text>'
        )
        parts.append(
            f'<text transform="translate(11 {(bottom + _TOP) / 2}) rotate(-90)" class="mid">'
            f"{escape(chart.y_label)}</text>"
        )
        return parts

    def _x_ticks(self) -> list[float]:
        if not self.log:
            return _ticks(*self.x)
        least, most = ceil(log2(self.x[0]) - 1e-9), floor(log2(self.x[1]) + 1e-9)
        return [2.0**k for k in range(least, most + 1)]


def _ticks(low: float, high: float) -> list[float]:
    """Round values between two bounds, about five."""
    rough = (high - low) / 5
    magnitude = 10.0 ** floor(log10(rough))
    step = next(size * magnitude for size in (1, 2, 5, 10) if size * magnitude >= rough * 0.999)
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return [round(index * step, 10) for index in range(first, last + 1)]


def _path(axes: _Axes, x: Sequence[float], y: Sequence[float], classes: str) -> str:
    points = (axes.at(a, b) for a, b in zip(x, y, strict=True))
    return f'<path class="{classes}" d="M{" L".join(f"{a:.1f} {b:.1f}" for a, b in points)}"/>'


def _band(axes: _Axes, one: Series) -> str:
    edge = [*zip(one.x, one.high, strict=True), *reversed([*zip(one.x, one.low, strict=True)])]
    points = (axes.at(a, b) for a, b in edge)
    path = " L".join(f"{a:.1f} {b:.1f}" for a, b in points)
    return f'<path class="band {one.classes}" d="M{path}Z"/>'


def _dots(axes: _Axes, one: Series) -> list[str]:
    dots = []
    for x, y in zip(one.x, one.y, strict=True):
        left, top = axes.at(x, y)
        dots.append(
            f'<circle class="dot {one.classes}" cx="{left:.1f}" cy="{top:.1f}" r="3">'
            f"<title>{escape(one.name)}: {x:g}, {y:.2f}</title></circle>"
        )
    return dots
