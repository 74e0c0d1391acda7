"""The plant model's lines for nodes that were picked on screen. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence

from local_mes.level2.links import Link

PICK = "\t"
"""Stands between name and node of a picked one: no node id has it."""


def toml_of(link: Link, picked: Sequence[str]) -> str:
    """`[[link.settings.signals]]` for each `name<TAB>node`; message names begin with the link's unit."""
    unit = link.unit or "UNIT"
    rows = []
    for one in picked:
        name, _, node = one.partition(PICK)
        if node:
            message = f"{unit}.{''.join(word[:1].upper() + word[1:] for word in name.split())}"
            rows.append(f"  [[link.settings.signals]]\n  message = {_text(message[:64])}\n  node = {_text(node)}\n")
    return "\n".join(rows)


def _text(value: str) -> str:
    """A TOML basic string: JSON's escapes are all among TOML's."""
    return json.dumps(value, ensure_ascii=False)
