// A node-opcua server steered by a test: one JSON command a line on stdin, one JSON answer a line on stdout.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";
const require = createRequire(import.meta.url);
const { OPCUAServer } = require("node-opcua-server");
const { OPCUACertificateManager } = require("node-opcua-certificate-manager");
const { SecurityPolicy, MessageSecurityMode } = require("node-opcua-secure-channel");
const { DataType } = require("node-opcua-variant");
const { StatusCodes } = require("node-opcua-status-code");
import { addJobs, jobNodesets } from "./jobs.mjs";

const setup = JSON.parse(process.argv[2]);
const pki = new OPCUACertificateManager({ rootFolder: `${setup.folder}/pki`, automaticallyAcceptUnknownCertificate: true });
const userPki = new OPCUACertificateManager({ rootFolder: `${setup.folder}/userpki`, automaticallyAcceptUnknownCertificate: true });
await pki.initialize();
await userPki.initialize();
const server = new OPCUAServer({
  ...(setup.jobs ? { nodeset_filename: jobNodesets } : {}),
  port: setup.port,
  hostname: "localhost",
  serverInfo: { applicationUri: "urn:localhost:node-opcua-peer" },
  serverCertificateManager: pki,
  userCertificateManager: userPki,
  securityPolicies: setup.policies.map((name) => SecurityPolicy[name]),
  securityModes: setup.policies.includes("None")
    ? [MessageSecurityMode.None, MessageSecurityMode.SignAndEncrypt]
    : [MessageSecurityMode.SignAndEncrypt],
  allowAnonymous: !setup.user,
  userManager: { isValidUser: (user, password) => user === setup.user && password === setup.password },
});
await server.initialize();
const space = server.engine.addressSpace;
const own = space.registerNamespace("urn:strandline:level2");
const nodes = {};
const line = own.addObject({ organizedBy: space.rootFolder.objects, browseName: "Line" });
const types = { Speed: DataType.Double, Trigger: DataType.Boolean, Heat: DataType.String, SetPoint: DataType.Double };
for (const [name, dataType] of Object.entries(types)) {
  nodes[name] = own.addVariable({
    componentOf: line, browseName: name, nodeId: `s=${name}`, dataType, minimumSamplingInterval: 10,
    value: { dataType, value: { Double: 0, Boolean: false, String: "" }[DataType[dataType]] },
  });
}
space.installHistoricalDataNode(nodes.Speed);
const pdi = own.addObject({ organizedBy: space.rootFolder.objects, browseName: "PDI" });
const argument = (name, dataType) => ({ name, dataType, valueRank: -1 });
const called = [];
own.addMethod(pdi, {
  browseName: "Store",
  inputArguments: [argument("slab", DataType.String), argument("thickness_um", DataType.Int64)],
  outputArguments: [argument("status", DataType.Int32)],
}).bindMethod((inputs, _context, done) => {
  called.push(inputs[0].value);
  done(null, { statusCode: StatusCodes.Good, outputArguments: [{ dataType: DataType.Int32, value: inputs[0].value === "held" ? 7 : 0 }] });
});
const alarm = own.addEventType({ browseName: "TapAlarm", subtypeOf: "BaseEventType", nodeId: "s=TapAlarm" });
own.addVariable({ propertyOf: alarm, browseName: "HeatNumber", dataType: DataType.String, modellingRule: "Mandatory" });
await server.start();

const commands = {
  set: ({ node, value, bad }) => {
    const status = bad ? StatusCodes[bad] : StatusCodes.Good;
    nodes[node].setValueFromSource({ dataType: types[node], value }, status, new Date());
  },
  event: ({ heat }) => line.raiseEvent(alarm, {
    sourceName: { dataType: DataType.String, value: "EAF1" },
    message: { dataType: DataType.LocalizedText, value: { text: `heat ${heat}` } },
    severity: { dataType: DataType.UInt16, value: 500 },
    heatNumber: { dataType: DataType.String, value: heat },
  }),
  get: ({ node }) => nodes[node].readValue().value.value,
  called: () => called,
  ...(setup.jobs ? addJobs(space) : {}),
};
console.log(JSON.stringify({ ready: true }));
for await (const text of createInterface({ input: process.stdin })) {
  const command = JSON.parse(text);
  console.log(JSON.stringify({ done: commands[command.do](command) ?? null }));
}
await server.shutdown(0);
process.exit(0);
