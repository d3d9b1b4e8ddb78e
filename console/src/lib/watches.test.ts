import { expect, it } from "vitest";
import { browse, serve } from "./browser.test-kit";

browse();
const { toldBy } = await import("./watches");

it("reads every page of what a watch told, oldest first", async () => {
  const asked = serve(({ searchParams }) =>
    searchParams.get("cursor") === "p2"
      ? { ok: true, data: { items: [{ seq: 3 }] }, meta: { next_cursor: null } }
      : { ok: true, data: { items: [{ seq: 1 }, { seq: 2 }] }, meta: { next_cursor: "p2" } },
  );
  expect((await toldBy("w 1", "2026-05-01")).map(({ seq }) => seq)).toEqual([1, 2, 3]);
  expect(asked).toHaveLength(2);
  expect(asked.every((address) => address.includes("since=2026-05-01") && address.includes("/w%201/"))).toBe(true);
});
