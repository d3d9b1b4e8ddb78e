import { expect, it } from "vitest";
import { browse } from "./browser.test-kit";

browse();
const { addressOf } = await import("./upload");

it("leads from an import to its own data set, and to the last week of it", () => {
  const found = { first_tweet_at: "2026-03-01T12:00:00Z", last_tweet_at: "2026-05-30T03:00:00Z", dataset: "sondeo-cali" };
  expect(addressOf(found as never)).toEqual({ desde: "2026-05-23", hasta: "2026-05-29", datos: "sondeo-cali" });
  const short = { ...found, first_tweet_at: "2026-05-28T12:00:00Z", dataset: null };
  expect(addressOf(short as never)).toEqual({ desde: "2026-05-28", hasta: "2026-05-29", datos: "" });
});
