"""ISA-95 Job Control over OPC UA (OPC 10031-4), as client: job orders stored, started, followed and answered.

An order `Job.Store` (or StoreAndStart, Update) has the fields `job`, and as wanted `description`, `priority`, `start`,
`end` (ISO times); every other field is a parameter of the job. `Job.Start`, Stop, Pause, Resume, Abort, Cancel, Clear
and RevokeStart have `job`. Return status 0 is accepted. Each change of a job's state is a message with the server's
response to the job where it has one; after each connect the list of jobs is read, so that no last state is missed.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from asyncua import ua
from asyncua.client.client import Client
from asyncua.common.events import Event
from asyncua.common.node import Node
from asyncua.common.subscription import OpcEvent, OverflowPolicy
from asyncua.ua.uaerrors import UaError

from local_mes.level2.down import Down
from local_mes.level2.drivers.desk import Desk, number_of
from local_mes.level2.drivers.port import Answer, Heard
from local_mes.level2.opcua.job_types import load_job_types
from local_mes.level2.opcua.settings import JobsSettings
from local_mes.level2.opcua.values import find_node, plain

MODEL = "http://opcfoundation.org/UA/ISA95-JOBCONTROL_V2/"
STATUS_EVENT = 1006
"""ISA95JobOrderStatusEventType in the model's namespace."""
PREFIX = "Job."
WHOLE = {"Store", "StoreAndStart", "Update"}
BY_ID = {"Start", "Stop", "Pause", "Resume", "Abort", "Cancel", "Clear", "RevokeStart"}
OWN_FIELDS = {"job", "description", "priority", "start", "end", "comment"}
PUBLISH_MS = 100
QUEUE = 1_000


