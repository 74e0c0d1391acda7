"""The same group over the real sync protocol, in one process: sealed batches, receipts, pulls, watermarks by seal."""

from __future__ import annotations

from steel_group import SteelGroup

from shared.db.engine import read, write
from shared.node import Node
from sync.caller import Caller
from sync.peers import find_peer, trust_peer
from sync.station import Ground, begin, build_called, make_ground
from sync.transport import MemoryTransport


class SealedGroup(SteelGroup):
    """A SteelGroup whose facts travel by Caller and Desk."""

    def __post_init__(self) -> None:
        super().__post_init__()
        station = build_called(self.hub.node, 500)
        self.hub_ground: Ground = station.ground
        transport = MemoryTransport(station.desk)
        self.callers = {code: self._enrol(plant.node, transport) for code, plant in self.plants.items()}

    def _enrol(self, node: Node, transport: MemoryTransport) -> tuple[Caller, Ground]:
        begin(node)
        for here, there in ((node, self.hub.node), (self.hub.node, node)):
            with write(here.engine) as conn:
                trust_peer(conn, there.code, there.key.public, self.clock.now_ms())
        with read(node.engine) as conn:
            peer = find_peer(conn, "HUB")
        assert peer is not None
        caller = Caller(node.code, peer, node.engine, node.clock, node.key, transport, lambda: None, bytes_max=2 << 20)
        return caller, make_ground(node, 500)

    def up(self, code: str, limit: int | None = None) -> int:
        caller, _ = self.callers[code]
        session = caller.hello()
        sent = 0
        while (run := caller.next_run(limit or 2_000)) is not None:
            sent += len(run.entries)
            caller.push(session, run)
        caller.push(session, None)
        self.hub_ground.applying.apply_all()
        return sent

    def down(self, code: str) -> int:
        caller, ground = self.callers[code]
        session = caller.hello()
        got = 0
        while new := caller.pull(session, 0):
            got += new
        ground.applying.apply_all()
        return got
