import { expect, it } from "vitest";
import { browse, serve } from "./browser.test-kit";

browse();
const { dailyCounts, datasets, entities } = await import("./queries");
const { period } = await import("./period.svelte");

/** A list of two pages, whose items are their places in it. */
const twoPages = ({ searchParams }: URL) =>
  searchParams.get("cursor") === "p2"
    ? { ok: true, data: { items: [3] }, meta: { next_cursor: null } }
    : { ok: true, data: { items: [1, 2] }, meta: { next_cursor: "p2" } };

it.each([
  ["counts by day", () => dailyCounts("2026-03-01", period())],
  ["data sets", () => datasets()],
  ["tracked candidates", () => entities("a")],
])("reads every page of the %s", async (_, asking) => {
  const asked = serve(twoPages);
  expect(await asking().queryFn()).toEqual([1, 2, 3]);
  expect(asked).toHaveLength(2);
  const [first, second] = asked.map((address) => new URL(address).searchParams);
  expect(first?.has("cursor")).toBe(false);
  second?.delete("cursor");
  expect(`${second}`).toBe(`${first}`);
});