class Jobs:
    """The jobs of one receiver for one session."""

    def __init__(self, desk: Desk, settings: JobsSettings, client: Client) -> None:
        self._desk = desk
        self._settings = settings
        self._client = client
        self._index = 0
        self._types: dict[str, Any] = {}
        self._ours: set[ua.NodeId] = set()

    async def run(self) -> None:
        """Follow the jobs until cancelled."""
        self._index = await self._client.get_namespace_index(MODEL)
        self._types = await load_job_types(self._client, self._index)
        subscription = await self._client.create_subscription(
            PUBLISH_MS, None, queue_maxsize=QUEUE, overflow=OverflowPolicy.DISCONNECT
        )
        kind = self._client.get_node(f"ns={self._index};i={STATUS_EVENT}")
        for source in await self._who_tells():
            await subscription.subscribe_events(source, kind, queuesize=QUEUE)
        await self._catch_up()
        self._desk.connected(self._desk.link.address)
        while True:
            told = await subscription.next_event(60)
            if isinstance(told, OpcEvent) and self._is_ours(told.event):
                await self._desk.keep(self._of_event(told.event))

    async def send(self, order: Down) -> Answer:
        """Call the receiver's method for an order; ValueError and TypeError: its fields cannot be sent."""
        method, job = order.message.removeprefix(PREFIX), str(order.fields.get("job", ""))
        if method not in WHOLE | BY_ID or not job or not self._types:
            return Answer(False, f"cannot be sent: {order.message} needs a known method and the field `job`")
        if order.tries > 1 and method in ("Store", "StoreAndStart") and job in await self._states():
            return Answer(True, "the server has it already")  # its answer was lost, not the order
        receiver = await find_node(self._client, self._settings.receiver)
        subject = self._job_order(order.fields) if method in WHOLE else ua.Variant(job, ua.VariantType.String)
        words = [ua.LocalizedText(str(order.fields["comment"]))] if "comment" in order.fields else []
        comment = ua.Variant(words, ua.VariantType.LocalizedText, is_array=True)
        status = await receiver.call_method(f"{self._index}:{method}", subject, comment)
        return Answer(status == 0, f"status {status}")

    async def _who_tells(self) -> list[Node]:
        """Provider (by the book) and receiver (as some do), where they tell events; else the server for all it has."""
        names = [one for one in (self._settings.provider, self._settings.receiver) if one]
        nodes = [await find_node(self._client, one) for one in names]
        telling = [one for one in nodes if ua.EventNotifier.SubscribeToEvents in await one.read_event_notifier()]
        if telling:
            return telling
        if self._settings.provider:  # else the one that tells is not known, and every source counts
            # null and the server itself name no machine
            self._ours = {ua.NodeId(), self._client.nodes.server.nodeid, *(one.nodeid for one in nodes)}
        return [self._client.nodes.server]

    def _is_ours(self, event: Event) -> bool:
        """Whether it is of this receiver, where all machines of a server tell at the same place and a provider is named."""
        source = getattr(event, "SourceNode", None) or ua.NodeId()
        return not self._ours or source in self._ours

    def _job_order(self, fields: dict[str, Any]) -> ua.Variant:
        made = self._types["ISA95JobOrderDataType"]()
        made.JobOrderID = str(fields["job"])
        if "description" in fields:
            made.Description = [ua.LocalizedText(str(fields["description"]))]
        if "priority" in fields:
            made.Priority = int(fields["priority"])
        for name, attribute in (("start", "StartTime"), ("end", "EndTime")):
            if name in fields:
                setattr(made, attribute, datetime.fromisoformat(str(fields[name])))
        parameters = [self._parameter(name, value) for name, value in fields.items() if name not in OWN_FIELDS]
        made.JobOrderParameters = parameters or None
        return ua.Variant(made, ua.VariantType.ExtensionObject)

    def _parameter(self, name: str, value: Any) -> Any:
        made = self._types["ISA95ParameterDataType"]()
        made.ID, made.Value = name, ua.Variant(value)
        return made

    async def _states(self) -> dict[str, Any]:
        """State of each job the server has, by the job's id."""
        receiver = await find_node(self._client, self._settings.receiver)
        rows = await (await receiver.get_child([f"{self._index}:JobOrderList"])).read_value()
        return {row.JobOrder.JobOrderID: row.State for row in rows or ()}

    async def _catch_up(self) -> None:
        """The state every job is in now, marked as told again: whoever reads it may have heard it as it happened."""
        for job, state in (await self._states()).items():
            fields = {"job": job, **_state_of(state), "response": await self._response(job), "restated": True}
            raw = msgspec.json.encode(fields)
            await self._desk.keep(Heard(self._settings.message, fields, raw, again=True))

    async def _response(self, job: str) -> Any:
        """The server's answer to a job; None before it has one, or without a provider."""
        if not self._settings.provider:
            return None
        provider = await find_node(self._client, self._settings.provider)
        try:
            method = f"{self._index}:RequestJobResponseByJobOrderID"
            response, status = await provider.call_method(method, ua.Variant(job, ua.VariantType.String))
        except UaError:
            return None  # servers refuse to answer for a job that is not at its end
        return _response_of(response) if status == 0 else None

    def _of_event(self, event: Event) -> Heard:
        order, response = getattr(event, "JobOrder", None), getattr(event, "JobResponse", None)
        job = getattr(order, "JobOrderID", "") or ""
        fields = {"job": job, **_state_of(getattr(event, "JobState", None)), "response": _response_of(response)}
        raw = msgspec.json.encode(fields)
        claimed = str(plain(getattr(event, "Time", "")) or "")
        return Heard(self._settings.message, fields, raw, claimed, number_of(plain(getattr(event, "EventId", b""))))


def _state_of(states: Any) -> dict[str, str]:
    """The state and, below it, the state within the state."""
    texts = [str(getattr(one.StateText, "Text", "") or "") for one in states or () if one]
    return {"state": texts[0] if texts else "", "substate": texts[1] if len(texts) > 1 else ""}


def _response_of(response: Any) -> Any:
    """What counts in a response: when, and its values by name."""
    if response is None or not getattr(response, "JobResponseID", None):
        return None
    return {
        "id": response.JobResponseID,
        "start": plain(response.StartTime),
        "end": plain(response.EndTime),
        "values": {one.ID: plain(getattr(one.Value, "Value", one.Value)) for one in response.JobResponseData or ()},
    }
