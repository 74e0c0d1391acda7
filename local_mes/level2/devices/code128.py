"""Code 128 (ISO/IEC 15417) as bars, for labels on screen; printers draw their own."""

from __future__ import annotations

_PATTERNS = (
    "212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 122231 113222 "
    "123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 322112 322211 212123 212321 "
    "232121 111323 131123 131321 112313 132113 132311 211313 231113 231311 112133 112331 132131 113123 113321 133121 "
    "313121 211331 231131 213113 213311 213131 311123 311321 331121 312113 312311 332111 314111 221411 431111 111224 "
    "111422 121124 121421 141122 141221 112214 112412 122114 122411 142112 142211 241211 221114 413111 241112 134111 "
    "111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113 "
    "114311 411113 411311 113141 114131 311141 411131 211412 211214 211232 2331112"
)
"""Bar, space, bar, ... of each value in modules; 104 begins code set B, the last one ends."""
_WIDTHS = _PATTERNS.split()
START_B, STOP, CHECK = 104, 106, 103


def is_writable(text: str) -> bool:
    """Whether code set B has all of it."""
    return bool(text) and all(32 <= ord(char) < 127 for char in text)


def values(text: str) -> list[int]:
    """Symbol values in code set B with start, check and stop. ValueError for what it cannot write."""
    if not is_writable(text):
        raise ValueError(f"{text!r} cannot be written in Code 128")
    body = [ord(char) - 32 for char in text]
    check = (START_B + sum(at * value for at, value in enumerate(body, start=1))) % CHECK
    return [START_B, *body, check, STOP]


def bars(text: str) -> tuple[list[tuple[int, int]], int]:
    """Dark bars as (position, width) in modules, and the width of the whole without quiet zones."""
    found, at = [], 0
    for value in values(text):
        for number, width in enumerate(map(int, _WIDTHS[value])):
            if number % 2 == 0:
                found.append((at, width))
            at += width
    return found, at
