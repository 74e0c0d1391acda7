"""A look into a server's address space, for the engineer who maps its nodes: one level at a time, on a session of its own.

Runs where the link's connection is: beside it in the collector, which reaches the server, holds what signs in there
and has the certificates.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
from asyncua import ua
from asyncua.client.client import Client
from asyncua.ua.uaerrors import UaError
from msgspec.structs import replace

from local_mes.level2.links import Link, LinkPlan
from local_mes.level2.looks import NODE_CHARS_MAX, OBJECTS, Child, Level
from local_mes.level2.opcua.connect import connect, show_nobody
from local_mes.level2.opcua.settings import opcua_settings
from local_mes.level2.opcua.values import find_node, reading_of
from shared.errors import Unavailable

CHILDREN_MAX = 500
NAME_CHARS = 200
VALUE_CHARS = 80
WAIT_S = 12.0
ANSWER_BYTES_MAX = 150 << 10
"""What one answer may take as text within a fact, its quotes escaped once more: below the largest fact of an edge's line."""
USER_ACCESS_LEVEL: Any = ua.attribute_ids.AttributeIds.UserAccessLevel
STANDARD = 0
"""Namespace index of the standard itself."""


async def browse(link: Link, plan: LinkPlan, node: str = OBJECTS) -> Level:
    """What lies below a node now. Unavailable when the server does not answer or is not trusted."""
    try:
        async with asyncio.timeout(WAIT_S):
            return fitted(await _browse(link, plan, node or OBJECTS))
    except (UaError, OSError, TimeoutError, ValueError) as error:
        raise cannot_look(str(error) or f"{type(error).__name__} of {link.address}") from error


def cannot_look(why: str) -> Unavailable:
    """A server that cannot be looked into, and why."""
    return Unavailable("level2.browse_failed", why)


def fitted(level: Level) -> Level:
    """So much as goes over an edge's line at once: names cut, no child whose id is too long to ask for, so many as fit."""
    named = [replace(one, name=one.name[:NAME_CHARS]) for one in level.children if len(one.node) <= NODE_CHARS_MAX]
    more = level.more or len(named) < len(level.children)
    level = Level(level.node[:NODE_CHARS_MAX], level.name[:NAME_CHARS], tuple(named), more)
    while level.children and _size(level) > ANSWER_BYTES_MAX:
        level = replace(level, children=level.children[: len(level.children) // 2], more=True)
    return level


def _size(level: Level) -> int:
    """Bytes of an answer within a fact: text of text."""
    return len(msgspec.json.encode(msgspec.json.encode(level).decode()))


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
