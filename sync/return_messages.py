"""The words with which a caller gives the called side its own stream back, which that has lost (sync/giving_back.py)."""

from __future__ import annotations

from typing import Annotated

import msgspec

from shared.keys import key_id
from sync.limits import BEFORE_MAX
from sync.messages import TYPE_PREFIX, Hash, Hex32, Message, Name, Seq

RETURN = TYPE_PREFIX + "return+json"
TAKEN = TYPE_PREFIX + "taken+json"

CAN_TAKE_BACK = "giveback"
"""In a welcome: the called side takes entries of its own streams back."""

KEYS_MAX = 16


class Return(Message, frozen=True, kw_only=True, omit_defaults=True):
    """A reader has more of the called side's stream to it than that has itself.

    upto   how far the reader holds the epoch
    keys   the public keys by which it knew the author over the years
    batch  SHA-256 of the batch that follows, as its author sealed it; none in a question how far the author is
    before the epochs that stand before this one at the reader, the nearest last; older readers do not say them
    """

    stream: Name
    epoch: Hex32
    upto: Seq
    keys: Annotated[tuple[Hash, ...], msgspec.Meta(max_length=KEYS_MAX)]
    nonce: Hex32
    batch: Hash | None = None
    before: Annotated[tuple[Hex32, ...], msgspec.Meta(max_length=BEFORE_MAX)] = ()

    @property
    def known_by(self) -> dict[str, bytes]:
        """The keys by their ids, as open_signed takes them."""
        keys = [bytes.fromhex(key) for key in self.keys]
        return {key_id(public): public for public in keys}


class Taken(Message, frozen=True, kw_only=True, omit_defaults=True):
    """How far the author has this epoch of its own stream again: in its journal, or waiting beside it."""

    stream: Name
    epoch: Hex32
    upto: Seq
    nonce: Hex32
