"""Message types are made ready before there are threads.

msgspec works out how to read a type when it is first used, and keeps that with the type. Two threads that use one type for
the first time at the same moment end the process with a segmentation fault (seen with 0.22). So a node looks at every
type once, in the thread that builds it; that costs some 20 ms.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec


def make_shapes_ready() -> int:
    """Work out how each message type known to this process is read; returns how many there are.

    To be called when all modules are loaded and before threads are started.
    """
    shapes = set(_below(msgspec.Struct))
    for shape in shapes:
        msgspec.json.Decoder(shape)
    return len(shapes)


def _below(shape: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    for child in shape.__subclasses__():
        yield child
        yield from _below(child)
