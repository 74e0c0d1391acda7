"""Orders to a server: method calls that are answered, writes that are read back."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Any

from asyncua import ua
from asyncua.client.client import Client
from asyncua.ua import uaerrors
from asyncua.ua.uaerrors import UaError, UaStatusCodeError

from local_mes.level2.down import Down
from local_mes.level2.drivers.desk import Desk
from local_mes.level2.drivers.port import Answer
from local_mes.level2.opcua.jobs import PREFIX, Jobs
from local_mes.level2.opcua.ring_reader import NAMESPACE
from local_mes.level2.opcua.settings import OpcuaSettings
from local_mes.level2.opcua.values import find_node, plain

READ_BACK_S = 3.0
"""A control takes a set-point over with its next scan; what it has not taken by then it has refused."""
ARGUMENT_TYPES = {
    str: ua.VariantType.String,
    int: ua.VariantType.Int64,
    float: ua.VariantType.Double,
    bool: ua.VariantType.Boolean,
}
AGAIN = (
    uaerrors.BadTimeout,
    uaerrors.BadConnectionClosed,
    uaerrors.BadSessionIdInvalid,
    uaerrors.BadSessionClosed,
    uaerrors.BadSecureChannelClosed,
    uaerrors.BadServerHalted,
    uaerrors.BadShutdown,
    uaerrors.BadTooManyOperations,
    uaerrors.BadCommunicationError,
)
"""Answers that speak of the connection, not of the order: it is sent again."""


class Orders:
    """What one session sends."""

    def __init__(self, desk: Desk, settings: OpcuaSettings, client: Client, jobs: Jobs | None = None) -> None:
        self._desk = desk
        self._writes = settings.writes
        self._client = client
        self._jobs = jobs

    async def send(self, order: Down) -> Answer:
        """Write or call. A server that refuses the order itself has refused it; the link goes on."""
        if not all(type(value) in ARGUMENT_TYPES for value in order.fields.values()):
            return Answer(False, "cannot be sent: an argument is neither text nor number")
        nodes = self._writes.get(order.message)
        try:
            if self._jobs is not None and order.message.startswith(PREFIX):
                return await self._jobs.send(order)
            return await (self._write(nodes, order.fields) if nodes else self._call(order))
        except UaStatusCodeError as error:
            if isinstance(error, AGAIN):
                raise
            return Answer(False, type(error).__name__)

    async def _call(self, order: Down) -> Answer:
        """`Object.Method` below Objects; status 0 is accepted."""
        names = order.message.split(".")
        index = await self._client.get_namespace_index(NAMESPACE)
        arguments = [ua.Variant(value, ARGUMENT_TYPES[type(value)]) for value in order.fields.values()]
        parent = await self._client.nodes.objects.get_child([f"{index}:{name}" for name in names[:-1]])
        status = await parent.call_method(f"{index}:{names[-1]}", *arguments)
        return Answer(status == 0, f"status {status}")

    async def _write(self, nodes: dict[str, str], fields: dict[str, Any]) -> Answer:
        """Write each field to its node, then read all back: only what stands there is confirmed."""
        strange = sorted(set(fields) - set(nodes))
        if strange:
            return Answer(False, f"cannot be sent: the link names no node for {strange[0]}")
        for name, value in fields.items():
            try:
                node = await find_node(self._client, nodes[name])
                kind = await node.read_data_type_as_variant_type()
                await node.write_value(ua.DataValue(ua.Variant(_as(kind, value), kind)))
            except (UaError, ValueError, TypeError, OverflowError) as error:
                if isinstance(error, AGAIN):
                    raise
                return Answer(False, f"{name} ({nodes[name]}) was not taken: {type(error).__name__}")
        return await self._read_back(nodes, fields)

    async def _read_back(self, nodes: dict[str, str], fields: dict[str, Any]) -> Answer:
        end = monotonic() + READ_BACK_S
        while True:
            differs = ""
            for name, value in fields.items():
                found = plain(await (await find_node(self._client, nodes[name])).read_value())
                if not _same(found, value):
                    differs = f"{name} ({nodes[name]}) reads {found!r} after {value!r} was written"
            if not differs:
                return Answer(True, "written and read back")
            if monotonic() > end:
                return Answer(False, differs)
            await asyncio.sleep(0.1)


def _as(kind: ua.VariantType, value: Any) -> Any:
    """The value in the node's own type: a whole number for a Float node is a float."""
    if kind in (ua.VariantType.Float, ua.VariantType.Double):
        return float(value)
    if kind == ua.VariantType.Boolean and value in (0, 1):
        return bool(value)
    return value


def _same(found: Any, wanted: Any) -> bool:
    """Equal, floats within what a 32-bit node keeps."""
    if isinstance(found, float) and isinstance(wanted, int | float):
        return abs(found - wanted) <= 1e-6 * max(1.0, abs(wanted))
    return bool(found == wanted)
