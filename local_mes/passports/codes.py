"""A passport's text as a QR code: alphanumeric, error correction M (15 % may be lost), as a matrix and for the screen."""

from __future__ import annotations

import html
from dataclasses import dataclass

import segno

VERSION_MAX = 25
"""117 modules: at half a millimetre each, 59 mm, which an ordinary hand scanner reads at arm's length."""
QUIET = 4
"""Clear modules on every side (ISO/IEC 18004)."""


@dataclass(frozen=True)
class Matrix:
    """Rows of dark (1) and light (0) modules, without the quiet zone."""

    version: int
    rows: tuple[bytes, ...]

    @property
    def size(self) -> int:
        """Modules on a side."""
        return len(self.rows)

    def runs(self) -> list[tuple[int, int, int]]:
        """Dark stretches as (row, first module, modules)."""
        found = []
        for at, row in enumerate(self.rows):
            start = None
            for column, dark in enumerate((*row, 0)):
                if dark and start is None:
                    start = column
                elif not dark and start is not None:
                    found.append((at, start, column - start))
                    start = None
        return found


def make_matrix(text: str) -> Matrix:
    """The code of a passport's text. ValueError when it is longer than the largest version that is used."""
    made = segno.make_qr(text, error="m", mode="alphanumeric", boost_error=False)
    if int(made.version) > VERSION_MAX:
        raise ValueError(f"its code would be of version {made.version}, at most {VERSION_MAX} is printed")
    return Matrix(int(made.version), tuple(bytes(1 if dark else 0 for dark in row) for row in made.matrix))


def to_svg(matrix: Matrix, label: str) -> str:
    """The code with its quiet zone as an SVG that fills its box."""
    side, named = matrix.size + 2 * QUIET, html.escape(label, quote=True)  # pages show the drawing as it is
    drawn = "".join(f"M{x + QUIET} {y + QUIET}h{wide}v1h-{wide}z" for y, x, wide in matrix.runs())
    return (
        f'<svg class="qr" viewBox="0 0 {side} {side}" role="img" aria-label="{named}" shape-rendering="crispEdges">'
        f'<rect width="{side}" height="{side}" fill="#fff"/><path d="{drawn}" fill="#000"/></svg>'
    )
