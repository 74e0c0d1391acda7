"""A group of plants under one root, and loads with their passports."""

from __future__ import annotations

import base64
from typing import Any

from steel_group import SteelGroup

from central_hub.passports.service import publish_keys
from central_hub.standards.trusting import trust_root as take_root
from local_mes.standards.service import trust_root
from shared.db.engine import read, write
from shared.keys import new_key
from shared.passports.coding import to_text
from shared.passports.queries import find_issued
from shared.standards.messages import Key
from shared.standards.rooting import build_root, sign_root
from sync.peers import trust_peer


def under_a_root(group: SteelGroup) -> SteelGroup:
    """Every plant knows every plant's key, and the line of BRK is cut."""
    with write(group.hub.node.engine) as conn:
        for code, plant in group.plants.items():
            trust_peer(conn, code, plant.node.key.public, group.clock.now_ms())
    root_key, holders = new_key(), [new_key(), new_key()]
    named = [(key.id, Key(key.public.hex(), "holder")) for key in holders]
    root = build_root(1, 0, [root_key], named, group.hub.node.key.public.hex(), 1, 2)
    envelope = sign_root(root, [root_key]).decode()
    take_root(group.hub, envelope, "auditor")
    for plant in group.plants.values():
        trust_root(plant, "HUB", envelope)
    assert publish_keys(group.hub) == 3
    assert publish_keys(group.hub) == 0
    group.sync()
    group.cut |= {"BRK"}
    return group


def passports(group: SteelGroup, sender: str, load: dict[str, Any]) -> dict[str, str]:
    """Text of each passport of a load by material id, that of the load under the empty one."""
    with read(group.plants[sender].node.engine) as conn:
        issued = find_issued(conn, sender, load["shipment_id"])
    return {piece: to_text(base64.b64decode(row.body)) for piece, row in issued.items()}


def send(group: SteelGroup, *numbers: str, load: str = "RT-1", to: str = "BRK") -> dict[str, str]:
    """Slabs leave ALD; their passports by number."""
    ids = {number: group.stock("ALD", number, 20_558) for number in numbers}
    texts = passports(group, "ALD", group.ship("ALD", to, load, list(numbers)))
    return {number: texts[ids[number]] for number in numbers} | {"": texts[""]}
