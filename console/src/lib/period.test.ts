import { expect, it, vi } from "vitest";
import { browse } from "./browser.test-kit";

browse();
vi.stubGlobal("history", { replaceState: (_: unknown, __: string, address: string) => (location.hash = address) });
const { MOST_DAYS, period } = await import("./period.svelte");
const { setParams } = await import("./route.svelte");

/** The period of an address. */
function of(desde: string, hasta: string) {
  setParams({ desde, hasta }, true);
  return period();
}

it("shows at most the days that forecast-service can compute from, and says so", () => {
  expect(of("2024-06-01", "2026-05-31")).toMatchObject({ since: "2024-06-01", days: MOST_DAYS, shortened: false });
  expect(of("2020-01-01", "2026-05-31")).toMatchObject({ since: "2024-06-01", until: "2026-05-31", days: MOST_DAYS, shortened: true });
});

it("takes what is no day for none", () => {
  const usual = of("", "2026-05-31");
  expect(of("2026-13-45", "2026-05-31")).toEqual(usual);
  expect(of("ayer", "2026-05-31")).toEqual(usual);
  expect(of("2026-02-31", "2026-05-31")).toEqual(usual);
  expect(of("", "2026-02-31").chosen).toBe(false);
  expect(of("2024-02-29", "2024-02-29")).toMatchObject({ since: "2024-02-29", days: 1, chosen: true });
  expect(() => of("2026-05-01", "2026-99-99")).not.toThrow();
});
