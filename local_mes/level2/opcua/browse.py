"""A look into a server's address space, for the engineer who maps its nodes: one level at a time, on a session of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from asyncua import ua
from asyncua.client.client import Client
from asyncua.ua.uaerrors import UaError

from local_mes.level2.links import Link, LinkPlan
from local_mes.level2.opcua.connect import connect, show_nobody
from local_mes.level2.opcua.settings import opcua_settings
from local_mes.level2.opcua.values import find_node, reading_of
from shared.errors import Unavailable

OBJECTS = "i=85"
CHILDREN_MAX = 500
VALUE_CHARS = 80
WAIT_S = 12.0
USER_ACCESS_LEVEL: Any = ua.attribute_ids.AttributeIds.UserAccessLevel
STANDARD = 0
"""Namespace index of the standard itself."""


@dataclass(frozen=True)
class Child:
    """One node below another. node as the model names it; value as text, quality says whether there is one."""

    node: str
    name: str
    kind: str
    type: str = ""
    value: str = ""
    quality: str = ""
    writable: bool = False


@dataclass(frozen=True)
class Level:
    """One node and what lies below it. more: not all children are shown."""

    node: str
    name: str
    children: tuple[Child, ...]
    more: bool


def browse(link: Link, plan: LinkPlan, node: str = OBJECTS) -> Level:
    """What lies below a node now. Unavailable when the server does not answer or is not trusted."""
    try:
        return asyncio.run(asyncio.wait_for(_browse(link, plan, node or OBJECTS), WAIT_S))
    except (UaError, OSError, TimeoutError, ValueError) as error:
        why = str(error) or type(error).__name__
        raise Unavailable(
            "level2.browse_failed",
            f"The server of {link.code} ({link.address}) cannot be looked into: {why.rstrip('.')}.",
            todo="See the link's state on the page Level 2 links; then open this page again.",
        ) from error


async def _browse(link: Link, plan: LinkPlan, text: str) -> Level:
    client = await connect(link, plan, opcua_settings(link), show_nobody)
    try:
        spaces = await client.get_namespace_array()
        node = await find_node(client, text)
        name = (await node.read_display_name()).Text or text
        found = await node.get_children_descriptions()
        shown = found[:CHILDREN_MAX]
        details = await _details(client, [one for one in shown if one.NodeClass == ua.NodeClass.Variable])
        children = [
            Child(
                written(one.NodeId, spaces),
                one.DisplayName.Text or "",
                one.NodeClass.name,
                **details.get(one.NodeId, {}),
            )
            for one in shown
        ]
        return Level(text, name, tuple(children), len(found) > CHILDREN_MAX)
    finally:
        await client.disconnect()


async def _details(client: Client, variables: Sequence[Any]) -> dict[ua.NodeId, dict[str, Any]]:
    """Value, type and access of variables, in three reads."""
    nodes = [client.get_node(one.NodeId) for one in variables]
    if not nodes:
        return {}
    values = await client.read_attributes(nodes)
    access = await client.read_attributes(nodes, USER_ACCESS_LEVEL)
    return {node.nodeid: _detail(value, allowed) for node, value, allowed in zip(nodes, values, access, strict=True)}


def _detail(value: ua.DataValue, allowed: ua.DataValue) -> dict[str, Any]:
    reading = reading_of(value)
    level = allowed.Value.Value if allowed.Value is not None else 0
    kind = value.Value.VariantType.name if value.Value is not None and value.Value.VariantType is not None else ""
    return {
        "type": kind,
        "value": "" if reading.value is None else str(reading.value)[:VALUE_CHARS],
        "quality": reading.reason or reading.quality,
        "writable": bool(int(level or 0) & 2),
    }


def written(node: ua.NodeId, spaces: Sequence[str]) -> str:
    """A node id that outlives a restart: its namespace by name, not by number."""
    text = node.to_string()
    index = int(node.NamespaceIndex)
    if index == STANDARD or index >= len(spaces):
        return str(text)
    return f"nsu={spaces[index]};{text.partition(';')[2]}"
