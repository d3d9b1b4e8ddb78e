// Writes src/api/<service>.d.ts, the types of the client, from contracts/. They are made before every check and build
// and are never committed, so they cannot differ from the contracts of the checkout.
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import openapiTS, { astToString } from "openapi-typescript";

const contracts = new URL("../../contracts/", import.meta.url);
const target = new URL("../src/api/", import.meta.url);

mkdirSync(target, { recursive: true });
for (const file of readdirSync(fileURLToPath(contracts)).filter((name) => name.endsWith(".v1.yaml"))) {
  const types = await openapiTS(new URL(file, contracts), { defaultNonNullable: false });
  writeFileSync(new URL(file.replace("-service.v1.yaml", ".d.ts"), target), astToString(types));
}
