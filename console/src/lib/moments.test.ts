import { describe, expect, it } from "vitest";
import { browse } from "./browser.test-kit";
import type { Period } from "./period.svelte";

browse();
const { momentsOf } = await import("./moments");

const week = { since: "2026-05-23", until: "2026-05-29" } as Period;
const change = (date: string) => ({
  date, before: 40, after: 50, change: 10, low: 5, high: 15, trending: "", events: [{ date: "2026-05-24", name: "Elección", kind: "election" as const }],
}); // prettier-ignore

describe("momentsOf", () => {
  it("gives those of the period, each once, oldest first, by the day of Bogotá", () => {
    const topic = { topic: "represa", tweets: 48, peak_at: "2026-05-29T03:00:00Z" } as never;
    const found = momentsOf(week, [change("2026-05-26"), change("2026-05-27"), change("2026-06-02")], [topic]);
    expect(found.map(({ date, kind }) => [date, kind])).toEqual([
      ["2026-05-24", "day"],
      ["2026-05-26", "level"],
      ["2026-05-27", "level"],
      ["2026-05-28", "topic"],
    ]);
  });
});
