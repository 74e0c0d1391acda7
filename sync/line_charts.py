"""The history of a line as people see it: last day and last month against their targets, charts, and the table behind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from shared.settings import SyncSettings
from shared.web.formats import age, clock_time
from shared.web.timechart import WIDTH, Bin, Chart, draw, draw_strip
from sync.history import DAY_MS, HOUR_S, LINE, MINUTE_S, Figure, Span, spans, total

HOUR_MS = 3_600_000
DAYS_OF_MONTH = 30
SPANS = {"day": "24 hours", "month": "30 days"}
SPARK_W = 240.0
LEAST_GROWTH_BYTES_A_DAY = 1 << 20
"""A disk that fills by less than a MiB a day fills never."""


@dataclass(frozen=True)
class Shape:
    """How a span is read and drawn: grain of the rows, width of a bin, width of a row of the table."""

    length_ms: int
    grain_s: int
    bin_ms: int
    row_ms: int


SHAPES = {
    "day": Shape(DAY_MS, MINUTE_S, 600_000, 2 * HOUR_MS),
    "month": Shape(DAYS_OF_MONTH * DAY_MS, HOUR_S, 4 * HOUR_MS, 2 * DAY_MS),
}


@dataclass(frozen=True)
class Row:
    """A stretch of the table behind the charts; figure None where nothing was watched."""

    from_ms: int
    figure: Figure | None


@dataclass(frozen=True)
class LineCharts:
    """One line over one span. day and month are the figures of the last 24 hours and 30 days, whatever is drawn."""

    span: str
    day: Figure
    month: Figure
    up: Chart
    latency: Chart
    backlog: Chart
    oldest: Chart
    moved: Chart
    drawn: Figure
    rows: Sequence[Row]
    disk_full_days: int | None


def read_charts(conn: Connection, peer: str, now_ms: int, span: str, zone: str, sync: SyncSettings) -> LineCharts:
    """Everything about one line. span: day | month."""
    span = span if span in SHAPES else "day"
    shape = SHAPES[span]
    day, month = _read(conn, peer, SHAPES["day"], now_ms), _read(conn, peer, SHAPES["month"], now_ms)
    found = day if span == "day" else month
    figures = cut(found, now_ms, shape.length_ms, shape.bin_ms)

    def chart(value: Callable[[Figure], float | None], show: Callable[[float], str], **more: float) -> Chart:
        bins = [Bin(f, f + shape.bin_ms, value(figure) if figure else None) for f, figure in figures]
        return draw(bins, zone, show, **more)

    def tell(b: Bin) -> str:
        return f"{clock_time(b.from_ms, now_ms, zone)}: up {(b.value or 0) * 100:.1f} % of the time"

    shares = [Bin(f, f + shape.bin_ms, _share(figure)) for f, figure in figures]
    return LineCharts(
        span=span,
        day=total(day),
        month=total(month),
        up=draw_strip(shares, zone, tell, width=2 * WIDTH),
        latency=chart(lambda f: f.latency_ms, _plain, target=sync.target_latency_ms, least=10),
        backlog=chart(lambda f: f.backlog, _plain, least=10),
        oldest=chart(lambda f: f.oldest_age_ms / 60_000, _plain, target=sync.unsent_minutes, least=10),
        moved=chart(lambda f: (f.bytes_up + f.bytes_down) / 1000, _plain, least=10),
        drawn=total(found),
        rows=[Row(f, figure) for f, figure in cut(found, now_ms, shape.length_ms, shape.row_ms)],
        disk_full_days=days_until_full(month),
    )


def uptime_strip(conn: Connection, peer: str, now_ms: int, zone: str) -> tuple[Chart, Figure]:
    """The last 24 hours of a line in small, for an overview."""
    shape = SHAPES["day"]
    found = _read(conn, peer, shape, now_ms)
    bins = [Bin(f, f + shape.bin_ms, _share(figure)) for f, figure in cut(found, now_ms, DAY_MS, shape.bin_ms)]
    return draw_strip(bins, zone, lambda b: clock_time(b.from_ms, now_ms, zone), width=SPARK_W), total(found)


def month_uptime_ppm(conn: Connection, peer: str, now_ms: int) -> int | None:
    """Share of the watched time of 30 days that the line was up."""
    return total(_read(conn, peer, SHAPES["month"], now_ms)).uptime_ppm


def cut(rows: Sequence[Span], now_ms: int, length_ms: int, bin_ms: int) -> list[tuple[int, Figure | None]]:
    """Rows put into equal bins that end with the one in which now lies; None for a bin without a row."""
    end = now_ms - now_ms % bin_ms + bin_ms
    count = length_ms // bin_ms
    found: list[Figure | None] = [None] * count
    for row in rows:
        at = count - 1 - (end - 1 - row.from_ms) // bin_ms
        if 0 <= at < count and row.figure.watched_ms:
            mine = found[at]
            found[at] = row.figure if mine is None else mine.plus(row.figure)
    return [(end - (count - i) * bin_ms, figure) for i, figure in enumerate(found)]


def days_until_full(rows: Sequence[Span]) -> int | None:
    """Days until the disk is full if it goes on as over the rows; None when it does not fill, or too little is known."""
    known = [row for row in rows if row.figure.disk_free_bytes]
    if len(known) < 2 or known[-1].from_ms - known[0].from_ms < 6 * HOUR_MS:
        return None
    first, last = known[0], known[-1]
    taken = (first.figure.disk_free_bytes - last.figure.disk_free_bytes) * DAY_MS // (last.from_ms - first.from_ms)
    return last.figure.disk_free_bytes // taken if taken > LEAST_GROWTH_BYTES_A_DAY else None


def words_of(figure: Figure, span: str) -> dict[str, str]:
    """What each chart shows, for who cannot see it."""
    up = "was not watched" if figure.uptime_ppm is None else f"was up {figure.uptime_ppm / 10_000:.2f} % of the time"
    mean = "no measurement" if figure.latency_ms is None else f"mean {figure.latency_ms:.0f} ms"
    last = f"last {SPANS[span]}"
    return {
        "up": f"The line, {last}: {up}.",
        "latency": f"Round trip, {last}: {mean}, highest {figure.latency_max_us / 1000:.0f} ms.",
        "backlog": f"Facts waiting, {last}: at most {figure.backlog:,}.",
        "oldest": f"Age of the oldest fact that waited, {last}: at most {age(figure.oldest_age_ms)}.",
        "moved": f"Moved, {last}: {(figure.bytes_up + figure.bytes_down) / 1000:,.0f} kB.",
    }


def _read(conn: Connection, peer: str, shape: Shape, now_ms: int) -> list[Span]:
    return spans(conn, peer, LINE, shape.grain_s, now_ms - shape.length_ms, now_ms + 1)


def _share(figure: Figure | None) -> float | None:
    return None if figure is None or not figure.watched_ms else figure.up_ms / figure.watched_ms


def _plain(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == 0 else f"{value:.1f}"
