"""Nodes by the thousand, copied: those that the OPC UA standard gives every server, and the slots of a ring.

The library compares each node it adds with all that its folder has already: a thousand slots cost half a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from asyncua import ua
from asyncua.common.node import Node
from asyncua.server.address_space import AttributeValue, NodeData
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

    async def add_variables(self, folder: Node, index: int, names: Sequence[str]) -> list[Node]:
        """Variables of text in a folder, in namespace `index`: the first by the library, the others like it."""
        first = await folder.add_variable(index, names[0], "", ua.VariantType.String)
        pattern, shelf = self.aspace[first.nodeid], self.aspace[folder.nodeid].references
        as_child = next(one for one in shelf if one.NodeId == first.nodeid)
        made = [first]
        for name in names[1:]:
            node = _copy(pattern, self.aspace.generate_nodeid(index))
            named = {"BrowseName": ua.QualifiedName(name, index), "DisplayName": ua.LocalizedText(name)}
            values = {"NodeId": node.nodeid, **named}
            for key, kept in node.attributes.items():
                if key.name in values:
                    kept.value = ua.DataValue(ua.Variant(values[key.name]))
            self.aspace[node.nodeid] = node
            shelf.append(replace(as_child, NodeId=node.nodeid, **named))
            made.append(Node(folder.session, node.nodeid))
        return made


def _copy(node: NodeData, nodeid: ua.NodeId | None = None) -> NodeData:
    """A node whose values and references can change without the other's: both are replaced, never altered."""
    copied = NodeData(nodeid or node.nodeid)
    copied.references = list(node.references)
    for name, kept in node.attributes.items():
        # by hand: copy() would take ten times as long
        copied.attributes[name] = same = AttributeValue(kept.value)  # type: ignore[arg-type]  # a callback has none
        same.value_callback, same.value_setter = kept.value_callback, kept.value_setter
    copied.call = node.call
    return copied
