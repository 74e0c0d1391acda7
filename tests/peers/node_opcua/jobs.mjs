// A machine that takes jobs (ISA-95 Job Control, OPC 10031-4) on a node-opcua server, of the model's own types.
import { createRequire } from "node:module";
const require = createRequire(import.meta.url);
const { nodesets } = require("node-opcua-nodesets");
const { DataType, VariantArrayType } = require("node-opcua-variant");
const { StatusCodes } = require("node-opcua-status-code");

const MODEL = "http://opcfoundation.org/UA/ISA95-JOBCONTROL_V2/";
const NUMBERS = { NotAllowedToStart: 1, AllowedToStart: 2, Running: 3, Interrupted: 4, Ended: 5, Aborted: 6 };
const UNKNOWN = 1;
const THERE_ALREADY = 2;
const number = (value) => (Array.isArray(value) ? value[1] : value); // of an Int64 the lower half
// what a method that has only the job's id does to its state
const MOVES = { Start: "AllowedToStart", RevokeStart: "NotAllowedToStart", Stop: "Ended", Abort: "Aborted", Pause: "Interrupted", Resume: "Running" };

export const jobNodesets = [nodesets.standard, nodesets.isa95JobControl];

// commands of the test: becomes (a state, as the machine works on), jobs (what it holds)
export function addJobs(space) {
  const index = space.getNamespaceIndex(MODEL);
  const own = space.registerNamespace("urn:test:caster");
  const type = (name) => space.findDataType(name, index);
  const made = (name, fields) => space.constructExtensionObject(type(name), fields);
  const receiver = space.findObjectType("ISA95JobOrderReceiverObjectType", index).instantiate({
    browseName: "Receiver", nodeId: `ns=${own.index};s=Receiver`, namespace: own, organizedBy: space.rootFolder.objects,
    optionals: ["Store", "StoreAndStart", "Start", "Stop", "Abort", "Cancel", "Clear", "Pause", "Resume", "RevokeStart", "Update"],
  });
  // by the book the events are the provider's; the receiver tells none
  const provider = space.findObjectType("ISA95JobResponseProviderObjectType", index).instantiate({
    browseName: "Provider", nodeId: `ns=${own.index};s=Provider`, namespace: own, organizedBy: space.rootFolder.objects,
    eventSourceOf: space.rootFolder.objects.server,
  });
  provider.setEventNotifier(1);
  // the model's type of event is abstract: a machine tells one of its own below it
  const told = own.addEventType({ browseName: "CasterJobStatus", subtypeOf: space.findEventType("ISA95JobOrderStatusEventType", index) });
  const orders = new Map();
  const states = new Map();
  const state = (name) => [made("ISA95StateDataType", { browsePath: {}, stateText: { text: name }, stateNumber: NUMBERS[name] })];
  const structures = (value) => ({ dataType: DataType.ExtensionObject, arrayType: VariantArrayType.Array, value });
  const list = receiver.getComponentByName("JobOrderList", index);

  const response = (job) => made("ISA95JobResponseDataType", {
    jobResponseID: states.get(job) === "Ended" ? `${job}-R` : "",
    jobOrderID: job,
    startTime: new Date("2026-03-11T05:00:00Z"),
    jobState: state(states.get(job) ?? "NotAllowedToStart"),
    jobResponseData: [made("ISA95ParameterDataType", { ID: "cast_kg", value: { dataType: DataType.Int32, value: 161200 } })],
  });
  const becomes = (job, name) => {
    states.set(job, name);
    list.setValueFromSource(structures([...orders].map(([id, order]) => made("ISA95JobOrderAndStateDataType", { jobOrder: order, state: state(states.get(id)) }))));
    provider.raiseEvent(told, {
      jobOrder: { dataType: DataType.ExtensionObject, value: orders.get(job) },
      jobState: structures(state(name)),
      jobResponse: { dataType: DataType.ExtensionObject, value: response(job) },
    });
    return null;
  };
  const answer = (status, ...before) => ({
    statusCode: StatusCodes.Good,
    outputArguments: [...before, { dataType: DataType.UInt64, arrayType: VariantArrayType.Scalar, value: [0, status] }],
  });
  const bind = (object, name, act) => object.getMethodByName(name, index).bindMethod((inputs, _context, done) => done(null, act(inputs)));
  const store = (first) => (inputs) => {
    const order = inputs[0].value;
    if (orders.has(order.jobOrderID)) return answer(THERE_ALREADY);
    orders.set(order.jobOrderID, order);
    becomes(order.jobOrderID, first);
    return answer(0);
  };
  const known = (act) => (inputs) => (orders.has(inputs[0].value) ? act(inputs[0].value) : answer(UNKNOWN));
  const forget = (job) => {
    becomes(job, "Aborted");
    orders.delete(job);
    return answer(0);
  };
  bind(receiver, "Store", store("NotAllowedToStart"));
  bind(receiver, "StoreAndStart", store("AllowedToStart"));
  bind(receiver, "Update", (inputs) => {
    if (!orders.has(inputs[0].value.jobOrderID)) return answer(UNKNOWN);
    orders.set(inputs[0].value.jobOrderID, inputs[0].value);
    return answer(0);
  });
  for (const [name, to] of Object.entries(MOVES)) bind(receiver, name, known((job) => (becomes(job, to), answer(0))));
  for (const name of ["Cancel", "Clear"]) bind(receiver, name, known(forget));
  bind(provider, "RequestJobResponseByJobOrderID", (inputs) => {
    const job = inputs[0].value;
    return answer(orders.has(job) ? 0 : UNKNOWN, { dataType: DataType.ExtensionObject, value: response(job) });
  });
  return {
    becomes: ({ job, state: name }) => becomes(job, name),
    jobs: () => Object.fromEntries([...orders].map(([id, order]) => [id, {
      state: states.get(id),
      priority: order.priority,
      description: order.description?.[0]?.text ?? "",
      parameters: Object.fromEntries((order.jobOrderParameters ?? []).map((one) => [one.ID, number(one.value.value)])),
    }])),
  };
}
