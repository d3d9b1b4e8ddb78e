import { expect, it } from "vitest";
import { isSame, searchOf } from "./searches";

it("asks for one of the words or phrases that commas separate", () => {
  expect(searchOf(" la represa , Cañón,, #Paro ,", 500)).toEqual({ any_of: ["la represa", "Cañón", "#Paro"], max_tweets: 500 });
  expect(searchOf(" , ", 10)).toEqual({ any_of: [], max_tweets: 10 });
});

it("knows the search that has a price from another", () => {
  const priced = searchOf("represa", 500);
  expect(isSame(priced, searchOf("represa ", 500))).toBe(true);
  expect([isSame(priced, searchOf("represas", 500)), isSame(priced, searchOf("represa", 501)), isSame(undefined, priced)]).toEqual([false, false, false]);
});
