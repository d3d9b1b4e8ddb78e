// Removes the built files, except the contracts.
import { mkdirSync, readdirSync, rmSync } from "node:fs";

const SITE = "console_service/site";

mkdirSync(SITE, { recursive: true });
for (const name of readdirSync(SITE)) if (name !== "openapi") rmSync(`${SITE}/${name}`, { recursive: true });
