"""The structures of ISA-95 Job Control as one server numbers them, made for one session.

The library keeps structures by name for the whole process, the newest in place of the others; two servers may give the
model different numbers. So each session loads its own and holds on to them: what it sends carries its server's numbers.
Only the model's structures are loaded: what else a server has cannot take the place of another server's.
"""

from __future__ import annotations

from typing import Any

from asyncua.client.client import Client
from asyncua.common.structures104 import load_custom_struct

# data types of the model (OPC 10031-4), each behind those it holds
_NUMBERS = (3002, 3003, 3005, 3006, 3007, 3010, 3011, 3012, 3008, 3013, 3015)


async def load_job_types(client: Client, index: int) -> dict[str, Any]:
    """Classes by name, for the server whose namespace index of the model is given. UaError where it lacks one."""
    made = [await load_custom_struct(client.get_node(f"ns={index};i={number}")) for number in _NUMBERS]
    return {one.__name__: one for one in made}
