import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

// Nothing is inlined: the policy of content allows no inline script, style or font.
export default defineConfig({
  plugins: [svelte()],
  base: "./",
  build: {
    outDir: "console_service/site",
    // The contracts in it are written by `make contracts`; scripts/clean.mjs removes the rest.
    emptyOutDir: false,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // One style for all views, and what several views have in one file: a view is two requests, not twenty.
    cssCodeSplit: false,
    rolldownOptions: {
      input: { index: "index.html" },
      output: {
        codeSplitting: {
          groups: [
            { name: "vendor", test: /node_modules/, minShareCount: 2, priority: 1 },
            { name: "parts", test: /src\/(charts|components|lib)\/.*\.(svelte|ts)$/, minShareCount: 2 },
          ],
        },
      },
    },
  },
  server: { proxy: { "/v1": { target: process.env.CASTOR_URL ?? "https://localhost:8443", secure: false } } },
  test: { include: ["src/**/*.test.ts"] },
});
