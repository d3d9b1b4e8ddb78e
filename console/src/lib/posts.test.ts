import { expect, it } from "vitest";
import { browse } from "./browser.test-kit";

browse();
const { invented } = await import("./posts");

it("knows the posts of the sample, which X does not have", () => {
  expect([["sample"], ["cali", "sample"], ["cali"], []].map((datasets) => invented({ datasets }))).toEqual([true, true, false, false]);
});
