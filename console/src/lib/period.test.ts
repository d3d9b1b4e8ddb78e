import { expect, it, vi } from "vitest";
import { browse } from "./browser.test-kit";

browse();
vi.stubGlobal("history", { replaceState: (_: unknown, __: string, address: string) => (location.hash = address) });
const { MOST_DAYS, newest, period, setNewest } = await import("./period.svelte");
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

it("ends today where a stored tweet is dated in the future", () => {
  vi.useFakeTimers({ toFake: ["Date"], now: new Date("2026-06-10T15:00:00Z") });
  setNewest("2064-06-25T12:00:00Z");
  expect(of("", "")).toMatchObject({ until: "2026-06-10", days: 7, chosen: false });
  expect(newest()).toBe("2026-06-10T15:00:00.000Z");
  setNewest("2026-05-31T12:00:00Z");
  expect(of("", "").until).toBe("2026-05-31");
  vi.useRealTimers();
});
