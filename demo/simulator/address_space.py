"""The nodes that the OPC UA standard gives every server: built once a process, copied for each further server."""

from __future__ import annotations

from copy import copy
from pathlib import Path
from typing import ClassVar

from asyncua.server.address_space import NodeData
from asyncua.server.internal_server import InternalServer


class CopiedSpace(InternalServer):
    """The library's server, but the thousands of standard nodes, a second of work, are made only the first time."""

    _standard: ClassVar[list[NodeData]] = []

    async def load_standard_address_space(self, shelf_file: Path | None = None) -> None:
        """Fill this server's address space."""
        if not self._standard:
            await super().load_standard_address_space(shelf_file)
            self._standard.extend(_copy(self.aspace[nodeid]) for nodeid in list(self.aspace.keys()))
            return
        for node in self._standard:
            self.aspace[node.nodeid] = _copy(node)


def _copy(node: NodeData) -> NodeData:
    """A node whose values and references can change without the other's: both are replaced, never altered."""
    copied = NodeData(node.nodeid)
    copied.references = list(node.references)
    for name, kept in node.attributes.items():
        copied.attributes[name] = copy(kept)
        copied.attributes[name].datachange_callbacks = {}
    copied.call = node.call
    return copied
