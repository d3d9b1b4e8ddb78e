// Completes the built files: the viewer of the contracts with its library, and build.json, a digest of everything that
// the files were built from, which a test compares with the checkout without needing Node.
import { createHash } from "node:crypto";
import { copyFileSync, cpSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

// Types are erased by the build: src/api takes no part in it.
const SOURCES = ["docs", "index.html", "package-lock.json", "public", "src", "svelte.config.js", "tsconfig.json", "vite.config.ts"];
const LEFT_OUT = /^src\/api\/|\.test\.ts$/;

const VIEWER = "console_service/site/docs";
cpSync("docs", VIEWER, { recursive: true });
for (const file of ["swagger-ui-bundle.js", "swagger-ui.css"]) {
  const text = readFileSync(`node_modules/swagger-ui-dist/${file}`, "utf8");
  writeFileSync(`${VIEWER}/${file}`, text.replace(/\n?(\/\/|\/\*)# sourceMappingURL=\S*( \*\/)?\s*$/, "\n"));
}
copyFileSync("node_modules/swagger-ui-dist/LICENSE", `${VIEWER}/LICENSE`);

function files(path) {
  return statSync(path).isDirectory() ? readdirSync(path).flatMap((name) => files(join(path, name))) : [path];
}

const digest = createHash("sha256");
for (const file of SOURCES.flatMap(files).filter((path) => !LEFT_OUT.test(path)).sort()) {
  digest.update(`${file}\n${createHash("sha256").update(readFileSync(file)).digest("hex")}\n`);
}
writeFileSync("console_service/site/build.json", `${JSON.stringify({ sources: digest.digest("hex") })}\n`);
