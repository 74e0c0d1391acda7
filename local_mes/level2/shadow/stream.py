"""One direction of an overheard connection as telegrams, found again after bytes were lost. Pure."""

from __future__ import annotations

from local_mes.level2.telegrams.codec import FormatError
from local_mes.level2.telegrams.frame import Frame, Framer, decode_head, header_size
from local_mes.level2.telegrams.layout import LayoutSet

SEARCH_BYTES = 20_000
"""How far a border is looked for in one piece: two of the longest telegrams."""


class Stream:
    """Nobody can be asked to send again, so a border that is lost is looked for in what comes next.

    skipped: bytes given up since the last look.
    """

    def __init__(self, layouts: LayoutSet, *, in_the_middle: bool = False) -> None:
        self._layouts = layouts
        self._framer = Framer(layouts)
        self._is_lost = in_the_middle
        self._skipped = 0

    @property
    def at_border(self) -> bool:
        """Whether nothing of a telegram waits for its rest."""
        return self._is_lost or self._framer.is_empty

    def lose(self) -> None:
        """Bytes are missing here."""
        self._framer, self._is_lost = Framer(self._layouts), True

    def take_skipped(self) -> int:
        """Bytes given up since this was asked last."""
        skipped, self._skipped = self._skipped, 0
        return skipped

    def feed(self, data: bytes) -> list[Frame]:
        """The telegrams that are whole now."""
        if self._is_lost:
            start = self._find_border(data)
            self._skipped += start
            if start == len(data):
                return []
            self._is_lost, data = False, data[start:]
        frames: list[Frame] = []
        try:
            for frame in self._framer.feed(data):
                frames.append(frame)
        except FormatError:
            self.lose()
            self._skipped += 1
        return frames

    def _find_border(self, data: bytes) -> int:
        """Where a telegram begins; the length of the data where none does."""
        rules = self._layouts.protocol
        if rules.border != "length":
            at = data.find(rules.end)
            return len(data) if at < 0 else at + len(rules.end)
        size, known = header_size(self._layouts), self._layouts.messages
        for at in range(min(len(data) - size + 1, SEARCH_BYTES)):
            try:
                message = decode_head(self._layouts, data[at : at + size]).message
            except FormatError:
                continue
            if message in known or message in (rules.heartbeat_id, rules.acknowledge_id):
                return at
        return len(data)
