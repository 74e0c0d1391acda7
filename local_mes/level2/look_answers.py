"""The collector's half of a look into a server: on a connection of its own, beside the link's and in no way of it."""

from __future__ import annotations

import asyncio
from functools import partial

import msgspec
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from local_mes.level2.links import LinkPlan, load_links
from local_mes.level2.looks import Level, answer_look, find_open
from local_mes.level2.spool import SpoolWriter
from shared import logs
from shared.errors import StrandlineError
from shared.settings import PlantSettings

LOOK_S = 0.5
"""How often the spool is asked for questions: short against a person's patience, cheap as a query."""
OPCUA = "opcua"

log = logs.get("level2")


async def answer_looks(settings: PlantSettings, spool: Engine, writer: SpoolWriter) -> None:
    """Answer what pages ask, one after the other, until cancelled; no fault of a server or of the disk ends it."""
    while True:
        try:
            for row in await asyncio.to_thread(find_open, spool):
                answer, fault = await _look(settings, row.link, row.node)
                said = partial(answer_look, look_id=row.look_id, answer=answer, fault=fault)
                await asyncio.wrap_future(writer.submit(said))
        except (SQLAlchemyError, StrandlineError) as error:
            log.warning("look not answered", why=str(error)[:300])
        await asyncio.sleep(LOOK_S)


async def _look(settings: PlantSettings, code: str, node: str) -> tuple[str, str]:
    """What is seen, or why nothing is; by the files as they are now, so that a new link can be looked into at once."""
    try:
        plan = await asyncio.to_thread(load_links, settings)
        return msgspec.json.encode(await _browse(plan, code, node)).decode(), ""
    except StrandlineError as error:
        return "", error.what
    except Exception as error:  # noqa: BLE001 - what a server answers ends a look, never the links
        log.warning("look failed", link=code, why=repr(error))
        return "", f"{type(error).__name__}: {error}"


async def _browse(plan: LinkPlan, code: str, node: str) -> Level:
    from local_mes.level2.opcua.browse import browse, cannot_look

    link = plan.links.get(code)
    if link is None or link.kind != OPCUA:
        raise cannot_look("the model beside the collector has no OPC UA link of this name")
    return await browse(link, plan, node)
