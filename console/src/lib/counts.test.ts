import { describe, expect, it } from "vitest";
import { changeOfPositive, difference, sum } from "./counts";

const felt = (positive: number, scored: number) => ({
  tweets: scored,
  scored,
  targeted: 0,
  positive,
  neutral: scored - positive,
  negative: 0,
});

describe("changeOfPositive", () => {
  it("does not compare fewer than 30 tweets", () => {
    expect(changeOfPositive(felt(29, 29), felt(0, 500))).toEqual({ kind: "thin" });
  });
  it("calls a change within the error of sampling none", () => {
    expect(changeOfPositive(felt(20, 40), felt(17, 40))).toEqual({ kind: "same" });
  });
  it("gives a larger one in points", () => {
    expect(changeOfPositive(felt(300, 400), felt(200, 400))).toEqual({ kind: "changed", points: 25 });
  });
});

it("adds counts", () => {
  expect(sum([felt(1, 2), felt(2, 5)])).toEqual({ tweets: 7, scored: 7, targeted: 0, positive: 3, neutral: 4, negative: 0 });
});

it("gives a difference the error of both", () => {
  expect(difference({ value: 50, low: 47, high: 53 }, { value: 45, low: 41, high: 49 })).toEqual({ value: 5, low: 0, high: 10 });
});
