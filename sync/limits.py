"""The bounds of the protocol: each with its unit and its reason (sync-protocol.md, 1.4)."""

from __future__ import annotations

PROTOCOL = 1
"""MES-Sync version spoken."""

PROTOCOL_OLDEST = 1
"""Oldest version still understood: current and the previous two, once there are so many."""

ENTRIES_MAX = 2_000
"""Entries a batch: past this a larger batch no longer moves more facts a second."""

RAW_BYTES_MAX = 2 << 20
"""Entries' bytes of a batch before compression, as the sender fills it."""

FACT_BYTES_MAX = 256 << 10
"""One fact; checked when written, so that every fact fits a batch."""

RAW_BYTES_LIMIT = RAW_BYTES_MAX + FACT_BYTES_MAX + (64 << 10)
"""What a receiver unpacks at most: a full batch, one fact over the edge and the framing."""

HEAD_BYTES_MAX = 8 << 10
"""Seal and signature, uncompressed in front: read before anything else is."""

BODY_BYTES_LIMIT = RAW_BYTES_LIMIT + HEAD_BYTES_MAX + 64
"""A whole request; incompressible entries are never larger than they are raw."""

HELLO_BYTES_MAX = 1 << 20
"""A hello or its answer: about 200 bytes for each epoch that a node ever lived."""

WINDOW_BYTES_MAX = 8 << 20
"""The zstd window that a receiver allocates: the level used asks for 2 MiB."""

POLL_MAX_S = 25.0
"""A long poll: below the 30 s at which proxies usually cut an idle request."""

BODY_S = 60.0
"""A body has this long to arrive; a sender gives up then too, and comes back with half as much."""

CREDIT_CALM = 200_000
"""Entries received and not applied yet, up to which a receiver gives full credit: about a minute of applying."""

CREDIT_LEAST = 200
"""Entries of a batch that a receiver still takes when it is far behind: receiving goes on, and never stops for it."""

CONNECT_S = 5.0
"""Time to reach a peer: a black hole costs no more than this."""

READ_S = 60.0
"""Time between two bytes of an answer: a long poll and a slow commit fit in."""

SILENT_S = 20
"""A connection whose far end acknowledges nothing, no data and no question of the kernel's, is dead after this long:
far above any round trip, far below READ_S."""

BEFORE_MAX = 64
"""Epochs that stand before one at its reader: a stream's lives of many years, 2 KB."""
