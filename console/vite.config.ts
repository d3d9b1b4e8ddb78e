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
    rollupOptions: { input: { index: "index.html" } },
  },
  server: { proxy: { "/v1": { target: process.env.CASTOR_URL ?? "https://localhost:8443", secure: false } } },
  test: { include: ["src/**/*.test.ts"] },
});
