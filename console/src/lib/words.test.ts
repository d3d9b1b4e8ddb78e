import { expect, it } from "vitest";
import { browse } from "./browser.test-kit";

browse();
const { browserName } = await import("./words");

it("names browsers by what they send, and leaves what it does not know", () => {
  const chrome = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36";
  const phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1";
  expect([chrome, `${chrome} Edg/150.0.0.0`, phone, "Python-urllib/3.11", ""].map(browserName)).toEqual([
    "Chrome, Windows", "Edge, Windows", "Safari, iOS", "Python-urllib/3.11", "—",
  ]); // prettier-ignore
});
