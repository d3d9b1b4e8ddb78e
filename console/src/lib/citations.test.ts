import { expect, it } from "vitest";
import { cut } from "./citations";

it("counts code points", () => {
  expect(cut("🇨🇴 no a la represa 🙏", 3, 17)).toEqual({ before: "🇨🇴 ", quote: "no a la represa".slice(0, 14), after: "a 🙏" });
});
