import { expect, it } from "vitest";
import { browse } from "./browser.test-kit";

browse();
const { day, percent, time } = await import("./format");
const { setLanguage } = await import("./i18n.svelte");

it("writes days, moments and shares as each language does", () => {
  expect([day("2026-05-29"), time("2026-05-30T03:05:00Z"), percent(0.253, 900)]).toEqual(["29 may 2026", "29 may 2026, 22:05", "25\u00a0%"]);
  setLanguage("en");
  expect([day("2026-05-29"), day("2026-05-29", true), percent(0.253, 9000)]).toEqual(["29 May 2026", "29 May", "25.3%"]);
  setLanguage("es");
});
