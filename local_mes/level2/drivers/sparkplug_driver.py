"""Sparkplug B: edge nodes tell their metrics by birth, data and death; each payload of a named edge is one message.

Data names its metrics by numbers that only the birth explains, so births are kept over restarts, and a number nobody
explained, like a missing sequence number, asks the edge for a new birth. A death is "no data", not a value.
Payloads come with QoS 0, as the specification has it: what an edge sends while nobody listens is told by its next birth.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta

from local_mes.level2.drivers.mqtt import BrokerDriver, BrokerSettings
from local_mes.level2.drivers.port import Heard, bad_link, read_settings
from local_mes.level2.drivers.signal_state import GOOD, NO_DATA, SignalBoard
from local_mes.level2.drivers.sparkplug import Payload, PayloadError, decode, encode_command
from shared.clock import to_datetime
from shared.storage import write_durably

if TYPE_CHECKING:
    from local_mes.level2.drivers.desk import Desk
    from local_mes.level2.links import Link

SPACE = "spBv1.0"
REBIRTH = "Node Control/Rebirth"
SEQUENCES = 256


class Edge(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One edge node (`group/node`) or device (`group/node/device`).

    message  what a payload of it is called
    fields   metric -> field; left out: every metric under its own name
    """

    edge: Annotated[str, Meta(min_length=3, max_length=400)]
    message: Annotated[str, Meta(min_length=1, max_length=64)]
    fields: dict[str, str] = {}


class SparkplugSettings(BrokerSettings, frozen=True, kw_only=True):
    """`[link.settings]` of a Sparkplug link."""

    edges: tuple[Edge, ...] = ()


class SparkplugDriver(BrokerDriver):
    """Hears the edges that the settings name."""

    Settings = SparkplugSettings

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._edges = {one.edge: one for one in self.broker.edges}
        self._file = desk.plan.home / f"sparkplug-{desk.link.code}.json"
        self._names: dict[str, dict[int, str]] = _read_births(self._file)
        self._expected: dict[str, int] = {}
        self._board = SignalBoard(desk, {one.message: one.edge for one in self.broker.edges})

    @classmethod
    def check(cls, link: Link, folder: Path) -> None:
        """The broker's settings, and edges of two or three parts."""
        super().check(link, folder)
        edges = read_settings(link, SparkplugSettings).edges
        wrong = [one.edge for one in edges if one.edge.count("/") not in (1, 2)]
        if not edges or wrong:
            raise bad_link(link.code, f"an edge is group/node or group/node/device ({wrong or 'none is named'})")

    async def session(self) -> None:
        """The same; when it ends nobody knows any value."""
        self._expected.clear()
        try:
            await super().session()
        finally:
            await self._board.all_lost("the connection is lost")

    def filters(self) -> list[str]:
        """All messages of the groups whose edges are named."""
        return [f"{SPACE}/{group}/#" for group in sorted({one.edge.split("/")[0] for one in self.broker.edges})]

    async def begin(self) -> None:
        """Ask every edge for its birth: what changed while nobody listened is in it."""
        await self._board.begin()
        for node in sorted({"/".join(one.edge.split("/")[:2]) for one in self.broker.edges}):
            self._ask_birth(node)

    def read(self, topic: str, payload: bytes, again: bool) -> Heard | None:
        """One payload; None for those of edges that are not named."""
        parts = topic.split("/")
        if len(parts) not in (4, 5) or parts[2] not in _KINDS:
            return None
        kind, node, edge = parts[2], f"{parts[1]}/{parts[3]}", "/".join((parts[1], *parts[3:]))
        try:
            content = decode(payload)
        except PayloadError as error:
            named = self._edges.get(edge)
            return Heard(named.message, {}, payload, problem=f"{topic}: {error}.") if named else None
        if kind.endswith("DEATH"):
            self._died(edge)
            return None
        self._watch_order(node, kind, content)
        if kind.endswith("BIRTH"):
            self._born(edge, content)
        named = self._edges.get(edge)
        return self._message(named, kind, content, payload) if named else None

    def _watch_order(self, node: str, kind: str, content: Payload) -> None:
        if content.seq is None:
            return
        expected = self._expected.get(node)
        if kind != "NBIRTH" and expected is not None and content.seq != expected:
            self.desk.gap(
                f"{node}: sequence {content.seq} came where {expected} was next.", (content.seq - expected) % SEQUENCES
            )
            self._ask_birth(node)
        self._expected[node] = (content.seq + 1) % SEQUENCES

    def _born(self, edge: str, content: Payload) -> None:
        """Keep which number means which metric."""
        names = {one.alias: one.name for one in content.metrics if one.alias is not None and one.name}
        if names != self._names.get(edge, {}):
            self._names[edge] = names
            write_durably(self._file, msgspec.json.encode(self._names))

    def _died(self, edge: str) -> None:
        """The edge, and with a node all its devices, has no data from now on."""
        for name, one in self._edges.items():
            if name == edge or name.startswith(f"{edge}/"):
                self.desk.writer.submit(self._board.told(one.message, NO_DATA, "the edge is offline"))

    def _message(self, named: Edge, kind: str, content: Payload, raw: bytes) -> Heard | None:
        names = self._names.get(named.edge, {})
        fields: dict[str, Any] = {"birth": True} if kind.endswith("BIRTH") else {}
        unknown = []
        for metric in content.metrics:
            name = metric.name or names.get(metric.alias if metric.alias is not None else -1, "")
            if not name:
                unknown.append(str(metric.alias))
            elif not named.fields or name in named.fields:
                fields[named.fields.get(name, name)] = metric.value
        if unknown:
            self._ask_birth("/".join(named.edge.split("/")[:2]))
        problem = f"No birth has said which metrics are {', '.join(unknown)}." if unknown else ""
        self.desk.writer.submit(self._board.told(named.message, GOOD, "", fields))
        claimed = to_datetime(content.timestamp_ms).isoformat() if content.timestamp_ms is not None else ""
        late = any(one.historical for one in content.metrics)
        return Heard(named.message, fields, raw, claimed, content.seq or 0, late=late, problem=problem)

    def _ask_birth(self, node: str) -> None:
        group, _, name = node.partition("/")
        if self.client is not None:
            command = encode_command(REBIRTH, self.desk.clock.now_ms())
            self.client.publish(f"{SPACE}/{group}/NCMD/{name}", command, qos=0)


_KINDS = {"NBIRTH", "NDATA", "NDEATH", "DBIRTH", "DDATA", "DDEATH"}


def _read_births(file: Path) -> dict[str, dict[int, str]]:
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, dict[int, str]])
    except FileNotFoundError:
        return {}
